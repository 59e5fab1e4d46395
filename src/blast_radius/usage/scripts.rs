//! Scripts that a version brings and that run when it is installed.

use super::signs::{Case, mark, shown};
use crate::model::Severity::{High, Low, Medium};
use crate::model::radius::Mark;
use crate::registry::npm::packument::Version;

/// Scripts that run when a package is installed, from the registry or from a
/// repository (`prepare`).
const RUN: [&str; 6] =
    ["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];

/// Files that worms named their payload, at the root or in `lib`; a name that
/// honest packages use too counts in a script that runs at installation.
const PAYLOADS: [&str; 9] = [
    "bundle.js",
    "telemetry.js",
    "setup.mjs",
    "execution.js",
    "deploy.js",
    "bw1.js",
    "math_init.js",
    "Math_Symbol.js",
    "environment_source.js",
];

/// Those that nobody else uses.
const UNMISTAKABLE: [&str; 7] = [
    "setup_bun.js",
    "bun_environment.js",
    "bun_installer.js",
    "bw_setup.js",
    "router_init.js",
    "router_runtime.js",
    "tanstack_runner.js",
];

/// All that is odd about the scripts of a version, each fact once.
pub(super) fn marks(case: &Case<'_>) -> Vec<Mark> {
    let mut marks: Vec<Mark> = RUN.iter().filter_map(|name| new_script(case, name)).collect();
    marks.extend(new_gypfile(case));
    marks.extend(new_install_flag(case));
    marks.extend(scripts_replaced(case));
    marks
}

/// The one mark of a script that no earlier version has so.
fn new_script(case: &Case<'_>, name: &'static str) -> Option<Mark> {
    let command = case.version.scripts.get(name).filter(|it| !case.knows(name, it))?;
    let at_install = Version::INSTALL.contains(&name);
    if at_install && case.version.gypfile && command.trim() == "node-gyp rebuild" {
        return None;
    }
    let before = case.before.map(|(number, before)| (number, before.scripts.contains_key(name)));
    let (hook, loads) = (is_hook(command, at_install), loads(command));
    let (weight, sign) = match before {
        _ if hook => (High, "worm-hook"),
        Some((_, false)) if at_install => (High, "new-install-script"),
        Some((_, true)) if at_install && loads => (High, "loader"),
        Some((_, true)) if at_install => (Medium, "changed-install-script"),
        _ if loads => (Medium, "loader"),
        _ => return None,
    };
    let explained = !(hook || loads && at_install) && stays(case, name, command);
    let weight = match weight {
        High if explained => Medium,
        _ if explained => Low,
        _ => weight,
    };
    let like = if hook { ", as worms do" } else { "" };
    let compared = match before {
        Some((number, true)) => format!("which is not that of {number}"),
        Some((number, false)) => format!("and {number} has none"),
        None => "with no version before it to compare with".to_owned(),
    };
    mark(weight, sign, format!("{name} runs `{}`{like}, {compared}", shown(command)))
}

/// True if the versions of a month and more after it keep a script: what worms
/// publish is found and taken down sooner.
fn stays(case: &Case<'_>, name: &str, command: &str) -> bool {
    const LATER: usize = 2;
    let same = |version: &&Version| version.scripts.get(name).is_some_and(|it| it == command);
    let by = &case.version.publisher;
    let by_known = case.recent.iter().any(|(_, version)| version.publisher == *by);
    by_known && case.later.len() >= LATER && case.later.iter().all(same)
}

/// One script that runs at installation, where there were others: a worm that
/// writes the whole object anew leaves that behind.
fn scripts_replaced(case: &Case<'_>) -> Option<Mark> {
    let (number, before) = case.before?;
    let scripts = &case.version.scripts;
    let (name, _) = scripts.first_key_value().filter(|_| scripts.len() == 1)?;
    let others = before.scripts.keys().filter(|other| *other != name).count();
    (Version::INSTALL.contains(&name.as_str()) && others > 0).then_some(())?;
    let s = if others == 1 { "" } else { "s" };
    let words = format!("{name} is its only script, where {number} had {others} other{s}");
    mark(High, "scripts-replaced", words)
}

fn new_install_flag(case: &Case<'_>) -> Option<Mark> {
    let (number, _) = case.before?;
    let named = Version::INSTALL.iter().any(|name| case.version.scripts.contains_key(*name));
    let flagged = case.version.has_install_script == Some(true) && !named && !case.version.gypfile;
    (flagged && !case.earlier().any(Version::runs_at_install)).then_some(())?;
    let words = format!("it runs code when it is installed, and {number} does not");
    mark(High, "new-install-script", words)
}

fn new_gypfile(case: &Case<'_>) -> Option<Mark> {
    let (number, _) = case.before?;
    (case.version.gypfile && !case.earlier().any(|version| version.gypfile)).then_some(())?;
    mark(High, "new-gypfile", format!("it is compiled when it is installed, and {number} is not"))
}

/// npm itself puts this version in place of a package that it took away for
/// being dangerous. Nobody else can publish as `npm`.
pub(super) fn holding(number: &str, version: &Version) -> Option<Mark> {
    let held = number == "0.0.1-security" || number.starts_with("0.0.1-security.");
    let by_npm = version.publisher.as_deref() == Some("npm") && !version.runs_at_install();
    (held && by_npm).then_some(())?;
    let words = "npm's placeholder for a package that it took away: look at what was there before";
    mark(Low, "security-holding", words.to_owned())
}

fn words_of(command: &str) -> Vec<&str> {
    let words = command.split([' ', '\t', '\n', ';', '&', '|', '(', ')']);
    words.map(|word| word.trim_matches(['"', '\''])).filter(|word| !word.is_empty()).collect()
}

/// True for a command that worms were seen to use, to the letter.
fn is_hook(command: &str, at_install: bool) -> bool {
    let words = words_of(command);
    let file = |word: &str| {
        let file = word.strip_prefix("./").unwrap_or(word);
        let file = file.strip_prefix("lib/").unwrap_or(file);
        UNMISTAKABLE.contains(&file) || at_install && PAYLOADS.contains(&file)
    };
    let runs = words.iter().any(|word| matches!(*word, "node" | "bun" | "bunx"));
    let plain = words.windows(3).any(|three| three == ["bun", "run", "index.js"]);
    runs && words.iter().any(|word| file(word)) || at_install && plain
}

/// True for `bun …` and for `node file.js` with a file at the root.
fn loads(command: &str) -> bool {
    let words = words_of(command);
    let script = |word: &str| {
        let file = word.strip_prefix("./").unwrap_or(word);
        !file.contains('/') && [".js", ".mjs", ".cjs"].iter().any(|end| file.ends_with(end))
    };
    words.iter().any(|word| matches!(*word, "bun" | "bunx"))
        || words.windows(2).any(|pair| pair[0] == "node" && script(pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_worms_are_known_to_the_letter() {
        for command in ["node bundle.js", "node lib/setup.mjs", "bun run index.js && exit 1"] {
            assert!(is_hook(command, true) && !is_hook(command, false), "{command}");
        }
        for command in ["bun run tanstack_runner.js", "node ./setup_bun.js", "node bw_setup.js"] {
            assert!(is_hook(command, true) && is_hook(command, false), "{command}");
        }
        for command in ["node scripts/setup.mjs", "node index.js", "cat setup.mjs", "husky"] {
            assert!(!is_hook(command, true), "{command}");
        }
    }

    #[test]
    fn loaders_are_told_from_tools() {
        for command in [
            "node setup.mjs",
            "node bundle.js",
            "node ./setup_bun.js || true",
            "node \"telemetry.js\"",
            "bun run index.js && exit 1",
            "(bunx x)",
        ] {
            assert!(loads(command), "{command}");
        }
        for command in
            ["node-gyp rebuild", "husky", "node scripts/build.js", "tsc -p .", "bundle", "node -v"]
        {
            assert!(!loads(command), "{command}");
        }
    }
}
