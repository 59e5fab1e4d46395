//! `bun.lock`: JSON with comments and trailing commas. `packages` are lists
//! that begin with `name@version`, by a path of names: `a/b` is the `b` that
//! lies in the `node_modules` of `a`.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::graph::{Builder, Lock};
use super::nested::{self, Place};
use super::npm::{Pairs, json_error};
use super::{shown_version, split_at_sign};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "lockfileVersion")]
    version: u64,
    #[serde(borrow)]
    workspaces: Pairs<'a, Wishes<'a>>,
    #[serde(borrow, default)]
    packages: Pairs<'a, Vec<Part<'a>>>,
}

/// What a package or a part of the project asks for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wishes<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    dev_dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    optional_dependencies: Pairs<'a, IgnoredAny>,
    #[serde(borrow, default)]
    peer_dependencies: Pairs<'a, IgnoredAny>,
}

/// A part of the list that describes a package.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Wishes(#[serde(borrow)] Wishes<'a>),
    Other(IgnoredAny),
}

impl<'a> Wishes<'a> {
    fn names(self) -> Vec<Cow<'a, str>> {
        let lists = [
            self.dependencies,
            self.dev_dependencies,
            self.optional_dependencies,
            self.peer_dependencies,
        ];
        lists.into_iter().flat_map(|list| list.0).map(|(name, _)| name).collect()
    }
}

pub(super) fn read(text: &str) -> Result<Lock, String> {
    let strict = strict_json(text);
    let file: File<'_> = serde_json::from_str(&strict).map_err(|why| json_error(&why))?;
    let mut builder = Builder::default();
    let mut places = Vec::new();
    for (path, wishes) in file.workspaces.0 {
        // Its own packages lie below its name, as if it were one.
        let path = match &wishes.name {
            Some(name) if !path.is_empty() => format!("node_modules/{name}"),
            _ => String::new(),
        };
        places.push(Place { path: path.into(), package: None, needs: wishes.names() });
    }
    for (key, parts) in file.packages.0 {
        match place(&key, parts) {
            Some(Some(place)) => places.push(place),
            Some(None) => {}
            None => builder.leave_out(|| "a package without name@version".into()),
        }
    }
    Ok(nested::lock(format!("bun {}", file.version), &places, builder))
}

/// None if it is not understood, Some(None) if it is a part of the project.
fn place<'a>(key: &str, parts: Vec<Part<'a>>) -> Option<Option<Place<'a>>> {
    let mut parts = parts.into_iter();
    let Some(Part::Text(first)) = parts.next() else { return None };
    let (name, version) = split_at_sign(&first)?;
    if version.starts_with("workspace:") {
        return Some(None);
    }
    let package = (name.to_owned().into(), shown_version(version).to_owned().into());
    let wishes = parts.find_map(|part| match part {
        Part::Wishes(wishes) => Some(wishes),
        _ => None,
    });
    let needs = wishes.map(Wishes::names).unwrap_or_default();
    Some(Some(Place { path: folders(key).into(), package: Some(package), needs }))
}

/// `a/@s/b` → `node_modules/a/node_modules/@s/b`
fn folders(key: &str) -> String {
    let mut path = String::with_capacity(key.len() + 32);
    let mut scope = false;
    for part in key.split('/') {
        if !path.is_empty() {
            path.push('/');
        }
        if !scope {
            path.push_str("node_modules/");
        }
        path.push_str(part);
        scope = !scope && part.starts_with('@');
    }
    path
}

/// Without comments and commas before a closing bracket; lines stay in place.
fn strict_json(text: &str) -> String {
    let mut strict = Vec::with_capacity(text.len());
    // Where a comma stands that a closing bracket would make one too many.
    let mut comma = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let close = bytes[at + 2..].windows(2).position(|pair| pair == b"*/");
                at = close.map_or(bytes.len(), |close| at + 2 + close + 2);
                continue;
            }
            _ => at + 1,
        };
        match byte {
            b',' => comma = Some(strict.len()),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    strict[comma] = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        strict.extend_from_slice(&bytes[at..end]);
        at = end;
    }
    // Only whole characters were taken out, so this never replaces any.
    String::from_utf8_lossy(&strict).into_owned()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
