//! What the fuzzer makes is a recipe: bytes that stand for themselves, and
//! marks that stand for a filled example of a shipped rule, whole or cut.
//! A fuzzer alone would not come upon a checksum.

use std::sync::LazyLock;

use tokensweep::rules::{embedded_files, trials};

/// Introduces an example: two bytes choose it, one says what to cut off.
const EXAMPLE: u8 = 0xfe;

static EXAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    embedded_files()
        .iter()
        .flat_map(|(name, text)| trials(name, text).expect("shipped rules are valid"))
        .map(|trial| trial.example.text)
        .collect()
});

/// The text of a recipe.
pub fn text(recipe: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 * recipe.len());
    let mut rest = recipe;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match tail {
            [a, b, cut, tail @ ..] if *first == EXAMPLE => {
                let example = &EXAMPLES[usize::from(u16::from_le_bytes([*a, *b])) % EXAMPLES.len()];
                let cut = usize::from(*cut) % (example.len() + 1);
                // Most stay whole; some lose their end, some their beginning.
                out.extend_from_slice(match cut % 4 {
                    0 => &example[..example.len() - cut],
                    1 => &example[cut..],
                    _ => example,
                });
                rest = tail;
            }
            _ => out.push(*first),
        }
    }
    out
}
