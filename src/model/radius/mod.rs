//! What the holder of an npm credential could reach, and what became of it.
//!
//! Every field says how it was learnt. Nothing here is a guess: what the facts
//! do not tell is [`Certainty::Unknown`], and what can only be bounded is an
//! upper bound.

mod package;
mod response;

use serde::Serialize;

pub use package::{Mark, Package, PackageRight, PublishedBy, Release, WindowRelease};
pub use response::{Edge, Graph, Lockfile, Node, NodeKind, ProjectUse, Response, Step, SwitchPart};

use super::Severity;

/// How a value is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// A server said so.
    Measured,
    /// It may be less, never more.
    UpperBound,
    /// The server was asked and would not say.
    Refused,
    /// Nobody could tell, or nobody was asked. A value that stands beside it is
    /// what is known so far: there may be more.
    #[default]
    Unknown,
}

impl Certainty {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::UpperBound => "upper-bound",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// A value, how sure it is and how it was learnt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learnt<T> {
    /// None if refused or unknown.
    pub value: Option<T>,
    /// How it is known.
    pub certainty: Certainty,
    /// The request, file or rule that told, in a few words.
    pub how: String,
}

impl<T> Default for Learnt<T> {
    fn default() -> Self {
        Self::unknown("nobody asked")
    }
}

impl<T> Learnt<T> {
    /// A server said so.
    pub fn measured(value: T, how: impl Into<String>) -> Self {
        Self { value: Some(value), certainty: Certainty::Measured, how: how.into() }
    }

    /// It may be less, never more.
    pub fn upper_bound(value: T, how: impl Into<String>) -> Self {
        Self { value: Some(value), certainty: Certainty::UpperBound, how: how.into() }
    }

    /// The server would not say.
    pub fn refused(how: impl Into<String>) -> Self {
        Self { value: None, certainty: Certainty::Refused, how: how.into() }
    }

    /// Nobody could tell.
    pub fn unknown(how: impl Into<String>) -> Self {
        Self { value: None, certainty: Certainty::Unknown, how: how.into() }
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

/// The kinds of npm credential that differ in what their holder can do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// Granular, reads only.
    ReadOnly,
    /// Granular, writes, asks for the second factor.
    ReadWrite,
    /// Granular, writes without a second factor.
    ReadWriteBypass,
    /// Granular, writes to the staging area only.
    StageOnly,
    /// Granular, manages an organisation, publishes nothing.
    OrgOnly,
    /// Of `npm login`, lives two hours.
    Session,
    /// Exchanged for an identity of a CI run; one package, one hour.
    Oidc,
    /// Classic or UUID: switched off on 2025-12-09.
    Classic,
}

/// Whether an account wants a second factor, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondFactor {
    /// None is set up.
    None,
    /// Set-up has begun and was not finished.
    Pending,
    /// For login and settings.
    AuthOnly,
    /// For publishing as well.
    AuthAndWrites,
}

/// The account behind a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its user name.
    pub user: Learnt<String>,
    /// Its e-mail address, masked: `a…@example.com`.
    pub email: Learnt<String>,
    /// True if the address was confirmed.
    pub email_verified: Learnt<bool>,
    /// Its second factor.
    pub second_factor: Learnt<SecondFactor>,
    /// When it was made, seconds since 1970.
    pub created: Learnt<i64>,
}

/// The credential itself, as the registry lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenFacts {
    /// Its kind.
    pub kind: Learnt<TokenKind>,
    /// The id under which it can be revoked; not a secret.
    pub key: Learnt<String>,
    /// Name and description that its owner gave.
    pub name: Learnt<String>,
    /// `package: write`, `org: read`, …
    pub permissions: Learnt<Vec<String>>,
    /// Packages, scopes and organisations; `*` for all packages.
    pub scopes: Learnt<Vec<String>>,
    /// Addresses that it is bound to; empty if to none.
    pub cidr: Learnt<Vec<String>>,
    /// When it was made, seconds since 1970.
    pub created: Learnt<i64>,
    /// When it ends, seconds since 1970; a measured `None` inside means never.
    pub expires: Learnt<Option<i64>>,
    /// When it was used last, seconds since 1970.
    pub used: Learnt<i64>,
    /// True if it needs no second factor.
    pub bypass: Learnt<bool>,
    /// How many other tokens the account has.
    pub siblings: Learnt<u64>,
    /// True if a token of the account carries the name that worms give to one
    /// whose death they watch.
    pub booby_trap: Learnt<bool>,
}

