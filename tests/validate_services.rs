//! `tokensweep validate` and the issuers that rule files tell how to ask.

mod common;

use common::asking::{keeps, npmrc, outcomes};
use common::registry::manners::assert_polite;
use common::registry::{GitHubToken, Kind, Registry, Reply, hostile};
use common::{Run, Sandbox, findings, secret};
use serde_json::json;

fn github_token(seed: u64) -> String {
    secret("ghp_{alnum:30}{crc}", seed)
}

/// Validates a text; what is for GitHub goes to a registry's part of it.
fn validate(registry: &Registry, sandbox: &Sandbox, text: &str, tokens: &[&str]) -> Run {
    let words = format!("validate -f json --registry api.github.com={}", registry.github_url());
    let run = registry.call(sandbox, &words, text).run();
    keeps(&run, tokens);
    assert_polite(&registry.requests(), tokens);
    run
}

#[test]
fn github_is_asked_once_and_tells_user_and_scopes() {
    let registry = Registry::start();
    let token = github_token(1);
    registry.github(GitHubToken::new(&token, "alice", &["repo", "workflow"]));
    let text = format!("GITHUB_TOKEN={token}\n");
    let report = validate(&registry, &Sandbox::new(), &text, &[&token]).exits(1).json();
    assert_eq!(outcomes(&report), ["active"]);
    assert_eq!(registry.lines(), ["GET /github/user"]);
    let identity = &findings(&report)[0]["validation_detail"]["identity"];
    assert_eq!(identity["user"], "alice");
    assert!(identity["scopes"].to_string().contains("workflow"), "{identity}");
}

#[test]
fn github_refuses_in_several_ways() {
    let refused = json!({"message": "Resource not accessible by personal access token"});
    let table = [
        (None, "dead", 0),
        (Some(Reply::json(403, &refused)), "restricted", 1),
        (Some(Reply::json(403, &json!({"message": "else"}))), "unknown", 3),
        (Some(Reply::html(200, "log in")), "unknown", 3),
        (Some(hostile::not_json()), "unknown", 3),
        (Some(hostile::truncated()), "unknown", 3),
        (Some(hostile::redirect("/github/user")), "unknown", 3),
    ];
    for (reply, outcome, code) in table {
        let registry = Registry::start();
        let token = github_token(2);
        let shown = format!("{reply:?}");
        if let Some(reply) = reply {
            registry.on("/github/user", reply);
        }
        let text = format!("GITHUB_TOKEN={token}\n");
        let run = validate(&registry, &Sandbox::new(), &text, &[&token]).exits(code);
        assert_eq!(outcomes(&run.json()), [outcome], "{shown}");
        assert_eq!(registry.lines().len(), 1, "{shown}");
    }
}

#[test]
fn a_token_is_dead_where_the_text_binds_it_to_github() {
    let registry = Registry::start();
    let token = github_token(2);
    let text = format!("https://ada:{token}@github.com/acme/web.git\n");
    let report = validate(&registry, &Sandbox::new(), &text, &[&token]).exits(0).json();
    assert_eq!(outcomes(&report), ["dead"]);
    assert_eq!(registry.lines(), ["GET /github/user"]);
}

#[test]
fn a_used_up_limit_proves_nothing() {
    let registry = Registry::start();
    let token = github_token(3);
    let limited = GitHubToken { limited: true, ..GitHubToken::new(&token, "alice", &[]) };
    registry.github(limited);
    let text = format!("GITHUB_TOKEN={token}\n");
    let run = validate(&registry, &Sandbox::new(), &text, &[&token]).exits(3);
    assert_eq!(outcomes(&run.json()), ["unknown"]);
    assert_eq!(registry.lines().len(), 1, "the switch of a worm would see more");
}

/// A switch that fires when the token dies or is limited: it is not touched.
#[test]
fn an_armed_switch_keeps_github_from_being_asked() {
    let registry = Registry::start();
    let token = github_token(4);
    let npm = registry.token("alice", Kind::ReadOnly);
    registry.github(GitHubToken::new(&token, "alice", &["repo"]));
    let text = format!("GITHUB_TOKEN={token}\n{}", npmrc([&npm]));
    let sandbox = Sandbox::new();
    common::write(&sandbox.home(".local/bin/gh-token-monitor.sh"), "sleep 60\n");
    let run = validate(&registry, &sandbox, &text, &[&token, &npm]).exits(4);
    assert_eq!(registry.lines(), ["GET /-/whoami"], "npm's is not what it watches");
    let report = run.json();
    let github = findings(&report).iter().find(|it| it["service"] == "github").unwrap();
    assert_eq!(github["validation"], "skipped");
    assert!(github["validation_detail"]["words"].as_str().unwrap().contains("switch"));
}

