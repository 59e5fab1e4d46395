//! `tokensweep validate`.

use std::io::{self, Write as _};

use super::args::ValidateArgs;
use super::{INCOMPLETE, asking, known};
use crate::config::Settings;
use crate::error::Result;
use crate::git::History;

pub(super) fn run(args: &ValidateArgs) -> Result<u8> {
    let settings = Settings::default();
    let format = args.output.format_without_graph(&settings)?;
    args.output.prepare(&args.inputs)?;
    args.network.check()?;
    let mut report = known::gather(&args.inputs, History::Full, args.output.quiet)?;
    // A report may be empty; a text that was named as holding credentials is not.
    if report.findings.is_empty() && report.rules > 0 {
        let hint =
            "a credential without a form of its own needs its place: //HOST/:_authToken=VALUE";
        let _ = writeln!(io::stderr(), "no credential was recognised in the input\nhint: {hint}");
        args.output.write(&settings, format, false, &report)?;
        return Ok(INCOMPLETE);
    }
    let door = asking::validate(&mut report, &args.network, args.output.quiet)?;
    if let Some(code) = asking::rehearsed(door, &report)? {
        return Ok(code);
    }
    args.output.write(&settings, format, false, &report)?;
    Ok(asking::exit_code(&report))
}
