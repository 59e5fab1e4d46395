//! The command line from outside: exit codes, flags, targets, what is read.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::{Sandbox, findings, npm_token, paths, secrets, skipped};

/// A sandbox with one token in `a.txt`, and the token.
fn with_token() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    sandbox.write("a.txt", format!("t={token}\n"));
    (sandbox, token)
}

// ---- Exit codes ---------------------------------------------------------------

#[test]
fn a_clean_tree_exits_with_0_and_says_what_was_searched() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "nothing here\n");
    let run = sandbox.run(["scan"]).exits(0);
    let said = run.out() + &run.err();
    assert!(said.starts_with("clean: 1 file, 13 B"), "{said}");
}

#[test]
fn a_finding_exits_with_1_and_is_masked() {
    let (sandbox, token) = with_token();
    let run = sandbox.run(["scan"]).exits(1);
    assert!(run.out().contains("a.txt"), "{}", run.out());
    assert!(!(run.out() + &run.err()).contains(&token));
}

#[test]
fn an_empty_tree_is_said_not_to_have_been_searched() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(["scan"]).exits(0);
    assert!((run.out() + &run.err()).contains("not one file was read"));
}

#[test]
fn an_unknown_flag_exits_with_2_and_a_hint() {
    let sandbox = Sandbox::new();
    sandbox.run(["scan", "--formta", "json"]).exits(2).complains(&["--formta", "--format"]);
    sandbox.run(["scan", "-f", "jsom"]).exits(2).complains(&["jsom", "json"]);
}

#[test]
fn a_missing_target_exits_with_2_and_is_named() {
    let (sandbox, _) = with_token();
    sandbox.run(["scan", "a.txt", "no/such"]).exits(2).complains(&["no/such"]);
    sandbox.run(["no-such-command-or-path"]).exits(2).complains(&["no-such-command-or-path"]);
}

#[test]
fn no_argument_at_all_shows_the_help() {
    let sandbox = Sandbox::new();
    let run = sandbox.run::<&str>([]);
    assert_eq!(run.code, 2);
    assert!((run.out() + &run.err()).contains("Usage"));
}

#[test]
fn help_and_version_exit_with_0() {
    let sandbox = Sandbox::new();
    for words in [&["--help"][..], &["-h"], &["help"], &["scan", "--help"], &["rules", "--help"]] {
        assert!(sandbox.run(words).exits(0).out().contains("Usage"), "{words:?}");
    }
    for words in [["--version"], ["-V"]] {
        assert!(sandbox.run(words).exits(0).out().starts_with("tokensweep "), "{words:?}");
    }
}

#[test]
fn exit_code_chooses_the_code_of_findings_only() {
    let (sandbox, _) = with_token();
    sandbox.write("b/clean.txt", "nothing");
    sandbox.run(["scan", "--exit-code", "183"]).exits(183);
    sandbox.run(["scan", "b", "--exit-code", "183"]).exits(0);
    sandbox.run(["scan", "--exit-code", "256"]).exits(2);
}

#[test]
fn exit_zero_hides_findings_from_the_exit_code_and_from_nothing_else() {
    let (sandbox, _) = with_token();
    let run = sandbox.run(["scan", "--exit-zero"]).exits(0);
    assert!(run.out().contains("a.txt"));
}

// ---- Output --------------------------------------------------------------------

#[test]
fn quiet_prints_findings_and_no_summary() {
    let (sandbox, _) = with_token();
    sandbox.write("clean/b.txt", "nothing");
    let run = sandbox.run(["scan", "-q"]).exits(1);
    assert!(run.out().contains("a.txt") && !run.out().contains("searched"), "{}", run.out());
    let clean = sandbox.run(["scan", "clean", "--quiet"]).exits(0);
    assert_eq!((clean.out(), clean.err()), (String::new(), String::new()));
}

