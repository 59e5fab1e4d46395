//! Typed flags; no decisions.

mod asking;
mod hook;
mod rules;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

pub(super) use asking::{BlastArgs, RevokeArgs, ValidateArgs};
pub(super) use hook::{HookArgs, HookCommand, HookPlace};
pub(super) use rules::{RulesArgs, RulesCommand};

use super::network::NetworkArgs;
use super::output::OutputArgs;
use crate::git::History;
use crate::model::Confidence;
use crate::report::Format;

const AFTER_HELP: &str = "\
Exit codes: 0 nothing found, 1 found something, 2 wrong usage or fatal error,
3 nothing found but something could not be looked at, 4 a dead-man's switch is
armed on this machine.

Examples:
  tokensweep .                              everything below here
  env | tokensweep scan -                   an environment
  tokensweep scan ~/src -f jsonl -o found.jsonl
  tokensweep scan . --write-baseline .tokensweep.baseline
  tokensweep validate leaked.txt            are they alive?
  tokensweep blast-radius leaked.txt        what could they reach, and what to do first?";

/// Finds npm credentials, and the other secrets that worms take.
///
/// `tokensweep PATH` is short for `tokensweep scan PATH`. Secrets are masked in
/// every output, and nothing is sent anywhere unless --validate, `validate`,
/// `blast-radius` or `revoke` asks for it.
#[derive(Debug, Parser)]
#[command(name = "tokensweep", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Search directories, files or standard input for secrets.
    #[command(visible_aliases = ["dir", "fs"], aliases = ["filesystem", "file", "detect"])]
    Scan(Box<ScanArgs>),
    /// Ask the services of known credentials whether they are alive.
    #[command(visible_alias = "check")]
    Validate(Box<ValidateArgs>),
    /// Tell what the holder of npm credentials could reach, whether they were
    /// used, and what to do first.
    #[command(visible_alias = "radius")]
    BlastRadius(Box<BlastArgs>),
    /// Take one npm token away, if its registry lets it.
    Revoke(Box<RevokeArgs>),
    /// Guard commits and pushes: install, remove, check or run git hooks.
    #[command(visible_alias = "hooks")]
    Hook(HookArgs),
    /// List, show, check or try the rules.
    Rules(RulesArgs),
    /// Print a completion script for a shell.
    #[command(
        alias = "completion",
        after_help = "Example:\n  tokensweep completions bash > /etc/bash_completion.d/tokensweep"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

const SCAN_HELP: &str = "\
Exit codes: 0 nothing found, 1 found something, 2 wrong usage or fatal error,
3 nothing found but something could not be looked at.

Examples:
  tokensweep scan                           everything below the working directory
  tokensweep scan app/ .npmrc               several targets
  docker inspect web | tokensweep scan -    a stream of any size
  tokensweep scan . -f sarif -o found.sarif
  tokensweep scan . --exclude 'testdata/**' --confidence medium
  tokensweep scan . --rules ours.toml --rule generic
  tokensweep scan . --baseline .tokensweep.baseline
  tokensweep scan app.git --git-history reachable
  tokensweep scan . --incremental .git/tokensweep.state
  tokensweep scan --staged                  what the next commit would bring
  tokensweep scan --since-commit v1.2       what HEAD has and v1.2 has not
  tokensweep scan --range origin/main..     what this branch would add to main
  tokensweep scan ~/src/app --branch dev    all that a branch leads to
  tokensweep scan . --validate              and ask the issuers whether they are alive";

#[derive(Debug, Parser)]
#[command(after_help = SCAN_HELP)]
pub(super) struct ScanArgs {
    /// Files and directories; `-` is standard input. The working directory if none is given.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Say of each match that was turned away why it was.
    #[arg(long, help_heading = "Output")]
    pub(super) explain: bool,
    /// Exit with this code if something was found.
    #[arg(long, value_name = "CODE", default_value_t = super::FOUND, help_heading = "Output")]
    pub(super) exit_code: u8,
    /// Exit with 0 even if something was found.
    #[arg(long, help_heading = "Output")]
    pub(super) exit_zero: bool,

    /// Leave out what git ignores.
    #[arg(long, help_heading = "What to read")]
    pub(super) respect_gitignore: bool,
    /// Only files that match; may be given several times.
    #[arg(long, value_name = "GLOB", help_heading = "What to read")]
    pub(super) include: Vec<String>,
    /// Leave out files and directories that match; may be given several times.
    #[arg(long, value_name = "GLOB", help_heading = "What to read")]
    pub(super) exclude: Vec<String>,
    /// Leave out larger files; 500K, 20M, 2G.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "What to read")]
    pub(super) max_file_size: Option<u64>,
    /// As --max-file-size, in megabytes.
    #[arg(long, value_name = "N", hide = true, conflicts_with = "max_file_size")]
    pub(super) max_target_megabytes: Option<u64>,
    /// Follow symbolic links.
    #[arg(long, help_heading = "What to read")]
    pub(super) follow_symlinks: bool,
    /// Threads; all cores if not given.
    #[arg(short = 'j', long, alias = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "What to read")]
    pub(super) threads: Option<u16>,

