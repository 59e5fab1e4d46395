//! For programs. `json` is one object, pretty-printed; `jsonl` is a line
//! `"type":"finding"` per finding, a line `"type":"response"` if there is a
//! response, and a last line `"type":"summary"`.
//!
//! ```text
//! version   1
//! tool      name, version
//! findings  [] most dangerous first:
//!   rule, name, kind, service, severity,
//!   secret           masked, unless secrets are shown
//!   secret_bytes     base64; only if secrets are shown and it is not UTF-8
//!   fingerprint, confidence (low medium high), checksum (valid invalid none),
//!   proof (checksum grammar shape), registry, host (with its port, also of a
//!                    URL around the secret), username,
//!   state (unknown short-lived write-expired expired legacy-dead reference),
//!   worth            the state in words
//!   places           how many there are; `locations` stops at 1,000
//!   locations []     path, path_bytes, root, line, column, offset, length,
//!                    origin (file stdin git-blob git-commit git-tag git-note
//!                    git-ref git-reflog git-config), chain, variable, and for
//!                    what git keeps:
//!                    object, commit (the first that shows it), commit_time,
//!                    author, ref (the most telling that contains the commit),
//!                    refs [] (at most 10), in_head (it still stands there),
//!                    unreachable (stash reflog index dangling)
//!   validation       not-attempted active restricted dead unknown skipped
//!   validation_detail  null if nobody asked, or
//!                    words, asked (the time), evidence [] { request, status,
//!                    meaning }, identity null or { user, scopes [], facts {} }
//!   blast_radius     null, or the fields of
//!                    [`BlastRadius`](crate::model::radius::BlastRadius); what
//!                    was learnt is { value, certainty (measured upper-bound
//!                    refused unknown), how }
//! response  null, or the fields of [`Response`](crate::model::radius::Response):
//!   switch [], graph { nodes [], edges [] }, plan [], lockfiles [],
//!   projects [], lists []
//! summary
//!   findings, places, by_severity {}, by_confidence {},
//!   by_validation {}, rules,
//!   coverage         files, objects, known (searched
//!                    by an earlier run), bytes, incomplete, skipped_counts {},
//!                    skipped [] { reason, path, path_bytes, detail }
//!   suppressed []    by (inline ignore-file baseline confidence), entry,
//!                    fingerprint, rule, places
//!   unused_suppressions [], rejected {}, settings [], elapsed_ms (verbose only)
//! ```
//!
//! The names and their order are stable. A path has `/` between its parts and
//! is relative to `root`, the target as it was named. Text is exact, hidden
//! characters are written `\uXXXX`. What is not UTF-8 is shown as `\xNN`, and
//! only then `path_bytes` holds the path in base64. A secret of sixteen bytes
//! or more that is spelt in a path or another field is masked there too. What
//! services told (`validation_detail`, `blast_radius`, `response`) has its
//! times in RFC 3339 and its fields in the order of their names; a secret that
//! comes back there, plain or encoded, is masked.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use self::summary::Summary;
use super::sanitize::{JsonDoor, Masker, exact};
use super::told::{detail, told};
use super::{Options, Reporter, time};
use crate::model::{self, Checksum, Confidence, Held, Outcome, Proof, Report, Severity, State};

mod summary;

/// Version of the shape described above.
const VERSION: u32 = 1;

/// Writes `json`.
pub(super) struct Json(pub Options);

/// Writes `jsonl`.
pub(super) struct Jsonl(pub Options);

impl Reporter for Json {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        let whole = Whole {
            version: VERSION,
            tool: Tool::SELF,
            findings: Findings { report, masker: &masker },
            response: told(report.response.as_deref(), &masker),
            summary: Summary::new(report, &masker, self.0),
        };
        write(&whole, PrettyFormatter::new(), out)
    }
}

