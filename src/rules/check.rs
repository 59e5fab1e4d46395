//! Read-only questions to other issuers than npm, as written in rule files: what
//! is asked and how each answer reads. The build script reads this file too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// One question that tells whether a credential is alive, or why there is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Unique; lower case, digits and dashes.
    pub id: String,
    /// The kinds of finding that it answers for, of the same file.
    pub kinds: Vec<String>,
    /// The secret must begin with one of these; any if there are none. Of several
    /// checks for a kind the first that takes the secret counts.
    #[serde(default)]
    pub begins: Vec<String>,
    /// Why no read-only call can tell; nothing else is then given.
    #[serde(default)]
    pub not_possible: Option<String>,
    /// GET, but for services that take a question by POST alone.
    #[serde(default)]
    pub method: Verb,
    /// Who is asked: a name without scheme or path.
    #[serde(default)]
    pub host: String,
    /// Other names under which the same service goes in texts.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// True if anybody can run this service: a credential that the text binds to
    /// another host is then asked about there.
    #[serde(default)]
    pub self_hosted: bool,
    /// Path and query; `{secret}` in it if the secret is carried there.
    #[serde(default)]
    pub path: String,
    /// Plain headers, names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How the secret is carried.
    #[serde(default)]
    pub carry: Carry,
    /// Findings of other kinds that go along.
    #[serde(default, rename = "companion")]
    pub companions: Vec<Companion>,
    /// Body of a POST.
    #[serde(default)]
    pub body: Option<String>,
    /// What the answers mean; the first row that fits counts. An answer that no
    /// row explains is unknown.
    #[serde(default)]
    pub read: Vec<Row>,
    /// What a good answer tells about its owner.
    #[serde(default)]
    pub identity: IdentityFrom,
    /// Where the call and its answers are documented.
    #[serde(default)]
    pub references: Vec<String>,
}

/// What a check may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Reads.
    #[default]
    Get,
    /// Reads as well, at services that want it so.
    Post,
}

/// How a secret is carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Carry {
    /// `authorization: Bearer SECRET`.
    #[default]
    Bearer,
    /// In a header of its own.
    #[serde(rename_all = "kebab-case")]
    Header {
        /// Its name in lower case.
        name: String,
        /// What stands before the secret.
        #[serde(default)]
        prefix: String,
    },
    /// As the user name of basic authentication, with an empty password.
    BasicUser,
    /// As the password of basic authentication. The user name is `user`, or the
    /// finding of the kind `companion`, or the one that stands with the finding.
    BasicPassword {
        /// The same for everybody.
        #[serde(default)]
        user: Option<String>,
        /// A kind whose value it is.
        #[serde(default)]
        companion: Option<String>,
    },
    /// In place of `{secret}` in the path, at services that know no other way.
    Path,
    /// It signs the request by AWS Signature Version 4, and stays here.
    AwsV4 {
        /// The kind of the key id; needed.
        key_id: String,
        /// The kind of the session token; needed with the key ids of sessions.
        session: String,
        /// As in the scope of the signature.
        region: String,
        /// As in the scope of the signature.
        service: String,
    },
}

/// A finding of another kind that goes along in a header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// Its kind.
    pub kind: String,
    /// Name of the header in lower case.
    pub header: String,
}

/// What an answer means. All conditions that are given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The HTTP status.
    pub status: Statuses,
    /// JSON pointers to something that is not null.
    #[serde(default)]
    pub has: Vec<String>,
    /// JSON pointers and the text, number or truth value that stands there, in any
    /// case.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// Headers, names in lower case, and words that they hold, in any case.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// One of these stands in the body, in any case.
    #[serde(default)]
    pub text: Vec<String>,
    /// What it says.
    pub outcome: Said,
    /// The same for people.
    pub meaning: String,
    /// Where else the credential may live, in words. That this host does not know
    /// it then proves nothing, unless the text binds it to this host.
    #[serde(default)]
    pub elsewhere: Option<String>,
}

/// What an answer says of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It works.
    Active,
    /// It is alive and may not do this, or not from here.
    Restricted,
    /// The service does not know it any more.
    Dead,
    /// Neither.
    Unknown,
}

/// Where the owner stands in an answer: a JSON pointer (`/user/name`), or a header
/// (`header:name`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityFrom {
    /// The first of these that is there is the user.
    #[serde(default)]
    pub user: Vec<String>,
    /// Lists, or texts with commas or spaces between the scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// More, by what it is.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

/// HTTP statuses: `401`, `400-409`, or several with commas between them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// True if `status` is one of them.
    pub fn hold(&self, status: u16) -> bool {
        self.0.iter().any(|&(first, last)| (first..=last).contains(&status))
    }

    /// The first of them.
    pub fn first(&self) -> u16 {
        self.0.first().map_or(0, |&(first, _)| first)
    }
}

impl TryFrom<String> for Statuses {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no HTTP status; write \"401\", \"400-409\" or \"401, 403\"");
        let number = |part: &str| part.trim().parse().ok().filter(|n| (100..600).contains(n));
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => ranges.push((first, last)),
                _ => return Err(wrong()),
            }
        }
        Ok(Self(ranges))
    }
}

impl From<Statuses> for String {
    fn from(statuses: Statuses) -> Self {
        let shown = |(first, last): &(u16, u16)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        };
        statuses.0.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

impl Check {
    /// True if the check answers for a secret of this kind.
    pub fn takes(&self, kind: &str, secret: &[u8]) -> bool {
        let begins = |start: &String| secret.starts_with(start.as_bytes());
        self.kinds.iter().any(|known| known == kind)
            && (self.begins.is_empty() || self.begins.iter().any(begins))
    }

