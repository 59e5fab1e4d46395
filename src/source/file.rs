//! Reads files: small ones whole, large ones in windows, both into a buffer
//! that is used again.
//!
//! Nothing is memory-mapped. A mapping of a file that another process cuts
//! short kills the reader with SIGBUS, and reading by windows that stay in the
//! cache measured no slower (`benches/sources.rs`): so it cannot happen.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::{FileLines, positioned_read};
use super::window::{Fresh, WINDOW, windows};
use super::{Each, Margins, Tally, stream};
use crate::model::{Blob, Origin, SkipReason};

/// Files up to this size are read whole and searched as one blob; larger ones
/// go in windows, and may be shared by several threads.
pub(super) const WHOLE: u64 = WINDOW as u64;
/// Part of a large file that one thread takes at a time.
pub(super) const SEGMENT: u64 = 16 << 20;

/// Reads one file after the other into one buffer.
#[derive(Default)]
pub(super) struct Reader {
    buffer: Vec<u8>,
}

/// A file that is too large for one piece. It is closed until its turn comes:
/// a tree may hold more of them than a process may open.
pub(super) struct Waiting {
    pub(super) origin: Origin,
    pub(super) path: PathBuf,
}

/// A large file whose turn has come.
pub(super) struct Large {
    pub(super) origin: Arc<Origin>,
    pub(super) file: File,
    pub(super) size: u64,
}

impl Reader {
    /// Searches a file, or gives it back if it is large.
    pub(super) fn feed(
        &mut self,
        path: &Path,
        origin: Origin,
        limit: Option<u64>,
        margins: Margins,
        tally: &Tally,
        each: &Each<'_>,
    ) -> Option<Waiting> {
        let (file, size) = open(path, &origin, tally)?;
        if limit.is_some_and(|limit| size > limit) {
            tally.skip(SkipReason::TooLarge, origin.shown(), format!("{size} bytes"));
            return None;
        }
        if size > WHOLE {
            return Some(Waiting { origin, path: path.to_path_buf() });
        }
        let origin = Arc::new(origin);
        self.feed_small(&file, size as usize, &origin, margins, tally, each);
        None
    }

    fn feed_small(
        &mut self,
        mut file: &File,
        size: usize,
        origin: &Arc<Origin>,
        margins: Margins,
        tally: &Tally,
        each: &Each<'_>,
    ) {
        // One byte more than there should be: a read that leaves it free has
        // seen the end, and no second read is needed to learn that.
        let wanted = size.max(4095) + 1;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
        let mut filled = 0;
        let ended = loop {
            match file.read(&mut self.buffer[filled..wanted]) {
                Ok(0) => break Ok(true),
                Ok(more) => filled += more,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => break Err(why),
            }
            if filled == size && size > 0 {
                break Ok(true);
            }
            if filled == wanted {
                break Ok(false);
            }
        };
        match ended {
            // It grew, or its size says nothing, as in /proc: go on as a stream.
            Ok(false) => {
                let seen = self.buffer[..filled].to_vec();
                let mut input = seen.as_slice().chain(file);
                return stream::feed(&mut input, origin, margins, &mut self.buffer, tally, each);
            }
            Ok(true) if filled < size && shrank(file, size as u64) => {
                tally.skip(
                    SkipReason::Truncated,
                    origin.shown(),
                    format!("{filled} of {size} bytes were left"),
                );
            }
            Ok(true) => tally.add_file(),
            Err(why) => tally.skip(SkipReason::Unreadable, origin.shown(), why.to_string()),
        }
        tally.add_bytes(filled as u64);
        each(&Blob::whole(origin, &self.buffer[..filled]));
    }

    /// Searches one segment of a large file.
    pub(super) fn feed_segment(
        &mut self,
        large: &Large,
        lines: &FileLines<'_>,
        start: u64,
        margins: Margins,
        tally: &Tally,
        each: &Each<'_>,
    ) -> io::Result<u64> {
        let end = (start + SEGMENT).min(large.size);
        let offset = start.saturating_sub(margins.before as u64);
        let mut input = Part { file: &large.file, at: offset, end: end + margins.after as u64 };
        let to = if end == large.size { u64::MAX } else { end };
        if to == u64::MAX {
            input.end = u64::MAX;
        }
        let fresh = Fresh { offset, from: start, to };
        windows(&mut input, margins, &mut self.buffer, fresh, |window| {
            each(&Blob {
                origin: &large.origin,
                bytes: window.bytes,
                fresh: window.fresh,
                offset: window.offset,
                lines,
            });
            tally.add_bytes((window.fresh.1 - window.fresh.0) as u64);
        })
        .map(|read| offset + read)
    }
}

/// True if the file is shorter now than it was when it was opened. Files of
/// /sys give less than they promise and are not.
pub(super) fn shrank(file: &File, size: u64) -> bool {
    file.metadata().is_ok_and(|now| now.len() < size)
}

impl Waiting {
    /// Opens the file, or notes why it cannot be searched.
    pub(super) fn open(self, tally: &Tally) -> Option<Large> {
        let (file, size) = open(&self.path, &self.origin, tally)?;
        Some(Large { origin: Arc::new(self.origin), file, size })
    }
}

/// A file and its size, or a note in the tally.
fn open(path: &Path, origin: &Origin, tally: &Tally) -> Option<(File, u64)> {
    let (reason, why) = match try_open(path) {
        Ok(Some(opened)) => return Some(opened),
        Ok(None) => (SkipReason::Special, String::new()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            (SkipReason::Vanished, why.to_string())
        }
        Err(why) => (SkipReason::Unreadable, why.to_string()),
    };
    tally.skip(reason, origin.shown(), why);
    None
}

/// Opens for reading without ever waiting: a pipe that took the place of a
/// file since it was listed is opened and closed again, not read.
fn try_open(path: &Path) -> io::Result<Option<(File, u64)>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        libc::O_NONBLOCK | libc::O_NOCTTY,
    );
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata.len())))
}

/// A part of a file as a stream, read at its own position.
struct Part<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = positioned_read(self.file, &mut buffer[..wanted], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
