//! Which repositories a GitHub token can write.

use serde_json::Value;

use super::npm::names::escaped;
use super::{Ask, Carried, Request};
use crate::model::Secret;
use crate::model::radius::Learnt;

/// The host of GitHub's API.
pub const HOST: &str = "api.github.com";

/// Whether a token can push to a repository: one read of it, which
/// tells the rights of whoever asks (`permissions.push` of GitHub's REST API).
pub fn writes(door: &dyn Ask, secret: &Secret, owner: &str, name: &str) -> Learnt<bool> {
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
