//! Ranges of a history, against git itself: nothing that git calls new is
//! missed, whatever the shape of the history.

mod common;
#[path = "common/git.rs"]
mod git;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use common::{Sandbox, findings, npm_token, paths, secrets, skipped};
use git::Git;
use serde_json::Value;
use tokensweep::git::{Changes, Layout, ObjectId, Repository, changes};

/// A repository in a sandbox, with the program beside it.
struct Repo {
    sandbox: Sandbox,
    git: Git,
}

impl Repo {
    fn new(more: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let git = Git::init(&sandbox.path(""), more);
        Self { sandbox, git }
    }

    /// Writes a file with a secret of this number and commits it.
    fn commit(&self, path: &str, seed: u64) -> String {
        self.sandbox.write(path, format!("TOKEN={}\n", npm_token(seed)));
        self.git.commit_all(&format!("add {path}"))
    }

    /// The numbers of the secrets that a scan finds, of those below 30.
    fn found(&self, flags: &[&str]) -> Vec<u64> {
        seeds(&self.sandbox.report(flags))
    }
}

fn seeds(report: &Value) -> Vec<u64> {
    let found = secrets(report);
    (0..30).filter(|seed| found.contains(&npm_token(*seed).as_str())).collect()
}

fn brought(folder: &Path, wanted: &[String], known: &[String]) -> Changes {
    let ids = |names: &[String]| -> Vec<ObjectId> {
        names.iter().map(|name| ObjectId::from_hex(name.as_bytes()).unwrap()).collect()
    };
    let repository = Repository::open(&Layout::at(folder).unwrap(), &[]);
    assert_eq!(repository.gaps, []);
    changes(&repository, &ids(wanted), &ids(known))
}

#[test]
fn ranges_bring_what_their_commits_add() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    let second = repo.commit("b.env", 2);
    repo.commit("c.env", 3);
    assert_eq!(repo.found(&["--since-commit", &second]), [3]);
    assert_eq!(repo.found(&["--since-commit", &first[..8]]), [2, 3]);
    assert_eq!(repo.found(&["--range", &format!("{first}..{second}")]), [2]);
    assert_eq!(repo.found(&["--commit-range", "HEAD~2..HEAD~1"]), [2]);
    assert_eq!(repo.found(&["--range", "HEAD~1.."]), [3]);
    assert_eq!(repo.found(&["--range", "HEAD~2...HEAD"]), [2, 3]);
    assert_eq!(repo.found(&["--branch", "main"]), [1, 2, 3]);
    let report = repo.sandbox.report(["--since-commit", &second]);
    let location = &findings(&report)[0]["locations"][0];
    assert_eq!(location["path"], "c.env");
    assert_eq!(location["origin"], "git-blob");
    assert_eq!(location["commit"], repo.git.run(&["rev-parse", "HEAD"]));
    assert_eq!(location["author"], "Ann <ann@example.com>");
    assert_eq!(location["ref"], "refs/heads/main");
    assert_eq!(location["line"], 1);
    assert_eq!(report["summary"]["coverage"]["objects"], 2);
}

#[test]
fn an_empty_range_is_said_plainly() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    for flags in [&["--range", "HEAD..HEAD"][..], &["--staged"], &["--unstaged"]] {
        let run = repo.sandbox.run([&["scan"], flags].concat()).exits(0);
        assert!(run.out().contains("nothing to search: the range is empty"), "{}", run.out());
    }
}

#[test]
fn what_cannot_be_resolved_is_an_error() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    repo.git.run(&["branch", "feature"]);
    let run = |flags: &[&str]| repo.sandbox.run([&["scan"], flags].concat()).exits(2);
    run(&["--branch", "featur"]).complains(&["no revision \"featur\"", "did you mean feature?"]);
    run(&["--since-commit", "nonsense"]).complains(&["nonsense", "git log"]);
    run(&["--range", "main"]).complains(&["no range", "A..B"]);
    run(&["--staged", "--range", "A..B"]).complains(&["cannot be used with"]);
    let absent = "1".repeat(40);
    run(&["--since-commit", &absent]).complains(&["no revision"]);
    let elsewhere = Sandbox::new();
    elsewhere.run(["scan", "--staged"]).exits(2).complains(&["no git repository"]);
}

