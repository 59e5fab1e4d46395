//! Which commits are new: those that lead from what is wanted to what is
//! known, found by walking both down at once, the youngest first.
//!
//! Parents are always read from the commits themselves. A commit-graph only
//! says how old commits are, so one that lies makes the walk stop early, and
//! then too much counts as new, never too little.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::ObjectId;
use gix::commitgraph::{GENERATION_NUMBER_INFINITY, Graph};
use gix::objs::{Kind, TagRefIter};

use super::commit::Commit;
use super::{NewCommit, gap};
use crate::git::Repository;
use crate::git::store::Reader;
use crate::model::{Skip, SkipReason};

/// What a walk found.
#[derive(Default)]
pub(super) struct Painted {
    /// Parents before children.
    pub(super) commits: Vec<Link>,
    pub(super) tags: Vec<ObjectId>,
    /// Trees that are wanted by themselves.
    pub(super) trees: Vec<ObjectId>,
    /// The same for blobs.
    pub(super) blobs: Vec<ObjectId>,
    pub(super) gaps: Vec<Skip>,
}

/// A new commit and what it is compared with.
pub(super) struct Link {
    pub(super) new: NewCommit,
    pub(super) tree: ObjectId,
    pub(super) parent_trees: Vec<ObjectId>,
}

/// The walk.
pub(super) struct Paint<'r> {
    repository: &'r Repository,
    reader: Reader<'r>,
    graphs: Vec<Graph>,
    nodes: HashMap<ObjectId, Node>,
    queue: BinaryHeap<(Age, ObjectId)>,
    /// New commits that wait in the queue.
    pending: usize,
    /// Objects that are known and no commits.
    known: HashSet<ObjectId>,
    seen: HashSet<ObjectId>,
    found: Painted,
}

/// How young a commit is: no commit is older than its parents by generation,
/// though it may be by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Age {
    generation: u32,
    time: i64,
}

struct Node {
    age: Age,
    known: bool,
    /// True if its parents were visited in its present colour.
    done: bool,
    commit: Content,
}

enum Content {
    Unread,
    Read(Commit),
    /// Why it cannot be read.
    Gone(SkipReason, String),
}

impl<'r> Paint<'r> {
    pub(super) fn new(repository: &'r Repository) -> Self {
        Self {
            repository,
            reader: repository.store.reader(),
            graphs: graphs(repository),
            nodes: HashMap::new(),
            queue: BinaryHeap::new(),
            pending: 0,
            known: HashSet::new(),
            seen: HashSet::new(),
            found: Painted::default(),
        }
    }

