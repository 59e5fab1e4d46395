//! TOML → a checked, compiled [`RuleSet`].

pub mod example;
pub mod fragments;
pub mod spec;