#[test]
fn merges_hide_nothing() {
    let repo = Repo::new(&[]);
    let base = repo.commit("a.env", 1);
    repo.git.run(&["switch", "-qc", "side"]);
    repo.commit("side.env", 2);
    repo.git.run(&["switch", "-q", "main"]);
    repo.commit("main.env", 3);
    repo.git.run(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    // What a merge itself adds is in none of its parents.
    repo.commit("evil.env", 4);
    assert_eq!(repo.found(&["--since-commit", &base]), [2, 3, 4]);
    assert_eq!(repo.found(&["--range", "HEAD^1.."]), [2, 4]);
    assert_eq!(repo.found(&["--range", "HEAD^2.."]), [3, 4]);
    let range = format!("{base}..side");
    assert_eq!(repo.found(&["--range", &range]), [2]);
}

#[test]
fn renames_reverts_and_rewritten_branches() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    repo.git.run(&["mv", "a.env", "b.env"]);
    let renamed = repo.git.commit_all("rename");
    assert_eq!(repo.found(&["--since-commit", &first]), [1]);
    let report = repo.sandbox.report(["--since-commit", &first]);
    assert_eq!(paths(&report), ["b.env"]);
    std::fs::write(repo.sandbox.path("b.env"), "").unwrap();
    repo.git.commit_all("empty");
    repo.git.run(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(repo.found(&["--since-commit", "HEAD~1"]), [1]);
    // Amended: the old end is known, the new one is wanted.
    let old = repo.commit("c.env", 2);
    repo.sandbox.write("c.env", npm_token(3));
    repo.git.run(&["commit", "-qa", "--amend", "-m", "amended"]);
    assert_eq!(repo.found(&["--since-commit", &old]), [3]);
    assert_eq!(repo.found(&["--range", &format!("{renamed}..{old}")]), [1, 2]);
}

#[test]
fn messages_tags_and_lightweight_tags() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    repo.sandbox.write("plain.txt", "nothing\n");
    repo.git.commit_all(&format!("oops {}", npm_token(2)));
    repo.git.run(&["tag", "-a", "v1", "-m", &format!("tag {}", npm_token(3))]);
    repo.git.run(&["tag", "-a", "v2", "-m", "a tag of a tag", "v1"]);
    let range = format!("{first}..v2");
    assert_eq!(repo.found(&["--range", &range]), [2, 3]);
    let origins: BTreeSet<String> = findings(&repo.sandbox.report(["--range", &range]))
        .iter()
        .map(|finding| finding["locations"][0]["origin"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(origins, ["git-commit", "git-tag"].map(str::to_owned).into());
    let blob = repo.git.feed(&["hash-object", "-w", "--stdin"], npm_token(4).as_bytes());
    repo.git.run(&["tag", "blob", &blob]);
    assert_eq!(repo.found(&["--branch", "blob"]), [4]);
    repo.git.run(&["tag", "tree", "HEAD^{tree}"]);
    assert_eq!(repo.found(&["--branch", "tree"]), [1]);
}

#[test]
fn the_same_content_is_told_at_each_path() {
    let repo = Repo::new(&[]);
    repo.sandbox.write("start", "");
    let first = repo.git.commit_all("start");
    let text = format!("TOKEN={}\n", npm_token(1));
    repo.sandbox.write("x/a.env", &text);
    repo.sandbox.write("x/b.env", &text);
    repo.sandbox.write("y/a.env", &text);
    repo.git.commit_all("copies");
    let flags = ["--since-commit", &first];
    assert_eq!(paths(&repo.sandbox.report(flags)), ["x/a.env", "x/b.env", "y/a.env"]);
    let flags = ["--since-commit", &first, "--exclude", "x"];
    assert_eq!(paths(&repo.sandbox.report(flags)), ["y/a.env"]);
    let flags = ["--since-commit", &first, "--include", "b.env"];
    assert_eq!(paths(&repo.sandbox.report(flags)), ["x/b.env"]);
    let report = repo.sandbox.report(["--since-commit", &first, "--max-file-size", "5"]);
    assert!(findings(&report).is_empty());
    assert_eq!(skipped(&report, "too-large"), ["x/a.env"]);
}

#[test]
fn staged_is_what_the_next_commit_brings() {
    let repo = Repo::new(&[]);
    repo.sandbox.write("a.env", npm_token(1));
    repo.git.run(&["add", "."]);
    assert_eq!(repo.found(&["--staged"]), [1], "HEAD leads nowhere yet");
    repo.git.commit_all("first");
    repo.sandbox.write("sub/b.env", npm_token(2));
    repo.sandbox.write("sub/c.env", npm_token(3));
    repo.git.run(&["add", "sub/b.env"]);
    repo.git.run(&["add", "-N", "sub/c.env"]);
    // Gone from the work tree, but still staged.
    repo.sandbox.write("sub/b.env", "");
    let report = repo.sandbox.report(["--cached"]);
    assert_eq!(seeds(&report), [2]);
    assert_eq!(findings(&report)[0]["locations"][0]["unreachable"], "index");
    assert_eq!(paths(&report), ["sub/b.env"]);
    repo.git.run(&["update-index", "--split-index"]);
    assert_eq!(repo.found(&["--staged"]), [2]);
    let below = ["scan", "-f", "json", "--staged"].map(str::to_owned);
    let run = repo.sandbox.call(below).cwd(repo.sandbox.path("sub")).run().exits(1);
    assert!(paths(&run.json())[0].ends_with("sub/b.env"));
}

#[test]
fn all_sides_of_a_conflict_are_staged() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    repo.git.run(&["switch", "-qc", "side"]);
    repo.commit("a.env", 2);
    repo.git.run(&["switch", "-q", "main"]);
    repo.commit("a.env", 3);
    assert!(!repo.git.try_run(&["merge", "-q", "side"]));
    assert_eq!(repo.found(&["--staged"]), [1, 2]);
}

#[test]
fn a_sparse_index_hides_nothing() {
    let repo = Repo::new(&[]);
    repo.commit("in/a.env", 1);
    let first = repo.commit("out/deep/b.env", 2);
    let second = repo.commit("out/deep/b.env", 3);
    repo.git.run(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    assert_eq!(repo.found(&["--staged"]), [0u64; 0]);
    repo.git.run(&["reset", "-q", "--soft", &first]);
    assert_eq!(repo.found(&["--staged"]), [3]);
    repo.git.run(&["reset", "-q", "--soft", &second]);
}

#[test]
fn unstaged_is_what_is_changed_and_not_added() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    repo.commit("b/c.env", 2);
    repo.commit("gone.env", 3);
    repo.commit("same.env", 4);
    repo.sandbox.write("b/c.env", npm_token(5));
    repo.sandbox.write("untracked.env", npm_token(6));
    repo.sandbox.write("same.env", format!("TOKEN={}\n", npm_token(4)));
    std::fs::remove_file(repo.sandbox.path("gone.env")).unwrap();
    let report = repo.sandbox.report(["--unstaged"]);
    assert_eq!(seeds(&report), [5]);
    assert_eq!(paths(&report), ["b/c.env"]);
    assert_eq!(findings(&report)[0]["locations"][0]["origin"], "file");
    assert_eq!(report["summary"]["coverage"]["files"], 1);
    repo.git.run(&["add", "b"]);
    assert_eq!(repo.found(&["--unstaged"]), [0u64; 0]);
}

#[cfg(unix)]
#[test]
fn unstaged_never_leaves_the_work_tree() {
    let repo = Repo::new(&[]);
    repo.commit("a/b.env", 1);
    let outside = repo.sandbox.home("");
    common::write(&outside.join("b.env"), npm_token(2));
    std::fs::remove_dir_all(repo.sandbox.path("a")).unwrap();
    std::os::unix::fs::symlink(&outside, repo.sandbox.path("a")).unwrap();
    assert_eq!(repo.found(&["--unstaged"]), [0u64; 0]);
    repo.commit("c.env", 3);
    std::fs::remove_file(repo.sandbox.path("c.env")).unwrap();
    std::os::unix::fs::symlink(outside.join("b.env"), repo.sandbox.path("c.env")).unwrap();
    assert_eq!(repo.found(&["--unstaged"]), [0u64; 0]);
}

#[test]
fn skewed_dates_hide_nothing() {
    for graph in [false, true] {
        let repo = Repo::new(&[]);
        repo.commit("a.env", 1);
        let known = repo.commit("b.env", 2);
        repo.git.at(1_000);
        repo.commit("old.env", 3);
        repo.git.at(4_000_000_000);
        repo.commit("far.env", 4);
        if graph {
            repo.git.run(&["commit-graph", "write", "--reachable"]);
        }
        repo.git.at(5);
        repo.commit("older.env", 5);
        assert_eq!(repo.found(&["--since-commit", &known]), [3, 4, 5]);
        assert_eq!(repo.found(&["--since-commit", "HEAD~1"]), [5]);
    }
}

#[test]
fn a_broken_commit_graph_is_no_harm() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    repo.commit("b.env", 2);
    repo.git.run(&["commit-graph", "write", "--reachable"]);
    let path = repo.sandbox.path(".git/objects/info/commit-graph");
    let whole = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for cut in [0, 3, 8, 40, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(repo.found(&["--since-commit", &first]), [2], "cut at {cut}");
    }
}