    /// Adds something that is known; tags are followed.
    pub(super) fn add_known(&mut self, id: &ObjectId) {
        let mut id = *id;
        while self.known.insert(id) {
            if self.generation(&id).is_some() {
                return self.reach(id, true);
            }
            match self.reader.read(&id) {
                Ok(Some((Kind::Commit, _))) => return self.reach(id, true),
                Ok(Some((Kind::Tag, bytes))) => match self.target(&bytes) {
                    Some(target) => id = target,
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// Adds something that is wanted; tags are followed.
    pub(super) fn add_wanted(&mut self, id: &ObjectId) {
        let mut id = *id;
        while !self.known.contains(&id) && self.seen.insert(id) {
            let corrupt = |why: &str| gap(SkipReason::GitCorrupt, &id, why);
            match self.reader.read(&id) {
                Ok(Some((Kind::Commit, _))) => return self.reach(id, false),
                Ok(Some((Kind::Tree, _))) => return self.found.trees.push(id),
                Ok(Some((Kind::Blob, _))) => return self.found.blobs.push(id),
                Ok(Some((Kind::Tag, bytes))) => {
                    self.found.tags.push(id);
                    match self.target(&bytes) {
                        Some(target) => id = target,
                        None => return self.found.gaps.push(corrupt("a tag that is damaged")),
                    }
                }
                Ok(None) => {
                    let why = "an object that is asked for and not there";
                    return self.found.gaps.push(gap(SkipReason::GitMissing, &id, why));
                }
                Err(why) => return self.found.gaps.push(corrupt(&why.to_string())),
            }
        }
    }

    /// Walks until no new commit waits any more, and then as far as something
    /// known may still lead to one that was taken for new.
    pub(super) fn run(&mut self) {
        while self.pending > 0
            && let Some((_, id)) = self.queue.pop()
        {
            let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.done) else { continue };
            node.done = true;
            let known = node.known;
            self.pending -= usize::from(!known);
            for parent in self.parents(&id) {
                self.reach(parent, known);
            }
        }
        self.settle();
    }

    /// Paints over what was taken for new because dates are wrong.
    fn settle(&mut self) {
        let new = self.nodes.values().filter(|node| !node.known);
        let Some(oldest) = new.map(|node| node.age).min() else { return };
        let mut stack: Vec<ObjectId> =
            std::mem::take(&mut self.queue).into_iter().map(|(_, id)| id).collect();
        stack.retain(|id| self.may_lead_to_new(id, oldest));
        while let Some(id) = stack.pop() {
            let Some(node) = self.nodes.get_mut(&id).filter(|node| !node.done) else { continue };
            node.done = true;
            for parent in self.parents(&id) {
                self.reach(parent, true);
                if self.may_lead_to_new(&parent, oldest) {
                    stack.push(parent);
                }
            }
        }
    }

    fn may_lead_to_new(&self, id: &ObjectId, oldest: Age) -> bool {
        let is_new = |id: &ObjectId| self.nodes.get(id).is_some_and(|node| !node.known);
        self.nodes.get(id).is_some_and(|node| match &node.commit {
            _ if node.done => false,
            _ if node.age >= oldest => true,
            Content::Read(commit) => commit.parents.iter().any(is_new),
            _ => false,
        })
    }

    /// Comes to a commit from something known, or from something new.
    fn reach(&mut self, id: ObjectId, known: bool) {
        if let Some(node) = self.nodes.get_mut(&id) {
            if known && !node.known {
                node.known = true;
                if !node.done {
                    self.pending -= 1;
                } else {
                    // What was reached from here has to be painted over.
                    node.done = false;
                    self.queue.push((node.age, id));
                }
            }
            return;
        }
        let (age, commit) = match self.generation(&id) {
            Some(age) => (age, Content::Unread),
            None => {
                let commit = self.read(&id);
                let time = if let Content::Read(commit) = &commit { commit.time } else { i64::MAX };
                (Age { generation: GENERATION_NUMBER_INFINITY, time }, commit)
            }
        };
        self.pending += usize::from(!known);
        self.nodes.insert(id, Node { age, known, done: false, commit });
        self.queue.push((age, id));
    }

    fn parents(&mut self, id: &ObjectId) -> Vec<ObjectId> {
        let Some(node) = self.nodes.get(id) else { return Vec::new() };
        let (known, unread) = (node.known, matches!(node.commit, Content::Unread));
        let read = unread.then(|| self.read(id));
        let Some(node) = self.nodes.get_mut(id) else { return Vec::new() };
        if let Some(read) = read {
            node.commit = read;
        }
        let parents = match &node.commit {
            Content::Read(commit) => commit.parents.clone(),
            _ => Vec::new(),
        };
        // Nobody asks for the tree or the author of most of these.
        if known && matches!(node.commit, Content::Read(_)) {
            node.commit = Content::Unread;
        }
        parents
    }

    fn read(&mut self, id: &ObjectId) -> Content {
        let corrupt = |why: &str| Content::Gone(SkipReason::GitCorrupt, why.to_owned());
        match self.reader.read(id) {
            Ok(Some((Kind::Commit, bytes))) => Commit::parse(&bytes, self.repository.form.hash)
                .map_or_else(|| corrupt("a commit without a tree"), Content::Read),
            Ok(Some(_)) => corrupt("no commit, though named as a parent"),
            Ok(None) => Content::Gone(SkipReason::GitMissing, "a commit that is not there".into()),
            Err(why) => corrupt(&why.to_string()),
        }
    }

    /// What a commit-graph says of a commit's age.
    fn generation(&self, id: &ObjectId) -> Option<Age> {
        let commit = self.graphs.iter().find_map(|graph| graph.commit_by_id(id))?;
        let time = i64::try_from(commit.committer_timestamp()).unwrap_or(i64::MAX);
        Some(Age { generation: commit.generation(), time })
    }

    fn target(&self, tag: &[u8]) -> Option<ObjectId> {
        TagRefIter::from_bytes(tag, self.repository.form.hash).target_id().ok()
    }

    /// The new commits in order, with the trees of their parents.
    pub(super) fn finish(mut self) -> Painted {
        let mut done: HashSet<ObjectId> = HashSet::new();
        for id in self.order() {
            let Some(Node { commit: Content::Read(commit), .. }) = self.nodes.get(&id) else {
                continue;
            };
            let commit = commit.clone();
            let parent_trees = commit
                .parents
                .iter()
                .filter_map(|parent| match self.nodes.get(parent)? {
                    // A parent that comes later is one that its child leads
                    // to: a lie, and nothing to compare with.
                    node if !node.known && !done.contains(parent) => None,
                    Node { commit: Content::Read(commit), .. } => Some(commit.tree),
                    _ => match self.read(parent) {
                        Content::Read(commit) => Some(commit.tree),
                        _ => None,
                    },
                })
                .collect();
            done.insert(id);
            let new = NewCommit { id, time: commit.time, author: commit.author };
            self.found.commits.push(Link { new, tree: commit.tree, parent_trees });
        }
        self.note_gaps();
        self.found
    }

    /// The new commits, parents before children, the oldest first. Commits
    /// that lead back to themselves come last.
    fn order(&self) -> Vec<ObjectId> {
        let new: HashMap<&ObjectId, &Commit> = self
            .nodes
            .iter()
            .filter_map(|(id, node)| match &node.commit {
                Content::Read(commit) if !node.known => Some((id, commit)),
                _ => None,
            })
            .collect();
        let mut children: HashMap<&ObjectId, Vec<&ObjectId>> = HashMap::new();
        let mut open: HashMap<&ObjectId, usize> = HashMap::new();
        for (id, commit) in &new {
            let parents = commit.parents.iter().filter(|parent| new.contains_key(parent));
            open.insert(id, parents.clone().count());
            parents.for_each(|parent| children.entry(parent).or_default().push(id));
        }
        let rank = |id: &ObjectId| std::cmp::Reverse((new[id].time, *id));
        let ready = open.iter().filter(|(_, parents)| **parents == 0);
        let mut ready: BinaryHeap<_> = ready.map(|(id, _)| rank(id)).collect();
        let mut order = Vec::with_capacity(new.len());
        while let Some(std::cmp::Reverse((_, id))) = ready.pop() {
            order.push(id);
            for child in children.get(&id).into_iter().flatten() {
                let Some(parents) = open.get_mut(child) else { continue };
                *parents -= 1;
                if *parents == 0 {
                    ready.push(rank(child));
                }
            }
        }
        let mut rest: Vec<ObjectId> =
            open.into_iter().filter(|(_, parents)| *parents > 0).map(|(id, _)| *id).collect();
        rest.sort_unstable();
        [order, rest].concat()
    }

    fn note_gaps(&mut self) {
        let shallow: HashSet<&ObjectId> = self
            .found
            .commits
            .iter()
            .filter(|link| self.repository.shallow.contains(&link.new.id))
            .filter_map(|link| match &self.nodes.get(&link.new.id)?.commit {
                Content::Read(commit) => Some(&commit.parents),
                _ => None,
            })
            .flatten()
            .collect();
        let mut gaps: Vec<Skip> = self
            .nodes
            .iter()
            .filter_map(|(id, node)| match &node.commit {
                Content::Gone(SkipReason::GitMissing, why) if shallow.contains(id) => {
                    Some(gap(SkipReason::GitShallow, id, why.as_str()))
                }
                Content::Gone(reason, why) if !node.known => Some(gap(*reason, id, why.as_str())),
                _ => None,
            })
            .collect();
        gaps.sort();
        self.found.gaps.extend(gaps);
    }
}

/// The commit-graphs of a repository that can be read.
fn graphs(repository: &Repository) -> Vec<Graph> {
    let hash = repository.form.hash;
    let regular = |info: &std::path::Path| {
        let chain = std::fs::read_dir(info.join("commit-graphs"));
        let chain = chain.into_iter().flatten().flatten().map(|entry| entry.path());
        // Whoever opened a pipe here would wait for ever.
        chain.chain([info.join("commit-graph")]).all(|path| !path.exists() || path.is_file())
    };
    let folders = repository.store.folders.iter().map(|folder| folder.join("info"));
    folders
        .filter(|info| regular(info))
        .filter_map(|info| Graph::from_info_dir(&info, hash).ok())
        .filter(|graph| graph.object_hash() == hash)
        .collect()
}
