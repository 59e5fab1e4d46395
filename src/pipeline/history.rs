//! Searches everything that a repository remembers.
//!
//! First every object is searched without a look at where it stands in the
//! tree of any commit, each as a delta of the one it was made of. Only what
//! was found is followed through history, and then judged at its true path by
//! the same [`Scanner`] that files go through.

mod judge;
mod news;
mod search;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;

use super::incremental::State;
use super::{Scanner, Seen};
use crate::git::forest::Forest;
use crate::git::missing::Presence;
use crate::git::provenance::{self, Shown, Spot};
use crate::git::refs::Tips;
use crate::git::store::{Place, Store, loose};
use crate::git::trees::Trees;
use crate::git::{History, Layout, Repository, walk};
use crate::model::{
    Blob, Fingerprint, Origin, OriginKind, Provenance, SkipReason, path_from_bytes, path_to_bytes,
};
use crate::source::{Filter, GitDir, Tally, Target};
use judge::Judge;
use news::News;
use search::{Find, Search};

/// A repository that is searched, and how it is named.
pub(super) struct Subject {
    pub(super) layout: Layout,
    /// Place of its target on the command line.
    pub(super) target: usize,
    /// The target as the user named it.
    pub(super) root: Arc<[u8]>,
    /// Where the repository lies below the target.
    pub(super) prefix: Vec<u8>,
}

/// What decides how the history of a repository is searched.
pub(super) struct Options<'o> {
    pub(super) history: History,
    pub(super) threads: usize,
    pub(super) filter: &'o Filter,
    pub(super) max_size: Option<u64>,
    /// What earlier runs have searched.
    pub(super) state: Option<&'o State>,
}

impl Subject {
    /// True if no walk of these targets has come by the git directory.
    pub(super) fn lies_elsewhere(&self, roots: &[Target]) -> bool {
        let holds = |root: &Target| match root {
            Target::Path(root) => {
                root.canonicalize().is_ok_and(|root| self.layout.common_dir.starts_with(root))
            }
            Target::Stdin => false,
        };
        !roots.iter().any(holds)
    }

    /// The origin of something in the repository.
    fn origin(&self, kind: OriginKind, path: &[u8], git: Option<Provenance>) -> Arc<Origin> {
        let mut whole = self.prefix.clone();
        if !whole.is_empty() {
            whole.push(b'/');
        }
        whole.extend_from_slice(path);
        Arc::new(Origin {
            target: self.target,
            root: Arc::clone(&self.root),
            path: whole.into(),
            kind,
            git: git.map(Box::new),
        })
    }
}

/// The repositories that a walk has found, each once however many work trees
/// lead to it; `roots` are the targets of the walk.
pub(super) fn subjects(found: Vec<GitDir>, roots: &[Target]) -> Vec<Subject> {
    let mut known = HashSet::new();
    let mut subjects = Vec::new();
    let layout = |found: GitDir| {
        let layout = match found.path.is_dir() {
            true => Layout::at_git_dir(&found.path),
            false => found.path.parent().and_then(Layout::at),
        };
        Some((layout?, found))
    };
    let mut found: Vec<_> = found.into_iter().filter_map(layout).collect();
    // A submodule is named by its files, and only without them by its objects.
    found.sort_by_key(|(layout, _)| layout.work_tree.is_none());
    for (layout, GitDir { target, path }) in found {
        let Some(Target::Path(root)) = roots.get(target) else { continue };
        if !known.insert(layout.common_dir.clone()) {
            continue;
        }
        let place = layout.work_tree.clone().unwrap_or(path);
        let prefix = place.strip_prefix(root).map(path_to_bytes).unwrap_or_default();
        let root = path_to_bytes(root).into();
        subjects.push(Subject { layout, target, root, prefix });
    }
    subjects
}

