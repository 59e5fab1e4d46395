//! The graph of all findings, the edges across credentials, and the headline.

mod common;

use std::collections::BTreeSet;

use common::blast::{TODAY, finding, github, npm, package};
use proptest::prelude::*;
use tokensweep::blast_radius::across::{publishing_repositories, push_fact};
use tokensweep::blast_radius::explain::headline;
use tokensweep::blast_radius::graph::graph;
use tokensweep::blast_radius::rights::matrix;
use tokensweep::model::radius::*;
use tokensweep::model::*;

fn trusted(name: &str) -> Package {
    let by = PublishedBy::TrustedPublisher { provider: "github".into() };
    Package { published_by: Learnt::measured(by, "its document"), ..package(name) }
}

fn project(package: &str) -> ProjectUse {
    ProjectUse {
        lockfile: "app/package-lock.json".into(),
        package: package.into(),
        version: "1.3.0".into(),
        through: Vec::new(),
        known_bad: None,
    }
}

/// A GitHub token of `user` with these scopes and facts.
fn known_github(user: &str, scopes: &[&str], facts: &[(String, &str)]) -> Finding {
    let mut finding = github(1, ".env");
    finding.validation.identity = Some(Identity {
        user: Some(user.into()),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        facts: facts.iter().map(|(key, value)| (key.clone(), (*value).to_owned())).collect(),
    });
    finding
}

fn edges<'g>(graph: &'g Graph, relation: &str) -> Vec<&'g Edge> {
    graph.edges.iter().filter(|edge| edge.relation == relation).collect()
}

/// `from → to` of all edges of a relation.
fn ends(graph: &Graph, relation: &str) -> Vec<String> {
    let short =
        |id: &str| if id.starts_with("credential:") { "credential".into() } else { id.to_owned() };
    edges(graph, relation)
        .iter()
        .map(|edge| format!("{} → {}", short(&edge.from), short(&edge.to)))
        .collect()
}

#[test]
fn a_token_is_followed_to_the_people_downstream() {
    let mut core = trusted("@acme/core");
    core.maintainers = Learnt::measured(vec!["alice".into(), "bob".into()], "its document");
    core.dependents = Learnt::measured(7, "the search");
    let mut token = npm(1, TokenKind::ReadWriteBypass, vec![core]);
    let radius = token.blast_radius.as_mut().unwrap();
    radius.orgs = Learnt::upper_bound(vec!["acme".into()], "the scopes of its packages");
    let graph = graph(&[token], &[project("@acme/core")]);
    for (relation, expected) in [
        ("belongs-to", "credential → account:npm:alice"),
        ("member-of", "account:npm:alice → org:npm:acme"),
        ("owns", "org:npm:acme → package:@acme/core"),
        ("publishes", "credential → package:@acme/core"),
        ("maintains", "account:npm:alice → package:@acme/core"),
        ("publishes-from", "package:@acme/core → repository:github.com/acme/tools"),
    ] {
        assert_eq!(ends(&graph, relation), [expected], "{relation}");
    }
    assert_eq!(
        ends(&graph, "depends-on"),
        [
            "dependents:@acme/core → package:@acme/core",
            "project:app/package-lock.json → package:@acme/core"
        ]
    );
    let kinds: BTreeSet<_> = graph.nodes.iter().map(|node| node.kind).collect();
    assert_eq!(kinds.len(), 7, "{:?}", graph.nodes);
    assert_eq!(edges(&graph, "publishes")[0].certainty, Certainty::UpperBound);
}

#[test]
fn a_package_of_another_registry_is_another_package() {
    let here = npm(1, TokenKind::ReadWrite, vec![package("left-pad")]);
    let mut there = npm(2, TokenKind::ReadWrite, vec![package("left-pad")]);
    there.registry = Some("npm.example".into());
    let graph = graph(&[here, there], &[]);
    let ids: Vec<_> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
    for id in [
        "account:npm:alice",
        "account:npm.example:alice",
        "package:left-pad",
        "package:npm.example:left-pad",
    ] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    assert!(edges(&graph, "same-account-as").is_empty());
}

