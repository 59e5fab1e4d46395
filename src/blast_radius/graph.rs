//! Who reaches what: one graph for all findings.
//!
//! A credential belongs to an account, the account is in organisations, both reach
//! packages, packages come from repositories and are installed by others and by
//! the user's own projects.

use std::collections::BTreeMap;

use super::{across, words};
use crate::model::radius::{
    BlastRadius, Certainty, Edge, Graph, Learnt, Node, NodeKind, Package, PackageRight, ProjectUse,
    PublishedBy, Release,
};
use crate::model::{Finding, is_npm_registry};

/// The graph of all findings, with the edges across credentials. It depends on
/// the findings alone, not on their order.
pub fn graph(findings: &[Finding], projects: &[ProjectUse]) -> Graph {
    let mut builder = Builder::default();
    for finding in findings {
        builder.credential(finding);
    }
    for project in projects {
        builder.project(project);
    }
    for edge in across::link(findings) {
        builder.edge(edge);
    }
    builder.finish()
}

/// Nodes and edges, each once. Of two edges that differ in how they were learnt
/// alone, the surer one stays.
#[derive(Default)]
struct Builder {
    nodes: BTreeMap<String, (NodeKind, String)>,
    edges: BTreeMap<(String, String, &'static str), (Certainty, String)>,
}

impl Builder {
    fn node(&mut self, id: String, kind: NodeKind, label: String) {
        let entry = self.nodes.entry(id).or_insert_with(|| (kind, label.clone()));
        if label < entry.1 {
            entry.1 = label;
        }
    }

    fn edge(&mut self, edge: Edge) {
        let learnt = (edge.certainty, edge.how);
        let entry =
            self.edges.entry((edge.from, edge.to, edge.relation)).or_insert_with(|| learnt.clone());
        if learnt < *entry {
            *entry = learnt;
        }
    }

    /// An edge ends at nodes alone: what only an edge names is left out.
    fn finish(self) -> Graph {
        let nodes = self.nodes;
        let there = |from: &str, to: &str| nodes.contains_key(from) && nodes.contains_key(to);
        let edges = self.edges.into_iter().filter(|((from, to, _), _)| there(from, to));
        let edges = edges.map(|((from, to, relation), (certainty, how))| Edge {
            from,
            to,
            relation,
            certainty,
            how,
        });
        let edges = edges.collect();
        let nodes = nodes.into_iter().map(|(id, (kind, label))| Node { id, kind, label });
        Graph { nodes: nodes.collect(), edges }
    }

    fn credential(&mut self, finding: &Finding) {
        let id = credential_id(finding);
        let label = format!("{} {}", finding.name, finding.secret.masked());
        self.node(id.clone(), NodeKind::Credential, label);
        if let Some(owner) = owner(finding) {
            let account = owner.id();
            self.node(account.clone(), NodeKind::Account, owner.name.clone());
            self.edge(edge(&id, &account, "belongs-to", owner.certainty, &owner.how));
        }
        self.writes(finding, &id);
        if let Some(radius) = finding.blast_radius.as_deref() {
            self.reach(finding, radius, &id);
        }
    }

    /// Repositories of which GitHub said whether the credential may push.
    fn writes(&mut self, finding: &Finding, id: &str) {
        let Some(identity) = finding.validation.identity.as_ref() else { return };
        for (owner, name) in across::pushes(identity) {
            let to = self.repository("github.com", owner, name);
            self.edge(edge(
                id,
                &to,
                "writes",
                Certainty::Measured,
                "GitHub, asked for the repository",
            ));
        }
    }

