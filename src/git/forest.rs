//! Which entries of a pack are told as deltas of which.
//!
//! An object is inflated where its chain begins and rebuilt from there, so
//! that each entry is read once. A delta is of the kind of its base: whole
//! trees of the forest are left out by the kind of their roots.

use gix::objs::Kind;
use rayon::prelude::*;

use super::store::pack::{Form, Pack};

/// No entry.
const NONE: u32 = u32::MAX;

/// The entries of one pack, in the order of the file.
#[derive(Default)]
pub(crate) struct Forest {
    offsets: Vec<u64>,
    /// Entries that are no delta of another entry.
    roots: Vec<u32>,
    nature: Vec<Nature>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    /// Entries in the tree below each, itself included; about right if bases
    /// stand behind their deltas.
    weight: Vec<u32>,
    /// Entries whose header cannot be read, or that are deltas of each other.
    pub(crate) broken: Vec<(u64, String)>,
}

/// What is known of an entry before it is inflated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    Known(Kind),
    /// A delta of an object that stands elsewhere.
    Thin,
    Delta,
    /// A delta of itself, by way of others or not.
    Circle,
    Broken,
}

impl Forest {
    /// Reads the headers of all entries of a pack.
    pub(crate) fn of(pack: &Pack) -> Self {
        let offsets = offsets(pack);
        let buckets = Buckets::of(&offsets);
        let read: Vec<(Nature, u32)> = (0..offsets.len())
            .into_par_iter()
            .with_min_len(4096)
            .map(|at| nature(pack, offsets[at], &offsets, &buckets))
            .collect();
        let (mut nature, parents): (Vec<Nature>, Vec<u32>) = read.into_iter().unzip();
        spread(&mut nature, &parents);
        let mut forest = Self {
            broken: Vec::new(),
            roots: (0..).zip(&parents).filter(|row| *row.1 == NONE).map(|row| row.0).collect(),
            first_child: vec![NONE; offsets.len()],
            next_sibling: vec![NONE; offsets.len()],
            weight: vec![1; offsets.len()],
            nature,
            offsets,
        };
        for (at, &parent) in parents.iter().enumerate().rev() {
            if let Some(parent) = usize::try_from(parent).ok().filter(|_| parent != NONE) {
                forest.next_sibling[at] = forest.first_child[parent];
                forest.first_child[parent] = at as u32;
                forest.weight[parent] = forest.weight[parent].saturating_add(forest.weight[at]);
            }
        }
        forest.note_broken(pack);
        forest
    }

    fn note_broken(&mut self, pack: &Pack) {
        for (at, nature) in self.nature.iter().enumerate() {
            let offset = self.offsets[at];
            match nature {
                Nature::Broken => {
                    let why = pack.entry(offset).err().map_or_else(
                        || "a delta of an entry that is none".to_owned(),
                        |why| why.to_string(),
                    );
                    self.broken.push((offset, why));
                }
                Nature::Circle => {
                    self.broken.push((offset, "deltas of each other".to_owned()));
                }
                Nature::Known(_) | Nature::Thin | Nature::Delta => {}
            }
        }
        // Offsets that its index cannot tell stand for no entry at all.
        let lost = pack.index.len() as usize - self.offsets.len().min(pack.index.len() as usize);
        if lost > 0 {
            self.broken.push((0, format!("the index has {lost} rows that lead nowhere")));
        }
    }

    /// Entries that are no delta of another entry, in the order of the file.
    pub(crate) fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Where an entry begins in the pack.
    pub(crate) fn offset(&self, entry: u32) -> u64 {
        self.offsets[entry as usize]
    }

    /// The kind of an entry's object; `None` if that hangs on an object
    /// elsewhere, or cannot be told.
    pub(crate) fn kind(&self, entry: u32) -> Option<Kind> {
        match self.nature[entry as usize] {
            Nature::Known(kind) => Some(kind),
            _ => None,
        }
    }

