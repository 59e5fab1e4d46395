//! What was looked at and what was not, in words: the same in every format
//! that people read.

use std::time::Duration;

use crate::model::{Coverage, Finding, Report, Severity, Skip, SkipReason};

/// The severities, worst first.
pub(crate) const BY_DANGER: [Severity; 4] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// How bad a finding is: what was learnt of its reach, or else what its rule
/// says.
pub(crate) fn danger(finding: &Finding) -> Severity {
    let learnt = finding.blast_radius.as_ref().and_then(|radius| radius.severity);
    learnt.unwrap_or(finding.severity)
}

/// How many paths stand for all of a reason.
const EXAMPLES: usize = 3;

/// What was searched: `1,234 files, 56.7 MB in 0.12 s, 180 rules`.
pub(crate) fn searched(report: &Report) -> String {
    let Coverage { files, objects, .. } = report.coverage;
    let objects = match objects {
        0 => String::new(),
        n => format!(", {}", many(n, "git object", "git objects")),
    };
    format!(
        "{}{objects}, {} in {}, {}",
        many(files, "file", "files"),
        bytes(report.coverage.bytes),
        time(report.elapsed),
        many(report.rules as u64, "rule", "rules"),
    )
}

/// All of the coverage in one line.
pub(crate) fn sentence(report: &Report) -> String {
    let searched = match report.coverage.files + report.coverage.objects {
        0 if report.empty_range => "nothing to search: the range is empty".to_owned(),
        0 if report.coverage.known > 0 => {
            format!("nothing new to search, in {}", time(report.elapsed))
        }
        0 => "nothing was searched: not one file was read".to_owned(),
        _ => format!("searched: {}", searched(report)),
    };
    searched + &not_searched(report) + &settings(report)
}

/// The settings files that had a say: `; settings from .tokensweep.toml`.
pub(crate) fn settings(report: &Report) -> String {
    match report.settings.as_slice() {
        [] => String::new(),
        files => {
            format!("; settings from {}", super::sanitize::visible(files.join(", ").as_bytes()))
        }
    }
}

/// How many secrets and places: `2 secrets in 14 places: 1 critical, 1 low`.
pub(crate) fn found(report: &Report) -> String {
    if report.findings.is_empty() {
        return "no secrets found".to_owned();
    }
    let places = report.findings.iter().map(|finding| finding.places).sum();
    let by_severity: Vec<String> = BY_DANGER
        .into_iter()
        .map(|severity| {
            (report.findings.iter().filter(|f| danger(f) == severity).count(), severity)
        })
        .filter(|(n, _)| *n > 0)
        .map(|(n, severity)| format!("{} {severity}", count(n as u64)))
        .collect();
    format!(
        "{} in {}: {}",
        many(report.findings.len() as u64, "secret", "secrets"),
        many(places, "place", "places"),
        by_severity.join(", "),
    )
}

/// All that was not looked at for one reason.
pub(crate) struct Group<'a> {
    /// The reason of all of them.
    pub reason: SkipReason,
    /// In the order of the report.
    pub skips: Vec<&'a Skip>,
}

impl Group<'_> {
    /// `3 × unreadable`.
    pub fn words(&self) -> String {
        format!("{} × {}", count(self.skips.len() as u64), self.reason.words())
    }

    /// Some of the paths, or all, and how many more there are.
    pub fn examples(&self, all: bool) -> (&[&Skip], usize) {
        let shown = if all { self.skips.len() } else { self.skips.len().min(EXAMPLES) };
        (&self.skips[..shown], self.skips.len() - shown)
    }
}

/// What was not looked at, by reason: the gaps, or what was meant to be left
/// out.
pub(crate) fn groups(report: &Report, gaps: bool) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for skip in report.coverage.skipped.iter().filter(|skip| skip.reason.is_a_gap() == gaps) {
        match groups.iter_mut().find(|group| group.reason == skip.reason) {
            Some(group) => group.skips.push(skip),
            None => groups.push(Group { reason: skip.reason, skips: vec![skip] }),
        }
    }
    groups.sort_by_key(|group| group.reason);
    groups
}

/// What was not searched, as the end of a sentence; empty if all was.
pub(crate) fn not_searched(report: &Report) -> String {
    let known = match report.coverage.known {
        0 => String::new(),
        n => format!(
            "; {} known from an earlier run",
            many(n, "file or object", "files and objects")
        ),
    };
    known + &left_out(report)
}

fn left_out(report: &Report) -> String {
    let reasons = [true, false].map(|gaps| groups(report, gaps)).into_iter().flatten();
    let reasons: Vec<String> = reasons.map(|group| group.words()).collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!("; not searched: {}", reasons.join(", "))
    }
}

/// `1 file`, `1,234 files`.
pub(crate) fn many(n: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { more })
}

/// `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.2 MB`.
pub(crate) fn bytes(n: u64) -> String {
    let (mut size, mut unit) = (n as f64, "B");
    for larger in ["kB", "MB", "GB", "TB"] {
        if size < 999.5 {
            break;
        }
        (size, unit) = (size / 1000.0, larger);
    }
    let decimals = if unit == "B" || size >= 100.0 { 0 } else { 1 };
    format!("{size:.decimals$} {unit}")
}

/// `12 ms`.
pub(crate) fn time(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        s if s < 0.1 => format!("{:.0} ms", s * 1000.0),
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 999, 1000, 56_700_000, 999_950_000, 20_000_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "56.7 MB", "1.0 GB", "20.0 GB"]
        );
        assert_eq!(
            [4, 120, 12_000, 150_000].map(|ms| time(Duration::from_millis(ms))),
            ["4 ms", "0.12 s", "12 s", "2 min 30 s"]
        );
        assert_eq!(many(1, "entry", "entries"), "1 entry");
    }

    #[test]
    fn looking_at_nothing_is_said_plainly() {
        assert_eq!(sentence(&Report::default()), "nothing was searched: not one file was read");
    }
}
