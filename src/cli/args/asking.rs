//! Flags of the commands that ask services about credentials.

use std::path::PathBuf;

use clap::Parser;

use crate::cli::network::NetworkArgs;
use crate::cli::output::OutputArgs;

const VALIDATE_HELP: &str = "\
Reads credentials from standard input, from files, or from a report that was
written with --show-secrets; never from the command line, where others see them.
Each is sent to the service that it belongs to, and to nobody else: npm's
registry, the services of the shipped checks, and what --allow-registry names.

Exit codes: 0 none is alive, 1 some are, 2 wrong usage or fatal error, 3 none is
known to be alive but some could not be judged, 4 a dead-man's switch is armed on
this machine.

Examples:
  tokensweep validate leaked.txt
  tokensweep scan . -f json --show-secrets | tokensweep validate
  tokensweep validate dump.env --dry-run         what would be sent, and to whom
  tokensweep validate .npmrc --allow-registry npm.example:8443
  tokensweep validate - --registry http://localhost:4873 --pace 0";

#[derive(Debug, Parser)]
#[command(after_help = VALIDATE_HELP)]
pub(in crate::cli) struct ValidateArgs {
    /// Files with credentials, or reports; `-`, or nothing, is standard input.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) network: NetworkArgs,
}

const BLAST_HELP: &str = "\
Validates the credentials, then asks the registry about the npm ones among them:
only reads, only with the token itself or without any. docs/blast-radius.md says
what every line means and how the severity is found.

Exit codes: 0 none is alive, 1 some are, 2 wrong usage or fatal error, 3 none is
known to be alive but some could not be judged, 4 a dead-man's switch is armed on
this machine.

Examples:
  tokensweep blast-radius leaked.txt --since 2026-08-04
  tokensweep blast-radius ~/src/app --project ~/src     a repository, with its history
  tokensweep blast-radius dump.env --ioc bad-versions.txt -f json -o radius.json
  tokensweep blast-radius dump.env -f dot | dot -Tsvg > radius.svg
  tokensweep blast-radius dump.env --packages 500 --resume radius.state
  tokensweep blast-radius dump.env --dry-run";

#[derive(Debug, Parser)]
#[command(after_help = BLAST_HELP)]
pub(in crate::cli) struct BlastArgs {
    /// Files, reports or folders with credentials; `-`, or nothing, is standard input.
    #[arg(value_name = "PATH")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// When others could have got hold of them: YYYY-MM-DD or a time as
    /// 2026-08-04T12:00:00Z; by default the first commit that shows each.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(in crate::cli) since: Option<i64>,
    /// A list of known bad versions; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ioc: Vec<PathBuf>,
    /// Look in the lockfiles below for projects that use what is in reach; the
    /// folders among the inputs by default, may be given several times.
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) project: Vec<PathBuf>,
    /// Look closely at so many packages of each account: those published in the
    /// window first, then the most downloaded.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(in crate::cli) packages: usize,
    /// Keep what is public in this file, and do not ask for it again the next
    /// time: an interrupted run goes on where it was.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) network: NetworkArgs,
}

const REVOKE_HELP: &str = "\
Acts on one token, named by the fingerprint that reports show, after a
confirmation, and never while a dead-man's switch is armed on this machine. The
registry is told the id under which it lists the token, if exactly one row of its
list begins and ends as the token does.

Exit codes: 0 it is dead, 1 it may still answer, 2 wrong usage or fatal error,
3 it could not be revoked from here, 4 a dead-man's switch is armed.

Examples:
  tokensweep revoke b904ff817a82b64fa2a8b5f404ac122f leaked.txt
  tokensweep revoke b904ff817a82b64fa2a8b5f404ac122f leaked.txt --dry-run
  tokensweep revoke b904ff817a82b64fa2a8b5f404ac122f leaked.txt --as ~/.npmrc --otp 123456 --yes";

#[derive(Debug, Parser)]
#[command(after_help = REVOKE_HELP)]
pub(in crate::cli) struct RevokeArgs {
    /// Fingerprint of the token, whole.
    #[arg(value_name = "FINGERPRINT")]
    pub(in crate::cli) fingerprint: String,
    /// Files or reports that hold the token; `-`, or nothing, is standard input.
    #[arg(value_name = "FILE")]
    pub(in crate::cli) inputs: Vec<PathBuf>,
    /// Do not ask for a confirmation.
    #[arg(short, long)]
    pub(in crate::cli) yes: bool,
    /// Act in the name of the session in this file, such as your ~/.npmrc after
    /// `npm login`, instead of the token's own.
    #[arg(long = "as", value_name = "FILE")]
    pub(in crate::cli) owner: Option<PathBuf>,
    /// One-time code of the account's second factor.
    #[arg(long, value_name = "CODE")]
    pub(in crate::cli) otp: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) network: NetworkArgs,
}

/// `2026-08-04`, or a time of RFC 3339; seconds since 1970.
fn date(text: &str) -> Result<i64, String> {
    let day = || text.parse::<jiff::civil::Date>().ok();
    let midnight = || jiff::tz::TimeZone::UTC.to_timestamp(day()?.at(0, 0, 0, 0)).ok();
    let time = text.parse::<jiff::Timestamp>().ok().or_else(midnight);
    time.map(jiff::Timestamp::as_second)
        .ok_or_else(|| format!("{text:?} is no date; write 2026-08-04"))
}
