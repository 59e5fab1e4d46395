//! Both searches side by side, 64 positions a step: the vector units sieve the
//! short keywords while the integer units look up the hashes of the long ones,
//! and the bytes are read once.
//!
//! The sieve has tables for each of the first bytes of a keyword's window; an entry has a
//! bit for every bucket that accepts the byte there, and the AND of the
//! look-ups has a bit left only where one bucket accepts all of them.
//! Sixteen buckets need two sets of tables. With AVX2 a byte is looked up by
//! its nibbles in two tables of sixteen entries; with AVX-512 VBMI by its low
//! six bits in one of sixty-four, which costs a quarter and turns away more.

#![expect(
    clippy::needless_range_loop,
    reason = "adapters are not inlined into functions with target features of their own"
)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm_add_epi8, _mm_loadu_si128, _mm_maskz_compress_epi8, _mm_set1_epi8,
    _mm_setr_epi8, _mm_storeu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_castsi256_ps, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_movemask_ps, _mm256_mullo_epi32, _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi32,
    _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi32,
    _mm256_srli_epi16, _mm256_srli_epi32, _mm256_srlv_epi32, _mm256_storeu_si256, _mm512_add_epi8,
    _mm512_and_si512, _mm512_i32gather_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8,
    _mm512_mullo_epi32, _mm512_or_si512, _mm512_permutexvar_epi8, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_sllv_epi32, _mm512_srli_epi32,
    _mm512_storeu_si512, _mm512_test_epi8_mask, _mm512_test_epi32_mask,
};
use std::ops::Range;

use super::buckets::Buckets;
use super::hash::{self, Windows, load};
use super::strided::{self, Strided};
use super::{Sieve, buckets};

/// Positions looked at in one step.
const STEP: usize = 64;
/// Bytes between two visits to the queues: what a byte can count.
const CHUNK: usize = 256;
/// Positions of a step that are queued without asking how many there are.
const AHEAD: usize = 4;

/// Tables for this machine; there only if it has the instructions.
pub(super) struct Tables {
    narrow: Box<NarrowTables>,
    /// There if the machine has AVX-512.
    wide: Option<Box<WideTables>>,
}

/// For each half of the buckets and each byte of a window, the tables of low
/// and of high nibbles.
type NarrowTables = [[[[u8; 16]; 2]; Narrow::SIEVED]; 2];
/// For each half of the buckets and each byte of a window, the table of the
/// byte's low six bits.
type WideTables = [[[u8; 64]; Wide::SIEVED]; 2];

impl Tables {
    /// The tables for these buckets, if this machine has AVX2.
    pub(super) fn detect(buckets: &Buckets) -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2");
        has.then(|| Self {
            narrow: Box::new(Narrow::tables(buckets)),
            wide: wide.then(|| Box::new(Wide::tables(buckets))),
        })
    }

    /// The same without AVX-512, if it was there.
    pub(super) fn narrow(self) -> Self {
        Self { wide: None, ..self }
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
        // SAFETY: `detect` made `self`, so the machine has the instructions.
        unsafe {
            match &self.wide {
                Some(tables) => search_wide(tables, short, long, haystack, windows, hit),
                None => search_narrow(&self.narrow, short, long, haystack, windows, hit),
            }
        }
    }
}

