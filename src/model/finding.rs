use std::fmt;
use std::sync::Arc;

use super::radius::BlastRadius;
use super::{Confidence, Fingerprint, Origin, Secret, Severity, Validation};

/// What a checksum inside the credential says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// It fits: made by the issuer, or by somebody who knows the algorithm.
    Valid,
    /// It does not fit: a dummy, a mangled copy, or a form we do not know.
    Invalid,
    /// The kind has none.
    None,
}

/// Why a candidate was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// A checksum or a structure inside the value was verified.
    Checksum,
    /// The place says so: a key, a header, a command, a field of a known format.
    Grammar,
    /// The form alone.
    Shape,
}

/// What a credential is worth today, as far as can be told without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing offline says that it is dead.
    Unknown,
    /// A kind that only lives minutes or hours; probably dead by now.
    ShortLived,
    /// Its right to write has run out; a read-only one may live on.
    WriteExpired,
    /// Its own date says that it is over.
    Expired,
    /// Of a kind that its issuer switched off.
    LegacyDead,
    /// Names a secret that stands elsewhere.
    Reference,
}

impl State {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::ShortLived => "short-lived",
            Self::WriteExpired => "write-expired",
            Self::Expired => "expired",
            Self::LegacyDead => "legacy-dead",
            Self::Reference => "reference",
        }
    }
}

/// A state and the reason for it in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// For programs.
    pub state: State,
    /// For people: one sentence.
    pub words: String,
}

/// One place where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// File or stream.
    pub origin: Arc<Origin>,
    /// Bytes from the start of the origin to the secret, from 0.
    pub offset: u64,
    /// Line of the secret's first byte, from 1.
    pub line: u64,
    /// Column of the secret's first byte in bytes, from 1.
    pub column: u64,
    /// Length of the secret in bytes as it stands here.
    pub length: usize,
    /// The variable, key or option that holds the secret.
    pub variable: Option<String>,
}

/// A finding keeps at most this many places; [`Finding::places`] counts all.
pub const LOCATION_CAP: usize = 1000;

/// One secret, wherever it stands.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Names the value.
    pub fingerprint: Fingerprint,
    /// Id of the rule that knows most about it.
    pub rule: Arc<str>,
    /// The rule's name for people.
    pub name: Arc<str>,
    /// What kind of credential.
    pub kind: Arc<str>,
    /// Who issued it, if the rule says.
    pub service: Option<Arc<str>>,
    /// The value.
    pub secret: Secret,
    /// Why it was kept.
    pub proof: Proof,
    /// How sure we are.
    pub confidence: Confidence,
    /// How bad it would be.
    pub severity: Severity,
    /// What its checksum says.
    pub checksum: Checksum,
    /// The registry host that the credential is bound to.
    pub registry: Option<String>,
    /// The host, with its port, to which the text binds it: its registry, or that
    /// of the URL in which it stands.
    pub host: Option<String>,
    /// The user name that it belongs to, as far as the text tells.
    pub username: Option<String>,
    /// What it is worth today.
    pub worth: Worth,
    /// Where it stands: sorted, without doubles, at most [`LOCATION_CAP`].
    pub locations: Vec<Location>,
    /// How many places there are in all.
    pub places: u64,
    /// What its service said of it.
    pub validation: Validation,
    /// What its holder could reach, if that was asked for.
    pub blast_radius: Option<Box<BlastRadius>>,
}

impl Checksum {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::None => "none",
        }
    }
}

macro_rules! display_by_word {
    ($($kind:ty),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    )*};
}
display_by_word!(Checksum, State);
