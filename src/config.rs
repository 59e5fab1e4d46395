//! defaults < user file < project file < environment < flags, resolved once.
//!
//! A scanned tree is hostile, so a project file counts only if it stands at
//! the root of the work tree that the user stands in, belongs to the user, and
//! every target lies in that tree. Which files counted is part of the report.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::model::Confidence;
use crate::source::Target;

/// Name of the project file.
pub const PROJECT_FILE: &str = ".tokensweep.toml";
/// Name of the ignore file that is found without being named.
pub const IGNORE_FILE: &str = ".tokensweepignore";

/// What a settings file may say. Paths are relative to the file's folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// As `--include`.
    pub include: Vec<String>,
    /// As `--exclude`.
    pub exclude: Vec<String>,
    /// As `--max-file-size`, in bytes.
    pub max_file_size: Option<u64>,
    /// As `--respect-gitignore`.
    pub respect_gitignore: Option<bool>,
    /// As `--follow-symlinks`.
    pub follow_symlinks: Option<bool>,
    /// As `--rules`.
    pub rules: Vec<PathBuf>,
    /// As `--rule`.
    pub rule: Vec<String>,
    /// As `--exclude-rule`.
    pub exclude_rule: Vec<String>,
    /// As `--confidence`.
    pub confidence: Option<Confidence>,
    /// As `--baseline`.
    pub baseline: Vec<PathBuf>,
    /// As `--ignore-file`.
    pub ignore_file: Vec<PathBuf>,
    /// As `--foreign-markers`.
    pub foreign_markers: Option<bool>,
    /// As `--threads`.
    pub threads: Option<usize>,
    /// As `--format`.
    pub format: Option<String>,
    /// As `--color`.
    pub color: Option<String>,
    /// The files that were read, in order.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
}

/// Reads the settings that apply to a scan of `targets`.
///
/// `explicit` is a file named with `--config` or `TOKENSWEEP_CONFIG`, which
/// then is the only one; `project` is false under `--no-ignore`.
///
/// # Errors
/// A file that was named and cannot be read; one that is no valid TOML or has
/// a key that is none.
pub fn load(explicit: Option<&Path>, targets: &[Target], project: bool) -> Result<Settings> {
    if let Some(path) = explicit {
        return read(path);
    }
    let mut settings = match user_file().filter(|path| path.is_file()) {
        Some(path) => read(&path)?,
        None => Settings::default(),
    };
    let Some(root) = own_root(targets).filter(|_| project) else { return Ok(settings) };
    let file = root.join(PROJECT_FILE);
    if is_own(&file) {
        settings = settings.overlaid(read(&file)?);
    }
    let ignore = root.join(IGNORE_FILE);
    if is_own(&ignore) {
        settings.ignore_file.push(ignore.clone());
        settings.files.push(ignore);
    }
    Ok(settings)
}

impl Settings {
    /// These settings, with those of a stronger file over them; lists add up.
    fn overlaid(mut self, over: Self) -> Self {
        self.include.extend(over.include);
        self.exclude.extend(over.exclude);
        self.rules.extend(over.rules);
        self.rule.extend(over.rule);
        self.exclude_rule.extend(over.exclude_rule);
        self.baseline.extend(over.baseline);
        self.ignore_file.extend(over.ignore_file);
        self.files.extend(over.files);
        Self {
            max_file_size: over.max_file_size.or(self.max_file_size),
            respect_gitignore: over.respect_gitignore.or(self.respect_gitignore),
            follow_symlinks: over.follow_symlinks.or(self.follow_symlinks),
            confidence: over.confidence.or(self.confidence),
            foreign_markers: over.foreign_markers.or(self.foreign_markers),
            threads: over.threads.or(self.threads),
            format: over.format.or(self.format),
            color: over.color.or(self.color),
            ..self
        }
    }
}

fn read(path: &Path) -> Result<Settings> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|why| Error::new(format!("cannot read the settings {shown}: {why}")))?;
    let mut settings: Settings = toml::from_str(&text).map_err(|why| {
        Error::new(format!("{shown} is no valid settings file: {why}")).hint(
            "the keys are the long flags of `tokensweep scan --help`, without the dashes in front",
        )
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for list in [&mut settings.rules, &mut settings.baseline, &mut settings.ignore_file] {
        list.iter_mut().for_each(|entry| *entry = folder.join(&*entry));
    }
    settings.files.push(path.to_path_buf());
    Ok(settings)
}

fn user_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| {
            Some(
                PathBuf::from(std::env::var_os("HOME").or_else(|| std::env::var_os("APPDATA"))?)
                    .join(".config"),
            )
        })?;
    Some(folder.join("tokensweep").join("config.toml"))
}

/// Root of the work tree that the user stands in, if every target lies in it.
fn own_root(targets: &[Target]) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let root = here.ancestors().find(|folder| folder.join(".git").exists())?;
    let inside = |target: &Target| match target {
        Target::Path(path) => path.canonicalize().is_ok_and(|path| {
            // A work tree inside this one is somebody else's.
            path.starts_with(root)
                && path
                    .ancestors()
                    .take_while(|folder| *folder != root)
                    .all(|folder| !folder.join(".git").exists())
        }),
        Target::Stdin => true,
    };
    targets.iter().all(inside).then(|| root.to_path_buf())
}

/// True for a plain file that belongs to the user who runs us.
fn is_own(path: &Path) -> bool {
    let Ok(metadata) = path.symlink_metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // SAFETY: geteuid has no preconditions and cannot fail.
        let me = unsafe { libc::geteuid() };
        metadata.is_file() && metadata.uid() == me
    }
    #[cfg(not(unix))]
    metadata.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stronger_files_win_and_lists_add_up() {
        let weak: Settings =
            toml::from_str("exclude = ['a']\nthreads = 1\nformat = 'json'").unwrap();
        let strong: Settings = toml::from_str("exclude = ['b']\nthreads = 2").unwrap();
        let both = weak.overlaid(strong);
        assert_eq!(both.exclude, ["a", "b"]);
        assert_eq!((both.threads, both.format.as_deref()), (Some(2), Some("json")));
        assert!(toml::from_str::<Settings>("nonsense = 1").is_err());
    }
}
