//! Everything that npm's registry answers: whatever it says, to whatever
//! question, nobody panics, and no report tells the token.

#![no_main]

mod tape;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tape::Tape;
use tokensweep::blast_radius::{self, Options};
use tokensweep::model::{FingerprintKey, NPM_REGISTRY, Report};
use tokensweep::registry::npm::identity::Bound;
use tokensweep::registry::npm::{account, public, tokens};
use tokensweep::report::{self, Format, read};
use tokensweep::rules::example::fill;
use tokensweep::validate;

/// A day of 2026.
const NOW: i64 = 1_790_000_000;

static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let example = fill("npm_{alnum:30}{crc}", 1).expect("a template of the shipped rules");
    String::from_utf8(example.text).expect("letters and digits")
});

fuzz_target!(|input: &[u8]| {
    let [what, input @ ..] = input else { return };
    let tape = Tape::new(input, TOKEN.as_bytes());
    let mut report = found();
    let bound = Bound { secret: &report.findings[0].secret, host: NPM_REGISTRY };
    // Behind `whoami` the fuzzer would hardly come to the others.
    match what % 10 {
        0 => drop(account::profile(&tape, &bound)),
        1 => drop(account::user_packages(&tape, &bound, "alice")),
        2 => drop(account::reads(&tape, &bound, "@a/b")),
        3 => drop(tokens::facts(&tape, &bound)),
        4 => drop(public::packument(&tape, NPM_REGISTRY, "a")),
        5 => drop(public::downloads(&tape, &["a", "@a/b"])),
        6 => drop(public::attestation(&tape, NPM_REGISTRY, "a", "1.0.0")),
        7 => drop(public::search(&tape, NPM_REGISTRY, "alice")),
        _ => {
            assess(&tape, &mut report);
            // One format at a time: a report is dear.
            assert_keeps(&report, Format::ALL[usize::from(what / 10) % Format::ALL.len()]);
        }
    }
});

fn found() -> Report {
    let line = format!(
        r#"{{"type":"finding","rule":"npm-access-token","kind":"npm-access-token","service":"npm",
        "secret":"{0}","fingerprint":"","checksum":"valid","host":"{1}","registry":"{1}"}}"#,
        *TOKEN, NPM_REGISTRY
    );
    let line = line.replace('\n', "");
    let known = read::read(line.as_bytes(), &FingerprintKey::default()).expect("one finding");
    Report { findings: known.findings, ..Report::default() }
}

fn assess(tape: &Tape, report: &mut Report) {
    let asked = validate::Options { per_host: 1, armed: false, now: NOW };
    validate::validate(&mut report.findings, tape, asked, &|_| {});
    let options = Options {
        now: NOW,
        since: Some(NOW - 30 * 86_400),
        packages: 3,
        rehearsal: false,
        names: BTreeSet::from(["a".to_owned()]),
        listed: &|_| true,
        known_bad: &|_, _| None,
        step: &|_| {},
    };
    blast_radius::assess(report, tape, tape, &options);
    blast_radius::conclude(report);
}

fn assert_keeps(report: &Report, format: Format) {
    let options = report::Options { verbose: true, ..report::Options::default() };
    let mut out = Vec::new();
    report::reporter(format, options).write(report, &mut out).expect("memory takes all");
    let told = out.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
    assert!(!told, "the token stands in {format}");
}
