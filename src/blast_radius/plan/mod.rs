//! The way out: what to do, first things first, and nothing that does not follow
//! from what was found.
//!
//! The order is the one that published playbooks agree on since May 2026:
//! persistence off, then evidence, then revoke from another machine, rotate, guard
//! the account and the packages, repair, look for use, look again.

mod guard;
mod repair;
mod revoke;
mod switch;

use std::collections::BTreeMap;

use super::rights::answer;
use super::words;
use crate::model::radius::{
    Action, Answer, BlastRadius, Certainty, Package, PackageRight, Response, Step, WindowRelease,
};
use crate::model::{Finding, Outcome, State, is_npm_registry};

/// At most so many packages, tokens or paths are named in one step: the worst
/// come first, and the rest is counted.
const LIST_CAP: usize = 20;

/// The steps that apply, in order. `response` holds the switch, the projects and
/// the graph; its own plan is not read.
pub fn plan(findings: &[Finding], response: &Response) -> Vec<Step> {
    let scene = Scene::new(findings, response);
    let mut steps = Vec::new();
    steps.extend(switch::persistence(&scene));
    steps.extend(switch::evidence(&scene));
    steps.extend(revoke::revoke(&scene));
    steps.extend(revoke::rotate(&scene));
    steps.extend(guard::second_factor(&scene));
    steps.extend(guard::disallow_tokens(&scene));
    steps.extend(guard::trusted_publishing(&scene));
    steps.extend(guard::staged(&scene));
    steps.extend(guard::workflows(&scene));
    steps.extend(repair::bad_versions(&scene));
    steps.extend(repair::projects(&scene));
    steps.extend(repair::audit(&scene));
    steps.extend(repair::scan_again(&scene));
    steps
}

/// What the steps ask of the findings.
struct Scene<'a> {
    response: &'a Response,
    /// Credentials that live, or of which nobody knows that they are dead.
    live: Vec<&'a Finding>,
    /// Packages that a live npm credential can write, or may be able to, each once.
    writable: Vec<Reached<'a>>,
    /// Packages of all npm credentials, dead ones too: for what was done before.
    all: BTreeMap<&'a str, &'a Package>,
    /// The last moment at which a service answered.
    now: Option<i64>,
}

/// A package and how it can be written.
struct Reached<'a> {
    package: &'a Package,
    /// True if the second factor does not stop a publish, or may not.
    unguarded: bool,
}

impl<'a> Scene<'a> {
    fn new(findings: &'a [Finding], response: &'a Response) -> Self {
        let live: Vec<_> = findings.iter().filter(|finding| may_live(finding)).collect();
        let packages = findings.iter().filter_map(|finding| finding.blast_radius.as_deref());
        let all = packages.flat_map(|radius| &radius.packages);
        Self {
            response,
            writable: writable(&live),
            live,
            all: all.map(|package| (package.name.as_str(), package)).collect(),
            now: findings.iter().filter_map(|finding| finding.validation.asked).max(),
        }
    }

    /// The blast radii of what lives.
    fn radii(&self) -> impl Iterator<Item = &'a BlastRadius> {
        self.live.iter().filter_map(|finding| finding.blast_radius.as_deref())
    }

    fn live_github(&self) -> impl Iterator<Item = &'a Finding> {
        self.live.iter().copied().filter(|finding| is_github(finding))
    }

    /// Versions of the exposure window that look as if others had published them.
    fn suspicious(&self) -> Vec<(&'a Package, &'a WindowRelease)> {
        let all = self
            .all
            .values()
            .flat_map(|package| package.releases.iter().map(move |release| (*package, release)));
        all.filter(|(_, release)| release.is_suspicious()).collect()
    }

    /// True if malware was here, or may have been: not only a leak.
    fn was_attacked(&self) -> bool {
        !self.response.switch.is_empty()
            || self.response.projects.iter().any(|project| project.known_bad.is_some())
    }
}

