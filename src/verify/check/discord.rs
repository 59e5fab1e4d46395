//! Discord's bot tokens.

use super::{CheckResult, base64};

/// Three parts; the first is base64url of the bot's user id, a snowflake: a
/// decimal number of 17 to 20 digits.
///
/// Source: Discord developer docs, "Snowflakes".
pub fn bot(secret: &[u8]) -> CheckResult {
    let first = secret.split(|&b| b == b'.').next().unwrap_or_default();
    let id = base64::decode(first).and_then(|id| String::from_utf8(id).ok());
    match id {
        Some(id) if (17..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit()) => {
            CheckResult::structure(true).with_note(format!("user {id}"))
        }
        _ => CheckResult::structure(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    #[test]
    fn the_first_part_is_a_user_id() {
        let fits = |template: &str| bot(&fill(template, 1).unwrap().text).fits;
        assert!(fits("{base64:1{digit:17}}.{b64url:6}.{b64url:38}"));
        assert!(!fits("{base64:{lower:18}}.{b64url:6}.{b64url:38}"));
        assert!(!fits(""));
    }
}
