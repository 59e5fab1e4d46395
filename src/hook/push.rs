//! What git tells a hook of a push, line by line.

use gix::ObjectId;

use super::{Kind, folder, refs};
use crate::error::{Error, Result};
use crate::git::{Layout, Repository};

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

/// What the remote has, as far as this repository knows: what it was last seen
/// with, and what it says now.
pub(super) fn known(
    repository: &Repository,
    remote: Option<&[u8]>,
    updates: &[Update],
) -> Vec<ObjectId> {
    let mut known: Vec<ObjectId> = updates.iter().filter_map(|update| update.old).collect();
    for name in remote.map(|remote| names(&repository.layout, remote)).unwrap_or_default() {
        known.extend(refs::below(repository, &format!("refs/remotes/{name}/")));
    }
    known
}

/// The names under which a remote is known: its own, or if it is an address
/// those that lead to the same one.
fn names(layout: &Layout, remote: &[u8]) -> Vec<String> {
    let remote = String::from_utf8_lossy(remote);
    let remotes = folder::of_remotes(layout, &["url", "pushurl"]);
    let mut names: Vec<String> = remotes
        .into_iter()
        .filter(|(name, url)| *name == *remote || *url == *remote)
        .map(|(name, _)| name)
        .collect();
    names.sort();
    names.dedup();
    names
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
