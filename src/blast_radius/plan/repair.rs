//! Repair what was done, look for what was not seen, and look again.

use super::{Scene, commands_for, listed, step, with_name};
use crate::blast_radius::{unpublish_policy, words};
use crate::model::radius::{Certainty, Package, Step, WindowRelease};

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Events of GitHub's audit log that worms and their operators leave.
const EVENTS: [&str; 14] = [
    "repo.create",
    "repo.access",
    "repo.rename",
    "git.clone",
    "repo.download_zip",
    "org.register_self_hosted_runner",
    "repo.register_self_hosted_runner",
    "workflows.delete_workflow_run",
    "personal_access_token",
    "public_key.create",
    "deploy_key.create",
    "hook.create",
    "integration_installation.create",
    "protected_branch",
];

/// Versions that others seem to have published.
pub(super) fn bad_versions(scene: &Scene<'_>) -> Option<Step> {
    let bad: Vec<_> =
        scene.suspicious().into_iter().filter(|(_, release)| !release.ghost).collect();
    let (package, release) = bad.first()?;
    let sign = release.marks.first().map_or("", |mark| mark.words.as_str());
    let why = format!("{}@{}: {sign}", package.name, release.version);
    let mut step = step("bad-versions", "Take back the versions that are not yours", why);
    // First what stops the installs, then what warns, then what may be refused.
    let tagged: Vec<_> =
        bad.iter().filter(|(package, release)| is_latest(package, release)).collect();
    commands_for(&mut step, &tagged, |(package, _)| {
        let good = package.last_good.get().map_or("LAST_GOOD", |it| it.version.as_str());
        with_name(&format!("{}@{good}", package.name), "npm dist-tag add {} latest")
    });
    commands_for(&mut step, &bad, |(package, release)| {
        with_name(&spec(package, release), "npm deprecate {} 'Compromised: do not use'")
    });
    let gone: Vec<_> = bad
        .iter()
        .filter(|(package, release)| may_unpublish(package, release, scene.now))
        .collect();
    commands_for(&mut step, &gone, |(package, release)| {
        with_name(&spec(package, release), "npm unpublish {}")
    });
    step.notes.push("npm asks for the second factor for each of these".into());
    step.notes.push("look at each before you act: a sign is not a proof".into());
    if !tagged.is_empty() {
        step.notes.push(
            "people install what latest names until it is moved: the version that it goes back to is the last stable one from before the first suspicious one; look at it, too"
                .into(),
        );
    }
    step.notes.push(
        "unpublish what can be: only that takes the code away; deprecate warns, and whoever names the version still gets it"
            .into(),
    );
    step.notes.push(policy());
    if gone.len() < bad.len() {
        let kept = words::count((bad.len() - gone.len()) as u64, "version");
        step.notes
            .push(format!("{kept} can only be deprecated, or be taken down by npm's support"));
    }
    step.notes.push("then publish a clean, higher version and tell those who depend on it".into());
    Some(step)
}

/// `name@version`.
fn spec(package: &Package, release: &WindowRelease) -> String {
    format!("{}@{}", package.name, release.version)
}

fn is_latest(package: &Package, release: &WindowRelease) -> bool {
    package.latest.get().is_some_and(|latest| latest.version == release.version)
}

/// False only if what is known of the package rules it out.
fn may_unpublish(package: &Package, release: &WindowRelease, now: Option<i64>) -> bool {
    let policy = unpublish_policy();
    let known = |learnt: &crate::model::radius::Learnt<u64>| {
        learnt.get().copied().filter(|_| learnt.certainty == Certainty::Measured)
    };
    if known(&package.dependents).is_some_and(|n| n > 0) {
        return false;
    }
    let age = now.map(|now| now.saturating_sub(release.time));
    if age.is_none_or(|age| age < policy.hours.saturating_mul(HOUR)) {
        return true;
    }
    let owners = package.maintainers.get().map_or(0, |names| names.len() as u64);
    owners <= policy.owners
        && known(&package.weekly_downloads).is_none_or(|n| n < policy.weekly_downloads)
}

fn policy() -> String {
    let policy = unpublish_policy();
    format!(
        "npm unpublishes within {} hours if nothing depends on the package; later only below {} downloads a week, without dependents and with {} owner at most; a number is never free again",
        policy.hours, policy.weekly_downloads, policy.owners
    )
}

