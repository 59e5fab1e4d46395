//! The list of an account's tokens, and the row of the one that asks.

use super::account::seconds;
use super::identity::Bound;
use super::rows::{self, Entry, Field, Fit, Row, Rows};
use crate::model::Secret;
use crate::model::radius::{Certainty, Learnt, TokenFacts, TokenKind};
use crate::registry::{Ask, Carried, Method, shares_a_piece};

/// What the list of tokens says of the one that asks.
pub fn facts(door: &dyn Ask, bound: &Bound<'_>) -> TokenFacts {
    facts_of(door, bound, bound.secret)
}

/// What the list of tokens that `bound` may read says of `secret`: exactly one
/// row must fit both its first and its last characters. Of a list that was not
/// read to its end nothing is told: a second such row, or the trap of a worm, may
/// stand where nobody looked.
pub fn facts_of(door: &dyn Ask, bound: &Bound<'_>, secret: &Secret) -> TokenFacts {
    let told = rows::list(door, bound, secret);
    let Some(rows) = told.value else {
        return unknown(told.certainty, &told.how);
    };
    let how = told.how.as_str();
    if let Some(why) = rows.cut {
        let why = format!("{how}: the list of tokens could not be read to its end: {why}");
        let mut facts = unknown(Certainty::Unknown, &why);
        if rows.trap {
            facts.booby_trap = Learnt::measured(true, how);
        }
        return facts;
    }
    let mut facts = own_facts(&rows, how, std::ptr::eq(secret, bound.secret));
    // A registry may list a token under an id that is the token.
    let own_text = String::from_utf8_lossy(secret.expose());
    if facts.key.value.as_deref().is_some_and(|key| shares_a_piece(&own_text, key)) {
        facts.key = Learnt::unknown(format!("{how}: the id of its row is a piece of the token"));
    }
    facts.siblings = match rows.fitting.len() {
        0 => Learnt::measured(rows.count, how),
        1 => Learnt::measured(rows.count.saturating_sub(1), how),
        _ => Learnt::unknown(format!("{how}: which row is its own is not known")),
    };
    facts.booby_trap = Learnt::measured(rows.trap, how);
    facts
}

/// What its row says, if there is one that is its own beyond doubt.
fn own_facts(rows: &Rows, how: &str, asks_itself: bool) -> TokenFacts {
    let why = match &rows.fitting[..] {
        [(Fit::Yes, row)] => return of_row(row, how),
        [] if rows.dead_fits => "only a revoked or expired token begins and ends as it does",
        [] if asks_itself => {
            return TokenFacts {
                kind: Learnt::measured(
                    TokenKind::Session,
                    format!("{how}: the list answers, and sessions alone are not in it"),
                ),
                ..unknown(Certainty::Unknown, &format!("{how}: no row of its own"))
            };
        }
        [] => "no row begins and ends as it does",
        [_] => "one row may be its own, and shows too little of it",
        _ => "several rows may be its own",
    };
    unknown(Certainty::Unknown, &format!("{how}: {why}"))
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

fn of_row(row: &Row, how: &str) -> TokenFacts {
    let known = |field: &str| match row.text(field) {
        Some(text) => Learnt::measured(text, how),
        None => Learnt::unknown(format!("{how}: its row has no {field}")),
    };
    let time = |field: &str| match row.text(field).as_deref().and_then(seconds) {
        Some(time) => Learnt::measured(time, how),
        None => Learnt::unknown(format!("{how}: its row has no {field}")),
    };
    let names = [row.text("name"), row.text("description")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(": ");
    let permissions = permissions(row);
    let bypass = row.flag("bypass_2fa");
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
            Some(Field::Null) => Learnt::measured(None, how),
            Some(_) => match row.text("expiry").as_deref().and_then(seconds) {
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
fn kind(row: &Row, permissions: Option<&[String]>, bypass: Option<bool>) -> Option<TokenKind> {
    let classic = row.get("automation").is_some() && row.get("permissions").is_none();
    if classic {
        return Some(TokenKind::Classic);
    }
    if row.flag("readonly") == Some(true) {
        return Some(TokenKind::ReadOnly);
    }
    let permissions = permissions?;
    let policy = row.text("publish_policy").unwrap_or_default();
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
fn permissions(row: &Row) -> Option<Vec<String>> {
    let pair =
        |entry: &Entry| Some(format!("{}: {}", entry.name.as_ref()?, entry.action.as_ref()?));
    Some(row.list("permissions")?.iter().filter_map(pair).collect())
}

/// Names of packages, `@scope`s and `org: NAME`s. A package without a name was
/// seen both for all packages and for none: it is told as `* (or none)`.
fn scopes(row: &Row) -> Option<Vec<String>> {
    let scope = |entry: &Entry| match (entry.of.as_deref(), &entry.name) {
        (Some("org"), Some(name)) => Some(format!("org: {name}")),
        (Some("package"), Some(name)) => Some(name.clone()),
        (Some("package"), None) => Some("* (or none)".to_owned()),
        _ => None,
    };
    Some(row.list("scopes")?.iter().filter_map(scope).collect())
}

/// Addresses under either of the names that were documented; empty for none.
fn cidr(row: &Row) -> Option<Vec<String>> {
    let short = |text: &String| text.chars().filter(|c| c.is_ascii_graphic()).take(50).collect();
    match row.get("cidr").or_else(|| row.get("cidr_whitelist"))? {
        Field::Null => Some(Vec::new()),
        Field::List(list) => {
            let texts = list.iter().filter_map(|entry| entry.text.as_ref());
            Some(texts.take(100).map(short).collect())
        }
        _ => None,
    }
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
