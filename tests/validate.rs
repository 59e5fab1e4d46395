//! `tokensweep validate` against a registry that keeps the contract.

mod common;

use std::net::ToSocketAddrs as _;
use std::time::{Duration, Instant};

use common::asking::{bound, keeps, npmrc, outcomes};
use common::registry::manners::assert_polite;
use common::registry::packages::portfolio;
use common::registry::{Kind, Manner, Registry, Reply};
use common::{Sandbox, findings, npm_token};
use serde_json::{Value, json};
use tokensweep::model::NPM_REGISTRY;

const WHOAMI: &str = "GET /-/whoami";
const STAGE: &str = "GET /-/stage?page=0&perPage=1";

/// The only finding of a report.
#[track_caller]
fn only(report: &Value) -> &Value {
    let [finding] = findings(report) else { panic!("not one finding: {report}") };
    finding
}

#[test]
fn every_kind_of_token_is_judged_by_what_the_facts_say() {
    let rows = [
        (Kind::ReadOnly, "active", 1),
        (Kind::ReadWrite, "active", 1),
        (Kind::Bypass, "active", 1),
        (Kind::BypassBefore, "active", 1),
        (Kind::StageOnly, "active", 1),
        (Kind::OrgOnly, "active", 1),
        (Kind::Session, "active", 1),
        (Kind::SessionOtp, "active", 1),
        (Kind::NoWhoami, "active", 2),
        (Kind::CidrChallenged, "restricted", 1),
        (Kind::CidrForbidden, "restricted", 1),
    ];
    for (kind, outcome, requests) in rows {
        let registry = Registry::start();
        let token = registry.token("alice", kind);
        let report = registry.validate(&[&token]).exits(1).json();
        assert_eq!(outcomes(&report), [outcome], "{kind:?}");
        assert_eq!(registry.lines(), [WHOAMI, STAGE][..requests], "{kind:?}");
        assert_polite(&registry.requests(), &[&token]);
        let detail = &only(&report)["validation_detail"];
        assert_eq!(detail["evidence"].as_array().unwrap().len(), requests);
        let named = outcome == "active" && requests == 1;
        let user = &detail["identity"]["user"];
        assert_eq!(user.as_str(), named.then_some("alice"), "{kind:?}");
    }
}

#[test]
fn a_token_that_two_endpoints_refuse_is_dead() {
    let registry = Registry::start();
    let token = registry.dead();
    let report = registry.validate(&[&token]).exits(0).json();
    assert_eq!(outcomes(&report), ["dead"]);
    assert_eq!(registry.lines(), [WHOAMI, STAGE]);
    assert_polite(&registry.requests(), &[&token]);
}

/// What whoami may say beside what the kinds of token are told.
#[test]
fn a_status_that_nothing_explains_proves_nothing() {
    let empty = |status| Reply::empty(status);
    let plain = json!({"error": "no"});
    let table = [
        (empty(401).with("www-authenticate", "OTP"), "restricted", 1),
        (empty(401).with("www-authenticate", "Basic, otp"), "restricted", 1),
        (Reply::json(401, &json!({"error": "needs a one-time password"})), "restricted", 1),
        (empty(401).with("www-authenticate", "Basic, ipaddress"), "restricted", 1),
        (Reply::html(401, "log in"), "unknown", 1),
        (Reply::json(403, &plain), "restricted", 1),
        (Reply::html(403, "Attention Required!"), "unknown", 1),
        (Reply::json(404, &plain), "unknown", 1),
        (Reply::json(200, &json!({})), "unknown", 1),
        (Reply::json(200, &json!({"username": null})), "unknown", 1),
        (Reply::json(200, &json!({"username": ["alice"]})), "unknown", 1),
        (Reply::json(200, &json!(["alice"])), "unknown", 1),
        (Reply::json(201, &json!({"username": "alice"})), "unknown", 1),
        (empty(204), "unknown", 1),
        (Reply::json(418, &plain), "unknown", 1),
        // A second question: the list of staged releases, which answers.
        (empty(401), "active", 2),
    ];
    for (reply, outcome, requests) in table {
        let registry = Registry::start();
        let token = registry.token("alice", Kind::ReadOnly);
        let shown = format!("{reply:?}");
        registry.on("/-/whoami", reply);
        let report = registry.validate(&[&token]).json();
        assert_eq!(outcomes(&report), [outcome], "{shown}");
        assert_eq!(registry.lines().len(), requests, "{shown}");
    }
}

