//! `tokensweep rules`, and rule files of a user's own.

mod common;

use common::{Sandbox, npm_token, paths, secrets};

/// A rule of a user's; `more` replaces or adds lines of the rule.
fn rule_file(pattern: &str, example: &str) -> String {
    format!(
        r#"issuer = "Ours"

[[rule]]
id = "ours-key"
name = "our own key"
pattern = '''{pattern}'''
confidence = "high"
severity = "high"
examples = ["{example}"]
counter_examples = ["ours_short"]
"#
    )
}

fn good() -> String {
    rule_file("(?P<secret>ours_[0-9a-z]{20})", "k=«ours_{lowernum:20}»")
}

fn our_key(seed: u64) -> String {
    common::secret("ours_{lowernum:20}", seed)
}

#[test]
fn list_names_every_rule_once_and_says_which_are_off() {
    let sandbox = Sandbox::new();
    let out = sandbox.run(["rules", "list"]).exits(0).out();
    for id in ["npm-access-token", "npm-legacy-token", "github-pat-classic", "aws-access-key-id"] {
        let lines = out.lines().filter(|line| line.split_whitespace().next() == Some(id));
        assert_eq!(lines.count(), 1, "{id}");
    }
    assert!(out.contains("[--rule generic]"));
    let json = sandbox.run(["rules", "list", "--json"]).exits(0).out();
    let count = json.lines().count();
    assert!(out.ends_with(&format!("\n{count} rules\n")), "{count}");
    for line in json.lines() {
        let rule: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(rule["id"].is_string() && rule["kind"].is_string(), "{line}");
    }
}

#[test]
fn list_takes_the_rules_of_a_user() {
    let sandbox = Sandbox::new();
    sandbox.write("ours.toml", good());
    let out = sandbox.run(["rules", "list", "--rules", "ours.toml"]).exits(0).out();
    assert!(out.contains("ours-key"));
}

#[test]
fn show_prints_a_rule_that_loads_again() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(["rules", "show", "npm-access-token"]).exits(0).out();
    sandbox.write("copy.toml", text);
    sandbox.run(["rules", "check", "copy.toml"]).exits(0);
    sandbox.run(["rules", "show", "npm-acess-token"]).exits(2).complains(&["rules list"]);
    sandbox.write("ours.toml", good());
    // The last rule of its file: what follows is about checks.
    let last = sandbox.run(["rules", "show", "github-token-hex-netrc"]).exits(0);
    assert!(last.out().ends_with("]\n"), "{}", last.out());
    let ours = sandbox.run(["rules", "show", "ours-key", "--rules", "ours.toml"]).exits(0);
    assert!(ours.out().contains("our own key"));
}

#[test]
fn the_shipped_rules_pass_their_check() {
    let out = Sandbox::new().run(["rules", "check"]).exits(0).out();
    assert!(out.ends_with(" 0 failed\n"), "{out}");
}

#[test]
fn a_good_rule_of_a_user_is_used_beside_the_shipped_ones() {
    let sandbox = Sandbox::new();
    sandbox.write("rules/ours.toml", good());
    sandbox.write("tree/a", our_key(1));
    sandbox.write("tree/b", npm_token(2));
    sandbox.run(["rules", "check", "rules/ours.toml"]).exits(0);
    assert_eq!(paths(&sandbox.report(["tree"])), ["b"]);
    for place in ["rules/ours.toml", "rules"] {
        assert_eq!(paths(&sandbox.report(["tree", "--rules", place])), ["a", "b"]);
    }
    let only = ["tree", "--rules", "rules", "--rule", "ours-key"];
    assert_eq!(secrets(&sandbox.report(only)), [our_key(1)]);
}

#[test]
fn a_rule_of_a_user_replaces_the_shipped_one_of_its_id() {
    let sandbox = Sandbox::new();
    sandbox.write("ours.toml", good().replace("ours-key", "npm-access-token"));
    sandbox.write("tree/a", our_key(1));
    sandbox.write("tree/b", npm_token(2));
    assert_eq!(paths(&sandbox.report(["tree", "--rules", "ours.toml"])), ["a"]);
}

