//! Who is known at the registry: accounts, their tokens, their organisations.

use serde_json::{Value, json};

use crate::common::npm_token;

/// The rows of the contract: kinds of token that the registry treats each in
/// its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Granular, reads only.
    ReadOnly,
    /// Granular, writes, asks for the second factor.
    ReadWrite,
    /// Granular, writes without a second factor; as of November 2026.
    Bypass,
    /// The same as of June 2026, when it still could list tokens.
    BypassBefore,
    /// Granular, writes to the staging area only.
    StageOnly,
    /// Granular, manages an organisation.
    OrgOnly,
    /// Granular, and refused by whoami; one report says that there are such.
    NoWhoami,
    /// Of `npm login`.
    Session,
    /// The same, and some questions want a second factor.
    SessionOtp,
    /// Bound to other addresses, and told so by a 401.
    CidrChallenged,
    /// Bound to other addresses, and told so by a 403.
    CidrForbidden,
    /// Granular, reads only; so many questions are refused before one is heard.
    Limited(usize),
    /// The registry says 503 once, and then nothing any more.
    Outage,
}

impl Kind {
    /// True if the account's own list does not show it.
    pub fn is_session(self) -> bool {
        matches!(self, Self::Session | Self::SessionOtp)
    }

    fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Bypass | Self::BypassBefore | Self::StageOnly)
    }
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: String,
    pub email: String,
    /// `null`, `false`, or `{mode, pending}`.
    pub tfa: Value,
    pub created: String,
    pub orgs: Vec<Org>,
}

impl Account {
    pub fn new(user: &str) -> Self {
        Self {
            user: user.into(),
            email: format!("{user}@example.com"),
            tfa: json!({"mode": "auth-and-writes", "pending": false}),
            created: "2015-04-01T10:00:00.000Z".into(),
            orgs: Vec::new(),
        }
    }

    /// With a second factor: `auth-only`, `auth-and-writes`; an empty word for none.
    pub fn second_factor(mut self, mode: &str) -> Self {
        self.tfa = if mode.is_empty() { Value::Null } else { json!({"mode": mode}) };
        self
    }

    /// Belongs to an organisation: `owner`, `admin` or `developer`.
    pub fn member(mut self, org: &str, role: &str) -> Self {
        self.orgs.push(Org { name: org.into(), role: role.into() });
        self
    }

    /// What `/-/npm/v1/user` tells.
    pub fn profile(&self) -> Value {
        json!({
            "tfa": self.tfa, "name": self.user, "email": self.email, "email_verified": true,
            "created": self.created, "updated": "2026-10-01T10:00:00.000Z",
            "cidr_whitelist": null, "fullname": "", "homepage": "", "freenode": "",
            "twitter": "", "github": "",
        })
    }
}

#[derive(Clone, Debug)]
pub struct Org {
    pub name: String,
    pub role: String,
}

/// A token that the registry made.
#[derive(Clone, Debug)]
pub struct Token {
    pub secret: String,
    pub user: String,
    pub kind: Kind,
    /// The id in the list: a UUID, no secret.
    pub key: String,
    pub name: String,
    /// Packages and `@scopes` that it is for; `*` for all.
    pub scopes: Vec<String>,
    pub cidr: Vec<String>,
    pub created: String,
    pub accessed: String,
    /// None: never.
    pub expiry: Option<String>,
    /// True if a `readonly` field is in its row; real rows were seen without.
    pub tells_readonly: bool,
    /// How many questions it asked.
    pub asked: usize,
}

impl Token {
    pub fn new(seed: u64, user: &str, kind: Kind) -> Self {
        Self {
            secret: npm_token(seed),
            user: user.into(),
            kind,
            key: format!("{seed:08x}-0000-4000-8000-0123456789ab"),
            name: format!("token {seed}"),
            scopes: vec!["*".into()],
            cidr: Vec::new(),
            created: "2026-09-01T08:00:00.000Z".into(),
            accessed: "2026-11-20T08:00:00.000Z".into(),
            expiry: Some("2026-11-30T08:00:00.000Z".into()),
            tells_readonly: false,
            asked: 0,
        }
    }

    /// How the registry shows it: first 8 and last 4.
    pub fn shown(&self) -> String {
        format!("{}...{}", &self.secret[..8], &self.secret[self.secret.len() - 4..])
    }

    /// True if it was made for this package.
    pub fn covers(&self, package: &str) -> bool {
        let inside = |scope: &String| {
            scope == "*"
                || scope == package
                || package.strip_prefix(scope.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.scopes.iter().any(inside)
    }

    /// Its row in the list of tokens.
    pub fn row(&self) -> Value {
        let action = if self.kind.writes() { "write" } else { "read" };
        let name = if self.kind == Kind::OrgOnly { "org" } else { "package" };
        let scope = |scope: &String| match scope.as_str() {
            "*" => json!({"type": name, "name": null}),
            other => json!({"type": name, "name": other}),
        };
        let mut row = json!({
            "token": self.shown(), "key": self.key, "name": self.name, "description": null,
            "cidr": if self.cidr.is_empty() { Value::Null } else { json!(self.cidr) },
            "bypass_2fa": matches!(self.kind, Kind::Bypass | Kind::BypassBefore),
            "expiry": self.expiry, "revoked": null,
            "created": self.created, "updated": self.created, "accessed": self.accessed,
            "permissions": [{"name": name, "action": action}],
            "scopes": self.scopes.iter().map(scope).collect::<Vec<_>>(),
        });
        if self.tells_readonly {
            row["readonly"] = json!(!self.kind.writes());
        }
        row
    }
}

/// The row of a classic token; all are dead, and some lists still show them.
pub fn classic_row(seed: u64) -> Value {
    let token = npm_token(seed);
    json!({
        "token": &token[..6], "key": format!("{seed:0128x}"), "cidr_whitelist": null,
        "readonly": false, "automation": true,
        "created": "2022-01-01T00:00:00.000Z", "updated": "2022-01-01T00:00:00.000Z",
    })
}
