//! What a user does not want to hear of again, and what a stranger may not
//! silence.

mod common;

use std::fs;

use common::{Run, Sandbox, findings, npm_token, paths, write};
use serde_json::Value;

/// What suppressed something: the way and the entry.
fn suppressed(report: &Value) -> Vec<(&str, Option<&str>)> {
    let list = report["summary"]["suppressed"].as_array().unwrap();
    list.iter().map(|one| (one["by"].as_str().unwrap(), one["entry"].as_str())).collect()
}

fn unused(report: &Value) -> Vec<&str> {
    let list = report["summary"]["unused_suppressions"].as_array().unwrap();
    list.iter().map(|entry| entry.as_str().unwrap()).collect()
}

fn settings(report: &Value) -> Vec<&str> {
    let list = report["summary"]["settings"].as_array().unwrap();
    list.iter().map(|entry| entry.as_str().unwrap()).collect()
}

fn said(run: &Run) -> String {
    run.out() + &run.err()
}

// ---- Markers -------------------------------------------------------------------

#[test]
fn a_marker_on_the_line_suppresses_and_is_counted() {
    let sandbox = Sandbox::new();
    sandbox.write("a", format!("t={} # tokensweep:allow\n", npm_token(1)));
    let run = sandbox.run(["scan"]).exits(0);
    assert!(said(&run).contains("suppressed"), "{}", said(&run));
    let report = sandbox.report(["."]);
    assert_eq!(suppressed(&report), [("inline", Some("tokensweep:allow"))]);
    sandbox.run(["scan", "--no-ignore"]).exits(1);
}

#[test]
fn a_marker_covers_its_own_line_only() {
    let sandbox = Sandbox::new();
    let [one, two] = [1, 2].map(npm_token);
    sandbox.write("a", format!("a={one} # tokensweep:allow\nb={two}\n"));
    assert_eq!(common::secrets(&sandbox.report(["."])), [two]);
}

#[test]
fn a_marker_for_the_next_line_covers_that_line_only() {
    let sandbox = Sandbox::new();
    let [one, two] = [1, 2].map(npm_token);
    sandbox.write("a", format!("// tokensweep:allow-next-line\na={one}\nb={two}\n"));
    let report = sandbox.report(["."]);
    assert_eq!(common::secrets(&report), [two]);
    assert_eq!(suppressed(&report), [("inline", Some("tokensweep:allow-next-line"))]);
    sandbox.write("a", format!("b={one} # tokensweep:allow-next-line\n"));
    sandbox.run(["scan"]).exits(1);
}

#[test]
fn a_secret_that_stands_elsewhere_too_is_reported_there() {
    let sandbox = Sandbox::new();
    sandbox.write("a", format!("{} # tokensweep:allow\n", npm_token(1)));
    sandbox.write("b", npm_token(1));
    let report = sandbox.report(["."]);
    assert_eq!(paths(&report), ["b"]);
    assert_eq!(suppressed(&report).len(), 1);
}

#[test]
fn markers_of_other_scanners_count_on_request_only() {
    for marker in [
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "ggignore",
        "pragma: allowlist secret",
        "secretlint-disable-line",
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("a", format!("t={} # {marker}\n", npm_token(1)));
        sandbox.run(["scan"]).exits(1);
        let report = sandbox.report(["--foreign-markers"]);
        assert_eq!(suppressed(&report), [("inline", Some(marker))]);
        sandbox.run(["scan", "--foreign-markers", "--no-ignore"]).exits(1);
    }
}

// ---- The ignore file -------------------------------------------------------------

