//! Reports of hand-made findings with hostile names, in every format.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tokensweep::model::*;
use tokensweep::report::sanitize::is_hidden;
use tokensweep::report::{Format, Options, reporter};
use tokensweep::rules::example::fill;

fn written(report: &Report, format: Format, options: Options) -> String {
    let mut out = Vec::new();
    reporter(format, options).write(report, &mut out).unwrap();
    String::from_utf8(out).expect("every format is UTF-8, whatever the names are")
}

fn token() -> Vec<u8> {
    fill("ghp_{alnum:30}{crc}", 1).unwrap().text
}

fn at(root: &[u8], path: &[u8], line: u64, variable: Option<&str>) -> Location {
    let kind = if root == b"-" { OriginKind::Stdin } else { OriginKind::File };
    let origin =
        Arc::new(Origin { target: 0, root: root.into(), path: path.into(), kind, git: None });
    let variable = variable.map(str::to_owned);
    Location { origin, offset: 100 * line, line, column: 7, length: 40, variable }
}

fn finding(secret: &[u8], severity: Severity, locations: Vec<Location>) -> Finding {
    Finding {
        fingerprint: FingerprintKey::default().fingerprint(secret),
        rule: "github-token".into(),
        name: "GitHub token".into(),
        kind: "github-classic".into(),
        service: Some("github".into()),
        secret: Secret::new(secret, Mask::Ends),
        proof: Proof::Checksum,
        confidence: Confidence::High,
        severity,
        checksum: Checksum::Valid,
        registry: Some("npm.example.com".into()),
        host: Some("npm.example.com:8443".into()),
        username: Some("alice".into()),
        worth: Worth {
            state: State::Unknown,
            words: "May be alive: nothing offline tells when it ends.".into(),
        },
        places: locations.len() as u64,
        locations,
        validation: Default::default(),
        blast_radius: None,
    }
}

fn skip(reason: SkipReason, path: &[u8], detail: &str) -> Skip {
    Skip { reason, path: path.to_vec(), detail: detail.into() }
}

fn clean() -> Report {
    Report {
        coverage: Coverage {
            files: 1234,
            objects: 0,
            known: 0,
            bytes: 56_700_000,
            skipped: Vec::new(),
        },
        rules: 180,
        elapsed: Duration::from_millis(120),
        ..Report::default()
    }
}

/// Two secrets in ordinary places, and something of all else there is.
fn ordinary() -> Report {
    let places = (1..=12).map(|n| at(b".", format!("logs/{n:02}.log").as_bytes(), n, None));
    let low = Finding {
        name: "Password".into(),
        rule: "password".into(),
        secret: Secret::new(b"correct horse", Mask::All),
        checksum: Checksum::None,
        registry: None,
        host: None,
        ..finding(b"correct horse", Severity::Low, places.collect())
    };
    let mut report = clean();
    report.findings = vec![
        finding(
            &token(),
            Severity::Critical,
            vec![
                at(b".", b".npmrc", 1, Some("_authToken")),
                at(b"packages", b"a/.env", 12, Some("TOKEN")),
                at(b"-", b"", 3, None),
            ],
        ),
        low,
    ];
    report.coverage.skipped = vec![
        skip(SkipReason::Unreadable, b"private/key", "Permission denied (os error 13)"),
        skip(SkipReason::Symlink, b"a/link", ""),
        skip(SkipReason::Symlink, b"b/link", ""),
    ];
    let suppressed = |by| Suppressed {
        by,
        fingerprint: FingerprintKey::default().fingerprint(b"x"),
        rule: "github-token".into(),
        places: 2,
    };
    report.suppressed = vec![
        suppressed(Suppression::Inline("tokensweep:allow")),
        suppressed(Suppression::Baseline),
        suppressed(Suppression::Baseline),
    ];
    report.unused_suppressions = vec!["0123 github-token".into()];
    report.rejected = BTreeMap::from([("placeholder", 7)]);
    report
}

/// Every string that a scanned tree or the system may choose is `text`.
fn hostile(text: &[u8]) -> Report {
    let words = String::from_utf8_lossy(text).into_owned();
    let mut report = ordinary();
    for finding in &mut report.findings {
        finding.username = Some(words.clone());
        finding.registry = Some(words.clone());
        finding.worth.words = words.clone();
        finding.locations.push(at(b".", text, 1, Some(&words)));
        finding.locations.push(at(text, b"x", 1, Some(&words)));
        finding.locations.reverse();
        finding.places += 2;
    }
    report.coverage.skipped.push(skip(SkipReason::Failed, text, &words));
    report.suppressed.push(Suppressed {
        by: Suppression::IgnoreFile(words.clone()),
        fingerprint: FingerprintKey::default().fingerprint(b"y"),
        rule: words.clone(),
        places: 1,
    });
    report.unused_suppressions.push(words);
    report
}

