//! What the registry tells of one credential: the account, the token, and the
//! packages in reach, each with its public data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::{posture, rights, usage};
use crate::model::radius::{
    BlastRadius, Certainty, Learnt, Package, PackageRight, TokenKind, Window,
};
use crate::model::{Finding, Outcome};
use crate::registry::Ask;
use crate::registry::npm::identity::Bound;
use crate::registry::npm::packument::Packument;
use crate::registry::npm::public::{self, Gap, Hit, Search};
use crate::registry::npm::{account, tokens};

/// Packuments that are fetched side by side.
const SIDE_BY_SIDE: usize = 4;
/// Organisations of a token whose packages are asked for.
const ORGS: usize = 10;
/// Private names that are tried.
const NAMES: usize = 20;

/// Whom to ask, and how far to go.
pub(super) struct Survey<'a> {
    /// Carries credentials.
    pub door: &'a dyn Ask,
    /// Carries none.
    pub public: &'a dyn Ask,
    /// Packages of each account that are looked at closely.
    pub packages: usize,
    /// Seconds since 1970.
    pub now: i64,
    /// When others could have got hold of the credentials, if the user knows.
    pub since: Option<i64>,
    /// True if nothing is sent, so that all that could be is told.
    pub rehearsal: bool,
    /// Names of packages that were read from the scanned trees.
    pub names: &'a BTreeSet<String>,
    /// The list that names a version as bad.
    pub known_bad: &'a (dyn Fn(&str, &str) -> Option<String> + Sync),
    /// Told of each package that was looked at.
    pub step: &'a (dyn Fn(&str) + Sync),
    /// What was learnt of accounts and packages that several credentials share.
    pub shared: Mutex<Shared>,
}

/// Public data by registry and name.
#[derive(Default)]
pub(super) struct Shared {
    searches: BTreeMap<(String, String), Search>,
    packuments: BTreeMap<(String, String), Result<Packument, Gap>>,
}

