//! What the public data of a version can give away, beside the versions from
//! before.

use std::collections::BTreeSet;

use crate::blast_radius::posture::published_by;
use crate::model::Severity;
use crate::model::Severity::{High, Low, Medium};
use crate::model::radius::{Mark, PublishedBy};
use crate::registry::npm::packument::Version;

/// A version and what it is compared with.
pub(super) struct Case<'c> {
    pub(super) version: &'c Version,
    /// The version that it follows.
    pub(super) before: Option<(&'c str, &'c Version)>,
    /// The newest versions from before it, newest first.
    pub(super) recent: &'c [(&'c str, &'c Version)],
    /// Versions of a month after it and later.
    pub(super) later: &'c [&'c Version],
}

impl<'c> Case<'c> {
    pub(super) fn earlier(&self) -> impl Iterator<Item = &'c Version> {
        self.before.iter().chain(self.recent).map(|(_, version)| *version)
    }

    /// True if an earlier version runs the same command under this name.
    pub(super) fn knows(&self, name: &str, command: &String) -> bool {
        self.earlier().any(|version| version.scripts.get(name) == Some(command))
    }
}

/// All signs but those of [`scripts`](super::scripts), the strongest first.
pub(super) const ALL: [fn(&Case<'_>) -> Option<Mark>; 11] = [
    called_malware,
    size_jump,
    git_dependency,
    lost_staging,
    lost_trusted_publisher,
    lost_provenance,
    other_publisher,
    other_trusted_publisher,
    no_toolchain,
    other_toolchain,
    no_commit,
];

pub(super) fn mark(weight: Severity, sign: &'static str, words: String) -> Option<Mark> {
    Some(Mark { weight, sign, words })
}

/// The beginning of a text of the publisher's.
pub(super) fn shown(text: &str) -> String {
    const CAP: usize = 80;
    match text.char_indices().nth(CAP) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// True if a version is deprecated for being bad, and not for being old.
pub(super) fn is_called_malware(version: &Version) -> bool {
    const WORDS: [&str; 6] =
        ["malware", "malicious", "compromised", "hijacked", "backdoor", "supply chain attack"];
    version.deprecated.as_ref().is_some_and(|why| {
        let why = why.to_lowercase().replace('-', " ");
        WORDS.iter().any(|word| why.contains(word))
    })
}

fn called_malware(case: &Case<'_>) -> Option<Mark> {
    let why = case.version.deprecated.as_ref().filter(|_| is_called_malware(case.version))?;
    mark(High, "deprecated-as-malware", format!("deprecated: {}", shown(why)))
}

/// One or two files more, and half to ten megabytes: the payload in the root.
fn size_jump(case: &Case<'_>) -> Option<Mark> {
    const BYTES: std::ops::RangeInclusive<u64> = 500_000..=11_000_000;
    let (number, before) = case.before?;
    let size = (case.version.unpacked_size?, before.unpacked_size?);
    let files = (case.version.file_count?, before.file_count?);
    let (grown, new) = (size.0.checked_sub(size.1)?, files.0.checked_sub(files.1)?);
    (BYTES.contains(&grown) && (1..=2).contains(&new)).then_some(())?;
    // A package that was larger than that before may well grow so.
    let weight = if grown >= size.1 { High } else { Medium };
    let s = if new == 1 { "" } else { "s" };
    let words = format!("{new} file{s} and {} kB more than {number}", grown / 1000);
    mark(weight, "size-jump", words)
}

fn git_dependency(case: &Case<'_>) -> Option<Mark> {
    let (number, before) = case.before?;
    let (name, source) = case.version.optional_dependencies.iter().find(|(name, source)| {
        let same = |version: &Version| version.optional_dependencies.get(*name) == Some(source);
        is_from_elsewhere(source) && !case.earlier().any(same)
    })?;
    let old = before.optional_dependencies.get(name).filter(|old| is_from_elsewhere(old));
    let (weight, compared) = match old {
        Some(_) => (Medium, format!("{number} has another one")),
        None => (High, format!("{number} does not")),
    };
    let (name, source) = (shown(name), shown(source));
    let words = format!("it takes the optional {name} from {source}, and {compared}");
    mark(weight, "git-dependency", words)
}

/// True for what is not taken from a registry.
fn is_from_elsewhere(source: &str) -> bool {
    const SCHEMES: [&str; 7] =
        ["github:", "gitlab:", "bitbucket:", "gist:", "git", "http:", "https:"];
    let named = SCHEMES.iter().any(|scheme| source.starts_with(scheme));
    let short = source.split_once('/').is_some_and(|(owner, rest)| {
        !owner.is_empty() && !owner.contains([':', '@', '.', ' ', '~']) && !rest.contains('/')
    });
    named || short
}

/// What a version is compared with when trust is at stake: the version that it
/// follows, or the newest one, whichever `has` it.
fn one_with<'c>(case: &Case<'c>, has: fn(&Version) -> bool) -> Option<&'c str> {
    let newest = case.recent.first();
    case.before.iter().chain(newest).find(|(_, version)| has(version)).map(|(number, _)| *number)
}