const NASTY: &[u8] =
    b"a\x1b]0;t\x07\x1b[2J\r\n::error::b\xff,\xe2\x80\xaetxt\xc2\x9b31m\x7f%0A\\[x](y){0}\"";

fn every_way() -> impl Iterator<Item = (Format, Options)> {
    Format::ALL.into_iter().flat_map(|format| {
        [0, 1, 2]
            .map(|n| (format, Options { verbose: n == 1, quiet: n == 2, ..Options::default() }))
    })
}

#[test]
fn text_is_for_people() {
    insta::assert_snapshot!(written(&ordinary(), Format::Text, Options::default()), @"
    critical  GitHub token  ghp_9nc0…K1dZ
              May be alive: nothing offline tells when it ends.
              registry npm.example.com · user alice · checksum valid · confidence high
              rule github-token · fingerprint d5b0a0626e590a1a96517e9df8537dee
          at  .npmrc:1:7  (_authToken)
              packages/a/.env:12:7  (TOKEN)
              <stdin>:3:7

    low       Password  ‹13 bytes›
              May be alive: nothing offline tells when it ends.
              user alice · confidence high
              rule password · fingerprint ec48a82a745aac68341acf3a94f71f7a
          at  logs/01.log:1:7
              logs/02.log:2:7
              logs/03.log:3:7
              logs/04.log:4:7
              logs/05.log:5:7
              logs/06.log:6:7
              logs/07.log:7:7
              logs/08.log:8:7
              logs/09.log:9:7
              logs/10.log:10:7
              … and 2 more places

    warning: the scan is incomplete: 1 × unreadable
              private/key: Permission denied (os error 13)
    suppressed: 1 by tokensweep:allow on their line, 2 by the baseline
    warning: this suppression matched nothing: 0123 github-token
    2 secrets in 15 places: 1 critical, 1 low
    searched: 1,234 files, 56.7 MB in 0.12 s, 180 rules; not searched: 1 × unreadable, 2 × symbolic link not followed
    ");
}

#[test]
fn verbose_text_leaves_nothing_out() {
    let text = written(&ordinary(), Format::Text, Options { verbose: true, ..Options::default() });
    let tail = text.split("logs/10.log").nth(1).unwrap();
    insta::assert_snapshot!(tail, @"
    :10:7
              logs/11.log:11:7
              logs/12.log:12:7

    warning: the scan is incomplete: 1 × unreadable
              private/key: Permission denied (os error 13)
    note: not searched: 2 × symbolic link not followed
              a/link
              b/link
    note: candidates turned away: 7 × placeholder
    suppressed: 1 by tokensweep:allow on their line, 2 by the baseline
              1a1536f1df858bc79fee0f21565a9459  github-token, 2 places: tokensweep:allow
              1a1536f1df858bc79fee0f21565a9459  github-token, 2 places: baseline
              1a1536f1df858bc79fee0f21565a9459  github-token, 2 places: baseline
    warning: this suppression matched nothing: 0123 github-token
    2 secrets in 15 places: 1 critical, 1 low
    searched: 1,234 files, 56.7 MB in 0.12 s, 180 rules; not searched: 1 × unreadable, 2 × symbolic link not followed
    ");
}

#[test]
fn text_is_coloured_on_demand_and_says_the_same() {
    let plain = written(&ordinary(), Format::Text, Options::default());
    let coloured =
        written(&ordinary(), Format::Text, Options { color: true, ..Options::default() });
    assert!(coloured.contains("\x1b[1m"));
    assert_eq!(uncoloured(&coloured), plain);
}

/// The text without SGR sequences.
fn uncoloured(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("\x1b[");
    out.push_str(parts.next().unwrap());
    for part in parts {
        let (codes, rest) = part.split_once('m').expect("an SGR sequence ends");
        assert!(codes.chars().all(|c| c.is_ascii_digit() || c == ';'), "{codes:?}");
        out.push_str(rest);
    }
    out
}

#[test]
fn the_last_line_says_what_was_looked_at() {
    let text = |report: &Report| written(report, Format::Text, Options::default());
    let mut report = clean();
    assert_eq!(text(&report), "clean: 1,234 files, 56.7 MB in 0.12 s, 180 rules\n");
    report.coverage.skipped = vec![skip(SkipReason::Symlink, b"l", "")];
    insta::assert_snapshot!(text(&report), @"clean: 1,234 files, 56.7 MB in 0.12 s, 180 rules; not searched: 1 × symbolic link not followed");
    report.coverage.skipped.push(skip(SkipReason::Unreadable, b"k\n", "denied"));
    insta::assert_snapshot!(text(&report), @r"
    warning: the scan is incomplete: 1 × unreadable
              k\n: denied
    no secrets in what could be searched: 1,234 files, 56.7 MB in 0.12 s, 180 rules; not searched: 1 × unreadable, 1 × symbolic link not followed
    ");
    insta::assert_snapshot!(text(&Report::default()), @"nothing was searched: not one file was read");
}

#[test]
fn quiet_keeps_findings_and_gaps() {
    let quiet = Options { quiet: true, ..Options::default() };
    assert_eq!(written(&clean(), Format::Text, quiet), "");
    let text = written(&ordinary(), Format::Text, quiet);
    assert!(text.contains("GitHub token") && text.contains("the scan is incomplete"));
    assert!(!text.contains("searched:") && !text.contains("suppressed"));
}

#[test]
fn github_annotates_each_secret_before_any_twice() {
    insta::assert_snapshot!(
        written(&ordinary(), Format::Github, Options::default())
            .lines().filter(|line| !line.contains("logs/0")).collect::<Vec<_>>().join("\n"), @"
    ::error file=.npmrc,line=1,col=7,title=critical%3A GitHub token::ghp_9nc0…K1dZ in _authToken, registry npm.example.com, confidence high, in 3 places. May be alive: nothing offline tells when it ends. (rule github-token, fingerprint d5b0a0626e590a1a96517e9df8537dee)
    ::error file=packages/a/.env,line=12,col=7,title=critical%3A GitHub token::ghp_9nc0…K1dZ in TOKEN, registry npm.example.com, confidence high, in 3 places. May be alive: nothing offline tells when it ends. (rule github-token, fingerprint d5b0a0626e590a1a96517e9df8537dee)
    ::error title=critical%3A GitHub token::ghp_9nc0…K1dZ at <stdin>:3:7, registry npm.example.com, confidence high, in 3 places. May be alive: nothing offline tells when it ends. (rule github-token, fingerprint d5b0a0626e590a1a96517e9df8537dee)
    ::notice file=logs/10.log,line=10,col=7,title=low%3A Password::‹13 bytes›, confidence high, in 12 places. May be alive: nothing offline tells when it ends. (rule password, fingerprint ec48a82a745aac68341acf3a94f71f7a)
    ::notice file=logs/11.log,line=11,col=7,title=low%3A Password::‹13 bytes›, confidence high, in 12 places. May be alive: nothing offline tells when it ends. (rule password, fingerprint ec48a82a745aac68341acf3a94f71f7a)
    ::notice file=logs/12.log,line=12,col=7,title=low%3A Password::‹13 bytes›, confidence high, in 12 places. May be alive: nothing offline tells when it ends. (rule password, fingerprint ec48a82a745aac68341acf3a94f71f7a)
    ::warning title=The scan is incomplete::1 × unreadable: private/key
    ::warning title=A suppression matched nothing::0123 github-token
    ::notice title=tokensweep::2 secrets in 15 places: 1 critical, 1 low; searched: 1,234 files, 56.7 MB in 0.12 s, 180 rules; not searched: 1 × unreadable, 2 × symbolic link not followed
    ");
    let lines = written(&ordinary(), Format::Github, Options::default());
    let files: Vec<_> = lines
        .lines()
        .filter_map(|l| Some(l.split_once("file=")?.1.split(',').next().unwrap()))
        .collect();
    assert_eq!(files[..3], [".npmrc", "logs/01.log", "packages/a/.env"]);
}

#[test]
fn json_has_the_promised_fields() {
    let json: Value =
        serde_json::from_str(&written(&ordinary(), Format::Json, Options::default())).unwrap();
    let keys =
        |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(json["version"], 1);
    insta::assert_snapshot!(keys(&json["findings"][0]), @"blast_radius checksum confidence fingerprint host kind locations name places proof registry rule secret service severity state username validation validation_detail worth");
    insta::assert_snapshot!(keys(&json["findings"][0]["locations"][0]), @"author chain column commit commit_time in_head length line object offset origin path ref refs root unreachable variable");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["summary"]).unwrap(), @r#"
    {
      "by_confidence": {
        "high": 2,
        "low": 0,
        "medium": 0
      },
      "by_severity": {
        "critical": 1,
        "high": 0,
        "low": 1,
        "medium": 0
      },
      "by_validation": {
        "active": 0,
        "dead": 0,
        "not-attempted": 2,
        "restricted": 0,
        "skipped": 0,
        "unknown": 0
      },
      "coverage": {
        "bytes": 56700000,
        "files": 1234,
        "incomplete": true,
        "known": 0,
        "objects": 0,
        "skipped": [
          {
            "detail": "Permission denied (os error 13)",
            "path": "private/key",
            "reason": "unreadable"
          },
          {
            "detail": "",
            "path": "a/link",
            "reason": "symlink"
          },
          {
            "detail": "",
            "path": "b/link",
            "reason": "symlink"
          }
        ],
        "skipped_counts": {
          "symlink": 2,
          "unreadable": 1
        }
      },
      "findings": 2,
      "places": 15,
      "rejected": {
        "placeholder": 7
      },
      "rules": 180,
      "settings": [],
      "suppressed": [
        {
          "by": "inline",
          "entry": "tokensweep:allow",
          "fingerprint": "1a1536f1df858bc79fee0f21565a9459",
          "places": 2,
          "rule": "github-token"
        },
        {
          "by": "baseline",
          "entry": null,
          "fingerprint": "1a1536f1df858bc79fee0f21565a9459",
          "places": 2,
          "rule": "github-token"
        },
        {
          "by": "baseline",
          "entry": null,
          "fingerprint": "1a1536f1df858bc79fee0f21565a9459",
          "places": 2,
          "rule": "github-token"
        }
      ],
      "unused_suppressions": [
        "0123 github-token"
      ]
    }
    "#);
    assert_eq!(json["findings"][0]["state"], "unknown");
    assert_eq!(json["findings"][0]["locations"][1]["path"], "a/.env");
    assert_eq!(json["findings"][0]["locations"][1]["root"], "packages");
    assert_eq!(json["findings"][0]["locations"][2]["origin"], "stdin");
}

#[test]
fn jsonl_says_what_json_says() {
    let json: Value =
        serde_json::from_str(&written(&ordinary(), Format::Json, Options::default())).unwrap();
    let lines = written(&ordinary(), Format::Jsonl, Options::default());
    let mut lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut last = lines.pop().unwrap();
    assert_eq!(last["type"], "summary");
    for key in ["type", "version", "tool"] {
        last.as_object_mut().unwrap().remove(key).unwrap();
    }
    assert_eq!(last, json["summary"]);
    for line in &mut lines {
        assert_eq!(line.as_object_mut().unwrap().remove("type").unwrap(), "finding");
    }
    assert_eq!(Value::Array(lines), json["findings"]);
}

#[test]
fn json_is_exact_about_any_path() {
    for format in [Format::Json, Format::Jsonl] {
        assert!(written(&ordinary(), format, Options::default()).find("path_bytes").is_none());
    }
    let json: Value =
        serde_json::from_str(&written(&hostile(NASTY), Format::Json, Options::default())).unwrap();
    let place = &json["findings"][0]["locations"][1];
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD;
    assert_eq!(bytes.decode(place["path_bytes"].as_str().unwrap()).unwrap(), NASTY);
    assert!(place["path"].as_str().unwrap().contains("\u{202e}"));
    assert!(place["path"].as_str().unwrap().contains("b\\xff,"));
}

#[test]
fn the_time_of_the_run_is_for_the_curious() {
    let later = Report { elapsed: Duration::from_secs(9), ..ordinary() };
    for format in [Format::Json, Format::Jsonl, Format::Sarif] {
        let options = Options::default();
        assert_eq!(written(&ordinary(), format, options), written(&later, format, options));
    }
    let verbose = Options { verbose: true, ..Options::default() };
    assert!(written(&later, Format::Json, verbose).contains("\"elapsed_ms\": 9000"));
}

#[test]
fn sarif_is_valid() {
    let mut schema: Value =
        serde_json::from_str(include_str!("data/sarif-schema-2.1.0.json")).unwrap();
    // A stray bracket that the errata of the standard removed; not a regex to
    // those who read it strictly.
    for place in ["/definitions/run", "/definitions/toolComponent"] {
        let pattern = schema.pointer_mut(&format!("{place}/properties/language/pattern")).unwrap();
        *pattern = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for report in
        [Report::default(), clean(), ordinary(), hostile(NASTY), hostile(b""), hostile(b"/a")]
    {
        for show_secrets in [false, true] {
            let options = Options { show_secrets, ..Options::default() };
            let sarif = serde_json::from_str(&written(&report, Format::Sarif, options)).unwrap();
            let errors: Vec<_> =
                schema.iter_errors(&sarif).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0]);
        }
    }
    let wrong = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": {} }] });
    assert!(!schema.is_valid(&wrong), "the schema refuses what is wrong");
}

#[test]
fn sarif_has_a_result_per_place() {
    let sarif: Value =
        serde_json::from_str(&written(&ordinary(), Format::Sarif, Options::default())).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 15);
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
    assert_eq!(results[3]["ruleIndex"], 1);
    assert_eq!(results[3]["level"], "note");
    assert_eq!(results[0]["partialFingerprints"], results[1]["partialFingerprints"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&results[0]).unwrap(), @r#"
    {
      "level": "error",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": ".npmrc",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "byteLength": 40,
              "byteOffset": 100,
              "snippet": {
                "text": "ghp_9nc0…K1dZ"
              },
              "startColumn": 7,
              "startLine": 1
            }
          }
        }
      ],
      "message": {
        "text": "GitHub token: ghp_9nc0…K1dZ, registry npm.example.com. May be alive: nothing offline tells when it ends."
      },
      "partialFingerprints": {
        "tokensweep/value/v1": "d5b0a0626e590a1a96517e9df8537dee"
      },
      "properties": {
        "blastRadius": null,
        "checksum": "valid",
        "confidence": "high",
        "git": null,
        "origin": "file",
        "places": 3,
        "proof": "checksum",
        "registry": "npm.example.com",
        "security-severity": "9.5",
        "severity": "critical",
        "state": "unknown",
        "username": "alice",
        "validation": "not-attempted",
        "variable": "_authToken"
      },
      "ruleId": "github-token",
      "ruleIndex": 0
    }
    "#);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

