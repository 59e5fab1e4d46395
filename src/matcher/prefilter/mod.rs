//! Finds the keywords of all rules in one pass.
//!
//! Three sieves, each cheap for what the next one costs:
//!
//! 1. [`simd`]: four bytes at every position at once, through nibble tables of
//!    sixteen buckets. Lets through a few positions in a hundred.
//! 2. [`Bitmap`]: the four bytes, case folded, hashed into 2^16 bits. Lets
//!    through a few in a thousand.
//! 3. The keywords themselves, compared byte by byte.
//!
//! The second sieve alone, at every position, is the portable path: the hits
//! of both paths are the same because the first sieve only ever turns away
//! what the second would.

mod buckets;
#[cfg(target_arch = "x86_64")]
mod simd;

use std::ops::Range;

use crate::rules::Keyword;

/// Bytes of a keyword that the first two sieves look at.
const WINDOW: usize = 4;

/// A keyword and the four of its bytes that are searched for.
#[derive(Clone, Debug)]
struct Needle {
    text: Box<[u8]>,
    fold: bool,
    /// Distance from the start of the keyword to its window.
    at: usize,
}

impl Needle {
    /// The bytes of the window; `None` where any byte will do.
    fn window(&self) -> [Option<u8>; WINDOW] {
        std::array::from_fn(|i| self.text.get(self.at + i).copied())
    }

    fn stands_at(&self, haystack: &[u8], start: usize) -> bool {
        match haystack.get(start..start + self.text.len()) {
            Some(found) if self.fold => found.eq_ignore_ascii_case(&self.text),
            Some(found) => *found == *self.text,
            None => false,
        }
    }
}

/// A searcher for a fixed set of keywords.
pub struct Prefilter {
    needles: Vec<Needle>,
    bitmap: Bitmap,
    index: Index,
    /// Greatest distance from the start of a keyword to its window.
    reach: usize,
    #[cfg(target_arch = "x86_64")]
    simd: Option<simd::Tables>,
}

impl Prefilter {
    /// Prepares a search for `keywords`; hits name them by their index.
    /// Keywords must have three bytes or more.
    pub fn new(keywords: &[Keyword]) -> Self {
        Self::build(keywords, true)
    }

    /// The same without SIMD, for the benches and for the proof that it makes
    /// no difference to the hits.
    pub fn portable(keywords: &[Keyword]) -> Self {
        Self::build(keywords, false)
    }

    fn build(keywords: &[Keyword], simd: bool) -> Self {
        let mut needles: Vec<Needle> = keywords
            .iter()
            .map(|keyword| Needle {
                text: keyword.text.as_slice().into(),
                fold: keyword.fold,
                at: 0,
            })
            .collect();
        let buckets = buckets::assign(&mut needles);
        let mut bitmap = Bitmap::default();
        needles.iter().for_each(|needle| bitmap.add(needle.window()));
        let reach = needles.iter().map(|needle| needle.at).max().unwrap_or(0);
        let index = Index::new(&needles);
        #[cfg(target_arch = "x86_64")]
        let simd = simd.then(|| simd::Tables::detect(&buckets)).flatten();
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (simd, buckets);
        Self {
            needles,
            bitmap,
            index,
            reach,
            #[cfg(target_arch = "x86_64")]
            simd,
        }
    }

    /// Calls `hit` with the index of a keyword and the offset of its first
    /// byte for every keyword that begins inside `range`, in no order that
    /// callers may rely on.
    pub fn search(&self, haystack: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, usize)) {
        let end = (range.end + self.reach).min(haystack.len());
        let windows = range.start..end;
        let mut confirm = |at: usize| {
            self.confirm(haystack, at, |needle, start| {
                if range.contains(&start) {
                    hit(needle, start);
                }
            });
        };
        #[cfg(target_arch = "x86_64")]
        if let Some(tables) = &self.simd {
            return tables.search(&self.bitmap, haystack, windows, confirm);
        }
        for at in windows {
            if self.bitmap.holds(load(haystack, at)) {
                confirm(at);
            }
        }
    }

    /// How many positions the first and the second sieve let through: what
    /// the choice of windows and buckets is judged by.
    pub fn sieved(&self, haystack: &[u8]) -> (usize, usize) {
        let second =
            (0..haystack.len()).filter(|&at| self.bitmap.holds(load(haystack, at))).count();
        #[cfg(target_arch = "x86_64")]
        if let Some(tables) = &self.simd {
            return (tables.count(haystack), second);
        }
        (haystack.len(), second)
    }

    #[inline(never)]
    fn confirm(&self, haystack: &[u8], at: usize, mut hit: impl FnMut(usize, usize)) {
        for &id in self.index.candidates(load(haystack, at)) {
            let needle = &self.needles[id as usize];
            if let Some(start) = at.checked_sub(needle.at)
                && needle.stands_at(haystack, start)
            {
                hit(id as usize, start);
            }
        }
    }
}

