//! Lists of bad versions: any bytes, no panic, and what a list names is known.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokensweep::indicators::{Known, parse};

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = parse("list", bytes) else { return };
    assert!(!list.npm.is_empty());
    let known = Known::of(std::slice::from_ref(&list));
    for bad in &list.npm {
        assert!(known.bad(&bad.name, &bad.version).is_some());
    }
});
