//! The program against a real registry that is not npm's own: Verdaccio.

mod common;

use common::asking::{keeps, outcomes};
use common::verdaccio::Verdaccio;
use common::{Sandbox, findings};
use serde_json::json;

#[test]
fn the_registry_does_what_the_facts_say() {
    let Some(verdaccio) = Verdaccio::start() else { return };
    let login = verdaccio.user("alice");
    let whoami = |token| verdaccio.ask("GET /-/whoami", token).json();
    assert_eq!(whoami(Some(&login)), json!({"username": "alice"}));
    assert_eq!(whoami(Some("nonsense")), json!({}));
    assert_eq!(whoami(None), json!({}));
    assert_eq!(verdaccio.ask("GET /-/npm/v1/user", Some(&login)).json()["name"], "alice");
    assert_eq!(verdaccio.ask("GET /-/npm/v1/user", Some("nonsense")).status, 401);
    assert_eq!(verdaccio.ask("GET /-/npm/v1/tokens", Some("nonsense")).status, 401);
    for path in ["/-/stage", "/-/user/alice/package", "/-/org/acme/package"] {
        assert_eq!(verdaccio.ask(&format!("GET {path}"), Some(&login)).status, 404, "{path}");
    }
}

#[test]
fn packages_are_published_and_tokens_come_and_go() {
    let Some(verdaccio) = Verdaccio::start() else { return };
    let login = verdaccio.user("alice");
    let other = verdaccio.user("bob");
    let package = |name: &str| json!({"name": name, "version": "1.0.0", "license": "MIT"});
    let published = verdaccio.publish(&login, &package("kit"));
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    let document = verdaccio.ask("GET /kit", None).json();
    assert_eq!(document["dist-tags"]["latest"], "1.0.0");
    assert!(verdaccio.publish(&login, &package("@closed/kit")).status.success());
    assert_eq!(verdaccio.ask("GET /@closed%2fkit", Some(&login)).status, 200);
    assert_eq!(verdaccio.ask("GET /@closed%2fkit", None).status, 401);
    assert_eq!(verdaccio.ask("GET /@closed%2fkit", Some(&other)).status, 403);

    let reader = verdaccio.token(&login, true, &[]);
    assert_eq!(verdaccio.ask("GET /-/whoami", Some(&reader.token)).json()["username"], "alice");
    assert!(!verdaccio.publish(&reader.token, &package("more")).status.success());
    let bound = verdaccio.token(&login, false, &["192.0.2.0/24"]);
    assert_eq!(verdaccio.ask("GET /-/whoami", Some(&bound.token)).status, 403);
    let rows = verdaccio.ask("GET /-/npm/v1/tokens", Some(&login)).json();
    assert_eq!(rows["objects"].as_array().unwrap().len(), 2);
    verdaccio.delete(&login, &reader.key);
    assert_eq!(verdaccio.ask("GET /-/whoami", Some(&reader.token)).status, 403);
}

#[test]
fn its_rate_limit_can_be_lowered() {
    let limit = "userRateLimit:\n  windowMs: 600000\n  max: 3\n";
    let Some(verdaccio) = Verdaccio::start_with(limit) else { return };
    let login = verdaccio.user("alice");
    let statuses = [(); 5].map(|()| verdaccio.ask("GET /-/npm/v1/user", Some(&login)).status);
    assert!(statuses.starts_with(&[200]) && statuses.ends_with(&[429, 429]), "{statuses:?}");
}

/// What the program says of a token that is bound to this registry.
fn validate(verdaccio: &Verdaccio, token: &str) -> (i32, String) {
    let sandbox = Sandbox::new();
    let host = verdaccio.host();
    let words = ["validate", "-f", "json", "--pace", "0", "--allow-registry", &host];
    let run = sandbox.call(words).stdin(verdaccio.npmrc(token)).run();
    keeps(&run, &[token]);
    let report = run.json();
    let [outcome] = outcomes(&report)[..] else { panic!("not one finding: {report}") };
    (run.code, outcome.to_owned())
}

#[test]
fn its_tokens_are_judged() {
    let Some(verdaccio) = Verdaccio::start() else { return };
    let login = verdaccio.user("alice");
    assert_eq!(validate(&verdaccio, &login), (1, "active".into()));
    let reader = verdaccio.token(&login, true, &[]);
    assert_eq!(validate(&verdaccio, &reader.token), (1, "active".into()));
    verdaccio.delete(&login, &reader.key);
    // Its 403 is the same for tokens that are gone and for tokens that are bound
    // to other addresses.
    let bound = verdaccio.token(&login, false, &["192.0.2.0/24"]);
    for token in [reader.token, bound.token] {
        assert_eq!(validate(&verdaccio, &token), (3, "unknown".into()));
    }
    // As long as one of its own, and of somebody else's making.
    let foreign: String = login.chars().rev().collect();
    assert_eq!(validate(&verdaccio, &foreign), (0, "dead".into()));
}

#[test]
fn its_tokens_are_revoked() {
    let Some(verdaccio) = Verdaccio::start() else { return };
    let login = verdaccio.user("alice");
    let [kept, leaked] = [(); 2].map(|()| verdaccio.token(&login, false, &[]));
    let sandbox = Sandbox::new();
    sandbox.write("leaked", verdaccio.npmrc(&leaked.token));
    let report = sandbox.report(["leaked"]);
    let name = findings(&report)[0]["fingerprint"].as_str().unwrap();
    let host = verdaccio.host();
    let words = ["revoke", name, "leaked", "--yes", "--pace", "0", "--allow-registry", &host];
    let run = sandbox.run(words);
    keeps(&run, &[&leaked.token]);
    let status = |token: &str| verdaccio.ask("GET /-/whoami", Some(token)).status;
    assert_eq!(status(&kept.token), 200);
    // Either it is gone, or the program said that it could not take it away.
    assert_eq!(status(&leaked.token) == 403, run.code <= 1, "{}", run.out());
    assert!(run.code <= 1 || run.out().contains("npm token revoke"), "{}", run.out());
}

/// It has neither the list of a user's packages nor a search by maintainer, and
/// so the reach must not read as empty.
#[test]
fn its_reach_is_left_open_where_it_tells_nothing() {
    let Some(verdaccio) = Verdaccio::start() else { return };
    let login = verdaccio.user("alice");
    let package = |name: &str| json!({"name": name, "version": "1.0.0", "license": "MIT"});
    for name in ["kit", "@closed/kit"] {
        assert!(verdaccio.publish(&login, &package(name)).status.success());
    }
    let sandbox = Sandbox::new();
    let host = verdaccio.host();
    let words = ["blast-radius", "-f", "json", "--pace", "0", "--allow-registry", &host];
    let run = sandbox.call(words).stdin(verdaccio.npmrc(&login)).run().exits(1);
    keeps(&run, &[&login]);
    let report = run.json();
    let radius = &findings(&report)[0]["blast_radius"];
    assert_eq!(radius["account"]["user"]["value"], "alice", "{radius}");
    let count = &radius["package_count"];
    assert!(count["value"] != 0 && count["certainty"] != "measured", "{count}");
    assert!(!radius["not_checked"].as_array().unwrap().is_empty());
}
