//! Loose objects: one compressed file each, named after the object.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use gix::ObjectId;
use gix::objs::Kind;

use super::Result;
use super::inflate::MOST;

/// A loose object whose header has been read.
pub(crate) struct Loose {
    pub(crate) kind: Kind,
    /// Bytes of the object, as its header says.
    pub(crate) size: u64,
    stream: std::io::Chain<std::io::Cursor<Vec<u8>>, ZlibDecoder<File>>,
}

impl Loose {
    /// Opens an object file and reads its header.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = super::open(path)?;
        let stored = file.metadata().map_err(|why| why.to_string())?.len();
        let mut stream = ZlibDecoder::new(file);
        let mut head = vec![0; 32];
        let mut filled = 0;
        while filled < head.len() && !head[..filled].contains(&0) {
            match stream.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(why) => return Err(why.to_string().into()),
            }
        }
        head.truncate(filled);
        let end = head.iter().position(|&b| b == 0).ok_or("a loose object without a header")?;
        let text = std::str::from_utf8(&head[..end]).unwrap_or_default();
        let (kind, size) = text.split_once(' ').ok_or("a loose object without a header")?;
        let kind = Kind::from_bytes(kind.as_bytes())
            .map_err(|_| "a loose object of a kind that is not known")?;
        let size: u64 = size.parse().map_err(|_| "a loose object without a size")?;
        if size > stored.saturating_mul(MOST) {
            return Err("an object that says it is larger than it can be".into());
        }
        let rest = std::io::Cursor::new(head.split_off(end + 1));
        Ok(Self { kind, size, stream: rest.chain(stream) })
    }

    /// Reads the object.
    pub(crate) fn read(self, out: &mut Vec<u8>) -> Result<()> {
        out.clear();
        let (size, mut stream) = (self.size, self.stream());
        stream.read_to_end(out).map_err(|why| why.to_string())?;
        if out.len() as u64 == size {
            Ok(())
        } else {
            Err("an object of another size than it says".into())
        }
    }

    /// The object as a stream, which ends one byte behind the size that the
    /// header names if the object is longer.
    pub(crate) fn stream(self) -> impl Read {
        self.stream.take(self.size + 1)
    }
}

/// The loose objects below an objects folder, sorted by name.
pub(crate) fn list(objects: &Path, width: usize) -> (Vec<ObjectId>, Vec<(PathBuf, String)>) {
    let (mut found, mut flaws) = (Vec::new(), Vec::new());
    for first in 0..=255u8 {
        let hex = format!("{first:02x}");
        let folder = objects.join(&hex);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(why) => {
                if why.kind() != std::io::ErrorKind::NotFound {
                    flaws.push((folder, why.to_string()));
                }
                continue;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(rest) = name.to_str().filter(|rest| rest.len() == 2 * width - 2) else {
                continue;
            };
            found.extend(ObjectId::from_hex(format!("{hex}{rest}").as_bytes()));
        }
    }
    found.sort_unstable();
    (found, flaws)
}

/// Where the file of a loose object stands.
pub(crate) fn path(objects: &Path, id: &ObjectId) -> PathBuf {
    let hex = id.to_string();
    objects.join(&hex[..2]).join(&hex[2..])
}