/// Searches the history of a repository.
pub(super) fn scan(scanner: &Scanner, subject: &Subject, options: &Options<'_>, tally: &Tally) {
    let repository = Repository::open(&subject.layout, &[]);
    let any = AtomicBool::new(!repository.gaps.is_empty());
    let gaps = Gaps { subject, tally, any, seen: Mutex::default(), passed: Mutex::default() };
    for gap in &repository.gaps {
        tally.skip(gap.reason, gap.path.clone(), gap.detail.clone());
    }
    let store = &repository.store;
    let loose_ids = loose_objects(store, tally);
    let mut news = News::of(store, &loose_ids, options.state);
    tally.add_known(news.known);
    let mut forests: Vec<Forest> = news.forests(store);
    let anywhere = subject.origin(OriginKind::GitUnnamed, b"", None);
    let only = news.only(store, &forests);
    let search = Search::new(scanner, tally, store.hash, anywhere, options.max_size, &gaps, only);
    walk::packed(store, &forests, options.threads, &search);
    walk::loose(store, &news.loose, options.threads, &search);
    let (finds, mut commits) = search.finish();
    if news.nothing {
        let tips = Tips::of_refs(&repository);
        search_names(scanner, subject, &tips, options.state);
        gaps.remember(options.state, store, &loose_ids);
        return;
    }
    if !finds.is_empty() && news.known > 0 {
        // To follow what is new, all of history is needed.
        forests = store.packs.iter().map(Forest::of).collect();
        commits = search::all_commits(store, &forests, &loose_ids, options.threads);
    }

    let tips = Tips::of(&repository);
    for gap in &tips.gaps {
        tally.skip(gap.reason, gap.path.clone(), gap.detail.clone());
    }
    // What leads into history is read again until it can be.
    gaps.any.fetch_or(!tips.gaps.is_empty(), Ordering::Relaxed);
    search_names(scanner, subject, &tips, options.state);
    if !repository.shallow.is_empty() {
        tally.skip(SkipReason::GitShallow, gaps.name(), "");
    }
    let presence = Presence::of(store, &loose_ids);
    presence.ask_for_links(&repository, &commits, &tips);
    let (shown, finds, secrets) = group(finds, &repository);
    let small = forests.iter().map(Forest::trees).sum::<usize>() <= CHECKED;
    if store.partial && !small {
        Trees::ask_whole_ones(&presence, store, &forests, options.threads);
    }
    let checked = small || store.partial && !presence.lacks();
    if checked || !shown.is_empty() {
        let wanted = provenance::wanted(&shown);
        let asked = checked.then_some(&presence);
        let threads = options.threads;
        let trees = Trees::leading_to(&wanted, asked, store, &forests, &loose_ids, threads);
        for (place, id, why) in &trees.gaps {
            gaps.broken(*place, id.as_ref(), why);
        }
        if !shown.is_empty() {
            let answer = provenance::find(&repository, &commits, &shown, &secrets, &trees, &tips);
            answer.gaps.iter().for_each(|why| gaps.note(why));
            let (spots, others): (Vec<Spot>, Vec<Spot>) =
                answer.spots.into_iter().partition(|spot| options.keeps(spot));
            gaps.pass_over(&shown, &spots, &others);
            let judge = Judge::new(scanner, subject, store, &forests, &shown, &finds, spots);
            judge.run(threads);
        }
    }
    gaps.missing(&presence.missing(), checked);
    gaps.remember(options.state, store, &loose_ids);
}

/// The loose objects of a store, and the folder of each.
fn loose_objects(store: &Store, tally: &Tally) -> Vec<(usize, ObjectId)> {
    let mut objects = Vec::new();
    for (at, folder) in store.folders.iter().enumerate() {
        let (ids, flaws) = loose::list(folder, store.hash.len_in_bytes());
        objects.extend(ids.into_iter().map(|id| (at, id)));
        for (path, why) in flaws {
            tally.skip(SkipReason::GitCorrupt, path_to_bytes(&path), why);
        }
    }
    objects
}

/// Up to this many trees are read to learn whether all that they name is there,
/// even if nothing was found. That takes a few hundredths of a second.
const CHECKED: usize = 50_000;

impl Options<'_> {
    /// True if a place in history is one of those that were asked for.
    fn keeps(&self, spot: &Spot) -> bool {
        let reachable = self.history == History::Full || spot.provenance.unreachable.is_none();
        let file = matches!(spot.kind, OriginKind::GitBlob | OriginKind::GitNote);
        reachable && !(file && self.filter.leaves_out(&path_from_bytes(&spot.path)))
    }
}

/// Searches the names of refs.
fn search_names(scanner: &Scanner, subject: &Subject, tips: &Tips, state: Option<&State>) {
    for name in tips.names() {
        if state.is_some_and(|state| state.knows_name(name)) {
            continue;
        }
        let git = Provenance { refs: vec![Arc::clone(name)], ..Provenance::default() };
        let path = [b"ref/", &name[..]].concat();
        let origin = subject.origin(OriginKind::GitRef, &path, Some(git));
        scanner.scan(&Blob::whole(&origin, name));
    }
}

/// The finds in one object: where each begins, and the number of the secret.
type Starts = Vec<(u64, u32)>;

/// An object, where it stands, and where in it which secret begins.
type Found = (Kind, Place, Vec<(u64, Seen)>);

