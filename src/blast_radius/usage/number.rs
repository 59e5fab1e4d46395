//! The order of version numbers.

use std::collections::BTreeSet;

/// The number of a version as far as it has an order here; prereleases of one
/// number are equal. What is no number is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number {
    parts: [u64; 3],
    pub(super) stable: bool,
}

impl Number {
    pub(super) fn new(text: &str) -> Self {
        let text = text.split('+').next().unwrap_or_default();
        let (core, prerelease) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
        let mut parts = [0; 3];
        for (part, text) in parts.iter_mut().zip(core.split('.')) {
            *part = text.parse().unwrap_or_default();
        }
        Self { parts, stable: prerelease.is_none() }
    }

    /// True for a release that only fixes: `1.2.3`, not `1.2.0`, `1.3.0-rc.1`.
    pub(super) fn is_patch(self) -> bool {
        self.stable && self.parts[2] > 0
    }

    /// True if it is exactly one patch above one of the numbers.
    pub(super) fn follows_one_of(self, numbers: &BTreeSet<Self>) -> bool {
        let [major, minor, patch] = self.parts;
        self.is_patch()
            && numbers.contains(&Self { parts: [major, minor, patch - 1], stable: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_an_order() {
        let sorted = ["0.9.10", "1.0.0-rc.1", "1.0.0", "1.0.2", "1.0.10", "2.0.0"];
        assert!(sorted.is_sorted_by_key(|text| Number::new(text)));
        assert_eq!(Number::new("1.0.0+a"), Number::new("1.0.0"));
        assert_eq!(
            Number::new("99999999999999999999.x"),
            Number { stable: true, ..Number::default() }
        );
        assert!(Number::new("1.0.1").is_patch() && !Number::new("1.1.0").is_patch());
        assert!(!Number::new("1.0.1-0").is_patch());
    }
}
