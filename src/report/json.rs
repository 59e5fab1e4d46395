//! For programs. `json` is one object, pretty-printed; `jsonl` is a line
//! `"type":"finding"` per finding and a last line `"type":"summary"`.
//!
//! ```text
//! version   1
//! tool      name, version
//! findings  [] most dangerous first:
//!   rule, name, kind, service, severity,
//!   secret           masked, unless secrets are shown
//!   secret_bytes     base64; only if secrets are shown and it is not UTF-8
//!   fingerprint, confidence (low medium high), checksum (valid invalid none),
//!   proof (checksum grammar shape), registry, username,
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
//!   validation       "not-attempted"
//!   blast_radius     null
//! summary
//!   findings, places, by_severity {}, by_confidence {}, rules,
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
//! or more that is spelt in a path or another field is masked there too.

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::coverage::BY_DANGER;
use super::sanitize::{JsonDoor, Masker, exact};
use super::{Options, Reporter};
use crate::model::{
    self, Checksum, Confidence, Held, Proof, Report, Severity, SkipReason, State, Suppression,
};

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
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Line<T> {
    r#type: &'static str,
    #[serde(flatten)]
    body: T,
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
    username: Option<String>,
    state: State,
    worth: String,
    places: u64,
    locations: Vec<Location<'a>>,
    validation: &'static str,
    blast_radius: Option<()>,
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
            username: finding.username.as_deref().map(text),
            state: finding.worth.state,
            worth: text(&finding.worth.words),
            places: finding.places,
            locations: finding.locations.iter().map(|at| Location::new(at, masker)).collect(),
            validation: finding.validation.outcome.word(),
            blast_radius: None,
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
            commit_time: git.and_then(|git| git.time).and_then(super::time::utc),
            author: git.and_then(|git| git.author.as_deref()).map(text),
            r#ref: refs.first().cloned(),
            refs,
            in_head: git.and_then(|git| git.in_head),
            unreachable: git.and_then(|git| git.unreachable).map(Held::word),
            variable: location.variable.as_deref().map(|name| masked(masker, name)),
        }
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    findings: usize,
    places: u64,
    by_severity: BTreeMap<Severity, usize>,
    by_confidence: BTreeMap<Confidence, usize>,
    rules: usize,
    coverage: Coverage,
    suppressed: Vec<Suppressed>,
    unused_suppressions: Vec<String>,
    rejected: &'a BTreeMap<&'static str, u64>,
    settings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<u64>,
}

impl<'a> Summary<'a> {
    fn new(report: &'a Report, masker: &Masker<'_>, options: Options) -> Self {
        // Every word is a key, so that a reader need not ask whether it is there.
        let mut by_severity: BTreeMap<_, _> = BY_DANGER.map(|severity| (severity, 0)).into();
        let mut by_confidence: BTreeMap<_, _> =
            [Confidence::Low, Confidence::Medium, Confidence::High].map(|word| (word, 0)).into();
        for finding in &report.findings {
            *by_severity.entry(finding.severity).or_default() += 1;
            *by_confidence.entry(finding.confidence).or_default() += 1;
        }
        let suppressed = report.suppressed.iter().map(|one| Suppressed::new(one, masker));
        let unused = report.unused_suppressions.iter().map(|entry| masked(masker, entry));
        Self {
            findings: report.findings.len(),
            places: report.findings.iter().map(|finding| finding.places).sum(),
            by_severity,
            by_confidence,
            rules: report.rules,
            coverage: Coverage::new(report, masker),
            suppressed: suppressed.collect(),
            unused_suppressions: unused.collect(),
            rejected: &report.rejected,
            settings: report.settings.iter().map(|file| masked(masker, file)).collect(),
            elapsed_ms: options.verbose.then_some(report.elapsed.as_millis() as u64),
        }
    }
}

#[derive(Serialize)]
struct Coverage {
    files: u64,
    objects: u64,
    known: u64,
    bytes: u64,
    incomplete: bool,
    skipped_counts: BTreeMap<SkipReason, u64>,
    skipped: Vec<Skip>,
}

#[derive(Serialize)]
struct Skip {
    reason: SkipReason,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    detail: String,
}

impl Coverage {
    fn new(report: &Report, masker: &Masker<'_>) -> Self {
        let mut skipped_counts = BTreeMap::new();
        let skipped = report.coverage.skipped.iter().map(|skip| {
            *skipped_counts.entry(skip.reason).or_default() += 1;
            let (path, path_bytes) = either(&masker.mask(&skip.path));
            Skip { reason: skip.reason, path, path_bytes, detail: masked(masker, &skip.detail) }
        });
        Self {
            files: report.coverage.files,
            objects: report.coverage.objects,
            known: report.coverage.known,
            bytes: report.coverage.bytes,
            incomplete: report.incomplete(),
            skipped: skipped.collect(),
            skipped_counts,
        }
    }
}

#[derive(Serialize)]
struct Suppressed {
    by: &'static str,
    entry: Option<String>,
    fingerprint: String,
    rule: String,
    places: u64,
}

impl Suppressed {
    fn new(one: &model::Suppressed, masker: &Masker<'_>) -> Self {
        let (by, entry) = match &one.by {
            Suppression::Inline(marker) => ("inline", Some(*marker)),
            Suppression::IgnoreFile(entry) => ("ignore-file", Some(entry.as_str())),
            Suppression::Baseline => ("baseline", None),
            Suppression::Confidence => ("confidence", None),
        };
        Self {
            by,
            entry: entry.map(|entry| masked(masker, entry)),
            fingerprint: one.fingerprint.to_string(),
            rule: masked(masker, &one.rule),
            places: one.places,
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
