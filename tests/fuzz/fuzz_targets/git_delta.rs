//! Deltas: any bytes make an object of the promised size or an error, what
//! they copy is that of the base, and what is sound makes what it should.

#![no_main]

mod git;

use libfuzzer_sys::fuzz_target;
use tokensweep::git::fuzzing::delta;

fuzz_target!(|input: &[u8]| {
    let (mut recipe, mode) = (input, input.len() % 2);
    let base = git::run(&mut recipe);
    let raw = mode == 1;
    let (told, expected) = match raw {
        true => ([git::size(base.len()), recipe.to_vec()].concat(), Vec::new()),
        false => git::delta(base, recipe, <[u8]>::to_vec),
    };
    let applied = delta(&told, base);
    if !raw {
        assert_eq!(applied.as_ref().map(|applied| &applied.1), Ok(&expected));
    }
    let Ok((promised, made, copied)) = applied else { return };
    assert_eq!(promised, made.len() as u64);
    let mut end = 0;
    for run in copied {
        assert!(run.len > 0 && run.at >= end);
        end = run.at + run.len;
        assert_eq!(made[run.at..end], base[run.from..run.from + run.len]);
    }
    assert!(end <= made.len());
});