#[test]
fn verbose_shows_every_place_and_every_skipped_path() {
    let sandbox = Sandbox::new();
    for at in 0..60 {
        sandbox.write(format!("d/{at:02}.txt"), npm_token(1));
        sandbox.write(format!("skip/{at:02}.bin"), "x");
    }
    let count = |flags: &[&str]| {
        let run = sandbox.run([&["scan", "--exclude", "*.bin"], flags].concat()).exits(1);
        let said = run.out() + &run.err();
        (said.matches("d/").count(), said.matches(".bin").count())
    };
    let (brief, verbose) = (count(&[]), count(&["-v"]));
    assert!(verbose.0 >= 60 && verbose.1 >= 60, "{verbose:?}");
    assert!(brief.0 < 60 && brief.1 < 60, "{brief:?}");
}

#[test]
fn explain_names_what_was_turned_away_and_why() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", format!("npm_{}\n", "x".repeat(36)));
    let quiet = sandbox.run(["scan"]).exits(0);
    assert!(!(quiet.out() + &quiet.err()).contains("npm-access-token"));
    let run = sandbox.run(["scan", "--explain"]).exits(0);
    let said = run.out() + &run.err();
    assert!(said.contains("npm-access-token") && said.contains("blanked value"), "{said}");
}

#[test]
fn show_secrets_shows_them_in_every_format() {
    let (sandbox, token) = with_token();
    for format in ["text", "json", "jsonl", "sarif", "github"] {
        let masked = sandbox.run(["scan", "-f", format]).exits(1);
        assert!(!(masked.out() + &masked.err()).contains(&token), "{format}");
        let shown = sandbox.run(["scan", "-f", format, "--show-secrets"]).exits(1);
        assert!(shown.out().contains(&token), "{format}");
    }
}

#[test]
fn output_goes_to_a_file_and_a_dash_is_standard_output() {
    let (sandbox, _) = with_token();
    sandbox.write("sub/x.txt", npm_token(2));
    let plain = sandbox.run(["scan", "sub", "-f", "json"]).exits(1);
    let dash = sandbox.run(["scan", "sub", "-f", "json", "-o", "-"]).exits(1);
    assert_eq!(plain.stdout, dash.stdout);
    let quiet = sandbox.run(["scan", "sub", "-f", "json", "--output", "out.json"]).exits(1);
    assert_eq!(quiet.out(), "");
    assert_eq!(fs::read(sandbox.path("out.json")).unwrap(), plain.stdout);
    sandbox.run(["scan", "-o", "no/such/out.json"]).exits(2).complains(&["no/such/out.json"]);
}

#[test]
fn colour_follows_the_flag_and_never_a_pipe() {
    let (sandbox, _) = with_token();
    let colored =
        |words: &[&str]| sandbox.run([&["scan"], words].concat()).exits(1).stdout.contains(&0x1b);
    assert!(!colored(&[]) && !colored(&["--color", "auto"]) && !colored(&["--color", "never"]));
    assert!(colored(&["--color", "always"]));
    assert!(!colored(&["--color", "always", "--no-color"]));
    let run = sandbox.call(["scan", "--color", "always"]).env("NO_COLOR", "1").run();
    assert!(run.stdout.contains(&0x1b), "a flag is stronger than NO_COLOR");
}

#[test]
fn two_runs_on_any_number_of_threads_print_the_same_bytes() {
    let sandbox = Sandbox::new();
    for at in 0..200 {
        let text = format!("x={}\ny={}\n", npm_token(at % 50), npm_token(at + 1000));
        sandbox.write(format!("d{}/f{at}.txt", at % 7), text);
    }
    let report = |flags: &[&str]| {
        sandbox.run([&["scan", "-f", "json", "--show-secrets"], flags].concat()).exits(1).stdout
    };
    let one = report(&["-j", "1"]);
    assert_eq!(one, report(&["-j", "1"]));
    assert_eq!(one, report(&["-j", "8"]));
    assert_eq!(one, report(&["--threads", "3"]));
    assert_eq!(one, report(&["--portable"]));
    assert_eq!(one, report(&[]));
    sandbox.run(["scan", "-j", "0"]).exits(2);
}

