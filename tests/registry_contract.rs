//! The registry that the other tests run against answers as its contract says.
//! Asked over plain sockets, so that nothing of the program is between.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use common::npm_token;
use common::registry::manners::{assert_keeps, assert_polite};
use common::registry::packages::{By, Version, portfolio};
use common::registry::people::classic_row;
use common::registry::{
    Account, Delivery, GitHubToken, Kind, Manner, Next, Package, Registry, Reply, hostile,
};
use common::web::{self, Said};
use serde_json::{Value, json};

fn ask(registry: &Registry, line: &str, token: Option<&str>) -> Said {
    web::ask(registry.address(), line, token, None)
}

fn get(registry: &Registry, path: &str, token: &str) -> Said {
    ask(registry, &format!("GET {path}"), Some(token))
}

/// The columns of the contract.
const COLUMNS: [&str; 7] = [
    "/-/whoami",
    "/-/npm/v1/user",
    "/-/npm/v1/tokens",
    "/-/stage?page=0&perPage=1",
    "/-/user/alice/package",
    "/-/org/acme/package",
    "/@acme%2Fsecret",
];

fn registry() -> Registry {
    let registry = Registry::start();
    registry.account(Account::new("alice").member("acme", "owner"));
    registry.package(Package::new("@acme/secret", "alice").private());
    registry.package(Package::new("@acme/other", "alice").private());
    registry.package(Package::new("open", "alice"));
    registry
}

#[test]
fn every_kind_of_token_is_told_what_the_contract_says() {
    let registry = registry();
    let rows = [
        (Kind::ReadOnly, [200, 403, 403, 200, 403, 403, 200]),
        (Kind::ReadWrite, [200, 403, 403, 200, 403, 403, 200]),
        (Kind::Bypass, [200, 403, 403, 200, 403, 403, 200]),
        (Kind::BypassBefore, [200, 403, 200, 200, 403, 403, 200]),
        (Kind::StageOnly, [200, 403, 403, 200, 403, 403, 200]),
        (Kind::OrgOnly, [200, 403, 403, 200, 403, 403, 404]),
        (Kind::NoWhoami, [401, 403, 403, 200, 403, 403, 200]),
        (Kind::Session, [200, 200, 200, 200, 200, 200, 200]),
        (Kind::SessionOtp, [200, 200, 401, 200, 200, 200, 200]),
        (Kind::CidrChallenged, [401; 7]),
        (Kind::CidrForbidden, [403; 7]),
    ];
    for (kind, expected) in rows {
        let token = registry.token("alice", kind);
        let statuses = COLUMNS.map(|column| get(&registry, column, &token).status);
        assert_eq!(statuses, expected, "{kind:?}");
    }
    let dead = registry.dead();
    let statuses = COLUMNS.map(|column| get(&registry, column, &dead).status);
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 404]);
}

#[test]
fn refusals_say_why() {
    let registry = registry();
    let dead = get(&registry, "/-/whoami", &registry.dead());
    assert_eq!((dead.header("www-authenticate"), &*dead.body), (Some("Basic, Bearer"), &b""[..]));
    let bound = registry.token("alice", Kind::CidrChallenged);
    assert_eq!(get(&registry, "/-/whoami", &bound).header("www-authenticate"), Some("ipaddress"));
    let session = registry.token("alice", Kind::SessionOtp);
    let challenge = get(&registry, "/-/npm/v1/tokens", &session);
    assert_eq!(challenge.header("www-authenticate"), Some("OTP"));
    assert!(challenge.json()["authUrl"].is_string() && challenge.json()["doneUrl"].is_string());
    let bypass = registry.token("alice", Kind::Bypass);
    assert!(get(&registry, "/-/npm/v1/tokens", &bypass).json()["error"].is_string());
    let limited = registry.token("alice", Kind::Limited(2));
    for status in [429, 429, 200, 200] {
        let said = get(&registry, "/-/whoami", &limited);
        assert_eq!(said.status, status);
        if status == 429 {
            assert_eq!(said.header("retry-after"), Some("0"));
            assert!(said.header("content-type").unwrap().contains("html"));
        }
    }
}

