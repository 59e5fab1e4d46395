//! What the registry knows of packages, and how it writes it down.

use base64::Engine as _;
use serde_json::{Map, Value, json};
use tokensweep::model::NPM_REGISTRY;

/// How a version came to the registry.
#[derive(Clone, Debug)]
pub enum By {
    /// A token or a person: the user's name.
    Token(String),
    /// A trusted publisher: `github`, `gitlab`, `circleci`.
    Trusted(&'static str),
    /// The staging area: who approved it.
    Staged(String),
}

/// A version of a package.
#[derive(Clone, Debug)]
pub struct Version {
    pub number: String,
    pub time: String,
    pub by: By,
    pub provenance: bool,
    pub scripts: Vec<(String, String)>,
    pub install_script: bool,
    /// Bytes, unpacked.
    pub size: u64,
    /// Fields that are put over those of the version.
    pub more: Value,
}

impl Version {
    pub fn new(number: &str, time: &str, user: &str) -> Self {
        Self {
            number: number.into(),
            time: time.into(),
            by: By::Token(user.into()),
            provenance: false,
            scripts: vec![("test".into(), "node test.js".into())],
            install_script: false,
            size: 20_000,
            more: json!({}),
        }
    }

    pub fn by(mut self, by: By) -> Self {
        self.provenance = matches!(by, By::Trusted("github" | "gitlab"));
        self.by = by;
        self
    }

    /// Runs this when it is installed.
    pub fn script(mut self, name: &str, text: &str) -> Self {
        self.install_script |= matches!(name, "preinstall" | "install" | "postinstall");
        self.scripts.push((name.into(), text.into()));
        self
    }

    pub fn with(mut self, more: Value) -> Self {
        self.more = more;
        self
    }
}

/// A package.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub private: bool,
    pub maintainers: Vec<String>,
    pub versions: Vec<Version>,
    /// Versions that were unpublished: only their time is left.
    pub ghosts: Vec<(String, String)>,
    pub weekly: u64,
    pub dependents: u64,
    /// `owner/name` at GitHub.
    pub repository: Option<String>,
    pub description: String,
    /// So many further versions, made when they are asked for.
    pub bulk: usize,
    /// Bytes of readme.
    pub readme: usize,
}

impl Package {
    pub fn new(name: &str, user: &str) -> Self {
        Self {
            name: name.into(),
            private: false,
            maintainers: vec![user.into()],
            versions: vec![Version::new("1.0.0", "2025-01-01T12:00:00.000Z", user)],
            ghosts: Vec::new(),
            weekly: 1_000,
            dependents: 3,
            repository: None,
            description: "Does what it says.".into(),
            bulk: 0,
            readme: 2_000,
        }
    }

    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    pub fn version(mut self, version: Version) -> Self {
        self.versions.push(version);
        self
    }

    pub fn ghost(mut self, number: &str, time: &str) -> Self {
        self.ghosts.push((number.into(), time.into()));
        self
    }

    pub fn repository(mut self, repository: &str) -> Self {
        self.repository = Some(repository.into());
        self
    }

    pub fn reach(mut self, weekly: u64, dependents: u64) -> Self {
        (self.weekly, self.dependents) = (weekly, dependents);
        self
    }

    fn latest(&self) -> &Version {
        self.versions.last().expect("a package has a version")
    }

    fn people(&self, key: &str) -> Value {
        let one = |user: &String| json!({key: user, "email": format!("{user}@example.com")});
        self.maintainers.iter().map(one).collect()
    }

    /// What a search says of it.
    pub fn hit(&self) -> Value {
        let latest = self.latest();
        let link = format!("https://www.npmjs.com/package/{}", self.name);
        let home = self.repository.as_ref().map(|name| format!("https://github.com/{name}"));
        let publisher = match &latest.by {
            By::Token(user) | By::Staged(user) => user.as_str(),
            By::Trusted(_) => "GitHub Actions",
        };
        json!({
            "package": {
                "name": self.name, "sanitized_name": self.name, "keywords": [],
                "version": latest.number, "description": self.description,
                "publisher": {"username": publisher, "email": "someone@example.com"},
                "maintainers": self.people("username"), "license": "MIT", "date": latest.time,
                "links": {"npm": link, "repository": home},
            },
            "downloads": {"monthly": self.weekly * 4, "weekly": self.weekly},
            "dependents": self.dependents, "updated": latest.time, "searchScore": 1.0,
            "score": {"final": 1.0, "detail": {"quality": 1, "popularity": 1, "maintenance": 1}},
            "flags": {"insecure": 0},
        })
    }

    /// The document of the package.
    pub fn packument(&self) -> Value {
        let mut versions = Map::new();
        let mut time = Map::new();
        time.insert("created".into(), json!(self.versions[0].time));
        time.insert("modified".into(), json!(self.latest().time));
        for patch in 0..self.bulk {
            let (month, day) = (patch / 28 % 12 + 1, patch % 28 + 1);
            let stamp = format!("{}-{month:02}-{day:02}T06:00:00.000Z", 2010 + patch / 336);
            let bulk = Version::new(&format!("0.0.{patch}"), &stamp, &self.maintainers[0]);
            self.add(&bulk, &mut versions, &mut time);
        }
        for version in &self.versions {
            self.add(version, &mut versions, &mut time);
        }
        for (number, stamp) in &self.ghosts {
            time.insert(number.clone(), json!(stamp));
        }
        let readme = "All work and no play makes a dull readme. ";
        json!({
            "_id": self.name, "_rev": "7-0123456789abcdef0123456789abcdef", "name": self.name,
            "dist-tags": {"latest": self.latest().number}, "versions": versions, "time": time,
            "maintainers": self.people("name"), "license": "MIT",
            "description": self.description, "repository": self.origin(),
            "readme": readme.repeat(self.readme / readme.len()),
        })
    }

