//! Remembers what has been searched, so that the next run searches only what
//! is new.
//!
//! The state is one file: a line of JSON, then the keys of files and of git's
//! objects, sixteen bytes each, sorted. A file is known by its path, size,
//! times and inode; a pack by its name, size and time; an object by its name.
//! It holds no text of what was searched. A state that was made with other
//! rules or settings counts as none.
//!
//! What was not searched is not remembered: neither files and objects that
//! were passed over, nor a repository with a gap, nor a file that may have
//! been changed once more within the same tick of the clock.

use std::collections::{HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gix::ObjectId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Options;
use crate::error::{Error, Result};
use crate::git::store::{self, Store};
use crate::model::path_to_bytes;
use crate::rules::RuleSet;
use crate::suppress::Suppressor;

/// The first sixteen bytes of a hash or of an object's name.
type Key = [u8; 16];

const KEY: usize = size_of::<Key>();
const VERSION: u32 = 1;

/// Times of files advance in steps, of at most this length on the file systems
/// of our days: a later change may bear the time of an earlier one.
const TICK: Duration = Duration::from_millis(100);

/// The first line of a state.
#[derive(Default, Deserialize, Serialize)]
struct Header {
    tokensweep_state: u32,
    /// A hash of all that decides what is found.
    settings: String,
    packs: Vec<KnownPack>,
    files: usize,
    objects: usize,
}

/// A pack whose objects have all been searched.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
pub(super) struct KnownPack {
    path: String,
    size: u64,
    modified: u128,
}

/// What earlier runs have searched, and what this one does.
pub(super) struct State {
    path: PathBuf,
    settings: String,
    /// Files that were changed after this may change again unnoticed.
    settled: SystemTime,
    packs: HashSet<KnownPack>,
    files: Vec<Key>,
    objects: Objects,
    seen: Mutex<Seen>,
}

/// The keys of objects, read when the first is asked for.
struct Objects {
    offset: usize,
    count: usize,
    keys: OnceLock<Vec<Key>>,
}

#[derive(Default)]
struct Seen {
    /// Keys of files by their path as it is shown: those that cannot be read
    /// after all are taken out again.
    files: HashMap<Vec<u8>, Key>,
    names: HashSet<Key>,
    packs: Vec<KnownPack>,
    objects: Vec<Key>,
}

impl State {
    /// Reads a state; one that is not there, or was made for something else,
    /// is empty.
    ///
    /// # Errors
    /// A file that is no state; suppressions that cannot be loaded.
    pub(super) fn load(path: &Path, options: &Options, rules: &RuleSet) -> Result<Self> {
        let mut state = Self {
            path: path.to_path_buf(),
            settings: settings(options, rules)?,
            settled: SystemTime::now().checked_sub(TICK).unwrap_or(UNIX_EPOCH),
            packs: HashSet::new(),
            files: Vec::new(),
            objects: Objects { offset: 0, count: 0, keys: OnceLock::new() },
            seen: Mutex::default(),
        };
        let wrong = |why: String| {
            let shown = path.display();
            Error::new(format!("{shown} is no state of earlier runs: {why}"))
                .hint("name another file, or delete this one to begin anew")
        };
        if path.metadata().is_err_and(|why| why.kind() == std::io::ErrorKind::NotFound) {
            return Ok(state);
        }
        let file = store::open(path).map_err(|why| wrong(why.to_string()))?;
        let size = file.metadata().map_err(|why| wrong(why.to_string()))?.len();
        let mut input = BufReader::new(file);
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).map_err(|why| wrong(why.to_string()))?;
        let header: Header = serde_json::from_slice(&line)
            .map_err(|_| wrong("its first line is not one of ours".to_owned()))?;
        if header.tokensweep_state != VERSION || header.settings != state.settings {
            return Ok(state);
        }
        let bytes = |keys: usize| (keys as u64).saturating_mul(KEY as u64);
        let promised = bytes(header.files).saturating_add(bytes(header.objects));
        if size.checked_sub(line.len() as u64) != Some(promised) {
            return Err(wrong("it is not as long as it says".to_owned()));
        }
        let mut files = vec![0; header.files * KEY];
        input.read_exact(&mut files).map_err(|why| wrong(why.to_string()))?;
        state.files = keys(&files);
        state.packs = header.packs.into_iter().collect();
        state.objects.offset = line.len() + files.len();
        state.objects.count = header.objects;
        Ok(state)
    }

    /// True if a file has been searched as it is, or is the state itself.
    pub(super) fn knows_file(&self, path: &Path, shown: Vec<u8>, metadata: &Metadata) -> bool {
        if path.file_name() == self.path.file_name()
            && path.canonicalize().ok() == self.path.canonicalize().ok()
        {
            return true;
        }
        let key = file_key(path, metadata);
        let known = self.files.binary_search(&key).is_ok();
        if known || changed(metadata).is_some_and(|time| time < self.settled) {
            self.seen().files.insert(shown, key);
        }
        known
    }

    /// True if the name of a ref has been searched.
    pub(super) fn knows_name(&self, name: &[u8]) -> bool {
        let key = first(&Sha256::digest([b"ref\0", name].concat()));
        self.seen().names.insert(key);
        self.files.binary_search(&key).is_ok()
    }

    /// True if all objects of a pack have been searched.
    pub(super) fn knows_pack(&self, path: &Path) -> bool {
        known_pack(path).is_some_and(|pack| self.packs.contains(&pack))
    }

    /// True if an object has been searched.
    pub(super) fn knows_object(&self, name: &[u8]) -> bool {
        self.knows_key(&first(name))
    }

    fn knows_key(&self, key: &Key) -> bool {
        self.objects().binary_search(key).is_ok()
    }

    /// True if some objects have been searched.
    pub(super) fn knows_objects(&self) -> bool {
        self.objects.count > 0
    }

    /// The keys of objects, read the first time that they are asked for.
    fn objects(&self) -> &[Key] {
        self.objects.keys.get_or_init(|| {
            let bytes = std::fs::read(&self.path).unwrap_or_default();
            let from = self.objects.offset.min(bytes.len());
            let to = (from + self.objects.count.saturating_mul(KEY)).min(bytes.len());
            keys(&bytes[from..to])
        })
    }

    /// Notes that all objects of a store have been searched but those that were
    /// `passed` over.
    pub(super) fn searched(
        &self,
        store: &Store,
        loose: &[(usize, ObjectId)],
        passed: &HashSet<ObjectId>,
    ) {
        let passed: HashSet<Key> = passed.iter().map(|id| first(id.as_bytes())).collect();
        let searched = |key: &Key| !passed.contains(key);
        let mut seen = self.seen();
        for pack in &store.packs {
            let names = (0..pack.index.len()).map(|at| first(pack.index.name(at)));
            match known_pack(&pack.path) {
                Some(known) if self.packs.contains(&known) => seen.packs.push(known),
                Some(known) if names.clone().all(|key| searched(&key)) => {
                    seen.packs.push(known);
                    seen.objects.extend(names);
                }
                _ => seen.objects.extend(names.filter(searched)),
            }
        }
        seen.objects.extend(loose.iter().map(|(_, id)| first(id.as_bytes())).filter(searched));
    }

    /// Files that were not read after all stay unknown.
    pub(super) fn forget<'p>(&self, skipped: impl Iterator<Item = &'p Vec<u8>>) {
        let mut seen = self.seen();
        for path in skipped {
            seen.files.remove(path);
        }
    }

    /// Writes what is known now.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn save(&self) -> Result<()> {
        let seen = std::mem::take(&mut *self.seen());
        let mut files: Vec<Key> = seen.files.into_values().chain(seen.names).collect();
        files.sort_unstable();
        files.dedup();
        let mut packs = seen.packs;
        packs.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        packs.dedup();
        let same_packs =
            packs.len() == self.packs.len() && packs.iter().all(|pack| self.packs.contains(pack));
        let is_new = |key: &Key| !self.knows_key(key);
        if files == self.files && same_packs && !seen.objects.iter().any(is_new) {
            return Ok(());
        }
        let mut objects = self.objects().to_vec();
        objects.extend(seen.objects);
        objects.sort_unstable();
        objects.dedup();
        let header = Header {
            tokensweep_state: VERSION,
            settings: self.settings.clone(),
            packs,
            files: files.len(),
            objects: objects.len(),
        };
        write(&self.path, &header, &files, &objects).map_err(|why| {
            Error::new(format!("cannot write the state {}: {why}", self.path.display()))
        })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a state beside its place, and then moves it there: a run that is cut
