//! A stream as overlapping windows, in one reused buffer.

use std::io::{self, Read};

/// How far beyond the fresh part of a window its searcher looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// Bytes before the fresh part.
    pub before: usize,
    /// Bytes behind the fresh part.
    pub after: usize,
}

/// Fresh bytes of one window. `benches/sources.rs` finds no difference from
/// 256 KiB up; at 1 MiB the margins are a few hundredths of it.
pub const WINDOW: usize = 1 << 20;

/// A part of a stream: `bytes[fresh.0..fresh.1]` is new, what stands around it
/// was or will be fresh in another window.
pub(super) struct Window<'w> {
    pub(super) bytes: &'w [u8],
    pub(super) fresh: (usize, usize),
    /// Offset in the stream of `bytes[0]`.
    pub(super) offset: u64,
}

/// Reads `input` to its end and gives it to `each` window by window. `offset`
/// is where in the origin the input begins, and of its bytes those from
/// `fresh_from` to `fresh_to` (offsets in the origin) are fresh.
///
/// Returns how many bytes were read.
///
/// # Errors
/// What the input says; the windows before it have been given, and what had
/// been read when it failed is given too.
pub(super) fn windows(
    input: &mut dyn Read,
    margins: Margins,
    buffer: &mut Vec<u8>,
    range: Fresh,
    mut each: impl FnMut(&Window<'_>),
) -> io::Result<u64> {
    let capacity = margins.before + WINDOW + margins.after;
    buffer.resize(capacity, 0);
    let (mut filled, mut start, mut next) = (0, range.offset, range.from);
    let mut read = 0;
    loop {
        let (more, end) = fill(input, &mut buffer[filled..]);
        filled += more;
        read += more as u64;
        let ended = !matches!(end, Ok(false));
        let known = start + filled as u64;
        let fresh_end = if ended { known } else { known - margins.after as u64 }.min(range.to);
        if fresh_end > next {
            let fresh = ((next - start) as usize, (fresh_end - start) as usize);
            each(&Window { bytes: &buffer[..filled], fresh, offset: start });
            next = fresh_end;
        }
        if ended {
            return end.map(|_| read);
        }
        let keep_from = (next - start) as usize;
        let keep_from = keep_from.saturating_sub(margins.before);
        buffer.copy_within(keep_from..filled, 0);
        filled -= keep_from;
        start += keep_from as u64;
    }
}

/// Which part of an origin an input shows, and which of it is fresh.
#[derive(Clone, Copy)]
pub(super) struct Fresh {
    /// Offset in the origin of the input's first byte.
    pub(super) offset: u64,
    /// Offset in the origin of the first fresh byte.
    pub(super) from: u64,
    /// Offset in the origin behind the last fresh byte.
    pub(super) to: u64,
}

impl Fresh {
    /// All of a stream.
    pub(super) const ALL: Self = Self { offset: 0, from: 0, to: u64::MAX };
}

/// Fills the buffer. Returns the bytes read and whether the input has ended.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> (usize, io::Result<bool>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Ok(true)),
            Ok(more) => filled += more,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return (filled, Err(why)),
        }
    }
    (filled, Ok(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_parts_are_the_stream() {
        let text: Vec<u8> = (0..WINDOW * 3 + 12_345).map(|at| (at % 251) as u8).collect();
        for margins in [Margins { before: 100, after: 300 }, Margins { before: 0, after: 0 }] {
            let mut seen = Vec::new();
            let mut buffer = Vec::new();
            let read = windows(&mut &text[..], margins, &mut buffer, Fresh::ALL, |window| {
                assert_eq!(window.offset + window.fresh.0 as u64, seen.len() as u64);
                let before = margins.before.min(seen.len());
                assert!(window.fresh.0 >= before);
                assert_eq!(window.bytes[..], text[window.offset as usize..][..window.bytes.len()]);
                seen.extend_from_slice(&window.bytes[window.fresh.0..window.fresh.1]);
            });
            assert_eq!(read.unwrap(), text.len() as u64);
            assert!(seen == text);
        }
    }

    #[test]
    fn what_was_read_before_an_error_is_given() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut seen = Vec::new();
        let margins = Margins { before: 1, after: 1 };
        let result =
            windows(&mut b"abc".chain(Broken), margins, &mut Vec::new(), Fresh::ALL, |window| {
                seen.extend_from_slice(&window.bytes[window.fresh.0..window.fresh.1]);
            });
        assert!(result.is_err());
        assert_eq!(seen, b"abc");
    }
}