impl Survey<'_> {
    /// All that can be known of the reach of one credential, but its rights and
    /// its severity, which follow from it.
    pub(super) fn radius(&self, finding: &Finding, bound: &Bound<'_>) -> BlastRadius {
        let outcome = finding.validation.outcome;
        let speaks = outcome.is_alive() || self.rehearsal;
        let mut radius = BlastRadius { window: self.window(finding), ..BlastRadius::default() };
        radius.token.kind = rights::kind_of(&finding.kind);
        if speaks {
            self.ask_of_itself(bound, &mut radius);
        } else {
            radius
                .not_checked
                .push(format!("what the token itself may read: it is {}", outcome.word()));
        }
        radius.account.user = self.user(finding, &radius);
        if radius.window.from.value.is_none()
            && let Some(made) = radius.token.created.value
        {
            radius.window.from = Learnt::upper_bound(made, "when the token was made");
        }
        self.reach(bound, speaks, &mut radius);
        radius
    }

    fn ask_of_itself(&self, bound: &Bound<'_>, radius: &mut BlastRadius) {
        let (account, told) = account::profile(self.door, bound);
        radius.account = account;
        let kind = std::mem::take(&mut radius.token.kind);
        radius.token = tokens::facts(self.door, bound);
        if radius.token.kind.value.is_none() && told {
            let how = "the registry told the profile, which it does to sessions alone";
            radius.token.kind = Learnt::measured(TokenKind::Session, how);
        } else if kind.value.is_some() {
            radius.token.kind = kind;
        }
    }

    fn user(&self, finding: &Finding, radius: &BlastRadius) -> Learnt<String> {
        let identity = finding.validation.identity.as_ref();
        if let Some(user) = identity.and_then(|identity| identity.user.clone()) {
            return Learnt::measured(user, "GET /-/whoami");
        }
        if radius.account.user.value.is_some() {
            return radius.account.user.clone();
        }
        match &finding.username {
            Some(user) => Learnt::upper_bound(user.clone(), "the text that holds the token"),
            None if self.rehearsal => Learnt::upper_bound("USER".into(), "whoami would tell"),
            None => Learnt::unknown("the registry did not name the user"),
        }
    }

    /// From the first commit that shows it, or when the user says, until now.
    fn window(&self, finding: &Finding) -> Window {
        let from = match (self.since, first_commit(finding)) {
            (Some(since), _) => Learnt::measured(since, "as given"),
            (None, Some(time)) => Learnt::measured(time, "the first commit that shows it"),
            (None, None) => Learnt::unknown("no commit shows it; --since tells"),
        };
        let until = match finding.validation.outcome {
            Outcome::Dead => {
                Learnt::upper_bound(self.now, "it is dead now; nobody tells since when")
            }
            _ => Learnt::measured(self.now, "now"),
        };
        Window { from, until }
    }

    /// Finds the packages, and looks closely at the most telling of them.
    fn reach(&self, bound: &Bound<'_>, speaks: bool, radius: &mut BlastRadius) {
        let Some(user) = radius.account.user.value.clone() else {
            let how = "whose token it is is not known";
            radius.package_count = Learnt::unknown(how);
            radius.orgs = Learnt::unknown(how);
            radius.not_checked.push("packages in reach: whose token it is is not known".into());
            return;
        };
        let search = self.search(bound, &user);
        let own = match speaks {
            true => self.listed(bound, &user, radius),
            false => Learnt::unknown("the token was not asked"),
        };
        let mut packages = names(&search, &own, radius);
        radius.orgs = orgs(radius, &packages);
        radius.package_count = count(&search, &own, packages.len());
        if let Some(cut) = &search.cut {
            radius.not_checked.push(format!("all packages of {user}: {cut}"));
        }
        self.look_closely(bound, &search, &mut packages, radius);
        if speaks {
            self.try_names(bound, &mut packages, radius);
        }
        usage::bursts(&mut packages);
        packages.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)));
        radius.weekly_downloads = sum(&packages, |package| package.weekly_downloads.value);
        radius.dependents = sum(&packages, |package| package.dependents.value);
        radius.packages = packages;
    }

    fn search(&self, bound: &Bound<'_>, user: &str) -> Search {
        let key = (bound.host.to_owned(), user.to_owned());
        if let Some(known) = self.shared(|shared| shared.searches.get(&key).cloned()) {
            return known;
        }
        (self.step)(&format!("searching for packages of {user}"));
        let search = public::search(self.public, bound.host, user);
        self.shared(|shared| shared.searches.insert(key, search.clone()));
        search
    }

    /// The packages that the registry tells the token of, private ones among them.
    fn listed(
        &self,
        bound: &Bound<'_>,
        user: &str,
        radius: &mut BlastRadius,
    ) -> Learnt<BTreeMap<String, PackageRight>> {
        let mut own = account::user_packages(self.door, bound, user);
        if own.certainty == Certainty::Refused {
            radius.not_checked.push(format!("private packages: {}", own.how));
            return own;
        }
        let scopes = radius.token.scopes.value.iter().flatten();
        let orgs = scopes.filter_map(|scope| scope.strip_prefix("org: "));
        for org in orgs.take(ORGS) {
            if let Some(more) = account::org_packages(self.door, bound, org).value {
                own.value.get_or_insert_default().extend(more);
            }
        }
        own
    }

    /// Reads the documents of those that were published in the window, and of
    /// the most downloaded.
    fn look_closely(
        &self,
        bound: &Bound<'_>,
        search: &Search,
        packages: &mut Vec<Package>,
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
            std::cmp::Reverse((recent(&package.name), downloads))
        });
        let chosen: Vec<String> =
            packages.iter().take(self.packages).map(|package| package.name.clone()).collect();
        self.fetch(bound, &chosen);
        let left = packages.len().saturating_sub(chosen.len());
        if left > 0 {
            radius.not_checked.push(format!(
                "the versions of {left} packages that are downloaded less: --packages raises the limit"
            ));
        }
        if since.is_none() {
            radius.not_checked.push(
                "whether it was used: nobody knows since when it was open; --since tells".into(),
            );
        }
        for package in packages.iter_mut().take(chosen.len()) {
            self.fill(bound, package, hits.get(package.name.as_str()).copied(), radius);
        }
    }

    /// Fetches what is not known yet, a few at a time: the door keeps the pace.
    fn fetch(&self, bound: &Bound<'_>, names: &[String]) {
        let key = |name: &str| (bound.host.to_owned(), name.to_owned());
        let wanted: Vec<&String> = names
            .iter()
            .filter(|name| self.shared(|shared| !shared.packuments.contains_key(&key(name))))
            .collect();
        let queue = Mutex::new(wanted.into_iter());
        let next = || queue.lock().ok().and_then(|mut queue| queue.next());
        let work = || {
            while let Some(name) = next() {
                let told = public::packument(self.public, bound.host, name);
                (self.step)(name);
                self.shared(|shared| shared.packuments.insert(key(name), told));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..SIDE_BY_SIDE.min(names.len()) {
                scope.spawn(work);
            }
        });
    }

    fn fill(
        &self,
        bound: &Bound<'_>,
        package: &mut Package,
        hit: Option<&Hit>,
        radius: &mut BlastRadius,
    ) {
        let key = (bound.host.to_owned(), package.name.clone());
        let told = self.shared(|shared| shared.packuments.get(&key).cloned());
        match told {
            Some(Ok(packument)) => {
                let right = std::mem::take(&mut package.right);
                *package = Package { right, ..posture::package(&packument, hit) };
                package.releases = usage::in_window(&packument, &radius.window, self.known_bad);
                if radius.window.from.value.is_none() {
                    // Without a begin only what a list knows says anything.
                    package.releases.retain(|release| {
                        release.marks.iter().any(|mark| mark.sign == "known-bad")
                    });
                }
            }
            Some(Err(Gap::Rehearsed)) | None => {}
            Some(Err(Gap::NotFound)) => {
                package.private =
                    Learnt::upper_bound(true, "its document is not public: 404 without the token");
            }
            Some(Err(why)) => {
                radius.not_checked.push(format!("{}: {}", package.name, why.words()));
            }
        }
    }

    /// Asks for the names that stand in the scanned trees and are not public:
    /// who gets an answer may read them.
    fn try_names(&self, bound: &Bound<'_>, packages: &mut Vec<Package>, radius: &mut BlastRadius) {
        let known: BTreeSet<String> = packages.iter().map(|package| package.name.clone()).collect();
        let fresh: Vec<String> =
            self.names.iter().filter(|name| !known.contains(*name)).take(NAMES).cloned().collect();
        self.fetch(bound, &fresh);
        for name in fresh {
            let key = (bound.host.to_owned(), name.clone());
            let hidden = self.shared(|shared| {
                matches!(shared.packuments.get(&key), Some(Err(Gap::NotFound | Gap::Rehearsed)))
            });
            if !hidden {
                continue;
            }
            let told = account::reads(self.door, bound, &name);
            if told.value == Some(true) {
                packages.push(Package {
                    name,
                    right: Learnt::measured(PackageRight::Read, told.how.clone()),
                    private: Learnt::measured(true, told.how),
                    ..Package::default()
                });
            } else if told.value.is_none() {
                radius.not_checked.push(format!("whether it reads {name}: {}", told.how));
            }
        }
    }

    fn shared<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// When the first commit that shows a secret was made, as its author says.
