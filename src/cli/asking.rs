//! What all commands do that ask services about credentials.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::network::{Door, NetworkArgs};
use super::{ARMED, CLEAN, FOUND, INCOMPLETE};
use crate::error::{Error, Result};
use crate::hostage::{self, Machine};
use crate::model::radius::{Response, SwitchPart};
use crate::model::{Outcome, Report};
use crate::registry::NoAnswer;
use crate::report::sanitize::visible;
use crate::validate;

/// Parts of dead-man's switches on this machine.
pub(super) fn switch() -> Vec<SwitchPart> {
    hostage::look(&Machine::this())
}

/// Says that a switch is armed, and what to do first; nothing if none is.
pub(super) fn warn_of(switch: &[SwitchPart], out: &mut dyn Write) {
    if !switch.iter().any(|part| part.armed) {
        return;
    }
    let _ =
        writeln!(out, "A DEAD-MAN'S SWITCH IS ARMED ON THIS MACHINE: do not revoke anything yet.");
    for part in switch.iter().filter(|part| part.armed) {
        let place = visible(part.place.as_bytes());
        let _ = writeln!(out, "  {} {place}: {}", part.switch, part.words);
    }
}

/// Asks about every finding of a report, and looks for dead-man's switches first.
pub(super) fn validate(report: &mut Report, network: &NetworkArgs, quiet: bool) -> Result<Door> {
    let switch = switch();
    // Reports go to files and programs too: people are told beside them.
    warn_of(&switch, &mut io::stderr());
    let watched = hostage::may_watch(&switch);
    let door = network.door(watched, &report.findings)?;
    if !switch.is_empty() {
        report.response.get_or_insert_default().switch = switch;
    }
    let options = validate::Options {
        per_host: network.per_host(),
        armed: watched,
        now: jiff::Timestamp::now().as_second(),
    };
    let bar = bar(report.findings.len() as u64, "credentials asked about", quiet);
    validate::validate(&mut report.findings, door.ask(), options, &|done| {
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    Ok(door)
}

/// A bar on the terminal's standard error, or none; its length is 0 if nobody
/// knows it.
pub(super) fn bar(length: u64, what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = match length {
        0 => "{spinner} {pos} {msg}, {elapsed}",
        _ => "{spinner} {pos} of {len} {msg}, {elapsed}",
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length).with_style(style).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Prints what would have been asked; `None` if the questions were real.
pub(super) fn rehearsed(door: Door, report: &Report) -> Result<Option<u8>> {
    let Some(requests) = door.rehearsed() else { return Ok(None) };
    let mut out = io::stdout().lock();
    let mut write = || -> io::Result<()> {
        for request in &requests {
            for line in request.lines() {
                writeln!(out, "{}", visible(line.as_bytes()))?;
            }
            writeln!(out)?;
        }
        for finding in &report.findings {
            let validation = &finding.validation;
            let asked = validation.words == NoAnswer::Rehearsed.words();
            if validation.outcome == Outcome::Skipped && !asked {
                let name = visible(finding.name.as_bytes());
                let why = visible(validation.words.as_bytes());
                writeln!(out, "# {name} {}: {why}", finding.secret.masked())?;
            }
        }
        writeln!(out, "# {} requests at least, none of them made", requests.len())
    };
    match write() {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(format!("cannot write to standard output: {why}")))
        }
        _ => Ok(Some(if is_armed(report) { ARMED } else { CLEAN })),
    }
}

fn is_armed(report: &Report) -> bool {
    report.response.as_deref().is_some_and(Response::armed)
}

/// The exit code of a report whose credentials were asked about.
pub(super) fn exit_code(report: &Report) -> u8 {
    let counts = validate::count(&report.findings);
    let has = |outcome| counts.contains_key(&outcome);
    if is_armed(report) {
        ARMED
    } else if has(Outcome::Active) || has(Outcome::Restricted) {
        FOUND
    } else if has(Outcome::Unknown) || has(Outcome::Skipped) || report.incomplete() {
        INCOMPLETE
    } else {
        CLEAN
    }
}