#[test]
fn aliases_of_other_scanners_are_accepted() {
    let (sandbox, _) = with_token();
    for words in [
        &["dir", "."][..],
        &["fs", "."],
        &["filesystem", "."],
        &["file", "a.txt"],
        &["detect", "--report-format", "json", "--report-path", "-"],
        &["scan", "-r", "-", "--redact"],
        &["scan", "--redact=50", "--no-banner", "--no-update-check", "--no-verification"],
        &["scan", "-n", "--no-validate"],
        &["scan", "--offline"],
        &["scan", "--jobs", "1", "--max-target-megabytes", "1"],
        &["scan", "--enable-rule", "npm-access-token", "--disable-rule", "jwt"],
    ] {
        sandbox.run(words).exits(1);
    }
}

#[test]
fn completions_are_printed_for_shells() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(sandbox.run(["completions", shell]).exits(0).out().contains("tokensweep"));
    }
    sandbox.run(["completions", "tcsh"]).exits(2).complains(&["tcsh"]);
}

// ---- Targets -------------------------------------------------------------------

#[test]
fn a_path_alone_means_scan() {
    let (sandbox, token) = with_token();
    let run = sandbox.run(["a.txt", "-f", "json", "--show-secrets"]).exits(1);
    assert_eq!(secrets(&run.json()), [token]);
    sandbox.run(["-f", "json", "."]).exits(1);
}

#[test]
fn several_targets_are_all_searched_once() {
    let sandbox = Sandbox::new();
    sandbox.write("a/x.txt", npm_token(1));
    sandbox.write("b/x.txt", npm_token(2));
    sandbox.write("c.txt", npm_token(3));
    let report = sandbox.report(["a", "b", "c.txt", "a"]);
    assert_eq!(findings(&report).len(), 3);
    assert_eq!(report["summary"]["coverage"]["files"], 3);
    let roots: Vec<_> = findings(&report).iter().map(|f| &f["locations"][0]["root"]).collect();
    assert_eq!(roots, ["a", "b", "c.txt"]);
}

#[test]
fn standard_input_is_a_target_beside_others() {
    let (sandbox, token) = with_token();
    let piped = npm_token(2);
    let call = sandbox.call(["scan", "-f", "json", "--show-secrets", "-", "a.txt"]);
    let report = call.stdin(format!("x\ny {piped}\n")).run().exits(1).json();
    let mut expected = [token, piped.clone()];
    expected.sort();
    assert_eq!(secrets(&report), expected);
    let place = &findings(&report).iter().find(|f| f["secret"] == piped).unwrap()["locations"][0];
    assert_eq!(place["origin"], "stdin");
    assert_eq!((&place["line"], &place["column"]), (&2.into(), &3.into()));
    sandbox.call(["-"]).stdin(piped).run().exits(1);
}

#[test]
fn standard_input_is_not_read_unless_it_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("b.txt", "clean");
    sandbox.call(["scan", "b.txt"]).stdin(npm_token(1)).run().exits(0);
}

// ---- What is read --------------------------------------------------------------

#[test]
fn hidden_ignored_vendored_and_binary_files_are_searched() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "secret/\nnode_modules\n");
    let files = [".hidden/.env", "secret/a", "node_modules/a/index.min.js", "package-lock.json"];
    for (at, file) in files.iter().enumerate() {
        sandbox.write(file, format!("\0\u{1}x {}\0", npm_token(at as u64)));
    }
    let mut expected = files.to_vec();
    expected.sort_unstable();
    assert_eq!(paths(&sandbox.report(["."])), expected);
}

#[test]
fn respect_gitignore_leaves_out_what_git_ignores_and_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write(".gitignore", "secret/\n");
    sandbox.write("secret/a", npm_token(1));
    sandbox.write("open/a", npm_token(2));
    assert_eq!(paths(&sandbox.report(["--respect-gitignore"])), ["open/a"]);
    assert_eq!(paths(&sandbox.report([""; 0])), ["open/a", "secret/a"]);
}