    /// How much of what git repositories remember is read.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value_t = HistoryArg::Full,
        help_heading = "Git"
    )]
    pub(super) git_history: HistoryArg,
    /// Remember in this file what has been searched, and leave it out the next time.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Git",
        // A baseline of the new secrets alone would drop all others.
        conflicts_with_all = ["part", "write_baseline"]
    )]
    pub(super) incremental: Option<PathBuf>,
    /// Only what the commits bring that HEAD has and REV has not.
    #[arg(long, value_name = "REV", group = "part", help_heading = "Git")]
    pub(super) since_commit: Option<String>,
    /// Only what the commits bring that B has and A has not; without A or B it is HEAD.
    #[arg(long, value_name = "A..B", alias = "commit-range", group = "part", help_heading = "Git")]
    pub(super) range: Option<String>,
    /// Only what this branch, tag or other revision leads to.
    #[arg(long, value_name = "NAME", group = "part", help_heading = "Git")]
    pub(super) branch: Option<String>,
    /// Only what is added and not committed.
    #[arg(long, alias = "cached", group = "part", help_heading = "Git")]
    pub(super) staged: bool,
    /// Only tracked files that are changed and not added; new files that git
    /// does not know yet are not among them.
    #[arg(long, group = "part", help_heading = "Git")]
    pub(super) unstaged: bool,

    /// Add the rules of a file or folder; see `tokensweep rules`.
    #[arg(long, value_name = "PATH", help_heading = "What to look for")]
    pub(super) rules: Vec<PathBuf>,
    /// Only these rules, kinds, issuers or sets; `generic` adds guesses at passwords.
    #[arg(long, value_name = "NAME", alias = "enable-rule", help_heading = "What to look for")]
    pub(super) rule: Vec<String>,
    /// Leave out these rules, kinds or issuers.
    #[arg(long, value_name = "NAME", alias = "disable-rule", help_heading = "What to look for")]
    pub(super) exclude_rule: Vec<String>,
    /// Report nothing less sure than this.
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "What to look for")]
    pub(super) confidence: Option<ConfidenceArg>,

    /// Do not report the secrets of this baseline; may be given several times.
    #[arg(short, long, value_name = "FILE", aliases = ["baseline-path", "baseline-file"], help_heading = "What not to report")]
    pub(super) baseline: Vec<PathBuf>,
    /// Write everything that is found to this baseline and exit with 0.
    #[arg(long, value_name = "FILE", help_heading = "What not to report")]
    pub(super) write_baseline: Option<PathBuf>,
    /// Use this ignore file; may be given several times.
    #[arg(long, value_name = "FILE", help_heading = "What not to report")]
    pub(super) ignore_file: Vec<PathBuf>,
    /// Report everything: no markers, ignore files, baselines or project settings.
    #[arg(long, help_heading = "What not to report")]
    pub(super) no_ignore: bool,
    /// Honour the allow markers of other scanners too.
    #[arg(long, help_heading = "What not to report")]
    pub(super) foreign_markers: bool,
    /// Use these settings and no others.
    #[arg(
        long,
        value_name = "FILE",
        env = "TOKENSWEEP_CONFIG",
        help_heading = "What not to report"
    )]
    pub(super) config: Option<PathBuf>,

    /// Search without SIMD instructions; slower, with the same findings.
    #[arg(long, hide = true)]
    pub(super) portable: bool,
    /// Ask the service of each secret whether it is alive. Nothing is sent
    /// anywhere without this.
    #[arg(long, alias = "verify", help_heading = "Network")]
    pub(super) validate: bool,
    #[command(flatten)]
    pub(super) network: NetworkArgs,

    /// What other scanners call our default: accepted and without effect.
    #[arg(long, hide = true, action = ArgAction::SetTrue, overrides_with = "no_validate", short = 'n', aliases = ["no-verification", "offline", "no-verify", "no-update-check", "no-banner", "no-update"])]
    pub(super) no_validate: bool,
    /// Accepted and without effect: secrets are masked unless --show-secrets is given.
    #[arg(long, hide = true, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_missing_value = "100")]
    pub(super) redact: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FormatArg {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// Annotations of a GitHub workflow.
    Github,
    /// The graph of a blast radius, for Graphviz.
    Dot,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Text => Self::Text,
            FormatArg::Json => Self::Json,
            FormatArg::Jsonl => Self::Jsonl,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Github => Self::Github,
            FormatArg::Dot => Self::Dot,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArg {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum HistoryArg {
    /// Every object, whether or not anything leads to it.
    Full,
    /// What branches, tags and other refs lead to.
    Reachable,
    /// Nothing: files only.
    None,
}

impl From<HistoryArg> for History {
    fn from(arg: HistoryArg) -> Self {
        match arg {
            HistoryArg::Full => Self::Full,
            HistoryArg::Reachable => Self::Reachable,
            HistoryArg::None => Self::None,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ConfidenceArg {
    Low,
    Medium,
    High,
}

impl From<ConfidenceArg> for Confidence {
    fn from(level: ConfidenceArg) -> Self {
        match level {
            ConfidenceArg::Low => Self::Low,
            ConfidenceArg::Medium => Self::Medium,
            ConfidenceArg::High => Self::High,
        }
    }
}

/// `500`, `20K`, `1.5G`; powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no size; write 500K, 20M or 2G");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let unit = match text[digits.len()..]
        .to_ascii_lowercase()
        .trim_end_matches("ib")
        .trim_end_matches('b')
    {
        "" => 1.0,
        "k" => 1024.0,
        "m" => 1024.0 * 1024.0,
        "g" => 1024.0 * 1024.0 * 1024.0,
        _ => return Err(wrong()),
    };
    if number.is_finite() && number >= 0.0 { Ok((number * unit) as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("20M"), Ok(20 << 20));
        assert_eq!(size("1.5kib"), Ok(1536));
        assert_eq!(size("7"), Ok(7));
        assert!(size("big").is_err() && size("-1").is_err() && size("1x").is_err());
    }
}
