//! What a hook does when git calls it: finds out what is new, has it searched,
//! and says what came of it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use gix::ObjectId;

use super::push::{self, Known, Update};
use super::{Kind, refs, words};
use crate::error::{Error, Result};
use crate::git::{self, Changes, Layout, Range, Repository};
use crate::model::{Blob, Origin, OriginKind, Report};
use crate::pipeline::{self, Scanner};
use crate::source::Tally;

/// The call of a hook, as git makes it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Which hook.
    pub kind: Kind,
    /// What git names on its command line.
    pub arguments: &'a [OsString],
    /// All of standard input; `None` if nothing is connected to it.
    pub stdin: Option<&'a [u8]>,
    /// What to look for, and what not to report.
    pub options: &'a pipeline::Options,
    /// The settings files that `options` are made of.
    pub settings: &'a [PathBuf],
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Secrets were found: what was to happen must not.
    pub found: bool,
    /// Something could not be looked at, or nothing was because the settings
    /// leave it all out: what was to happen must not either.
    pub incomplete: bool,
    /// What there is to say: one line if all is well.
    pub words: String,
}

/// What a push is about.
pub(super) struct Push {
    pub(super) updates: Vec<Update>,
    pub(super) wanted: Vec<ObjectId>,
    pub(super) known: Vec<ObjectId>,
    /// True if git named no ref, and all that the remote may lack is searched.
    pub(super) everything: bool,
    /// True if what was known of the remote is out of date, and does not count.
    pub(super) stale: bool,
}

/// Everything that the words of an outcome are made of.
pub(super) struct Findings<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) repository: Option<&'a Repository>,
    pub(super) push: Option<&'a Push>,
    pub(super) changes: &'a Changes,
    pub(super) report: &'a Report,
}

/// Runs a hook.
///
/// # Errors
/// What git says makes no sense or is missing, there is no repository, or what
/// a scan needs cannot be loaded. The hook has to refuse then.
pub fn run(call: &Call<'_>) -> Result<Outcome> {
    let started = Instant::now();
    if call.kind == Kind::CommitMsg {
        return message(call, started);
    }
    let mut repository = Repository::open(&here()?, &folders());
    // What is wrong elsewhere in the repository does not concern this push;
    // what it needs and cannot be read is a gap of its own.
    repository.gaps.clear();
    let push = match call.kind {
        Kind::PrePush | Kind::PreReceive => Some(pushed(call, &repository)?),
        Kind::PreCommit | Kind::CommitMsg => None,
    };
    let mut changes = match &push {
        Some(push) => git::changes(&repository, &push.wanted, &push.known),
        None => staged(&repository),
    };
    let made = push.iter().flat_map(|push| &push.updates).filter(|update| update.new.is_some());
    changes.names = made.map(|update| update.remote.as_slice().into()).collect();
    let tally = Tally::default();
    let mut report = pipeline::scan_changes(call.options, &repository, &changes, &tally)?;
    note_settings(call, &mut report);
    report.elapsed = started.elapsed();
    let (repository, push) = (Some(&repository), push.as_ref());
    Ok(words::outcome(&Findings { call, repository, push, changes: &changes, report: &report }))
}

/// The repository that git runs the hook for.
fn here() -> Result<Layout> {
    let named = env::var_os("GIT_DIR").filter(|folder| !folder.is_empty());
    let around = Layout::around(Path::new("."));
    let found = match &named {
        Some(folder) => Path::new(folder).canonicalize().ok().and_then(|path| {
            // Only the way from the work tree tells where that lies.
            around.filter(|layout| layout.git_dir == path).or_else(|| Layout::at(&path))
        }),
        None => around,
    };
    found.ok_or_else(|| {
        let place = named.map_or("here".to_owned(), |path| format!("at {}", path.display()));
        Error::new(format!("there is no git repository {place}"))
            .hint("run it in a repository, as git runs a hook")
    })
}

/// Where git keeps objects besides: in a push that has not been accepted yet,
/// they lie in a folder of their own.
fn folders() -> Vec<PathBuf> {
    let single =
        ["GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"].into_iter().filter_map(env::var_os);
    let lists = env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES");
    let lists: Vec<PathBuf> = lists.iter().flat_map(env::split_paths).collect();
    let mut folders: Vec<PathBuf> = single.map(PathBuf::from).chain(lists).collect();
    folders.retain(|folder| !folder.as_os_str().is_empty());
    folders
}

