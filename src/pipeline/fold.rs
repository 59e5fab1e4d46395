//! Folds equal secrets into one finding with many places, in an order that
//! does not depend on which thread came first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    Checksum, Confidence, Finding, Fingerprint, LOCATION_CAP, Location, Origin, Secret, Severity,
    Validation, Worth, is_npm_registry,
};
use crate::rules::Rule;
use crate::verify::Kept;

/// A secret in one place.
pub(super) struct Hit {
    fingerprint: Fingerprint,
    rank: Rank,
    finding: Finding,
    is_of_npm: bool,
}

/// Whose a secret is, as one place says.
struct Claim {
    rank: Rank,
    registry: Option<String>,
    host: Option<String>,
    username: Option<String>,
    worth: Worth,
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
        let is_of_npm = is_of_npm(secret, &kept);
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
        Self { fingerprint, rank, finding, is_of_npm }
    }

    fn claim(&self) -> Option<Claim> {
        let it = &self.finding;
        self.is_of_npm.then(|| Claim {
            rank: self.rank.clone(),
            registry: it.registry.clone(),
            host: it.host.clone(),
            username: it.username.clone(),
            worth: it.worth.clone(),
        })
    }
}

/// True if a place gives a secret to npm's own registry: it says so, or the form
/// and the checksum do and it names no other. One line that binds a copy to some
/// other host must not keep npm from being asked.
fn is_of_npm(secret: &[u8], kept: &Kept) -> bool {
    let made_by_npm = secret.starts_with(b"npm_") && kept.checksum == Checksum::Valid;
    let npm_or_none = |host: &Option<String>| host.as_deref().is_none_or(is_npm_registry);
    let named = kept.registry_named && kept.registry.is_some();
    npm_or_none(&kept.registry) && npm_or_none(&kept.host) && (named || made_by_npm)
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Fold {
    entries: BTreeMap<Fingerprint, Entry>,
}

struct Entry {
    rank: Rank,
    finding: Finding,
    /// The first of those that give it to npm.
    claim: Option<Claim>,
}

impl Entry {
    fn take_claim(&mut self, new: Option<Claim>) {
        let Some(new) = new else { return };
        if self.claim.as_ref().is_none_or(|known| new.rank < known.rank) {
            self.claim = Some(new);
        }
    }

    /// The finding, bound as the claim says.
    fn finish(self) -> Finding {
        let mut finding = self.finding;
        if let Some(claim) = self.claim {
            finding.registry = claim.registry;
            finding.host = claim.host;
            finding.username = claim.username;
            finding.worth = claim.worth;
        }
        finding.locations.sort();
        finding.locations.truncate(LOCATION_CAP);
        finding
    }
}

impl Fold {
    pub(super) fn add(&mut self, hit: Hit) {
        let claim = hit.claim();
        let Some(entry) = self.entries.get_mut(&hit.fingerprint) else {
            let entry = Entry { rank: hit.rank, finding: hit.finding, claim };
            self.entries.insert(hit.fingerprint, entry);
            return;
        };
        entry.take_claim(claim);
        let Entry { rank, finding: known, .. } = entry;
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
        let mut findings: Vec<Finding> = self.entries.into_values().map(Entry::finish).collect();
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
