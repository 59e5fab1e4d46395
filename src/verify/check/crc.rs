//! CRC-32 (the one of zlib) in the three spellings that issuers use.

use super::CheckResult;

/// GitHub and npm: prefix, `_`, 30 random base-62 digits, then the CRC-32 of
/// those 30 as six base-62 digits (`0-9A-Za-z`, padded with `0`).
///
/// Source: GitHub, "Behind GitHub's new authentication token formats"
/// (2021-04-05). Nothing is said about other lengths, so nothing is claimed.
pub fn base62(secret: &[u8]) -> CheckResult {
    let body = match secret.iter().rposition(|&b| b == b'_') {
        Some(at) => &secret[at + 1..],
        None => secret,
    };
    if !body.iter().all(u8::is_ascii_alphanumeric) || body.len() < 36 {
        return CheckResult::structure(false);
    }
    if body.len() > 36 {
        return CheckResult::structure(true);
    }
    let (random, sum) = body.split_at(30);
    CheckResult::checksum(sum == digits::<6>(crc32fast::hash(random), BASE62))
}

/// Grafana: `glsa_`, 32 characters, `_`, and the CRC-32 of all before that `_`
/// as eight hex digits, lowest byte first.
///
/// Source: grafana/grafana, `pkg/components/satokengen`.
pub fn grafana(secret: &[u8]) -> CheckResult {
    let Some(at) = secret.iter().rposition(|&b| b == b'_') else {
        return CheckResult::structure(false);
    };
    let (body, sum) = (&secret[..at], &secret[at + 1..]);
    if sum.len() != 8 {
        return CheckResult::structure(false);
    }
    let expected = format!("{:08x}", crc32fast::hash(body).swap_bytes());
    CheckResult::checksum(sum.eq_ignore_ascii_case(expected.as_bytes()))
}

/// GitLab routable tokens: prefix, base64url of routing fields and random
/// bytes, `.`, version in two digits (absent in the first edition), `.`,
/// length of the base64 in two digits and the CRC-32 of all before it in seven,
/// all in base 36.
///
/// Source: GitLab handbook, design document "Routable tokens"; generator in
/// gitlab-org/gitlab, `lib/authn/token_field/generator`.
pub fn gitlab(secret: &[u8]) -> CheckResult {
    let mut parts = secret.split(|&b| b == b'.');
    let (Some(head), Some(tail)) = (parts.next(), parts.next_back()) else {
        return CheckResult::structure(false);
    };
    let version = parts.next();
    let fits = parts.next().is_none()
        && version.is_none_or(|version| version.len() == 2)
        && tail.len() == 9
        && tail.iter().all(u8::is_ascii_alphanumeric);
    if !fits {
        return CheckResult::structure(false);
    }
    let (body, sum) = secret.split_at(secret.len() - 7);
    let length = std::str::from_utf8(&tail[..2])
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 36).ok())
        .unwrap_or(usize::MAX);
    // The prefix may be an instance's own, so the payload is counted from the end.
    let long_enough = head.len() > length && matches!(head[head.len() - length - 1], b'-' | b'_');
    CheckResult::checksum(long_enough && sum == digits::<7>(crc32fast::hash(body), BASE36))
}

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// `value` in the base of `alphabet`, most significant digit first.
fn digits<const N: usize>(mut value: u32, alphabet: &[u8]) -> [u8; N] {
    let mut out = [alphabet[0]; N];
    for digit in out.iter_mut().rev() {
        *digit = alphabet[value as usize % alphabet.len()];
        value /= alphabet.len() as u32;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Checksum;
    use crate::rules::example::fill;

    fn made(template: &str) -> Vec<u8> {
        fill(template, 7).unwrap().text
    }

    #[test]
    fn right_checksums_are_valid_and_wrong_ones_are_not() {
        for (check, right) in [
            (base62 as fn(&[u8]) -> CheckResult, "ghp_{alnum:30}{crc}"),
            (grafana, "glsa_{alnum:32}_{crchex}"),
            (gitlab, "glpat-{gitlab}"),
        ] {
            let mut token = made(right);
            assert_eq!(check(&token).checksum, Checksum::Valid, "{right}");
            let last = token.len() - 1;
            token[last] = if token[last] == b'0' { b'1' } else { b'0' };
            assert_eq!(check(&token).checksum, Checksum::Invalid, "{right}");
        }
        assert_eq!(base62(&made("ghp_{alnum:30}{badcrc}")).checksum, Checksum::Invalid);
    }

    #[test]
    fn grafana_writes_the_lowest_byte_first() {
        let token = ["glsa_yscW25imSKJIuav8zF37RZmnbiDvB05G", "fcaaf58a"].join("_");
        assert_eq!(grafana(token.as_bytes()).checksum, Checksum::Valid);
    }

    #[test]
    fn other_shapes_claim_nothing() {
        for (check, text) in [
            (base62 as fn(&[u8]) -> CheckResult, "ghp_{alnum:20}"),
            (grafana, "glsa"),
            (gitlab, "glpat-{b64url:20}"),
            (gitlab, ""),
            (gitlab, "..........."),
        ] {
            assert_eq!(check(&made(text)), CheckResult::structure(false), "{text}");
        }
        assert_eq!(base62(&made("npm_{alnum:40}")), CheckResult::structure(true));
    }
}
