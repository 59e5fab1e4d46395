//! Words in lines and columns.

use super::Page;

/// Columns of a page.
pub(super) const WIDTH: usize = 98;
/// Columns before what belongs to a secret.
pub(super) const INDENT: usize = 10;
/// The next line of what belongs to a secret.
pub(super) const LINE: &str = "\n          ";

impl Page<'_> {
    /// What a server told, masked, made visible and cut to `width` characters.
    pub fn clipped(&self, text: &str, width: usize) -> String {
        clipped(&self.masker.told(text), width)
    }
}

/// At most `width` characters.
pub(super) fn clipped(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Lines of at most `width` characters, broken at spaces; a longer word stands
/// alone and whole, so that it can be copied.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fill_lines() {
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("a bb ccc d", 4), ["a bb", "ccc", "d"]);
        assert_eq!(wrapped("abcdefgh i", 4), ["abcdefgh", "i"]);
        assert_eq!(clipped("äöüß", 4), "äöüß");
        assert_eq!(clipped("äöüßx", 4), "äöü…");
    }
}
