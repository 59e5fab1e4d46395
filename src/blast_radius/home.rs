//! Which of the user's own projects install a package in reach, or a version
//! that is known to be bad.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::indicators::Known;
use crate::lockfile::{self, Lock};
use crate::model::path_to_bytes;
use crate::model::radius::{Lockfile, ProjectUse};
use crate::registry::npm::names::is_package_name;

/// Larger lockfiles are not read; a project of 100,000 packages has half.
const FILE_CAP: u64 = 64 << 20;

/// How many uses one lockfile may bring: real ones pin a package a few times.
const USE_CAP: usize = 10_000;

/// Reads every lockfile below the roots, and tells which pin one of `packages`
/// or a version that `known` names. Both lists are sorted.
///
/// Hidden and git-ignored folders are walked too; of `node_modules` only its
/// own list of what is installed counts. What could not be read stands among
/// the lockfiles with the reason.
pub fn at_home(
    roots: &[PathBuf],
    packages: &BTreeSet<String>,
    known: &Known,
) -> (Vec<Lockfile>, Vec<ProjectUse>) {
    let (mut lockfiles, mut uses) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for root in roots {
        for entry in walk(root) {
            let (path, problem) = match entry {
                Ok(entry) => match problem_of(&entry) {
                    Some(problem) => (entry.into_path(), problem),
                    None => continue,
                },
                Err(why) => (root.clone(), Err(why.to_string())),
            };
            // Roots may lie in each other.
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                let lock = problem.and_then(|()| read(&path));
                lockfiles.push(take(shown(&path), lock, packages, known, &mut uses));
            }
        }
    }
    lockfiles.sort();
    uses.sort();
    (lockfiles, uses)
}

/// Names of packages that are read of one tree, and bytes of a `package.json`.
const NAME_CAP: usize = 1000;
const MANIFEST_CAP: u64 = 1 << 20;

/// The names that the user's own packages give themselves: private ones stand
/// nowhere else.
pub fn own_names(roots: &[PathBuf]) -> BTreeSet<String> {
    let files = roots.iter().flat_map(|root| walk(root)).filter_map(Result::ok);
    let manifests = files.filter(|entry| entry.file_name() == "package.json");
    manifests.filter_map(|entry| own_name(entry.path())).take(NAME_CAP).collect()
}

fn own_name(path: &Path) -> Option<String> {
    let text = bounded(path, MANIFEST_CAP).ok()?;
    let manifest: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let name = manifest.get("name")?.as_str()?;
    is_package_name(name).then(|| name.to_owned())
}

/// The bytes of a regular file, at most one more than `most`. Nothing else is
/// opened: a pipe without a writer would be waited for without end.
fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn walk(root: &Path) -> ignore::Walk {
    let in_node_modules =
        |path: &Path| path.parent().and_then(Path::file_name) == Some(OsStr::new("node_modules"));
    WalkBuilder::new(root)
        .standard_filters(false)
        .filter_entry(move |entry| {
            let name = entry.file_name();
            entry.depth() == 0
                || name != ".git"
                    && (name == ".package-lock.json" || !in_node_modules(entry.path()))
        })
        .build()
}

/// None if it is no lockfile; an error if it is none that can be opened.
fn problem_of(entry: &DirEntry) -> Option<Result<(), String>> {
    if !lockfile::is_lockfile(&entry.file_name().to_string_lossy()) {
        return None;
    }
    let kind = entry.file_type()?;
    if kind.is_file() {
        return Some(Ok(()));
    }
    // A root that is a link was named by the user.
    if kind.is_symlink() && (entry.depth() > 0 || !entry.path().is_file()) {
        return Some(Err("a symbolic link: not followed".into()));
    }
    if kind.is_dir() { None } else { Some(Err("not a regular file".into())) }
}

fn read(path: &Path) -> Result<Lock, String> {
    // A root that is a link was named by the user.
    let real = path.canonicalize().map_err(|why| why.to_string())?;
    let bytes = bounded(&real, FILE_CAP).map_err(|why| why.to_string())?;
    if bytes.len() as u64 > FILE_CAP {
        return Err(format!("larger than {} MB: not read", FILE_CAP >> 20));
    }
    lockfile::read(&path.file_name().unwrap_or_default().to_string_lossy(), &bytes)
}

fn take(
    path: String,
    lock: Result<Lock, String>,
    packages: &BTreeSet<String>,
    known: &Known,
    uses: &mut Vec<ProjectUse>,
) -> Lockfile {
    let lock = match lock {
        Ok(lock) => lock,
        Err(problem) => return Lockfile { path, format: String::new(), packages: 0, problem },
    };
    let mut found = uses_of(&path, &lock, packages, known);
    let mut problem = lock.problem.clone();
    if found.len() > USE_CAP {
        found.truncate(USE_CAP);
        let more = if problem.is_empty() { "" } else { "; " };
        problem.push_str(&format!("{more}only the first {USE_CAP} uses are listed"));
    }
    uses.append(&mut found);
    Lockfile { path, format: lock.format, packages: lock.packages, problem }
}

/// Those known to be bad come first, so that no cap can hide them.
fn uses_of(path: &str, lock: &Lock, packages: &BTreeSet<String>, known: &Known) -> Vec<ProjectUse> {
    let named = |(name, version): &(&str, &str)| {
        packages.contains(*name) || known.bad(name, version).is_some()
    };
    let names: BTreeSet<&str> = lock.packages().filter(named).map(|(name, _)| name).collect();
    let mut found = Vec::new();
    for name in names {
        for pinned in lock.uses(name) {
            let known_bad = known.bad(name, &pinned.version).map(str::to_owned);
            if known_bad.is_some() || packages.contains(name) {
                found.push(ProjectUse {
                    lockfile: path.to_owned(),
                    package: name.to_owned(),
                    version: pinned.version,
                    through: pinned.through,
                    known_bad,
                });
            }
        }
    }
    found.sort_by_key(|one| one.known_bad.is_none());
    found
}

/// With `/` between its parts.
fn shown(path: &Path) -> String {
    String::from_utf8_lossy(&path_to_bytes(path)).into_owned()
}
