//! Windows of four bytes as hashes: a bitmap that says whether a needle may
//! have a window there, and an index that says which.

use super::{Needle, WINDOW};

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

/// Bits of the hash of a window.
pub(super) const BITS: usize = 17;
pub(super) const MULTIPLIER: u32 = 0x9e37_79b1;

#[inline(always)]
fn slot(folded: u32) -> usize {
    (folded.wrapping_mul(MULTIPLIER) >> (32 - BITS)) as usize
}

/// A needle by one of its windows.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Up to eight bytes of the needle from its window on, folded, and which
    /// of them count: turns away most of what only hashes alike.
    head: u64,
    mask: u64,
    /// The needle.
    pub(super) id: u16,
    /// Distance from the start of the needle to the window.
    pub(super) lead: u16,
}

impl Entry {
    fn new(id: u16, needle: &Needle) -> Self {
        let (mut head, mut mask) = ([0; 8], [0; 8]);
        for (place, &byte) in needle.text[needle.at..].iter().take(8).enumerate() {
            head[place] = byte | 0x20;
            mask[place] = 0xff;
        }
        Self {
            head: u64::from_le_bytes(head),
            mask: u64::from_le_bytes(mask),
            id,
            lead: needle.at as u16,
        }
    }
}

/// Hashed windows. The bitmaps take 22 KiB and stay in the first cache.
pub(super) struct Windows {
    /// Bits of windows of four bytes.
    four: Box<[u32; 1 << (BITS - 5)]>,
    /// Bits of windows of three bytes, for needles that have no more.
    three: Box<[u64; 1 << (14 - 6)]>,
    /// Bits of windows of needles that go on, with the byte behind them.
    behind: Box<[u64; 1 << (14 - 6)]>,
    /// Bits of windows at the end of their needle, with the byte before them.
    before: Box<[u64; 1 << (14 - 6)]>,
    /// For each of 2^12 groups of slots, where its entries begin.
    starts: Box<[u32]>,
    entries: Box<[Entry]>,
    /// Needles of three bytes.
    short: Box<[Entry]>,
}

const GROUP_BITS: usize = 12;

impl Windows {
    /// The windows of needles, each with its id; a needle may have several.
    pub(super) fn new(needles: &[(u16, Needle)]) -> Self {
        let mut four = Box::new([0_u32; 1 << (BITS - 5)]);
        let mut three = Box::new([0_u64; 1 << (14 - 6)]);
        let mut behind = Box::new([0_u64; 1 << (14 - 6)]);
        let mut before = Box::new([0_u64; 1 << (14 - 6)]);
        let mut pairs: Vec<(usize, Entry)> = Vec::new();
        let mut short = Vec::new();
        for (id, needle) in needles {
            let (text, at) = (&needle.text, needle.at);
            if at + WINDOW < text.len() {
                let slot = slot_of_five(load_eight(text, at));
                behind[slot >> 6] |= 1 << (slot & 63);
            } else if at > 0 {
                let slot = slot_of_five(load_eight(text, at - 1));
                before[slot >> 6] |= 1 << (slot & 63);
            }
            let (window, entry) = (needle.window(), Entry::new(*id, needle));
            let known = u32::from_le_bytes(window.map(|byte| byte.unwrap_or(0)));
            if window[WINDOW - 1].is_some() {
                let slot = slot(fold(known));
                four[slot >> 5] |= 1 << (slot & 31);
                pairs.push((slot >> (BITS - GROUP_BITS), entry));
                continue;
            }
            let slot3 = slot_of_three(known);
            three[slot3 >> 6] |= 1 << (slot3 & 63);
            short.push(entry);
        }
        pairs.sort_by_key(|(group, entry)| (*group, entry.id, entry.lead));
        let mut starts = vec![0_u32; (1 << GROUP_BITS) + 1];
        pairs.iter().for_each(|&(group, _)| starts[group + 1] += 1);
        for group in 0..1 << GROUP_BITS {
            starts[group + 1] += starts[group];
        }
        let entries = pairs.into_iter().map(|(_, entry)| entry).collect();
        Self { four, three, behind, before, starts: starts.into(), entries, short: short.into() }
    }

    /// False if no needle has this window. Without branches: what follows is
    /// rare, and a wrong guess would cost more than both look-ups.
    #[inline(always)]
    pub(super) fn may_hold(&self, window: u32) -> bool {
        self.may_hold_four(window) | self.may_hold_three(window)
    }

    #[inline(always)]
    fn may_hold_three(&self, window: u32) -> bool {
        let slot = slot_of_three(window & 0x00ff_ffff);
        self.three[slot >> 6] >> (slot & 63) & 1 == 1
    }

    /// The same, if no needle is shorter than a window.
    #[inline(always)]
    pub(super) fn may_hold_four(&self, window: u32) -> bool {
        let slot = slot(fold(window));
        self.four[slot >> 5] >> (slot & 31) & 1 == 1
    }

    /// Asks once more where a window of a needle of five bytes or more was
    /// found: do the bytes beside it fit too?
    #[inline(always)]
    pub(super) fn may_go_on(&self, haystack: &[u8], at: usize) -> bool {
        let after = slot_of_five(load_eight(haystack, at));
        let ahead = slot_of_five(load_eight(haystack, at.wrapping_sub(1)));
        let bit =
            |bits: &[u64; 1 << (14 - 6)], slot: usize| bits[slot >> 6] >> (slot & 63) & 1 == 1;
        bit(&self.behind, after) | bit(&self.before, ahead)
    }

    /// The bits that [`Windows::may_hold_four`] looks at, 32 a word.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn bits(&self) -> &[u32; 1 << (BITS - 5)] {
        &self.four
    }

    /// The needles that may have a window at `at`; what is left to compare is
    /// case and what stands beyond the head of the entry.
    #[inline]
    pub(super) fn candidates(&self, haystack: &[u8], at: usize) -> impl Iterator<Item = &Entry> {
        let group = slot(fold(load(haystack, at))) >> (BITS - GROUP_BITS);
        let entries = &self.entries[self.starts[group] as usize..self.starts[group + 1] as usize];
        let here = load_eight(haystack, at) | 0x2020_2020_2020_2020;
        let short = if self.may_hold_three(load(haystack, at)) { &self.short[..] } else { &[] };
        entries.iter().chain(short).filter(move |entry| here & entry.mask == entry.head)
    }
}

/// Fourteen bits of the first five of eight bytes, folded.
#[inline(always)]
fn slot_of_five(eight: u64) -> usize {
    let five = (eight | 0x2020_2020_2020_2020) << 24;
    (five.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - 14)) as usize
}

/// The eight bytes at `at`, with zeros for those behind the end.
#[inline(always)]
fn load_eight(haystack: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    match haystack.get(at..at.wrapping_add(8)) {
        Some(all) => bytes.copy_from_slice(all),
        None => {
            let tail = &haystack[at.min(haystack.len())..];
            bytes[..tail.len()].copy_from_slice(tail);
        }
    }
    u64::from_le_bytes(bytes)
}

#[inline(always)]
fn slot_of_three(window: u32) -> usize {
    ((window | 0x0020_2020).wrapping_mul(MULTIPLIER) >> (32 - 14)) as usize
}
