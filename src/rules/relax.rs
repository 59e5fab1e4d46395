//! Patterns as the engine gets them.

use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

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
