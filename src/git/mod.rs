//! Yields what a git repository remembers: every object that it holds, whether
//! or not anything leads to it.

mod layout;
pub(crate) mod store;

pub use layout::{Form, Layout, git_file, is_git_dir};
pub use store::Flaw;
pub use store::delta::Copied;
