//! `tokensweep blast-radius` against a registry that keeps the contract.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::asking::{acme, bound, documents, keeps, npmrc, radius};
use common::registry::manners::assert_polite;
use common::registry::packages::{By, Version, portfolio};
use common::registry::people::classic_row;
use common::registry::{Account, Kind, Manner, Package, Registry, Reply};
use common::{Run, Sandbox, findings, npm_token};
use serde_json::{Value, json};

/// Runs the command on a token, and asserts what must always hold.
#[track_caller]
fn run(registry: &Registry, token: &str, more: &str) -> Run {
    run_in(&Sandbox::new(), registry, token, more)
}

#[track_caller]
fn run_in(sandbox: &Sandbox, registry: &Registry, token: &str, more: &str) -> Run {
    let words = format!("blast-radius -f json --timeout 3 {more}");
    let run = registry.call(sandbox, &words, &npmrc([token])).run();
    keeps(&run, &[token]);
    assert_polite(&registry.requests(), &[token]);
    run
}

#[track_caller]
fn package<'r>(radius: &'r Value, name: &str) -> &'r Value {
    let mut packages = radius["packages"].as_array().unwrap().iter();
    packages.find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name} in {radius}"))
}

fn names(radius: &Value) -> BTreeSet<&str> {
    let packages = radius["packages"].as_array().unwrap().iter();
    packages.map(|package| package["name"].as_str().unwrap()).collect()
}

#[test]
fn a_session_tells_all() {
    let registry = acme();
    for _ in 0..12 {
        registry.token("alice", Kind::ReadOnly);
    }
    registry.world().more_rows.push(classic_row(1));
    let token = registry.token("alice", Kind::Session);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert_eq!(radius["account"]["user"]["value"], "alice");
    assert_eq!(radius["account"]["second_factor"]["value"], "auth-and-writes");
    let mail = radius["account"]["email"]["value"].as_str().unwrap();
    assert!(mail.ends_with("@example.com") && !mail.contains("alice"), "{mail}");
    assert_eq!(radius["token"]["kind"]["value"], "session");
    assert_eq!(radius["token"]["siblings"]["value"], 13);
    let expected = BTreeSet::from(["@acme/open", "@acme/secret", "kit"]);
    assert_eq!(names(&radius), expected, "private ones too, and nobody else's");
    assert_eq!(package(&radius, "kit")["right"]["value"], "publish");
    assert_eq!(package(&radius, "kit")["weekly_downloads"]["value"], 50_000);
    assert!(radius["orgs"]["value"].to_string().contains("acme"));
}

#[test]
fn a_refusal_is_no_proof_of_harmlessness() {
    let registry = acme();
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert_eq!(radius["account"]["user"]["value"], "alice");
    assert_eq!(radius["account"]["second_factor"]["certainty"], "refused");
    assert_eq!(radius["token"]["kind"]["value"], Value::Null);
    assert_eq!(radius["token"]["bypass"]["certainty"], "refused");
    let rights = radius["rights"].as_array().unwrap();
    assert!(rights.len() > 1, "the bounds, as the kind is not known: {rights:?}");
    assert_eq!(names(&radius), BTreeSet::from(["@acme/open", "kit"]));
    let right = &package(&radius, "kit")["right"];
    assert_eq!((&right["value"], &right["certainty"]), (&json!("publish"), &json!("upper-bound")));
}

#[test]
fn a_list_that_answers_tells_the_kind() {
    let registry = acme();
    let token = registry.token_with("alice", Kind::BypassBefore, |token| {
        token.scopes = vec!["@acme".into()];
        token.cidr = vec!["192.0.2.0/24".into()];
    });
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert_eq!(radius["token"]["kind"]["value"], "read-write-bypass");
    assert_eq!(radius["token"]["bypass"]["value"], true);
    assert_eq!(radius["token"]["key"]["value"], registry.key(&token));
    assert_eq!(radius["token"]["cidr"]["value"], json!(["192.0.2.0/24"]));
    assert_eq!(radius["rights"].as_array().unwrap().len(), 1);
    assert_eq!(package(&radius, "@acme/open")["right"]["value"], "publish");
    assert_eq!(names(&radius), BTreeSet::from(["@acme/open"]), "kit is not in its scope");
    assert!(radius["not_checked"].to_string().contains("1 package of alice"), "{radius}");
}

