//! Amazon's access key ids.

use super::CheckResult;

/// Four letters for the kind, then base 32 (RFC 4648). In ids made since 2019
/// the 40 bits after the first are the account's number, which is decimal and
/// has at most twelve digits.
///
/// Source: AWS docs, "IAM identifiers" (prefixes, `GetAccessKeyInfo`); the
/// place of the number is public knowledge, not a promise of Amazon's.
pub fn key_id(secret: &[u8]) -> CheckResult {
    let Some(body) = secret.get(4..20).filter(|_| secret.len() == 20) else {
        return CheckResult::structure(false);
    };
    let mut bits = 0_u128;
    for &byte in body {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return CheckResult::structure(false),
        };
        bits = bits << 5 | u128::from(digit);
    }
    // Without the first bit it is an older id, which names no account.
    if bits >> 79 == 0 {
        return CheckResult::structure(true);
    }
    let account = bits >> 39 & 0xff_ffff_ffff;
    CheckResult::structure(account <= 999_999_999_999).with_note(format!("account {account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    #[test]
    fn the_account_number_is_read() {
        let id = fill("AKIA{awsid}", 5).unwrap().text;
        let result = key_id(&id);
        assert!(result.fits, "{result:?}");
        assert_eq!(result.note.unwrap().len(), "account 123456789012".len());
    }

    #[test]
    fn other_alphabets_do_not_fit() {
        for id in ["AKIA0189", "AKIA{digit:1}89{base32:13}", "", "AKIA"] {
            assert!(!key_id(&fill(id, 5).unwrap().text).fits, "{id}");
        }
        assert!(key_id(&fill("AKIAJ{base32:15}", 5).unwrap().text).fits);
    }
}
