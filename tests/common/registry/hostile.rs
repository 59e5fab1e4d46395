//! Answers that no honest server gives.

use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use super::http::{Delivery, Reply, Seen, gzip};

/// Says who it is, one byte after the other: a minute or more for the whole.
pub fn slow() -> Reply {
    let padding = " ".repeat(2_000);
    let body = format!("{{\"username\":\"alice\"{padding}}}");
    Reply::new(200, "application/json", body).by(Delivery::Drip(Duration::from_millis(30)))
}

/// Never stops talking.
pub fn endless() -> Reply {
    let body = format!("{{\"username\":\"{}\"", "a".repeat(1 << 16));
    Reply::new(200, "application/json", body).by(Delivery::Endless)
}

/// Stops in the middle.
pub fn truncated() -> Reply {
    let body = json!({"username": "alice"}).to_string();
    Reply::new(200, "application/json", body).by(Delivery::Truncated)
}

/// Is called JSON and is none.
pub fn not_json() -> Reply {
    Reply::new(200, "application/json", "username: alice\n")
}

/// A hundred thousand times `[`.
pub fn deep() -> Reply {
    let body = format!("{{\"username\":{}", "[".repeat(100_000));
    Reply::new(200, "application/json", body)
}

/// A megabyte that becomes a gigabyte. The parts are packed alone and stand
/// one behind the other, which is a whole file of that format.
pub fn gzip_bomb() -> Reply {
    let part = gzip(&vec![b' '; 16 << 20]);
    Reply::new(200, "application/json", part.repeat(64)).with("content-encoding", "gzip")
}

/// Is called packed and is not.
pub fn false_gzip() -> Reply {
    Reply::json(200, &json!({"username": "alice"})).with("content-encoding", "gzip")
}

/// Sends the client somewhere.
pub fn redirect(to: &str) -> Reply {
    Reply::empty(302).with("location", to)
}

/// Headers and names that would move a terminal's cursor.
pub fn controls() -> Reply {
    Reply::json(200, &json!({"username": "ali\u{1b}[2Jce\r\n::error::"}))
        .with("npm-notice", b"\x85\x9b31m loud \xff".to_vec())
}

/// A header that is against the rules of HTTP.
pub fn broken_header() -> Reply {
    Reply::json(200, &json!({"username": "alice"})).with("x-note", b"\x1b[31mred\x00".to_vec())
}

/// Ten thousand headers.
pub fn many_headers() -> Reply {
    let reply = Reply::json(200, &json!({"username": "alice"}));
    (0..10_000).fold(reply, |reply, n| reply.with(&format!("x-{n}"), "y".repeat(100)))
}

/// Gives the token back, in all forms and in all places, so that it gets into
/// whatever is made of the answer.
pub fn mirror(status: u16) -> impl Fn(&Seen) -> Reply {
    move |seen| {
        let token = seen.bearer().unwrap_or_default();
        let base64 = base64::engine::general_purpose::STANDARD.encode(token);
        let percent: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let text = format!("{token} {base64} {percent}");
        let body = json!({
            "username": token, "name": token, "error": text, "message": text, "email": text,
            "objects": [{"token": token, "key": token, "name": token}], "items": [text],
            "urls": {"next": format!("/-/npm/v1/tokens?page=1&token={token}")},
        });
        Reply::json(status, &body)
            .with("npm-notice", text.clone())
            .with("www-authenticate", format!("Bearer realm=\"{token}\""))
            .with("location", format!("/-/whoami?token={token}"))
            .with("x-echo", base64)
    }
}

/// Every answer that a client must survive, with its name.
pub fn all() -> Vec<(&'static str, Reply)> {
    vec![
        ("endless", endless()),
        ("truncated", truncated()),
        ("not json", not_json()),
        ("deep", deep()),
        ("gzip bomb", gzip_bomb()),
        ("false gzip", false_gzip()),
        ("redirect to itself", redirect("/-/whoami")),
        ("controls", controls()),
        ("broken header", broken_header()),
        ("many headers", many_headers()),
        ("closed", Reply::empty(200).by(Delivery::Close)),
        ("no body", Reply::empty(200)),
    ]
}
