//! Packs, sound ones and such as only an enemy writes: the walk tells of every
//! entry, makes each object at most once, and of the bytes that a reader of
//! single objects makes; what is sound is made.

#![no_main]

mod git;

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use tokensweep::git::fuzzing::{Index, pack};

fuzz_target!(|input: &[u8]| {
    let [mode, flaw, at, recipe @ ..] = input else { return };
    let width = if mode & 1 == 0 { 20 } else { 32 };
    let mut made = git::pack::pack(recipe, width, mode & 2 == 0);
    let sound = flaw % 4 == 0;
    match flaw % 4 {
        1 => {
            let at = usize::from(*at) * made.bytes.len() / 256;
            made.bytes[at] ^= flaw >> 2;
        }
        2 => drop(made.rows.drain(..made.rows.len().min(1 + usize::from(*at) % 4))),
        3 => made.bytes = recipe.to_vec(),
        _ => {}
    }
    let index = match mode >> 2 & 3 {
        0 => None,
        1 => Index::of(recipe, width).ok(),
        _ => Some(Index::made(&made.rows, width)),
    };
    let (bare, named) = (index.is_none(), mode >> 3 & 1 == 1);
    let Ok((told, offsets)) = pack(&made.bytes, index, width) else { return };
    let mut makes = BTreeSet::new();
    for entry in &told {
        if entry.walked.is_some() {
            assert!(makes.insert(entry.offset), "made twice: {entry:?}");
            assert_eq!(entry.walked, entry.read, "at {}", entry.offset);
        }
    }
    let told_of: BTreeSet<u64> = told.iter().map(|entry| entry.offset).collect();
    assert!(offsets.iter().all(|offset| told_of.contains(offset)), "an entry is passed over");
    // A name that two entries bear may lead a delta to itself.
    let names: BTreeSet<&[u8]> = made.rows.iter().map(|row| &row.0[..]).collect();
    let distinct = mode & 2 == 0 && names.len() == made.rows.len();
    // Without an index, what follows an unsound entry is lost.
    let all = bare && made.objects.iter().all(Option::is_some);
    if sound && distinct && (named || all) {
        for ((_, offset), object) in made.rows.iter().zip(&made.objects) {
            let Some(object) = object else { continue };
            let entry = told.iter().find(|entry| entry.offset == *offset && entry.walked.is_some());
            let walked = entry.and_then(|entry| entry.walked.as_ref());
            assert_eq!(walked.map(|walked| &walked.1), Some(object), "at {offset}");
        }
    }
});
