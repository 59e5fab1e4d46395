//! How well a package is guarded, from what everybody can read of it.

use crate::model::radius::{Learnt, Package, PublishedBy, Release};
use crate::registry::npm::packument::{Packument, Version};
use crate::registry::npm::public::Hit;
use crate::registry::npm::repository;

/// More maintainers than this are many: each of them, and each machine that
/// they publish from, is a way in. A judgement, no fact.
const MANY_MAINTAINERS: usize = 5;

/// All of a package that public data tells, and what to change about it. What
/// the credential may do to it is left open.
pub fn package(packument: &Packument, search: Option<&Hit>) -> Package {
    let latest = packument.latest();
    let mut package = Package {
        name: packument.name.clone(),
        private: Learnt::measured(false, "its document is public"),
        weekly_downloads: told(search.and_then(|hit| hit.weekly_downloads)),
        dependents: told(search.and_then(|hit| hit.dependents)),
        maintainers: maintainers(packument),
        latest: newest(packument, latest),
        install_scripts: of_latest(latest, |it| Some(it.runs_at_install()), "its scripts"),
        provenance: of_latest(latest, provenance, "its attestations"),
        published_by: of_latest(latest, published_by, "its publisher"),
        last_token_publish: last_token_publish(packument),
        repository: repository_of(packument, search),
        ..Package::default()
    };
    package.advice = advice(&package, packument);
    package
}

fn told(value: Option<u64>) -> Learnt<u64> {
    match value {
        Some(value) => Learnt::measured(value, "npm's search"),
        None => Learnt::unknown("npm's search did not tell"),
    }
}

fn maintainers(packument: &Packument) -> Learnt<Vec<String>> {
    if packument.maintainers.is_empty() {
        return Learnt::unknown("the public document names none");
    }
    Learnt::measured(
        packument.maintainers.clone(),
        "the public document; members of an organisation's teams may publish as well",
    )
}

fn newest(packument: &Packument, latest: Option<(&str, &Version)>) -> Learnt<Release> {
    match latest {
        Some((number, version)) => {
            Learnt::measured(release(packument, number, version), "the tag latest")
        }
        None if packument.unpublished => Learnt::unknown("the whole package was unpublished"),
        None => Learnt::unknown("no version carries the tag latest"),
    }
}

fn release(packument: &Packument, number: &str, version: &Version) -> Release {
    Release {
        version: number.to_owned(),
        time: packument.time.get(number).copied(),
        publisher: version.publisher.clone(),
    }
}

/// A property of the newest version.
fn of_latest<T>(
    latest: Option<(&str, &Version)>,
    property: impl Fn(&Version) -> Option<T>,
    what: &str,
) -> Learnt<T> {
    let Some((number, version)) = latest else {
        return Learnt::unknown("there is no newest version");
    };
    match property(version) {
        Some(value) => Learnt::measured(value, format!("version {number}: {what}")),
        None => Learnt::unknown(format!("version {number} does not tell {what}")),
    }
}

/// How a version was published, as its document says. A version that a person
/// approved does not tell who staged it.
pub fn published_by(version: &Version) -> Option<PublishedBy> {
    match (&version.approver, &version.trusted, &version.publisher) {
        (Some(approver), _, _) => Some(PublishedBy::Staged { approver: approver.clone() }),
        (None, Some(trusted), _) => {
            Some(PublishedBy::TrustedPublisher { provider: trusted.provider.clone() })
        }
        (None, None, Some(_)) => Some(PublishedBy::Token),
        (None, None, None) => None,
    }
}

/// Whether a version has a provenance. Mirrors leave attestations out; what
/// names its publisher is whole.
fn provenance(version: &Version) -> Option<bool> {
    let has = version.provenance.is_some();
    (has || version.publisher.is_some()).then_some(has)
}

fn last_token_publish(packument: &Packument) -> Learnt<Option<Release>> {
    if packument.versions.values().all(|version| published_by(version).is_none()) {
        return Learnt::unknown("the public document names no publishers: a mirror's, perhaps");
    }
    let by_token = packument
        .versions
        .iter()
        .filter(|(_, version)| published_by(version) == Some(PublishedBy::Token))
        .filter_map(|(number, version)| Some((packument.time.get(number)?, number, version)))
        .max_by_key(|(time, ..)| **time);
    let release = by_token.map(|(_, number, version)| release(packument, number, version));
    Learnt::measured(
        release,
        "publishers of all versions; a token and a person at a keyboard look the same",
    )
}

