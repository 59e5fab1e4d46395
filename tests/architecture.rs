//! The house is as its drawing says: who imports whom, who prints, who is
//! unsafe, and what must not stand in the tree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex_automata::meta::Regex;

/// The rooms from top to bottom, each with the rooms that it imports. Data
/// runs downhill: a room only imports from rows below its own, and so there
/// can be no circle.
const HOUSE: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "config",
            "hook",
            "blast_radius",
            "indicators",
            "revoke",
            "validate",
            "hostage",
            "registry",
            "pipeline",
            "report",
            "rules",
            "git",
            "source",
            "suppress",
            "verify",
            "model",
            "error",
        ],
    ),
    ("config", &["source", "model", "error"]),
    ("hook", &["report", "pipeline", "git", "source", "model", "error"]),
    ("revoke", &["registry", "model"]),
    ("validate", &["registry", "rules", "model"]),
    ("report", &["model"]),
    (
        "pipeline",
        &["git", "source", "matcher", "verify", "suppress", "context", "rules", "model", "error"],
    ),
    ("blast_radius", &["registry", "lockfile", "indicators", "model"]),
    ("lockfile", &[]),
    ("indicators", &["error"]),
    ("registry", &["rules", "hostage", "model", "error"]),
    ("source", &["git", "model", "error"]),
    ("git", &["model", "error"]),
    ("suppress", &["context", "model", "error"]),
    ("verify", &["context", "matcher", "rules", "model"]),
    ("context", &["model"]),
    ("matcher", &["rules", "model"]),
    ("rules", &["model", "error"]),
    ("hostage", &["model"]),
    ("model", &[]),
    ("error", &[]),
];

/// The only files that may hold `unsafe`.
const UNSAFE: &[&str] = &["src/config.rs", "src/git/store/mod.rs", "src/matcher/prefilter/simd.rs"];

#[test]
fn every_room_is_drawn() {
    let rooms: BTreeSet<String> =
        sources().iter().map(|file| file.room.clone()).filter(|room| room != "lib").collect();
    let drawn: BTreeSet<String> = HOUSE.iter().map(|(room, _)| room.to_string()).collect();
    assert_eq!(rooms, drawn);
}

#[test]
fn arrows_are_those_of_the_drawing() {
    let mut real = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in sources() {
        for (line, room) in imports(&file) {
            if room == file.room || file.room == "lib" {
                continue;
            }
            let allowed = HOUSE.iter().find(|(name, _)| *name == file.room);
            if !allowed.is_some_and(|(_, allowed)| allowed.contains(&room.as_str())) {
                wrong.push(format!("{}:{line}: {} → {room}", file.path, file.room));
            }
            real.insert((file.room.clone(), room));
        }
    }
    assert!(wrong.is_empty(), "arrows that are not drawn:\n{}", wrong.join("\n"));
    for (room, allowed) in HOUSE {
        for to in *allowed {
            let arrow = (room.to_string(), to.to_string());
            assert!(real.contains(&arrow), "{room} → {to} is drawn, and nobody goes there");
        }
    }
}

#[test]
fn all_arrows_lead_downhill() {
    let row = |room: &str| HOUSE.iter().position(|(name, _)| *name == room);
    for (room, allowed) in HOUSE {
        for to in *allowed {
            assert!(row(to) > row(room), "{room} → {to} leads uphill");
        }
    }
}

/// A room's own modules may say `super`, but not so often that they leave it:
/// such a path would be an arrow that the other tests do not see.
#[test]
fn nobody_leaves_a_room_by_super() {
    let supers = regex(r"\b(super::)+");
    for file in sources() {
        for (line, text) in code(&file.text) {
            // An inline module is a step deeper than its file.
            let depth = file.depth + usize::from(text.starts_with(' '));
            for found in supers.find_iter(text) {
                let steps = found.len() / "super::".len();
                assert!(steps <= depth, "{}:{line}: {text}", file.path);
            }
        }
    }
}

#[test]
fn only_the_command_line_prints() {
    let prints = regex(r"\b(e?print(ln)?|dbg)!");
    for file in sources().iter().filter(|file| !matches!(file.room.as_str(), "cli" | "main")) {
        for (line, text) in code(&file.text) {
            assert!(!prints.is_match(text), "{}:{line}: {text}", file.path);
        }
    }
}

#[test]
fn what_is_unsafe_says_why_it_is_sound() {
    let word = regex(r"\bunsafe\b");
    for file in sources() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (line, text) in code(&file.text).filter(|(_, text)| word.is_match(text)) {
            assert!(UNSAFE.contains(&file.path.as_str()), "{}:{line}: {text}", file.path);
            let above = &lines[line.saturating_sub(12)..line];
            let said =
                above.iter().any(|text| text.contains("SAFETY:") || text.contains("# Safety"));
            assert!(said, "{}:{line}: no SAFETY comment: {text}", file.path);
        }
    }
}

/// Hosts of registries are composed where they are needed: the tree must not
/// look as if it talked to them.
#[test]
fn no_host_of_a_package_registry_is_written_out() {
    let hosts = [
        ["registry", "npmjs", "(org|com)"],
        ["registry", "yarnpkg", "com"],
        ["(index|static)", "crates", "io"],
        ["files", "pythonhosted", "org"],
        ["proxy", "golang", "org"],
        ["deb", "debian", "org"],
    ]
    .map(|parts| parts.join(r"\."));
    let hosts = regex(&format!(r"(?i){}|\bpypi\.{}", hosts.join("|"), "org"));
    nowhere(&hosts);
}

