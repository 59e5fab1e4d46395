//! One entry a line: `name:version`, `ecosystem:name:version`, `name@version`,
//! `pkg:npm/name@version`; `#` begins a comment. Headings of comments name the
//! campaign of what follows.

use super::{List, split_pair};

pub(super) fn read(text: &str, list: &mut List) {
    list.format = "plain";
    let mut heading = Heading::default();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            heading.comment(comment.trim());
            if let Some(date) = date(comment) {
                list.take_date(date);
            }
            continue;
        }
        if line.is_empty() {
            heading.open = false;
            continue;
        }
        heading.open = false;
        let entry = line.split_once(" #").map_or(line, |(entry, _)| entry).trim();
        let at = format!("line {}", at + 1);
        match parts(entry) {
            Some((ecosystem, name, version)) => {
                list.take(ecosystem, &name, version, &heading.words, &at);
            }
            None => list.leave_out(&at),
        }
    }
}

/// Ecosystem (empty if there is none), name and version.
fn parts(entry: &str) -> Option<(&str, String, &str)> {
    if let Some(url) = entry.strip_prefix("pkg:") {
        let (ecosystem, rest) = url.split_once('/')?;
        let (name, version) = split_pair(rest)?;
        return Some((ecosystem, name.replace("%40", "@"), version));
    }
    let Some((left, right)) = entry.rsplit_once(':') else {
        let (name, version) = split_pair(entry)?;
        return Some(("", name.into(), version));
    };
    // `npm:name@version`, and no colon in front of the version.
    let (left, name, version) = match split_pair(right) {
        Some((name, version)) => (left, name, version),
        None => match left.split_once(':') {
            Some((ecosystem, name)) => (ecosystem, name, right),
            None => ("", left, right),
        },
    };
    // `//` stands for an address, and is no ecosystem.
    (!entry.contains("//")).then(|| (left, name.to_owned(), version))
}

/// The first line below a ruler, or else of a block of comments.
#[derive(Default)]
struct Heading {
    words: String,
    /// The last line was a comment.
    open: bool,
    /// The words stand below a ruler: smaller headings do not replace them.
    ruled: bool,
    /// The last line was a ruler.
    ruler: bool,
}

impl Heading {
    fn comment(&mut self, text: &str) {
        if text.len() > 3 && text.bytes().all(|byte| b"=-#*".contains(&byte)) {
            // The second ruler closes what the first has opened.
            self.ruler = !(self.ruled && self.open);
        } else if self.ruler || !(self.open || self.ruled) {
            (self.words, self.ruled) = (quoted(text), self.ruler);
            self.ruler = false;
        }
        self.open = true;
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("under “{}”", super::clean(text)) }
}

/// What follows `Last updated:` and the like.
fn date(comment: &str) -> Option<&str> {
    let (key, date) = comment.split_once(':')?;
    let key = key.trim().to_ascii_lowercase();
    let known = ["last updated", "updated", "date", "as of", "as_of", "generated", "version date"];
    known.contains(&key.as_str()).then_some(date)
}
