//! What is staged, and what is changed and not staged.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use gix::ObjectId;
use gix::index::entry::{Flags, Mode, stat};
use gix::index::fs::Metadata;
use gix::objs::{Kind, TreeRefIter};

use super::Changes;
use super::brought::Brought;
use super::commit::Commit;
use super::revision::Names;
use crate::error::{Error, Result};
use crate::git::Repository;
use crate::git::store::Reader;
use crate::model::{Held, Skip, SkipReason, path_from_bytes, path_to_bytes};

/// Larger files are not compared with what is staged: they count as changed
/// once their times do.
const COMPARED: u64 = 64 << 20;

/// The blobs that are staged and that HEAD has not at the same path: those of
/// all sides of a conflict too. `index` is used instead of the index of the
/// work tree, as git asks of its hooks.
pub fn staged(repository: &Repository, index: Option<&Path>) -> Changes {
    let mut changes = Changes::default();
    let Some(index) = open(repository, index, &mut changes.gaps) else { return changes };
    let mut head = Head::new(repository);
    let mut brought = Brought::new(repository);
    for entry in index.entries() {
        let path: &[u8] = entry.path(&index);
        if entry.mode == Mode::COMMIT || entry.flags.contains(Flags::INTENT_TO_ADD) {
            continue;
        }
        let folder = path.strip_suffix(b"/").unwrap_or(path);
        let before = head.entry(folder);
        if entry.mode == Mode::DIR {
            // A folder that is not checked out, as one entry.
            let others: Vec<ObjectId> = before.into_iter().collect();
            brought.tree_at(None, entry.id, [folder, b"/"].concat(), &others);
        } else if before != Some(entry.id) {
            brought.blob(entry.id, path, None);
        }
    }
    let (mut blobs, gaps) = brought.finish();
    blobs.iter_mut().for_each(|blob| blob.held = Some(Held::Index));
    changes.blobs = blobs;
    changes.gaps.extend(gaps);
    changes
}

/// The tracked files whose content is not what is staged. What was deleted is
/// none of them, and what is not tracked neither.
///
/// # Errors
/// A repository without a work tree.
pub fn unstaged(repository: &Repository) -> Result<Changes> {
    let Some(root) = &repository.layout.work_tree else {
        return Err(Error::new("a bare repository has no files that could be changed")
            .hint("--range and --branch search its commits"));
    };
    let mut changes = Changes::default();
    let Some(index) = open(repository, None, &mut changes.gaps) else { return Ok(changes) };
    let mut safe = Safe { root: root.clone(), last: None };
    for entry in index.entries() {
        if matches!(entry.mode, Mode::COMMIT | Mode::DIR) {
            continue;
        }
        let relative = path_from_bytes(entry.path(&index)).into_owned();
        if changes.files.last() == Some(&relative) || !safe.is_inside(&relative) {
            continue;
        }
        let path = root.join(&relative);
        let Ok(metadata) = Metadata::from_path_no_follow(&path) else { continue };
        let same = stat::Options::default();
        let clean = gix::index::entry::Stat::from_fs(&metadata).is_ok_and(|now| {
            entry.stat.matches(&now, same) && !entry.stat.is_racy(index.timestamp(), same)
        });
        if clean || metadata.is_dir() {
            continue;
        }
        if metadata.is_symlink() {
            changes.gaps.push(Skip {
                reason: SkipReason::Symlink,
                path: path_to_bytes(&relative),
                detail: String::new(),
            });
        } else if metadata.len() > COMPARED || !holds(&path, &metadata, &entry.id) {
            changes.files.push(relative);
        }
    }
    Ok(changes)
}

/// True if a file has the content that a blob's name stands for.
fn holds(path: &Path, metadata: &Metadata, id: &ObjectId) -> bool {
    metadata.is_file()
        && crate::git::store::read(path).is_ok_and(|bytes| {
            gix::objs::compute_hash(id.kind(), Kind::Blob, &bytes).is_ok_and(|made| made == *id)
        })
}

/// Opens an index; `None` if there is none, and with a note if it is broken.
fn open(
    repository: &Repository,
    index: Option<&Path>,
    gaps: &mut Vec<Skip>,
) -> Option<gix::index::File> {
    let path = index.map_or_else(|| repository.layout.git_dir.join("index"), Path::to_path_buf);
    // Whoever opened a pipe here would wait for ever.
    let opened = match path.metadata() {
        Ok(metadata) if metadata.is_file() => {
            let options = gix::index::decode::Options::default();
            gix::index::File::at(&path, repository.form.hash, true, options)
                .map_err(|why| why.to_string())
        }
        Ok(_) => Err("no regular file".to_owned()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return None,
        Err(why) => Err(why.to_string()),
    };
    opened
        .map_err(|detail| {
            let path = path_to_bytes(&path);
            gaps.push(Skip { reason: SkipReason::GitCorrupt, path, detail });
        })
        .ok()
}

/// The tree of HEAD, each folder read when it is asked for.
struct Head<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    root: Option<ObjectId>,
    folders: HashMap<ObjectId, HashMap<Box<[u8]>, ObjectId>>,
}

impl<'r> Head<'r> {
    /// A HEAD that leads nowhere, or nowhere that can be read, has no files.
    fn new(repository: &'r Repository) -> Self {
        let mut reader = repository.store.reader();
        let root = Names::open(repository).head().and_then(|id| {
            let (_, bytes) = reader.read(&id).ok()??;
            Some(Commit::parse(&bytes, repository.form.hash)?.tree)
        });
        Self { repository, reader, root, folders: HashMap::new() }
    }

    /// Name of what stands at a path.
    fn entry(&mut self, path: &[u8]) -> Option<ObjectId> {
        let mut id = self.root?;
        for name in path.split(|&b| b == b'/') {
            id = *self.folder(id).get(name)?;
        }
        Some(id)
    }

    fn folder(&mut self, id: ObjectId) -> &HashMap<Box<[u8]>, ObjectId> {
        let (reader, hash) = (&mut self.reader, self.repository.form.hash);
        self.folders.entry(id).or_insert_with(|| match reader.read(&id) {
            Ok(Some((Kind::Tree, bytes))) => TreeRefIter::from_bytes(&bytes, hash)
                .map_while(std::result::Result::ok)
                // What a commit of another repository stands for was not searched.
                .filter(|entry| !entry.mode.is_commit())
                .map(|entry| (Box::from(&**entry.filename), entry.oid.to_owned()))
                .collect(),
            _ => HashMap::new(),
        })
    }
}

/// Tells which paths of an index lead into the work tree, and not through a
/// link or by `..` to somewhere else.
struct Safe {
    root: PathBuf,
    /// The folder that was asked for last, and the answer.
    last: Option<(PathBuf, bool)>,
}

impl Safe {
    fn is_inside(&mut self, relative: &Path) -> bool {
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        let folder = relative.parent().unwrap_or(Path::new(""));
        if !plain || relative.as_os_str().is_empty() {
            return false;
        }
        if let Some((last, answer)) = &self.last
            && last == folder
        {
            return *answer;
        }
        let above = folder.ancestors().filter(|part| !part.as_os_str().is_empty());
        let answer = above.into_iter().all(|part| {
            self.root.join(part).symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
        });
        self.last = Some((folder.to_path_buf(), answer));
        answer
    }
}
