//! Searches a blob that is told as a delta of another without searching again
//! what it shares with that one.
//!
//! A [`Trace`] keeps what a search has seen: where keywords stand and what
//! matched. In a blob made of it, the prefilter reads only the bytes that are
//! new and the seams around them; keywords and matches that were copied whole,
//! with all that their rule looks at, are taken over at their new place;
//! matches that an edit might touch are tried again. The result equals that of
//! a search of the whole blob, which a property test holds it to.

use std::ops::Range;

use super::{Candidate, Covered, Found, Matcher, Scratch};
use crate::model::{Blob, Copied};

/// Bytes before a match that decide whether it may begin there: an escape
/// sequence of any spelling.
const BEFORE: usize = 32;

/// What the search of one blob has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Offset and id of each keyword, sorted.
    keywords: Vec<(u32, u32)>,
    /// Sorted by offset, then by rule.
    matches: Vec<Match>,
    /// Length of the blob.
    len: usize,
    /// True if some matches were not tried because they lie in too many
    /// others: then nothing can be taken over.
    dense: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    span: (u32, u32),
    rule: u32,
    /// The secret, relative to the start of the span; `None` if what stands
    /// behind it forbids a candidate.
    secret: Option<(u32, u32)>,
    user: Option<(u32, u32)>,
}

impl Trace {
    /// True if nothing matched.
    pub fn is_empty(&self) -> bool {
        self.matches.is_empty()
    }
}

impl Matcher {
    /// Searches a blob whose bytes are all fresh, of at most 4 GiB. If it is
    /// made of another one, `base` is the trace of that and what was copied
    /// from it, in the order of the blob.
    pub fn trace(&self, blob: &Blob<'_>, base: Option<(&Trace, &[Copied])>) -> Trace {
        let mut scratch = None;
        let taken = base.filter(|(trace, _)| !trace.dense);
        taken
            .and_then(|(trace, copied)| self.trace_delta(blob, trace, copied, &mut scratch))
            .unwrap_or_else(|| self.trace_whole(blob, &mut scratch))
    }

    /// The candidates of a blob that has been traced.
    pub fn traced<'b>(
        &'b self,
        blob: &'b Blob<'b>,
        trace: &Trace,
        mut each: impl FnMut(Candidate<'b>),
    ) {
        for found in &trace.matches {
            let start = found.span.0 as usize;
            let rule_index = found.rule as usize;
            let inside = |(a, b): (u32, u32)| (start + a as usize, start + b as usize);
            let Some(secret) = found.secret else { continue };
            each(Candidate {
                rule: &self.rules.rules[rule_index],
                rule_index,
                blob,
                span: (start, found.span.1 as usize),
                secret: inside(secret),
                user: found.user.map(inside),
            });
        }
    }

