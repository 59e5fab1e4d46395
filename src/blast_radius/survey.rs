//! What the registry tells of one credential: the account, the token, and the
//! packages in reach, each with its public data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use super::closely::Told;
use super::{reach, rights, usage, words};
use crate::model::radius::{BlastRadius, Certainty, Learnt, PackageRight, TokenKind, Window};
use crate::model::{Finding, Outcome, is_npm_registry};
use crate::registry::Ask;
use crate::registry::npm::identity::Bound;
use crate::registry::npm::public::{self, Search};
use crate::registry::npm::{account, tokens};

/// Organisations of a token whose packages are asked for.
const ORGS: usize = 10;

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
    /// True if a list names a version of this package as bad.
    pub listed: &'a (dyn Fn(&str) -> bool + Sync),
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
    pub(super) packuments: BTreeMap<(String, String), Told>,
}

impl Survey<'_> {
    /// All that can be known of the reach of one credential, but its rights and
    /// its severity, which follow from it.
    pub(super) fn radius(&self, finding: &Finding, bound: &Bound<'_>) -> BlastRadius {
        let outcome = finding.validation.outcome;
        let speaks = outcome.is_alive() || self.rehearsal;
        let mut radius = BlastRadius { window: self.window(finding), ..BlastRadius::default() };
        // Other registries keep tokens of that form alive.
        if is_npm_registry(bound.host) {
            radius.token.kind = rights::kind_of(&finding.kind);
        }
        if speaks {
            self.ask_of_itself(bound, &mut radius);
        } else {
            radius
                .not_checked
                .push(format!("what the token itself may read: it is {}", outcome.word()));
        }
        radius.account.user = self.user(finding, &radius);
        if radius.window.from.value.is_none()
            && let Some(made) = radius.token.created.value.filter(|made| *made <= self.now)
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
        radius.staged = account::staged(self.door, bound);
        // A list that answered, and does not tell the kind, speaks against a session.
        let refused = radius.token.kind.certainty == Certainty::Refused;
        if refused && told {
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
            (None, Some(time)) if time > self.now => {
                Learnt::unknown("the first commit that shows it lies in the future; --since tells")
            }
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
        let mut packages = reach::names(&search, &own, radius);
        let outside = reach::leave_out_of_scope(&mut packages, radius);
        if outside > 0 {
            radius.not_checked.push(format!(
                "{} of {user} that its scope leaves out",
                words::count(outside as u64, "package")
            ));
        }
        radius.orgs = reach::orgs(radius, &packages);
        radius.package_count = reach::count(&search, &own, packages.len(), outside);
        if let Some(cut) = &search.cut {
            radius.not_checked.push(format!("all packages of {user}: {cut}"));
        }
        self.look_closely(bound, &search, &mut packages, radius);
        if speaks {
            self.try_names(bound, &mut packages, radius);
        }
        if is_npm_registry(bound.host) {
            self.count_downloads(&mut packages);
        }
        usage::bursts(&mut packages);
        packages
            .sort_by(|a, b| reach::rank(b).cmp(&reach::rank(a)).then_with(|| a.name.cmp(&b.name)));
        radius.weekly_downloads = reach::sum(&packages, |package| package.weekly_downloads.value);
        radius.dependents = reach::sum(&packages, |package| package.dependents.value);
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

    pub(super) fn shared<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// When the first commit that shows a secret was made, as its author says.
pub(super) fn first_commit(finding: &Finding) -> Option<i64> {
    finding.locations.iter().filter_map(|at| at.origin.git.as_deref()?.time).min()
}
