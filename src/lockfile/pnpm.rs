//! `pnpm-lock.yaml` of the formats 5 to 9, which pnpm 3 to 11 write.
//!
//! | format | key of a package |
//! |---|---|
//! | 5 | `/@s/name/1.0.0_peer@2.0.0` |
//! | 6, 7 | `/@s/name@1.0.0(peer@2.0.0)` |
//! | 9 | `@s/name@1.0.0`, and with its peers in `snapshots` |
//!
//! What comes from another registry has its host before the first slash; what
//! comes from an address has `name` and `version` below its key.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::graph::{Builder, Lock};
use super::yaml::{self, Map, Value};
use super::{shown_version, split_at_sign};

/// Where a project's own wishes stand.
const DIRECT: [&str; 5] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "configDependencies",
    "packageManagerDependencies",
];

const NEEDS: [&str; 2] = ["dependencies", "optionalDependencies"];

pub(super) fn read(text: &str) -> Result<Lock, String> {
    let documents = yaml::documents(text)?;
    let mut builder = Builder::default();
    let mut format = None;
    // pnpm 11 writes a document of its own tools before that of the project.
    for document in &documents {
        let version = document.text("lockfileVersion").ok_or("it has no lockfileVersion")?;
        let major = version.split('.').next().and_then(|major| major.parse().ok());
        let major = major.filter(|major| (5..=9).contains(major));
        let major: u32 = major.ok_or("this version of the format is not known")?;
        let versions = versions(document);
        Document { map: document, major, versions }.add_to(&mut builder)?;
        format = Some(version);
    }
    let format = format.ok_or("it is empty")?;
    Ok(builder.finish(format!("pnpm {format}")))
}

struct Document<'a> {
    map: &'a Map<'a>,
    major: u32,
    /// The versions that stand below the keys of `packages`.
    versions: HashMap<&'a str, &'a str>,
}

impl<'a> Document<'a> {
    fn add_to(&self, builder: &mut Builder) -> Result<(), String> {
        for section in ["packages", "snapshots", "importers"].into_iter().chain(DIRECT) {
            if matches!(self.map.get(section), Some(Value::Other)) {
                return Err(format!("`{section}` is written in a style that is not understood"));
            }
        }
        let mut numbers = HashMap::new();
        let mut parts = Vec::new();
        for (key, value) in self.entries() {
            let Value::Map(entry) = value else {
                builder.leave_out(|| "a package that says nothing".into());
                continue;
            };
            let Some((name, version)) = self.package(key, entry) else {
                builder.leave_out(|| "a package whose key has no name and version".into());
                continue;
            };
            let number = builder.add(&name, &version);
            numbers.insert(&**key, number);
            parts.push((number, entry));
        }
        for (number, entry) in parts {
            for (name, version) in wishes(entry, &NEEDS, builder) {
                if let Some(to) = find(&numbers, name, version) {
                    builder.need(number, to);
                }
            }
        }
        let importers = self.map.pairs("importers").iter().filter_map(|(_, value)| match value {
            Value::Map(importer) => Some(importer),
            _ => None,
        });
        for importer in importers.chain([self.map]) {
            for (name, version) in wishes(importer, &DIRECT, builder) {
                match find(&numbers, name, version) {
                    Some(number) => builder.direct(number),
                    None if is_own(version) => {}
                    None => builder.leave_out(|| "a dependency that is not in the file".into()),
                }
            }
        }
        Ok(())
    }

    /// `snapshots`, and of `packages` what has none.
    fn entries(&self) -> impl Iterator<Item = &'a (Cow<'a, str>, Value<'a>)> {
        let snapshots = self.map.pairs("snapshots");
        let seen: HashSet<&str> = snapshots.iter().map(|(key, _)| without_peers(key)).collect();
        let packages = self.map.pairs("packages").iter();
        snapshots.iter().chain(packages.filter(move |(key, _)| !seen.contains(&**key)))
    }

    fn package(&self, key: &'a str, entry: &'a Map<'a>) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let plain = without_peers(key);
        let (name, version) = match (entry.text("name"), self.major) {
            (Some(name), _) => (name, entry.text("version").unwrap_or(shown_version(plain))),
            (None, 9) => split_at_sign(plain)?,
            (None, 5) => old_key(plain)?,
            (None, _) => split_at_sign(plain.split_once('/')?.1)?,
        };
        // In format 9 the version of what comes from an address stands below.
        let below = self.versions.get(plain).filter(|_| version.contains(':'));
        let version = below.copied().unwrap_or(version);
        let whole = !name.is_empty() && !version.is_empty();
        whole.then(|| (name.into(), shown_version(version).into()))
    }
}

fn versions<'a>(document: &'a Map<'a>) -> HashMap<&'a str, &'a str> {
    let version = |(key, value): &'a (Cow<'a, str>, Value<'a>)| match value {
        Value::Map(entry) => Some((&**key, entry.text("version")?)),
        _ => None,
    };
    document.pairs("packages").iter().filter_map(version).collect()
}

/// Names, and the versions that they resolved to.
fn wishes<'m>(
    map: &'m Map<'_>,
    sections: &[&str],
    builder: &mut Builder,
) -> Vec<(&'m str, &'m str)> {
    let mut wishes = Vec::new();
    for (name, value) in sections.iter().flat_map(|section| map.pairs(section)) {
        let version = match value {
            Value::Text(version) => Some(&**version),
            Value::Map(wish) => wish.text("version"),
            Value::Other => None,
        };
        match version {
            Some(version) => wishes.push((&**name, version)),
            None => builder.leave_out(|| "a dependency without a version".into()),
        }
    }
    wishes
}

fn find(numbers: &HashMap<&str, u32>, name: &str, version: &str) -> Option<u32> {
    // An alias, or what comes from an address, gives the whole key.
    let key = |key: String| numbers.get(&*key).copied();
    numbers
        .get(version)
        .copied()
        .or_else(|| key(format!("{name}@{version}")))
        .or_else(|| key(format!("/{name}@{version}")))
        .or_else(|| key(format!("/{name}/{version}")))
}

/// A folder of the project itself, or of the machine.
fn is_own(version: &str) -> bool {
    ["link:", "file:", "workspace:"].iter().any(|scheme| version.starts_with(scheme))
}

/// `a@1.0.0(b@2.0.0)` → `a@1.0.0`. A `(` at the begin is a part of the name.
fn without_peers(key: &str) -> &str {
    key.find('(').filter(|at| *at > 0).map_or(key, |at| &key[..at])
}

/// `HOST/@s/name/1.0.0_peer@2.0.0` → `@s/name` and `1.0.0`
fn old_key(key: &str) -> Option<(&str, &str)> {
    let (_, path) = key.split_once('/')?;
    let name_parts = if path.starts_with('@') { 2 } else { 1 };
    let slash = path.match_indices('/').nth(name_parts - 1)?.0;
    let version = &path[slash + 1..];
    // No version holds `_`: peers follow.
    let version = version.split(['_', '/']).next()?;
    Some((&path[..slash], version))
}