    fn trace_whole<'m>(&'m self, blob: &Blob<'_>, scratch: &mut Option<Scratch<'m>>) -> Trace {
        let mut trace = Trace { len: blob.bytes.len(), ..Trace::default() };
        self.prefilter.search(blob.bytes, 0..blob.bytes.len(), |keyword, at| {
            trace.keywords.push((at as u32, keyword as u32));
        });
        if trace.keywords.is_empty() {
            return trace;
        }
        trace.keywords.sort_unstable();
        let scratch = scratch.get_or_insert_with(|| Scratch::of(self));
        let mut attempts = Vec::new();
        for &(at, keyword) in &trace.keywords {
            for owner in &self.owners[keyword as usize] {
                self.attempt(*owner, at as usize, blob, scratch, |attempt| attempts.push(attempt));
            }
        }
        let matches = &mut trace.matches;
        trace.dense =
            !self.confirm(blob, attempts, scratch, &mut |found| matches.push(Match::of(found)));
        trace.matches.sort_unstable();
        trace
    }

    /// `None` if the blob has to be searched whole.
    fn trace_delta<'m>(
        &'m self,
        blob: &Blob<'_>,
        base: &Trace,
        copied: &[Copied],
        scratch: &mut Option<Scratch<'m>>,
    ) -> Option<Trace> {
        let mut trace = Trace { len: blob.bytes.len(), ..Trace::default() };
        self.take_over_keywords(base, copied, &mut trace.keywords);
        let taken = trace.keywords.len();
        for range in unseen(copied, self.longest - 1, blob.bytes.len()) {
            self.prefilter.search(blob.bytes, range, |keyword, at| {
                trace.keywords.push((at as u32, keyword as u32));
            });
        }
        if trace.keywords.len() > taken {
            // Two sorted runs, which the stable sort merges.
            trace.keywords[taken..].sort_unstable();
            trace.keywords.sort();
            trace.keywords.dedup();
        }
        if trace.keywords.is_empty() {
            return Some(trace);
        }
        let runs = Runs { copied, base: base.len, made: blob.bytes.len() };
        self.take_over_matches(base, &runs, &mut trace.matches);
        self.try_again(blob, &runs, &mut trace, scratch)?;
        Some(trace)
    }

    /// Keywords that were copied whole, at their new places.
    fn take_over_keywords(&self, base: &Trace, copied: &[Copied], out: &mut Vec<(u32, u32)>) {
        if base.keywords.is_empty() {
            return;
        }
        let mut first = 0;
        for run in copied {
            first = seek(&base.keywords, first, run.from);
            for &(at, keyword) in &base.keywords[first..] {
                let offset = at as usize - run.from;
                if offset >= run.len {
                    break;
                }
                if offset + self.keywords[keyword as usize].text.len() <= run.len {
                    out.push(((run.at + offset) as u32, keyword));
                }
            }
        }
    }

    /// Matches that were copied with all that their rule looks at.
    fn take_over_matches(&self, base: &Trace, runs: &Runs<'_>, out: &mut Vec<Match>) {
        if base.matches.is_empty() {
            return;
        }
        for run in runs.copied {
            let first = base.matches.partition_point(|found| (found.span.0 as usize) < run.from);
            for found in &base.matches[first..] {
                let offset = found.span.0 as usize - run.from;
                if offset >= run.len {
                    break;
                }
                if runs.settle(run, offset, self.span(found.rule as usize)) {
                    let start = (run.at + offset) as u32;
                    let end = start + found.span.1 - found.span.0;
                    out.push(Match { span: (start, end), ..*found });
                }
            }
        }
    }

    /// Tries the rules whose outcome an edit may have changed. `None` if a
    /// whole search would have left some matches untried.
    fn try_again<'m>(
        &'m self,
        blob: &Blob<'_>,
        runs: &Runs<'_>,
        trace: &mut Trace,
        scratch: &mut Option<Scratch<'m>>,
    ) -> Option<()> {
        let mut attempts = Vec::new();
        let mut near = runs.copied.iter().peekable();
        for &(at, keyword) in &trace.keywords {
            let at = at as usize;
            while near.next_if(|run| run.at + run.len <= at).is_some() {}
            let (lead, span) = self.reaches[keyword as usize];
            let here = near.peek().copied();
            if here.is_some_and(|run| runs.holds(run, at, lead, span)) {
                continue;
            }
            let scratch = scratch.get_or_insert_with(|| Scratch::of(self));
            for owner in &self.owners[keyword as usize] {
                self.attempt(*owner, at, blob, scratch, |(rule, start)| {
                    let here = here.filter(|run| run.at <= start && start < run.at + run.len);
                    let run = here.or_else(|| runs.at(start));
                    if !run.is_some_and(|run| runs.settle(run, start - run.at, self.span(rule))) {
                        attempts.push((rule, start));
                    }
                });
            }
        }
        let mut all = true;
        if !attempts.is_empty() {
            let scratch = scratch.get_or_insert_with(|| Scratch::of(self));
            let matches = &mut trace.matches;
            all =
                self.confirm(blob, attempts, scratch, &mut |found| matches.push(Match::of(found)));
        }
        trace.matches.sort_unstable();
        (all && !crowded(&trace.matches)).then_some(())
    }

    /// Bytes from the start of a match that its rule looks at, at most.
    fn span(&self, rule: usize) -> usize {
        self.rules.rules[rule].compiled.span + 1
    }
}