#[test]
fn an_outage_is_one_refusal_and_then_silence() {
    let registry = registry();
    let token = registry.token("alice", Kind::Outage);
    assert_eq!(get(&registry, "/-/whoami", &token).status, 503);
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    write!(stream, "GET /-/whoami HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0]).is_err(), "it is silent");
    let begun = Instant::now();
    drop(registry);
    assert!(begun.elapsed() < Duration::from_secs(5), "it ends although somebody waits");
}

#[test]
fn tokens_are_listed_in_pages() {
    let registry = registry();
    let mine = registry.token_with("alice", Kind::BypassBefore, |token| {
        token.scopes = vec!["@acme".into()];
    });
    for _ in 0..10 {
        registry.token("alice", Kind::ReadOnly);
    }
    registry.token("bob", Kind::ReadOnly);
    registry.world().more_rows.push(classic_row(1));
    let session = registry.token("alice", Kind::Session);
    let mut next = Some("/-/npm/v1/tokens?page=0&perPage=10".to_owned());
    let mut rows = Vec::new();
    let mut pages = 0;
    while let Some(path) = next {
        let page = get(&registry, &path, &session).json();
        assert_eq!(page["total"], 12);
        rows.extend(page["objects"].as_array().unwrap().clone());
        next = page["urls"]["next"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((pages, rows.len()), (2, 12));
    let shown = format!("{}...{}", &mine[..8], &mine[36..]);
    let row = rows.iter().find(|row| row["token"] == shown.as_str()).unwrap();
    assert_eq!(row["bypass_2fa"], true);
    assert_eq!(row["permissions"], json!([{"name": "package", "action": "write"}]));
    assert_eq!(row["scopes"], json!([{"type": "package", "name": "@acme"}]));
    assert!(!rows.iter().any(|row| row.to_string().contains(&mine)));

    registry.world().next = Next::Below("https://evil.example".into());
    let page = get(&registry, "/-/npm/v1/tokens", &session).json();
    assert!(page["urls"]["next"].as_str().unwrap().starts_with("https://evil.example/-/npm"));
    registry.world().next = Next::Fixed("/-/npm/v1/tokens?page=0".into());
    let page = get(&registry, "/-/npm/v1/tokens?page=7", &session).json();
    assert_eq!(page["urls"]["next"], "/-/npm/v1/tokens?page=0");
}

#[test]
fn a_private_package_is_seen_by_those_who_may() {
    let registry = registry();
    let narrow = registry
        .token_with("alice", Kind::ReadOnly, |token| token.scopes = vec!["@acme/secret".into()]);
    let stranger = registry.token("mallory", Kind::Session);
    assert_eq!(get(&registry, "/@acme%2Fsecret", &narrow).status, 200);
    assert_eq!(get(&registry, "/@acme/secret", &narrow).status, 200);
    assert_eq!(get(&registry, "/@acme%2Fother", &narrow).status, 404);
    assert_eq!(get(&registry, "/@acme%2Fsecret", &stranger).status, 404);
    assert_eq!(ask(&registry, "GET /@acme%2Fsecret", None).status, 404);
    assert_eq!(ask(&registry, "GET /open", None).status, 200);
    assert_eq!(ask(&registry, "GET /nothing", None).status, 404);
}

#[test]
fn organisations_and_their_packages() {
    let registry = registry();
    let session = registry.token("alice", Kind::Session);
    let tell = |path: &str| get(&registry, path, &session).json();
    let both = json!({"@acme/other": "write", "@acme/secret": "write"});
    assert_eq!(tell("/-/org/acme/package"), both);
    assert_eq!(tell("/-/org/acme/user"), json!({"alice": "owner"}));
    assert_eq!(tell("/-/org/acme/team"), json!(["@acme:developers"]));
    assert_eq!(tell("/-/team/acme/developers/user"), json!(["alice"]));
    assert_eq!(tell("/-/user/alice/package")["open"], "write");
    assert_eq!(tell("/-/package/open/collaborators"), json!({"alice": "write"}));
    assert_eq!(tell("/-/npm/v1/user")["tfa"]["mode"], "auth-and-writes");
    assert_eq!(get(&registry, "/-/org/nobody/package", &session).status, 404);
    assert_eq!(get(&registry, "/-/package/open/trust", &session).status, 401);
}

#[test]
fn search_has_its_traps() {
    let registry = registry();
    registry.packages(portfolio("alice", 600));
    registry.package(Package::new("friends-of-alice", "mallory"));
    let tell = |query: &str| ask(&registry, &format!("GET /-/v1/search?{query}"), None);
    let page = |query: &str| tell(query).json();
    let names = |page: &Value| -> Vec<String> {
        let hits = page["objects"].as_array().unwrap();
        hits.iter().map(|hit| hit["package"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = page("text=maintainer:alice&size=9999");
    assert_eq!(all["objects"].as_array().unwrap().len(), 250);
    // Those of alice, and what is only called so; nothing private.
    assert_eq!(all["total"], 602);
    let mut seen = Vec::new();
    for from in [0, 250, 500] {
        seen.extend(names(&page(&format!("text=maintainer%3Aalice&size=250&from={from}"))));
    }
    assert!(seen.contains(&"friends-of-alice".to_owned()) && seen.contains(&"open".to_owned()));
    assert!(!seen.contains(&"@acme/secret".to_owned()));
    assert_eq!(page("text=scope:acme")["total"], 0);
    assert_eq!(tell("size=20").status, 400);
    assert_eq!(tell("size=20").json()["code"], "ERR_TEXT_MISSING");
    registry.world().unstable = true;
    let first = names(&page("text=maintainer:alice&size=2&from=0"));
    assert_eq!(first[1], names(&page("text=maintainer:alice&size=2&from=2"))[0]);
}

#[test]
fn documents_say_how_versions_came() {
    let registry = registry();
    let trusted = Version::new("1.1.0", "2026-05-01T00:00:00.000Z", "alice");
    let staged = Version::new("1.2.0", "2026-06-01T00:00:00.000Z", "alice");
    let odd = Version::new("1.2.1", "2026-07-01T00:00:00.000Z", "alice");
    let package = Package::new("@acme/kit", "alice")
        .repository("acme/kit")
        .version(trusted.by(By::Trusted("github")))
        .version(staged.by(By::Staged("alice".into())))
        .version(odd.script("preinstall", "node x.js").with(json!({"_nodeVersion": "24.0.0"})))
        .ghost("1.2.2", "2026-07-01T00:01:00.000Z");
    registry.package(package);
    let whole = ask(&registry, "GET /@acme%2Fkit", None).json();
    assert_eq!(whole["dist-tags"]["latest"], "1.2.1");
    assert_eq!(whole["versions"]["1.1.0"]["_npmUser"]["trustedPublisher"]["id"], "github");
    assert_eq!(whole["versions"]["1.2.0"]["_npmUser"]["approver"]["name"], "alice");
    assert_eq!(whole["versions"]["1.2.1"]["hasInstallScript"], true);
    assert_eq!(whole["versions"]["1.2.1"]["_nodeVersion"], "24.0.0");
    assert!(whole["versions"].get("1.2.2").is_none() && whole["time"]["1.2.2"].is_string());
    let at = whole["versions"]["1.1.0"]["dist"]["attestations"]["url"].as_str().unwrap();
    let path = &at[at.find("/-/").unwrap()..];
    let proof = ask(&registry, &format!("GET {path}"), None).json();
    assert_eq!(proof["attestations"].as_array().unwrap().len(), 2);
    let bare = ask(&registry, "GET /-/npm/v1/attestations/@acme%2fkit@1.0.0", None);
    assert_eq!(bare.status, 404);
    assert_eq!(
        ask(&registry, "GET /-/package/@acme%2Fkit/dist-tags", None).json()["latest"],
        "1.2.1"
    );
}

#[test]
fn downloads_are_counted() {
    let registry = registry();
    let tell =
        |names: &str| ask(&registry, &format!("GET /downloads/point/last-week/{names}"), None);
    assert_eq!(tell("open").json()["downloads"], 1_000);
    assert_eq!(tell("nothing").status, 404);
    let two = tell("open,nothing").json();
    assert_eq!((&two["open"]["downloads"], &two["nothing"]), (&json!(1_000), &Value::Null));
    assert_eq!(tell("open,@acme%2Fkit").status, 400);
    assert_eq!(tell(&vec!["x"; 129].join(",")).status, 400);
}

#[test]
fn tokens_are_revoked_by_their_key() {
    let registry = registry();
    let path = |token: &str| format!("DELETE /-/npm/v1/tokens/token/{}", registry.key(token));
    let leaked = registry.token("alice", Kind::Bypass);
    let other = registry.token("alice", Kind::SessionOtp);
    let session = registry.token("alice", Kind::Session);
    let stranger = registry.token("mallory", Kind::Session);
    let refused = ask(&registry, &path(&leaked), Some(&other));
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("OTP")));
    assert_eq!(ask(&registry, &path(&leaked), Some(&leaked)).status, 403);
    assert_eq!(ask(&registry, &path(&leaked), Some(&stranger)).status, 404);
    registry.world().cached = true;
    assert_eq!(ask(&registry, &path(&leaked), Some(&session)).status, 204);
    assert_eq!(get(&registry, "/-/whoami", &leaked).status, 200);
    registry.world().cached = false;
    assert_eq!(ask(&registry, &path(&leaked), Some(&session)).status, 204);
    assert_eq!(get(&registry, "/-/whoami", &leaked).status, 401);
}

#[test]
fn other_hosts_have_their_manners() {
    let registry = registry();
    let token = registry.token("alice", Kind::ReadOnly);
    registry.manner(Manner::Verdaccio);
    assert_eq!(get(&registry, "/-/whoami", &token).json(), json!({"username": "alice"}));
    assert_eq!(get(&registry, "/-/whoami", "unknown").json(), json!({}));
    assert_eq!(get(&registry, "/-/npm/v1/user", &token).status, 200);
    for path in ["/-/npm/v1/user", "/-/npm/v1/tokens", "/@acme%2Fsecret"] {
        assert_eq!(get(&registry, path, "unknown").status, 401, "{path}");
    }
    for path in ["/-/stage", "/-/user/alice/package", "/-/org/acme/package"] {
        assert_eq!(get(&registry, path, &token).status, 404, "{path}");
    }
    let stranger = registry.token("mallory", Kind::ReadOnly);
    assert_eq!(get(&registry, "/@acme%2Fsecret", &stranger).status, 403);
    registry.manner(Manner::Portal);
    let page = get(&registry, "/-/whoami", &token);
    assert_eq!((page.status, page.body[0]), (200, b'<'));
    registry.manner(Manner::Redirect("http://evil.example".into()));
    let sent = get(&registry, "/-/whoami", &token);
    assert_eq!((sent.status, sent.header("location")), (302, Some("http://evil.example/-/whoami")));
}

#[test]
fn github_tells_scopes_and_rights() {
    let registry = registry();
    let token = GitHubToken::new("one", "alice", &["repo", "workflow"]);
    registry.github(token.repository("acme/kit", true, false));
    registry.github(GitHubToken { secret: "two".into(), limited: true, ..Default::default() });
    let user = get(&registry, "/github/user", "one");
    assert_eq!(user.header("x-oauth-scopes"), Some("repo, workflow"));
    assert_eq!(user.json()["login"], "alice");
    let repository = get(&registry, "/github/repos/acme/kit", "one").json();
    assert_eq!(repository["permissions"], json!({"admin": false, "push": true, "pull": true}));
    assert_eq!(get(&registry, "/github/repos/acme/none", "one").status, 404);
    assert_eq!(get(&registry, "/github/user", "two").status, 403);
    assert_eq!(get(&registry, "/github/user", "three").status, 401);
}

#[test]
fn rules_come_before_the_contract() {
    let registry = registry();
    let token = registry.token("alice", Kind::ReadOnly);
    registry.on_first(2, "/-/whoami", Reply::html(429, "slow down"));
    let statuses = [(); 3].map(|()| get(&registry, "/-/whoami", &token).status);
    assert_eq!(statuses, [429, 429, 200]);
    registry.on_with("/-/whoami", usize::MAX, hostile::mirror(403));
    let said = get(&registry, "/-/whoami", &token);
    assert!(said.head.contains(&token) && String::from_utf8_lossy(&said.body).contains(&token));
    registry.on("/svc/", Reply::json(200, &json!({"ok": true})));
    assert_eq!(get(&registry, "/svc/slack/auth.test", "x").json()["ok"], true);
    let seen = registry.requests();
    assert_eq!((seen.len(), registry.lines()[0].as_str()), (5, "GET /-/whoami"));
    assert_eq!(seen[0].bearer(), Some(token.as_str()));
    registry.forget();
    assert!(registry.requests().is_empty());
}

#[test]
fn bodies_come_as_they_are_told_to() {
    let registry = registry();
    let body = json!({"username": "alice"}).to_string();
    let reply = |delivery| Reply::new(200, "application/json", body.clone()).by(delivery);
    registry.on("/short", reply(Delivery::Truncated));
    let said = get(&registry, "/short", "x");
    let promised: usize = said.header("content-length").unwrap().parse().unwrap();
    assert!(said.body.len() < promised);
    registry.on("/drip", reply(Delivery::Drip(Duration::from_millis(5))));
    let begun = Instant::now();
    assert_eq!(get(&registry, "/drip", "x").body, body.as_bytes());
    assert!(begun.elapsed() > Duration::from_millis(90));

    registry.on("/endless", reply(Delivery::Endless));
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    write!(stream, "GET /endless HTTP/1.1\r\n\r\n").unwrap();
    let mut much = vec![0; 4 << 20];
    stream.read_exact(&mut much).unwrap();

    // Packed for those alone who can unpack it.
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    stream.write_all(b"GET /open HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut packed = Vec::new();
    stream.read_to_end(&mut packed).unwrap();
    let text = String::from_utf8_lossy(&packed);
    assert!(text.contains("content-encoding: gzip") && !text.contains("readme"));
}

#[test]
fn a_connection_serves_many_requests() {
    let registry = registry();
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    for n in 0..3 {
        write!(stream, "GET /-/ping?{n} HTTP/1.1\r\n\r\n").unwrap();
        let mut bytes = [0; 256];
        let read = stream.read(&mut bytes).unwrap();
        assert!(bytes[..read].starts_with(b"HTTP/1.1 200 OK"));
    }
    let peers: Vec<_> = registry.requests().iter().map(|seen| seen.peer).collect();
    assert!(peers.len() == 3 && peers.iter().all(|peer| *peer == peers[0]));
}

#[test]
fn a_large_account_is_like_a_real_one() {
    let registry = Registry::start();
    registry.packages(portfolio("alice", 2_000));
    let large = ask(&registry, "GET /alice-tool-00007", None).body.len();
    let usual = ask(&registry, "GET /alice-tool-00001", None);
    assert_eq!(usual.json()["versions"].as_object().unwrap().len(), 101);
    assert!((4 << 20..8 << 20).contains(&large), "{large}");
    assert!((90 << 10..300 << 10).contains(&usual.body.len()), "{}", usual.body.len());
}

/// The checks of the other tests see what they are for.
#[test]
fn a_token_is_seen_in_all_its_forms() {
    let token = npm_token(9);
    let told = |text: String| std::panic::catch_unwind(|| assert_keeps(&text, &token)).is_err();
    let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let percent: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert!(!told(format!(
        "{}…{} and {}...{}",
        &token[..8],
        &token[36..],
        &token[..8],
        &token[36..]
    )));
    assert!(told(format!("x{token}y")) && told(token[8..18].into()) && told(token[25..36].into()));
    assert!(told(percent));
    for lead in ["", ":", "a:", "bob:"] {
        assert!(told(base64(format!("{lead}{token}"))), "{lead:?}");
    }
}

#[test]
fn impolite_requests_are_seen() {
    let registry = registry();
    let token = registry.token("alice", Kind::Session);
    let polite = |lines: &str| {
        registry.forget();
        let mut stream = TcpStream::connect(registry.address()).unwrap();
        let agent = if lines.contains("user-agent") { "" } else { "user-agent: tokensweep/1\r\n" };
        write!(stream, "{lines}\r\n{agent}connection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        let seen = registry.requests();
        std::panic::catch_unwind(|| assert_polite(&seen, &[&token])).is_ok()
    };
    assert!(polite(&format!("GET /-/whoami HTTP/1.1\r\nauthorization: Bearer {token}")));
    for lines in [
        "DELETE /-/npm/v1/tokens/token/1 HTTP/1.1".to_owned(),
        "GET /-/whoami HTTP/1.1\r\nnpm-otp: 123456".into(),
        "GET /-/v1/done/1 HTTP/1.1".into(),
        "GET /-/whoami HTTP/1.1\r\nuser-agent: curl".into(),
        format!("GET /-/whoami?{token} HTTP/1.1"),
        format!("GET /-/whoami HTTP/1.1\r\nreferer: {token}"),
        format!("GET /-/v1/search?text=x HTTP/1.1\r\nauthorization: Bearer {token}"),
    ] {
        assert!(!polite(&lines), "{lines}");
    }
}