#[test]
fn an_ignore_file_suppresses_by_value_path_rule_and_date() {
    let sandbox = Sandbox::new();
    for (at, file) in ["a.txt", "docs/b.txt", "docs/deep/c.txt", "d.txt"].iter().enumerate() {
        sandbox.write(format!("tree/{file}"), npm_token(at as u64));
    }
    let all = sandbox.report(["tree"]);
    let of_a = findings(&all).iter().find(|f| f["locations"][0]["path"] == "a.txt").unwrap();
    let fingerprint = of_a["fingerprint"].as_str().unwrap();
    let left = |entries: &str| {
        sandbox.write("ignore", entries);
        let report = sandbox.report(["tree", "--ignore-file", "ignore"]);
        assert!(suppressed(&report).iter().all(|(by, _)| *by == "ignore-file"));
        paths(&report).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(left(&format!("fp:{fingerprint}")), ["d.txt", "docs/b.txt", "docs/deep/c.txt"]);
    assert_eq!(left("path:docs/**"), ["a.txt", "d.txt"]);
    assert_eq!(left("path:docs/*"), ["a.txt", "d.txt", "docs/deep/c.txt"]);
    assert_eq!(
        left("rule:npm-access-token path:d.txt # why"),
        ["a.txt", "docs/b.txt", "docs/deep/c.txt"]
    );
    assert_eq!(left("rule:jwt path:d.txt").len(), 4);
    assert_eq!(left("# only\n\nrule:npm-access-token\n").len(), 0);
    assert_eq!(left("rule:npm-access-token until:2999-01-01").len(), 0);
    assert_eq!(left("rule:npm-access-token until:2020-01-01").len(), 4);
}

#[test]
fn entries_that_match_nothing_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("tree/a", npm_token(1));
    sandbox.write("ignore", "path:a\npath:old/**\nrule:npm-access-token until:2020-01-01\n");
    let run = sandbox.run(["scan", "tree", "--ignore-file", "ignore"]).exits(0);
    assert!(said(&run).contains("path:old/**"), "{}", said(&run));
    let report = sandbox.report(["tree", "--ignore-file", "ignore"]);
    let unused = unused(&report);
    assert_eq!(unused.len(), 2);
    assert!(unused[0].contains("path:old/**") && unused[1].contains("run out"), "{unused:?}");
}

#[test]
fn a_broken_entry_is_refused_with_file_and_line() {
    let sandbox = Sandbox::new();
    for entry in ["nonsense", "fp:12", "path:[", "until:2026-01-01", "rule:x until:soon"] {
        sandbox.write("ignore", format!("# first\n{entry}\n"));
        let run = sandbox.run(["scan", "--ignore-file", "ignore"]);
        run.exits(2).complains(&["ignore:2", "try:"]);
    }
    sandbox.run(["scan", "--ignore-file", "none"]).exits(2).complains(&["none"]);
}

// ---- Baselines -------------------------------------------------------------------

#[test]
fn a_baseline_silences_what_it_holds_and_nothing_new() {
    let sandbox = Sandbox::new();
    sandbox.write("tree/a", npm_token(1));
    let run = sandbox.run(["scan", "tree", "--write-baseline", "known"]).exits(0);
    assert!(run.err().contains("1 fingerprint"), "{}", run.err());
    sandbox.run(["scan", "tree", "--baseline", "known"]).exits(0);
    sandbox.run(["scan", "tree", "-b", "known", "--no-ignore"]).exits(1);
    sandbox.write("tree/b", npm_token(2));
    let report = sandbox.report(["tree", "--baseline", "known"]);
    assert_eq!(paths(&report), ["b"]);
    assert_eq!(suppressed(&report), [("baseline", None)]);
}

#[test]
fn a_baseline_is_sorted_stable_and_holds_no_secret() {
    let sandbox = Sandbox::new();
    let tokens: Vec<String> = (0..20).map(npm_token).collect();
    for (at, token) in tokens.iter().enumerate() {
        sandbox.write(format!("tree/{at}.txt"), token);
    }
    let written = || {
        fs::remove_file(sandbox.path("known")).ok();
        sandbox.run(["scan", "tree", "--write-baseline", "known"]).exits(0);
        fs::read_to_string(sandbox.path("known")).unwrap()
    };
    let first = written();
    let entries: Vec<&str> = first.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(entries.len(), 20);
    assert!(entries.is_sorted());
    assert!(!first.contains(".txt") && tokens.iter().all(|token| !first.contains(&token[4..12])));
    // Another place, another line: the same entries.
    fs::remove_dir_all(sandbox.path("tree")).unwrap();
    sandbox.write("tree/moved/all", format!("\n\nfirst\n{}", tokens.join("\n and ")));
    assert_eq!(written(), first);
}

