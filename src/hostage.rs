//! Looks for dead-man's switches on this machine.
//!
//! Some worms leave a small service behind that asks GitHub every minute whether
//! the token they stole is still alive, and destroys the home directory once the
//! answer is a refusal. Whoever finds one has to take it away before any token is
//! revoked. The places are those that published analyses of the waves of 2026
//! name.
//!
//! Looking is harmless: a few dozen fixed paths are asked for their existence and
//! the running processes for their command lines. Nothing is opened, run or
//! changed, and no symbolic link at the end of a path is followed.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::model::radius::SwitchPart;

mod process;

use process::{command_line, running};

/// Where to look.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The root of the file system.
    pub root: PathBuf,
    /// Home directories.
    pub homes: Vec<PathBuf>,
    /// True to look at running processes too; needs a `/proc` below `root`.
    pub processes: bool,
}

impl Machine {
    /// This machine, with the home directory of whoever runs this.
    pub fn this() -> Self {
        let mut root =
            std::env::var_os("SystemDrive").filter(|_| cfg!(windows)).unwrap_or_default();
        root.push(std::path::MAIN_SEPARATOR_STR);
        let homes = std::env::home_dir().into_iter().collect();
        Self { root: root.into(), homes, processes: true }
    }
}

/// All parts of such switches on a machine, sorted; empty if there are none.
///
/// A place that may not be looked at is reported as one that is not armed, in
/// words that say so. Processes are seen as far as the system shows them: those of
/// other users may be hidden, and only Linux has a `/proc`.
pub fn look(machine: &Machine) -> Vec<SwitchPart> {
    let mut search = Search::default();
    for home in &machine.homes {
        search.look_below(home, IN_HOME);
        search.look_for_units(home, USER_UNITS);
    }
    search.look_below(&machine.root, ON_THE_MACHINE);
    search.look_for_units(&machine.root, SYSTEM_UNITS);
    if machine.processes {
        search.look_at_processes(&machine.root.join("proc"));
    }
    search.parts.extend(search.unseen.iter().map(|folder| unseen(folder)));
    search.parts.into_iter().collect()
}

/// True if something on this machine may watch a token of GitHub: more than a log
/// of a switch was found. What is left of one may be all that was seen of one that
/// still runs, and so is enough, armed or not.
pub fn may_watch(parts: &[SwitchPart]) -> bool {
    let counts = |part: &SwitchPart| part.words != LOG && part.switch != UNKNOWN;
    parts.iter().any(|part| part.armed || counts(part))
}

/// The switch of a place that could not be looked at.
const UNKNOWN: &str = "unknown";

/// True for the name of a token that threatens whoever revokes it. The worms use
/// it for commit messages; some reports tell of tokens that are called so.
pub fn is_trap(name: &str) -> bool {
    let letters = name.chars().take(NAME_CAP).filter(char::is_ascii_alphanumeric);
    let letters: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    letters.contains("ifyourevokethistoken")
}

/// No more characters of a token's name are looked at.
const NAME_CAP: usize = 1024;

const GH: &str = "gh-token-monitor";
const KITTY: &str = "kitty-monitor";
const UPDATE: &str = "update-monitor";
const PGSQL: &str = "pgsql-monitor";
const SYSMON: &str = "sysmon";
const PGMON: &str = "pgmon";