#[test]
fn a_delay_of_zero_is_not_believed() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Limited(1));
    let begun = Instant::now();
    let report = registry.validate(&[&token]).exits(1).json();
    assert_eq!(outcomes(&report), ["active"]);
    assert_eq!(registry.lines(), [WHOAMI; 2]);
    assert!(begun.elapsed() > Duration::from_millis(1_500), "asked again at once");
}

#[test]
fn an_outage_proves_nothing() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Outage);
    let begun = Instant::now();
    let report = registry.validate(&[&token]).exits(3).json();
    assert_eq!(outcomes(&report), ["unknown"]);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(registry.lines().iter().all(|line| line == WHOAMI));
}

#[test]
fn a_portal_proves_nothing() {
    let registry = Registry::start();
    registry.manner(Manner::Portal);
    let token = registry.token("alice", Kind::ReadOnly);
    let report = registry.validate(&[&token]).exits(3).json();
    assert_eq!(outcomes(&report), ["unknown"]);
}

#[test]
fn a_registry_that_names_nobody_is_not_npms() {
    let registry = Registry::start();
    registry.manner(Manner::Verdaccio);
    for token in [registry.dead(), registry.token("alice", Kind::ReadOnly)] {
        let expected =
            if registry.world().tokens.contains_key(&token) { "active" } else { "unknown" };
        let report = registry.validate(&[&token]).json();
        assert_eq!(outcomes(&report), [expected]);
    }
}

#[test]
fn nobody_is_followed_elsewhere() {
    let (registry, trap) = (Registry::start(), Registry::start());
    registry.manner(Manner::Redirect(trap.url()));
    let token = registry.token("alice", Kind::ReadOnly);
    let report = registry.validate(&[&token]).exits(3).json();
    assert_eq!(outcomes(&report), ["unknown"]);
    assert!(trap.lines().is_empty(), "{:?}", trap.lines());
    assert_eq!(registry.lines(), [WHOAMI], "not even at the same host");
}

#[test]
fn a_host_that_only_the_text_names_is_not_asked() {
    let trap = Registry::start();
    let host = trap.address().to_string();
    let token = npm_token(1);
    let texts = [
        bound(&host, &token),
        format!("registry=http://{host}/\n_authToken={token}\n"),
        format!("@evil:registry=http://{host}/\n//{host}/:_authToken={token}\n"),
        format!("publishConfig: {{\"registry\": \"http://{host}/\"}}\nNPM_TOKEN={token}\n"),
        format!("curl -H 'Authorization: Bearer {token}' http://{host}/-/whoami\n"),
    ];
    for text in texts {
        let registry = Registry::start();
        let sandbox = Sandbox::new();
        let run = registry.call(&sandbox, "validate -f json", &text).run();
        keeps(&run, &[&token]);
        assert!(trap.lines().is_empty(), "{text}: {:?}", trap.lines());
    }
    // Named by the user it is, and the port must be the same.
    let sandbox = Sandbox::new();
    let text = bound(&host, &token);
    let words = ["validate", "-f", "json", "--pace", "0", "--allow-registry"];
    let other = sandbox.call(words).stdin(&text);
    let mut other = other;
    other.command.arg("127.0.0.1:1");
    other.run();
    assert!(trap.lines().is_empty());
    let mut call = sandbox.call(words).stdin(&text);
    call.command.arg(&host);
    call.run();
    assert_eq!(trap.lines()[0], WHOAMI);
}

/// Allowed by its name, it must still not lead into the own network: not by
/// what the name means to this machine's resolver.
#[cfg(unix)]
#[test]
fn a_name_that_leads_home_is_not_asked() {
    let output = std::process::Command::new("uname").arg("-n").output().unwrap();
    let name = String::from_utf8(output.stdout).unwrap().trim().to_lowercase();
    let trap = Registry::start();
    let port = trap.address().port();
    let home =
        (name.as_str(), port).to_socket_addrs().is_ok_and(|mut it| it.any(|a| a == trap.address()));
    if name == "localhost" || !home {
        eprintln!("SKIPPED: {name} is not a name of loopback here");
        return;
    }
    let host = format!("{name}:{port}");
    let token = npm_token(3);
    let text = bound(&host, &token);
    let url = format!("http://{host}");
    let words = ["validate", "-f", "json", "--pace", "0", "--allow-registry", &url];
    let sandbox = Sandbox::new();
    let run = sandbox.call(words).stdin(&text).run();
    assert_eq!(outcomes(&run.json()), ["skipped"]);
    assert!(trap.lines().is_empty(), "{:?}", trap.lines());
    let meant = words.into_iter().chain(["--allow-private"]);
    sandbox.call(meant).stdin(&text).run();
    assert_eq!(trap.lines()[0], WHOAMI);
}

