//! SARIF 2.1.0, for code scanning.
//!
//! A result per place, since that is what viewers close one by one; they share
//! the `partialFingerprints` entry `tokensweep/value/v1`, which names the
//! value. `byteOffset` and `byteLength` are exact; `startColumn` counts bytes,
//! which on a line of ASCII is what every viewer counts. The snippet is the
//! masked secret, never the line: another secret may stand on it.
//!
//! URIs are relative to the directory that the command ran in (`%SRCROOT%`),
//! which in CI is the checkout; an absolute target gives `file:` URIs.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::CompactFormatter;
use serde_json::{Value, json};

use super::coverage::danger;
use super::sanitize::{Masker, exact};
use super::{Options, Reporter, coverage};
use crate::model::radius::BlastRadius;
use crate::model::{Finding, Held, Location, OriginKind, Provenance, Report, Severity, Skip};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes `sarif`.
pub(super) struct Sarif(pub Options);

impl Reporter for Sarif {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        let rules = Rules::new(report);
        let log = Log {
            schema: SCHEMA,
            version: "2.1.0",
            runs: [Run {
                tool: json!({ "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.described(&masker),
                }}),
                invocations: [invocation(report, &masker)],
                original_uri_base_ids: json!({ "%SRCROOT%": {
                    "description": { "text": "The directory that the scan was run in." },
                }}),
                redaction_tokens: if self.0.show_secrets { &[] } else { &["…"] },
                properties: json!({
                    "files": report.coverage.files,
                    "objects": report.coverage.objects,
                    "bytes": report.coverage.bytes,
                    "rules": report.rules,
                    "suppressed": report.suppressed.len(),
                }),
                results: Results { report, masker: &masker, rules: &rules },
            }],
        };
        super::json::write(&log, CompactFormatter, out)
    }
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    invocations: [Value; 1],
    original_uri_base_ids: Value,
    redaction_tokens: &'static [&'static str],
    properties: Value,
    results: Results<'a>,
}

/// The rules that found something, by first use.
struct Rules<'a> {
    used: Vec<(&'a Finding, Severity)>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Rules<'a> {
    fn new(report: &'a Report) -> Self {
        let mut rules = Self { used: Vec::new(), index: HashMap::new() };
        for finding in &report.findings {
            let at = *rules.index.entry(&finding.rule).or_insert(rules.used.len());
            match rules.used.get_mut(at) {
                Some((_, worst)) => *worst = danger(finding).max(*worst),
                None => rules.used.push((finding, danger(finding))),
            }
        }
        rules
    }

    fn described(&self, masker: &Masker<'_>) -> Vec<Value> {
        let one = |(finding, worst): &(&Finding, Severity)| {
            json!({
                "id": text(masker, &finding.rule),
                "name": text(masker, &finding.name),
                "shortDescription": { "text": text(masker, &finding.name) },
                "defaultConfiguration": { "level": level(*worst) },
                "properties": {
                    "kind": text(masker, &finding.kind),
                    "security-severity": security_severity(*worst),
                    "tags": ["security", "secret"],
                },
            })
        };
        self.used.iter().map(one).collect()
    }
}

/// The results, each made when its turn comes: there may be a million.
struct Results<'a> {
    report: &'a Report,
    masker: &'a Masker<'a>,
    rules: &'a Rules<'a>,
}

impl Serialize for Results<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.report.findings.iter().flat_map(|finding| {
            let rule = self.rules.index[&*finding.rule];
            finding.locations.iter().map(move |at| result(finding, at, rule, self.masker))
        }))
    }
}

fn result(finding: &Finding, location: &Location, rule: usize, masker: &Masker<'_>) -> Value {
    let secret = masker.secret(&finding.secret);
    json!({
        "ruleId": text(masker, &finding.rule),
        "ruleIndex": rule,
        "level": level(danger(finding)),
        "message": { "text": message(finding, location, masker) },
        "partialFingerprints": { "tokensweep/value/v1": finding.fingerprint.to_string() },
        "locations": [{ "physicalLocation": {
            "artifactLocation": place(location, masker),
            "region": {
                "startLine": location.line,
                "startColumn": location.column,
                "byteOffset": location.offset,
                "byteLength": location.length,
                "snippet": { "text": exact(&secret) },
            },
        }}],
        "properties": {
            "severity": finding.severity,
            "security-severity": security_severity(danger(finding)),
            "confidence": finding.confidence,
            "checksum": finding.checksum,
            "proof": finding.proof,
            "state": finding.worth.state,
            "registry": finding.registry.as_deref().map(|host| text(masker, host)),
            "username": finding.username.as_deref().map(|user| text(masker, user)),
            "variable": location.variable.as_deref().map(|name| text(masker, name)),
            "places": finding.places,
            "origin": location.origin.kind.word(),
            "git": location.origin.git.as_deref().map(|git| history(git, masker)),
            "validation": finding.validation.outcome,
            "blastRadius": finding.blast_radius.as_deref().map(|reach| radius(reach, masker)),
        },
    })
}

