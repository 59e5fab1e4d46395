//! The readers of git's formats, over bytes: for the fuzz targets, which see
//! only what is public. No part of the API.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::Kind;
use memmap2::{Mmap, MmapMut};

use super::forest::Forest;
use super::provenance::Wanted;
use super::store::delta::Delta;
use super::store::index::{self, Index as StoreIndex};
use super::store::{Place, Result, Store};
use super::trees::{self, Seen, key};
use super::walk::{self, Visited, Visitor};
use crate::model::Copied;

/// The size that a delta promises, the object that it makes of a base, and
/// what it copies.
pub fn delta(delta: &[u8], base: &[u8]) -> Result<(u64, Vec<u8>, Vec<Copied>)> {
    let (delta, mut made, mut copied) = (Delta::parse(delta)?, Vec::new(), Vec::new());
    delta.apply(base, &mut made, Some(&mut copied))?;
    Ok((delta.result, made, copied))
}

/// The index of a pack.
pub struct Index(StoreIndex);

impl Index {
    /// Reads an index, whose names are 20 or 32 bytes long.
    pub fn of(bytes: &[u8], width: usize) -> Result<Self> {
        StoreIndex::of(map(bytes)?, width).map(Self)
    }

    /// Makes one of names and offsets.
    pub fn made(rows: &[(Vec<u8>, u64)], width: usize) -> Self {
        let rows = rows.iter().map(|row| (ObjectId::from_bytes_or_panic(&row.0), row.1));
        Self(StoreIndex::made(rows.collect(), width))
    }

    /// All names and offsets.
    pub fn rows(&self) -> Vec<(&[u8], Option<u64>)> {
        (0..self.0.len()).map(|at| (self.0.name(at), self.0.offset(at))).collect()
    }

    /// Place of a name in the rows.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.0.find(name).map(|at| at as usize)
    }

    /// The checksum of its pack.
    pub fn pack_checksum(&self) -> Option<&[u8]> {
        self.0.pack_checksum()
    }
}

/// The indexes in a multi-pack-index, with the names of their packs.
pub fn multi_pack(bytes: &[u8], width: usize) -> Result<Vec<(String, Index)>> {
    let found = index::multi_pack_of(bytes, width)?;
    Ok(found.into_iter().map(|(name, index)| (name, Index(index))).collect())
}

/// What is kept of a tree.
#[derive(Debug, PartialEq, Eq)]
pub struct Tree(Seen);

impl Tree {
    /// Reads a tree, whole or as a delta of another one, on the way to the
    /// objects of these names.
    pub fn read(bytes: &[u8], base: Option<(&Self, &[Copied])>, wanted: &[&[u8]]) -> Self {
        let width = Hash::Sha1.len_in_bytes();
        let wanted: Wanted = wanted.iter().map(|id| (key(id), Vec::new())).collect();
        Self(trees::read(bytes, base.map(|(base, copied)| (&base.0, copied)), &wanted, width))
    }
}

/// The name of an object; its kind is the number that packs use.
pub fn name(kind: u8, bytes: &[u8], width: usize) -> Vec<u8> {
    let kind = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag][usize::from(kind) - 1];
    let id = gix::objs::compute_hash(hash(width), kind, bytes);
    id.map_or_else(|_| vec![0; width], |id| id.as_bytes().to_vec())
}

fn hash(width: usize) -> Hash {
    if width == Hash::Sha1.len_in_bytes() { Hash::Sha1 } else { Hash::Sha256 }
}

/// What became of an entry of a pack.
#[derive(Debug)]
pub struct Entry {
    /// Where it begins.
    pub offset: u64,
    /// The object as the walk made it; `None` if it said that it cannot.
    pub walked: Option<(Kind, Vec<u8>)>,
    /// The object as a reader of single ones makes it.
    pub read: Option<(Kind, Vec<u8>)>,
}

/// Walks all of a pack on one thread, with the index at hand or without one;
/// gives what the walk told, and the offsets in the index that it went by.
pub fn pack(bytes: &[u8], index: Option<Index>, width: usize) -> Result<(Vec<Entry>, Vec<u64>)> {
    let store = Store::of_pack(hash(width), map(bytes)?, index.map(|index| index.0))?;
    let forests = store.packs.iter().map(Forest::of).collect();
    let log = Log(Mutex::default());
    walk::packed(&store, &forests, 1, &log);
    let (mut reader, index) = (store.reader(), &store.packs[0].index);
    let entry = |(offset, walked)| {
        let read = reader.packed(0, offset).ok();
        let read = read.map(|(kind, bytes)| (kind, bytes.to_vec()));
        Entry { offset, walked, read }
    };
    let told = log.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let offsets = (0..index.len()).filter_map(|at| index.offset(at)).collect();
    Ok((told.into_iter().map(entry).collect(), offsets))
}

/// Notes all that a walk tells: offsets, and objects that could be made.
struct Log(Mutex<Vec<Told>>);

type Told = (u64, Option<(Kind, Vec<u8>)>);

impl Log {
    fn note(&self, place: Place, object: Option<(Kind, Vec<u8>)>) {
        let Place::Packed { offset, .. } = place else { return };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((offset, object));
    }
}

impl Visitor for Log {
    type Seen = ();

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn visit(&self, object: &Visited<'_>, _: Option<(&(), &[Copied])>) -> Option<()> {
        self.note(object.place, Some((object.kind, object.bytes.to_vec())));
        Some(())
    }

    fn stream(&self, _: Kind, place: Place, _: Option<&ObjectId>, _: u64, _: &mut dyn Read) {
        self.note(place, None);
    }

    fn broken(&self, place: Place, _: Option<&ObjectId>, _: &str) {
        self.note(place, None);
    }
}

/// A map of memory that holds these bytes.
fn map(bytes: &[u8]) -> Result<Mmap> {
    let mut map = MmapMut::map_anon(bytes.len()).map_err(|why| why.to_string())?;
    map.copy_from_slice(bytes);
    Ok(map.make_read_only().map_err(|why| why.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_files_are() {
        assert!(Index::of(b"", 20).is_err());
        assert!(multi_pack(b"MIDX\x01", 20).is_err());
        assert!(pack(b"PACK\0\0\0\x02\0\0\0\0", None, 20).unwrap().0.is_empty());
        let (size, made, copied) = delta(b"\x03\x03\x90\x03", b"abc").unwrap();
        assert_eq!((size, &made[..], copied.len()), (3, &b"abc"[..], 1));
        let tree = [&b"40000 a\0"[..], &[1; 20]].concat();
        let whole = Tree::read(&tree, None, &[&[1; 20]]);
        let all = [Copied { at: 0, from: 0, len: tree.len() }];
        assert_eq!(Tree::read(&tree, Some((&whole, &all)), &[&[1; 20]]), whole);
    }
}
