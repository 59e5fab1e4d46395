//! Where the parts of a repository lie.
//!
//! Nothing that a repository says is ever run, and nothing it includes is
//! read: of its settings only the kind of its hashes and of its refs count.

use std::path::{Path, PathBuf};

use gix::hash::Kind as Hash;

/// The folders of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The git directory of the work tree that was asked for.
    pub git_dir: PathBuf,
    /// The git directory that all its work trees share.
    pub common_dir: PathBuf,
    /// The folder that holds the work tree, if the git directory lies in one
    /// or a file there points to it.
    pub work_tree: Option<PathBuf>,
}

/// A git file is one line; what is longer is none.
const GITFILE: u64 = 64 * 1024;

impl Layout {
    /// The repository at `path`: a work tree, or a git directory.
    pub fn at(path: &Path) -> Option<Self> {
        let dot = path.join(".git");
        if is_git_dir(&dot) {
            return Some(Self::of(dot, Some(path.to_path_buf())));
        }
        if let Some(git_dir) = git_file(&dot) {
            return Some(Self::of(git_dir, Some(path.to_path_buf())));
        }
        Self::at_git_dir(path)
    }

    /// The repository whose git directory this is, whatever else lies in it.
    pub fn at_git_dir(path: &Path) -> Option<Self> {
        is_git_dir(path).then(|| {
            let inside = path.file_name().is_some_and(|name| name == ".git");
            Self::of(path.to_path_buf(), path.parent().filter(|_| inside).map(Path::to_path_buf))
        })
    }

    /// The repository that holds `path`, which may lie deep in its work tree.
    pub fn around(path: &Path) -> Option<Self> {
        let path = path.canonicalize().ok()?;
        path.ancestors().find_map(Self::at)
    }

    fn of(git_dir: PathBuf, work_tree: Option<PathBuf>) -> Self {
        let common = small(&git_dir.join("commondir")).map(|line| git_dir.join(line));
        let common_dir = common.filter(|dir| dir.is_dir()).unwrap_or_else(|| git_dir.clone());
        let common_dir = common_dir.canonicalize().unwrap_or(common_dir);
        Self { git_dir, common_dir, work_tree }
    }

    /// The folder of the repository's own objects.
    pub fn objects(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// Git directories of all its work trees: of the main one, then of the
    /// linked ones, sorted.
    pub fn git_dirs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.common_dir.join("worktrees"));
        let mut linked: Vec<PathBuf> =
            entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        linked.sort();
        linked.insert(0, self.common_dir.clone());
        linked
    }

    /// What the repository's settings say of its own form.
    pub fn form(&self) -> Form {
        let text = super::store::read(&self.common_dir.join("config")).unwrap_or_default();
        let settings = gix::config::File::from_bytes_no_includes(
            &text,
            gix::config::file::Metadata::from(gix::config::Source::Local),
            gix::config::file::init::Options::default(),
        );
        let (word, readable) = match &settings {
            Ok(settings) => {
                let word = |key| settings.string(key).map(|value| value.to_ascii_lowercase());
                ((word("extensions.objectFormat"), word("extensions.refStorage")), true)
            }
            Err(_) => ((None, None), false),
        };
        let hash = match word.0.as_deref() {
            Some(b"sha256") => Hash::Sha256,
            Some(_) => Hash::Sha1,
            None if !readable => self.guessed_hash(),
            None => Hash::Sha1,
        };
        Form { hash, ref_table: word.1.as_deref() == Some(b"reftable"), readable }
    }

    /// The kind of hash by the length of the names of packs.
    fn guessed_hash(&self) -> Hash {
        let packs = std::fs::read_dir(self.objects().join("pack"));
        let long = packs.into_iter().flatten().flatten().any(|entry| {
            entry.file_name().to_string_lossy().trim_start_matches("pack-").len() > 64
        });
        if long { Hash::Sha256 } else { Hash::Sha1 }
    }
}

/// What decides how a repository is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The kind of hash that names objects.
    pub hash: Hash,
    /// True if refs are kept in tables instead of files.
    pub ref_table: bool,
    /// False if the settings cannot be parsed.
    pub readable: bool,
}

/// True for a folder that git would take for a git directory, and for what is
/// left of one as long as it may hold objects.
pub fn is_git_dir(path: &Path) -> bool {
    let linked = path.join("commondir").is_file();
    let own = path.join("objects").is_dir();
    let named = path.file_name().is_some_and(|name| name == ".git");
    let head = path.join("HEAD");
    let has_head = head.is_file() || head.is_symlink();
    let has_refs = path.join("refs").is_dir();
    (linked && has_head) || own && (named || has_refs || has_head && path.join("config").is_file())
}

/// The git directory that a `.git` file points to.
pub fn git_file(path: &Path) -> Option<PathBuf> {
    let line = small(path)?;
    let target = line.strip_prefix("gitdir:")?.trim();
    let folder = path.parent()?.join(target);
    is_git_dir(&folder).then(|| folder.canonicalize().unwrap_or(folder))
}

/// The text of a small file, without white space around it.
fn small(path: &Path) -> Option<String> {
    let metadata = path.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > GITFILE {
        return None;
    }
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}
