//! Puts hooks in place and takes them away again. What stands there already is
//! moved aside and called first, never overwritten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{Folder, Owner, global_folder};
use super::{Kind, script};
use crate::error::{Error, Result};
use crate::git::{Layout, is_git_dir};

/// For whom a hook is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// For one repository; `force` writes to a folder that others use too.
    Repository {
        /// The repository.
        layout: &'a Layout,
        /// Write to the folder that git looks in, whoever uses it.
        force: bool,
    },
    /// For all repositories of the user.
    Global,
}

/// What a call changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The hook's file.
    pub file: PathBuf,
    /// What became of it.
    pub change: Change,
    /// The hook that was there before, where it is now.
    pub chained: Option<PathBuf>,
}

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Written,
    /// It was there in another version.
    Updated,
    /// It was there already.
    Kept,
    /// It is gone.
    Removed,
    /// There was none of ours.
    Absent,
}

/// Installs a hook that calls the program at `tool`.
///
/// # Errors
/// A folder that is not ours to write to, or cannot be written to; hooks of
/// others that leave no room.
pub fn install(kind: Kind, tool: &Path, scope: Scope<'_>) -> Result<Installed> {
    let folder = writable(kind, scope)?;
    let file = folder.join(kind.name());
    let text = script::text(kind, tool, scope == Scope::Global);
    let before = aside(&file, script::BEFORE);
    let legacy = aside(&file, ".legacy");
    if is_called(&legacy, &file) {
        // pre-commit moved ours there, and calls it.
        return Ok(Installed { file, change: Change::Kept, chained: None });
    }
    let chained = || Some(before.clone()).filter(|path| is_there(path));
    let change = match fs::read(&file) {
        Ok(old) if old == text && is_executable(&file) => Change::Kept,
        Ok(old) if script::is_ours(&old) => {
            replace(&file, &text, None)?;
            Change::Updated
        }
        _ if !is_there(&file) => {
            replace(&file, &text, None)?;
            Change::Written
        }
        _ if is_there(&before) => {
            return Err(Error::new(format!(
                "there is a hook at {} and one that was there before it at {}",
                file.display(),
                before.display()
            ))
            .hint("delete the one that is not needed any more, and install again"));
        }
        _ => {
            replace(&file, &text, Some(&before))?;
            Change::Written
        }
    };
    Ok(Installed { chained: chained(), file, change })
}

/// True if a hook of ours stands at `legacy`, and the one at `file` calls it.
pub(super) fn is_called(legacy: &Path, file: &Path) -> bool {
    let reads = |path, holds: fn(&[u8]) -> bool| {
        is_executable(path) && fs::read(path).is_ok_and(|text| holds(&text))
    };
    reads(legacy, script::is_ours) && reads(file, script::calls_legacy)
}

/// Takes a hook of ours away, and puts back what was there before it.
///
/// # Errors
/// A folder that cannot be written to.
pub fn uninstall(kind: Kind, scope: Scope<'_>) -> Result<Installed> {
    let folder = match scope {
        Scope::Repository { layout, .. } => Folder::of(layout)?.path,
        Scope::Global => shared_folder()?,
    };
    let file = folder.join(kind.name());
    if !fs::read(&file).is_ok_and(|text| script::is_ours(&text)) {
        return Ok(Installed { file, change: Change::Absent, chained: None });
    }
    let before = aside(&file, script::BEFORE);
    let outcome =
        if is_there(&before) { fs::rename(&before, &file) } else { fs::remove_file(&file) };
    outcome.map_err(|why| cannot("take away", &file, &why))?;
    Ok(Installed {
        chained: Some(file.clone()).filter(|path| is_there(path)),
        file,
        change: Change::Removed,
    })
}

/// The folder for hooks of all repositories: the one that the user's settings
/// name, or the one that they should name.
pub(super) fn shared_folder() -> Result<PathBuf> {
    if let Some(folder) = global_folder()? {
        return Ok(folder);
    }
    let base = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty());
    let base = base.map(PathBuf::from);
    base.or_else(|| Some(std::env::home_dir()?.join(".config")))
        .map(|base| base.join("git").join("hooks"))
        .ok_or_else(|| Error::new("there is no home directory to install hooks in"))
}

/// The folder to write to, if we may.
fn writable(kind: Kind, scope: Scope<'_>) -> Result<PathBuf> {
    let Scope::Repository { layout, force } = scope else {
        let folder = shared_folder()?;
        if folder.parent().is_some_and(is_git_dir) {
            let folder = folder.display();
            return Err(Error::new(format!("{folder} is the folder of one repository")));
        }
        return Ok(folder);
    };
    let folder = Folder::of(layout)?;
    if folder.owner == Owner::Nobody {
        let by = folder.named_by.map(|file| format!(" in {}", file.display())).unwrap_or_default();
        return Err(Error::new(format!("core.hooksPath is empty{by}, so git runs no hooks")).hint(
            "take it away: git config --unset core.hooksPath, with --global if it stands there",
        ));
    }
    let (path, name) = (folder.path.display(), kind.name());
    let by = folder.named_by.as_ref().map(|file| format!(" in {}", file.display()));
    let looks = format!("git looks for hooks in {path} (core.hooksPath{})", by.unwrap_or_default());
    let line = format!("tokensweep hook run {name} \"$@\"");
    match &folder.owner {
        Owner::Husky(husky) => Err(Error::new(format!("{looks}, which husky writes anew"))
            .hint(format!("add this line to {}:\n    {line}", husky.join(name).display()))),
        _ if force => Ok(folder.path),
        Owner::Repository => Ok(folder.path),
        Owner::Project => Err(Error::new(format!("{looks}, which belongs to the project"))
            .hint(format!("add this line to {path}/{name}:\n    {line}\n  or write a hook there: --force"))),
        Owner::Shared | Owner::Nobody => Err(Error::new(format!("{looks}, not in this repository"))
            .hint("install it there for all repositories: --global, or --force if the folder is not yours alone")),
    }
}

/// Writes a hook in one step, so that git never sees half of it; what stands
/// there is moved to `before` first.
fn replace(file: &Path, text: &[u8], before: Option<&Path>) -> Result<()> {
    let new = aside(file, ".tokensweep-new");
    let written = (|| {
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        fs::write(&new, text)?;
        make_executable(&new)?;
        if let Some(before) = before {
            fs::rename(file, before)?;
        }
        fs::rename(&new, file).inspect_err(|_| {
            before.map(|before| fs::rename(before, file));
        })
    })();
    written.map_err(|why| {
        let _ = fs::remove_file(&new);
        cannot("write", file, &why)
    })
}

fn cannot(what: &str, file: &Path, why: &io::Error) -> Error {
    Error::new(format!("cannot {what} the hook {}: {why}", file.display()))
}

/// The same path with more at its end.
pub(super) fn aside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// True if anything is there, a link that leads nowhere among it.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn make_executable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// True if git would run it.
pub(super) fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    metadata.is_file()
}
