//! The way out: what to do, first things first, and nothing that does not follow
//! from what was found.
//!
//! The order is the one that published playbooks agree on since May 2026: isolate
//! and keep the evidence, persistence off, then revoke from another machine, take
//! bad versions back, rotate, guard the account and the packages, repair, revoke
//! what is watched, look for use, look again.

mod guard;
mod repair;
mod revoke;
mod switch;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::rights::{answer, matrix};
use super::words;
use crate::hostage;
use crate::model::radius::{
    Action, Answer, BlastRadius, Package, PackageRight, Response, Rights, Step, WindowRelease,
};
use crate::model::{Finding, Fingerprint, Outcome, State, is_npm_registry};

/// At most so many packages, tokens or paths are named in one step: the worst
/// come first, and the rest is counted.
const LIST_CAP: usize = 20;

/// The steps that apply, in order. `response` holds the switch, the projects and
/// the graph; its own plan is not read.
pub fn plan(findings: &[Finding], response: &Response) -> Vec<Step> {
    let scene = Scene::new(findings, response);
    let mut steps = Vec::new();
    steps.extend(switch::evidence(&scene));
    steps.extend(switch::persistence(&scene));
    steps.extend(revoke::revoke(&scene));
    // While a bad version is the newest one, it is being installed.
    steps.extend(repair::bad_versions(&scene));
    steps.extend(revoke::rotate(&scene));
    steps.extend(guard::second_factor(&scene));
    steps.extend(guard::disallow_tokens(&scene));
    steps.extend(guard::trusted_publishing(&scene));
    steps.extend(guard::staged(&scene));
    steps.extend(guard::workflows(&scene));
    steps.extend(repair::projects(&scene));
    steps.extend(revoke::last(&scene));
    steps.extend(repair::audit(&scene));
    steps.extend(repair::scan_again(&scene));
    steps
}

/// What the steps ask of the findings.
struct Scene<'a> {
    response: &'a Response,
    /// Credentials that live, or of which nobody knows that they are dead.
    live: Vec<&'a Finding>,
    /// Those of an account one of whose tokens is named as worms name one whose
    /// death they watch, if the account's list shows it.
    trapped: Vec<&'a Finding>,
    /// What each of the live can do, by its fingerprint: the worst table.
    worst: BTreeMap<Fingerprint, Rights>,
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
        let mut scene = Self {
            response,
            trapped: live.iter().copied().filter(|finding| is_trapped(finding)).collect(),
            worst: BTreeMap::new(),
            writable: Vec::new(),
            live,
            all: all.map(|package| (package.name.as_str(), package)).collect(),
            now: findings.iter().filter_map(|finding| finding.validation.asked).max(),
        };
        // The date of a commit may be forged: what it excludes is possible again
        // as soon as somebody seems to have published.
        let doubts = !scene.suspicious().is_empty();
        for finding in &scene.live {
            let Some(radius) = finding.blast_radius.as_deref() else { continue };
            let undated = scene.now.filter(|_| doubts);
            let undated = undated.map(|now| matrix(&radius.token, &radius.account, None, now));
            let worst = undated.as_ref().unwrap_or(&radius.rights).first();
            scene.worst.extend(worst.map(|rights| (finding.fingerprint, rights.clone())));
        }
        scene.writable = scene.writable();
        scene
    }

    /// Whether an action has one of these answers in the worst table; if there is
    /// none, nothing speaks against it.
    fn may(&self, finding: &Finding, action: Action, wanted: &[Answer]) -> bool {
        let worst = self.worst.get(&finding.fingerprint);
        wanted.contains(&worst.map_or(Answer::Unknown, |rights| answer(rights, action)))
    }

    /// True if a credential with a table publishes without a second factor, or may.
    fn may_publish(&self, finding: &Finding) -> bool {
        self.worst.contains_key(&finding.fingerprint)
            && self.may(finding, Action::Publish, &[Answer::Yes, Answer::Unknown])
    }

    /// True if a token of the same account is named as a trap.
    fn is_beside_a_trap(&self, finding: &Finding) -> bool {
        let user = |finding: &'a Finding| finding.blast_radius.as_deref()?.account.user.get();
        let own = finding.blast_radius.as_deref().and_then(|radius| radius.account.user.get());
        self.trapped
            .iter()
            .any(|it| it.fingerprint == finding.fingerprint || own.is_some() && user(it) == own)
    }

    fn writable(&self) -> Vec<Reached<'a>> {
        let mut found: BTreeMap<&str, Reached<'a>> = BTreeMap::new();
        for finding in &self.live {
            let Some(radius) = finding.blast_radius.as_deref() else { continue };
            let open = [Answer::Yes, Answer::Unknown];
            let unguarded = self.may(finding, Action::Publish, &open);
            if !unguarded
                && !self.may(finding, Action::Publish, &[Answer::SecondFactor])
                && !self.may(finding, Action::Stage, &open)
            {
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

/// True if the credential may read the package at most.
fn is_read_only(package: &Package) -> bool {
    matches!(package.right.get(), Some(PackageRight::Public | PackageRight::Read))
}

fn is_trapped(finding: &Finding) -> bool {
    finding.blast_radius.as_deref().is_some_and(|radius| {
        radius.token.booby_trap.value == Some(true)
            || radius.token.name.get().is_some_and(|name| hostage::is_trap(name))
    })
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

/// What stands in a command for the one word that differs.
const PLACE: &str = "{}";
/// So many commands stand one below the other; more become a loop of the shell.
const SINGLE: usize = 3;

/// Commands for the first [`LIST_CAP`] of many, and a note on the rest. A command
/// is a word that belongs to one of them, and a text with [`PLACE`] for it. What
/// cannot stand in a command is told in a note as well.
fn commands_for<T>(
    step: &mut Step,
    all: &[T],
    command: impl Fn(&T) -> Option<(String, Cow<'static, str>)>,
) {
    let mut made: Vec<_> = all.iter().filter_map(command).collect();
    let odd = all.len() - made.len();
    let more = made.len().saturating_sub(LIST_CAP);
    made.truncate(LIST_CAP);
    let mut alike: Vec<(Cow<'static, str>, Vec<String>)> = Vec::new();
    for (word, text) in made {
        match alike.iter_mut().find(|(other, _)| *other == text) {
            Some((_, words)) => words.push(word),
            None => alike.push((text, vec![word])),
        }
    }
    for (text, words) in alike {
        if words.len() <= SINGLE {
            step.commands.extend(words.iter().map(|word| text.replacen(PLACE, word, 1)));
        } else {
            let text = text.replacen(PLACE, "\"$p\"", 1);
            step.commands.push(format!("for p in {}; do {text}; done", words.join(" ")));
        }
    }
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

/// A name and the command for it, if the name can stand in one.
fn with_name(name: &str, text: &'static str) -> Option<(String, Cow<'static, str>)> {
    Some((words::word(name)?.into_owned(), text.into()))
}
