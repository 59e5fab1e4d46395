//! A baseline: fingerprints of known secrets, one sorted line each. No paths,
//! no line numbers, no dates: moving a file or rebasing changes nothing.
//!
//! ```text
//! # tokensweep baseline v1 key=1a2b3c4d
//! 0123456789abcdef0123456789abcdef npm-access-token  # rotated, see runbook
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::model::{Finding, Fingerprint, FingerprintKey};

const HEADER: &str = "# tokensweep baseline v1 key=";

/// The secrets that a user has accepted, by fingerprint.
#[derive(Debug)]
pub struct Baseline {
    path: PathBuf,
    entries: BTreeMap<Fingerprint, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// What follows the fingerprint: the kind and a person's remark.
    rest: String,
    used: AtomicBool,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// A file that cannot be read or is none; one made with another key.
    pub fn load(path: &Path, key: &FingerprintKey) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|why| {
            Error::new(format!("cannot read the baseline {}: {why}", path.display()))
                .hint("`tokensweep scan --write-baseline FILE` writes one")
        })?;
        Self::parse(path, &text, key)
    }

    fn parse(path: &Path, text: &str, key: &FingerprintKey) -> Result<Self> {
        let mut entries = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let place = || format!("{}:{}", path.display(), at + 1);
            if let Some(id) = line.strip_prefix(HEADER) {
                if id.trim() != key.id() {
                    return Err(Error::new(format!("{}: made with another fingerprint key", place()))
                        .hint("set TOKENSWEEP_FINGERPRINT_KEY to the key it was made with, or write it anew"));
                }
                continue;
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (fingerprint, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let fingerprint = fingerprint.parse().map_err(|why| {
                Error::new(format!("{}: {why}", place()))
                    .hint("each line is `FINGERPRINT KIND  # remark`")
            })?;
            entries.insert(
                fingerprint,
                Entry { rest: rest.trim().to_owned(), used: AtomicBool::new(false) },
            );
        }
        Ok(Self { path: path.to_path_buf(), entries })
    }

    pub(super) fn holds(&self, fingerprint: Fingerprint) -> bool {
        match self.entries.get(&fingerprint) {
            Some(entry) => {
                entry.used.store(true, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = String> {
        let name = self.path.display();
        self.entries.iter().filter(|(_, entry)| !entry.used.load(Ordering::Relaxed)).map(
            move |(fingerprint, entry)| {
                format!("{name}: {fingerprint} {}", entry.rest).trim_end().to_owned()
            },
        )
    }
}

/// Writes all findings as a baseline; remarks of entries that stay are kept.
///
/// # Errors
/// A file that is there and no baseline of this key; one that cannot be written.
pub fn write(path: &Path, findings: &[Finding], key: &FingerprintKey) -> Result<usize> {
    let known = if path.exists() { Baseline::load(path, key)?.entries } else { BTreeMap::new() };
    let mut lines: BTreeMap<Fingerprint, String> =
        findings.iter().map(|finding| (finding.fingerprint, finding.kind.to_string())).collect();
    for (fingerprint, entry) in known {
        if let Some(rest) = lines.get_mut(&fingerprint) {
            *rest = entry.rest;
        }
    }
    let mut text = format!("{HEADER}{}\n", key.id());
    for (fingerprint, rest) in &lines {
        text.push_str(format!("{fingerprint} {rest}").trim_end());
        text.push('\n');
    }
    std::fs::write(path, text).map_err(|why| {
        Error::new(format!("cannot write the baseline {}: {why}", path.display()))
    })?;
    Ok(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_checked_and_their_use_is_noted() {
        let key = FingerprintKey::default();
        let fingerprint = key.fingerprint(b"x");
        let text = format!("{HEADER}{}\n\n# why\n{fingerprint} kind  # remark\n", key.id());
        let baseline = Baseline::parse(Path::new("b"), &text, &key).unwrap();
        assert_eq!(
            baseline.unused().collect::<Vec<_>>(),
            [format!("b: {fingerprint} kind  # remark")]
        );
        assert!(baseline.holds(fingerprint) && !baseline.holds(key.fingerprint(b"y")));
        assert_eq!(baseline.unused().count(), 0);
        assert!(
            Baseline::parse(Path::new("b"), "nonsense\n", &key)
                .unwrap_err()
                .to_string()
                .contains("b:1")
        );
        assert!(Baseline::parse(Path::new("b"), &text, &FingerprintKey::new(b"other")).is_err());
    }
}