pub(super) fn first_commit(finding: &Finding) -> Option<i64> {
    finding.locations.iter().filter_map(|at| at.origin.git.as_deref()?.time).min()
}

/// The packages that anybody names as the user's, and what the token may do there.
fn names(
    search: &Search,
    own: &Learnt<BTreeMap<String, PackageRight>>,
    radius: &BlastRadius,
) -> Vec<Package> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for hit in &search.hits {
        let user = Learnt::upper_bound(PackageRight::Publish, "search names the user a maintainer");
        let mut package = Package {
            name: hit.name.clone(),
            right: bounded(user, &hit.name, radius),
            maintainers: Learnt::measured(hit.maintainers.clone(), "search"),
            ..Package::default()
        };
        let told = |value: Option<u64>| match value {
            Some(value) => Learnt::measured(value, "search"),
            None => Learnt::unknown("search does not tell"),
        };
        package.weekly_downloads = told(hit.weekly_downloads);
        package.dependents = told(hit.dependents);
        packages.insert(hit.name.clone(), package);
    }
    for (name, right) in own.value.iter().flatten() {
        let package = packages
            .entry(name.clone())
            .or_insert_with(|| Package { name: name.clone(), ..Package::default() });
        package.right = bounded(Learnt::measured(*right, own.how.clone()), name, radius);
    }
    packages.into_values().collect()
}