#[test]
fn a_github_token_publishes_through_the_trusted_publisher() {
    let through = |token: Finding, package: Package| {
        let token = [npm(1, TokenKind::ReadOnly, vec![package]), token];
        let graph = graph(&token, &[]);
        edges(&graph, "can-publish-through").first().map(|edge| edge.certainty)
    };
    let fact = |value| [(push_fact("acme", "tools"), value)];
    let (sure, bound) = (Some(Certainty::Measured), Some(Certainty::UpperBound));
    let pushes = || known_github("bob", &["repo"], &fact("true"));
    assert_eq!(through(pushes(), trusted("left-pad")), sure);
    assert_eq!(through(known_github("bob", &["repo"], &fact("false")), trusted("left-pad")), None);
    assert_eq!(
        through(known_github("bob", &["repo", "workflow"], &[]), trusted("left-pad")),
        bound
    );
    assert_eq!(through(known_github("bob", &["gist"], &[]), trusted("left-pad")), None);
    assert_eq!(through(known_github("ACME", &[], &[]), trusted("left-pad")), bound);
    assert_eq!(through(known_github("bob", &[], &[]), trusted("left-pad")), None);
    assert_eq!(through(github(1, ".env"), trusted("left-pad")), None, "nobody asked GitHub");

    let mut built = package("left-pad");
    assert_eq!(through(pushes(), built.clone()), None, "published by token from anywhere");
    built.provenance = Learnt::measured(true, "its attestations");
    assert_eq!(through(pushes(), built), bound, "a provenance gives no right");

    // A thief's version stands before the way in, and does not close it.
    let mut attacked = package("left-pad");
    let before = |version: &str| {
        let release = Release { version: version.into(), time: None, publisher: None };
        Learnt::measured(Some(release), "publishers of all versions")
    };
    attacked.trusted_before = before("1.0.4");
    assert_eq!(through(pushes(), attacked.clone()), bound);
    let all = [npm(1, TokenKind::ReadOnly, vec![attacked.clone()]), pushes()];
    assert_eq!(publishing_repositories(&all).len(), 1, "GitHub is asked about it");
    let graph_of_all = graph(&all, &[]);
    let edge = edges(&graph_of_all, "can-publish-through")[0];
    assert!(edge.how.contains("a trusted publisher was used until 1.0.4"), "{}", edge.how);
    attacked.trusted_before = Learnt::measured(None, "publishers of all versions");
    assert_eq!(through(pushes(), attacked.clone()), None);
    attacked.built_before = before("1.0.3");
    assert_eq!(through(pushes(), attacked), bound);

    let mut dead = pushes();
    dead.validation.outcome = Outcome::Dead;
    assert_eq!(through(dead, trusted("left-pad")), None);

    let all =
        [npm(1, TokenKind::ReadOnly, vec![trusted("b"), trusted("a"), package("c")]), pushes()];
    assert_eq!(publishing_repositories(&all), [("acme".to_owned(), "tools".to_owned())]);
    assert_eq!(
        ends(&graph(&all, &[]), "writes"),
        ["credential → repository:github.com/acme/tools"]
    );
}

#[test]
fn credentials_of_one_account_are_tied() {
    let mut password = finding("geheim-geheim", "npm-registry", "npm-password", ".npmrc");
    password.registry = Some(NPM_REGISTRY.into());
    password.username = Some("alice".into());
    let all =
        [npm(1, TokenKind::Session, Vec::new()), npm(2, TokenKind::ReadOnly, Vec::new()), password];
    let tied = graph(&all, &[]);
    let same = edges(&tied, "same-account-as");
    assert_eq!(same.len(), 2);
    assert!(same.iter().all(|edge| edge.from == same[0].from));
    let of_password = format!("credential:{}", all[2].fingerprint);
    for edge in &same {
        let touches = edge.from == of_password || edge.to == of_password;
        let other_is_text = edge.certainty == Certainty::Unknown;
        assert!(!touches || other_is_text, "a text is no proof: {edge:?}");
    }
    assert_eq!(edges(&tied, "belongs-to").len(), 3);
}

#[test]
fn a_name_beside_a_token_is_a_hint_if_it_is_the_only_one() {
    let named = |name: &str, secret: &str| {
        let mut finding = finding(secret, "npm-registry", "npm-password", ".npmrc");
        finding.registry = Some(NPM_REGISTRY.into());
        finding.username = Some(name.into());
        finding
    };
    let token = finding("some-token-or-other", "npm", "npm-access-token", ".npmrc");
    let of = |all: &[Finding]| {
        let graph = graph(all, &[]);
        let from = format!("credential:{}", token.fingerprint);
        let mut edges = graph.edges.into_iter().filter(|edge| edge.from == from);
        edges.next().map(|edge| (edge.to, edge.certainty))
    };
    let (alice, bob) = (named("alice", "geheim-1-geheim"), named("bob", "geheim-2-geheim"));
    let hint = Some(("account:npm:alice".to_owned(), Certainty::Unknown));
    assert_eq!(of(&[token.clone(), alice.clone()]), hint);
    assert_eq!(of(&[token.clone(), alice.clone(), bob]), None);
    let elsewhere = Finding { registry: Some("npm.example".into()), ..alice };
    assert_eq!(of(&[token.clone(), elsewhere]), None);
}

