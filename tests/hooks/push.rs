//! Every kind of push.

use crate::common::{Sandbox, npm_token};
use crate::{Pair, call, finish, git};

fn env(seed: u64) -> String {
    format!("NPM_TOKEN={}\n", npm_token(seed))
}

#[test]
fn a_clean_push_prints_one_line() {
    let pair = Pair::guarded();
    pair.commit("a.txt", "a\n", "second");
    pair.commit("b.txt", "b\n", "third");
    let said = pair.try_git(&["push", "origin", "main"]);
    said.is_clean(&["clean: 2 commits, 2 files, ", " looked at in "]);
    assert_eq!(pair.far_ref("main"), pair.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_secret_in_the_last_commit_is_amended() {
    let pair = Pair::guarded();
    let before = pair.far_ref("main");
    let commit = pair.commit("src/a.env", format!("A=1\n{}", env(1)), "second");
    let said = pair.try_git(&["push", "origin", "main"]).is_refused(&[
        "this push is refused: 1 secret in 1 place",
        "src/a.env:2:11 in commit ",
        &commit[..12],
        "git commit -a --amend",
        "tokensweep:allow",
        "fp:",
        "revoke it",
        "TOKENSWEEP_SKIP=1 git push",
        "git push --no-verify",
    ]);
    assert!(!said.err.contains(&npm_token(1)), "{}", said.err);
    assert_eq!(pair.far_ref("main"), before);
    pair.write("src/a.env", "A=1\n");
    pair.git(&["commit", "-q", "-a", "--amend", "--no-edit"]);
    pair.try_git(&["push", "origin", "main"]).is_clean(&["clean: 1 commit, 1 file, "]);
}

#[test]
fn a_secret_that_is_gone_again_is_rebased() {
    let pair = Pair::guarded();
    let bad = pair.commit("a.env", env(2), "second");
    pair.commit("a.env", "A=1\n", "third");
    let rebase = format!("git rebase -i {}^ (`edit`", &bad[..12]);
    let then = "then git commit -a --amend && git rebase --continue";
    pair.try_git(&["push"]).is_refused(&[&rebase, "a new commit does not take it out", then]);
    // What is pushed is not the last commit of any branch.
    let said = pair.try_git(&["push", "origin", "HEAD~1:refs/heads/x"]).is_refused(&[&rebase]);
    assert!(!said.err.contains("It is in the last commit"), "{}", said.err);
    pair.git(&["switch", "-q", "-c", "side", "HEAD~2"]);
    pair.commit("b", "b", "aside");
    pair.git(&["switch", "-q", "main"]);
    pair.git(&["merge", "-q", "--no-edit", "side"]);
    let rebase = format!("git rebase -i -r {}^ (`edit`", &bad[..12]);
    pair.try_git(&["push"]).is_refused(&[&rebase]);
}

#[test]
fn a_first_commit_is_rebased_from_the_root() {
    let pair = Pair::guarded();
    pair.git(&["switch", "-q", "--orphan", "other"]);
    pair.commit("a.env", env(3), "alone");
    pair.commit("b", "b", "another");
    pair.try_git(&["push", "origin", "other"]).is_refused(&["git rebase -i --root (`edit`"]);
}

#[test]
fn a_secret_in_a_message_is_found() {
    let pair = Pair::guarded();
    pair.commit("a", "a", &format!("use {}", env(4)));
    pair.try_git(&["push"]).is_refused(&["its message or author", "git commit --amend"]);
    pair.commit("b", "b", "more");
    pair.try_git(&["push"]).is_refused(&["(`reword` at "]);
}

#[test]
fn all_refs_of_a_push_are_looked_at() {
    let pair = Pair::guarded();
    pair.commit("a", "a", "second");
    pair.git(&["switch", "-q", "-c", "zz/second", "main~1"]);
    let bad = pair.commit("b.env", env(5), "bad");
    pair.git(&["switch", "-q", "main"]);
    pair.try_git(&["push", "origin", "main", "zz/second"])
        .is_refused(&[&bad[..12], "git switch zz/second && git commit -a --amend"]);
    assert_eq!(pair.far_ref("zz/second"), "");
    assert_eq!(pair.far_ref("main"), pair.git(&["rev-parse", "main~1"]));
    pair.try_git(&["push", "origin", "main"]).is_clean(&["clean: 1 commit, 1 file"]);
}

#[test]
fn tags_are_looked_at() {
    let pair = Pair::guarded();
    pair.git(&["tag", "-a", "v1", "-m", &env(6)]);
    pair.try_git(&["push", "origin", "v1"]).is_refused(&["git tag -f -a v1 v1^{}"]);
    pair.git(&["tag", "-f", "-a", "v1", "-m", "fine"]);
    pair.try_git(&["push", "origin", "v1"]).is_clean(&["clean: 0 commits, 1 tag, 0 files"]);
    // A lightweight tag on a commit that no branch has, and one on a file.
    pair.git(&["switch", "-q", "--detach"]);
    pair.commit("c.env", env(7), "loose");
    pair.git(&["tag", "loose"]);
    pair.try_git(&["push", "origin", "loose"]).is_refused(&["c.env:1:11"]);
    pair.git(&["tag", "file", "HEAD:c.env"]);
    pair.try_git(&["push", "origin", "file"]).is_refused(&["object/", "Take the tag away"]);
}

#[test]
fn names_are_looked_at() {
    let pair = Pair::guarded();
    let name = format!("refs/heads/{}", npm_token(8));
    let said = pair.try_git(&["push", "origin", &format!("main:{name}")]);
    let said = said.is_refused(&["in the name of ref/refs/heads/npm_", "another name"]);
    // Git's own words about the ref are not ours.
    let ours = said.err.split("error: failed").next().unwrap();
    assert!(!ours.contains(&npm_token(8)), "{ours}");
}

#[test]
fn deleting_needs_no_look() {
    let pair = Pair::guarded();
    pair.git(&["push", "-q", "origin", "main:gone"]);
    pair.try_git(&["push", "origin", ":gone"]).is_clean(&["only deletes (1 ref)"]);
    pair.git(&["push", "-q", "origin", "main:gone"]);
    pair.commit("a.env", env(9), "bad");
    pair.try_git(&["push", "origin", ":gone", "main"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn a_new_name_for_an_old_commit_needs_no_look() {
    let pair = Pair::guarded();
    pair.try_git(&["push", "origin", "main:copy"]).is_clean(&["the remote has all of it already"]);
    assert_eq!(pair.far_ref("copy"), pair.far_ref("main"));
}

#[test]
fn a_forced_push_brings_only_what_is_new() {
    let pair = Pair::guarded();
    pair.commit("a", "a", "second");
    pair.git(&["push", "-q"]);
    pair.write("a", "b");
    pair.git(&["commit", "-q", "-a", "--amend", "-m", "again"]);
    pair.try_git(&["push", "-f"]).is_clean(&["clean: 1 commit, 1 file"]);
    pair.write("a", env(10));
    pair.git(&["commit", "-q", "-a", "--amend", "-m", "again"]);
    pair.try_git(&["push", "-f"]).is_refused(&["a:1:11"]);
}

#[test]
fn nothing_to_push_passes() {
    let pair = Pair::guarded();
    pair.try_git(&["push"]).is_clean(&["has all of it already"]);
}

#[test]
fn an_address_is_as_good_as_a_name() {
    let pair = Pair::guarded();
    pair.commit("a", "a", "second");
    pair.try_git(&["push", "../far.git", "main"]).is_clean(&["clean: 1 commit, 1 file"]);
    pair.commit("a.env", env(11), "third");
    // Of an address that nobody knows, only what it says counts.
    let url = format!("file://{}", pair.far().display());
    pair.try_git(&["push", &url, "main"]).is_refused(&["a.env:1:11"]);
    pair.try_git(&["push", "../far.git", "HEAD:refs/heads/x"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn what_is_pushed_may_have_any_name() {
    let pair = Pair::guarded();
    pair.commit("a.env", env(12), "find me here");
    pair.try_git(&["push", "origin", ":/find me:refs/heads/x"]).is_refused(&["a.env:1:11"]);
    pair.git(&["switch", "-q", "-c", "a;echo${IFS}boo'"]);
    pair.commit("b", "b", "more");
    pair.git(&["branch", "other"]);
    pair.git(&["switch", "-q", "main"]);
    pair.try_git(&["push", "origin", "a;echo${IFS}boo'"])
        .is_refused(&[r"git switch 'a;echo${IFS}boo'\'''"]);
}

#[test]
fn names_of_files_steer_no_terminal() {
    let pair = Pair::guarded();
    pair.commit("a\u{1b}[31m\nclean\u{202e}.env", env(13), "odd");
    let said = pair.try_git(&["push"]).is_refused(&[r"a\x1b[31m\nclean\u{202e}.env:1:11"]);
    assert!(!said.err.contains(['\u{1b}', '\u{202e}']), "{}", said.err);
}

#[test]
fn what_is_allowed_passes_and_is_counted() {
    let pair = Pair::guarded();
    pair.commit("a.env", format!("{} # tokensweep:allow\n", env(14).trim()), "marked");
    pair.try_git(&["push"]).is_clean(&["; 1 secret is allowed"]);
    pair.commit("b.env", env(15), "listed");
    let said = pair.try_git(&["push"]).is_refused(&["fp:"]);
    let at = said.err.find("fp:").unwrap();
    pair.commit(".tokensweepignore", &said.err[at..at + 35], "allow it");
    pair.try_git(&["push"]).is_clean(&["clean: 2 commits", "; 1 secret is allowed"]);
}

#[test]
fn linked_worktrees_submodules_and_blanks() {
    let pair = Pair::with("my \"app's\" $(x)", &[]);
    pair.hook(&["install"]).exits(0);
    pair.git(&["worktree", "add", "-q", "../linked tree", "-b", "side"]);
    let linked = pair.sandbox.path("linked tree");
    crate::common::write(&linked.join("a.env"), env(16));
    let run = |words: &[&str]| git(&pair.sandbox, &linked, words);
    run(&["add", "."]).passes();
    run(&["commit", "-q", "-m", "x"]).passes();
    run(&["push", "origin", "side"]).is_refused(&["a.env:1:11", "git commit -a --amend"]);
    pair.git(&["submodule", "add", "-q", "../far.git", "sub module"]);
    let sub = pair.path("sub module");
    let run = |words: &[&str]| git(&pair.sandbox, &sub, words);
    pair.sandbox.call(["hook", "install"]).cwd(&sub).run().exits(0);
    crate::common::write(&sub.join("b.env"), env(17));
    run(&["add", "."]).passes();
    run(&["commit", "-q", "-m", "x"]).passes();
    run(&["push", "origin", "HEAD:side"]).is_refused(&["b.env:1:11"]);
}

#[test]
fn sha256_is_as_good() {
    let pair = Pair::with("app", &["--object-format=sha256"]);
    pair.hook(&["install"]).exits(0);
    pair.commit("a", "a", "second");
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit, 1 file"]);
    pair.commit("a.env", env(18), "third");
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn ways_past() {
    let pair = Pair::guarded();
    pair.commit("a.env", env(19), "second");
    for (value, passes) in [("0", false), ("", false), ("no", false), ("true", true)] {
        let mut push = call(&pair.sandbox, &pair.path(""), &["push", "--dry-run"]);
        push.env("TOKENSWEEP_SKIP", value);
        assert_eq!(finish(push).is_ok(), passes, "{value:?}");
    }
    let mut push = call(&pair.sandbox, &pair.path(""), &["push"]);
    push.env("TOKENSWEEP_SKIP", "1");
    finish(push).is_clean(&["skipped by TOKENSWEEP_SKIP: nothing was looked at"]);
    pair.commit("b.env", env(20), "third");
    assert!(!pair.try_git(&["push"]).is_ok());
    pair.git(&["push", "--no-verify"]);
}

#[test]
fn a_damaged_repository_is_refused() {
    let pair = Pair::guarded();
    pair.commit("a.txt", "a text that is there once\n", "second");
    let blob = pair.git(&["rev-parse", "HEAD:a.txt"]);
    let file = pair.path(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    std::fs::remove_file(&file).unwrap();
    let run = push_line(&pair.sandbox, &pair);
    run.exits(3).complains(&["this push is refused", "not all of it could be looked at", &blob]);
}

fn push_line(sandbox: &Sandbox, pair: &Pair) -> crate::common::Run {
    let head = pair.git(&["rev-parse", "HEAD"]);
    let zero = "0".repeat(head.len());
    let line = format!("refs/heads/main {head} refs/heads/main {zero}\n");
    let call = sandbox.call(["hook", "run", "pre-push", "origin", "../far.git"]);
    call.cwd(pair.path("")).stdin(line).run()
}

#[test]
fn a_file_that_was_a_foreign_commit_before_is_new() {
    let pair = Pair::guarded();
    pair.hook(&["install", "--type", "pre-commit"]).exits(0);
    pair.write("x.env", env(40));
    let blob = pair.git(&["hash-object", "-w", "x.env"]);
    let stage = |mode: &str| {
        pair.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{blob},x")]);
    };
    stage("160000");
    pair.git(&["commit", "-q", "--no-verify", "-m", "a foreign commit"]);
    pair.git(&["rm", "-q", "--cached", "x"]);
    stage("100644");
    pair.try_git(&["commit", "-q", "-m", "a file"]).is_refused(&["x:1:11"]);
    pair.git(&["commit", "-q", "--no-verify", "-m", "a file"]);
    pair.try_git(&["push"]).is_refused(&["x:1:11 in commit "]);
}
