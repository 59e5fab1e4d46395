//! `tokensweep scan`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{ColorArg, ScanArgs};
use super::progress::Progress;
use super::{CLEAN, INCOMPLETE};
use crate::config::{self, Settings};
use crate::error::{Error, Result};
use crate::model::{FingerprintKey, Report};
use crate::pipeline;
use crate::report::{self, Format};
use crate::rules::Selection;
use crate::source::{self, Tally, Target};
use crate::{git, suppress, verify};

/// Environment variable with the fingerprints' key.
const KEY_VARIABLE: &str = "TOKENSWEEP_FINGERPRINT_KEY";

pub(super) fn run(args: &ScanArgs) -> Result<u8> {
    let targets = targets(&args.paths);
    let settings = config::load(args.config.as_deref(), &targets, !args.no_ignore)?;
    let options = options(args, &settings, targets);
    let format = format(args, &settings)?;
    let tally = Arc::new(Tally::default());
    let progress = Progress::watch(&tally, !args.quiet);
    pipeline::scan_and_tell(&options, &mut io::stdin().lock(), &tally, |report| {
        drop(progress);
        tell(args, &settings, &options, format, report)
    })
}

/// Writes the report, or what else was asked for, and gives the exit code.
fn tell(
    args: &ScanArgs,
    settings: &Settings,
    options: &pipeline::Options,
    format: Format,
    mut report: Report,
) -> Result<u8> {
    report.settings = settings.files.iter().map(|path| path.display().to_string()).collect();
    if let Some(path) = &args.write_baseline {
        let count = suppress::write_baseline(path, &report.findings, &options.key)?;
        let path = report::sanitize::visible(path.as_os_str().as_encoded_bytes());
        let _ = writeln!(io::stderr(), "wrote {count} fingerprints to {path}");
        return Ok(if report.incomplete() { INCOMPLETE } else { CLEAN });
    }
    write(args, settings, format, &report)?;
    Ok(match (report.findings.is_empty(), report.incomplete()) {
        (false, _) if !args.exit_zero => args.exit_code,
        (true, true) => INCOMPLETE,
        _ => CLEAN,
    })
}

fn targets(paths: &[PathBuf]) -> Vec<Target> {
    if paths.is_empty() {
        return vec![Target::Path(PathBuf::from("."))];
    }
    let mut targets: Vec<Target> = Vec::with_capacity(paths.len());
    for path in paths {
        let target =
            if path == Path::new("-") { Target::Stdin } else { Target::Path(path.clone()) };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

pub(super) fn options(
    args: &ScanArgs,
    settings: &Settings,
    targets: Vec<Target>,
) -> pipeline::Options {
    let both = |flags: &[String], settings: &[String]| [settings, flags].concat();
    let source = source::Options {
        targets,
        respect_gitignore: args.respect_gitignore || settings.respect_gitignore.unwrap_or(false),
        include: both(&args.include, &settings.include),
        exclude: both(&args.exclude, &settings.exclude),
        max_file_size: args
            .max_file_size
            .or(args.max_target_megabytes.map(|n| n.saturating_mul(1 << 20)))
            .or(settings.max_file_size),
        follow_symlinks: args.follow_symlinks || settings.follow_symlinks.unwrap_or(false),
        repositories: false,
        known: None,
        threads: args
            .threads
            .map(usize::from)
            .or(settings.threads)
            .unwrap_or(source::Options::default().threads),
    };
    let rules = Selection {
        files: [&settings.rules[..], &args.rules].concat(),
        only: both(&args.rule, &settings.rule),
        except: both(&args.exclude_rule, &settings.exclude_rule),
    };
    let verify = verify::Options::default();
    let suppress = if args.no_ignore {
        suppress::Options::default()
    } else {
        // A baseline that is about to be written for the first time is empty.
        let written = args.write_baseline.as_ref();
        suppress::Options {
            ignore_files: [&settings.ignore_file[..], &args.ignore_file].concat(),
            baselines: [&settings.baseline[..], &args.baseline]
                .concat()
                .into_iter()
                .filter(|path| Some(path) != written)
                .collect(),
            inline: true,
            foreign_markers: args.foreign_markers || settings.foreign_markers.unwrap_or(false),
            today: Some(verify.today),
        }
    };
    pipeline::Options {
        source,
        git: git::Options {
            history: args.git_history.into(),
            range: range(args),
            state: args.incremental.clone(),
        },
        rules,
        verify,
        suppress,
        confidence: args.confidence.map(Into::into).or(settings.confidence),
        key: std::env::var_os(KEY_VARIABLE)
            .filter(|key| !key.is_empty())
            .map_or_else(FingerprintKey::default, |key| {
                FingerprintKey::new(key.as_encoded_bytes())
            }),
        explain: args.explain,
        portable: args.portable,
    }
}

/// The part of a repository that was asked for; clap lets no two through.
fn range(args: &ScanArgs) -> Option<git::Range> {
    let since = args.since_commit.clone().map(git::Range::Since);
    since
        .or_else(|| args.range.clone().map(git::Range::Between))
        .or_else(|| args.branch.clone().map(git::Range::Branch))
        .or_else(|| args.staged.then_some(git::Range::Staged))
        .or_else(|| args.unstaged.then_some(git::Range::Unstaged))
}

fn format(args: &ScanArgs, settings: &Settings) -> Result<Format> {
    match (args.format, &settings.format) {
        (Some(format), _) => Ok(format.into()),
        (None, Some(word)) => word.parse().map_err(|_| {
            Error::new(format!("the settings name the format {word:?}, which there is none of"))
                .hint("text, json, jsonl, sarif or github")
        }),
        (None, None) => Ok(Format::Text),
    }
}

fn write(args: &ScanArgs, settings: &Settings, format: Format, report: &Report) -> Result<()> {
    let file = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let color = match (args.color, settings.color.as_deref()) {
        _ if args.no_color => false,
        (Some(ColorArg::Always), _) | (None, Some("always")) => true,
        (Some(ColorArg::Never), _) | (None, Some("never")) => false,
        _ => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            file.is_none() && !refused && io::stdout().is_terminal()
        }
    };
    let options = report::Options {
        show_secrets: args.show_secrets,
        color,
        verbose: args.verbose,
        explain: args.explain,
        quiet: args.quiet,
    };
    let reporter = report::reporter(format, options);
    let result = match file {
        Some(path) => File::create(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            reporter.write(report, &mut out)?;
            out.flush()
        }),
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            reporter.write(report, &mut out).and_then(|()| out.flush())
        }
    };
    match result {
        // Nobody listens any more; the exit code still tells.
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe && file.is_none() => Ok(()),
        Err(why) => {
            let name = file.map_or("standard output".to_owned(), |path| path.display().to_string());
            Err(Error::new(format!("cannot write the report to {name}: {why}")))
        }
        Ok(()) => Ok(()),
    }
}
