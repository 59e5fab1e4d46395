//! The endpoints that want a token.

use serde_json::{Map, Value, json};

use super::http::{Reply, Seen};
use super::packages::Package;
use super::people::{Account, Kind, Token};
use super::verdict::{admitted, challenge, dead, forbidden};
use super::world::{Answer, Next, World, error};

/// `/-/…` of npm's registry.
pub fn answer(world: &mut World, seen: &Seen, parts: &[&str]) -> Reply {
    let token = match admitted(world, seen) {
        Ok(token) => token,
        Err(reply) => return reply,
    };
    if seen.method == "DELETE" {
        return match parts {
            ["npm", "v1", "tokens", "token", key] => revoke(world, &token, key),
            _ => error(405, "not here"),
        };
    }
    if seen.method != "GET" {
        return error(405, "this registry is only read");
    }
    match parts {
        ["whoami"] if token.kind == Kind::NoWhoami => dead(),
        ["whoami"] => Reply::json(200, &json!({"username": token.user})),
        ["npm", "v1", "user"] if token.kind.is_session() => {
            Reply::json(200, &world.accounts[&token.user].profile())
        }
        ["npm", "v1", "user"] => forbidden(),
        ["npm", "v1", "tokens"] => match token.kind {
            Kind::Session | Kind::BypassBefore => token_page(world, seen, &token.user),
            Kind::SessionOtp => challenge(),
            _ => forbidden(),
        },
        ["stage"] => staged(world, seen),
        // Whoever asks is asked for a second factor, reading or not.
        ["package", _, "trust"] => challenge(),
        [] | ["npm" | "v1", ..] => error(404, "Not found"),
        _ if !token.kind.is_session() => forbidden(),
        rest => reach(world, rest),
    }
}

/// A page of the account's tokens; sessions are not in it.
fn token_page(world: &World, seen: &Seen, user: &str) -> Reply {
    let mine = world.tokens.values().filter(|token| token.user == user && !token.kind.is_session());
    let rows: Vec<Value> = mine.map(Token::row).chain(world.more_rows.iter().cloned()).collect();
    let size = seen.number("perPage", 10).clamp(1, world.page);
    let page = seen.number("page", 0);
    let shown: Vec<&Value> = rows.iter().skip(page.saturating_mul(size)).take(size).collect();
    let path = |page: usize| format!("/-/npm/v1/tokens?page={page}&perPage={size}");
    let mut urls = Map::new();
    let more = (page + 1) * size < rows.len();
    match &world.next {
        Next::Fixed(address) => drop(urls.insert("next".into(), json!(address))),
        Next::Path if more => drop(urls.insert("next".into(), json!(path(page + 1)))),
        Next::Below(base) if more => {
            urls.insert("next".into(), json!(format!("{base}{}", path(page + 1))));
        }
        Next::Path | Next::Below(_) => {}
    }
    if page > 0 {
        urls.insert("prev".into(), json!(path(page - 1)));
    }
    Reply::json(200, &json!({"objects": shown, "total": rows.len(), "urls": urls}))
}

fn revoke(world: &mut World, token: &Token, key: &str) -> Reply {
    match token.kind {
        Kind::Session | Kind::BypassBefore => {}
        Kind::SessionOtp => return challenge(),
        _ => return forbidden(),
    }
    let named =
        |other: &&Token| other.user == token.user && (other.key == key || other.secret == key);
    let Some(secret) = world.tokens.values().find(named).map(|other| other.secret.clone()) else {
        return error(404, "not found");
    };
    if !world.cached {
        world.tokens.remove(&secret);
    }
    Reply::empty(204)
}

fn staged(world: &World, seen: &Seen) -> Reply {
    let (page, size) = (seen.number("page", 0), seen.number("perPage", 10).clamp(1, 100));
    let items: Vec<&Value> =
        world.staged.iter().skip(page.saturating_mul(size)).take(size).collect();
    let body = json!({
        "items": items, "page": page, "perPage": size, "total": world.staged.len(),
    });
    Reply::json(200, &body)
}

