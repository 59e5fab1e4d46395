//! The rule loader: any text gives rules or an error in words; what it lets
//! through can be searched with, and its examples can be run.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use tokensweep::matcher::Matcher;
use tokensweep::model::{Blob, Origin, OriginKind};
use tokensweep::pipeline::check_rules;
use tokensweep::rules::{RuleSet, load_text};

fuzz_target!(|input: &str| {
    // Half of the inputs are a whole file, half only a pattern and an example,
    // or the fuzzer would hardly ever get past the TOML.
    let text = match input.strip_prefix('\n') {
        Some(parts) => {
            let (pattern, example) = parts.split_once('\n').unwrap_or((parts, ""));
            if pattern.contains("'''") || example.contains("'''") {
                return;
            }
            format!(
                "issuer = 'x'\n[[rule]]\nid = 'x'\nname = 'x'\npattern = '''{pattern}'''\n\
                 confidence = 'low'\nseverity = 'low'\nexamples = ['''{example}''']\n\
                 counter_examples = ['x']\n"
            )
        }
        None => input.to_owned(),
    };
    let Ok(rules) = load_text("fuzz.toml", &text) else { return };
    let rules = RuleSet::of(rules);
    let matcher = Matcher::new(Arc::new(rules));
    let origin = Arc::new(Origin {
        target: 0,
        root: b"x".as_slice().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    });
    let mut found = Vec::new();
    matcher.candidates(&Blob::whole(&origin, text.as_bytes()), |it| found.push(it.span));
    let _ = check_rules("fuzz.toml", &text);
});
