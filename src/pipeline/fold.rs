//! Folds equal secrets into one finding with many places, in an order that
//! does not depend on which thread came first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Confidence, Finding, Fingerprint, LOCATION_CAP, Location, Origin, Secret, Severity, Validation,
};
use crate::rules::Rule;
use crate::verify::Kept;

/// A secret in one place.
pub(super) struct Hit {
    fingerprint: Fingerprint,
    rank: Rank,
    finding: Finding,
}

/// Which of several judgements of one secret speaks for all: the rule that
/// knows most, the place where it is worst, the surest, the one whose text
/// names the registry, the first.
type Rank = (Reverse<u8>, Reverse<Severity>, Reverse<Confidence>, bool, (Arc<Origin>, u64));

impl Hit {
    pub(super) fn new(
        fingerprint: Fingerprint,
        rule: &Rule,
        secret: &[u8],
        kept: Kept,
        location: Location,
    ) -> Self {
        let spec = rule.spec();
        let rank = (
            Reverse(spec.priority),
            Reverse(kept.severity),
            Reverse(kept.confidence),
            !kept.registry_named,
            (Arc::clone(&location.origin), location.offset),
        );
        let finding = Finding {
            fingerprint,
            rule: rule.id.clone(),
            name: rule.name.clone(),
            kind: rule.kind.clone(),
            service: rule.service.clone(),
            secret: Secret::new(secret, spec.mask),
            proof: kept.proof,
            confidence: kept.confidence,
            severity: kept.severity,
            checksum: kept.checksum,
            registry: kept.registry,
            host: kept.host,
            username: kept.username,
            worth: kept.worth,
            locations: vec![location],
            places: 1,
            validation: Validation::default(),
            blast_radius: None,
        };
        Self { fingerprint, rank, finding }
    }
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Fold {
    entries: BTreeMap<Fingerprint, (Rank, Finding)>,
}

impl Fold {
    pub(super) fn add(&mut self, hit: Hit) {
        let Some((rank, known)) = self.entries.get_mut(&hit.fingerprint) else {
            self.entries.insert(hit.fingerprint, (hit.rank, hit.finding));
            return;
        };
        let mut new = hit.finding;
        let location = new.locations.remove(0);
        if hit.rank < *rank {
            new.locations = std::mem::take(&mut known.locations);
            new.places = known.places;
            *rank = hit.rank;
            *known = new;
        }
        add_location(known, location);
    }

    /// The findings, most dangerous first; those below `least` apart.
    pub(super) fn finish(self, least: Option<Confidence>) -> (Vec<Finding>, Vec<Finding>) {
        let mut findings: Vec<Finding> = self
            .entries
            .into_values()
            .map(|(_, mut finding)| {
                finding.locations.sort();
                finding.locations.truncate(LOCATION_CAP);
                finding
            })
            .collect();
        findings.sort_by(|a, b| order(a).cmp(&order(b)));
        findings
            .into_iter()
            .partition(|finding| least.is_none_or(|least| finding.confidence >= least))
    }
}

fn order(finding: &Finding) -> impl Ord + '_ {
    (
        Reverse(finding.severity),
        finding.worth.state,
        Reverse(finding.confidence),
        finding.locations.first(),
        finding.fingerprint,
    )
}

/// Keeps the first places by path and offset, whatever the order in which they
/// come; lets the list grow to twice its cap before it is cut, so that a
/// million places cost a million pushes and few sorts.
fn add_location(finding: &mut Finding, location: Location) {
    finding.places += 1;
    finding.locations.push(location);
    if finding.locations.len() >= 2 * LOCATION_CAP {
        finding.locations.sort();
        finding.locations.truncate(LOCATION_CAP);
    }
}
