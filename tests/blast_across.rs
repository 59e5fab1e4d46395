//! `tokensweep blast-radius`: what credentials, lists and the user's own
//! projects mean for each other.

mod common;

use common::asking::{keeps, npmrc};
use common::registry::manners::assert_polite;
use common::registry::packages::{By, Version};
use common::registry::{Account, GitHubToken, Kind, Package, Registry};
use common::{Run, Sandbox, findings, secret};
use serde_json::{Value, json};

fn github_token(seed: u64) -> String {
    secret("ghp_{alnum:30}{crc}", seed)
}

/// Alice publishes `kit` from the workflows of `acme/kit`.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.account(Account::new("alice"));
    let trusted = Version::new("1.1.0", "2026-05-01T00:00:00.000Z", "alice");
    let package = Package::new("kit", "alice").repository("acme/kit");
    registry.package(package.version(trusted.by(By::Trusted("github"))));
    registry
}

fn run(registry: &Registry, sandbox: &Sandbox, words: &str, text: &str, tokens: &[&str]) -> Run {
    let words = format!(
        "blast-radius -f json --timeout 3 --registry api.github.com={} {words}",
        registry.github_url()
    );
    let run = registry.call(sandbox, &words, text).run();
    keeps(&run, tokens);
    assert_polite(&registry.requests(), tokens);
    run
}

/// The edges that lead from GitHub's token to the package, by way of its workflows.
fn through_workflows(report: &Value) -> Vec<Value> {
    let edges = report["response"]["graph"]["edges"].as_array().unwrap().iter();
    let leads = |edge: &&Value| {
        edge["relation"] == "can-publish-through" && edge["to"].as_str().unwrap().contains("kit")
    };
    edges.filter(leads).cloned().collect()
}

#[test]
fn a_github_token_that_writes_the_workflow_can_publish() {
    for (push, edges) in [(true, 1), (false, 0)] {
        let registry = registry();
        let (npm, github) = (registry.token("alice", Kind::Bypass), github_token(1));
        let token = GitHubToken::new(&github, "alice", &["repo", "workflow"]);
        registry.github(token.repository("acme/kit", push, false));
        let text = format!("{}GITHUB_TOKEN={github}\n", npmrc([&npm]));
        let run = run(&registry, &Sandbox::new(), "", &text, &[&npm, &github]).exits(1);
        let found = through_workflows(&run.json());
        assert_eq!(found.len(), edges, "push {push}: {found:?}");
        assert!(found.iter().all(|edge| edge["certainty"] == "measured"), "{found:?}");
        // Each token at its own service, and nowhere else.
        for request in registry.requests() {
            let own = request.path().starts_with("/github/");
            let expected = if own { &github } else { &npm };
            assert!(request.bearer().is_none_or(|it| it == expected), "{}", request.target);
        }
    }
}

#[test]
fn an_armed_switch_keeps_github_from_being_asked_at_all() {
    let registry = registry();
    let (npm, github) = (registry.token("alice", Kind::Bypass), github_token(2));
    let token = GitHubToken::new(&github, "alice", &["repo", "workflow"]);
    registry.github(token.repository("acme/kit", true, true));
    let sandbox = Sandbox::new();
    common::write(&sandbox.home(".local/bin/gh-token-monitor.sh"), "sleep 60\n");
    let text = format!("{}GITHUB_TOKEN={github}\n", npmrc([&npm]));
    let run = run(&registry, &sandbox, "", &text, &[&npm, &github]).exits(4);
    let asked = registry.lines();
    assert!(!asked.iter().any(|line| line.contains("/github/")), "{asked:?}");
    let plan = run.json()["response"]["plan"].to_string();
    assert!(plan.contains("gh-token-monitor"), "{plan}");
}

