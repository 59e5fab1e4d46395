//! Whatever a registry answers, nothing is told, nobody else is asked, and the
//! run ends.

mod common;

use std::time::{Duration, Instant};

use common::asking::{bound, keeps, npmrc, outcomes};
use common::registry::manners::assert_polite;
use common::registry::{Kind, Registry, Reply, hostile};
use common::{Sandbox, npm_token, secret};
use proptest::prelude::*;
use serde_json::json;

/// Kilobytes: what a run needs that reads no more than it should.
const MEMORY: u64 = 200 << 10;

#[test]
fn odd_answers_prove_nothing_and_do_no_harm() {
    for (name, reply) in hostile::all() {
        let registry = Registry::start();
        let token = registry.token("alice", Kind::ReadOnly);
        registry.on("/-/", reply);
        let begun = Instant::now();
        let run = registry.validate(&[&token]).exits(3);
        assert_eq!(outcomes(&run.json()), ["unknown"], "{name}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{name}: {:?}", begun.elapsed());
        assert!(run.peak < MEMORY, "{name}: {} kB", run.peak);
        assert_polite(&registry.requests(), &[&token]);
    }
}

#[test]
fn a_body_that_trickles_in_is_not_waited_for() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    registry.on("/-/whoami", hostile::slow());
    let begun = Instant::now();
    assert_eq!(outcomes(&registry.validate(&[&token]).exits(3).json()), ["unknown"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_token_that_is_said_back_is_not_repeated() {
    for status in [200, 201, 302, 400, 401, 403, 404, 418] {
        let registry = Registry::start();
        let token = registry.token("alice", Kind::ReadOnly);
        registry.on_with("/", usize::MAX, hostile::mirror(status));
        for format in ["text -v", "json", "jsonl", "sarif", "github"] {
            let sandbox = Sandbox::new();
            let words = format!("validate -f {format}");
            keeps(&registry.call(&sandbox, &words, &npmrc([&token])).run(), &[&token]);
        }
        assert_polite(&registry.requests(), &[&token]);
    }
}

#[test]
fn words_of_a_server_do_not_move_the_cursor() {
    let names = ["\u{1b}[2Jalice", "alice\r\n::error::x", "\u{202e}ecila", "ali\u{0}ce"];
    for name in names {
        let registry = Registry::start();
        let token = registry.token("alice", Kind::ReadOnly);
        registry.on("/-/whoami", Reply::json(200, &json!({"username": name})));
        for format in ["text", "github"] {
            let sandbox = Sandbox::new();
            let words = format!("validate -v -f {format} --color never");
            let run = registry.call(&sandbox, &words, &npmrc([&token])).run();
            let odd = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!run.out().contains(odd) && !run.err().contains(odd), "{:?}", run.out());
            assert!(!run.out().contains("\n::error::x"), "{:?}", run.out());
        }
    }
}

#[test]
fn a_token_that_is_no_npm_token_goes_to_its_own_registry_alone() {
    let (npm, own) = (Registry::start(), Registry::start());
    let host = own.address().to_string();
    let uuid = secret("{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}", 5);
    let sandbox = Sandbox::new();
    let words = format!("validate -f json --allow-registry {host}");
    let run = npm.call(&sandbox, &words, &bound(&host, &uuid)).run();
    keeps(&run, &[&uuid]);
    assert!(npm.lines().is_empty(), "{:?}", npm.lines());
}

/// Parts of answers, honest and not.
fn reply() -> impl Strategy<Value = (u16, Vec<(&'static str, &'static str)>, String)> {
    let status = prop_oneof![Just(200u16), Just(401), Just(403), Just(302), Just(429), 200u16..600];
    let header = prop_oneof![
        Just(("www-authenticate", "OTP")),
        Just(("www-authenticate", "ipaddress")),
        Just(("www-authenticate", "Basic, Bearer")),
        Just(("content-type", "text/html")),
        Just(("content-encoding", "gzip")),
        Just(("location", "TRAP/-/whoami")),
        Just(("link", "<TRAP/-/whoami>; rel=\"next\"")),
        Just(("retry-after", "0")),
        Just(("refresh", "0; url=TRAP/")),
        Just(("npm-notice", "TOKEN")),
        Just(("set-cookie", "t=TOKEN")),
    ];
    let body = prop_oneof![
        Just(r#"{"username":"alice"}"#.to_owned()),
        Just(r#"{"username":"TOKEN"}"#.to_owned()),
        Just(r#"{"TOKEN":"TOKEN","items":["TOKEN"],"name":"TOKEN"}"#.to_owned()),
        Just(r#"{"authUrl":"TRAP/a","doneUrl":"TRAP/b","items":[]}"#.to_owned()),
        Just(r#"{"error":"You must provide a one-time pass. TOKEN"}"#.to_owned()),
        Just("<html>TOKEN TRAP</html>".to_owned()),
        ".{0,200}",
    ];
    (status, prop::collection::vec(header, 0..4), body)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    /// No request leaves for a host outside the allow-list, and no secret
    /// appears in any output, log or address, whatever the server answers.
    #[test]
    fn whatever_is_answered(
        (status, headers, body) in reply(),
        (later, more, rest) in reply(),
        seed in 10_000u64..20_000,
    ) {
        let (registry, trap) = (Registry::start(), Registry::start());
        let token = npm_token(seed);
        let filled = |text: &str| text.replace("TOKEN", &token).replace("TRAP", &trap.url());
        let made = |status, headers: &[(&str, &str)], body: &str| {
            let reply = Reply::new(status, "application/json", filled(body));
            headers.iter().fold(reply, |reply, (name, value)| reply.with(name, filled(value)))
        };
        // A busy or broken host is asked again after a while; that is another test.
        let calm = |status| if status == 429 || status >= 500 { 404 } else { status };
        registry.on("/", made(calm(later), &more, &rest));
        registry.on_first(1, "/", made(calm(status), &headers, &body));
        let run = registry.validate(&[&token]);
        prop_assert!(trap.lines().is_empty(), "{:?}", trap.lines());
        prop_assert!(run.code == 0 || run.code == 1 || run.code == 3);
        assert_polite(&registry.requests(), &[&token]);
        for request in registry.requests() {
            let own = registry.address().to_string();
            prop_assert_eq!(request.header("host"), Some(own.as_str()));
        }
    }
}
