//! Writes packs, indexes and loose objects by hand, so that they can lie.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::{Digest as _, Sha1};

use crate::common::repo::Repo;

/// The name of an object.
pub type Oid = [u8; 20];

pub const TREE: u8 = 2;
pub const BLOB: u8 = 3;
pub const OFS_DELTA: u8 = 6;
pub const REF_DELTA: u8 = 7;

/// A pack in the making, and the index that goes with it.
pub struct Pack {
    pub bytes: Vec<u8>,
    entries: Vec<(Oid, u64)>,
}

impl Pack {
    pub fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), entries: Vec::new() }
    }

    /// Adds a blob as it should be; returns where its entry begins.
    pub fn blob(&mut self, bytes: impl AsRef<[u8]>) -> u64 {
        let bytes = bytes.as_ref();
        self.entry(oid("blob", bytes), BLOB, bytes.len() as u64, &[], &deflate(bytes))
    }

    /// Adds a delta to the object that begins at `base`.
    pub fn delta(&mut self, oid: Oid, base: u64, delta: &[u8]) -> u64 {
        let link = distance(self.bytes.len() as u64 - base);
        self.entry(oid, OFS_DELTA, delta.len() as u64, &link, &deflate(delta))
    }

    /// Adds an entry of which nothing needs to be true; `link` names the base
    /// of a delta, `packed` is compressed.
    pub fn entry(&mut self, oid: Oid, kind: u8, size: u64, link: &[u8], packed: &[u8]) -> u64 {
        let start = self.bytes.len() as u64;
        self.entries.push((oid, start));
        let (mut byte, mut rest) = (kind << 4 | (size & 15) as u8, size >> 4);
        while rest > 0 {
            self.bytes.push(byte | 0x80);
            (byte, rest) = ((rest & 0x7f) as u8, rest >> 7);
        }
        self.bytes.push(byte);
        self.bytes.extend_from_slice(link);
        self.bytes.extend_from_slice(packed);
        start
    }

    /// Where the next entry begins.
    pub fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Puts pack and index into a repository; returns the path of the pack.
    pub fn install(mut self, repo: &Repo) -> std::path::PathBuf {
        let count = self.entries.len() as u32;
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        self.install_as_it_is(repo)
    }

    /// The same, with the count of objects that the pack has by now.
    pub fn install_as_it_is(mut self, repo: &Repo) -> std::path::PathBuf {
        let trailer = Sha1::digest(&self.bytes);
        self.bytes.extend_from_slice(&trailer);
        let index = index(&mut self.entries, &trailer);
        let name = format!("pack-{}", hex(&trailer));
        let folder = repo.path(".git/objects/pack");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.idx")), index).unwrap();
        let path = folder.join(format!("{name}.pack"));
        fs::write(&path, &self.bytes).unwrap();
        path
    }
}

/// An index of version 2; no reader of packs needs its checksums of entries.
fn index(entries: &mut [(Oid, u64)], trailer: &[u8]) -> Vec<u8> {
    entries.sort_unstable();
    let mut out = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=255 {
        let below = entries.iter().filter(|(oid, _)| oid[0] <= first).count() as u32;
        out.extend_from_slice(&below.to_be_bytes());
    }
    entries.iter().for_each(|(oid, _)| out.extend_from_slice(oid));
    out.resize(out.len() + 4 * entries.len(), 0);
    for (_, offset) in entries {
        out.extend_from_slice(&u32::try_from(*offset).unwrap().to_be_bytes());
    }
    out.extend_from_slice(trailer);
    let own = Sha1::digest(&out);
    out.extend_from_slice(&own);
    out
}

/// A step of a delta.
pub enum Step<'a> {
    /// So many bytes of the base, from an offset on.
    Copy(u32, u32),
    Insert(&'a [u8]),
}

/// A delta from a base of a size to a result of a size.
pub fn delta(base: u64, result: u64, steps: &[Step<'_>]) -> Vec<u8> {
    let mut out = [length(base), length(result)].concat();
    for step in steps {
        match step {
            Step::Insert(bytes) => {
                for part in bytes.chunks(127) {
                    out.push(part.len() as u8);
                    out.extend_from_slice(part);
                }
            }
            Step::Copy(from, count) => {
                out.push(0xff);
                out.extend_from_slice(&from.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes()[..3]);
            }
        }
    }
    out
}

/// A number as deltas begin with.
pub fn length(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

/// How far back the base of a delta begins, as its entry says it.
pub fn distance(mut number: u64) -> Vec<u8> {
    let mut out = vec![(number & 0x7f) as u8];
    while number > 0x7f {
        number = (number >> 7) - 1;
        out.insert(0, (number & 0x7f) as u8 | 0x80);
    }
    out
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    packed(bytes, Compression::default())
}

/// As [`deflate`], with the bytes themselves in it.
pub fn store(bytes: &[u8]) -> Vec<u8> {
    packed(bytes, Compression::none())
}

fn packed(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// A stream of this many zeros between `head` and `last`.
pub fn bomb(head: &[u8], zeros: u64, last: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
    out.write_all(head).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), zeros), &mut out).unwrap();
    out.write_all(last).unwrap();
    out.finish().unwrap()
}

/// The name of an object with these bytes.
pub fn oid(kind: &str, bytes: &[u8]) -> Oid {
    let header = format!("{kind} {}\0", bytes.len());
    Sha1::new().chain_update(header).chain_update(bytes).finalize().into()
}

pub fn hex(oid: &[u8]) -> String {
    oid.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a loose object; returns its name.
pub fn loose(repo: &Repo, kind: &str, bytes: impl AsRef<[u8]>) -> Oid {
    let bytes = bytes.as_ref();
    let name = oid(kind, bytes);
    let text = [format!("{kind} {}\0", bytes.len()).as_bytes(), bytes].concat();
    loose_as(repo, name, deflate(&text));
    name
}

/// Writes a loose object that is any bytes.
pub fn loose_as(repo: &Repo, oid: Oid, file: impl AsRef<[u8]>) {
    repo.write(loose_path(oid), file);
}

/// Where a loose object is, below the work tree.
pub fn loose_path(oid: Oid) -> String {
    let name = hex(&oid);
    format!(".git/objects/{}/{}", &name[..2], &name[2..])
}

/// An entry of a tree.
pub fn leaf(mode: &str, name: impl AsRef<[u8]>, oid: &[u8]) -> Vec<u8> {
    [mode.as_bytes(), b" ", name.as_ref(), b"\0", oid].concat()
}

/// A commit of a tree.
pub fn commit(tree: Oid, parents: &[Oid], date: &str) -> Vec<u8> {
    let parents: String = parents.iter().map(|oid| format!("parent {}\n", hex(oid))).collect();
    let who = format!("Ada <ada@example.com> {date}");
    format!("tree {}\n{parents}author {who}\ncommitter {who}\n\nby hand\n", hex(&tree)).into()
}
