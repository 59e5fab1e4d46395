//! A stream that is searched window by window has the findings of the same
//! bytes searched as a whole, wherever the border falls.

#![no_main]

mod recipe;

use std::io::Read as _;

use libfuzzer_sys::fuzz_target;
use tokensweep::model::Report;
use tokensweep::pipeline::{Options, Scanner, scan};
use tokensweep::source::{self, Tally, Target, WINDOW};

fuzz_target!(|input: &[u8]| {
    let [a, b, filler, recipe @ ..] = input else { return };
    let text = recipe::text(recipe);
    let whole = Scanner::new(&Options::default()).unwrap();
    // The first window ends `before + WINDOW` bytes into the stream.
    let border = whole.margins().before + WINDOW;
    let shift = usize::from(u16::from_le_bytes([*a, *b])) % (text.len() + 1);
    let filler = [b'\n', b' ', b'a', b'='][usize::from(*filler) % 4];
    let mut stream = vec![filler; border - shift.min(border)];
    stream.extend_from_slice(&text);
    stream.resize(stream.len() + whole.margins().after, filler);
    whole.scan_bytes("-", &stream);
    let options = Options {
        source: source::Options { targets: vec![Target::Stdin], ..source::Options::default() },
        ..Options::default()
    };
    let streamed = scan(&options, &mut stream.as_slice().take(u64::MAX), &Tally::default());
    assert_eq!(found(&streamed.unwrap()), found(&whole.finish()));
});

/// What two reports must agree on; they differ in the name of the origin.
fn found(report: &Report) -> impl PartialEq + std::fmt::Debug + use<> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let places: Vec<_> = finding
                .locations
                .iter()
                .map(|at| (at.offset, at.line, at.column, at.length, at.variable.clone()))
                .collect();
            (
                finding.fingerprint,
                finding.rule.clone(),
                finding.confidence,
                finding.registry.clone(),
                finding.username.clone(),
                places,
            )
        })
        .collect();
    (findings, report.rejected.clone())
}
