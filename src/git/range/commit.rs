//! What a commit says of its place in the history.

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::CommitRefIter;
use gix::objs::commit::ref_iter::Token;

/// A commit, as far as a walk needs it.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// When it was made, in seconds since 1970; 0 if it does not say.
    pub(super) time: i64,
    /// `Name <mail>`.
    pub(super) author: Box<[u8]>,
}

impl Commit {
    /// Reads what is there: of a commit whose author makes no sense, the tree
    /// and the parents still count. `None` if it names no tree.
    pub(super) fn parse(bytes: &[u8], hash: Hash) -> Option<Self> {
        let mut tree = None;
        let mut commit =
            Self { tree: hash.null(), parents: Vec::new(), time: 0, author: Box::default() };
        for token in CommitRefIter::from_bytes(bytes, hash).map_while(Result::ok) {
            match token {
                Token::Tree { id } => tree = Some(id),
                Token::Parent { id } => commit.parents.push(id),
                Token::Author { signature } => {
                    let parts = [&**signature.name, b" <", &**signature.email, b">"];
                    commit.author = parts.concat().into();
                }
                Token::Committer { signature } => commit.time = signature.seconds(),
                _ => break,
            }
        }
        Some(Self { tree: tree?, ..commit })
    }
}