#[test]
fn a_proxy_is_told_where_to_go_and_nothing_else() {
    let proxy = Registry::start();
    let token = npm_token(2);
    let sandbox = Sandbox::new();
    // A name that nobody has: should the proxy be passed by, nothing is sent.
    let words = ["validate", "-f", "json", "--timeout", "3", "--registry", "https://npm.invalid"];
    let call = sandbox.call(words).stdin(npmrc([&token])).env("HTTPS_PROXY", proxy.url());
    let run = call.run();
    keeps(&run, &[&token]);
    assert_eq!(outcomes(&run.json()), ["unknown"]);
    let seen = proxy.requests();
    assert!(!seen.is_empty(), "it went around the proxy");
    for request in seen {
        assert_eq!((request.method.as_str(), request.body.len()), ("CONNECT", 0));
        assert_eq!(request.target, "npm.invalid:443");
        assert!(request.header("authorization").is_none(), "{request:?}");
    }
}

#[test]
fn a_token_is_asked_about_once_wherever_it_stands() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    for n in 0..20 {
        sandbox.write(format!("{n}/.npmrc"), npmrc([&token]));
    }
    let run = registry.call(&sandbox, "validate -f json .", "").run().exits(1);
    assert_eq!(registry.lines(), [WHOAMI]);
    assert_eq!(only(&run.json())["places"], 20);
}

#[test]
fn reports_are_read_if_they_show_their_secrets() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    sandbox.write(".npmrc", npmrc([&token]));
    let shown = sandbox.run(["scan", "-f", "json", "--show-secrets"]).out();
    let run = registry.call(&sandbox, "validate -f json", &shown).run().exits(1);
    keeps(&run, &[&token]);
    assert_eq!(outcomes(&run.json()), ["active"]);
    registry.forget();
    let masked = sandbox.run(["scan", "-f", "json"]).out();
    registry.call(&sandbox, "validate", &masked).run().exits(2).complains(&["--show-secrets"]);
    assert!(registry.lines().is_empty());
}

/// A report of one finding, with what it claims of it.
fn claimed(secret: &str, claims: &Value) -> String {
    let mut finding = json!({
        "rule": "npm-access-token", "kind": "npm-access-token", "service": "npm",
        "secret": secret, "fingerprint": "0".repeat(32), "checksum": "valid",
        "registry": NPM_REGISTRY, "host": NPM_REGISTRY, "state": "unknown",
    });
    for (name, value) in claims.as_object().unwrap() {
        finding[name] = value.clone();
    }
    json!({"tool": {"name": "tokensweep"}, "findings": [finding]}).to_string()
}

#[test]
fn what_a_report_claims_is_judged_again() {
    let registry = Registry::start();
    let npm = registry.token("alice", Kind::ReadOnly);
    let github = common::secret("ghp_{alnum:30}{crc}", 9);
    let sandbox = Sandbox::new();
    let validate = |text: &str| {
        registry.forget();
        let words = format!("validate -f json --registry slack.com={0}", registry.url());
        let words = format!("{words} --registry api.github.com={}", registry.github_url());
        let run = registry.call(&sandbox, &words, text).run();
        keeps(&run, &[&npm, &github]);
        run.json()
    };
    let lies = [
        (&github, json!({})),
        (&github, json!({"kind": "gitlab-pat", "service": "gitlab", "host": "api.github.com"})),
        (&npm, json!({"kind": "slack-bot-token", "service": "slack", "host": null})),
        (&npm, json!({"kind": "npm-legacy-token"})),
    ];
    for (secret, claims) in lies {
        let report = validate(&claimed(secret, &claims));
        assert!(registry.lines().is_empty(), "{claims}: {:?}", registry.lines());
        let finding = only(&report);
        assert_eq!(finding["validation"], "skipped", "{claims}");
        assert!(finding.to_string().contains("no rule finds that in it"), "{finding}");
    }
    // What does not decide who is asked is no reason not to ask.
    for state in ["expired", "reference"] {
        let claims = json!({"state": state, "checksum": "invalid", "severity": "low"});
        let report = validate(&claimed(&npm, &claims));
        assert_eq!(outcomes(&report), ["active"], "{claims}");
        let finding = only(&report);
        assert_eq!(
            (&finding["checksum"], &finding["proof"]),
            (&json!("valid"), &json!("checksum"))
        );
        assert_eq!(finding["severity"], "critical");
    }
    // It stays bound to where the report found it.
    let elsewhere = json!({"host": "npm.example", "registry": "npm.example"});
    assert_eq!(outcomes(&validate(&claimed(&npm, &elsewhere))), ["skipped"]);
    assert!(registry.lines().is_empty());
}

