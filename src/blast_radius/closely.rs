//! A closer look at single packages: their public documents, and names that only
//! those with a right can read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::survey::Survey;
use super::{history, posture, usage};
use crate::model::Severity;
use crate::model::radius::{
    BlastRadius, Learnt, Mark, Package, PackageRight, Window, WindowRelease,
};
use crate::registry::npm::account;
use crate::registry::npm::identity::Bound;
use crate::registry::npm::packument::Packument;
use crate::registry::npm::public::{self, Gap, Hit, Search};

/// Packuments that are fetched side by side: each may take tens of megabytes
/// while it is read.
const SIDE_BY_SIDE: usize = 2;
/// Packuments that are kept for other credentials of the same account; each may
/// take a megabyte.
const KEPT: usize = 40;
/// Versions of the window that are told of a package, suspicious ones first.
const RELEASES: usize = 500;
/// Packages whose downloads are asked for apart.
const COUNTED: usize = 50;
/// Private names that are tried.
const NAMES: usize = 20;

/// A packument that several credentials may want.
pub(super) type Told = Arc<Result<Packument, Gap>>;

impl Survey<'_> {
    /// Reads the documents of those that were published in the window, and of
    /// the most downloaded.
    pub(super) fn look_closely(
        &self,
        bound: &Bound<'_>,
        search: &Search,
        packages: &mut [Package],
        radius: &mut BlastRadius,
    ) {
        let hits: BTreeMap<&str, &Hit> =
            search.hits.iter().map(|hit| (hit.name.as_str(), hit)).collect();
        let since = radius.window.from.value;
        let recent = |name: &str| {
            let date = hits.get(name).and_then(|hit| hit.date);
            date.zip(since).is_some_and(|(date, since)| date >= since)
        };
        packages.sort_by_cached_key(|package| {
            let downloads = package.weekly_downloads.value.unwrap_or(0);
            let listed = (self.listed)(&package.name);
            std::cmp::Reverse((listed, recent(&package.name), downloads))
        });
        let (chosen, left) = packages.split_at_mut(self.packages.min(packages.len()));
        if !left.is_empty() {
            let left = left.len();
            radius
                .not_checked
                .push(format!("the versions of {left} more packages: --packages raises the limit"));
        }
        if since.is_none() {
            radius.not_checked.push(
                "whether it was used: nobody knows since when it was open; --since tells".into(),
            );
        } else if radius.window.is_empty() {
            radius.not_checked.push(
                "whether it was used: the time in which it was open ends before it begins".into(),
            );
        }
        let window = &radius.window;
        let mut gaps = each(chosen, |package| {
            let told = self.packument(bound, &package.name);
            self.fill(package, hits.get(package.name.as_str()).copied(), &told, window)
        });
        gaps.sort();
        radius.not_checked.append(&mut gaps);
    }

    /// The public document of a package, asked for once.
    fn packument(&self, bound: &Bound<'_>, name: &str) -> Told {
        let key = (bound.host.to_owned(), name.to_owned());
        if let Some(known) = self.shared(|shared| shared.packuments.get(&key).cloned()) {
            return known;
        }
        let told = Arc::new(public::packument(self.public, bound.host, name));
        (self.step)(name);
        self.shared(|shared| {
            if shared.packuments.len() < KEPT {
                shared.packuments.insert(key, Arc::clone(&told));
            }
        });
        told
    }

    /// Notes what the document tells; what it does not is given back in words.
    fn fill(
        &self,
        package: &mut Package,
        hit: Option<&Hit>,
        told: &Result<Packument, Gap>,
        window: &Window,
    ) -> Option<String> {
        match told {
            Ok(packument) => {
                let right = std::mem::take(&mut package.right);
                *package = Package { right, ..posture::package(packument, hit) };
                package.earlier = usage::earlier(packument, window);
                package.releases = usage::in_window(packument, window, self.known_bad);
                let bad = self.listed_elsewhere(packument, &package.releases, window);
                let more = package.releases.len().saturating_sub(RELEASES);
                package.releases.truncate(RELEASES);
                package.releases.splice(0..0, bad);
                if window.from.value.is_none() {
                    // Without a begin only what a list knows says anything.
                    package.releases.retain(|release| {
                        release.marks.iter().any(|mark| mark.sign == "known-bad")
                    });
                }
                history::add(package, packument);
                (more > 0).then(|| {
                    let name = &package.name;
                    format!("{name}: {more} more versions of the window, less odd than those told")
                })
            }
            Err(Gap::Rehearsed) => None,
            Err(Gap::NotFound) => {
                package.private =
                    Learnt::upper_bound(true, "its document is not public: 404 without the token");
                None
            }
            Err(why) => Some(format!("{}: {}", package.name, why.words())),
        }
    }

    /// Versions that a list names, and that are not in the window: their date is
    /// not known, or the window was guessed too late.
    fn listed_elsewhere(
        &self,
        packument: &Packument,
        within: &[WindowRelease],
        window: &Window,
    ) -> Vec<WindowRelease> {
        let told: BTreeSet<&str> = within.iter().map(|it| it.version.as_str()).collect();
        let all: BTreeSet<&String> =
            packument.versions.keys().chain(packument.time.keys()).collect();
        let others = all.into_iter().filter(|version| !told.contains(version.as_str()));
        let bad = others.filter_map(|version| {
            let list = (self.known_bad)(&packument.name, version)?;
            let known = packument.time.get(version).copied();
            let words = match known {
                Some(_) => format!("{list}; it lies outside the window that was looked at"),
                None => format!("{list}; when it was published is not known"),
            };
            let mark = Mark { weight: Severity::Critical, sign: "known-bad", words };
            let window = window.from.value.or(window.until.value);
            let time = known.or(window).unwrap_or(self.now);
            Some(WindowRelease { version: version.clone(), time, ghost: false, marks: vec![mark] })
        });
        bad.collect()
    }

    /// Asks for the downloads of public packages that the search did not find.
    pub(super) fn count_downloads(&self, packages: &mut [Package]) {
        let unknown = |package: &&mut Package| {
            package.weekly_downloads.value.is_none() && package.private.value == Some(false)
        };
        let mut wanted: Vec<&mut Package> = packages.iter_mut().filter(unknown).collect();
        wanted.truncate(COUNTED);
        if wanted.is_empty() {
            return;
        }
        let names: Vec<&str> = wanted.iter().map(|package| package.name.as_str()).collect();
        let told = public::downloads(self.public, &names);
        for package in wanted {
            package.weekly_downloads = match told.weekly.get(&package.name) {
                Some(count) => Learnt::measured(*count, "npm's download counts"),
                None => Learnt::unknown("npm's download counts do not tell"),
            };
        }
    }

    /// Asks for the names that stand in the scanned trees and are not public:
    /// who gets an answer may read them.
    pub(super) fn try_names(
        &self,
        bound: &Bound<'_>,
        packages: &mut Vec<Package>,
        radius: &mut BlastRadius,
    ) {
        let known: BTreeSet<String> = packages.iter().map(|package| package.name.clone()).collect();
        let mut wanted = self.names.iter().filter(|name| !known.contains(*name));
        for name in wanted.by_ref().take(NAMES) {
            let public = self.packument(bound, name);
            if !matches!(*public, Err(Gap::NotFound | Gap::Rehearsed)) {
                continue;
            }
            let told = account::reads(self.door, bound, name);
            if told.value == Some(true) {
                packages.push(Package {
                    name: name.clone(),
                    right: Learnt::measured(PackageRight::Read, told.how.clone()),
                    private: Learnt::measured(true, told.how),
                    ..Package::default()
                });
            } else if told.value.is_none() {
                radius.not_checked.push(format!("whether it reads {name}: {}", told.how));
            }
        }
        let left = wanted.count();
        if left > 0 {
            radius
                .not_checked
                .push(format!("whether it reads {left} more names of the scanned trees"));
        }
    }
}

/// Does something to each package, a few at a time: the door keeps the pace.
/// Gives back what was said, in any order.
fn each(
    packages: &mut [Package],
    act: impl Fn(&mut Package) -> Option<String> + Sync,
) -> Vec<String> {
    let threads = SIDE_BY_SIDE.min(packages.len());
    let queue = Mutex::new(packages.iter_mut());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut said = Vec::new();
        while let Some(package) = next() {
            said.extend(act(package));
        }
        said
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    })
}
