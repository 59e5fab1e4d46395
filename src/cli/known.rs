//! Credentials that the user knows of: in reports, files, folders, or on
//! standard input. Never on the command line, where others see them.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::claims;
use super::progress::Progress;
use super::scan::fingerprint_key;
use crate::error::{Error, Result};
use crate::model::{Finding, Report};
use crate::report::read;
use crate::source::{self, Tally, Target};
use crate::{git, pipeline, rules, suppress, verify};

/// Longest report that is read.
const LONGEST: u64 = 1 << 30;

/// Reads every input: a report of ours as what it is, all else is searched.
/// Nothing is suppressed: who names a file means all of it.
pub(super) fn gather(inputs: &[PathBuf], history: git::History, quiet: bool) -> Result<Report> {
    let key = fingerprint_key();
    let inputs = if inputs.is_empty() { &[PathBuf::from("-")] } else { inputs };
    let mut known = Vec::new();
    let mut targets = Vec::new();
    let mut stdin = Vec::new();
    let mut pipes = Vec::new();
    // Reports and pipes, and bytes of them.
    let mut counted = (0, 0);
    for input in inputs {
        let bytes = match input == Path::new("-") {
            true => Some(read_stdin()?),
            false => may_be_report(input)?,
        };
        match bytes.as_deref().and_then(|bytes| read::read(bytes, &key)) {
            Some(report) => {
                counted.0 += 1;
                counted.1 += bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
                known.extend(unmasked(report, input)?);
            }
            None if input == Path::new("-") => {
                stdin = bytes.unwrap_or_default();
                targets.push(Target::Stdin);
            }
            None if is_pipe(input) => pipes.push((input, bytes.unwrap_or_default())),
            None => targets.push(Target::Path(input.clone())),
        }
    }
    let mut report = if targets.is_empty() {
        Report::default()
    } else {
        search(targets, history, &stdin, quiet)?
    };
    for (name, bytes) in pipes {
        let more = search_bytes(name, &bytes)?;
        counted = (counted.0 + 1, counted.1 + bytes.len() as u64);
        report.rules = more.rules;
        merge(&mut report.findings, more.findings);
    }
    merge(&mut report.findings, claims::judged(known)?);
    report.coverage.files += counted.0;
    report.coverage.bytes += counted.1;
    Ok(report)
}

/// What a shell makes of `<(command)`: it can be read once, and not be sought in.
fn is_pipe(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn search_bytes(name: &Path, bytes: &[u8]) -> Result<Report> {
    let options = pipeline::Options { key: fingerprint_key(), ..pipeline::Options::default() };
    let scanner = pipeline::Scanner::new(&options)?;
    scanner.scan_bytes(&name.to_string_lossy(), bytes);
    Ok(scanner.finish())
}

fn search(
    targets: Vec<Target>,
    history: git::History,
    stdin: &[u8],
    quiet: bool,
) -> Result<Report> {
    let options = pipeline::Options {
        source: source::Options { targets, ..source::Options::default() },
        git: git::Options { history, ..git::Options::default() },
        rules: rules::Selection::default(),
        verify: verify::Options::default(),
        suppress: suppress::Options::default(),
        key: fingerprint_key(),
        ..pipeline::Options::default()
    };
    let tally = Arc::new(Tally::default());
    let _progress = Progress::watch(&tally, !quiet);
    pipeline::scan(&options, &mut &stdin[..], &tally)
}

fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(|why| Error::new(format!("cannot read standard input: {why}")))?;
    Ok(bytes)
}

/// The bytes of a file that begins as a report does.
fn may_be_report(path: &Path) -> Result<Option<Vec<u8>>> {
    let cannot = |why| Error::new(format!("cannot read {}: {why}", path.display()));
    let about = std::fs::metadata(path).map_err(cannot)?;
    if !(about.is_file() || is_pipe(path)) || about.len() > LONGEST {
        return Ok(None);
    }
    let mut file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    io::Read::by_ref(&mut file).take(64).read_to_end(&mut bytes).map_err(cannot)?;
    if !bytes.trim_ascii_start().starts_with(b"{") && !is_pipe(path) {
        return Ok(None);
    }
    file.take(LONGEST).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(Some(bytes))
}

fn unmasked(report: read::Known, input: &Path) -> Result<Vec<Finding>> {
    if report.masked > 0 {
        let (masked, name) = (report.masked, input.display());
        return Err(Error::new(format!(
            "{masked} of the secrets in the report {name} are masked, so nobody can be asked about them"
        ))
        .hint("write the report with --show-secrets, or name the scanned files instead"));
    }
    Ok(report.findings)
}

/// Adds findings that are not there yet.
fn merge(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    let mut seen: BTreeSet<_> = findings.iter().map(|finding| finding.fingerprint).collect();
    findings.extend(more.into_iter().filter(|finding| seen.insert(finding.fingerprint)));
}
