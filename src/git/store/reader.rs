//! Reads single objects, wherever they stand, with a memory of bases that the
//! next one may need.

use std::collections::HashMap;
use std::sync::Arc;

use gix::ObjectId;
use gix::hash::Kind as Hash;

use super::delta::Delta;
use super::inflate::Inflater;
use super::pack::Form;
use super::{Object, Place, Result, Store};

/// Chains of deltas are never longer in earnest: git writes at most 4,095.
const LONGEST_CHAIN: usize = 10_000;
/// Bytes of objects that are kept for the next ones, twice.
const KEPT: usize = 16 << 20;
/// An object larger than this is not read whole at random.
const LARGEST: u64 = 4 << 30;

/// Reads objects of a store; one for each thread.
pub(crate) struct Reader<'s> {
    store: &'s Store,
    inflater: Inflater,
    delta: Vec<u8>,
    /// Two generations: when the young one is full, the old one is forgotten.
    young: HashMap<(usize, u64), Object>,
    old: HashMap<(usize, u64), Object>,
    bytes: usize,
}

impl<'s> Reader<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self {
            store,
            inflater: Inflater::new(),
            delta: Vec::new(),
            young: HashMap::new(),
            old: HashMap::new(),
            bytes: 0,
        }
    }

    /// Reads the object of this name; `None` if the store has none.
    pub(crate) fn read(&mut self, id: &ObjectId) -> Result<Option<Object>> {
        self.store.find(id).map(|place| self.read_at(place, id)).transpose()
    }

    /// Reads the object at a place; `id` names it if it is loose.
    pub(crate) fn read_at(&mut self, place: Place, id: &ObjectId) -> Result<Object> {
        match place {
            Place::Packed { pack, offset } => self.packed(pack, offset),
            Place::Loose { folder } => {
                let loose = self.store.loose(folder, id)?;
                if loose.size > LARGEST {
                    return Err("an object too large to be read whole".into());
                }
                let (kind, mut out) = (loose.kind, Vec::new());
                loose.read(&mut out)?;
                Ok((kind, Arc::new(out)))
            }
        }
    }

    /// Reads the object of a pack's entry: down the chain to something whole,
    /// and up again.
    pub(crate) fn packed(&mut self, pack: usize, offset: u64) -> Result<Object> {
        let (mut at, mut chain) = ((pack, offset), Vec::new());
        let (kind, mut object) = loop {
            if let Some(known) = self.known(at) {
                break known;
            }
            if chain.len() > LONGEST_CHAIN {
                return Err("a chain of deltas without an end".into());
            }
            let entry = self.store.packs[at.0].entry(at.1)?;
            if entry.size > LARGEST {
                return Err("an object too large to be read whole".into());
            }
            match entry.form {
                Form::Whole(kind) => {
                    let mut out = Vec::new();
                    self.store.packs[at.0].inflate(&entry, &mut self.inflater, &mut out)?;
                    let object = (kind, Arc::new(out));
                    self.keep(at, &object);
                    break object;
                }
                Form::OffsetDelta(base) => {
                    chain.push((at, entry));
                    at = (at.0, base);
                }
                Form::NamedDelta(base) => {
                    chain.push((at, entry));
                    match self.base(at.0, &base)? {
                        Place::Packed { pack, offset } => at = (pack, offset),
                        place @ Place::Loose { .. } => break self.read_at(place, &base)?,
                    }
                }
            }
        };
        while let Some((at, entry)) = chain.pop() {
            let mut delta = std::mem::take(&mut self.delta);
            let pack = &self.store.packs[at.0];
            let made = pack.inflate(&entry, &mut self.inflater, &mut delta).and_then(|()| {
                let delta = Delta::parse(&delta)?;
                if delta.result > LARGEST {
                    return Err("an object too large to be read whole".into());
                }
                let mut out = Vec::new();
                delta.apply(&object, &mut out, None)?;
                Ok(out)
            });
            self.delta = delta;
            object = Arc::new(made?);
            self.keep(at, &(kind, Arc::clone(&object)));
        }
        Ok((kind, object))
    }

    /// Where the base of a delta stands: in its own pack if that has it.
    fn base(&self, pack: usize, id: &ObjectId) -> Result<Place> {
        let index = &self.store.packs[pack].index;
        let own = index.find(id.as_bytes()).and_then(|at| index.offset(at));
        own.map(|offset| Place::Packed { pack, offset })
            .or_else(|| self.store.find(id))
            .ok_or_else(|| format!("a delta whose base {id} is missing").into())
    }

    fn known(&mut self, at: (usize, u64)) -> Option<Object> {
        if let Some(object) = self.young.get(&at) {
            return Some(object.clone());
        }
        let object = self.old.remove(&at)?;
        self.keep(at, &object);
        Some(object)
    }

    fn keep(&mut self, at: (usize, u64), object: &Object) {
        if object.1.len() > KEPT / 4 {
            return;
        }
        self.bytes += object.1.len();
        if self.bytes > KEPT {
            self.old = std::mem::take(&mut self.young);
            self.bytes = object.1.len();
        }
        self.young.insert(at, object.clone());
    }
}

/// A name for an object whose true one is not known yet.
pub(super) fn unnamed(hash: Hash, offset: u64) -> ObjectId {
    let mut bytes = hash.null().as_bytes().to_vec();
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    ObjectId::from_bytes_or_panic(&bytes)
}

/// The true names of the objects of a pack that has no index. Those that
/// cannot be read keep a name that only counts them.
pub(super) fn names(store: &Store, pack: usize) -> Vec<(ObjectId, u64)> {
    let index = &store.packs[pack].index;
    let mut rows: Vec<(ObjectId, u64)> = (0..index.len())
        .filter_map(|at| Some((ObjectId::from_bytes_or_panic(index.name(at)), index.offset(at)?)))
        .collect();
    rows.sort_unstable_by_key(|row| row.1);
    let mut reader = Reader::new(store);
    let mut known: HashMap<ObjectId, u64> = HashMap::new();
    // A base that is named may stand behind its delta: go on while it helps.
    loop {
        let before = known.len();
        for (name, offset) in &mut rows {
            if known.contains_key(name) {
                continue;
            }
            let Ok((kind, bytes)) = reader.packed_with(pack, *offset, &known) else { continue };
            if let Ok(id) = gix::objs::compute_hash(store.hash, kind, &bytes) {
                known.insert(id, *offset);
                *name = id;
            }
        }
        if known.len() == before {
            return rows;
        }
    }
}

impl Reader<'_> {
    /// Reads an entry whose base may be one of `known`.
    fn packed_with(
        &mut self,
        pack: usize,
        offset: u64,
        known: &HashMap<ObjectId, u64>,
    ) -> Result<Object> {
        let entry = self.store.packs[pack].entry(offset)?;
        if let Form::NamedDelta(base) = entry.form
            && let Some(base) = known.get(&base)
        {
            let (kind, object) = self.packed(pack, *base)?;
            let mut delta = Vec::new();
            self.store.packs[pack].inflate(&entry, &mut self.inflater, &mut delta)?;
            let mut out = Vec::new();
            Delta::parse(&delta)?.apply(&object, &mut out, None)?;
            let object = (kind, Arc::new(out));
            self.keep((pack, offset), &object);
            return Ok(object);
        }
        self.packed(pack, offset)
    }
}
