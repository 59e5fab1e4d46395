//! Base64 in any dress, and the values that are nothing but base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::CheckResult;

const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 or base64url, with or without its padding.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    TOLERANT.decode(text).ok()
}

/// Decodes as much of `text` as makes whole groups of four.
pub fn decode_start(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().position(|&b| b == b'=').unwrap_or(text.len());
    decode(&text[..end]).or_else(|| decode(&text[..end / 4 * 4]))
}

/// The host of the Python index.
const PYPI: &str = concat!("pypi", ".org");

/// Where the keys begin that Microsoft's storage and Cosmos emulators have in
/// common on every machine: they are printed in the manual and open nothing.
const EMULATORS: [&[u8]; 2] = [b"Eby8vdM02xNO", b"C2y6yDjf5/R+"];

/// A PyPI token: `pypi-` and a macaroon, version 2, whose location is the host
/// of the index.
///
/// Source: PyPI docs, "Secret reporting API"; libmacaroons, format v2.
pub fn pypi_macaroon(secret: &[u8]) -> CheckResult {
    let body = secret.strip_prefix(b"pypi-").unwrap_or(secret);
    let Some(bytes) = decode_start(body) else { return CheckResult::structure(false) };
    // Version 2, field 1 (location), its length, its text.
    let fits = match bytes.split_first_chunk::<3>() {
        Some((&[2, 1, length], rest)) => rest
            .get(..usize::from(length))
            .is_some_and(|location| location.ends_with(PYPI.as_bytes())),
        _ => false,
    };
    CheckResult::structure(fits)
}

/// A key of exactly 64 bytes in base64.
///
/// Source: Azure docs, "Manage storage account access keys" (512-bit keys).
pub fn bytes64(secret: &[u8]) -> CheckResult {
    let emulator = EMULATORS.iter().any(|start| secret.starts_with(start));
    CheckResult::structure(!emulator && decode(secret).is_some_and(|key| key.len() == 64))
}

/// The users of the samples in RFC 7617 and RFC 6749.
const SAMPLES: [&str; 2] = ["Aladdin", "s6BhdRkqt3"];

/// Base64 of `user:password`, as HTTP's Basic scheme has it (RFC 7617).
pub fn basic_auth(secret: &[u8]) -> CheckResult {
    let Some(text) = printable(secret) else { return CheckResult::structure(false) };
    match text.split_once(':') {
        Some((user, password)) if !password.is_empty() && !SAMPLES.contains(&user) => CheckResult {
            username: is_name(user).then(|| user.to_owned()),
            ..CheckResult::structure(true)
        },
        _ => CheckResult::structure(false),
    }
}

/// False for what is a token in a user's place, as services allow it: it is as
/// secret as a password.
fn is_name(user: &str) -> bool {
    let has = |test: fn(&u8) -> bool| user.bytes().any(|b| test(&b));
    let random = user.len() >= 20
        && !user.contains('@')
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic);
    !user.is_empty() && user.len() <= 64 && !random
}

/// Base64 of a password: of text, that is.
pub fn text(secret: &[u8]) -> CheckResult {
    CheckResult::structure(printable(secret).is_some_and(|text| !text.is_empty()))
}

/// A token of Verdaccio's older kind: base64 of `iv:cipher`, both in hex, where
/// the initialisation vector has 16 bytes.
///
/// Source: verdaccio/verdaccio, package `signature`.
pub fn verdaccio(secret: &[u8]) -> CheckResult {
    let hex =
        |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit()) && part.len().is_multiple_of(2);
    let fits = printable(secret).is_some_and(|text| {
        text.split_once(':').is_some_and(|(iv, cipher)| {
            iv.len() == 32 && hex(iv) && !cipher.is_empty() && hex(cipher)
        })
    });
    CheckResult::structure(fits)
}

/// The decoded text, if it is text without control characters.
fn printable(secret: &[u8]) -> Option<String> {
    let text = String::from_utf8(decode(secret)?).ok()?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    fn made(template: &str) -> Vec<u8> {
        fill(template, 3).unwrap().text
    }

    #[test]
    fn decoding_does_not_mind_padding_or_alphabet() {
        for text in ["+/8=", "-_8", "+/8", "-_8="] {
            assert_eq!(decode(text.as_bytes()), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(decode(b"a*b"), None);
        assert_eq!(decode_start(b"+/8AA"), Some(vec![0xfb, 0xff, 0]));
    }

    #[test]
    fn basic_auth_tells_the_user() {
        let result = basic_auth(&made("{base64:ada:{alnum:12}}"));
        assert!(result.fits);
        assert_eq!(result.username.as_deref(), Some("ada"));
        assert!(basic_auth(&made("{base64::{alnum:12}}")).fits);
        assert!(!basic_auth(&made("{base64:ada:}")).fits);
        assert!(!basic_auth(&made("{base64:{alnum:12}}")).fits);
    }

    #[test]
    fn shapes_are_told_apart() {
        assert!(verdaccio(&made("{base64:{hex:32}:{hex:40}}")).fits);
        assert!(!verdaccio(&made("{base64:{hex:32}:{alnum:40}xyz}")).fits);
        assert!(bytes64(&made("{b64:86}==")).fits);
        assert!(!bytes64(&made("{b64:84}==")).fits);
        assert!(text(&made("{base64:{alnum:9}}")).fits);
        assert!(pypi_macaroon(&made("pypi-AgEIcHlwaS5vcmc{b64url:120}")).fits);
        assert!(pypi_macaroon(&made("pypi-AgENdGVzdC5weXBpLm9yZw{b64url:120}")).fits);
        assert!(!pypi_macaroon(&made("pypi-{b64url:120}")).fits);
    }
}
