//! npm's registry and those that speak its protocol.

pub mod identity;
