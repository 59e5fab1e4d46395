//! Where in history a secret stands: the first commit that shows it, under
//! which paths, which refs contain it, and how it is held if none does.
//!
//! All secrets are followed in one pass: commits are taken in order, parents
//! before children, and each tree that leads to a secret is entered once for
//! each path that it stands at.

mod follow;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::{CommitRefIter, Kind, TagRefIter};

use self::follow::{Finder, From, Place};
use super::commits::{At, CommitLog, Row};
use super::graph::Graph;
use super::refs::{Tips, Way};
use super::repository::Repository;
use super::store::{Reader, Store};
use super::trees::{KeyMap, Trees, key};
use crate::model::{Fingerprint, Held, OriginKind, Provenance, REF_CAP};

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

/// Tags that point to tags.
const TAG_CHAIN: usize = 64;

/// The objects that hold something, by key, and their places in the list.
pub(crate) type Wanted = KeyMap<Vec<usize>>;

/// The blobs of `shown`, by key.
pub(crate) fn wanted(shown: &[Shown]) -> Wanted {
    let mut wanted = Wanted::default();
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
    secrets: &[Fingerprint],
    trees: &Trees,
    tips: &Tips,
) -> Answer {
    let store = &repository.store;
    let mut graph = Graph::of(named(commits, store));
    let mut peeler = Peeler { reader: store.reader(), known: HashMap::new(), tags: HashMap::new() };
    let peeled: HashMap<ObjectId, ObjectId> = tips
        .tips
        .iter()
        .filter(|tip| graph.number(&tip.target).is_none())
        .map(|tip| (tip.target, peeler.peel(tip.target)))
        .collect();
    let peel = |id: &ObjectId| peeled.get(id).copied().unwrap_or(*id);
    graph.hold(&tips.tips, peel);

    let mut finder = Finder::new(&graph, tips, shown, secrets, store, trees);
    finder.follow(&peel);
    finder.finish(&peel, &peeler.tags)
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
    /// For tags that other tags point to, the outermost.
    tags: HashMap<ObjectId, ObjectId>,
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
                        Ok(target) => {
                            self.tags.entry(at).or_insert(id);
                            at = target;
                        }
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

impl Finder<'_> {
    /// Turns places into spots, with all that is to be told of them.
    fn finish(
        mut self,
        peel: &impl Fn(&ObjectId) -> ObjectId,
        tags: &HashMap<ObjectId, ObjectId>,
    ) -> Answer {
        self.add_commits_and_tags(tags);
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
        let deep = self.too_deep.then(|| "trees too deep to follow".to_owned());
        Answer { spots, gaps: deep.into_iter().collect() }
    }

    /// Commits and tags that show secrets themselves, and blobs that nothing
    /// names.
    fn add_commits_and_tags(&mut self, tags: &HashMap<ObjectId, ObjectId>) {
        for (object, shown) in self.shown.iter().enumerate() {
            let (from, path) = match shown.kind {
                Kind::Commit => {
                    let number = self.graph.number(&shown.id);
                    let from = number.map_or(From::Nothing, From::Commit);
                    (from, format!("commit/{}", shown.id).into_bytes().into())
                }
                Kind::Tag => {
                    let tips = &self.tips.tips;
                    let outer = tags.get(&shown.id).unwrap_or(&shown.id);
                    let tip = tips.iter().position(|tip| tip.target == *outer);
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
        // Where it stood, and so whether it still does, is not known of all.
        let named = shown.kind == Kind::Blob && !matches!(place.from, From::Nothing);
        provenance.in_head = named.then_some(place.in_head);
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
