//! Take the credentials away, and put new ones where they are needed.

use super::{LIST_CAP, Scene, is_github, is_npm, name, step};
use crate::blast_radius::rights::answer;
use crate::blast_radius::words;
use crate::hostage;
use crate::model::radius::{Action, Answer, BlastRadius, Step, TokenKind};
use crate::model::{Finding, OriginKind};

/// Tokens are taken away in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Publishes without a second factor.
    NpmBypass,
    Npm,
    Github,
    Other,
    /// Something waits for its end.
    Watched,
}

/// One step for each turn that has a token.
pub(super) fn revoke(scene: &Scene<'_>) -> Vec<Step> {
    let turns = [Turn::NpmBypass, Turn::Npm, Turn::Github, Turn::Other, Turn::Watched];
    let all: Vec<_> = scene.live.iter().map(|finding| (turn(scene, finding), *finding)).collect();
    let of = |turn: Turn| all.iter().filter(move |(own, _)| *own == turn).map(|(_, it)| *it);
    turns
        .into_iter()
        .filter_map(|turn| {
            let tokens: Vec<_> = of(turn).collect();
            (!tokens.is_empty()).then(|| one(turn, &tokens, scene))
        })
        .collect()
}

fn turn(scene: &Scene<'_>, finding: &Finding) -> Turn {
    if is_watched(scene, finding) {
        return Turn::Watched;
    }
    match () {
        () if is_npm(finding) && bypasses(finding) => Turn::NpmBypass,
        () if is_npm(finding) => Turn::Npm,
        () if is_github(finding) => Turn::Github,
        () => Turn::Other,
    }
}

/// True if the token's end may set something off: its name says so, it stands in
/// a file of the switch, or it is GitHub's and nobody knows which one is watched.
fn is_watched(scene: &Scene<'_>, finding: &Finding) -> bool {
    let token_name = finding.blast_radius.as_ref().and_then(|radius| radius.token.name.get());
    if token_name.is_some_and(|name| hostage::is_trap(name)) {
        return true;
    }
    if !scene.response.armed() || !is_github(finding) {
        return false;
    }
    stands_in_a_switch(scene, finding)
        || !scene.live_github().any(|other| stands_in_a_switch(scene, other))
}

/// True if a place of the finding is a part of the switch, or lies in one. The
/// scan may have named it from another directory than the search for the switch.
fn stands_in_a_switch(scene: &Scene<'_>, finding: &Finding) -> bool {
    let parts = &scene.response.switch;
    finding.locations.iter().any(|location| {
        let shown = location.origin.shown();
        let shown = String::from_utf8_lossy(&shown);
        let path = shown.trim_start_matches("./");
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        parts.iter().any(|part| is_at(&part.place, path) || is_at(&part.place, folder))
    })
}

