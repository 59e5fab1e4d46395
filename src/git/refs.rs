//! What leads into a repository's objects: refs, the heads of work trees, the
//! histories of refs, and indexes.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;
use gix::index::entry::{Flags, Mode};
use gix::refs::Target;

use super::repository::Repository;
use super::store;
use crate::model::{Skip, SkipReason, path_from_bytes, path_to_bytes};

/// Something that leads to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) way: Way,
    pub(crate) target: ObjectId,
}

/// How a tip leads to its object; what is told first is told of an object that
/// several lead to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// A ref or the head of a work tree, by its full name.
    Ref(Arc<[u8]>),
    /// The stash, or what its history says was once there.
    Stash,
    /// The history of a ref.
    Reflog,
}

/// An entry of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Staged {
    pub(crate) id: ObjectId,
    pub(crate) path: Box<[u8]>,
}

/// All that leads into a repository.
#[derive(Debug, Default)]
pub(crate) struct Tips {
    pub(crate) tips: Vec<Tip>,
    /// The commit that HEAD names, and the branch that it is on.
    pub(crate) head: Option<ObjectId>,
    pub(crate) branch: Option<Arc<[u8]>>,
    pub(crate) staged: Vec<Staged>,
    /// What could not be read.
    pub(crate) gaps: Vec<Skip>,
}

/// The ref that the stash is kept in.
const STASH: &[u8] = b"refs/stash";
/// Symbolic refs point to symbolic refs at most this many times.
const SYMBOLIC: usize = 8;

impl Tips {
    /// Reads everything that leads to objects. What cannot be read is a gap.
    pub(crate) fn of(repository: &Repository) -> Self {
        let mut tips = Self::default();
        tips.add_refs(repository);
        for git_dir in repository.layout.git_dirs() {
            tips.add_head(repository, &git_dir);
            tips.add_logs(&git_dir.join("logs"), repository.form.hash.len_in_bytes());
            if git_dir != repository.layout.common_dir {
                tips.add_own_refs(repository, &git_dir);
            }
            tips.add_index(repository, &git_dir.join("index"));
        }
        tips
    }

    /// Reads refs alone.
    pub(crate) fn of_refs(repository: &Repository) -> Self {
        let mut tips = Self::default();
        tips.add_refs(repository);
        tips
    }