#[test]
fn a_token_among_the_arguments_is_not_repeated() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, &format!("validate {token}"), "").run().exits(2);
    keeps(&run, &[&token]);
    assert!(registry.lines().is_empty());
}

#[test]
fn a_rehearsal_asks_nobody() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, "validate --dry-run", &npmrc([&token])).run().exits(0);
    keeps(&run, &[&token]);
    assert!(run.out().contains(&format!("GET {}/-/whoami", registry.url())), "{}", run.out());
    assert!(registry.lines().is_empty());
}

#[test]
fn a_budget_is_kept() {
    let registry = Registry::start();
    let tokens: Vec<String> = (0..6).map(|_| registry.token("alice", Kind::ReadOnly)).collect();
    let sandbox = Sandbox::new();
    let words = "validate -f json --max-requests 4";
    let report = registry.call(&sandbox, words, &npmrc(&tokens)).run().json();
    assert_eq!(registry.lines().len(), 4);
    let unknown = outcomes(&report).iter().filter(|outcome| **outcome == "skipped").count();
    assert_eq!(unknown, 2);
}

#[test]
fn questions_follow_each_other_at_a_distance() {
    let registry = Registry::start();
    let tokens: Vec<String> = (0..4).map(|_| registry.token("alice", Kind::ReadOnly)).collect();
    let sandbox = Sandbox::new();
    let words = ["validate", "-f", "json", "--pace", "0.3", "--registry"].map(str::to_owned);
    let call = sandbox.call(words.into_iter().chain([registry.url()])).stdin(npmrc(&tokens));
    call.run().exits(1);
    let seen = registry.requests();
    assert_eq!(seen.len(), 4);
    for pair in seen.windows(2) {
        let distance = pair[1].at - pair[0].at;
        assert!(distance > Duration::from_millis(250), "{distance:?}");
    }
}

#[test]
fn all_formats_keep_the_secret() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::ReadOnly);
    let sandbox = Sandbox::new();
    for format in ["text", "json", "jsonl", "sarif", "github"] {
        let words = format!("validate -v -f {format}");
        keeps(&registry.call(&sandbox, &words, &npmrc([&token])).run().exits(1), &[&token]);
    }
    let shown = registry.call(&sandbox, "validate --show-secrets", &npmrc([&token])).run();
    assert!(shown.out().contains(&token));
}

#[test]
fn public_packages_play_no_part_in_it() {
    let registry = Registry::start();
    registry.packages(portfolio("alice", 5));
    let token = registry.token("alice", Kind::Session);
    registry.validate(&[&token]).exits(1);
    assert_eq!(registry.lines(), [WHOAMI]);
}

#[test]
fn an_input_without_a_credential_is_not_called_clean() {
    let registry = Registry::start();
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, "validate", "just a text\n").run().exits(3);
    assert!(run.err().contains("no credential was recognised"), "{}", run.err());
    // An empty report says what was found: nothing.
    let report = sandbox.call(["scan", "-", "-f", "json"]).stdin("just a text\n").run();
    registry.call(&sandbox, "validate", &report.out()).run().exits(0);
    registry.call(&sandbox, "validate", "").run().exits(3);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_a_file() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    let pipe = sandbox.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = npmrc([&token]);
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, text)
    });
    let report = registry.call(&sandbox, "validate pipe -f json", "").run().exits(1).json();
    assert_eq!(outcomes(&report), ["active"]);
    writer.join().unwrap().unwrap();
}