    fn reach(&mut self, finding: &Finding, radius: &BlastRadius, credential: &str) {
        let owner = owner(finding);
        let account = owner.as_ref().map(Owner::id);
        let issuer = issuer(finding);
        for org in radius.orgs.get().into_iter().flatten() {
            let to = self.org(&issuer, org);
            let (from, relation) = match &account {
                Some(account) => (account.as_str(), "member-of"),
                None => (credential, "covers"),
            };
            self.edge(edge(from, &to, relation, radius.orgs.certainty, &radius.orgs.how));
        }
        let scopes = &radius.token.scopes;
        for scope in scopes.get().into_iter().flatten().filter(|it| is_scope(it)) {
            let to = self.org(&issuer, scope);
            self.edge(edge(credential, &to, "covers", scopes.certainty, &scopes.how));
        }
        for package in &radius.packages {
            self.package(&issuer, package, credential, owner.as_ref());
        }
    }

    fn package(
        &mut self,
        issuer: &str,
        package: &Package,
        credential: &str,
        owner: Option<&Owner>,
    ) {
        let id = package_id(issuer, &package.name);
        self.node(id.clone(), NodeKind::Package, package.name.clone());
        if let Some(relation) = relation(&package.right) {
            let right = &package.right;
            self.edge(edge(credential, &id, relation, right.certainty, &right.how));
        }
        let maintainers = &package.maintainers;
        let maintains =
            |owner: &&Owner| maintainers.get().is_some_and(|it| it.contains(&owner.name));
        if let Some(owner) = owner.filter(maintains) {
            let (certainty, how) = (maintainers.certainty, &maintainers.how);
            self.edge(edge(&owner.id(), &id, "maintains", certainty, how));
        }
        if let Some((scope, _)) = package.name.split_once('/').filter(|(scope, _)| is_scope(scope))
        {
            let org = self.org(issuer, scope);
            self.edge(edge(&org, &id, "owns", Certainty::Measured, "its name"));
        }
        self.origin(package, &id);
        self.dependents(package, &id);
    }

    fn origin(&mut self, package: &Package, id: &str) {
        let Some((host, owner, name)) = package.repository.get().and_then(|url| place(url)) else {
            return;
        };
        let to = self.repository(host, owner, name);
        let relation = if tie(package).is_some() { "publishes-from" } else { "says-it-is-from" };
        let learnt = &package.repository;
        self.edge(edge(id, &to, relation, learnt.certainty, &learnt.how));
    }

    fn dependents(&mut self, package: &Package, id: &str) {
        let Some(&n) = package.dependents.get().filter(|n| **n > 0) else { return };
        let from = id.replacen("package:", "dependents:", 1);
        self.node(from.clone(), NodeKind::Dependents, words::count(n, "dependent"));
        let learnt = &package.dependents;
        self.edge(edge(&from, id, "depends-on", learnt.certainty, &learnt.how));
    }

    fn project(&mut self, project: &ProjectUse) {
        let from = format!("project:{}", project.lockfile);
        let to = package_id("npm", &project.package);
        self.node(from.clone(), NodeKind::Project, project.lockfile.clone());
        self.node(to.clone(), NodeKind::Package, project.package.clone());
        let how = format!("its lockfile pins {}", project.version);
        self.edge(edge(&from, &to, "depends-on", Certainty::Measured, &how));
    }

    fn org(&mut self, issuer: &str, name: &str) -> String {
        let name = name.trim_start_matches('@');
        let id = format!("org:{issuer}:{name}");
        self.node(id.clone(), NodeKind::Org, format!("@{name}"));
        id
    }

