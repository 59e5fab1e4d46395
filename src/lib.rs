//! tokensweep finds npm credentials and the other secrets that worms take.

pub mod context;
pub mod error;
pub mod matcher;
pub mod model;
pub mod report;
pub mod rules;
pub mod source;
pub mod verify;
