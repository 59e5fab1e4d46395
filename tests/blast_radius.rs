//! `tokensweep blast-radius` against a registry that keeps the contract.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::asking::{bound, keeps, npmrc};
use common::registry::manners::assert_polite;
use common::registry::packages::{By, Version, portfolio};
use common::registry::people::classic_row;
use common::registry::{Account, Kind, Manner, Next, Package, Registry, Reply, Seen, hostile};
use common::{Run, Sandbox, findings, npm_token};
use proptest::prelude::*;
use serde_json::{Value, json};

const FORMATS: [&str; 6] = ["text -v", "json", "jsonl", "sarif", "github", "dot"];

/// Alice, of whom the registry knows a little of everything.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.account(Account::new("alice").member("acme", "owner"));
    registry.package(Package::new("kit", "alice").reach(50_000, 40).repository("acme/kit"));
    registry.package(Package::new("@acme/open", "alice").reach(900, 2));
    registry.package(Package::new("@acme/secret", "alice").private());
    registry.package(Package::new("friends-of-alice", "mallory").reach(9_000_000, 9_000));
    registry
}

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
fn radius(run: &Run) -> Value {
    let report = run.json();
    let [finding] = findings(&report) else { panic!("not one finding: {report}") };
    assert!(finding["blast_radius"].is_object(), "{finding}");
    finding["blast_radius"].clone()
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

/// Requests for documents of packages.
fn documents(registry: &Registry) -> Vec<Seen> {
    let mut seen = registry.requests();
    seen.retain(|request| !request.path().starts_with("/-/"));
    seen
}

#[test]
fn a_session_tells_all() {
    let registry = registry();
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
    let registry = registry();
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
    let registry = registry();
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
    assert_eq!(package(&radius, "kit")["right"]["value"], "public", "not in its scope");
}

#[test]
fn the_token_goes_nowhere_where_everybody_may_read() {
    let registry = registry();
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
    let registry = registry();
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
    let registry = registry();
    let token = registry.dead();
    let run = run(&registry, &token, "--since 2026-01-01").exits(0);
    assert_eq!(findings(&run.json())[0]["validation"], "dead");
    let asked = registry.lines();
    assert!(asked.iter().all(|line| !line.contains("/tokens")), "{asked:?}");
}

#[test]
fn only_the_own_packages_are_read_from_a_loose_search() {
    let registry = registry();
    let token = registry.token("alice", Kind::Bypass);
    let radius = radius(&run(&registry, &token, "").exits(1));
    assert!(!names(&radius).contains("friends-of-alice"));
    let asked = registry.lines();
    assert!(!asked.contains(&"GET /friends-of-alice".to_owned()), "{asked:?}");
}

#[test]
fn links_and_names_of_a_liar_lead_nobody_away() {
    let trap = Registry::start();
    let evil = format!("{}/x", trap.url());
    let names = ["../../-/v1/login", "a/b/c", "x?y=z", "//evil", "@a/b/c", &evil, "\u{1b}[31m"];
    let registry = registry();
    for name in names {
        let mut package = Package::new("kit", "alice");
        package.name = name.into();
        registry.world().packages.insert(name.into(), package);
    }
    registry.world().next = Next::Below(trap.url());
    for kind in [Kind::Session, Kind::BypassBefore] {
        let token = registry.token("alice", kind);
        for _ in 0..12 {
            registry.token("alice", Kind::ReadOnly);
        }
        run(&registry, &token, "").exits(1);
    }
    assert!(trap.lines().is_empty(), "{:?}", trap.lines());
    for request in documents(&registry) {
        let known =
            ["/kit", "/@acme%2Fopen", "/@acme%2Fsecret", "/@acme%2fopen", "/@acme%2fsecret"];
        assert!(known.contains(&request.path()), "{}", request.target);
    }
}

#[test]
fn user_names_that_are_paths_lead_nobody_away() {
    for name in ["../npm/v1/tokens", "a/b", "x?size=1", "al ice", "\u{1b}]0;x", "alice&from=9"] {
        let registry = registry();
        let token = registry.token("alice", Kind::Bypass);
        registry.on("/-/whoami", Reply::json(200, &json!({"username": name})));
        run(&registry, &token, "");
        for request in registry.requests() {
            assert!(!request.target.contains(name), "{name:?}: {}", request.target);
        }
    }
}

#[test]
fn a_liar_gets_nothing_repeated_in_any_format() {
    for status in [200, 403] {
        let registry = registry();
        let token = registry.token("alice", Kind::Session);
        registry.on_with("/-/npm/", usize::MAX, hostile::mirror(status));
        registry.on_with("/-/user/", usize::MAX, hostile::mirror(status));
        registry.on_with("/kit", usize::MAX, hostile::mirror(status));
        let said = token.clone();
        let named = move |_: &Seen| {
            let mut hit = Package::new("kit", "alice").hit();
            hit["package"]["description"] = json!(said);
            hit["package"]["links"]["repository"] = json!(format!("https://github.com/a/{said}"));
            let mut other = Package::new(&said.to_lowercase(), "alice").hit();
            other["package"]["version"] = json!(said);
            Reply::json(200, &json!({"objects": [hit, other], "total": 2}))
        };
        registry.on_with("/-/v1/search", usize::MAX, named);
        for format in FORMATS {
            let sandbox = Sandbox::new();
            let words = format!("blast-radius --timeout 3 -f {format}");
            let run = registry.call(&sandbox, &words, &npmrc([&token])).run();
            keeps(&run, &[&token]);
        }
    }
}

#[test]
fn odd_answers_to_every_question_are_survived() {
    for (name, reply) in hostile::all() {
        for prefix in ["/-/v1/search", "/kit", "/-/npm/v1/tokens", "/-/user/"] {
            let registry = registry();
            let token = registry.token("alice", Kind::Session);
            registry.on(prefix, reply.clone());
            let run = run(&registry, &token, "--since 2026-01-01");
            assert_eq!(run.code, 1, "{name} at {prefix}: {}", run.err());
            assert!(run.peak < 600 << 10, "{name} at {prefix}: {} kB", run.peak);
        }
    }
}

#[test]
fn another_registry_is_asked_only_what_it_is_for() {
    let (npm, own) = (registry(), registry());
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
    let registry = registry();
    let token = registry.token("alice", Kind::Session);
    let run = run(&registry, &token, "--dry-run").exits(0);
    assert!(run.out().contains("/-/v1/search"), "{}", run.out());
    assert!(registry.lines().is_empty());
}

#[test]
fn what_is_public_is_not_asked_for_again() {
    let registry = registry();
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
    let registry = registry();
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
    let registry = registry();
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
    let registry = registry();
    let (dead, alive) = (npm_token(1), registry.token("alice", Kind::Bypass));
    let sandbox = Sandbox::new();
    registry.call(&sandbox, "blast-radius -f json", &npmrc([&dead, &alive])).run().exits(1);
    let asked = registry.requests().iter().filter(|it| it.bearer() == Some(dead.as_str())).count();
    assert_eq!(asked, 2);
}

#[test]
fn a_graph_can_be_drawn() {
    let registry = registry();
    let token = registry.token("alice", Kind::Bypass);
    let sandbox = Sandbox::new();
    let dot = registry.call(&sandbox, "blast-radius -f dot", &npmrc([&token])).run().exits(1).out();
    assert!(dot.starts_with("digraph") && dot.contains("kit"), "{dot}");
}

#[test]
fn lists_without_an_end_are_left() {
    let registry = registry();
    let token = registry.token("alice", Kind::Session);
    let rows = |seen: &Seen| {
        let page = seen.number("page", 0);
        let row =
            |n: usize| json!({"token": format!("npm_{page:04}...{n:04}"), "key": "0".repeat(8)});
        let next = format!("/-/npm/v1/tokens?page={}&perPage=100", page + 1);
        let rows: Vec<Value> = (0..100).map(row).collect();
        Reply::json(200, &json!({"objects": rows, "total": 1e9, "urls": {"next": next}}))
    };
    registry.on_with("/-/npm/v1/tokens", usize::MAX, rows);
    let hits = |seen: &Seen| {
        let from = seen.number("from", 0);
        let hit = |n: usize| Package::new(&format!("kit-{}", from + n), "alice").hit();
        let hits: Vec<Value> = (0..250).map(hit).collect();
        Reply::json(200, &json!({"objects": hits, "total": 1_000_000_000}))
    };
    registry.on_with("/-/v1/search", usize::MAX, hits);
    let run = run(&registry, &token, "--packages 5").exits(1);
    let lines = registry.lines();
    let count = |path: &str| lines.iter().filter(|line| line.contains(path)).count();
    assert!(count("/-/npm/v1/tokens") <= 50, "{}", count("/-/npm/v1/tokens"));
    assert!(count("/-/v1/search") <= 50, "{}", count("/-/v1/search"));
    assert!(run.peak < 300 << 10, "{} kB", run.peak);
    let radius = radius(&run);
    assert!(!radius["not_checked"].as_array().unwrap().is_empty());
    // The registry lists three as alice's own; of more, nobody knows how many.
    let count = &radius["package_count"];
    assert!(count["certainty"] != "measured" || count["value"] == 3, "{count}");
}

/// Answers to all questions, honest and not.
fn body() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1e400".to_owned()),
        Just("-9223372036854775808".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just("\"TOKEN\"".to_owned()),
        Just("\"alice\"".to_owned()),
        Just("\"TRAP/x\"".to_owned()),
        Just("\"9999-12-31T23:59:59Z\"".to_owned()),
        Just("\"-262143-01-01T00:00:00Z\"".to_owned()),
        Just("\"1.0.0\"".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "username",
        "name",
        "objects",
        "total",
        "urls",
        "next",
        "token",
        "key",
        "versions",
        "time",
        "dist-tags",
        "latest",
        "1.0.0",
        "maintainers",
        "package",
        "scripts",
        "dist",
        "_npmUser",
        "attestations",
        "url",
        "provenance",
        "tfa",
        "mode",
        "created",
        "expiry",
        "scopes",
        "permissions",
        "repository",
        "downloads",
        "weekly",
        "dependents",
        "kit",
        "items",
        "TOKEN",
    ]);
    value.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|all| {
                let field = |(key, value): (&str, String)| format!("\"{key}\":{value}");
                format!("{{{}}}", all.into_iter().map(field).collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// Whatever is answered to whichever question: the run ends well, asks
    /// nobody else, and tells nothing.
    #[test]
    fn whatever_is_answered(
        bodies in prop::collection::vec(body(), 6),
        statuses in prop::collection::vec(prop_oneof![9 => Just(200u16), 1 => 300u16..500], 6),
        format in prop::sample::select(FORMATS.to_vec()),
    ) {
        let (registry, trap) = (registry(), Registry::start());
        let token = registry.token("alice", Kind::Session);
        let paths =
            ["/kit", "/-/v1/search", "/-/npm/v1/user", "/-/npm/v1/tokens", "/-/user/", "/-/org/"];
        for ((path, body), status) in paths.iter().zip(&bodies).zip(&statuses) {
            let body = body.replace("TOKEN", &token).replace("TRAP", &trap.url());
            let status = if *status == 429 { 404 } else { *status };
            registry.on(path, Reply::new(status, "application/json", body));
        }
        let sandbox = Sandbox::new();
        let words = format!("blast-radius --timeout 3 --since 2020-01-01 -f {format}");
        let run = registry.call(&sandbox, &words, &npmrc([&token])).run();
        keeps(&run, &[&token]);
        prop_assert!(run.code == 1, "{}", run.err());
        prop_assert!(trap.lines().is_empty(), "{:?}", trap.lines());
        assert_polite(&registry.requests(), &[&token]);
    }
}