fn writable<'a>(live: &[&'a Finding]) -> Vec<Reached<'a>> {
    let mut found: BTreeMap<&str, Reached<'a>> = BTreeMap::new();
    for radius in live.iter().filter_map(|finding| finding.blast_radius.as_deref()) {
        let unguarded = may(radius, &[Answer::Yes, Answer::Unknown]);
        if !unguarded && !may(radius, &[Answer::SecondFactor]) && !may_stage(radius) {
            continue;
        }
        for package in radius.packages.iter().filter(|package| !is_read_only(package)) {
            let entry = found.entry(&package.name).or_insert(Reached { package, unguarded });
            entry.unguarded |= unguarded;
        }
    }
    let mut all: Vec<_> = found.into_values().collect();
    let downloads = |it: &Reached<'_>| it.package.weekly_downloads.value.unwrap_or(0);
    all.sort_by_key(|it| std::cmp::Reverse(downloads(it)));
    all
}

/// Whether publishing has one of these answers in the worst table; if there is
/// none, nothing speaks against it.
fn may(radius: &BlastRadius, wanted: &[Answer]) -> bool {
    let worst = radius.rights.first();
    worst.map_or(wanted.contains(&Answer::Unknown), |rights| {
        wanted.contains(&answer(rights, Action::Publish))
    })
}

fn may_stage(radius: &BlastRadius) -> bool {
    radius.rights.first().is_some_and(|rights| {
        matches!(answer(rights, Action::Stage), Answer::Yes | Answer::Unknown)
    })
}

fn is_read_only(package: &Package) -> bool {
    let right = (package.right.certainty, package.right.value);
    matches!(right, (Certainty::Measured, Some(PackageRight::Public | PackageRight::Read)))
}

/// True unless the service, its own date or its kind says that it is over.
fn may_live(finding: &Finding) -> bool {
    match finding.validation.outcome {
        Outcome::Active | Outcome::Restricted => true,
        Outcome::Dead => false,
        Outcome::NotAttempted | Outcome::Unknown | Outcome::Skipped => {
            !matches!(finding.worth.state, State::Expired | State::LegacyDead | State::Reference)
        }
    }
}

fn is_github(finding: &Finding) -> bool {
    finding.service.as_deref() == Some("github")
}

/// True if npm's own registry issued it, or is who it is for.
fn is_npm(finding: &Finding) -> bool {
    let at_npm = finding.registry.as_deref().map(is_npm_registry);
    match finding.service.as_deref() {
        Some("npm") => at_npm.unwrap_or(true),
        Some("npm-registry") => at_npm.unwrap_or(false),
        _ => false,
    }
}

/// `npm access token npm_abcd…wxyz (.npmrc:3)`.
fn name(finding: &Finding) -> String {
    let masked = finding.secret.masked();
    match finding.locations.first() {
        Some(place) => {
            let path = place.origin.shown();
            let path = String::from_utf8_lossy(&path);
            format!("{} {masked} ({path}:{})", finding.name, place.line)
        }
        None => format!("{} {masked}", finding.name),
    }
}

/// A step without commands and notes.
fn step(id: &'static str, title: impl Into<String>, why: impl Into<String>) -> Step {
    let (title, why) = (title.into(), why.into());
    Step { id, title, why, commands: Vec::new(), notes: Vec::new() }
}

/// The first names of a list, for a sentence: `a, b and 3 more`.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<_> = names.collect();
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Commands for the first [`LIST_CAP`] of many, and a note on the rest. What
/// cannot stand in a command is told in a note as well.
fn commands_for<T>(step: &mut Step, all: &[T], command: impl Fn(&T) -> Option<String>) {
    let made: Vec<_> = all.iter().filter_map(command).collect();
    let odd = all.len() - made.len();
    let more = made.len().saturating_sub(LIST_CAP);
    step.commands.extend(made.into_iter().take(LIST_CAP));
    if more > 0 {
        step.notes.push(format!("and {more} more in the same way; the JSON report names all"));
    }
    if odd > 0 {
        step.notes.push(format!(
            "{} left out: a name that belongs in no command; look at it by hand",
            words::count(odd as u64, "command")
        ));
    }
}