#[test]
fn flags_of_the_network_do_nothing_for_a_plain_scan_and_say_so() {
    let sandbox = Sandbox::new();
    for flag in
        ["--dry-run", "--allow-private", "--allow-registry=h.example", "--registry=h.example"]
    {
        let run = sandbox.call(["scan", ".", flag]).run().exits(2);
        assert!(run.err().contains("does nothing without --validate"), "{}", run.err());
    }
}

#[test]
fn a_scan_can_ask_as_well() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    let report = registry.call(&sandbox, "scan - --validate -f json", &npmrc([&token])).run();
    assert_eq!(outcomes(&report.exits(1).json()), ["active"]);
    registry.forget();
    registry.call(&sandbox, "scan - --validate --dry-run", &npmrc([&token])).run().exits(0);
    assert!(registry.lines().is_empty());
}

/// A copy that some line binds to another host keeps nobody from asking npm; a
/// token that is bound there alone stays there.
#[test]
fn a_foreign_binding_does_not_hide_a_token_of_npm() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Bypass);
    let foreign = bound("evil.example", &token);
    for own in [npmrc([&token]), format!("NPM_TOKEN={token}\n"), format!("{token}\n")] {
        for texts in [[foreign.as_str(), own.as_str()], [own.as_str(), foreign.as_str()]] {
            let sandbox = Sandbox::new();
            sandbox.write("a/.npmrc", texts[0]);
            sandbox.write("b/.npmrc", texts[1]);
            let run = registry.call(&sandbox, "validate . -f json --timeout 3", "").run();
            keeps(&run, &[&token]);
            assert_eq!(outcomes(&run.json()), ["active"], "{texts:?}");
        }
    }
    registry.forget();
    let sandbox = Sandbox::new();
    let run = registry.call(&sandbox, "validate -f json --timeout 3", &foreign).run();
    assert_eq!(outcomes(&run.json()), ["skipped"]);
    assert!(registry.lines().is_empty(), "{:?}", registry.lines());
}

#[test]
fn a_report_that_cannot_be_written_is_known_before_anybody_is_asked() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    sandbox.write("leaked", npmrc([&token]));
    for (words, why) in [
        ("validate leaked -o nowhere/report", "cannot write the report"),
        ("validate leaked -o leaked", "take the place of the input"),
        ("blast-radius leaked -o ./leaked", "take the place of the input"),
        ("validate leaked -f dot", "only blast-radius has a graph"),
        ("scan leaked --validate -f dot", "only blast-radius has a graph"),
    ] {
        let run = registry.call(&sandbox, words, "").run().exits(2);
        assert!(run.err().contains(why), "{words}: {}", run.err());
        assert!(registry.lines().is_empty(), "{words}: {:?}", registry.lines());
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("leaked")).unwrap(), npmrc([&token]));
}

#[cfg(unix)]
#[test]
fn no_report_takes_the_place_of_what_is_read() {
    let registry = Registry::start();
    let token = registry.token("alice", Kind::Session);
    let sandbox = Sandbox::new();
    let leaked = sandbox.write("leaked", npmrc([&token]));
    let list = sandbox.write("bad", "left-pad@1.0.0\n");
    std::fs::hard_link(&leaked, sandbox.path("hard")).unwrap();
    for words in [
        "validate leaked -o hard",
        "blast-radius leaked --ioc bad -o bad",
        "scan leaked --validate -o ./hard",
    ] {
        let run = registry.call(&sandbox, words, "").run().exits(2);
        assert!(run.err().contains("take the place"), "{words}: {}", run.err());
    }
    assert_eq!(std::fs::read_to_string(&leaked).unwrap(), npmrc([&token]));
    assert_eq!(std::fs::read_to_string(&list).unwrap(), "left-pad@1.0.0\n");
}

/// A `.netrc` says to whom its passwords belong, whatever they look like.
#[test]
fn an_entry_of_a_netrc_binds_a_token_to_its_machine() {
    let token = npm_token(11);
    for machine in ["npm.corp.example", "git.corp.example"] {
        let sandbox = Sandbox::new();
        let text = format!("machine {machine} login ada password {token}\n");
        let run = sandbox.call(["validate", "-", "--dry-run"]).stdin(text).run().exits(0);
        assert!(!run.out().contains("GET "), "{}", run.out());
    }
}
