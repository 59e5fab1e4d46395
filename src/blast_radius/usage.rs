//! Was it used? The versions that were published while a credential was open to
//! others, and what is odd about each.
//!
//! The signs are those that were seen in the waves of worms since 2025, as far
//! as the public document of a package tells them: what is inside an archive,
//! and what stands in a repository, is not looked at. Versions are judged in the
//! order of time, and each is compared with all from before it, those of the
//! window too, except for those that are suspicious themselves: of two bad ones
//! in a row the second is still compared with the last honest one. A valid
//! provenance lowers no mark: worms publish through the trusted publishers of
//! their victims. And a version without marks is not cleared: nothing odd shows
//! in its public data.

mod baseline;
mod bursts;
mod number;
mod scripts;
mod signs;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::model::Severity;
use crate::model::radius::{Mark, Window, WindowRelease};
use crate::registry::npm::packument::{Packument, Version};

use baseline::Baseline;
pub use bursts::bursts;
use number::Number;
use signs::Case;

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
    let numbers = packument.time.keys().map(|number| Number::new(number)).collect();
    let mut baseline = Baseline::new(packument.cut);
    let mut releases = Vec::new();
    let dated = in_order(packument);
    for &(time, number) in dated.iter().filter(|(time, _)| *time <= until) {
        let version = packument.versions.get(number);
        let listed = known_bad(&packument.name, number);
        let honest = if time < from {
            listed.is_none() && version.is_some_and(|version| !signs::is_called_malware(version))
        } else {
            let ghost = version.is_none() && !packument.cut;
            let later = later(&dated, time, packument);
            let marks = marks(number, version, listed, &baseline, &later, &numbers);
            releases.push(WindowRelease { version: number.to_owned(), time, ghost, marks });
            releases.last().is_some_and(|release| !release.is_suspicious())
        };
        if let Some(version) = version.filter(|_| honest) {
            baseline.add(number, version);
        }
    }
    sort(&mut releases);
    releases
}

/// All versions that the registry dates, the oldest first.
fn in_order(packument: &Packument) -> Vec<(i64, &str)> {
    let mut dated: Vec<(i64, &str)> =
        packument.time.iter().map(|(number, time)| (*time, number.as_str())).collect();
    dated.sort_by_cached_key(|(time, number)| (*time, Number::new(number)));
    dated
}

/// The first versions that came a month after a time and later.
fn later<'p>(dated: &[(i64, &str)], time: i64, packument: &'p Packument) -> Vec<&'p Version> {
    const MONTH: i64 = 30 * 24 * 3600;
    const ENOUGH: usize = 3;
    let begin = dated.partition_point(|(other, _)| *other < time.saturating_add(MONTH));
    let numbers = dated[begin..].iter().take(ENOUGH);
    numbers.filter_map(|(_, number)| packument.versions.get(*number)).collect()
}

/// When the newest versions from before the window came that are still there,
/// the oldest first: what [`bursts`] compares with.
pub fn earlier(packument: &Packument, window: &Window) -> Vec<i64> {
    const NEWEST: usize = 30;
    let from = window.from.value.unwrap_or(i64::MIN);
    let there =
        packument.time.iter().filter(|(number, _)| packument.versions.contains_key(*number));
    let mut times: Vec<i64> = there.map(|(_, time)| *time).filter(|time| *time < from).collect();
    times.sort_unstable();
    times.split_off(times.len().saturating_sub(NEWEST))
}

/// All that is odd about a version, strongest first.
fn marks(
    number: &str,
    version: Option<&Version>,
    listed: Option<String>,
    baseline: &Baseline<'_>,
    later: &[&Version],
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
            let case = Case { version, before, recent: baseline.recent(), later };
            if let Some(holding) = scripts::holding(number, version) {
                marks.push(holding);
                return marks;
            }
            marks.extend(scripts::marks(&case));
            marks.extend(signs::ALL.iter().filter_map(|sign| sign(&case)));
        }
        None if baseline.cut() => marks.push(unread()),
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
    if version.is_some() && baseline.recent().is_empty() {
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
        words: "there is no earlier version to compare with: changed scripts, dependencies and \
                sizes, lost provenance, and an unusual publisher or toolchain could not be judged"
            .into(),
    }
}

/// Suspicious first, then in order of time.
fn sort(releases: &mut [WindowRelease]) {
    releases.sort_by(|a, b| {
        let strength = |it: &WindowRelease| {
            (it.is_suspicious(), it.marks.first().map(|mark| mark.weight), it.marks.len())
        };
        strength(b).cmp(&strength(a)).then_with(|| (a.time, &a.version).cmp(&(b.time, &b.version)))
    });
}
