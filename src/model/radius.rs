//! What the holder of an npm credential could reach, and what became of it.
//!
//! Every field says how it was learnt. Nothing here is a guess: what the facts
//! do not tell is [`Certainty::Unknown`], and what can only be bounded is an
//! upper bound.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

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

/// A lockfile that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lockfile {
    /// Its path as seen from the working directory.
    pub path: String,
    /// `package-lock v3`, `pnpm 9`, `yarn berry`, …
    pub format: String,
    /// How many packages it pins.
    pub packages: u64,
    /// Why it could not be read whole; empty if it could.
    pub problem: String,
}

/// One of the user's own projects that installs a package in reach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ProjectUse {
    /// Path of its lockfile.
    pub lockfile: String,
    /// The package.
    pub package: String,
    /// The version that is pinned.
    pub version: String,
    /// From a direct dependency of the project down to the package; just the
    /// package if it is one itself. Empty if the format does not tell.
    pub through: Vec<String>,
    /// The list that names this very version as bad.
    pub known_bad: Option<String>,
}

/// What a node of the graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A secret that was found.
    Credential,
    /// A user at a service.
    Account,
    /// An organisation or scope.
    Org,
    /// A package.
    Package,
    /// A repository.
    Repository,
    /// One of the user's own projects.
    Project,
    /// All who depend on a package.
    Dependents,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Node {
    /// `credential:FINGERPRINT`, `account:npm:alice`, `package:left-pad`, …
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// For people.
    pub label: String,
}

/// An edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// Id of a node.
    pub from: String,
    /// Id of a node.
    pub to: String,
    /// `belongs-to`, `publishes`, `reads`, `maintains`, `member-of`,
    /// `publishes-from`, `writes`, `depends-on`, …
    pub relation: &'static str,
    /// How sure it is.
    pub certainty: Certainty,
    /// How it was learnt.
    pub how: String,
}

/// Everything in reach of everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// Sorted by id, without doubles.
    pub nodes: Vec<Node>,
    /// Sorted, without doubles.
    pub edges: Vec<Edge>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Short, for programs: `persistence`, `revoke`, `rotate`, `second-factor`, …
    pub id: &'static str,
    /// What to do.
    pub title: String,
    /// Why it is in the plan, from what was found.
    pub why: String,
    /// Commands to copy, and pages to open.
    pub commands: Vec<String>,
    /// What to mind.
    pub notes: Vec<String>,
}

/// A part of a dead-man's switch on this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SwitchPart {
    /// Name of the switch: `gh-token-monitor`, `kitty-monitor`, …
    pub switch: String,
    /// Path, service or process.
    pub place: String,
    /// True if it may act; false for a trace such as a log.
    pub armed: bool,
    /// What it is.
    pub words: String,
}

/// What follows from all findings together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Response {
    /// Parts of dead-man's switches on this machine.
    pub switch: Vec<SwitchPart>,
    /// Who reaches what.
    pub graph: Graph,
    /// What to do, first things first.
    pub plan: Vec<Step>,
    /// Lockfiles that were read.
    pub lockfiles: Vec<Lockfile>,
    /// Projects that install a package in reach.
    pub projects: Vec<ProjectUse>,
    /// Dates and sources of the lists that versions were compared with.
    pub lists: Vec<String>,
}

impl Response {
    /// True if something on this machine waits for a token to die.
    pub fn armed(&self) -> bool {
        self.switch.iter().any(|part| part.armed)
    }
}