impl Reporter for Jsonl {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        for finding in &report.findings {
            let line = Line { r#type: "finding", body: Finding::new(finding, &masker) };
            write(&line, CompactFormatter, out)?;
        }
        if report.response.is_some() {
            let body = Response { response: told(report.response.as_deref(), &masker) };
            write(&Line { r#type: "response", body }, CompactFormatter, out)?;
        }
        let body = Versioned {
            version: VERSION,
            tool: Tool::SELF,
            summary: Summary::new(report, &masker, self.0),
        };
        write(&Line { r#type: "summary", body }, CompactFormatter, out)
    }
}

/// Writes `value` through the last door, and ends the line.
pub(super) fn write(
    value: &impl Serialize,
    formatter: impl Formatter,
    out: &mut dyn Write,
) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, JsonDoor(formatter)))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Whole<'a> {
    version: u32,
    tool: Tool,
    findings: Findings<'a>,
    response: Value,
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Line<T> {
    r#type: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct Response {
    response: Value,
}

#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    tool: Tool,
    #[serde(flatten)]
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    const SELF: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

/// The findings, each made when its turn comes.
struct Findings<'a> {
    report: &'a Report,
    masker: &'a Masker<'a>,
}

impl Serialize for Findings<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.report.findings.iter().map(|one| Finding::new(one, self.masker)))
    }
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: String,
    name: String,
    kind: String,
    service: Option<String>,
    severity: Severity,
    secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_bytes: Option<String>,
    fingerprint: String,
    confidence: Confidence,
    checksum: Checksum,
    proof: Proof,
    registry: Option<String>,
    host: Option<String>,
    username: Option<String>,
    state: State,
    worth: String,
    places: u64,
    locations: Vec<Location<'a>>,
    validation: Outcome,
    validation_detail: Value,
    blast_radius: Value,
}

impl<'a> Finding<'a> {
    fn new(finding: &'a model::Finding, masker: &Masker<'_>) -> Self {
        let text = |text: &str| masked(masker, text);
        let (secret, secret_bytes) = either(&masker.secret(&finding.secret));
        Self {
            rule: text(&finding.rule),
            name: text(&finding.name),
            kind: text(&finding.kind),
            service: finding.service.as_deref().map(text),
            severity: finding.severity,
            secret,
            secret_bytes,
            fingerprint: finding.fingerprint.to_string(),
            confidence: finding.confidence,
            checksum: finding.checksum,
            proof: finding.proof,
            registry: finding.registry.as_deref().map(text),
            host: finding.host.as_deref().map(text),
            username: finding.username.as_deref().map(text),
            state: finding.worth.state,
            worth: text(&finding.worth.words),
            places: finding.places,
            locations: finding.locations.iter().map(|at| Location::new(at, masker)).collect(),
            validation: finding.validation.outcome,
            validation_detail: detail(&finding.validation, masker),
            blast_radius: told(finding.blast_radius.as_deref(), masker),
        }
    }
}

#[derive(Serialize)]
struct Location<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    root: String,
    line: u64,
    column: u64,
    offset: u64,
    length: usize,
    origin: &'static str,
    chain: [&'a str; 0],
    object: Option<String>,
    commit: Option<String>,
    commit_time: Option<String>,
    author: Option<String>,
    r#ref: Option<String>,
    refs: Vec<String>,
    in_head: Option<bool>,
    unreachable: Option<&'static str>,
    variable: Option<String>,
}

impl Location<'_> {
    fn new(location: &model::Location, masker: &Masker<'_>) -> Self {
        let (path, path_bytes) = either(&masker.mask(location.origin.relative()));
        let text = |bytes: &[u8]| exact(&masker.mask(bytes)).into_owned();
        let git = location.origin.git.as_deref();
        let refs: Vec<String> =
            git.iter().flat_map(|git| &git.refs).map(|name| text(name)).collect();
        Self {
            path,
            path_bytes,
            root: text(&location.origin.root),
            line: location.line,
            column: location.column,
            offset: location.offset,
            length: location.length,
            origin: location.origin.kind.word(),
            chain: [],
            object: git.and_then(|git| git.object.clone()),
            commit: git.and_then(|git| git.commit.clone()),
            commit_time: git.and_then(|git| git.time).and_then(time::utc),
            author: git.and_then(|git| git.author.as_deref()).map(text),
            r#ref: refs.first().cloned(),
            refs,
            in_head: git.and_then(|git| git.in_head),
            unreachable: git.and_then(|git| git.unreachable).map(Held::word),
            variable: location.variable.as_deref().map(|name| masked(masker, name)),
        }
    }
}

fn masked(masker: &Masker<'_>, text: &str) -> String {
    exact(&masker.mask(text.as_bytes())).into_owned()
}

/// Bytes as text, and in base64 too if the text cannot hold them.
fn either(bytes: &[u8]) -> (String, Option<String>) {
    let lost = std::str::from_utf8(bytes).is_err();
    (exact(bytes).into_owned(), lost.then(|| STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_kept_beside_it() {
        assert_eq!(either("ä\\\n".as_bytes()), ("ä\\\n".to_owned(), None));
        assert_eq!(either(b"a\xff"), ("a\\xff".to_owned(), Some("Yf8=".to_owned())));
    }
}
