//! What must hold for everything that was asked, whatever was answered.

use base64::Engine as _;

use super::Seen;

/// Paths that everybody may read, and that no token goes to.
const PUBLIC: &[&str] =
    &["/-/v1/search", "/downloads/", "/versions/", "/-/npm/v1/attestations/", "/-/npm/v1/keys"];

/// Where nobody may go who only wants to know something.
const NEVER: &[&str] = &["/-/v1/login", "/-/v1/auth/", "/-/v1/done/", "/-/user/token/"];

/// Asserts that these requests only read, tell no token but in the header that
/// is meant for it, and say honestly who asks.
#[track_caller]
pub fn assert_polite(seen: &[Seen], tokens: &[&str]) {
    for request in seen {
        let line = format!("{} {}", request.method, request.target);
        assert_eq!(request.method, "GET", "{line}");
        assert!(request.body.is_empty(), "{line} has a body");
        assert!(request.header("npm-otp").is_none(), "{line} has a second factor");
        assert!(!NEVER.iter().any(|path| request.path().starts_with(path)), "{line}");
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("tokensweep/"), "{line} comes from {agent:?}");
        if PUBLIC.iter().any(|path| request.path().starts_with(path)) {
            assert!(request.header("authorization").is_none(), "{line} has a token with it");
        }
        for token in tokens {
            assert_keeps(&line, token);
            for (name, value) in request.headers.iter().filter(|(name, _)| name != "authorization")
            {
                assert_keeps(&format!("{line}, header {name}: {value}"), token);
            }
        }
    }
}

/// So many characters of a token that follow each other are more than a mask
/// shows, in any form.
const TELLING: usize = 10;

/// Asserts that a text does not tell a token: not as it is, not in another
/// form, and not more of it than its first 8 and last 4.
#[track_caller]
pub fn assert_keeps(text: &str, token: &str) {
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let percent: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let body = &token[8..token.len() - 4];
    let forms = [
        (body.to_owned(), TELLING),
        (engine.encode(token), 2 * TELLING),
        (engine.encode(format!(":{token}")), 2 * TELLING),
        (engine.encode(format!("::{token}")), 2 * TELLING),
        (percent.to_lowercase(), 6 * TELLING),
        (percent, 6 * TELLING),
    ];
    for (form, telling) in forms {
        for part in form.as_bytes().windows(telling.min(form.len())) {
            let part = std::str::from_utf8(part).expect("all forms are ASCII");
            assert!(!text.contains(part), "{part} of a token is told:\n{text}");
        }
    }
}
