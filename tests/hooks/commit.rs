//! Hooks of `git commit`.

use crate::common::npm_token;
use crate::{Pair, call, finish};

fn guarded(kind: &str) -> Pair {
    let pair = Pair::plain();
    pair.hook(&["install", "--type", kind]).exits(0);
    pair
}

fn env(seed: u64) -> String {
    format!("NPM_TOKEN={}\n", npm_token(seed))
}

#[test]
fn what_is_staged_is_looked_at() {
    let pair = guarded("pre-commit");
    pair.write("a.txt", "a\n");
    pair.git(&["add", "."]);
    // What is not staged does not count.
    pair.write("b.env", env(40));
    pair.try_git(&["commit", "-m", "x"]).is_clean(&["clean: 1 file, "]);
    pair.git(&["add", "."]);
    // What is staged counts, whatever the work tree has now.
    pair.write("b.env", "gone\n");
    pair.try_git(&["commit", "-m", "x"]).is_refused(&[
        "this commit is refused",
        "b.env:1:11",
        "git add -- b.env && git commit",
        "git commit --no-verify",
    ]);
    pair.git(&["commit", "-q", "--no-verify", "-m", "x"]);
    pair.try_git(&["commit", "--allow-empty", "-m", "x"]).is_clean(&["nothing to look at"]);
}

#[test]
fn commits_of_all_and_of_a_part_have_their_own_index() {
    let pair = guarded("pre-commit");
    pair.commit("a.env", "A=1\n", "a");
    pair.commit("b.env", "B=1\n", "b");
    pair.write("a.env", env(41));
    pair.try_git(&["commit", "-a", "-m", "x"]).is_refused(&["a.env:1:11"]);
    pair.try_git(&["commit", "-m", "x", "a.env"]).is_refused(&["a.env:1:11"]);
    // The secret is staged, and not part of this commit.
    pair.git(&["add", "a.env"]);
    pair.write("b.env", "B=2\n");
    pair.try_git(&["commit", "-m", "x", "b.env"]).is_clean(&["clean: 1 file, "]);
}

#[test]
fn a_first_commit_is_looked_at() {
    let pair = guarded("pre-commit");
    pair.git(&["switch", "-q", "--orphan", "other"]);
    pair.write("a.env", env(42));
    pair.git(&["add", "."]);
    pair.try_git(&["commit", "-m", "x"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn messages_are_looked_at() {
    let pair = guarded("commit-msg");
    pair.try_git(&["commit", "--allow-empty", "-m", "fine"]).is_clean(&["clean: the message, "]);
    let said = pair.try_git(&["commit", "--allow-empty", "-m", &env(43)]);
    said.is_refused(&["COMMIT_EDITMSG:1:11", "Commit again with a message without it"]);
    // What `git commit --verbose` shows below the message is no part of it.
    pair.write("a.env", env(44));
    pair.git(&["add", "."]);
    let mut commit = call(&pair.sandbox, &pair.path(""), &["commit", "-v", "-m", "x", "-e"]);
    commit.env("GIT_EDITOR", "true");
    finish(commit).is_clean(&["clean: the message"]);
    // A line of scissors that git keeps hides nothing.
    let scissors = format!("x\n\n# {0} >8 {0}\n{1}", "-".repeat(24), env(45));
    let words = ["commit", "--allow-empty", "--cleanup=verbatim", "-m", &scissors];
    pair.try_git(&words).is_refused(&["COMMIT_EDITMSG:4:11"]);
    pair.hook(&["run", "commit-msg"]).exits(2).complains(&["no file"]);
    pair.hook(&["run", "commit-msg", "nowhere"]).exits(2);
}