/// Groups finds by object. Objects and secrets have numbers from here on, in
/// an order that does not depend on threads.
fn group(
    finds: Vec<Find>,
    repository: &Repository,
) -> (Vec<Shown>, Vec<(Place, Starts)>, Vec<Fingerprint>) {
    let store = &repository.store;
    let mut packed: Vec<Vec<u64>> = vec![Vec::new(); store.packs.len()];
    for find in &finds {
        if let Place::Packed { pack, offset } = find.place {
            packed[pack].push(offset);
        }
    }
    let names: Vec<_> =
        packed.into_iter().zip(&store.packs).map(|(at, pack)| pack.names(at)).collect();
    let mut objects: BTreeMap<ObjectId, Found> = BTreeMap::new();
    for find in finds {
        let id = match find.place {
            Place::Packed { pack, offset } => {
                names[pack].get(offset).and_then(|name| ObjectId::try_from(name).ok())
            }
            Place::Loose { .. } => find.id,
        };
        let Some(id) = id else { continue };
        let (_, place, starts) =
            objects.entry(id).or_insert_with(|| (find.kind, find.place, Vec::new()));
        // An object may stand in several packs: one of them is enough.
        if *place == find.place {
            starts.push((find.start, find.secret));
        }
    }
    let mut numbers: HashMap<Seen, u32> = HashMap::new();
    let mut secrets_of = Vec::new();
    let (mut shown, mut places) = (Vec::new(), Vec::new());
    for (id, (kind, place, mut starts)) in objects {
        starts.sort_unstable();
        let starts: Starts = starts
            .into_iter()
            .map(|(start, secret)| {
                let next = numbers.len() as u32;
                let number = *numbers.entry(secret).or_insert_with(|| {
                    secrets_of.push(secret.fingerprint);
                    next
                });
                (start, number)
            })
            .collect();
        let mut secrets: Vec<u32> = starts.iter().map(|start| start.1).collect();
        secrets.sort_unstable();
        secrets.dedup();
        shown.push(Shown { id, kind, secrets });
        places.push((place, starts));
    }
    (shown, places, secrets_of)
}

/// Collects what could not be read in a repository.
struct Gaps<'g> {
    subject: &'g Subject,
    tally: &'g Tally,
    /// True if there was any.
    any: AtomicBool,
    /// Places that were told of: an object that cannot be read stands in the
    /// way more than once.
    seen: Mutex<HashSet<(Place, Option<ObjectId>)>>,
    /// Objects that were left out though they can be read: the next run has to
    /// look at them again.
    passed: Mutex<Passed>,
}

#[derive(Default)]
struct Passed {
    packed: Vec<(usize, u64)>,
    named: HashSet<ObjectId>,
}

impl Passed {
    /// The names of all.
    fn names(&self, store: &Store) -> HashSet<ObjectId> {
        if self.packed.is_empty() {
            return self.named.clone();
        }
        let mut all = self.named.clone();
        for (at, pack) in store.packs.iter().enumerate() {
            let here = self.packed.iter().filter(|place| place.0 == at).map(|place| place.1);
            let offsets: Vec<u64> = here.collect();
            let names = pack.names(offsets.clone());
            let names = offsets.iter().filter_map(|&offset| names.get(offset));
            all.extend(names.filter_map(|name| ObjectId::try_from(name).ok()));
        }
        all
    }
}

/// Up to this many missing objects are named one by one.
const NAMED: usize = 100;

impl Gaps<'_> {
    /// The repository as it is shown.
    fn name(&self) -> Vec<u8> {
        self.subject.origin(OriginKind::File, b"", None).shown()
    }

    /// Notes in the state that all of a store has been searched, if it has.
    fn remember(&self, state: Option<&State>, store: &Store, loose: &[(usize, ObjectId)]) {
        if let Some(state) = state.filter(|_| !self.any.load(Ordering::Relaxed)) {
            state.searched(store, loose, &self.passed().names(store));
        }
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an object that is larger than the user wants to read.
    fn too_large(&self, place: Place, id: Option<&ObjectId>) {
        match place {
            Place::Packed { pack, offset } => self.passed().packed.push((pack, offset)),
            Place::Loose { .. } => self.passed().named.extend(id),
        }
    }

    /// Notes objects of which nothing is told because of where they stand: they
    /// may come to stand elsewhere.
    fn pass_over(&self, shown: &[Shown], told: &[Spot], others: &[Spot]) {
        let told: HashSet<usize> = told.iter().map(|spot| spot.object).collect();
        let passed = others.iter().filter(|spot| !told.contains(&spot.object));
        self.passed().named.extend(passed.map(|spot| shown[spot.object].id));
    }

    fn note(&self, why: &str) {
        self.any.store(true, Ordering::Relaxed);
        self.tally.skip(SkipReason::GitCorrupt, self.name(), why);
    }

    /// Tells of objects that are not there: of each, unless they are many; and
    /// if there may be more.
    fn missing(&self, ids: &[ObjectId], all: bool) {
        self.any.fetch_or(!ids.is_empty(), Ordering::Relaxed);
        let skip = |words: String| self.tally.skip(SkipReason::GitMissing, self.name(), words);
        if ids.len() <= NAMED {
            ids.iter().for_each(|id| skip(format!("object {id}")));
        } else {
            skip(format!("{} objects, among them {} and {}", ids.len(), ids[0], ids[1]));
        }
        if !ids.is_empty() && !all {
            skip("maybe more: not all trees were asked".to_owned());
        }
    }

    fn broken(&self, place: Place, id: Option<&ObjectId>, why: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.insert((place, id.copied())) {
            return;
        }
        let what = match (place, id) {
            (_, Some(id)) => format!("object {id}"),
            (Place::Packed { offset, .. }, None) => format!("the object at {offset} of a pack"),
            (Place::Loose { .. }, None) => "a loose object".to_owned(),
        };
        self.note(&format!("{what}: {why}"));
    }
}