#[test]
fn include_and_exclude_choose_by_glob() {
    let sandbox = Sandbox::new();
    for (at, file) in ["a.js", "a.env", "lib/b.js", "lib/deep/c.env"].iter().enumerate() {
        sandbox.write(file, npm_token(at as u64));
    }
    let of = |flags: &[&str]| {
        let report = sandbox.report(flags);
        paths(&report).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(&["--include", "*.env"]), ["a.env", "lib/deep/c.env"]);
    assert_eq!(of(&["--include", "*.env", "--include", "*.js"]).len(), 4);
    assert_eq!(of(&["--exclude", "lib"]), ["a.env", "a.js"]);
    assert_eq!(of(&["--exclude", "lib/**"]), ["a.env", "a.js"]);
    assert_eq!(of(&["--include", "*.env", "--exclude", "deep"]), ["a.env"]);
    assert_eq!(skipped(&sandbox.report(["--exclude", "lib"]), "excluded"), ["lib"]);
    sandbox.run(["scan", "--include", "a[", "."]).exits(2).complains(&["a["]);
}

#[test]
fn max_file_size_leaves_out_larger_files_and_names_them() {
    let sandbox = Sandbox::new();
    sandbox.write("small", npm_token(1));
    sandbox.write("large", npm_token(2) + &" ".repeat(2000));
    let report = sandbox.report(["--max-file-size", "1K"]);
    assert_eq!(paths(&report), ["small"]);
    assert_eq!(skipped(&report, "too-large"), ["large"]);
    assert_eq!(report["summary"]["coverage"]["incomplete"], false);
    sandbox.run(["scan", "--max-file-size", "many"]).exits(2).complains(&["many", "20M"]);
}

#[test]
fn confidence_narrows_the_report_and_counts_the_rest() {
    let sandbox = Sandbox::new();
    sandbox.write("a", common::secret("npm_{alnum:30}{badcrc}", 1));
    sandbox.write("b", npm_token(2));
    assert_eq!(paths(&sandbox.report([""; 0])), ["a", "b"]);
    let report = sandbox.report(["--confidence", "high"]);
    assert_eq!(paths(&report), ["b"]);
    assert_eq!(report["summary"]["suppressed"][0]["by"], "confidence");
    fs::remove_file(sandbox.path("b")).unwrap();
    sandbox.run(["scan", "--confidence", "medium"]).exits(0);
    sandbox.run(["scan"]).exits(1);
}

#[test]
fn rule_and_exclude_rule_choose_by_id_kind_and_issuer() {
    let sandbox = Sandbox::new();
    sandbox.write("npm", npm_token(1));
    sandbox.write("github", common::secret("ghp_{alnum:30}{crc}", 2));
    assert_eq!(paths(&sandbox.report(["--rule", "npm-access-token"])), ["npm"]);
    assert_eq!(paths(&sandbox.report(["--rule", "github"])), ["github"]);
    assert_eq!(paths(&sandbox.report(["--exclude-rule", "github"])), ["npm"]);
    assert_eq!(paths(&sandbox.report(["--rule", "npm", "--rule", "github"])).len(), 2);
    sandbox.run(["scan", "--rule", "nmp"]).exits(2).complains(&["nmp", "rules list"]);
}

#[test]
fn guessing_at_passwords_is_off_until_it_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("a.ini", common::secret("password = \"{alnum:9}-{alnum:9}\"\n", 1));
    sandbox.write("b.txt", npm_token(1));
    assert_eq!(paths(&sandbox.report([""; 0])), ["b.txt"]);
    assert_eq!(paths(&sandbox.report(["--rule", "generic"])), ["a.ini", "b.txt"]);
}

