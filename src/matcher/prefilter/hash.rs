//! Windows of four bytes as hashes: a bitmap that says whether a needle may
//! have a window there, and an index that says which.

use super::WINDOW;

/// The four bytes at `at`, with zeros for those behind the end.
#[inline(always)]
pub(super) fn load(haystack: &[u8], at: usize) -> u32 {
    match haystack.get(at..at + WINDOW) {
        Some(bytes) => u32::from_le_bytes(bytes.try_into().expect("four bytes")),
        None => {
            let mut bytes = [0; WINDOW];
            let tail = &haystack[at.min(haystack.len())..];
            bytes[..tail.len()].copy_from_slice(tail);
            u32::from_le_bytes(bytes)
        }
    }
}

/// Case folding of four bytes at once. It also folds a few signs into each
/// other, which the comparison at the end sorts out.
#[inline(always)]
fn fold(window: u32) -> u32 {
    window | 0x2020_2020
}

const BITS: usize = 17;
const MULTIPLIER: u32 = 0x9e37_79b1;

#[inline(always)]
fn slot(folded: u32) -> usize {
    (folded.wrapping_mul(MULTIPLIER) >> (32 - BITS)) as usize
}

/// Hashed windows. The bitmaps take 18 KiB and stay in the first cache.
pub(super) struct Windows {
    /// Bits of windows of four bytes.
    four: Box<[u64; 1 << (BITS - 6)]>,
    /// Bits of windows of three bytes, for needles that have no more.
    three: Option<Box<[u64; 1 << (14 - 6)]>>,
    /// For each of 2^12 groups of slots, where its needles begin.
    starts: Box<[u32]>,
    /// Needles, each with the distance from its start to the window.
    needles: Box<[(u16, u16)]>,
}

const GROUP_BITS: usize = 12;

impl Windows {
    /// Each needle's id, the place of the window in it, and the window.
    pub(super) fn new(windows: &[(u16, usize, [Option<u8>; WINDOW])]) -> Self {
        let mut four = Box::new([0_u64; 1 << (BITS - 6)]);
        let mut three = None;
        let mut pairs: Vec<(usize, (u16, u16))> = Vec::new();
        for &(id, at, window) in windows {
            let known = u32::from_le_bytes(window.map(|byte| byte.unwrap_or(0)));
            let entry = (id, at as u16);
            if window[WINDOW - 1].is_some() {
                let slot = slot(fold(known));
                four[slot >> 6] |= 1 << (slot & 63);
                pairs.push((slot >> (BITS - GROUP_BITS), entry));
                continue;
            }
            let three = three.get_or_insert_with(|| Box::new([0_u64; 1 << (14 - 6)]));
            let slot3 = slot_of_three(known);
            three[slot3 >> 6] |= 1 << (slot3 & 63);
            for last in 0..=255_u32 {
                pairs.push((slot(fold(known | last << 24)) >> (BITS - GROUP_BITS), entry));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0_u32; (1 << GROUP_BITS) + 1];
        pairs.iter().for_each(|&(group, _)| starts[group + 1] += 1);
        for group in 0..1 << GROUP_BITS {
            starts[group + 1] += starts[group];
        }
        let needles = pairs.into_iter().map(|(_, needle)| needle).collect();
        Self { four, three, starts: starts.into(), needles }
    }

    /// False if no needle has this window. Without branches: what follows is
    /// rare, and a wrong guess would cost more than both look-ups.
    #[inline(always)]
    pub(super) fn may_hold(&self, window: u32) -> bool {
        let four = self.may_hold_four(window);
        match &self.three {
            Some(three) => {
                let slot = slot_of_three(window & 0x00ff_ffff);
                four | (three[slot >> 6] >> (slot & 63) & 1 == 1)
            }
            None => four,
        }
    }

    /// The same, if no needle is shorter than a window.
    #[inline(always)]
    pub(super) fn may_hold_four(&self, window: u32) -> bool {
        let slot = slot(fold(window));
        self.four[slot >> 6] >> (slot & 63) & 1 == 1
    }

    /// The needles that may have this window, each with its place in them.
    #[inline]
    pub(super) fn candidates(&self, window: u32) -> &[(u16, u16)] {
        let group = slot(fold(window)) >> (BITS - GROUP_BITS);
        &self.needles[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

#[inline(always)]
fn slot_of_three(window: u32) -> usize {
    ((window | 0x0020_2020).wrapping_mul(MULTIPLIER) >> (32 - 14)) as usize
}
