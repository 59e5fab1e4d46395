//! Findings whose reach is known, made up.

use std::sync::Arc;

use tokensweep::blast_radius::rights::matrix;
use tokensweep::model::radius::*;
use tokensweep::model::*;

use super::npm_token;

/// 2026-11-23 at noon.
pub const TODAY: i64 = 1_795_435_200;

pub fn finding(secret: &str, service: &str, kind: &str, path: &str) -> Finding {
    let origin = Origin {
        target: 0,
        root: b"."[..].into(),
        path: path.as_bytes().into(),
        kind: OriginKind::File,
        git: None,
    };
    let location = Location {
        origin: Arc::new(origin),
        offset: 0,
        line: 3,
        column: 1,
        length: secret.len(),
        variable: Some("TOKEN".into()),
    };
    Finding {
        fingerprint: FingerprintKey::default().fingerprint(secret.as_bytes()),
        rule: kind.into(),
        name: kind.into(),
        kind: kind.into(),
        service: Some(service.into()),
        secret: Secret::new(secret.as_bytes(), Mask::Ends),
        proof: Proof::Checksum,
        confidence: Confidence::High,
        severity: Severity::Critical,
        checksum: Checksum::Valid,
        registry: None,
        host: None,
        username: None,
        worth: Worth { state: State::Unknown, words: String::new() },
        locations: vec![location],
        places: 1,
        validation: Validation {
            outcome: Outcome::Active,
            asked: Some(TODAY),
            ..Validation::default()
        },
        blast_radius: None,
    }
}

pub fn package(name: &str) -> Package {
    Package {
        name: name.into(),
        right: Learnt::upper_bound(PackageRight::Publish, "a maintainer of it"),
        repository: Learnt::measured("https://github.com/acme/tools".into(), "its document"),
        published_by: Learnt::measured(PublishedBy::Token, "its document"),
        ..Package::default()
    }
}

pub fn npm(seed: u64, kind: TokenKind, packages: Vec<Package>) -> Finding {
    let mut finding = finding(&npm_token(seed), "npm", "npm-access-token", ".npmrc");
    let token = TokenFacts { kind: Learnt::measured(kind, "the list"), ..TokenFacts::default() };
    let account = Account {
        user: Learnt::measured("alice".into(), "whoami"),
        second_factor: Learnt::measured(SecondFactor::AuthAndWrites, "the profile"),
        ..Account::default()
    };
    finding.blast_radius = Some(Box::new(BlastRadius {
        rights: matrix(&token, &account, None, TODAY),
        packages,
        account,
        token,
        ..BlastRadius::default()
    }));
    finding
}

pub fn github(seed: u64, path: &str) -> Finding {
    // No token's form: nothing here looks at it.
    finding(&format!("an-invented-token-of-github-{seed}"), "github", "github-pat-classic", path)
}
