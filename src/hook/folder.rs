//! Where git looks for hooks: in the repository, unless `core.hooksPath` says
//! otherwise. Git itself is not asked, so nothing is run.

use std::path::{Path, PathBuf};

use gix::config::file::{Metadata, includes, init};
use gix::config::source::Kind as SourceKind;
use gix::config::{File, Source, path::interpolate};
use gix::refs::FullName;

use super::Kind;
use crate::error::{Error, Result};
use crate::git::Layout;

const KEY: &str = "core.hooksPath";

/// The folder in which git looks for hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it lies.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Owner,
    /// The file that names the folder, if one does.
    pub named_by: Option<PathBuf>,
}

/// To whom a folder of hooks belongs, which decides whether we write to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The repository alone: nobody else's hooks are there.
    Repository,
    /// husky, which writes the folder anew and calls the files in this one.
    Husky(PathBuf),
    /// The project: the folder lies in the work tree, and others get it too.
    Project,
    /// All repositories of the user, or of the machine.
    Shared,
    /// Nobody: `core.hooksPath` is empty, and git runs no hook at all.
    Nobody,
}

impl Folder {
    /// Where git looks for the hooks of this repository.
    ///
    /// # Errors
    /// Settings that cannot be read.
    pub fn of(layout: &Layout) -> Result<Self> {
        let settings = settings(Some(layout))?;
        let own = layout.common_dir.join("hooks");
        let Some((path, named_by)) = hooks_path(&settings, |_| true)? else {
            return Ok(Self { path: own, owner: Owner::Repository, named_by: None });
        };
        if path.as_os_str().is_empty() {
            return Ok(Self { path, owner: Owner::Nobody, named_by });
        }
        // Git runs hooks at the root of the work tree.
        let path = plain(&layout.work_tree.as_ref().unwrap_or(&layout.git_dir).join(path));
        let owner = owner(&path, layout);
        Ok(Self { path, owner, named_by })
    }

    /// Where git looks for this hook, as far as this folder goes.
    pub fn file(&self, kind: Kind) -> PathBuf {
        self.path.join(kind.name())
    }
}

/// The folder that the user's own settings name for all repositories.
///
/// # Errors
/// Settings that cannot be read; a folder that is another one in each
/// repository.
pub fn global_folder() -> Result<Option<PathBuf>> {
    let settings = settings(None)?;
    let global = |meta: &Metadata| meta.source.kind() == SourceKind::Global;
    match hooks_path(&settings, global)? {
        Some((path, _)) if path.as_os_str().is_empty() => Err(Error::new(format!(
            "{KEY} is empty in your git settings, so git runs no hooks"
        ))
        .hint(format!("git config --global --unset {KEY}"))),
        Some((path, _)) if path.is_relative() => Err(Error::new(format!(
            "your git settings name the folder {} for hooks, which is another one in each repository",
            path.display()
        ))
        .hint("name one with an absolute path: git config --global core.hooksPath FOLDER")),
        found => Ok(found.map(|(path, _)| path)),
    }
}

fn owner(path: &Path, layout: &Layout) -> Owner {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| plain(path));
    let (folder, common) = (real(path), real(&layout.common_dir));
    if folder.starts_with(&common) {
        return Owner::Repository;
    }
    let Some(root) = layout.work_tree.as_deref().map(real) else { return Owner::Shared };
    if !folder.starts_with(&root) {
        return Owner::Shared;
    }
    let husky = path.ancestors().take(2).find(|part| part.ends_with(".husky"));
    husky.map_or(Owner::Project, |folder| Owner::Husky(folder.to_path_buf()))
}

/// A path without `.` and `..`, whether or not it is there.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(out.pop()),
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// The folder that the settings name, and the file that does.
fn hooks_path(
    settings: &File,
    which: impl Fn(&Metadata) -> bool,
) -> Result<Option<(PathBuf, Option<PathBuf>)>> {
    let found = settings.raw_value_with_section_filter(KEY, |meta| which(meta));
    let Ok((value, section)) = found else { return Ok(None) };
    if value.is_empty() {
        return Ok(Some((PathBuf::new(), section.meta().path.clone())));
    }
    let shown = value.to_string();
    let home = home();
    let path = gix::config::Path::from(value)
        .interpolate(context(home.as_deref()))
        .map_err(|why| Error::new(format!("cannot tell where {KEY} = {shown} leads to: {why}")))?;
    Ok(Some((path, section.meta().path.clone())))
}

/// The values of a setting that a remote has, with the remote's name.
pub(super) fn of_remotes(layout: &Layout, names: &[&str]) -> Vec<(String, String)> {
    let Ok(settings) = settings(Some(layout)) else { return Vec::new() };
    let Some(sections) = settings.sections_by_name("remote") else { return Vec::new() };
    let mut found = Vec::new();
    for section in sections {
        let Some(remote) = section.header().subsection_name() else { continue };
        for value in names.iter().flat_map(|name| section.values(name)) {
            found.push((remote.to_string(), value.to_string()));
        }
    }
    found
}

/// Git's settings as they are for a repository, or outside of any, weakest
/// first. Those that belong to an installation of git are left out: they can
/// only be found by running it.
fn settings(layout: Option<&Layout>) -> Result<File> {
    let mut env = |name: &str| std::env::var_os(name);
    let mut files: Vec<(PathBuf, Source)> = [Source::System, Source::Git, Source::User]
        .into_iter()
        .filter_map(|source| Some((source.storage_location(&mut env)?, source)))
        .collect();
    if let Some(layout) = layout {
        let local = layout.common_dir.join("config");
        let own = has_worktree_settings(&local);
        files.push((local, Source::Local));
        if own {
            files.push((layout.git_dir.join("config.worktree"), Source::Worktree));
        }
    }
    let files = files.into_iter().filter(|(path, _)| path.is_file());
    let mut metas = files.map(|(path, source)| Metadata::from(source).at(path));
    let (home, branch) = (home(), layout.and_then(branch));
    let options = init::Options {
        includes: includes::Options::follow(
            context(home.as_deref()),
            includes::conditional::Context {
                git_dir: layout.map(|layout| layout.git_dir.as_path()),
                branch_name: branch.as_ref().map(FullName::as_ref),
            },
        ),
        ignore_io_errors: true,
        ..Default::default()
    };
    let wrong = |why| Error::new(format!("cannot read git's settings: {why}"));
    let found = File::from_paths_metadata_buf(&mut metas, &mut Vec::new(), false, options);
    let mut settings = found.map_err(wrong)?.unwrap_or_default();
    if let Some(over) = File::from_env(init::Options::default()).map_err(wrong)? {
        settings.append(over).map_err(wrong)?;
    }
    Ok(settings)
}

/// True if a repository says that its work trees have settings of their own.
fn has_worktree_settings(config: &Path) -> bool {
    let found = File::from_path_no_includes(config.to_path_buf(), Source::Local).ok();
    let value = found.and_then(|found| found.boolean("extensions.worktreeConfig").ok());
    value.flatten().unwrap_or(false)
}

fn home() -> Option<PathBuf> {
    std::env::home_dir()
}

fn context(home: Option<&Path>) -> interpolate::Context<'_> {
    interpolate::Context {
        git_install_dir: None,
        home_dir: home,
        home_for_user: Some(interpolate::home_for_user),
    }
}

/// The branch that is checked out, which conditions in settings may ask for.
fn branch(layout: &Layout) -> Option<FullName> {
    let head = std::fs::read_to_string(layout.git_dir.join("HEAD")).ok()?;
    head.strip_prefix("ref:")?.trim().try_into().ok()
}
