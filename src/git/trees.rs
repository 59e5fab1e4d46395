//! Which trees lead to which objects.
//!
//! Trees are read in one pass over their own delta forest. A tree that is told
//! as a delta takes the entries over that it shares with its base; only new
//! ones are parsed. What is kept of an entry are the first bytes of the name
//! of its object and a hash of its own name, and only if it is a tree or one
//! of the objects that are looked for. That is enough to follow a secret
//! through all of history in memory; the few trees on its way are read again
//! for their names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher};
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;

use super::missing::Presence;
use super::provenance::Wanted;
use super::store::{Place, Store};
use super::walk::{self, Forests, Visited, Visitor};
use crate::model::Copied;

/// The first bytes of an object's name: enough to tell objects apart, and what
/// they lead to is looked at again.
pub(crate) type Key = u64;

/// A map by keys, which are hashes already.
pub(crate) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<KeyHasher>>;

/// Takes a key for its own hash.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The key of an object.
pub(crate) fn key(id: &[u8]) -> Key {
    id.first_chunk().map_or(0, |first| Key::from_be_bytes(*first))
}

/// A hash of a file's name.
pub(crate) fn name_key(name: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish() as u32
}

/// The mode of a commit of another repository, which is not kept in this one.
const SUBMODULE: &[u8] = b"160000";

/// An entry of a tree that may matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The two halves of the key: as one number it would take a third more.
    to: [u32; 2],
    /// [`name_key`] of the entry's name.
    pub(crate) name: u32,
}

impl Edge {
    /// The key of the object that the entry names.
    pub(crate) fn to(self) -> Key {
        Key::from(self.to[0]) << 32 | Key::from(self.to[1])
    }
}

/// The trees that lead to what is looked for, and their entries that do.
#[derive(Default)]
pub(crate) struct Trees {
    edges: KeyMap<Vec<Edge>>,
    /// Trees that no other tree leads to.
    pub(crate) roots: Vec<ObjectId>,
    /// Trees that could not be read.
    pub(crate) gaps: Vec<(Place, Option<ObjectId>, String)>,
}

impl Trees {
    /// Reads all trees of a store and keeps those that lead to an object of
    /// `wanted`; asks `presence`, if it is given, for all that trees name.
    pub(crate) fn leading_to(
        wanted: &Wanted,
        presence: Option<&Presence<'_>>,
        store: &Store,
        forests: &Forests,
        loose: &[(usize, ObjectId)],
        threads: usize,
    ) -> Self {
        let pass = Pass {
            width: store.hash.len_in_bytes(),
            wanted,
            presence,
            deltas: true,
            log: Mutex::default(),
            gaps: Mutex::default(),
        };
        walk::packed(store, forests, threads, &pass);
        walk::loose(store, loose, threads, &pass);
        let log = pass.log.into_inner().unwrap_or_else(PoisonError::into_inner);
        let gaps = pass.gaps.into_inner().unwrap_or_else(PoisonError::into_inner);
        Self { gaps, ..log.leading_to(wanted, store) }
    }

    /// Asks for all that the trees name which are kept whole: a tenth of them,
    /// and enough to learn that a clone is a partial one.
    pub(crate) fn ask_whole_ones(
        presence: &Presence<'_>,
        store: &Store,
        forests: &Forests,
        threads: usize,
    ) {
        let pass = Pass {
            width: store.hash.len_in_bytes(),
            wanted: &Wanted::default(),
            presence: Some(presence),
            deltas: false,
            log: Mutex::default(),
            gaps: Mutex::default(),
        };
        walk::packed(store, forests, threads, &pass);
    }

    /// The entries of a tree that lead to what is looked for.
    pub(crate) fn edges(&self, tree: Key) -> &[Edge] {
        self.edges.get(&tree).map_or(&[], Vec::as_slice)
    }
}

/// All trees that were read, and the entries of each that may matter.
#[derive(Default)]
struct Log {
    trees: Vec<Row>,
    edges: Arena,
    /// Names of trees that are loose.
    loose: Vec<ObjectId>,
}

/// A tree of the log.
struct Row {
    /// Its pack, or [`LOOSE`].
    pack: u32,
    /// Its offset there, or its place among the loose ones.
    at: u64,
    edges: Part,
}

const LOOSE: u32 = u32::MAX;

/// Edges by the million, in pieces that never move: one that grew by doubling
/// would need three times the memory.
#[derive(Default)]
struct Arena(Vec<Vec<Edge>>);

/// Edges that lie together in an [`Arena`].
#[derive(Clone, Copy)]
struct Part {
    piece: u32,
    first: u32,
    len: u32,
}

