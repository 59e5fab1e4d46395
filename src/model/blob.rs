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
}

/// The kinds of place that bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginKind {
    /// A file of a tree, or one named on the command line.
    File,
    /// Standard input.
    Stdin,
}

impl Origin {
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
