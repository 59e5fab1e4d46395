//! Finds the keywords of all rules in one pass.
//!
//! Words and prefixes want different searches. A keyword of seven bytes or
//! more holds four windows of four bytes one after the other, so that one of
//! them stands on every grid of step four: hashing only every fourth position
//! finds it (`strided`). Shorter keywords are mostly prefixes with rare
//! characters, which nibble tables tell from text at thirty-two positions at
//! once (`simd`); what passes is hashed too (`Windows`). What is left is
//! compared byte by byte.
//!
//! The portable path hashes every position for the short keywords. The hits of
//! both paths are the same, because the nibble tables only ever turn away what
//! the hash would.

mod buckets;
mod hash;
#[cfg(target_arch = "x86_64")]
mod simd;
mod strided;

use std::ops::Range;

use crate::rules::Keyword;
use hash::{Windows, load};
use strided::Strided;

/// Bytes of a keyword that are hashed.
const WINDOW: usize = 4;

/// A keyword and the place in it that is searched for.
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
    strided: Strided,
    short: Windows,
    /// Greatest distance from the start of a keyword to a window of it.
    reach: usize,
    #[cfg(target_arch = "x86_64")]
    simd: Option<simd::Tables>,
}

impl Prefilter {
    /// Prepares a search for `keywords`; hits name them by their index.
    /// Keywords must have three bytes or more.
    pub fn new(keywords: &[Keyword]) -> Self {
        Self::build(keywords, Level::Best)
    }

    /// The same without AVX-512.
    pub fn narrow(keywords: &[Keyword]) -> Self {
        Self::build(keywords, Level::Narrow)
    }

    /// The same without SIMD, for the benches and for the proof that it makes
    /// no difference to the hits.
    pub fn portable(keywords: &[Keyword]) -> Self {
        Self::build(keywords, Level::Portable)
    }

    fn build(keywords: &[Keyword], level: Level) -> Self {
        let needles: Vec<Needle> = keywords
            .iter()
            .map(|keyword| Needle {
                text: keyword.text.as_slice().into(),
                fold: keyword.fold,
                at: 0,
            })
            .collect();
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for (id, needle) in needles.iter().enumerate() {
            let id = u16::try_from(id).expect("fewer than 65,536 keywords");
            let group = if needle.text.len() >= strided::LEAST { &mut long } else { &mut short };
            group.push((id, needle.clone()));
        }
        let buckets = buckets::assign(&mut short);
        let strided = Strided::new(&long);
        let reach =
            short.iter().map(|(_, needle)| needle.at).max().unwrap_or(0).max(strided.reach());
        #[cfg(target_arch = "x86_64")]
        let simd = match level {
            Level::Best => simd::Tables::detect(&buckets),
            Level::Narrow => simd::Tables::detect(&buckets).map(simd::Tables::narrow),
            Level::Portable => None,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (level, buckets);
        Self {
            needles,
            strided,
            short: Windows::new(&short),
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
        let mut confirm = |at: usize, sieve: Sieve| {
            self.confirm(haystack, at, sieve, |needle, start| {
                if range.contains(&start) {
                    hit(needle, start);
                }
            });
        };
        #[cfg(target_arch = "x86_64")]
        if let Some(tables) = &self.simd {
            return tables.search(&self.short, &self.strided, haystack, windows, confirm);
        }
        for at in windows.clone() {
            if self.short.may_hold(load(haystack, at)) {
                confirm(at, Sieve::Short);
            }
        }
        for at in windows.step_by(strided::STEP) {
            if self.strided.windows.may_hold(load(haystack, at)) {
                confirm(at, Sieve::Strided);
            }
        }
    }

    /// How many positions pass the hash of the short keywords and that of the
    /// long ones: what the choice of windows is judged by.
    pub fn sieved(&self, haystack: &[u8]) -> (usize, usize) {
        let count = |windows: &Windows, step| {
            (0..haystack.len())
                .step_by(step)
                .filter(|&at| windows.may_hold(load(haystack, at)))
                .count()
        };
        (count(&self.short, 1), count(&self.strided.windows, strided::STEP))
    }

    #[inline(never)]
    fn confirm(&self, haystack: &[u8], at: usize, sieve: Sieve, mut hit: impl FnMut(usize, usize)) {
        let windows = match sieve {
            Sieve::Short => &self.short,
            Sieve::Strided => &self.strided.windows,
        };
        for entry in windows.candidates(haystack, at) {
            let needle = &self.needles[usize::from(entry.id)];
            if let Some(start) = at.checked_sub(usize::from(entry.lead))
                && needle.stands_at(haystack, start)
            {
                hit(usize::from(entry.id), start);
            }
        }
    }
}

/// Which instructions to use, if the machine has them.
#[derive(Clone, Copy)]
enum Level {
    Best,
    Narrow,
    Portable,
}

/// Which search a position comes from.
#[derive(Clone, Copy)]
enum Sieve {
    Short,
    Strided,
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
            texts in prop::collection::vec(("[a-c_-]{3,12}", any::<bool>()), 1..40),
            mut haystack in "[a-cA-C_-]{0,300}",
            plant in any::<prop::sample::Index>(),
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let keywords: Vec<Keyword> = texts.iter().map(|(text, fold)| keyword(text, *fold)).collect();
            haystack.insert_str(plant.index(haystack.len() + 1), &texts[0].0);
            let haystack = haystack.as_bytes();
            let (a, b) = (cut.0.index(haystack.len() + 1), cut.1.index(haystack.len() + 1));
            let range = a.min(b)..a.max(b);
            let expected = naive(&keywords, haystack, range.clone());
            prop_assert_eq!(&hits(&Prefilter::new(&keywords), haystack, range.clone()), &expected);
            prop_assert_eq!(&hits(&Prefilter::narrow(&keywords), haystack, range.clone()), &expected);
            prop_assert_eq!(&hits(&Prefilter::portable(&keywords), haystack, range), &expected);
        }

        #[test]
        fn any_bytes_will_do(
            texts in prop::collection::vec((prop::collection::vec(any::<u8>(), 3..10), any::<bool>()), 1..20),
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
            prop_assert_eq!(&hits(&Prefilter::narrow(&keywords), &haystack, 0..haystack.len()), &expected);
            prop_assert_eq!(&hits(&Prefilter::portable(&keywords), &haystack, 0..haystack.len()), &expected);
        }
    }
}
