//! Runs the built program the way a user does, in a place of its own: no
//! settings of the user who runs the tests reach it.

// Each test file uses its own part of this.
#![allow(dead_code)]

pub mod asking;
pub mod blast;
#[cfg(unix)]
pub mod push;
pub mod registry;
pub mod repo;
#[cfg(unix)]
pub mod serve;
pub mod tools;
pub mod verdaccio;
pub mod web;

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokensweep::rules::example::{Example, fill};

/// No run may take longer: a program that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(120);

/// No run may take more memory, in kilobytes: it would take the machine along.
const MEMORY: u64 = 3 << 20;

/// A template of rule files, filled in; each number gives other secrets.
#[track_caller]
pub fn filled(template: &str, seed: u64) -> Example {
    fill(template, seed).unwrap_or_else(|why| panic!("{template:?}: {why}"))
}

/// One secret of a template that is all of it.
#[track_caller]
pub fn secret(template: &str, seed: u64) -> String {
    String::from_utf8(filled(template, seed).text).unwrap()
}

/// A token of npm's with a checksum that fits; each number gives another one.
pub fn npm_token(seed: u64) -> String {
    secret("npm_{alnum:30}{crc}", seed)
}

/// A working directory and a home that nobody else knows.
pub struct Sandbox {
    dir: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        std::fs::create_dir(dir.path().join("work")).unwrap();
        Self { dir }
    }

    /// A path below the working directory.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join("work").join(relative)
    }

    /// A path below the user's home.
    pub fn home(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join("home").join(relative)
    }

    /// Writes a file below the working directory, and the folders above it.
    pub fn write(&self, relative: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        write(&path, text);
        path
    }

    /// A call of the program with these arguments.
    pub fn call<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tokensweep"));
        command
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("HOME", self.home(""))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Call { command, stdin: None }
    }

    /// Runs the program with these arguments.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.call(arguments).run()
    }

    /// Scans the working directory, secrets shown, and reads the report.
    pub fn report<A: AsRef<OsStr>>(&self, more: impl IntoIterator<Item = A>) -> Value {
        let common = ["scan", "--show-secrets", "-f", "json"].map(OsString::from);
        let more = more.into_iter().map(|word| word.as_ref().to_owned());
        self.run(common.into_iter().chain(more)).json()
    }
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A call that has not been made yet.
pub struct Call {
    pub command: Command,
    stdin: Option<Box<dyn Read + Send>>,
}

impl Call {
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn cwd(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    pub fn stdin(self, bytes: impl AsRef<[u8]>) -> Self {
        self.stream(std::io::Cursor::new(bytes.as_ref().to_vec()))
    }

    /// Feeds standard input from something too large to hold.
    pub fn stream(mut self, input: impl Read + Send + 'static) -> Self {
        self.stdin = Some(Box::new(input));
        self
    }

    #[track_caller]
    pub fn run(mut self) -> Run {
        let stdin = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let input = child.stdin.take().zip(self.stdin);
        let feeder = std::thread::spawn(move || {
            let Some((mut pipe, mut input)) = input else { return };
            // The program may end before it has read all.
            let _ = std::io::copy(&mut input, &mut pipe).and_then(|_| pipe.flush());
        });
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let (code, peak) = wait(&mut child);
        feeder.join().unwrap();
        Run { code, peak, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Exit code and most memory.
#[track_caller]
fn wait(child: &mut Child) -> (i32, u64) {
    let begun = Instant::now();
    let mut peak = 0;
    loop {
        peak = peak.max(memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            let code = status.code().unwrap_or_else(|| panic!("ended by a signal: {status}"));
            return (code, peak);
        }
        let greedy = own_memory(child.id()) > MEMORY;
        if greedy || begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!greedy, "more than {MEMORY} kB of memory");
            panic!("still running after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The memory that a process has of its own now, in kilobytes.
fn own_memory(id: u32) -> u64 {
    status(id, "RssAnon:")
}

/// The most memory that a process has had so far, in kilobytes; 0 where the
/// system does not tell.
fn memory(id: u32) -> u64 {
    status(id, "VmHWM:")
}

/// What the system tells of a process.
fn status(id: u32, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What a call left behind.
pub struct Run {
    pub code: i32,
    /// The most memory that it had, in kilobytes.
    pub peak: u64,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Run {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|why| {
            panic!("{why}\nexit {}\n{}\n{}", self.code, self.out(), self.err())
        })
    }

    /// Asserts the exit code, and shows what was printed if it is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out(), self.err());
        self
    }

    /// Asserts that standard error says all of this.
    #[track_caller]
    pub fn complains(self, words: &[&str]) -> Self {
        let err = self.err();
        for word in words {
            assert!(err.contains(word), "no {word:?} in\n{err}");
        }
        self
    }
}

/// The findings of a report.
pub fn findings(report: &Value) -> &[Value] {
    report["findings"].as_array().expect("a report has findings")
}

/// The secrets of a report, sorted.
pub fn secrets(report: &Value) -> Vec<&str> {
    let mut all: Vec<&str> =
        findings(report).iter().map(|finding| finding["secret"].as_str().unwrap()).collect();
    all.sort_unstable();
    all
}

/// The paths at which a report has findings, sorted, each once.
pub fn paths(report: &Value) -> Vec<&str> {
    let locations = findings(report).iter().flat_map(|f| f["locations"].as_array().unwrap());
    let mut all: Vec<&str> = locations.map(|location| location["path"].as_str().unwrap()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The paths that a report says were skipped for a reason, sorted.
pub fn skipped<'r>(report: &'r Value, reason: &str) -> Vec<&'r str> {
    let skipped = report["summary"]["coverage"]["skipped"].as_array().unwrap();
    skipped
        .iter()
        .filter(|skip| skip["reason"] == reason)
        .map(|skip| skip["path"].as_str().unwrap())
        .collect()
}
