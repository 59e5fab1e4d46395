//! npm's registry and those that speak its protocol.

pub mod account;
pub mod identity;
mod keep;
mod lenient;
pub mod names;
pub mod packument;
pub mod public;
pub mod repository;
mod rows;
mod search;
pub mod tokens;
