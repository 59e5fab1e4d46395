//! Packs: many objects in one file, most of them told as deltas of others.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::objs::Kind;
use memmap2::Mmap;

use super::Result;
use super::index::Index;
use super::inflate::Inflater;

/// One pack and its index.
pub(crate) struct Pack {
    /// Path of the pack file.
    pub(crate) path: PathBuf,
    pub(crate) index: Index,
    map: Mmap,
    /// Where the entries end and the checksum begins.
    end: usize,
    width: usize,
}

/// What stands before the compressed bytes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) form: Form,
    /// Bytes of the object or of the delta, inflated.
    pub(crate) size: u64,
    /// Where in the pack the compressed bytes begin.
    pub(crate) data: u64,
}

/// How an entry tells its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole(Kind),
    /// A delta of the entry at this offset.
    OffsetDelta(u64),
    /// A delta of the object with this name.
    NamedDelta(ObjectId),
}

/// The names of some of a pack's objects.
pub(crate) struct Names<'p> {
    index: &'p Index,
    offsets: Vec<u64>,
    /// Their rows in the index.
    at: Vec<u32>,
}

impl Names<'_> {
    /// The name of the object at an offset, if it was asked for.
    pub(crate) fn get(&self, offset: u64) -> Option<&[u8]> {
        let at = self.at[self.offsets.binary_search(&offset).ok()?];
        (at != u32::MAX).then(|| self.index.name(at))
    }
}

impl Pack {
    /// Maps a pack whose index is at hand.
    pub(crate) fn open(path: &Path, index: Index, width: usize) -> Result<Self> {
        Self::of(path, super::map(path)?, index, width)
    }

    /// A pack whose bytes and index are at hand.
    pub(crate) fn of(path: &Path, map: Mmap, index: Index, width: usize) -> Result<Self> {
        let known = map.starts_with(b"PACK\0\0\0\x02") || map.starts_with(b"PACK\0\0\0\x03");
        if !known || map.len() < 12 {
            return Err("no pack of version 2 or 3".into());
        }
        let end = map.len().saturating_sub(width).max(12);
        Ok(Self { path: path.to_path_buf(), index, map, end, width })
    }

    /// A pack without an index: its entries are found by reading it from front
    /// to end, and have no names yet.
    pub(crate) fn bare(
        path: &Path,
        map: Mmap,
        width: usize,
    ) -> Result<(Self, Vec<u64>, Option<String>)> {
        let mut pack = Self::of(path, map, Index::made(Vec::new(), width), width)?;
        // Whatever is there: it may be a pack that never got its checksum.
        pack.end = pack.map.len();
        let (offsets, flaw) = pack.scan();
        Ok((pack, offsets, flaw))
    }

    /// Number of objects that the header promises.
    pub(crate) fn promised(&self) -> u32 {
        u32::from_be_bytes([self.map[8], self.map[9], self.map[10], self.map[11]])
    }

    /// The names of the objects at these offsets.
    pub(crate) fn names(&self, mut offsets: Vec<u64>) -> Names<'_> {
        offsets.sort_unstable();
        offsets.dedup();
        let index = &self.index;
        let mut at = vec![u32::MAX; offsets.len()];
        // With few to name, most rows are turned away by a look at these bits.
        let mut near = vec![false; 1 << 16];
        offsets.iter().for_each(|offset| near[*offset as usize & 0xffff] = true);
        for row in 0..index.len() {
            let Some(offset) = index.offset(row) else { continue };
            if near[offset as usize & 0xffff]
                && let Ok(found) = offsets.binary_search(&offset)
            {
                at[found] = row;
            }
        }
        Names { index, offsets, at }
    }

    /// True if the pack ends with the checksum that its index names.
    pub(crate) fn fits_index(&self) -> bool {
        self.index.pack_checksum().is_none_or(|named| self.map.ends_with(named))
    }

    /// Reads what stands before the compressed bytes of the entry at `offset`.
    #[inline]
    pub(crate) fn entry(&self, offset: u64) -> Result<Entry> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if start < 12 || start >= self.end {
            return Err("an offset outside the pack".into());
        }
        let bytes = &self.map[start..self.end];
        let first = bytes[0];
        let (mut size, mut shift, mut at) = (u64::from(first & 0x0f), 4, 1);
        let mut more = first & 0x80 != 0;
        while more {
            let byte = *bytes.get(at).ok_or("an entry that is cut short")?;
            if shift > 57 {
                return Err("an entry with an impossible size".into());
            }
            size |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            at += 1;
            more = byte & 0x80 != 0;
        }
        let form = match first >> 4 & 7 {
            1 => Form::Whole(Kind::Commit),
            2 => Form::Whole(Kind::Tree),
            3 => Form::Whole(Kind::Blob),
            4 => Form::Whole(Kind::Tag),
            6 => {
                let (distance, used) = distance(&bytes[at..])?;
                at += used;
                let base = offset.checked_sub(distance).filter(|base| *base < offset);
                Form::OffsetDelta(base.ok_or("a delta of an entry outside the pack")?)
            }
            7 => {
                let name = bytes.get(at..at + self.width).ok_or("an entry that is cut short")?;
                at += self.width;
                Form::NamedDelta(ObjectId::from_bytes_or_panic(name))
            }
            _ => return Err("an entry of a kind that is not known".into()),
        };
        Ok(Entry { form, size, data: offset + at as u64 })
    }

    /// The compressed bytes of an entry, and whatever follows them.
    pub(crate) fn compressed(&self, entry: &Entry) -> &[u8] {
        &self.map[(entry.data as usize).min(self.end)..self.end]
    }

    /// Inflates the object or the delta of an entry.
    pub(crate) fn inflate(
        &self,
        entry: &Entry,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        inflater.inflate(self.compressed(entry), entry.size, out)
    }

    /// Finds all entries by inflating one after the other. What follows a
    /// broken one is lost, and said.
    fn scan(&self) -> (Vec<u64>, Option<String>) {
        let (mut offsets, mut offset) = (Vec::new(), 12u64);
        for _ in 0..self.promised() {
            let end = self.entry(offset).and_then(|entry| {
                let used = length(self.compressed(&entry), entry.size)?;
                Ok(entry.data + used)
            });
            match end {
                Ok(end) => {
                    offsets.push(offset);
                    offset = end;
                }
                Err(why) => return (offsets, Some(why.to_string())),
            }
        }
        (offsets, None)
    }
}

/// How many compressed bytes make an object of `size` bytes.
fn length(input: &[u8], size: u64) -> Result<u64> {
    let mut state = flate2::Decompress::new(true);
    let mut out = [0u8; 32 * 1024];
    loop {
        let rest = &input[state.total_in() as usize..];
        let status = state
            .decompress(rest, &mut out, flate2::FlushDecompress::None)
            .map_err(|_| "an object whose compressed bytes are damaged")?;
        if status == flate2::Status::StreamEnd {
            return match state.total_out() == size {
                true => Ok(state.total_in()),
                false => Err("an object of another size than it says".into()),
            };
        }
        if state.total_out() > size || status == flate2::Status::BufError {
            return Err("an object that is cut short".into());
        }
    }
}

/// How far back the base of a delta stands, and the bytes that tell it.
fn distance(bytes: &[u8]) -> Result<(u64, usize)> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((value, at + 1));
        }
        value += 1;
    }
    Err("a delta of an entry outside the pack".into())
}
