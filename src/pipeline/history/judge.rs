//! The last pass: what was found, at its true place, through the same
//! [`Scanner`] as files. Only the objects that show it are rebuilt.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;

use super::super::Scanner;
use super::{Starts, Subject};
use crate::git::forest::Forest;
use crate::git::provenance::{Shown, Spot};
use crate::git::store::pack::Form;
use crate::git::store::{Place, Store};
use crate::git::walk::{self, Visited, Visitor};
use crate::model::{Blob, Copied, Origin};
use crate::source::{self, Tally};

/// Judges finds where they stand.
pub(super) struct Judge<'j> {
    scanner: &'j Scanner,
    store: &'j Store,
    forests: &'j Vec<Forest>,
    shown: &'j [Shown],
    /// Objects and where in them something was found.
    finds: &'j [(Place, Starts)],
    /// The spots of each object, by its number.
    spots: HashMap<usize, Vec<Named>>,
    by_place: HashMap<Place, usize>,
    by_id: HashMap<ObjectId, usize>,
    /// Packs and entries that have to be made.
    entries: HashSet<(usize, u32)>,
}

/// A place where an object stands, and the secrets that it is the first to
/// show there.
type Named = (Arc<Origin>, Vec<u32>);

impl<'j> Judge<'j> {
    pub(super) fn new(
        scanner: &'j Scanner,
        subject: &Subject,
        store: &'j Store,
        forests: &'j Vec<Forest>,
        shown: &'j [Shown],
        finds: &'j [(Place, Starts)],
        found: Vec<Spot>,
    ) -> Self {
        let mut spots: HashMap<usize, Vec<Named>> = HashMap::new();
        for spot in found {
            let origin = subject.origin(spot.kind, &spot.path, Some(spot.provenance));
            spots.entry(spot.object).or_default().push((origin, spot.secrets));
        }
        let (mut by_place, mut by_id) = (HashMap::new(), HashMap::new());
        for &object in spots.keys() {
            match finds[object].0 {
                place @ Place::Packed { .. } => drop(by_place.insert(place, object)),
                Place::Loose { .. } => drop(by_id.insert(shown[object].id, object)),
            }
        }
        let entries = chains(store, forests, by_place.keys());
        Self { scanner, store, forests, shown, finds, spots, by_place, by_id, entries }
    }

    /// Judges all spots.
    pub(super) fn run(&self, threads: usize) {
        walk::packed(self.store, self.forests, threads, self);
        let loose: Vec<(usize, ObjectId)> = self
            .by_id
            .values()
            .filter_map(|&object| match self.finds[object].0 {
                Place::Loose { folder } => Some((folder, self.shown[object].id)),
                Place::Packed { .. } => None,
            })
            .collect();
        walk::loose(self.store, &loose, threads, self);
    }

    /// Judges what was found in the fresh part of a blob, at each of the places
    /// where it stands.
    fn judge(&self, object: usize, blob: &Blob<'_>) {
        for (origin, secrets) in &self.spots[&object] {
            let finds = self.finds[object].1.iter().filter(|find| secrets.contains(&find.1));
            let starts = finds.filter_map(|find| find.0.checked_sub(blob.offset));
            let mut starts: Vec<usize> = starts.map(|start| start as usize).collect();
            starts.dedup();
            for start in starts.into_iter().filter(|start| blob.fresh().contains(start)) {
                self.scanner.scan(&Blob { origin, fresh: (start, start + 1), ..*blob });
            }
        }
    }

    fn object(&self, place: Place, id: Option<&ObjectId>) -> Option<usize> {
        match id {
            Some(id) => self.by_id.get(id).copied(),
            None => self.by_place.get(&place).copied(),
        }
    }
}

impl Visitor for Judge<'_> {
    type Seen = ();

    fn wants(&self, kind: Kind) -> bool {
        kind != Kind::Tree
    }

    fn wants_at(&self, place: Place) -> bool {
        matches!(place, Place::Loose { .. }) || self.by_place.contains_key(&place)
    }

    fn enters(&self, pack: usize, entry: u32) -> bool {
        self.entries.contains(&(pack, entry))
    }

    fn visit(&self, seen: &Visited<'_>, _: Option<(&(), &[Copied])>) -> Option<()> {
        let object = self.object(seen.place, seen.id)?;
        let (anywhere, _) = self.spots[&object].first()?;
        self.judge(object, &Blob::whole(anywhere, seen.bytes));
        None
    }

    fn stream(&self, _: Kind, place: Place, id: Option<&ObjectId>, _: u64, input: &mut dyn Read) {
        let Some(object) = self.object(place, id) else { return };
        let (local, margins) = (Tally::default(), self.scanner.margins());
        let Some((anywhere, _)) = self.spots[&object].first() else { return };
        source::feed_stream(input, anywhere, margins, &local, &|blob| self.judge(object, blob));
    }

    /// The first pass has told of it.
    fn broken(&self, _: Place, _: Option<&ObjectId>, _: &str) {}
}

/// The entries at these places, and all that they are made of.
pub(super) fn chains<'p>(
    store: &Store,
    forests: &[Forest],
    places: impl Iterator<Item = &'p Place>,
) -> HashSet<(usize, u32)> {
    let mut entries = HashSet::new();
    for place in places {
        let Place::Packed { pack, offset } = *place else { continue };
        let mut next = Some(offset);
        while let Some(entry) = next.and_then(|offset| forests[pack].entry_at(offset)) {
            if !entries.insert((pack, entry)) {
                break;
            }
            let packed = &store.packs[pack];
            next =
                packed.entry(forests[pack].offset(entry)).ok().and_then(|entry| match entry.form {
                    Form::Whole(_) => None,
                    Form::OffsetDelta(base) => Some(base),
                    Form::NamedDelta(base) => {
                        packed.index.find(base.as_bytes()).and_then(|at| packed.index.offset(at))
                    }
                });
        }
    }
    entries
}