/// Nobody opens a pipe and waits.
#[cfg(unix)]
#[test]
fn pipes_among_the_files_of_git_stop_nobody() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    let second = repo.commit("b.env", 2);
    let pipe = |path: &str| {
        let path = repo.sandbox.path(format!(".git/{path}"));
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let range = format!("{first}..{second}");
    for path in ["objects/info/commit-graph", "shallow", "refs/heads/pipe", "packed-refs"] {
        let path = pipe(path);
        assert_eq!(repo.found(&["--range", &range]), [2], "{}", path.display());
        std::fs::remove_file(path).unwrap();
    }
    pipe("index");
    repo.sandbox.run(["scan", "--staged"]).exits(3);
}

#[test]
fn sha_256() {
    let repo = Repo::new(&["--object-format=sha256"]);
    let first = repo.commit("a.env", 1);
    repo.commit("b.env", 2);
    assert_eq!(first.len(), 64);
    assert_eq!(repo.found(&["--since-commit", &first]), [2]);
    assert_eq!(repo.found(&["--branch", "main"]), [1, 2]);
    repo.sandbox.write("c.env", npm_token(3));
    repo.git.run(&["add", "."]);
    assert_eq!(repo.found(&["--staged"]), [3]);
}

#[test]
fn bare_repositories_and_linked_work_trees() {
    let repo = Repo::new(&[]);
    let first = repo.commit("a.env", 1);
    repo.commit("b.env", 2);
    repo.git.run(&["clone", "-q", "--bare", ".", "../bare.git"]);
    repo.git.run(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let report = repo.sandbox.report(["../bare.git", "--since-commit", &first]);
    assert_eq!(seeds(&report), [2]);
    repo.sandbox.write("../linked/c.env", npm_token(3));
    let linked = Git::at_folder(&repo.sandbox.path("../linked"));
    linked.run(&["add", "."]);
    assert_eq!(seeds(&repo.sandbox.report(["../linked", "--staged"])), [3]);
    assert_eq!(repo.found(&["--staged"]), [0u64; 0]);
    repo.sandbox.run(["scan", "../bare.git", "--unstaged"]).exits(2).complains(&["bare"]);
}

#[test]
fn shallow_and_partial_clones_say_what_they_lack() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    repo.commit("b.env", 2);
    repo.git.run(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.sandbox.path("").display());
    repo.git.run(&["clone", "-q", "--depth=1", &url, "../shallow"]);
    let report = repo.sandbox.report(["../shallow", "--branch", "main"]);
    assert_eq!(seeds(&report), [1, 2]);
    assert_eq!(skipped(&report, "git-missing"), [""; 0]);
    assert_eq!(skipped(&report, "git-shallow").len(), 1);
    repo.git.run(&["clone", "-q", "--filter=blob:none", "--no-checkout", &url, "../partial"]);
    let flags = ["scan", "-f", "json", "../partial", "--branch", "main"];
    let report = repo.sandbox.run(flags).exits(3).json();
    assert_eq!(skipped(&report, "git-missing").len(), 2);
}

