use std::ops::Range;
use std::sync::Arc;

/// Where bytes came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Place of the target on the command line; orders the output.
    pub target: usize,
    /// The target as the user named it, with `/` between its parts.
    pub root: Arc<[u8]>,
    /// Path below `root`, with `/` between its parts; empty if the target is
    /// itself the file. Any bytes the system allows in a name.
    pub path: Box<[u8]>,
    /// What kind of thing the path names.
    pub kind: OriginKind,
    /// What git knows about it, if it comes from a repository's objects.
    pub git: Option<Box<Provenance>>,
}

/// The kinds of place that bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginKind {
    /// A file of a tree, or one named on the command line.
    File,
    /// Standard input.
    Stdin,
    /// A file as git keeps it.
    GitBlob,
    /// A commit: its message, its author, its other headers.
    GitCommit,
    /// An annotated tag.
    GitTag,
    /// A note on another object.
    GitNote,
    /// The name of a branch, tag or other ref.
    GitRef,
    /// The history of a ref in this repository.
    GitReflog,
    /// The settings of a repository.
    GitConfig,
    /// A file as git keeps it, of which it is not known yet where it stood: it
    /// may have been any.
    GitUnnamed,
}

impl OriginKind {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stdin => "stdin",
            Self::GitBlob | Self::GitUnnamed => "git-blob",
            Self::GitCommit => "git-commit",
            Self::GitTag => "git-tag",
            Self::GitNote => "git-note",
            Self::GitRef => "git-ref",
            Self::GitReflog => "git-reflog",
            Self::GitConfig => "git-config",
        }
    }
}

/// Where in a repository's history a secret stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provenance {
    /// Name of the object that holds it, in hex.
    pub object: Option<String>,
    /// The first commit that shows it, in hex.
    pub commit: Option<String>,
    /// When that commit was made, in seconds since 1970.
    pub time: Option<i64>,
    /// Who wrote that commit, as `Name <mail>`; any bytes.
    pub author: Option<Box<[u8]>>,
    /// Full names of refs that contain the commit, the most telling first; at
    /// most [`REF_CAP`].
    pub refs: Vec<Arc<[u8]>>,
    /// How it is held if no ref contains it.
    pub unreachable: Option<Held>,
    /// Whether the secret still stands in the commit that HEAD names.
    pub in_head: Option<bool>,
}

/// A place names at most this many refs.
pub const REF_CAP: usize = 10;

/// What keeps an object that no branch, tag or other ref leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// The stash or what was once there.
    Stash,
    /// The history of a ref.
    Reflog,
    /// An index: it was added, and not committed.
    Index,
    /// Nothing: it is there until git cleans up.
    Dangling,
}

impl Held {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stash => "stash",
            Self::Reflog => "reflog",
            Self::Index => "index",
            Self::Dangling => "dangling",
        }
    }

    /// The same for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stash => "held by the stash",
            Self::Reflog => "held by a reflog",
            Self::Index => "added, not committed",
            Self::Dangling => "dangling",
        }
    }
}

impl Origin {
    /// The path for those who judge by it: `None` if it is not known, and a
    /// rule for certain files has to take it for one of them.
    pub fn known_path(&self) -> Option<&[u8]> {
        (self.kind != OriginKind::GitUnnamed).then(|| self.relative())
    }

    /// The path relative to the scanned root; the root itself if the target
    /// was a single file.
    pub fn relative(&self) -> &[u8] {
        if self.path.is_empty() { &self.root } else { &self.path }
    }

    /// The path as seen from the directory that the command ran in.
    pub fn shown(&self) -> Vec<u8> {
        if self.path.is_empty() {
            return self.root.to_vec();
        }
        if &*self.root == b"." {
            return self.path.to_vec();
        }
        let mut out = self.root.to_vec();
        if !out.ends_with(b"/") {
            out.push(b'/');
        }
        out.extend_from_slice(&self.path);
        out
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &[u8] {
        let path = self.relative();
        path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..])
    }
}

/// A run of bytes to search, and where it stands in its origin.
#[derive(Clone, Copy)]
pub struct Blob<'a> {
    /// Where the bytes came from.
    pub origin: &'a Arc<Origin>,
    /// All bytes that a rule may look at.
    pub bytes: &'a [u8],
    /// First and last byte of what no earlier blob has shown. A match must
    /// begin here; what stands around it is there to be looked at.
    pub fresh: (usize, usize),
    /// Offset of `bytes[0]` in the origin.
    pub offset: u64,
    /// How many lines end before `bytes[0]`, asked only for kept candidates.
    pub lines: &'a dyn Lines,
}

impl<'a> Blob<'a> {
    /// The range in which a match must begin.
    pub fn fresh(&self) -> Range<usize> {
        self.fresh.0..self.fresh.1
    }

    /// A blob that is the whole of its origin.
    pub fn whole(origin: &'a Arc<Origin>, bytes: &'a [u8]) -> Self {
        Self { origin, bytes, fresh: (0, bytes.len()), offset: 0, lines: &WholeLines }
    }
}

/// A run of bytes that an object shares with the one it is told as a delta of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where it stands in the object.
    pub at: usize,
    /// Where it stands in the base.
    pub from: usize,
    /// How long it is.
    pub len: usize,
}

/// Where the line stands that holds a blob's first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineStart {
    /// Newlines before the byte.
    pub newlines: u64,
    /// Offset in the origin of the first byte of its line.
    pub start: u64,
}

/// Answers where the line of a blob's first byte begins.
pub trait Lines: Sync {
    /// The line that holds the byte at `offset` of the origin, which is the
    /// first byte of a blob.
    fn at(&self, offset: u64) -> LineStart;
}

/// [`Lines`] of a blob that begins where its origin begins.
pub struct WholeLines;

impl Lines for WholeLines {
    fn at(&self, _offset: u64) -> LineStart {
        LineStart::default()
    }
}
