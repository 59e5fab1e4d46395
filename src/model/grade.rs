//! The scales that rules and findings share. The build script reads this file
//! too, so nothing else of the crate may be named here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a secret a masked form may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mask {
    /// First and last characters, fewer for shorter values: the form in which
    /// npm's registry itself lists a token (`npm_aBcD…7890`).
    #[default]
    Ends,
    /// Nothing but the length: for passwords and for encodings of them, whose
    /// first characters already tell.
    All,
}

/// How sure we are that the bytes are a credential of their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The shape fits, but so do other things; or the checksum is wrong.
    Low,
    /// Shape and context fit.
    Medium,
    /// A checksum, a structure or an unmistakable form and place.
    High,
}

/// How bad it is if the credential is real and alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Reads little, or is worth nothing any more.
    Low,
    /// Reaches one service with few rights.
    Medium,
    /// Writes, or reads much.
    High,
    /// Publishes, deploys or administers.
    Critical,
}

impl Confidence {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Severity {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
