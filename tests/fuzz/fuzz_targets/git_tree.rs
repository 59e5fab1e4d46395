//! Trees: one that is told as a delta of another gives what it gives as a
//! whole, whatever its bytes are and however long the chain is.

#![no_main]

mod git;

use libfuzzer_sys::fuzz_target;
use tokensweep::git::fuzzing::{Tree, delta};

const MODES: [&[u8]; 6] = [b"40000 ", b"100644 ", b"040000 ", b"160000 ", b"40000", b" "];
/// What is looked for.
const WANTED: [&[u8]; 2] = [&[0; 20], &[1; 20]];

fuzz_target!(|input: &[u8]| {
    let mut recipe = input;
    let mut base = tree(git::run(&mut recipe));
    let mut told = Tree::read(&base, None, &WANTED);
    while !recipe.is_empty() {
        let step = git::run(&mut recipe);
        let (commands, made) = git::delta(&base, step, tree);
        let (_, applied, copied) = delta(&commands, &base).unwrap();
        assert_eq!(applied, made);
        let next = Tree::read(&made, Some((&told, &copied)), &WANTED);
        assert_eq!(next, Tree::read(&made, None, &WANTED));
        (base, told) = (made, next);
    }
});

/// Entries, two bytes of the recipe each; what follows a 255 stands for
/// itself.
fn tree(recipe: &[u8]) -> Vec<u8> {
    if let [255, raw @ ..] = recipe {
        return raw.to_vec();
    }
    let entry = |[mode, id]: &[u8; 2]| {
        let mode = usize::from(*mode);
        let name = vec![b'a' + (mode / 6) as u8 % 16; 1 + mode / 96];
        [MODES[mode % 6], &name, b"\0", &[id % 4; 20]].concat()
    };
    recipe.as_chunks().0.iter().flat_map(entry).collect()
}
