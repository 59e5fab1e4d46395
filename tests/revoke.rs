//! `tokensweep revoke`: one token, by its fingerprint, and never by a guess.

mod common;

use common::asking::{bound, keeps, npmrc, outcomes};
use common::registry::manners::assert_keeps;
use common::registry::{Account, Kind, Next, Registry, Reply};
use common::{Run, Sandbox, findings, secret};
use serde_json::json;

const DELETE: &str = "DELETE /-/npm/v1/tokens/token/";

/// The fingerprint of the only credential of a text.
fn fingerprint(sandbox: &Sandbox, text: &str) -> String {
    let report = sandbox.call(["scan", "-", "-f", "json"]).stdin(text).run().json();
    findings(&report)[0]["fingerprint"].as_str().unwrap().to_owned()
}

/// Revokes a token, in its own name or in that of a session.
fn revoke(registry: &Registry, token: &str, session: Option<&str>, more: &str) -> Run {
    let sandbox = Sandbox::new();
    sandbox.write("leaked", npmrc([token]));
    let name = fingerprint(&sandbox, &npmrc([token]));
    let mut words = format!("revoke {name} leaked --timeout 3 {more}");
    if let Some(session) = session {
        sandbox.write("session", npmrc([session]));
        words += " --as session";
    }
    let run = registry.call(&sandbox, &words, "").run();
    let tokens: Vec<&str> = [Some(token), session].into_iter().flatten().collect();
    keeps(&run, &tokens);
    for line in registry.lines() {
        tokens.iter().for_each(|token| assert_keeps(&line, token));
    }
    run
}

fn deletions(registry: &Registry) -> Vec<String> {
    registry.lines().into_iter().filter(|line| !line.starts_with("GET ")).collect()
}

#[test]
fn a_session_takes_a_token_away_by_its_id() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    for _ in 0..14 {
        registry.token("alice", Kind::ReadOnly);
    }
    let session = registry.token("alice", Kind::Session);
    let key = registry.key(&leaked);
    revoke(&registry, &leaked, Some(&session), "--yes").exits(0);
    assert_eq!(deletions(&registry), [format!("{DELETE}{key}")]);
    assert_eq!(registry.world().tokens.len(), 15, "one, and no other");
    let after = registry.lines().pop().unwrap();
    assert!(after.starts_with("GET "), "it asks again at the end: {after}");
    for request in registry.requests() {
        assert!(request.header("npm-otp").is_none());
    }
}

#[test]
fn nothing_is_done_without_a_confirmation() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    let session = registry.token("alice", Kind::Session);
    revoke(&registry, &leaked, Some(&session), "").exits(2).complains(&["--yes"]);
    assert!(deletions(&registry).is_empty());
    revoke(&registry, &leaked, Some(&session), "--yes --dry-run").exits(0);
    assert!(deletions(&registry).is_empty());
}

#[test]
fn a_token_that_still_answers_is_said_to() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    let session = registry.token("alice", Kind::Session);
    registry.world().cached = true;
    let run = revoke(&registry, &leaked, Some(&session), "--yes").exits(1);
    assert!(run.out().contains("still answers") && run.out().contains("hour"), "{}", run.out());
}

#[test]
fn a_refusal_leads_to_the_way_by_hand() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    let run = revoke(&registry, &leaked, None, "--yes").exits(3);
    assert!(run.out().contains("npm token"), "{}", run.out());
    assert!(deletions(&registry).is_empty(), "its row is not known");
    let session = registry.token("alice", Kind::SessionOtp);
    let run = revoke(&registry, &leaked, Some(&session), "--yes").exits(3);
    assert!(run.out().contains("npm token"), "{}", run.out());
}

/// The code goes along with the one request that it is for.
#[test]
fn a_code_is_given_where_it_is_wanted_and_nowhere_else() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    let session = registry.token("alice", Kind::Session);
    let path = "/-/npm/v1/tokens/token/";
    registry.on_with(path, usize::MAX, |seen| match seen.header("npm-otp") {
        Some("314159") => Reply::empty(204),
        _ => Reply::empty(401).with("www-authenticate", "OTP"),
    });
    let run = revoke(&registry, &leaked, Some(&session), "--yes").exits(3);
    assert!(run.out().contains(&format!("npm token revoke {}", registry.key(&leaked))));
    assert!(registry.requests().iter().all(|seen| seen.header("npm-otp").is_none()));
    registry.forget();
    let run = revoke(&registry, &leaked, Some(&session), "--yes --otp 314159").exits(1);
    assert!(!run.out().contains("314159") && !run.err().contains("314159"));
    for seen in registry.requests() {
        assert_eq!(seen.header("npm-otp").is_some(), seen.method == "DELETE", "{}", seen.target);
    }
}

