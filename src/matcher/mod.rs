//! Literals first, regular expressions only where one was found.
//!
//! [`Matcher`] runs the [`prefilter`] over the fresh part of a blob; where a
//! keyword stands, the rules that own it try their pattern, anchored at the
//! place where a match would have to begin. What matches and has neighbours
//! that its rule allows is a [`Candidate`].

mod neighbours;
pub mod prefilter;
mod trace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex_automata::hybrid::dfa::Cache;
use regex_automata::{Anchored, Input};

use crate::model::Blob;
use crate::rules::{Groups, Keyword, Rule, RuleSet};
use prefilter::Prefilter;
pub use trace::Trace;

/// A match of one rule, not yet judged. It borrows the blob that holds it.
#[derive(Clone, Copy)]
pub struct Candidate<'b> {
    /// The rule that matched.
    pub rule: &'b Rule,
    /// Place of the rule in its set.
    pub rule_index: usize,
    /// Where it matched.
    pub blob: &'b Blob<'b>,
    /// Offsets in `blob.bytes` of the whole match.
    pub span: (usize, usize),
    /// Offsets in `blob.bytes` of the secret.
    pub secret: (usize, usize),
    /// Offsets in `blob.bytes` of the user name that the pattern caught.
    pub user: Option<(usize, usize)>,
}

impl<'b> Candidate<'b> {
    /// The secret's bytes.
    pub fn secret_bytes(&self) -> &'b [u8] {
        &self.blob.bytes[self.secret.0..self.secret.1]
    }
}

/// Searches blobs for the matches of a rule set.
pub struct Matcher {
    rules: Arc<RuleSet>,
    prefilter: Prefilter,
    /// For each keyword of the prefilter, the rules that own it: their place
    /// in the set and the distance from the start of a match to the keyword.
    owners: Vec<Vec<Owner>>,
    keywords: Vec<Keyword>,
    lead: usize,
    /// Bytes of the longest keyword.
    longest: usize,
    /// For each keyword, how far before it a match of its rules may begin, and
    /// how far behind it they look.
    reaches: Vec<(usize, usize)>,
    caches: Mutex<Vec<Vec<Option<Cache>>>>,
}

#[derive(Clone, Copy)]
struct Owner {
    rule: usize,
    lead: (usize, usize),
}

impl Matcher {
    /// Prepares a search for all rules of the set.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self::with(rules, Prefilter::new)
    }

    /// The same without SIMD: slower, and equal in everything it finds.
    pub fn portable(rules: Arc<RuleSet>) -> Self {
        Self::with(rules, Prefilter::portable)
    }

    fn with(rules: Arc<RuleSet>, prefilter: fn(&[Keyword]) -> Prefilter) -> Self {
        let mut known: HashMap<(&[u8], bool), usize> = HashMap::new();
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut owners: Vec<Vec<Owner>> = Vec::new();
        for (rule, compiled) in rules.rules.iter().map(|rule| &rule.compiled).enumerate() {
            for keyword in &compiled.keywords {
                let id = *known.entry((&keyword.text, keyword.fold)).or_insert_with(|| {
                    keywords.push(keyword.clone());
                    owners.push(Vec::new());
                    keywords.len() - 1
                });
                owners[id].push(Owner { rule, lead: keyword.lead });
            }
        }
        let lead = keywords.iter().map(|keyword| keyword.lead.1).max().unwrap_or(0);
        let lead = owners.iter().flatten().map(|owner| owner.lead.1).max().unwrap_or(lead);
        let reach = |owners: &Vec<Owner>| {
            let lead = owners.iter().map(|owner| owner.lead.1).max().unwrap_or(0);
            let spans = owners.iter().map(|owner| rules.rules[owner.rule].compiled.span + 1);
            (lead, spans.max().unwrap_or(0))
        };
        let reaches = owners.iter().map(reach).collect();
        let longest = keywords.iter().map(|keyword| keyword.text.len()).max().unwrap_or(1);
        Self {
            rules,
            prefilter: prefilter(&keywords),
            owners,
            keywords,
            lead,
            longest,
            reaches,
            caches: Mutex::default(),
        }
    }

    /// The distinct keywords that the prefilter looks for.
    pub fn keywords(&self) -> &[Keyword] {
        &self.keywords
    }

    /// The prefilter.
    pub fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// Calls `each` for every candidate that begins in the fresh part of the
    /// blob, rule by rule, each in the order of its matches.
    pub fn candidates<'b>(&'b self, blob: &'b Blob<'b>, mut each: impl FnMut(Candidate<'b>)) {
        let fresh = blob.fresh();
        let range = fresh.start..(fresh.end + self.lead).min(blob.bytes.len());
        let mut hits: Vec<(usize, usize)> = Vec::new();
        self.prefilter.search(blob.bytes, range, |keyword, at| hits.push((at, keyword)));
        if hits.is_empty() {
            return;
        }
        let mut scratch = Scratch::of(self);
        let mut attempts = Vec::new();
        for (at, keyword) in hits {
            for owner in &self.owners[keyword] {
                self.attempt(*owner, at, blob, &mut scratch, |attempt| attempts.push(attempt));
            }
        }
        self.confirm(blob, attempts, &mut scratch, &mut |found| {
            self.candidate(blob, found).into_iter().for_each(&mut each);
        });
    }

    /// What [`Matcher::candidates`] must find, found without a prefilter: each
    /// rule tried at each position. For tests; hundreds of times slower.
    pub fn candidates_unfiltered<'b>(
        &'b self,
        blob: &'b Blob<'b>,
        mut each: impl FnMut(Candidate<'b>),
    ) {
        let mut scratch = Scratch::of(self);
        let mut attempts = Vec::new();
        for start in blob.fresh() {
            for rule in 0..self.rules.rules.len() {
                let here = Owner { rule, lead: (0, 0) };
                self.attempt(here, start, blob, &mut scratch, |attempt| attempts.push(attempt));
            }
        }
        self.confirm(blob, attempts, &mut scratch, &mut |found| {
            self.candidate(blob, found).into_iter().for_each(&mut each);
        });
    }

    /// Notes the places where a keyword at `at` lets a rule's match begin.
    fn attempt(
        &self,
        owner: Owner,
        at: usize,
        blob: &Blob<'_>,
        scratch: &mut Scratch<'_>,
        mut note: impl FnMut(Attempt),
    ) {
        let rule = &self.rules.rules[owner.rule];
        for start in at.saturating_sub(owner.lead.1)..(at + 1).saturating_sub(owner.lead.0) {
            let begins = blob.fresh().contains(&start)
                && rule.may_begin_with(blob.bytes[start])
                && neighbours::before(rule.spec().before, blob.bytes, start);
            if begins && scratch.takes_path(rule, owner.rule, blob) {
                note((owner.rule, start));
            }
        }
    }

    /// Tries rules where they may begin. Returns false if there was something
    /// that [`Covered`] did not let it try.
    fn confirm(
        &self,
        blob: &Blob<'_>,
        mut attempts: Vec<Attempt>,
        scratch: &mut Scratch<'_>,
        each: &mut impl FnMut(Found),
    ) -> bool {
        attempts.sort_unstable();
        attempts.dedup();
        let (mut all, mut last, mut covered) = (true, usize::MAX, Covered::default());
        for (rule_index, start) in attempts {
            if rule_index != last {
                (last, covered) = (rule_index, Covered::default());
            }
            if !covered.lets(start) {
                all = false;
                continue;
            }
            let rule = &self.rules.rules[rule_index];
            let limit = (start + rule.compiled.span + 1).min(blob.bytes.len());
            let Some(end) = scratch.match_end(rule, rule_index, blob.bytes, start, limit) else {
                continue;
            };
            covered.add(start, end);
            let groups = rule
                .groups_in(blob.bytes, start, end)
                .filter(|groups| neighbours::after(rule.spec().after, blob.bytes, groups.secret.1));
            each(Found { rule: rule_index, span: (start, end), groups });
        }
        all
    }

    /// The candidate that a match is, if what stands behind it allows one.
    fn candidate<'b>(&'b self, blob: &'b Blob<'b>, found: Found) -> Option<Candidate<'b>> {
        let Groups { secret, user } = found.groups?;
        let rule = &self.rules.rules[found.rule];
        Some(Candidate { rule, rule_index: found.rule, blob, span: found.span, secret, user })
    }
}

