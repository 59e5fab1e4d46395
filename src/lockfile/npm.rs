//! `package-lock.json` of versions 1 to 3, `npm-shrinkwrap.json`, and the list
//! of what is installed in `node_modules/.package-lock.json`.
//!
//! Version 1 nests `dependencies`; version 3 lists `packages` by the folder
//! that they lie in; version 2 has both, for old and new programs.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::graph::{Builder, Lock};
use super::nested::{self, PLACE_CAP, Place, name_of};
use super::{shown_version, split_at_sign};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "lockfileVersion")]
    version: Option<u64>,
    #[serde(borrow)]
    packages: Option<Pairs<'a, Entry<'a>>>,
    #[serde(borrow)]
    dependencies: Option<Pairs<'a, Old<'a>>>,
}

/// A folder of version 2 or 3.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    /// Only where it is not the folder's: an alias.
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<Cow<'a, str>>,
    #[serde(default)]
    link: bool,
    #[serde(borrow, default)]
    dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    dev_dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    optional_dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    peer_dependencies: Pairs<'a, IgnoredAny>,
}

/// A package of version 1.
#[derive(Deserialize)]
struct Old<'a> {
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    requires: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    dependencies: Pairs<'a, Old<'a>>,
}

pub(super) fn read(kind: &str, text: &str) -> Result<Lock, String> {
    let file: File<'_> = serde_json::from_str(text).map_err(|why| json_error(&why))?;
    let version = match (file.version, &file.packages) {
        (Some(version @ 1..=3), _) => version,
        (Some(other), _) => return Err(format!("version {other} of the format is not known")),
        // npm 1 to 4 wrote shrinkwraps without a number.
        (None, None) if file.dependencies.is_some() => 1,
        (None, _) => return Err("it has no lockfileVersion".into()),
    };
    let format = format!("{kind} v{version}");
    let (mut builder, mut places) = (Builder::default(), Vec::new());
    if version > 1 && file.packages.is_none() {
        return Err("it lists no packages".into());
    }
    let new = file.packages.is_some();
    for (path, entry) in file.packages.into_iter().flat_map(|pairs| pairs.0) {
        add_entry(path, entry, &mut places, &mut builder);
    }
    let mut old = Vec::new();
    for (name, package) in file.dependencies.into_iter().flat_map(|pairs| pairs.0) {
        add_old("", name, package, &mut old, &mut builder);
    }
    if new {
        add_missing(&places, old, &mut builder)
    } else {
        places = old
    }
    Ok(nested::lock(format, &places, builder))
}

/// The words of the parser name a place and no content.
pub(super) fn json_error(why: &serde_json::Error) -> String {
    let what = match why.classify() {
        serde_json::error::Category::Eof => "the JSON ends too early",
        serde_json::error::Category::Data => "the JSON has another shape than a lockfile",
        _ => "broken JSON",
    };
    format!("{what}, line {} column {}", why.line(), why.column())
}

fn add_entry<'a>(
    path: Cow<'a, str>,
    entry: Entry<'a>,
    places: &mut Vec<Place<'a>>,
    builder: &mut Builder,
) {
    if entry.link {
        return;
    }
    let lists = [
        entry.dependencies,
        entry.dev_dependencies,
        entry.optional_dependencies,
        entry.peer_dependencies,
    ];
    let needs = lists.into_iter().flat_map(|list| list.0).map(|(name, _)| name).collect();
    let inside = path == "node_modules" || path.starts_with("node_modules/");
    if !inside && !path.contains("/node_modules/") {
        places.push(Place { path, package: None, needs });
        return;
    }
    let Some(name) = entry.name.or_else(|| name_of(&path).map(|name| name.to_owned().into()))
    else {
        builder.leave_out(|| "a folder without the name of a package".into());
        return;
    };
    let version = match (entry.version, entry.resolved) {
        (Some(version), _) => shown_version(&version).to_owned(),
        (None, Some(resolved)) => shown_version(&resolved).to_owned(),
        (None, None) => {
            builder.leave_out(|| "a package without a version".into());
            "unknown".to_owned()
        }
    };
    places.push(Place { path, package: Some((name, version.into())), needs });
}

/// The parser's own bound on nesting bounds this recursion as well.
fn add_old<'a>(
    base: &str,
    name: Cow<'a, str>,
    package: Old<'a>,
    places: &mut Vec<Place<'a>>,
    builder: &mut Builder,
) {
    let slash = if base.is_empty() { "" } else { "/" };
    // Else each of a million entries could repeat one long path.
    if base.len() + name.len() > PLACE_CAP {
        return builder.leave_out(|| "a folder that lies too deep".into());
    }
    let path = format!("{base}{slash}node_modules/{name}");
    for (inner, old) in package.dependencies.0 {
        add_old(&path, inner, old, places, builder);
    }
    let needs = package.requires.0.into_iter().map(|(name, _)| name).collect();
    let Some(version) = package.version else {
        builder.leave_out(|| "a package without a version".into());
        return;
    };
    let alias = version.strip_prefix("npm:").and_then(split_at_sign);
    let (name, version) = match alias {
        Some((real, version)) => (real.to_owned().into(), version.to_owned()),
        None => (name, shown_version(&version).to_owned()),
    };
    places.push(Place { path: path.into(), package: Some((name, version.into())), needs });
}

/// npm 6 installs what `dependencies` of a version 2 says, whatever `packages`
/// says: a pair that only stands there is pinned too.
fn add_missing(places: &[Place<'_>], old: Vec<Place<'_>>, builder: &mut Builder) {
    let known: HashSet<_> = places.iter().filter_map(|place| place.package.as_ref()).collect();
    for (name, version) in old.into_iter().filter_map(|place| place.package) {
        // Folders of the project, and what came from an address, are written
        // in another way there.
        if !version.contains(':') && !known.contains(&(name.clone(), version.clone())) {
            builder.add(&name, &version);
        }
    }
}

/// The pairs of an object in their order. What is no object has none: old
/// files say `"requires": true`.
pub(super) struct Pairs<'a, T>(pub Vec<(Cow<'a, str>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Vec<(Cow<'de, str>, T)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Vec::new())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    pairs.push((key, value));
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_any(Each(std::marker::PhantomData)).map(Self)
    }
}

/// A key that is borrowed from the text where it can be.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
