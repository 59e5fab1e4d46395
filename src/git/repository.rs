//! A repository as it is read here: its folders, its form, its objects.

use std::collections::HashSet;
use std::path::PathBuf;

use gix::ObjectId;

use super::layout::{Form, Layout};
use super::store::Store;
use crate::model::{Skip, SkipReason, path_to_bytes};

/// A repository that has been opened. Nothing that it says is ever run.
pub struct Repository {
    /// Where its parts lie.
    pub layout: Layout,
    /// What decides how it is read.
    pub form: Form,
    /// What of it could not be opened.
    pub gaps: Vec<Skip>,
    /// Commits whose parents were left out when it was cloned.
    pub(crate) shallow: HashSet<ObjectId>,
    pub(crate) store: Store,
}

impl Repository {
    /// Opens what is there; what cannot be opened is a gap. Objects are also
    /// looked for in the folders of `more`, as git's own hooks need it.
    pub fn open(layout: &Layout, more: &[PathBuf]) -> Self {
        let form = layout.form();
        let folders = [&[layout.objects()], more].concat();
        let store = Store::open(&folders, form.hash);
        let corrupt = |path: &PathBuf, detail: &str| Skip {
            reason: SkipReason::GitCorrupt,
            path: path_to_bytes(path),
            detail: detail.to_owned(),
        };
        let mut gaps: Vec<Skip> =
            store.flaws.iter().map(|(path, why)| corrupt(path, why)).collect();
        if !form.readable {
            let settings = layout.common_dir.join("config");
            gaps.push(corrupt(&settings, "settings that cannot be parsed"));
        }
        let layout = layout.clone();
        Self { shallow: shallow(&layout), layout, form, gaps, store }
    }
}

/// The commits that the file `shallow` names.
fn shallow(layout: &Layout) -> HashSet<ObjectId> {
    let list = super::store::read(&layout.common_dir.join("shallow")).unwrap_or_default();
    list.split(|&b| b == b'\n')
        .filter_map(|line| ObjectId::from_hex(line.trim_ascii()).ok())
        .collect()
}
