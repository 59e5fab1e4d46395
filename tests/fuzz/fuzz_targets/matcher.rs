//! The search: with SIMD, without, and without any prefilter, the same matches;
//! all inside the text; and whatever the text is, a report.

#![no_main]

mod recipe;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tokensweep::matcher::{Candidate, Matcher};
use tokensweep::model::{Blob, Origin, OriginKind};
use tokensweep::pipeline::{Options, Scanner};
use tokensweep::rules::RuleSet;

/// Without a prefilter every rule is tried everywhere, which takes its time:
/// only for texts up to this length, and one in eight of them.
const SHORT: usize = 256;

static MATCHERS: LazyLock<[Matcher; 2]> = LazyLock::new(|| {
    let rules = Arc::new(RuleSet::shipped());
    [Matcher::new(Arc::clone(&rules)), Matcher::portable(rules)]
});

fuzz_target!(|input: &[u8]| {
    let text = recipe::text(input);
    let origin = Arc::new(Origin {
        target: 0,
        root: b".npmrc".as_slice().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    });
    let blob = Blob::whole(&origin, &text);
    let [simd, portable] = &*MATCHERS;
    let found = matches(|each| simd.candidates(&blob, each));
    assert_eq!(found, matches(|each| portable.candidates(&blob, each)));
    if text.len() <= SHORT && input.first().is_some_and(|byte| byte % 8 == 0) {
        assert_eq!(found, matches(|each| simd.candidates_unfiltered(&blob, each)));
    }
    for &(_, span, secret) in &found {
        assert!(span.0 <= secret.0 && secret.0 < secret.1 && secret.1 <= span.1);
        assert!(span.1 <= text.len());
    }
    if found.is_empty() {
        return; // A scanner takes its time to make, and would have nothing to do.
    }
    let scanner = Scanner::new(&Options::default()).unwrap();
    scanner.scan_bytes(".npmrc", &text);
    for finding in scanner.finish().findings {
        for place in finding.locations {
            let start = place.offset as usize;
            assert!(text.get(start..start + place.length).is_some());
        }
    }
});

type Match = (usize, (usize, usize), (usize, usize));

fn matches<'b>(search: impl FnOnce(&mut dyn FnMut(Candidate<'b>))) -> Vec<Match> {
    let mut found = Vec::new();
    search(&mut |candidate| found.push((candidate.rule_index, candidate.span, candidate.secret)));
    found.sort_unstable();
    found.dedup();
    found
}
