//! JSON objects, plain and in base64.

use serde_json::{Map, Value};

use super::{CheckResult, base64, pem};

/// A prefix that ends in `_` or `-`, then base64 of a JSON object (Grafana
/// Cloud, Sentry). The object may be followed by more, as Sentry's is.
///
/// Sources: Grafana docs, "Access policy tokens"; Sentry RFC 0091.
pub fn in_base64(secret: &[u8]) -> CheckResult {
    let fits = secret.windows(2).position(|two| two == b"ey").is_some_and(|start| {
        let text = &secret[start..];
        let end = text
            .iter()
            .position(|&b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')))
            .unwrap_or(text.len());
        base64::decode_start(&text[..end])
            .is_some_and(|json| serde_json::from_slice::<Map<String, Value>>(&json).is_ok())
    });
    CheckResult::structure(fits)
}

/// The key file of a Google service account: an object whose `type` is
/// `service_account` and which holds a private key; or that key alone.
///
/// Source: Google Cloud docs, "Create and delete service account keys".
pub fn service_account(secret: &[u8]) -> CheckResult {
    let Ok(account) = serde_json::from_slice::<Map<String, Value>>(secret) else {
        return pem::block(secret);
    };
    let text = |key| account.get(key).and_then(Value::as_str);
    let fits = text("type") == Some("service_account")
        && text("private_key").is_some_and(|key| pem::block(key.as_bytes()).fits);
    CheckResult {
        username: text("client_email").map(str::to_owned),
        ..CheckResult::structure(fits)
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
    fn objects_are_found_behind_a_prefix() {
        assert!(in_base64(&made(r#"glc_{base64:{{"o":"1","n":"x","k":"{alnum:24}"}}}"#)).fits);
        assert!(in_base64(&made(r#"sntrys_{base64:{{"iat":1,"org":"x"}}}_{b64:43}"#)).fits);
        assert!(!in_base64(&made("glc_{alnum:40}")).fits);
        assert!(!in_base64(&made("glc_ey{alnum:40}")).fits);
    }

    #[test]
    fn service_accounts_are_known_by_type_and_key() {
        let file = made(
            r#"{{"type":"service_account","client_email":"a@b","private_key":"{pem-escaped:PRIVATE KEY}"}}"#,
        );
        let result = service_account(&file);
        assert!(result.fits);
        assert_eq!(result.username.as_deref(), Some("a@b"));
        assert!(service_account(&made("{pem-escaped:PRIVATE KEY}")).fits);
        assert!(!service_account(&made(r#"{{"type":"authorized_user"}}"#)).fits);
    }
}
