//! Repositories to which something was done, and what a scan of them owes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::repo::Repo;
use crate::common::{Run, Sandbox, findings, npm_token, secrets};
use crate::hand;

/// No scan of a small repository may take longer.
const QUICK: Duration = Duration::from_secs(60);

/// Scans a repository after something was done to it.
#[track_caller]
pub fn scan(change: impl Fn(&Repo)) -> (Sandbox, Run) {
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "");
    for text in ["one", "two", "three"] {
        repo.write("a.txt", format!("{text}\n").repeat(99));
        repo.commit(text);
    }
    change(&repo);
    let begun = Instant::now();
    let run = sandbox.run(["scan", "repo", "--show-secrets", "-f", "json"]);
    assert!(begun.elapsed() < QUICK, "{:?}", begun.elapsed());
    assert!(!run.err().contains("panicked"), "{}", run.err());
    (sandbox, run)
}

/// Asserts that a change is a gap that the report names, and that it does not
/// hide what can be read.
#[track_caller]
pub fn breaks(change: impl Fn(&Repo)) {
    breaks_because("", change);
}

#[track_caller]
pub fn breaks_because(why: &str, change: impl Fn(&Repo)) {
    for planted in [false, true] {
        let (_sandbox, run) = scan(|repo| {
            change(repo);
            if planted {
                hand::loose(repo, "blob", npm_token(1));
            }
        });
        let report = run.json();
        let expected: &[String] = if planted { &[npm_token(1)] } else { &[] };
        assert_eq!(secrets(&report), expected, "{why}");
        assert!(gaps(&report) > 0, "no gap is named {why}:\n{}", run.out());
        assert_eq!(run.code, if planted { 1 } else { 3 }, "{why}");
    }
}

/// Asserts that the token that a change hid is found, or else that a gap is
/// named: a reader may be able to help itself.
#[track_caller]
pub fn honest(change: impl Fn(&Repo)) {
    let (_sandbox, run) = scan(change);
    let report = run.json();
    let found = !findings(&report).is_empty();
    assert!(found || gaps(&report) > 0, "a silent miss:\n{}", run.out());
    assert_eq!(run.code, if found { 1 } else { 3 });
}

/// How many gaps of git's a report names.
pub fn gaps(report: &Value) -> usize {
    let coverage = &report["summary"]["coverage"];
    let skipped = coverage["skipped"].as_array().unwrap();
    let ours = skipped
        .iter()
        .filter(|skip| matches!(skip["reason"].as_str(), Some("git-corrupt" | "git-missing")));
    if coverage["incomplete"] == true { ours.count() } else { 0 }
}

pub fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    // Git makes its packs read-only.
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Asserts that a change does not hide a token that was removed long ago.
#[track_caller]
pub fn survives(change: impl Fn(&Repo)) {
    let (_sandbox, run) = scan(|repo| {
        removed_token(repo);
        change(repo);
    });
    assert_eq!(secrets(&run.exits(1).json()), [npm_token(1)]);
}

/// Asserts that a change that may hide a token of the past does not do so
/// unsaid.
#[track_caller]
pub fn honest_past(change: impl Fn(&Repo)) {
    honest(|repo| {
        removed_token(repo);
        change(repo);
    });
}

/// Commits a token and removes it, in the same words as in the work tree.
pub fn removed_token(repo: &Repo) {
    repo.write("b.env", npm_token(1));
    repo.commit("add");
    repo.git("rm -q b.env");
    repo.commit("remove");
}

/// Packs all and returns the only file of packs with this ending.
pub fn gc(repo: &Repo, ending: &str) -> PathBuf {
    // So that a pack cut in the middle is cut in an object.
    let noise: String = (0..999u64).map(|at| format!("{:x}", at * 0x9e37_79b9_7f4a)).collect();
    repo.write("noise", noise);
    repo.commit("noise");
    repo.git("repack -q -a -d");
    let mut files = fs::read_dir(repo.path(".git/objects/pack")).unwrap();
    let path = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path();
    files.by_ref().map(path).find(|path| path.extension().is_some_and(|end| end == ending)).unwrap()
}
