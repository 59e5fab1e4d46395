//! GitHub, as far as a token is asked whose it is and what it may write.

use std::collections::BTreeMap;

use serde_json::json;

use super::http::{Reply, Seen};
use super::world::World;

/// A token of GitHub's.
#[derive(Clone, Debug, Default)]
pub struct GitHubToken {
    pub secret: String,
    pub login: String,
    /// Classic scopes; a fine-grained token tells none.
    pub scopes: Option<Vec<String>>,
    /// `owner/name` → may push, may administer.
    pub repositories: BTreeMap<String, (bool, bool)>,
    /// True if its hour's requests are used up.
    pub limited: bool,
}

impl GitHubToken {
    pub fn new(secret: &str, login: &str, scopes: &[&str]) -> Self {
        let scopes = Some(scopes.iter().map(|scope| scope.to_string()).collect());
        Self { secret: secret.into(), login: login.into(), scopes, ..Self::default() }
    }

    pub fn repository(mut self, name: &str, push: bool, admin: bool) -> Self {
        self.repositories.insert(name.into(), (push, admin));
        self
    }
}

pub fn answer(world: &World, seen: &Seen, parts: &[&str]) -> Reply {
    let say = |status: u16, text: &str| {
        let docs = "https://docs.github.com/rest";
        Reply::json(status, &json!({"message": text, "documentation_url": docs}))
    };
    let Some(token) = seen.bearer().and_then(|secret| world.github.get(secret)) else {
        return say(401, "Bad credentials");
    };
    if token.limited {
        return say(403, "API rate limit exceeded for user ID 1.")
            .with("x-ratelimit-limit", "5000")
            .with("x-ratelimit-remaining", "0");
    }
    let reply = match parts {
        ["user"] => {
            Reply::json(200, &json!({"login": token.login, "id": 1, "type": "User", "email": null}))
        }
        ["repos", owner, name] => {
            let full = format!("{owner}/{name}");
            let Some((push, admin)) = token.repositories.get(&full) else {
                return say(404, "Not Found");
            };
            let permissions = json!({"admin": admin, "push": push, "pull": true});
            Reply::json(200, &json!({"full_name": full, "permissions": permissions}))
        }
        _ => say(404, "Not Found"),
    };
    let reply = reply.with("x-ratelimit-remaining", "4999");
    match &token.scopes {
        Some(scopes) => reply.with("x-oauth-scopes", scopes.join(", ")),
        None => reply,
    }
}
