//! tokensweep finds npm credentials and the other secrets that worms take.

pub mod cli;
pub mod config;
pub mod context;
pub mod error;
pub mod matcher;
pub mod model;
pub mod pipeline;
pub mod report;
pub mod rules;
pub mod source;
pub mod suppress;
pub mod verify;
