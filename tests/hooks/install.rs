//! Installing hooks, and taking them away.

use std::fs;

use crate::common::{Sandbox, npm_token, write};
use crate::{Pair, call, finish, git, script};

fn bad(pair: &Pair) {
    pair.commit("a.env", format!("NPM_TOKEN={}\n", npm_token(60)), "bad");
}

#[test]
fn installing_twice_changes_nothing() {
    let pair = Pair::plain();
    pair.hook(&["install"]).exits(0).complains(&["pre-push installed: "]);
    let before = fs::read(pair.path(".git/hooks/pre-push")).unwrap();
    pair.hook(&["install"]).exits(0).complains(&["was installed already"]);
    assert_eq!(fs::read(pair.path(".git/hooks/pre-push")).unwrap(), before);
    assert!(!pair.path(".git/hooks/pre-push.before-tokensweep").exists());
}

#[test]
fn several_hooks_in_one_call() {
    let pair = Pair::plain();
    let kinds = ["--type", "pre-commit", "--type", "commit-msg", "-t", "pre-push"];
    pair.hook(&[&["install"], &kinds[..]].concat()).exits(0);
    for name in ["pre-commit", "commit-msg", "pre-push"] {
        assert!(pair.path(".git/hooks").join(name).exists());
    }
    pair.hook(&["uninstall"]).exits(0).complains(&["pre-push removed"]);
    assert!(!pair.path(".git/hooks/pre-commit").exists());
    pair.hook(&["uninstall", "-t", "pre-push"]).exits(0).complains(&["is not installed"]);
}

#[test]
fn what_was_there_is_called_first_with_the_same() {
    let pair = Pair::plain();
    pair.script(".git/hooks/pre-push", "echo \"$@\" > told; cat >> told; test -e pass");
    let text = fs::read(pair.path(".git/hooks/pre-push")).unwrap();
    pair.hook(&["install"]).exits(0).complains(&[".before-tokensweep first"]);
    let head = pair.commit("a.txt", "a\n", "second");
    // Its failure blocks, and we have nothing to add.
    let said = pair.try_git(&["push"]).is_refused(&[]);
    assert!(!said.err.contains("tokensweep"), "{}", said.err);
    let told = fs::read_to_string(pair.path("told")).unwrap();
    let zero = pair.far_ref("main");
    let line = format!("refs/heads/main {head} refs/heads/main {zero}\n");
    assert_eq!(told, format!("origin ../far.git\n{line}"));
    pair.write("pass", "");
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit, 1 file"]);
    bad(&pair);
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
    pair.hook(&["uninstall"]).exits(0).complains(&["the hook that was there before is back"]);
    assert_eq!(fs::read(pair.path(".git/hooks/pre-push")).unwrap(), text);
    pair.git(&["push"]);
}

#[test]
fn a_hook_that_reads_nothing_does_no_harm() {
    let pair = Pair::plain();
    pair.script(".git/hooks/pre-push", "exit 0");
    pair.hook(&["install"]).exits(0);
    pair.commit("a.txt", "a\n", "second");
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit, 1 file"]);
}

/// A hook that is not executable was off; so it stays.
#[test]
fn what_was_off_stays_off() {
    let pair = Pair::plain();
    write(&pair.path(".git/hooks/pre-push"), "#!/bin/sh\nexit 1\n");
    pair.hook(&["install"]).exits(0);
    pair.commit("a.txt", "a\n", "second");
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit, 1 file"]);
}

#[test]
fn two_hooks_of_others_are_not_mixed_up() {
    let pair = Pair::plain();
    pair.script(".git/hooks/pre-push", "exit 0");
    pair.hook(&["install"]).exits(0);
    pair.script(".git/hooks/pre-push", "exit 1");
    pair.hook(&["install"]).exits(2).complains(&["delete the one"]);
}