fn figures(packages: Learnt<u64>, downloads: Learnt<u64>, token: TokenFacts) -> BlastRadius {
    let account =
        Account { user: Learnt::measured("alice".into(), "whoami"), ..Account::default() };
    BlastRadius {
        rights: matrix(&token, &account, None, TODAY),
        package_count: packages,
        weekly_downloads: downloads,
        account,
        token,
        ..BlastRadius::default()
    }
}

#[test]
fn a_headline_is_one_sentence() {
    let kind =
        |kind| TokenFacts { kind: Learnt::measured(kind, "the list"), ..TokenFacts::default() };
    let say = |token| {
        headline(&figures(Learnt::measured(14, "x"), Learnt::measured(2_100_000, "x"), token))
    };
    assert_eq!(
        say(kind(TokenKind::ReadWriteBypass)),
        "alice's token can publish 14 packages (2.1 M downloads a week) without a second factor"
    );
    assert!(
        say(kind(TokenKind::StageOnly))
            .contains("can unpublish, deprecate and move tags of 14 packages")
    );
    assert!(say(kind(TokenKind::ReadWrite)).contains("a second factor stands before they go out"));
    assert_eq!(
        say(kind(TokenKind::ReadOnly)),
        "alice's token can read private packages and change nothing"
    );
    assert_eq!(say(kind(TokenKind::Classic)), "alice's token can do nothing of weight");
    let bounds = figures(Learnt::upper_bound(1, "x"), Learnt::unknown("x"), TokenFacts::default());
    assert_eq!(
        headline(&bounds),
        "alice's token may be able to publish up to 1 package without a second factor, if it is a write token that bypasses the second factor"
    );
    assert_eq!(headline(&BlastRadius::default()), "what this token can do is not known");
}

/// Findings of some accounts and packages, in any combination.
fn any_finding() -> impl Strategy<Value = Finding> {
    let name = prop_oneof![Just("a"), Just("b"), Just("@s/c"), Just(""), Just("x:y"), Just("@/")];
    let user = prop_oneof![Just(None), Just(Some("alice")), Just(Some("b:c"))];
    (0u64..4, name, user, 0u8..4, any::<bool>(), any::<[bool; 3]>()).prop_map(
        |(seed, name, user, what, elsewhere, [by_ci, scoped, pushes])| {
            if what == 3 {
                let facts = [(push_fact("acme", "tools"), if pushes { "true" } else { "false" })];
                let scopes: &[&str] = if scoped { &["repo"] } else { &[] };
                return known_github(user.unwrap_or("acme"), scopes, &facts[..usize::from(by_ci)]);
            }
            let mut package = if by_ci { trusted(name) } else { package(name) };
            package.dependents = Learnt::measured(seed, "the search");
            package.maintainers =
                Learnt::measured(user.into_iter().map(str::to_owned).collect(), "x");
            let mut finding = npm(seed, TokenKind::ReadWrite, vec![package]);
            finding.registry = elsewhere.then(|| "npm.example".into());
            let radius = finding.blast_radius.as_mut().unwrap();
            radius.account.user = match user {
                Some(user) if what == 0 => Learnt::measured(user.into(), "whoami"),
                _ => Learnt::default(),
            };
            radius.token.scopes = Learnt::measured(vec![name.into(), "@org".into()], "the list");
            radius.orgs = Learnt::upper_bound(vec!["org".into()], "x");
            finding.username = user.filter(|_| what == 1).map(str::to_owned);
            finding
        },
    )
}

proptest! {
    #[test]
    fn every_end_is_there_and_order_does_not_matter(
        (one, other) in prop::collection::vec(any_finding(), 0..8).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        used in prop::collection::vec("[ab]|@s/c", 0..3),
    ) {
        let projects: Vec<_> = used.iter().map(|name| project(name)).collect();
        let graph_of_one = graph(&one, &projects);
        let ids: BTreeSet<_> = graph_of_one.nodes.iter().map(|node| node.id.as_str()).collect();
        prop_assert_eq!(ids.len(), graph_of_one.nodes.len());
        for edge in &graph_of_one.edges {
            prop_assert!(ids.contains(edge.from.as_str()) && ids.contains(edge.to.as_str()), "{:?}", edge);
            prop_assert!(!edge.how.is_empty());
        }
        let keys: Vec<_> = graph_of_one.edges.iter().map(|it| (&it.from, &it.to, it.relation)).collect();
        prop_assert!(keys.is_sorted_by(|a, b| a < b));
        prop_assert!(graph_of_one.nodes.is_sorted_by(|a, b| a.id < b.id));
        let reversed: Vec<_> = projects.into_iter().rev().collect();
        prop_assert_eq!(graph_of_one, graph(&other, &reversed));
    }
}
