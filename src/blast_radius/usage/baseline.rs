//! What a version is compared with.

use std::collections::BTreeMap;

use super::Number;
use crate::registry::npm::packument::Version;

/// The newest versions tell what is usual: so many of them.
const RECENT: usize = 30;

/// A version and its number as text.
pub(super) type Numbered<'p> = (&'p str, &'p Version);

/// The versions from before one that are taken for honest.
pub(super) struct Baseline<'p> {
    /// By number; of equal ones (build metadata) the newest.
    by_number: BTreeMap<Number, Numbered<'p>>,
    /// Those of them that are no prereleases.
    stable: BTreeMap<Number, Numbered<'p>>,
    /// Newest first.
    recent: Vec<Numbered<'p>>,
    /// True if the document holds versions that were not read.
    cut: bool,
}

impl<'p> Baseline<'p> {
    pub(super) fn new(cut: bool) -> Self {
        let (by_number, stable) = <(BTreeMap<_, _>, BTreeMap<_, _>)>::default();
        Self { by_number, stable, recent: Vec::new(), cut }
    }

    /// Takes in a version that is newer than all that it has.
    pub(super) fn add(&mut self, text: &'p str, version: &'p Version) {
        let (number, one) = (Number::new(text), (text, version));
        self.by_number.insert(number, one);
        if number.stable {
            self.stable.insert(number, one);
        }
        self.recent.truncate(RECENT - 1);
        self.recent.insert(0, one);
    }

    /// The newest versions, the newest first.
    pub(super) fn recent(&self) -> &[Numbered<'p>] {
        &self.recent
    }

    /// True if the document holds versions that were not read.
    pub(super) fn cut(&self) -> bool {
        self.cut
    }

    /// The version that a number follows: the highest below it, for a stable one
    /// the highest stable one; else the newest of all.
    pub(super) fn before(&self, text: &str) -> Option<Numbered<'p>> {
        let number = Number::new(text);
        let highest = |versions: &BTreeMap<Number, Numbered<'p>>| {
            versions.range(..=number).next_back().map(|(_, one)| *one)
        };
        let stable = number.stable.then(|| highest(&self.stable)).flatten();
        let found = stable.or_else(|| highest(&self.by_number));
        found.or_else(|| self.recent.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_with_the_one_that_it_follows() {
        let version = Version::default();
        let mut baseline = Baseline::new(false);
        assert_eq!(baseline.before("1.0.2"), None);
        for number in ["1.0.0", "2.0.0", "1.0.1", "2.0.1-rc.1"] {
            baseline.add(number, &version);
        }
        let before = |number: &str| baseline.before(number).map(|(number, _)| number);
        assert_eq!(before("1.0.2"), Some("1.0.1"));
        assert_eq!(before("2.0.1"), Some("2.0.0"));
        assert_eq!(before("2.0.1-rc.2"), Some("2.0.1-rc.1"));
        assert_eq!(before("0.0.1"), Some("2.0.1-rc.1"));
    }
}
