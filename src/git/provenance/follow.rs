//! Follows secrets from commits, refs and indexes down through trees.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher as _};

use gix::ObjectId;
use gix::objs::{Kind, TreeRefIter};

use super::{Shown, Wanted, wanted};
use crate::git::graph::Graph;
use crate::git::refs::Tips;
use crate::git::store::{Reader, Store};
use crate::git::trees::{Key, KeyHasher, KeyMap, Trees, key, name_key};
use crate::model::{Fingerprint, LOCATION_CAP};

/// Trees deeper than this are not entered.
const DEEPEST: usize = 4096;
/// Paths at which one tree is entered, and at which one secret is told: a few
/// small trees that hold each other many times make more paths than there are
/// atoms, and no report shows more places.
const PATHS: u32 = LOCATION_CAP as u32;

/// What a path is followed from.
#[derive(Clone, Copy)]
pub(super) enum From {
    Commit(u32),
    /// A tree that a ref names, by its place in the list of tips.
    Tip(usize),
    Index,
    Nothing,
}

/// A place that was found, before it is known which refs contain it.
pub(super) struct Place {
    pub(super) object: usize,
    pub(super) secrets: Vec<u32>,
    pub(super) path: Box<[u8]>,
    pub(super) from: From,
    pub(super) in_head: bool,
}

pub(super) struct Finder<'f> {
    pub(super) graph: &'f Graph,
    pub(super) tips: &'f Tips,
    pub(super) shown: &'f [Shown],
    /// What each number of a secret stands for: one secret may have several,
    /// for the ways in which it stands.
    secrets: &'f [Fingerprint],
    /// The objects that show secrets, by key.
    objects: Wanted,
    pub(super) reader: Reader<'f>,
    trees: &'f Trees,
    /// Trees and the paths at which they were entered.
    entered: HashSet<(Key, PathKey), BuildHasherDefault<KeyHasher>>,
    /// At how many paths each tree was entered.
    times: KeyMap<u32>,
    /// At how many paths each secret was told.
    places: HashMap<u32, u32>,
    /// Secrets and the paths that are known for them.
    told: HashSet<(u32, PathKey)>,
    /// Objects that some tree leads to.
    pub(super) reached: Vec<bool>,
    pub(super) found: Vec<Place>,
    /// True if some trees were too deep to be entered.
    pub(super) too_deep: bool,
}

/// A hash of a path.
type PathKey = u64;

/// The path below another.
fn below(path: PathKey, name: u32) -> PathKey {
    let mut hasher = DefaultHasher::new();
    (path, name).hash(&mut hasher);
    hasher.finish()
}

/// The key of a path that is known.
fn path_key(path: &[u8]) -> PathKey {
    path.split(|&b| b == b'/').fold(0, |key, name| below(key, name_key(name)))
}

/// A step on the way down from a root.
#[derive(Clone, Copy)]
struct Step {
    tree: Key,
    path: PathKey,
    depth: usize,
    /// The step above, and the name of this one there.
    above: usize,
    name: u32,
}

impl<'f> Finder<'f> {
    pub(super) fn new(
        graph: &'f Graph,
        tips: &'f Tips,
        shown: &'f [Shown],
        secrets: &'f [Fingerprint],
        store: &'f Store,
        trees: &'f Trees,
    ) -> Self {
        Self {
            graph,
            tips,
            shown,
            secrets,
            objects: wanted(shown),
            reader: store.reader(),
            trees,
            entered: HashSet::default(),
            times: KeyMap::default(),
            places: HashMap::new(),
            told: HashSet::new(),
            reached: vec![false; shown.len()],
            found: Vec::new(),
            too_deep: false,
        }
    }

    /// Follows commits, then what else leads to trees, then indexes.
    pub(super) fn follow(&mut self, peel: &impl Fn(&ObjectId) -> ObjectId) {
        if self.objects.is_empty() {
            return;
        }
        let head = self.in_head(peel);
        for number in self.graph.in_order() {
            let tree = self.graph.tree(number);
            self.enter(key(tree.as_bytes()), Some(tree), From::Commit(number));
        }
        let tips = self.tips;
        for (at, tip) in tips.tips.iter().enumerate() {
            let target = peel(&tip.target);
            if self.graph.number(&target).is_none() {
                self.enter(key(target.as_bytes()), Some(target), From::Tip(at));
                self.name_directly(target, at);
            }
        }
        self.follow_indexes();
        let trees = self.trees;
        for &root in &trees.roots {
            self.enter(key(root.as_bytes()), Some(root), From::Nothing);
        }
        self.compare_with_head(&head);
    }

    /// Tells apart what HEAD still has and what it has no more.
    fn compare_with_head(&mut self, head: &HashSet<(Fingerprint, PathKey)>) {
        for place in std::mem::take(&mut self.found) {
            let path = path_key(&place.path);
            let still = |secret: &u32| head.contains(&(self.secrets[*secret as usize], path));
            let (there, gone): (Vec<u32>, Vec<u32>) =
                place.secrets.iter().partition(|it| still(it));
            for (secrets, in_head) in [(there, true), (gone, false)] {
                if !secrets.is_empty() {
                    let path = place.path.clone();
                    self.found.push(Place { secrets, in_head, path, ..place });
                }
            }
        }
    }

