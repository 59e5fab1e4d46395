//! Broken, strange and hostile repositories: what can be read is searched, what
//! cannot is named, nothing crashes, hangs or eats the memory, and nothing of
//! theirs is run.

#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;

mod bytes;
mod hand;
mod owed;
mod packs;
mod repositories;
mod shapes;
mod stores;

/// The name of an object that is none.
const NOBODY: hand::Oid = [0x11; 20];