    fn repository(&mut self, host: &str, owner: &str, name: &str) -> String {
        let id = repository_id(host, owner, name);
        self.node(id.clone(), NodeKind::Repository, format!("{owner}/{name}"));
        id
    }
}

pub(super) fn edge(
    from: &str,
    to: &str,
    relation: &'static str,
    certainty: Certainty,
    how: &str,
) -> Edge {
    Edge { from: from.into(), to: to.into(), relation, certainty, how: how.into() }
}

pub(super) fn credential_id(finding: &Finding) -> String {
    format!("credential:{}", finding.fingerprint)
}

/// `package:left-pad` at npm, `package:npm.example:left-pad` elsewhere.
pub(super) fn package_id(issuer: &str, name: &str) -> String {
    match issuer {
        "npm" => format!("package:{name}"),
        host => format!("package:{host}:{name}"),
    }
}

/// Hosts of repositories do not tell upper case from lower.
fn repository_id(host: &str, owner: &str, name: &str) -> String {
    format!("repository:{host}/{owner}/{name}").to_ascii_lowercase()
}

/// Who counts user names: `npm` for its own registry, else the registry's host,
/// else the service.
pub(super) fn issuer(finding: &Finding) -> String {
    match (finding.registry.as_deref(), finding.service.as_deref()) {
        (Some(host), _) if !is_npm_registry(host) => host.to_owned(),
        (Some(_), _) | (None, Some("npm")) => "npm".into(),
        (None, service) => service.unwrap_or("unknown").into(),
    }
}

/// Whose a credential is, and how that was learnt.
pub(super) struct Owner {
    issuer: String,
    name: String,
    pub(super) certainty: Certainty,
    how: String,
}

impl Owner {
    pub(super) fn id(&self) -> String {
        format!("account:{}:{}", self.issuer, self.name)
    }
}

/// The surest of what the registry, the service and the text around it say.
pub(super) fn owner(finding: &Finding) -> Option<Owner> {
    let issuer = issuer(finding);
    let owner = |name: &str, certainty, how: &str| {
        let (issuer, name, how) = (issuer.clone(), name.to_owned(), how.to_owned());
        Some(Owner { issuer, name, certainty, how })
    };
    let told = finding.blast_radius.as_deref().map(|radius| &radius.account.user);
    if let Some((user, told)) = told.and_then(|told| Some((told.get()?, told))) {
        return owner(user, told.certainty, &told.how);
    }
    let identity = finding.validation.identity.as_ref();
    if let Some(user) = identity.and_then(|identity| identity.user.as_deref()) {
        return owner(user, Certainty::Measured, "its service said so");
    }
    // A text is no server: it may be old, or lie.
    owner(finding.username.as_deref()?, Certainty::Unknown, "the text beside it says so")
}

fn relation(right: &Learnt<PackageRight>) -> Option<&'static str> {
    match right.get() {
        Some(PackageRight::Publish) => Some("publishes"),
        Some(PackageRight::Stage) => Some("stages"),
        Some(PackageRight::Read) => Some("reads"),
        Some(PackageRight::Public) => None,
        None => Some("may-reach"),
    }
}

fn is_scope(name: &str) -> bool {
    name.len() > 1 && name.starts_with('@') && !name.contains('/')
}

/// Host, owner and name of a repository at a host whose addresses are known.
pub(super) fn place(url: &str) -> Option<(&'static str, &str, &str)> {
    ["github.com", "gitlab.com"].into_iter().find_map(|host| {
        let (owner, name) = words::repository(url, host)?;
        Some((host, owner, name))
    })
}

/// What ties a package to a repository: how its versions were published, the
/// strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie<'p> {
    /// The newest version came from a trusted publisher.
    Trusted,
    /// An older one did; a thief with a token may stand before it.
    TrustedBefore(&'p str),
    /// The newest version has a provenance.
    Built,
    /// An older one has.
    BuiltBefore(&'p str),
}

pub(super) fn tie(package: &Package) -> Option<Tie<'_>> {
    if matches!(package.published_by.get(), Some(PublishedBy::TrustedPublisher { .. })) {
        return Some(Tie::Trusted);
    }
    if let Some(version) = version(&package.trusted_before) {
        return Some(Tie::TrustedBefore(version));
    }
    if package.provenance.get() == Some(&true) {
        return Some(Tie::Built);
    }
    version(&package.built_before).map(Tie::BuiltBefore)
}

fn version(learnt: &Learnt<Option<Release>>) -> Option<&str> {
    Some(&learnt.get()?.as_ref()?.version)
}
