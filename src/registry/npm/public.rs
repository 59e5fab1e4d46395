//! What npm's registry tells everybody: search, packuments, download counts,
//! attestations. No request made here carries a credential.
//!
//! Names come from servers and from scanned text. They go into a path only if
//! npm's grammar allows them, and only percent-encoded.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::MapAccess;

use super::lenient::{Lenient, read, skip, value};
pub use super::names::{escaped, is_package_name, is_version};
use super::packument::Packument;
use super::repository;
pub use super::search::{Hit, Search, search};
use crate::registry::{Answer, Ask, NPM_DOWNLOADS, NoAnswer, Request};

/// Most bytes of a packument. Those of packages with thousands of versions take
/// tens of megabytes.
const PACKUMENT_CAP: usize = 64 << 20;

/// Names in one question for download counts (registry documentation,
/// "download counts"), and the bytes that they may take in its path.
const BULK: usize = 128;
const BULK_BYTES: usize = 4096;

/// Why something public is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// 404: there is none, or only those with a right see it.
    NotFound,
    /// Nothing was sent: this is a rehearsal.
    Rehearsed,
    /// It was not asked for, or what came explains nothing; the words say why.
    Unknown(String),
}

impl Gap {
    /// For people.
    pub fn words(&self) -> &str {
        match self {
            Self::NotFound => "404: there is none, or only those with a right see it",
            Self::Rehearsed => "a rehearsal: nothing was sent",
            Self::Unknown(why) => why,
        }
    }
}

/// Asks for the whole public document of a package.
///
/// # Errors
/// Why there is none.
pub fn packument(ask: &dyn Ask, host: &str, name: &str) -> Result<Packument, Gap> {
    let mut request = Request::get(host, format!("/{}", package_path(name)?));
    (request.cap, request.light) = (PACKUMENT_CAP, true);
    let answer = fetch(ask, &request)?;
    let packument = Packument::read(&answer.body).ok_or_else(no_json)?;
    match packument.name == name {
        true => Ok(packument),
        false => Err(Gap::Unknown("200 with the document of another package".into())),
    }
}

/// Downloads of the last week of many packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Downloads {
    /// By name; packages of which nothing is known are left out.
    pub weekly: BTreeMap<String, u64>,
    /// Why some are left out, each reason once.
    pub gaps: BTreeSet<String>,
}

/// Asks for the downloads of the last week: of packages without a scope many at
/// once, of others one by one.
pub fn downloads(ask: &dyn Ask, names: &[&str]) -> Downloads {
    let mut downloads = Downloads::default();
    for group in grouped(names) {
        let paths: Vec<String> = group.iter().map(|name| escaped(name)).collect();
        let path = format!("/downloads/point/last-week/{}", paths.join(","));
        match document::<Counts>(ask, &Request::get(NPM_DOWNLOADS, path)) {
            Ok(counts) => downloads.add(&group, counts),
            Err(gap) => _ = downloads.gaps.insert(gap.words().to_owned()),
        }
    }
    downloads
}

impl Downloads {
    fn add(&mut self, group: &[&str], counts: Counts) {
        for name in group {
            let count = match group.len() {
                1 => counts.downloads,
                _ => counts.by_name.get(*name).copied(),
            };
            if let Some(count) = count {
                self.weekly.insert((*name).to_owned(), count);
            }
        }
    }
}

/// The names of each question, those left out that are none.
fn grouped<'n>(names: &[&'n str]) -> Vec<Vec<&'n str>> {
    let mut groups = vec![Vec::new()];
    let mut bytes = 0;
    for name in names.iter().filter(|name| is_package_name(name)) {
        if name.starts_with('@') {
            groups.push(vec![*name]);
            continue;
        }
        bytes += escaped(name).len() + 1;
        // The first group takes what has no scope; a full one moves back.
        if groups[0].len() == BULK || bytes > BULK_BYTES {
            let full = std::mem::take(&mut groups[0]);
            groups.push(full);
            bytes = escaped(name).len() + 1;
        }
        groups[0].push(name);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Where a version says that it was built. The signature is not checked here:
/// this is what npm's registry accepted when the version was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// `https://…` of the repository.
    pub repository: String,
    /// Path of the workflow in it: `.github/workflows/publish.yml`.
    pub workflow: String,
    /// Branch or tag: `refs/heads/main`.
    pub reference: Option<String>,
}

/// Asks where a version was built, by its provenance (SLSA v1, of GitHub's
/// workflows).
///
/// # Errors
/// Why that is not known; [`Gap::NotFound`] if it has no attestations.
pub fn attestation(ask: &dyn Ask, host: &str, name: &str, version: &str) -> Result<Built, Gap> {
    if !is_version(version) {
        return Err(Gap::Unknown("not asked: this cannot be a version".into()));
    }
    let (name, version) = (package_path(name)?, escaped(version));
    let path = format!("/-/npm/v1/attestations/{name}@{version}");
    let answer = fetch(ask, &Request::get(host, path))?;
    let json = answer.json().ok_or_else(no_json)?;
    let all = json["attestations"].as_array().ok_or_else(no_json)?;
    let payloads = all.iter().filter_map(|it| it["bundle"]["dsseEnvelope"]["payload"].as_str());
    payloads
        .filter_map(|payload| STANDARD.decode(payload).ok())
        .find_map(|statement| built(&statement))
        .ok_or_else(|| Gap::Unknown("the attestations name no workflow of a repository".into()))
}

