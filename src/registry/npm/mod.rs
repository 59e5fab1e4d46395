//! npm's registry and those that speak its protocol.

pub mod account;
pub mod identity;
pub mod tokens;
