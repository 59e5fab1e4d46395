//! Counts lines of large files and streams, only when asked and never twice.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use memchr::{memchr_iter, memrchr};

use crate::model::{LineStart, Lines};

/// Advances a line start over bytes that stand at `offset`.
pub(super) fn advance(line: LineStart, bytes: &[u8], offset: u64) -> LineStart {
    match memrchr(b'\n', bytes) {
        None => line,
        Some(last) => LineStart {
            newlines: line.newlines + memchr_iter(b'\n', &bytes[..=last]).count() as u64,
            start: offset + last as u64 + 1,
        },
    }
}

/// Lines of a stream, of which the start of the present window is known.
pub(super) struct KnownLine(pub(super) LineStart);

impl Lines for KnownLine {
    fn at(&self, _offset: u64) -> LineStart {
        self.0
    }
}

const BLOCK: usize = 1 << 20;

/// Lines of a file, counted block by block as far as somebody asks.
pub(super) struct FileLines<'f> {
    file: &'f File,
    /// Line start at the beginning of each block, as far as counted.
    blocks: Mutex<Vec<LineStart>>,
}

impl<'f> FileLines<'f> {
    pub(super) fn new(file: &'f File) -> Self {
        Self { file, blocks: Mutex::new(vec![LineStart::default()]) }
    }
}

impl Lines for FileLines<'_> {
    fn at(&self, offset: u64) -> LineStart {
        let block = (offset / BLOCK as u64) as usize;
        let mut buffer = vec![0; BLOCK];
        let mut blocks = self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while blocks.len() <= block {
            let at = (blocks.len() - 1) as u64 * BLOCK as u64;
            let read = read_at(self.file, &mut buffer, at);
            let line = advance(blocks[blocks.len() - 1], &buffer[..read], at);
            blocks.push(line);
        }
        let at = block as u64 * BLOCK as u64;
        let read = read_at(self.file, &mut buffer[..(offset - at) as usize], at);
        advance(blocks[block], &buffer[..read], at)
    }
}

/// Reads as much as there is; a file that became shorter has fewer lines.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match positioned_read(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    filled
}

/// One read that does not move the file's own position.
pub(super) fn positioned_read(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_at(file, buffer, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
}
