//! Guard the accounts and the packages, so that the next token is worth less.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{PLACE, Reached, Scene, commands_for, listed, step, with_name};
use crate::blast_radius::{publishing_access, words};
use crate::model::radius::{Certainty, Learnt, PublishedBy, SecondFactor, Step};

/// Where the second factor is missing, weak or not known.
pub(super) fn second_factor(scene: &Scene<'_>) -> Option<Step> {
    let mut accounts = BTreeMap::new();
    for radius in scene.radii() {
        let Some(user) = radius.account.user.get() else { continue };
        accounts.insert(user.as_str(), &radius.account.second_factor);
    }
    accounts.retain(|_, mode| !is_full(mode));
    let (user, mode) = accounts.iter().next()?;
    let why = format!("{}: {}", user, state(mode));
    let mut step = step("second-factor", "Put a security key or passkey on the account", why);
    step.notes
        .extend(accounts.iter().skip(1).map(|(user, mode)| format!("{user}: {}", state(mode))));
    step.commands.push("https://docs.npmjs.com/configuring-two-factor-authentication".into());
    step.commands.push("npm profile enable-2fa auth-and-writes".into());
    step.commands.push("npm profile get".into());
    step.notes.push(
        "a security key or passkey cannot be phished; new TOTP apps are no longer accepted, and a leaked TOTP seed is as good as none"
            .into(),
    );
    step.notes.push("the key is added on npm's site (Account, Two-Factor Authentication); the command sets the mode for writes".into());
    Some(step)
}

fn is_full(mode: &Learnt<SecondFactor>) -> bool {
    let known = (mode.certainty, mode.value);
    known == (Certainty::Measured, Some(SecondFactor::AuthAndWrites))
}

fn state(mode: &Learnt<SecondFactor>) -> &'static str {
    match (mode.certainty, mode.value) {
        (Certainty::Measured, Some(SecondFactor::None)) => "no second factor",
        (Certainty::Measured, Some(SecondFactor::Pending)) => {
            "set-up of the second factor not finished"
        }
        (Certainty::Measured, Some(SecondFactor::AuthOnly)) => {
            "the second factor guards the login, not all writes"
        }
        (Certainty::Measured, Some(SecondFactor::AuthAndWrites)) => "guarded",
        _ => "its second factor could not be seen",
    }
}

/// Packages that a token can publish are closed to tokens.
pub(super) fn disallow_tokens(scene: &Scene<'_>) -> Option<Step> {
    let open: Vec<_> = scene.writable.iter().filter(|it| it.unguarded).collect();
    if open.is_empty() {
        return None;
    }
    let names = listed(open.iter().map(|it| it.package.name.as_str()));
    let why = format!("a token that was found can publish {names} without a second factor, or may");
    let mut step = step("disallow-tokens", "Close the packages to tokens", why);
    let setting = publishing_access().get("disallow-tokens");
    let (mfa, meaning) = setting.map_or(("publish", ""), |it| (it.mfa.as_str(), it.name.as_str()));
    let command = format!("npm access set mfa={mfa} {}", PLACE);
    commands_for(&mut step, &open, |it| {
        Some((words::word(&it.package.name)?.into_owned(), command.clone().into()))
    });
    step.notes.push(format!(
        "this is \"{meaning}\": a person with a second factor and trusted publishing still publish, no token does"
    ));
    step.notes.push(
        "releases by token stop with it: set up trusted publishing in the same sitting".into(),
    );
    Some(step)
}

/// Packages that are not published by a trusted publisher yet.
pub(super) fn trusted_publishing(scene: &Scene<'_>) -> Option<Step> {
    let by_token: Vec<_> = scene.writable.iter().filter(|it| !is_trusted(it)).collect();
    if by_token.is_empty() {
        return None;
    }
    let names = listed(by_token.iter().map(|it| it.package.name.as_str()));
    let why =
        format!("the newest version of {names} was not seen to come from a trusted publisher");
    let mut step = step("trusted-publishing", "Publish from CI without a token", why);
    // One that had a publisher may have it still: look before adding another.
    let (had, never): (Vec<_>, Vec<_>) =
        by_token.into_iter().partition(|it| trusted_until(it).is_some());
    commands_for(&mut step, &had, |it| with_name(&it.package.name, "npm trust list {}"));
    let until =
        |it: &&Reached<'_>| Some(format!("{} until {}", it.package.name, trusted_until(it)?));
    let until: Vec<_> = had.iter().filter_map(until).collect();
    if !until.is_empty() {
        step.notes.push(format!(
            "a trusted publisher was used for {}: see in the list whether it is still there and yours, and why newer versions went around it",
            listed(until.iter().map(String::as_str))
        ));
    }
    if never.is_empty() {
        return Some(step);
    }
    let (known, unknown): (Vec<_>, Vec<_>) =
        never.into_iter().partition(|it| trust_command(it).is_some());
    commands_for(&mut step, &known, |it| trust_command(it));
    if !unknown.is_empty() {
        let names = listed(unknown.iter().map(|it| it.package.name.as_str()));
        step.notes.push(format!(
            "of {names} no repository at GitHub or GitLab is known: npm trust github PACKAGE --repo OWNER/REPO --file FILE --allow-stage-publish"
        ));
    }
    step.notes.extend([
        "--file is the name of the workflow that publishes, without its folder: put yours in its place".into(),
        "so set up, the workflow runs npm stage publish and a person approves; --allow-publish instead lets it publish by itself"
            .into(),
        "the workflow's job needs permissions: id-token: write and contents: read, and no NODE_AUTH_TOKEN".into(),
        "npm trust needs npm 11.15, a login with a second factor and the package to exist; publishing so needs npm 11.5.1, Node 22.14 and a runner of the provider's own"
            .into(),
        "whoever can change that workflow can publish: protect its branch, and name an environment with reviewers by --env"
            .into(),
    ]);
    Some(step)
}