fn repository_of(packument: &Packument, search: Option<&Hit>) -> Learnt<String> {
    let hit = search.and_then(|hit| hit.repository.as_ref());
    let newest = packument.latest().and_then(|(_, version)| version.repository.as_ref());
    match packument.repository.as_ref().or(newest).or(hit) {
        Some(address) => Learnt::measured(address.clone(), "what its owner wrote"),
        None => Learnt::unknown("it names none that can be read"),
    }
}

/// What to change, most urgent first.
fn advice(package: &Package, packument: &Packument) -> Vec<String> {
    let Some((_, latest)) = packument.latest() else { return Vec::new() };
    let mut advice = Vec::new();
    match package.published_by.get() {
        Some(PublishedBy::Token) => {
            let back = came_back_to_tokens(packument);
            let trusted = packument.versions.values().any(|version| version.trusted.is_some());
            advice.extend(back);
            advice.push(match trusted {
                true => look_at_trust(package),
                false => set_up_trust(package),
            });
        }
        Some(PublishedBy::TrustedPublisher { .. }) => advice.extend([
            disallow_tokens(package),
            "Let the trusted publisher stage only (`npm stage publish`), so that a person approves \
             each version with a second factor"
                .to_owned(),
        ]),
        Some(PublishedBy::Staged { .. }) => advice.push(disallow_tokens(package)),
        None => {}
    }
    if package.provenance.get() == Some(&false) {
        advice.push(
            "Publish with provenance: it comes by itself with a trusted publisher on GitHub or \
             GitLab, if repository and package are public"
                .to_owned(),
        );
    }
    if latest.runs_at_install() {
        advice.push(
            "Do without install scripts: npm 12 does not run them by default, and worms hide in \
             them"
                .to_owned(),
        );
    }
    advice.extend(about_maintainers(package));
    advice
}

/// A package that had a trusted publisher, and now does without.
fn came_back_to_tokens(packument: &Packument) -> Option<String> {
    let guarded =
        |version: &Version| !matches!(published_by(version), Some(PublishedBy::Token) | None);
    let (number, _) = packument
        .versions
        .iter()
        .filter(|(_, version)| guarded(version))
        .max_by_key(|(number, _)| packument.time.get(*number))?;
    Some(format!(
        "Find out why the newest version came by a token or a person, when {number} came by a \
         trusted publisher or the staging area"
    ))
}

/// The syntax is that of npm 12.2 (`npm trust --help`), where one of the two
/// permissions must be named; versions before 11.15 know none.
fn set_up_trust(package: &Package) -> String {
    let name = word(&package.name);
    let address = package.repository.get().map(String::as_str).unwrap_or_default();
    let (place, file) = match (repository::on_github(address), repository::on_gitlab(address)) {
        (Some(slug), _) => (format!("github {name} --repo {slug}"), "publish.yml"),
        (None, Some(path)) => (format!("gitlab {name} --project {path}"), ".gitlab-ci.yml"),
        (None, None) => (format!("github {name} --repo OWNER/REPOSITORY"), "publish.yml"),
    };
    format!(
        "Publish without tokens: `npm trust {place} --file {file} --allow-stage-publish` (npm \
         11.15 or newer; put the name of your workflow in place of {file}), then disallow tokens: \
         `npm access set mfa=publish {name}`"
    )
}

/// A trusted publisher was there before: it may still be, and be right.
fn look_at_trust(package: &Package) -> String {
    let name = word(&package.name);
    format!(
        "Publish by the trusted publisher again, if it is yours: `npm trust list {name}`, then \
         disallow tokens: `npm access set mfa=publish {name}`"
    )
}

/// A name in the commands that a sentence holds: old names may hold signs that
/// mean something to a shell, and no sentence can quote them safely.
fn word(name: &str) -> &str {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"@/-_.".contains(&b));
    if plain && !name.starts_with('-') { name } else { "PACKAGE" }
}

