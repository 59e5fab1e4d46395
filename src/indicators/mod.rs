//! Lists of known bad versions: `name@version` pairs that researchers publish
//! after each campaign, in a dozen shapes.
//!
//! The shape is told by the content. Only entries of npm count for packages of
//! npm; those of other ecosystems are counted apart. What is not understood is
//! counted and named by its line, and a list without a single pair of npm is
//! an error: it must not read as clean.

mod csv;
mod json;
mod known;
mod plain;

use std::collections::BTreeMap;

pub use known::Known;

/// Larger lists are refused. The union of all public lists of November 2026 is
/// far below a megabyte.
pub const LIST_CAP: u64 = 32 << 20;

/// How many of the entries that were not understood are named.
const NAMED: usize = 5;

/// The longest name, version or campaign that is kept, in bytes.
const TEXT_CAP: usize = 214;

/// A list that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The name of its file.
    pub name: String,
    /// `plain`, `csv`, `json` or `jsonl`.
    pub format: &'static str,
    /// The bad versions of packages of npm, sorted, each once.
    pub npm: Vec<Bad>,
    /// How many entries it has of other ecosystems, and of other kinds such as
    /// hashes and domains, by their own words.
    pub other: BTreeMap<String, u64>,
    /// The day for which it says it holds, in its own words.
    pub as_of: Option<String>,
    /// How many entries were not understood.
    pub not_understood: u64,
    /// Where the first of these stand.
    pub not_understood_at: Vec<String>,
}

/// A version that is known to be bad.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bad {
    /// The package.
    pub name: String,
    /// The version; `*` if all are bad.
    pub version: String,
    /// What it was a part of; of plain lists the heading above it, in quotes,
    /// because some sort all campaigns below the first. Empty if the list does
    /// not tell.
    pub campaign: String,
}

/// Reads a list. Of `file_name` only the words of the result take notice.
///
/// # Errors
///
/// Says why: not UTF-8, too large, or no bad version of a package of npm in
/// it.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<List, String> {
    if bytes.len() as u64 > LIST_CAP {
        return Err(format!("larger than {} MB", LIST_CAP >> 20));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut list = List { name: file_name.to_owned(), ..List::default() };
    match text.trim_start().as_bytes().first() {
        Some(b'{' | b'[') => json::read(text, &mut list),
        _ if csv::is_csv(text) => csv::read(text, &mut list),
        _ => plain::read(text, &mut list),
    }
    list.npm.sort_unstable();
    list.npm.dedup();
    if list.npm.is_empty() {
        return Err(list.empty());
    }
    Ok(list)
}

impl List {
    /// One line for people: name, number of pairs, date if the list tells, and
    /// what was not understood.
    pub fn words(&self) -> String {
        let plural = if self.npm.len() == 1 { "" } else { "s" };
        let mut words = format!("{}: {} version{plural}", self.name, self.npm.len());
        match &self.as_of {
            Some(date) => words.push_str(&format!(", as of {date}")),
            None => words.push_str(", without a date"),
        }
        let other: u64 = self.other.values().sum();
        if other > 0 {
            words.push_str(&format!(", {other} entries that are not of npm"));
        }
        if self.not_understood > 0 {
            let at = self.not_understood_at.join(", ");
            words.push_str(&format!(", {} not understood ({at})", self.not_understood));
        }
        words
    }

    fn empty(&self) -> String {
        let other: u64 = self.other.values().sum();
        match (self.not_understood, other) {
            (0, 0) => "it names no bad version".into(),
            (0, _) => format!("none of its {other} entries is a package of npm"),
            (n, _) => {
                let at = self.not_understood_at.join(", ");
                format!("it names no bad version; {n} entries were not understood ({at})")
            }
        }
    }

    /// Takes an entry in. `ecosystem` is empty for npm.
    fn take(&mut self, ecosystem: &str, name: &str, version: &str, campaign: &str, at: &str) {
        // One long word could come with each of a million versions.
        let (ecosystem, campaign) = (short(ecosystem), short(campaign));
        if name.len() > TEXT_CAP || version.len() > TEXT_CAP {
            return self.leave_out(at);
        }
        let version = bare_version(version);
        if !is_npm(ecosystem) {
            return self.take_other(ecosystem);
        }
        // Some lists mix modules of Go in and do not say so.
        if is_module_path(name) {
            return self.take_other("module path");
        }
        if !is_name(name) || !is_version(version) {
            return self.leave_out(at);
        }
        let campaign = clean(campaign);
        self.npm.push(Bad { name: name.into(), version: version.into(), campaign });
    }

    fn take_other(&mut self, kind: &str) {
        // A hostile list could bring a new word in each line.
        let kind = if self.other.len() < 32 { clean(kind) } else { "others".into() };
        *self.other.entry(kind).or_default() += 1;
    }

    fn leave_out(&mut self, at: &str) {
        self.not_understood += 1;
        if self.not_understood_at.len() < NAMED {
            self.not_understood_at.push(at.to_owned());
        }
    }

    /// Keeps the latest date that a list tells of itself.
    fn take_date(&mut self, date: &str) {
        let date = clean(date);
        if !date.is_empty() && self.as_of.as_ref().is_none_or(|known| *known < date) {
            self.as_of = Some(date);
        }
    }
}

/// `npm`, `npm package` and the like; nothing counts as npm.
fn is_npm(ecosystem: &str) -> bool {
    let word = ecosystem.split([' ', '_', '-']).next().unwrap_or_default();
    word.eq_ignore_ascii_case("npm") || ecosystem.is_empty()
}

/// `github.com/user/module`: no name of npm has a host in front.
fn is_module_path(name: &str) -> bool {
    name.split_once('/').is_some_and(|(host, _)| !host.starts_with('@') && host.contains('.'))
}

fn is_name(name: &str) -> bool {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || ":\"'<>|,".contains(c);
    let parts: Vec<&str> = name.split('/').collect();
    let scoped = name.starts_with('@');
    !name.contains(wrong)
        && name.len() <= TEXT_CAP
        && parts.len() == if scoped { 2 } else { 1 }
        && parts.iter().all(|part| !part.is_empty() && *part != "@")
}

/// `1.0.1` of `v1.0.1`, `=1.0.1` and `= v1.0.1`: registries know it without.
fn bare_version(version: &str) -> &str {
    let version = version.trim().trim_start_matches('=').trim_start();
    let digits = version.strip_prefix(['v', 'V']);
    digits.filter(|it| it.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(version)
}

/// One version, or `*`; no range.
fn is_version(version: &str) -> bool {
    let first = version.trim_start_matches(['v', 'V']).bytes().next();
    version == "*"
        || first.is_some_and(|byte| byte.is_ascii_digit())
            && version.len() <= TEXT_CAP
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte))
}

fn short(text: &str) -> &str {
    let most = text.len().min(2 * TEXT_CAP);
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// One line without control characters, cut to a decent length.
fn clean(text: &str) -> String {
    let words = short(text).split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(TEXT_CAP / 2) {
        line.truncate(end);
    }
    line
}

/// `1.0.0, 1.0.1` and `= 1.0.0 || = 1.0.1`.
fn versions(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '|', ';']).map(str::trim).filter(|version| !version.is_empty())
}

/// `name@version`; None if there is no version.
fn split_pair(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('@').filter(|(name, _)| !name.is_empty())
}
