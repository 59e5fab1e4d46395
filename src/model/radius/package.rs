//! A package in reach, and its versions.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::Learnt;
use crate::model::Severity;

/// What a credential may do to a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageRight {
    /// Nothing but what everybody may.
    Public,
    /// Read what is private.
    Read,
    /// Put a version up for a human to approve.
    Stage,
    /// Publish.
    Publish,
}

/// A version that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Release {
    /// Its number.
    pub version: String,
    /// When, seconds since 1970.
    pub time: Option<i64>,
    /// Who, by user name.
    pub publisher: Option<String>,
}

/// How the newest version of a package came to be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum PublishedBy {
    /// By a token or a person: they look the same.
    #[serde(rename = "token-or-person")]
    Token,
    /// By a trusted publisher (`github`, `gitlab`, …).
    TrustedPublisher {
        /// Which.
        provider: String,
    },
    /// From the staging area, approved by a person.
    Staged {
        /// By whom.
        approver: Option<String>,
    },
}

/// A package in reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What the credential may do to it.
    pub right: Learnt<PackageRight>,
    /// True if only those with a right see it.
    pub private: Learnt<bool>,
    /// Downloads of the last week.
    pub weekly_downloads: Learnt<u64>,
    /// Packages that depend on it.
    pub dependents: Learnt<u64>,
    /// Who may publish it, by user name.
    pub maintainers: Learnt<Vec<String>>,
    /// The newest version.
    pub latest: Learnt<Release>,
    /// True if the newest version runs scripts when it is installed.
    pub install_scripts: Learnt<bool>,
    /// True if the newest version carries a provenance attestation.
    pub provenance: Learnt<bool>,
    /// How the newest version was published.
    pub published_by: Learnt<PublishedBy>,
    /// The last version that was published by a token or a person; a measured
    /// `None` inside means that none is left.
    pub last_token_publish: Learnt<Option<Release>>,
    /// The last version that came from a trusted publisher, the newest or an older
    /// one; a measured `None` inside means that none is left.
    pub trusted_before: Learnt<Option<Release>>,
    /// The last version with a provenance attestation, in the same way.
    pub built_before: Learnt<Option<Release>>,
    /// The last stable version from before the first suspicious one: what `latest`
    /// can go back to.
    pub last_good: Learnt<Release>,
    /// `https://…` of the repository that it says it comes from.
    pub repository: Learnt<String>,
    /// What to change about it: words that begin with a verb.
    pub advice: Vec<String>,
    /// Versions of the exposure window, suspicious first.
    pub releases: Vec<WindowRelease>,
    /// When the newest versions from before the window came, seconds since 1970,
    /// the oldest first; for comparison, not for reports.
    #[serde(skip)]
    pub earlier: Vec<i64>,
}

/// A version that was published in the exposure window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRelease {
    /// Its number.
    pub version: String,
    /// When, seconds since 1970.
    pub time: i64,
    /// True if it was unpublished: it is only left in the list of times.
    pub ghost: bool,
    /// What is odd about it, strongest first.
    pub marks: Vec<Mark>,
}

impl WindowRelease {
    /// True if it looks as if others than its owner had published it: it has a
    /// mark of weight high or critical, or two different ones of weight medium,
    /// or was unpublished. Low ones alone never make it so, however many. All
    /// counts and steps of a report go by this one rule.
    pub fn is_suspicious(&self) -> bool {
        let medium = || self.marks.iter().filter(|mark| mark.weight == Severity::Medium);
        let first = medium().next();
        self.ghost
            || self.marks.iter().any(|mark| mark.weight >= Severity::High)
            || medium().any(|mark| first.is_some_and(|first| first.sign != mark.sign))
    }
}

/// The fields, and `suspicious` beside them, so that no reader has to know the
/// rule.
impl Serialize for WindowRelease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("WindowRelease", 5)?;
        fields.serialize_field("version", &self.version)?;
        fields.serialize_field("time", &self.time)?;
        fields.serialize_field("ghost", &self.ghost)?;
        fields.serialize_field("suspicious", &self.is_suspicious())?;
        fields.serialize_field("marks", &self.marks)?;
        fields.end()
    }
}

/// A sign that a version was not published by its owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mark {
    /// How strong it is; [`Severity::Critical`] for a known bad version.
    pub weight: Severity,
    /// Short, for programs: `known-bad`, `ghost`, `new-install-script`, …
    pub sign: &'static str,
    /// For people.
    pub words: String,
}
