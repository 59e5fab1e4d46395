//! Yields what a git repository remembers: every object that it holds, whether
//! or not anything leads to it.

mod budget;
pub(crate) mod commits;
pub(crate) mod forest;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod graph;
mod layout;
pub(crate) mod missing;
pub(crate) mod provenance;
mod range;
pub(crate) mod refs;
mod repository;
pub(crate) mod store;
pub(crate) mod trees;
pub(crate) mod walk;

pub use gix::ObjectId;
pub use layout::{Form, Layout, git_file, is_git_dir};
pub use range::{
    Changes, Ends, NewBlob, NewCommit, PLACES, Place, changes, changes_of, resolve, staged,
    unstaged,
};
pub use repository::Repository;
pub use store::Flaw;
pub(crate) use store::Reader;

/// What of a repository is searched.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much of what git remembers.
    pub history: History,
    /// Only what a range brings, instead of everything.
    pub range: Option<Range>,
    /// Where it is kept what earlier runs have searched, to leave it out.
    pub state: Option<std::path::PathBuf>,
}

/// How much of what git remembers is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// Every object, whether or not anything leads to it.
    #[default]
    Full,
    /// What refs lead to.
    Reachable,
    /// Nothing: only files.
    None,
}

/// A part of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// What the commits bring that HEAD has and this revision has not.
    Since(String),
    /// `A..B`: what the commits bring that B has and A has not.
    Between(String),
    /// What this branch leads to.
    Branch(String),
    /// What is added and not committed.
    Staged,
    /// What is changed in the work tree and not added.
    Unstaged,
}
