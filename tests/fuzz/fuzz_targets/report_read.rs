//! Reports that are read back: any bytes give findings or nothing, and what is
//! read can be written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokensweep::model::{FingerprintKey, Report};
use tokensweep::report::{self, Format, read};

/// Stand for the beginnings of the two forms that are read.
const WHOLE: &str = r#"{"tool":{"name":"tokensweep"},"findings":["#;
const ENTRY: &str = r#"{"type":"finding","rule":"r","kind":"k","fingerprint":"","secret":""#;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let text = text.replace('\u{1}', WHOLE).replace('\u{2}', ENTRY);
    let key = FingerprintKey::default();
    let Some(known) = read::read(text.as_bytes(), &key) else { return };
    let report = Report { findings: known.findings, ..Report::default() };
    for format in Format::ALL {
        let options = report::Options { show_secrets: true, ..report::Options::default() };
        let mut out = Vec::new();
        report::reporter(format, options).write(&report, &mut out).expect("memory takes all");
        if format == Format::Json {
            let again = read::read(&out, &key).expect("it reads what it writes");
            assert_eq!(again.findings.len() + again.masked, report.findings.len());
        }
    }
});
