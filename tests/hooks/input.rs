//! What a hook is told, and by whom: git, a manager of hooks, or nobody.

use crate::Pair;
use crate::common::{Call, npm_token};

fn bad() -> Pair {
    let pair = Pair::plain();
    pair.commit("a.env", format!("NPM_TOKEN={}\n", npm_token(30)), "second");
    pair
}

fn call(pair: &Pair, words: &[&str]) -> Call {
    pair.sandbox.call([&["hook"], words].concat()).cwd(pair.path(""))
}

#[test]
fn nothing_on_standard_input_is_refused() {
    let pair = Pair::plain();
    let run = call(&pair, &["run", "pre-push", "origin", "../far.git"]).run();
    run.exits(2).complains(&["nobody told on standard input", "use_stdin: true"]);
    call(&pair, &["run", "pre-receive"]).stdin("").run().exits(2);
}

#[test]
fn lines_that_make_no_sense_are_refused() {
    let pair = Pair::plain();
    let id = "1".repeat(40);
    for line in ["x\n", "a b c d\n", &format!("refs/heads/main {id} refs/heads/main\n")] {
        let run = call(&pair, &["run", "pre-push", "origin", "u"]).stdin(line).run();
        run.exits(2).complains(&["makes no sense"]);
    }
    let line = format!("{id} {id}\n");
    call(&pair, &["run", "pre-receive"]).stdin(line).run().exits(2).complains(&["makes no sense"]);
}

#[test]
fn commits_that_are_not_there_are_refused() {
    let pair = Pair::plain();
    let line = format!("x {} refs/heads/x {}\n", "1".repeat(40), "0".repeat(40));
    let run = call(&pair, &["run", "pre-push", "origin", "u"]).stdin(line).run();
    run.exits(3).complains(&["not all of it could be looked at", "missing"]);
}

/// Something read git's lines before us, or there were none.
#[test]
fn lines_that_are_gone_hide_nothing() {
    let pair = bad();
    let run = call(&pair, &["run", "pre-push", "origin", "../far.git"]).stdin("").run();
    run.exits(1).complains(&["a.env:1:11", "everything was looked at"]);
    pair.script(
        ".git/hooks/pre-push",
        &format!("cat >/dev/null\n'{}' hook run pre-push \"$@\"", env!("CARGO_BIN_EXE_tokensweep")),
    );
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn the_short_form_is_the_same() {
    let pair = bad();
    call(&pair, &["pre-push", "origin", "../far.git"]).stdin("").run().exits(1);
    call(&pair, &["pre-pish"]).run().exits(2).complains(&["pre-push, pre-commit, commit-msg"]);
}

#[test]
fn the_pre_commit_framework_names_a_range() {
    let pair = bad();
    let run = |from: &str, to: &str| {
        call(&pair, &["run", "pre-push"])
            .env("PRE_COMMIT_REMOTE_NAME", "origin")
            .env("PRE_COMMIT_FROM_REF", from)
            .env("PRE_COMMIT_TO_REF", to)
            .run()
    };
    run("origin/main", "HEAD").exits(1).complains(&["a.env:1:11"]);
    run("HEAD", "HEAD").exits(0);
    run("nothing-of-this-name", "HEAD").exits(2);
    // Of a history that is all new it names none.
    let all = call(&pair, &["run", "pre-push"]).env("PRE_COMMIT_REMOTE_NAME", "origin").run();
    all.exits(1);
}

#[test]
fn outside_of_a_repository_nothing_passes() {
    let sandbox = crate::common::Sandbox::new();
    let run = sandbox.call(["hook", "run", "pre-push", "origin", "u"]).stdin("").run();
    run.exits(2).complains(&["no git repository here"]);
    sandbox.run(["hook", "install"]).exits(2).complains(&["no git repository here"]);
    let run = sandbox.call(["hook", "run", "pre-commit"]).env("GIT_DIR", "nowhere").run();
    run.exits(2).complains(&["no git repository at nowhere"]);
}