#[test]
fn damaged_objects_are_gaps() {
    let repo = Repo::new(&[]);
    repo.commit("a.env", 1);
    let first = repo.git.run(&["rev-parse", "HEAD:a.env"]);
    repo.commit("b.env", 2);
    let object = repo.sandbox.path(format!(".git/objects/{}/{}", &first[..2], &first[2..]));
    std::fs::remove_file(&object).unwrap();
    let report = repo.sandbox.report(["--branch", "main"]);
    assert_eq!(seeds(&report), [2]);
    assert_eq!(skipped(&report, "git-missing"), ["a.env"]);
    std::fs::write(&object, "nonsense").unwrap();
    let report = repo.sandbox.report(["--branch", "main"]);
    assert_eq!(skipped(&report, "git-corrupt"), ["a.env"]);
    let tree = repo.git.run(&["rev-parse", "HEAD^{tree}"]);
    let object = repo.sandbox.path(format!(".git/objects/{}/{}", &tree[..2], &tree[2..]));
    std::fs::remove_file(&object).unwrap();
    let report = repo.sandbox.report(["--since-commit", "HEAD~1"]);
    assert_eq!(skipped(&report, "git-missing"), [format!("object/{tree}")]);
}

/// A tree may name itself by hand only, but ten that each name the next ten
/// times are easy, and have more paths than anybody can walk.
#[test]
fn trees_with_endless_paths_end() {
    let repo = Repo::new(&[]);
    let blob = repo.git.feed(&["hash-object", "-w", "--stdin"], npm_token(1).as_bytes());
    let mut entry = format!("100644 blob {blob}");
    for _ in 0..12 {
        let rows: String = (0..10).fold(String::new(), |mut rows, at| {
            writeln!(rows, "{entry}\tf{at}").unwrap();
            rows
        });
        entry = format!("040000 tree {}", repo.git.feed(&["mktree"], rows.as_bytes()));
    }
    let commit = repo.git.run(&["commit-tree", &entry[12..], "-m", "bomb"]);
    assert_eq!(repo.found(&["--branch", &commit]), [1]);
}

