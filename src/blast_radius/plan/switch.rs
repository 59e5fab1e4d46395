//! Persistence off, and evidence kept.

use super::{Scene, listed, step};
use crate::blast_radius::words;
use crate::model::radius::{Step, SwitchPart};

/// What waits for a token to die is stopped before any token dies.
pub(super) fn persistence(scene: &Scene<'_>) -> Option<Step> {
    let parts = &scene.response.switch;
    if parts.is_empty() {
        return None;
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
    step.notes.push(
        "pull the network first, which does not set it off, and copy or image the disk: the files are evidence"
            .into(),
    );
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
    Some(step)
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
        let clean = !place.chars().any(char::is_control);
        let quoted = place.replace('\'', "''");
        return clean.then(|| format!("Remove-Item -Recurse -Force -LiteralPath '{quoted}'"));
    }
    let rights = if is_of_a_user(place) { "" } else { "sudo " };
    Some(format!("{rights}rm -rf -- {}", words::path(place)?))
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
    let why = if spread > 0 {
        format!("{} published in the exposure window", words::count(spread, "suspicious version"))
    } else {
        "malware was here, or was installed by a project".to_owned()
    };
    let mut step = step("evidence", "Isolate the machine and keep the evidence", why);
    step.commands.push("cp -a ~/.npm/_logs npm-logs".into());
    step.notes.extend([
        "run no npm, git or coding agent in the suspect tree: their hooks are where it hides".into(),
        "keep .npmrc, lockfiles, shell histories, the CI's logs and artifacts (they expire) and the audit log"
            .into(),
        "a repository into which secrets were poured is cloned and made private, not deleted".into(),
    ]);
    Some(step)
}
