//! Was it used? The versions that were published while a credential was open to
//! others, and what is odd about each.
//!
//! The signs are those that were seen in the waves of worms since 2025, as far
//! as the public document of a package tells them: what is inside an archive,
//! and what stands in a repository, is not looked at. A version is compared with
//! those from before the window. Nothing lowers a mark, a valid provenance least
//! of all: worms publish through the trusted publishers of their victims. And a
//! version without marks is not cleared: nothing odd shows in its public data.

mod bursts;
mod signs;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::Severity;
use crate::model::radius::{Mark, Window, WindowRelease};
use crate::registry::npm::packument::{Packument, Version};

pub use bursts::bursts;
use signs::Case;

/// The versions before the window that tell what is usual: the newest so many.
const RECENT: usize = 30;

/// The versions of a package that were published in the window, both ends
/// included, suspicious first. An end that is not known is open.
///
/// `known_bad` tells for a name and a version which list says that it is bad.
/// Only versions that the registry dates can be placed: of a document without
/// [`Packument::time`] nothing can be said.
pub fn in_window(
    packument: &Packument,
    window: &Window,
    known_bad: &dyn Fn(&str, &str) -> Option<String>,
) -> Vec<WindowRelease> {
    let from = window.from.value.unwrap_or(i64::MIN);
    let until = window.until.value.unwrap_or(i64::MAX);
    let baseline = Baseline::new(packument, from, known_bad);
    let numbers = packument.time.keys().map(|number| Number::new(number)).collect();
    let inside = packument.time.iter().filter(|(_, time)| (from..=until).contains(*time));
    let mut releases: Vec<WindowRelease> = inside
        .map(|(number, &time)| {
            let version = packument.versions.get(number);
            let listed = known_bad(&packument.name, number);
            let marks = marks(number, version, listed, &baseline, &numbers);
            let ghost = version.is_none() && !packument.cut;
            WindowRelease { version: number.clone(), time, ghost, marks }
        })
        .collect();
    sort(&mut releases);
    releases
}

/// All that is odd about a version, strongest first.
fn marks(
    number: &str,
    version: Option<&Version>,
    listed: Option<String>,
    baseline: &Baseline<'_>,
    numbers: &BTreeSet<Number>,
) -> Vec<Mark> {
    let listed = listed.map(|list| Mark {
        weight: Severity::Critical,
        sign: "known-bad",
        words: format!("listed as bad: {list}"),
    });
    let mut marks = Vec::from_iter(listed);
    match version {
        Some(version) => {
            let before = baseline.before(number);
            let case = Case { version, before, recent: &baseline.recent };
            marks.extend(signs::ALL.iter().filter_map(|sign| sign(&case)));
        }
        None if baseline.cut => marks.push(unread()),
        None => marks.push(ghost()),
    }
    // Most honest fixes are numbered so too: it only counts beside other signs.
    if !marks.is_empty() && Number::new(number).follows_one_of(numbers) {
        marks.push(Mark {
            weight: Severity::Low,
            sign: "latest-patch",
            words: "numbered one patch above another version, as worms number theirs".into(),
        });
    }
    if version.is_some() && baseline.recent.is_empty() {
        marks.push(unjudged());
    }
    marks.sort_by_key(|mark| Reverse(mark.weight));
    marks
}

fn ghost() -> Mark {
    Mark {
        weight: Severity::High,
        sign: "ghost",
        words: "unpublished: it is only left in the list of times, the usual trace after npm \
                cleans up"
            .into(),
    }
}

fn unread() -> Mark {
    Mark {
        weight: Severity::Low,
        sign: "not-read",
        words: "the document of the package is too large: this version was not looked at".into(),
    }
}

fn unjudged() -> Mark {
    Mark {
        weight: Severity::Low,
        sign: "no-baseline",
        words: "there is no version from before the window to compare with: changed scripts, \
                dependencies and sizes, lost provenance, and an unusual publisher or toolchain \
                could not be judged"
            .into(),
    }
}

/// Suspicious first, then in order of time.
fn sort(releases: &mut [WindowRelease]) {
    releases.sort_by(|a, b| {
        let strength = |it: &WindowRelease| (it.marks.first().map(|m| m.weight), it.marks.len());
        strength(b).cmp(&strength(a)).then_with(|| (a.time, &a.version).cmp(&(b.time, &b.version)))
    });
}

/// The versions from before the window that nobody calls bad.
struct Baseline<'p> {
    by_number: Vec<(Number, &'p str, &'p Version)>,
    /// Newest first.
    recent: Vec<(&'p str, &'p Version)>,
    /// True if the document holds versions that were not read.
    cut: bool,
}