/// What a file of a switch is to it.
#[derive(Clone, Copy)]
enum Role {
    /// It runs, or makes something run.
    Acts,
    /// It acts together with the other one, whose path this is.
    With(&'static str),
    /// It was left behind.
    Trace,
}

/// A place of a switch: its name, the path below home or root, what it does, what
/// it is.
type Place = (&'static str, &'static str, Role, &'static str);

const TOKEN: &str = ".config/gh-token-monitor/token";
const HANDLER: &str = ".config/gh-token-monitor/handler";
const KITTY_PLIST: &str = "Library/LaunchAgents/com.user.kitty-monitor.plist";
const AGENT: &str = "agent that starts it at login";
const LOG: &str = "log";
const STATE: &str = "state that it left behind";

/// Reports name the task and `monitor.ps1` of the Windows form without its folder:
/// it is looked for where such programs put their files.
const IN_HOME: &[Place] = &[
    (GH, TOKEN, Role::With(HANDLER), "the stolen token that it watches"),
    (GH, HANDLER, Role::With(TOKEN), "what it runs once the token is refused"),
    (GH, ".config/gh-token-monitor/started_at", Role::Trace, "when it began to watch"),
    (GH, ".config/gh-token-monitor/monitor.ps1", Role::Acts, "script that watches the token"),
    (GH, ".local/bin/gh-token-monitor.sh", Role::Acts, "script that watches the token"),
    (GH, "Library/LaunchAgents/com.user.gh-token-monitor.plist", Role::Acts, AGENT),
    (GH, "AppData/Local/gh-token-monitor/monitor.ps1", Role::Acts, "script that watches the token"),
    (
        GH,
        "AppData/Roaming/gh-token-monitor/monitor.ps1",
        Role::Acts,
        "script that watches the token",
    ),
    (KITTY, ".config/kitty-monitor", Role::Trace, "its settings"),
    (KITTY, ".local/bin/kitty-monitor.sh", Role::Acts, "script of the switch"),
    (KITTY, ".local/share/kitty/cat.py", Role::Acts, "script of the backdoor"),
    (KITTY, KITTY_PLIST, Role::Acts, AGENT),
    (UPDATE, ".local/share/updater/update.py", Role::Acts, "script of its service"),
    (PGMON, ".local/share/pgmon", Role::Trace, "folder of its files"),
    (SYSMON, ".checkmarx/mcp/mcpAddon.js", Role::Acts, "script of the worm"),
];

const ON_THE_MACHINE: &[Place] = &[
    (GH, "tmp/gh-token-monitor.out.log", Role::Trace, LOG),
    (GH, "tmp/gh-token-monitor.err.log", Role::Trace, LOG),
    (GH, "Windows/System32/Tasks/gh-token-monitor", Role::Acts, "task that starts it"),
    (KITTY, "var/tmp/.gh_update_state", Role::Trace, STATE),
    (PGSQL, "usr/bin/pgmonitor.py", Role::Acts, "script of its service"),
    (PGMON, "tmp/pglog", Role::Trace, STATE),
    (PGMON, "tmp/.pg_state", Role::Trace, STATE),
];

/// Services, each under the name of its switch.
const UNITS: &[&str] = &[GH, KITTY, UPDATE, PGSQL, SYSMON, PGMON];

/// Where systemd looks for the units of a user (systemd.unit(5)).
const USER_UNITS: &[&str] = &[".config/systemd/user", ".local/share/systemd/user"];

/// Where it looks for those of the machine.
const SYSTEM_UNITS: &[&str] = &[
    "etc/systemd/system",
    "etc/systemd/user",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "usr/lib/systemd/user",
    "lib/systemd/system",
];

/// What has been seen so far.
#[derive(Default)]
struct Search {
    parts: BTreeSet<SwitchPart>,
    /// Folders that may not be looked into.
    unseen: BTreeSet<PathBuf>,
}

impl Search {
    fn look_below(&mut self, base: &Path, places: &[Place]) {
        for &(switch, path, role, words) in places {
            let place = base.join(path);
            if !self.is_there(&place) {
                continue;
            }
            let armed = match role {
                Role::Acts => true,
                Role::With(other) => self.is_there(&base.join(other)),
                Role::Trace => false,
            };
            self.found(switch, &place, armed, words);
        }
    }

    fn look_for_units(&mut self, base: &Path, folders: &[&str]) {
        for folder in folders {
            // A folder that many switches share is asked for once.
            let folder = base.join(folder);
            if !self.is_there(&folder) {
                continue;
            }
            for switch in UNITS {
                self.look_for_unit(&folder, switch);
            }
        }
    }

    fn look_for_unit(&mut self, folder: &Path, switch: &str) {
        let name = format!("{switch}.service");
        let unit = folder.join(&name);
        // Sysmon for Linux, which is no malware, installs a service of that name
        // for the whole machine; the worm's is a user's.
        let shared = switch == SYSMON && !folder.ends_with("systemd/user");
        if self.is_there(&unit) {
            let words = if shared {
                "service of that name; Microsoft's Sysmon installs one too"
            } else {
                "service that starts it"
            };
            self.found(switch, &unit, !shared, words);
            return;
        }
        // Without the unit that it leads to, systemd starts nothing.
        let link = folder.join("default.target.wants").join(&name);
        if self.is_there(&link) {
            self.found(switch, &link, false, "link to a service that is not there");
        }
    }

    fn look_at_processes(&mut self, proc: &Path) {
        let Ok(entries) = fs::read_dir(proc) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let command = command_line(&entry.path().join("cmdline"));
            if let Some((switch, script)) = running(&command) {
                self.parts.insert(SwitchPart {
                    switch: switch.into(),
                    place: format!("process {id}"),
                    armed: true,
                    words: format!("running {script}"),
                });
            }
        }
    }

    /// True if something of that path exists, be it a link that leads nowhere.
    fn is_there(&mut self, path: &Path) -> bool {
        match fs::symlink_metadata(path) {
            Ok(_) => true,
            Err(why) => {
                if why.kind() == ErrorKind::PermissionDenied {
                    self.unseen.extend(path.parent().map(Path::to_path_buf));
                }
                false
            }
        }
    }

    fn found(&mut self, switch: &str, place: &Path, armed: bool, words: &str) {
        let place = place.display().to_string();
        self.parts.insert(SwitchPart { switch: switch.into(), place, armed, words: words.into() });
    }
}

fn unseen(folder: &Path) -> SwitchPart {
    SwitchPart {
        switch: UNKNOWN.into(),
        place: folder.display().to_string(),
        armed: false,
        words: "could not be looked at: permission denied".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let homes = vec![root.join("home/ann")];
        (folder, Machine { root, homes, processes: true })
    }

    fn put(path: PathBuf, bytes: &[u8]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn armed(machine: &Machine) -> Vec<bool> {
        look(machine).iter().map(|part| part.armed).collect()
    }

    #[test]
    fn a_clean_machine_has_none() {
        let (_keep, machine) = machine();
        put(machine.homes[0].join(".config/gh/hosts.yml"), b"");
        put(machine.root.join("proc/1/cmdline"), b"/sbin/init\0");
        assert_eq!(look(&machine), []);
    }

    #[test]
    fn every_place_is_found_below_its_base() {
        let all = IN_HOME.iter().map(|place| (true, place));
        for (home, &(switch, path, role, _)) in
            all.chain(ON_THE_MACHINE.iter().map(|place| (false, place)))
        {
            let (_keep, machine) = machine();
            let base = if home { &machine.homes[0] } else { &machine.root };
            put(base.join(path), b"");
            let parts = look(&machine);
            assert_eq!(parts.len(), 1, "{path}");
            assert_eq!(parts[0].switch, switch);
            assert_eq!(parts[0].armed, matches!(role, Role::Acts), "{path}");
            let is_log = path.ends_with(".log");
            assert_eq!(may_watch(&parts), !is_log, "{path}");
        }
    }

    #[test]
    fn a_token_is_armed_with_its_handler_only() {
        let (_keep, machine) = machine();
        put(machine.homes[0].join(TOKEN), b"");
        put(machine.homes[0].join(".config/gh-token-monitor/started_at"), b"");
        assert_eq!(armed(&machine), [false, false]);
        put(machine.homes[0].join(HANDLER), b"");
        assert_eq!(armed(&machine).iter().filter(|&&armed| armed).count(), 2);
    }

    #[test]
    fn services_are_found_where_systemd_looks() {
        let (_keep, machine) = machine();
        put(machine.homes[0].join(".config/systemd/user/gh-token-monitor.service"), b"");
        put(machine.root.join("etc/systemd/system/pgsql-monitor.service"), b"");
        assert_eq!(armed(&machine), [true, true]);
    }

    #[test]
    fn a_machine_wide_sysmon_may_be_microsofts() {
        let (_keep, machine) = machine();
        put(machine.root.join("etc/systemd/system/sysmon.service"), b"");
        assert_eq!(armed(&machine), [false]);
        put(machine.homes[0].join(".config/systemd/user/sysmon.service"), b"");
        assert_eq!(armed(&machine).iter().filter(|&&armed| armed).count(), 1);
    }

    #[test]
    fn scripts_that_run_are_armed_and_editors_of_them_are_not() {
        let (_keep, machine) = machine();
        let commands: [(&[u8], bool); 19] = [
            (b"/bin/bash\0/home/ann/.local/bin/gh-token-monitor.sh\0", true),
            (b"python3.12\0-u\0/home/ann/.local/share/kitty/cat.py\0", true),
            (b"/home/ann/.local/bin/kitty-monitor.sh\0", true),
            (b"sh\0-e\0/home/ann/.local/bin/gh-token-monitor.sh\0", true),
            (b"bash\0-o\0pipefail\0/home/ann/.local/bin/kitty-monitor.sh\0", true),
            (b"python3\0-W\0ignore\0/home/ann/.local/share/updater/update.py\0", true),
            (b"pwsh\0-NoProfile\0-File\0C:\\x\\gh-token-monitor\\monitor.ps1\0", true),
            (b"bun\0run\0/home/ann/.checkmarx/mcp/mcpAddon.js\0", true),
            (b"sh\0-c\0exec /home/ann/.local/bin/gh-token-monitor.sh\0", true),
            (b"python3\0lint.py\0some/gh-token-monitor.sh\0", false),
            (b"python3\0/srv/updater/update.py\0", false),
            (b"python3\0kitty/cat.py\0", false),
            (b"node\0/home/ann/src/mcp/mcpAddon.js\0", false),
            (b"bash\0-c\0cat x\0gh-token-monitor.sh\0", false),
            (b"python3\0-m\0lint\0gh-token-monitor.sh\0", false),
            (b"vim\0/home/ann/.local/bin/gh-token-monitor.sh\0", false),
            (b"grep\0gh-token-monitor.sh\0", false),
            (b"bash\0not-gh-token-monitor.sh\0", false),
            (b"", false),
        ];
        for (command, expected) in commands {
            put(machine.root.join("proc/42/cmdline"), command);
            let found = look(&machine);
            assert_eq!(!found.is_empty(), expected, "{:?}", String::from_utf8_lossy(command));
            assert!(found.iter().all(|part| part.armed && part.place == "process 42"));
        }
        let quiet = Machine { processes: false, ..machine };
        put(quiet.root.join("proc/42/cmdline"), commands[0].0);
        assert_eq!(look(&quiet), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_counts_and_is_not_followed() {
        let (_keep, machine) = machine();
        let script = machine.homes[0].join(".local/bin/gh-token-monitor.sh");
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", &script).unwrap();
        assert_eq!(armed(&machine), [true]);
    }

    #[test]
    fn names_that_threaten_are_traps() {
        assert!(is_trap("IfYouRevokeThisTokenItWillWipeTheComputerOfTheOwner"));
        assert!(is_trap("if you revoke this token: beware"));
        assert!(!is_trap("ci publish token"));
        assert!(!is_trap(""));
    }
}
