//! Runs the line: sources → matcher → verification → suppression → one
//! [`Finding`](crate::model::Finding) for each secret → [`Report`]. Knows no printer.

mod fold;
mod history;
mod incremental;
mod overlap;
mod range;
mod trials;

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::error::Result;
use crate::git;
use crate::matcher::{Candidate, Matcher, Trace};
use crate::model::{
    Blob, Confidence, Fingerprint, FingerprintKey, Lines, Location, Origin, OriginKind, Rejection,
    Report, Secret, SkipReason, Suppressed, Suppression,
};
use crate::rules::{RuleSet, Selection};
use crate::source::{self, Filter, Margins, Tally, Target};
use crate::suppress::{self, Place, Suppressor};
use crate::verify::{self, Kept, Verdict, Verifier};
use fold::{Fold, Hit};
use incremental::State;
pub use range::scan_changes;
pub use trials::{Checked, Judgement, check_rules, judge};

/// How far from a secret its surroundings are read, in bytes.
const SURROUNDINGS: usize = 10 * 1024;

/// Everything that decides the outcome of a scan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to read.
    pub source: source::Options,
    /// How much of git repositories to read.
    pub git: git::Options,
    /// What to look for.
    pub rules: Selection,
    /// How to judge it.
    pub verify: verify::Options,
    /// What not to report.
    pub suppress: suppress::Options,
    /// The least confidence that is reported.
    pub confidence: Option<Confidence>,
    /// The key of the fingerprints.
    pub key: FingerprintKey,
    /// Keep each candidate that is turned away, not only their number.
    pub explain: bool,
    /// Search without SIMD: slower, with the same findings.
    pub portable: bool,
}

/// Scans all targets of `options`; `stdin` is read if it is one of them, and
/// `tally` may be watched from another thread meanwhile.
///
/// # Errors
/// Rules or suppressions that cannot be loaded, a target that does not exist.
/// What cannot be read during the scan is no error but a part of the report.
pub fn scan(options: &Options, stdin: &mut dyn Read, tally: &Tally) -> Result<Report> {
    scan_and_tell(options, stdin, tally, Ok)
}

/// The same for those who keep a state of what has been searched: it is only
/// written when `tell` has told of what was found, or nobody ever would.
///
/// # Errors
/// Those of [`scan`] and of `tell`; a state that cannot be read or written.
pub fn scan_and_tell<T>(
    options: &Options,
    stdin: &mut dyn Read,
    tally: &Tally,
    tell: impl FnOnce(Report) -> Result<T>,
) -> Result<T> {
    if let Some(wanted) = &options.git.range {
        return tell(range::scan(options, wanted, tally)?);
    }
    let started = Instant::now();
    let rules = Arc::new(RuleSet::select(&options.rules)?);
    let state = options.git.state.as_deref();
    let state = state.map(|path| State::load(path, options, &rules)).transpose()?.map(Arc::new);
    let scanner = Scanner::with_rules(rules, options)?;
    scan_all(options, state.as_ref(), &scanner, stdin, tally)?;
    let mut report = scanner.finish();
    report.coverage = tally.coverage();
    if let Some(state) = &state {
        state.forget(report.coverage.skipped.iter().map(|skip| &skip.path));
    }
    report.elapsed = started.elapsed();
    let told = tell(report)?;
    state.map_or(Ok(()), |state| state.save())?;
    Ok(told)
}

/// Searches files, and then the repositories that lie among them.
fn scan_all(
    options: &Options,
    state: Option<&Arc<State>>,
    scanner: &Scanner,
    stdin: &mut dyn Read,
    tally: &Tally,
) -> Result<()> {
    let each = |blob: &Blob<'_>| scanner.scan_tallied(blob, tally);
    let known = state.cloned().map(|state| {
        source::Known(Arc::new(move |path, shown, metadata| {
            state.knows_file(path, shown, metadata)
        }))
    });
    let repositories = options.git.history != git::History::None;
    let source = source::Options { repositories, known, ..options.source.clone() };
    let found = source::feed(&source, scanner.margins(), stdin, tally, &each)?;
    let subjects = history::subjects(found, &source.targets);
    // Git directories that lie elsewhere are files too: settings, reflogs.
    let elsewhere = subjects.iter().filter(|subject| subject.lies_elsewhere(&source.targets));
    let targets = elsewhere.map(|subject| Target::Path(subject.layout.common_dir.clone()));
    let targets: Vec<Target> = targets.collect();
    if !targets.is_empty() {
        let source = source::Options { targets, ..source };
        source::feed(&source, scanner.margins(), &mut std::io::empty(), tally, &each)?;
    }
    let filter = Filter::new(&options.source)?;
    let history = history::Options {
        history: options.git.history,
        threads: options.source.threads,
        filter: &filter,
        max_size: options.source.max_file_size,
        state: state.map(Arc::as_ref),
    };
    subjects.iter().for_each(|subject| history::scan(scanner, subject, &history, tally));
    Ok(())
}

