//! Inflates zlib streams whose size is known, in one call.

use std::io::Read as _;

use libdeflater::Decompressor;

use super::Result;

/// Deflate makes at most this many bytes of one, a little rounded up: an
/// object that claims to be larger lies.
pub(crate) const MOST: u64 = 1032;

/// Up to this size an object gets its memory before it has shown that it is as
/// large as it says.
const TRUSTED: u64 = 16 << 20;

/// Inflates; one for each thread.
pub(crate) struct Inflater(Decompressor);

impl Inflater {
    pub(crate) fn new() -> Self {
        Self(Decompressor::new())
    }

    /// Fills `out` with the `size` bytes that the stream at the front of
    /// `input` makes.
    pub(crate) fn inflate(&mut self, input: &[u8], size: u64, out: &mut Vec<u8>) -> Result<()> {
        if size > (input.len() as u64).saturating_mul(MOST) {
            return Err("an object that says it is larger than it can be".into());
        }
        if size > TRUSTED {
            return slowly(input, size, out);
        }
        let size = size as usize;
        // Stale bytes at the front are overwritten, and what is not counts as an error.
        out.resize(size, 0);
        match self.0.zlib_decompress(input, out) {
            Ok(made) if made == size => Ok(()),
            Ok(_) => Err("an object that is shorter than it says".into()),
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                Err("an object that is longer than it says".into())
            }
            Err(libdeflater::DecompressionError::BadData) => {
                Err("an object whose compressed bytes are damaged".into())
            }
        }
    }
}

/// Inflates what may lie about its size: memory grows with what is there.
fn slowly(input: &[u8], size: u64, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    let mut stream = flate2::bufread::ZlibDecoder::new(input).take(size.saturating_add(1));
    stream.read_to_end(out).map_err(|_| "an object whose compressed bytes are damaged")?;
    match (out.len() as u64).cmp(&size) {
        std::cmp::Ordering::Less => Err("an object that is shorter than it says".into()),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err("an object that is longer than it says".into()),
    }
}