/// The span of time in which a credential was open to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its begin, seconds since 1970.
    pub from: Learnt<i64>,
    /// Its end, seconds since 1970: now, or when it died.
    pub until: Learnt<i64>,
}

impl Window {
    /// True if it ends when it begins, or before: that nothing was published in
    /// it says nothing then.
    pub fn is_empty(&self) -> bool {
        let ends = self.from.value.zip(self.until.value);
        ends.is_some_and(|(from, until)| from >= until)
    }
}

/// What can be done with a credential.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Publish a version of a package.
    Publish,
    /// Publish a package that there was not.
    PublishNew,
    /// Put a version up for approval.
    Stage,
    /// Approve what was put up.
    Approve,
    /// Take a version away.
    Unpublish,
    /// Move `latest` or another tag.
    DistTag,
    /// Mark as deprecated.
    Deprecate,
    /// Add or remove maintainers.
    Maintainers,
    /// Change access, publishing settings or trusted publishers.
    Settings,
    /// Make, list or revoke tokens.
    Tokens,
    /// Manage members and teams of organisations.
    Members,
    /// Change the profile, password or second factor.
    Profile,
    /// Read private packages.
    ReadPrivate,
}

/// Whether an action works for somebody who has the credential and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It works.
    Yes,
    /// The second factor that the holder lacks stops it.
    SecondFactor,
    /// It is refused.
    No,
    /// The facts do not tell.
    Unknown,
}

/// One cell of the matrix of rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Right {
    /// What is done.
    pub action: Action,
    /// Whether it works.
    pub answer: Answer,
    /// Why.
    pub why: String,
}

/// The rights of a credential under one assumption about its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rights {
    /// The kind that is assumed, or known.
    pub kind: TokenKind,
    /// `known`, or `if it is a write token with bypass`.
    pub assumption: String,
    /// One for each action, in their order.
    pub rights: Vec<Right>,
    /// The day for which the tables hold, `YYYY-MM-DD`.
    pub as_of: String,
}

/// A release that waits for a person to approve it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StagedRelease {
    /// Name of the package.
    pub package: String,
    /// Its number.
    pub version: String,
    /// When it was put up, seconds since 1970.
    pub time: Option<i64>,
    /// Who put it up, as the registry names them.
    pub actor: Option<String>,
}

/// All that is known of the reach of one credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlastRadius {
    /// How bad it is, by the documented rule.
    pub severity: Option<Severity>,
    /// Why, in one sentence.
    pub verdict: String,
    /// What its holder can do, in one sentence for people who have no time; empty
    /// if it is not alive.
    pub headline: String,
    /// Whose it is.
    pub account: Account,
    /// The credential.
    pub token: TokenFacts,
    /// Organisations and scopes in reach.
    pub orgs: Learnt<Vec<String>>,
    /// Releases that wait for approval; malware may be among them.
    pub staged: Learnt<Vec<StagedRelease>>,
    /// Packages in reach, most dangerous first.
    pub packages: Vec<Package>,
    /// How many there are; `packages` may hold fewer.
    pub package_count: Learnt<u64>,
    /// Weekly downloads of all.
    pub weekly_downloads: Learnt<u64>,
    /// Dependents of all.
    pub dependents: Learnt<u64>,
    /// What the holder can do: one table if the kind is known, else its bounds,
    /// the worst first.
    pub rights: Vec<Rights>,
    /// When others could have used it.
    pub window: Window,
    /// What was not looked at, and why.
    pub not_checked: Vec<String>,
}
