//! Words in lines and columns.

use std::io::{self, Write};

use anstyle::Style;

use super::{Page, ROWS, coverage, time};
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

    /// The head of a part of what belongs to a secret.
    pub fn heading(&self, words: &str, out: &mut dyn Write) -> io::Result<()> {
        let bold = self.paint.bold;
        writeln!(out, "\n{:INDENT$}{bold}{words}{bold:#}", "")
    }

    /// The head of a table.
    pub fn head(&self, words: &[&str]) -> Vec<Cell> {
        words.iter().map(|word| Cell::styled(*word, self.paint.dim)).collect()
    }

    /// A table below a secret.
    pub fn rows(&self, rows: &[Vec<Cell>], out: &mut dyn Write) -> io::Result<()> {
        table(rows).iter().try_for_each(|line| writeln!(out, "{:INDENT$}  {line}", ""))
    }

    /// The first of them, or with `-v` all.
    pub fn some<'t, T>(&self, all: &'t [T], some: usize) -> &'t [T] {
        &all[..if self.options.verbose { all.len() } else { all.len().min(some) }]
    }

    /// How many were left out.
    pub fn and_more(&self, more: u64, out: &mut dyn Write) -> io::Result<()> {
        let dim = self.paint.dim;
        let hint = if self.options.verbose { "" } else { " (-v lists what is known)" };
        match more {
            0 => Ok(()),
            n => {
                writeln!(out, "{:INDENT$}  {dim}… and {} more{hint}{dim:#}", "", coverage::count(n))
            }
        }
    }

    /// A list below a secret; the words are masked by now.
    pub fn items(&self, heading: &str, items: &[String], out: &mut dyn Write) -> io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        self.heading(heading, out)?;
        let shown = self.some(items, ROWS);
        for item in shown {
            let lines = wrapped(item, WIDTH - INDENT - 4).join(&format!("{LINE}    "));
            writeln!(out, "{:INDENT$}  - {lines}", "")?;
        }
        self.and_more((items.len() - shown.len()) as u64, out)
    }
}

/// What was learnt, in words; what is not known is said to be unknown.
pub(super) fn learnt<T>(it: &Learnt<T>, words: impl Fn(&T) -> String) -> String {
    bounded("at most ", it, words)
}

/// The same, with these words before an upper bound.
pub(super) fn bounded<T>(bound: &str, it: &Learnt<T>, words: impl Fn(&T) -> String) -> String {
    match (it.certainty, &it.value) {
        (Certainty::Measured, Some(value)) => words(value),
        (Certainty::UpperBound, Some(value)) => format!("{bound}{}", words(value)),
        // What is known so far; there may be more.
        (Certainty::Unknown, Some(value)) => format!("at least {}", words(value)),
        (Certainty::Refused, _) => "refused".to_owned(),
        _ => "unknown".to_owned(),
    }
}

pub(super) fn yes_no(yes: &bool) -> String {
    if *yes { "yes" } else { "no" }.to_owned()
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
    filled(text.split_whitespace(), " ", width)
}

/// Lines of at most `width` characters, broken between the pieces only.
pub(super) fn filled<'a>(
    pieces: impl Iterator<Item = &'a str>,
    glue: &str,
    width: usize,
) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for piece in pieces {
        let length = piece.chars().count();
        if used > 0 && used + glue.chars().count() + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push_str(glue);
            used += glue.chars().count();
        }
        line.push_str(piece);
        used += length;
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
