//! What a scan of history must not lose on the way from an object that holds a
//! secret to the place that is told.

mod common;
#[path = "common/git.rs"]
mod git;

use std::fs;

use common::{Sandbox, npm_token};
use git::Git;
use serde_json::Value;

/// A repository in a sandbox of its own.
fn repository() -> (Sandbox, Git) {
    let sandbox = Sandbox::new();
    let git = Git::init(&sandbox.path(""), &[]);
    (sandbox, git)
}

/// All places of a report that git knows, with the secret's number of places.
fn places(report: &Value) -> Vec<Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    let all = findings.flat_map(|finding| finding["locations"].as_array().unwrap().clone());
    all.filter(|place| place["origin"].as_str().unwrap().starts_with("git-")).collect()
}

fn scan(sandbox: &Sandbox) -> Vec<Value> {
    places(&sandbox.report(["."]))
}

#[test]
fn a_marker_in_one_version_does_not_cover_the_others() {
    let (sandbox, git) = repository();
    let token = npm_token(1);
    sandbox.write("f.env", format!("a={token} # tokensweep:allow\n"));
    git.commit_all("marked");
    sandbox.write("f.env", format!("a={token}\n"));
    let bare = git.commit_all("bare");
    fs::remove_file(sandbox.path("f.env")).unwrap();
    git.commit_all("gone");
    let places = scan(&sandbox);
    assert_eq!(places.len(), 1);
    assert_eq!((&places[0]["commit"], &places[0]["in_head"]), (&bare.into(), &false.into()));
}

#[test]
fn each_secret_of_a_file_is_compared_with_head() {
    let (sandbox, git) = repository();
    let (stays, goes) = (npm_token(1), npm_token(2));
    sandbox.write("f.env", format!("a={stays}\nb={goes}\n"));
    git.commit_all("both");
    sandbox.write("f.env", format!("a={stays}\n"));
    git.commit_all("one");
    let of = |line: u64| {
        let places = scan(&sandbox);
        places.into_iter().find(|place| place["line"] == line).unwrap()["in_head"].clone()
    };
    assert_eq!((of(1), of(2)), (true.into(), false.into()));
}

#[test]
fn a_tag_of_a_tag_is_held_by_the_outer_one() {
    let (sandbox, git) = repository();
    sandbox.write("f", "x");
    git.commit_all("one");
    let message = format!("t={}", npm_token(1));
    git.run(&["tag", "-a", "inner", "-m", &message]);
    git.run(&["tag", "-a", "outer", "inner", "-m", "o"]);
    git.run(&["tag", "-d", "inner"]);
    let places = scan(&sandbox);
    assert_eq!(places[0]["origin"], "git-tag");
    assert_eq!(places[0]["ref"], "refs/tags/outer");
    assert_eq!(places[0]["unreachable"], Value::Null);
}

#[test]
fn many_paths_of_one_secret_do_not_hide_another() {
    let (sandbox, git) = repository();
    let mut input = String::new();
    for (mark, seed) in [(1, 1), (2, 2)] {
        let text = format!("a={}\n", npm_token(seed));
        input.push_str(&format!("blob\nmark :{mark}\ndata {}\n{text}\n", text.len()));
    }
    input.push_str("commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nm\n");
    input.push_str("M 100644 :2 zz/secret.env\n");
    for at in 0..3000 {
        input.push_str(&format!("M 100644 :1 p/{}/{at}/.npmrc\n", at / 300));
    }
    git.feed(&["fast-import", "--quiet"], input.as_bytes());
    let places = scan(&sandbox);
    assert!(places.iter().any(|place| place["path"] == "zz/secret.env"));
    assert!(places.iter().filter(|place| place["path"] != "zz/secret.env").count() >= 900);
}