    /// Number of trees, as far as their kind can be told.
    pub(crate) fn trees(&self) -> usize {
        self.nature.iter().filter(|nature| **nature == Nature::Known(Kind::Tree)).count()
    }

    /// True if an entry is a delta of an object that stands elsewhere.
    pub(crate) fn is_thin(&self, entry: u32) -> bool {
        self.nature[entry as usize] == Nature::Thin
    }

    /// The deltas of an entry.
    pub(crate) fn children(&self, entry: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |at: u32| Some(at).filter(|&at| at != NONE);
        std::iter::successors(next(self.first_child[entry as usize]), move |&at| {
            next(self.next_sibling[at as usize])
        })
    }

    /// Entries in the tree below one, itself included.
    pub(crate) fn weight(&self, entry: u32) -> u32 {
        self.weight[entry as usize]
    }

    /// The entry that begins at an offset.
    pub(crate) fn entry_at(&self, offset: u64) -> Option<u32> {
        self.offsets.binary_search(&offset).ok().map(|at| at as u32)
    }
}

/// The offsets of a pack's entries, sorted.
fn offsets(pack: &Pack) -> Vec<u64> {
    let index = &pack.index;
    let rows = (0..index.len()).into_par_iter().with_min_len(4096);
    let mut offsets: Vec<u64> = rows.filter_map(|at| index.offset(at)).collect();
    offsets.par_sort_unstable();
    offsets.dedup();
    offsets
}

/// What the header of an entry says: what it is, and of which entry it is a
/// delta.
fn nature(pack: &Pack, offset: u64, offsets: &[u64], buckets: &Buckets) -> (Nature, u32) {
    let Ok(entry) = pack.entry(offset) else { return (Nature::Broken, NONE) };
    match entry.form {
        Form::Whole(kind) => (Nature::Known(kind), NONE),
        Form::OffsetDelta(base) => match buckets.find(offsets, base) {
            Some(base) => (Nature::Delta, base),
            None => (Nature::Broken, NONE),
        },
        Form::NamedDelta(id) => {
            let base = pack.index.find(id.as_bytes()).and_then(|at| pack.index.offset(at));
            match base.and_then(|base| buckets.find(offsets, base)) {
                Some(base) => (Nature::Delta, base),
                None => (Nature::Thin, NONE),
            }
        }
    }
}

/// Gives deltas the nature of their bases, each once, in whatever order they
/// stand. Deltas that come back to themselves belong to a circle.
fn spread(nature: &mut [Nature], parents: &[u32]) {
    let mut path: Vec<usize> = Vec::new();
    for start in 0..nature.len() {
        let mut at = start;
        while nature[at] == Nature::Delta {
            nature[at] = Nature::Circle;
            path.push(at);
            at = parents[at] as usize;
        }
        let found = nature[at];
        path.drain(..).for_each(|at| nature[at] = found);
    }
}

/// Finds offsets without a binary search over all of them: about one entry
/// begins in each bucket.
struct Buckets {
    shift: u32,
    first: Vec<u32>,
}

impl Buckets {
    fn of(offsets: &[u64]) -> Self {
        let last = offsets.last().copied().unwrap_or(0);
        let mut shift = 0;
        while last >> shift > offsets.len() as u64 {
            shift += 1;
        }
        let mut first = vec![0u32; (last >> shift) as usize + 2];
        let mut at = 0;
        for (bucket, first) in first.iter_mut().enumerate() {
            while offsets.get(at).is_some_and(|offset| offset >> shift < bucket as u64) {
                at += 1;
            }
            *first = at as u32;
        }
        Self { shift, first }
    }

    fn find(&self, offsets: &[u64], offset: u64) -> Option<u32> {
        let bucket = usize::try_from(offset >> self.shift).ok()?;
        let range = *self.first.get(bucket)? as usize..*self.first.get(bucket + 1)? as usize;
        let at = range.start + offsets[range].binary_search(&offset).ok()?;
        Some(at as u32)
    }
}
