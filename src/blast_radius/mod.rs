//! From what was learnt of a credential to what it means, and to what to do.
//!
//! Everything here is pure: others ask, this room draws the conclusions.
//! `docs/blast-radius.md` tells users the rules.

pub mod across;
pub mod explain;
pub mod graph;
pub mod plan;
pub mod rights;
pub mod severity;
mod tables;
mod words;

pub use tables::{
    Cell, Mark, PublishingAccess, UnpublishPolicy, publishing_access, sources, unpublish_policy,
};
