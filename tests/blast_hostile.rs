//! `tokensweep blast-radius` against registries that lie: it ends, it asks
//! nobody else, and it repeats no secret.

mod common;

use common::Sandbox;
use common::asking::{acme, documents, keeps, npmrc, radius};
use common::registry::manners::assert_polite;
use common::registry::{Kind, Next, Package, Registry, Reply, Seen, hostile};
use proptest::prelude::*;
use serde_json::{Value, json};

const FORMATS: [&str; 6] = ["text -v", "json", "jsonl", "sarif", "github", "dot"];

/// Runs the command on a token, and asserts what must always hold.
#[track_caller]
fn run(registry: &Registry, token: &str, more: &str) -> common::Run {
    let words = format!("blast-radius -f json --timeout 3 {more}");
    let run = registry.call(&Sandbox::new(), &words, &npmrc([token])).run();
    keeps(&run, &[token]);
    assert_polite(&registry.requests(), &[token]);
    run
}

#[test]
fn links_and_names_of_a_liar_lead_nobody_away() {
    let trap = Registry::start();
    let evil = format!("{}/x", trap.url());
    let names = ["../../-/v1/login", "a/b/c", "x?y=z", "//evil", "@a/b/c", &evil, "\u{1b}[31m"];
    let registry = acme();
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
        let registry = acme();
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
        let registry = acme();
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
            let registry = acme();
            let token = registry.token("alice", Kind::Session);
            registry.on(prefix, reply.clone());
            let run = run(&registry, &token, "--since 2026-01-01");
            assert_eq!(run.code, 1, "{name} at {prefix}: {}", run.err());
            assert!(run.peak < 600 << 10, "{name} at {prefix}: {} kB", run.peak);
        }
    }
}

#[test]
fn lists_without_an_end_are_left() {
    let registry = acme();
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
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    })]

    /// Whatever is answered to whichever question: the run ends well, asks
    /// nobody else, and tells nothing.
    #[test]
    fn whatever_is_answered(
        bodies in prop::collection::vec(body(), 6),
        statuses in prop::collection::vec(prop_oneof![9 => Just(200u16), 1 => 300u16..500], 6),
        format in prop::sample::select(FORMATS.to_vec()),
    ) {
        let (registry, trap) = (acme(), Registry::start());
        let token = registry.token("alice", Kind::Session);
        let paths =
            ["/kit", "/-/v1/search", "/-/npm/v1/user", "/-/npm/v1/tokens", "/-/user/", "/-/org/"];
        for ((path, body), status) in paths.iter().zip(&bodies).zip(&statuses) {
            let body = body.replace("TOKEN", &token).replace("TRAP", &trap.url());
            let status = if *status == 429 { 404 } else { *status };
            registry.on(path, Reply::new(status, "application/json", body));
        }
        let sandbox = Sandbox::new();
        let words = format!("blast-radius --timeout 20 --since 2020-01-01 -f {format}");
        let run = registry.call(&sandbox, &words, &npmrc([&token])).run();
        keeps(&run, &[&token]);
        prop_assert!(run.code == 1, "{}", run.err());
        prop_assert!(trap.lines().is_empty(), "{:?}", trap.lines());
        assert_polite(&registry.requests(), &[&token]);
    }
}

/// A project, an account and a package that are named after the token, in forms
/// that a server can give it.
#[test]
fn no_path_and_no_file_is_named_after_a_token() {
    let github = common::secret("ghp_{alnum:30}{crc}", 77);
    let reversed = |token: &str| -> String { token.chars().rev().collect() };
    let strewn = |token: &str| -> String { token.replace('_', "-")[..16].to_owned() };
    let same = |token: &str| token.to_owned();
    let forms: [&dyn Fn(&str) -> String; 3] = [&same, &reversed, &strewn];
    for form in forms {
        let registry = common::asking::acme();
        let token = registry.token("alice", Kind::Bypass);
        let name = form(&token).to_lowercase();
        registry.on("/-/whoami", Reply::json(200, &json!({"username": name})));
        let sandbox = Sandbox::new();
        sandbox.write("app/package.json", format!("{{\"name\": \"{github}\"}}"));
        sandbox.write("app/.npmrc", npmrc([&token]));
        for words in ["blast-radius app -f json --resume state", "blast-radius app --dry-run"] {
            let run = registry.call(&sandbox, words, "").run();
            for secret in [&token, &github] {
                for form in forms {
                    let form = form(secret).to_lowercase();
                    let told = |text: &str| text.to_lowercase().contains(&form);
                    assert!(!told(&run.out()) && !told(&run.err()), "{form}: {}", run.out());
                    for request in registry.requests() {
                        assert!(!told(&request.target), "{form}: {}", request.target);
                    }
                }
            }
        }
    }
}
