//! Searches what a range of a repository's history brings.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::{Options, Scanner};
use crate::error::{Error, Result};
use crate::git::{self, Changes, Layout, NewBlob, NewCommit, ObjectId, Repository};
use crate::model::{
    Blob, Held, Origin, OriginKind, Provenance, Report, SkipReason, path_from_bytes, path_to_bytes,
};
use crate::source::{self, Filter, Tally, Target};

/// Fewer pieces than this are not worth another thread.
const WORTH_A_THREAD: usize = 16;

/// Scans a range of the repository that the target lies in.
pub(super) fn scan(options: &Options, range: &git::Range, tally: &Tally) -> Result<Report> {
    let folder = match options.source.targets.as_slice() {
        [] => Path::new("."),
        [Target::Path(path)] => path,
        _ => {
            return Err(Error::new("a range is searched in one repository at a time")
                .hint("name no target, or one folder"));
        }
    };
    if !folder.exists() {
        return Err(Error::new(format!("there is no {:?}", folder.display().to_string())));
    }
    let layout = Layout::around(folder).ok_or_else(|| {
        Error::new(format!("{:?} is in no git repository", folder.display().to_string()))
            .hint("go to the repository, or name its folder")
    })?;
    let repository = Repository::open(&layout, &[]);
    let changes = git::changes_of(&repository, range)?;
    scan_changes(options, &repository, &changes, tally)
}

/// Scans what a range brings: commits and tags themselves, and contents of
/// files as a whole.
///
/// # Errors
/// Rules or suppressions that cannot be loaded, globs that are none.
pub fn scan_changes(
    options: &Options,
    repository: &Repository,
    changes: &Changes,
    tally: &Tally,
) -> Result<Report> {
    let started = Instant::now();
    let scanner = Scanner::new(options)?;
    let root = root(options, repository);
    let filter = Filter::new(&options.source)?;
    let search = Search { scanner: &scanner, options, repository, changes, tally, root, filter };
    for gap in repository.gaps.iter().chain(&changes.gaps) {
        tally.skip(gap.reason, gap.path.clone(), gap.detail.as_str());
    }
    search.objects()?;
    search.names();
    search.files()?;
    let mut report = scanner.finish();
    report.coverage = tally.coverage();
    report.empty_range = changes.is_empty();
    report.elapsed = started.elapsed();
    Ok(report)
}

/// The folder that paths are relative to, as a user would name it from where
/// they are.
fn root(options: &Options, repository: &Repository) -> Arc<[u8]> {
    let layout = &repository.layout;
    let folder = layout.work_tree.as_ref().unwrap_or(&layout.git_dir);
    let same = |path: &Path| path.canonicalize().ok() == folder.canonicalize().ok();
    let here = Path::new(".");
    let named = options.source.targets.iter().find_map(|target| match target {
        Target::Path(path) if same(path) => Some(path.as_path()),
        _ => None,
    });
    let root = if same(here) { here } else { named.unwrap_or(folder) };
    path_to_bytes(root).into()
}

struct Search<'s> {
    scanner: &'s Scanner,
    options: &'s Options,
    repository: &'s Repository,
    changes: &'s Changes,
    tally: &'s Tally,
    root: Arc<[u8]>,
    filter: Filter,
}

