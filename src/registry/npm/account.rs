//! What a token may read of its own account. Each question may be refused,
//! which is told as what it is.

use std::collections::BTreeMap;

use serde::de::MapAccess;
use serde_json::Value;

use super::identity::Bound;
use super::lenient::{Lenient, value, whole};
use super::names::{escaped, is_package_name, is_version};
use crate::model::radius::{Account, Learnt, PackageRight, SecondFactor, StagedRelease};
use crate::registry::{Answer, Ask, Request};

/// Most bytes of a list of packages.
const LIST: usize = 16 << 20;
/// Most packages of a list that are kept.
const MANY: usize = 100_000;

/// The answer to a question that carries the token, or why there is none. `read`
/// gets a 200, and `None` from it means that the body could not be read.
pub(super) fn ask<T>(
    ask: &dyn Ask,
    bound: &Bound<'_>,
    request: Option<Request>,
    read: impl FnOnce(&Answer, &str) -> Option<Learnt<T>>,
) -> Learnt<T> {
    let Some(request) = request else {
        return Learnt::unknown("the token holds characters that no request can carry");
    };
    let line = short(&request, bound);
    match ask.ask(&request) {
        Ok(answer) => judge(&answer, &line, read),
        Err(why) => Learnt::unknown(format!("{line}: {}", why.words())),
    }
}

/// `GET /-/whoami`, with the host only if it is not npm's own.
fn short(request: &Request, bound: &Bound<'_>) -> String {
    let path = request.path.split('?').next().unwrap_or(&request.path);
    match crate::model::is_npm_registry(bound.host) {
        true => format!("{} {path}", request.method.word()),
        false => format!("{} {}{path}", request.method.word(), bound.host),
    }
}

fn judge<T>(
    answer: &Answer,
    line: &str,
    read: impl FnOnce(&Answer, &str) -> Option<Learnt<T>>,
) -> Learnt<T> {
    let wants = answer.header("www-authenticate").unwrap_or_default().to_ascii_lowercase();
    match answer.status {
        200 => read(answer, line).unwrap_or_else(|| {
            Learnt::unknown(format!("{line}: 200 with no JSON that could be read"))
        }),
        401 if wants.contains("otp") => Learnt::refused(format!("{line}: wants a second factor")),
        status @ (401 | 403) => Learnt::refused(format!("{line}: {status}")),
        // npm hides what one may not see as 404.
        404 => Learnt::refused(format!("{line}: 404, not there or not to be seen")),
        status => Learnt::unknown(format!("{line}: {status}")),
    }
}

/// The profile: everything of the account but its user name, and whether the
/// registry told it, which it does to sessions alone.
pub fn profile(door: &dyn Ask, bound: &Bound<'_>) -> (Account, bool) {
    let told = ask(door, bound, bound.get("/-/npm/v1/user"), |answer, line| {
        Some(Learnt::measured(answer.json()?, line))
    });
    let Some(json) = told.value else {
        return (
            Account {
                user: Learnt::default(),
                email: same(&told),
                email_verified: same(&told),
                second_factor: same(&told),
                created: same(&told),
            },
            false,
        );
    };
    let how = told.how.as_str();
    let account = Account {
        user: text(&json, "name").map_or_else(Learnt::default, |name| Learnt::measured(name, how)),
        email: text(&json, "email")
            .map_or_else(|| Learnt::unknown(how), |mail| Learnt::measured(masked_mail(&mail), how)),
        email_verified: json
            .get("email_verified")
            .and_then(Value::as_bool)
            .map_or_else(|| Learnt::unknown(how), |yes| Learnt::measured(yes, how)),
        second_factor: second_factor(json.get("tfa"))
            .map_or_else(|| Learnt::unknown(how), |mode| Learnt::measured(mode, how)),
        created: text(&json, "created")
            .and_then(|text| seconds(&text))
            .map_or_else(|| Learnt::unknown(how), |time| Learnt::measured(time, how)),
    };
    (account, true)
}

/// The same refusal for a field of another kind.
fn same<T, U>(told: &Learnt<T>) -> Learnt<U> {
    Learnt { value: None, certainty: told.certainty, how: told.how.clone() }
}

fn second_factor(tfa: Option<&Value>) -> Option<SecondFactor> {
    match tfa? {
        Value::Null | Value::Bool(false) => Some(SecondFactor::None),
        Value::Object(tfa) if tfa.get("pending") == Some(&Value::Bool(true)) => {
            Some(SecondFactor::Pending)
        }
        Value::Object(tfa) => match tfa.get("mode")?.as_str()? {
            "auth-only" => Some(SecondFactor::AuthOnly),
            "auth-and-writes" => Some(SecondFactor::AuthAndWrites),
            _ => None,
        },
        _ => None,
    }
}

/// The packages that a user reaches, private ones among them, and how.
pub fn user_packages(
    door: &dyn Ask,
    bound: &Bound<'_>,
    user: &str,
) -> Learnt<BTreeMap<String, PackageRight>> {
    packages(door, bound, format!("/-/user/{}/package", escaped(user)))
}

