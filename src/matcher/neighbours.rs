//! What may stand beside a match. Rust's regular expressions have no
//! look-around, and these tests need more than one anyway: the `n` of a
//! literal `\n` before a token is no letter of a longer word.

use crate::rules::spec::Neighbour;

/// True if the byte before `start` may stand before a match.
pub(super) fn before(class: Neighbour, bytes: &[u8], start: usize) -> bool {
    match start.checked_sub(1) {
        Some(last) => !forbids(class, bytes[last]) || ends_an_escape(&bytes[..start]),
        None => true,
    }
}

/// True if the byte at `end` may stand after a secret.
pub(super) fn after(class: Neighbour, bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_none_or(|&byte| !forbids(class, byte))
}

fn forbids(class: Neighbour, byte: u8) -> bool {
    match class {
        Neighbour::Any => false,
        Neighbour::Alnum => byte.is_ascii_alphanumeric(),
        Neighbour::Word => byte.is_ascii_alphanumeric() || byte == b'_',
        Neighbour::Slug => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Neighbour::Base64 => {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/' | b'=' | b'.')
        }
        Neighbour::Hex => byte.is_ascii_hexdigit(),
    }
}

/// True if `before` ends with the written form of some other character:
/// `\n`, `\x22`, `\u0022`, `%22`, `&#34;`-like forms need no help, a colour
/// code `ESC [ 0 m` in any of its spellings does.
fn ends_an_escape(before: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b' | b'v' | b'0' | b'a' | b'e'] => true,
        [.., b'%', a, b] | [.., b'\\', b'x', a, b] if hex(&[*a, *b]) => true,
        [.., b'\\', b'u', a, b, c, d] if hex(&[*a, *b, *c, *d]) => true,
        [.., b'm' | b'K'] => ends_a_colour_code(before),
        _ => false,
    }
}

/// True for `ESC[…m` and `ESC[…K`, with the ESC as a byte or as what is left of its name
/// (`\x1b`, `\u001b`, `\e`, `\033`, `^[`).
fn ends_a_colour_code(before: &[u8]) -> bool {
    let codes = &before[..before.len() - 1];
    let digits =
        codes.iter().rev().take(12).take_while(|&&b| b.is_ascii_digit() || b == b';').count();
    matches!(&codes[..codes.len() - digits], [.., 0x1b | b'b' | b'B' | b'e' | b'3' | b'^', b'['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &[u8]) -> bool {
        before(Neighbour::Alnum, text, text.len())
    }

    #[test]
    fn escapes_before_a_token_are_no_letters() {
        for text in [
            &b""[..],
            b"=",
            b"\\n",
            b"\\t",
            b"%22",
            b"\\u0022",
            b"\\x3d",
            b"\x1b[0m",
            b"\\x1b[1;31m",
            b"\\033[32m",
            b"\x1b[m",
        ] {
            assert!(allowed(text), "{}", text.escape_ascii());
        }
        for text in [&b"n"[..], b"a9", b"2222", b"[0;x", b"am", b"a[1m"] {
            assert!(!allowed(text), "{}", text.escape_ascii());
        }
    }
}