#[test]
fn trees_nested_without_end_are_a_gap() {
    let repo = Repo::new(&[]);
    let blob = repo.git.feed(&["hash-object", "-w", "--stdin"], b"x");
    let mut stream = String::from("commit refs/heads/deep\ncommitter A <a@b> 1 +0000\ndata 0\n");
    let path = "d/".repeat(3000);
    writeln!(stream, "M 100644 {blob} {path}f\n").unwrap();
    repo.git.feed(&["fast-import", "--quiet"], stream.as_bytes());
    let run = repo.sandbox.run(["scan", "--branch", "deep", "-f", "json"]).exits(3);
    assert_eq!(skipped(&run.json(), "git-corrupt").len(), 1);
}

/// Random histories with merges of up to three, several roots, dates that mean
/// nothing, contents that come, go and come again.
#[test]
fn random_histories_are_as_git_says() {
    for seed in 0..12 {
        let sandbox = Sandbox::new();
        let folder = sandbox.path("");
        let git = Git::init(&folder, &[]);
        let mut chance = Chance(seed);
        let count = 60;
        git.feed(&["fast-import", "--quiet"], history(&mut chance, count, true).as_bytes());
        let ids = commits(&git, count);
        if seed % 3 == 1 {
            git.run(&["commit-graph", "write", "--reachable"]);
        }
        if seed % 3 == 2 {
            let half: Vec<&str> = ids[..count / 2].iter().map(String::as_str).collect();
            let half = half.join("\n") + "\n";
            git.feed(&["commit-graph", "write", "--stdin-commits"], half.as_bytes());
        }
        for _ in 0..8 {
            let mut pick = |most| -> Vec<String> {
                (0..chance.below(most)).map(|_| ids[chance.below(count)].clone()).collect()
            };
            let (wanted, known) = (pick(3), pick(4));
            compare(&git, &folder, &wanted, &known, true);
        }
    }
}

#[test]
fn a_long_history_is_as_git_says() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("");
    let git = Git::init(&folder, &[]);
    let count = 2000;
    git.feed(&["fast-import", "--quiet"], history(&mut Chance(7), count, false).as_bytes());
    git.run(&["gc", "-q"]);
    let ids = commits(&git, count);
    for (wanted, known) in [(1999, 1989), (1999, 1000), (1500, 1999), (700, 30)] {
        compare(&git, &folder, &ids[wanted..=wanted], &ids[known..=known], false);
    }
    compare(&git, &folder, &ids[1999..], &[], false);
}

