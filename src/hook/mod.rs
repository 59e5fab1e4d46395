//! Stands between a repository and what leaves it: hooks that search what a
//! commit or a push brings, in words that say what to do.
//!
//! A hook must never be green without having looked: what it cannot read, or
//! was not told, it refuses.

mod advice;
mod folder;
mod install;
mod push;
mod refs;
mod run;
mod script;
mod status;
mod words;

pub use folder::{Folder, Owner, global_folder};
pub use install::{Change, Installed, Scope, install, uninstall};
pub use run::{Call, Outcome, run};
pub use status::{Guard, Tool, guard};

/// The hooks of git that can be guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Before objects leave for a remote.
    PrePush,
    /// Before a commit is made.
    PreCommit,
    /// When the message of a commit is written.
    CommitMsg,
    /// On the side that is pushed to, before a ref moves.
    PreReceive,
}

impl Kind {
    /// All of them, in the order of the help text.
    pub const ALL: [Self; 4] = [Self::PrePush, Self::PreCommit, Self::CommitMsg, Self::PreReceive];

    /// Git's name for it, which is the name of the hook's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PrePush => "pre-push",
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PreReceive => "pre-receive",
        }
    }

    /// True if git tells the hook on standard input what is to happen.
    pub fn reads_stdin(self) -> bool {
        matches!(self, Self::PrePush | Self::PreReceive)
    }

    /// What the hook can stop, as a command to be typed.
    fn command(self) -> &'static str {
        match self {
            Self::PrePush | Self::PreReceive => "git push",
            Self::PreCommit | Self::CommitMsg => "git commit",
        }
    }

    /// The same as a noun.
    fn noun(self) -> &'static str {
        match self {
            Self::PrePush | Self::PreReceive => "push",
            Self::PreCommit | Self::CommitMsg => "commit",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .ok_or_else(|| format!("the hooks are {}", Self::ALL.map(Self::name).join(", ")))
    }
}
