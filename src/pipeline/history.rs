//! Searches everything that a repository remembers.
//!
//! First every object is searched without a look at where it stands in the
//! tree of any commit, each as a delta of the one it was made of. Only what
//! was found is followed through history, and then judged at its true path by
//! the same [`Scanner`] that files go through.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;

use super::Scanner;
use crate::git::commits::CommitLog;
use crate::git::store::Place;
use crate::git::walk::{Visited, Visitor};
use crate::matcher::Trace;
use crate::model::{Blob, Copied, Fingerprint, Origin, OriginKind, SkipReason};
use crate::source::{self, Tally};

/// A secret in an object, wherever that may stand.
pub(super) struct Find {
    pub(super) place: Place,
    pub(super) id: Option<ObjectId>,
    pub(super) kind: Kind,
    /// Offset of the match in the object.
    pub(super) start: u64,
    pub(super) fingerprint: Fingerprint,
}

/// Searches objects and notes what it finds.
pub(super) struct Search<'s> {
    pub(super) scanner: &'s Scanner,
    pub(super) tally: &'s Tally,
    pub(super) commits: CommitLog,
    pub(super) finds: Mutex<Vec<Find>>,
    /// Stands for whatever file an object may be.
    pub(super) anywhere: Arc<Origin>,
    /// Called with what cannot be read.
    pub(super) broken: &'s (dyn Fn(Place, Option<&ObjectId>, &str) + Sync),
}

impl Search<'_> {
    fn note(&self, place: Place, id: Option<&ObjectId>, kind: Kind, found: Vec<(u64, Fingerprint)>) {
        if found.is_empty() {
            return;
        }
        let mut finds = self.finds.lock().unwrap_or_else(PoisonError::into_inner);
        finds.extend(found.into_iter().map(|(start, fingerprint)| Find {
            place,
            id: id.copied(),
            kind,
            start,
            fingerprint,
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
}

impl Visitor for Search<'_> {
    type Seen = Trace;

    fn wants(&self, kind: Kind) -> bool {
        kind != Kind::Tree
    }

    fn visit(&self, object: &Visited<'_>, base: Option<(&Trace, &[Copied])>) -> Option<Trace> {
        if object.kind == Kind::Commit {
            self.commits.note(object.place, object.id, object.bytes);
        }
        self.tally.add_objects(1, object.bytes.len() as u64);
        // A bug in a rule must not take the other findings with it.
        let trace = catch_unwind(AssertUnwindSafe(|| self.look(object, base)));
        trace
            .inspect_err(|_| (self.broken)(object.place, object.id, "searching it failed"))
            .ok()
    }

    fn stream(&self, kind: Kind, place: Place, id: Option<&ObjectId>, input: &mut dyn Read) {
        let (local, found) = (Tally::default(), Mutex::new(Vec::new()));
        source::feed_stream(input, &self.anywhere, self.scanner.margins(), &local, &|blob| {
            let judged = self.scanner.judge(blob);
            found.lock().unwrap_or_else(PoisonError::into_inner).extend(judged);
        });
        self.note(place, id, kind, found.into_inner().unwrap_or_else(PoisonError::into_inner));
        let coverage = local.coverage();
        self.tally.add_objects(1, coverage.bytes);
        for skip in coverage.skipped {
            (self.broken)(place, id, &skip.detail);
        }
    }

    fn broken(&self, place: Place, id: Option<&ObjectId>, why: &str) {
        (self.broken)(place, id, why);
    }
}

/// The origin of an object of which it is not known where it stands.
pub(super) fn anywhere(target: usize, root: &Arc<[u8]>) -> Arc<Origin> {
    Arc::new(Origin {
        target,
        root: Arc::clone(root),
        path: Box::default(),
        kind: OriginKind::GitUnnamed,
        git: None,
    })
}

/// Searches all objects of the repository at a path.
pub(super) fn search_all(scanner: &Scanner, path: &std::path::Path, threads: usize, tally: &Tally) {
    let Some(layout) = crate::git::Layout::at(path) else { return };
    let t = std::time::Instant::now();
    let hash = layout.form().hash;
    let store = crate::git::store::Store::open(&[layout.objects()], hash);
    let forests: Vec<_> = store.packs.iter().map(crate::git::forest::Forest::of).collect();
    let forest_time = t.elapsed();
    let broken = |_place: Place, _id: Option<&ObjectId>, why: &str| {
        tally.skip(SkipReason::GitCorrupt, Vec::new(), why);
    };
    let search = Search {
        scanner,
        tally,
        commits: CommitLog::new(hash),
        finds: Mutex::default(),
        anywhere: anywhere(0, &Arc::from(&b"."[..])),
        broken: &broken,
    };
    crate::git::walk::packed(&store, &forests, threads, &search);
    if std::env::var_os("TS_TIME").is_some() {
        let finds = search.finds.lock().unwrap();
        eprintln!("forest {forest_time:?} all {:?} finds {} blobs {}", t.elapsed(), finds.len(),
            finds.iter().map(|f| format!("{:?}", f.place)).collect::<std::collections::HashSet<_>>().len());
    }
}