/// A run of 13 bytes of the secret is more than any mask shows.
fn tells(text: &str, secret: &[u8]) -> bool {
    secret.windows(13).any(|part| text.as_bytes().windows(13).any(|window| window == part))
}

#[test]
fn no_format_tells_a_secret() {
    let token = token();
    // Spelt in every other string too.
    for report in [ordinary(), hostile(&token), hostile(&[b"x_", &token[..], b"_y"].concat())] {
        for (format, options) in every_way() {
            let text = written(&report, format, options);
            assert!(!tells(&text, &token), "{format}: {text}");
            assert!(!tells(&text, b"correct horse"), "{format}: {text}");
        }
        // The graph is drawn of what services told, and here they told nothing.
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Dot) {
            let shown = Options { show_secrets: true, ..Options::default() };
            assert!(tells(&written(&report, format, shown), &token), "{format}");
        }
    }
}

#[test]
fn a_secret_that_is_no_text_is_shown_escaped() {
    let mut report = clean();
    report.findings =
        vec![finding(b"\xff\x1b[0m-secret", Severity::High, vec![at(b".", b"x", 1, None)])];
    let shown = Options { show_secrets: true, ..Options::default() };
    assert!(written(&report, Format::Text, shown).contains(r"\xff\x1b[0m-secret"));
    let json: Value = serde_json::from_str(&written(&report, Format::Json, shown)).unwrap();
    assert_eq!(json["findings"][0]["secret"], "\\xff\x1b[0m-secret");
    assert!(json["findings"][0]["secret_bytes"].is_string());
}

fn assert_harmless(report: &Report) {
    for (format, options) in every_way() {
        let text = written(report, format, options);
        let hidden = text.chars().find(|&c| is_hidden(c) && c != '\n');
        assert_eq!(hidden, None, "{format}: {text:?}");
        if format == Format::Github {
            assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
        }
    }
    let coloured = written(report, Format::Text, Options { color: true, ..Options::default() });
    assert_eq!(uncoloured(&coloured), written(report, Format::Text, Options::default()));
}

#[test]
fn nasty_names_are_harmless() {
    assert_harmless(&hostile(NASTY));
    let lines =
        |report: &Report| written(report, Format::Github, Options::default()).lines().count();
    assert_eq!(lines(&hostile(NASTY)), lines(&hostile(b"nice")), "no line is forged");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_is_harmless(bytes: Vec<u8>, text: String) {
        assert_harmless(&hostile(&bytes));
        assert_harmless(&hostile(text.as_bytes()));
    }
}
