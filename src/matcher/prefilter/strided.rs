//! The search for long keywords: every fourth position is enough.

use super::buckets::rarest;
use super::hash::Windows;
use super::{Needle, WINDOW};

/// Distance between the positions that are looked at.
pub(super) const STEP: usize = 4;
/// Shortest keyword that has a window on every grid.
pub(super) const LEAST: usize = WINDOW + STEP - 1;

/// Long keywords by their windows.
pub(super) struct Strided {
    pub(super) windows: Windows,
    reach: usize,
}

impl Strided {
    /// Chooses four windows in a row of each needle, those that ordinary text
    /// shows least.
    pub(super) fn new(needles: &[(u16, Needle)]) -> Self {
        let mut windows = Vec::with_capacity(needles.len() * STEP);
        let mut reach = 0;
        for (id, needle) in needles {
            let first = rarest(needle, LEAST);
            for at in first..first + STEP {
                windows.push((*id, Needle { at, ..needle.clone() }));
                reach = reach.max(at);
            }
        }
        Self { windows: Windows::new(&windows), reach }
    }

    /// Greatest distance from the start of a keyword to a window of it.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }
}
