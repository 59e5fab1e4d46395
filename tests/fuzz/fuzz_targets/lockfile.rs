//! Lockfiles: any bytes, any format, no panic, and what is pinned is found
//! again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokensweep::lockfile::read;

const NAMES: [&str; 5] =
    ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"];

fuzz_target!(|input: &[u8]| {
    let [name, bytes @ ..] = input else { return };
    let Ok(lock) = read(NAMES[usize::from(*name) % NAMES.len()], bytes) else { return };
    assert_eq!(lock.packages, lock.packages().count() as u64);
    for (name, version) in lock.packages() {
        let uses = lock.uses(name);
        let found = uses.iter().find(|one| one.version == version);
        let through = &found.expect("what is pinned is used").through;
        assert!(through.last().is_none_or(|last| last == name));
    }
});