fn is_trusted(it: &Reached<'_>) -> bool {
    let by = it.package.published_by.get();
    matches!(by, Some(PublishedBy::TrustedPublisher { .. } | PublishedBy::Staged { .. }))
}

/// The last version by a trusted publisher, if newer ones came otherwise.
fn trusted_until<'a>(it: &Reached<'a>) -> Option<&'a str> {
    Some(&it.package.trusted_before.get()?.as_ref()?.version)
}

/// `npm trust github PKG --repo O/R --file publish.yml --allow-stage-publish`.
fn trust_command(it: &&Reached<'_>) -> Option<(String, Cow<'static, str>)> {
    let package = words::word(&it.package.name)?.into_owned();
    let url = it.package.repository.get()?;
    if let Some((owner, name)) = words::repository(url, "github.com") {
        let text = format!(
            "npm trust github {PLACE} --repo {owner}/{name} --file publish.yml --allow-stage-publish"
        );
        return Some((package, text.into()));
    }
    let (group, name) = words::repository(url, "gitlab.com")?;
    let text = format!(
        "npm trust gitlab {PLACE} --project {group}/{name} --file .gitlab-ci.yml --allow-stage-publish"
    );
    Some((package, text.into()))
}

/// Staging asks a person before a version goes out; and what a thief has put up
/// there must not be approved.
pub(super) fn staged(scene: &Scene<'_>) -> Option<Step> {
    let is_staged = |it: &&Reached<'_>| {
        matches!(it.package.published_by.get(), Some(PublishedBy::Staged { .. }))
    };
    let all: Vec<_> = scene.writable.iter().collect();
    if all.is_empty() {
        return None;
    }
    let names = listed(all.iter().map(|it| it.package.name.as_str()));
    let why = format!("whoever holds the token can put versions of {names} up for approval");
    let mut step =
        step("staged", "Look at what is staged, and let a person approve each release", why);
    commands_for(&mut step, &all, |it| with_name(&it.package.name, "npm stage list {}"));
    step.commands.push("npm stage reject STAGE_ID".into());
    if !all.iter().all(is_staged) {
        step.notes.push(
            "in the workflow, npm stage publish takes the place of npm publish; npm stage approve STAGE_ID, with the second factor, sends it out"
                .into(),
        );
    }
    Some(step)
}

/// Repositories through which a credential reaches a package.
pub(super) fn workflows(scene: &Scene<'_>) -> Option<Step> {
    let edges = &scene.response.graph.edges;
    let mut ways: Vec<_> =
        edges.iter().filter(|edge| edge.relation == "can-publish-through").collect();
    ways.sort();
    ways.dedup_by_key(|edge| edge.to.as_str());
    let first = ways.first()?;
    let reached = first.to.strip_prefix("package:").unwrap_or(&first.to);
    let why = format!("a GitHub token that was found reaches {reached}: {}", first.how);
    let mut step = step("workflows", "Guard the workflows that publish", why);
    let packages: Vec<_> =
        ways.iter().filter_map(|edge| edge.to.strip_prefix("package:")).collect();
    commands_for(&mut step, &packages, |name| with_name(name, "npm trust list {}"));
    step.notes.extend([
        "look through all branches for workflows that you did not write, and for runners that are not yours".into(),
        "protect the branch and the tags that publish, and have the environment ask for a review".into(),
        "if a publisher is too wide: npm trust revoke --id ID PACKAGE, then npm trust github … with --env"
            .into(),
    ]);
    Some(step)
}
