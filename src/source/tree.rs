//! Walks directories in parallel and reads their files in the walker's own
//! threads: matching there measured 14 % faster than handing files on.
//! Large files wait until the walk is over and are then shared by all threads.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::file::{Reader, SEGMENT, Waiting, shrank};
use super::lines::FileLines;
use super::{Each, GitDir, Margins, Options, Tally, Target};
use crate::error::{Error, Result};
use crate::git;
use crate::model::{Origin, OriginKind, SkipReason, path_to_bytes};

pub(super) fn feed(
    options: &Options,
    margins: Margins,
    tally: &Tally,
    each: &Each<'_>,
) -> Result<Vec<GitDir>> {
    let globs = globs(options)?;
    let (large, repositories) = (Mutex::default(), Mutex::default());
    let run = Run { options, margins, tally, each, globs, large, repositories };
    let mut files = Vec::new();
    for (target, path) in options.targets.iter().enumerate() {
        let Target::Path(path) = path else { continue };
        if path.is_dir() { run.walk(target, path) } else { files.push((target, path.as_path())) }
    }
    run.feed_files(&files);
    run.feed_large();
    let found = run.repositories.into_inner();
    let mut found = found.unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort();
    Ok(found)
}

struct Run<'r> {
    options: &'r Options,
    margins: Margins,
    tally: &'r Tally,
    each: &'r Each<'r>,
    globs: Override,
    large: Mutex<Vec<Waiting>>,
    repositories: Mutex<Vec<GitDir>>,
}