/// What an account can reach.
fn reach(world: &World, parts: &[&str]) -> Reply {
    let found = match parts {
        ["user", user, "package"] => world.accounts.get(*user).map(|user| packages_of(world, user)),
        ["org", org, "package"] | ["team", org, _, "package"] => {
            in_org(world, org, |_, packages| {
                packages.map(|package| (package.name.clone(), json!("write"))).collect()
            })
        }
        ["org", org, "user"] => in_org(world, org, |members, _| {
            members.map(|(user, role)| (user.to_owned(), json!(role))).collect()
        }),
        ["org", org, "team"] => {
            in_org(world, org, |_, _| Value::Null).map(|_| json!([format!("@{org}:developers")]))
        }
        ["org" | "team", org, _, "user"] => {
            in_org(world, org, |members, _| members.map(|(user, _)| json!(user)).collect())
        }
        ["package", name, "collaborators"] => world.packages.get(*name).map(|package| {
            let one = |user: &String| (user.clone(), json!("write"));
            package.maintainers.iter().map(one).collect::<Map<_, _>>().into()
        }),
        ["package", name, "visibility"] => {
            world.packages.get(*name).map(|package| json!({"public": !package.private}))
        }
        _ => None,
    };
    found.map_or_else(|| error(404, "Not found"), |body| Reply::json(200, &body))
}

fn packages_of(world: &World, account: &Account) -> Value {
    let org = |package: &Package| {
        account.orgs.iter().any(|org| package.name.starts_with(&format!("@{}/", org.name)))
    };
    let reached =
        world.packages.values().filter(|it| it.maintainers.contains(&account.user) || org(it));
    reached.map(|package| (package.name.clone(), json!("write"))).collect::<Map<_, _>>().into()
}

/// Members of an organisation, with their roles.
type Members<'a> = dyn Iterator<Item = (&'a str, &'a str)> + 'a;
type Packages<'a> = dyn Iterator<Item = &'a Package> + 'a;

/// Something about an organisation that has a member; nothing of others.
fn in_org(
    world: &World,
    org: &str,
    tell: impl Fn(&mut Members<'_>, &mut Packages<'_>) -> Value,
) -> Option<Value> {
    let role = |account: &Account| {
        let org = account.orgs.iter().find(|it| it.name == org)?;
        Some((account.user.clone(), org.role.clone()))
    };
    let members: Vec<(String, String)> = world.accounts.values().filter_map(role).collect();
    let prefix = format!("@{org}/");
    let mut packages = world.packages.values().filter(|package| package.name.starts_with(&prefix));
    let mut named = members.iter().map(|(user, role)| (user.as_str(), role.as_str()));
    (!members.is_empty()).then(|| tell(&mut named, &mut packages))
}

/// The document of a package. npm's registry hides what is private as if it
/// were not there; Verdaccio says that it is forbidden.
pub fn packument(world: &mut World, seen: &Seen, name: &str, verdaccio: bool) -> Answer {
    let missing = || Answer::Ready(error(404, "Not found"));
    let Some(package) = world.packages.get(name).cloned() else { return missing() };
    if package.private {
        let known = seen.bearer().is_some_and(|secret| world.tokens.contains_key(secret));
        match admitted(world, seen) {
            Ok(token) if token.kind != Kind::OrgOnly && reads(world, &token, &package) => {}
            Ok(_) | Err(_) if verdaccio => {
                let status = if known { 403 } else { 401 };
                return Answer::Ready(error(status, "authorization required to access package"));
            }
            Err(reply) if known => return Answer::Ready(reply),
            Ok(_) | Err(_) => return missing(),
        }
    }
    Answer::Document(Box::new(package))
}

fn reads(world: &World, token: &Token, package: &Package) -> bool {
    let Some(account) = world.accounts.get(&token.user) else { return false };
    let reached = packages_of(world, account);
    token.covers(&package.name) && reached.get(&package.name).is_some()
}

/// `/-/…` of Verdaccio, which answers whoami to everybody.
pub fn verdaccio(world: &World, seen: &Seen, parts: &[&str]) -> Reply {
    let user = seen.bearer().and_then(|secret| world.tokens.get(secret)).map(|it| it.user.clone());
    match (parts, user) {
        (["whoami"], Some(user)) => Reply::json(200, &json!({"username": user})),
        (["whoami"], None) => Reply::json(200, &json!({})),
        (["npm", "v1", "user"], Some(user)) => {
            let mut profile = Account::new(&user).profile();
            (profile["tfa"], profile["email"]) = (json!(false), json!(""));
            Reply::json(200, &profile)
        }
        (["npm", "v1", "tokens"], Some(_)) => {
            Reply::json(200, &json!({"objects": [], "urls": {"next": ""}}))
        }
        (["npm", "v1", "user" | "tokens"], None) => {
            error(401, "authorization required").with("www-authenticate", "Basic, Bearer")
        }
        _ => error(404, "File not found"),
    }
}
