//! Where in history a secret stands: the first commit that shows it, under
//! which paths, which refs contain it, and how it is held if none does.
//!
//! All secrets are followed in one pass: commits are taken in order, parents
//! before children, and each tree that leads to a secret is entered once for
//! each path that it stands at.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind, TagRefIter, TreeRefIter};

use super::commits::{At, CommitLog, Row};
use super::graph::Graph;
use super::refs::{Tips, Way};
use super::repository::Repository;
use super::store::{Reader, Store};
use super::trees::{Key, Trees, key, name_key};
use crate::model::{Held, OriginKind, Provenance, REF_CAP};

/// An object in which secrets were found.
pub(crate) struct Shown {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    /// Numbers of the secrets that it shows.
    pub(crate) secrets: Vec<u32>,
}

/// A place in history at which a secret stands for the first time.
pub(crate) struct Spot {
    /// Place in the list of objects of the one that shows it there.
    pub(crate) object: usize,
    pub(crate) secrets: Vec<u32>,
    pub(crate) kind: OriginKind,
    pub(crate) path: Box<[u8]>,
    pub(crate) provenance: Provenance,
}

/// Where all secrets stand, and what stood in the way of finding out.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) spots: Vec<Spot>,
    pub(crate) gaps: Vec<String>,
}

/// Trees deeper than this are not entered.
const DEEPEST: usize = 4096;
/// Paths that are followed in all: a few small trees that hold each other many
/// times make more of them than there are atoms.
const PATHS: usize = 100_000;
/// Tags that point to tags.
const TAG_CHAIN: usize = 64;

/// The objects that hold something, by key, and their places in the list.
pub(crate) type Wanted = HashMap<Key, Vec<usize>>;

/// The blobs of `shown`, by key.
pub(crate) fn wanted(shown: &[Shown]) -> Wanted {
    let mut wanted = Wanted::new();
    for (at, shown) in shown.iter().enumerate().filter(|(_, shown)| shown.kind == Kind::Blob) {
        wanted.entry(key(shown.id.as_bytes())).or_default().push(at);
    }
    wanted
}

/// Finds where the secrets of `shown` stand.
pub(crate) fn find(
    repository: &Repository,
    commits: &CommitLog,
    shown: &[Shown],
    trees: &Trees,
    tips: &Tips,
) -> Answer {
    let store = &repository.store;
    let mut graph = Graph::of(named(commits, store));
    let mut peeler = Peeler { reader: store.reader(), known: HashMap::new() };
    let peeled: HashMap<ObjectId, ObjectId> = tips
        .tips
        .iter()
        .filter(|tip| graph.number(&tip.target).is_none())
        .map(|tip| (tip.target, peeler.peel(tip.target)))
        .collect();
    let peel = |id: &ObjectId| peeled.get(id).copied().unwrap_or(*id);
    graph.hold(&tips.tips, peel);

    let mut finder = Finder {
        graph: &graph,
        tips,
        shown,
        objects: wanted(shown),
        reader: store.reader(),
        trees,
        entered: HashSet::new(),
        paths: HashSet::new(),
        told: HashSet::new(),
        reached: vec![false; shown.len()],
        found: Vec::new(),
        gaps: Vec::new(),
    };
    finder.follow(&peel);
    finder.finish(&peel)
}

/// Commits with their names.
pub(crate) fn named(commits: &CommitLog, store: &Store) -> Vec<(ObjectId, Row)> {
    let mut packed: Vec<Vec<u64>> = vec![Vec::new(); store.packs.len()];
    let mut rows = Vec::new();
    commits.for_each(|row| {
        if let At::Packed { pack, offset } = row.at {
            packed[pack].push(offset);
        }
        rows.push(row);
    });
    let names: Vec<_> =
        packed.into_iter().zip(&store.packs).map(|(at, pack)| pack.names(at)).collect();
    let named = rows.into_iter().filter_map(|row| {
        let id = match row.at {
            At::Loose(id) => id,
            At::Packed { pack, offset } => ObjectId::try_from(names[pack].get(offset)?).ok()?,
        };
        Some((id, row))
    });
    named.collect()
}

/// Finds what stands behind tags.
struct Peeler<'p> {
    reader: Reader<'p>,
    known: HashMap<ObjectId, ObjectId>,
}

impl Peeler<'_> {
    fn peel(&mut self, id: ObjectId) -> ObjectId {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let mut at = id;
        for _ in 0..TAG_CHAIN {
            match self.reader.read(&at) {
                Ok(Some((Kind::Tag, bytes))) => {
                    match TagRefIter::from_bytes(&bytes, at.kind()).target_id() {
                        Ok(target) => at = target,
                        Err(_) => break,
                    }
                }
                _ => break,
            }
        }
        self.known.insert(id, at);
        at
    }
}

