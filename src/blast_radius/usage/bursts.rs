//! Many packages of one owner, published in one go.

use std::cmp::Reverse;
use std::collections::BTreeMap;

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

/// Marks releases of one owner's packages that came in a burst: fixes
/// (`x.y.1` and above) of five packages or more within half an hour.
pub fn bursts(packages: &mut [Package]) {
    let all = fixes(packages);
    for burst in found(&all) {
        let releases = &all[burst];
        let (Some(first), Some(last)) = (releases.first(), releases.last()) else { continue };
        let words = words(releases, last.time.saturating_sub(first.time));
        for fix in releases {
            mark(packages, fix, &words);
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

fn words(releases: &[Fix], seconds: i64) -> String {
    let mut packages: Vec<usize> = releases.iter().map(|fix| fix.package).collect();
    packages.sort_unstable();
    packages.dedup();
    let minutes = seconds / 60 + 1;
    let plural = if minutes == 1 { "" } else { "s" };
    format!(
        "fixes of {} packages of one owner came within {minutes} minute{plural}: worms publish so, \
         and so do families of packages that are released together",
        packages.len()
    )
}

fn mark(packages: &mut [Package], fix: &Fix, words: &str) {
    let marks = &mut packages[fix.package].releases[fix.release].marks;
    if marks.iter().any(|mark| mark.sign == SIGN) {
        return;
    }
    marks.push(Mark { weight: Severity::Medium, sign: SIGN, words: words.to_owned() });
    marks.sort_by_key(|mark| Reverse(mark.weight));
}
