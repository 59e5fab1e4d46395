//! Flags of `tokensweep rules`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
pub(in crate::cli) struct RulesArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RulesCommand {
    /// List the rules: id, kind, confidence, severity, name.
    #[command(
        after_help = "Examples:\n  tokensweep rules list\n  tokensweep rules list --rules ours.toml --json"
    )]
    List {
        /// Add the rules of a file or folder.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print a rule as it is written.
    #[command(after_help = "Example:\n  tokensweep rules show npm-access-token")]
    Show {
        /// The rule's id.
        id: String,
        /// Look in this file or folder too.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Check rule files and run their examples; the shipped ones if none is given.
    #[command(after_help = "Example:\n  tokensweep rules check ours.toml")]
    Check {
        /// Files or folders.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Try rules on a text and say of every match why it is kept or not.
    #[command(
        after_help = "Example:\n  echo 'OURS_KEY=abc123' | tokensweep rules test --rules ours.toml --rule ours-key -"
    )]
    Test {
        /// The text; `-` is standard input.
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// Add the rules of a file or folder.
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
        /// Only these rules.
        #[arg(long, value_name = "NAME")]
        rule: Vec<String>,
        /// Show secrets whole instead of masked.
        #[arg(long)]
        show_secrets: bool,
    },
}
