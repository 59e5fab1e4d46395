//! Which repositories a GitHub token can write.

use serde_json::Value;

use super::npm::names::escaped;
use super::{Ask, Carried, Request};
use crate::model::Secret;
use crate::model::radius::Learnt;

/// The host of GitHub's API.
pub const HOST: &str = "api.github.com";

/// `OWNER/NAME` of a repository's address, if it lies at GitHub.
pub fn repository(address: &str) -> Option<&str> {
    let path = address.strip_prefix("https://github.com/")?;
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    let (owner, name) = path.split_once('/')?;
    let fits = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        (1..=100).contains(&part.len()) && part.bytes().all(plain) && !part.starts_with('.')
    };
    (fits(owner) && fits(name)).then_some(path)
}

/// Whether a token can push to `OWNER/NAME`: one read of the repository, which
/// tells the rights of whoever asks (`permissions.push` of GitHub's REST API).
pub fn writes(door: &dyn Ask, secret: &Secret, repository: &str) -> Learnt<bool> {
    let Some((owner, name)) = repository.split_once('/') else {
        return Learnt::unknown("no name of a repository");
    };
    let path = format!("/repos/{}/{}", escaped(owner), escaped(name));
    let how = format!("GET {HOST}{path}");
    let Some(token) = std::str::from_utf8(secret.expose()).ok() else {
        return Learnt::unknown("the token holds characters that no request can carry");
    };
    let carried = Carried::new(format!("Bearer {token}"), format!("Bearer {}", secret.masked()));
    let request = Request::get(HOST, path).with_secret("authorization", carried);
    match door.ask(&request) {
        Ok(answer) if answer.status == 200 => {
            let json = answer.json().unwrap_or(Value::Null);
            match json.pointer("/permissions/push").and_then(Value::as_bool) {
                Some(push) => Learnt::measured(push, how),
                None => Learnt::unknown(format!("{how}: 200 without permissions")),
            }
        }
        // GitHub hides what one may not see.
        Ok(answer) if answer.status == 404 => Learnt::measured(false, format!("{how}: 404")),
        Ok(answer) => Learnt::unknown(format!("{how}: {}", answer.status)),
        Err(why) => Learnt::unknown(format!("{how}: {}", why.words())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_by_their_address() {
        for (address, name) in [
            ("https://github.com/o/r", Some("o/r")),
            ("https://github.com/o/r.git", Some("o/r")),
            ("https://github.com/o/r.js/", Some("o/r.js")),
            ("https://github.com/o", None),
            ("https://github.com/o/r/tree/main", None),
            ("https://github.com/o/..", None),
            ("https://evil.example/o/r", None),
            ("https://github.com/o/r?x", None),
        ] {
            assert_eq!(repository(address), name, "{address}");
        }
    }
}
