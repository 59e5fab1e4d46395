//! All lists together, asked about one version at a time.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{LIST_CAP, List, parse};
use crate::error::{Error, Result};

/// A version that more lists name than this is said to stand in more.
const SOURCES: usize = 4;

/// The bad versions of all lists that were loaded.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// By name and version; the number is that of the words.
    bad: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    /// The same of names with capitals, in lower case: only old packages have
    /// any, and a list may write those of others with them.
    folded: HashMap<Box<str>, HashMap<Box<str>, u32>>,
    words: Vec<Box<str>>,
    lists: Vec<String>,
}

impl Known {
    /// Reads lists, each in any format that [`parse`] knows.
    ///
    /// # Errors
    ///
    /// Names the list that cannot be read or says nothing, and why.
    pub fn load(paths: &[PathBuf]) -> Result<Self> {
        let mut lists = Vec::new();
        for path in paths {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            let list = read(path).and_then(|bytes| parse(&name, &bytes)).map_err(|why| {
                let what = format!("cannot use the list of bad versions {}: {why}", path.display());
                Error::new(what).hint("one name@version a line, or a CSV, JSON or OSV file")
            })?;
            lists.push(list);
        }
        Ok(Self::of(&lists))
    }

    /// What lists know that were read before.
    pub fn of(lists: &[List]) -> Self {
        let mut sources: HashMap<(&str, &str), Vec<String>> = HashMap::new();
        for list in lists {
            for bad in &list.npm {
                let known = sources.entry((&bad.name, &bad.version)).or_default();
                let source = match bad.campaign.as_str() {
                    "" => list.name.clone(),
                    campaign => format!("{}: {campaign}", list.name),
                };
                if known.len() <= SOURCES && !known.contains(&source) {
                    known.push(source);
                }
            }
        }
        let mut known = Self::default();
        let mut numbers: HashMap<String, u32> = HashMap::new();
        for ((name, version), mut words) in sources {
            if words.len() > SOURCES {
                words[SOURCES] = "and others".into();
            }
            let next = numbers.len() as u32;
            let number = *numbers.entry(words.join("; ")).or_insert_with_key(|words| {
                known.words.push(words.as_str().into());
                next
            });
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                let versions = known.folded.entry(name.to_ascii_lowercase().into()).or_default();
                versions.insert(version.into(), number);
            }
            known.bad.entry(name.into()).or_default().insert(version.into(), number);
        }
        known.lists = lists.iter().map(List::words).collect();
        known
    }

    /// True if a list names a version of this package as bad.
    pub fn names(&self, name: &str) -> bool {
        self.bad.contains_key(name)
    }

    /// Which list names this very version as bad, and of which campaign.
    pub fn bad(&self, name: &str, version: &str) -> Option<&str> {
        let number = number_of(&self.bad, name, version)
            .or_else(|| number_of(&self.folded, &name.to_ascii_lowercase(), version))?;
        self.words.get(*number as usize).map(|words| &**words)
    }

    /// One line for each list: its name, the number of its pairs, its date if
    /// it tells one, and what of it was not understood.
    pub fn lists(&self) -> Vec<String> {
        self.lists.clone()
    }
}

fn number_of<'k>(
    bad: &'k HashMap<Box<str>, HashMap<Box<str>, u32>>,
    name: &str,
    version: &str,
) -> Option<&'k u32> {
    let versions = bad.get(name)?;
    versions.get(version).or_else(|| versions.get("*"))
}

fn read(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let open = || {
        if !std::fs::metadata(path)?.is_file() {
            return Err(std::io::Error::other("not a file"));
        }
        let mut bytes = Vec::new();
        // One byte more, so that a list that is too large shows it.
        File::open(path)?.take(LIST_CAP + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    open().map_err(|why| why.to_string())
}
