//! The list of an account's tokens, and the row of the one that asks.

use serde_json::Value;

use super::account::{ask, seconds, text};
use super::identity::Bound;
use crate::hostage;
use crate::model::Secret;
use crate::model::radius::{Certainty, Learnt, TokenFacts, TokenKind};
use crate::registry::{Ask, Carried, Method, Request, shares_a_piece};

/// Tokens of one page; the registry was documented to allow 1 to 9999.
const PER_PAGE: usize = 100;
/// Pages that are read: an account has at most 1,000 granular tokens.
const PAGES: usize = 40;

/// All rows, as far as the registry tells them.
#[derive(Debug, Default)]
struct Rows {
    rows: Vec<Value>,
    /// Why the list ends early.
    cut: Option<&'static str>,
}

/// What the list of tokens says of the one that asks.
pub fn facts(door: &dyn Ask, bound: &Bound<'_>) -> TokenFacts {
    facts_of(door, bound, bound.secret)
}

/// What the list of tokens that `bound` may read says of `secret`: exactly one
/// row must fit both its first and its last characters.
pub fn facts_of(door: &dyn Ask, bound: &Bound<'_>, secret: &Secret) -> TokenFacts {
    let told = list(door, bound);
    let Some(rows) = told.value else {
        return unknown(told.certainty, &told.how);
    };
    let how = told.how.as_str();
    let own: Vec<&Value> = rows.rows.iter().filter(|row| is_row_of(row, secret)).collect();
    let mut facts = match (own[..].first(), own.len(), rows.cut) {
        (Some(row), 1, _) => of_row(row, how),
        (None, _, None) if std::ptr::eq(secret, bound.secret) => TokenFacts {
            kind: Learnt::measured(
                TokenKind::Session,
                format!("{how}: the list answers, and sessions alone are not in it"),
            ),
            ..unknown(Certainty::Unknown, &format!("{how}: no row of its own"))
        },
        (None, _, cut) => {
            let why = cut.unwrap_or("no row begins and ends as it does");
            unknown(Certainty::Unknown, &format!("{how}: {why}"))
        }
        (Some(_), _, _) => {
            unknown(Certainty::Unknown, &format!("{how}: several tokens begin and end alike"))
        }
    };
    // A registry may list a token under an id that is the token.
    let own_text = String::from_utf8_lossy(secret.expose());
    if facts.key.value.as_deref().is_some_and(|key| shares_a_piece(&own_text, key)) {
        facts.key = Learnt::unknown(format!("{how}: the id of its row is a piece of the token"));
    }
    let others = rows.rows.len().saturating_sub(own.len()) as u64;
    facts.siblings = Learnt::measured(others, how);
    facts.booby_trap = Learnt::measured(rows.rows.iter().any(is_trap), how);
    facts
}

fn unknown(certainty: Certainty, how: &str) -> TokenFacts {
    fn none<T>(certainty: Certainty, how: &str) -> Learnt<T> {
        Learnt { value: None, certainty, how: how.to_owned() }
    }
    TokenFacts {
        kind: none(certainty, how),
        key: none(certainty, how),
        name: none(certainty, how),
        permissions: none(certainty, how),
        scopes: none(certainty, how),
        cidr: none(certainty, how),
        created: none(certainty, how),
        expires: none(certainty, how),
        used: none(certainty, how),
        bypass: none(certainty, how),
        siblings: none(certainty, how),
        booby_trap: none(certainty, how),
    }
}

