//! A recipe for packs.

use tokensweep::git::fuzzing::name;

use super::{byte, delta, run};

/// A pack, the names and offsets of its entries, and what they must make.
pub struct Pack {
    pub bytes: Vec<u8>,
    pub rows: Vec<(Vec<u8>, u64)>,
    /// The object of each entry; `None` if the recipe made it unsound.
    pub objects: Vec<Option<Vec<u8>>>,
}

/// An entry that others may be deltas of.
struct Made {
    kind: u8,
    bytes: Vec<u8>,
}

/// Makes a pack. Its names are true ones, or count the entries: then deltas
/// may name what comes later, and each other.
pub fn pack(mut recipe: &[u8], width: usize, true_names: bool) -> Pack {
    let mut pack =
        Pack { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), rows: vec![], objects: vec![] };
    let mut made: Vec<Option<Made>> = Vec::new();
    while !recipe.is_empty() && made.len() < 200 {
        let offset = pack.bytes.len();
        let object = entry(&mut pack, &mut recipe, &made, width);
        let named = match &object {
            Some(object) if true_names => name(object.kind, &object.bytes, width),
            _ => vec![made.len() as u8; width],
        };
        pack.rows.push((named, offset as u64));
        pack.objects.push(object.as_ref().map(|object| object.bytes.clone()));
        made.push(object);
    }
    pack.bytes[11] = made.len() as u8;
    pack.bytes.resize(pack.bytes.len() + width, 0);
    pack
}

/// Adds an entry.
fn entry(pack: &mut Pack, recipe: &mut &[u8], made: &[Option<Made>], width: usize) -> Option<Made> {
    let (word, which) = (byte(recipe), usize::from(byte(recipe)));
    let whole = |kind, bytes: &[u8]| Some(Made { kind, bytes: bytes.to_vec() });
    let told = |base: Option<&Made>, recipe: &[u8]| match base {
        Some(base) => {
            let (delta, bytes) = delta(&base.bytes, recipe, <[u8]>::to_vec);
            (delta, Some(Made { kind: base.kind, bytes }))
        }
        None => (recipe.to_vec(), None),
    };
    let base = which.checked_rem(made.len());
    let (form, prefix, data, object) = match (word % 8, base) {
        (kind @ 0..4, _) | (kind @ 4..7, None) => {
            let kind = kind % 4 + 1;
            let bytes = run(recipe);
            (kind, Vec::new(), bytes.to_vec(), whole(kind, bytes))
        }
        (4 | 5, Some(base)) => {
            let (delta, object) = told(made[base].as_ref(), run(recipe));
            let back = pack.bytes.len() as u64 - pack.rows[base].1;
            (6, distance(back), delta, object)
        }
        (6, Some(base)) if word < 128 => {
            let (delta, object) = told(made[base].as_ref(), run(recipe));
            (7, pack.rows[base].0.clone(), delta, object)
        }
        // Perhaps of one that is still to come.
        (6, _) => (7, vec![which as u8; width], delta(b"", run(recipe), <[u8]>::to_vec).0, None),
        _ => {
            pack.bytes.extend_from_slice(run(recipe));
            return None;
        }
    };
    let lie = usize::from(word == 255);
    header(&mut pack.bytes, form, data.len() + lie);
    pack.bytes.extend(prefix);
    stored(&mut pack.bytes, &data);
    object.filter(|_| lie == 0)
}

/// The kind and size of an entry.
fn header(out: &mut Vec<u8>, form: u8, size: usize) {
    let rest = size >> 4;
    out.push(form << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
    if rest > 0 {
        out.extend(super::size(rest));
    }
}

/// How far back a base stands.
fn distance(mut back: u64) -> Vec<u8> {
    let mut out = vec![(back & 0x7f) as u8];
    while back > 0x7f {
        back = (back >> 7) - 1;
        out.insert(0, back as u8 | 0x80);
    }
    out
}

/// A zlib stream that does not compress.
fn stored(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(&[0x78, 0x01]);
    let mut chunks = data.chunks(0xffff).peekable();
    let mut rest = Some(chunks.next().unwrap_or_default());
    while let Some(chunk) = rest {
        rest = chunks.next();
        out.push(u8::from(rest.is_none()));
        out.extend_from_slice(&(chunk.len() as u16).to_le_bytes());
        out.extend_from_slice(&(!(chunk.len() as u16)).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    out.extend_from_slice(&(b << 16 | a).to_be_bytes());
}
