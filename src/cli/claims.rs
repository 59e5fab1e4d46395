//! What a report says of its secrets, judged again.
//!
//! Whoever wrote a report could call any secret anything, and so choose who is
//! sent it. The shipped rules look at each secret again, in the few places that
//! the report could have read it from; what they do not find is asked nobody.

use std::collections::BTreeMap;

use super::scan::fingerprint_key;
use crate::error::Result;
use crate::model::{
    Checksum, Confidence, Finding, Fingerprint, Proof, Severity, State, Validation, Worth,
};
use crate::pipeline::{Options, Scanner};

/// Ways in which a secret stands in a text: a name of the text, and the text
/// itself, if the finding tells enough to write it. The strongest binding first.
type Place = (&'static str, fn(&Finding) -> Option<Vec<u8>>);
const PLACES: [Place; 5] =
    [(".npmrc", npmrc), ("urls", url), ("a.env", assigned), ("a.yaml", mapped), ("a", alone)];

/// The findings with what the shipped rules say of them. Locations, and the host
/// that the report binds a secret to, are the report's word, as they would be a
/// scanned text's.
pub(super) fn judged(claimed: Vec<Finding>) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (name, write) in PLACES {
        let options = Options { key: fingerprint_key(), ..Options::default() };
        let scanner = Scanner::new(&options)?;
        for text in claimed.iter().filter_map(write) {
            scanner.scan_bytes(name, &text);
        }
        let findings = scanner.finish().findings;
        found.push(findings.into_iter().map(|it| (it.fingerprint, it)).collect());
    }
    Ok(claimed.into_iter().map(|claim| settle(claim, &found)).collect())
}

/// A claim with what was found of it.
fn settle(mut claim: Finding, found: &[BTreeMap<Fingerprint, Finding>]) -> Finding {
    let mut found = found.iter().filter_map(|place| place.get(&claim.fingerprint));
    let Some(rules) = found.find(|found| found.kind == claim.kind) else {
        return refused(claim);
    };
    // Only who is asked by npm's words is bound to a registry.
    let registry = claim.registry.take().filter(|_| rules.registry.is_some());
    Finding {
        rule: rules.rule.clone(),
        name: rules.name.clone(),
        service: rules.service.clone(),
        secret: rules.secret.clone(),
        proof: rules.proof,
        confidence: rules.confidence,
        severity: rules.severity,
        checksum: rules.checksum,
        worth: rules.worth.clone(),
        registry: registry.or_else(|| rules.registry.clone()),
        host: claim.host.take().or_else(|| rules.host.clone()),
        username: claim.username.take().or_else(|| rules.username.clone()),
        ..claim
    }
}

/// A claim that nothing confirms: it is told, and nobody is asked.
fn refused(claim: Finding) -> Finding {
    let words = format!("the report calls it {}, and no rule finds that in it", claim.kind);
    Finding {
        kind: "unconfirmed".into(),
        service: None,
        proof: Proof::Shape,
        confidence: Confidence::Low,
        severity: Severity::Medium,
        checksum: Checksum::None,
        registry: None,
        host: None,
        worth: Worth { state: State::Unknown, words: words.clone() },
        validation: Validation::skipped(words),
        ..claim
    }
}

fn npmrc(claim: &Finding) -> Option<Vec<u8>> {
    let host = claim.host.as_deref()?;
    Some(around(&format!("//{host}/:_authToken="), claim, "\n"))
}

fn url(claim: &Finding) -> Option<Vec<u8>> {
    let host = claim.host.as_deref()?;
    let user = claim.username.as_deref().unwrap_or("oauth2");
    Some(around(&format!("https://{user}:"), claim, &format!("@{host}/a/b\n")))
}

fn assigned(claim: &Finding) -> Option<Vec<u8>> {
    Some(around(&format!("{}=", variable(claim)?), claim, "\n"))
}

fn mapped(claim: &Finding) -> Option<Vec<u8>> {
    Some(around(&format!("{}: ", variable(claim)?), claim, "\n"))
}

fn alone(claim: &Finding) -> Option<Vec<u8>> {
    Some(around("", claim, "\n"))
}

fn variable(claim: &Finding) -> Option<&str> {
    claim.locations.iter().find_map(|location| location.variable.as_deref())
}

fn around(before: &str, claim: &Finding, after: &str) -> Vec<u8> {
    [before.as_bytes(), claim.secret.expose(), after.as_bytes()].concat()
}
