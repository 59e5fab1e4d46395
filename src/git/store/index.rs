//! Pack indexes: which objects a pack holds, sorted by name, and where.
//!
//! Versions 1 and 2 as in gitformat-pack(5). A pack without one gets its table
//! from the multi-pack-index or by being read from front to end.

use std::path::Path;

use gix::ObjectId;
use memmap2::Mmap;

use super::Result;

const FANOUT: usize = 256 * 4;
/// When a guess is as far off as this, halving finds it sooner.
const FAR: u32 = 64;

/// The names and offsets of a pack's objects.
pub(crate) struct Index {
    table: Table,
    count: u32,
    /// Bytes of a name: 20 for SHA-1, 32 for SHA-256.
    width: usize,
}

enum Table {
    /// A file of version 1: rows of offset and name.
    One(Mmap),
    /// A file of version 2: a table of names, one of checksums, one of offsets,
    /// one of offsets beyond 2 GiB with this many rows.
    Two(Mmap, usize),
    /// Made in memory; sorted by name.
    Made(Vec<(ObjectId, u64)>),
}

impl Index {
    /// Maps an index file and checks its measurements.
    pub(crate) fn open(path: &Path, width: usize) -> Result<Self> {
        Self::of(super::map(path)?, width)
    }

    /// Checks the measurements of an index.
    pub(crate) fn of(map: Mmap, width: usize) -> Result<Self> {
        let two = map.starts_with(b"\xfftOc");
        if two && number(&map, 4) != Some(2) {
            return Err("an index of a version that is not known".into());
        }
        let head = if two { 8 } else { 0 };
        let fanout = map.get(head..head + FANOUT).ok_or("the index is cut short")?;
        let mut rows = fanout.chunks_exact(4).map(|row| number(row, 0).unwrap_or(0));
        if !rows.clone().is_sorted() {
            return Err("the fan-out of the index is not sorted".into());
        }
        let count = rows.next_back().unwrap_or(0);
        let rows = count as usize;
        let row = width + 4 + if two { 4 } else { 0 };
        let least = (head + FANOUT + 2 * width) as u64 + rows as u64 * row as u64;
        let spare = (map.len() as u64).checked_sub(least).ok_or("the index is cut short")?;
        let table = if two { Table::Two(map, spare as usize / 8) } else { Table::One(map) };
        Ok(Self { table, count, width })
    }

    /// A table made from what was learnt elsewhere.
    pub(crate) fn made(mut rows: Vec<(ObjectId, u64)>, width: usize) -> Self {
        rows.sort_unstable();
        Self { count: rows.len() as u32, table: Table::Made(rows), width }
    }

    /// True for a table that does not stand in a file.
    pub(crate) fn is_made(&self) -> bool {
        matches!(self.table, Table::Made(_))
    }

    /// Number of objects.
    pub(crate) fn len(&self) -> u32 {
        self.count
    }

    /// Name of the object at a position, from 0.
    pub(crate) fn name(&self, at: u32) -> &[u8] {
        let (at, rows, width) = (at as usize, self.count as usize, self.width);
        let start = match &self.table {
            Table::One(_) => FANOUT + at * (4 + width) + 4,
            Table::Two(..) => 8 + FANOUT + at * width,
            Table::Made(made) => return made[at].0.as_bytes(),
        };
        debug_assert!(at < rows);
        &self.bytes()[start..start + width]
    }

    /// Offset in the pack of the object at a position; `None` if the index
    /// points beyond its own table.
    pub(crate) fn offset(&self, at: u32) -> Option<u64> {
        let (at, rows, width) = (at as usize, self.count as usize, self.width);
        match &self.table {
            Table::One(map) => number(map, FANOUT + at * (4 + width)).map(u64::from),
            Table::Two(map, large) => {
                let small = number(map, 8 + FANOUT + rows * (width + 4) + at * 4)?;
                if small >> 31 == 0 {
                    return Some(u64::from(small));
                }
                let row = (small & 0x7fff_ffff) as usize;
                let start = 8 + FANOUT + rows * (width + 8) + row * 8;
                let high = u64::from(number(map, start)?);
                (row < *large).then_some(high << 32 | u64::from(number(map, start + 4)?))
            }
            Table::Made(made) => Some(made[at].1),
        }
    }

