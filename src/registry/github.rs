//! Which repositories a GitHub token can write.

use serde_json::Value;

use super::npm::names::escaped;
use super::{Ask, Carried, Request};
use crate::model::Secret;
use crate::model::radius::Learnt;

/// The host of GitHub's API.
pub const HOST: &str = "api.github.com";

/// True for a host at which GitHub sees whether its tokens are alive: its own and
/// those of its customers, with or without a port.
pub fn is_host(host: &str) -> bool {
    const NAMES: [&str; 4] = ["github.com", "githubusercontent.com", "ghcr.io", "ghe.com"];
    let host = host.split(':').next().unwrap_or(host).trim_end_matches('.').to_ascii_lowercase();
    NAMES.iter().any(|name| {
        host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// True if `text` holds what has the form of a GitHub token, whatever it was taken
/// for: a prefix of GitHub's, or as many hex digits as its older ones had.
pub fn is_token(text: &str) -> bool {
    const STARTS: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];
    let old = |word: &str| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
    STARTS.iter().any(|start| text.contains(start)) || text.split_whitespace().any(old)
}

/// Whether a token can push to a repository: one read of it, which
/// tells the rights of whoever asks (`permissions.push` of GitHub's REST API).
pub fn writes(door: &dyn Ask, secret: &Secret, owner: &str, name: &str) -> Learnt<bool> {
    let path = format!("/repos/{}/{}", escaped(owner), escaped(name));
    let how = format!("GET {HOST}{path}");
    let Some(token) = std::str::from_utf8(secret.expose()).ok() else {
        return Learnt::unknown("the token holds characters that no request can carry");
    };
    let carried = Carried::new(format!("Bearer {token}"), format!("Bearer {}", secret.masked()));
    let request = Request::get(HOST, path).of(HOST).with_secret("authorization", carried);
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
    fn what_is_githubs_is_known_by_its_name_and_its_form() {
        for host in
            ["github.com", "API.github.com", "npm.pkg.github.com:443", "x.ghe.com", "ghcr.io."]
        {
            assert!(is_host(host), "{host}");
        }
        for host in ["notgithub.com", "github.com.evil.example", "gitlab.com", ""] {
            assert!(!is_host(host), "{host}");
        }
        assert!(is_token(&["Bearer ", "ghp", "_x"].concat()));
        assert!(is_token(&"0123456789abcdef".repeat(3)[..40]));
        assert!(!is_token(&"0123456789abcdef".repeat(3)));
        assert!(!is_token("npm_x"));
    }
}
