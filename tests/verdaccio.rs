//! The program against a real registry that is not npm's own: Verdaccio.

mod common;

use common::verdaccio::Verdaccio;
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