#[test]
fn the_token_goes_nowhere_where_everybody_may_read() {
    let registry = acme();
    let token = registry.token("alice", Kind::Session);
    run(&registry, &token, "").exits(1);
    let public = ["/kit", "/@acme%2Fopen", "/@acme%2fopen"];
    for request in documents(&registry) {
        let open = public.contains(&request.path());
        assert!(!open || request.bearer().is_none(), "{}", request.target);
    }
    assert!(registry.lines().iter().any(|line| line.starts_with("GET /-/v1/search")));
}

#[test]
fn requests_are_as_many_as_they_must_be() {
    let registry = Registry::start();
    registry.account(Account::new("alice"));
    registry.packages(portfolio("alice", 2_000));
    registry.world().packages.values_mut().for_each(|package| package.bulk = 3);
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "--packages 20").exits(1));
    assert_eq!(radius["package_count"]["value"], 2_000);
    assert_eq!(documents(&registry).len(), 20);
    let searches = registry.lines().iter().filter(|line| line.contains("/-/v1/search")).count();
    assert_eq!(searches, 8, "{:?}", registry.lines());
    assert!(registry.lines().len() <= 8 + 20 + 5, "{}", registry.lines().len());
    // Those that most people download.
    let closely: BTreeSet<String> =
        documents(&registry).iter().map(|it| it.target.trim_matches('/').to_owned()).collect();
    let most: BTreeSet<String> = (0..20).map(|n| format!("alice-tool-{n:05}")).collect();
    assert_eq!(closely, most);
}

#[test]
fn pages_of_a_search_may_overlap() {
    let registry = Registry::start();
    registry.packages(portfolio("alice", 600));
    registry.world().unstable = true;
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "--packages 0").exits(1));
    let listed = radius["packages"].as_array().unwrap().len();
    assert_eq!(listed, names(&radius).len(), "none twice");
    assert!(listed >= 598, "{listed}");
}

#[test]
fn an_empty_search_does_not_read_as_harmless() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert_ne!(radius["package_count"]["certainty"], "measured");
    assert_ne!(radius["package_count"]["value"], 0);
}

#[test]
fn a_search_that_is_refused_leaves_the_reach_open() {
    let registry = acme();
    registry.on("/-/v1/search", Reply::json(404, &json!({"error": "no"})));
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert_eq!(radius["package_count"]["value"], Value::Null);
    assert!(!radius["not_checked"].as_array().unwrap().is_empty());
}

/// Three versions of a package since it was open: two by its owner, and one of
/// which only the time is left.
#[test]
fn versions_of_the_window_are_told_with_their_marks() {
    let registry = Registry::start();
    let trusted =
        |number: &str, time: &str| Version::new(number, time, "alice").by(By::Trusted("github"));
    let bad = Version::new("1.2.1", "2026-10-02T00:00:00.000Z", "alice");
    let package = Package::new("kit", "alice")
        .version(trusted("1.1.0", "2026-05-01T00:00:00.000Z"))
        .version(trusted("1.2.0", "2026-06-01T00:00:00.000Z"))
        .version(bad.script("preinstall", "node setup_bun.js"))
        .ghost("1.2.2", "2026-10-02T00:01:00.000Z");
    registry.package(package);
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "--since 2026-09-01").exits(1));
    let releases = package_releases(&radius, "kit");
    let versions: BTreeSet<&str> =
        releases.iter().map(|release| release["version"].as_str().unwrap()).collect();
    assert_eq!(versions, BTreeSet::from(["1.2.1", "1.2.2"]));
    let marks = |version: &str| {
        let release = releases.iter().find(|it| it["version"] == version).unwrap();
        release["marks"].to_string()
    };
    assert!(marks("1.2.1").contains("install"), "{}", marks("1.2.1"));
    assert!(marks("1.2.1").contains("provenance"), "{}", marks("1.2.1"));
    assert!(marks("1.2.2").contains("ghost"), "{}", marks("1.2.2"));
    assert_eq!(radius["window"]["from"]["value"], "2026-09-01T00:00:00Z");
}

fn package_releases<'r>(radius: &'r Value, name: &str) -> &'r Vec<Value> {
    package(radius, name)["releases"].as_array().unwrap()
}

#[test]
fn a_dead_token_reaches_nothing_and_may_have_been_used() {
    let registry = acme();
    let token = registry.dead();
    let run = run(&registry, &token, "--since 2026-01-01").exits(0);
    assert_eq!(findings(&run.json())[0]["validation"], "dead");
    let asked = registry.lines();
    assert!(asked.iter().all(|line| !line.contains("/tokens")), "{asked:?}");
}

