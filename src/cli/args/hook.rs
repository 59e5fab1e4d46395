//! Flags of `tokensweep hook`.

use std::ffi::OsString;

use clap::{Parser, Subcommand, ValueEnum};

use crate::hook;

const HOOK_HELP: &str = "\
A hook searches what a commit or push brings, messages and names included, and
refuses it if there is a secret in it (exit code 1), if it makes no sense (2),
or if something could not be looked at (3).

TOKENSWEEP_SKIP=1 (or `true`) lets everything pass once, and says so.

Examples:
  tokensweep hook install                        before every push of this repository
  tokensweep hook install --global               of all your repositories
  tokensweep hook install --type pre-receive     on a server, in the bare repository
  tokensweep hook run pre-push \"$@\"            a line for .husky/pre-push
  tokensweep hook status                         is anything guarded?";

#[derive(Debug, Parser)]
#[command(after_help = HOOK_HELP)]
pub(in crate::cli) struct HookArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: HookCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HookCommand {
    /// Install hooks where git looks for them; what is there already is kept, and called first.
    Install {
        #[command(flatten)]
        place: HookPlace,
        /// Write to a folder of hooks that others use too.
        #[arg(long, conflicts_with = "global")]
        force: bool,
    },
    /// Take hooks of ours away, and put back what was there before.
    #[command(visible_alias = "remove")]
    Uninstall {
        #[command(flatten)]
        place: HookPlace,
    },
    /// Say of each hook whether it guards anything; exits with 0 if one does, 1 if none.
    Status,
    /// Do what a hook does: git's arguments and standard input are those of git's hook.
    Run {
        /// Which hook.
        #[arg(value_enum, value_name = "TYPE")]
        kind: KindArg,
        /// What git names on its command line.
        #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// `tokensweep hook pre-push …` is short for `tokensweep hook run pre-push …`.
    #[command(external_subcommand)]
    Short(Vec<OsString>),
}

#[derive(Debug, Parser)]
pub(in crate::cli) struct HookPlace {
    /// Which hook; may be given several times.
    #[arg(short = 't', long = "type", value_enum, value_name = "TYPE", alias = "hook-type")]
    pub(in crate::cli) kinds: Vec<KindArg>,
    /// For all your repositories.
    #[arg(long)]
    pub(in crate::cli) global: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum KindArg {
    /// Before commits leave for a remote.
    PrePush,
    /// Before a commit is made: what is staged.
    PreCommit,
    /// When a commit's message is written.
    CommitMsg,
    /// On a server, before a ref moves.
    PreReceive,
}

impl From<KindArg> for hook::Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::PrePush => Self::PrePush,
            KindArg::PreCommit => Self::PreCommit,
            KindArg::CommitMsg => Self::CommitMsg,
            KindArg::PreReceive => Self::PreReceive,
        }
    }
}
