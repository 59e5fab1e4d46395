//! What something in a repository names and that is not there.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use rayon::prelude::*;

use super::commits::CommitLog;
use super::refs::{Tips, Way};
use super::repository::Repository;
use super::store::Store;

/// Knows which objects are there, and remembers which are not.
pub(crate) struct Presence<'p> {
    store: &'p Store,
    loose: HashSet<ObjectId>,
    missing: Mutex<BTreeSet<ObjectId>>,
}

impl<'p> Presence<'p> {
    pub(crate) fn of(store: &'p Store, loose: &[(usize, ObjectId)]) -> Self {
        let loose = loose.iter().map(|object| object.1).collect();
        Self { store, loose, missing: Mutex::default() }
    }

    /// Asks for an object. The empty blob and the empty tree need no file.
    pub(crate) fn ask(&self, id: &ObjectId) {
        let there = self.store.find_packed(id).is_some()
            || self.loose.contains(id)
            || id.is_empty_blob()
            || id.is_empty_tree()
            || id.is_null();
        if !there {
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(*id);
        }
    }

    /// Asks for what commits, refs and indexes name.
    pub(crate) fn ask_for_links(&self, repository: &Repository, commits: &CommitLog, tips: &Tips) {
        let mut named = Vec::new();
        commits.for_each(|row| {
            named.push(row.tree);
            named.extend(row.parents);
        });
        named.sort_unstable();
        named.dedup();
        let refs = tips.tips.iter().filter(|tip| matches!(tip.way, Way::Ref(_) | Way::Stash));
        named.extend(refs.map(|tip| tip.target));
        named.extend(tips.staged.iter().map(|staged| staged.id));
        named.par_iter().with_min_len(1024).for_each(|id| self.ask(id));
        if !repository.shallow.is_empty() {
            self.forgive_shallow(repository, commits);
        }
    }

    /// The parents of commits at which a shallow clone ends are left out on
    /// purpose.
    fn forgive_shallow(&self, repository: &Repository, commits: &CommitLog) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let edges = super::provenance::named(commits, self.store);
        for (id, row) in edges {
            if repository.shallow.contains(&id) {
                missing.retain(|id| !row.parents.contains(id));
            }
        }
    }

    /// The objects that are not there, sorted.
    pub(crate) fn missing(self) -> Vec<ObjectId> {
        let missing = self.missing.into_inner().unwrap_or_else(PoisonError::into_inner);
        missing.into_iter().collect()
    }
}