    /// The names of all refs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<[u8]>> {
        self.tips.iter().filter_map(|tip| match &tip.way {
            Way::Ref(name) => Some(name),
            Way::Stash | Way::Reflog => None,
        })
    }

    fn add_refs(&mut self, repository: &Repository) {
        let common = &repository.layout.common_dir;
        if repository.form.ref_table {
            self.gap(&common.join("reftable"), "refs in tables are not read".to_owned());
            return;
        }
        let packed = common.join("packed-refs");
        if packed.exists() && !packed.is_file() {
            return self.gap(&packed, "no regular file".to_owned());
        }
        let store = gix::refs::file::Store::at(common.clone(), repository.form.hash);
        let all = store.iter().map_err(|why| why.to_string());
        let refs = match &all {
            Ok(all) => all.all().map_err(|why| why.to_string()),
            Err(why) => Err(why.clone()),
        };
        let refs = match refs {
            Ok(refs) => refs,
            Err(why) => return self.gap(&common.join("packed-refs"), why),
        };
        for found in refs {
            match found {
                Ok(found) => {
                    if let Target::Object(target) = found.target {
                        self.add_ref(found.name.as_bstr().as_bytes(), target);
                    }
                }
                Err(why) => self.gap(&common.join("refs"), why.to_string()),
            }
        }
    }

    fn add_ref(&mut self, name: &[u8], target: ObjectId) {
        let way = if name == STASH { Way::Stash } else { Way::Ref(name.into()) };
        self.tips.push(Tip { way, target });
    }

    /// The head of a work tree: `HEAD`, or `worktrees/NAME/HEAD`.
    fn add_head(&mut self, repository: &Repository, git_dir: &Path) {
        let Some((target, branch)) = self.follow(git_dir, b"HEAD") else { return };
        if *git_dir == repository.layout.git_dir || self.head.is_none() {
            self.head = Some(target);
            self.branch.clone_from(&branch);
        }
        if branch.is_none() {
            let below = git_dir.strip_prefix(&repository.layout.common_dir);
            let name = path_to_bytes(&below.unwrap_or(Path::new("")).join("HEAD"));
            self.tips.push(Tip { way: Way::Ref(name.into()), target });
        }
    }

    /// The object that a symbolic ref leads to, and the branch on the way.
    fn follow(&self, git_dir: &Path, name: &[u8]) -> Option<(ObjectId, Option<Arc<[u8]>>)> {
        let (mut name, mut branch) = (name.to_vec(), None);
        for _ in 0..SYMBOLIC {
            let is_it = |tip: &&Tip| matches!(&tip.way, Way::Ref(known) if **known == name[..]);
            if let Some(known) = self.tips.iter().find(is_it) {
                return Some((known.target, branch));
            }
            let text = store::read(&git_dir.join(path_from_bytes(&name))).ok()?;
            let text = text.trim_ascii();
            match text.strip_prefix(b"ref:") {
                Some(to) => {
                    // Not a path that leads out of here.
                    let full = gix::refs::FullName::try_from(to.trim_ascii().as_bstr()).ok()?;
                    name = full.as_bstr().to_vec();
                    branch = Some(name[..].into());
                }
                None => return Some((ObjectId::from_hex(text).ok()?, branch)),
            }
        }
        None
    }

    /// The histories of refs, of those too that are gone.
    fn add_logs(&mut self, folder: &Path, width: usize) {
        for path in files_below(folder) {
            let below = path.strip_prefix(folder).map(path_to_bytes).unwrap_or_default();
            let way = if below == STASH { Way::Stash } else { Way::Reflog };
            match log_targets(&path, width) {
                Ok(targets) => {
                    let tips = targets.into_iter().map(|target| Tip { way: way.clone(), target });
                    self.tips.extend(tips);
                }
                Err(why) => self.gap(&path, why.to_string()),
            }
        }
    }

    /// Refs that only one work tree has.
    fn add_own_refs(&mut self, repository: &Repository, git_dir: &Path) {
        for path in files_below(&git_dir.join("refs")) {
            let id = super::store::read(&path).ok();
            let id = id.and_then(|text| ObjectId::from_hex(text.trim_ascii()).ok());
            if let Some(target) = id {
                let name = path.strip_prefix(&repository.layout.common_dir).unwrap_or(&path);
                self.tips.push(Tip { way: Way::Ref(path_to_bytes(name).into()), target });
            }
        }
    }

    fn add_index(&mut self, repository: &Repository, path: &Path) {
        if !path.is_file() {
            return;
        }
        let options = gix::index::decode::Options { thread_limit: Some(1), ..Default::default() };
        match gix::index::File::at(path, repository.form.hash, true, options) {
            Ok(index) => {
                let blobs = index.entries().iter().filter(|entry| {
                    entry.mode != Mode::COMMIT && !entry.flags.contains(Flags::INTENT_TO_ADD)
                });
                self.staged.extend(blobs.map(|entry| Staged {
                    id: entry.id,
                    path: entry.path(&index).as_bytes().into(),
                }));
            }
            Err(why) => self.gap(path, why.to_string()),
        }
    }

    fn gap(&mut self, path: &Path, detail: String) {
        let path = path_to_bytes(path);
        self.gaps.push(Skip { reason: SkipReason::GitCorrupt, path, detail });
    }
}

/// The objects that the lines of a reflog name, each once. Of a line only its
/// beginning is kept, however long it is.
fn log_targets(path: &Path, width: usize) -> super::store::Result<BTreeSet<ObjectId>> {
    let mut input = BufReader::new(super::store::open(path)?);
    let (mut line, mut targets) = (Vec::new(), BTreeSet::new());
    let wanted = 4 * width + 1;
    loop {
        let bytes = input.fill_buf().map_err(|why| why.to_string())?;
        let end = memchr::memchr(b'\n', bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        line.extend_from_slice(&part[..part.len().min(wanted - line.len())]);
        let used = end.map_or(bytes.len(), |end| end + 1);
        if end.is_some() || used == 0 {
            let ids = line.split(|&b| b == b' ').take(2);
            let ids = ids.filter_map(|id| ObjectId::from_hex(id).ok());
            targets.extend(ids.filter(|id| !id.is_null()));
            line.clear();
        }
        if used == 0 {
            return Ok(targets);
        }
        input.consume(used);
    }
}

/// The files below a folder, sorted. No link is followed.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let is_folder = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    folders.extend(is_folder.then(|| folder.to_path_buf()));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}