    /// Position of the object of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        if name.len() != self.width {
            return None;
        }
        // Names are as good as random: the next bytes tell about where it stands.
        let (mut low, mut high) = self.range(name[0]);
        let next = u32::from_be_bytes([name[1], name[2], name[3], name[4]]);
        let mut guess = low + ((u64::from(high - low) * u64::from(next)) >> 32) as u32;
        let mut step = 4;
        while low < high {
            match self.name(guess).cmp(name) {
                std::cmp::Ordering::Less => {
                    low = guess + 1;
                    guess = low.saturating_add(step).min(high.saturating_sub(1));
                }
                std::cmp::Ordering::Greater => {
                    high = guess;
                    guess = high.saturating_sub(step).max(low);
                }
                std::cmp::Ordering::Equal => return Some(guess),
            }
            step = step.saturating_mul(2);
            if step > FAR {
                guess = low + (high - low) / 2;
            }
        }
        None
    }

    /// The positions of names that begin with a byte.
    fn range(&self, first: u8) -> (u32, u32) {
        let head = match &self.table {
            Table::One(_) => 0,
            Table::Two(..) => 8,
            Table::Made(_) => return (0, self.count),
        };
        let row = |row: usize| number(self.bytes(), head + row * 4).unwrap_or(0);
        let first = usize::from(first);
        (if first == 0 { 0 } else { row(first - 1) }, row(first))
    }

    /// Checksum of the pack that the index belongs to, as far as it names one.
    pub(crate) fn pack_checksum(&self) -> Option<&[u8]> {
        let bytes = self.bytes();
        (!bytes.is_empty()).then(|| &bytes[bytes.len() - 2 * self.width..][..self.width])
    }

    fn bytes(&self) -> &[u8] {
        match &self.table {
            Table::One(map) | Table::Two(map, _) => map,
            Table::Made(_) => &[],
        }
    }
}

/// The multi-pack-index of an objects folder: for each pack that it names, the
/// objects that it would look for there.
///
/// Used for packs that lack an index of their own; all others are complete
/// without it.
pub(crate) fn multi_pack(path: &Path, width: usize) -> Result<Vec<(String, Index)>> {
    multi_pack_of(&super::map(path)?, width)
}

/// The same for a multi-pack-index that is at hand.
pub(crate) fn multi_pack_of(map: &[u8], width: usize) -> Result<Vec<(String, Index)>> {
    if !map.starts_with(b"MIDX\x01") {
        return Err("no multi-pack-index of version 1".into());
    }
    let chunks = usize::from(*map.get(6).ok_or("the multi-pack-index is cut short")?);
    let packs = number(map, 8).ok_or("the multi-pack-index is cut short")? as usize;
    let chunk = |id: &[u8; 4]| -> Result<&[u8]> {
        let row = (0..chunks)
            .map(|row| 12 + row * 12)
            .find(|&row| map.get(row..row + 4) == Some(id))
            .ok_or("the multi-pack-index lacks a table")?;
        let edge = |at: usize| -> Option<usize> {
            let high = u64::from(number(map, at)?);
            usize::try_from(high << 32 | u64::from(number(map, at + 4)?)).ok()
        };
        let range = edge(row + 4).zip(edge(row + 16)).map(|(start, end)| start..end);
        Ok(range.and_then(|range| map.get(range)).ok_or("the multi-pack-index is cut short")?)
    };
    let names: Vec<&[u8]> = chunk(b"PNAM")?.split(|&b| b == 0).take(packs).collect();
    let (oids, offsets) = (chunk(b"OIDL")?, chunk(b"OOFF")?);
    let large = chunk(b"LOFF").unwrap_or_default();
    let mut rows: Vec<Vec<(ObjectId, u64)>> = vec![Vec::new(); names.len()];
    for (name, row) in oids.chunks_exact(width).zip(offsets.chunks_exact(8)) {
        let pack = number(row, 0).unwrap_or(u32::MAX) as usize;
        let offset = match number(row, 4).unwrap_or(0) {
            far if far >> 31 == 1 && !large.is_empty() => {
                let at = (far & 0x7fff_ffff) as usize * 8;
                let high = number(large, at).zip(number(large, at + 4));
                let (high, low) = high.ok_or("the multi-pack-index points beyond its table")?;
                u64::from(high) << 32 | u64::from(low)
            }
            near => u64::from(near),
        };
        if let Some(rows) = rows.get_mut(pack) {
            rows.push((ObjectId::from_bytes_or_panic(name), offset));
        }
    }
    let names = names.iter().map(|name| String::from_utf8_lossy(name).into_owned());
    Ok(names.zip(rows.into_iter().map(|rows| Index::made(rows, width))).collect())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}
