//! `tokensweep validate`.

use super::args::ValidateArgs;
use super::{asking, known};
use crate::config::Settings;
use crate::error::Result;
use crate::git::History;

pub(super) fn run(args: &ValidateArgs) -> Result<u8> {
    let settings = Settings::default();
    let format = args.output.format(&settings)?;
    let mut report = known::gather(&args.inputs, History::None, args.output.quiet)?;
    let door = asking::validate(&mut report, &args.network, args.output.quiet)?;
    if let Some(code) = asking::rehearsed(door, &report)? {
        return Ok(code);
    }
    args.output.write(&settings, format, false, &report)?;
    Ok(asking::exit_code(&report))
}
