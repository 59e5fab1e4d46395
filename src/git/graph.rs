//! The commits of a repository as a graph: which comes first, what leads to
//! each, which refs contain it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use gix::ObjectId;
use gix::hashtable::HashMap;

use super::commits::Row;
use super::refs::{Tip, Way};
use crate::model::Held;

/// No commit.
const NONE: u32 = u32::MAX;
/// Commits whose refs are found in one pass.
const LANES: usize = 64;

/// All commits of a store and their parents, by number.
#[derive(Default)]
pub(crate) struct Graph {
    commits: Vec<Commit>,
    numbers: HashMap<ObjectId, u32>,
}

struct Commit {
    id: ObjectId,
    tree: ObjectId,
    time: i64,
    parents: Vec<u32>,
    /// How it is held; `None` if a ref leads to it.
    held: Option<Held>,
}

impl Graph {
    /// The graph of commits with their names. Parents that are not there are
    /// left out.
    pub(crate) fn of(rows: Vec<(ObjectId, Row)>) -> Self {
        let mut graph = Self::default();
        let mut parents = Vec::new();
        for (id, row) in rows {
            let number = graph.commits.len() as u32;
            // The same commit may stand in two packs.
            if *graph.numbers.entry(id).or_insert(number) != number {
                continue;
            }
            let Row { tree, time, .. } = row;
            let held = Some(Held::Dangling);
            graph.commits.push(Commit { id, tree, time, parents: Vec::new(), held });
            parents.push(row.parents);
        }
        for (number, ids) in parents.into_iter().enumerate() {
            let known = ids.iter().filter_map(|id| graph.numbers.get(id).copied());
            graph.commits[number].parents = known.collect();
        }
        graph
    }

    /// The number of a commit.
    pub(crate) fn number(&self, id: &ObjectId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The name of a commit.
    pub(crate) fn id(&self, number: u32) -> ObjectId {
        self.commits[number as usize].id
    }

    /// The tree of a commit.
    pub(crate) fn tree(&self, number: u32) -> ObjectId {
        self.commits[number as usize].tree
    }

    /// When a commit was made, in seconds since 1970.
    pub(crate) fn time(&self, number: u32) -> i64 {
        self.commits[number as usize].time
    }

    /// How a commit is held; `None` if a ref leads to it.
    pub(crate) fn held(&self, number: u32) -> Option<Held> {
        self.commits[number as usize].held
    }

    /// Follows what leads to commits. `peeled` gives the commit behind a tag.
    pub(crate) fn hold(&mut self, tips: &[Tip], peeled: impl Fn(&ObjectId) -> ObjectId) {
        let rank = |held: Option<Held>| held.map_or(0, |held| held as u8 + 1);
        for way in [None, Some(Held::Stash), Some(Held::Reflog)] {
            let of_way = tips.iter().filter(|tip| tip.way.held() == way);
            let mut stack: Vec<u32> =
                of_way.filter_map(|tip| self.number(&peeled(&tip.target))).collect();
            while let Some(number) = stack.pop() {
                let commit = &mut self.commits[number as usize];
                if rank(commit.held) > rank(way) {
                    commit.held = way;
                    stack.extend(&commit.parents);
                }
            }
        }
    }

    /// All commits: those that refs lead to first, then by how they are held;
    /// parents before their children, the older before the younger.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        let mut order = self.topological();
        order.sort_by_key(|&number| self.held(number));
        order
    }

    /// Parents before their children, and else by time.
    fn topological(&self) -> Vec<u32> {
        let count = self.commits.len();
        let mut waiting = vec![0u32; count];
        let (mut first_child, mut edges) = (vec![NONE; count], Vec::new());
        for (number, commit) in self.commits.iter().enumerate() {
            waiting[number] = commit.parents.len() as u32;
            for &parent in &commit.parents {
                edges.push((number as u32, first_child[parent as usize]));
                first_child[parent as usize] = edges.len() as u32 - 1;
            }
        }
        let key = |number: u32| {
            let commit = &self.commits[number as usize];
            Reverse((commit.time, commit.id, number))
        };
        let ready = (0..count as u32).filter(|&number| waiting[number as usize] == 0);
        let mut ready: BinaryHeap<_> = ready.map(key).collect();
        let (mut order, mut done) = (Vec::with_capacity(count), vec![false; count]);
        while let Some(Reverse((_, _, number))) = ready.pop() {
            order.push(number);
            done[number as usize] = true;
            let mut edge = first_child[number as usize];
            while let Some(&(child, next)) = edges.get(edge as usize) {
                waiting[child as usize] -= 1;
                if waiting[child as usize] == 0 {
                    ready.push(key(child));
                }
                edge = next;
            }
        }
        // Commits in a circle, which only a damaged store can hold.
        order.extend((0..count as u32).filter(|&number| !done[number as usize]));
        order
    }

    /// For each of `commits` the refs that contain it, in the order of `refs`,
    /// at most `cap`.
    pub(crate) fn refs_containing(
        &self,
        commits: &[u32],
        refs: &[(Arc<[u8]>, u32)],
        cap: usize,
    ) -> Vec<Vec<Arc<[u8]>>> {
        let mut found = vec![Vec::new(); commits.len()];
        let order = self.topological();
        for (lane, chunk) in commits.chunks(LANES).enumerate() {
            let mut holds = vec![0u64; self.commits.len()];
            for (bit, &number) in chunk.iter().enumerate() {
                holds[number as usize] |= 1 << bit;
            }
            for &number in &order {
                for &parent in &self.commits[number as usize].parents {
                    holds[number as usize] |= holds[parent as usize];
                }
            }
            for (name, tip) in refs {
                let held = holds[*tip as usize];
                for bit in (0..chunk.len()).filter(|bit| held >> bit & 1 == 1) {
                    let names = &mut found[lane * LANES + bit];
                    if names.len() < cap {
                        names.push(Arc::clone(name));
                    }
                }
            }
        }
        found
    }
}

impl Way {
    /// What holds an object that only such a tip leads to.
    pub(crate) fn held(&self) -> Option<Held> {
        match self {
            Self::Ref(_) => None,
            Self::Stash => Some(Held::Stash),
            Self::Reflog => Some(Held::Reflog),
        }
    }
}