impl Match {
    fn of(found: Found) -> Self {
        let start = found.span.0;
        let inside = |(a, b): (usize, usize)| ((a - start) as u32, (b - start) as u32);
        Self {
            rule: found.rule as u32,
            span: (start as u32, found.span.1 as u32),
            secret: found.groups.map(|groups| inside(groups.secret)),
            user: found.groups.and_then(|groups| groups.user).map(inside),
        }
    }
}

/// The first keyword that stands at an offset or behind it, looked for from
/// where the last one was found: deltas mostly copy from front to back.
fn seek(keywords: &[(u32, u32)], near: usize, offset: usize) -> usize {
    let is_before = |at: usize| keywords.get(at).is_some_and(|found| (found.0 as usize) < offset);
    let (mut low, mut step) = (near, 1);
    if low > 0 && !is_before(low - 1) {
        low = 0;
    }
    while is_before(low + step - 1) {
        low += step;
        step *= 2;
    }
    let high = (low + step).min(keywords.len());
    low + keywords[low.min(high)..high].partition_point(|found| (found.0 as usize) < offset)
}

/// True if a whole search might have left out some of these matches.
fn crowded(matches: &[Match]) -> bool {
    if matches.len() < 2 {
        return false;
    }
    let mut by_rule: Vec<&Match> = matches.iter().collect();
    by_rule.sort_by_key(|found| found.rule);
    let (mut last, mut covered) = (u32::MAX, Covered::default());
    by_rule.into_iter().any(|found| {
        if found.rule != last {
            (last, covered) = (found.rule, Covered::default());
        }
        covered.add(found.span.0 as usize, found.span.1 as usize);
        covered.is_full()
    })
}

/// What a blob shares with its base, and how long both are.
struct Runs<'r> {
    copied: &'r [Copied],
    base: usize,
    made: usize,
}

impl Runs<'_> {
    /// The run that holds an offset of the blob.
    fn at(&self, at: usize) -> Option<&Copied> {
        let next = self.copied.partition_point(|run| run.at <= at);
        self.copied[..next].last().filter(|run| at < run.at + run.len)
    }

    /// True if all that the rules of a keyword at `at` look at was copied with
    /// it: they begin at most `lead` before it and look `span` bytes ahead.
    fn holds(&self, run: &Copied, at: usize, lead: usize, span: usize) -> bool {
        let Some(offset) = at.checked_sub(run.at + lead) else {
            return run.at == 0 && run.from == 0 && self.settle(run, 0, at + span);
        };
        self.settle(run, offset, lead + span)
    }

    /// True if all that a rule looks at was copied, for a match that begins at
    /// an offset in the run and spans as much.
    fn settle(&self, run: &Copied, offset: usize, span: usize) -> bool {
        let begins = run.at == 0 && run.from == 0 || offset >= BEFORE;
        let reaches = offset + span <= run.len;
        let ends = run.at + run.len == self.made && run.from + run.len == self.base;
        begins && (reaches || ends)
    }
}

/// The places of a blob where a keyword may begin that no run holds whole.
fn unseen(
    copied: &[Copied],
    before: usize,
    len: usize,
) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let mut edges =
        copied.iter().map(|run| (run.at, run.at + run.len)).chain(std::iter::once((len, len)));
    let mut last = 0usize;
    let mut gaps = std::iter::from_fn(move || {
        let (start, end) = edges.next()?;
        let whole = start == len && last == len;
        let gap = if whole { len..len } else { last.saturating_sub(before).min(start)..start };
        last = end;
        Some(gap)
    })
    .filter(|gap| !gap.is_empty())
    .peekable();
    std::iter::from_fn(move || {
        let mut range = gaps.next()?;
        while let Some(next) = gaps.next_if(|next| next.start <= range.end + MERGED) {
            range.end = next.end;
        }
        Some(range)
    })
}

/// Ranges with less than this between them are searched as one: each search
/// has a price of its own.
const MERGED: usize = 64;