/// Searches blobs and collects what is found; may be shared by threads.
pub struct Scanner {
    matcher: Matcher,
    rules: usize,
    span: usize,
    verifier: Verifier,
    suppressor: Suppressor,
    confidence: Option<Confidence>,
    key: FingerprintKey,
    explain: bool,
    found: Mutex<Found>,
}

/// A secret as it stands in one version of a file. Where it stands with a
/// marker, or less surely, it must not stand for where it does not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Seen {
    fingerprint: Fingerprint,
    marked: bool,
    confidence: Confidence,
}

#[derive(Default)]
struct Found {
    fold: Fold,
    suppressed: BTreeMap<(Suppression, Fingerprint, String), u64>,
    rejected: BTreeMap<&'static str, u64>,
    rejections: Vec<Rejection>,
}

impl Scanner {
    /// Loads rules and suppressions.
    ///
    /// # Errors
    /// Those of [`scan`] that do not concern the targets.
    pub fn new(options: &Options) -> Result<Self> {
        Self::with_rules(Arc::new(RuleSet::select(&options.rules)?), options)
    }

    fn with_rules(rules: Arc<RuleSet>, options: &Options) -> Result<Self> {
        let suppressor = Suppressor::load(&options.suppress, &options.key)?;
        let (count, span) = (rules.rules.len(), rules.longest_span());
        let matcher = if options.portable { Matcher::portable(rules) } else { Matcher::new(rules) };
        Ok(Self {
            matcher,
            rules: count,
            span,
            verifier: Verifier::new(options.verify.clone()),
            suppressor,
            confidence: options.confidence,
            key: options.key.clone(),
            explain: options.explain,
            found: Mutex::default(),
        })
    }

    /// How far beyond the fresh part of a blob the scanner looks.
    pub fn margins(&self) -> Margins {
        Margins { before: self.span + SURROUNDINGS, after: 2 * self.span + SURROUNDINGS }
    }

    /// Searches bytes under a name of the caller's.
    pub fn scan_bytes(&self, name: &str, bytes: &[u8]) {
        let origin = Arc::new(Origin {
            target: 0,
            root: name.as_bytes().into(),
            path: Box::default(),
            kind: OriginKind::File,
            git: None,
        });
        self.scan(&Blob::whole(&origin, bytes));
    }