/// Reads page after page, as long as the links stay with the registry.
fn list(door: &dyn Ask, bound: &Bound<'_>) -> Learnt<Rows> {
    let mut rows = Rows::default();
    let mut path = format!("/-/npm/v1/tokens?page=0&perPage={PER_PAGE}");
    let mut seen = Vec::new();
    let mut how = String::new();
    loop {
        let request = bound.get(path.clone()).map(|request| Request { cap: 4 << 20, ..request });
        let page = ask(door, bound, request, |json, line| Learnt::measured(json.clone(), line));
        let Some(json) = page.value else {
            if seen.is_empty() {
                return Learnt { value: None, certainty: page.certainty, how: page.how };
            }
            rows.cut = Some("a later page could not be read");
            return Learnt::measured(rows, how);
        };
        how = page.how;
        let Some(objects) = json.get("objects").and_then(Value::as_array) else {
            if seen.is_empty() {
                return Learnt::unknown(format!("{how}: 200 with no list of tokens"));
            }
            rows.cut = Some("a later page is no list");
            return Learnt::measured(rows, how);
        };
        rows.rows.extend(objects.iter().cloned());
        seen.push(std::mem::take(&mut path));
        let next = json.pointer("/urls/next").and_then(Value::as_str).unwrap_or_default();
        if next.is_empty() {
            return Learnt::measured(rows, how);
        }
        rows.cut = match door.path_of(bound.host, next) {
            None => Some("the next page lies at another host, and is not asked for"),
            Some(next) if !next.starts_with("/-/npm/v1/tokens?") => {
                Some("the next page is no page of the list")
            }
            Some(next) if seen.contains(&next) => Some("its pages go in a circle"),
            Some(_) if seen.len() >= PAGES => Some("it has too many pages"),
            Some(next) => {
                path = next;
                continue;
            }
        };
        return Learnt::measured(rows, how);
    }
}

/// True if a masked token, `npm_aBcD...7890`, has the ends of this one. One end
/// alone proves nothing: four random characters are soon met again.
fn is_row_of(row: &Value, secret: &Secret) -> bool {
    let Some(masked) = row.get("token").and_then(Value::as_str) else { return false };
    let Some((head, tail)) = masked.split_once("...").or_else(|| masked.split_once('…')) else {
        return false;
    };
    let secret = secret.expose();
    head.len() >= 4
        && tail.len() >= 4
        && head.len() + tail.len() >= 10
        && head.len() + tail.len() < secret.len()
        && secret.starts_with(head.as_bytes())
        && secret.ends_with(tail.as_bytes())
}

fn of_row(row: &Value, how: &str) -> TokenFacts {
    let known = |field: &str| match text(row, field) {
        Some(text) => Learnt::measured(text, how),
        None => Learnt::unknown(format!("{how}: its row has no {field}")),
    };
    let time = |field: &str| match text(row, field).as_deref().and_then(seconds) {
        Some(time) => Learnt::measured(time, how),
        None => Learnt::unknown(format!("{how}: its row has no {field}")),
    };
    let names = [text(row, "name"), text(row, "description")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let permissions = pairs(row, "permissions", "name", "action");
    let bypass = row.get("bypass_2fa").and_then(Value::as_bool);
    TokenFacts {
        kind: match kind(row, permissions.as_deref(), bypass) {
            Some(kind) => Learnt::measured(kind, how),
            None => Learnt::unknown(format!("{how}: its row does not tell")),
        },
        key: known("key"),
        name: if name.is_empty() { Learnt::unknown(how) } else { Learnt::measured(name, how) },
        permissions: list_or_unknown(permissions, how, "permissions"),
        scopes: list_or_unknown(scopes(row), how, "scopes"),
        cidr: match cidr(row) {
            Some(list) => Learnt::measured(list, how),
            None => Learnt::unknown(format!("{how}: its row has no cidr")),
        },
        created: time("created"),
        expires: match row.get("expiry") {
            Some(Value::Null) => Learnt::measured(None, how),
            Some(_) => match text(row, "expiry").as_deref().and_then(seconds) {
                Some(time) => Learnt::measured(Some(time), how),
                None => Learnt::unknown(format!("{how}: its expiry cannot be read")),
            },
            None => Learnt::unknown(format!("{how}: its row has no expiry")),
        },
        used: time("accessed"),
        bypass: match bypass {
            Some(bypass) => Learnt::measured(bypass, how),
            None => Learnt::unknown(format!("{how}: its row has no bypass_2fa")),
        },
        ..TokenFacts::default()
    }
}

fn list_or_unknown(list: Option<Vec<String>>, how: &str, field: &str) -> Learnt<Vec<String>> {
    match list {
        Some(list) => Learnt::measured(list, how),
        None => Learnt::unknown(format!("{how}: its row has no {field}")),
    }
}

/// What its row makes of a token. How the list shows one that may only stage is
/// not established; `stage` in its policy or action is taken for it.
fn kind(row: &Value, permissions: Option<&[String]>, bypass: Option<bool>) -> Option<TokenKind> {
    let classic = row.get("automation").is_some() && row.get("permissions").is_none();
    if classic {
        return Some(TokenKind::Classic);
    }
    if row.get("readonly").and_then(Value::as_bool) == Some(true) {
        return Some(TokenKind::ReadOnly);
    }
    let permissions = permissions?;
    let policy = text(row, "publish_policy").unwrap_or_default();
    let has = |wanted: &str| permissions.iter().any(|it| it == wanted);
    let stages = policy.contains("stage") || permissions.iter().any(|it| it.contains("stage"));
    if stages {
        Some(TokenKind::StageOnly)
    } else if has("package: write") || has("package: read-write") {
        Some(if bypass? { TokenKind::ReadWriteBypass } else { TokenKind::ReadWrite })
    } else if has("package: read") || has("package: read-only") {
        Some(TokenKind::ReadOnly)
    } else if permissions.iter().any(|it| it.starts_with("org: ")) {
        Some(TokenKind::OrgOnly)
    } else {
        None
    }
}

/// `[{name, action}]` as `name: action`.
fn pairs(row: &Value, field: &str, first: &str, second: &str) -> Option<Vec<String>> {
    let entries = row.get(field)?.as_array()?.iter().take(200);
    let pair = |entry: &Value| Some(format!("{}: {}", text(entry, first)?, text(entry, second)?));
    Some(entries.filter_map(pair).collect())
}

/// Names of packages, `@scope`s and `org: NAME`s. A package without a name was
/// seen both for all packages and for none: it is told as `* (or none)`.
fn scopes(row: &Value) -> Option<Vec<String>> {
    let entries = row.get("scopes")?.as_array()?.iter().take(200);
    let scope = |entry: &Value| match (text(entry, "type").as_deref(), text(entry, "name")) {
        (Some("org"), Some(name)) => Some(format!("org: {name}")),
        (Some("package"), Some(name)) => Some(name),
        (Some("package"), None) => Some("* (or none)".to_owned()),
        _ => None,
    };
    Some(entries.filter_map(scope).collect())
}

/// Addresses under either of the names that were documented; empty for none.
fn cidr(row: &Value) -> Option<Vec<String>> {
    let value = row.get("cidr").or_else(|| row.get("cidr_whitelist"))?;
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => {
            let short =
                |text: &str| text.chars().filter(|c| c.is_ascii_graphic()).take(50).collect();
            Some(list.iter().take(100).filter_map(Value::as_str).map(short).collect())
        }
        _ => None,
    }
}