    /// The kinds of finding that it wants beside its own.
    pub fn companion_kinds(&self) -> impl Iterator<Item = &String> {
        self.companions.iter().map(|other| &other.kind).chain(self.carry.kinds())
    }

    /// Checks what is written; `kinds` are those of the rules in the same file.
    ///
    /// # Errors
    /// In words, what is wrong and what to change.
    pub fn verify(&self, kinds: &BTreeSet<&str>) -> Result<(), String> {
        let outcome = match &self.not_possible {
            Some(why) => self.verify_reason(why),
            None => self.verify_call().and_then(|()| self.verify_rows()),
        };
        self.verify_name(kinds).and(outcome).map_err(|why| format!("check {:?}: {why}", self.id))
    }

    fn verify_name(&self, kinds: &BTreeSet<&str>) -> Result<(), String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure(!self.id.is_empty() && self.id.bytes().all(fits), || {
            "an id is made of lower-case letters, digits and dashes".into()
        })?;
        ensure(!self.kinds.is_empty(), || "it wants at least one kind".into())?;
        let own = self.kinds.iter().chain(self.companion_kinds());
        match own.into_iter().find(|kind| !kinds.contains(kind.as_str())) {
            Some(kind) => Err(format!("no rule of this file finds the kind {kind:?}")),
            None => Ok(()),
        }
    }

    fn verify_reason(&self, why: &str) -> Result<(), String> {
        ensure(!why.trim().is_empty(), || "`not_possible` says why".into())?;
        let asks = !self.host.is_empty() || !self.path.is_empty() || !self.read.is_empty();
        ensure(!asks, || "it is either `not_possible`, or has a host, a path and rows".into())
    }

    fn verify_call(&self) -> Result<(), String> {
        let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        ensure(self.host.contains('.') && self.host.bytes().all(name), || {
            "`host` is a name in lower case, without scheme, port or path".into()
        })?;
        let printable = self.path.bytes().all(|b| b.is_ascii_graphic());
        ensure(self.path.starts_with('/') && printable, || {
            "`path` begins with `/` and is percent-encoded".into()
        })?;
        ensure(!self.references.is_empty(), || {
            "`references` names the page that documents the call and its answers".into()
        })?;
        let places = self.path.matches("{secret}").count();
        ensure(places == usize::from(self.carry == Carry::Path), || {
            "`{secret}` stands in the path once with carry = \"path\", and else nowhere".into()
        })?;
        ensure(self.body.is_none() || self.method == Verb::Post, || {
            "only a POST has a body".into()
        })?;
        let known = self.headers.keys().chain(self.carry.header());
        let mut headers = known.chain(self.companions.iter().map(|other| &other.header));
        let plain = |name: &String| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match headers.find(|name| !plain(name)) {
            Some(odd) => Err(format!("the header {odd:?} is not a name in lower case")),
            None => Ok(()),
        }
    }

    fn verify_rows(&self) -> Result<(), String> {
        let says = |said| self.read.iter().any(|row| row.outcome == said);
        ensure(says(Said::Active), || "no row says Active; a check knows the living".into())?;
        // Some services say the same to the dead and to those of another region.
        ensure(says(Said::Dead) || says(Said::Unknown), || {
            "no row says Dead, nor Unknown with the words why; a check knows what a refusal means"
                .into()
        })?;
        // A portal answers 200 to everything, and any server 401 to what it does
        // not know: one that a text names may be no such service at all.
        let must_look = |row: &&Row| match row.outcome {
            Said::Active => !row.looks_at_fields(),
            Said::Dead => self.self_hosted && !row.looks_at_fields() && row.text.is_empty(),
            _ => false,
        };
        if let Some(row) = self.read.iter().find(must_look) {
            return Err(format!(
                "the row for {} says {:?} by its status alone; look at `has`, `json` or `header` too",
                String::from(row.status.clone()),
                row.outcome
            ));
        }
        let pointers = self.read.iter().flat_map(|row| row.has.iter().chain(row.json.keys()));
        if let Some(odd) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
            return Err(format!("{odd:?} is no JSON pointer; it begins with `/`"));
        }
        let identity = &self.identity;
        let sources = identity.user.iter().chain(&identity.scopes).chain(identity.facts.values());
        match sources.into_iter().find(|it| !it.starts_with('/') && !it.starts_with("header:")) {
            Some(odd) => Err(format!("{odd:?} is neither a JSON pointer nor `header:NAME`")),
            None => Ok(()),
        }
    }
}

impl Row {
    fn looks_at_fields(&self) -> bool {
        !(self.has.is_empty() && self.json.is_empty() && self.header.is_empty())
    }
}

impl Carry {
    /// The kinds of other findings that it needs or takes.
    fn kinds(&self) -> impl Iterator<Item = &String> {
        let both = match self {
            Self::BasicPassword { companion, .. } => [companion.as_ref(), None],
            Self::AwsV4 { key_id, session, .. } => [Some(key_id), Some(session)],
            _ => [None, None],
        };
        both.into_iter().flatten()
    }

    fn header(&self) -> Option<&String> {
        match self {
            Self::Header { name, .. } => Some(name),
            _ => None,
        }
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// Checks all checks of a file against the kinds of its rules.
///
/// # Errors
/// In words, what is wrong and what to change.
pub fn verify_all(checks: &[Check], kinds: &BTreeSet<&str>) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for check in checks {
        check.verify(kinds)?;
        ensure(ids.insert(&check.id), || format!("two checks have the id {:?}", check.id))?;
    }
    Ok(())
}
