//! Tables with a heading: one column names packages, one their versions, and
//! one may say what kind of thing a row is.

use super::{List, is_npm, split_pair, versions};

const NAMES: [&str; 5] = ["package_name", "package", "name", "indicator", "value"];
const VERSIONS: [&str; 7] = [
    "package_versions",
    "package_version",
    "affected_versions",
    "affected_version",
    "malicious_versions",
    "versions",
    "version",
];
const KINDS: [&str; 5] = ["artifact_type", "ecosystem", "type", "kind", "registry"];
const CAMPAIGNS: [&str; 2] = ["campaign", "attack"];

/// True if the first line that is no comment is the heading of a table.
pub(super) fn is_csv(text: &str) -> bool {
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    line.is_some_and(|line| line.contains(',') && Columns::of(&cells(line)).is_some())
}

struct Columns {
    name: usize,
    version: Option<usize>,
    kind: Option<usize>,
    campaign: Option<usize>,
}

impl Columns {
    fn of(heading: &[String]) -> Option<Self> {
        let heading: Vec<String> =
            heading.iter().map(|cell| cell.trim().to_ascii_lowercase().replace(' ', "_")).collect();
        let find = |words: &[&str]| {
            words.iter().find_map(|word| heading.iter().position(|cell| cell == word))
        };
        let columns = Self {
            name: find(&NAMES)?,
            version: find(&VERSIONS),
            kind: find(&KINDS),
            campaign: find(&CAMPAIGNS),
        };
        (columns.version.is_some() || columns.kind.is_some()).then_some(columns)
    }
}

pub(super) fn read(text: &str, list: &mut List) {
    list.format = "csv";
    let mut columns = None;
    for (line, record) in records(text) {
        let row = cells(record);
        match &columns {
            None => columns = Columns::of(&row),
            Some(columns) => take(columns, &row, list, &format!("line {line}")),
        }
    }
}

fn take(columns: &Columns, row: &[String], list: &mut List, at: &str) {
    let cell = |column: Option<usize>| {
        column.and_then(|column| row.get(column)).map_or("", |cell| cell.trim())
    };
    let (name, kind) = (cell(Some(columns.name)), cell(columns.kind));
    if !is_npm(kind) && !kind.eq_ignore_ascii_case("package") {
        return list.take_other(kind);
    }
    let campaign = cell(columns.campaign);
    let pinned = cell(columns.version);
    if pinned.is_empty() {
        match split_pair(name) {
            Some((name, version)) => list.take("", name, version, campaign, at),
            None => list.leave_out(at),
        }
    }
    for version in versions(pinned) {
        list.take("", name, version, campaign, at);
    }
}

/// Lines with their number, joined where quotes hold a line break.
fn records(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    let mut number = 1;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut quoted = false;
            let end = rest.bytes().position(|byte| {
                quoted ^= byte == b'"';
                byte == b'\n' && !quoted
            });
            let end = end.map_or(rest.len(), |end| end + 1);
            let (record, at) = (&rest[..end], number);
            number += record.bytes().filter(|byte| *byte == b'\n').count();
            rest = &rest[end..];
            let record = record.trim();
            if !record.is_empty() && !record.starts_with('#') {
                return Some((at, record));
            }
        }
    })
}

/// The cells of a row; `""` in quotes is one quote.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut last) = (false, ' ');
    for c in row.chars() {
        match (c, cells.last_mut()) {
            (',', _) if !quoted => cells.push(String::new()),
            ('"', Some(cell)) => {
                if !quoted && last == '"' {
                    cell.push('"');
                }
                quoted = !quoted;
            }
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
        last = c;
    }
    cells
}
