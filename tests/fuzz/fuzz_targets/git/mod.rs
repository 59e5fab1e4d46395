//! Recipes for what git writes: a fuzzer alone would not come upon sizes and
//! checksums that fit.

// Each target uses its own part of this.
#![allow(dead_code)]

pub mod pack;

/// No object of a recipe is larger: deltas of deltas grow beyond all memory.
const LARGEST: usize = 1 << 16;

/// Takes a byte off the front; 0 at the end.
pub fn byte(recipe: &mut &[u8]) -> u8 {
    let Some((first, rest)) = recipe.split_first() else { return 0 };
    *recipe = rest;
    *first
}

/// Takes two bytes as a number up to `most`.
pub fn number(recipe: &mut &[u8], most: usize) -> usize {
    usize::from(u16::from_le_bytes([byte(recipe), byte(recipe)])) % (most + 1)
}

/// Takes as many bytes as the first one says.
pub fn run<'r>(recipe: &mut &'r [u8]) -> &'r [u8] {
    let len = usize::from(byte(recipe)).min(recipe.len());
    let (run, rest) = recipe.split_at(len);
    *recipe = rest;
    run
}

/// A sound delta of a base, and what it makes. Of the bytes that are not
/// copied, `insert` says what they stand for.
pub fn delta(
    base: &[u8],
    mut recipe: &[u8],
    insert: impl Fn(&[u8]) -> Vec<u8>,
) -> (Vec<u8>, Vec<u8>) {
    let (mut commands, mut made) = (Vec::new(), Vec::new());
    while !recipe.is_empty() && made.len() < LARGEST {
        if byte(&mut recipe) % 2 == 0 {
            let from = number(&mut recipe, base.len());
            let len = number(&mut recipe, base.len() - from);
            if len > 0 {
                commands.push(0xff);
                commands.extend_from_slice(&(from as u32).to_le_bytes());
                commands.extend_from_slice(&(len as u32).to_le_bytes()[..3]);
                made.extend_from_slice(&base[from..from + len]);
            }
        } else {
            for chunk in insert(run(&mut recipe)).chunks(127) {
                commands.push(chunk.len() as u8);
                commands.extend_from_slice(chunk);
                made.extend_from_slice(chunk);
            }
        }
    }
    ([size(base.len()), size(made.len()), commands].concat(), made)
}

/// A size in groups of seven bits, lowest first.
pub fn size(mut size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while size > 0x7f {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
    out
}