#[test]
fn a_dead_token_needs_nothing() {
    let registry = Registry::start();
    let dead = registry.dead();
    revoke(&registry, &dead, None, "--yes").exits(0);
    assert!(deletions(&registry).is_empty());
}

/// The prefix alone, or two rows alike, are no proof.
#[test]
fn a_row_that_only_begins_alike_is_left_alone() {
    for masks in
        [vec!["HEAD...0000"], vec!["HEAD"], vec!["HEAD...TAIL", "HEAD...TAIL"], vec!["...TAIL"]]
    {
        let registry = Registry::start();
        let leaked = registry.token("alice", Kind::Session);
        for (n, mask) in masks.iter().enumerate() {
            let shown = mask.replace("HEAD", &leaked[..8]).replace("TAIL", &leaked[36..]);
            let key = format!("0000000{n}-0000-4000-8000-000000000000");
            registry.world().more_rows.push(json!({"token": shown, "key": key, "name": "x"}));
        }
        revoke(&registry, &leaked, None, "--yes").exits(3);
        assert!(deletions(&registry).is_empty(), "{masks:?}: {:?}", deletions(&registry));
    }
}

/// A session that is asked to take itself away, and rows that may be its own:
/// `HEAD` and `TAIL` are the token's.
fn with_rows(rows: &[serde_json::Value]) -> (Registry, String) {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Session);
    for row in rows {
        let row = row.to_string().replace("HEAD", &leaked[..8]).replace("TAIL", &leaked[36..]);
        let row = row.replace("LONG", &leaked[30..]);
        registry.world().more_rows.push(serde_json::from_str(&row).unwrap());
    }
    (registry, leaked)
}

const KEY: &str = "00000001-0000-4000-8000-000000000000";
const OTHER: &str = "00000002-0000-4000-8000-000000000000";

#[test]
fn only_a_living_row_that_shows_enough_of_it_is_its_own() {
    let own = json!({"token": "HEAD...TAIL", "key": KEY});
    let rows = [
        vec![json!({"token": "npm_...LONG", "key": KEY})],
        vec![own.clone(), json!({"token": "npm_...LONG", "key": OTHER})],
        vec![json!({"token": "HEAD...TAIL", "key": KEY, "revoked": "2026-01-01T00:00:00Z"})],
        vec![json!({"token": "HEAD...TAIL", "key": KEY, "expiry": "2026-01-01T00:00:00Z"})],
        vec![own.clone(), json!({"token": "HEAD...TAIL", "key": OTHER, "expiry": null})],
        vec![own, json!({"token": "npm_else...0000", "key": KEY})],
    ];
    for rows in rows {
        let (registry, leaked) = with_rows(&rows);
        revoke(&registry, &leaked, None, "--yes").exits(3);
        assert!(deletions(&registry).is_empty(), "{rows:?}: {:?}", deletions(&registry));
    }
}

/// Pages shift while they are read, and tell a row again.
#[test]
fn a_row_that_is_told_twice_is_one() {
    let row = json!({"token": "HEAD...TAIL", "key": KEY, "name": "x"});
    let dead = json!({"token": "HEAD...TAIL", "key": OTHER, "expiry": "2020-01-01T00:00:00Z"});
    let (registry, leaked) = with_rows(&[row.clone(), row, dead]);
    revoke(&registry, &leaked, None, "--yes");
    assert_eq!(deletions(&registry), [format!("{DELETE}{KEY}")]);
}