#[test]
fn writing_a_baseline_again_keeps_remarks_and_drops_what_is_gone() {
    let sandbox = Sandbox::new();
    sandbox.write("tree/a", npm_token(1));
    sandbox.write("tree/b", npm_token(2));
    sandbox.run(["scan", "tree", "--write-baseline", "known"]).exits(0);
    let remarked = fs::read_to_string(sandbox.path("known")).unwrap();
    let remarked = remarked.replace(" npm-access-token", " npm-access-token  # rotated");
    sandbox.write("known", remarked);
    fs::remove_file(sandbox.path("tree/b")).unwrap();
    sandbox.run(["scan", "tree", "--write-baseline", "known"]).exits(0);
    let again = fs::read_to_string(sandbox.path("known")).unwrap();
    assert_eq!(again.matches("# rotated").count(), 1, "{again}");
    assert_eq!(again.lines().count(), 2, "{again}");
}

#[test]
fn entries_of_a_baseline_that_match_nothing_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("tree/a", npm_token(1));
    sandbox.run(["scan", "tree", "--write-baseline", "known"]).exits(0);
    sandbox.write("tree/a", "rotated");
    let report = sandbox.report(["tree", "--baseline", "known"]);
    assert_eq!(unused(&report).len(), 1);
}

#[test]
fn a_baseline_of_another_key_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("tree/a", npm_token(1));
    let words = ["scan", "tree", "--write-baseline", "known"];
    sandbox.call(words).env("TOKENSWEEP_FINGERPRINT_KEY", "one").run().exits(0);
    let words = ["scan", "tree", "--baseline", "known"];
    let complaint = &["known:1", "TOKENSWEEP_FINGERPRINT_KEY"];
    sandbox.run(words).exits(2).complains(complaint);
    sandbox
        .call(words)
        .env("TOKENSWEEP_FINGERPRINT_KEY", "two")
        .run()
        .exits(2)
        .complains(complaint);
    sandbox.call(words).env("TOKENSWEEP_FINGERPRINT_KEY", "one").run().exits(0);
}

#[test]
fn a_missing_or_broken_baseline_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.run(["scan", "--baseline", "none"]).exits(2).complains(&["none", "--write-baseline"]);
    sandbox.write("broken", "# mine\nnonsense here\n");
    sandbox.run(["scan", "--baseline", "broken"]).exits(2).complains(&["broken:2"]);
}

// ---- Settings --------------------------------------------------------------------

/// Settings that would silence everything.
fn mute(sandbox: &Sandbox, folder: &str) {
    sandbox.write(format!("{folder}/.tokensweep.toml"), "exclude = ['**']\nconfidence = 'high'\n");
    sandbox.write(format!("{folder}/.tokensweepignore"), "path:**\n");
}

#[test]
fn settings_inside_a_foreign_target_count_for_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("cloned/a", npm_token(1));
    fs::create_dir_all(sandbox.path("cloned/.git")).unwrap();
    mute(&sandbox, "cloned");
    // From outside, and from a work tree that holds the other.
    for own in [false, true] {
        if own {
            fs::create_dir_all(sandbox.path(".git")).unwrap();
        }
        let report = sandbox.report(["cloned"]);
        assert_eq!((paths(&report), settings(&report)), (vec!["a"], vec![]));
    }
    // A folder that is no work tree at all.
    fs::remove_dir_all(sandbox.path("cloned/.git")).unwrap();
    fs::remove_dir_all(sandbox.path(".git")).unwrap();
    assert_eq!(paths(&sandbox.report(["cloned"])), ["a"]);
}

