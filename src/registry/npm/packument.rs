//! The document of a package: what npm's registry tells everybody about all of
//! its versions.
//!
//! The fields are those of the registry's documentation ("package metadata")
//! and of published documents. Everything in it is hostile: publishers write
//! most of it. Nothing here is trusted for being there, and e-mail addresses
//! are not kept.

use std::collections::BTreeMap;

use serde::de::MapAccess;

use super::keep;
use super::lenient::{ENTRY_CAP, Lenient, only, read, skip, value};
use super::names::{is_package_name, is_version};
use super::repository;

/// A package in public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packument {
    /// Its name, as the document says.
    pub name: String,
    /// Version by tag; `latest` is what people install.
    pub tags: BTreeMap<String, String>,
    /// The versions that are there.
    pub versions: BTreeMap<String, Version>,
    /// When each version was published, seconds since 1970. It keeps versions
    /// that were unpublished since.
    pub time: BTreeMap<String, i64>,
    /// When the package was made, seconds since 1970.
    pub created: Option<i64>,
    /// True if the whole package was unpublished.
    pub unpublished: bool,
    /// User names. The registry's documentation calls the list no authority on
    /// who may publish.
    pub maintainers: Vec<String>,
    /// `https://…` of its repository, as its owner says.
    pub repository: Option<String>,
    /// True if the document holds more than is read and kept: versions or times
    /// are missing then that are there.
    pub cut: bool,
}

/// A version in public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Who published it: a user name, or a name that stands for a CI service.
    pub publisher: Option<String>,
    /// The trusted publisher that published it.
    pub trusted: Option<Trusted>,
    /// Set if it came through the staging area: who approved it, if that is told.
    pub approver: Option<Option<String>>,
    /// Subresource integrity of its archive.
    pub integrity: Option<String>,
    /// SHA-1 of its archive, in hex.
    pub shasum: Option<String>,
    /// How many files it has.
    pub file_count: Option<u64>,
    /// Their size together, in bytes.
    pub unpacked_size: Option<u64>,
    /// Kind of its provenance attestation, if it has one.
    pub provenance: Option<String>,
    /// Commands by name, as `package.json` has them.
    pub scripts: BTreeMap<String, String>,
    /// What the registry says of scripts that run at installation.
    pub has_install_script: Option<bool>,
    /// True if installation compiles something.
    pub gypfile: bool,
    /// The commit that it was made from, as its publisher's machine says.
    pub git_head: Option<String>,
    /// Version of node on its publisher's machine.
    pub node: Option<String>,
    /// Version of npm there.
    pub npm: Option<String>,
    /// What is installed with it if it can be: range or source by name.
    pub optional_dependencies: BTreeMap<String, String>,
    /// Why it should not be used; empty if nobody said.
    pub deprecated: Option<String>,
    /// `https://…` of its repository, as its publisher says.
    pub repository: Option<String>,
    /// User names when it was published.
    pub maintainers: Vec<String>,
}

/// A trusted publisher, as a version names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// `github`, `gitlab`, …
    pub provider: String,
    /// Names the entry in the package's list of trusted publishers.
    pub config: Option<String>,
}

impl Packument {
    /// Reads a document. `None` if it is no JSON, or does not name a package.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut document = read::<Document>(bytes)?.0;
        is_package_name(&document.name).then(|| {
            keep::newest(&mut document);
            document
        })
    }

    /// The version that people get who name none.
    pub fn latest(&self) -> Option<(&str, &Version)> {
        let version = self.tags.get("latest")?;
        self.versions.get_key_value(version).map(|(number, version)| (number.as_str(), version))
    }
}

impl Version {
    /// The scripts that run when it is installed from the registry.
    pub const INSTALL: [&str; 3] = ["preinstall", "install", "postinstall"];

    /// True if installing it runs code.
    pub fn runs_at_install(&self) -> bool {
        let named = Self::INSTALL.iter().any(|name| self.scripts.contains_key(*name));
        named || self.gypfile || self.has_install_script == Some(true)
    }
}

/// The whole document, while it is read.
#[derive(Default)]
struct Document(Packument);

