//! The search for short keywords: nibble tables and byte shuffles (AVX2, chosen at run time).
//!
//! For each of the four bytes of a window there are two tables of sixteen
//! entries, one looked up by the low nibble of the byte and one by the high
//! nibble; each entry has a bit for every bucket that accepts the nibble
//! there. The AND of all eight look-ups has a bit left only where one bucket
//! accepts all four bytes. Sixteen buckets need two sets of tables.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};
use std::ops::Range;

use super::buckets::Buckets;
use super::hash::{Windows, load};
use super::strided::{self, Strided};
use super::{Sieve, WINDOW};

/// Positions looked at in one step.
const STEP: usize = 32;
/// Positions that wait to be compared.
const QUEUE: usize = 256;

/// Tables for the AVX2 path; there only if the machine has it.
pub(super) struct Tables {
    /// For each half of the buckets and each byte of the window: low, high.
    nibbles: [[[[u8; 16]; 2]; WINDOW]; 2],
}

impl Tables {
    /// The tables for these buckets, if this machine has AVX2.
    pub(super) fn detect(buckets: &Buckets) -> Option<Self> {
        if !is_x86_feature_detected!("avx2") {
            return None;
        }
        let mut nibbles = [[[[0; 16]; 2]; WINDOW]; 2];
        for (bucket, sets) in buckets.iter().enumerate() {
            for (place, set) in sets.iter().enumerate() {
                for nibble in 0..16 {
                    let [low, high] = &mut nibbles[bucket / 8][place];
                    low[nibble] |= ((set.low >> nibble & 1) as u8) << (bucket % 8);
                    high[nibble] |= ((set.high >> nibble & 1) as u8) << (bucket % 8);
                }
            }
        }
        Some(Self { nibbles })
    }

    /// Calls `hit` for every position of `windows` that a hash lets through.
    pub(super) fn search(
        &self,
        short: &Windows,
        long: &Strided,
        haystack: &[u8],
        windows: Range<usize>,
        hit: impl FnMut(usize, Sieve),
    ) {
        // SAFETY: `detect` made `self`, so the machine has AVX2.
        unsafe { self.search_avx2(short, long, haystack, windows, hit) }
    }

    /// Positions that the nibble tables let through.
    pub(super) fn count(&self, haystack: &[u8]) -> usize {
        let mut count = 0;
        let last = haystack.len().saturating_sub(STEP + WINDOW - 1);
        for at in (0..last).step_by(STEP) {
            // SAFETY: as in `search`; STEP + WINDOW - 1 bytes follow `at`.
            count += unsafe { self.tables_avx2().sieve(haystack.as_ptr().add(at)) }.count_ones()
                as usize;
        }
        count
    }

    #[target_feature(enable = "avx2")]
    fn tables_avx2(&self) -> Loaded {
        let load_table = |table: &[u8; 16]| {
            // SAFETY: the table is sixteen bytes long; the load may be unaligned.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
        };
        Loaded(self.nibbles.map(|half| half.map(|pair| pair.map(|table| load_table(&table)))))
    }

    /// Both searches side by side: the vector units and the integer units are
    /// busy at the same time, and the bytes are read once.
    #[target_feature(enable = "avx2")]
    fn search_avx2(
        &self,
        short: &Windows,
        long: &Strided,
        haystack: &[u8],
        windows: Range<usize>,
        mut hit: impl FnMut(usize, Sieve),
    ) {
        let tables = self.tables_avx2();
        let mut queue = [0_usize; QUEUE];
        let mut queued = 0;
        let mut at = windows.start;
        while at + STEP <= windows.end && at + STEP + WINDOW - 1 <= haystack.len() {
            // SAFETY: the loop's condition leaves STEP + WINDOW - 1 bytes behind `at`.
            let mut mask = unsafe { tables.sieve(haystack.as_ptr().add(at)) };
            while mask != 0 {
                let position = at + mask.trailing_zeros() as usize;
                mask &= mask - 1;
                // Kept or overwritten by the next: no branch to mispredict.
                queue[queued] = position;
                queued += usize::from(short.may_hold(load(haystack, position)));
            }
            if queued > QUEUE - STEP {
                queue[..queued].iter().for_each(|&position| hit(position, Sieve::Short));
                queued = 0;
            }
            let block: &[u8; STEP] = haystack[at..at + STEP].try_into().expect("STEP bytes");
            let mut grid = on_grid(long, block);
            while grid != 0 {
                hit(at + grid.trailing_zeros() as usize * strided::STEP, Sieve::Strided);
                grid &= grid - 1;
            }
            at += STEP;
        }
        queue[..queued].iter().for_each(|&position| hit(position, Sieve::Short));
        for position in at..windows.end {
            if short.may_hold(load(haystack, position)) {
                hit(position, Sieve::Short);
            }
        }
        for position in (at..windows.end).step_by(strided::STEP) {
            if long.windows.may_hold_four(load(haystack, position)) {
                hit(position, Sieve::Strided);
            }
        }
    }
}

/// A bit for each position of the grid where a long keyword may have a window.
#[inline(always)]
fn on_grid(long: &Strided, block: &[u8; STEP]) -> u32 {
    let mut grid = 0;
    for (place, window) in block.chunks_exact(strided::STEP).enumerate() {
        let window = u32::from_le_bytes(window.try_into().expect("four bytes"));
        grid |= u32::from(long.windows.may_hold_four(window)) << place;
    }
    grid
}

/// The tables in registers, each in both halves of one.
struct Loaded([[[__m256i; 2]; WINDOW]; 2]);

impl Loaded {
    /// A bit for each of the STEP positions from `start` whose window a bucket
    /// accepts.
    ///
    /// # Safety
    /// STEP + WINDOW - 1 bytes must be readable at `start`.
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn sieve(&self, start: *const u8) -> u32 {
        let nibble = _mm256_set1_epi8(15);
        let mut left = [_mm256_set1_epi8(-1); 2];
        for place in 0..WINDOW {
            // SAFETY: the caller's promise; the load may be unaligned.
            let bytes = unsafe { _mm256_loadu_si256(start.add(place).cast()) };
            let low = _mm256_and_si256(bytes, nibble);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
            for half in 0..2 {
                let [low_table, high_table] = self.0[half][place];
                let accepted = _mm256_and_si256(
                    _mm256_shuffle_epi8(low_table, low),
                    _mm256_shuffle_epi8(high_table, high),
                );
                left[half] = _mm256_and_si256(left[half], accepted);
            }
        }
        let any = _mm256_or_si256(left[0], left[1]);
        let none = _mm256_cmpeq_epi8(any, _mm256_setzero_si256());
        !(_mm256_movemask_epi8(none) as u32)
    }
}
