//! Deltas: an object told as copies of another one and bytes of its own.

use super::Result;
use crate::model::Copied;

/// A delta, taken apart. The format is that of gitformat-pack(5).
pub(crate) struct Delta<'d> {
    /// Size of the object that it applies to.
    pub(crate) base: u64,
    /// Size of the object that it makes.
    pub(crate) result: u64,
    commands: &'d [u8],
}

/// One command of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'d> {
    /// Bytes of the base.
    Copy { from: usize, len: usize },
    /// Bytes of its own.
    Insert(&'d [u8]),
}

/// Bytes of an object that get their memory before they are made.
const TRUSTED: usize = 64 << 20;

impl<'d> Delta<'d> {
    /// Reads the two sizes.
    pub(crate) fn parse(bytes: &'d [u8]) -> Result<Self> {
        let (base, rest) = size(bytes).ok_or("a delta without sizes")?;
        let (result, commands) = size(rest).ok_or("a delta without sizes")?;
        Ok(Self { base, result, commands })
    }

    /// Makes the object from its base, and notes what it copied; runs that
    /// follow each other in both are one run.
    pub(crate) fn apply(
        &self,
        base: &[u8],
        out: &mut Vec<u8>,
        mut copied: Option<&mut Vec<Copied>>,
    ) -> Result<()> {
        if base.len() as u64 != self.base {
            return Err("a delta for a base of another size".into());
        }
        let size = usize::try_from(self.result).map_err(|_| "an object beyond all memory")?;
        out.clear();
        // A delta may lie about its size: beyond this, memory grows with what is there.
        out.reserve(size.min(TRUSTED));
        let mut commands = self.commands;
        while let Some(command) = next(&mut commands)? {
            match command {
                Command::Copy { from, len } => {
                    let run = base.get(from..from + len).ok_or("a delta that copies too far")?;
                    if out.len() + len > size {
                        return Err("a delta that makes too much".into());
                    }
                    if let Some(copied) = &mut copied {
                        note(copied, Copied { at: out.len(), from, len });
                    }
                    out.extend_from_slice(run);
                }
                Command::Insert(run) => {
                    if out.len() + run.len() > size {
                        return Err("a delta that makes too much".into());
                    }
                    out.extend_from_slice(run);
                }
            }
        }
        if out.len() == size { Ok(()) } else { Err("a delta that makes too little".into()) }
    }
}

fn note(copied: &mut Vec<Copied>, run: Copied) {
    match copied.last_mut() {
        Some(last) if last.at + last.len == run.at && last.from + last.len == run.from => {
            last.len += run.len;
        }
        _ => copied.push(run),
    }
}

/// Takes the next command off the front.
#[inline]
fn next<'d>(commands: &mut &'d [u8]) -> Result<Option<Command<'d>>> {
    let Some((&first, mut rest)) = commands.split_first() else { return Ok(None) };
    if first == 0 {
        return Err("a delta with a command that is reserved".into());
    }
    if first & 0x80 == 0 {
        let (run, rest) =
            rest.split_at_checked(usize::from(first)).ok_or("a delta that is cut short")?;
        *commands = rest;
        return Ok(Some(Command::Insert(run)));
    }
    let (mut from, mut len) = (0usize, 0usize);
    for bit in 0..7 {
        if first & 1 << bit != 0 {
            let (&byte, after) = rest.split_first().ok_or("a delta that is cut short")?;
            rest = after;
            match bit {
                0..4 => from |= usize::from(byte) << (8 * bit),
                _ => len |= usize::from(byte) << (8 * (bit - 4)),
            }
        }
    }
    *commands = rest;
    Ok(Some(Command::Copy { from, len: if len == 0 { 0x10000 } else { len } }))
}

/// A size in groups of seven bits, lowest first, and what follows it.
fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(delta: &[u8], base: &[u8]) -> Result<(Vec<u8>, Vec<Copied>)> {
        let (mut out, mut copied) = (Vec::new(), Vec::new());
        Delta::parse(delta)?.apply(base, &mut out, Some(&mut copied))?;
        Ok((out, copied))
    }

    #[test]
    fn copies_and_inserts() {
        let delta = [&[10, 9, 0x91, 2, 4, 3][..], b"abc", &[0x91, 8, 2]].concat();
        let (out, copied) = applied(&delta, b"0123456789").unwrap();
        assert_eq!(out, b"2345abc89");
        let runs = [Copied { at: 0, from: 2, len: 4 }, Copied { at: 7, from: 8, len: 2 }];
        assert_eq!(copied, runs);
    }

    #[test]
    fn neighbours_are_one_run() {
        let delta = [&[10, 8, 0x90, 4, 0x91, 4, 4][..]].concat();
        let (_, copied) = applied(&delta, b"0123456789").unwrap();
        assert_eq!(copied, [Copied { at: 0, from: 0, len: 8 }]);
    }

    #[test]
    fn lies_are_errors() {
        for delta in [
            &[][..],
            &[10],
            &[9, 4, 0x90, 4],
            &[10, 4, 0x91, 8, 4],
            &[10, 5, 0x90, 4],
            &[10, 3, 0x90, 4],
            &[10, 4, 0],
            &[10, 4, 4, b'a'],
            &[10, 4, 0x91, 1],
            &[0xff; 12],
        ] {
            assert!(applied(delta, b"0123456789").is_err(), "{delta:?}");
        }
    }
}