/// A match, and what its groups caught if it may be a candidate.
#[derive(Clone, Copy)]
struct Found {
    rule: usize,
    span: (usize, usize),
    groups: Option<Groups>,
}

/// A rule, and where a match of it may begin.
type Attempt = (usize, usize);

/// The automata's memory, one for each rule: borrowed from the matcher when
/// the first keyword of a blob turns up, given back at its end.
struct Scratch<'m> {
    matcher: &'m Matcher,
    caches: Vec<Option<Cache>>,
    /// Whether a rule looks at the blob's path, as far as somebody asked.
    takes: Vec<Option<bool>>,
}

/// How far the matches of one rule reach, and how many began inside another.
///
/// A text that repeats a key a million times, each the value of the one
/// before, would make a rule walk its whole span a million times. A few
/// matches inside a match are looked at, for the true one may be among them.
#[derive(Clone, Copy, Default)]
struct Covered {
    end: usize,
    nested: u8,
}

impl Covered {
    const CAP: u8 = 8;

    fn lets(self, start: usize) -> bool {
        start >= self.end || self.nested < Self::CAP
    }

    fn is_full(self) -> bool {
        self.nested >= Self::CAP
    }

    fn add(&mut self, start: usize, end: usize) {
        if start >= self.end {
            *self = Self { end, nested: 0 };
        } else {
            self.nested += 1;
        }
    }
}

impl<'m> Scratch<'m> {
    fn of(matcher: &'m Matcher) -> Self {
        let rules = matcher.rules.rules.len();
        let mut free = matcher.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let caches = free.pop().unwrap_or_else(|| (0..rules).map(|_| None).collect());
        Self { matcher, caches, takes: vec![None; rules] }
    }

    /// True if the rule looks at files like the blob's.
    fn takes_path(&mut self, rule: &Rule, index: usize, blob: &Blob<'_>) -> bool {
        *self.takes[index].get_or_insert_with(|| rule.takes_path(blob.origin.known_path()))
    }

    /// End of the match of `rule` that begins at `start`.
    fn match_end(
        &mut self,
        rule: &Rule,
        index: usize,
        bytes: &[u8],
        start: usize,
        limit: usize,
    ) -> Option<usize> {
        let automaton = rule.automaton();
        let cache = self.caches[index].get_or_insert_with(|| automaton.create_cache());
        let input = Input::new(bytes).range(start..limit).anchored(Anchored::Yes);
        // No byte makes it quit, and its cache is cleared, not abandoned. If that
        // were ever wrong, the blob must count as failed and not as clean.
        let half =
            automaton.try_search_fwd(cache, &input).expect("an automaton that never gives up");
        half.map(|half| half.offset())
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // A panic may have left them half changed.
        if std::thread::panicking() {
            return;
        }
        let caches = std::mem::take(&mut self.caches);
        self.matcher.caches.lock().unwrap_or_else(PoisonError::into_inner).push(caches);
    }
}
