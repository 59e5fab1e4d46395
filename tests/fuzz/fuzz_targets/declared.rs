//! The shipped checks of other services: any answer is read, none panics, and
//! what is kept of it holds no secret.

#![no_main]

mod tape;

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use tape::Tape;
use tokensweep::model::{Mask, Secret};
use tokensweep::registry::declared::{Inputs, identify};
use tokensweep::rules::checks;

/// Stand for a credential and for one that goes with it.
const OWN: &[u8] = b"AKIA-own-secret-0123456789-abcdefgh";
const OTHER: &[u8] = b"AKIA-its-companion-9876543210-hgfed";

fuzz_target!(|input: &[u8]| {
    let [flags, input @ ..] = input else { return };
    let tape = Tape::new(input, if flags & 1 == 0 { OWN } else { OTHER });
    let (own, other) = (Secret::new(OWN, Mask::Ends), Secret::new(OTHER, Mask::Ends));
    for check in checks() {
        let kinds = check.companion_kinds().map(|kind| (kind.clone(), &other));
        let companions: BTreeMap<String, &Secret> = kinds.collect();
        let inputs = Inputs {
            secret: &own,
            user: (flags & 2 == 0).then_some("alice"),
            host: (flags & 4 != 0).then_some("own.example"),
            companions: &companions,
            now: 1_790_000_000,
        };
        let told = format!("{:?}", identify(&tape, check, &inputs));
        for secret in [OWN, OTHER] {
            let secret = std::str::from_utf8(secret).expect("text");
            assert!(!told.contains(secret), "{}: {told}", check.id);
        }
    }
});
