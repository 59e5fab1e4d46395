//! What the holder of a credential could reach, what became of it, and the way
//! out. `docs/blast-radius.md` tells users the rules.

pub mod posture;
pub mod plan;
pub mod rights;
pub mod severity;
mod tables;
mod words;

pub use tables::{
    Cell, Mark, PublishingAccess, UnpublishPolicy, publishing_access, unpublish_policy,
};
pub mod usage;
