//! What is kept of the document of a package. Forty of them are held at a time,
//! and a hostile one has a hundred thousand versions, or four whose texts are
//! endless.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::packument::{Packument, Version};

/// Versions that are kept, and times of versions.
const VERSIONS: usize = 5_000;
const TIMES: usize = 5_000;
/// Longest name of a version, a tag or a person, in bytes.
const NAME: usize = 214;
/// Tags that are kept, besides `latest`.
const TAGS: usize = 100;
/// Bytes that the kept versions may take together, and one alone: some
/// thousand versions with a few scripts each.
const BYTES: usize = 4 << 20;
const BYTES_OF_ONE: usize = 512 << 10;
/// About what an entry of a map takes besides its texts.
const ENTRY: usize = 64;
/// About what the first entry of a map takes: room for eleven.
const NODE: usize = 600;

/// Keeps what people install and the newest versions beside it.
pub(super) fn newest(document: &mut Packument) {
    keep_tags(document);
    keep_versions(document);
    keep_times(document);
    document.maintainers.retain(|name| name.len() <= NAME);
    document.maintainers.shrink_to_fit();
}

fn keep_tags(document: &mut Packument) {
    let fits = |text: &str| text.len() <= NAME;
    let mut left = TAGS;
    document.tags.retain(|tag, version| {
        let kept = fits(tag) && fits(version) && (tag == "latest" || left > 0);
        left -= usize::from(kept && tag != "latest");
        kept
    });
}

fn keep_versions(document: &mut Packument) {
    let latest = document.tags.get("latest");
    let rank =
        |number: &String| (Some(number) != latest, Reverse(document.time.get(number).copied()));
    let mut numbers: Vec<(_, &String)> =
        document.versions.keys().map(|number| (rank(number), number)).collect();
    numbers.sort();
    let (mut left, mut cut) = (BYTES, false);
    let mut dropped: Vec<String> = Vec::new();
    for (at, (_, number)) in numbers.into_iter().enumerate() {
        let bytes = document.versions.get(number).map_or(0, size);
        if at < VERSIONS && bytes <= BYTES_OF_ONE && bytes <= left {
            left -= bytes;
        } else {
            dropped.push(number.clone());
            cut = true;
        }
    }
    dropped.iter().for_each(|number| drop(document.versions.remove(number)));
    document.cut |= cut;
}

/// Times of kept versions, and the newest of others.
fn keep_times(document: &mut Packument) {
    if document.time.len() <= TIMES {
        return;
    }
    let mut times: Vec<(bool, Reverse<i64>, String)> = std::mem::take(&mut document.time)
        .into_iter()
        .map(|(number, time)| (!document.versions.contains_key(&number), Reverse(time), number))
        .collect();
    times.sort();
    times.truncate(TIMES);
    document.time = times.into_iter().map(|(_, Reverse(time), number)| (number, time)).collect();
    document.cut = true;
}

/// About how many bytes a version takes.
fn size(version: &Version) -> usize {
    let texts = [
        &version.publisher,
        &version.integrity,
        &version.shasum,
        &version.provenance,
        &version.git_head,
        &version.node,
        &version.npm,
        &version.deprecated,
        &version.repository,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let trusted = version
        .trusted
        .iter()
        .map(|it| it.provider.len() + it.config.as_ref().map_or(0, String::len));
    let approver = version.approver.iter().flatten().map(String::len);
    let people: usize = version.maintainers.iter().map(|name| name.len() + ENTRY).sum();
    let maps = map(&version.scripts) + map(&version.optional_dependencies);
    let more: usize = trusted.chain(approver).sum();
    // Half of the room in a tree is empty.
    2 * size_of::<Version>() + ENTRY + texts + more + people + maps
}

fn map(texts: &BTreeMap<String, String>) -> usize {
    let first = if texts.is_empty() { 0 } else { NODE };
    first + texts.iter().map(|(key, value)| key.len() + value.len() + ENTRY).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(versions: usize, version: &Version) -> Packument {
        let number = |n: usize| format!("1.0.{n}");
        Packument {
            tags: BTreeMap::from([("latest".into(), number(0))]),
            versions: (0..versions).map(|n| (number(n), version.clone())).collect(),
            time: (0..2 * versions).map(|n| (number(n), n as i64)).collect(),
            ..Packument::default()
        }
    }

    #[test]
    fn the_newest_are_kept_and_what_people_install() {
        let mut it = document(20_000, &Version::default());
        newest(&mut it);
        assert!(it.cut && it.versions.len() <= VERSIONS && it.versions.len() > 1000);
        assert_eq!(it.time.len(), TIMES);
        for number in ["1.0.0", "1.0.19999"] {
            assert!(it.versions.contains_key(number) && it.time.contains_key(number), "{number}");
        }
        assert!(!it.versions.contains_key("1.0.1"));
        let mut it = document(1000, &Version::default());
        newest(&mut it);
        assert_eq!((it.cut, it.versions.len(), it.time.len()), (false, 1000, 2000));
    }

    #[test]
    fn long_texts_are_counted() {
        let long = Version { deprecated: Some("x".repeat(4096)), ..Version::default() };
        let mut it = document(4000, &long);
        newest(&mut it);
        assert!(it.cut && it.versions.values().map(size).sum::<usize>() <= BYTES);
        assert!(it.versions.contains_key("1.0.0"));
    }
}