/// pre-commit moves the hook that it finds to `.legacy`, and calls it.
#[test]
fn a_hook_that_another_one_calls_is_enough() {
    let pair = Pair::guarded();
    let hooks = pair.path(".git/hooks");
    fs::rename(hooks.join("pre-push"), hooks.join("pre-push.legacy")).unwrap();
    pair.script(".git/hooks/pre-push", "exec \"$0.legacy\" \"$@\"");
    pair.hook(&["install"]).exits(0).complains(&["was installed already"]);
    pair.hook(&["status"]).exits(0);
    bad(&pair);
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
    // Once nobody calls it any more, it guards nothing.
    pair.script(".git/hooks/pre-push", "exit 0");
    pair.hook(&["status"]).exits(1);
    fs::remove_file(hooks.join("pre-push")).unwrap();
    pair.hook(&["status"]).exits(1);
    pair.hook(&["install"]).exits(0).complains(&["pre-push installed: "]);
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn a_program_that_is_gone_is_refused_loudly() {
    let pair = Pair::plain();
    let copy = pair.sandbox.path("bin/a 'copy' of tokensweep");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_tokensweep"), &copy).unwrap();
    let mut install = std::process::Command::new(&copy);
    install.args(["hook", "install"]).current_dir(pair.path("")).env("HOME", pair.sandbox.home(""));
    assert!(install.output().unwrap().status.success());
    pair.commit("a.txt", "a\n", "second");
    pair.try_git(&["push", "--dry-run"]).is_clean(&["clean: 1 commit"]);
    fs::remove_file(&copy).unwrap();
    pair.try_git(&["push"]).is_refused(&["the program is gone", "TOKENSWEEP_SKIP=1 git push"]);
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("broken: "), "{}", run.out());
    // PATH is the second place to look.
    let push = || call(&pair.sandbox, &pair.path(""), &["push", "--dry-run"]);
    let mut found = push();
    let bin = pair.sandbox.path("path");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tokensweep"), bin.join("tokensweep")).unwrap();
    let path = std::env::var("PATH").unwrap();
    found.env("PATH", format!("{}:{path}", bin.display()));
    finish(found).is_clean(&["clean: 1 commit"]);
    let mut skipped = push();
    skipped.env("TOKENSWEEP_SKIP", "1");
    finish(skipped).is_clean(&["nothing was looked at"]);
    // Installed again by a program that is there, the hook is up to date.
    pair.hook(&["install"]).exits(0).complains(&["updated"]);
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit"]);
}

#[test]
fn husky_is_told_which_line_to_add() {
    let pair = Pair::plain();
    pair.git(&["config", "core.hooksPath", ".husky/_"]);
    let shim =
        "h=$(basename \"$0\"); s=\".husky/$h\"; [ ! -f \"$s\" ] && exit 0; sh -e \"$s\" \"$@\"";
    pair.script(".husky/_/pre-push", shim);
    let run = pair.hook(&["install"]).exits(2);
    run.complains(&["husky", ".husky/pre-push", "tokensweep hook run pre-push \"$@\""]);
    assert!(!pair.path(".git/hooks/pre-push").exists());
    pair.hook(&["status"]).exits(1);
    let line = format!("'{}' hook run pre-push \"$@\"", env!("CARGO_BIN_EXE_tokensweep"));
    pair.write(".husky/pre-push", format!("echo testing\n{line}\n"));
    pair.hook(&["status"]).exits(0);
    bad(&pair);
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
}

#[test]
fn folders_of_others_are_not_written_to() {
    let pair = Pair::plain();
    pair.git(&["config", "core.hooksPath", ".githooks"]);
    let run = pair.hook(&["install"]).exits(2);
    run.complains(&["belongs to the project", ".githooks/pre-push", "--force"]);
    pair.hook(&["install", "--force"]).exits(0);
    bad(&pair);
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
    let shared = pair.sandbox.path("shared");
    pair.git(&["config", "core.hooksPath", shared.to_str().unwrap()]);
    pair.hook(&["install"]).exits(2).complains(&["not in this repository", "--global"]);
    // An included file counts as git counts it.
    pair.git(&["config", "--unset", "core.hooksPath"]);
    write(&pair.path(".gitconfig"), "[core]\n\thooksPath = .githooks\n");
    pair.git(&["config", "include.path", "../.gitconfig"]);
    pair.hook(&["status"]).exits(0);
}

