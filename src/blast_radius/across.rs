//! What one credential means for another: GitHub tokens that publish npm packages,
//! and credentials of one account.
//!
//! Whoever can write the repository that is a package's trusted publisher can
//! publish the package: so says the npm client when it sets one up.

use std::collections::BTreeMap;

use super::graph::{Tie, credential_id, edge, issuer, owner, package_id, place, tie};
use crate::model::radius::{Certainty, Edge, Package};
use crate::model::{Finding, Identity, Outcome};

/// The fact of an [`Identity`] that says whether a GitHub token may push to a
/// repository; its value is `true` or `false`, as GitHub told.
pub fn push_fact(owner: &str, name: &str) -> String {
    format!("{PUSHES}{owner}/{name}")
}

const PUSHES: &str = "writes ";

/// All edges between credentials, and from a credential to what another one's
/// evidence names. They stand in the order of the findings, and perhaps twice; the
/// graph sorts them.
pub fn link(findings: &[Finding]) -> Vec<Edge> {
    let mut edges = through_workflows(findings);
    edges.extend(beside_a_name(findings));
    edges.extend(same_accounts(findings));
    edges
}

/// The repositories of GitHub that packages are published from, lower-cased, each
/// with its packages: those that are worth asking about.
pub fn publishing_repositories(findings: &[Finding]) -> Vec<(String, String)> {
    let all = published_from_github(findings).into_keys();
    all.filter_map(|name| name.split_once('/').map(|(o, r)| (o.to_owned(), r.to_owned()))).collect()
}

/// The repositories to which GitHub said that the credential may push.
pub(super) fn pushes(identity: &Identity) -> impl Iterator<Item = (&str, &str)> {
    let told = identity.facts.iter().filter(|(_, value)| *value == "true");
    told.filter_map(|(key, _)| key.strip_prefix(PUSHES)?.split_once('/'))
}

/// Packages by the repository (`owner/name`, lower case) that publishes them.
fn published_from_github(findings: &[Finding]) -> BTreeMap<String, Vec<(String, &Package)>> {
    let mut found: BTreeMap<String, Vec<(String, &Package)>> = BTreeMap::new();
    for finding in findings {
        let issuer = issuer(finding);
        let packages = finding.blast_radius.iter().flat_map(|radius| &radius.packages);
        for package in packages.filter(|package| tie(package).is_some()) {
            let url = package.repository.get().map_or("", String::as_str);
            let Some(("github.com", owner, name)) = place(url) else { continue };
            let repository = format!("{owner}/{name}").to_ascii_lowercase();
            let id = package_id(&issuer, &package.name);
            found.entry(repository).or_default().push((id, package));
        }
    }
    found
}

/// From GitHub tokens to the packages that they reach through a repository.
fn through_workflows(findings: &[Finding]) -> Vec<Edge> {
    let published = published_from_github(findings);
    let tokens = findings.iter().filter(|it| it.service.as_deref() == Some("github"));
    let mut edges = Vec::new();
    for token in tokens.filter(|it| it.validation.outcome != Outcome::Dead) {
        let Some(identity) = token.validation.identity.as_ref() else { continue };
        for (repository, packages) in &published {
            let Some((certainty, how)) = reach(identity, repository) else { continue };
            for (id, package) in packages {
                let Some(tie) = tie(package) else { continue };
                // A provenance shows where a version was built, and not that whoever
                // builds there may publish; and a trusted publisher may be gone.
                let certainty = if tie == Tie::Trusted { certainty } else { Certainty::UpperBound };
                let how = format!("{how}; {}", words(tie));
                edges.push(edge(&credential_id(token), id, "can-publish-through", certainty, &how));
            }
        }
    }
    edges
}

/// Whether a GitHub token can write a repository, and how that is known.
fn reach(identity: &Identity, repository: &str) -> Option<(Certainty, String)> {
    let told = identity.facts.iter().find(|(key, _)| {
        key.strip_prefix(PUSHES).is_some_and(|name| name.eq_ignore_ascii_case(repository))
    });
    match told.map(|(_, value)| value.as_str()) {
        Some("true") => {
            return Some((
                Certainty::Measured,
                format!("GitHub says that it can push to {repository}"),
            ));
        }
        Some("false") => return None,
        _ => {}
    }
    let has = |scope: &str| identity.scopes.iter().any(|own| own == scope);
    let owner = repository.split('/').next().unwrap_or_default();
    let own = identity.user.as_deref().is_some_and(|user| user.eq_ignore_ascii_case(owner));
    let how = match () {
        () if has("repo") || has("public_repo") => {
            let workflow = if has("workflow") { " and workflow, for workflow files," } else { "" };
            format!("its scope repo{workflow} may reach {repository}, if its user can write there")
        }
        // Fine-grained tokens tell no scopes; the repositories of their user bound them.
        () if identity.scopes.is_empty() && own => {
            format!("{repository} belongs to its user; which repositories it was given is not told")
        }
        () => return None,
    };
    Some((Certainty::UpperBound, how))
}

fn words(tie: Tie<'_>) -> String {
    match tie {
        Tie::Trusted => "the newest version came from its trusted publisher".into(),
        Tie::TrustedBefore(version) => {
            format!("a trusted publisher was used until {version}, and may still be set up")
        }
        Tie::Built => "the newest version was built there by its provenance".into(),
        Tie::BuiltBefore(version) => {
            format!("{version} was built there by its provenance, newer ones have none")
        }
    }
}

/// A credential of which nobody knows whose it is, in a file that names one user
/// of the same registry.
fn beside_a_name(findings: &[Finding]) -> Vec<Edge> {
    let mut names: BTreeMap<(String, Vec<u8>), Vec<String>> = BTreeMap::new();
    for finding in findings {
        let Some(owner) = owner(finding) else { continue };
        for file in files(finding) {
            let known = names.entry((issuer(finding), file)).or_default();
            if !known.contains(&owner.id()) {
                known.push(owner.id());
            }
        }
    }
    let mut edges = Vec::new();
    for finding in findings.iter().filter(|finding| owner(finding).is_none()) {
        for file in files(finding) {
            let how = format!("it stands beside that name in {}", String::from_utf8_lossy(&file));
            if let Some([account]) = names.get(&(issuer(finding), file)).map(Vec::as_slice) {
                let from = credential_id(finding);
                edges.push(edge(&from, account, "belongs-to", Certainty::Unknown, &how));
            }
        }
    }
    edges
}

fn files(finding: &Finding) -> Vec<Vec<u8>> {
    finding.locations.iter().map(|location| location.origin.shown()).collect()
}

/// Credentials of one account: each is tied to the first of them.
fn same_accounts(findings: &[Finding]) -> Vec<Edge> {
    let mut accounts: BTreeMap<String, BTreeMap<String, Certainty>> = BTreeMap::new();
    for finding in findings {
        let Some(owner) = owner(finding) else { continue };
        let credentials = accounts.entry(owner.id()).or_default();
        let sure = credentials.entry(credential_id(finding)).or_insert(owner.certainty);
        *sure = owner.certainty.min(*sure);
    }
    let mut edges = Vec::new();
    for (account, credentials) in &accounts {
        let mut all = credentials.iter();
        let Some((first, sure)) = all.next() else { continue };
        for (other, also) in all {
            let how = format!("both belong to {account}");
            edges.push(edge(first, other, "same-account-as", *sure.max(also), &how));
        }
    }
    edges
}
