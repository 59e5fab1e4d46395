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
    installed(&INSTALLED, "tools", "node_modules/.bin", "lefthook", |folder| {
        std::fs::write(folder.join("package.json"), "{}").unwrap();
        vec![npm_install(&["husky", "lefthook", "lint-staged"])]
    })
}

/// The programs of Verdaccio: the newest one that runs on the node that is
/// here. A folder of its own, because npm removes what it was not asked for.
pub fn verdaccio() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    let version = match node()? {
        22.. => "6.10.4",
        20.. => "6.8.0",
        18.. => "6.5.0",
        old => panic!("node {old} is too old for Verdaccio 6"),
    };
    let folder = format!("verdaccio-{version}");
    installed(&INSTALLED, &folder, "node_modules/.bin", "verdaccio", |folder| {
        // It wants `node-fetch@cjs`, and mirrors do not have all tags.
        let package = r#"{"overrides": {"node-fetch": "^2.6.7"}}"#;
        std::fs::write(folder.join("package.json"), package).unwrap();
        vec![npm_install(&[&format!("verdaccio@{version}")])]
    })
}

fn npm_install(packages: &[&str]) -> Command {
    let words = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"];
    let mut command = Command::new("npm");
    command.args(words).args(packages);
    command
}

/// Major version of the node that is here.
fn node() -> Option<u32> {
    let mut command = Command::new("node");
    let output = command.arg("--version").output();
    let said = output.as_ref().ok().map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    excuse("node --version", output)?;
    let said = said?;
    let major = said.trim().trim_start_matches('v').split('.').next()?;
    Some(major.parse().unwrap_or_else(|_| panic!("node calls itself {said:?}")))
}

/// The programs of the pre-commit package.
pub fn pre_commit() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    installed(&INSTALLED, "tools", "venv/bin", "pre-commit", |folder| {
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
    folder: &str,
    programs: &str,
    program: &str,
    commands: impl FnOnce(&Path) -> Vec<Command>,
) -> Option<PathBuf> {
    let install = || {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
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
