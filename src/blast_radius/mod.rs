//! What the holder of a credential could reach, and what became of it.

pub mod posture;
pub mod usage;
