//! Where git keeps objects: packs and loose files, of the repository itself
//! and of those that it borrows from.

pub(crate) mod delta;
pub(crate) mod index;
pub(crate) mod inflate;
pub(crate) mod loose;
pub(crate) mod pack;
mod reader;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::Kind;
use memmap2::Mmap;

use index::Index;
use pack::Pack;
pub(crate) use reader::Reader;

/// Borrowed stores may borrow in turn, this many times as git does.
const ALTERNATES: usize = 5;

/// Why an object or a file of the store cannot be read, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw(Cow<'static, str>);

/// A result that fails with the reason why something cannot be read.
pub(crate) type Result<T> = std::result::Result<T, Flaw>;

impl From<&'static str> for Flaw {
    fn from(why: &'static str) -> Self {
        Self(why.into())
    }
}

impl From<String> for Flaw {
    fn from(why: String) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All places that hold objects of one repository.
pub(crate) struct Store {
    pub(crate) hash: Hash,
    /// Objects folders; the repository's own is the first.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) packs: Vec<Pack>,
    /// What could not be opened or fits badly, and why.
    pub(crate) flaws: Vec<(PathBuf, String)>,
    /// True if objects may be missing because the repository was cloned so.
    pub(crate) partial: bool,
    /// The pack that held the last object.
    recent: AtomicUsize,
}

/// Where an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    Packed { pack: usize, offset: u64 },
    Loose { folder: usize },
}

impl Store {
    /// Opens the store at an objects folder and all that it borrows from.
    pub(crate) fn open(folders: &[PathBuf], hash: Hash) -> Self {
        let mut store = Self::empty(hash);
        folders.iter().for_each(|folder| store.add_folder(folder, 0));
        for folder in store.folders.clone() {
            store.add_packs(&folder);
        }
        store.named_deltas_of_bare_packs();
        store
    }

    fn empty(hash: Hash) -> Self {
        Self {
            hash,
            folders: Vec::new(),
            packs: Vec::new(),
            flaws: Vec::new(),
            partial: false,
            recent: AtomicUsize::new(0),
        }
    }

