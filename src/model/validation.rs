//! What a service said of a credential.

use std::collections::BTreeMap;

use serde::Serialize;

/// Whether a credential is alive, as its own service sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nobody asked.
    #[default]
    NotAttempted,
    /// It works.
    Active,
    /// It is alive, and refused from here: bound to other addresses, or a
    /// second factor is wanted.
    Restricted,
    /// The service does not know it any more.
    Dead,
    /// The service was asked, and what it said explains neither.
    Unknown,
    /// It was not asked, on purpose; the words say why.
    Skipped,
}

impl Outcome {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAttempted => "not-attempted",
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }

    /// True if somebody who holds the credential can use it.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Active | Self::Restricted)
    }
}

/// The judgement of a credential and what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// For programs.
    pub outcome: Outcome,
    /// For people: one sentence.
    pub words: String,
    /// Whose it is and what it may do, as far as the answers tell.
    pub identity: Option<Identity>,
    /// Every request that was made, in order, and what its answer means.
    pub evidence: Vec<Evidence>,
    /// When the last request was answered, in seconds since 1970.
    pub asked: Option<i64>,
}

impl Validation {
    /// A judgement without a request: why none was made.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, words: why.into(), ..Self::default() }
    }
}

/// Whom a credential stands for. Everything here was told by a server: it is
/// as hostile as a scanned file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// User, account or bot name at the service.
    pub user: Option<String>,
    /// Rights in the service's own words.
    pub scopes: Vec<String>,
    /// More that the answer tells: account number, organisation, e-mail (masked).
    pub facts: BTreeMap<String, String>,
}

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// `GET https://host/path`; never holds a secret.
    pub request: String,
    /// HTTP status; none if there was no answer.
    pub status: Option<u16>,
    /// What that means, in words.
    pub meaning: String,
}