#[test]
fn one_hook_for_all_repositories() {
    let pair = Pair::plain();
    pair.script(".git/hooks/pre-push", "cat > own; test -e pass");
    let run = pair.hook(&["install", "--global"]).exits(1);
    run.complains(&["One step is missing", "git config --global core.hooksPath '"]);
    let folder = pair.sandbox.home(".config/git/hooks");
    assert!(folder.join("pre-push").exists());
    pair.git(&["config", "--global", "core.hooksPath", "~/.config/git/hooks"]);
    let run = pair.hook(&["install", "--global"]).exits(0).complains(&["was installed already"]);
    assert!(!run.err().contains("One step"));
    pair.hook(&["status"]).exits(0);
    bad(&pair);
    // The repository's own hook, which git overlooks now, is called first.
    assert!(!pair.try_git(&["push"]).err.contains("tokensweep"));
    pair.write("pass", "");
    pair.try_git(&["push"]).is_refused(&["a.env:1:11"]);
    assert!(fs::read_to_string(pair.path("own")).unwrap().starts_with("refs/heads/main "));
    let run = pair.hook(&["uninstall", "--global"]).exits(0);
    run.complains(&["git config --global --unset core.hooksPath"]);
    assert!(!folder.join("pre-push").exists());
}

/// Git runs no hook then, so none is installed.
#[test]
fn an_empty_folder_name_is_no_folder() {
    let pair = Pair::guarded();
    pair.git(&["config", "core.hooksPath", ""]);
    pair.hook(&["install"]).exits(2).complains(&["git runs no hooks"]);
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("git runs no hooks"), "{}", run.out());
}

#[test]
fn settings_of_a_work_tree_count_where_git_says_so() {
    let pair = Pair::guarded();
    pair.write(".git/config.worktree", "[core]\n\thooksPath = /nowhere\n");
    pair.hook(&["status"]).exits(0);
    pair.git(&["config", "extensions.worktreeConfig", "true"]);
    pair.hook(&["status"]).exits(1);
}

/// Else it would call itself without end.
#[test]
fn a_hook_that_is_the_repositorys_own_too_runs_once() {
    let pair = Pair::plain();
    pair.hook(&["install", "--global"]).exits(1);
    let folder = pair.sandbox.home(".config/git/hooks");
    fs::remove_dir_all(pair.path(".git/hooks")).unwrap();
    std::os::unix::fs::symlink(&folder, pair.path(".git/hooks")).unwrap();
    pair.git(&["config", "--global", "core.hooksPath", folder.to_str().unwrap()]);
    pair.commit("a.txt", "a\n", "second");
    pair.try_git(&["push"]).is_clean(&["clean: 1 commit, 1 file"]);
}

#[test]
fn nothing_that_a_repository_names_is_run() {
    let sandbox = Sandbox::new();
    let top = sandbox.path("");
    git(&sandbox, &top, &["init", "-q", "hostile"]).passes();
    let marker = sandbox.path("marker");
    let program = sandbox.path("program");
    script(&program, &format!("touch '{}'", marker.display()));
    let program = program.display();
    write(
        &sandbox.path("hostile/.git/config"),
        format!(
            "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {program}\n\tsshCommand = {program}\n\
             [alias]\n\trev-parse = !{program}\n[remote \"origin\"]\n\turl = ext::{program}\n"
        ),
    );
    script(&sandbox.path("hostile/.git/hooks/pre-push"), &format!("tool='{program}'\n'{program}'"));
    for words in [&["status"][..], &["install"], &["run", "pre-commit"], &["uninstall"]] {
        sandbox.call([&["hook"], words].concat()).cwd(sandbox.path("hostile")).run();
    }
    let call = sandbox.call(["hook", "run", "pre-push", "origin", "u"]);
    call.cwd(sandbox.path("hostile")).stdin("").run();
    assert!(!marker.exists());
}