fn is_staged(version: &Version) -> bool {
    version.approver.is_some()
}

fn lost_staging(case: &Case<'_>) -> Option<Mark> {
    let number = one_with(case, is_staged).filter(|_| !is_staged(case.version))?;
    let words = format!("it came around the staging area, where a person approved {number}");
    mark(High, "lost-staging", words)
}

fn lost_trusted_publisher(case: &Case<'_>) -> Option<Mark> {
    let number = one_with(case, |version| version.trusted.is_some())?;
    (published_by(case.version) == Some(PublishedBy::Token)).then_some(())?;
    let words = format!("published by a token or a person, {number} by a trusted publisher");
    mark(High, "lost-trusted-publisher", words)
}

fn lost_provenance(case: &Case<'_>) -> Option<Mark> {
    let number = one_with(case, |version| version.provenance.is_some())
        .filter(|_| case.version.provenance.is_none())?;
    mark(High, "lost-provenance", format!("it has no provenance, and {number} has"))
}

fn other_publisher(case: &Case<'_>) -> Option<Mark> {
    let publisher = case.version.publisher.as_ref()?;
    let usual: BTreeSet<&str> =
        case.recent.iter().filter_map(|(_, version)| version.publisher.as_deref()).collect();
    let first = usual.first().filter(|_| !usual.contains(publisher.as_str()))?;
    let maintains = case.before.is_some_and(|(_, before)| before.maintainers.contains(publisher));
    // Going over to a trusted publisher is progress; and that it was left for a
    // person who maintains the package, or that this person approved it, is told
    // by other signs, or is none.
    let was_trusted = case.before.is_some_and(|(_, before)| before.trusted.is_some());
    let explained =
        case.version.trusted.is_some() || maintains && (is_staged(case.version) || was_trusted);
    (!explained).then_some(())?;
    let others = match usual.len() {
        1 => shown(first),
        n => format!("{} and {} more", shown(first), n - 1),
    };
    let (weight, who) = match maintains {
        true => (Low, ", who maintained it before,"),
        false => (Medium, ""),
    };
    let publisher = shown(publisher);
    let words =
        format!("published by {publisher}{who} and the {} before by {others}", case.recent.len());
    mark(weight, "other-publisher", words)
}

fn other_trusted_publisher(case: &Case<'_>) -> Option<Mark> {
    let config = |version: &'_ Version| version.trusted.as_ref()?.config.clone();
    let now = config(case.version)?;
    let usual: Vec<_> =
        case.recent.iter().filter_map(|(number, it)| Some((number, config(it)?))).collect();
    let (number, _) = usual.first().filter(|_| usual.iter().all(|(_, config)| *config != now))?;
    let words = format!("its trusted publisher is set up anew since {number}");
    mark(Medium, "other-trusted-publisher", words)
}

/// None at all comes of publishing by other means than npm.
fn no_toolchain(case: &Case<'_>) -> Option<Mark> {
    let none = |version: &Version| version.node.is_none() && version.npm.is_none();
    let (number, _) = case.recent.first()?;
    let usual = !case.recent.iter().any(|(_, version)| none(version));
    (usual && none(case.version)).then_some(())?;
    mark(Medium, "no-toolchain", format!("it names no version of node and npm, and {number} does"))
}

type Tool = fn(&Version) -> Option<&str>;

/// The versions of node and npm that a publisher used, by the publisher's word.
/// Only a major that none of the recent versions has counts; new ones come with
/// time.
fn other_toolchain(case: &Case<'_>) -> Option<Mark> {
    const TOOLS: [(&str, Tool); 2] =
        [("node", |version| version.node.as_deref()), ("npm", |version| version.npm.as_deref())];
    TOOLS.iter().find_map(|(name, tool)| {
        let now = tool(case.version)?;
        let mut usual = case.recent.iter().filter_map(|(number, it)| Some((number, tool(it)?)));
        let (number, newest) = usual.next()?;
        let new = major(newest) != major(now) && usual.all(|(_, it)| major(it) != major(now));
        new.then_some(())?;
        let words =
            format!("published with {name} {}, {number} with {}", shown(now), shown(newest));
        mark(Low, "other-toolchain", words)
    })
}

fn major(version: &str) -> &str {
    version.trim_start_matches('v').split('.').next().unwrap_or_default()
}

/// No commit named, where the five versions before name theirs.
fn no_commit(case: &Case<'_>) -> Option<Mark> {
    let recent = case.recent.get(..case.recent.len().min(5))?;
    let (number, _) = recent.first()?;
    let usual = recent.iter().all(|(_, version)| version.git_head.is_some());
    (usual && case.version.git_head.is_none()).then_some(())?;
    mark(Low, "no-commit", format!("it names no commit of git, and {number} does"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_from_repositories() {
        for source in ["github:a/b#c0ffee", "git+ssh://git@github.com/a/b", "a/b", "https://x.y/z"]
        {
            assert!(is_from_elsewhere(source), "{source}");
        }
        for source in ["^1.0.0", "npm:@a/b@1", "file:../x", "workspace:*", "1.x || 2", "latest"] {
            assert!(!is_from_elsewhere(source), "{source}");
        }
    }
}
