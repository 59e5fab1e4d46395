//! Reports of what services told: validation, blast radius and response, in
//! every format, with servers that say whatever they like.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::Value;
use tokensweep::model::radius::*;
use tokensweep::model::*;
use tokensweep::report::sanitize::is_hidden;
use tokensweep::report::{Format, Options, reporter};

mod common;
use common::npm_token;

/// What a world of servers says.
struct World<'a> {
    /// What becomes of each string.
    say: &'a dyn Fn(&str) -> String,
    /// Every point in time.
    time: i64,
    /// Every number.
    count: u64,
    /// How everything was learnt.
    certainty: Certainty,
}

impl World<'_> {
    fn ordinary() -> Self {
        let (time, count) = (1_790_000_000, 1_234_567);
        Self { say: &str::to_owned, time, count, certainty: Certainty::Measured }
    }

    fn say(&self, text: &str) -> String {
        (self.say)(text)
    }

    fn all(&self, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| self.say(text)).collect()
    }

    fn learnt<T>(&self, value: T) -> Learnt<T> {
        let known = matches!(self.certainty, Certainty::Measured | Certainty::UpperBound);
        Learnt {
            value: known.then_some(value),
            certainty: self.certainty,
            how: self.say("the registry said so"),
        }
    }

    fn validation(&self) -> Validation {
        Validation {
            outcome: Outcome::Active,
            words: self.say("the registry says whose it is."),
            identity: Some(Identity {
                user: Some(self.say("alice")),
                scopes: self.all(&["package: write", "org: read"]),
                facts: [(self.say("e-mail"), self.say("a…@example.com"))].into(),
            }),
            evidence: vec![
                Evidence {
                    request: self.say("GET https://npm.example/-/whoami"),
                    status: Some(200),
                    meaning: self.say("alive"),
                },
                Evidence {
                    request: self.say("GET https://npm.example/-/npm/v1/user"),
                    status: None,
                    meaning: self.say("timed out"),
                },
            ],
            asked: Some(self.time),
        }
    }

    fn radius(&self) -> BlastRadius {
        let rights = |kind, assumption: &str, publish| Rights {
            kind,
            assumption: self.say(assumption),
            rights: [(Action::Publish, publish), (Action::Tokens, Answer::Unknown)]
                .into_iter()
                .map(|(action, answer)| Right {
                    action,
                    answer,
                    why: self.say("the token skips the second factor, and the package lets it"),
                })
                .collect(),
            as_of: self.say("2026-11-01"),
        };
        BlastRadius {
            severity: Some(Severity::Critical),
            verdict: self.say("can publish 40 packages without a second factor."),
            headline: self.say("alice's token can publish 40 packages"),
            staged: self.learnt(vec![StagedRelease {
                package: self.say("kit"),
                version: self.say("1.5.0"),
                time: Some(self.time),
                actor: Some(self.say("alice")),
            }]),
            account: Account {
                user: self.learnt(self.say("alice")),
                email: self.learnt(self.say("a…@example.com")),
                email_verified: self.learnt(true),
                second_factor: self.learnt(SecondFactor::AuthOnly),
                created: self.learnt(self.time),
            },
            token: TokenFacts {
                kind: Learnt::unknown(self.say("the list was refused")),
                name: self.learnt(self.say("ci publish")),
                permissions: self.learnt(self.all(&["package: write"])),
                scopes: self.learnt(self.all(&["*"])),
                cidr: self.learnt(Vec::new()),
                expires: self.learnt(None),
                created: self.learnt(self.time),
                siblings: self.learnt(3),
                ..TokenFacts::default()
            },
            orgs: self.learnt(self.all(&["@acme", "@alice"])),
            packages: self.packages(),
            package_count: self.learnt(40),
            weekly_downloads: self.learnt(self.count),
            dependents: Learnt::default(),
            rights: vec![
                rights(TokenKind::ReadWriteBypass, "if it may write and skips 2FA", Answer::Yes),
                rights(TokenKind::ReadWrite, "if it may write", Answer::SecondFactor),
            ],
            window: Window { from: self.learnt(self.time), until: Learnt::default() },
            not_checked: self.all(&["dependents: nobody asked"]),
        }
    }

    fn packages(&self) -> Vec<Package> {
        let release = |version: &str| Release {
            version: self.say(version),
            time: Some(self.time),
            publisher: Some(self.say("alice")),
        };
        let mark = |weight, sign, words: &str| Mark { weight, sign, words: self.say(words) };
        let mut packages: Vec<Package> = (0..17)
            .map(|n| Package { name: self.say(&format!("package-{n}")), ..Package::default() })
            .collect();
        packages[0] = Package {
            name: self.say("@acme/left-pad"),
            right: self.learnt(PackageRight::Publish),
            private: self.learnt(false),
            weekly_downloads: self.learnt(self.count),
            dependents: self.learnt(self.count),
            maintainers: self.learnt(self.all(&["alice", "bob"])),
            latest: self.learnt(release("1.3.1")),
            install_scripts: self.learnt(true),
            provenance: self.learnt(false),
            published_by: self.learnt(PublishedBy::Staged { approver: Some(self.say("bob")) }),
            last_token_publish: self.learnt(Some(release("1.3.0"))),
            trusted_before: self.learnt(Some(release("1.2.0"))),
            built_before: self.learnt(None),
            last_good: self.learnt(release("1.2.9")),
            repository: self.learnt(self.say("https://git.example/acme/left-pad")),
            advice: self.all(&["Require a second factor and disallow tokens"]),
            earlier: Vec::new(),
            releases: vec![
                WindowRelease {
                    version: self.say("1.3.1"),
                    time: self.time,
                    ghost: false,
                    marks: vec![
                        mark(Severity::Critical, "known-bad", "listed as bad in bad.csv"),
                        mark(Severity::High, "new-install-script", "runs a script that is new"),
                    ],
                },
                WindowRelease {
                    version: self.say("1.3.0"),
                    time: self.time,
                    ghost: true,
                    marks: Vec::new(),
                },
                WindowRelease {
                    version: self.say("1.2.9"),
                    time: self.time,
                    ghost: false,
                    marks: Vec::new(),
                },
            ],
        };
        packages[1].advice = packages[0].advice.clone();
        packages
    }

    fn response(&self) -> Response {
        let part = |armed, place: &str, words: &str| SwitchPart {
            switch: self.say("gh-token-monitor"),
            place: self.say(place),
            armed,
            words: self.say(words),
        };
        let node =
            |id: &str, kind, label: &str| Node { id: self.say(id), kind, label: self.say(label) };
        let edge = |from: &str, to: &str, relation, certainty| Edge {
            from: self.say(from),
            to: self.say(to),
            relation,
            certainty,
            how: self.say("whoami"),
        };
        Response {
            switch: vec![
                part(true, "~/.config/systemd/user/gh-token-monitor.service", "its service"),
                part(false, "~/gh-token-monitor.log", "its log"),
            ],
            graph: Graph {
                nodes: vec![
                    node("account:npm:alice", NodeKind::Account, "alice"),
                    node("package:left-pad", NodeKind::Package, "left-pad \"<b>\" & \\N"),
                ],
                edges: vec![
                    edge(
                        "account:npm:alice",
                        "package:left-pad",
                        "publishes",
                        Certainty::UpperBound,
                    ),
                    edge("package:left-pad", "account:npm:alice", "reads", Certainty::Unknown),
                ],
            },
            plan: vec![
                Step {
                    id: "persistence",
                    title: self.say("Remove what waits on this machine"),
                    why: self.say("A dead-man's switch was found."),
                    commands: self.all(&["systemctl --user stop gh-token-monitor"]),
                    notes: self.all(&["Do this before anything is revoked."]),
                },
                Step {
                    id: "revoke",
                    title: self.say("Revoke the token, from another machine"),
                    why: String::new(),
                    commands: self.all(&["npm token list", "npm token revoke 0123abcd"]),
                    notes: Vec::new(),
                },
            ],
            lockfiles: vec![Lockfile {
                path: self.say("web/package-lock.json"),
                format: self.say("package-lock v3"),
                packages: self.count,
                problem: self.say("cut short"),
            }],
            projects: vec![ProjectUse {
                lockfile: self.say("web/package-lock.json"),
                package: self.say("left-pad"),
                version: self.say("1.3.1"),
                through: self.all(&["express", "left-pad"]),
                known_bad: Some(self.say("bad.csv")),
            }],
            lists: self.all(&["bad.csv of 2026-11-20"]),
        }
    }

    fn report(&self) -> Report {
        let secret = secret();
        let origin = Arc::new(Origin {
            target: 0,
            root: (*b".").into(),
            path: (*b".npmrc").into(),
            kind: OriginKind::File,
            git: None,
        });
        let finding = Finding {
            fingerprint: FingerprintKey::default().fingerprint(secret.as_bytes()),
            rule: "npm-access-token".into(),
            name: "npm access token".into(),
            kind: "npm-token".into(),
            service: Some("npm".into()),
            secret: Secret::new(secret.as_bytes(), Mask::Ends),
            proof: Proof::Checksum,
            confidence: Confidence::High,
            severity: Severity::Medium,
            checksum: Checksum::Valid,
            registry: None,
            host: None,
            username: None,
            worth: Worth { state: State::Unknown, words: "May be alive.".into() },
            places: 1,
            locations: vec![Location {
                origin,
                offset: 0,
                line: 1,
                column: 7,
                length: 40,
                variable: None,
            }],
            validation: self.validation(),
            blast_radius: Some(Box::new(self.radius())),
        };
        Report {
            findings: vec![finding],
            response: Some(Box::new(self.response())),
            ..Report::default()
        }
    }
}