/// One object to search.
#[derive(Clone, Copy)]
enum Piece<'s> {
    Commit(&'s NewCommit),
    Tag(&'s ObjectId),
    Blob(&'s NewBlob),
}

impl Search<'_> {
    /// Searches commits, tags and blobs.
    fn objects(&self) -> Result<()> {
        let commits = self.changes.commits.iter().map(Piece::Commit);
        let tags = self.changes.tags.iter().map(Piece::Tag);
        let blobs = self.changes.blobs.iter().map(Piece::Blob);
        let pieces: Vec<Piece<'_>> = commits.chain(tags).chain(blobs).collect();
        let threads = self.options.source.threads.min(pieces.len() / WORTH_A_THREAD);
        let reader = || self.repository.store.reader();
        if threads < 2 {
            let mut reader = reader();
            pieces.iter().for_each(|piece| self.piece(&mut reader, *piece));
            return Ok(());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|why| Error::new(format!("cannot start threads: {why}")))?.install(|| {
            pieces.par_iter().for_each_init(reader, |reader, piece| self.piece(reader, *piece));
        });
        Ok(())
    }

    /// Searches the names of refs.
    fn names(&self) {
        for name in &self.changes.names {
            let path = [b"ref/", &**name].concat();
            let origin = self.origin(OriginKind::GitRef, path, Provenance::default());
            self.scanner.scan_tallied(&Blob::whole(&Arc::new(origin), name), self.tally);
        }
    }

    fn piece(&self, reader: &mut git::Reader<'_>, piece: Piece<'_>) {
        let (id, origins) = match piece {
            Piece::Commit(commit) => {
                let path = format!("commit/{}", commit.id).into_bytes();
                let git = self.provenance(&commit.id, Some(commit), None);
                (&commit.id, vec![self.origin(OriginKind::GitCommit, path, git)])
            }
            Piece::Tag(id) => {
                let path = format!("tag/{id}").into_bytes();
                let git = self.provenance(id, None, None);
                (id, vec![self.origin(OriginKind::GitTag, path, git)])
            }
            Piece::Blob(blob) => (&blob.id, self.places(blob)),
        };
        let Some(first) = origins.first() else { return };
        let skip = |reason, detail: String| self.tally.skip(reason, first.shown(), detail);
        let bytes = match reader.read(id) {
            Ok(Some((_, bytes))) => bytes,
            Ok(None) => {
                return skip(SkipReason::GitMissing, format!("object {id} is not there"));
            }
            Err(why) => return skip(SkipReason::GitCorrupt, format!("object {id}: {why}")),
        };
        let limit = self.options.source.max_file_size;
        let is_blob = matches!(piece, Piece::Blob(_));
        if limit.is_some_and(|limit| is_blob && bytes.len() as u64 > limit) {
            return skip(SkipReason::TooLarge, format!("{} bytes", bytes.len()));
        }
        self.tally.add_objects(1, bytes.len() as u64);
        for origin in origins {
            self.scanner.scan_tallied(&Blob::whole(&Arc::new(origin), &bytes), self.tally);
        }
    }

    /// The places of a blob that are not left out.
    fn places(&self, blob: &NewBlob) -> Vec<Origin> {
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for place in &blob.places {
            let commit = place.commit.and_then(|at| self.changes.commits.get(at));
            let git = self.provenance(&blob.id, commit, blob.held);
            let origin = self.origin(OriginKind::GitBlob, place.path.to_vec(), git);
            let out = self.filter.leaves_out(&path_from_bytes(&place.path));
            if out { left_out.push(origin) } else { kept.push(origin) }
        }
        if kept.is_empty() {
            for origin in left_out {
                self.tally.skip(SkipReason::Excluded, origin.shown(), "");
            }
        }
        kept
    }

    fn origin(&self, kind: OriginKind, path: Vec<u8>, git: Provenance) -> Origin {
        let root = Arc::clone(&self.root);
        Origin { target: 0, root, path: path.into(), kind, git: Some(Box::new(git)) }
    }

    fn provenance(
        &self,
        object: &ObjectId,
        commit: Option<&NewCommit>,
        held: Option<Held>,
    ) -> Provenance {
        Provenance {
            object: Some(object.to_string()),
            commit: commit.map(|commit| commit.id.to_string()),
            time: commit.map(|commit| commit.time),
            author: commit.map(|commit| commit.author.clone()),
            refs: self.changes.refs.clone(),
            unreachable: held,
            in_head: None,
        }
    }

    /// Searches changed files of the work tree as they are.
    fn files(&self) -> Result<()> {
        let Some(top) = &self.repository.layout.work_tree else { return Ok(()) };
        let (left_out, kept): (Vec<_>, Vec<_>) =
            self.changes.files.iter().partition(|path| self.filter.leaves_out(path));
        let origin = |path: &Path| Origin {
            target: 0,
            root: Arc::clone(&self.root),
            path: path_to_bytes(path).into(),
            kind: OriginKind::File,
            git: None,
        };
        for path in left_out {
            self.tally.skip(SkipReason::Excluded, origin(path).shown(), "");
        }
        let options = source::Options {
            targets: kept.iter().map(|path| Target::Path(top.join(path))).collect(),
            include: Vec::new(),
            exclude: Vec::new(),
            ..self.options.source.clone()
        };
        let margins = self.scanner.margins();
        source::feed(&options, margins, &mut std::io::empty(), self.tally, &|blob| {
            let Some(path) = kept.get(blob.origin.target) else { return };
            let origin = Arc::new(origin(path));
            self.scanner.scan_tallied(&Blob { origin: &origin, ..*blob }, self.tally);
        })?;
        Ok(())
    }
}