/// Reads an in-toto statement with a SLSA predicate.
fn built(statement: &[u8]) -> Option<Built> {
    let json: serde_json::Value = serde_json::from_slice(statement).ok()?;
    if json["predicateType"] != "https://slsa.dev/provenance/v1" {
        return None;
    }
    let workflow = &json["predicate"]["buildDefinition"]["externalParameters"]["workflow"];
    let text = |field: &str| workflow[field].as_str().filter(|text| is_plain(text));
    Some(Built {
        repository: repository::normalised(text("repository")?)?,
        workflow: text("path")?.to_owned(),
        reference: text("ref").map(str::to_owned),
    })
}

/// True for a path or the name of a branch that is fit to be shown.
fn is_plain(text: &str) -> bool {
    (1..=300).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn package_path(name: &str) -> Result<String, Gap> {
    match is_package_name(name) {
        true => Ok(escaped(name)),
        false => Err(Gap::Unknown("not asked: this cannot be the name of a package".into())),
    }
}

pub(super) fn document<T: Lenient>(ask: &dyn Ask, request: &Request) -> Result<T, Gap> {
    read(&fetch(ask, request)?.body).ok_or_else(no_json)
}

/// The answer to a question, if it is a whole one.
fn fetch(ask: &dyn Ask, request: &Request) -> Result<Answer, Gap> {
    let answer = ask.ask(request).map_err(|why| match why {
        NoAnswer::Rehearsed => Gap::Rehearsed,
        other => Gap::Unknown(other.words().to_owned()),
    })?;
    match answer.status {
        200 if answer.cut => Err(Gap::Unknown("the answer is too long, or ended early".into())),
        200 => Ok(answer),
        404 => Err(Gap::NotFound),
        429 => Err(Gap::Unknown("429: there were too many requests; ask again later".into())),
        status @ 500..=599 => {
            Err(Gap::Unknown(format!("{status}: the registry is out of order; ask again later")))
        }
        status => Err(Gap::Unknown(format!("{status}, which nothing explains"))),
    }
}

fn no_json() -> Gap {
    Gap::Unknown("200 with something that is not the expected document".into())
}

/// Answers to one name (`downloads`) and to many (each by its name).
#[derive(Default)]
struct Counts {
    downloads: Option<u64>,
    by_name: BTreeMap<String, u64>,
}

impl Lenient for Counts {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        // A package may be called `downloads`.
        let inner: Single = value(map)?;
        match (name.as_str(), inner.plain, inner.downloads) {
            ("downloads", Some(count), _) => self.downloads = Some(count),
            (_, _, Some(count)) if self.by_name.len() < BULK => {
                self.by_name.insert(name, count);
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct Single {
    plain: Option<u64>,
    downloads: Option<u64>,
}

impl Lenient for Single {
    fn number(&mut self, number: u64) {
        self.plain = Some(number);
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "downloads" => self.downloads = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::NPM_REGISTRY;

    /// Answers each path by the first entry whose key it contains.
    struct Table(Vec<(&'static str, u16, String)>, Mutex<Vec<Request>>);

    impl Ask for Table {
        fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
            self.1.lock().unwrap().push(request.clone());
            let found = self.0.iter().find(|(part, ..)| request.path.contains(part));
            let (_, status, body) = found.ok_or(NoAnswer::Failed("no answer in time".into()))?;
            let body = body.clone().into_bytes();
            Ok(Answer { status: *status, body, ..Answer::default() })
        }
    }

    fn table(rows: &[(&'static str, u16, &str)]) -> Table {
        let rows = rows.iter().map(|(part, status, body)| (*part, *status, body.to_string()));
        Table(rows.collect(), Mutex::default())
    }

    fn paths(table: &Table) -> Vec<String> {
        table.1.lock().unwrap().iter().map(|request| request.path.clone()).collect()
    }

    fn hit(name: &str, maintainer: &str) -> String {
        format!(
            r#"{{"package":{{"name":"{name}","version":"1.0.0","date":"2026-01-02T00:00:00Z",
            "links":{{"repository":"git+https://github.com/o/r.git"}},
            "publisher":{{"username":"bob"}},"maintainers":[{{"username":"{maintainer}"}}]}},
            "downloads":{{"monthly":9,"weekly":5}},"dependents":"3"}}"#
        )
    }

    fn page(hits: &[String], total: usize) -> String {
        format!(r#"{{"objects":[{}],"total":{total}}}"#, hits.join(","))
    }

    #[test]
    fn a_search_keeps_what_is_theirs_once() {
        let first = page(&[hit("b", "alice"), hit("a", "alice"), hit("c", "alicia")], 251);
        let second = page(&[hit("a", "alice"), hit("../x", "alice")], 251);
        let table = table(&[("from=0", 200, &first), ("from=250", 200, &second)]);
        let found = search(&table, NPM_REGISTRY, "alice");
        let names: Vec<&str> = found.hits.iter().map(|hit| hit.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let hit = &found.hits[0];
        assert_eq!(
            (hit.weekly_downloads, hit.dependents, hit.date),
            (Some(5), Some(3), Some(1_767_312_000))
        );
        assert_eq!(hit.repository.as_deref(), Some("https://github.com/o/r"));
        assert_eq!((found.cut.as_ref(), found.total, paths(&table).len()), (None, Some(251), 2));
    }

    #[test]
    fn a_search_ends_and_says_what_it_is_worth() {
        let endless = page(&[hit("a", "alice")], usize::MAX);
        let server = table(&[("search", 200, &endless)]);
        let found = search(&server, NPM_REGISTRY, "alice");
        assert_eq!(paths(&server).len(), 40);
        assert!(found.cut.is_some() && found.how.contains("not all"), "{}", found.how);

        let none = search(
            &table(&[("search", 200, r#"{"objects":[],"total":0}"#)]),
            NPM_REGISTRY,
            "alice",
        );
        assert!(none.how.contains("does not mean"), "{}", none.how);
        let refused = search(&table(&[("search", 429, "<html>")]), NPM_REGISTRY, "alice");
        assert!(refused.how.contains("429"), "{}", refused.how);
        let nobody = table(&[]);
        assert!(search(&nobody, NPM_REGISTRY, "a&x=1 b").cut.is_some());
        assert!(paths(&nobody).is_empty());
    }

    #[test]
    fn a_packument_is_that_of_the_name() {
        let table = table(&[
            ("/@a%2Fb", 200, r#"{"name":"@a/b"}"#),
            ("/c", 200, r#"{"name":"d"}"#),
            ("/e", 404, "{}"),
        ]);
        assert!(packument(&table, NPM_REGISTRY, "@a/b").is_ok());
        assert!(matches!(packument(&table, NPM_REGISTRY, "c"), Err(Gap::Unknown(_))));
        assert_eq!(packument(&table, NPM_REGISTRY, "e"), Err(Gap::NotFound));
        assert!(packument(&table, NPM_REGISTRY, "../-/whoami").is_err());
        let asked = table.1.lock().unwrap();
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|request| request.light && request.secrets.is_empty()));
    }

    #[test]
    fn downloads_come_in_bulk_but_for_scopes() {
        let both = r#"{"a":{"downloads":7},"b":null,"downloads":{"downloads":1}}"#;
        let server =
            table(&[("/@s%2Fp", 200, r#"{"downloads":9,"package":"@s/p"}"#), ("a,b", 200, both)]);
        let found = downloads(&server, &["a", "b", "@s/p", "downloads", "no/name"]);
        let weekly =
            [("@s/p", 9), ("a", 7), ("downloads", 1)].map(|(name, n)| (name.to_owned(), n));
        assert_eq!(found.weekly, BTreeMap::from(weekly));
        assert!(found.gaps.is_empty());

        let many: Vec<String> = (0..300).map(|n| format!("package-{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let none = table(&[]);
        assert_eq!(downloads(&none, &many).gaps.len(), 1);
        let asked = paths(&none);
        assert_eq!(asked.iter().map(|path| path.split(',').count()).sum::<usize>(), 300);
        assert!(asked.len() == 3 && asked.iter().all(|path| path.split(',').count() <= BULK));
    }

    #[test]
    fn provenance_names_its_workflow() {
        let statement = r#"{"predicateType":"https://slsa.dev/provenance/v1","predicate":{
            "buildDefinition":{"externalParameters":{"workflow":{"ref":"refs/tags/v1",
            "repository":"https://github.com/o/r","path":".github/workflows/p.yml"}}}}}"#;
        let bundle = |payload: &str| {
            let payload = STANDARD.encode(payload);
            format!(r#"{{"bundle":{{"dsseEnvelope":{{"payload":"{payload}"}}}}}}"#)
        };
        let body = format!(r#"{{"attestations":[1,{},{}]}}"#, bundle("{}"), bundle(statement));
        let table = table(&[("@o%2Fp@1.0.0", 200, &body), ("q@", 200, "{}")]);
        let built = attestation(&table, NPM_REGISTRY, "@o/p", "1.0.0").unwrap();
        assert_eq!(built.repository, "https://github.com/o/r");
        assert_eq!(built.workflow, ".github/workflows/p.yml");
        assert!(attestation(&table, NPM_REGISTRY, "q", "1.0.0").is_err());
        assert!(attestation(&table, NPM_REGISTRY, "q", "../1").is_err());
        assert_eq!(paths(&table).len(), 2);
    }
}
