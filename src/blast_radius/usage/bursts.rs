//! Many packages of one owner, published in one go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Number, sort};
use crate::model::Severity;
use crate::model::radius::{Mark, Package};

/// Releases so many seconds apart belong together: the worm that took 323
/// packages of AntV needed 22 minutes.
const SPAN: i64 = 30 * 60;

/// So many packages make a burst. A judgement: families of a few packages that
/// are always released together are common.
const PACKAGES: usize = 5;

const SIGN: &str = "burst";

/// A wave lasts hours or days: what came longer before a burst is the past that
/// tells what is usual. A judgement.
const PAST: i64 = 7 * 24 * 3600;

/// Marks releases of one owner's packages that came in a burst: fixes
/// (`x.y.1` and above) of five packages or more within half an hour. The mark is
/// weak if most of these packages always came together with others.
pub fn bursts(packages: &mut [Package]) {
    let all = fixes(packages);
    let past = Past::new(packages);
    for burst in found(&all) {
        let releases = &all[burst];
        let (Some(first), Some(last)) = (releases.first(), releases.last()) else { continue };
        let usual = past.is_usual(releases, first.time);
        let words = words(releases, last.time.saturating_sub(first.time), usual);
        let weight = if usual { Severity::Low } else { Severity::Medium };
        for fix in releases {
            mark(packages, fix, weight, &words);
        }
    }
    for package in packages {
        sort(&mut package.releases);
    }
}

/// A release of a fix: where it stands, and when it came.
struct Fix {
    time: i64,
    package: usize,
    release: usize,
}

/// For each package its honest releases in the order of time: when, and whether
/// another package of the owner came with it.
struct Past(Vec<Vec<(i64, bool)>>);

impl Past {
    fn new(packages: &[Package]) -> Self {
        let mut all = Vec::new();
        for (package, it) in packages.iter().enumerate() {
            let honest = it.releases.iter().filter(|release| !release.is_suspicious());
            let times = honest.map(|release| release.time).chain(it.earlier.iter().copied());
            all.extend(times.map(|time| (time, package)));
        }
        all.sort_unstable();
        let near = |a: i64, b: Option<i64>| b.is_some_and(|b| a.abs_diff(b) <= SPAN as u64);
        let (after, before) = (others(all.iter().rev()), others(all.iter()));
        let mut past = vec![Vec::new(); packages.len()];
        for ((time, package), (before, after)) in
            all.iter().zip(before.into_iter().zip(after.into_iter().rev()))
        {
            past[*package].push((*time, near(*time, before) || near(*time, after)));
        }
        Self(past)
    }

    /// True if most of the packages of a burst came with others before, each in
    /// most of its last releases.
    fn is_usual(&self, burst: &[Fix], begin: i64) -> bool {
        const LAST: usize = 5;
        let packages: BTreeSet<usize> = burst.iter().map(|fix| fix.package).collect();
        let together = packages.iter().filter(|package| {
            let all = &self.0[**package];
            let end = all.partition_point(|(time, _)| *time < begin.saturating_sub(PAST));
            let last = &all[end.saturating_sub(LAST)..end];
            last.iter().filter(|(_, together)| *together).count() * 2 > last.len()
        });
        together.count() * 2 > packages.len()
    }
}

/// For each release when the nearest one of another package came before it, in
/// the order in which they are given.
fn others<'a>(all: impl Iterator<Item = &'a (i64, usize)>) -> Vec<Option<i64>> {
    let (mut last, mut other) = (None::<(i64, usize)>, None);
    let step = all.map(|&(time, package)| {
        if let Some((before, of)) = last
            && of != package
        {
            other = Some(before);
        }
        last = Some((time, package));
        other
    });
    step.collect()
}

/// All fixes in the order of time.
fn fixes(packages: &[Package]) -> Vec<Fix> {
    let mut all = Vec::new();
    for (package, it) in packages.iter().enumerate() {
        for (release, it) in it.releases.iter().enumerate() {
            if Number::new(&it.version).is_patch() {
                all.push(Fix { time: it.time, package, release });
            }
        }
    }
    all.sort_by_key(|fix| fix.time);
    all
}

/// The ranges of bursts; those that overlap are one.
fn found(all: &[Fix]) -> Vec<std::ops::Range<usize>> {
    let mut bursts: Vec<std::ops::Range<usize>> = Vec::new();
    let mut counts = BTreeMap::<usize, usize>::new();
    let mut start = 0;
    for (at, fix) in all.iter().enumerate() {
        *counts.entry(fix.package).or_default() += 1;
        while fix.time.saturating_sub(all[start].time) > SPAN {
            forget(&mut counts, all[start].package);
            start += 1;
        }
        if counts.len() >= PACKAGES {
            match bursts.last_mut() {
                Some(last) if last.end > start => last.end = at + 1,
                _ => bursts.push(start..at + 1),
            }
        }
    }
    bursts
}

fn forget(counts: &mut BTreeMap<usize, usize>, package: usize) {
    match counts.get_mut(&package) {
        Some(count) if *count > 1 => *count -= 1,
        _ => _ = counts.remove(&package),
    }
}

fn words(releases: &[Fix], seconds: i64, usual: bool) -> String {
    let mut packages: Vec<usize> = releases.iter().map(|fix| fix.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let minutes = seconds / 60 + 1;
    let plural = if minutes == 1 { "" } else { "s" };
    let compared = match usual {
        true => "as these packages did before",
        false => "as worms publish, and families of packages that are released together",
    };
    format!(
        "fixes of {} packages of one owner came within {minutes} minute{plural}, {compared}",
        packages.len()
    )
}

fn mark(packages: &mut [Package], fix: &Fix, weight: Severity, words: &str) {
    let marks = &mut packages[fix.package].releases[fix.release].marks;
    if marks.iter().any(|mark| mark.sign == SIGN) {
        return;
    }
    marks.push(Mark { weight, sign: SIGN, words: words.to_owned() });
    marks.sort_by_key(|mark| Reverse(mark.weight));
}
