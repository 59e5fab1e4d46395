//! Two rules that claim the same bytes: the one that knows more wins.

use std::cmp::Reverse;

use crate::matcher::Candidate;
use crate::verify::Kept;

/// Drops doubles and losers, and sorts by the place of the secret.
///
/// Of two secrets that share bytes the one of the rule with the higher
/// priority stays; if they are equal the longer one, then the surer one.
pub(super) fn resolve(kept: &mut Vec<(Candidate<'_>, Kept)>) {
    kept.sort_by_key(|(candidate, kept)| {
        (candidate.secret.0, Reverse(rank(candidate, kept)), candidate.rule_index)
    });
    let mut out: Vec<usize> = Vec::with_capacity(kept.len());
    for at in 0..kept.len() {
        let (candidate, judged) = &kept[at];
        let mine = rank(candidate, judged);
        // Those that reach into this one stand at the end: they are disjoint.
        let mut lost = false;
        while let Some(&last) = out.last() {
            let (other, other_judged) = &kept[last];
            if other.secret.1 <= candidate.secret.0 {
                break;
            }
            if rank(other, other_judged) >= mine {
                lost = true;
                break;
            }
            out.pop();
        }
        if !lost {
            out.push(at);
        }
    }
    let mut stays = vec![false; kept.len()];
    out.into_iter().for_each(|at| stays[at] = true);
    let mut stays = stays.into_iter();
    kept.retain(|_| stays.next().unwrap_or(false));
}

fn rank(candidate: &Candidate<'_>, kept: &Kept) -> impl Ord + use<> {
    let length = candidate.secret.1 - candidate.secret.0;
    (candidate.rule.spec().priority, length, kept.confidence, Reverse(candidate.rule_index))
}
