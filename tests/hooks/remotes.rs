//! What is known of a remote, and what is not.

use crate::common::npm_token;
use crate::{Pair, git};

fn bad(pair: &Pair) -> String {
    pair.commit("a.env", format!("NPM_TOKEN={}\n", npm_token(95)), "second")
}

#[test]
fn a_remote_with_a_longer_name_is_another_one() {
    let pair = Pair::guarded();
    git(&pair.sandbox, &pair.sandbox.path(""), &["init", "-q", "--bare", "priv.git"]).passes();
    pair.git(&["remote", "add", "origin/priv", "../priv.git"]);
    bad(&pair);
    pair.git(&["push", "-q", "--no-verify", "origin/priv", "main"]);
    pair.try_git(&["push", "origin", "main"]).is_refused(&["a.env:1:11"]);
    pair.try_git(&["push", "origin", "main:new"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn a_remote_that_was_made_anew_is_not_known() {
    let pair = Pair::guarded();
    bad(&pair);
    pair.git(&["push", "-q", "--no-verify", "origin", "main"]);
    std::fs::remove_dir_all(pair.far()).unwrap();
    git(&pair.sandbox, &pair.sandbox.path(""), &["init", "-q", "--bare", "far.git"]).passes();
    pair.try_git(&["push", "origin", "main"]).is_refused(&["a.env:1:11", "out of date"]);
    // A branch that was never there tells nothing, and nothing is searched twice.
    let pair = Pair::guarded();
    pair.try_git(&["push", "origin", "main:new"]).is_clean(&["has all of it already"]);
    // Someone else has moved the branch to what nobody here has.
    bad(&pair);
    pair.git(&["push", "-q", "--no-verify", "origin", "main:new"]);
    let tree = git(&pair.sandbox, &pair.far(), &["rev-parse", "main^{tree}"]).passes();
    let other = git(&pair.sandbox, &pair.far(), &["commit-tree", &tree, "-m", "x"]).passes();
    git(&pair.sandbox, &pair.far(), &["update-ref", "refs/heads/main", &other]).passes();
    pair.try_git(&["push", "-f", "origin", "main"]).is_refused(&["a.env:1:11", "out of date"]);
}
