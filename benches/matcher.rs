//! The whole search: keywords, patterns at their hits, neighbours, and then
//! the verification of every candidate.

mod corpus;

use std::sync::Arc;

use divan::{Bencher, black_box, counter::BytesCount};
use tokensweep::matcher::Matcher;
use tokensweep::model::{Blob, Origin, OriginKind};
use tokensweep::pipeline::{Options, Scanner};
use tokensweep::rules::RuleSet;
use tokensweep::verify::{self, Verdict, Verifier};

use corpus::{Kind, kinds};

fn main() {
    divan::main();
}

#[divan::bench(args = kinds())]
fn candidates(bencher: Bencher<'_, '_>, kind: &Kind) {
    let matcher = Matcher::new(Arc::new(RuleSet::shipped()));
    let (text, origin) = (kind.text(), origin());
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut count = 0;
        matcher.candidates(&Blob::whole(&origin, black_box(&text)), |_| count += 1);
        count
    });
}

#[divan::bench(args = kinds())]
fn verified(bencher: Bencher<'_, '_>, kind: &Kind) {
    let matcher = Matcher::new(Arc::new(RuleSet::shipped()));
    let verifier = Verifier::new(verify::Options::default());
    let (text, origin) = (kind.text(), origin());
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut kept = 0;
        matcher.candidates(&Blob::whole(&origin, black_box(&text)), |candidate| {
            kept += usize::from(matches!(verifier.check(&candidate), Verdict::Kept(_)));
        });
        kept
    });
}

/// Everything from the bytes to the folded findings.
#[divan::bench(args = kinds())]
fn scanner(bencher: Bencher<'_, '_>, kind: &Kind) {
    let scanner = Scanner::new(&Options::default()).expect("the shipped rules load");
    let text = kind.text();
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| scanner.scan_bytes("bench", black_box(&text)));
}

/// What a start of the program pays before it reads the first byte.
#[divan::bench]
fn preparation() -> Scanner {
    Scanner::new(&Options::default()).expect("the shipped rules load")
}

fn origin() -> Arc<Origin> {
    Arc::new(Origin {
        target: 0,
        root: b"bench".as_slice().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    })
}
