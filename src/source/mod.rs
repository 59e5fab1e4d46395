//! Yields blobs, on its own threads: directories in parallel, files, standard
//! input. Nothing here knows what is looked for.

mod file;
mod lines;
mod stream;
mod tree;
mod window;

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::error::{Error, Result};
use crate::model::{Blob, Coverage, Origin, Skip, SkipReason};

pub use tree::Filter;
pub use window::{Margins, WINDOW};

/// Something to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file or directory.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

/// What to read and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What to scan, in the order in which it is reported.
    pub targets: Vec<Target>,
    /// Leave out what git ignores.
    pub respect_gitignore: bool,
    /// Only files that match one of these globs, if there are any. A glob
    /// without `/` matches a name anywhere.
    pub include: Vec<String>,
    /// Leave out files and directories that match one of these globs.
    pub exclude: Vec<String>,
    /// Leave out files larger than this, in bytes.
    pub max_file_size: Option<u64>,
    /// Follow symbolic links.
    pub follow_symlinks: bool,
    /// Leave the objects of git repositories to those who know how to read
    /// them, and say where they are.
    pub repositories: bool,
    /// Files that need not be read again.
    pub known: Option<Known>,
    /// Threads to read and search with; at least one.
    pub threads: usize,
}

/// Tells files that need not be read again: asked with the file's path, the
/// path as it is shown, and what the system says of the file.
#[derive(Clone)]
pub struct Known(pub Arc<KnowsFile>);

/// The question that [`Known`] asks.
pub type KnowsFile = dyn Fn(&std::path::Path, Vec<u8>, &std::fs::Metadata) -> bool + Send + Sync;

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

/// A git repository that lies in a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitDir {
    /// Place of the target in the list.
    pub target: usize,
    /// The git directory, or the file `.git` that names it.
    pub path: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            respect_gitignore: false,
            include: Vec::new(),
            exclude: Vec::new(),
            max_file_size: None,
            follow_symlinks: false,
            repositories: false,
            known: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Counts what is looked at while it happens; may be watched from another
/// thread.
#[derive(Debug, Default)]
pub struct Tally {
    files: AtomicU64,
    objects: AtomicU64,
    known: AtomicU64,
    bytes: AtomicU64,
    skipped: Mutex<Vec<Skip>>,
}

impl Tally {
    /// Files and streams that were read to their end, so far.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Objects of repositories that were searched, so far.
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// Bytes that were searched, so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that something is not looked at.
    pub fn skip(&self, reason: SkipReason, path: Vec<u8>, detail: impl Into<String>) {
        let skip = Skip { reason, path, detail: detail.into() };
        self.skipped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(skip);
    }

    /// What was looked at, in an order that does not depend on threads.
    pub fn coverage(&self) -> Coverage {
        let mut skipped =
            self.skipped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        skipped.sort();
        Coverage {
            files: self.files(),
            objects: self.objects(),
            known: self.known.load(Ordering::Relaxed),
            bytes: self.bytes(),
            skipped,
        }
    }

    /// Counts objects of a repository that were read and searched, and their
    /// bytes.
    pub fn add_objects(&self, objects: u64, bytes: u64) {
        self.objects.fetch_add(objects, Ordering::Relaxed);
        self.add_bytes(bytes);
    }

    /// Counts files and objects that an earlier run has searched.
    pub fn add_known(&self, known: u64) {
        self.known.fetch_add(known, Ordering::Relaxed);
    }

    fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn add_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

/// What every source pushes its blobs into; called from several threads.
pub type Each<'e> = dyn Fn(&Blob<'_>) + Sync + 'e;

/// Reads all targets and gives their bytes to `each`. Returns the repositories
/// that lie in them, if that was asked for.
///
/// What cannot be read is noted in `tally`; the rest goes on. `margins` says
/// how far beyond the fresh part of a blob its searcher looks; `stdin` is read
/// if it is one of the targets.
///
/// # Errors
/// A target that does not exist; a glob that is none.
pub fn feed(
    options: &Options,
    margins: Margins,
    stdin: &mut dyn Read,
    tally: &Tally,
    each: &Each<'_>,
) -> Result<Vec<GitDir>> {
    let missing: Vec<String> = options
        .targets
        .iter()
        .filter_map(|target| match target {
            Target::Path(path) if path.symlink_metadata().is_err_and(is_missing) => {
                Some(format!("{:?}", path.display().to_string()))
            }
            _ => None,
        })
        .collect();
    if !missing.is_empty() {
        return Err(Error::new(format!("there is no {}", missing.join(", no ")))
            .hint("check the spelling; `-` reads standard input"));
    }
    let repositories = tree::feed(options, margins, tally, each)?;
    let stdin_at = options.targets.iter().position(|target| *target == Target::Stdin);
    if let Some(target) = stdin_at {
        stream::feed_stdin(target, margins, stdin, tally, each);
    }
    Ok(repositories)
}

/// Gives a stream of any size to `each`, window by window.
///
/// A stream that fails is noted in `tally`; what came before is given.
pub fn feed_stream(
    input: &mut dyn Read,
    origin: &Arc<Origin>,
    margins: Margins,
    tally: &Tally,
    each: &Each<'_>,
) {
    stream::feed(input, origin, margins, &mut Vec::new(), tally, each);
}

fn is_missing(why: std::io::Error) -> bool {
    matches!(why.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
