//! Revisions: which objects the words of a user name.

use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::ByteSlice as _;

use crate::error::{Error, Result};
use crate::git::{Layout, Range, Repository};

/// The ends of a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// What leads to all that is searched.
    pub wanted: Vec<ObjectId>,
    /// What leads to all that is not.
    pub known: Vec<ObjectId>,
    /// Full names of the refs among `wanted`.
    pub refs: Vec<Arc<[u8]>>,
}

/// Finds the ends of a range of commits.
///
/// # Errors
/// A revision that there is none of, or that could be several.
pub fn resolve(repository: &Repository, range: &Range) -> Result<Ends> {
    let names = Names::open(repository);
    let mut ends = Ends::default();
    let (known, wanted) = match range {
        Range::Since(revision) => (Some(revision.as_str()), "HEAD"),
        Range::Between(range) => {
            // What B brings since it left A: the same with two dots and with three.
            let (known, wanted) =
                range.split_once("...").or_else(|| range.split_once("..")).ok_or_else(|| {
                    Error::new(format!("{range:?} is no range of commits"))
                        .hint("write A..B, A.. or ..B; for all since A: --since-commit A")
                })?;
            (Some(or_head(known)), or_head(wanted))
        }
        Range::Branch(name) => (None, name.as_str()),
        Range::Staged | Range::Unstaged => return Ok(ends),
    };
    let (id, name) = match range {
        Range::Branch(name) => names.branch(name)?,
        _ => (names.revision(wanted)?, names.full_name(wanted)),
    };
    ends.wanted.push(id);
    ends.refs.extend(name.map(Arc::from));
    if let Some(known) = known {
        ends.known.push(names.revision(known)?);
    }
    Ok(ends)
}

fn or_head(revision: &str) -> &str {
    if revision.is_empty() { "HEAD" } else { revision }
}

/// The names that a repository knows.
pub(super) struct Names<'r> {
    repository: &'r Repository,
    /// `None` if its refs cannot be read; whole names of objects still do.
    refs: std::result::Result<gix::Repository, String>,
}

impl<'r> Names<'r> {
    /// Opens the refs; the settings of the user, of the system and of the
    /// environment have no say, and those of the repository hardly any.
    pub(super) fn open(repository: &'r Repository) -> Self {
        if let Some(pipe) = odd_file(&repository.layout) {
            let refs = Err(format!("{} is no regular file", pipe.display()));
            return Self { repository, refs };
        }
        let refs = gix::open::Options::isolated()
            .with(gix::sec::Trust::Reduced)
            .bail_if_untrusted(false)
            .open_path_as_is(true)
            .open(&repository.layout.git_dir)
            .map(Into::into)
            .map_err(|why| why.to_string());
        Self { repository, refs }
    }

    /// What HEAD leads to, if that is anything yet.
    pub(super) fn head(&self) -> Option<ObjectId> {
        Some(self.refs.as_ref().ok()?.head_id().ok()?.detach())
    }

    fn revision(&self, revision: &str) -> Result<ObjectId> {
        let whole = ObjectId::from_hex(revision.as_bytes()).ok();
        if let Some(id) = whole.filter(|id| self.repository.store.find(id).is_some()) {
            return Ok(id);
        }
        let found = match &self.refs {
            Ok(refs) => refs.rev_parse_single(revision).map_err(|why| why.to_string()),
            Err(why) => Err(format!("the refs cannot be read: {why}")),
        };
        found.map(gix::Id::detach).map_err(|why| self.unknown(revision, &why))
    }

    fn branch(&self, name: &str) -> Result<(ObjectId, Option<Vec<u8>>)> {
        let places = ["refs/heads/", "refs/remotes/", "refs/tags/"];
        for full in places.map(|place| format!("{place}{name}")) {
            let found = self.refs.as_ref().ok().and_then(|refs| refs.find_reference(&full).ok());
            if let Some(mut found) = found {
                let id = found
                    .follow_to_object()
                    .map_err(|why| Error::new(format!("{full} leads nowhere: {why}")))?;
                return Ok((id.detach(), Some(full.into_bytes())));
            }
        }
        Ok((self.revision(name)?, self.full_name(name)))
    }

    /// The full name of a ref; for HEAD, of the branch that it stands for.
    fn full_name(&self, name: &str) -> Option<Vec<u8>> {
        let refs = self.refs.as_ref().ok()?;
        if matches!(name, "HEAD" | "@") {
            return Some(refs.head_name().ok()??.as_bstr().to_vec());
        }
        Some(refs.try_find_reference(name).ok()??.name().as_bstr().to_vec())
    }

    fn unknown(&self, revision: &str, why: &str) -> Error {
        let error = Error::new(format!("there is no revision {revision:?}: {why}"));
        let near = self.near(revision);
        if !near.is_empty() {
            return error.hint(format!("did you mean {}?", near.join(" or ")));
        }
        error.hint(if self.repository.shallow.is_empty() {
            "`git log --oneline --all` shows what there is"
        } else {
            "this clone is shallow and may lack it; `git fetch --unshallow` gets the rest"
        })
    }

    /// Short names of refs that look like `name`.
    fn near(&self, name: &str) -> Vec<String> {
        let Some(refs) = self.refs.as_ref().ok().and_then(|refs| refs.references().ok()) else {
            return Vec::new();
        };
        let names = refs.all().into_iter().flatten().flatten();
        let mut near: Vec<(usize, String)> = names
            .map(|found| found.name().shorten().to_str_lossy().into_owned())
            .map(|found| (distance(&found, name), found))
            .filter(|(distance, _)| *distance <= 2 && *distance < name.chars().count())
            .collect();
        near.sort();
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }
}

/// A file among the refs that is none, such as a pipe: whoever opened it would
/// wait for ever.
fn odd_file(layout: &Layout) -> Option<PathBuf> {
    let folders = [&layout.git_dir, &layout.common_dir];
    let names = ["HEAD", "config", "config.worktree", "packed-refs", "refs"];
    let mut waiting: Vec<PathBuf> =
        folders.iter().flat_map(|folder| names.map(|name| folder.join(name))).collect();
    while let Some(path) = waiting.pop() {
        let Ok(kind) = path.metadata().map(|metadata| metadata.file_type()) else { continue };
        if !kind.is_file() && !kind.is_dir() {
            return Some(path);
        }
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            // A plain file costs no further look, and refs may be thousands;
            // a folder behind a link might lead in a circle.
            let plain = match entry.file_type() {
                Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
                Ok(kind) => kind.is_file(),
                Err(_) => false,
            };
            if !plain {
                waiting.push(entry.path());
            }
        }
    }
    None
}

/// How many letters to add, drop or change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let change = before + usize::from(letter != *other);
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn words_are_near_each_other() {
        assert_eq!(distance("main", "main"), 0);
        assert_eq!(distance("main", "mian"), 2);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("feature/x", "featur/x"), 1);
    }
}
