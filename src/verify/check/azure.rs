//! Microsoft's tokens.

use super::CheckResult;

/// An Azure DevOps personal access token: 84 letters and digits with `AZDO` at
/// the 77th, or, before 2024, 52 digits of lower-case base 32.
///
/// Source: Microsoft Purview docs, "Azure DevOps personal access token entity
/// definition"; Azure DevOps release notes, sprint 241.
pub fn devops(secret: &[u8]) -> CheckResult {
    let fits = match secret.len() {
        84 => secret.iter().all(u8::is_ascii_alphanumeric) && &secret[76..80] == b"AZDO",
        52 => secret.iter().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')),
        _ => false,
    };
    CheckResult::structure(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    #[test]
    fn the_signature_has_its_place() {
        let fits = |template: &str| devops(&fill(template, 1).unwrap().text).fits;
        assert!(fits("{alnum:76}AZDO{alnum:4}"));
        assert!(fits("{lower:52}"));
        assert!(!fits("{alnum:75}AZDO{alnum:5}"));
        assert!(!fits("{upper:52}"));
    }
}