    /// The store of a single pack that is at hand, with an index or without.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of_pack(hash: Hash, map: Mmap, index: Option<Index>) -> Result<Self> {
        let (mut store, width) = (Self::empty(hash), hash.len_in_bytes());
        let pack = match index {
            Some(index) => Pack::of(Path::new("pack"), map, index, width)?,
            None => store.bare(Path::new("pack"), map)?,
        };
        store.add_pack(pack);
        store.named_deltas_of_bare_packs();
        Ok(store)
    }

    fn add_folder(&mut self, folder: &Path, depth: usize) {
        let folder = match folder.canonicalize() {
            Ok(folder) => folder,
            Err(why) => {
                return self.flaws.push((folder.to_path_buf(), format!("{why} (objects folder)")));
            }
        };
        if !folder.is_dir() {
            return self.flaws.push((folder, "no folder of objects".to_owned()));
        }
        if self.folders.contains(&folder) {
            return;
        }
        let list = read(&folder.join("info/alternates")).unwrap_or_default();
        self.folders.push(folder.clone());
        self.add_incoming(&folder);
        for line in list.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b"#") {
                continue;
            }
            let path = folder.join(crate::model::path_from_bytes(&unquoted(line)));
            if depth < ALTERNATES {
                self.add_folder(&path, depth + 1);
            } else {
                self.flaws.push((path, "borrowed through too many repositories".to_owned()));
            }
        }
    }

    /// What a push that was cut off has left: a store in the store.
    fn add_incoming(&mut self, folder: &Path) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let incoming = name.to_string_lossy().starts_with("tmp_objdir-");
            if incoming && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.folders.push(entry.path());
            }
        }
    }

    fn add_packs(&mut self, folder: &Path) {
        let packs = folder.join("pack");
        let entries = match std::fs::read_dir(&packs) {
            Ok(entries) => entries,
            Err(why) => {
                if why.kind() != std::io::ErrorKind::NotFound {
                    self.flaws.push((packs, why.to_string()));
                }
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let width = self.hash.len_in_bytes();
        let mut multi: Option<BTreeMap<String, Index>> = None;
        for path in &paths {
            let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let temporary = name.starts_with("tmp_pack_");
            self.partial |= name.ends_with(".promisor");
            if !name.ends_with(".pack") && !temporary {
                let orphan = name.ends_with(".idx") && !path.with_extension("pack").exists();
                if orphan {
                    self.flaws.push((path.clone(), "an index whose pack is missing".to_owned()));
                }
                continue;
            }
            let beside = Index::open(&path.with_extension("idx"), width);
            if let (Err(why), true) = (&beside, path.with_extension("idx").exists()) {
                self.flaws.push((path.with_extension("idx"), why.to_string()));
            }
            let index = beside.ok().or_else(|| {
                let multi = multi.get_or_insert_with(|| {
                    let found = index::multi_pack(&packs.join("multi-pack-index"), width);
                    found.unwrap_or_default().into_iter().collect()
                });
                multi.remove(&*name.replace(".pack", ".idx"))
            });
            let opened = match index {
                Some(index) => Pack::open(path, index, width),
                None => map(path).and_then(|map| self.bare(path, map)),
            };
            match opened {
                Ok(pack) => self.add_pack(pack),
                Err(why) => self.flaws.push((path.clone(), why.to_string())),
            }
        }
    }

    fn add_pack(&mut self, pack: Pack) {
        if !pack.fits_index() {
            let why = "the pack does not end with the checksum that its index names";
            self.flaws.push((pack.path.clone(), why.to_owned()));
        }
        if pack.promised() != pack.index.len() {
            let (says, has) = (pack.promised(), pack.index.len());
            let why = format!("the pack says {says} objects and its index {has}");
            self.flaws.push((pack.path.clone(), why));
        }
        self.packs.push(pack);
    }

    /// Reads a pack without an index, and gives its objects names that only
    /// count them; [`Self::named_deltas_of_bare_packs`] finds the true ones.
    fn bare(&mut self, path: &Path, map: Mmap) -> Result<Pack> {
        let width = self.hash.len_in_bytes();
        let (mut pack, offsets, flaw) = Pack::bare(path, map, width)?;
        if let Some(why) = flaw {
            self.flaws.push((path.to_path_buf(), format!("{why} (a pack without an index)")));
        }
        let rows = offsets.iter().map(|&offset| (reader::unnamed(self.hash, offset), offset));
        pack.index = Index::made(rows.collect(), width);
        Ok(pack)
    }

    /// Finds the names of objects in packs that have no index.
    fn named_deltas_of_bare_packs(&mut self) {
        for at in 0..self.packs.len() {
            if !self.packs[at].index.is_made() {
                continue;
            }
            let width = self.hash.len_in_bytes();
            let rows = reader::names(self, at);
            self.packs[at].index = Index::made(rows, width);
        }
    }

    /// Where the object of this name stands.
    pub(crate) fn find(&self, id: &ObjectId) -> Option<Place> {
        self.find_packed(id).or_else(|| {
            let loose = |folder: &PathBuf| loose::path(folder, id).is_file();
            let folder = self.folders.iter().position(loose)?;
            Some(Place::Loose { folder })
        })
    }

    /// Where it stands apart from one of the packs.
    pub(crate) fn find_beside(&self, id: &ObjectId, pack: usize) -> Option<Place> {
        let others = self.packs.iter().enumerate().filter(|(at, _)| *at != pack);
        let packed = others.filter_map(|(pack, held)| {
            let offset = held.index.find(id.as_bytes()).and_then(|at| held.index.offset(at))?;
            Some(Place::Packed { pack, offset })
        });
        let loose = |folder: &PathBuf| loose::path(folder, id).is_file();
        packed.into_iter().next().or_else(|| {
            let folder = self.folders.iter().position(loose)?;
            Some(Place::Loose { folder })
        })
    }

    /// Where it stands, if it is packed.
    pub(crate) fn find_packed(&self, id: &ObjectId) -> Option<Place> {
        let recent = self.recent.load(Ordering::Relaxed);
        let others = (0..self.packs.len()).filter(|&pack| pack != recent);
        for pack in std::iter::once(recent).chain(others) {
            let Some(index) = self.packs.get(pack).map(|pack| &pack.index) else { continue };
            if let Some(offset) = index.find(id.as_bytes()).and_then(|at| index.offset(at)) {
                self.recent.store(pack, Ordering::Relaxed);
                return Some(Place::Packed { pack, offset });
            }
        }
        None
    }

    /// The kind and size of a loose object, and the means to read it.
    pub(crate) fn loose(&self, folder: usize, id: &ObjectId) -> Result<loose::Loose> {
        loose::Loose::open(&loose::path(&self.folders[folder], id))
    }

    /// A reader of single objects.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }
}

/// An object that was read: what it is, and its bytes.
pub(crate) type Object = (Kind, std::sync::Arc<Vec<u8>>);

/// A path of `info/alternates`, which git may have written in quotes.
fn unquoted(line: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")) else {
        return line.into();
    };
    let (mut out, mut rest) = (Vec::new(), inner);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (byte, used) = match rest {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), 3)
            }
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [other, ..] => (*other, 1),
            [] => (b'\\', 0),
        };
        out.push(byte);
        rest = &rest[used..];
    }
    out.into()
}

/// Opens a file for reading, without ever waiting for a pipe.
pub(crate) fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    let file = options.open(path).map_err(|why| why.to_string())?;
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if regular { Ok(file) } else { Err("no regular file".into()) }
}

/// Reads a file, unless it is none that ends.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    Ok(bytes)
}

/// Maps a file of the store.
pub(crate) fn map(path: &Path) -> Result<Mmap> {
    let file = open(path)?;
    // SAFETY: git writes packs and indexes under another name, renames them
    // into place, and from then on only ever deletes them, which leaves a
    // mapping whole. Nothing here keeps a reference that assumes more than
    // bytes of any value. A process that cut such a file short while it is
    // read would end this one with SIGBUS: loudly, not with a wrong answer.
    unsafe { Mmap::map(&file) }.map_err(|why| why.to_string().into())
}
