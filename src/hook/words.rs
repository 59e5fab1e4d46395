//! What a hook says: one line if all is well, and else what is wrong, where,
//! and what to do about it in this very case.

use std::fmt::Write as _;

use super::Kind;
use super::advice;
use super::run::{Findings, Outcome};
use crate::git::Changes;
use crate::model::{Finding, Location, OriginKind, Report};
use crate::report::coverage::{self, bytes, many, time};
use crate::report::sanitize::{self, Masker};

/// Secrets that are shown in full, and places of each.
const SHOWN: usize = 10;
const PLACES: usize = 3;

/// Says it.
pub(super) fn outcome(findings: &Findings<'_>) -> Outcome {
    let report = findings.report;
    let found = !report.findings.is_empty();
    let (gaps, blind) = (report.incomplete(), is_blind(findings));
    let words = match (found, gaps, blind) {
        (true, ..) => refused(findings),
        (false, true, _) => unseen(findings),
        (false, false, true) => blinded(findings),
        (false, false, false) => clean(findings),
    };
    let incomplete = gaps || blind;
    Outcome { found, incomplete, words }
}

/// `tokensweep: clean: 10 commits, 100 files, 1.2 MB looked at in 12 ms`.
fn clean(findings: &Findings<'_>) -> String {
    let report = findings.report;
    let took = format!("{} looked at in {}", bytes(report.coverage.bytes), time(report.elapsed));
    let what = match (findings.call.kind, findings.push) {
        (Kind::CommitMsg, _) => format!("the message, {took}"),
        (Kind::PreCommit, _) if findings.changes.is_empty() => {
            "no content of a file is staged, so there is nothing to look at".to_owned()
        }
        (Kind::PreCommit, _) => format!("{}, {took}", files(findings)),
        (_, Some(push)) if push.wanted.is_empty() && !push.everything => {
            let refs = many(push.updates.len() as u64, "ref", "refs");
            format!("this push only deletes ({refs}), so there is nothing to look at")
        }
        (_, Some(push)) if findings.changes.is_empty() => {
            let whose = match findings.call.kind {
                Kind::PreReceive => "this repository has",
                _ => "the remote has",
            };
            let known = many(push.known.len() as u64, "ref", "refs");
            format!("{whose} all of it already (by {known} of it), so there is nothing to look at")
        }
        (_, push) => {
            let all = push.is_some_and(|push| push.everything);
            let all = if all { "git named no ref, so all that the remote may lack: " } else { "" };
            let commits = many(findings.changes.commits.len() as u64, "commit", "commits");
            let tags = match findings.changes.tags.len() as u64 {
                0 => String::new(),
                n => format!("{}, ", many(n, "tag", "tags")),
            };
            format!("{all}{commits}, {tags}{}, {took}", files(findings))
        }
    };
    let what = what + stale(findings);
    format!(
        "tokensweep: clean: {what}{}{}{}\n",
        coverage::not_searched(report),
        allowed(report),
        settings(findings)
    )
}

/// The settings files that had a say, and how many rules those left.
fn settings(findings: &Findings<'_>) -> String {
    let (report, wanted) = (findings.report, &findings.call.options.rules);
    let rules = match wanted.only.is_empty() && wanted.except.is_empty() {
        true => String::new(),
        false => format!("; with {} only", many(report.rules as u64, "rule", "rules")),
    };
    rules + &coverage::settings(report)
}

/// True if there was something to look at, and the settings left out all of it.
fn is_blind(findings: &Findings<'_>) -> bool {
    !findings.changes.blobs.is_empty() && searched(findings) == 0
}

/// How many contents of files were searched, if there was no gap.
fn searched(findings: &Findings<'_>) -> u64 {
    let Changes { commits, tags, .. } = findings.changes;
    findings.report.coverage.objects.saturating_sub((commits.len() + tags.len()) as u64)
}

/// The settings leave out all that there was to look at.
fn blinded(findings: &Findings<'_>) -> String {
    let (kind, report) = (findings.call.kind, findings.report);
    let mut out = format!(
        "tokensweep: this {} is refused, because the settings leave nothing of it to look at{}{}\n",
        kind.noun(),
        coverage::not_searched(report),
        settings(findings)
    );
    advice::past(kind, &mut out);
    out
}