    /// The secrets that HEAD still has, and their paths.
    fn in_head(
        &mut self,
        peel: &impl Fn(&ObjectId) -> ObjectId,
    ) -> HashSet<(Fingerprint, PathKey)> {
        let head = self.tips.head.map(|head| peel(&head));
        let Some(number) = head.and_then(|head| self.graph.number(&head)) else {
            return HashSet::new();
        };
        let tree = self.graph.tree(number);
        self.enter(key(tree.as_bytes()), None, From::Nothing);
        self.entered.clear();
        self.times.clear();
        self.places.clear();
        self.found.clear();
        self.reached.fill(false);
        let told = std::mem::take(&mut self.told);
        told.into_iter().map(|(secret, path)| (self.secrets[secret as usize], path)).collect()
    }

    /// Enters a tree and all below it that lead to a secret and have not been
    /// entered at the same path before.
    fn enter(&mut self, root: Key, id: Option<ObjectId>, from: From) {
        let mut steps = vec![Step { tree: root, path: 0, depth: 0, above: usize::MAX, name: 0 }];
        let mut stack = vec![0];
        while let Some(at) = stack.pop() {
            let step = steps[at];
            let trees = self.trees;
            let edges = trees.edges(step.tree);
            if edges.is_empty() || !self.entered.insert((step.tree, step.path)) {
                continue;
            }
            if step.depth > DEEPEST {
                self.too_deep = true;
                continue;
            }
            let times = self.times.entry(step.tree).or_default();
            *times += 1;
            if *times > PATHS {
                continue;
            }
            for edge in edges {
                let (path, depth) = (below(step.path, edge.name), step.depth + 1);
                let next = Step { tree: edge.to(), path, depth, above: at, name: edge.name };
                if self.objects.contains_key(&edge.to()) {
                    self.tell(&steps, next, id, from);
                }
                if !trees.edges(edge.to()).is_empty() {
                    stack.push(steps.len());
                    steps.push(next);
                }
            }
        }
    }

    /// Notes the secrets of an object that are new at this path.
    fn tell(&mut self, steps: &[Step], last: Step, root: Option<ObjectId>, from: From) {
        for object in self.objects[&last.tree].clone() {
            self.reached[object] = true;
            let secrets = self.shown[object].secrets.iter().copied();
            let secrets: Vec<u32> =
                secrets.filter(|&secret| self.is_news(secret, last.path)).collect();
            if secrets.is_empty() {
                continue;
            }
            let path = root.and_then(|root| self.path(steps, last, root));
            let path = path.unwrap_or_else(|| self.unnamed(object));
            self.found.push(Place { object, secrets, path, from, in_head: false });
        }
    }

    /// True if a secret is to be told at a path, and was not before.
    fn is_news(&mut self, secret: u32, path: PathKey) -> bool {
        let places = self.places.entry(secret).or_default();
        let news = *places < PATHS && self.told.insert((secret, path));
        *places += u32::from(news);
        news
    }

    /// The path that steps lead along, read from the trees themselves.
    fn path(&mut self, steps: &[Step], last: Step, root: ObjectId) -> Option<Box<[u8]>> {
        let mut names = vec![(last.name, last.tree)];
        let mut above = last.above;
        while let Some(step) = steps.get(above).filter(|step| step.above != usize::MAX) {
            names.push((step.name, step.tree));
            above = step.above;
        }
        let (mut tree, mut path) = (root, Vec::new());
        for (name, to) in names.into_iter().rev() {
            let (_, bytes) = self.reader.read(&tree).ok()??;
            let entry = TreeRefIter::from_bytes(&bytes, tree.kind()).filter_map(Result::ok).find(
                |entry| name_key(entry.filename) == name && key(entry.oid.as_bytes()) == to,
            )?;
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(entry.filename);
            tree = entry.oid.to_owned();
        }
        Some(path.into())
    }

    pub(super) fn unnamed(&self, object: usize) -> Box<[u8]> {
        format!("object/{}", self.shown[object].id).into_bytes().into()
    }

    /// A blob that a ref names without a tree.
    fn name_directly(&mut self, target: ObjectId, tip: usize) {
        let Some(object) = self.shown.iter().position(|shown| shown.id == target) else { return };
        if self.shown[object].kind != Kind::Blob || self.reached[object] {
            return;
        }
        self.reached[object] = true;
        let (secrets, path) = (self.shown[object].secrets.clone(), self.unnamed(object));
        self.found.push(Place { object, secrets, path, from: From::Tip(tip), in_head: false });
    }

    /// What was added and not committed.
    fn follow_indexes(&mut self) {
        let by_id: HashMap<ObjectId, usize> =
            self.shown.iter().zip(0..).map(|(shown, at)| (shown.id, at)).collect();
        for staged in &self.tips.staged {
            let Some(&object) = by_id.get(&staged.id) else { continue };
            self.reached[object] = true;
            let path = path_key(&staged.path);
            let secrets = self.shown[object].secrets.iter().copied();
            let secrets: Vec<u32> = secrets.filter(|&secret| self.is_news(secret, path)).collect();
            if !secrets.is_empty() {
                let path = staged.path.clone();
                self.found.push(Place { object, secrets, path, from: From::Index, in_head: false });
            }
        }
    }
}

impl From {
    /// The commit, if it is one.
    pub(super) fn commit(self) -> Option<u32> {
        match self {
            Self::Commit(number) => Some(number),
            Self::Tip(_) | Self::Index | Self::Nothing => None,
        }
    }
}
