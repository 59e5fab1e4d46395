//! What older versions of a package tell: a version that a thief published stands
//! before the ways in that its owner uses.

use crate::model::Severity;
use crate::model::radius::{Learnt, Package, Release};
use crate::registry::npm::packument::{Packument, Version};

/// Notes what the versions of a package tell of the ways into it, and to which of
/// them `latest` can go back. The versions of the window are marked already.
pub(super) fn add(package: &mut Package, packument: &Packument) {
    package.trusted_before =
        last(packument, |version| version.trusted.is_some(), "publishers of all versions");
    package.built_before =
        last(packument, |version| version.provenance.is_some(), "attestations of all versions");
    package.last_good = last_good(package, packument);
}

/// The last version, by its date, for which something holds.
fn last(
    packument: &Packument,
    holds: impl Fn(&Version) -> bool,
    how: &str,
) -> Learnt<Option<Release>> {
    let names_publishers = packument.versions.values().any(|version| version.publisher.is_some());
    let found = packument
        .versions
        .iter()
        .filter(|(_, version)| holds(version))
        .max_by_key(|(number, _)| packument.time.get(*number));
    match found {
        None if packument.cut => Learnt::unknown("the document is too large to be read whole"),
        None if !names_publishers => Learnt::unknown("the document names no publishers"),
        _ => Learnt::measured(found.map(|(number, it)| release(packument, number, it)), how),
    }
}

/// The highest stable version from before the first suspicious one of the window.
fn last_good(package: &Package, packument: &Packument) -> Learnt<Release> {
    let suspicious = package
        .releases
        .iter()
        .filter(|release| release.marks.iter().any(|mark| mark.weight >= Severity::High));
    let Some(begin) = suspicious.map(|release| release.time).min() else {
        return Learnt::unknown("no version looks suspicious");
    };
    let honest = packument.versions.iter().filter(|(number, version)| {
        packument.time.get(*number).is_some_and(|time| *time < begin)
            && version.deprecated.as_ref().is_none_or(String::is_empty)
    });
    let highest = honest
        .filter_map(|(number, version)| Some((stable(number)?, number, version)))
        .max_by_key(|(parts, ..)| *parts);
    match highest {
        Some((_, number, version)) => Learnt::upper_bound(
            release(packument, number, version),
            "the highest stable version from before the first suspicious one",
        ),
        None => Learnt::unknown("no stable version is left from before the first suspicious one"),
    }
}

/// The numbers of a version that is no prerelease.
fn stable(number: &str) -> Option<[u64; 3]> {
    let core = number.split('+').next().unwrap_or_default();
    let mut parts = core.split('.').map(|part| part.parse().ok());
    let all = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(all)
}

fn release(packument: &Packument, number: &str, version: &Version) -> Release {
    Release {
        version: number.to_owned(),
        time: packument.time.get(number).copied(),
        publisher: version.publisher.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::radius::{Mark, WindowRelease};

    /// A package whose trusted publisher made 1.0.9 and 1.0.10, and a thief 1.0.11.
    fn attacked() -> Packument {
        let trusted =
            r#"{"_npmUser":{"name":"GitHub Actions","trustedPublisher":{"id":"github"}}}"#;
        let text = format!(
            r#"{{"name":"pad","dist-tags":{{"latest":"1.0.11"}},
            "time":{{"1.0.9":"2026-01-01T00:00:00Z","1.0.10":"2026-01-02T00:00:00Z",
            "2.0.0-rc.1":"2026-01-02T00:00:01Z","1.0.11":"2026-01-03T00:00:00Z",
            "1.0.12":"2026-01-04T00:00:00Z"}},
            "versions":{{"1.0.9":{trusted},"1.0.10":{trusted},"2.0.0-rc.1":{trusted},
            "1.0.11":{{"_npmUser":{{"name":"alice"}}}},"1.0.12":{{"_npmUser":{{"name":"alice"}}}}}}}}"#
        );
        Packument::read(text.as_bytes()).unwrap()
    }

    fn suspicious(version: &str, time: i64) -> WindowRelease {
        let mark = Mark { weight: Severity::High, sign: "test", words: "odd".into() };
        WindowRelease { version: version.into(), time, ghost: false, marks: vec![mark] }
    }

    #[test]
    fn latest_goes_back_to_before_the_thief() {
        let packument = attacked();
        let mut package = Package::default();
        add(&mut package, &packument);
        assert_eq!(package.last_good.get(), None, "nothing is suspicious");
        package.releases = vec![suspicious("1.0.11", packument.time["1.0.11"])];
        add(&mut package, &packument);
        // 1.0.12 came later and may be the thief's as well.
        assert_eq!(package.last_good.get().unwrap().version, "1.0.10");
        package.releases = vec![suspicious("1.0.9", packument.time["1.0.9"])];
        add(&mut package, &packument);
        assert_eq!(package.last_good.get(), None);
    }

    #[test]
    fn a_trusted_publisher_is_seen_behind_newer_versions() {
        let mut package = Package::default();
        add(&mut package, &attacked());
        let trusted = package.trusted_before.get().unwrap().as_ref().unwrap();
        assert_eq!(trusted.version, "2.0.0-rc.1");
        assert_eq!(package.built_before.get(), Some(&None));
        let silent = br#"{"name":"pad","versions":{"1.0.0":{}}}"#;
        add(&mut package, &Packument::read(silent).unwrap());
        assert_eq!(package.trusted_before.get(), None);
    }
}
