//! Evidence kept, and persistence off.

use super::{LIST_CAP, Scene, listed, name, step};
use crate::blast_radius::words;
use crate::model::radius::{Step, SwitchPart};

/// What waits for a token to die is stopped before any token dies.
pub(super) fn persistence(scene: &Scene<'_>) -> Option<Step> {
    let parts = &scene.response.switch;
    if parts.is_empty() {
        return trap(scene);
    }
    let armed = scene.response.armed();
    let (title, state) = if armed {
        ("Stop the dead-man's switch BEFORE anything is revoked", "armed")
    } else {
        ("Take away what is left of a dead-man's switch", "there, and nothing of it looks armed")
    };
    let places = listed(parts.iter().map(|part| part.place.as_str()));
    let mut step = step("persistence", title, format!("{state}: {places}"));
    if armed {
        step.notes.push(
            "it deletes the home directory when GitHub refuses the stolen token: revoking is what sets it off"
                .into(),
        );
    }
    step.notes.push("only when the evidence is copied: these commands delete it".into());
    let order: [fn(&SwitchPart) -> Option<String>; 3] = [stop, delete, check];
    // No cap: a part that is not named would stay.
    for command in order {
        let mut wanted: Vec<_> = parts.iter().filter_map(command).collect();
        wanted.dedup();
        step.commands.append(&mut wanted);
    }
    let odd = parts.iter().filter(|part| delete(part).is_none() && process(part).is_none()).count();
    if odd > 0 {
        let places = words::count(odd as u64, "place");
        step.notes.push(format!("{places} with control characters in the name: take away by hand"));
    }
    step.notes.push("run the commands as the user whose home it is".into());
    step.notes.push("go on only when the last commands find no process any more".into());
    if !scene.trapped.is_empty() {
        step.notes.push(elsewhere());
    }
    Some(step)
}

/// A token bears the name of one whose death is watched, and nothing that watches
/// was found on this machine.
fn trap(scene: &Scene<'_>) -> Option<Step> {
    let first = scene.trapped.first()?;
    let why = format!(
        "{}: it, or another token of its account, is named as worms name one whose death they watch",
        name(first)
    );
    let title = "Find the machine that watches the token BEFORE anything is revoked";
    let mut step = step("persistence", title, why);
    step.commands.push("tokensweep host".into());
    for finding in scene.trapped.iter().skip(1).take(LIST_CAP) {
        step.notes.push(name(finding));
    }
    step.notes
        .push("nothing that watches it was found on this machine, which clears no other".into());
    step.notes.push(elsewhere());
    step.notes.push(
        "found one: isolate it, copy its files, stop the service, delete the files, and see that no process is left"
            .into(),
    );
    Some(step)
}

fn elsewhere() -> String {
    "run tokensweep host on every machine and CI runner where the token was, and look for gh-token-monitor, kitty-monitor, update-monitor, pgsql-monitor, sysmon and pgmon: services of systemd or launchd, scripts in ~/.local/bin and ~/.local/share, folders in ~/.config"
        .into()
}

/// The command that stops a part, if it is one that runs.
fn stop(part: &SwitchPart) -> Option<String> {
    if let Some(id) = process(part) {
        // Stopped first, so that a handler for its end cannot run.
        return Some(format!("kill -STOP {id} && kill -KILL {id}"));
    }
    let name = part.place.rsplit(['/', '\\']).next()?;
    if name.ends_with(".service") {
        let user = if is_of_a_user(&part.place) { "systemctl --user" } else { "sudo systemctl" };
        return Some(format!("{user} disable --now {}", words::word(name)?));
    }
    if name.ends_with(".plist") {
        return Some(format!("launchctl bootout gui/$(id -u) {}", words::path(&part.place)?));
    }
    None
}

fn is_of_a_user(place: &str) -> bool {
    !["/etc/", "/usr/", "/lib/", "/run/"].iter().any(|root| place.starts_with(root))
}