/// The four bytes at `at`, with zeros for those behind the end.
#[inline(always)]
fn load(haystack: &[u8], at: usize) -> u32 {
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
/// other, which later sieves sort out.
#[inline(always)]
fn fold(window: u32) -> u32 {
    window | 0x2020_2020
}

/// Sixteen bits of a folded window.
#[inline(always)]
fn hash(folded: u32) -> usize {
    (folded.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// Which hashed windows begin a needle. 8 KiB, which stay in the first cache.
struct Bitmap(Box<[u64; 1 << 10]>);

impl Default for Bitmap {
    fn default() -> Self {
        Self(Box::new([0; 1 << 10]))
    }
}

impl Bitmap {
    fn add(&mut self, window: [Option<u8>; WINDOW]) {
        for_each_word(window, |word| {
            let bit = hash(fold(word));
            self.0[bit >> 6] |= 1 << (bit & 63);
        });
    }

    #[inline(always)]
    fn holds(&self, window: u32) -> bool {
        let bit = hash(fold(window));
        self.0[bit >> 6] >> (bit & 63) & 1 == 1
    }
}

fn for_each_word(window: [Option<u8>; WINDOW], mut each: impl FnMut(u32)) {
    let known = window.map(|byte| byte.unwrap_or(0));
    match window[WINDOW - 1] {
        Some(_) => each(u32::from_le_bytes(known)),
        None => (0..=255)
            .for_each(|last| each(u32::from_le_bytes([known[0], known[1], known[2], last]))),
    }
}

/// From the hash of a window to the needles that may stand there.
struct Index {
    starts: Box<[u32]>,
    needles: Box<[u16]>,
}

impl Index {
    const BITS: usize = 12;

    fn slot(window: u32) -> usize {
        hash(fold(window)) >> (16 - Self::BITS)
    }

    fn new(needles: &[Needle]) -> Self {
        let mut pairs: Vec<(usize, u16)> = Vec::new();
        for (id, needle) in needles.iter().enumerate() {
            let id = u16::try_from(id).expect("fewer than 65,536 keywords");
            for_each_word(needle.window(), |word| pairs.push((Self::slot(word), id)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0_u32; (1 << Self::BITS) + 1];
        for &(slot, _) in &pairs {
            starts[slot + 1] += 1;
        }
        for slot in 0..1 << Self::BITS {
            starts[slot + 1] += starts[slot];
        }
        Self { starts: starts.into(), needles: pairs.into_iter().map(|(_, id)| id).collect() }
    }

    #[inline]
    fn candidates(&self, window: u32) -> &[u16] {
        let slot = Self::slot(window);
        &self.needles[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keyword(text: &str, fold: bool) -> Keyword {
        Keyword { text: text.as_bytes().to_vec(), fold, lead: (0, 0) }
    }

    fn hits(prefilter: &Prefilter, haystack: &[u8], range: Range<usize>) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        prefilter.search(haystack, range, |id, at| out.push((at, id)));
        out.sort_unstable();
        out
    }

    /// The definition of a hit, one comparison at a time.
    fn naive(keywords: &[Keyword], haystack: &[u8], range: Range<usize>) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        for at in range {
            for (id, keyword) in keywords.iter().enumerate() {
                let found = haystack.get(at..at + keyword.text.len());
                let equal = found.is_some_and(|found| match keyword.fold {
                    true => found.eq_ignore_ascii_case(&keyword.text),
                    false => found == keyword.text,
                });
                if equal {
                    out.push((at, id));
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn both_paths_find_what_comparison_finds(
            texts in prop::collection::vec(("[a-c_-]{3,8}", any::<bool>()), 1..40),
            haystack in "[a-cA-C_-]{0,300}",
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let keywords: Vec<Keyword> = texts.iter().map(|(text, fold)| keyword(text, *fold)).collect();
            let haystack = haystack.as_bytes();
            let (a, b) = (cut.0.index(haystack.len() + 1), cut.1.index(haystack.len() + 1));
            let range = a.min(b)..a.max(b);
            let expected = naive(&keywords, haystack, range.clone());
            prop_assert_eq!(&hits(&Prefilter::new(&keywords), haystack, range.clone()), &expected);
            prop_assert_eq!(&hits(&Prefilter::portable(&keywords), haystack, range), &expected);
        }

        #[test]
        fn any_bytes_will_do(
            texts in prop::collection::vec((prop::collection::vec(any::<u8>(), 3..6), any::<bool>()), 1..20),
            mut haystack in prop::collection::vec(any::<u8>(), 0..400),
            plant in any::<prop::sample::Index>(),
        ) {
            let keywords: Vec<Keyword> = texts
                .iter()
                .map(|(text, fold)| Keyword {
                    text: if *fold { text.to_ascii_lowercase() } else { text.clone() },
                    fold: *fold,
                    lead: (0, 0),
                })
                .collect();
            let at = plant.index(haystack.len() + 1);
            haystack.splice(at..at, texts[0].0.iter().copied());
            let expected = naive(&keywords, &haystack, 0..haystack.len());
            prop_assert!(!expected.is_empty());
            prop_assert_eq!(&hits(&Prefilter::new(&keywords), &haystack, 0..haystack.len()), &expected);
            prop_assert_eq!(&hits(&Prefilter::portable(&keywords), &haystack, 0..haystack.len()), &expected);
        }
    }
}
