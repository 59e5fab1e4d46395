//! Visits the objects of a store: each inflated once, those that are told as
//! deltas rebuilt from a base that is still in memory.
//!
//! Each tree of a pack's delta forest is walked depth-first with a stack of
//! its own. A thread that finds nothing to do is given the oldest branch of
//! another's stack, so that one huge tree keeps all threads busy. Of the
//! deltas of one base the heaviest is made last, when the base is no longer
//! needed: however deep a chain is, only as many bases are alive as the
//! logarithm of its tree.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;

use super::budget::{Budget, Share};
use super::forest::Forest;
use super::store::delta::Delta;
use super::store::inflate::Inflater;
use super::store::pack::{Form, Pack};
use super::store::{Place, Result, Store};
use crate::model::Copied;

/// Objects from this size on are streamed if nothing is made of them, and wait
/// for their share of the memory if something is.
pub(crate) const LARGE: u64 = 32 << 20;
/// No object larger than this is rebuilt.
const LARGEST: u64 = 4 << 30;
/// Roots that a thread takes at a time.
const BATCH: usize = 32;
/// Bytes of buffers that a thread keeps for later.
const SPARE: usize = 48 << 20;

/// An object that is visited.
#[derive(Clone, Copy)]
pub(crate) struct Visited<'v> {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    /// Its name, as far as that is known without asking the index.
    pub(crate) id: Option<&'v ObjectId>,
    pub(crate) bytes: &'v [u8],
}

/// Looks at objects; called from several threads.
pub(crate) trait Visitor: Sync {
    /// What is remembered of an object while others are made of it.
    type Seen: Send + Sync;

    /// True if objects of this kind are looked at.
    fn wants(&self, kind: Kind) -> bool;

    /// True if the object at a place is looked at; it may have to be rebuilt
    /// all the same.
    fn wants_at(&self, _place: Place) -> bool {
        true
    }

    /// True if something in the tree below a pack's entry is looked at.
    fn enters(&self, _pack: usize, _entry: u32) -> bool {
        true
    }

    /// Looks at an object; if it was made of another, at what was seen of that
    /// one and what it shares with it.
    fn visit(
        &self,
        object: &Visited<'_>,
        base: Option<(&Self::Seen, &[Copied])>,
    ) -> Option<Self::Seen>;

    /// Looks at an object that is too large for the memory.
    fn stream(
        &self,
        kind: Kind,
        place: Place,
        id: Option<&ObjectId>,
        size: u64,
        input: &mut dyn Read,
    );

    /// Hears of an object that cannot be read.
    fn broken(&self, place: Place, id: Option<&ObjectId>, why: &str);
}

/// The entries of all packs of a store.
pub(crate) type Forests = Vec<Forest>;

/// Visits all packed objects of the kinds that are wanted.
pub(crate) fn packed<V: Visitor>(store: &Store, forests: &Forests, threads: usize, visitor: &V) {
    for (pack, forest) in forests.iter().enumerate() {
        for (offset, why) in &forest.broken {
            visitor.broken(Place::Packed { pack, offset: *offset }, None, why);
        }
    }
    let roots: Vec<(u32, u32)> = forests
        .iter()
        .enumerate()
        .flat_map(|(pack, forest)| forest.roots().iter().map(move |&root| (pack as u32, root)))
        .filter(|&(pack, root)| {
            let forest = &forests[pack as usize];
            let kind = forest.kind(root);
            (forest.is_thin(root) || kind.is_some_and(|kind| visitor.wants(kind)))
                && visitor.enters(pack as usize, root)
        })
        .collect();
    let threads = threads.clamp(1, roots.len().max(1));
    let walk = Walk {
        store,
        forests,
        visitor,
        roots,
        next: AtomicUsize::new(0),
        hungry: AtomicUsize::new(0),
        shared: Mutex::new(Shared { tasks: VecDeque::new(), waiting: 0, threads }),
        news: Condvar::new(),
        budget: Budget::default(),
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(|| Walker::of(&walk).run())));
        Walker::of(&walk).run();
    });
}

struct Walk<'w, V: Visitor> {
    store: &'w Store,
    forests: &'w Forests,
    visitor: &'w V,
    roots: Vec<(u32, u32)>,
    next: AtomicUsize,
    /// Threads that wait for something to do.
    hungry: AtomicUsize,
    shared: Mutex<Shared<V::Seen>>,
    news: Condvar,
    budget: Budget,
}

struct Shared<S> {
    tasks: VecDeque<Task<S>>,
    waiting: usize,
    threads: usize,
}

/// An entry to make, and what it is made of.
struct Task<S> {
    pack: u32,
    entry: u32,
    base: Option<Arc<Made<S>>>,
}

/// An object that others are made of.
struct Made<S> {
    kind: Kind,
    bytes: Vec<u8>,
    seen: Option<S>,
    /// Its part of the memory, if its tree is large.
    share: Option<Share>,
}

