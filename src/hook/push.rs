//! What git tells a hook of a push, line by line.

use gix::ObjectId;

use super::refs::{self, Ref};
use super::{Kind, folder};
use crate::error::{Error, Result};
use crate::git::Repository;

/// A ref that is to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// What is pushed, as its owner calls it: any bytes, most often a ref.
    pub(super) local: Vec<u8>,
    /// The ref that moves on the other side.
    pub(super) remote: Vec<u8>,
    /// What it leads to then; `None` if it is deleted.
    pub(super) new: Option<ObjectId>,
    /// What it leads to now; `None` if it is new.
    pub(super) old: Option<ObjectId>,
}

/// All lines of standard input.
///
/// # Errors
/// A line that is not as git writes it: whoever misreads it would look at the
/// wrong things.
pub(super) fn updates(kind: Kind, input: &[u8]) -> Result<Vec<Update>> {
    let lines = input.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            update(kind, line).ok_or_else(|| {
                let line = String::from_utf8_lossy(line);
                Error::new(format!("what git says of this {} makes no sense: {line}", kind.noun()))
                    .hint(format!("run it as git runs a {} hook", kind.name()))
            })
        })
        .collect()
}

/// `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID` before a push, `OLD NEW REF` on
/// the side that receives it.
fn update(kind: Kind, line: &[u8]) -> Option<Update> {
    if kind == Kind::PreReceive {
        let mut parts = line.splitn(3, |&b| b == b' ');
        let (old, new) = (id(parts.next()?)?, id(parts.next()?)?);
        let name = parts.next().filter(|name| !name.is_empty())?.to_vec();
        return Some(Update { local: name.clone(), remote: name, new, old });
    }
    // From the end: what is pushed may be an expression with blanks in it.
    let mut parts = line.rsplitn(4, |&b| b == b' ');
    let old = id(parts.next()?)?;
    let remote = parts.next().filter(|name| !name.is_empty())?.to_vec();
    let new = id(parts.next()?)?;
    Some(Update { local: parts.next()?.to_vec(), remote, new, old })
}

/// An object's name; the inner `None` if it is all zeros, which stand for
/// nothing.
fn id(hex: &[u8]) -> Option<Option<ObjectId>> {
    let id = ObjectId::from_hex(hex).ok()?;
    Some(Some(id).filter(|id| !id.is_null()))
}

/// What the remote has, as far as this repository knows.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) ids: Vec<ObjectId>,
    /// True if what the remote was last seen with is not what it says now, so
    /// that only the latter counts: it may have been made anew meanwhile.
    pub(super) stale: bool,
}

/// What the remote says that it has, and what it was last seen with.
pub(super) fn known(repository: &Repository, remote: Option<&[u8]>, updates: &[Update]) -> Known {
    let mut ids: Vec<ObjectId> = updates.iter().filter_map(|update| update.old).collect();
    let seen = remote.map(|remote| seen(repository, remote)).unwrap_or_default();
    let stale = updates.iter().any(|update| contradicts(repository, update, &seen));
    if !stale {
        ids.extend(seen.into_iter().map(|(_, id)| id));
    }
    Known { ids, stale }
}

/// True if a ref was seen on the remote that is not there any more, or that
/// leads to something else now that nobody here has.
fn contradicts(repository: &Repository, update: &Update, seen: &[Ref]) -> bool {
    let Some(branch) = update.remote.strip_prefix(b"refs/heads/") else { return false };
    let mut before = seen.iter().filter(|(name, _)| name == branch).map(|(_, id)| *id);
    match update.old {
        None => before.next().is_some(),
        Some(now) => {
            let has = || matches!(repository.store.reader().read(&now), Ok(Some(_)));
            before.any(|id| id != now) && !has()
        }
    }
}

/// The branches that a remote was last seen with, by their names there.
fn seen(repository: &Repository, remote: &[u8]) -> Vec<Ref> {
    let remote = String::from_utf8_lossy(remote);
    let remotes = folder::of_remotes(&repository.layout, &["url", "pushurl", "fetch"]);
    // Known by its own name, or if it is an address by those that lead to it.
    let is_it = |(name, url): &&(String, String)| *name == *remote || *url == *remote;
    let mut names: Vec<&String> = remotes.iter().filter(is_it).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let of = |name: &String| {
        let folder = format!("refs/remotes/{name}/");
        // The branches of a remote `origin/other` lie in the folder of `origin`.
        let others = remotes.iter().filter_map(|(other, _)| other.strip_prefix(&**name));
        let others: Vec<String> =
            others.filter_map(|rest| Some(format!("{}/", rest.strip_prefix('/')?))).collect();
        refs::named_below(repository, &folder)
            .into_iter()
            .filter_map(|(full, id)| Some((full.strip_prefix(folder.as_bytes())?.to_vec(), id)))
            .filter(|(branch, _)| !others.iter().any(|other| branch.starts_with(other.as_bytes())))
            .collect::<Vec<Ref>>()
    };
    names.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_git_writes_them() {
        let (one, zero) = ("1".repeat(40), "0".repeat(40));
        let line = format!(":/fix the bug {one} refs/heads/x {zero}\r\n");
        let read = updates(Kind::PrePush, line.as_bytes()).unwrap();
        assert_eq!(
            (&*read[0].local, &*read[0].remote),
            (&b":/fix the bug"[..], &b"refs/heads/x"[..])
        );
        assert_eq!((read[0].new.is_some(), read[0].old), (true, None));
        let read = updates(Kind::PreReceive, format!("{zero} {one} refs/heads/x").as_bytes());
        assert_eq!(read.unwrap()[0].remote, b"refs/heads/x");
        assert_eq!(updates(Kind::PrePush, b"").unwrap(), []);
        for wrong in ["x", "a b c d", &format!("a {one} b"), &format!("a {one} b {one}1")] {
            assert!(updates(Kind::PrePush, wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
