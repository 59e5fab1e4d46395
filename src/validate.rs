//! Asks the service of each credential once whether it is alive.
//!
//! Findings are secrets without doubles already, so each is one question. The
//! questions to one host follow each other; hosts are asked side by side.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Checksum, Finding, Location, Origin, Outcome, Secret, State, Validation};
use crate::registry::declared::{self, Inputs};
use crate::registry::npm::identity::{self, Bound};
use crate::registry::{Ask, github};
use crate::rules::check::Check;
use crate::rules::check_for;

/// How to validate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Questions to one host at a time.
    pub per_host: usize,
    /// True if something on this machine may wait for a GitHub token to die.
    pub armed: bool,
    /// The day of asking, seconds since 1970.
    pub now: i64,
}

/// Hosts that are asked side by side.
const SIDE_BY_SIDE: usize = 16;

/// Validates every finding, and calls `done` after each with how many are.
pub fn validate(
    findings: &mut [Finding],
    ask: &dyn Ask,
    options: Options,
    done: &(dyn Fn(usize) + Sync),
) {
    let mut lanes: BTreeMap<String, Vec<(usize, Route<'_>)>> = BTreeMap::new();
    let mut judged: Vec<(usize, Validation)> = Vec::with_capacity(findings.len());
    let places = Places::of(findings);
    for (n, finding) in findings.iter().enumerate() {
        match route(finding, &places, options) {
            Ok(route) => lanes.entry(route.host().to_owned()).or_default().push((n, route)),
            Err(why) => judged.push((n, Validation::skipped(why))),
        }
    }
    let count = AtomicUsize::new(judged.len());
    done(judged.len());
    judged.extend(ask_all(split(lanes, options.per_host), ask, options, &|| {
        done(count.fetch_add(1, Ordering::Relaxed) + 1);
    }));
    for (n, validation) in judged {
        findings[n].validation = validation;
    }
}

/// The way to the service of a finding.
enum Route<'f> {
    /// A registry that speaks npm's protocol.
    Npm(Bound<'f>, Checksum),
    /// A service that a rule file tells how to ask.
    Declared {
        check: &'static Check,
        finding: &'f Finding,
        companions: BTreeMap<String, &'f Secret>,
        now: i64,
    },
}

impl Route<'_> {
    fn host(&self) -> &str {
        match self {
            Self::Npm(bound, _) => bound.host,
            Self::Declared { check, .. } => &check.host,
        }
    }

    fn ask(&self, ask: &dyn Ask) -> Validation {
        match self {
            Self::Npm(bound, checksum) => identity::identify(ask, bound, *checksum),
            Self::Declared { check, finding, companions, now } => {
                let inputs = Inputs {
                    secret: &finding.secret,
                    user: finding.username.as_deref(),
                    host: finding.host.as_deref(),
                    companions,
                    now: *now,
                };
                declared::identify(ask, check, &inputs)
            }
        }
    }
}

/// Whom to ask about a finding, or why nobody is.
fn route<'f>(
    finding: &'f Finding,
    places: &Places<'f>,
    options: Options,
) -> Result<Route<'f>, String> {
    // Whoever read it found that nobody is to be asked.
    if finding.validation.outcome == Outcome::Skipped {
        return Err(finding.validation.words.clone());
    }
    match finding.worth.state {
        State::Reference => return Err("names a secret that stands elsewhere".into()),
        State::Expired => return Err("over by its own date: not asked".into()),
        _ => {}
    }
    if finding.checksum == Checksum::Invalid {
        return Err("its checksum is wrong: a dummy or a mangled copy, not asked".into());
    }
    let way = way(finding, places, options)?;
    if options.armed && is_githubs(finding, &way) {
        return Err(WATCHED.into());
    }
    Ok(way)
}

/// True if GitHub would see the credential, or it may be one of GitHub's: what a
/// text or a report calls it decides nothing.
fn is_githubs(finding: &Finding, way: &Route<'_>) -> bool {
    finding.service.as_deref() == Some("github")
        || github::is_token(&String::from_utf8_lossy(finding.secret.expose()))
        || finding.host.as_deref().is_some_and(github::is_host)
        || github::is_host(way.host())
}

fn way<'f>(
    finding: &'f Finding,
    places: &Places<'f>,
    options: Options,
) -> Result<Route<'f>, String> {
    if let Some(route) = npm_route(finding) {
        return route;
    }
    let check = check_for(&finding.kind, finding.secret.expose())
        .ok_or("no read-only way to ask about credentials of this kind is known")?;
    let companions = companions(check, finding, places);
    Ok(Route::Declared { check, finding, companions, now: options.now })
}