#[test]
fn plain_files_of_git_are_searched_and_objects_can_be_left_out() {
    let sandbox = Sandbox::new();
    sandbox.write(".git/HEAD", "ref: refs/heads/main\n");
    fs::create_dir_all(sandbox.path(".git/refs/heads")).unwrap();
    let plain = [".git/COMMIT_EDITMSG", ".git/FETCH_HEAD", ".git/config", ".git/hooks/pre-push"];
    let plain = [&plain[..], &[".git/logs/HEAD", ".git/packed-refs"]].concat();
    for (at, file) in plain.iter().enumerate() {
        sandbox.write(file, npm_token(at as u64));
    }
    sandbox.write(".git/objects/12/34", npm_token(99));
    // A folder of that name that is no object store is searched.
    sandbox.write("objects/a", npm_token(98));
    let report = sandbox.report(["."]);
    // What lies among objects and is none is a file like any other.
    let stray = [&plain[..], &[".git/objects/12/34", "objects/a"]].concat();
    assert_eq!(paths(&report).into_iter().collect::<BTreeSet<_>>(), stray.into_iter().collect());
    let report = sandbox.report([".", "--git-history", "none"]);
    assert_eq!(paths(&report), [&plain[..], &["objects/a"]].concat());
    assert_eq!(skipped(&report, "git-objects"), [".git/objects"]);
    let run = sandbox.run(["scan", "--git-history", "none"]);
    assert!((run.out() + &run.err()).contains("git object store"));
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::os::unix::process::CommandExt as _;

    use super::*;

    /// Somebody who is neither root nor the owner of the files.
    const NOBODY: u32 = 65534;

    fn am_root() -> bool {
        // SAFETY: geteuid has no preconditions.
        unsafe { libc::geteuid() == 0 }
    }

    /// Runs as somebody who may not read what is closed to others.
    fn as_nobody(sandbox: &Sandbox, words: &[&str]) -> common::Run {
        let mut call = sandbox.call(words);
        if am_root() {
            for folder in ["", "..", "../home"] {
                let open = fs::Permissions::from_mode(0o755);
                fs::set_permissions(sandbox.path(folder), open).unwrap();
            }
            call.command.uid(NOBODY).gid(NOBODY);
        }
        call.run()
    }

    fn close(sandbox: &Sandbox, path: &str) {
        fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(0o000)).unwrap();
    }

    #[test]
    fn an_unreadable_file_makes_a_clean_scan_incomplete() {
        let sandbox = Sandbox::new();
        sandbox.write("a.txt", "clean");
        sandbox.write("closed", npm_token(1));
        close(&sandbox, "closed");
        let run = as_nobody(&sandbox, &["scan", "-f", "json"]).exits(3);
        let report = run.json();
        assert_eq!(skipped(&report, "unreadable"), ["closed"]);
        assert_eq!(report["summary"]["coverage"]["incomplete"], true);
        let run = as_nobody(&sandbox, &["scan", "-q"]).exits(3);
        assert!((run.out() + &run.err()).contains("closed"), "gaps are shown even with -q");
        as_nobody(&sandbox, &["scan", "--exit-zero"]).exits(3);
        as_nobody(&sandbox, &["scan", "closed"]).exits(3);
    }

    #[test]
    fn findings_beat_an_unreadable_folder_and_both_are_said() {
        let sandbox = Sandbox::new();
        sandbox.write("a.txt", npm_token(1));
        sandbox.write("closed/b.txt", npm_token(2));
        close(&sandbox, "closed");
        let run = as_nobody(&sandbox, &["scan", "-f", "json"]);
        fs::set_permissions(sandbox.path("closed"), fs::Permissions::from_mode(0o755)).unwrap();
        let report = run.exits(1).json();
        assert_eq!(paths(&report), ["a.txt"]);
        assert_eq!(skipped(&report, "unreadable"), ["closed"]);
    }

    #[test]
    fn a_folder_that_vanishes_is_a_gap_and_no_crash() {
        for round in 0..3 {
            let sandbox = Sandbox::new();
            sandbox.write("a.txt", npm_token(1));
            for at in 0..200 {
                sandbox.write(format!("gone/{at}/x/y.txt"), "clean");
            }
            let gone = sandbox.path("gone");
            let remover = std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(20 + 30 * round));
                let _ = fs::remove_dir_all(gone);
            });
            let report = sandbox.run(["scan", "-f", "json", "-j", "2"]).exits(1).json();
            remover.join().unwrap();
            assert_eq!(paths(&report), ["a.txt"]);
            let skipped = report["summary"]["coverage"]["skipped"].as_array().unwrap();
            assert!(skipped.iter().all(|skip| skip["reason"] == "vanished"), "{skipped:?}");
        }
    }

    fn fifo(path: &std::path::Path) {
        let status = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(status.success());
    }

    #[test]
    fn pipes_and_sockets_in_a_tree_are_named_and_never_opened() {
        let sandbox = Sandbox::new();
        sandbox.write("a.txt", npm_token(1));
        fifo(&sandbox.path("pipe"));
        let _socket = UnixListener::bind(sandbox.path("socket")).unwrap();
        let report = sandbox.report(["."]);
        assert_eq!(paths(&report), ["a.txt"]);
        assert_eq!(skipped(&report, "special"), ["pipe", "socket"]);
        assert_eq!(report["summary"]["coverage"]["incomplete"], false);
    }

    #[test]
    fn a_pipe_that_is_a_target_is_refused_with_advice() {
        let sandbox = Sandbox::new();
        fifo(&sandbox.path("pipe"));
        let run = sandbox.run(["scan", "pipe"]).exits(3);
        assert!((run.out() + &run.err()).contains("tokensweep scan -"));
    }

    #[test]
    fn links_are_followed_on_request_and_loops_end() {
        let sandbox = Sandbox::new();
        sandbox.write("real/a.txt", npm_token(1));
        sandbox.write("../outside/b.txt", npm_token(2));
        symlink("..", sandbox.path("real/loop")).unwrap();
        symlink("../outside", sandbox.path("link")).unwrap();
        symlink("nowhere", sandbox.path("dangling")).unwrap();
        let report = sandbox.report(["."]);
        assert_eq!(paths(&report), ["real/a.txt"]);
        assert_eq!(skipped(&report, "symlink"), ["dangling", "link", "real/loop"]);
        let report = sandbox.report(["--follow-symlinks"]);
        assert_eq!(paths(&report), ["link/b.txt", "real/a.txt"]);
        assert_eq!(skipped(&report, "link-loop").len(), 1);
    }

    #[test]
    fn a_link_that_is_the_target_is_followed() {
        let sandbox = Sandbox::new();
        sandbox.write("real/a.txt", npm_token(1));
        symlink("real", sandbox.path("tree")).unwrap();
        symlink("real/a.txt", sandbox.path("file")).unwrap();
        assert_eq!(paths(&sandbox.report(["tree"])), ["a.txt"]);
        assert_eq!(paths(&sandbox.report(["file"])), ["file"]);
    }

    #[test]
    fn any_file_name_works_and_none_reaches_the_terminal_raw() {
        let names: [&[u8]; 6] = [
            b"not-utf8-\xff\xfe.env",
            b"new\nline",
            b"esc\x1b[31mred",
            "bidi-\u{202e}txt.exe".as_bytes(),
            b"-f",
            b"a b'\"$(x)",
        ];
        let sandbox = Sandbox::new();
        for (at, name) in names.iter().enumerate() {
            sandbox.write(OsStr::from_bytes(name), npm_token(at as u64));
        }
        for format in ["text", "json", "jsonl", "sarif", "github"] {
            let run = sandbox.run(["scan", "-v", "-f", format]).exits(1);
            let said = String::from_utf8(run.stdout).expect("output is UTF-8");
            let control = |c: char| c.is_control() && c != '\n';
            assert!(!said.contains(control) && !said.contains('\u{202e}'), "{format}\n{said}");
            assert!(!said.contains("new\nline"), "{format}\n{said}");
        }
        let report = sandbox.report(["."]);
        assert_eq!(findings(&report).len(), names.len());
        let found = paths(&report);
        for path in
            ["new\nline", "esc\u{1b}[31mred", "bidi-\u{202e}txt.exe", "not-utf8-\\xff\\xfe.env"]
        {
            assert!(found.contains(&path), "{path:?} is not in {found:?}");
        }
        for name in names {
            let target = OsStr::from_bytes(name);
            sandbox.run([OsStr::new("scan"), OsStr::new("--"), target]).exits(1);
        }
    }
}
