//! Bech32 (BIP 173), in which age writes its keys.

use super::CheckResult;

const CHARSET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// A human-readable part, `1`, data, six digits of checksum; all in one case.
///
/// Source: BIP 173; age specification, section "X25519 identity".
pub fn key(secret: &[u8]) -> CheckResult {
    let one_case =
        !secret.iter().any(u8::is_ascii_lowercase) || !secret.iter().any(u8::is_ascii_uppercase);
    let lower = secret.to_ascii_lowercase();
    let Some(at) = lower.iter().rposition(|&b| b == b'1') else {
        return CheckResult::structure(false);
    };
    let (hrp, data) = (&lower[..at], &lower[at + 1..]);
    if !one_case || hrp.is_empty() || data.len() < 6 {
        return CheckResult::structure(false);
    }
    let mut sum = 1;
    for &byte in hrp {
        sum = step(sum, byte >> 5);
    }
    sum = step(sum, 0);
    for &byte in hrp {
        sum = step(sum, byte & 31);
    }
    for byte in data {
        let Some(digit) = CHARSET.iter().position(|digit| digit == byte) else {
            return CheckResult::structure(false);
        };
        sum = step(sum, digit as u8);
    }
    CheckResult::checksum(sum == 1)
}

/// One step of the polynomial's remainder.
fn step(sum: u32, value: u8) -> u32 {
    const GENERATORS: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let top = sum >> 25;
    let mut sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
    for (i, generator) in GENERATORS.iter().enumerate() {
        if top >> i & 1 == 1 {
            sum ^= generator;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Checksum;
    use crate::rules::example::fill;

    #[test]
    fn vectors_of_the_proposal() {
        for valid in ["A12UEL5L", "a12uel5l", "?1ezyfcl"] {
            assert_eq!(key(valid.as_bytes()).checksum, Checksum::Valid, "{valid}");
        }
        for wrong in ["A1G7SGD8", "A12uEL5L", "10a06t8", "pzry9x0s0muk", ""] {
            assert_ne!(key(wrong.as_bytes()).checksum, Checksum::Valid, "{wrong}");
        }
    }

    #[test]
    fn keys_of_age_are_valid() {
        let mut text = fill("{bech32:AGE-SECRET-KEY-}", 4).unwrap().text;
        assert_eq!(key(&text).checksum, Checksum::Valid);
        let last = text.len() - 1;
        text[last] = if text[last] == b'Q' { b'P' } else { b'Q' };
        assert_eq!(key(&text).checksum, Checksum::Invalid);
    }
}