impl Lenient for Document {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        let it = &mut self.0;
        match name.as_str() {
            "name" => it.name = value::<Option<String>, _>(map)?.unwrap_or_default(),
            "dist-tags" => it.tags = value(map)?,
            "versions" => {
                let versions: Versions = value(map)?;
                it.cut |= versions.cut;
                it.versions = versions.read;
            }
            "time" => {
                let times: Times = value(map)?;
                it.cut |= times.versions.len() >= ENTRY_CAP;
                (it.time, it.created, it.unpublished) =
                    (times.versions, times.created, times.unpublished);
            }
            "maintainers" => it.maintainers = value::<Vec<Named>, _>(map).map(names)?,
            "repository" => it.repository = value::<Repository, _>(map)?.address(),
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Most scripts, dependencies and maintainers of all versions together. With
/// some hundred bytes for each, this bounds the memory that a document takes.
const DETAILS: usize = 400_000;

#[derive(Default)]
struct Versions {
    read: BTreeMap<String, Version>,
    details: usize,
    cut: bool,
}

impl Lenient for Versions {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        if !is_version(&name) {
            return skip(map);
        }
        if self.read.len() >= ENTRY_CAP || self.details >= DETAILS {
            self.cut = true;
            return skip(map);
        }
        let version: Version = value(map)?;
        let details =
            [version.scripts.len(), version.optional_dependencies.len(), version.maintainers.len()];
        self.details += details.iter().sum::<usize>();
        self.read.insert(name, version);
        Ok(())
    }
}

impl Lenient for Version {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "_npmUser" => {
                let user: User = value(map)?;
                (self.publisher, self.trusted, self.approver) =
                    (user.name, user.trusted.map(|it| it.0), user.approver.map(|it| it.name));
            }
            "dist" => {
                let dist: Dist = value(map)?;
                (self.integrity, self.shasum) = (dist.integrity, dist.shasum);
                (self.file_count, self.unpacked_size) = (dist.file_count, dist.unpacked_size);
                self.provenance = dist.attestations.0.0;
            }
            "scripts" => self.scripts = value(map)?,
            "hasInstallScript" => self.has_install_script = value(map)?,
            "gypfile" => self.gypfile = value::<Option<bool>, _>(map)?.unwrap_or_default(),
            "gitHead" => self.git_head = value(map)?,
            "_nodeVersion" => self.node = value(map)?,
            "_npmVersion" => self.npm = value(map)?,
            "optionalDependencies" => self.optional_dependencies = value(map)?,
            "deprecated" => self.deprecated = value::<Deprecated, _>(map)?.0,
            "repository" => self.repository = value::<Repository, _>(map)?.address(),
            "maintainers" => self.maintainers = value::<Vec<Named>, _>(map).map(names)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// When what was published.
#[derive(Default)]
struct Times {
    versions: BTreeMap<String, i64>,
    created: Option<i64>,
    unpublished: bool,
}

impl Lenient for Times {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "unpublished" => {
                self.unpublished = true;
                return skip(map);
            }
            "modified" => return skip(map),
            _ => {}
        }
        let time = value::<Option<String>, _>(map)?.and_then(|text| seconds(&text));
        match time {
            Some(_) if name == "created" => self.created = time,
            Some(time) if self.versions.len() < ENTRY_CAP && is_version(&name) => {
                self.versions.insert(name, time);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Seconds since 1970 of an ISO 8601 time.
pub(super) fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

#[derive(Default)]
struct User {
    name: Option<String>,
    trusted: Option<TrustedField>,
    approver: Option<Named>,
}

impl Lenient for User {
    fn text(&mut self, text: &str) {
        self.name = name_of(text);
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "name" => self.name = value(map)?,
            "trustedPublisher" => {
                let it: TrustedField = value(map)?;
                self.trusted = (!it.0.provider.is_empty()).then_some(it);
            }
            "approver" => {
                let it: Named = value(map)?;
                self.approver = it.there.then_some(it);
            }
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct TrustedField(Trusted);

impl Lenient for TrustedField {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "id" => self.0.provider = value::<Option<String>, _>(map)?.unwrap_or_default(),
            "oidcConfigId" => self.0.config = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// A person: `{"name":…}` of today, `"name <address>"` of old.
#[derive(Default)]
struct Named {
    name: Option<String>,
    there: bool,
}

impl Lenient for Named {
    fn text(&mut self, text: &str) {
        (self.name, self.there) = (name_of(text), true);
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        self.there = true;
        match name.as_str() {
            "name" => self.name = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// More maintainers than this are passed over.
const MAINTAINERS: usize = 1000;

fn names(people: Vec<Named>) -> Vec<String> {
    people.into_iter().filter_map(|it| it.name).take(MAINTAINERS).collect()
}

/// The name of `name <address> (page)`.
fn name_of(text: &str) -> Option<String> {
    let name = text.split(['<', '(']).next().unwrap_or_default().trim();
    let mut taken = None::<String>;
    taken.text(name);
    taken.filter(|name| !name.is_empty())
}

#[derive(Default)]
struct Dist {
    integrity: Option<String>,
    shasum: Option<String>,
    file_count: Option<u64>,
    unpacked_size: Option<u64>,
    attestations: Attestations,
}

impl Lenient for Dist {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "integrity" => self.integrity = value(map)?,
            "shasum" => self.shasum = value(map)?,
            "fileCount" => self.file_count = value(map)?,
            "unpackedSize" => self.unpacked_size = value(map)?,
            "attestations" => self.attestations = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

only!("provenance", Attestations(Provenance));
only!("predicateType", Provenance(Option<String>));

/// A reason, or `true` without one. An empty reason takes a deprecation back.
#[derive(Default)]
struct Deprecated(Option<String>);

impl Lenient for Deprecated {
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.text(text);
        }
    }

    fn flag(&mut self, flag: bool) {
        self.0 = flag.then(String::new);
    }
}

/// A text, or an object with the text in `url`.
#[derive(Default)]
struct Repository(Option<String>);

impl Repository {
    fn address(self) -> Option<String> {
        repository::normalised(&self.0?)
    }
}

impl Lenient for Repository {
    fn text(&mut self, text: &str) {
        self.0.text(text);
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "url" => self.0 = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packument(text: &str) -> Packument {
        Packument::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_wanted_is_read() {
        let it = packument(
            r#"{"name":"@a/b","readme":"…","dist-tags":{"latest":"1.0.1"},
            "repository":{"type":"git","url":"git+https://github.com/a/b.git"},
            "maintainers":[{"name":"alice","email":"a@example.com"},"bob <b@example.com>"],
            "time":{"created":"2020-01-01T00:00:00.000Z","modified":"2020-01-03T00:00:00.000Z",
                "1.0.0":"2020-01-01T00:00:01.500Z","1.0.1":"2020-01-02T00:00:00.000Z"},
            "versions":{"1.0.1":{"name":"@a/b","_nodeVersion":"24.1.0","_npmVersion":"11.1.0",
                "gitHead":"abc","hasInstallScript":true,"scripts":{"test":"x","postinstall":"y"},
                "optionalDependencies":{"c":"^1"},"deprecated":"old",
                "dist":{"shasum":"00","fileCount":3,"unpackedSize":99,"attestations":{
                    "url":"u","provenance":{"predicateType":"https://slsa.dev/provenance/v1"}}},
                "_npmUser":{"name":"GitHub Actions","email":"x",
                    "trustedPublisher":{"id":"github","oidcConfigId":"oidc:1"}}}}}"#,
        );
        assert_eq!(it.maintainers, ["alice", "bob"]);
        assert_eq!(it.repository.as_deref(), Some("https://github.com/a/b"));
        assert_eq!((it.created, it.time["1.0.0"]), (Some(1_577_836_800), 1_577_836_801));
        assert_eq!(it.time.len(), 2);
        let (number, version) = it.latest().unwrap();
        assert_eq!((number, version.file_count), ("1.0.1", Some(3)));
        assert!(version.runs_at_install());
        assert_eq!(version.trusted.as_ref().unwrap().provider, "github");
        assert_eq!(version.provenance.as_deref(), Some("https://slsa.dev/provenance/v1"));
        assert_eq!(version.approver, None);
    }

    #[test]
    fn odd_types_spoil_only_themselves() {
        let it = packument(
            r#"{"name":"a","dist-tags":[],"maintainers":{"name":"x"},"repository":7,
            "time":{"1.0.0":7,"1.0.1":"2020-01-02T00:00:00Z","../x":"2020-01-02T00:00:00Z"},
            "versions":{"1.0.0":"gone","1.0.1":{"scripts":["x"],"gypfile":"yes","dist":null,
                "_npmUser":"carol <c@example.com>","gitHead":{"a":[1]},"deprecated":true},
                "1.0.2":{"deprecated":"","_npmUser":{"name":"dan","approver":{}}},"x y":{}}}"#,
        );
        assert_eq!(it.versions.keys().collect::<Vec<_>>(), ["1.0.0", "1.0.1", "1.0.2"]);
        assert_eq!(it.time.len(), 1);
        let version = &it.versions["1.0.1"];
        assert_eq!(version.publisher.as_deref(), Some("carol"));
        assert_eq!(version.deprecated.as_deref(), Some(""));
        assert!(!version.runs_at_install());
        let version = &it.versions["1.0.2"];
        assert_eq!((&version.deprecated, &version.approver), (&None, &None));
    }

    #[test]
    fn a_document_takes_no_endless_memory() {
        let scripts: Vec<String> = (0..60_000).map(|n| format!(r#""{n}":"""#)).collect();
        let version = format!(r#"{{"scripts":{{{}}}}}"#, scripts.join(","));
        let versions: Vec<String> = (0..20).map(|n| format!(r#""1.{n}.0":{version}"#)).collect();
        let it = packument(&format!(r#"{{"name":"a","versions":{{{}}}}}"#, versions.join(",")));
        assert!(it.cut);
        assert!(it.versions.is_empty(), "each is larger than any version can be");
        let version = versions[0].replace(&scripts[1000..].join(","), r#""x":"""#);
        assert!(!packument(&format!(r#"{{"name":"a","versions":{{{version}}}}}"#)).cut);
    }

    #[test]
    fn a_document_names_a_package() {
        for text in ["", "{}", "[]", r#"{"name":"$(id)"}"#, r#"{"name":"a""#] {
            assert_eq!(Packument::read(text.as_bytes()), None, "{text}");
        }
        let gone = r#"{"name":"a","time":{"unpublished":{"versions":["1.0.0"]}}}"#;
        assert!(packument(gone).unpublished);
    }
}