/// The trap, or a second row like its own, may stand where nobody looked.
#[test]
fn a_list_that_is_not_whole_is_not_acted_on() {
    for next in ["/-/npm/v1/tokens?page=0&perPage=100", "/-/npm/v1/tokens?page=7&perPage=100"] {
        let (registry, leaked) = with_rows(&[json!({"token": "HEAD...TAIL", "key": KEY})]);
        registry.world().next = Next::Fixed(next.into());
        registry.on_with("/-/npm/v1/tokens?page=7", usize::MAX, |_| Reply::empty(503));
        let run = revoke(&registry, &leaked, None, "--yes").exits(3);
        assert!(run.out().contains("could not be read to its end"), "{next}: {}", run.out());
        assert!(deletions(&registry).is_empty(), "{next}: {:?}", deletions(&registry));
    }
}

#[test]
fn a_list_that_leads_elsewhere_is_not_followed() {
    let trap = Registry::start();
    for next in [
        Next::Below(trap.url()),
        Next::Fixed(format!("//{}/-/npm/v1/tokens?page=1", trap.address())),
        Next::Fixed("/-/npm/v1/tokens?page=0&perPage=10".into()),
        Next::Fixed("/-/npm/v1/tokens?page=3".into()),
    ] {
        let registry = Registry::start();
        let leaked = registry.token("alice", Kind::Bypass);
        let session = registry.token("alice", Kind::Session);
        for _ in 0..14 {
            registry.token("alice", Kind::ReadOnly);
        }
        registry.world().next = next.clone();
        revoke(&registry, &leaked, Some(&session), "--yes");
        assert!(trap.lines().is_empty(), "{next:?}: {:?}", trap.lines());
        assert!(registry.lines().len() < 50, "{next:?}: {}", registry.lines().len());
    }
}

/// A registry may write the token into what is to become the next address, or
/// lead to where people log in.
#[test]
fn a_link_to_something_else_is_not_followed() {
    let links = ["/-/npm/v1/tokens?page=1&for=TOKEN", "/-/TOKEN", "/-/v1/auth/cli/1", "/x?page=1"];
    for link in links {
        let registry = Registry::start();
        let leaked = registry.token("alice", Kind::Session);
        registry.world().next = Next::Fixed(link.replace("TOKEN", &leaked));
        revoke(&registry, &leaked, None, "--yes");
        let known = ["/-/whoami", "/-/stage", "/-/npm/v1/tokens"];
        for request in registry.requests() {
            assert!(known.contains(&request.path()), "{link}: {}", request.target);
        }
    }
}

/// A registry may list a token under an id that is the token.
#[test]
fn an_id_that_is_the_token_is_not_sent() {
    let registry = Registry::start();
    let host = registry.address().to_string();
    let uuid = secret("{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}", 6);
    registry.account(Account::new("alice"));
    let token = registry.token_with("alice", Kind::BypassBefore, |token| {
        token.secret = uuid.clone();
        token.key = uuid.clone();
    });
    let text = bound(&host, &token);
    let sandbox = Sandbox::new();
    sandbox.write("leaked", &text);
    let name = fingerprint(&sandbox, &text);
    let words = format!("revoke {name} leaked --yes --allow-registry {host}");
    let run = registry.call(&sandbox, &words, "").run();
    keeps(&run, &[&uuid]);
    assert!(!registry.lines().is_empty(), "it was asked about:\n{}", run.out());
    registry.lines().iter().for_each(|line| assert_keeps(line, &uuid));
}

#[test]
fn the_trap_of_a_worm_is_not_sprung() {
    let registry = Registry::start();
    let leaked = registry.token("alice", Kind::Bypass);
    registry.token_with("alice", Kind::Bypass, |token| {
        token.name = "IfYouRevokeThisTokenItWillWipeTheComputerOfTheOwner".into();
    });
    let session = registry.token("alice", Kind::Session);
    revoke(&registry, &leaked, Some(&session), "--yes").exits(4);
    assert!(deletions(&registry).is_empty());
}

#[test]
fn an_unknown_fingerprint_is_refused() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    let whole = fingerprint(&sandbox, &npmrc([&token]));
    for name in ["0".repeat(32), whole[..8].to_owned(), token.clone()] {
        let words = format!("revoke {name} - --yes");
        let run = registry.call(&sandbox, &words, &npmrc([&token])).run().exits(2);
        keeps(&run, &[&token]);
    }
    assert!(registry.lines().is_empty());
    assert_eq!(outcomes(&registry.validate(&[&token]).json()), ["active"]);
}
