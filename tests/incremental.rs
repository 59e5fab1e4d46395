//! `--incremental`: what an earlier run has searched is left out, and nothing
//! else is.

#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::repo::Repo;
use common::{Run, Sandbox, findings, npm_token, paths, secrets, skipped};
use serde_json::Value;

/// No secrets.
const NONE: [u64; 0] = [];

/// A repository, and the state that its scans remember.
struct Place {
    sandbox: Sandbox,
    repo: Repo,
}

impl Place {
    /// A repository with two commits, whose only secret is that of number 1.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let repo = Repo::init(sandbox.path("repo"), "");
        repo.write("readme.md", "nothing here\n");
        repo.commit("begin");
        let place = Self { sandbox, repo };
        place.commit("a.env", 1);
        place
    }

    /// Writes a file with a secret of this number and commits it.
    fn commit(&self, path: &str, seed: u64) -> String {
        self.repo.write(path, format!("TOKEN={}\n", npm_token(seed)));
        self.repo.commit(path)
    }

    fn run(&self, more: &[&str]) -> Run {
        settle();
        let call = ["scan", "repo", "--incremental", "state", "--show-secrets", "-f", "json"];
        self.sandbox.run([&call, more].concat())
    }

    /// The secrets of a scan, by number; of those below 40.
    fn found(&self, more: &[&str]) -> Vec<u64> {
        seeds(&self.run(more).json())
    }
}

/// A file that was changed a moment ago may change again without a trace: it
/// is not remembered.
fn settle() {
    std::thread::sleep(Duration::from_millis(150));
}

fn seeds(report: &Value) -> Vec<u64> {
    let found = secrets(report);
    (0..40).filter(|seed| found.contains(&npm_token(*seed).as_str())).collect()
}

fn coverage(report: &Value, what: &str) -> u64 {
    report["summary"]["coverage"][what].as_u64().unwrap()
}

#[test]
fn the_second_run_has_nothing_to_do_and_says_so() {
    let place = Place::new();
    assert_eq!(seeds(&place.run(&[]).exits(1).json()), [1]);
    let report = place.run(&[]).exits(0).json();
    assert_eq!(findings(&report).len(), 0);
    assert_eq!((coverage(&report, "files"), coverage(&report, "objects")), (0, 0));
    assert!(coverage(&report, "known") >= 6, "{report}");
    let text = place.sandbox.run(["scan", "repo", "--incremental", "state"]).exits(0).out();
    assert!(text.contains("known from an earlier run"), "{text}");
}

#[test]
fn a_new_commit_is_searched_alone() {
    let place = Place::new();
    place.found(&[]);
    let commit = place.commit("deep/b.env", 2);
    fs::remove_file(place.repo.path("deep/b.env")).unwrap();
    place.repo.commit("take it out");
    let report = place.run(&[]).exits(1).json();
    assert_eq!(seeds(&report), [2]);
    let location = &findings(&report)[0]["locations"][0];
    assert_eq!(
        (location["path"].as_str(), location["line"].as_u64()),
        (Some("deep/b.env"), Some(1))
    );
    assert_eq!(location["commit"], commit);
    assert_eq!(location["ref"], "refs/heads/main");
    assert_eq!(location["in_head"], false);
    // Two commits and a blob.
    assert_eq!(coverage(&report, "objects"), 3);
    assert_eq!(place.found(&[]), NONE);
}

#[test]
fn a_new_pack_of_what_is_known_is_known() {
    let place = Place::new();
    place.found(&[]);
    place.repo.git("gc -q");
    let report = place.run(&[]).exits(0).json();
    assert_eq!(coverage(&report, "objects"), 0);
    // And one that holds something new beside it.
    place.commit("b.env", 2);
    place.repo.git("repack -adq");
    let report = place.run(&[]).exits(1).json();
    assert_eq!((seeds(&report), coverage(&report, "objects")), (vec![2], 2));
    assert_eq!(place.found(&[]), NONE);
}

