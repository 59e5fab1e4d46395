//! Annotations of a GitHub workflow run, for when code scanning is not to be
//! had: `::error file=…,line=…,col=…,title=…::message`.
//!
//! A step shows ten annotations of a level and drops the rest. So each secret
//! is annotated at its first place before any is annotated at its second.

use std::io::{self, Write};

use super::coverage;
use super::sanitize::{Masker, visible};
use super::{Options, Reporter};
use crate::model::{Finding, Location, OriginKind, Outcome, Report, Severity};

/// Writes `github`.
pub(super) struct Github(pub Options);

impl Reporter for Github {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        for finding in &report.findings {
            for first in finding.locations.iter().take(1) {
                annotate(finding, first, &masker, out)?;
            }
        }
        for finding in &report.findings {
            for location in finding.locations.iter().skip(1) {
                annotate(finding, location, &masker, out)?;
            }
        }
        for group in coverage::groups(report, true) {
            let (shown, more) = group.examples(false);
            let mut words = format!("{}: ", group.words());
            let paths = shown.iter().map(|skip| masker.visible(&skip.path));
            words.push_str(&paths.collect::<Vec<_>>().join(", "));
            if more > 0 {
                words.push_str(&format!(" and {more} more"));
            }
            writeln!(out, "::warning title=The scan is incomplete::{}", message(&words))?;
        }
        if let Some(step) = report.response.as_deref().and_then(|it| it.plan.first()) {
            let first = message(&masker.told(&step.title));
            writeln!(out, "::warning title=What to do first::{first}")?;
        }
        for entry in &report.unused_suppressions {
            let entry = message(&masker.visible(entry));
            writeln!(out, "::warning title=A suppression matched nothing::{entry}")?;
        }
        let words = format!("{}; {}", coverage::found(report), coverage::sentence(report));
        writeln!(out, "::notice title=tokensweep::{}", message(&words))
    }
}

fn annotate(
    finding: &Finding,
    location: &Location,
    masker: &Masker<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let level = match coverage::danger(finding) {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "notice",
    };
    let mut properties = match location.origin.kind {
        OriginKind::File => {
            let path = location.origin.shown();
            let file = masker.visible(path.strip_prefix(b"./").unwrap_or(&path));
            format!("file={},line={},col={},", property(&file), location.line, location.column)
        }
        // No file to pin it to.
        _ => String::new(),
    };
    let title = format!("{}: {}", coverage::danger(finding), masker.visible(&*finding.name));
    properties.push_str(&format!("title={}", property(&title)));
    writeln!(out, "::{level} {properties}::{}", message(&words(finding, location, masker)))
}

fn words(finding: &Finding, location: &Location, masker: &Masker<'_>) -> String {
    let mut words = visible(&masker.secret(&finding.secret));
    match finding.validation.outcome {
        Outcome::NotAttempted => {}
        outcome => words.push_str(&format!(" ({})", outcome.word())),
    }
    if let Some(variable) = &location.variable {
        words.push_str(&format!(" in {}", masker.visible(variable)));
    }
    let at = match location.origin.kind {
        OriginKind::File => None,
        OriginKind::Stdin => Some("<stdin>".to_owned()),
        _ => Some(masker.visible(location.origin.shown())),
    };
    if let Some(at) = at {
        words.push_str(&format!(" at {at}:{}:{}", location.line, location.column));
    }
    if let Some(commit) = location.origin.git.as_ref().and_then(|git| git.commit.as_ref()) {
        words.push_str(&format!(" since commit {commit}"));
    }
    if let Some(registry) = &finding.registry {
        words.push_str(&format!(", registry {}", masker.visible(registry)));
    }
    words.push_str(&format!(", confidence {}", finding.confidence));
    if let Some(radius) = &finding.blast_radius {
        words.push_str(&format!(" – {}", masker.told(&radius.verdict)));
    }
    if finding.places > 1 {
        words.push_str(&format!(", in {} places", coverage::count(finding.places)));
    }
    if !finding.worth.words.is_empty() {
        words.push_str(&format!(". {}", masker.visible(&finding.worth.words)));
    }
    format!(
        "{words} (rule {}, fingerprint {})",
        masker.visible(&*finding.rule),
        finding.fingerprint
    )
}

/// The escapes of a command's message. Line breaks are visible by now; they
/// are escaped all the same, since on them the whole command hangs.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a command's property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_cannot_be_forged() {
        assert_eq!(property("a,line=9::x%0A\n"), "a%2Cline=9%3A%3Ax%250A%0A");
        assert_eq!(message("100%\r\n::error::x"), "100%25%0D%0A::error::x");
    }
}
