//! What follows from all findings together: the graph, the plan, the projects at
//! home, and what waits on this machine.

use serde::Serialize;

use super::Certainty;

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
