//! A byte here and there.

use std::fs;
use std::path::Path;

use crate::common::repo::Repo;
use crate::common::{Sandbox, npm_token, secrets};
use crate::hand::loose;
use crate::owed::{gaps, rewrite};

/// Each file of a repository, with a byte changed or its end cut off.
#[test]
fn any_file_may_be_broken_anywhere() {
    const STEPS: usize = 8;
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "");
    for at in 0..20 {
        repo.write("a.txt", format!("{at}\n").repeat(50 + at));
        repo.commit("some");
    }
    repo.git("tag -a -m tag v1");
    repo.git("gc -q");
    repo.git("multi-pack-index write");
    repo.git("commit-graph write --reachable");
    repo.write("b.txt", "added");
    repo.commit("loose");
    loose(&repo, "blob", npm_token(1));
    let mut files = Vec::new();
    list(&repo.path(".git"), &mut files);
    files.retain(|path| !path.components().any(|part| part.as_os_str() == "hooks"));
    for file in &files {
        let whole = fs::read(file).unwrap();
        let mut changes: Vec<Vec<u8>> = vec![Vec::new(), whole[..whole.len() / 2].to_vec()];
        for step in 0..STEPS.min(whole.len()) {
            let mut changed = whole.clone();
            changed[step * (whole.len() - 1) / STEPS] ^= 1 << step;
            changes.push(changed);
        }
        for change in changes {
            rewrite(file, |bytes| *bytes = change);
            let run = sandbox.run(["scan", "repo", "--show-secrets", "-f", "json"]);
            let report = run.json();
            let honest = secrets(&report) == [npm_token(1)] || gaps(&report) > 0;
            assert!(honest, "{}: {}", file.display(), run.out());
            assert!(!run.err().contains("panicked"), "{}: {}", file.display(), run.err());
        }
        rewrite(file, |bytes| *bytes = whole);
    }
}

/// All files below a folder.
fn list(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
