//! Inflates zlib streams whose size is known, in one call.

use libdeflater::Decompressor;

use super::Result;

/// Deflate makes at most this many bytes of one, a little rounded up: an
/// object that claims to be larger lies.
pub(crate) const MOST: u64 = 1032;

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
        let size = usize::try_from(size).map_err(|_| "an object beyond all memory")?;
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