/// What is about to be committed, from the index that git names: that of
/// `git commit -a` or of a part is another one than usual.
fn staged(repository: &Repository) -> Changes {
    let index = env::var_os("GIT_INDEX_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    git::staged(repository, index.as_deref())
}

/// What a push brings, and what the other side has.
fn pushed(call: &Call<'_>, repository: &Repository) -> Result<Push> {
    let Some(input) = call.stdin.filter(|input| !input.trim_ascii().is_empty()) else {
        return unnamed(call, repository);
    };
    let updates = push::updates(call.kind, input)?;
    let Known { ids: known, stale } = match call.kind {
        Kind::PreReceive => Known { ids: refs::below(repository, ""), stale: false },
        _ => push::known(repository, remote(call).as_deref(), &updates),
    };
    let wanted = updates.iter().filter_map(|update| update.new).collect();
    Ok(Push { updates, wanted, known, everything: false, stale })
}

/// A push of which git, or who stands between it and us, names no ref.
fn unnamed(call: &Call<'_>, repository: &Repository) -> Result<Push> {
    let remote = remote(call);
    let mut known = push::known(repository, remote.as_deref(), &[]).ids;
    let (updates, stale) = (Vec::new(), false);
    if let Some(range) = framework(call) {
        let ends = git::resolve(repository, &range)?;
        known.extend(ends.known);
        return Ok(Push { updates, wanted: ends.wanted, known, everything: false, stale });
    }
    if call.kind == Kind::PreReceive || call.stdin.is_none() && !under_framework(call) {
        return Err(nobody_told(call));
    }
    // Git has nothing to push, or somebody has read its lines before us: what
    // the remote may lack is searched, whatever was meant.
    let mut wanted = refs::below(repository, "refs/heads/");
    wanted.extend(refs::below(repository, "refs/tags/"));
    wanted.extend(refs::head(repository).1);
    if wanted.is_empty() {
        return Err(nobody_told(call));
    }
    Ok(Push { updates, wanted, known, everything: true, stale })
}

fn nobody_told(call: &Call<'_>) -> Error {
    let name = call.kind.name();
    Error::new("nobody told on standard input what this push is about, so it was not looked at")
        .hint(format!(
            "let {name} hand on its standard input: `use_stdin: true` under lefthook, nothing that \
             reads it before `tokensweep hook run {name} \"$@\"` in a script"
        ))
}

/// The remote's name or address.
fn remote(call: &Call<'_>) -> Option<Vec<u8>> {
    let named = call.arguments.first().cloned();
    let named = named.or_else(|| env::var_os("PRE_COMMIT_REMOTE_NAME"));
    named.filter(|_| call.kind == Kind::PrePush).map(|name| name.as_encoded_bytes().to_vec())
}

fn under_framework(call: &Call<'_>) -> bool {
    call.kind == Kind::PrePush && env::var_os("PRE_COMMIT_REMOTE_NAME").is_some()
}

/// What the pre-commit framework tells instead of git's lines.
fn framework(call: &Call<'_>) -> Option<Range> {
    let name = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let (from, to) = name("PRE_COMMIT_FROM_REF").zip(name("PRE_COMMIT_TO_REF"))?;
    (call.kind == Kind::PrePush).then(|| Range::Between(format!("{from}..{to}")))
}

/// Searches the message of a commit that is being made.
fn message(call: &Call<'_>, started: Instant) -> Result<Outcome> {
    let file = call.arguments.first().map(PathBuf::from).ok_or_else(|| {
        Error::new("no file with the message of the commit was named")
            .hint("tokensweep hook run commit-msg .git/COMMIT_EDITMSG")
    })?;
    let text = std::fs::read(&file).map_err(|why| {
        Error::new(format!("cannot read the message of the commit in {}: {why}", file.display()))
    })?;
    let text = above_scissors(&text);
    let scanner = Scanner::new(call.options)?;
    scan(&scanner, OriginKind::File, file.as_os_str().as_encoded_bytes(), text);
    let mut report = scanner.finish();
    report.coverage.files = 1;
    report.coverage.bytes = text.len() as u64;
    note_settings(call, &mut report);
    report.elapsed = started.elapsed();
    let changes = Changes::default();
    let findings =
        Findings { call, repository: None, push: None, changes: &changes, report: &report };
    Ok(words::outcome(&findings))
}

/// Names the files that had a say in what was looked at.
fn note_settings(call: &Call<'_>, report: &mut Report) {
    report.settings = call.settings.iter().map(|path| path.display().to_string()).collect();
}

/// The message without what `git commit --verbose` shows below it. Without
/// an editor git keeps a line of scissors, and what a person wrote below it.
fn above_scissors(text: &[u8]) -> &[u8] {
    const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";
    let mut at = 0;
    for line in text.split_inclusive(|&b| b == b'\n') {
        // Before it stands the character that begins a comment.
        if line.trim_ascii_end().ends_with(SCISSORS) && line.len() < SCISSORS.len() + 8 {
            let shown = text[at..].split(|&b| b == b'\n').any(|l| l.starts_with(b"diff --git "));
            return if shown { &text[..at] } else { text };
        }
        at += line.len();
    }
    text
}

fn scan(scanner: &Scanner, kind: OriginKind, path: &[u8], bytes: &[u8]) {
    let origin = Origin { target: 0, root: b"."[..].into(), path: path.into(), kind, git: None };
    scanner.scan(&Blob::whole(&Arc::new(origin), bytes));
}
