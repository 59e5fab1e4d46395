//! What the holder of a credential could reach, what became of it, and the way
//! out. `docs/blast-radius.md` tells users the rules.

pub mod across;
mod assess;
mod closely;
pub mod explain;
pub mod graph;
mod history;
pub mod home;
pub mod plan;
pub mod posture;
mod reach;
pub mod rights;
pub mod severity;
mod survey;
mod tables;
pub mod usage;
mod words;

pub use assess::{Options, assess, at_home, conclude};
pub use tables::{
    Cell, Mark, PublishingAccess, UnpublishPolicy, publishing_access, sources, unpublish_policy,
};