/// What it comes to; all of it is in `json`.
fn radius(radius: &BlastRadius, masker: &Masker<'_>) -> Value {
    json!({
        "verdict": exact(&masker.mask_told(&radius.verdict)),
        "severity": radius.severity,
        "packages": radius.package_count.get(),
    })
}

/// Where in a repository's history a place stands.
fn history(git: &Provenance, masker: &Masker<'_>) -> Value {
    json!({
        "object": git.object,
        "commit": git.commit,
        "commit_time": git.time.and_then(super::time::utc),
        "author": git.author.as_deref().map(|author| exact(&masker.mask(author)).into_owned()),
        "ref": git.refs.first().map(|name| exact(&masker.mask(name)).into_owned()),
        "in_head": git.in_head,
        "unreachable": git.unreachable.map(Held::word),
    })
}

/// Words for people. Brackets make links and braces make placeholders in a
/// message, so what came from a scanned file must not keep them bare.
fn message(finding: &Finding, location: &Location, masker: &Masker<'_>) -> String {
    let mut words = format!(
        "{}: {}",
        masker.visible(&*finding.name),
        super::sanitize::visible(&masker.secret(&finding.secret))
    );
    if let Some(registry) = &finding.registry {
        words.push_str(&format!(", registry {}", masker.visible(registry)));
    }
    if let Some(git) = &location.origin.git {
        words.push_str(", in the history of the repository");
        if let Some(commit) = &git.commit {
            words.push_str(&format!(" since commit {commit}"));
        }
        if git.in_head == Some(false) {
            words.push_str(", gone from HEAD");
        }
    }
    if !finding.worth.words.is_empty() {
        words.push_str(&format!(". {}", masker.visible(&finding.worth.words)));
    }
    words.replace('[', "\\[").replace(']', "\\]").replace('{', "{{").replace('}', "}}")
}

fn invocation(report: &Report, masker: &Masker<'_>) -> Value {
    let gaps = coverage::groups(report, true).into_iter().flat_map(|group| group.skips);
    json!({
        "executionSuccessful": !report.incomplete(),
        "toolExecutionNotifications": gaps.map(|skip| gap(skip, masker)).collect::<Vec<_>>(),
    })
}

fn gap(skip: &Skip, masker: &Masker<'_>) -> Value {
    let mut words = format!("Not searched: {}", skip.reason.words());
    if !skip.detail.is_empty() {
        words.push_str(&format!(": {}", masker.visible(&skip.detail)));
    }
    json!({
        "level": "error",
        "message": { "text": words },
        "locations": [{ "physicalLocation": { "artifactLocation": artifact(&masker.mask(&skip.path)) } }],
        "properties": { "reason": skip.reason },
    })
}

fn place(location: &Location, masker: &Masker<'_>) -> Value {
    match location.origin.kind {
        OriginKind::Stdin => json!({ "uri": "stdin" }),
        _ => artifact(&masker.mask(&location.origin.shown())),
    }
}

fn artifact(path: &[u8]) -> Value {
    let drive = path.len() > 2 && path[0].is_ascii_alphabetic() && path[1..].starts_with(b":/");
    match path {
        [b'/', ..] => json!({ "uri": format!("file://{}", percent(path)) }),
        _ if drive => json!({ "uri": format!("file:///{}", percent(path)) }),
        _ => {
            let path = path.strip_prefix(b"./").unwrap_or(path);
            json!({ "uri": percent(path), "uriBaseId": "%SRCROOT%" })
        }
    }
}

/// A path as the path of a URI (RFC 3986): all but the unreserved characters
/// is encoded, so that no byte is lost and no `:` begins a scheme.
fn percent(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn text(masker: &Masker<'_>, text: &str) -> String {
    exact(&masker.mask(text.as_bytes())).into_owned()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// The number by which GitHub sorts: over 9 is critical, from 7 high, from 4
/// medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_makes_a_uri() {
        let uri = |path: &[u8]| artifact(path)["uri"].as_str().unwrap().to_owned();
        assert_eq!(uri(b"./a b/\xff#?%.txt"), "a%20b/%FF%23%3F%25.txt");
        assert_eq!(uri(b"c:d"), "c%3Ad");
        assert_eq!(uri(b"/etc/npmrc"), "file:///etc/npmrc");
        assert_eq!(uri(b"C:/x"), "file:///C%3A/x");
        assert_eq!(uri("ä".as_bytes()), "%C3%A4");
        assert_eq!(artifact(b"a")["uriBaseId"], "%SRCROOT%");
        assert!(artifact(b"/a").get("uriBaseId").is_none());
    }
}