/// Projects of the user that install a version known as bad.
pub(super) fn projects(scene: &Scene<'_>) -> Option<Step> {
    let hit: Vec<_> =
        scene.response.projects.iter().filter(|project| project.known_bad.is_some()).collect();
    let first = hit.first()?;
    let list = first.known_bad.as_deref().unwrap_or_default();
    let why = format!("{} pins {}@{} ({list})", first.lockfile, first.package, first.version);
    let mut step = step("projects", "Take the bad versions out of your own projects", why);
    step.notes.extend(
        hit.iter().skip(1).take(super::LIST_CAP).map(|project| {
            format!("{}: {}@{}", project.lockfile, project.package, project.version)
        }),
    );
    step.notes.extend([
        "whatever machine or CI run has installed it is lost: all that it could read is to be rotated".into(),
        "pin a version from before the window, delete node_modules and the caches, build images without cache"
            .into(),
        "install with --ignore-scripts until all is clean".into(),
    ]);
    step.commands.push("npm cache clean --force".into());
    Some(step)
}

/// Was it used? Where the services keep the answer.
pub(super) fn audit(scene: &Scene<'_>) -> Option<Step> {
    let mut step = step("audit", "Look for what was done with them", String::new());
    let since = since(scene);
    let mut why = Vec::new();
    let watched: Vec<_> = scene.writable.iter().map(|it| it.package.name.as_str()).collect();
    if !watched.is_empty() {
        why.push(format!("{} could be published", listed(watched.iter().copied())));
        commands_for(&mut step, &watched, |name| with_name(name, "npm view {} time --json"));
        step.notes.push(
            "versions that are in the list of times and nowhere else were published and taken back"
                .into(),
        );
    }
    if scene.live_github().next().is_some() {
        why.push("a GitHub token lives, or may".into());
        github(scene, &mut step, &since);
    }
    if scene.live.iter().any(|finding| finding.service.as_deref() == Some("aws")) {
        why.push("an AWS key lives, or may".into());
        step.notes.push("AWS: CloudTrail, the events of the access key".into());
    }
    if why.is_empty() {
        return None;
    }
    step.why = why.join("; ");
    if let Some(day) = since {
        step.notes.push(format!("the exposure began on {day} or before"));
    }
    Some(step)
}

/// The first day on which a credential was open to others.
fn since(scene: &Scene<'_>) -> Option<String> {
    let begins = scene.radii().filter_map(|radius| radius.window.from.get().copied());
    Some(words::day(begins.min()?)?.to_string())
}

fn github(scene: &Scene<'_>, step: &mut Step, since: &Option<String>) {
    let users = scene
        .live_github()
        .filter_map(|finding| finding.validation.identity.as_ref()?.user.as_deref());
    let actor = users.filter_map(words::segment).next();
    let actor = actor.map(|user| format!("actor:{user} ")).unwrap_or_default();
    let created = since.as_ref().map(|day| format!("created:>={day} ")).unwrap_or_default();
    let events = EVENTS.map(|event| format!("action:{event}")).join(" ");
    step.commands.push("https://github.com/settings/security-log".into());
    step.commands.push(format!(
        "gh api -X GET /orgs/ORG/audit-log --paginate -f phrase='{actor}{created}action:repo.create'"
    ));
    step.notes.push(format!("the same query for each of: {events}"));
    step.notes.push(
        "also: pushes to .github/workflows, branches that lived for minutes, new secrets of Actions, forks".into(),
    );
}

/// What comes late is seen only by looking again.
pub(super) fn scan_again(scene: &Scene<'_>) -> Option<Step> {
    if scene.live.is_empty() && !scene.was_attacked() && scene.suspicious().is_empty() {
        return None;
    }
    let why =
        "stolen tokens were used weeks later, and worms spread for days after the first clean-up";
    let mut step = step("scan-again", "Look again tomorrow, in a week and in a month", why);
    step.commands.push("tokensweep scan . --write-baseline .tokensweep.baseline".into());
    step.commands.push("tokensweep scan . --baseline .tokensweep.baseline".into());
    let uses = scene.response.projects.iter().filter(|project| project.known_bad.is_none());
    let watched: std::collections::BTreeSet<_> = uses.map(|it| it.package.as_str()).collect();
    if !watched.is_empty() {
        let names = listed(watched.iter().copied());
        step.notes
            .push(format!("your own projects install {names}: update them by hand until then"));
    }
    Some(step)
}