/// A delta is searched though its base is known, wherever that stands.
#[test]
fn what_is_told_as_a_delta_of_what_is_known_is_found() {
    let place = Place::new();
    let lines = |more: &str| {
        let line = |at| format!("line {at} of a file that is long enough\n");
        (0..300).map(line).collect::<String>() + more
    };
    place.repo.write("long.txt", lines("the end\n"));
    place.repo.commit("long");
    place.repo.git("repack -adq");
    place.found(&[]);
    for (seed, words) in [(2, "repack -dq"), (3, "repack -adfq --depth=50"), (4, "gc -q")] {
        place.repo.write("long.txt", lines(&format!("TOKEN={}\n", npm_token(seed))));
        place.repo.commit("change it");
        place.repo.git(words);
        assert_eq!(place.found(&[]), [seed], "{words}");
        assert_eq!(place.found(&[]), NONE, "{words}");
    }
}

#[test]
fn rewritten_history_is_new() {
    let place = Place::new();
    place.found(&[]);
    place.repo.write("a.env", format!("TOKEN={}\n", npm_token(2)));
    place.repo.git("commit -q -a --amend -m again");
    let report = place.run(&[]).exits(1).json();
    assert_eq!((seeds(&report), paths(&report)), (vec![2], vec!["a.env"]));
    place.repo.git("checkout -q --orphan other");
    place.commit("b.env", 3);
    assert_eq!(place.found(&[]), [3]);
    place.repo.git("update-ref -d refs/heads/main");
    assert_eq!(place.found(&[]), NONE);
}

#[test]
fn what_nothing_leads_to_is_found() {
    let place = Place::new();
    place.found(&[]);
    let blob = place.repo.blob(format!("TOKEN={}\n", npm_token(2)));
    let report = place.run(&[]).exits(1).json();
    let location = &findings(&report)[0]["locations"][0];
    assert_eq!((seeds(&report), &location["unreachable"]), (vec![2], &Value::from("dangling")));
    assert_eq!(location["object"], blob);
    let commit = place.repo.stray("c.env", format!("TOKEN={}\n", npm_token(3)), "-p HEAD");
    let report = place.run(&[]).exits(1).json();
    assert_eq!((seeds(&report), paths(&report)), (vec![3], vec!["c.env"]));
    assert_eq!(findings(&report)[0]["locations"][0]["commit"], commit);
    let name = format!("branch heads/{} HEAD", npm_token(4));
    place.repo.git(&name);
    assert_eq!(place.found(&[]), [4]);
    assert_eq!(place.found(&[]), NONE);
}

#[test]
fn only_changed_files_are_read_again() {
    let place = Place::new();
    place.repo.write("new.env", format!("TOKEN={}\n", npm_token(2)));
    assert_eq!(place.found(&[]), [1, 2]);
    place.repo.write("new.env", format!("TOKEN={}\n", npm_token(3)));
    let report = place.run(&[]).exits(1).json();
    assert_eq!((seeds(&report), coverage(&report, "files")), (vec![3], 1));
    // A file of the same size and date in the place of the old one.
    let date = fs::metadata(place.repo.path("new.env")).unwrap().modified().unwrap();
    place.repo.write("other", format!("TOKEN={}\n", npm_token(4)));
    fs::rename(place.repo.path("other"), place.repo.path("new.env")).unwrap();
    fs::File::options()
        .write(true)
        .open(place.repo.path("new.env"))
        .and_then(|file| file.set_modified(date))
        .unwrap();
    assert_eq!(place.found(&[]), [4]);
    fs::rename(place.repo.path("new.env"), place.repo.path("moved.env")).unwrap();
    assert_eq!(place.found(&[]), [4]);
}

/// The clock of a file system is coarse: two changes may bear the same time.
#[test]
fn changes_within_a_tick_are_not_missed() {
    let sandbox = Sandbox::new();
    for seed in 0..15 {
        // In place, so that only the time of the change could tell.
        sandbox.write("tree/a.env", format!("TOKEN={}\n", npm_token(seed)));
        let report = sandbox.report(["tree", "--incremental", "state"]);
        assert_eq!(seeds(&report), [seed]);
    }
}