fn is_trap(row: &Value) -> bool {
    ["name", "description"]
        .iter()
        .any(|field| row.get(field).and_then(Value::as_str).is_some_and(hostage::is_trap))
}

/// What became of an attempt to take a token away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The registry did it.
    Yes,
    /// It wants the second factor of the account.
    SecondFactor,
    /// It did not, and why.
    No(String),
}

/// Takes the token with the id `key` away, in the name of `by`: the one call
/// that names a token by its id and never by itself, as npm's own client makes it.
pub fn revoke(
    door: &dyn Ask,
    by: &Bound<'_>,
    token: &Secret,
    key: &str,
    code: Option<&str>,
) -> Taken {
    let own = String::from_utf8_lossy(token.expose());
    if !is_key(key) || shares_a_piece(&own, key) {
        return Taken::No("the registry lists it under an id that is none".into());
    }
    let Some(mut request) = by.get(format!("/-/npm/v1/tokens/token/{key}")) else {
        return Taken::No("the token holds characters that no request can carry".into());
    };
    request.method = Method::Delete;
    if let Some(code) = code {
        request = request.with_secret("npm-otp", Carried::new(code.to_owned(), "‹code›"));
    }
    let answer = match door.ask(&request) {
        Ok(answer) => answer,
        Err(why) => return Taken::No(why.words().to_owned()),
    };
    let wants = answer.header("www-authenticate").unwrap_or_default().to_ascii_lowercase();
    match answer.status {
        200 | 204 => Taken::Yes,
        401 if wants.contains("otp") => Taken::SecondFactor,
        401 => Taken::No("401: the registry does not know who asks".into()),
        403 => Taken::No("403: this token may not take tokens away".into()),
        404 => Taken::No("404: the registry has no token of that id".into()),
        status => Taken::No(format!("{status}, which nothing explains")),
    }
}

/// A UUID, or the hex digits under which classic tokens were listed. It goes
/// into a path, and so must never be anything else.
fn is_key(key: &str) -> bool {
    (8..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}
