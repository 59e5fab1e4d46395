//! Git itself, in a world of its own: no settings of the user reach it.

#![allow(dead_code)]

use std::cell::Cell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A repository that git works on.
pub struct Git {
    folder: PathBuf,
    /// The time of the next commit; each is a minute later than the last.
    now: Cell<i64>,
}

impl Git {
    /// Makes a repository.
    #[track_caller]
    pub fn init(folder: &Path, more: &[&str]) -> Self {
        let git = Self::at_folder(folder);
        git.run(&[&["init", "-q", "-b", "main"], more].concat());
        git
    }

    /// A repository that is there.
    pub fn at_folder(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), now: Cell::new(1_700_000_000) }
    }

    /// Sets the time of the next commit.
    pub fn at(&self, time: i64) {
        self.now.set(time);
    }

    /// Adds everything and commits it; gives the commit's name.
    #[track_caller]
    pub fn commit_all(&self, message: &str) -> String {
        self.run(&["add", "-A"]);
        self.run(&["commit", "-q", "--allow-empty", "-m", message]);
        self.run(&["rev-parse", "HEAD"])
    }

    /// Runs git and gives what it prints, without the newline at the end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        self.feed(arguments, b"")
    }

    /// The same with something on its standard input.
    #[track_caller]
    pub fn feed(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.output(arguments, input);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Runs git and gives all that it prints, byte for byte.
    #[track_caller]
    pub fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.output(arguments, b"");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        output.stdout
    }

    /// True if git says that it went well.
    pub fn try_run(&self, arguments: &[&str]) -> bool {
        self.output(arguments, b"").status.success()
    }

    fn output(&self, arguments: &[&str], input: &[u8]) -> Output {
        let now = self.now.get();
        self.now.set(now + 60);
        let date = format!("@{now} +0000");
        let mut child = Command::new("git")
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ann")
            .env("GIT_AUTHOR_EMAIL", "ann@example.com")
            .env("GIT_COMMITTER_NAME", "Ann")
            .env("GIT_COMMITTER_EMAIL", "ann@example.com")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_EDITOR", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // Git may stop reading early.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        output
    }
}
