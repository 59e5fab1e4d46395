//! What of a store no earlier run has searched.

use std::collections::HashSet;

use gix::ObjectId;

use super::super::incremental::State;
use super::judge::chains;
use crate::git::forest::Forest;
use crate::git::store::{Place, Store};

/// The objects of a store that are new.
pub(super) struct News {
    packs: Vec<Pack>,
    pub(super) loose: Vec<(usize, ObjectId)>,
    /// How many are not.
    pub(super) known: u64,
    /// True if there are none.
    pub(super) nothing: bool,
}

/// What of a pack is new.
enum Pack {
    Nothing,
    /// The objects at these offsets.
    Some(HashSet<u64>),
    All,
}

/// Which of the objects that are walked are searched.
#[derive(Default)]
pub(super) struct Only(Option<Parts>);

struct Parts {
    packs: Vec<Pack>,
    /// Packs and entries that have to be made.
    entries: HashSet<(usize, u32)>,
}

impl News {
    pub(super) fn of(store: &Store, loose: &[(usize, ObjectId)], state: Option<&State>) -> Self {
        let Some(state) = state else {
            let packs = store.packs.iter().map(|_| Pack::All).collect();
            return Self { packs, loose: loose.to_vec(), known: 0, nothing: false };
        };
        let mut known = 0;
        let packs: Vec<Pack> = store
            .packs
            .iter()
            .map(|pack| {
                let index = &pack.index;
                if state.knows_pack(&pack.path) {
                    known += u64::from(index.len());
                    return Pack::Nothing;
                }
                if !state.knows_objects() {
                    return Pack::All;
                }
                let new = (0..index.len()).filter(|&at| !state.knows_object(index.name(at)));
                let new: HashSet<u64> = new.filter_map(|at| index.offset(at)).collect();
                known += u64::from(index.len()) - new.len() as u64;
                match new.len() {
                    0 => Pack::Nothing,
                    _ => Pack::Some(new),
                }
            })
            .collect();
        let new = loose.iter().filter(|(_, id)| !state.knows_object(id.as_bytes()));
        let new: Vec<(usize, ObjectId)> = new.copied().collect();
        known += (loose.len() - new.len()) as u64;
        let nothing = new.is_empty() && packs.iter().all(|pack| matches!(pack, Pack::Nothing));
        Self { packs, loose: new, known, nothing }
    }

    /// The forests of packs that hold something new; empty ones for the others.
    pub(super) fn forests(&self, store: &Store) -> Vec<Forest> {
        let forest = |(pack, news): (_, &Pack)| match news {
            Pack::Nothing => Forest::default(),
            Pack::Some(_) | Pack::All => Forest::of(pack),
        };
        store.packs.iter().zip(&self.packs).map(forest).collect()
    }

    /// What is to be searched of them.
    pub(super) fn only(&mut self, store: &Store, forests: &[Forest]) -> Only {
        if !self.packs.iter().any(|pack| matches!(pack, Pack::Some(_))) {
            return Only(None);
        }
        let packs = std::mem::take(&mut self.packs);
        let places: Vec<Place> = packs
            .iter()
            .enumerate()
            .flat_map(|(pack, news)| {
                let offsets = match news {
                    Pack::Some(offsets) => Some(offsets.iter()),
                    Pack::Nothing | Pack::All => None,
                };
                let place = move |&offset: &u64| Place::Packed { pack, offset };
                offsets.into_iter().flatten().map(place)
            })
            .collect();
        Only(Some(Parts { entries: chains(store, forests, places.iter()), packs }))
    }
}

impl Only {
    /// True if the object at a place is searched.
    pub(super) fn wants(&self, place: Place) -> bool {
        let (Some(parts), Place::Packed { pack, offset }) = (&self.0, place) else { return true };
        match &parts.packs[pack] {
            Pack::Nothing => false,
            Pack::Some(offsets) => offsets.contains(&offset),
            Pack::All => true,
        }
    }

    /// True if an entry has to be made.
    pub(super) fn enters(&self, pack: usize, entry: u32) -> bool {
        let Some(parts) = &self.0 else { return true };
        matches!(parts.packs[pack], Pack::All) || parts.entries.contains(&(pack, entry))
    }
}