/// One thread of a walk.
struct Walker<'w, V: Visitor> {
    walk: &'w Walk<'w, V>,
    inflater: Inflater,
    stack: Vec<Task<V::Seen>>,
    delta: Vec<u8>,
    copied: Vec<Copied>,
    spare: Vec<Vec<u8>>,
    spare_size: usize,
}

impl<'w, V: Visitor> Walker<'w, V> {
    fn of(walk: &'w Walk<'w, V>) -> Self {
        Self {
            walk,
            inflater: Inflater::new(),
            stack: Vec::new(),
            delta: Vec::new(),
            copied: Vec::new(),
            spare: Vec::new(),
            spare_size: 0,
        }
    }

    fn run(&mut self) {
        while let Some(task) = self.next() {
            if self.stack.len() > 1 && self.walk.hungry.load(Ordering::Relaxed) > 0 {
                self.share();
            }
            self.make(task);
        }
    }

    fn next(&mut self) -> Option<Task<V::Seen>> {
        if let Some(task) = self.stack.pop() {
            return Some(task);
        }
        let start = self.walk.next.fetch_add(BATCH, Ordering::Relaxed);
        if let Some(roots) = self.walk.roots.get(start..) {
            let batch = roots.iter().take(BATCH).rev();
            self.stack.extend(batch.map(|&(pack, entry)| Task { pack, entry, base: None }));
        }
        self.stack.pop().or_else(|| self.beg())
    }

