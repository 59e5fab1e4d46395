//! The command line: flags in `args`, one file for each command.

mod args;
mod asking;
mod blast_radius;
mod claims;
mod hook;
mod known;
mod network;
mod output;
mod progress;
mod revoke;
mod rules;
mod scan;
mod validate;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::error::Error;
use crate::pipeline;
use crate::report::sanitize;
use crate::rules::Selection;
use args::{Args, Command};

/// Nothing was found.
const CLEAN: u8 = 0;
/// Something was found.
const FOUND: u8 = 1;
/// Usage, or a fatal error.
const FATAL: u8 = 2;
/// Nothing was found, but something could not be looked at.
const INCOMPLETE: u8 = 3;
/// A dead-man's switch is armed on this machine.
const ARMED: u8 = 4;

/// Runs the command line and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = with_default_command(arguments.into_iter().collect());
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(why) => {
            if why.use_stderr() {
                let _ = writeln!(std::io::stderr(), "{}", safe(&why.render().to_string()));
                return ExitCode::from(FATAL);
            }
            // Help and version are no errors, and a closed pipe is none either.
            let _ = why.print();
            return ExitCode::from(CLEAN);
        }
    };
    let outcome = match args.command {
        Command::Scan(scan) => scan::run(&scan),
        Command::Validate(validate) => validate::run(&validate),
        Command::BlastRadius(blast) => blast_radius::run(&blast),
        Command::Revoke(revoke) => revoke::run(&revoke),
        Command::Hook(hook) => hook::run(&hook),
        Command::Rules(rules) => rules::run(&rules),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Args::command(),
                "tokensweep",
                &mut std::io::stdout(),
            );
            Ok(CLEAN)
        }
    };
    ExitCode::from(outcome.unwrap_or_else(|why| {
        complain(&why);
        FATAL
    }))
}

/// `tokensweep PATH` means `tokensweep scan PATH`.
fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let known = |word: &str| {
        matches!(word, "help" | "-h" | "--help" | "-V" | "--version")
            || Args::command().get_subcommands().any(|command| {
                command.get_name_and_visible_aliases().contains(&word)
                    || command.get_all_aliases().any(|alias| alias == word)
            })
    };
    match arguments.get(1) {
        Some(first) if !first.to_str().is_some_and(known) => arguments.insert(1, "scan".into()),
        _ => {}
    }
    arguments
}

/// Says on standard error what went wrong.
fn complain(why: &Error) {
    let _ = writeln!(std::io::stderr(), "{}", safe(&format!("error: {why}")));
}

/// A message that may quote what a user typed or a file holds, with nothing in
/// it that steers a terminal and no secret that a rule knows.
fn safe(message: &str) -> String {
    let mut text = message.to_owned();
    for judgement in
        pipeline::judge(&Selection::default(), "", message.as_bytes()).unwrap_or_default()
    {
        if judgement.outcome.is_ok()
            && let Ok(secret) = std::str::from_utf8(judgement.secret.expose())
        {
            text = text.replace(secret, &judgement.secret.masked());
        }
    }
    text.lines().map(|line| sanitize::visible(line.as_bytes())).collect::<Vec<_>>().join("\n")
}
