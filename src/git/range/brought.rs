//! What trees have that others have not.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{Kind, TreeRefIter};

use super::{NewBlob, PLACES, Place, gap};
use crate::git::Repository;
use crate::git::store::Reader;
use crate::model::{Skip, SkipReason};

/// Trees are never nested deeper in earnest: git itself refuses more.
const DEEPEST: usize = 2048;

/// Collects the blobs that trees bring.
pub(super) struct Brought<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    blobs: Vec<NewBlob>,
    at: HashMap<ObjectId, usize>,
    /// Trees that were looked through, and at which paths: what they hold is
    /// collected, or was known to somebody before.
    done: HashMap<ObjectId, Vec<u64>>,
    hasher: RandomState,
    gaps: Vec<Skip>,
    /// Objects that a gap names already.
    named: HashSet<ObjectId>,
}

/// A tree that waits for its turn, and what stands at its place in the trees
/// that it is compared with.
struct Waiting {
    tree: ObjectId,
    path: Vec<u8>,
    depth: usize,
    others: Vec<ObjectId>,
}

impl<'r> Brought<'r> {
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self {
            repository,
            reader: repository.store.reader(),
            blobs: Vec::new(),
            at: HashMap::new(),
            done: HashMap::new(),
            hasher: RandomState::new(),
            gaps: Vec::new(),
            named: HashSet::new(),
        }
    }

    /// The blobs, and what could not be read.
    pub(super) fn finish(self) -> (Vec<NewBlob>, Vec<Skip>) {
        (self.blobs, self.gaps)
    }

    /// Collects what the tree of a commit has and those of its parents lack.
    pub(super) fn commit(&mut self, commit: usize, tree: ObjectId, parents: &[ObjectId]) {
        self.tree(Some(commit), tree, parents);
    }

    /// Collects what a tree has at paths where none of `others` has it.
    pub(super) fn tree(&mut self, commit: Option<usize>, tree: ObjectId, others: &[ObjectId]) {
        self.tree_at(commit, tree, Vec::new(), others);
    }

    /// The same for a tree that stands at a path, with a `/` at its end.
    pub(super) fn tree_at(
        &mut self,
        commit: Option<usize>,
        tree: ObjectId,
        path: Vec<u8>,
        others: &[ObjectId],
    ) {
        let mut waiting = vec![Waiting { tree, path, depth: 0, others: others.to_vec() }];
        while let Some(next) = waiting.pop() {
            if !next.others.contains(&next.tree) && self.is_new_place(&next) {
                self.open(commit, &next, &mut waiting);
            }
        }
    }

    /// Notes a blob at a path.
    pub(super) fn blob(&mut self, id: ObjectId, path: &[u8], commit: Option<usize>) {
        let place = || Place { path: path.into(), commit };
        let Some(&at) = self.at.get(&id) else {
            self.at.insert(id, self.blobs.len());
            return self.blobs.push(NewBlob { id, places: vec![place()], held: None });
        };
        let places = &mut self.blobs[at].places;
        if places.len() < PLACES && places.iter().all(|known| &*known.path != path) {
            places.push(place());
        }
    }

    /// True unless the tree was looked through at this path, or at so many
    /// that one more would tell nothing: trees may name each other such that
    /// there are more paths than atoms in the sky.
    fn is_new_place(&mut self, next: &Waiting) -> bool {
        let path = self.hasher.hash_one(&next.path);
        let paths = self.done.entry(next.tree).or_default();
        let new = paths.len() < PLACES && !paths.contains(&path);
        if new {
            paths.push(path);
        }
        new
    }

    fn open(&mut self, commit: Option<usize>, next: &Waiting, waiting: &mut Vec<Waiting>) {
        if next.depth > DEEPEST {
            return self.note(SkipReason::GitCorrupt, next.tree, "trees nested without end");
        }
        let tree = match self.read(&next.tree) {
            Ok(tree) => tree,
            Err((reason, why)) => return self.note(reason, next.tree, &why),
        };
        let others: Vec<Arc<Vec<u8>>> =
            next.others.iter().filter_map(|id| self.read(id).ok()).collect();
        let hash = self.repository.form.hash;
        let entries = |bytes| TreeRefIter::from_bytes(bytes, hash);
        let before = waiting.len();
        let mut known: Vec<(&[u8], &gix::oid, bool)> = others
            .iter()
            .flat_map(|other| entries(other).map_while(Result::ok))
            // What a commit of another repository stands for was not searched.
            .filter(|entry| !entry.mode.is_commit())
            .map(|entry| (&**entry.filename, entry.oid, entry.mode.is_tree()))
            .collect();
        known.sort_unstable();
        for entry in entries(&tree) {
            let Ok(entry) = entry else {
                return self.note(SkipReason::GitCorrupt, next.tree, "a tree that is damaged");
            };
            let name = &**entry.filename;
            let first = known.partition_point(|other| other.0 < name);
            let same_name = known[first..].iter().take_while(|other| other.0 == name);
            let same = (entry.oid, entry.mode.is_tree());
            if entry.mode.is_commit() || same_name.clone().any(|o| (o.1, o.2) == same) {
                continue;
            }
            let mut path = [&next.path, name].concat();
            if !entry.mode.is_tree() {
                self.blob(entry.oid.to_owned(), &path, commit);
                continue;
            }
            path.push(b'/');
            let others =
                same_name.filter(|other| other.2).map(|other| other.1.to_owned()).collect();
            let tree = entry.oid.to_owned();
            waiting.push(Waiting { tree, path, depth: next.depth + 1, others });
        }
        // The last is taken first.
        waiting[before..].reverse();
    }

    fn read(&mut self, id: &ObjectId) -> Result<Arc<Vec<u8>>, (SkipReason, String)> {
        if *id == ObjectId::empty_tree(self.repository.form.hash) {
            return Ok(Arc::default());
        }
        match self.reader.read(id) {
            Ok(Some((Kind::Tree, bytes))) => Ok(bytes),
            Ok(Some(_)) => Err((SkipReason::GitCorrupt, "no tree, though named as one".into())),
            Ok(None) => Err((SkipReason::GitMissing, "a tree that is not there".into())),
            Err(why) => Err((SkipReason::GitCorrupt, why.to_string())),
        }
    }

    fn note(&mut self, reason: SkipReason, id: ObjectId, why: &str) {
        if self.named.insert(id) {
            self.gaps.push(gap(reason, &id, why));
        }
    }
}
