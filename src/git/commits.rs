//! The commits of a store, noted while they are searched: all that the way of
//! a secret through history needs, without reading them a second time.

use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::CommitRefIter;
use gix::objs::commit::ref_iter::Token;

use super::store::Place;

/// What is kept of commits, packed tightly: a history has millions.
///
/// A row is the pack (`u32`, all ones for a loose commit), the offset in it
/// (`u64`) or the name of the loose commit, the time (`i64`), the number of
/// parents (`u32`), the names of the tree and of the parents.
pub(crate) struct CommitLog {
    hash: Hash,
    rows: Mutex<Vec<u8>>,
}

/// One commit of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: At,
    /// Seconds since 1970 of the committer's date.
    pub(crate) time: i64,
    pub(crate) tree: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
}

/// Where a commit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Packed { pack: usize, offset: u64 },
    Loose(ObjectId),
}

const LOOSE: u32 = u32::MAX;

impl CommitLog {
    pub(crate) fn new(hash: Hash) -> Self {
        Self { hash, rows: Mutex::default() }
    }

    /// Notes a commit; one without a tree leads nowhere and is left out.
    pub(crate) fn note(&self, place: Place, id: Option<&ObjectId>, bytes: &[u8]) {
        let (mut tree, mut parents, mut time) = (None, Vec::new(), 0);
        for token in CommitRefIter::from_bytes(bytes, self.hash).map_while(Result::ok) {
            match token {
                Token::Tree { id } => tree = Some(id),
                Token::Parent { id } => parents.push(id),
                Token::Author { .. } => {}
                Token::Committer { signature } => time = signature.seconds(),
                _ => break,
            }
        }
        let Some(tree) = tree else { return };
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        match (place, id) {
            (Place::Packed { pack, offset }, _) => {
                rows.extend_from_slice(&(pack as u32).to_le_bytes());
                rows.extend_from_slice(&offset.to_le_bytes());
            }
            (Place::Loose { .. }, Some(id)) => {
                rows.extend_from_slice(&LOOSE.to_le_bytes());
                rows.extend_from_slice(id.as_bytes());
            }
            (Place::Loose { .. }, None) => return,
        }
        rows.extend_from_slice(&time.to_le_bytes());
        rows.extend_from_slice(&(parents.len() as u32).to_le_bytes());
        rows.extend_from_slice(tree.as_bytes());
        parents.iter().for_each(|parent| rows.extend_from_slice(parent.as_bytes()));
    }

    /// Calls `each` for all commits that were noted, in any order.
    pub(crate) fn for_each(&self, mut each: impl FnMut(Row)) {
        let bytes = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = &bytes[..];
        while let Some(row) = take_row(&mut rest, self.hash.len_in_bytes()) {
            each(row);
        }
    }
}

fn take_row(rest: &mut &[u8], width: usize) -> Option<Row> {
    let pack = u32::from_le_bytes(take(rest)?);
    let at = if pack == LOOSE {
        At::Loose(take_id(rest, width)?)
    } else {
        At::Packed { pack: pack as usize, offset: u64::from_le_bytes(take(rest)?) }
    };
    let time = i64::from_le_bytes(take(rest)?);
    let parents = u32::from_le_bytes(take(rest)?);
    let tree = take_id(rest, width)?;
    let parents = (0..parents).map(|_| take_id(rest, width)).collect::<Option<_>>()?;
    Some(Row { at, time, tree, parents })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*first)
}

fn take_id(rest: &mut &[u8], width: usize) -> Option<ObjectId> {
    let (first, after) = rest.split_at_checked(width)?;
    *rest = after;
    Some(ObjectId::from_bytes_or_panic(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_comes_back() {
        let log = CommitLog::new(Hash::Sha1);
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let text = format!(
            "tree {a}\nparent {b}\nparent {a}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> -7 +0000\n\nx\n"
        );
        let id = ObjectId::from_hex(b.as_bytes()).unwrap();
        log.note(Place::Packed { pack: 3, offset: 1 << 40 }, None, text.as_bytes());
        log.note(Place::Loose { folder: 0 }, Some(&id), text.as_bytes());
        log.note(Place::Loose { folder: 0 }, Some(&id), b"no commit");
        let mut rows = Vec::new();
        log.for_each(|row| rows.push(row));
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].at, At::Packed { pack: 3, offset: 1 << 40 });
        assert_eq!(rows[1].at, At::Loose(id));
        for row in rows {
            assert_eq!((row.time, row.parents.len(), row.tree.to_string()), (-7, 2, a.clone()));
        }
    }
}
