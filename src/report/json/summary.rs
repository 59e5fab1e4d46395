//! The summary: how much was found, and what was looked at.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{either, masked};
use crate::model::{self, Confidence, Outcome, Report, Severity, SkipReason, Suppression};
use crate::report::Options;
use crate::report::coverage::BY_DANGER;
use crate::report::sanitize::Masker;

/// All there are.
const OUTCOMES: [Outcome; 6] = [
    Outcome::NotAttempted,
    Outcome::Active,
    Outcome::Restricted,
    Outcome::Dead,
    Outcome::Unknown,
    Outcome::Skipped,
];

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    findings: usize,
    places: u64,
    by_severity: BTreeMap<Severity, usize>,
    by_confidence: BTreeMap<Confidence, usize>,
    by_validation: BTreeMap<Outcome, usize>,
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
    pub fn new(report: &'a Report, masker: &Masker<'_>, options: Options) -> Self {
        // Every word is a key, so that a reader need not ask whether it is there.
        let mut by_severity: BTreeMap<_, _> = BY_DANGER.map(|severity| (severity, 0)).into();
        let mut by_confidence: BTreeMap<_, _> =
            [Confidence::Low, Confidence::Medium, Confidence::High].map(|word| (word, 0)).into();
        let mut by_validation: BTreeMap<_, _> = OUTCOMES.map(|word| (word, 0)).into();
        for finding in &report.findings {
            *by_validation.entry(finding.validation.outcome).or_default() += 1;
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
            by_validation,
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
