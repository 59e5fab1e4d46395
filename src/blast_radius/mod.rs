//! What the holder of a credential could reach.

pub mod home;