/// Edges of a piece.
const PIECE: usize = 1 << 16;

impl Arena {
    fn push(&mut self, edges: impl ExactSizeIterator<Item = Edge>) -> Part {
        let len = edges.len();
        let fits = self.0.last().is_some_and(|piece| piece.capacity() - piece.len() >= len);
        if !fits {
            self.0.push(Vec::with_capacity(len.max(PIECE)));
        }
        let at = self.0.len() - 1;
        let piece = &mut self.0[at];
        let first = piece.len() as u32;
        piece.extend(edges);
        Part { piece: at as u32, first, len: len as u32 }
    }

    fn get(&self, part: Part) -> &[Edge] {
        &self.0[part.piece as usize][part.first as usize..][..part.len as usize]
    }
}

impl Log {
    /// Keeps the trees that lead to an object of `wanted`: from those that
    /// hold one, up to all that hold those.
    fn leading_to(&self, wanted: &Wanted, store: &Store) -> Trees {
        let keys = self.keys(store);
        let numbers: KeyMap<u32> = keys.iter().copied().zip(0..).collect();
        // For each tree those that hold it, as lists in one arena.
        let mut holders: Vec<(u32, u32)> = Vec::new();
        let mut first_holder = vec![u32::MAX; keys.len()];
        let (mut leads, mut stack) = (vec![false; keys.len()], Vec::new());
        for (holder, row) in (0u32..).zip(&self.trees) {
            for edge in self.edges.get(row.edges) {
                let to = edge.to();
                if let Some(&held) = numbers.get(&to) {
                    holders.push((holder, first_holder[held as usize]));
                    first_holder[held as usize] = holders.len() as u32 - 1;
                }
                if wanted.contains_key(&to) {
                    stack.push(holder);
                }
            }
        }
        while let Some(tree) = stack.pop() {
            if std::mem::replace(&mut leads[tree as usize], true) {
                continue;
            }
            let mut next = first_holder[tree as usize];
            while let Some(&(holder, after)) = holders.get(next as usize) {
                stack.push(holder);
                next = after;
            }
        }
        let mut trees = Trees::default();
        for (at, row) in self.trees.iter().enumerate().filter(|(at, _)| leads[*at]) {
            let matters = |edge: &&Edge| {
                let leads = |&number: &u32| leads[number as usize];
                wanted.contains_key(&edge.to()) || numbers.get(&edge.to()).is_some_and(leads)
            };
            let edges = self.edges.get(row.edges).iter().filter(matters).copied().collect();
            trees.edges.insert(keys[at], edges);
        }
        let is_root = |at: &usize| leads[*at] && first_holder[*at] == u32::MAX;
        trees.roots = self.ids((0..keys.len()).filter(is_root), store);
        trees.roots.sort_unstable();
        trees.roots.dedup();
        trees
    }

    /// The names of some of the trees.
    fn ids(&self, trees: impl Iterator<Item = usize>, store: &Store) -> Vec<ObjectId> {
        let mut packed: Vec<Vec<u64>> = vec![Vec::new(); store.packs.len()];
        let mut ids = Vec::new();
        for row in trees.map(|at| &self.trees[at]) {
            match row.pack {
                LOOSE => ids.push(self.loose[row.at as usize]),
                pack => packed[pack as usize].push(row.at),
            }
        }
        for (offsets, pack) in packed.into_iter().zip(&store.packs) {
            let names = pack.names(offsets.clone());
            let named = offsets.iter().filter_map(|&offset| names.get(offset));
            ids.extend(named.filter_map(|name| ObjectId::try_from(name).ok()));
        }
        ids
    }

    /// The key of each tree.
    fn keys(&self, store: &Store) -> Vec<Key> {
        let mut packed: Vec<Vec<u64>> = vec![Vec::new(); store.packs.len()];
        for row in self.trees.iter().filter(|row| row.pack != LOOSE) {
            packed[row.pack as usize].push(row.at);
        }
        let named: Vec<_> =
            packed.into_iter().zip(&store.packs).map(|(at, pack)| pack.names(at)).collect();
        let key_of = |row: &Row| match row.pack {
            LOOSE => key(self.loose[row.at as usize].as_bytes()),
            pack => named[pack as usize].get(row.at).map_or(0, key),
        };
        self.trees.iter().map(key_of).collect()
    }
}

/// The pass over all trees.
struct Pass<'p> {
    width: usize,
    wanted: &'p Wanted,
    presence: Option<&'p Presence<'p>>,
    /// False if only trees that are kept whole are read.
    deltas: bool,
    log: Mutex<Log>,
    gaps: Mutex<Vec<(Place, Option<ObjectId>, String)>>,
}

