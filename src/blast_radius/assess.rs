//! From findings that were validated to what they reach all together.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use super::survey::{self, Shared, Survey};
use super::{across, explain, graph, home, plan, rights, severity};
use crate::indicators::Known;
use crate::model::radius::{BlastRadius, Learnt, Response};
use crate::model::{Finding, Outcome, Report};
use crate::registry::npm::identity::Bound;
use crate::registry::npm::public::{attestation, packument};
use crate::registry::{Ask, github};

/// Repositories that a GitHub token is asked about.
const REPOSITORIES: usize = 20;

/// How far to go.
pub struct Options<'a> {
    /// Seconds since 1970.
    pub now: i64,
    /// When others could have got hold of the credentials, seconds since 1970; by
    /// default the first commit that shows each.
    pub since: Option<i64>,
    /// Packages of each account that are looked at closely.
    pub packages: usize,
    /// True if nothing is sent, and all that could be is to be told.
    pub rehearsal: bool,
    /// Names of packages that stand in the scanned trees.
    pub names: BTreeSet<String>,
    /// True if a list names a version of this package as bad.
    pub listed: &'a (dyn Fn(&str) -> bool + Sync),
    /// The list that names a version as bad.
    pub known_bad: &'a (dyn Fn(&str, &str) -> Option<String> + Sync),
    /// Told of each step, for those who wait.
    pub step: &'a (dyn Fn(&str) + Sync),
}

/// Finds the blast radius of every npm credential of a report, and what follows
/// from all findings together. `door` carries credentials, `public` none: it may
/// be a journal.
pub fn assess(report: &mut Report, door: &dyn Ask, public: &dyn Ask, options: &Options<'_>) {
    let survey = Survey {
        door,
        public,
        packages: options.packages,
        now: options.now,
        since: options.since,
        rehearsal: options.rehearsal,
        names: &options.names,
        listed: options.listed,
        known_bad: options.known_bad,
        step: options.step,
        shared: Mutex::new(Shared::default()),
    };
    for finding in &mut report.findings {
        let Some(radius) = radius(&survey, finding) else { continue };
        if let Some(severity) = radius.severity {
            finding.severity = severity;
        }
        finding.blast_radius = Some(Box::new(radius));
    }
    report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let armed = report.response.as_deref().is_some_and(Response::armed);
    if options.rehearsal {
        rehearse_the_rest(&report.findings, door, public);
    }
    if !armed && report.findings.iter().any(writes_perhaps) {
        name_builders(&mut report.findings, public);
        ask_github(&mut report.findings, door);
    }
}

/// Finds the user's own projects that install what is in reach, or a version that
/// a list calls bad.
pub fn at_home(report: &mut Report, folders: &[PathBuf], known: &Known) {
    let radii = report.findings.iter().filter_map(|finding| finding.blast_radius.as_deref());
    let reached = radii.flat_map(|radius| &radius.packages);
    let names = reached.map(|package| package.name.clone()).collect();
    let response = report.response.get_or_insert_default();
    (response.lockfiles, response.projects) = home::at_home(folders, &names, known);
    response.lists = known.lists();
}

/// What follows from all findings together: the graph and the plan. What else
/// `report.response` holds is there already.
pub fn conclude(report: &mut Report) {
    let mut response = report.response.take().unwrap_or_default();
    response.graph = graph::graph(&report.findings, &response.projects);
    response.plan = plan::plan(&report.findings, &response);
    report.response = Some(response);
}

fn radius(survey: &Survey<'_>, finding: &Finding) -> Option<BlastRadius> {
    let npm =
        matches!(finding.service.as_deref(), Some("npm" | "npm-registry" | "verdaccio" | "nexus"));
    let host = finding.host.as_deref().filter(|_| npm)?;
    let outcome = finding.validation.outcome;
    // One that nobody was to ask about is left alone altogether.
    let left_alone = outcome == Outcome::Skipped && !survey.rehearsal;
    if left_alone && finding.username.is_none() {
        return None;
    }
    let mut radius = survey.radius(finding, &Bound { secret: &finding.secret, host });
    // A dead one may have been of any kind: its age excludes none.
    let seen = survey::first_commit(finding).filter(|_| outcome != Outcome::Dead);
    radius.rights = rights::matrix(&radius.token, &radius.account, seen, survey.now);
    let (severity, verdict) = severity::judge(finding.severity, outcome, &radius);
    (radius.severity, radius.verdict) = (Some(severity), verdict);
    if outcome.is_alive() {
        radius.headline = explain::headline(&radius);
    }
    if outcome == Outcome::Dead {
        radius.rights = rights::ended(std::mem::take(&mut radius.rights));
    }
    Some(radius)
}

/// What is asked about each package and repository that the answers will name.
fn rehearse_the_rest(findings: &[Finding], door: &dyn Ask, public: &dyn Ask) {
    let radii = findings.iter().filter(|finding| finding.blast_radius.is_some());
    let hosts: BTreeSet<&str> = radii.filter_map(|finding| finding.host.as_deref()).collect();
    for host in &hosts {
        let _ = packument(public, host, "PACKAGE");
    }
    let github = findings.iter().filter(|finding| finding.service.as_deref() == Some("github"));
    for finding in github.filter(|_| !hosts.is_empty()) {
        let _ = github::writes(door, &finding.secret, "OWNER", "REPOSITORY");
    }
}

/// True for a GitHub token that lives.
fn writes_perhaps(finding: &Finding) -> bool {
    finding.service.as_deref() == Some("github") && finding.validation.outcome == Outcome::Active
}

/// Asks of packages with a provenance which repository and workflow built them:
/// what a package says of itself is its owner's word.
fn name_builders(findings: &mut [Finding], public: &dyn Ask) {
    let mut left = REPOSITORIES;
    for finding in findings {
        let Some(host) = finding.host.clone() else { continue };
        let Some(radius) = finding.blast_radius.as_deref_mut() else { continue };
        for package in &mut radius.packages {
            let newest = package.latest.value.as_ref();
            let newest = newest.filter(|_| package.provenance.value == Some(true));
            // A thief's version has none, and hides the one of the version before.
            let before = package.built_before.value.as_ref().and_then(Option::as_ref);
            let Some(release) = newest.or(before).filter(|_| left > 0) else { continue };
            left -= 1;
            if let Ok(built) = attestation(public, &host, &package.name, &release.version) {
                let how = format!("the provenance of {}: {}", release.version, built.workflow);
                package.repository = Learnt::measured(built.repository, how);
            }
        }
    }
}

/// Asks of each live GitHub token whether it can write the repositories that
/// packages in reach are published from, and notes it with its identity.
fn ask_github(findings: &mut [Finding], door: &dyn Ask) {
    let mut repositories = across::publishing_repositories(findings);
    repositories.truncate(REPOSITORIES);
    for finding in findings {
        if !writes_perhaps(finding) {
            continue;
        }
        for (owner, name) in &repositories {
            let told = github::writes(door, &finding.secret, owner, name);
            let word = match told.value {
                Some(pushes) => pushes.to_string(),
                None => format!("unknown: {}", told.how),
            };
            let identity = finding.validation.identity.get_or_insert_default();
            identity.facts.insert(across::push_fact(owner, name), word);
        }
    }
}
