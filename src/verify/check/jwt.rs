//! JSON web tokens (RFC 7519).

use serde_json::{Map, Value};

use super::{CheckResult, base64};

/// Three base64url parts, of which the first two are JSON objects and the
/// first names an algorithm. What stands before `eyJ` is an issuer's prefix.
pub fn any(secret: &[u8]) -> CheckResult {
    claims(secret).map_or(CheckResult::structure(false), |claims| result(&claims))
}

/// A service account's token: its claims name `kubernetes.io`.
///
/// Source: Kubernetes docs, "Managing service accounts"; the older kind, kept
/// in Secret objects, has claims such as `kubernetes.io/serviceaccount/name`.
pub fn kubernetes(secret: &[u8]) -> CheckResult {
    match claims(secret) {
        Some(claims) if claims.keys().any(|key| key.starts_with("kubernetes.io")) => {
            result(&claims)
        }
        _ => CheckResult::structure(false),
    }
}

/// A legacy API key of Supabase that passes every row-level policy.
///
/// Source: Supabase docs, "Understanding API keys".
pub fn supabase_service(secret: &[u8]) -> CheckResult {
    match claims(secret) {
        Some(claims)
            if text(&claims, "role") == Some("service_role")
                && text(&claims, "iss") == Some("supabase") =>
        {
            result(&claims)
        }
        _ => CheckResult::structure(false),
    }
}

fn claims(secret: &[u8]) -> Option<Map<String, Value>> {
    let start = secret.windows(3).position(|three| three == b"eyJ")?;
    let mut parts = secret[start..].split(|&b| b == b'.');
    let header = object(parts.next()?)?;
    let claims = object(parts.next()?)?;
    parts.next()?;
    let known = header.contains_key("alg") && parts.next().is_none();
    // The token on the front page of jwt.io stands in half of all manuals, that
    // of PyJWT in the rest; Supabase's local stack has the same one everywhere.
    let sample = text(&claims, "name") == Some("John Doe")
        || text(&claims, "some") == Some("payload")
        || text(&claims, "iss") == Some("supabase-demo");
    (known && !sample && !claims.is_empty()).then_some(claims)
}

fn object(part: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(&base64::decode(part)?).ok()
}

fn text<'a>(claims: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    claims.get(key).and_then(Value::as_str)
}

fn result(claims: &Map<String, Value>) -> CheckResult {
    // RFC 7519 allows fractions of a second.
    let seconds = |key| {
        let value = claims.get(key)?;
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    };
    CheckResult {
        expires: seconds("exp"),
        issued: seconds("iat"),
        note: text(claims, "iss").map(|issuer| format!("issued by {issuer}")),
        ..CheckResult::structure(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    fn made(template: &str) -> Vec<u8> {
        fill(template, 3).unwrap().text
    }

    #[test]
    fn times_and_issuer_are_read() {
        let result = any(&made(r#"{jwt:"iss":"me","iat":1700000000,"exp":1700003600.5}"#));
        assert!(result.fits);
        assert_eq!(result.issued, Some(1_700_000_000));
        assert_eq!(result.expires, Some(1_700_003_600));
        assert_eq!(result.note.as_deref(), Some("issued by me"));
        assert!(any(&made("ghs_123_{jwt}")).fits);
        assert_eq!(any(&made(r#"{jwt:"exp":"soon"}"#)).expires, None);
    }

    #[test]
    fn what_is_not_a_token_does_not_fit() {
        for text in [
            "",
            "eyJ",
            "eyJhbGciOi.eyJ.x",
            "{base64:{{}}}.{base64:{{}}}.x",
            r#"{jwt:"sub":"1234567890","name":"John Doe"}"#,
        ] {
            assert!(!any(&made(text)).fits, "{text}");
        }
    }

    #[test]
    fn issuers_are_told_by_their_claims() {
        let account = made(r#"{jwt:"kubernetes.io/serviceaccount/namespace":"default"}"#);
        assert!(kubernetes(&account).fits);
        assert!(!kubernetes(&made("{jwt}")).fits);
        assert!(supabase_service(&made(r#"{jwt:"iss":"supabase","role":"service_role"}"#)).fits);
        assert!(!supabase_service(&made(r#"{jwt:"iss":"supabase","role":"anon"}"#)).fits);
    }
}
