//! Whether a hook guards anything: it is there, git looks there, and the
//! program that it calls is there.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{Folder, Owner};
use super::install::{aside, is_called, is_executable};
use super::{Kind, script};

/// What stands where git looks for a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing that git would run.
    None,
    /// A hook of somebody else's that does not call this program.
    Other(PathBuf),
    /// A hook of somebody else's, or a file that it calls, with a line that
    /// calls this program.
    ByOther(PathBuf),
    /// A program that runs hooks, whose own settings say which.
    Unclear(PathBuf),
    /// Ours.
    Own {
        /// The hook's file.
        file: PathBuf,
        /// The program that it calls.
        tool: Tool,
        /// The hook that it calls first.
        chained: Option<PathBuf>,
    },
}

/// The program that a hook of ours calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// This very program.
    This(PathBuf),
    /// Another one of its name; it is not run to ask for its version.
    Another(PathBuf),
    /// None: every push is refused until there is one.
    Gone(PathBuf),
}

impl Guard {
    /// True if the hook looks at what passes.
    pub fn is_effective(&self) -> bool {
        match self {
            Self::ByOther(_) => true,
            Self::Own { tool, .. } => !matches!(tool, Tool::Gone(_)),
            Self::None | Self::Other(_) | Self::Unclear(_) => false,
        }
    }
}

/// What guards `kind` where git looks, if `this` is the program that runs.
pub fn guard(kind: Kind, folder: &Folder, this: &Path) -> Guard {
    let file = folder.file(kind);
    if let Owner::Husky(husky) = &folder.owner {
        return of_husky(kind, &husky.join(kind.name()), &file);
    }
    if folder.owner == Owner::Nobody || !is_executable(&file) {
        return Guard::None;
    }
    let text = fs::read(&file).unwrap_or_default();
    if !script::is_ours(&text) {
        return of_other(kind, &text, file);
    }
    let chained = Some(aside(&file, script::BEFORE)).filter(|path| is_executable(path));
    let tool = tool(script::tool(&text).unwrap_or_default(), this);
    Guard::Own { file, tool, chained }
}

/// What somebody else's hook with this text is worth.
fn of_other(kind: Kind, text: &[u8], file: PathBuf) -> Guard {
    if script::calls_us(kind, text) || is_called(&aside(&file, ".legacy"), &file) {
        Guard::ByOther(file)
    } else if script::is_runner(text) {
        Guard::Unclear(file)
    } else {
        Guard::Other(file)
    }
}

/// husky calls the file of the project if its own is there.
fn of_husky(kind: Kind, project: &Path, own: &Path) -> Guard {
    match fs::read(project) {
        Ok(text) if own.exists() => of_other(kind, &text, project.to_path_buf()),
        Ok(_) => Guard::Other(project.to_path_buf()),
        Err(_) => Guard::None,
    }
}

/// The program that the hook will find: where it was, or on PATH.
fn tool(named: PathBuf, this: &Path) -> Tool {
    let on_path = || {
        let folders = std::env::var_os("PATH")?;
        let name = format!("tokensweep{}", std::env::consts::EXE_SUFFIX);
        std::env::split_paths(&folders).map(|f| f.join(&name)).find(|file| is_executable(file))
    };
    let found = Some(named.clone()).filter(|path| is_executable(path)).or_else(on_path);
    let Some(found) = found else { return Tool::Gone(named) };
    let same = found.canonicalize().ok() == this.canonicalize().ok();
    if same { Tool::This(found) } else { Tool::Another(found) }
}
