//! Private keys between BEGIN and END lines, however they were quoted.

use super::{CheckResult, base64};

/// Fewest decoded bytes that can be a key: PKCS #8 of an Ed25519 key has 48.
const LEAST: usize = 44;

/// Shorter keys must be whole.
const SHORT: usize = 96;

/// A block whose body is base64 of what its label says: a DER sequence
/// (RFC 7468, RFC 1421), an OpenSSH key, an OpenPGP packet (RFC 9580), an SSH2
/// key (RFC 4716 and its commercial ancestor).
///
/// Newlines may be real, escaped any number of times, or spaces; lines may be
/// indented, quoted, commented, joined by `+`, or prefixed as in a diff. A
/// block that was cut off is as good as its first bytes.
pub fn block(secret: &[u8]) -> CheckResult {
    let text = plain(secret);
    let Some(block) = Block::read(&text) else { return CheckResult::structure(false) };
    let Some(body) = base64::decode_start(&block.body).filter(|body| body.len() >= LEAST) else {
        return CheckResult::structure(false);
    };
    // Manuals shorten their samples to a line.
    if body.len() < SHORT && declared(&body).is_some_and(|length| length > body.len()) {
        return CheckResult::structure(false);
    }
    let fits = if block.label.contains("OPENSSH") {
        body.starts_with(b"openssh-key-v1\0")
    } else if block.label.contains("PGP") {
        // Secret-key packet (tag 5) in the old framing or the new.
        matches!(body[0], 0x94..=0x97 | 0xc5)
    } else if block.label.contains("SSH2") {
        body.starts_with(&[0x3f, 0x6f, 0xf9, 0xeb]) || is_der_key(&body)
    } else {
        // Encrypted by RFC 1421 there is nothing to see but noise.
        block.encrypted || is_der_key(&body)
    };
    let result = CheckResult::structure(fits);
    if block.encrypted || block.label.contains("ENCRYPTED") {
        result.with_note("encrypted with a passphrase")
    } else {
        result
    }
}

/// Length of the whole, as a sequence's own head has it.
fn declared(body: &[u8]) -> Option<usize> {
    Some(match body {
        [0x30, length @ 0x00..=0x7f, ..] => 2 + usize::from(*length),
        [0x30, 0x81, length, ..] => 3 + usize::from(*length),
        [0x30, 0x82, high, low, ..] => 4 + usize::from(*high) * 256 + usize::from(*low),
        _ => return None,
    })
}

/// A sequence that begins with a version or, if encrypted, with a sequence.
fn is_der_key(body: &[u8]) -> bool {
    let content = match body {
        [0x30, 0x00..=0x7f, rest @ ..] => rest,
        [0x30, 0x81, _, rest @ ..] => rest,
        [0x30, 0x82, _, _, rest @ ..] => rest,
        _ => return false,
    };
    matches!(content, [0x02, 0x01, 0 | 1, ..] | [0x30, ..])
}

struct Block {
    label: String,
    body: Vec<u8>,
    /// A header says so.
    encrypted: bool,
}

impl Block {
    /// Reads label and body of the first block in unescaped text.
    fn read(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let (_, rest) = text.split_once("BEGIN ")?;
        let (label, rest) = rest.split_once("--")?;
        let rest = rest.trim_start_matches('-');
        let content = rest.split_once("--").map_or(rest, |(content, _)| content);
        let mut body = Vec::new();
        let mut encrypted = false;
        for line in content.lines() {
            // Headers: `Proc-Type: 4,ENCRYPTED`, `Version: GnuPG v2`.
            if line.contains(": ") && !line.trim_start().starts_with(['"', '\'']) {
                encrypted |= line.contains("ENCRYPTED");
                continue;
            }
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c)));
            for word in words {
                // What joins or comments lines, and the checksum of OpenPGP.
                let glue = word.bytes().all(|b| matches!(b, b'+' | b'/'));
                if !glue && !word.starts_with('=') {
                    body.extend_from_slice(word.as_bytes());
                }
            }
        }
        // Added lines of a diff: base64 of a key never begins with `+`.
        if body.first() == Some(&b'+') {
            body = content
                .lines()
                .map(|line| line.strip_prefix('+').unwrap_or(line).trim())
                .collect::<String>()
                .into_bytes();
        }
        Some(Self { label: label.trim_end_matches(['-', ' ']).to_owned(), body, encrypted })
    }
}

