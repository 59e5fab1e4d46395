//! How fast the keywords of all shipped rules are found: the bar is 3 GB/s of
//! source text on one core.

mod corpus;

use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use divan::{Bencher, black_box, counter::BytesCount};
use tokensweep::matcher::{Matcher, prefilter::Prefilter};
use tokensweep::rules::{Keyword, RuleSet};

use corpus::{Kind, kinds};

fn main() {
    let keywords = keywords();
    println!("{} keywords", keywords.len());
    for kind in kinds() {
        let (text, prefilter) = (kind.text(), Prefilter::new(&keywords));
        let mut hits = 0;
        prefilter.search(&text, 0..text.len(), |_, _| hits += 1);
        let (all, passed) = (text.len(), prefilter.sieved(&text));
        println!("{kind}: of {all} positions, past the sieves {passed:?}, hits {hits}");
    }
    divan::main();
}

fn keywords() -> Vec<Keyword> {
    Matcher::new(Arc::new(RuleSet::shipped())).keywords().to_vec()
}

#[divan::bench(args = kinds())]
fn simd(bencher: Bencher<'_, '_>, kind: &Kind) {
    ours(bencher, *kind, Prefilter::new);
}

#[divan::bench(args = kinds())]
fn portable(bencher: Bencher<'_, '_>, kind: &Kind) {
    ours(bencher, *kind, Prefilter::portable);
}

fn ours(bencher: Bencher<'_, '_>, kind: Kind, make: fn(&[Keyword]) -> Prefilter) {
    let (text, prefilter) = (kind.text(), make(&keywords()));
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut hits = 0;
        prefilter.search(black_box(&text), 0..text.len(), |_, _| hits += 1);
        hits
    });
}

#[divan::bench(args = kinds())]
fn aho_corasick_dfa(bencher: Bencher<'_, '_>, kind: &Kind) {
    theirs(bencher, *kind, AhoCorasickKind::DFA);
}

#[divan::bench(args = kinds())]
fn aho_corasick_nfa(bencher: Bencher<'_, '_>, kind: &Kind) {
    theirs(bencher, *kind, AhoCorasickKind::ContiguousNFA);
}

fn theirs(bencher: Bencher<'_, '_>, kind: Kind, automaton: AhoCorasickKind) {
    let text = kind.text();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(automaton))
        .build(keywords().into_iter().map(|keyword| keyword.text))
        .expect("a few hundred keywords fit");
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| automaton.find_iter(black_box(&text)).count());
}

/// What a start of the program pays for it.
#[divan::bench]
fn preparation(bencher: Bencher<'_, '_>) {
    let keywords = keywords();
    bencher.bench_local(|| Prefilter::new(black_box(&keywords)));
}
