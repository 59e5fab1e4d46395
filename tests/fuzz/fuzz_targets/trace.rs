//! The search of a blob that is told as a delta of another finds what a search
//! of the whole does, along a chain of them.

#![no_main]

mod git;
mod recipe;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tokensweep::git::fuzzing::delta;
use tokensweep::matcher::Matcher;
use tokensweep::model::{Blob, Origin, OriginKind};
use tokensweep::rules::RuleSet;

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(Arc::new(RuleSet::shipped())));

fuzz_target!(|input: &[u8]| {
    let origin = Arc::new(Origin {
        target: 0,
        root: b".npmrc".as_slice().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    });
    let mut rest = input;
    let mut base = recipe::text(git::run(&mut rest));
    let mut trace = MATCHER.trace(&Blob::whole(&origin, &base), None);
    // Each step may make twice as much of the last one, and more.
    for _ in 0..4 {
        let (commands, made) = git::delta(&base, git::run(&mut rest), recipe::text);
        let (_, applied, copied) = delta(&commands, &base).unwrap();
        assert_eq!(applied, made);
        let blob = Blob::whole(&origin, &made);
        let told = MATCHER.trace(&blob, Some((&trace, &copied)));
        assert_eq!(told, MATCHER.trace(&blob, None));
        (base, trace) = (made, told);
    }
});
