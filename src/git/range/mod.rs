//! What a part of a repository's history brings: the objects that some
//! commits have and others have not, what is staged, what is changed.

mod brought;
mod commit;
mod index;
mod paint;
mod revision;

use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;

use super::{Range, Repository};
use crate::error::Result;
use crate::model::{Held, Skip, SkipReason};
use brought::Brought;
pub use index::{staged, unstaged};
use paint::Paint;
pub use revision::{Ends, resolve};

/// The objects that a range brings.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// New commits, parents before their children.
    pub commits: Vec<NewCommit>,
    /// New annotated tags.
    pub tags: Vec<ObjectId>,
    /// New contents of files.
    pub blobs: Vec<NewBlob>,
    /// Changed files of the work tree, as paths below it.
    pub files: Vec<PathBuf>,
    /// What could not be looked at.
    pub gaps: Vec<Skip>,
    /// Full names of the refs that the range was asked for by.
    pub refs: Vec<Arc<[u8]>>,
    /// Full names of refs that are about to be made elsewhere: they are part
    /// of what is told.
    pub names: Vec<Box<[u8]>>,
}

/// A commit that a range brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// Its name.
    pub id: ObjectId,
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// Who wrote it, as `Name <mail>`.
    pub author: Box<[u8]>,
}

/// The content of a file that a range brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBlob {
    /// Name of the object.
    pub id: ObjectId,
    /// Where it stands: at most [`PLACES`] paths, each once.
    pub places: Vec<Place>,
    /// Set if it is not part of any commit.
    pub held: Option<Held>,
}

/// A path at which a range brings something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path in the repository.
    pub path: Box<[u8]>,
    /// The first commit that has it there, as a position in
    /// [`Changes::commits`].
    pub commit: Option<usize>,
}

/// Of the same content, at most this many paths are told.
pub const PLACES: usize = 16;

impl Changes {
    /// True if there is nothing to search, and nothing missing.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
            && self.tags.is_empty()
            && self.blobs.is_empty()
            && self.files.is_empty()
            && self.gaps.is_empty()
    }
}

/// What is reachable from `wanted` and not from `known`: commits and tags
/// themselves, and each blob that a new commit has at a path where none of its
/// parents has it. Objects of `known` that are not there are left out.
///
/// Nothing new is ever missed; where dates of commits are wrong and no
/// commit-graph helps, something known may count as new.
pub fn changes(repository: &Repository, wanted: &[ObjectId], known: &[ObjectId]) -> Changes {
    let mut paint = Paint::new(repository);
    known.iter().for_each(|id| paint.add_known(id));
    wanted.iter().for_each(|id| paint.add_wanted(id));
    paint.run();
    let painted = paint.finish();
    let mut brought = Brought::new(repository);
    for (at, commit) in painted.commits.iter().enumerate() {
        brought.commit(at, commit.tree, &commit.parent_trees);
    }
    painted.trees.iter().for_each(|tree| brought.tree(None, *tree, &[]));
    painted.blobs.iter().for_each(|blob| {
        brought.blob(*blob, format!("object/{blob}").as_bytes(), None);
    });
    let (blobs, gaps) = brought.finish();
    let commits = painted.commits.into_iter().map(|commit| commit.new).collect();
    let gaps = [painted.gaps, gaps].concat();
    Changes { commits, tags: painted.tags, blobs, gaps, ..Changes::default() }
}

/// What a range brings that a user asked for.
///
/// # Errors
/// A revision that there is none of; files of a repository that has none.
pub fn changes_of(repository: &Repository, range: &Range) -> Result<Changes> {
    match range {
        Range::Staged => Ok(staged(repository, None)),
        Range::Unstaged => unstaged(repository),
        _ => {
            let ends = resolve(repository, range)?;
            let changes = changes(repository, &ends.wanted, &ends.known);
            Ok(Changes { refs: ends.refs, ..changes })
        }
    }
}

/// A note that an object is missing or cannot be read.
fn gap(reason: SkipReason, id: &ObjectId, detail: impl Into<String>) -> Skip {
    Skip { reason, path: format!("object/{id}").into_bytes(), detail: detail.into() }
}