impl Run<'_> {
    fn walk(&self, target: usize, root: &Path) {
        let shared: Arc<[u8]> = path_to_bytes(root).into();
        self.walker(root).run(|| {
            let mut reader = Reader::default();
            let shared = Arc::clone(&shared);
            Box::new(move |entry| match entry {
                Ok(entry) => self.visit(&entry, target, root, &shared, &mut reader),
                Err(why) => {
                    self.note_error(&why, root);
                    WalkState::Continue
                }
            })
        });
    }

    fn walker(&self, root: &Path) -> ignore::WalkParallel {
        let ignored = self.options.respect_gitignore;
        WalkBuilder::new(root)
            .standard_filters(false)
            .git_ignore(ignored)
            .git_exclude(ignored)
            .git_global(ignored)
            .parents(ignored)
            .require_git(false)
            .follow_links(self.options.follow_symlinks)
            .threads(self.options.threads.max(1))
            .build_parallel()
    }

    fn visit(
        &self,
        entry: &DirEntry,
        target: usize,
        root: &Path,
        shared: &Arc<[u8]>,
        reader: &mut Reader,
    ) -> WalkState {
        let path = entry.path();
        let origin = |root_bytes: &Arc<[u8]>| Origin {
            target,
            root: Arc::clone(root_bytes),
            path: path_to_bytes(path.strip_prefix(root).unwrap_or(path)).into(),
            kind: git_part(path),
            git: None,
        };
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        let skip = |reason| {
            self.tally.skip(reason, origin(shared).shown(), "");
            WalkState::Skip
        };
        if entry.depth() > 0 && !self.globs.is_empty() {
            let relative = path.strip_prefix(root).unwrap_or(path);
            if self.globs.matched(relative, kind.is_dir()).is_ignore() {
                return skip(SkipReason::Excluded);
            }
        }
        if let Some(git_dir) = git_dir_of_objects(path) {
            if !self.options.repositories {
                return skip(SkipReason::GitObjects);
            }
            // What else lies there is read like any file.
            self.found(target, git_dir);
            return WalkState::Continue;
        }
        if self.options.repositories && holds_objects(path) {
            return WalkState::Continue;
        }
        if kind.is_dir() {
            if self.options.repositories && lacks_objects(path) {
                let what = "the folder of its objects".to_owned();
                self.tally.skip(SkipReason::GitMissing, origin(shared).shown(), what);
            }
            return WalkState::Continue;
        }
        if kind.is_symlink() {
            return skip(SkipReason::Symlink);
        }
        if !kind.is_file() {
            return skip(SkipReason::Special);
        }
        if self.options.repositories && entry.file_name() == ".git" {
            match git::git_file(path) {
                Some(_) => self.found(target, path),
                None => self.tally.skip(SkipReason::GitElsewhere, origin(shared).shown(), ""),
            }
        }
        let origin = origin(shared);
        if let (Some(known), Ok(metadata)) = (&self.options.known, entry.metadata())
            && known.0(path, origin.shown(), &metadata)
        {
            self.tally.add_known(1);
            return WalkState::Continue;
        }
        self.read(path, origin, reader);
        WalkState::Continue
    }

    /// Notes a repository: its git directory, or a folder with a file `.git`.
    fn found(&self, target: usize, path: &Path) {
        let mut found = self.repositories.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.push(GitDir { target, path: path.to_path_buf() });
    }

    fn read(&self, path: &Path, origin: Origin, reader: &mut Reader) {
        let limit = self.options.max_file_size;
        if let Some(large) = reader.feed(path, origin, limit, self.margins, self.tally, self.each) {
            self.large.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(large);
        }
    }

    fn note_error(&self, why: &ignore::Error, root: &Path) {
        let (path, why) = unwrap_error(why, root.to_path_buf());
        let path = shown(&path);
        match why {
            ignore::Error::Loop { child, .. } => {
                self.tally.skip(SkipReason::LinkLoop, shown(child), "");
            }
            ignore::Error::Io(why) if why.kind() == std::io::ErrorKind::NotFound => {
                self.tally.skip(SkipReason::Vanished, path, why.to_string());
            }
            why => self.tally.skip(SkipReason::Unreadable, path, why.to_string()),
        }
    }

    /// Files that were named one by one.
    fn feed_files(&self, files: &[(usize, &Path)]) {
        self.on_threads(files.len(), |reader, at| {
            let (target, path) = files[at];
            let origin = Origin {
                target,
                root: path_to_bytes(path).into(),
                path: Box::default(),
                kind: OriginKind::File,
                git: None,
            };
            if self.globs.matched(path, false).is_ignore() {
                return self.tally.skip(SkipReason::Excluded, origin.shown(), "");
            }
            match path.metadata() {
                Ok(metadata) if !metadata.is_file() => self.tally.skip(
                    SkipReason::Unreadable,
                    origin.shown(),
                    "is a pipe, socket or device; feed it with `… | tokensweep scan -`",
                ),
                _ => self.read(path, origin, reader),
            }
        });
    }

    /// Large files, in segments that all threads share.
    fn feed_large(&self) {
        let large = std::mem::take(
            &mut *self.large.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for large in large.into_iter().filter_map(|waiting| waiting.open(self.tally)) {
            let lines = FileLines::new(&large.file);
            let segments = large.size.div_ceil(SEGMENT) as usize;
            let whole = AtomicUsize::new(0);
            self.on_threads(segments, |reader, at| {
                let start = at as u64 * SEGMENT;
                match reader.feed_segment(
                    &large,
                    &lines,
                    start,
                    self.margins,
                    self.tally,
                    self.each,
                ) {
                    Ok(_) => drop(whole.fetch_add(1, Ordering::Relaxed)),
                    Err(why) => {
                        self.tally.skip(
                            SkipReason::Unreadable,
                            large.origin.shown(),
                            why.to_string(),
                        );
                    }
                }
            });
            if shrank(&large.file, large.size) {
                let left = large.file.metadata().map_or(0, |now| now.len());
                let detail = format!("{left} of {} bytes were left", large.size);
                self.tally.skip(SkipReason::Truncated, large.origin.shown(), detail);
            } else if whole.into_inner() == segments {
                self.tally.add_file();
            }
        }
    }

    /// Runs `work` for each of `count` pieces on as many threads as there are.
    fn on_threads(&self, count: usize, work: impl Fn(&mut Reader, usize) + Sync) {
        let next = AtomicUsize::new(0);
        let turn = || {
            let mut reader = Reader::default();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return;
                }
                work(&mut reader, at);
            }
        };
        let threads = self.options.threads.clamp(1, count.max(1));
        std::thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(turn)));
            turn();
        });
    }
}

/// Which paths of a repository are left out: as in a walk, where a folder that
/// is left out takes all below it along.
pub struct Filter(Override);

