//! Words in lines and columns.

use anstyle::Style;

use super::{Page, coverage, time};
use crate::model::radius::{Certainty, Learnt};

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

    /// Some of a list in words: `a, b and 3 more`.
    pub fn listed<'t>(
        &self,
        all: impl ExactSizeIterator<Item = &'t String>,
        some: usize,
    ) -> String {
        let (n, some) = (all.len(), if self.options.verbose { usize::MAX } else { some });
        let shown: Vec<_> = all.take(some).map(|one| self.clipped(one, 60)).collect();
        match n - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {} more", shown.join(", "), coverage::count(more as u64)),
        }
    }
}

/// What was learnt, in words; what is not known is said to be unknown.
pub(super) fn learnt<T>(it: &Learnt<T>, words: impl Fn(&T) -> String) -> String {
    match (it.certainty, &it.value) {
        (Certainty::Measured, Some(value)) => words(value),
        (Certainty::UpperBound, Some(value)) => format!("at most {}", words(value)),
        (Certainty::Refused, _) => "refused".to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// A day; no calendar reaches all numbers.
pub(super) fn day(seconds: i64) -> String {
    time::day(seconds).unwrap_or_else(|| "unknown".to_owned())
}

/// A cell of a table.
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// The lines of a table: columns as wide as their widest cell, two spaces
/// apart, nothing after the last.
pub(super) fn table(rows: &[Vec<Cell>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let used = row.iter().rposition(|cell| !cell.text.is_empty()).map_or(0, |last| last + 1);
    let mut line = String::new();
    for (at, (Cell { text, style }, width)) in row.iter().zip(widths).take(used).enumerate() {
        line.push_str(&format!("{style}{text}{style:#}"));
        if at + 1 < used {
            line.push_str(&" ".repeat(width - text.chars().count() + 2));
        }
    }
    line
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

    #[test]
    fn tables_are_straight_and_end_where_they_end() {
        let row = |cells: [&str; 3]| cells.map(Cell::from).into();
        let rows: Vec<Vec<Cell>> = vec![row(["a", "bb", ""]), row(["äöü", "b", "c"]), Vec::new()];
        assert_eq!(table(&rows), ["a    bb", "äöü  b   c", ""]);
    }
}