/// Other scanners, and the hosts of the repository, refuse a tree that holds a
/// token, synthetic or not.
#[test]
fn no_whole_token_stands_in_the_tree() {
    let shapes = [
        ("npm", "_[0-9A-Za-z]{36}"),
        ("gh", "[pousr]_[0-9A-Za-z]{36}"),
        ("github", "_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
        ("glpat", "-[0-9A-Za-z_-]{20}"),
        ("AKIA", "[2-7A-Z]{16}"),
        ("AIza", "[0-9A-Za-z_-]{35}"),
        ("ya29", r"\.[0-9A-Za-z_-]{30}"),
        ("xox", "[abposr]-[0-9]{8}"),
        ("[sr]k", "_live_[0-9A-Za-z]{20}"),
        ("hf", "_[A-Za-z]{34}"),
        ("pypi", "-AgE[0-9A-Za-z_-]{40}"),
        ("dop", "_v1_[0-9a-f]{64}"),
        ("SG", r"\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
        ("sk", "-(ant|proj|or)-[0-9A-Za-z_-]{40}"),
        ("AGE-SECRET", "-KEY-1[0-9A-Z]{58}"),
        ("PRIVATE", r" KEY-----(\\n|\r?\n)[0-9A-Za-z+/]{60}"),
        ("eyJ", r"[0-9A-Za-z_-]{20}\.eyJ[0-9A-Za-z_-]{20}\.[0-9A-Za-z_-]{20}"),
    ]
    .map(|(prefix, rest)| format!("{prefix}{rest}"));
    nowhere(&regex(&shapes.join("|")));
}

#[test]
fn every_rule_file_parses() {
    let mut ids = BTreeSet::new();
    let folder = root().join("patterns");
    // The tables below it are no rules, and have tests of their own.
    for path in files(&folder).iter().filter(|path| path.parent() == Some(&folder)) {
        let shown = path.display().to_string();
        assert!(shown.ends_with(".toml"), "{shown} is no rule file");
        for rule in tokensweep::rules::load_file(path).unwrap_or_else(|why| panic!("{why}")) {
            let id = rule.spec.id;
            assert!(ids.insert(id.clone()), "{shown}: a second rule is called {id}");
        }
    }
    assert!(!ids.is_empty());
}

/// A file under `src/`.
struct Source {
    /// Its path from the root, with `/` between its parts.
    path: String,
    /// The part of the house that it belongs to.
    room: String,
    /// How many modules deep it lies in its room.
    depth: usize,
    text: String,
}

fn sources() -> Vec<Source> {
    let to_source = |path: &PathBuf| {
        let path = shown(path);
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let modules: Vec<&str> = inside.split('/').filter(|part| *part != "mod").collect();
        Source {
            room: modules[0].to_owned(),
            depth: modules.len() - 1,
            text: fs::read_to_string(root().join(&path)).unwrap(),
            path,
        }
    };
    files(&root().join("src")).iter().map(to_source).collect()
}

/// The rooms that a file names by `crate::…`, one by one or in braces, with
/// the line of each. The binary says `tokensweep::`.
fn imports(file: &Source) -> Vec<(usize, String)> {
    let from = if file.room == "main" { "tokensweep" } else { "crate" };
    let path = regex(&format!(r"\b{from}::(\{{[^;]*?\}};|\w+)"));
    let first = regex(r"(?:^|[{,])\s*(\w+)");
    let code: Vec<&str> =
        file.text.lines().map(|line| if is_comment(line) { "" } else { line }).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for import in path.find_iter(&code) {
        let line = code[..import.start()].matches('\n').count() + 1;
        let names = &code[import.start() + from.len() + 2..import.end()];
        // Inside braces only what stands at their first level is a room.
        let mut level = 0;
        let outer: String = names
            .chars()
            .filter(|c| {
                level += i32::from(*c == '{') - i32::from(*c == '}');
                level < 2
            })
            .collect();
        for name in first.captures_iter(&outer) {
            let span = name.get_group(1).expect("the group always takes part");
            found.push((line, outer[span.start..span.end].to_owned()));
        }
    }
    found
}

/// The lines that are no comment, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !is_comment(line))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Fails if a file of the tree matches.
fn nowhere(pattern: &Regex) {
    let mut found = Vec::new();
    for path in tracked() {
        let bytes = fs::read(&path).unwrap_or_default();
        for hit in pattern.find_iter(&bytes) {
            let line = bytes[..hit.start()].iter().filter(|&&b| b == b'\n').count() + 1;
            found.push(format!("{}:{line}", shown(&path)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What git tracks; in an unpacked crate, all there is.
fn tracked() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let names = listed.map(|listed| listed.stdout).unwrap_or_default();
    let names = String::from_utf8(names).expect("our names are UTF-8");
    let paths: Vec<PathBuf> = names.split_terminator('\0').map(|name| root().join(name)).collect();
    if paths.is_empty() { files(&root()) } else { paths }
}

/// The files below `folder` that git does not ignore, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ignore::WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(ignore::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string().replace('\\', "/")
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap()
}
