//! What a user has decided not to hear of again, in ways that can be audited:
//! markers on the line, an ignore file, a baseline. Every suppression is
//! counted, every entry that matches nothing is named.

mod baseline;
mod ignore_file;
mod inline;

use std::path::PathBuf;

use crate::error::Result;
use crate::model::{Fingerprint, FingerprintKey, Origin, Suppression};

pub use baseline::{Baseline, write as write_baseline};
use ignore_file::IgnoreFile;

/// What to suppress.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ignore files.
    pub ignore_files: Vec<PathBuf>,
    /// Baselines.
    pub baselines: Vec<PathBuf>,
    /// Honour `tokensweep:allow` on the line of a secret.
    pub inline: bool,
    /// Honour the markers of other scanners too.
    pub foreign_markers: bool,
    /// The day that decides whether an entry has run out, as `YYYY-MM-DD`.
    pub today: Option<jiff::civil::Date>,
}

/// The suppressions of a run.
#[derive(Debug, Default)]
pub struct Suppressor {
    inline: bool,
    foreign: bool,
    ignore_files: Vec<IgnoreFile>,
    baselines: Vec<Baseline>,
}

/// A place that may be suppressed.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// Names the value.
    pub fingerprint: Fingerprint,
    /// Id of its rule.
    pub rule: &'p str,
    /// Its kind.
    pub kind: &'p str,
    /// Where it stands.
    pub origin: &'p Origin,
    /// The bytes that hold it.
    pub bytes: &'p [u8],
    /// Offsets of the secret in `bytes`.
    pub secret: (usize, usize),
}

impl Suppressor {
    /// Reads the files that `options` names.
    ///
    /// # Errors
    /// A file that cannot be read or has a line that is no entry; a baseline
    /// that was written with another fingerprint key.
    pub fn load(options: &Options, key: &FingerprintKey) -> Result<Self> {
        let ignore_files = options
            .ignore_files
            .iter()
            .map(|path| IgnoreFile::load(path, options.today))
            .collect::<Result<_>>()?;
        let baselines = options
            .baselines
            .iter()
            .map(|path| Baseline::load(path, key))
            .collect::<Result<_>>()?;
        Ok(Self {
            inline: options.inline,
            foreign: options.foreign_markers,
            ignore_files,
            baselines,
        })
    }

    /// True if a marker suppresses the secret at these offsets.
    pub fn is_marked(&self, bytes: &[u8], secret: (usize, usize)) -> bool {
        self.inline && inline::marker(bytes, secret, self.foreign).is_some()
    }

    /// What suppresses the place, if anything does.
    pub fn check(&self, place: &Place<'_>) -> Option<Suppression> {
        if self.inline
            && let Some(marker) = inline::marker(place.bytes, place.secret, self.foreign)
        {
            return Some(Suppression::Inline(marker));
        }
        if let Some(entry) = self.ignore_files.iter().find_map(|file| file.check(place)) {
            return Some(Suppression::IgnoreFile(entry.to_owned()));
        }
        let listed = self.baselines.iter().any(|baseline| baseline.holds(place.fingerprint));
        listed.then_some(Suppression::Baseline)
    }

    /// Entries that suppressed nothing, as they are written; sorted.
    pub fn unused(&self) -> Vec<String> {
        let ignored = self.ignore_files.iter().flat_map(IgnoreFile::unused);
        let mut unused: Vec<String> =
            ignored.chain(self.baselines.iter().flat_map(Baseline::unused)).collect();
        unused.sort();
        unused
    }
}
