//! What a token is told before its question is heard.

use serde_json::json;

use super::http::{Delivery, Reply, Seen};
use super::people::{Kind, Token};
use super::world::{World, error};

/// The token of a request, if it may ask at all.
///
/// # Errors
/// What it is told instead.
pub fn admitted(world: &mut World, seen: &Seen) -> Result<Token, Reply> {
    let token = seen.bearer().and_then(|secret| world.tokens.get_mut(secret)).ok_or_else(dead)?;
    token.asked += 1;
    match token.kind {
        Kind::CidrChallenged => {
            Err(error(401, "Unable to authenticate").with("www-authenticate", "ipaddress"))
        }
        Kind::CidrForbidden => Err(error(403, "You may not do this from your address")),
        Kind::Limited(times) if token.asked <= times => {
            Err(Reply::html(429, "Too many requests").with("retry-after", "0"))
        }
        Kind::Outage if token.asked == 1 => Err(Reply::html(503, "Service unavailable")),
        Kind::Outage => Err(Reply::empty(503).by(Delivery::Hang)),
        _ => Ok(token.clone()),
    }
}

/// What the registry says to those whom it does not know.
pub fn dead() -> Reply {
    Reply::empty(401).with("www-authenticate", "Basic, Bearer")
}

pub fn forbidden() -> Reply {
    error(403, "You may not perform that action with these credentials")
}

/// Wants a second factor. Nobody must go where the body points to: that is
/// where a person logs in, and the owner gets a mail.
pub fn challenge() -> Reply {
    let body = json!({"authUrl": "/-/v1/auth/cli/1", "doneUrl": "/-/v1/done/1"});
    Reply::json(401, &body)
        .with("www-authenticate", "OTP")
        .with("npm-notice", "Open the address in your browser")
}
