//! Take the credentials away, and put new ones where they are needed.

use super::{LIST_CAP, Scene, is_github, is_npm, name, step};
use crate::blast_radius::words;
use crate::hostage;
use crate::model::radius::{Action, Answer, Step, TokenKind};
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
    let turns = [Turn::NpmBypass, Turn::Npm, Turn::Github, Turn::Other];
    turns.into_iter().filter_map(|turn| one(turn, scene)).collect()
}

/// The tokens whose end may set something off: when all else is done.
pub(super) fn last(scene: &Scene<'_>) -> Option<Step> {
    let mut notes = Vec::new();
    if scene.response.armed() {
        notes.push("only when the switch is off on every machine".to_owned());
    }
    if !scene.trapped.is_empty() {
        notes.push(
            "only when what watches it was found and stopped, or no machine is left that could be it"
                .to_owned(),
        );
    }
    let found = one(Turn::Watched, scene);
    let mut step = match found {
        Some(step) => step,
        // A sibling that nobody found is the one.
        None => {
            let first = scene.trapped.first()?;
            let why = format!("another token of the account of {} bears that name", name(first));
            let mut step = step(Turn::Watched.id(), Turn::Watched.title(), why);
            step.commands.push("npm token list --json".into());
            step.commands.push("npm token revoke KEY".into());
            notes.push("KEY is that of the row with the name IfYouRevokeThisToken…".into());
            step
        }
    };
    notes.append(&mut step.notes);
    step.notes = notes;
    Some(step)
}

fn turn(scene: &Scene<'_>, finding: &Finding) -> Turn {
    if is_watched(scene, finding) {
        return Turn::Watched;
    }
    match () {
        () if is_npm(finding) && scene.may_publish(finding) => Turn::NpmBypass,
        () if is_npm(finding) => Turn::Npm,
        () if is_github(finding) => Turn::Github,
        () => Turn::Other,
    }
}

/// True if the token's end may set something off: its name says so, it stands in
/// a file of the switch, or it is GitHub's and nobody knows which one is watched.
fn is_watched(scene: &Scene<'_>, finding: &Finding) -> bool {
    if let Some(radius) = finding.blast_radius.as_deref() {
        // If one of the account is watched, and its own name is not known, it may be this.
        let trap = radius.token.booby_trap.value == Some(true);
        if radius.token.name.get().map_or(trap, |name| hostage::is_trap(name)) {
            return true;
        }
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

impl Turn {
    fn id(self) -> &'static str {
        match self {
            Self::NpmBypass => "revoke-npm-bypass",
            Self::Npm => "revoke-npm",
            Self::Github => "revoke-github",
            Self::Other => "revoke-other",
            Self::Watched => "revoke-last",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::NpmBypass => {
                "Revoke the npm tokens that publish without a second factor, from another machine"
            }
            Self::Npm => "Revoke the other npm credentials, from another machine",
            Self::Github => "Revoke the GitHub tokens, from another machine",
            Self::Other => "Revoke the rest, from another machine",
            Self::Watched => {
                "LAST, and only when nothing watches any more: revoke the watched tokens"
            }
        }
    }

    fn why(self) -> &'static str {
        match self {
            Self::NpmBypass => "that can publish without a second factor, or may be able to",
            Self::Npm => "of npm",
            Self::Github => "of GitHub",
            Self::Other => "of other services",
            Self::Watched => "whose end something may be waiting for",
        }
    }
}

/// The step for one turn, if a token has it.
fn one(which: Turn, scene: &Scene<'_>) -> Option<Step> {
    let all = scene.live.iter().copied();
    let tokens: Vec<_> = all.filter(|finding| turn(scene, finding) == which).collect();
    if tokens.is_empty() {
        return None;
    }
    let many = words::count(tokens.len() as u64, "credential");
    let mut step = step(which.id(), which.title(), format!("{many} {}", which.why()));
    for finding in tokens.iter().take(LIST_CAP) {
        let host = finding.registry.as_deref().filter(|_| !is_npm(finding));
        let host = host.map(|host| format!(", at {host}")).unwrap_or_default();
        step.notes.push(format!("{}{host}", name(finding)));
        for command in ways(scene, finding) {
            if !step.commands.contains(&command) {
                step.commands.push(command);
            }
        }
    }
    if tokens.len() > LIST_CAP {
        step.notes.push(format!("and {} more; the report names all", tokens.len() - LIST_CAP));
    }
    if tokens.iter().any(|finding| is_npm(finding)) {
        step.notes.extend(npm_notes(&tokens, scene));
    }
    Some(step)
}