#[test]
fn trees_that_multiply_are_followed_only_so_far() {
    let (sandbox, git) = repository();
    let token = format!("a={}\n", npm_token(1));
    let blob = git.feed(&["hash-object", "-w", "--stdin"], token.as_bytes());
    let rows = |kind: &str, id: &str| -> String {
        (0..10).map(|at| format!("{kind} {id}\td{at}\n")).collect()
    };
    let mut tree = git.feed(&["mktree"], rows("100644 blob", &blob).as_bytes());
    for _ in 0..9 {
        tree = git.feed(&["mktree"], rows("040000 tree", &tree).as_bytes());
    }
    let commit = git.run(&["commit-tree", &tree, "-m", "bomb"]);
    git.run(&["update-ref", "refs/heads/main", &commit]);
    let report = sandbox.report(["."]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(places(&report).len(), 1000);
}

#[test]
fn names_in_dangling_trees_count() {
    let (sandbox, git) = repository();
    sandbox.write(".netrc", "machine ftp.corp.lan login bob password Xk39sKqPz81mmQ\n");
    git.run(&["add", "."]);
    git.run(&["write-tree"]);
    fs::remove_file(sandbox.path(".git/index")).unwrap();
    fs::remove_file(sandbox.path(".netrc")).unwrap();
    let places = scan(&sandbox);
    assert_eq!(places[0]["path"], ".netrc");
    assert_eq!(places[0]["unreachable"], "dangling");
}

#[test]
fn one_large_blob_stands_at_all_its_paths() {
    let (sandbox, git) = repository();
    let mut text = b"[client]\nuser=root\npassword=Xk39sKqPz81mmR\n".to_vec();
    // More than is ever held in memory for a blob that nothing is made of.
    text.resize(33 << 20, b'#');
    sandbox.write("aaa.txt", &text);
    git.commit_all("one");
    fs::rename(sandbox.path("aaa.txt"), sandbox.path(".my.cnf")).unwrap();
    git.commit_all("two");
    fs::remove_file(sandbox.path(".my.cnf")).unwrap();
    git.commit_all("three");
    let places = scan(&sandbox);
    let paths: Vec<&Value> = places.iter().map(|place| &place["path"]).collect();
    assert_eq!(paths, [".my.cnf"]);
}

#[cfg(unix)]
#[test]
fn reflogs_behind_a_link_are_not_followed() {
    let (sandbox, git) = repository();
    sandbox.write("f", "x");
    git.commit_all("one");
    fs::remove_dir_all(sandbox.path(".git/logs")).unwrap();
    std::os::unix::fs::symlink("/", sandbox.path(".git/logs")).unwrap();
    sandbox.run(["scan", "."]).exits(0);
}

#[test]
fn a_submodule_is_named_by_its_place_in_the_tree() {
    let (sandbox, git) = repository();
    fs::create_dir(sandbox.path("../lib")).unwrap();
    let lib = Git::init(&sandbox.path("../lib"), &[]);
    fs::write(sandbox.path("../lib/l.env"), format!("a={}\n", npm_token(1))).unwrap();
    lib.commit_all("lib");
    git.run(&["submodule", "add", "-q", "../lib", "vendor/lib"]);
    git.commit_all("with lib");
    let places = scan(&sandbox);
    assert_eq!(places[0]["path"], "vendor/lib/l.env");
}

#[test]
fn a_repository_that_looks_like_a_git_directory_hides_nothing() {
    let (sandbox, git) = repository();
    // What was committed looks like a bare repository around the true one.
    for file in ["HEAD", "config", "refs/heads/x"] {
        sandbox.write(file, "");
    }
    let outer = sandbox.path("objects");
    fs::create_dir(sandbox.path("../other")).unwrap();
    let other = Git::init(&sandbox.path("../other"), &[]);
    other.feed(&["hash-object", "-w", "--stdin"], format!("a={}\n", npm_token(1)).as_bytes());
    fs::rename(sandbox.path("../other/.git/objects"), &outer).unwrap();
    git.commit_all("one");
    let places = scan(&sandbox);
    assert!(places.iter().any(|place| place["unreachable"] == "dangling"));
}
