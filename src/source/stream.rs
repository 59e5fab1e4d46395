//! Streams, as they come: standard input, and files whose size says nothing.
//! Memory does not grow with them.

use std::io::Read;
use std::sync::Arc;

use super::lines::{KnownLine, advance};
use super::window::{Fresh, windows};
use super::{Each, Margins, Tally};
use crate::model::{Blob, LineStart, Origin, OriginKind, SkipReason};

/// Searches standard input.
pub(super) fn feed_stdin(
    target: usize,
    margins: Margins,
    input: &mut dyn Read,
    tally: &Tally,
    each: &Each<'_>,
) {
    let name: &[u8] = b"-";
    let origin = Arc::new(Origin {
        target,
        root: name.into(),
        path: Box::default(),
        kind: OriginKind::Stdin,
        git: None,
    });
    feed(input, &origin, margins, &mut Vec::new(), tally, each);
}

/// Searches a stream to its end, counting its lines on the way.
pub(super) fn feed(
    input: &mut dyn Read,
    origin: &Arc<Origin>,
    margins: Margins,
    buffer: &mut Vec<u8>,
    tally: &Tally,
    each: &Each<'_>,
) {
    let mut line = LineStart::default();
    let result = windows(input, margins, buffer, Fresh::ALL, |window| {
        let lines = KnownLine(line);
        each(&Blob {
            origin,
            bytes: window.bytes,
            fresh: window.fresh,
            offset: window.offset,
            lines: &lines,
        });
        tally.add_bytes((window.fresh.1 - window.fresh.0) as u64);
        // The next window begins `margins.before` bytes before its fresh part.
        let passed = window.fresh.1.saturating_sub(margins.before);
        line = advance(line, &window.bytes[..passed], window.offset);
    });
    match result {
        Ok(_) => tally.add_file(),
        Err(why) => tally.skip(SkipReason::Unreadable, origin.shown(), why.to_string()),
    }
}