fn secret() -> String {
    npm_token(7)
}

fn written(report: &Report, format: Format, options: Options) -> String {
    let mut out = Vec::new();
    reporter(format, options).write(report, &mut out).unwrap();
    String::from_utf8(out).expect("every format is UTF-8")
}

fn plain(report: &Report, format: Format) -> String {
    written(report, format, Options::default())
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&plain(report, Format::Json)).unwrap()
}

#[test]
fn text_says_what_how_bad_and_what_first() {
    insta::assert_snapshot!(plain(&World::ordinary().report(), Format::Text), @"
    ==================================================================================================
    STOP: A DEAD-MAN'S SWITCH IS ARMED ON THIS MACHINE
      It watches a stolen token, and may delete your files as soon as the token is refused. Do this
      first, in this order:
      1. Do not revoke any token, and do not try any at GitHub.
      2. Take this machine off the network.
      3. Stop these services and processes, then delete their files:
         gh-token-monitor  ~/.config/systemd/user/gh-token-monitor.service  its service
      4. Make sure that none of them runs any more.
      5. Only then revoke, from another machine.
    ==================================================================================================

    in short  alice's token can publish 40 packages
              2 suspicious versions were published while it was open
              first: Remove what waits on this machine; the whole plan stands at the end

    critical  npm access token  npm_5vsh…usiF
              May be alive.
              active as alice: the registry says whose it is.
              checksum valid · confidence high
              rule npm-access-token · fingerprint 16b6d5f521999eb04edd4364aa46feb8
          at  .npmrc:1:7

       reach  critical: can publish 40 packages without a second factor.
              account   alice · a…@example.com (confirmed) · 2FA for login only · since 2026-09-21
              token     kind unknown · named ci publish · may package: write · for *
                        works from addresses: all · needs no 2FA: unknown · made 2026-09-21
                        ends never · last used unknown · other tokens 3
              orgs      @acme, @alice
              packages  40 in reach · downloads a week: 1,234,567 · dependents: unknown
              staged    wait for approval: kit@1.5.0 2026-09-21 by alice

              what its holder can do with nothing else (as of 2026-11-01)
                A = if it may write and skips 2FA
                B = if it may write
                               A        B             why A
                publish        yes      2FA stops it  the token skips the second factor, an…
                manage tokens  unknown  unknown       the token skips the second factor, an…
                -v shows the reasons whole

              packages in reach, most dangerous first
                name            right    weekly   used by  people   latest            marks
                @acme/left-pad  publish  1.2 M    1.2 M    2        1.3.1 2026-09-21  scripts SUSPICIOUS
                package-1       unknown  unknown  unknown  unknown  unknown
                package-2       unknown  unknown  unknown  unknown  unknown
                package-3       unknown  unknown  unknown  unknown  unknown
                package-4       unknown  unknown  unknown  unknown  unknown
                package-5       unknown  unknown  unknown  unknown  unknown
                package-6       unknown  unknown  unknown  unknown  unknown
                package-7       unknown  unknown  unknown  unknown  unknown
                package-8       unknown  unknown  unknown  unknown  unknown
                package-9       unknown  unknown  unknown  unknown  unknown
                package-10      unknown  unknown  unknown  unknown  unknown
                package-11      unknown  unknown  unknown  unknown  unknown
                package-12      unknown  unknown  unknown  unknown  unknown
                package-13      unknown  unknown  unknown  unknown  unknown
                package-14      unknown  unknown  unknown  unknown  unknown
                … and 25 more (-v lists what is known)

              was it used?
                open from 2026-09-21 (the registry said so) until unknown (nobody asked)
                2 suspicious versions
                @acme/left-pad@1.3.1  2026-09-21  critical  listed as bad in bad.csv
                                                  high      runs a script that is new
                @acme/left-pad@1.3.0  2026-09-21  gone      was taken away again
                1 version without such signs, which proves nothing: compare with your own releases

              how they are published
                name            latest by                 provenance  install scripts  last by token
                @acme/left-pad  staging, approved by bob  no          yes              1.3.0 2026-09-21
                16 packages were not looked at

              what to change
                - Require a second factor and disallow tokens: @acme/left-pad, package-1

              what was not checked
                - dependents: nobody asked

    traces of a dead-man's switch
         gh-token-monitor  ~/gh-token-monitor.log  its log

    at home: 1 use of packages in reach, in 1 lockfile
      web/package-lock.json  left-pad@1.3.1  KNOWN BAD: bad.csv  through express
      not read whole: web/package-lock.json: cut short
      compared with bad.csv of 2026-11-20

    what to do, first things first
      1. Remove what waits on this machine
         A dead-man's switch was found.
             systemctl --user stop gh-token-monitor
         note: Do this before anything is revoked.
      2. Revoke the token, from another machine
             npm token list
             npm token revoke 0123abcd

    1 secret in 1 place: 1 critical
    nothing was searched: not one file was read
    ");
}

#[test]
fn verbose_text_shows_the_evidence() {
    let options = Options { verbose: true, ..Options::default() };
    let text = written(&World::ordinary().report(), Format::Text, options);
    let (start, _) = text.split_once("checksum valid").unwrap();
    let (_, start) = start.split_once("npm_").unwrap();
    insta::assert_snapshot!(start, @"
    5vsh…usiF
              May be alive.
              active as alice: the registry says whose it is.
                scopes: package: write, org: read
                e-mail: a…@example.com
                asked: 2026-09-21T14:13:20Z
                GET https://npm.example/-/whoami → 200: alive
                GET https://npm.example/-/npm/v1/user → no answer: timed out
    ");
    assert!(text.contains("package-16") && text.contains("@acme/left-pad@1.2.9"));
}

#[test]
fn nothing_stays_blank_that_nobody_knows() {
    let world = World { certainty: Certainty::Refused, ..World::ordinary() };
    let text = plain(&world.report(), Format::Text);
    let token = text.lines().find(|line| line.contains("token     kind")).unwrap();
    assert!(token.contains("kind unknown") && token.contains("named refused"), "{text}");
    let world = World { certainty: Certainty::UpperBound, ..World::ordinary() };
    assert!(plain(&world.report(), Format::Text).contains("at most 40 in reach"));
}

#[test]
fn an_armed_switch_comes_before_all_else() {
    let mut report = World::ordinary().report();
    for quiet in [false, true] {
        let text = written(&report, Format::Text, Options { quiet, ..Options::default() });
        assert!(text.lines().nth(1).unwrap().starts_with("STOP: "), "{text}");
    }
    report.response.as_mut().unwrap().switch.retain(|part| !part.armed);
    let text = plain(&report, Format::Text);
    assert!(!text.contains("STOP") && text.contains("traces"), "{text}");
}

#[test]
fn json_holds_everything() {
    let json = json(&World::ordinary().report());
    let finding = &json["findings"][0];
    assert_eq!(finding["validation"], "active");
    let detail = &finding["validation_detail"];
    assert_eq!(detail["asked"], "2026-09-21T14:13:20Z");
    assert_eq!(detail["identity"]["facts"]["e-mail"], "a…@example.com");
    assert_eq!(detail["evidence"][1]["status"], Value::Null);
    let radius = &finding["blast_radius"];
    assert_eq!(radius["severity"], "critical");
    assert_eq!(radius["account"]["created"]["value"], "2026-09-21T14:13:20Z");
    assert_eq!(radius["account"]["created"]["certainty"], "measured");
    assert_eq!(radius["token"]["siblings"]["value"], 3);
    assert_eq!(radius["packages"][0]["latest"]["value"]["time"], "2026-09-21T14:13:20Z");
    assert_eq!(radius["packages"][0]["releases"][0]["marks"][0]["sign"], "known-bad");
    assert_eq!(radius["window"]["until"]["value"], Value::Null);
    let response = &json["response"];
    assert_eq!(response["graph"]["edges"][0]["from"], "account:npm:alice");
    assert_eq!(response["plan"][1]["commands"][1], "npm token revoke 0123abcd");
    assert_eq!(response["projects"][0]["through"][0], "express");
    assert_eq!(json["summary"]["by_validation"]["active"], 1);
}

#[test]
fn jsonl_has_a_line_for_the_response() {
    let report = World::ordinary().report();
    let lines = plain(&report, Format::Jsonl);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["finding", "response", "summary"]);
    assert_eq!(lines[1]["response"], json(&report)["response"]);
    let without = Report { response: None, ..report };
    assert!(!plain(&without, Format::Jsonl).contains("\"type\":\"response\""));
    assert_eq!(json(&without)["response"], Value::Null);
}

#[test]
fn what_is_empty_is_reported_too() {
    for outcome in ["not-attempted", "active", "restricted", "dead", "unknown", "skipped"] {
        let mut report = World::ordinary().report();
        report.response = Some(Box::default());
        let finding = &mut report.findings[0];
        finding.blast_radius = Some(Box::default());
        finding.validation = Validation { outcome: named(outcome), ..Validation::default() };
        assert_harmless(&report);
        let text = plain(&report, Format::Text);
        let line = text.lines().any(|line| line.trim() == outcome);
        assert_eq!(line, outcome != "not-attempted", "{text}");
        let json = json(&report);
        assert_eq!(json["findings"][0]["validation"], outcome);
        assert_eq!(json["findings"][0]["validation_detail"].is_null(), !line);
        assert_eq!(json["summary"]["by_validation"][outcome], 1);
    }
}

fn named(word: &str) -> Outcome {
    use Outcome::{Active, Dead, NotAttempted, Restricted, Skipped, Unknown};
    let all = [NotAttempted, Active, Restricted, Dead, Unknown, Skipped];
    all.into_iter().find(|outcome| outcome.word() == word).unwrap()
}

/// A thousand live secrets and two thousand packages are a matter of moments:
/// the price of a text does not grow with the number of secrets.
#[test]
fn many_secrets_and_many_packages_are_written_in_time() {
    let mut report = World::ordinary().report();
    let radius = report.findings[0].blast_radius.as_mut().unwrap();
    radius.packages = std::iter::repeat_n(radius.packages[0].clone(), 2000).collect();
    for seed in 0..1000 {
        let mut finding = report.findings[0].clone();
        finding.secret = Secret::new(npm_token(100 + seed).as_bytes(), Mask::Ends);
        finding.blast_radius = None;
        report.findings.push(finding);
    }
    let start = std::time::Instant::now();
    for format in [Format::Text, Format::Json] {
        plain(&report, format);
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn times_beyond_all_calendars_are_null() {
    let world = World { time: i64::MAX, ..World::ordinary() };
    let json = json(&world.report());
    assert_eq!(json["findings"][0]["validation_detail"]["asked"], Value::Null);
    assert!(plain(&world.report(), Format::Text).contains("since unknown"));
}

#[test]
fn code_scanning_goes_by_the_measured_severity() {
    let report = World::ordinary().report();
    let sarif: Value = serde_json::from_str(&plain(&report, Format::Sarif)).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["level"], "error", "the rule alone says medium");
    assert_eq!(result["properties"]["validation"], "active");
    assert_eq!(result["properties"]["blastRadius"]["packages"], 40);
    let github = plain(&report, Format::Github);
    assert!(github.starts_with("::error ") && github.contains(" (active)"), "{github}");
}

#[test]
fn dot_draws_the_graph() {
    insta::assert_snapshot!(plain(&World::ordinary().report(), Format::Dot), @r#"
    digraph tokensweep {
      graph [charset="UTF-8", rankdir="LR"];
      node [fontname="sans-serif"];
      edge [fontname="sans-serif", fontsize="10"];
      "account:npm:alice" [label="alice", shape="ellipse"];
      "package:left-pad" [label="left-pad \"<b>\" &amp; \\\\N", shape="box"];
      "account:npm:alice" -> "package:left-pad" [label="publishes", tooltip="whoami", style="dashed"];
      "package:left-pad" -> "account:npm:alice" [label="reads", tooltip="whoami", style="dotted"];
    }
    "#);
    assert_is_dot(&plain(&Report::default(), Format::Dot));
}

/// The grammar of what we write: a head, statements of quoted strings and
/// attributes, an end.
fn assert_is_dot(text: &str) {
    const STRING: &str = r#""(?:[^"\\\n]|\\["\\])*""#;
    let attributes = format!(r"\[[a-z]+={STRING}(?:, [a-z]+={STRING})*\]");
    let statement = format!(r"^  (?:graph|node|edge|{STRING}|{STRING} -> {STRING}) {attributes};$");
    let statement = regex_automata::meta::Regex::new(&statement).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("digraph tokensweep {"));
    assert_eq!(lines.next_back(), Some("}"));
    for line in lines {
        assert!(statement.is_match(line), "{line}");
    }
}

fn every_way() -> impl Iterator<Item = (Format, Options)> {
    Format::ALL.into_iter().flat_map(|format| {
        [0, 1, 2]
            .map(|n| (format, Options { verbose: n == 1, quiet: n == 2, ..Options::default() }))
    })
}

fn assert_harmless(report: &Report) {
    for (format, options) in every_way() {
        let text = written(report, format, options);
        let hidden = text.chars().find(|&c| is_hidden(c) && c != '\n');
        assert_eq!(hidden, None, "{format}: {text:?}");
        match format {
            Format::Json | Format::Sarif => drop(serde_json::from_str::<Value>(&text).unwrap()),
            Format::Github => assert!(text.lines().all(|line| line.starts_with("::")), "{text}"),
            Format::Dot => assert_is_dot(&text),
            Format::Text | Format::Jsonl => {}
        }
    }
}

/// No run of 16 characters of a form is there.
fn assert_untold(text: &str, forms: &[String], why: &str) {
    let text = text.to_lowercase();
    for form in forms {
        let form = form.to_lowercase();
        for start in 0..form.len().saturating_sub(15) {
            let part = &form[start..start + 16];
            assert!(!text.contains(part), "{why}: {part} in {text}");
        }
    }
}

/// The ways to say a secret back.
fn dresses() -> Vec<String> {
    let secret = secret();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut dresses = vec![
        secret.clone(),
        secret.to_uppercase(),
        secret.replace('_', "%5F"),
        percent.replace('%', "%25"),
        percent,
        hex.to_uppercase(),
        hex,
        secret.chars().rev().collect(),
    ];
    for before in ["", "a", "ab"] {
        dresses.push(STANDARD.encode(format!("{before}{secret}?>")));
        dresses.push(URL_SAFE_NO_PAD.encode(format!("{before}{secret}?>")));
    }
    dresses
}

#[test]
fn no_format_tells_what_a_server_echoes() {
    for dress in dresses() {
        for (before, after) in [("", ""), ("x ", " y"), ("\u{1b}[2J\"\\", "\n::error::%")] {
            let say = |_: &str| format!("{before}{dress}{after}");
            let report = World { say: &say, ..World::ordinary() }.report();
            assert_harmless(&report);
            for (format, options) in every_way() {
                // The ends of a base64 text belong to what is beside the secret.
                let middle = dress[4..dress.len() - 4].to_owned();
                let text = written(&report, format, options);
                assert_untold(&text, &[secret(), middle], format.word());
            }
        }
    }
}

#[test]
fn who_asks_for_secrets_sees_what_was_said() {
    let say = |_: &str| secret();
    let report = World { say: &say, ..World::ordinary() }.report();
    let options = Options { show_secrets: true, ..Options::default() };
    assert!(written(&report, Format::Dot, options).contains(&secret()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_servers_say_is_harmless(
        text: String, time: i64, count: u64, certainty in 0..4_usize, at in 0..100_usize,
        dress in prop::sample::select(dresses()),
    ) {
        use Certainty::{Measured, Refused, Unknown, UpperBound};
        let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
        let (before, after) = text.split_at(at);
        let say = |_: &str| format!("{before} {dress} {after}");
        let certainty = [Measured, UpperBound, Refused, Unknown][certainty];
        let report = World { say: &say, time, count, certainty }.report();
        assert_harmless(&report);
        for (format, options) in every_way() {
            assert_untold(&written(&report, format, options), &[secret()], format.word());
        }
    }
}