    fn add(
        &self,
        version: &Version,
        versions: &mut Map<String, Value>,
        time: &mut Map<String, Value>,
    ) {
        time.insert(version.number.clone(), json!(version.time));
        versions.insert(version.number.clone(), self.manifest(version));
    }

    fn origin(&self) -> Value {
        let url = |name: &String| format!("git+https://github.com/{name}.git");
        self.repository.as_ref().map_or(Value::Null, |it| json!({"type": "git", "url": url(it)}))
    }

    /// The document of one version.
    pub fn manifest(&self, version: &Version) -> Value {
        let number = &version.number;
        let base = self.name.rsplit('/').next().unwrap_or_default();
        let scripts: Map<String, Value> =
            version.scripts.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
        let mut dist = json!({
            "tarball": format!("https://{NPM_REGISTRY}/{}/-/{base}-{number}.tgz", self.name),
            "shasum": "0".repeat(40), "integrity": format!("sha512-{}==", "A".repeat(86)),
            "fileCount": 12, "unpackedSize": version.size,
            "signatures": [{"keyid": "SHA256:example", "sig": "MEUCIQ".repeat(16)}],
        });
        if version.provenance {
            let at = format!("/-/npm/v1/attestations/{}@{number}", escaped(&self.name));
            dist["attestations"] = json!({
                "url": format!("https://{NPM_REGISTRY}{at}"),
                "provenance": {"predicateType": PROVENANCE},
            });
        }
        let mut manifest = json!({
            "name": self.name, "version": number, "description": self.description,
            "main": "index.js", "license": "MIT", "scripts": scripts,
            "repository": self.origin(), "dependencies": {"left-pad": "^1.3.0"},
            "devDependencies": {"tap": "^18.0.0", "typescript": "^5.0.0"},
            "_id": format!("{}@{number}", self.name), "_nodeVersion": "22.14.0",
            "_npmVersion": "11.5.1", "gitHead": "0123456789abcdef0123456789abcdef01234567",
            "dist": dist, "_npmUser": publisher(&version.by),
            "maintainers": self.people("name"), "_hasShrinkwrap": false, "directories": {},
        });
        if version.install_script {
            manifest["hasInstallScript"] = json!(true);
        }
        for (key, value) in version.more.as_object().into_iter().flatten() {
            manifest[key.as_str()] = value.clone();
        }
        manifest
    }

    /// What the transparency service keeps of a version; none without provenance.
    pub fn attestations(&self, number: &str) -> Option<Value> {
        let version = self.versions.iter().find(|version| version.number == number)?;
        version.provenance.then_some(())?;
        let repository = self.repository.clone().unwrap_or_else(|| "example/example".into());
        let subject = json!([{
            "name": format!("pkg:npm/{}@{number}", self.name.replace('@', "%40")),
            "digest": {"sha512": "0".repeat(128)},
        }]);
        let provenance = json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": subject,
            "predicateType": PROVENANCE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD,
                    "externalParameters": {"workflow": {
                        "ref": "refs/heads/main",
                        "repository": format!("https://github.com/{repository}"),
                        "path": ".github/workflows/publish.yml",
                    }},
                },
                "runDetails": {"builder": {"id": RUNNER}},
            },
        });
        let publish = json!({
            "_type": "https://in-toto.io/Statement/v0.1", "subject": subject,
            "predicateType": PUBLISH,
            "predicate": {"name": self.name, "version": number},
        });
        Some(json!({"attestations": [bundle(PUBLISH, &publish), bundle(PROVENANCE, &provenance)]}))
    }
}

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const BUILD: &str = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1";
const RUNNER: &str = "https://github.com/actions/runner/github-hosted";
const PUBLISH: &str = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";

fn bundle(kind: &str, statement: &Value) -> Value {
    let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
    json!({
        "predicateType": kind,
        "bundle": {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"tlogEntries": []},
            "dsseEnvelope": {
                "payload": payload, "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"keyid": "", "sig": ""}],
            },
        },
    })
}

fn publisher(by: &By) -> Value {
    let human = |user: &str| json!({"name": user, "email": format!("{user}@example.com")});
    match by {
        By::Token(user) => human(user),
        By::Staged(approver) => {
            let mut user = human(approver);
            user["approver"] = human(approver);
            user
        }
        By::Trusted(provider) => json!({
            "name": "GitHub Actions", "email": "npm-oidc-no-reply@github.com",
            "trustedPublisher": {
                "id": provider, "oidcConfigId": "oidc:01234567-89ab-4cde-8f01-23456789abcd",
            },
        }),
    }
}

/// A name as it stands in a path.
pub fn escaped(name: &str) -> String {
    name.replace('/', "%2F")
}

/// So many packages of a user, of sizes as they occur: most have some hundred
/// kilobytes of history, one in five hundred has five megabytes.
pub fn portfolio(user: &str, count: usize) -> Vec<Package> {
    let package = |n: usize| {
        let mut package = Package::new(&format!("{user}-tool-{n:05}"), user);
        package.bulk = if n % 500 == 7 { 5_000 } else { 100 };
        package.weekly = 2_000_000 / (n as u64 + 1);
        package.dependents = 5_000 / (n as u64 + 1);
        package
    };
    (0..count).map(package).collect()
}
