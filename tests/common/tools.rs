//! Tools of other people, each installed by its own installer from the
//! registry that this user has set up. They stay below the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// What installers say when there is no network.
const OFFLINE: [&str; 9] = [
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETUNREACH",
    "ETIMEDOUT",
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Could not fetch URL",
];

/// The programs of npm packages; the test is over if this says nothing.
pub fn npm() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    installed(&INSTALLED, "node_modules/.bin", "lefthook", |folder| {
        std::fs::write(folder.join("package.json"), "{}").unwrap();
        let words = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"];
        let mut command = Command::new("npm");
        command.args(words).args(["husky", "lefthook", "lint-staged"]);
        vec![command]
    })
}

/// The programs of the pre-commit package.
pub fn pre_commit() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    installed(&INSTALLED, "venv/bin", "pre-commit", |folder| {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", "venv"]);
        let mut pip = Command::new(folder.join("venv/bin/pip"));
        pip.args(["install", "-q", "--disable-pip-version-check", "pre-commit"]);
        vec![venv, pip]
    })
}

/// The folder in which a program is, installed there if it is not.
fn installed(
    once: &OnceLock<Option<PathBuf>>,
    programs: &str,
    program: &str,
    commands: impl FnOnce(&Path) -> Vec<Command>,
) -> Option<PathBuf> {
    let install = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        let programs = folder.join(programs);
        if !programs.join(program).exists() {
            std::fs::create_dir_all(&folder).unwrap();
            for mut command in commands(&folder) {
                let name = format!("{command:?}");
                excuse(&name, command.current_dir(&folder).output())?;
            }
        }
        Some(programs)
    };
    once.get_or_init(install).clone()
}

/// Nothing, said aloud, if an installer is not there or has no network. On CI
/// both are there.
fn excuse(name: &str, output: std::io::Result<Output>) -> Option<()> {
    let why = match output {
        Ok(output) if output.status.success() => return Some(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let offline = OFFLINE.iter().any(|word| why.contains(word)) || why.contains("os error 2");
    assert!(offline && std::env::var_os("CI").is_none(), "{name}\n{why}");
    eprintln!("SKIPPED, could not be installed: {name}\n{why}");
    None
}