/// off leaves the old one.
fn write(path: &Path, header: &Header, files: &[Key], objects: &[Key]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // What a run with the same number has left would keep its own rights.
    let _ = std::fs::remove_file(&beside);
    let mut out = BufWriter::new(options.open(&beside)?);
    serde_json::to_writer(&mut out, header)?;
    out.write_all(b"\n")?;
    out.write_all(files.as_flattened())?;
    out.write_all(objects.as_flattened())?;
    out.into_inner().map_err(|why| why.into_error())?.sync_all()?;
    std::fs::rename(&beside, path)
}

/// A hash of all that decides what is found and reported.
fn settings(options: &Options, rules: &RuleSet) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(rules.digest());
    let source = &options.source;
    hash.update(format!(
        "{:?}",
        (
            (&source.include, &source.exclude, source.max_file_size, source.follow_symlinks),
            (source.respect_gitignore, options.git.history, options.confidence),
            (&options.suppress.inline, &options.suppress.foreign_markers),
        )
    ));
    // All entries, and which of them have run out: none has been used yet.
    let suppressor = Suppressor::load(&options.suppress, &options.key)?;
    for entry in suppressor.unused() {
        hash.update(entry);
        hash.update([0]);
    }
    Ok(first(&hash.finalize()).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// When a file was last changed, as far as the system tells.
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
        UNIX_EPOCH.checked_add(seconds + Duration::from_nanos(metadata.ctime_nsec() as u64))
    }
    #[cfg(not(unix))]
    metadata.modified().ok()
}

fn known_pack(path: &Path) -> Option<KnownPack> {
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok()?;
    let modified = modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos();
    Some(KnownPack { path: path.display().to_string(), size: metadata.len(), modified })
}

fn file_key(path: &Path, metadata: &Metadata) -> Key {
    let mut hash = Sha256::new();
    hash.update(path_to_bytes(path));
    hash.update([0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        for part in [metadata.ctime(), metadata.ctime_nsec(), metadata.ino() as i64] {
            hash.update(part.to_le_bytes());
        }
    }
    hash.update(metadata.len().to_le_bytes());
    if let Ok(modified) = metadata.modified() {
        hash.update(format!("{modified:?}"));
    }
    first(&hash.finalize())
}

fn first(bytes: &[u8]) -> Key {
    bytes.first_chunk().copied().unwrap_or_default()
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    bytes.as_chunks().0.to_vec()
}
