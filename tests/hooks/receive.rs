//! The side that is pushed to.

use crate::Pair;
use crate::common::npm_token;

fn guarded() -> Pair {
    let pair = Pair::plain();
    let install = pair.sandbox.call(["hook", "install", "--type", "pre-receive"]).cwd(pair.far());
    install.run().exits(0);
    pair
}

fn env(seed: u64) -> String {
    format!("NPM_TOKEN={}\n", npm_token(seed))
}

#[test]
fn a_push_with_a_secret_moves_no_ref() {
    let pair = guarded();
    let before = pair.far_ref("main");
    pair.commit("a.env", env(50), "second");
    let said = pair.try_git(&["push", "origin", "main"]);
    said.is_refused(&[
        "remote: tokensweep: this push is refused",
        "a.env:1:11",
        "who runs the server",
    ]);
    assert_eq!(pair.far_ref("main"), before);
    pair.git(&["reset", "-q", "--hard", "HEAD~1"]);
    pair.commit("a.txt", "a\n", "second");
    pair.try_git(&["push", "origin", "main"]).is_clean(&["clean: 1 commit, 1 file"]);
    assert_ne!(pair.far_ref("main"), before);
}

#[test]
fn all_refs_are_looked_at() {
    let pair = guarded();
    pair.commit("a.txt", "a\n", "second");
    pair.git(&["switch", "-q", "-c", "side"]);
    pair.commit("a.env", env(51), "third");
    pair.try_git(&["push", "origin", "main", "side"]).is_refused(&["a.env:1:11"]);
    assert_eq!(pair.far_ref("side"), "");
    pair.try_git(&["push", "origin", "main"]).is_clean(&["clean: 1 commit"]);
    pair.try_git(&["push", "origin", "main:copy"]).is_clean(&["has all of it already"]);
    pair.try_git(&["push", "origin", ":copy"]).is_clean(&["only deletes"]);
}

/// Packs and loose objects of a push lie in quarantine.
#[test]
fn large_pushes_come_as_a_pack() {
    let pair = guarded();
    for n in 0..150 {
        pair.write(&format!("many/{n}.txt"), format!("{n}\n"));
    }
    pair.commit("a.env", env(52), "second");
    pair.try_git(&["push", "origin", "main"]).is_refused(&["a.env:1:11"]);
}

/// Who pushes has no say in what is looked for, but by a marker that all see.
#[test]
fn settings_that_are_pushed_do_not_count() {
    let pair = guarded();
    pair.commit(".tokensweepignore", "path:**\n", "second");
    pair.commit("a.env", env(53), "third");
    pair.try_git(&["push", "origin", "main"]).is_refused(&["a.env:1:11"]);
}
