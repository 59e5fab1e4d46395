//! npm's registry and those that speak its protocol.

pub mod identity;
mod lenient;
mod names;
pub mod packument;
pub mod public;
pub mod repository;
mod search;