impl<'p> Baseline<'p> {
    fn new(
        packument: &'p Packument,
        from: i64,
        known_bad: &dyn Fn(&str, &str) -> Option<String>,
    ) -> Self {
        let mut versions: Vec<(i64, &str, &Version)> = packument
            .versions
            .iter()
            .filter_map(|(number, version)| {
                let time = *packument.time.get(number)?;
                let honest = time < from
                    && known_bad(&packument.name, number).is_none()
                    && !signs::is_called_malware(version);
                honest.then_some((time, number.as_str(), version))
            })
            .collect();
        versions.sort_by_key(|(time, number, _)| Reverse((*time, Number::new(number))));
        let recent = versions.iter().take(RECENT).map(|&(_, number, it)| (number, it)).collect();
        // Of versions with equal numbers (build metadata) the newest comes last.
        let numbered =
            versions.iter().rev().map(|&(_, number, it)| (Number::new(number), number, it));
        let mut by_number: Vec<_> = numbered.collect();
        by_number.sort_by_key(|(number, ..)| *number);
        Self { by_number, recent, cut: packument.cut }
    }

    /// The version that a number follows: the highest below it, for a stable one
    /// the highest stable one; else the newest of all.
    fn before(&self, number: &str) -> Option<(&'p str, &'p Version)> {
        /// Prereleases that are stepped over.
        const STEPS: usize = 1000;
        let number = Number::new(number);
        let end = self.by_number.partition_point(|(other, ..)| *other <= number);
        let mut below = self.by_number[..end].iter().rev().take(STEPS);
        let stable = below.clone().find(|(other, ..)| other.stable || !number.stable);
        let found = stable.or_else(|| below.next());
        found.map(|&(_, number, it)| (number, it)).or_else(|| self.recent.first().copied())
    }
}

/// The number of a version as far as it has an order here; prereleases of one
/// number are equal. What is no number is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Number {
    parts: [u64; 3],
    stable: bool,
}

impl Number {
    fn new(text: &str) -> Self {
        let text = text.split('+').next().unwrap_or_default();
        let (core, prerelease) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
        let mut parts = [0; 3];
        for (part, text) in parts.iter_mut().zip(core.split('.')) {
            *part = text.parse().unwrap_or_default();
        }
        Self { parts, stable: prerelease.is_none() }
    }

    /// True for a release that only fixes: `1.2.3`, not `1.2.0`, `1.3.0-rc.1`.
    fn is_patch(self) -> bool {
        self.stable && self.parts[2] > 0
    }

    /// True if it is exactly one patch above one of the numbers.
    fn follows_one_of(self, numbers: &BTreeSet<Self>) -> bool {
        let [major, minor, patch] = self.parts;
        self.is_patch()
            && numbers.contains(&Self { parts: [major, minor, patch - 1], stable: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_an_order() {
        let sorted = ["0.9.10", "1.0.0-rc.1", "1.0.0", "1.0.2", "1.0.10", "2.0.0"];
        assert!(sorted.is_sorted_by_key(|text| Number::new(text)));
        assert_eq!(Number::new("1.0.0+a"), Number::new("1.0.0"));
        assert_eq!(
            Number::new("99999999999999999999.x"),
            Number { stable: true, ..Number::default() }
        );
        assert!(Number::new("1.0.1").is_patch() && !Number::new("1.1.0").is_patch());
        assert!(!Number::new("1.0.1-0").is_patch());
    }

    #[test]
    fn a_version_is_compared_with_the_one_that_it_follows() {
        let it = Packument::read(
            br#"{"name":"a","time":{"1.0.0":"2026-01-01T00:00:00Z","2.0.0":"2026-01-02T00:00:00Z",
            "1.0.1":"2026-01-03T00:00:00Z","2.0.1-rc.1":"2026-01-04T00:00:00Z"},
            "versions":{"1.0.0":{},"2.0.0":{},"1.0.1":{},"2.0.1-rc.1":{}}}"#,
        )
        .unwrap();
        let baseline = Baseline::new(&it, i64::MAX, &|_, _| None);
        let before = |number: &str| baseline.before(number).map(|(number, _)| number);
        assert_eq!(before("1.0.2"), Some("1.0.1"));
        assert_eq!(before("2.0.1"), Some("2.0.0"));
        assert_eq!(before("2.0.1-rc.2"), Some("2.0.1-rc.1"));
        assert_eq!(before("0.0.1"), Some("2.0.1-rc.1"));
        assert_eq!(Baseline::new(&it, 0, &|_, _| None).before("1.0.2"), None);
    }
}
