//! An ignore file: one entry a line, each a list of conditions that must all
//! hold.
//!
//! ```text
//! # comments and blank lines are allowed
//! fp:0123456789abcdef0123456789abcdef      a value, wherever it stands
//! path:tests/fixtures/**                   everything below a path
//! rule:jwt path:docs/**                    one rule or kind, in some paths
//! rule:jwt until:2027-01-31                for a time
//! ```

use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobMatcher};
use jiff::civil::Date;

use super::Place;
use crate::error::{Error, Result};
use crate::model::{Fingerprint, Origin, path_from_bytes};

/// The entries of one ignore file.
#[derive(Debug)]
pub(super) struct IgnoreFile {
    path: PathBuf,
    folder: Folder,
    entries: Vec<Entry>,
}

/// The folder that the paths of an ignore file are relative to: its own,
/// however the targets of the scan are spelt.
#[derive(Debug)]
struct Folder {
    own: PathBuf,
    working: PathBuf,
}

impl Folder {
    fn of(path: &Path) -> Self {
        let working =
            std::env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let own =
            parent.and_then(|parent| parent.canonicalize().ok()).unwrap_or_else(|| working.clone());
        Self { own, working }
    }

    /// The path of a place below the folder; `None` if it stands elsewhere.
    fn below(&self, origin: &Origin) -> Option<PathBuf> {
        let shown = origin.shown();
        let mut full = PathBuf::new();
        for part in self.working.join(path_from_bytes(&shown)).components() {
            match part {
                Component::ParentDir => drop(full.pop()),
                Component::CurDir => {}
                part => full.push(part),
            }
        }
        full.strip_prefix(&self.own).ok().map(Path::to_path_buf)
    }
}

#[derive(Debug)]
struct Entry {
    text: String,
    conditions: Vec<Condition>,
    expired: bool,
    used: AtomicBool,
}

#[derive(Debug)]
enum Condition {
    Fingerprint(Fingerprint),
    Rule(String),
    Path(GlobMatcher),
}

impl IgnoreFile {
    pub(super) fn load(path: &Path, today: Option<Date>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|why| {
            Error::new(format!("cannot read the ignore file {}: {why}", path.display()))
        })?;
        Self::parse(path, &text, today)
    }

    fn parse(path: &Path, text: &str, today: Option<Date>) -> Result<Self> {
        let mut entries = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or(line).trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = Entry::parse(line, today).map_err(|why| {
                Error::new(format!("{}:{}: {why}", path.display(), at + 1)).hint(
                    "an entry is made of fp:FINGERPRINT, path:GLOB, rule:ID and until:YYYY-MM-DD, with blanks between",
                )
            })?;
            entries.push(entry);
        }
        Ok(Self { path: path.to_path_buf(), folder: Folder::of(path), entries })
    }

    /// The entry that suppresses the place.
    pub(super) fn check(&self, place: &Place<'_>) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.covers(place, &self.folder))?;
        entry.used.store(true, Ordering::Relaxed);
        Some(&entry.text)
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = String> {
        let name = self.path.display();
        self.entries.iter().filter(|entry| !entry.used.load(Ordering::Relaxed)).map(move |entry| {
            let why = if entry.expired { " (has run out)" } else { "" };
            format!("{name}: {}{why}", entry.text)
        })
    }
}

impl Entry {
    fn parse(line: &str, today: Option<Date>) -> std::result::Result<Self, String> {
        let mut entry = Self {
            text: line.to_owned(),
            conditions: Vec::new(),
            expired: false,
            used: AtomicBool::new(false),
        };
        for word in line.split_whitespace() {
            let (name, value) =
                word.split_once(':').ok_or_else(|| format!("{word:?} is no condition"))?;
            match name {
                "fp" => entry.conditions.push(Condition::Fingerprint(value.parse()?)),
                "rule" => entry.conditions.push(Condition::Rule(value.to_owned())),
                "path" => {
                    let glob = GlobBuilder::new(value)
                        .literal_separator(true)
                        .build()
                        .map_err(|why| why.to_string())?;
                    entry.conditions.push(Condition::Path(glob.compile_matcher()));
                }
                "until" => {
                    let end: Date = value.parse().map_err(|_| format!("{value:?} is no date"))?;
                    entry.expired |= today.is_some_and(|today| today > end);
                }
                _ => return Err(format!("no condition is called {name:?}")),
            }
        }
        if entry.conditions.is_empty() {
            return Err("it would suppress everything".to_owned());
        }
        Ok(entry)
    }

    fn covers(&self, place: &Place<'_>, folder: &Folder) -> bool {
        !self.expired
            && self.conditions.iter().all(|condition| match condition {
                Condition::Fingerprint(fingerprint) => *fingerprint == place.fingerprint,
                Condition::Rule(name) => name == place.rule || name == place.kind,
                Condition::Path(glob) => {
                    folder.below(place.origin).is_some_and(|path| glob.is_match(path))
                        || glob.is_match(path_from_bytes(place.origin.relative()))
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FingerprintKey, OriginKind};

    #[test]
    fn all_conditions_of_an_entry_must_hold() {
        let fingerprint = FingerprintKey::default().fingerprint(b"x");
        let today = "2026-11-23".parse().ok();
        let text = format!(
            "fp:{fingerprint}\nrule:jwt path:docs/**  # remark\nrule:old until:2026-01-01\n"
        );
        let file = IgnoreFile::parse(Path::new("i"), &text, today).unwrap();
        let check = |value: &[u8], rule: &str, path: &str| {
            let fingerprint = FingerprintKey::default().fingerprint(value);
            let origin = Origin {
                target: 0,
                root: b"."[..].into(),
                path: path.as_bytes().into(),
                kind: OriginKind::File,
                git: None,
            };
            let place =
                Place { fingerprint, rule, kind: "k", origin: &origin, bytes: b"", secret: (0, 0) };
            file.check(&place).is_some()
        };
        assert!(!check(b"y", "jwt", "src/a") && !check(b"y", "old", "a"));
        assert_eq!(file.unused().count(), 3);
        assert!(check(b"x", "any", "a") && check(b"y", "jwt", "docs/a/b"));
        assert_eq!(
            file.unused().collect::<Vec<_>>(),
            ["i: rule:old until:2026-01-01 (has run out)"]
        );
        for wrong in
            ["nonsense", "fp:12", "path:[", "until:2026-01-01", "until:soon rule:x", "what:x"]
        {
            assert!(IgnoreFile::parse(Path::new("i"), wrong, today).is_err(), "{wrong}");
        }
    }
}
