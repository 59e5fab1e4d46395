//! What the registry knows, and who answers which path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::github::{self, GitHubToken};
use super::http::{Reply, Seen, decoded};
use super::packages::Package;
use super::people::{Account, Token};
use super::{owned, public};

/// How the whole host behaves.
#[derive(Clone, Debug, Default)]
pub enum Manner {
    /// As npm's registry.
    #[default]
    Npm,
    /// As Verdaccio: it names no user to tokens that it does not know.
    Verdaccio,
    /// A portal or proxy that answers everything with a page.
    Portal,
    /// Sends everybody elsewhere, with the path that was asked for.
    Redirect(String),
}

/// What the list of tokens says where the next page is.
#[derive(Clone, Debug, Default)]
pub enum Next {
    /// A path.
    #[default]
    Path,
    /// An address below this one.
    Below(String),
    /// This very address, on every page.
    Fixed(String),
}

/// An answer for the paths that begin so.
pub struct Rule {
    pub prefix: String,
    /// So many times more.
    pub times: usize,
    pub answer: Arc<dyn Fn(&Seen) -> Reply + Send + Sync>,
}

pub struct World {
    pub accounts: BTreeMap<String, Account>,
    /// By secret.
    pub tokens: BTreeMap<String, Token>,
    pub packages: BTreeMap<String, Package>,
    /// By secret.
    pub github: BTreeMap<String, GitHubToken>,
    pub manner: Manner,
    /// Most rows of a page in the list of tokens.
    pub page: usize,
    pub next: Next,
    /// Rows that the lists show beside those of `tokens`.
    pub more_rows: Vec<Value>,
    /// What is staged, as rows.
    pub staged: Vec<Value>,
    /// True if a token goes on answering after it was revoked, as it does from
    /// caches.
    pub cached: bool,
    /// True if each page of a search repeats the last hit of the one before.
    pub unstable: bool,
    pub rules: Vec<Rule>,
    pub seen: Vec<Seen>,
    seeds: u64,
}

impl World {
    pub fn new() -> Self {
        Self {
            accounts: BTreeMap::new(),
            tokens: BTreeMap::new(),
            packages: BTreeMap::new(),
            github: BTreeMap::new(),
            manner: Manner::Npm,
            page: 10,
            next: Next::Path,
            more_rows: Vec::new(),
            staged: Vec::new(),
            cached: false,
            unstable: false,
            rules: Vec::new(),
            seen: Vec::new(),
            seeds: 7_000,
        }
    }

    /// A number that was not given out yet.
    pub fn seed(&mut self) -> u64 {
        self.seeds += 1;
        self.seeds
    }

    /// The answer of a rule, if one is for this path; the newest first.
    fn ruled(&mut self, seen: &Seen) -> Option<Reply> {
        let fits = |rule: &&mut Rule| rule.times > 0 && seen.target.starts_with(&rule.prefix);
        let rule = self.rules.iter_mut().rev().find(fits)?;
        rule.times -= 1;
        Some((rule.answer)(seen))
    }
}

/// An error as the registry writes it.
pub fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

/// Answers a request, and keeps it.
pub fn answer(world: &Mutex<World>, seen: Seen) -> Reply {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    world.seen.push(seen.clone());
    if let Some(reply) = world.ruled(&seen) {
        return reply;
    }
    let packument = match world.manner.clone() {
        Manner::Portal => return Reply::html(200, "Please log in to this network"),
        Manner::Redirect(to) => {
            return Reply::empty(302).with("location", to + &seen.target);
        }
        manner => route(&mut world, &seen, matches!(manner, Manner::Verdaccio)),
    };
    drop(world);
    match packument {
        Answer::Ready(reply) => reply,
        // Large ones are written without the others having to wait.
        Answer::Document(package) => public::document(&package, &seen),
    }
}

/// An answer, or what it will be written from.
pub enum Answer {
    Ready(Reply),
    Document(Box<Package>),
}

fn route(world: &mut World, seen: &Seen, verdaccio: bool) -> Answer {
    let path = seen.path().to_owned();
    let parts: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    Answer::Ready(match parts.as_slice() {
        ["github", rest @ ..] => github::answer(world, seen, rest),
        ["downloads", "point", period, names] => public::downloads(world, period, names),
        ["versions", name, "last-week"] => public::version_counts(world, name),
        ["-", "ping"] => Reply::json(200, &json!({})),
        ["-", "v1", "search"] => public::search(world, seen),
        ["-", "npm", "v1", "keys"] => Reply::json(200, &json!({"keys": []})),
        ["-", "npm", "v1", "attestations", rest @ ..] => public::attestations(world, rest),
        ["-", "package", name, "dist-tags"] => public::dist_tags(world, name),
        ["-", rest @ ..] if verdaccio => owned::verdaccio(world, seen, rest),
        ["-", rest @ ..] => owned::answer(world, seen, rest),
        _ if seen.method != "GET" => error(405, "this registry is only read"),
        // `@scope/name` is a mistake that real registries forgive.
        [scope, name] if scope.starts_with('@') => {
            return owned::packument(world, seen, &format!("{scope}/{name}"), verdaccio);
        }
        [name] => return owned::packument(world, seen, name, verdaccio),
        _ => error(404, "Not found"),
    })
}
