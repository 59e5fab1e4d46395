//! Builds repositories with the real git, at fixed times and under fixed names;
//! no settings of the user who runs the tests reach it.

use std::cell::Cell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// When the first commit is made, in seconds; each call of git is a minute later.
const BEGIN: u64 = 1_700_000_000;

/// Nothing runs in the background, nothing is thrown away, and other
/// repositories may be named by their path.
const SETTINGS: &[&str] = &[
    "init.defaultBranch=main",
    "gc.auto=0",
    "gc.reflogExpire=never",
    "gc.reflogExpireUnreachable=never",
    "maintenance.auto=false",
    "protocol.file.allow=always",
    "fastimport.unpackLimit=10000",
    "advice.detachedHead=false",
];

/// The folder of a work tree or a bare repository, and the clock that its
/// commits go by.
pub struct Repo {
    path: PathBuf,
    minutes: Cell<u64>,
}

impl Repo {
    /// Makes a repository; `options` are those of `git init`.
    pub fn init(path: impl Into<PathBuf>, options: &str) -> Self {
        let repo = Self::at(path);
        std::fs::create_dir_all(&repo.path).unwrap();
        repo.git(&format!("init -q {options}"));
        repo
    }

    /// One that is there, or will be.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), minutes: Cell::new(0) }
    }

    /// A path below its folder.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.path.join(relative)
    }

    /// A path beside its folder.
    pub fn beside(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.with_file_name("").join(name)
    }

    /// Writes a file below its folder.
    pub fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        super::write(&self.path(relative), text);
    }

    /// A call of git that has not been made yet; blanks divide the words.
    pub fn call(&self, words: &str) -> Command {
        let minute = self.minutes.get();
        self.minutes.set(minute + 1);
        let now = format!("@{} +0000", BEGIN + 60 * minute);
        let mut command = Command::new("git");
        command
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .args(words.split_whitespace())
            .current_dir(&self.path)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_CEILING_DIRECTORIES", self.path.parent().unwrap())
            .env("GIT_EDITOR", "true")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_AUTHOR_DATE", &now)
            .env("GIT_COMMITTER_DATE", now);
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada");
            command.env(format!("GIT_{who}_EMAIL"), "ada@example.com");
        }
        command
    }

    /// Runs git and returns what it printed.
    #[track_caller]
    pub fn git(&self, words: &str) -> String {
        self.feed(words, "")
    }

    /// Runs git on this standard input.
    #[track_caller]
    pub fn feed(&self, words: &str, input: impl AsRef<[u8]>) -> String {
        finish(self.call(words), input)
    }

    /// Commits all of the work tree, on top of HEAD.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git("add -A");
        self.feed("commit -q --allow-empty -F -", message);
        self.head()
    }

    /// The commit that HEAD names.
    pub fn head(&self) -> String {
        self.git("rev-parse HEAD")
    }

    /// Writes a blob that nothing names.
    #[track_caller]
    pub fn blob(&self, bytes: impl AsRef<[u8]>) -> String {
        self.feed("hash-object -w --stdin", bytes)
    }

    /// Writes the tree of a single file.
    #[track_caller]
    pub fn tree(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let blob = self.blob(bytes);
        self.feed("mktree", format!("100644 blob {blob}\t{name}\n"))
    }

    /// A commit that nothing names, whose only file this is; `parents` are
    /// words of `git commit-tree`.
    #[track_caller]
    pub fn stray(&self, name: &str, bytes: impl AsRef<[u8]>, parents: &str) -> String {
        let tree = self.tree(name, bytes);
        self.feed(&format!("commit-tree {tree} {parents}"), "stray")
    }

    /// Committer date of a commit as reports show it.
    pub fn time(&self, commit: &str) -> String {
        self.git(&format!("show -s --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd {commit}"))
    }
}

/// Runs a call and returns what it printed, less the last newline.
#[track_caller]
pub fn finish(mut command: Command, input: impl AsRef<[u8]>) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("git is there");
    // It may end before it has read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_ref());
    let output = succeeds(&command, child.wait_with_output().unwrap());
    String::from_utf8_lossy(&output).trim_end().to_owned()
}

/// Runs a call and returns what it printed, byte for byte.
#[track_caller]
pub fn bytes(mut command: Command) -> Vec<u8> {
    let output = command.output().expect("git is there");
    succeeds(&command, output)
}

#[track_caller]
fn succeeds(command: &Command, output: Output) -> Vec<u8> {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output.stdout
}