/// Whoever reads the report may be a program: people are told beside it.
#[test]
fn an_armed_switch_is_told_whatever_the_report_goes_to() {
    let registry = Registry::start();
    let npm = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    common::write(&sandbox.home(".local/bin/gh-token-monitor.sh"), "sleep 60\n");
    sandbox.write("leak/.npmrc", npmrc([&npm]));
    let ways = ["-o out.txt", "-f json", "-f sarif", "-f github", "--dry-run", "-q -f jsonl"];
    for command in ["validate leak", "blast-radius leak -f dot", "scan leak --validate"] {
        for way in ways.iter().filter(|way| !(way.contains("-f") && command.contains("-f"))) {
            let words = format!("{command} {way}");
            let run = registry.call(&sandbox, &words, "").run().exits(4);
            assert!(run.err().contains("DEAD-MAN'S SWITCH IS ARMED"), "{words}: {}", run.err());
            keeps(&run, &[&npm]);
        }
    }
}

/// What is left of a switch may be all that is seen of one that still watches.
#[test]
fn what_a_switch_left_behind_keeps_github_from_being_asked() {
    let registry = Registry::start();
    let token = github_token(5);
    registry.github(GitHubToken::new(&token, "alice", &["repo"]));
    for part in ["token", "started_at"] {
        let sandbox = Sandbox::new();
        common::write(&sandbox.home(format!(".config/gh-token-monitor/{part}")), "1\n");
        let text = format!("GITHUB_TOKEN={token}\n");
        let run = validate(&registry, &sandbox, &text, &[&token]).exits(3);
        assert_eq!(outcomes(&run.json()), ["skipped"]);
        assert!(run.out().contains("parts of a dead-man's switch"), "{}", run.out());
    }
    assert!(registry.lines().is_empty(), "{:?}", registry.lines());
}

/// GitHub's own registry, one that a user allowed, and one that speaks npm's words
/// lead to GitHub as well.
#[test]
fn an_armed_switch_keeps_every_way_to_github_closed() {
    let registry = Registry::start();
    let token = github_token(7);
    registry.github(GitHubToken::new(&token, "alice", &["repo"]));
    let packages = ["npm.pkg.", "github.com"].concat();
    let own = registry.address().to_string();
    for host in ["api.github.com", &packages, &own, tokensweep::model::NPM_REGISTRY] {
        for token in [&token, &common::npm_token(7)] {
            if (host == own || host == tokensweep::model::NPM_REGISTRY) && token.starts_with("npm")
            {
                continue;
            }
            let sandbox = Sandbox::new();
            common::write(&sandbox.home(".local/bin/gh-token-monitor.sh"), "sleep 60\n");
            let words = format!(
                "validate -f json --allow-registry {host} --registry {packages}={} --registry \
                 api.github.com={} --allow-registry {own}",
                registry.url(),
                registry.github_url()
            );
            let text = common::asking::bound(host, token);
            let run = registry.call(&sandbox, &words, &text).run().exits(4);
            assert!(registry.lines().is_empty(), "{host}: {:?}", registry.lines());
            assert_eq!(outcomes(&run.json()), ["skipped"], "{host}");
        }
    }
}

/// A host that is known as one service's own is no place for the token of another.
#[test]
fn a_token_goes_to_its_own_issuer_alone() {
    let registry = Registry::start();
    let npm = common::npm_token(8);
    let gitlab = secret("glpat-{alnum:20}", 8);
    let sandbox = Sandbox::new();
    for host in ["slack.com", "api.github.com"] {
        for text in [
            common::asking::bound(host, &npm),
            format!("https://oauth2:{gitlab}@{host}/group/repo.git\n"),
        ] {
            let words = format!("validate -f json --registry {host}={}", registry.url());
            let run = registry.call(&sandbox, &words, &text).run().exits(3);
            keeps(&run, &[&npm, &gitlab]);
            assert!(registry.lines().is_empty(), "{text}: {:?}", registry.lines());
            let plan = registry.call(&sandbox, "validate --dry-run", &text).run().out();
            assert!(!plan.contains(&format!("//{host}/")), "{plan}");
        }
    }
}

#[test]
fn github_saying_the_token_back_is_not_repeated() {
    for status in [200, 401, 403, 418] {
        let registry = Registry::start();
        let token = github_token(6);
        registry.on_with("/github/", usize::MAX, hostile::mirror(status));
        let text = format!("GITHUB_TOKEN={token}\n");
        validate(&registry, &Sandbox::new(), &text, &[&token]);
    }
}

/// Many pairs in many copies: each secret goes with the key id beside it, and to
/// find it costs no more than to read them.
#[test]
fn each_key_finds_the_id_beside_it() {
    let registry = Registry::start();
    let sandbox = Sandbox::new();
    let ids: Vec<String> = (0..300).map(|seed| secret("AKIA{upper:16}", seed)).collect();
    let pair = |(seed, id): (u64, &String)| {
        let key = secret("{alnum:40}", 1_000 + seed);
        format!("[p{seed}]\naws_access_key_id = {id}\naws_secret_access_key = {key}\n\n")
    };
    let text: String = (0..).zip(&ids).map(pair).collect();
    for copy in 0..20 {
        sandbox.write(format!("{copy}/credentials"), &text);
    }
    let begun = std::time::Instant::now();
    let run = registry.call(&sandbox, "validate . --dry-run", "").run().exits(0);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let asked = run.out().lines().filter(|line| line.contains("Credential=")).count();
    assert!(asked > 250, "{asked}: {}", run.out().chars().take(2_000).collect::<String>());
}