/// What is remembered of a tree for those that are deltas of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where its entries begin, and where the last one ends.
    starts: Vec<u32>,
    /// Its entries that may matter, and where they begin.
    edges: Vec<(u32, Edge)>,
}

/// Reads a tree, whole or as a delta.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read(
    bytes: &[u8],
    base: Option<(&Seen, &[Copied])>,
    wanted: &Wanted,
    width: usize,
) -> Seen {
    let (log, gaps) = (Mutex::default(), Mutex::default());
    Pass { width, wanted, presence: None, deltas: true, log, gaps }.read(bytes, base)
}

impl Pass<'_> {
    fn read(&self, bytes: &[u8], base: Option<(&Seen, &[Copied])>) -> Seen {
        let mut seen = Seen { starts: Vec::new(), edges: Vec::new() };
        let mut at = 0;
        let mut runs = base.map(|base| base.1).unwrap_or_default().iter().peekable();
        while at < bytes.len() {
            while runs.next_if(|run| run.at + run.len <= at).is_some() {}
            if let (Some((base, _)), Some(run)) = (base, runs.peek())
                && run.at <= at
                && let Some(next) = seen.take_over(base, run, at)
            {
                at = next;
                continue;
            }
            let Some(next) = self.parse(bytes, at, &mut seen) else { break };
            at = next;
        }
        seen.starts.push(at as u32);
        seen
    }

    /// Reads the entry at an offset, and returns where it ends.
    fn parse(&self, bytes: &[u8], at: usize, seen: &mut Seen) -> Option<usize> {
        let name_end = at + memchr::memchr(0, bytes.get(at..)?)?;
        let end = name_end + 1 + self.width;
        let id = bytes.get(name_end + 1..end)?;
        let space = at + memchr::memchr(b' ', &bytes[at..name_end])?;
        seen.starts.push(at as u32);
        let to = key(id);
        let mode = &bytes[at..space];
        let is_tree = matches!(mode, b"40000" | b"040000");
        if let Some(presence) = self.presence
            && mode != SUBMODULE
            && let Ok(id) = ObjectId::try_from(id)
        {
            presence.ask(&id);
        }
        if !self.wanted.is_empty() && (is_tree || self.wanted.contains_key(&to)) {
            let name = name_key(&bytes[space + 1..name_end]);
            let to = [(to >> 32) as u32, to as u32];
            seen.edges.push((at as u32, Edge { to, name }));
        }
        Some(end)
    }
}

impl Seen {
    /// Takes over the entries of `base` that a run holds whole from `at` on.
    /// Returns where the last of them ends; `None` if there is none.
    fn take_over(&mut self, base: &Seen, run: &Copied, at: usize) -> Option<usize> {
        let from = (at - run.at + run.from) as u32;
        let end = (run.from + run.len) as u32;
        let first = base.starts.binary_search(&from).ok()?;
        let last = base.starts.partition_point(|&start| start <= end) - 1;
        if last <= first {
            return None;
        }
        let moved = |start: u32| start - from + at as u32;
        let stop = base.starts[last];
        self.starts.extend(base.starts[first..last].iter().map(|&start| moved(start)));
        let edges = base.edges.partition_point(|edge| edge.0 < from);
        let edges = base.edges[edges..].iter().take_while(|edge| edge.0 < stop);
        self.edges.extend(edges.map(|&(start, edge)| (moved(start), edge)));
        Some(moved(stop) as usize)
    }
}

impl Visitor for Pass<'_> {
    type Seen = Seen;

    fn wants(&self, kind: Kind) -> bool {
        kind == Kind::Tree
    }

    fn descends(&self) -> bool {
        self.deltas
    }

    fn visit(&self, object: &Visited<'_>, base: Option<(&Seen, &[Copied])>) -> Option<Seen> {
        let seen = self.read(object.bytes, base);
        if self.wanted.is_empty() {
            return Some(seen);
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let edges = log.edges.push(seen.edges.iter().map(|edge| edge.1));
        let (pack, at) = match (object.place, object.id) {
            (Place::Packed { pack, offset }, _) => (pack as u32, offset),
            (Place::Loose { .. }, id) => {
                log.loose.extend(id);
                (LOOSE, log.loose.len() as u64 - 1)
            }
        };
        log.trees.push(Row { pack, at, edges });
        Some(seen)
    }

    fn stream(&self, _: Kind, place: Place, id: Option<&ObjectId>, _: u64, _: &mut dyn Read) {
        self.broken(place, id, "a tree too large to be read");
    }

    fn broken(&self, place: Place, id: Option<&ObjectId>, why: &str) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.push((place, id.copied(), why.to_owned()));
    }
}
