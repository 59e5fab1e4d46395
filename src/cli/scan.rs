//! `tokensweep scan`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::ScanArgs;
use super::progress::Progress;
use super::{ARMED, CLEAN, INCOMPLETE, asking};
use crate::config::{self, Settings};
use crate::error::{Error, Result};
use crate::model::radius::Response;
use crate::model::{FingerprintKey, Report};
use crate::pipeline;
use crate::report::{self, Format};
use crate::rules::Selection;
use crate::source::{self, Tally, Target};
use crate::{git, suppress, verify};

/// Environment variable with the fingerprints' key.
const KEY_VARIABLE: &str = "TOKENSWEEP_FINGERPRINT_KEY";

pub(super) fn run(args: &ScanArgs) -> Result<u8> {
    if let (Some(flag), false) = (args.network.asks_for_more(), args.validate) {
        return Err(Error::new(format!("{flag} does nothing without --validate"))
            .hint("give both, or leave it out: a plain scan asks nobody"));
    }
    let targets = targets(&args.paths);
    let settings = config::load(args.config.as_deref(), &targets, !args.no_ignore)?;
    let options = options(args, &settings, targets);
    let format = args.output.format_without_graph(&settings)?;
    args.output.prepare(&args.paths)?;
    if args.validate {
        args.network.check()?;
    }
    let tally = Arc::new(Tally::default());
    let progress = Progress::watch(&tally, !args.output.quiet);
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
    if args.validate {
        let door = asking::validate(&mut report, &args.network, args.output.quiet)?;
        if let Some(code) = asking::rehearsed(door, &report)? {
            return Ok(code);
        }
    }
    args.output.write(settings, format, args.explain, &report)?;
    if report.response.as_deref().is_some_and(Response::armed) {
        return Ok(ARMED);
    }
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
        key: fingerprint_key(),
        explain: args.explain,
        portable: args.portable,
    }
}

/// The key that the user set, or the public one.
pub(super) fn fingerprint_key() -> FingerprintKey {
    std::env::var_os(KEY_VARIABLE)
        .filter(|key| !key.is_empty())
        .map_or_else(FingerprintKey::default, |key| FingerprintKey::new(key.as_encoded_bytes()))
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