impl Filter {
    /// The filter of `--include` and `--exclude`.
    ///
    /// # Errors
    /// A glob that is none.
    pub fn new(options: &Options) -> Result<Self> {
        globs(options).map(Self)
    }

    /// True if a file at this path is left out.
    pub fn leaves_out(&self, path: &Path) -> bool {
        let folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        !self.0.is_empty()
            && (self.0.matched(path, false).is_ignore()
                || folders.into_iter().any(|folder| self.0.matched(folder, true).is_ignore()))
    }
}

fn globs(options: &Options) -> Result<Override> {
    let wrong = |glob: &str, why: ignore::Error| {
        Error::new(format!("{glob:?} is no valid glob: {why}"))
            .hint("quote it, and write `\\` before a bracket that is meant as such")
    };
    let mut builder = OverrideBuilder::new("");
    for glob in &options.include {
        builder.add(glob).map_err(|why| wrong(glob, why))?;
    }
    for glob in &options.exclude {
        builder.add(&format!("!{glob}")).map_err(|why| wrong(glob, why))?;
    }
    builder.build().map_err(|why| wrong("", why))
}

/// A path of the walker as [`Origin::shown`] shows it.
fn shown(path: &Path) -> Vec<u8> {
    let below = path.strip_prefix(".").ok().filter(|below| !below.as_os_str().is_empty());
    path_to_bytes(below.unwrap_or(path))
}

/// The path and the cause of an error of the walker.
fn unwrap_error(why: &ignore::Error, path: PathBuf) -> (PathBuf, &ignore::Error) {
    match why {
        ignore::Error::WithPath { path, err } => unwrap_error(err, path.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            unwrap_error(err, path)
        }
        why => (path, why),
    }
}

/// The git directory whose `objects` this is: packs and loose objects, which
/// are compressed and hold nothing that a search of bytes could see.
fn git_dir_of_objects(path: &Path) -> Option<&Path> {
    let git_dir =
        path.parent().filter(|_| path.file_name().is_some_and(|name| name == "objects"))?;
    git::is_git_dir(git_dir).then_some(git_dir)
}

/// True for a file of an object store that those read who know how: an object,
/// a pack, an index of either.
fn holds_objects(path: &Path) -> bool {
    if !mentions(path, b"objects") {
        return false;
    }
    let objects = path.ancestors().skip(1).find(|above| above.ends_with("objects"));
    let Some(objects) = objects.filter(|_| !path.is_dir()) else { return false };
    let below = path.strip_prefix(objects).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let hex = |name: &str| name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let known = match parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..] {
        [folder, name] if folder.len() == 2 => matches!(name.len(), 38 | 62) && hex(name),
        ["pack", name] => {
            let ending = name.rsplit('.').next();
            let known = ["pack", "idx", "rev", "bitmap", "mtimes"];
            name.starts_with("tmp_pack_")
                || name.starts_with("multi-pack-index")
                || ending.is_some_and(|ending| known.contains(&ending))
        }
        ["info", name, ..] => name.starts_with("commit-graph"),
        _ => false,
    };
    known && git_dir_of_objects(objects).is_some()
}

/// True if a word stands in a path: a cheap test before it is taken apart.
fn mentions(path: &Path, word: &[u8]) -> bool {
    memchr::memmem::find(path.as_os_str().as_encoded_bytes(), word).is_some()
}

/// True for a git directory whose objects are gone.
fn lacks_objects(path: &Path) -> bool {
    let named = path.file_name().is_some_and(|name| name == ".git");
    named && path.join("HEAD").is_file() && !path.join("objects").exists() && !git::is_git_dir(path)
}

/// What a file is to the repository whose git directory it lies in, if it lies
/// in one.
fn git_part(path: &Path) -> OriginKind {
    if !mentions(path, b"logs") && !mentions(path, b"config") {
        return OriginKind::File;
    }
    let is = |folder: Option<&Path>| folder.is_some_and(git::is_git_dir);
    if path.file_name().is_some_and(|name| name == "config" || name == "config.worktree") {
        return if is(path.parent()) { OriginKind::GitConfig } else { OriginKind::File };
    }
    let logs = path.ancestors().find(|above| above.file_name().is_some_and(|name| name == "logs"));
    if is(logs.and_then(Path::parent)) { OriginKind::GitReflog } else { OriginKind::File }
}