#[test]
fn only_the_own_packages_are_read_from_a_loose_search() {
    let registry = acme();
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert!(!names(&radius).contains("friends-of-alice"));
    let asked = registry.lines();
    assert!(!asked.contains(&"GET /friends-of-alice".to_owned()), "{asked:?}");
}

#[test]
fn another_registry_is_asked_only_what_it_is_for() {
    let (npm, own) = (acme(), acme());
    own.manner(Manner::Verdaccio);
    let host = own.address().to_string();
    let token = own.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    let words = format!("blast-radius -f json --allow-registry {host}");
    let run = npm.call(&sandbox, &words, &bound(&host, &token)).run();
    keeps(&run, &[&token]);
    for request in npm.requests() {
        assert!(request.header("authorization").is_none(), "{}", request.target);
    }
}

#[test]
fn a_rehearsal_asks_nobody() {
    let registry = acme();
    let token = registry.token("alice", Kind::Session);
    let run = run(&registry, &token, "--dry-run").exits(0);
    assert!(run.out().contains("/-/v1/search"), "{}", run.out());
    assert!(registry.lines().is_empty());
}

#[test]
fn what_is_public_is_not_asked_for_again() {
    let registry = acme();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    let first = run_in(&sandbox, &registry, &token, "--resume state").exits(1);
    let state = std::fs::read(sandbox.path("state")).unwrap();
    common::registry::manners::assert_keeps(&String::from_utf8_lossy(&state), &token);
    assert!(documents(&registry).iter().any(|it| it.path() == "/kit"));
    registry.forget();
    let again = run_in(&sandbox, &registry, &token, "--resume state").exits(1);
    assert!(!documents(&registry).iter().any(|it| it.path() == "/kit"), "{:?}", registry.lines());
    assert_eq!(names(&radius(&first)), names(&radius(&again)));
    assert!(registry.lines().contains(&"GET /-/whoami".to_owned()), "liveness is asked anew");
}

/// A run that ends in the middle, as by Ctrl-C, has kept what it had learnt.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let registry = Registry::start();
    registry.packages(portfolio("alice", 40));
    let token = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    sandbox.write("leaked", npmrc([&token]));
    let words = format!("blast-radius -f json leaked --resume state --registry {}", registry.url());
    let mut call = sandbox.call(words.split_whitespace().chain(["--pace", "0.5"]));
    let mut child = call.command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while documents(&registry).len() < 12 {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", registry.lines());
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupt = ["-INT".to_owned(), child.id().to_string()];
    std::process::Command::new("kill").args(interrupt).status().unwrap();
    child.wait().unwrap();
    let before = documents(&registry).len();
    registry.forget();
    let run = run_in(&sandbox, &registry, &token, "--resume state").exits(1);
    let after = documents(&registry).len();
    assert!(before + after <= 40 + 8, "{before} before and {after} after");
    assert_eq!(names(&radius(&run)).len(), 40);
}

#[test]
fn two_tokens_of_one_account_ask_for_its_packages_once() {
    let registry = acme();
    let tokens = [registry.token("alice", Kind::Bypass), registry.token("alice", Kind::ReadOnly)];
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, "blast-radius -f json", &npmrc(&tokens)).run().exits(1);
    keeps(&run, &[&tokens[0], &tokens[1]]);
    let lines = registry.lines();
    let count = |path: &str| lines.iter().filter(|line| line.contains(path)).count();
    assert_eq!((count("/-/v1/search"), count("GET /kit")), (1, 1), "{lines:?}");
}

#[test]
fn a_text_can_be_acted_on() {
    let registry = acme();
    let token = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, "blast-radius", &npmrc([&token])).run().exits(1);
    let text = run.out();
    for word in ["alice", "kit", "npm token revoke", "without a second factor"] {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
}

#[test]
fn a_dead_one_among_the_living_is_not_asked_more() {
    let registry = acme();
    let (dead, alive) = (npm_token(1), registry.token("alice", Kind::Bypass));
    let sandbox = Sandbox::new();
    registry.call(&sandbox, "blast-radius -f json", &npmrc([&dead, &alive])).run().exits(1);
    let asked = registry.requests().iter().filter(|it| it.bearer() == Some(dead.as_str())).count();
    assert_eq!(asked, 2);
}

#[test]
fn a_graph_can_be_drawn() {
    let registry = acme();
    let token = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    let dot = registry.call(&sandbox, "blast-radius -f dot", &npmrc([&token])).run().exits(1).out();
    assert!(dot.starts_with("digraph") && dot.contains("kit"), "{dot}");
}