/// What a path is followed from.
#[derive(Clone, Copy)]
enum From {
    Commit(u32),
    /// A tree that a ref names, by its place in the list of tips.
    Tip(usize),
    Index,
    Nothing,
}

/// A place that was found, before it is known which refs contain it.
struct Place {
    object: usize,
    secrets: Vec<u32>,
    path: Box<[u8]>,
    from: From,
    in_head: bool,
}

struct Finder<'f> {
    graph: &'f Graph,
    tips: &'f Tips,
    shown: &'f [Shown],
    /// The objects that show secrets, by key.
    objects: Wanted,
    reader: Reader<'f>,
    trees: &'f Trees,
    /// Trees and the paths at which they were entered.
    entered: HashSet<(Key, PathKey)>,
    /// The paths of all trees that were entered.
    paths: HashSet<PathKey>,
    /// Secrets and the paths that are known for them.
    told: HashSet<(u32, PathKey)>,
    /// Objects that some tree leads to.
    reached: Vec<bool>,
    found: Vec<Place>,
    gaps: Vec<String>,
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

impl Finder<'_> {
    /// Follows commits, then what else leads to trees, then indexes.
    fn follow(&mut self, peel: &impl Fn(&ObjectId) -> ObjectId) {
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
            self.enter(root, None, From::Nothing);
        }
        for place in &mut self.found {
            let path = path_key(&place.path);
            place.in_head = place.secrets.iter().any(|&secret| head.contains(&(secret, path)));
        }
    }

    /// The secrets that HEAD still has, and their paths.
    fn in_head(&mut self, peel: &impl Fn(&ObjectId) -> ObjectId) -> HashSet<(u32, PathKey)> {
        let head = self.tips.head.map(|head| peel(&head));
        let Some(number) = head.and_then(|head| self.graph.number(&head)) else {
            return HashSet::new();
        };
        let tree = self.graph.tree(number);
        self.enter(key(tree.as_bytes()), None, From::Nothing);
        self.entered.clear();
        self.found.clear();
        std::mem::take(&mut self.told)
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
            self.paths.insert(step.path);
            if step.depth > DEEPEST || self.paths.len() > PATHS {
                self.gaps.push("trees too deep, or paths too many, to follow".to_owned());
                return;
            }
            for edge in edges {
                let (path, depth) = (below(step.path, edge.name), step.depth + 1);
                let next = Step { tree: edge.to, path, depth, above: at, name: edge.name };
                if self.objects.contains_key(&edge.to) {
                    self.tell(&steps, next, id, from);
                }
                if !trees.edges(edge.to).is_empty() {
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
                secrets.filter(|&secret| self.told.insert((secret, last.path))).collect();
            if secrets.is_empty() {
                continue;
            }
            let path = root.and_then(|root| self.path(steps, last, root));
            let path = path.unwrap_or_else(|| self.unnamed(object));
            self.found.push(Place { object, secrets, path, from, in_head: false });
        }
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

    fn unnamed(&self, object: usize) -> Box<[u8]> {
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
            let secrets: Vec<u32> =
                secrets.filter(|&secret| self.told.insert((secret, path))).collect();
            if !secrets.is_empty() {
                let path = staged.path.clone();
                self.found.push(Place { object, secrets, path, from: From::Index, in_head: false });
            }
        }
    }

    /// Turns places into spots, with all that is to be told of them.
    fn finish(mut self, peel: &impl Fn(&ObjectId) -> ObjectId) -> Answer {
        self.add_commits_and_tags();
        let commits: HashSet<u32> = self.found.iter().filter_map(|at| at.from.commit()).collect();
        let mut commits: Vec<u32> = commits.into_iter().collect();
        commits.sort_unstable();
        let refs = self.refs(peel);
        let containing = self.graph.refs_containing(&commits, &refs, REF_CAP);
        let mut known: HashMap<u32, Provenance> = HashMap::new();
        for (&number, refs) in commits.iter().zip(containing) {
            known.insert(number, self.commit(number, refs));
        }
        let found = std::mem::take(&mut self.found);
        let spots = found.into_iter().map(|place| self.spot(place, &known)).collect();
        Answer { spots, gaps: self.gaps }
    }

    /// Commits and tags that show secrets themselves, and blobs that nothing
    /// names.
    fn add_commits_and_tags(&mut self) {
        for (object, shown) in self.shown.iter().enumerate() {
            let (from, path) = match shown.kind {
                Kind::Commit => {
                    let number = self.graph.number(&shown.id);
                    let from = number.map_or(From::Nothing, From::Commit);
                    (from, format!("commit/{}", shown.id).into_bytes().into())
                }
                Kind::Tag => {
                    let tips = &self.tips.tips;
                    let tip = tips.iter().position(|tip| tip.target == shown.id);
                    let from = tip.map_or(From::Nothing, From::Tip);
                    (from, format!("tag/{}", shown.id).into_bytes().into())
                }
                Kind::Blob if !self.reached[object] => (From::Nothing, self.unnamed(object)),
                Kind::Blob | Kind::Tree => continue,
            };
            let secrets = shown.secrets.clone();
            self.found.push(Place { object, secrets, path, from, in_head: false });
        }
    }

    /// Refs that lead to commits, the most telling first.
    fn refs(&self, peel: &impl Fn(&ObjectId) -> ObjectId) -> Vec<(Arc<[u8]>, u32)> {
        let tips = self.tips.tips.iter();
        let mut refs: Vec<(Arc<[u8]>, u32)> = tips
            .filter_map(|tip| match &tip.way {
                Way::Ref(name) => Some((Arc::clone(name), self.graph.number(&peel(&tip.target))?)),
                Way::Stash => {
                    Some((Arc::from(&b"refs/stash"[..]), self.graph.number(&tip.target)?))
                }
                Way::Reflog => None,
            })
            .collect();
        refs.sort_by_cached_key(|(name, _)| (self.rank(name), Arc::clone(name)));
        refs.dedup();
        refs
    }

    fn rank(&self, name: &[u8]) -> u8 {
        let ranks: [&[u8]; 4] = [b"refs/heads/", b"refs/tags/", b"refs/remotes/", b"refs/notes/"];
        if self.tips.branch.as_deref() == Some(name) || name == b"HEAD" {
            return 0;
        }
        match ranks.iter().position(|prefix| name.starts_with(prefix)) {
            Some(3) => 6,
            Some(at) => at as u8 + 1,
            None if name.ends_with(b"/HEAD") => 4,
            None => 5,
        }
    }

    /// What is told of a commit.
    fn commit(&mut self, number: u32, refs: Vec<Arc<[u8]>>) -> Provenance {
        let id = self.graph.id(number);
        let read = self.reader.read(&id).ok().flatten();
        let bytes = read.map(|(_, bytes)| bytes).unwrap_or_default();
        let author = CommitRefIter::from_bytes(&bytes, id.kind()).author().ok();
        let author = author.map(|author| {
            let parts: [&[u8]; 4] = [author.name, b" <", author.email, b">"];
            parts.concat().into_boxed_slice()
        });
        let held = self.graph.held(number);
        Provenance {
            object: None,
            commit: Some(id.to_string()),
            time: Some(self.graph.time(number)),
            author,
            refs: if held.is_none() || held == Some(Held::Stash) { refs } else { Vec::new() },
            unreachable: held,
            in_head: None,
        }
    }

    fn spot(&self, place: Place, commits: &HashMap<u32, Provenance>) -> Spot {
        let shown = &self.shown[place.object];
        let mut provenance = match place.from {
            From::Commit(number) => commits.get(&number).cloned().unwrap_or_default(),
            From::Tip(at) => match &self.tips.tips[at].way {
                Way::Ref(name) => Provenance { refs: vec![Arc::clone(name)], ..Default::default() },
                way => Provenance { unreachable: way.held(), ..Default::default() },
            },
            From::Index => Provenance { unreachable: Some(Held::Index), ..Default::default() },
            From::Nothing => Provenance { unreachable: Some(Held::Dangling), ..Default::default() },
        };
        provenance.object = Some(shown.id.to_string());
        provenance.in_head = (shown.kind == Kind::Blob).then_some(place.in_head);
        let notes = provenance.refs.first().is_some_and(|name| name.starts_with(b"refs/notes/"));
        let kind = match shown.kind {
            Kind::Commit => OriginKind::GitCommit,
            Kind::Tag => OriginKind::GitTag,
            Kind::Blob | Kind::Tree if notes => OriginKind::GitNote,
            Kind::Blob | Kind::Tree => OriginKind::GitBlob,
        };
        let Place { object, secrets, path, .. } = place;
        Spot { object, secrets, kind, path, provenance }
    }
}

impl From {
    fn commit(self) -> Option<u32> {
        match self {
            Self::Commit(number) => Some(number),
            Self::Tip(_) | Self::Index | Self::Nothing => None,
        }
    }
}