#[test]
fn settings_of_the_own_work_tree_do_not_reach_a_foreign_target_beside_it() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("mine/.git")).unwrap();
    mute(&sandbox, "mine");
    sandbox.write("mine/a", npm_token(1));
    sandbox.write("theirs/b", npm_token(2));
    let words = ["scan", "-f", "json", ".", "../theirs"];
    let report = sandbox.call(words).cwd(sandbox.path("mine")).run().exits(1).json();
    assert_eq!(paths(&report), ["a", "b"]);
}

#[test]
fn settings_of_the_own_work_tree_count_and_are_named() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path(".git")).unwrap();
    sandbox.write(".tokensweep.toml", "exclude = ['fixtures']\n");
    sandbox.write(".tokensweepignore", "path:old/**\n");
    for (at, file) in ["fixtures/a", "old/b", "src/c"].iter().enumerate() {
        sandbox.write(file, npm_token(at as u64));
    }
    let report = sandbox.report(["."]);
    assert_eq!(paths(&report), ["src/c"]);
    let named = settings(&report).join(" ");
    assert!(named.contains(".tokensweep.toml") && named.contains(".tokensweepignore"), "{named}");
    let run = sandbox.run(["scan"]).exits(1);
    assert!(said(&run).contains(".tokensweep.toml"), "{}", said(&run));
    // From a folder below the root too.
    let call = sandbox.call(["scan", "-f", "json", ".."]).cwd(sandbox.path("src"));
    assert_eq!(paths(&call.run().json()), ["src/c"]);
    let report = sandbox.report(["--no-ignore"]);
    assert_eq!(paths(&report), ["fixtures/a", "old/b", "src/c"]);
    assert!(settings(&report).is_empty());
}

#[test]
fn the_users_own_settings_count_wherever_they_are_kept() {
    let sandbox = Sandbox::new();
    sandbox.write("a", npm_token(1));
    let settings = "exclude-rule = ['npm-access-token']\n";
    sandbox.run(["scan"]).exits(1);
    write(&sandbox.home(".config/tokensweep/config.toml"), settings);
    sandbox.run(["scan"]).exits(0);
    let elsewhere = sandbox.home("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    sandbox.call(["scan"]).env("XDG_CONFIG_HOME", &elsewhere).run().exits(1);
    write(&elsewhere.join("tokensweep/config.toml"), settings);
    sandbox.call(["scan"]).env("XDG_CONFIG_HOME", &elsewhere).run().exits(0);
}

#[test]
fn named_settings_replace_all_others() {
    let sandbox = Sandbox::new();
    sandbox.write("a", npm_token(1));
    write(&sandbox.home(".config/tokensweep/config.toml"), "exclude = ['a']\n");
    write(&sandbox.home("other.toml"), "format = 'json'\n");
    let other = sandbox.home("other.toml");
    sandbox.run(["scan"]).exits(0);
    let by_flag = sandbox.run(["scan".as_ref(), "--config".as_ref(), other.as_os_str()]);
    assert_eq!(paths(&by_flag.exits(1).json()), ["a"]);
    let by_variable = sandbox.call(["scan"]).env("TOKENSWEEP_CONFIG", &other);
    assert_eq!(paths(&by_variable.run().exits(1).json()), ["a"]);
    // A flag is stronger than a setting.
    let text = sandbox.call(["scan", "-f", "text"]).env("TOKENSWEEP_CONFIG", &other).run();
    assert!(serde_json::from_slice::<Value>(&text.stdout).is_err());
}

#[test]
fn broken_settings_are_refused_with_their_place() {
    let sandbox = Sandbox::new();
    let file = sandbox.home(".config/tokensweep/config.toml");
    for (text, word) in [("exclud = ['a']", "exclud"), ("exclude = [", "line 1")] {
        write(&file, text);
        sandbox.run(["scan"]).exits(2).complains(&["config.toml", word, "try:"]);
    }
    sandbox.run(["scan", "--config", "none.toml"]).exits(2).complains(&["none.toml"]);
}
