//! Which running processes are scripts of a switch.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::{GH, KITTY, PGSQL, SYSMON, UPDATE};

/// The ends of the paths of scripts that run for a switch. Names that others use
/// too count in the worms' own folders only.
const SCRIPTS: &[(&str, &str)] = &[
    (GH, "gh-token-monitor.sh"),
    (GH, "gh-token-monitor/monitor.ps1"),
    (KITTY, "kitty-monitor.sh"),
    (KITTY, ".local/share/kitty/cat.py"),
    (UPDATE, ".local/share/updater/update.py"),
    (PGSQL, "bin/pgmonitor.py"),
    (SYSMON, ".checkmarx/mcp/mcpAddon.js"),
];

/// The options of an interpreter that its script can stand behind.
struct Options {
    /// Those whose value is a word of its own.
    values: &'static [&'static str],
    /// Those that bring the program along as text.
    programs: &'static [&'static str],
}

/// Programs that run scripts; an editor that shows one is no switch.
const INTERPRETERS: &[(&[&str], Options)] = &[
    (
        &["sh", "bash", "dash", "zsh", "ksh"],
        Options {
            values: &["-o", "+o", "-O", "+O", "--rcfile", "--init-file"],
            programs: &["-c", "-lc", "-ec", "-ic"],
        },
    ),
    (&["python"], Options { values: &["-W", "-X"], programs: &["-c", "-m"] }),
    (
        &["node", "bun"],
        Options {
            values: &["-r", "--require", "--import", "--loader", "-C"],
            programs: &["-e", "-p", "-pe", "--eval", "--print"],
        },
    ),
    (
        &["pwsh", "powershell"],
        Options {
            values: &["-ExecutionPolicy", "-ep", "-WindowStyle", "-w"],
            programs: &["-Command", "-c"],
        },
    ),
];

/// The beginning of a process's command line: its words, each ended by a NUL.
/// Empty if the process is gone or not ours to see.
pub(super) fn command_line(path: &Path) -> Vec<u8> {
    let mut command = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        // What could be read before an error is looked at all the same.
        let _ = file.take(COMMAND_CAP).read_to_end(&mut command);
    }
    command
}

/// No more bytes of a command line are looked at.
const COMMAND_CAP: u64 = 4096;

/// The switch and its script, if a command line runs one.
pub(super) fn running(command: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = String::from_utf8_lossy(command).replace('\\', "/");
    let mut words = text.split('\0');
    let program = words.next()?;
    if let Some(script) = script(program) {
        return Some(script);
    }
    let name = program.rsplit('/').next()?.trim_start_matches('-');
    let name =
        name.trim_end_matches(".exe").trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (_, options) = INTERPRETERS.iter().find(|(names, _)| names.contains(&name))?;
    script(run_by(options, words)?)
}

/// The script among the words of an interpreter: the first that is no option.
/// What follows is what the script is given.
fn run_by<'w>(options: &Options, mut words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    while let Some(word) = words.next() {
        if options.programs.contains(&word) {
            // Text to run: a script if that is all it says.
            let text = words.next()?.trim();
            return text.strip_prefix("exec ").unwrap_or(text).split_whitespace().next();
        }
        if options.values.contains(&word) {
            words.next();
        } else if !word.starts_with(['-', '+']) && word != "run" {
            return Some(word);
        }
    }
    None
}

/// The switch whose script has this path.
fn script(path: &str) -> Option<(&'static str, &'static str)> {
    let is_it = |script: &str| {
        path.strip_suffix(script).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    SCRIPTS.iter().copied().find(|(_, script)| is_it(script))
}
