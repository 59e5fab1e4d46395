//! `tokensweep blast-radius`.

use std::path::PathBuf;

use super::args::BlastArgs;
use super::network::Door;
use super::{asking, known};
use crate::blast_radius::{self, Options, home};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::git::History;
use crate::indicators::Known;
use crate::model::Report;
use crate::registry::Ask;
use crate::registry::journal::Journal;

pub(super) fn run(args: &BlastArgs) -> Result<u8> {
    if args.since.is_some_and(|since| since > jiff::Timestamp::now().as_second()) {
        return Err(Error::new(
            "--since lies in the future: nothing could have been published then",
        )
        .hint("give the day from which on others could have had the credentials"));
    }
    for folder in &args.project {
        if !folder.exists() {
            return Err(Error::new(format!("--project: there is no {}", folder.display()))
                .hint("name a folder below which your projects lie"));
        }
    }
    let settings = Settings::default();
    let format = args.output.format(&settings)?;
    let read = [&args.inputs[..], &args.ioc, args.resume.as_slice()].concat();
    args.output.prepare(&read)?;
    args.network.check()?;
    let known = Known::load(&args.ioc)?;
    let quiet = args.output.quiet;
    let mut report = known::gather(&args.inputs, History::Full, quiet)?;
    let door = asking::validate(&mut report, &args.network, quiet)?;
    assess(args, &known, &door, &mut report)?;
    if let Some(code) = asking::rehearsed(door, &report)? {
        return Ok(code);
    }
    args.output.write(&settings, format, false, &report)?;
    Ok(asking::exit_code(&report))
}

fn assess(args: &BlastArgs, known: &Known, door: &Door, report: &mut Report) -> Result<()> {
    let now = jiff::Timestamp::now().as_second();
    let journal = args
        .resume
        .as_deref()
        .map(|path| Journal::open(door.ask(), path, now, door.secrets()))
        .transpose()?;
    let public = journal.as_ref().map_or(door.ask(), |journal| journal as &dyn Ask);
    let folders = folders(args);
    let bar = asking::bar(0, "packages and searches looked at", args.output.quiet);
    let options = Options {
        now,
        since: args.since,
        packages: args.packages,
        rehearsal: args.network.dry_run,
        names: home::own_names(&folders),
        listed: &|name| known.names(name),
        known_bad: &|name, version| known.bad(name, version).map(str::to_owned),
        step: &|_| bar.inc(1),
    };
    blast_radius::assess(report, door.ask(), public, &options);
    bar.finish_and_clear();
    blast_radius::at_home(report, &folders, known);
    blast_radius::conclude(report);
    Ok(())
}

/// Where the user's own projects are: as given, or the folders among the inputs.
fn folders(args: &BlastArgs) -> Vec<PathBuf> {
    match args.project.is_empty() {
        true => args.inputs.iter().filter(|path| path.is_dir()).cloned().collect(),
        false => args.project.clone(),
    }
}
