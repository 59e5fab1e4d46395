//! The refs of a repository, as far as a hook needs them.

use gix::ObjectId;
use gix::refs::Target;
use gix::refs::file::{Store, iter::LooseThenPacked};

use crate::git::Repository;

/// A ref's name, and what it leads to.
pub(super) type Ref = (Vec<u8>, ObjectId);

/// What the refs of [`named_below`] lead to.
pub(super) fn below(repository: &Repository, prefix: &str) -> Vec<ObjectId> {
    named_below(repository, prefix).into_iter().map(|(_, id)| id).collect()
}

/// The refs whose names begin with `prefix`, a folder; all refs if it is
/// empty. What cannot be read is left out: whoever asks what is known already
/// then takes more for new, not less.
pub(super) fn named_below(repository: &Repository, prefix: &str) -> Vec<Ref> {
    let store = store(repository);
    let Ok(platform) = store.iter() else { return Vec::new() };
    let refs = match prefix {
        "" => platform.all(),
        prefix => match prefix.try_into() {
            Ok(prefix) => platform.prefixed(prefix),
            Err(_) => return Vec::new(),
        },
    };
    refs.map(objects).unwrap_or_default()
}

fn objects(refs: LooseThenPacked<'_, '_>) -> Vec<Ref> {
    refs.filter_map(Result::ok)
        .filter_map(|found| match found.target {
            Target::Object(id) => Some((found.name.as_bstr().to_vec(), id)),
            // Another ref, which comes by itself if it lies in the same folder.
            Target::Symbolic(_) => None,
        })
        .collect()
}

/// What is checked out: the name of the branch and the commit, as far as there
/// are any.
pub(super) fn head(repository: &Repository) -> (Option<String>, Option<ObjectId>) {
    let head = std::fs::read_to_string(repository.layout.git_dir.join("HEAD")).unwrap_or_default();
    let Some(name) = head.strip_prefix("ref:").map(str::trim) else {
        return (None, ObjectId::from_hex(head.trim().as_bytes()).ok());
    };
    let id = store(repository).try_find(name).ok().flatten();
    (Some(name.to_owned()), id.and_then(|found| found.target.try_into_id().ok()))
}

fn store(repository: &Repository) -> Store {
    Store::at(repository.layout.common_dir.clone(), repository.form.hash)
}
