//! The grammars around a value: any bytes, any place in them, no panic, and
//! what they name stands there or is npm's own.

#![no_main]

mod recipe;

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use tokensweep::context::{date_near, npm, url, variable};

const PATHS: [&[u8]; 5] = [b".npmrc", b"a/.yarnrc.yml", b"rc", b"package-lock.json", b"\xff/x.log"];

fuzz_target!(|input: &[u8]| {
    let [a, b, length, path, recipe @ ..] = input else { return };
    let text = recipe::text(recipe);
    let start = usize::from(u16::from_le_bytes([*a, *b])) % (text.len() + 1);
    let end = (start + usize::from(*length)).min(text.len());
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let key = variable(&text, start);
    if let Some(slot) = npm::slot(&text, (start, end), key.as_deref(), Some(path)) {
        assert!(!slot.named || slot.registry.is_some());
    }
    npm::slot(&text, (start, end), None, Some(path));
    if let Some(host) = url::host(&text[start..]) {
        assert!(host.len() <= 253 && host.is_ascii());
    }
    url::user_before(&text, start);
    url::decode(&text[start..end]);
    date_near(&text, start, path, date(2026, 1, 1));
    date_near(&text, start, &text, date(2026, 1, 1));
});