#[test]
fn a_state_counts_only_for_the_same_rules_and_settings() {
    let others: [&[&str]; 9] = [
        &["--exclude-rule", "jwt"],
        &["--rule", "npm"],
        &["--max-file-size", "1000000"],
        &["--confidence", "high"],
        &["--git-history", "reachable"],
        &["--exclude", "*.md"],
        &["--include", "*.env"],
        &["--no-ignore"],
        &["--ignore-file", "ignored"],
    ];
    let place = Place::new();
    place.sandbox.write("ignored", "path:docs/**\n");
    for more in others {
        assert_eq!(place.found(&[]), [1], "before {more:?}");
        assert_eq!(place.found(more), [1], "{more:?}");
        assert_eq!(place.found(more), NONE, "again {more:?}");
    }
    place.found(&["--ignore-file", "ignored"]);
    place.sandbox.write("ignored", "path:other/**\n");
    assert_eq!(place.found(&["--ignore-file", "ignored"]), [1]);
}

/// What was suppressed for a time is looked at again when that has run out.
#[test]
fn a_suppression_that_has_run_out() {
    let place = Place::new();
    place.sandbox.write("ignored", "rule:jwt until:2999-01-01\n");
    place.found(&["--ignore-file", "ignored"]);
    assert_eq!(place.found(&["--ignore-file", "ignored"]), NONE);
    place.sandbox.write("ignored", "rule:jwt until:2020-01-01\n");
    assert_eq!(place.found(&["--ignore-file", "ignored"]), [1]);
}

#[test]
fn what_is_no_state_is_an_error() {
    let place = Place::new();
    place.found(&[]);
    let state = place.sandbox.path("state");
    let whole = fs::read(&state).unwrap();
    let text =
        [b"x\n".as_slice(), b"", b"{}\n", b"[]", b"\xff\xfe\0", b"{\"tokensweep_state\":1}\n"];
    let cut = [1, 10, whole.len() / 2, whole.len() - 17, whole.len() - 1].map(|end| &whole[..end]);
    let long = [&whole[..], b"more"].concat();
    for bytes in text.into_iter().chain(cut).chain([&long[..]]) {
        fs::write(&state, bytes).unwrap();
        let run = place.run(&[]).exits(2);
        run.complains(&["state is no state of earlier runs", "delete"]);
        assert_eq!(fs::read(&state).unwrap(), bytes, "it is left alone");
    }
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    place.run(&[]).exits(2).complains(&["state is no state of earlier runs"]);
    fs::remove_dir(&state).unwrap();
    assert!(Command::new("mkfifo").arg(&state).status().unwrap().success());
    place.run(&[]).exits(2).complains(&["state is no state of earlier runs"]);
    fs::remove_file(&state).unwrap();
    assert_eq!(place.found(&[]), [1]);
}

#[test]
fn a_state_that_cannot_be_written_is_an_error() {
    let place = Place::new();
    let call = ["scan", "repo", "--incremental", "missing/state"];
    place.sandbox.run(call).exits(2).complains(&["cannot write the state"]);
}

/// A run that could not tell what it has found must not know it the next time.
#[test]
fn what_nobody_was_told_of_stays_unknown() {
    let place = Place::new();
    place.run(&["-o", "missing/report"]).exits(2);
    assert_eq!(place.found(&[]), [1]);
}

#[test]
fn the_state_may_lie_in_the_tree() {
    let place = Place::new();
    let run = || {
        settle();
        place.sandbox.report(["repo", "--incremental", "repo/.tokensweep.state"])
    };
    assert_eq!(seeds(&run()), [1]);
    for _ in 0..2 {
        let report = run();
        assert_eq!((findings(&report).len(), coverage(&report, "files")), (0, 0), "{report}");
    }
    assert_eq!(list(&place.repo.path("")), [".git", ".tokensweep.state", "a.env", "readme.md"]);
    place.commit("b.env", 2);
    assert_eq!(seeds(&run()), [2]);
}

