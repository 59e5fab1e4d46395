//! The first pass: every object, wherever it may stand.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::Kind;

use super::super::{Scanner, Seen};
use super::Gaps;
use super::news::Only;
use crate::git::commits::CommitLog;
use crate::git::forest::Forest;
use crate::git::store::{Place, Store};
use crate::git::walk::{self, Visited, Visitor};
use crate::matcher::Trace;
use crate::model::{Blob, Copied, Origin, SkipReason};
use crate::source::{self, Tally};

/// A secret in an object, wherever that may stand.
pub(super) struct Find {
    pub(super) place: Place,
    pub(super) id: Option<ObjectId>,
    pub(super) kind: Kind,
    /// Offset of the match in the object.
    pub(super) start: u64,
    pub(super) secret: Seen,
}

/// Searches objects and notes what it finds.
pub(super) struct Search<'s> {
    scanner: &'s Scanner,
    tally: &'s Tally,
    commits: CommitLog,
    finds: Mutex<Vec<Find>>,
    /// Stands for whatever file an object may be.
    anywhere: Arc<Origin>,
    max_size: Option<u64>,
    gaps: &'s Gaps<'s>,
    only: Only,
}

impl<'s> Search<'s> {
    pub(super) fn new(
        scanner: &'s Scanner,
        tally: &'s Tally,
        hash: Hash,
        anywhere: Arc<Origin>,
        max_size: Option<u64>,
        gaps: &'s Gaps<'s>,
        only: Only,
    ) -> Self {
        let (commits, finds) = (CommitLog::new(hash), Mutex::default());
        Self { scanner, tally, commits, finds, anywhere, max_size, gaps, only }
    }

    /// What was found, and the commits that were seen.
    pub(super) fn finish(self) -> (Vec<Find>, CommitLog) {
        (self.finds.into_inner().unwrap_or_else(PoisonError::into_inner), self.commits)
    }

    fn note(&self, place: Place, id: Option<&ObjectId>, kind: Kind, found: Vec<(u64, Seen)>) {
        if found.is_empty() {
            return;
        }
        let mut finds = self.finds.lock().unwrap_or_else(PoisonError::into_inner);
        finds.extend(found.into_iter().map(|(start, secret)| Find {
            place,
            id: id.copied(),
            kind,
            start,
            secret,
        }));
    }

    fn look(&self, object: &Visited<'_>, base: Option<(&Trace, &[Copied])>) -> Trace {
        let blob = Blob::whole(&self.anywhere, object.bytes);
        let trace = self.scanner.matcher.trace(&blob, base);
        if !trace.is_empty() {
            let found = self.scanner.judge_traced(&blob, &trace);
            self.note(object.place, object.id, object.kind, found);
        }
        trace
    }

    /// True if an object is larger than the user wants to read; notes it.
    fn is_too_large(&self, place: Place, id: Option<&ObjectId>, size: u64) -> bool {
        let too_large = self.max_size.is_some_and(|most| size > most);
        if too_large {
            let what = match (id, place) {
                (Some(id), _) => format!("object {id}, {size} bytes"),
                (None, Place::Packed { offset, .. }) => {
                    format!("the object at {offset} of a pack, {size} bytes")
                }
                (None, Place::Loose { .. }) => format!("a loose object, {size} bytes"),
            };
            self.tally.skip(SkipReason::TooLarge, self.gaps.name(), what);
            self.gaps.too_large(place, id);
        }
        too_large
    }
}

impl Visitor for Search<'_> {
    type Seen = Trace;

    fn wants(&self, kind: Kind) -> bool {
        kind != Kind::Tree
    }

    fn wants_at(&self, place: Place) -> bool {
        self.only.wants(place)
    }

    fn enters(&self, pack: usize, entry: u32) -> bool {
        self.only.enters(pack, entry)
    }

    fn visit(&self, object: &Visited<'_>, base: Option<(&Trace, &[Copied])>) -> Option<Trace> {
        let Visited { kind, place, id, bytes } = *object;
        if kind == Kind::Commit {
            self.commits.note(place, id, bytes);
        }
        if kind == Kind::Blob && self.is_too_large(place, id, bytes.len() as u64) {
            return None;
        }
        self.tally.add_objects(1, bytes.len() as u64);
        // A bug in a rule must not take the other findings with it.
        catch_unwind(AssertUnwindSafe(|| self.look(object, base)))
            .inspect_err(|_| self.gaps.broken(place, id, "searching it failed"))
            .ok()
    }

    fn stream(
        &self,
        kind: Kind,
        place: Place,
        id: Option<&ObjectId>,
        size: u64,
        input: &mut dyn Read,
    ) {
        if kind == Kind::Blob && self.is_too_large(place, id, size) {
            return;
        }
        let (local, found) = (Tally::default(), Mutex::new(Vec::new()));
        source::feed_stream(input, &self.anywhere, self.scanner.margins(), &local, &|blob| {
            let judged = self.scanner.judge(blob);
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(judged);
        });
        self.note(place, id, kind, found.into_inner().unwrap_or_else(PoisonError::into_inner));
        let coverage = local.coverage();
        self.tally.add_objects(1, coverage.bytes);
        if coverage.bytes != size {
            self.gaps.broken(place, id, "an object of another size than it says");
        }
        for skip in coverage.skipped {
            self.gaps.broken(place, id, &skip.detail);
        }
    }

    fn broken(&self, place: Place, id: Option<&ObjectId>, why: &str) {
        self.gaps.broken(place, id, why);
    }
}

/// Reads the commits of a store and nothing else.
pub(super) fn all_commits(
    store: &Store,
    forests: &Vec<Forest>,
    loose: &[(usize, ObjectId)],
    threads: usize,
) -> CommitLog {
    let commits = Commits(CommitLog::new(store.hash));
    walk::packed(store, forests, threads, &commits);
    walk::loose(store, loose, threads, &commits);
    commits.0
}

struct Commits(CommitLog);

impl Visitor for Commits {
    type Seen = ();

    fn wants(&self, kind: Kind) -> bool {
        kind == Kind::Commit
    }

    fn visit(&self, object: &Visited<'_>, _: Option<(&(), &[Copied])>) -> Option<()> {
        self.0.note(object.place, object.id, object.bytes);
        None
    }

    fn stream(&self, _: Kind, _: Place, _: Option<&ObjectId>, _: u64, _: &mut dyn Read) {}

    fn broken(&self, _: Place, _: Option<&ObjectId>, _: &str) {}
}

#[cfg(test)]
mod tests;