/// A thief who published by token hides neither the way through the workflow nor
/// the version to go back to.
#[test]
fn a_thiefs_version_hides_no_way_in() {
    let registry = registry();
    let bad = Version::new("1.2.0", "2026-10-01T00:00:00.000Z", "alice");
    let kit = registry.world().packages["kit"].clone();
    registry.package(kit.version(bad));
    let (npm, github) = (registry.token("alice", Kind::Bypass), github_token(1));
    let token = GitHubToken::new(&github, "alice", &["repo", "workflow"]);
    registry.github(token.repository("acme/kit", true, false));
    let text = format!("{}GITHUB_TOKEN={github}\n", npmrc([&npm]));
    let sandbox = Sandbox::new();
    sandbox.write("bad.txt", "kit@1.2.0\n");
    let words = "--since 2026-09-01 --ioc bad.txt";
    let report = run(&registry, &sandbox, words, &text, &[&npm, &github]).exits(1).json();
    let found = through_workflows(&report);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["certainty"], "upper-bound");
    assert!(found[0]["how"].as_str().unwrap().contains("used until 1.1.0"), "{found:?}");
    let plan = report["response"]["plan"].as_array().unwrap();
    let of = |id: &str| plan.iter().find(|step| step["id"] == id).unwrap()["commands"].to_string();
    assert!(of("bad-versions").starts_with(r#"["npm dist-tag add kit@1.1.0 latest""#), "{plan:#?}");
    assert_eq!(of("trusted-publishing"), r#"["npm trust list kit"]"#);
    let at = |id: &str| plan.iter().position(|step| step["id"] == id).unwrap();
    assert!(at("revoke-github") < at("bad-versions") && at("bad-versions") < at("rotate"));
}

#[test]
fn a_version_that_a_list_names_is_bad() {
    let registry = registry();
    let bad = Version::new("1.2.0", "2026-10-01T00:00:00.000Z", "alice");
    let kit = registry.world().packages["kit"].clone();
    registry.package(kit.version(bad));
    let npm = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    sandbox.write("bad.txt", "kit@1.2.0\nother@9.9.9\n");
    let words = "--since 2026-09-01 --ioc bad.txt";
    let report = run(&registry, &sandbox, words, &npmrc([&npm]), &[&npm]).exits(1).json();
    let package = &findings(&report)[0]["blast_radius"]["packages"][0];
    let releases = package["releases"].as_array().unwrap();
    assert_eq!(releases[0]["version"], "1.2.0");
    assert_eq!(releases[0]["marks"][0]["sign"], "known-bad", "{package}");
    run(&registry, &sandbox, "--ioc none.txt", &npmrc([&npm]), &[&npm]).exits(2);
}

#[test]
fn own_projects_that_depend_on_it_are_named() {
    let registry = registry();
    let npm = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    let lock = json!({
        "name": "site", "version": "1.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": {"name": "site", "version": "1.0.0", "dependencies": {"web": "^2.0.0"}},
            "node_modules/web": {"version": "2.0.1", "dependencies": {"kit": "^1.0.0"}},
            "node_modules/kit": {"version": "1.1.0"},
        },
    });
    sandbox.write("src/site/package-lock.json", lock.to_string());
    sandbox.write("src/site/package.json", r#"{"name": "site", "version": "1.0.0"}"#);
    let report =
        run(&registry, &sandbox, "--project src -", &npmrc([&npm]), &[&npm]).exits(1).json();
    let projects = report["response"]["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 1, "{projects:?}");
    assert_eq!(
        (&projects[0]["package"], &projects[0]["version"]),
        (&json!("kit"), &json!("1.1.0"))
    );
    assert!(projects[0]["through"].to_string().contains("web"), "{projects:?}");
}

/// npm hides what is private as if it were not there; the token that sees it
/// may read it. The names come from the user's own projects.
#[test]
fn private_names_of_own_projects_are_tried_with_the_token() {
    let registry = registry();
    registry.account(Account::new("alice").member("acme", "developer"));
    registry.package(Package::new("@acme/secret", "alice").private());
    registry.package(Package::new("@acme/other", "mallory").private());
    let npm = registry.token_with("alice", Kind::ReadOnly, |token| {
        token.scopes = vec!["@acme/secret".into()];
    });
    let sandbox = Sandbox::new();
    for name in ["@acme/secret", "@acme/other"] {
        let package = json!({"name": name, "version": "1.0.0", "private": false});
        sandbox.write(format!("src/{name}/package.json"), package.to_string());
        let lock = json!({"name": name, "lockfileVersion": 3, "packages": {"": {"name": name}}});
        sandbox.write(format!("src/{name}/package-lock.json"), lock.to_string());
    }
    let report =
        run(&registry, &sandbox, "--project src -", &npmrc([&npm]), &[&npm]).exits(1).json();
    let packages = findings(&report)[0]["blast_radius"]["packages"].as_array().unwrap();
    let found = packages.iter().find(|it| it["name"] == "@acme/secret");
    let found = found.unwrap_or_else(|| panic!("{packages:?}"));
    assert_eq!(found["right"]["value"], "read");
    assert!(!packages.iter().any(|it| it["name"] == "@acme/other"), "{packages:?}");
}

#[test]
fn the_plan_is_in_order_and_names_what_was_found() {
    let registry = registry();
    let npm = registry.token("alice", Kind::BypassBefore);
    let sandbox = Sandbox::new();
    let report = run(&registry, &sandbox, "", &npmrc([&npm]), &[&npm]).exits(1).json();
    let plan = report["response"]["plan"].as_array().unwrap();
    let commands = plan.iter().map(|step| step["commands"].to_string()).collect::<String>();
    let key = registry.key(&npm);
    assert!(commands.contains(&format!("npm token revoke {key}")), "{commands}");
    assert!(!commands.contains("gh-token-monitor"), "no switch was found: {commands}");
}