/// What is left of the user's right in the hands of who has only the token.
fn bounded(user: Learnt<PackageRight>, name: &str, radius: &BlastRadius) -> Learnt<PackageRight> {
    let token = &radius.token;
    if let Some(scopes) = &token.scopes.value
        && !scopes.iter().any(|scope| covers(scope, name))
    {
        return Learnt::measured(
            PackageRight::Public,
            format!("{}: not in its scope", token.scopes.how),
        );
    }
    let most = match token.kind.value {
        Some(TokenKind::ReadOnly) => PackageRight::Read,
        Some(TokenKind::StageOnly) => PackageRight::Stage,
        Some(TokenKind::OrgOnly | TokenKind::Classic) => PackageRight::Public,
        Some(_) => PackageRight::Publish,
        None => {
            let right = user.value.unwrap_or(PackageRight::Public);
            return Learnt::upper_bound(
                right,
                format!("{}; the kind of the token is not known", user.how),
            );
        }
    };
    let how = format!("{}; {}", user.how, token.kind.how);
    Learnt { value: user.value.map(|right| right.min(most)), certainty: user.certainty, how }
}

/// True if a scope of a token holds a package. What the list means by a package
/// without a name is not established, and so it holds all.
fn covers(scope: &str, name: &str) -> bool {
    let org = scope.strip_prefix("org: ").map(|org| org.trim_start_matches('@'));
    match (scope_of(name), org) {
        (of, Some(org)) => of.is_some_and(|of| &of[1..] == org),
        (of, None) => scope.starts_with('*') || scope == name || of == Some(scope),
    }
}

/// `@scope` of a name.
fn scope_of(name: &str) -> Option<&str> {
    name.starts_with('@').then(|| name.split_once('/').map(|(scope, _)| scope)).flatten()
}

/// Organisations of the token's own list, or the scopes of the packages.
fn orgs(radius: &BlastRadius, packages: &[Package]) -> Learnt<Vec<String>> {
    let scopes: BTreeSet<String> =
        packages.iter().filter_map(|package| scope_of(&package.name)).map(str::to_owned).collect();
    let named = radius.token.scopes.value.iter().flatten();
    let mut named: BTreeSet<String> = named
        .filter_map(|scope| match scope.strip_prefix("org: ") {
            Some(org) => Some(format!("@{}", org.trim_start_matches('@'))),
            None => (scope.starts_with('@') && !scope.contains('/')).then(|| scope.clone()),
        })
        .collect();
    if named.is_empty() {
        let how = "scopes of the packages; the registry has no list of a user's organisations";
        return Learnt::upper_bound(scopes.into_iter().collect(), how);
    }
    named.extend(scopes);
    Learnt::upper_bound(named.into_iter().collect(), "scopes of the token and of the packages")
}

fn count(
    search: &Search,
    own: &Learnt<BTreeMap<String, PackageRight>>,
    found: usize,
) -> Learnt<u64> {
    let found = found as u64;
    match (own.certainty, &search.cut) {
        (Certainty::Measured, _) => Learnt::measured(found, own.how.clone()),
        (_, None) if found > 0 => Learnt::upper_bound(found, search.how.clone()),
        _ => Learnt { value: (found > 0).then_some(found), ..Learnt::unknown(search.how.clone()) },
    }
}

fn sum(packages: &[Package], field: impl Fn(&Package) -> Option<u64>) -> Learnt<u64> {
    let reached =
        || packages.iter().filter(|package| package.right.value > Some(PackageRight::Public));
    let known: Vec<u64> = reached().filter_map(field).collect();
    let total = known.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    match (known.len(), reached().count()) {
        (0, _) => Learnt::unknown("no package in reach tells"),
        (some, all) if some == all => {
            Learnt::upper_bound(total, format!("sum of {all} packages in reach"))
        }
        (some, all) => {
            Learnt::upper_bound(total, format!("sum of {some} of {all} packages in reach"))
        }
    }
}

/// The most dangerous first: a bad version, the right, the reach.
fn rank(package: &Package) -> impl Ord + use<> {
    let worst = package.releases.iter().flat_map(|it| &it.marks).map(|mark| mark.weight).max();
    (worst, package.right.value, package.weekly_downloads.value, package.dependents.value)
}