fn list(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_state_is_private_and_holds_no_text() {
    let place = Place::new();
    let name = format!("branch heads/{} HEAD", npm_token(2));
    place.repo.git(&name);
    place.repo.write(npm_token(3), "a name");
    place.found(&[]);
    let state = place.sandbox.path("state");
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&state).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    for seed in 1..=3 {
        assert!(!text.contains(&npm_token(seed)[4..16]), "{seed}");
    }
    assert!(!text.contains("a.env"));
    // Whoever could read it before can no longer.
    fs::set_permissions(&state, fs::Permissions::from_mode(0o666)).unwrap();
    place.commit("b.env", 4);
    place.found(&[]);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_could_not_be_read_is_tried_again() {
    let place = Place::new();
    let path = place.repo.path("b.env");
    place.repo.write("b.env", format!("TOKEN={}\n", npm_token(2)));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        return; // Nothing is hidden from root.
    }
    assert_eq!(place.found(&[]), [1]);
    let report = place.run(&[]).exits(3).json();
    assert_eq!(skipped(&report, "unreadable"), ["repo/b.env"]);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(place.found(&[]), [2]);
}

#[test]
fn what_was_not_searched_is_named_every_time() {
    let place = Place::new();
    place.repo.write("big.env", format!("{}\nTOKEN={}\n", "x".repeat(50_000), npm_token(2)));
    place.repo.commit("big");
    for words in ["status", "gc -q", "status"] {
        place.repo.git(words);
        let report = place.run(&["--max-file-size", "40000"]).json();
        // The file, and its object.
        assert_eq!(skipped(&report, "too-large").len(), 2, "{words}: {report}");
    }
    assert_eq!(place.found(&["--max-file-size", "60000"]), [1, 2]);
}

#[test]
fn a_repository_with_a_gap_is_searched_again() {
    let place = Place::new();
    let blob = place.repo.git("rev-parse HEAD:readme.md");
    let object = place.repo.path(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    let bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    for _ in 0..2 {
        let report = place.run(&[]).exits(1).json();
        assert_eq!(seeds(&report), [1]);
        assert_eq!(skipped(&report, "git-missing").len(), 1);
    }
    fs::write(&object, bytes).unwrap();
    assert_eq!(place.found(&[]), [1]);
    assert_eq!(place.found(&[]), NONE);
}

/// What an option left out may matter the next time, though no object is new.
#[test]
fn what_becomes_reachable_is_found() {
    let place = Place::new();
    let commit = place.repo.stray("b.env", format!("TOKEN={}\n", npm_token(2)), "-p HEAD");
    let reachable = &["--git-history", "reachable"];
    assert_eq!(place.found(reachable), [1]);
    place.repo.git("gc -q --prune=never");
    assert_eq!(place.found(reachable), NONE);
    place.repo.git(&format!("branch side {commit}"));
    assert_eq!(place.found(reachable), [2]);
    assert_eq!(place.found(reachable), NONE);
}

#[test]
fn what_moves_out_of_an_excluded_folder_is_found() {
    let sandbox = Sandbox::new();
    let bare = Repo::init(sandbox.path("repo"), "--bare");
    let place = Place { sandbox, repo: bare };
    let text = format!("TOKEN={}\n", npm_token(2));
    let inner = place.repo.tree("b.env", &text);
    let outer = place.repo.feed("mktree", format!("040000 tree {inner}\tdocs\n"));
    let commit = place.repo.feed(&format!("commit-tree {outer}"), "x");
    place.repo.git(&format!("update-ref refs/heads/main {commit}"));
    let exclude = &["--exclude", "docs/**"];
    assert_eq!(place.found(exclude), NONE);
    let commit = place.repo.feed(&format!("commit-tree {inner} -p {commit}"), "y");
    place.repo.git(&format!("update-ref refs/heads/main {commit}"));
    assert_eq!(place.found(exclude), [2]);
    assert_eq!(place.found(exclude), NONE);
}
