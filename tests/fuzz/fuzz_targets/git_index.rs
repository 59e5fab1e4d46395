//! Indexes of packs, of all versions: no panic wherever one looks; what is
//! found is what was looked for, and in a sound index everything is.

#![no_main]

mod git;

use libfuzzer_sys::fuzz_target;
use tokensweep::git::fuzzing::{Index, multi_pack};

fuzz_target!(|input: &[u8]| {
    let [mode, flaw, at, recipe @ ..] = input else { return };
    let width = if mode & 1 == 0 { 20 } else { 32 };
    let rows = rows(recipe, width);
    let (version, sound) = (mode >> 1 & 3, flaw % 4 == 0);
    let mut bytes = match version {
        0 => one(&rows, width),
        1 => two(&rows, width),
        2 => multi(&rows),
        _ => recipe.to_vec(),
    };
    if flaw % 4 == 1 {
        let at = (usize::from(*at) * bytes.len() / 256).min(bytes.len().saturating_sub(1));
        bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= flaw >> 2);
    }
    if flaw % 4 == 2 {
        bytes.truncate(usize::from(*at) * bytes.len() / 256);
    }
    let indexes: Vec<Index> = match multi_pack(&bytes, width) {
        Ok(indexes) => indexes.into_iter().map(|(_, index)| index).collect(),
        Err(_) => Index::of(&bytes, width).into_iter().collect(),
    };
    let mut found = 0;
    for index in &indexes {
        found += check(index, recipe, sound && version < 3, width);
    }
    if sound && version < 3 {
        assert_eq!(found, rows.len());
    }
});

/// Looks everywhere; returns the number of rows.
fn check(index: &Index, recipe: &[u8], sound: bool, width: usize) -> usize {
    let rows = index.rows();
    for (at, (name, offset)) in rows.iter().enumerate() {
        assert_eq!(name.len(), width);
        let found = index.find(name);
        assert!(found.is_none_or(|found| rows[found].0 == *name));
        assert!(!sound || found.is_some() && offset.is_some(), "row {at}");
    }
    for name in recipe.windows(width).chain([recipe, &vec![0; width], &vec![255; width]]) {
        assert!(index.find(name).is_none_or(|found| rows[found].0 == name));
    }
    assert!(index.pack_checksum().is_none_or(|sum| sum.len() == width));
    rows.len()
}

/// Names and offsets, sorted as an index has them.
fn rows(recipe: &[u8], width: usize) -> Vec<(Vec<u8>, u64)> {
    let row = |row: &[u8; 7]| {
        let [a, b, c, d, offset @ ..] = *row;
        let mut name = vec![d; width];
        name[..3].copy_from_slice(&[a, b, c]);
        let offset = u64::from(u16::from_le_bytes([offset[0], offset[1]])) << (offset[2] % 40);
        (name, offset)
    };
    let mut rows: Vec<_> = recipe.as_chunks().0.iter().map(row).collect();
    rows.sort_unstable();
    rows
}

/// For each first byte the number of names up to it.
fn fan_out(rows: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let upto = |first: u8| rows.partition_point(|row| row.0[0] <= first) as u32;
    (0..=255).flat_map(|first| upto(first).to_be_bytes()).collect()
}

fn one(rows: &[(Vec<u8>, u64)], width: usize) -> Vec<u8> {
    let mut out = fan_out(rows);
    for (name, offset) in rows {
        out.extend_from_slice(&(*offset as u32).to_be_bytes());
        out.extend_from_slice(name);
    }
    out.resize(out.len() + 2 * width, 7);
    out
}

fn two(rows: &[(Vec<u8>, u64)], width: usize) -> Vec<u8> {
    let mut out = [b"\xfftOc\0\0\0\x02", &fan_out(rows)[..]].concat();
    rows.iter().for_each(|(name, _)| out.extend_from_slice(name));
    out.resize(out.len() + 4 * rows.len(), 0);
    let (small, large) = offsets(rows);
    out.extend(small.into_iter().flat_map(u32::to_be_bytes));
    out.extend(large.into_iter().flat_map(u64::to_be_bytes));
    out.resize(out.len() + 2 * width, 7);
    out
}

/// All objects in one pack.
fn multi(rows: &[(Vec<u8>, u64)]) -> Vec<u8> {
    let (small, large) = offsets(rows);
    let chunks: [(&[u8; 4], Vec<u8>); 5] = [
        (b"PNAM", b"pack-a.idx\0\0".to_vec()),
        (b"OIDF", fan_out(rows)),
        (b"OIDL", rows.iter().flat_map(|row| row.0.clone()).collect()),
        (
            b"OOFF",
            small.into_iter().flat_map(|small| [[0; 4], small.to_be_bytes()]).flatten().collect(),
        ),
        (b"LOFF", large.into_iter().flat_map(u64::to_be_bytes).collect()),
    ];
    let mut out = b"MIDX\x01\x01\x05\0\0\0\0\x01".to_vec();
    let mut start = (out.len() + 12 * (chunks.len() + 1)) as u64;
    for (id, bytes) in &chunks {
        out.extend_from_slice(*id);
        out.extend_from_slice(&start.to_be_bytes());
        start += bytes.len() as u64;
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&start.to_be_bytes());
    chunks.iter().for_each(|(_, bytes)| out.extend_from_slice(bytes));
    out
}

/// The table of offsets, and that of those too large for it.
fn offsets(rows: &[(Vec<u8>, u64)]) -> (Vec<u32>, Vec<u64>) {
    let mut large = Vec::new();
    let small = rows.iter().map(|(_, offset)| match u32::try_from(*offset) {
        Ok(small) if small >> 31 == 0 => small,
        _ => {
            large.push(*offset);
            1 << 31 | (large.len() - 1) as u32
        }
    });
    (small.collect(), large)
}
