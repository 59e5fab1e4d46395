//! Patterns as the engine gets them.

use regex_syntax::hir::{Capture, Class, Hir, HirKind, Repetition};

/// Repetitions of more than this lose their upper bound.
const LONG: u32 = 256;

/// Takes the upper bound off long repetitions: compiled, `x{8,6000}` is six
/// thousand copies of `x`, and costs more than all else in a small scan. The
/// matcher gives an engine no more bytes than the bounded pattern spans, so
/// nothing is walked that would not have been.
pub(super) fn relaxed(hir: &Hir) -> Hir {
    let all = |parts: &[Hir]| parts.iter().map(relaxed).collect::<Vec<_>>();
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let long = |max: u32| max > LONG && max > repetition.min;
            Hir::repetition(Repetition {
                max: repetition.max.filter(|&max| !long(max)),
                sub: Box::new(relaxed(&repetition.sub)),
                ..repetition.clone()
            })
        }
        HirKind::Capture(capture) => {
            Hir::capture(Capture { sub: Box::new(relaxed(&capture.sub)), ..capture.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(branches) => Hir::alternation(all(branches)),
        _ => hir.clone(),
    }
}

/// The bytes with which a match can begin, a bit for each. Too many is no
/// harm, too few would be.
pub(super) fn first_bytes(hir: &Hir) -> [u64; 4] {
    let mut bits = [0; 4];
    if !add_first(hir, &mut bits) {
        return [!0; 4];
    }
    bits
}

/// Adds the first bytes of `hir`. False if it can match nothing at all, so
/// that what follows it may come first too.
fn add_first(hir: &Hir, bits: &mut [u64; 4]) -> bool {
    let mut set = |byte: u8| bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => match literal.0.first() {
            Some(&byte) => {
                set(byte);
                true
            }
            None => false,
        },
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().for_each(|range| (range.start()..=range.end()).for_each(&mut set));
            true
        }
        HirKind::Class(Class::Unicode(_)) => {
            *bits = [!0; 4];
            true
        }
        HirKind::Capture(capture) => add_first(&capture.sub, bits),
        HirKind::Repetition(repetition) => add_first(&repetition.sub, bits) && repetition.min > 0,
        HirKind::Concat(parts) => parts.iter().any(|part| add_first(part, bits)),
        HirKind::Alternation(branches) => {
            branches.iter().fold(true, |all, branch| add_first(branch, bits) && all)
        }
    }
}