const WATCHED: &str = "parts of a dead-man's switch are on this machine: it may watch this token, \
                       and destroy the home directory when it dies or is asked about too often: \
                       not asked";

/// Where the findings of each kind stand: by origin and kind, then by offset.
struct Places<'f>(BTreeMap<(&'f Origin, &'f str), BTreeMap<u64, &'f Secret>>);

impl<'f> Places<'f> {
    fn of(findings: &'f [Finding]) -> Self {
        let mut places: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for finding in findings {
            for location in first(finding) {
                let here = places.entry((&*location.origin, &*finding.kind)).or_default();
                here.entry(location.offset).or_insert(&finding.secret);
            }
        }
        Self(places)
    }

    /// The secret of that kind nearest to a place, and how many bytes are between.
    fn nearest(&self, kind: &str, location: &'f Location) -> Option<(u64, &'f Secret)> {
        let here = self.0.get(&(&*location.origin, kind))?;
        let before = here.range(..=location.offset).next_back();
        let sides = before.into_iter().chain(here.range(location.offset..).next());
        let far =
            |(offset, secret): (&u64, &&'f Secret)| (offset.abs_diff(location.offset), *secret);
        sides.map(far).min_by_key(|(distance, _)| *distance)
    }
}

/// The findings that a check wants beside its own: of each kind the one that
/// stands nearest in the same place.
fn companions<'f>(
    check: &Check,
    finding: &'f Finding,
    places: &Places<'f>,
) -> BTreeMap<String, &'f Secret> {
    let nearest = |kind: &str| {
        let all = first(finding).filter_map(|location| places.nearest(kind, location));
        all.min_by_key(|(distance, _)| *distance)
    };
    let kinds = check.companion_kinds();
    kinds.filter_map(|kind| Some((kind.clone(), nearest(kind)?.1))).collect()
}

/// The kinds that a registry takes as `Authorization: Bearer`.
const BEARER: &[&str] = &[
    "npm-access-token",
    "npm-access-token-long",
    "npm-legacy-token",
    "npm-registry-jwt",
    "npm-registry-token",
    "npm-nexus-token",
    "npm-verdaccio-token",
];

fn npm_route(finding: &Finding) -> Option<Result<Route<'_>, String>> {
    if !matches!(finding.service.as_deref(), Some("npm" | "npm-registry" | "nexus" | "verdaccio")) {
        return None;
    }
    if !BEARER.contains(&&*finding.kind) {
        return Some(Err("passwords, one-time codes and keys are never tried".into()));
    }
    let Some(host) = finding.host.as_deref() else {
        return Some(Err("no registry that it is bound to is known".into()));
    };
    Some(Ok(Route::Npm(Bound { secret: &finding.secret, host }, finding.checksum)))
}

/// Splits what is for one host into as many lanes as may be asked at a time.
fn split<T>(hosts: BTreeMap<String, Vec<T>>, per_host: usize) -> Vec<Vec<T>> {
    let mut lanes = Vec::new();
    for questions in hosts.into_values() {
        let count = per_host.clamp(1, questions.len().max(1));
        let first = lanes.len();
        lanes.resize_with(first + count, Vec::new);
        for (n, question) in questions.into_iter().enumerate() {
            lanes[first + n % count].push(question);
        }
    }
    lanes
}

/// Walks the lanes on threads of their own: they wait more than they work.
fn ask_all(
    lanes: Vec<Vec<(usize, Route<'_>)>>,
    ask: &dyn Ask,
    options: Options,
    done: &(dyn Fn() + Sync),
) -> Vec<(usize, Validation)> {
    let threads = lanes.len().min(SIDE_BY_SIDE.max(options.per_host));
    let open = Mutex::new(lanes.into_iter());
    let next = || open.lock().ok().and_then(|mut lanes| lanes.next());
    let walk = || {
        let mut judged = Vec::new();
        while let Some(lane) = next() {
            for (n, route) in lane {
                let mut validation = route.ask(ask);
                let answered = validation.evidence.iter().any(|asked| asked.status.is_some());
                validation.asked = answered.then_some(options.now);
                judged.push((n, validation));
                done();
            }
        }
        judged
    };
    std::thread::scope(|scope| {
        let walkers: Vec<_> = (0..threads).map(|_| scope.spawn(walk)).collect();
        walkers.into_iter().filter_map(|walker| walker.join().ok()).flatten().collect()
    })
}

/// The first places speak for all: thousands of secrets may have a thousand each.
fn first(finding: &Finding) -> impl Iterator<Item = &Location> {
    finding.locations.iter().take(20)
}

/// How many findings there are of each outcome.
pub fn count(findings: &[Finding]) -> BTreeMap<Outcome, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.validation.outcome).or_default() += 1;
    }
    counts
}