fn disallow_tokens(package: &Package) -> String {
    format!(
        "Disallow tokens, if that is not done yet (nobody can read it from outside): `npm access \
         set mfa=publish {}`; trusted publishing goes on",
        word(&package.name)
    )
}

fn about_maintainers(package: &Package) -> Option<String> {
    match package.maintainers.get()?.len() {
        1 => Some(
            "Add a second maintainer with a second factor, who can act when the first one is \
             locked out"
                .to_owned(),
        ),
        n if n > MANY_MAINTAINERS => Some(format!(
            "Take away maintainers who do not publish: there are {n} (`npm owner rm USER {}`)",
            word(&package.name)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &str, dist: &str, more: &str) -> Package {
        let text = format!(
            r#"{{"name":"pad","dist-tags":{{"latest":"1.0.1"}},"repository":"o/r",
            "maintainers":[{{"name":"alice"}}],
            "time":{{"1.0.0":"2026-01-01T00:00:00Z","1.0.1":"2026-01-02T00:00:00Z"}},
            "versions":{{"1.0.0":{{"_npmUser":{{"name":"alice"}}}},
            "1.0.1":{{"_npmUser":{user},"dist":{dist}{more}}}}}}}"#
        );
        package(&Packument::read(text.as_bytes()).unwrap(), None)
    }

    const PROVENANCE: &str =
        r#"{"attestations":{"provenance":{"predicateType":"https://slsa.dev/provenance/v1"}}}"#;

    fn advises(package: &Package, words: &str) -> bool {
        package.advice.iter().any(|line| line.contains(words))
    }

    #[test]
    fn a_token_is_to_go() {
        let it = of(r#"{"name":"alice"}"#, "{}", r#","scripts":{"install":"x"}"#);
        assert_eq!(it.published_by.get(), Some(&PublishedBy::Token));
        assert_eq!(it.last_token_publish.get().unwrap().as_ref().unwrap().version, "1.0.1");
        assert_eq!(it.install_scripts.get(), Some(&true));
        for words in ["npm trust github pad --repo o/r --file", "mfa=publish pad", "provenance"] {
            assert!(advises(&it, words), "{words}: {:?}", it.advice);
        }
        assert!(advises(&it, "install scripts") && advises(&it, "second maintainer"));
    }

    #[test]
    fn a_trusted_publisher_is_to_stage() {
        let user = r#"{"name":"GitHub Actions","trustedPublisher":{"id":"github"}}"#;
        let it = of(user, PROVENANCE, "");
        let by = PublishedBy::TrustedPublisher { provider: "github".into() };
        assert_eq!(it.published_by.get(), Some(&by));
        assert_eq!(it.last_token_publish.get().unwrap().as_ref().unwrap().version, "1.0.0");
        assert_eq!(it.provenance.get(), Some(&true));
        assert!(advises(&it, "npm stage publish") && advises(&it, "Disallow tokens"));
        assert!(!advises(&it, "npm trust") && !advises(&it, "provenance:"));
    }

    #[test]
    fn what_came_staged_needs_little() {
        let it = of(r#"{"name":"alice","approver":{"name":"bob"}}"#, PROVENANCE, "");
        let by = PublishedBy::Staged { approver: Some("bob".into()) };
        assert_eq!(it.published_by.get(), Some(&by));
        assert!(!advises(&it, "npm stage"));
    }

    #[test]
    fn odd_names_stand_in_no_command() {
        assert_eq!(word("@a/b-c"), "@a/b-c");
        assert_eq!(word("it's(x)"), "PACKAGE");
    }

    #[test]
    fn what_nobody_tells_is_unknown() {
        let it = package(&Packument::read(br#"{"name":"pad"}"#).unwrap(), None);
        assert!(it.latest.get().is_none() && it.published_by.get().is_none());
        assert!(it.last_token_publish.get().is_none() && it.provenance.get().is_none());
        assert!(it.advice.is_empty());
        // As mirrors have it: no publisher, no attestations.
        let silent = of("null", "{}", "");
        assert_eq!((silent.published_by.get(), silent.provenance.get()), (None, None));
        assert!(!advises(&silent, "provenance"));
    }
}
