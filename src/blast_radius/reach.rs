//! Which packages are in reach, and how sure that is: from what the registry lists
//! and what its search finds.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::radius::{BlastRadius, Certainty, Learnt, Package, PackageRight, TokenKind};
use crate::registry::npm::public::Search;

/// The packages that anybody names as the user's, and what the token may do there.
pub(super) fn names(
    search: &Search,
    own: &Learnt<BTreeMap<String, PackageRight>>,
    radius: &BlastRadius,
) -> Vec<Package> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for hit in &search.hits {
        let user = Learnt::upper_bound(PackageRight::Publish, "search names the user a maintainer");
        let mut package = Package {
            name: hit.name.clone(),
            right: bounded(user, radius),
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
        package.right = bounded(Learnt::measured(*right, own.how.clone()), radius);
    }
    packages.into_values().collect()
}

/// Leaves out what the list of tokens says the token does not cover; how many.
pub(super) fn leave_out_of_scope(packages: &mut Vec<Package>, radius: &BlastRadius) -> usize {
    let Some(scopes) = &radius.token.scopes.value else { return 0 };
    let all = packages.len();
    packages.retain(|package| scopes.iter().any(|scope| covers(scope, &package.name)));
    all - packages.len()
}

/// What is left of the user's right in the hands of who has only the token.
fn bounded(user: Learnt<PackageRight>, radius: &BlastRadius) -> Learnt<PackageRight> {
    let token = &radius.token;
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
pub(super) fn orgs(radius: &BlastRadius, packages: &[Package]) -> Learnt<Vec<String>> {
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
        let scopes: Vec<String> = scopes.into_iter().collect();
        return Learnt { value: (!scopes.is_empty()).then_some(scopes), ..Learnt::unknown(how) };
    }
    named.extend(scopes);
    Learnt::measured(named.into_iter().collect(), "scopes of the token and of its packages")
}

pub(super) fn count(
    search: &Search,
    own: &Learnt<BTreeMap<String, PackageRight>>,
    found: usize,
    outside: usize,
) -> Learnt<u64> {
    let listed = own.value.as_ref().map(|own| own.len());
    let all = Some(found + outside);
    let found = found as u64;
    match (own.certainty, &search.cut) {
        // More than the registry lists come from the search, which is no measure.
        (Certainty::Measured, _) if listed == all => Learnt::measured(found, own.how.clone()),
        (_, None) if found > 0 => Learnt::upper_bound(found, search.how.clone()),
        _ => Learnt { value: (found > 0).then_some(found), ..Learnt::unknown(search.how.clone()) },
    }
}

pub(super) fn sum(packages: &[Package], field: impl Fn(&Package) -> Option<u64>) -> Learnt<u64> {
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
pub(super) fn rank(package: &Package) -> impl Ord + use<> {
    let suspicious = package.releases.iter().filter(|release| release.is_suspicious());
    let worst = suspicious.flat_map(|it| &it.marks).map(|mark| mark.weight).max();
    (worst, package.right.value, package.weekly_downloads.value, package.dependents.value)
}
