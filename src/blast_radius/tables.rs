//! The decision tables of `patterns/tables/npm-rights.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::model::radius::{Action, Answer, SecondFactor, TokenKind};

const TEXT: &str = include_str!("../../patterns/tables/npm-rights.toml");

/// The tables, read once. A text that is no table would leave every cell
/// unknown; a test holds the shipped one to being whole.
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| read(TEXT).unwrap_or_default());

fn read(text: &str) -> Result<Tables, toml::de::Error> {
    toml::from_str(text)
}

/// What an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// npm or GitHub wrote it down.
    Documented,
    /// Somebody reported what the registry answered.
    Observed,
    /// It follows from something documented.
    Inferred,
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Whether it works for somebody who has the credential alone.
    pub answer: Answer,
    /// What the answer rests on.
    pub mark: Mark,
    /// Why, for people.
    pub why: String,
    /// The permission without which the answer is no.
    pub needs: Option<String>,
    /// Why the answer is no for a token that bypasses the second factor.
    pub bypass: Option<String>,
    /// The last day (`YYYY-MM-DD`) for which the answer holds.
    pub until: Option<String>,
    /// Why the answer is unknown after that day.
    #[serde(default)]
    pub after: String,
}

/// A package's publishing access, and what it does to a publish.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishingAccess {
    /// As npm's settings page calls it.
    pub name: String,
    /// The word of `npm access set mfa=…`.
    pub mfa: String,
    /// For tokens that bypass the second factor.
    pub bypass: Cell,
    /// For other write tokens and for sessions.
    pub no_bypass: Cell,
    /// For trusted publishing.
    pub oidc: Cell,
}

/// When the registry lets a version be unpublished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpublishPolicy {
    /// Hours after the publish in which it is enough that nothing depends on it.
    pub hours: i64,
    /// Later, only below so many downloads in the last week.
    pub weekly_downloads: u64,
    /// Later, only with at most so many owners.
    pub owners: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    pub as_of: String,
    pub sources: Vec<String>,
    pub kinds: BTreeMap<TokenKind, String>,
    pub actions: BTreeMap<Action, BTreeMap<TokenKind, Cell>>,
    pub second_factor: BTreeMap<SecondFactor, BTreeMap<Action, Cell>>,
    pub publishing_access: BTreeMap<String, PublishingAccess>,
    pub unpublish: UnpublishPolicy,
}

/// What a package's publishing access does, by its short name: `disallow-tokens`,
/// `require-or-bypass`, `not-required`. No API tells which one a package has.
pub fn publishing_access() -> &'static BTreeMap<String, PublishingAccess> {
    &TABLES.publishing_access
}

/// What the tables rest on, and the day for which they hold (`YYYY-MM-DD`).
pub fn sources() -> (&'static [String], &'static str) {
    (&TABLES.sources, &TABLES.as_of)
}

/// The registry's policy on unpublishing.
pub fn unpublish_policy() -> UnpublishPolicy {
    TABLES.unpublish
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_are_whole() {
        let tables = read(TEXT).unwrap();
        assert_eq!(tables.kinds.len(), 8);
        assert_eq!(tables.actions.len(), 13);
        assert!(tables.actions.values().all(|row| row.len() == 8));
        assert_eq!(tables.second_factor.len(), 4);
        assert_eq!(tables.publishing_access.len(), 3);
        assert!(!tables.sources.is_empty());
        let cells = tables.actions.values().flat_map(BTreeMap::values);
        for cell in cells.chain(tables.second_factor.values().flat_map(BTreeMap::values)) {
            assert!(!cell.why.is_empty());
            let day = cell.until.as_deref().map(str::parse::<jiff::civil::Date>);
            assert!(
                day.is_none_or(|day| day.is_ok()) && cell.until.is_some() != cell.after.is_empty()
            );
        }
        assert!(tables.as_of.parse::<jiff::civil::Date>().is_ok());
    }
}