#[test]
fn test_says_of_every_match_what_became_of_it() {
    let sandbox = Sandbox::new();
    let key = our_key(1);
    sandbox.write("ours.toml", good());
    let words = ["rules", "test", "--rules", "ours.toml", "--rule", "ours-key", "-"];
    let text = format!("x\n k={key} ours_{}\n", "a".repeat(20));
    let out = sandbox.call(words).stdin(text.clone()).run().exits(1).out();
    assert!(out.contains("2:4 ours-key") && out.contains("kept"), "{out}");
    assert!(out.contains("rejected: blanked value") && out.contains("2 matches, 1 kept"), "{out}");
    assert!(!out.contains(&key));
    sandbox.write("text", text);
    let words = ["rules", "test", "--rules", "ours.toml", "--show-secrets", "text"];
    assert!(sandbox.run(words).exits(1).out().contains(&key));
    sandbox.call(["rules", "test", "-"]).stdin("nothing").run().exits(0);
    sandbox.run(["rules", "test", "no-such-file"]).exits(2).complains(&["no-such-file"]);
}

/// What a broken file makes `rules check` and `scan --rules` say.
#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write("ours.toml", text);
    let words = [&["ours.toml", "try:"], words].concat();
    sandbox.run(["rules", "check", "ours.toml"]).exits(2).complains(&words);
    sandbox.run(["scan", "--rules", "ours.toml"]).exits(2).complains(&words);
}

#[test]
fn invalid_toml_is_refused_with_its_line() {
    refused(&good().replace("confidence = \"high\"", "confidence = \"high"), &["line 7"]);
    refused("issuer = \"Ours\"\n", &["[[rule]]"]);
    refused(&good().replace("severity = \"high\"", "severity = \"huge\""), &["line 8", "huge"]);
    refused(&good().replace("severity = \"high\"\n", ""), &["severity"]);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_known_ones() {
    let text = good().replace("severity =", "severty =");
    refused(&text, &["line 8", "severty", "severity"]);
}

#[test]
fn a_double_id_is_refused() {
    let one = good();
    let two = one.split_once("\n\n").unwrap().1;
    refused(&format!("{one}\n{two}"), &["ours-key", "another id"]);
}

#[test]
fn an_unbounded_pattern_is_refused_with_its_line() {
    refused(&rule_file("(?P<secret>ours_[0-9a-z]+)", "x"), &["ours.toml:4", "bound"]);
}

#[test]
fn a_pattern_without_a_secret_is_refused_with_its_line() {
    refused(&rule_file("ours_[0-9a-z]{20}", "x"), &["ours.toml:4", "secret"]);
    refused(&rule_file("(?P<secret>ours_[0-9a-z{20}", "x"), &["ours.toml:4"]);
    refused(&rule_file("(?P<secret>[0-9a-z]{20})", "x"), &["ours.toml:4"]);
}

#[test]
fn an_example_that_does_not_match_fails_the_check_and_is_shown() {
    let sandbox = Sandbox::new();
    let text = rule_file("(?P<secret>ours_[0-9a-z]{20})", "k=«ours_{lowernum:19}»");
    sandbox.write("ours.toml", text);
    let out = sandbox.run(["rules", "check", "ours.toml"]).exits(1).out();
    for word in ["ours.toml", "ours-key", "ours_{lowernum:19}", "no match", "1 failed"] {
        assert!(out.contains(word), "no {word:?} in {out}");
    }
    let text = good().replace("ours_short", "x ours_{lowernum:20}");
    sandbox.write("ours.toml", text);
    let out = sandbox.run(["rules", "check", "ours.toml"]).exits(1).out();
    assert!(out.contains("must not"), "{out}");
}

#[test]
fn a_missing_file_or_an_empty_folder_of_rules_is_refused() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox.run(["scan", "--rules", "none.toml"]).exits(2).complains(&["none.toml"]);
    sandbox.run(["scan", "--rules", "empty"]).exits(2).complains(&["empty", ".toml"]);
}