/// Turns escaped newlines into real ones, however often they were escaped, and
/// drops the backslashes of other escapes.
fn plain(secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(secret.len());
    let mut rest = secret;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\\' => {
                while let [b'\\', tail @ ..] = rest {
                    rest = tail;
                }
                if let [b'n' | b'r' | b't', tail @ ..] = rest {
                    out.push(b'\n');
                    rest = tail;
                }
            }
            b'%' => match rest {
                [b'0', b'A' | b'a' | b'D' | b'd', tail @ ..] => {
                    out.push(b'\n');
                    rest = tail;
                }
                [b'2', b'B' | b'b', tail @ ..] => {
                    out.push(b'+');
                    rest = tail;
                }
                [b'2', b'F' | b'f', tail @ ..] => {
                    out.push(b'/');
                    rest = tail;
                }
                [b'3', b'D' | b'd', tail @ ..] => {
                    out.push(b'=');
                    rest = tail;
                }
                [b'2', b'0', tail @ ..] => {
                    out.push(b' ');
                    rest = tail;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::example::fill;

    fn pem(label: &str) -> String {
        String::from_utf8(fill(&format!("{{pem:{label}}}"), 9).unwrap().text).unwrap()
    }

    fn fits(text: &str) -> bool {
        block(text.as_bytes()).fits
    }

    #[test]
    fn every_label_has_its_first_bytes() {
        for label in [
            "PRIVATE KEY",
            "RSA PRIVATE KEY",
            "EC PRIVATE KEY",
            "DSA PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            assert!(fits(&pem(label)), "{label}");
        }
        let other = pem("RSA PRIVATE KEY").replace("RSA", "OPENSSH");
        assert!(!fits(&other));
    }

    #[test]
    fn dress_does_not_matter() {
        let key = pem("RSA PRIVATE KEY");
        let lines = |start: &str, end: &str| -> String {
            key.lines().map(|line| format!("{start}{line}{end}")).collect()
        };
        for dressed in [
            key.replace('\n', "\r\n"),
            key.replace('\n', "\\n"),
            key.replace('\n', "\\\\n"),
            key.replace('\n', "\\\\\\\\n"),
            key.replace('\n', "\\r\\n"),
            key.replace('\n', " "),
            key.replace('\n', "\n    "),
            key.replace('\n', "%0A").replace('+', "%2B").replace('/', "%2F"),
            lines("    \"", "\\n\" +\n"),
            lines("+ '", "',\n"),
            lines("# ", "\n"),
            lines("// ", "\n"),
            lines("+", "\n"),
        ] {
            assert!(fits(&dressed), "{dressed}");
        }
    }

    #[test]
    fn cut_off_blocks_still_tell() {
        let key = pem("PRIVATE KEY");
        assert!(fits(&key[..200]));
        assert!(!fits(&key[..60]));
    }

    #[test]
    fn headers_are_skipped() {
        let key = pem("RSA PRIVATE KEY").replacen(
            "-----\n",
            "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
            1,
        );
        let result = block(key.as_bytes());
        assert!(result.fits);
        assert!(result.note.is_some());
        let key =
            pem("PGP PRIVATE KEY BLOCK").replacen("-----\n", "-----\nVersion: GnuPG v2\n\n", 1);
        assert!(fits(&key.replace("-----END", "=aB3d\n-----END")));
    }

    #[test]
    fn placeholders_do_not_fit() {
        for text in [
            "",
            "BEGIN",
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END PRIVATE KEY-----",
            &pem("RSA PRIVATE KEY")[..110],
        ] {
            assert!(!fits(text), "{text}");
        }
    }
}