/// The packages of an organisation, and what its members may do to them.
pub fn org_packages(
    door: &dyn Ask,
    bound: &Bound<'_>,
    org: &str,
) -> Learnt<BTreeMap<String, PackageRight>> {
    let org = org.strip_prefix('@').unwrap_or(org);
    packages(door, bound, format!("/-/org/{}/package", escaped(org)))
}

fn packages(
    door: &dyn Ask,
    bound: &Bound<'_>,
    path: String,
) -> Learnt<BTreeMap<String, PackageRight>> {
    let request = bound.get(path).map(|request| Request { cap: LIST, ..request });
    ask(door, bound, request, |answer, line| {
        let list = whole::<Rights>(answer)?;
        Some(match list.is_object {
            true => Learnt::measured(list.rights, line),
            false => Learnt::unknown(format!("{line}: 200 with no list of packages")),
        })
    })
}

/// The releases that wait for approval: the first hundred of them.
pub fn staged(door: &dyn Ask, bound: &Bound<'_>) -> Learnt<Vec<StagedRelease>> {
    ask(door, bound, bound.get("/-/stage?page=0&perPage=100"), |answer, line| {
        let json = answer.json()?;
        let Some(items) = json.get("items").and_then(Value::as_array) else {
            return Some(Learnt::unknown(format!("{line}: 200 with no list of releases")));
        };
        let release = |item: &Value| {
            let package = text(item, "packageName").filter(|name| is_package_name(name))?;
            let version = text(item, "version").filter(|version| is_version(version))?;
            let time = text(item, "createdAt").as_deref().and_then(seconds);
            Some(StagedRelease { package, version, time, actor: text(item, "actor") })
        };
        let mut releases: Vec<StagedRelease> = items.iter().take(100).filter_map(release).collect();
        releases.sort();
        Some(Learnt::measured(releases, line))
    })
}

/// `{"package": "write"}`.
#[derive(Default)]
struct Rights {
    is_object: bool,
    rights: BTreeMap<String, PackageRight>,
}

impl Lenient for Rights {
    fn object(&mut self) {
        self.is_object = true;
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        let right = match value::<Option<String>, _>(map)?.as_deref() {
            Some("read" | "read-only") => PackageRight::Read,
            Some("write" | "read-write") => PackageRight::Publish,
            _ => return Ok(()),
        };
        if self.rights.len() < MANY && is_package_name(&name) {
            self.rights.insert(name, right);
        }
        Ok(())
    }
}

/// Whether the token may read a package, by asking for it: 200, or 404.
pub fn reads(door: &dyn Ask, bound: &Bound<'_>, package: &str) -> Learnt<bool> {
    let request = bound.get(format!("/{}", escaped(package)));
    let told = ask(door, bound, request.map(|it| Request { cap: LIST, ..it }), |answer, line| {
        whole::<()>(answer).map(|()| Learnt::measured(true, line))
    });
    match told.certainty {
        crate::model::radius::Certainty::Refused if told.how.contains("404") => {
            Learnt::measured(false, told.how)
        }
        _ => told,
    }
}

/// A short text of a field, without what steers terminals.
pub(super) fn text(json: &Value, field: &str) -> Option<String> {
    let text = json.get(field)?.as_str()?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    (!text.is_empty()).then_some(text)
}

/// Seconds since 1970 of an ISO 8601 time.
pub(super) fn seconds(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// `a…@example.com`. Only what can be a host is told: a server may put whatever it
/// likes behind the `@`, the token among it.
fn masked_mail(mail: &str) -> String {
    match mail.rsplit_once('@') {
        Some((name, host)) if is_mail_host(host) => {
            let first: String = name.chars().take(1).collect();
            format!("{first}…@{host}")
        }
        _ => "…".into(),
    }
}

/// Longest host of an address that is told, and longest part of one.
const HOST: usize = 64;
const LABEL: usize = 63;

fn is_mail_host(host: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_label = |part: &str| (1..=LABEL).contains(&part.len()) && part.bytes().all(fits);
    host.len() <= HOST && host.contains('.') && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn second_factors() {
        let mode = |tfa: Value| second_factor(Some(&tfa));
        assert_eq!(mode(json!(null)), Some(SecondFactor::None));
        assert_eq!(mode(json!(false)), Some(SecondFactor::None));
        assert_eq!(
            mode(json!({"mode": "auth-only", "pending": false})),
            Some(SecondFactor::AuthOnly)
        );
        assert_eq!(
            mode(json!({"mode": "auth-and-writes", "pending": true})),
            Some(SecondFactor::Pending)
        );
        assert_eq!(mode(json!({"mode": "else"})), None);
        assert_eq!(mode(json!("yes")), None);
        assert_eq!(second_factor(None), None);
    }

    #[test]
    fn mail_addresses_are_masked() {
        assert_eq!(masked_mail("alice@example.com"), "a…@example.com");
        let long = format!("alice@{}.example", "a".repeat(60));
        for odd in ["alice", "alice@localhost", "alice@a b.example", "a@x..y", "a@npm_x.y", &long] {
            assert_eq!(masked_mail(odd), "…", "{odd}");
        }
    }
}