/// A stream for `git fast-import`, with a ref `refs/heads/<n>` for each commit.
fn history(chance: &mut Chance, count: usize, wild: bool) -> String {
    let mut stream = String::new();
    for at in 0..count {
        let date = if wild { chance.below(1 << 30) } else { 1_600_000_000 + at * 60 };
        writeln!(stream, "commit refs/heads/{at}\nmark :{}", at + 1).unwrap();
        writeln!(stream, "committer A <a@b> {date} +0000\ndata 3\nc{:02}", at % 100).unwrap();
        let mut parents: Vec<usize> = Vec::new();
        let wanted = if wild { chance.below(4) } else { 1 + usize::from(chance.below(5) == 0) };
        for _ in 0..wanted.min(at) {
            let near = if wild { 12 } else { 3 };
            let parent = at - chance.below(near.min(at));
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        for (place, parent) in parents.iter().enumerate() {
            writeln!(stream, "{} :{parent}", if place == 0 { "from" } else { "merge" }).unwrap();
        }
        for _ in 0..1 + chance.below(3) {
            let path = format!("{}/{}/f{}", chance.below(3), chance.below(2), chance.below(3));
            if chance.below(6) == 0 {
                writeln!(stream, "D {path}").unwrap();
            } else {
                let text = format!("content {}\n", chance.below(if wild { 25 } else { 3000 }));
                writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len()).unwrap();
            }
        }
        stream.push('\n');
    }
    stream
}

fn commits(git: &Git, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|at| format!("refs/heads/{at}")).collect();
    let arguments: Vec<&str> =
        ["rev-parse"].into_iter().chain(names.iter().map(String::as_str)).collect();
    git.run(&arguments).lines().map(str::to_owned).collect()
}

/// Compares with git: the same commits, unless dates make it dear to know;
/// all blobs that are new; and each where it says.
///
/// What is reachable is asked of git for each side alone: about a difference
/// it may itself be wrong where dates are.
fn compare(git: &Git, folder: &Path, wanted: &[String], known: &[String], wild: bool) {
    let changes = brought(folder, wanted, known);
    assert_eq!(changes.gaps, []);
    let reachable = |ends: &[String], flags: &[&str]| -> BTreeSet<String> {
        let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
        let arguments = [&["rev-list"], flags, &ends].concat();
        let listed = if ends.is_empty() { String::new() } else { git.run(&arguments) };
        listed.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let new = |flags: &[&str]| &reachable(wanted, flags) - &reachable(known, flags);
    let ours: BTreeSet<String> = changes.commits.iter().map(|c| c.id.to_string()).collect();
    let theirs = new(&[]);
    if wild {
        assert!(ours.is_superset(&theirs), "commits are missing");
        assert!(ours.is_subset(&reachable(wanted, &[])), "commits from elsewhere");
    } else {
        assert_eq!(ours, theirs);
    }
    let blobs: BTreeSet<String> = changes.blobs.iter().map(|b| b.id.to_string()).collect();
    assert_eq!(blobs.len(), changes.blobs.len(), "each blob once");
    let filter = ["--objects", "--filter=object:type=blob", "--filter-provided-objects"];
    let missed: Vec<String> = new(&filter).difference(&blobs).cloned().collect();
    assert!(missed.is_empty(), "missed {missed:?}");
    let mut seen = BTreeSet::new();
    for commit in &changes.commits {
        let line = git.run(&["rev-list", "--parents", "-n1", &commit.id.to_string()]);
        for parent in line.split(' ').skip(1).filter(|parent| ours.contains(*parent)) {
            assert!(seen.contains(parent), "a parent comes after its child");
        }
        seen.insert(commit.id.to_string());
        if seen.len() > 40 {
            break;
        }
    }
    for blob in changes.blobs.iter().take(40) {
        for place in &blob.places {
            let commit = changes.commits[place.commit.unwrap()].id;
            let name = format!("{commit}:{}", String::from_utf8_lossy(&place.path));
            assert_eq!(git.run(&["rev-parse", &name]), blob.id.to_string());
        }
    }
}

/// Numbers that look random and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let mixed = (self.0 ^ self.0 >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 33) as usize % end.max(1)
    }
}