fn npm_notes(tokens: &[&Finding], scene: &Scene<'_>) -> Vec<String> {
    let sessions = tokens.iter().filter(|finding| is_session(finding)).count();
    let mut notes = Vec::new();
    if sessions < tokens.len() {
        notes.push(
            "npm asks for the password and the second factor of the owner; a token cannot do it"
                .into(),
        );
        notes
            .push("caches may answer for a revoked token for up to an hour: ask again then".into());
    }
    if sessions > 0 {
        let ends = tokens.iter().filter_map(|finding| session_end(finding)).max();
        notes.push(session_words(ends));
    }
    if tokens.iter().any(|finding| scene.is_beside_a_trap(finding)) {
        notes.push(
            "a token of this account bears the name of one whose death is watched (IfYouRevokeThisToken…): leave that one for last; tokensweep revoke refuses until it is gone"
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

/// Seconds that a session lives at most.
const SESSION_LIFE: i64 = 2 * 3600;

/// When a session is over, if it is known when it began, seconds since 1970.
fn session_end(finding: &Finding) -> Option<i64> {
    let radius = finding.blast_radius.as_deref().filter(|_| is_session(finding))?;
    let told = radius.token.expires.get().copied().flatten();
    told.or_else(|| Some(radius.token.created.get()?.saturating_add(SESSION_LIFE)))
}

/// How a session ends; `ends` is the last moment of the longest one.
fn session_words(ends: Option<i64>) -> String {
    let until = ends.and_then(|ends| jiff::Timestamp::from_second(ends).ok());
    let until = match until {
        Some(until) => format!("by {} at the latest", until.strftime("%F %H:%M UTC")),
        None => "two hours after its login at the latest".into(),
    };
    format!(
        "a session is in no list and has no key: it ends by itself, {until}; npm logout ends it sooner where it is the configured one, and on another machine only that machine's own"
    )
}

fn is_session(finding: &Finding) -> bool {
    let radius = finding.blast_radius.as_deref();
    radius.is_some_and(|radius| radius.token.kind.value == Some(TokenKind::Session))
}

/// The commands and pages by which a credential is taken away.
fn ways(scene: &Scene<'_>, finding: &Finding) -> Vec<String> {
    if is_npm(finding) {
        return npm_ways(scene, finding);
    }
    // A host that only the scanned text names is shown, and not opened.
    let page = finding.service.as_deref().and_then(|service| page(service, &finding.kind));
    page.map(str::to_owned).into_iter().collect()
}

fn npm_ways(scene: &Scene<'_>, finding: &Finding) -> Vec<String> {
    if ["password", "basic-auth"].iter().any(|word| finding.kind.contains(word)) {
        return vec!["npm profile set password".into()];
    }
    let radius = finding.blast_radius.as_deref();
    if is_session(finding) {
        // No list shows sessions, and no command ends one from another machine.
        return Vec::new();
    }
    let key = radius.and_then(|radius| radius.token.key.get()).and_then(|key| words::word(key));
    let mut ways = match key {
        Some(key) => vec![format!("npm token revoke {key}")],
        None => vec!["npm token list --json".into(), "npm token revoke KEY".into()],
    };
    // It refuses while a token of the account is named as a trap.
    ways.extend(our_way(finding).filter(|_| !scene.is_beside_a_trap(finding)));
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
    let live = if scene.live.len() == 1 { "lives" } else { "live" };
    let why = format!("{many} that {live}, or may");
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
    if scene.live.iter().any(|finding| finding.blast_radius.is_some() && publishes(scene, finding))
    {
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

fn publishes(scene: &Scene<'_>, finding: &Finding) -> bool {
    let wanted = [Answer::Yes, Answer::SecondFactor, Answer::Unknown];
    scene.may(finding, Action::Publish, &wanted)
}
