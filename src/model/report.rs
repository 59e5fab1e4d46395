use std::collections::BTreeMap;
use std::time::Duration;

use super::radius::Response;
use super::{Finding, Fingerprint, Location};

/// What a run found, and what it looked at to find it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted: most dangerous first, then by place. Independent of threads.
    pub findings: Vec<Finding>,
    /// What was looked at and what was not.
    pub coverage: Coverage,
    /// What was found and is not in `findings`, and why.
    pub suppressed: Vec<Suppressed>,
    /// Entries of a baseline or an ignore file that matched nothing.
    pub unused_suppressions: Vec<String>,
    /// How many candidates each reason turned away, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Each candidate that was turned away, if that was asked for; sorted.
    pub rejections: Vec<Rejection>,
    /// True if a range was asked for in which there is nothing.
    pub empty_range: bool,
    /// Settings files that had a say, as paths.
    pub settings: Vec<String>,
    /// Number of rules that were looked for.
    pub rules: usize,
    /// How long the run took.
    pub elapsed: Duration,
    /// What follows from all findings together, if that was asked for.
    pub response: Option<Box<Response>>,
}

impl Report {
    /// True if something that was asked for could not be looked at.
    pub fn incomplete(&self) -> bool {
        self.coverage.skipped.iter().any(|skip| skip.reason.is_a_gap())
    }
}

/// What was looked at, what was not, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Files and streams that were read to their end.
    pub files: u64,
    /// Objects of git repositories that were read and searched.
    pub objects: u64,
    /// Files and objects that were left out because an earlier run has searched
    /// them.
    pub known: u64,
    /// Bytes that were searched; for objects, that they hold.
    pub bytes: u64,
    /// What was not looked at; sorted.
    pub skipped: Vec<Skip>,
}

/// One thing that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    /// Why.
    pub reason: SkipReason,
    /// Path as seen from the working directory; any bytes.
    pub path: Vec<u8>,
    /// What the system said, in words; may be empty.
    pub detail: String,
}

/// Why something was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// It could not be opened or read.
    Unreadable,
    /// It was there when listed and gone when opened.
    Vanished,
    /// It became shorter while it was read; what was left was searched.
    Truncated,
    /// Searching it failed; a bug worth a report.
    Failed,
    /// A link that leads back to a directory it stands in, whose files are
    /// searched there.
    LinkLoop,
    /// Larger than `--max-file-size`.
    TooLarge,
    /// Text in UTF-16, whose bytes were searched but not its characters.
    Utf16,
    /// A pipe, socket or device.
    Special,
    /// A symbolic link; `--follow-symlinks` follows it.
    Symlink,
    /// A git object store.
    GitObjects,
    /// An object that something in the repository names, and that is not there.
    GitMissing,
    /// A part of a repository that cannot be read.
    GitCorrupt,
    /// The git directory of a work tree, which is not where the tree says.
    GitElsewhere,
    /// The history ends early because the repository was cloned so.
    GitShallow,
    /// Left out by `--exclude`, `--include` or `--respect-gitignore`.
    Excluded,
}

impl SkipReason {
    /// True if the user asked for it and did not get it: the scan is then
    /// incomplete. What a flag left out, or what by its kind holds no bytes,
    /// is no gap.
    pub fn is_a_gap(self) -> bool {
        matches!(
            self,
            Self::Unreadable
                | Self::Vanished
                | Self::Truncated
                | Self::Failed
                | Self::LinkLoop
                | Self::GitMissing
                | Self::GitCorrupt
        )
    }

    /// A few words for the coverage line.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Vanished => "vanished while scanning",
            Self::Truncated => "truncated while scanning",
            Self::Failed => "failed (please report)",
            Self::LinkLoop => "link loop",
            Self::TooLarge => "larger than --max-file-size",
            Self::Utf16 => "UTF-16 text, searched as bytes only",
            Self::Special => "pipe, socket or device",
            Self::Symlink => "symbolic link not followed",
            Self::GitObjects => "git object store (history not searched)",
            Self::GitMissing => "missing git object",
            Self::GitCorrupt => "damaged in a git repository",
            Self::GitElsewhere => "git directory that is not there",
            Self::GitShallow => "history cut off by a shallow clone",
            Self::Excluded => "excluded by a flag",
        }
    }
}

/// A candidate that was turned away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejection {
    /// Where it stands.
    pub location: Location,
    /// Id of the rule that proposed it.
    pub rule: String,
    /// Why it was turned away.
    pub reason: &'static str,
    /// The value, masked.
    pub masked: String,
}

/// A finding that was found and not reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suppressed {
    /// What suppressed it.
    pub by: Suppression,
    /// Names the value.
    pub fingerprint: Fingerprint,
    /// Id of its rule.
    pub rule: String,
    /// In how many places.
    pub places: u64,
}

/// The ways to suppress a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suppression {
    /// A marker on the line of the secret; which one.
    Inline(&'static str),
    /// An entry of an ignore file, as written.
    IgnoreFile(String),
    /// An entry of the baseline.
    Baseline,
    /// Below `--confidence`.
    Confidence,
}