    /// Searches one blob, and notes what of it cannot be searched.
    fn scan_tallied(&self, blob: &Blob<'_>, tally: &Tally) {
        let begins_in_utf16 = matches!(blob.bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        if blob.offset == 0 && begins_in_utf16 {
            tally.skip(SkipReason::Utf16, blob.origin.shown(), "");
        }
        // A bug in a rule must not take the other findings with it.
        if catch_unwind(AssertUnwindSafe(|| self.scan(blob))).is_err() {
            tally.skip(SkipReason::Failed, blob.origin.shown(), "");
        }
    }

    /// Searches one blob.
    pub fn scan(&self, blob: &Blob<'_>) {
        // Matches that begin a little before or behind the fresh part are
        // judged too: they may overlap those inside and win.
        let around = Blob {
            fresh: (
                blob.fresh.0.saturating_sub(self.span),
                (blob.fresh.1 + self.span).min(blob.bytes.len()),
            ),
            ..*blob
        };
        let mut kept = Vec::new();
        let mut rejected: Vec<(Candidate<'_>, &'static str)> = Vec::new();
        self.matcher.candidates(&around, |candidate| match self.verifier.check(&candidate) {
            Verdict::Kept(judged) => kept.push((candidate, *judged)),
            Verdict::Rejected(reason) if blob.fresh().contains(&candidate.span.0) => {
                rejected.push((candidate, reason));
            }
            Verdict::Rejected(_) => {}
        });
        if kept.is_empty() && rejected.is_empty() {
            return;
        }
        overlap::resolve(&mut kept);
        kept.retain(|(candidate, _)| blob.fresh().contains(&candidate.span.0));
        self.collect(blob, kept, rejected);
    }

    /// Where in a blob that has been traced something stands that is a secret,
    /// and which.
    fn judge_traced(&self, blob: &Blob<'_>, trace: &Trace) -> Vec<(u64, Seen)> {
        let mut found = Vec::new();
        self.matcher.traced(blob, trace, |candidate| found.extend(self.secret_of(&candidate)));
        found
    }

    /// The same for a blob that is searched for the first time.
    fn judge(&self, blob: &Blob<'_>) -> Vec<(u64, Seen)> {
        let mut found = Vec::new();
        self.matcher.candidates(blob, |candidate| found.extend(self.secret_of(&candidate)));
        found
    }

    fn secret_of(&self, candidate: &Candidate<'_>) -> Option<(u64, Seen)> {
        let Verdict::Kept(kept) = self.verifier.check(candidate) else { return None };
        let start = candidate.blob.offset + candidate.span.0 as u64;
        let fingerprint = self.key.fingerprint(candidate.secret_bytes());
        let marked = self.suppressor.is_marked(candidate.blob.bytes, candidate.secret);
        Some((start, Seen { fingerprint, marked, confidence: kept.confidence }))
    }

    fn collect(
        &self,
        blob: &Blob<'_>,
        kept: Vec<(Candidate<'_>, Kept)>,
        rejected: Vec<(Candidate<'_>, &'static str)>,
    ) {
        let mut lines = LineCounter::new(blob);
        let mut hits = Vec::with_capacity(kept.len());
        let mut suppressed = Vec::new();
        for (candidate, kept) in kept {
            let rule = candidate.rule;
            let secret = candidate.secret_bytes();
            let place = Place {
                fingerprint: self.key.fingerprint(secret),
                rule: &rule.id,
                kind: &rule.kind,
                origin: blob.origin,
                bytes: blob.bytes,
                secret: candidate.secret,
            };
            if let Some(by) = self.suppressor.check(&place) {
                suppressed.push((by, place.fingerprint, rule.id.to_string()));
                continue;
            }
            let (line, column) = lines.place(candidate.secret.0);
            let location = Location {
                origin: Arc::clone(blob.origin),
                offset: blob.offset + candidate.secret.0 as u64,
                line,
                column,
                length: secret.len(),
                variable: kept.variable.clone(),
            };
            hits.push(Hit::new(place.fingerprint, rule, secret, kept, location));
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        hits.into_iter().for_each(|hit| found.fold.add(hit));
        suppressed.into_iter().for_each(|key| *found.suppressed.entry(key).or_default() += 1);
        for (candidate, reason) in rejected {
            *found.rejected.entry(reason).or_default() += 1;
            if self.explain {
                found.rejections.push(rejection(&candidate, reason));
            }
        }
    }

    /// The report of all that was searched; its coverage is the caller's.
    pub fn finish(self) -> Report {
        let found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut suppressed: Vec<Suppressed> = found
            .suppressed
            .into_iter()
            .map(|((by, fingerprint, rule), places)| Suppressed { by, fingerprint, rule, places })
            .collect();
        let (findings, quiet) = found.fold.finish(self.confidence);
        suppressed.extend(quiet.into_iter().map(|finding| Suppressed {
            by: Suppression::Confidence,
            fingerprint: finding.fingerprint,
            rule: finding.rule.to_string(),
            places: finding.places,
        }));
        suppressed.sort();
        let mut rejections = found.rejections;
        rejections.sort();
        rejections.dedup();
        Report {
            findings,
            suppressed,
            unused_suppressions: self.suppressor.unused(),
            rejected: found.rejected,
            rejections,
            rules: self.rules,
            ..Report::default()
        }
    }
}

fn rejection(candidate: &Candidate<'_>, reason: &'static str) -> Rejection {
    let (blob, start) = (candidate.blob, candidate.secret.0);
    let secret = candidate.secret_bytes();
    let (line, column) = LineCounter::new(blob).place(start);
    let location = Location {
        origin: Arc::clone(blob.origin),
        offset: blob.offset + start as u64,
        line,
        column,
        length: secret.len(),
        variable: crate::context::variable(blob.bytes, start),
    };
    let masked = Secret::new(secret, candidate.rule.spec().mask).masked();
    Rejection { location, rule: candidate.rule.id.to_string(), reason, masked }
}

/// Lines and columns of ascending offsets of a blob, counted once.
struct LineCounter<'b> {
    bytes: &'b [u8],
    offset: u64,
    lines: &'b dyn Lines,
    /// Newlines before `at`, offset in the origin of the line's first byte.
    known: Option<(u64, u64)>,
    at: usize,
}

impl<'b> LineCounter<'b> {
    fn new(blob: &Blob<'b>) -> Self {
        Self { bytes: blob.bytes, offset: blob.offset, lines: blob.lines, known: None, at: 0 }
    }

    /// Line and column, from 1, of the byte at `at`, which is not before the
    /// one asked for last.
    fn place(&mut self, at: usize) -> (u64, u64) {
        let (mut newlines, mut start) = self.known.unwrap_or_else(|| {
            let line = self.lines.at(self.offset);
            (line.newlines, line.start)
        });
        for newline in memchr::memchr_iter(b'\n', &self.bytes[self.at..at]) {
            newlines += 1;
            start = self.offset + (self.at + newline) as u64 + 1;
        }
        self.known = Some((newlines, start));
        self.at = at;
        (newlines + 1, self.offset + at as u64 - start + 1)
    }
}