/// One search for each set of instructions. A macro, because a function that
/// is generic over the sieve would not have the instructions itself, and what
/// is called from it could not be inlined.
///
/// No step branches on what it saw: positions are written to queues whether
/// they count or not, and the queues are worked off when a chunk is through.
macro_rules! search_with {
    ($name:ident, $tables:ident, $bytes:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name(
            tables: &$bytes,
            short: &Windows,
            long: &Strided,
            haystack: &[u8],
            windows: Range<usize>,
            mut hit: impl FnMut(usize, Sieve),
        ) {
            let tables = $tables::load(tables);
            let (mut shorts, mut longs) = (Queue::new(), Queue::new());
            let mut at = windows.start;
            let last = windows.end.min(haystack.len().saturating_sub(buckets::SIEVED - 1));
            while at + STEP <= last {
                let chunk = at;
                let chunk_end = last.min(at + CHUNK);
                while at + STEP <= chunk_end {
                    let block: &[u8; STEP] =
                        haystack[at..at + STEP].try_into().expect("STEP bytes");
                    // SAFETY: `last` leaves STEP + SIEVED - 1 bytes behind `at`.
                    let mask = unsafe { tables.sieve(haystack.as_ptr().add(at)) };
                    $tables::push(&mut shorts, at - chunk, mask);
                    $tables::push_grid(
                        &mut longs,
                        at - chunk,
                        $tables::on_grid(&long.windows, block),
                    );
                    at += STEP;
                }
                shorts.retain(|place| short.may_hold(load(haystack, chunk + usize::from(place))));
                shorts.drain(|place| hit(chunk + usize::from(place), Sieve::Short));
                longs.retain(|place| long.windows.may_go_on(haystack, chunk + usize::from(place)));
                longs.drain(|place| hit(chunk + usize::from(place), Sieve::Strided));
            }
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
    };
}

search_with!(search_narrow, Narrow, NarrowTables, "avx2,bmi1,bmi2,popcnt");
search_with!(
    search_wide,
    Wide,
    WideTables,
    "avx512f,avx512bw,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,popcnt"
);

/// Sixteen bits, `strided::STEP` apart.
#[inline(always)]
fn spread(mask: u16) -> u64 {
    let mask = u64::from(mask);
    let mask = (mask | mask << 24) & 0x0000_00ff_0000_00ff;
    let mask = (mask | mask << 12) & 0x000f_000f_000f_000f;
    let mask = (mask | mask << 6) & 0x0303_0303_0303_0303;
    (mask | mask << 3) & 0x1111_1111_1111_1111
}

/// Positions of a chunk, as distances from its start. Room for all of them,
/// and for a step that is written ahead.
struct Queue {
    positions: [u8; CHUNK + STEP],
    length: usize,
}

impl Queue {
    fn new() -> Self {
        Self { positions: [0; CHUNK + STEP], length: 0 }
    }

    /// Adds the positions of the step at `at` of the chunk whose bits are set.
    #[inline(always)]
    fn push(&mut self, at: usize, mut mask: u64) {
        let count = mask.count_ones() as usize;
        let room = &mut self.positions[self.length..];
        for place in &mut room[..AHEAD] {
            *place = (at + mask.trailing_zeros() as usize) as u8;
            mask &= mask.wrapping_sub(1);
        }
        for place in room.iter_mut().take(count).skip(AHEAD) {
            *place = (at + mask.trailing_zeros() as usize) as u8;
            mask &= mask.wrapping_sub(1);
        }
        self.length += count;
    }

    #[inline(always)]
    fn retain(&mut self, keep: impl Fn(u8) -> bool) {
        let mut kept = 0;
        for at in 0..self.length {
            let position = self.positions[at];
            self.positions[kept] = position;
            kept += usize::from(keep(position));
        }
        self.length = kept;
    }

    #[inline(always)]
    fn drain(&mut self, each: impl FnMut(u8)) {
        self.positions[..self.length].iter().copied().for_each(each);
        self.length = 0;
    }
}

/// For each half of the buckets and each byte of the window the tables for low
/// and high nibbles, each in both halves of a register.
struct Narrow([[[__m256i; 2]; Narrow::SIEVED]; 2]);

impl Narrow {
    const SIEVED: usize = 4;

    #[inline(always)]
    fn push(queue: &mut Queue, at: usize, mask: u64) {
        queue.push(at, mask);
    }

    #[inline(always)]
    fn push_grid(queue: &mut Queue, at: usize, grid: u16) {
        queue.push(at, spread(grid));
    }

    fn tables(buckets: &Buckets) -> NarrowTables {
        let mut tables = [[[[0; 16]; 2]; Self::SIEVED]; 2];
        for (half, buckets) in buckets.chunks(8).enumerate() {
            for (place, [low, high]) in tables[half].iter_mut().enumerate() {
                for (bucket, sets) in buckets.iter().enumerate() {
                    for nibble in 0..16 {
                        low[nibble] |= ((sets[place].low >> nibble & 1) as u8) << bucket;
                        high[nibble] |= ((sets[place].high >> nibble & 1) as u8) << bucket;
                    }
                }
            }
        }
        tables
    }

    #[target_feature(enable = "avx2")]
    fn load(tables: &NarrowTables) -> Self {
        let mut loaded = Self([[[_mm256_setzero_si256(); 2]; Self::SIEVED]; 2]);
        for half in 0..2 {
            for place in 0..Self::SIEVED {
                for (register, table) in loaded.0[half][place].iter_mut().zip(&tables[half][place])
                {
                    // SAFETY: the table is sixteen bytes long; the load may be unaligned.
                    let bytes = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
                    *register = _mm256_broadcastsi128_si256(bytes);
                }
            }
        }
        loaded
    }

    /// A bit for each position of the grid where a long keyword may have a window.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn on_grid(windows: &Windows, block: &[u8; STEP]) -> u16 {
        let bits = windows.bits();
        let mut grid = 0;
        for half in 0..2 {
            // SAFETY: 32 bytes of the block's 64 begin here; the load may be unaligned.
            let eight = unsafe { _mm256_loadu_si256(block.as_ptr().add(half * 32).cast()) };
            let folded = _mm256_or_si256(eight, _mm256_set1_epi32(0x2020_2020));
            let product = _mm256_mullo_epi32(folded, _mm256_set1_epi32(hash::MULTIPLIER as i32));
            let slots = _mm256_srli_epi32::<{ 32 - hash::BITS as i32 }>(product);
            let mut words = [0_u32; 8];
            // SAFETY: the array has room for eight words; the store may be unaligned.
            unsafe {
                _mm256_storeu_si256(words.as_mut_ptr().cast(), _mm256_srli_epi32::<5>(slots))
            };
            let word = |at: usize| bits[words[at] as usize & (bits.len() - 1)] as i32;
            let found = _mm256_setr_epi32(
                word(0),
                word(1),
                word(2),
                word(3),
                word(4),
                word(5),
                word(6),
                word(7),
            );
            let bit = _mm256_and_si256(slots, _mm256_set1_epi32(31));
            let sign = _mm256_slli_epi32::<31>(_mm256_srlv_epi32(found, bit));
            let mask = _mm256_movemask_ps(_mm256_castsi256_ps(sign)) as u16;
            grid |= mask << (half * 8);
        }
        grid
    }

    /// A bit for each of the STEP positions from `start` whose window a bucket
    /// accepts.
    ///
    /// # Safety
    /// STEP + SIEVED - 1 bytes must be readable at `start`.
    #[target_feature(enable = "avx2")]
    #[inline]
    unsafe fn sieve(&self, start: *const u8) -> u64 {
        let nibble = _mm256_set1_epi8(15);
        let mut out = 0;
        for part in 0..2 {
            let mut left = [_mm256_set1_epi8(-1); 2];
            for place in 0..Self::SIEVED {
                // SAFETY: the caller's promise; the load may be unaligned.
                let bytes = unsafe { _mm256_loadu_si256(start.add(part * 32 + place).cast()) };
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
            let none = _mm256_movemask_epi8(_mm256_cmpeq_epi8(any, _mm256_setzero_si256())) as u32;
            out |= u64::from(!none) << (part * 32);
        }
        out
    }
}

/// For each half of the buckets and each byte of the window the table for the
/// byte's low six bits.
struct Wide([[__m512i; Wide::SIEVED]; 2]);

impl Wide {
    const SIEVED: usize = buckets::SIEVED;

    /// Writes the positions whose bits are set side by side, in one step.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
    #[inline]
    fn push(queue: &mut Queue, at: usize, mask: u64) {
        const PLACES: [u8; STEP] = {
            let mut places = [0; STEP];
            let mut at = 0;
            while at < STEP {
                places[at] = at as u8;
                at += 1;
            }
            places
        };
        let room: &mut [u8; STEP] = (&mut queue.positions[queue.length..queue.length + STEP])
            .try_into()
            .expect("STEP bytes");
        // SAFETY: both arrays are 64 bytes long; the accesses may be unaligned.
        unsafe {
            let places = _mm512_loadu_si512(PLACES.as_ptr().cast());
            let places = _mm512_add_epi8(places, _mm512_set1_epi8(at as i8));
            _mm512_storeu_si512(room.as_mut_ptr().cast(), _mm512_maskz_compress_epi8(mask, places));
        }
        queue.length += mask.count_ones() as usize;
    }

    /// The same for positions of the grid.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi2,popcnt")]
    #[inline]
    fn push_grid(queue: &mut Queue, at: usize, grid: u16) {
        let room: &mut [u8; 16] =
            (&mut queue.positions[queue.length..queue.length + 16]).try_into().expect("16 bytes");
        let places = _mm_setr_epi8(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
        let places = _mm_add_epi8(places, _mm_set1_epi8(at as i8));
        // SAFETY: the array is 16 bytes long; the store may be unaligned.
        unsafe {
            _mm_storeu_si128(room.as_mut_ptr().cast(), _mm_maskz_compress_epi8(grid, places))
        };
        queue.length += grid.count_ones() as usize;
    }

    fn tables(buckets: &Buckets) -> WideTables {
        let mut tables = [[[0; 64]; Self::SIEVED]; 2];
        for (half, buckets) in buckets.chunks(8).enumerate() {
            for (bucket, sets) in buckets.iter().enumerate() {
                for (place, set) in sets.iter().enumerate() {
                    for byte in 0..=255_u8 {
                        tables[half][place][usize::from(byte & 63)] |=
                            u8::from(set.holds(byte)) << bucket;
                    }
                }
            }
        }
        tables
    }

    #[target_feature(enable = "avx512f")]
    fn load(tables: &WideTables) -> Self {
        let mut loaded = Self([[_mm512_setzero_si512(); Self::SIEVED]; 2]);
        for half in 0..2 {
            for place in 0..Self::SIEVED {
                // SAFETY: the table is 64 bytes long; the load may be unaligned.
                loaded.0[half][place] =
                    unsafe { _mm512_loadu_si512(tables[half][place].as_ptr().cast()) };
            }
        }
        loaded
    }

    /// As [`Narrow::on_grid`].
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn on_grid(windows: &Windows, block: &[u8; STEP]) -> u16 {
        // SAFETY: the block is 64 bytes long; the load may be unaligned.
        let sixteen = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let folded = _mm512_or_si512(sixteen, _mm512_set1_epi32(0x2020_2020));
        let product = _mm512_mullo_epi32(folded, _mm512_set1_epi32(hash::MULTIPLIER as i32));
        let slots = _mm512_srli_epi32::<{ 32 - hash::BITS as u32 }>(product);
        // SAFETY: a slot has BITS bits, so its word is one of the bitmap's.
        let words = unsafe {
            _mm512_i32gather_epi32::<4>(
                _mm512_srli_epi32::<5>(slots),
                windows.bits().as_ptr().cast(),
            )
        };
        let bit =
            _mm512_sllv_epi32(_mm512_set1_epi32(1), _mm512_and_si512(slots, _mm512_set1_epi32(31)));
        _mm512_test_epi32_mask(words, bit)
    }

    /// As [`Narrow::sieve`].
    ///
    /// # Safety
    /// STEP + SIEVED - 1 bytes must be readable at `start`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    unsafe fn sieve(&self, start: *const u8) -> u64 {
        let mut any = _mm512_setzero_si512();
        for tables in &self.0 {
            let mut left = _mm512_set1_epi8(-1);
            for (place, table) in tables.iter().enumerate() {
                // SAFETY: the caller's promise; the load may be unaligned.
                let bytes = unsafe { _mm512_loadu_si512(start.add(place).cast()) };
                left = _mm512_and_si512(left, _mm512_permutexvar_epi8(bytes, *table));
            }
            any = _mm512_or_si512(any, left);
        }
        _mm512_test_epi8_mask(any, any)
    }
}