/// That refs which follow the remote were of no help.
fn stale(findings: &Findings<'_>) -> &'static str {
    match findings.push.is_some_and(|push| push.stale) {
        true => {
            "; the refs that follow the remote are out of date, so what they have counts as new"
        }
        false => "",
    }
}

fn files(findings: &Findings<'_>) -> String {
    let all = many(findings.changes.blobs.len() as u64, "file", "files");
    match searched(findings) {
        n if n == findings.changes.blobs.len() as u64 => all,
        n => format!("{} of {all}", coverage::count(n)),
    }
}

/// `; 2 secrets are allowed`.
fn allowed(report: &Report) -> String {
    match report.suppressed.len() as u64 {
        0 => String::new(),
        n => format!("; {} allowed", many(n, "secret is", "secrets are")),
    }
}

/// Nothing was found, but not all of it could be looked at.
fn unseen(findings: &Findings<'_>) -> String {
    let (kind, report) = (findings.call.kind, findings.report);
    let masker = Masker::new(report, false);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "tokensweep: this {} is refused, because not all of it could be looked at:",
        kind.noun()
    );
    for group in coverage::groups(report, true) {
        let _ = writeln!(out, "  {}", group.words());
        let (shown, more) = group.examples(false);
        for skip in shown {
            let _ = write!(out, "    {}", masker.visible(&skip.path));
            if !skip.detail.is_empty() {
                let _ = write!(out, ": {}", masker.visible(&skip.detail));
            }
            out.push('\n');
        }
        if more > 0 {
            let _ = writeln!(out, "    … and {more} more");
        }
    }
    let _ = writeln!(out, "  `git fsck` tells more about objects that are damaged or missing.");
    advice::past(kind, &mut out);
    out
}

/// Secrets were found.
fn refused(findings: &Findings<'_>) -> String {
    let (kind, report) = (findings.call.kind, findings.report);
    let masker = Masker::new(report, false);
    let mut out = String::new();
    let _ =
        writeln!(out, "tokensweep: this {} is refused: {}", kind.noun(), coverage::found(report));
    if findings.push.is_some_and(|push| push.everything) {
        out.push_str(
            "  (Git named no ref: it had nothing to push, or something read its lines before this \
             hook did.\n  So everything was looked at that the remote may lack.)\n",
        );
    }
    if findings.push.is_some_and(|push| push.stale) {
        out.push_str(
            "  (The refs that follow the remote are out of date, so what they have counts as new: \
             git fetch --prune.)\n",
        );
    }
    let history = advice::History::of(findings);
    for finding in report.findings.iter().take(SHOWN) {
        one(finding, &masker, &mut out);
        advice::for_finding(findings, finding, &history, &masker, &mut out);
    }
    if report.findings.len() > SHOWN {
        let _ = writeln!(out, "\n  … and {} more", report.findings.len() - SHOWN);
    }
    out.push_str(
        "\nIf it has ever been pushed or shared, taking it out is not enough: revoke it.\n",
    );
    if report.incomplete() {
        let _ =
            writeln!(out, "Besides, not all could be looked at{}.", coverage::not_searched(report));
    }
    advice::past(kind, &mut out);
    out
}

/// What it is, and where it stands.
fn one(finding: &Finding, masker: &Masker<'_>, out: &mut String) {
    let secret = sanitize::visible(&masker.secret(&finding.secret));
    let name = masker.visible(&*finding.name);
    let _ = writeln!(out, "\n  {secret}  {name} ({})", finding.severity);
    for location in finding.locations.iter().take(PLACES) {
        let _ = writeln!(out, "    {}", place(location, masker));
    }
    let more = finding.places.saturating_sub(PLACES as u64);
    if more > 0 {
        let _ = writeln!(out, "    … and {}", many(more, "more place", "more places"));
    }
}

/// `.npmrc:1:34 in commit 1a2b3c4d5e6f`.
fn place(location: &Location, masker: &Masker<'_>) -> String {
    let origin = &location.origin;
    let path = masker.visible(origin.relative());
    let git = origin.git.as_deref();
    let commit = git.and_then(|git| git.commit.as_deref()).map(short);
    let object = git.and_then(|git| git.object.as_deref()).map(short);
    let line = location.line;
    match (origin.kind, commit) {
        (OriginKind::GitCommit, Some(id)) => {
            format!("in commit {id} itself (its message or author), line {line} of the object")
        }
        (OriginKind::GitTag, _) => {
            format!("in the tag object {}, line {line}", object.unwrap_or_default())
        }
        (OriginKind::GitRef, _) => format!("in the name of {path}"),
        (OriginKind::File, _) => format!("{path}:{line}:{}", location.column),
        (_, Some(id)) => format!("{path}:{line}:{} in commit {id}", location.column),
        (_, None) => format!("{path}:{line}:{}", location.column),
    }
}

/// Enough of an object's name to find it.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