fn delete(part: &SwitchPart) -> Option<String> {
    if process(part).is_some() {
        return None;
    }
    let place = &part.place;
    if is_of_windows(place) {
        return Some(format!("Remove-Item -Recurse -Force -LiteralPath {}", literal(place)?));
    }
    let rights = if is_of_a_user(place) { "" } else { "sudo " };
    Some(format!("{rights}rm -rf -- {}", words::path(place)?))
}

/// A path as one word of PowerShell.
fn literal(place: &str) -> Option<String> {
    // The shell takes typographic quotes for plain ones.
    let quotes = '\u{2018}'..='\u{201b}';
    let clean = !place.chars().any(|c| c.is_control() || quotes.contains(&c));
    clean.then(|| format!("'{}'", place.replace('\'', "''")))
}

fn check(part: &SwitchPart) -> Option<String> {
    if is_of_windows(&part.place) {
        return Some(format!(
            "Get-ScheduledTask | Where-Object TaskName -match '{}'",
            words::segment(&part.switch)?
        ));
    }
    Some(format!("pgrep -fl -- {}", words::word(&part.switch)?))
}

/// The number of a part that is a process.
fn process(part: &SwitchPart) -> Option<u32> {
    part.place.strip_prefix("process ")?.parse().ok()
}

fn is_of_windows(place: &str) -> bool {
    place.as_bytes().get(1) == Some(&b':') || place.starts_with(r"\\")
}

/// What goes away by itself, or by cleaning up, is kept before.
pub(super) fn evidence(scene: &Scene<'_>) -> Option<Step> {
    let spread = scene.suspicious().len() as u64;
    if !scene.was_attacked() && spread == 0 {
        return None;
    }
    let why = if !scene.response.switch.is_empty() {
        "a dead-man's switch, or what is left of one, is on this machine".to_owned()
    } else if spread > 0 {
        format!("{} published in the exposure window", words::count(spread, "suspicious version"))
    } else {
        "malware was here, or was installed by a project".to_owned()
    };
    let mut step = step("evidence", "Isolate the machine and keep the evidence", why);
    copies(&scene.response.switch, &mut step);
    step.notes.extend([
        "first pull the network: that sets no switch off, and nothing more gets out; then image the disk, or at least copy what the commands name to another one"
            .into(),
        "run no npm, git or coding agent in the suspect tree: their hooks are where it hides".into(),
        "keep .npmrc, lockfiles, shell histories, the CI's logs and artifacts (they expire) and the audit log"
            .into(),
        "a repository into which secrets were poured is cloned and made private, not deleted".into(),
    ]);
    if !scene.response.switch.is_empty() {
        step.notes.push("the copies may hold the stolen token in clear: keep them closed".into());
    }
    Some(step)
}

/// Commands that copy the parts of a switch, and the logs.
fn copies(parts: &[SwitchPart], step: &mut Step) {
    step.commands.extend(parts.iter().filter_map(snapshot));
    let (windows, files): (Vec<_>, Vec<_>) = parts
        .iter()
        .filter(|part| process(part).is_none())
        .partition(|part| is_of_windows(&part.place));
    for part in windows.iter().filter_map(|part| literal(&part.place)) {
        step.commands.push(format!("Copy-Item -Recurse -LiteralPath {part} -Destination ."));
    }
    // An archive keeps paths and times, and its owner alone reads it.
    let mut all: Vec<_> = files.iter().filter_map(|part| words::path(&part.place)).collect();
    all.push("~/.npm/_logs".into());
    step.commands.push(format!("(umask 077; tar -czf evidence.tar.gz -- {})", all.join(" ")));
}

/// What a running part is, and what a service has logged.
fn snapshot(part: &SwitchPart) -> Option<String> {
    if let Some(id) = process(part) {
        return Some(format!("ps -ww -o pid,ppid,lstart,args -p {id} > process-{id}.txt"));
    }
    let name = part.place.rsplit('/').next()?;
    let unit = words::segment(name).filter(|name| name.ends_with(".service"))?;
    let user = if is_of_a_user(&part.place) { "journalctl --user" } else { "sudo journalctl" };
    Some(format!("{user} -u {unit} > {unit}.log"))
}
