//! Hooks, installed by the program and called by the real git: what carries a
//! secret does not leave, and the ref on the other side does not move.

#[path = "../common/mod.rs"]
mod common;

mod commit;
mod input;
mod install;
mod push;
mod receive;
mod remotes;
mod settings;
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{Run, Sandbox};

/// A repository `app` and a bare one `far.git` that is its remote `origin`,
/// side by side; no settings of the user who runs the tests reach them.
pub struct Pair {
    pub sandbox: Sandbox,
    name: &'static str,
}

impl Pair {
    /// With one commit that the remote has.
    pub fn plain() -> Self {
        Self::with("app", &[])
    }

    /// The same under another name, with more options of `git init`.
    pub fn with(name: &'static str, options: &[&str]) -> Self {
        let pair = Self { sandbox: Sandbox::new(), name };
        let top = pair.sandbox.path("");
        let init = |more: &[&str]| {
            let words = [&["init", "-q", "-b", "main"], options, more].concat();
            assert!(git(&pair.sandbox, &top, &words).is_ok());
        };
        init(&[name]);
        init(&["--bare", "far.git"]);
        pair.git(&["remote", "add", "origin", "../far.git"]);
        pair.commit("README", "nothing here\n", "first");
        pair.git(&["push", "-q", "-u", "origin", "main"]);
        pair
    }

    /// The same with a pre-push hook.
    pub fn guarded() -> Self {
        let pair = Self::plain();
        pair.hook(&["install"]).exits(0);
        pair
    }

    /// A path in the repository.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.sandbox.path(self.name).join(relative)
    }

    /// The bare repository.
    pub fn far(&self) -> PathBuf {
        self.sandbox.path("far.git")
    }

    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        common::write(&self.path(relative), text);
    }

    /// Runs git in the repository, which must succeed; what it printed.
    #[track_caller]
    pub fn git(&self, words: &[&str]) -> String {
        self.try_git(words).passes()
    }

    /// Runs git in the repository.
    pub fn try_git(&self, words: &[&str]) -> Said {
        git(&self.sandbox, &self.path(""), words)
    }

    /// Runs `tokensweep hook` in the repository.
    pub fn hook(&self, words: &[&str]) -> Run {
        self.sandbox.call([&["hook"], words].concat()).cwd(self.path("")).run()
    }

    /// Commits a file; the commit's name.
    #[track_caller]
    pub fn commit(&self, file: &str, text: impl AsRef<[u8]>, message: &str) -> String {
        self.write(file, text);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// What a ref of the bare repository leads to; empty if there is none.
    pub fn far_ref(&self, name: &str) -> String {
        let said = git(&self.sandbox, &self.far(), &["rev-parse", "-q", "--verify", name]);
        said.out
    }

    /// Replaces a hook by a script.
    pub fn script(&self, file: &str, text: &str) {
        script(&self.path(file), text);
    }
}

/// Writes a program.
pub fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    common::write(path, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What git left behind.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn is_ok(&self) -> bool {
        self.code == 0
    }

    #[track_caller]
    pub fn passes(self) -> String {
        assert_eq!(self.code, 0, "\n{}\n{}", self.out, self.err);
        self.out
    }

    /// Asserts that it passed with one line of ours, which says all of this.
    #[track_caller]
    pub fn is_clean(self, words: &[&str]) {
        let ours: Vec<&str> = self.err.lines().filter(|line| line.contains("tokensweep")).collect();
        assert!(self.is_ok() && ours.len() == 1, "\n{}", self.err);
        for word in words {
            assert!(ours[0].contains(word), "no {word:?} in\n{}", self.err);
        }
    }

    /// Asserts that it was refused with all of these words.
    #[track_caller]
    pub fn is_refused(self, words: &[&str]) -> Self {
        assert_ne!(self.code, 0, "\n{}\n{}", self.out, self.err);
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in\n{}", self.err);
        }
        self
    }
}

/// Runs git in a folder.
pub fn git(sandbox: &Sandbox, folder: &Path, words: &[&str]) -> Said {
    finish(call(sandbox, folder, words))
}

/// A call of git that has not been made yet.
pub fn call(sandbox: &Sandbox, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"])
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", sandbox.home(""))
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_EDITOR", "true");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ada");
        command.env(format!("GIT_{who}_EMAIL"), "ada@example.com");
    }
    command
}

/// Makes the call.
pub fn finish(mut command: Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("git is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    Said { code: status.code().expect("no signal"), out: text(&stdout), err: text(&stderr) }
}
