//! Asks services about credentials, and reads what they answer.
//!
//! The adapters are plain functions: they make a [`Request`], hand it to an
//! [`Ask`] and read the [`Answer`]. Only [`client`] talks to a network, and it
//! decides alone whether a request may leave: adapters cannot get around it.

pub mod address;
pub mod client;
pub mod declared;
pub mod github;
pub mod hosts;
pub mod journal;
pub mod npm;
mod pace;
pub mod proxy;
mod request;
pub mod sigv4;

pub use request::{Answer, Ask, Carried, Method, NoAnswer, Request, shares_a_piece};

/// The host of npm's download counts: the one place in the code that spells it.
pub const NPM_DOWNLOADS: &str = concat!("api", ".npmjs.", "org");
