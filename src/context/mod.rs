//! What the text around a secret says of it: the variable that holds it, the
//! registry that it is bound to, the user that it belongs to, its date.
//!
//! All of it works on bytes, looks a bounded way to each side, and never fails:
//! what cannot be told is `None`.

mod date;
mod key;
pub mod npm;
pub mod url;

pub use date::near as date_near;
pub use key::{key_at, variable};

/// The text of a lossy, short piece of input. Names and hosts are ASCII where
/// they are honest; what is not shows as U+FFFD and is escaped by the reports.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Start of the line that holds `at`, not further than `reach` bytes before
/// it. NUL ends a line too: it separates the variables of `/proc/PID/environ`.
fn line_start(bytes: &[u8], at: usize, reach: usize) -> usize {
    let floor = at.saturating_sub(reach);
    let ends = |&b: &u8| matches!(b, b'\n' | b'\r' | 0);
    bytes[floor..at].iter().rposition(ends).map_or(floor, |found| floor + found + 1)
}

/// End of the line that holds `at`, not further than `reach` bytes behind it.
fn line_end(bytes: &[u8], at: usize, reach: usize) -> usize {
    let ceiling = (at + reach).min(bytes.len());
    let ends = |&b: &u8| matches!(b, b'\n' | b'\r' | 0);
    bytes[at..ceiling].iter().position(ends).map_or(ceiling, |found| at + found)
}

/// Offset of the last place where `needle` (lower case) stands in `haystack`,
/// in any case.
fn rfind_fold(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let last = haystack.len().checked_sub(needle.len())?;
    memchr::memrchr2_iter(first, first.to_ascii_uppercase(), &haystack[..=last])
        .find(|&at| haystack[at..at + needle.len()].eq_ignore_ascii_case(needle))
}

/// Offset of the first place where `needle` (lower case) stands in `haystack`,
/// in any case.
pub fn find_fold(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let last = haystack.len().checked_sub(needle.len())?;
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), &haystack[..=last])
        .find(|&at| haystack[at..at + needle.len()].eq_ignore_ascii_case(needle))
}

/// The word that stands behind `key` (lower case) in `K=v`, `K: "v"`, `K v` and
/// their like, where it stands last.
pub fn assigned_word(bytes: &[u8], key: &[u8]) -> Option<String> {
    let at = rfind_fold(bytes, key)?;
    let rest = &bytes[at + key.len()..];
    let skip = rest.iter().take(8).take_while(|b| b"\"'\\=: \t".contains(b)).count();
    let word = &rest[skip..];
    let length = word.iter().take(128).take_while(|b| !b"\"'\\ \t\r\n,;\0}".contains(b)).count();
    (skip > 0 && length > 0).then(|| text(&word[..length]))
}