/// True if `place`, which is absolute, may be what `path` names.
fn is_at(place: &str, path: &str) -> bool {
    // A single name stands in too many places to say anything.
    let tail = place.strip_suffix(path).filter(|_| path.contains('/'));
    tail.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn bypasses(finding: &Finding) -> bool {
    let Some(radius) = finding.blast_radius.as_deref() else { return false };
    let worst = radius.rights.first();
    radius.token.bypass.value == Some(true)
        || worst.is_some_and(|rights| rights.kind == TokenKind::ReadWriteBypass)
}

fn one(turn: Turn, tokens: &[&Finding], scene: &Scene<'_>) -> Step {
    let many = words::count(tokens.len() as u64, "credential");
    let (id, title, why) = match turn {
        Turn::NpmBypass => (
            "revoke-npm-bypass",
            "Revoke the npm tokens that publish without a second factor, from another machine",
            "that can publish without a second factor, or may be able to",
        ),
        Turn::Npm => {
            ("revoke-npm", "Revoke the other npm credentials, from another machine", "of npm")
        }
        Turn::Github => {
            ("revoke-github", "Revoke the GitHub tokens, from another machine", "of GitHub")
        }
        Turn::Other => {
            ("revoke-other", "Revoke the rest, from another machine", "of other services")
        }
        Turn::Watched => (
            "revoke-last",
            "LAST, and only when the switch is off everywhere: revoke the watched tokens",
            "whose end something may be waiting for",
        ),
    };
    let mut step = step(id, title, format!("{many} {why}"));
    for finding in tokens.iter().take(LIST_CAP) {
        let host = finding.registry.as_deref().filter(|_| !is_npm(finding));
        let host = host.map(|host| format!(", at {host}")).unwrap_or_default();
        step.notes.push(format!("{}{host}", name(finding)));
        for command in ways(finding) {
            if !step.commands.contains(&command) {
                step.commands.push(command);
            }
        }
    }
    if tokens.len() > LIST_CAP {
        step.notes.push(format!("and {} more; the report names all", tokens.len() - LIST_CAP));
    }
    if matches!(turn, Turn::NpmBypass | Turn::Npm) {
        step.notes.extend(npm_notes(tokens, scene));
    }
    step
}

fn npm_notes(tokens: &[&Finding], scene: &Scene<'_>) -> Vec<String> {
    let mut notes = vec![
        "npm asks for the password and the second factor of the owner; a token cannot do it".into(),
        "caches may answer for a revoked token for up to an hour: ask again then".into(),
    ];
    let radii = || tokens.iter().filter_map(|finding| finding.blast_radius.as_deref());
    if radii().any(|radius| radius.token.booby_trap.value == Some(true)) {
        notes.push(
            "a token of this account bears the name of one whose death is watched (IfYouRevokeThisToken…): leave that one for last"
                .into(),
        );
    }
    if scene.was_attacked() {
        notes.push(
            "revoke all other tokens of the account as well: the malware saw the account".into(),
        );
    }
    notes
}

/// The commands and pages by which a credential is taken away.
fn ways(finding: &Finding) -> Vec<String> {
    if is_npm(finding) {
        return npm_ways(finding);
    }
    // A host that only the scanned text names is shown, and not opened.
    let page = finding.service.as_deref().and_then(|service| page(service, &finding.kind));
    page.map(str::to_owned).into_iter().collect()
}

fn npm_ways(finding: &Finding) -> Vec<String> {
    if ["password", "basic-auth"].iter().any(|word| finding.kind.contains(word)) {
        return vec!["npm profile set password".into()];
    }
    let radius = finding.blast_radius.as_deref();
    if radius.is_some_and(|radius| radius.token.kind.value == Some(TokenKind::Session)) {
        // No list shows sessions; the one who is logged in ends them.
        return vec!["npm logout".into()];
    }
    let key = radius.and_then(|radius| radius.token.key.get()).and_then(|key| words::word(key));
    let mut ways = match key {
        Some(key) => vec![format!("npm token revoke {key}")],
        None => vec!["npm token list --json".into(), "npm token revoke KEY".into()],
    };
    ways.extend(our_way(finding));
    ways.push(match user(finding).and_then(words::segment) {
        Some(user) => format!("https://www.npmjs.com/settings/{user}/tokens"),
        None => "https://www.npmjs.com (Access Tokens)".into(),
    });
    ways
}

/// The command of our own, which finds the row of the list by itself.
fn our_way(finding: &Finding) -> Option<String> {
    let place = finding.locations.first()?;
    let shown = String::from_utf8(place.origin.shown()).ok()?;
    let file = matches!(place.origin.kind, OriginKind::File).then(|| words::word(&shown))??;
    let fingerprint = finding.fingerprint;
    Some(format!("tokensweep revoke {fingerprint} {file} --as ~/.npmrc --otp CODE"))
}

/// Whose credential it is.
fn user(finding: &Finding) -> Option<&str> {
    let radius = finding.blast_radius.as_deref();
    let told = radius.and_then(|radius| radius.account.user.get()).map(String::as_str);
    let identity = finding.validation.identity.as_ref();
    told.or_else(|| identity?.user.as_deref()).or(finding.username.as_deref())
}

/// Where an issuer lets its credentials be taken away.
fn page(service: &str, kind: &str) -> Option<&'static str> {
    Some(match (service, kind) {
        ("github", "github-pat-fine-grained") => {
            "https://github.com/settings/personal-access-tokens"
        }
        ("github", "github-oauth-token" | "github-user-token" | "github-refresh-token") => {
            "https://github.com/settings/applications"
        }
        ("github", _) => "https://github.com/settings/tokens",
        ("gitlab", _) => "https://gitlab.com/-/user_settings/personal_access_tokens",
        ("aws", _) => "https://console.aws.amazon.com/iam/home#/security_credentials",
        ("google", _) => "https://console.cloud.google.com/apis/credentials",
        ("slack", _) => "https://api.slack.com/apps",
        ("stripe", _) => "https://dashboard.stripe.com/apikeys",
        ("openai", _) => "https://platform.openai.com/api-keys",
        ("huggingface", _) => "https://huggingface.co/settings/tokens",
        ("digitalocean", _) => "https://cloud.digitalocean.com/account/api/tokens",
        ("docker", _) => "https://app.docker.com/settings/personal-access-tokens",
        ("cloudflare", _) => "https://dash.cloudflare.com/profile/api-tokens",
        _ => return None,
    })
}

/// New credentials where the old ones were used.
pub(super) fn rotate(scene: &Scene<'_>) -> Option<Step> {
    if scene.live.is_empty() {
        return None;
    }
    let many = words::count(scene.live.len() as u64, "credential");
    let why = format!("{many} that live, or may");
    let mut step = step("rotate", "Rotate everything that was in reach", why);
    for finding in scene.live.iter().take(LIST_CAP) {
        let variable = finding.locations.iter().find_map(|place| place.variable.as_deref());
        let used = variable.map(|name| format!(", used as {name}")).unwrap_or_default();
        let places = words::count(finding.places, "place");
        step.notes.push(format!("{}{used}: in {places}", name(finding)));
    }
    if scene.live.len() > LIST_CAP {
        step.notes.push(format!("and {} more; the report names all", scene.live.len() - LIST_CAP));
    }
    if scene.radii().any(publishes) {
        step.notes
            .push("make no new npm token for publishing: trusted publishing needs none".into());
    }
    if scene.was_attacked() {
        step.notes.push(
            "the malware could read all that this user can: rotate what is in keychains, browsers, agents and CI as well"
                .into(),
        );
    }
    Some(step)
}

fn publishes(radius: &BlastRadius) -> bool {
    let worst = radius.rights.first();
    worst.is_none_or(|rights| answer(rights, Action::Publish) != Answer::No)
}