    /// Waits until another thread gives something away, or all have nothing.
    fn beg(&mut self) -> Option<Task<V::Seen>> {
        let mut shared = lock(&self.walk.shared);
        shared.waiting += 1;
        self.walk.hungry.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(task) = shared.tasks.pop_front() {
                shared.waiting -= 1;
                self.walk.hungry.fetch_sub(1, Ordering::Relaxed);
                return Some(task);
            }
            if shared.waiting == shared.threads {
                self.walk.news.notify_all();
                return None;
            }
            shared = self.walk.news.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives the oldest task away: the one with most below it.
    fn share(&mut self) {
        let task = self.stack.remove(0);
        lock(&self.walk.shared).tasks.push_back(task);
        self.walk.news.notify_one();
    }

    fn make(&mut self, task: Task<V::Seen>) {
        let (pack, entry) = (task.pack as usize, task.entry);
        let place = Place::Packed { pack, offset: self.walk.forests[pack].offset(entry) };
        match self.try_make(task, place) {
            Ok(Some(made)) => self.push_children(pack, entry, made),
            Ok(None) => {}
            Err(why) => match self.rescue(pack, entry, place) {
                Some(made) => self.push_children(pack, entry, made),
                None => self.give_up(pack, entry, &why.to_string()),
            },
        }
    }

    /// The object of a damaged entry, if it stands elsewhere too.
    fn rescue(&self, pack: usize, entry: u32, place: Place) -> Option<Made<V::Seen>> {
        let (store, offset) = (self.walk.store, self.walk.forests[pack].offset(entry));
        let names = store.packs[pack].names(vec![offset]);
        let id = ObjectId::try_from(names.get(offset)?).ok()?;
        let (kind, bytes) = store.reader().read_at(store.find_beside(&id, pack)?, &id).ok()?;
        let seen = self.visit(kind, place, &bytes, None);
        Some(Made { kind, bytes: bytes.to_vec(), seen, share: None })
    }

    /// Makes an object and visits it. `None` if nothing is made of it.
    fn try_make(&mut self, task: Task<V::Seen>, place: Place) -> Result<Option<Made<V::Seen>>> {
        let (store, forest) = (self.walk.store, &self.walk.forests[task.pack as usize]);
        let pack = &store.packs[task.pack as usize];
        let leaf = forest.children(task.entry).next().is_none();
        let Place::Packed { offset, .. } = place else { return Ok(None) };
        let entry = pack.entry(offset)?;
        if entry.size > LARGEST && task.base.is_some() {
            return Err("an object too large to be rebuilt".into());
        }
        let mut share = None;
        if task.base.is_none() && entry.size >= LARGE {
            if let (Form::Whole(kind), true) = (entry.form, leaf) {
                self.stream(pack, &entry, kind, place);
                return Ok(None);
            }
            if entry.size > LARGEST {
                return Err("an object too large to be rebuilt".into());
            }
            share = Some(self.walk.budget.take(entry.size * 3));
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        self.spare_size -= bytes.capacity();
        self.copied.clear();
        let kind = match (&task.base, entry.form) {
            (Some(base), _) => {
                share = base.share.clone();
                pack.inflate(&entry, &mut self.inflater, &mut self.delta)?;
                let size = Delta::parse(&self.delta)?.result;
                if share.is_none() && (LARGE..=LARGEST).contains(&size) {
                    share = Some(self.walk.budget.take(size * 2));
                }
                self.rebuild(&base.bytes, &mut bytes)?;
                base.kind
            }
            (None, Form::Whole(kind)) => {
                pack.inflate(&entry, &mut self.inflater, &mut bytes)?;
                kind
            }
            (None, Form::NamedDelta(id)) => {
                let (kind, base) = store.reader().read(&id)?.ok_or_else(|| missing(&id))?;
                pack.inflate(&entry, &mut self.inflater, &mut self.delta)?;
                self.rebuild(&base, &mut bytes)?;
                self.copied.clear();
                kind
            }
            (None, Form::OffsetDelta(_)) => return Err("a delta of an entry that is none".into()),
        };
        let seen = self.visit(kind, place, &bytes, task.base.as_deref());
        if let Some(base) = task.base.and_then(Arc::into_inner) {
            self.recycle(base.bytes);
        }
        if leaf || !self.walk.visitor.wants(kind) {
            self.recycle(bytes);
            return Ok(None);
        }
        Ok(Some(Made { kind, bytes, seen, share }))
    }

    fn rebuild(&mut self, base: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let delta = Delta::parse(&self.delta)?;
        if delta.result > LARGEST {
            return Err("an object too large to be rebuilt".into());
        }
        delta.apply(base, out, Some(&mut self.copied))
    }

    fn visit(
        &self,
        kind: Kind,
        place: Place,
        bytes: &[u8],
        base: Option<&Made<V::Seen>>,
    ) -> Option<V::Seen> {
        let visitor = self.walk.visitor;
        if !visitor.wants(kind) || !visitor.wants_at(place) {
            return None;
        }
        let base = base.and_then(|base| Some((base.seen.as_ref()?, &self.copied[..])));
        visitor.visit(&Visited { kind, place, id: None, bytes }, base)
    }

    fn stream(&self, pack: &Pack, entry: &super::store::pack::Entry, kind: Kind, place: Place) {
        if self.walk.visitor.wants_at(place) {
            let inflated = flate2::bufread::ZlibDecoder::new(pack.compressed(entry));
            let mut inflated = inflated.take(entry.size.saturating_add(1));
            self.walk.visitor.stream(kind, place, None, entry.size, &mut inflated);
        }
    }

    /// Puts the deltas of an object on the stack, the heaviest undermost.
    fn push_children(&mut self, pack: usize, entry: u32, made: Made<V::Seen>) {
        let (forest, base, first) = (&self.walk.forests[pack], Arc::new(made), self.stack.len());
        let children = forest.children(entry);
        let children = children.filter(|&child| self.walk.visitor.enters(pack, child));
        self.stack.extend(children.map(|child| Task {
            pack: pack as u32,
            entry: child,
            base: Some(Arc::clone(&base)),
        }));
        let heaviest =
            (first..self.stack.len()).max_by_key(|&at| forest.weight(self.stack[at].entry));
        if let Some(heaviest) = heaviest {
            self.stack.swap(first, heaviest);
        }
    }

    /// Tells of an object that cannot be made, and of all that hang on it.
    fn give_up(&self, pack: usize, entry: u32, why: &str) {
        let forest = &self.walk.forests[pack];
        let mut lost = vec![entry];
        while let Some(at) = lost.pop() {
            let place = Place::Packed { pack, offset: forest.offset(at) };
            let why = if at == entry { why } else { "a delta of an object that cannot be read" };
            if self.walk.visitor.wants_at(place) {
                self.walk.visitor.broken(place, None, why);
            }
            lost.extend(forest.children(at).filter(|&at| self.walk.visitor.enters(pack, at)));
        }
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare_size + bytes.capacity() <= SPARE {
            self.spare_size += bytes.capacity();
            self.spare.push(bytes);
        }
    }
}

fn missing(id: &ObjectId) -> super::Flaw {
    format!("a delta whose base {id} is missing").into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Visits loose objects of the kinds that are wanted.
pub(crate) fn loose<V: Visitor>(
    store: &Store,
    ids: &[(usize, ObjectId)],
    threads: usize,
    visitor: &V,
) {
    let next = AtomicUsize::new(0);
    let turn = || {
        let mut buffer = Vec::new();
        loop {
            let Some((folder, id)) = ids.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let place = Place::Loose { folder: *folder };
            if let Err(why) = visit_loose(store, place, id, visitor, &mut buffer) {
                visitor.broken(place, Some(id), &why.to_string());
            }
        }
    };
    std::thread::scope(|scope| {
        (1..threads.clamp(1, ids.len().max(1))).for_each(|_| drop(scope.spawn(turn)));
        turn();
    });
}

fn visit_loose<V: Visitor>(
    store: &Store,
    place: Place,
    id: &ObjectId,
    visitor: &V,
    buffer: &mut Vec<u8>,
) -> Result<()> {
    let Place::Loose { folder } = place else { return Ok(()) };
    let object = store.loose(folder, id)?;
    let kind = object.kind;
    if !visitor.wants(kind) {
        return Ok(());
    }
    if object.size >= LARGE {
        visitor.stream(kind, place, Some(id), object.size, &mut object.stream());
        return Ok(());
    }
    object.read(buffer)?;
    visitor.visit(&Visited { kind, place, id: Some(id), bytes: buffer }, None);
    Ok(())
}
