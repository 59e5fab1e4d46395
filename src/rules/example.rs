//! Examples in rule files are templates, so that no whole token stands in the
//! tree: they are filled in, always in the same way, when they are run.
//!
//! | written | becomes |
//! |---|---|
//! | `{alnum:N}` `{lower:N}` `{upper:N}` `{letter:N}` `{digit:N}` | N random characters of the class |
//! | `{lowernum:N}` `{uppernum:N}` | letters of one case and digits |
//! | `{hex:N}` `{HEX:N}` `{base32:N}` `{b64:N}` `{b64url:N}` | likewise |
//! | `{uuid}` | a UUID, version 4 |
//! | `{crc}` | six base-62 digits: CRC-32 of the 30 characters before it |
//! | `{crchex}` | eight hex digits: CRC-32, lowest byte first, of all of the word before the `_` before it |
//! | `{gitlab}` | what follows a GitLab prefix: routing payload, version, length, CRC-32 of the word so far |
//! | `{awsid}` | 16 characters of an AWS key id: base 32 of an account number and random bits |
//! | `{badcrc}` | six characters that are not that checksum |
//! | `{base64:TEXT}` | base64 of TEXT, itself filled in first |
//! | `{jwt}` `{jwt:CLAIMS}` | a signed-looking JWT; CLAIMS is the inside of a JSON object |
//! | `{pem:LABEL}` | a PEM block with plausible contents, real newlines between its lines |
//! | `{pem-escaped:LABEL}` | the same with literal `\n` |
//! | `{bech32:HRP}` | upper-case bech32 of 32 random bytes |
//! | `{npm}` | host of npm's own registry |
//! | `{esc}` `{nul}` | one byte: ESC, NUL |
//! | `{{` `}}` | a brace |
//! | `«…»` | marks the secret that must be found; the marks vanish |

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::model::NPM_REGISTRY;

/// A filled-in example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The text to scan.
    pub text: Vec<u8>,
    /// The marked secrets, in order. Empty if none was marked.
    pub secrets: Vec<Vec<u8>>,
}

/// Fills in a template; `seed` decides the random parts.
///
/// # Errors
/// In words, what is wrong with the template.
pub fn fill(template: &str, seed: u64) -> Result<Example, String> {
    let mut random = Random(seed ^ 0x9e37_79b9_7f4a_7c15);
    let text = fill_text(template, &mut random)?;
    let mut example = Example { text: Vec::with_capacity(text.len()), secrets: Vec::new() };
    let mut open = None;
    let (start, end) = ("«".as_bytes(), "»".as_bytes());
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(start) {
            open = Some(example.text.len());
            at += start.len();
        } else if text[at..].starts_with(end) {
            let from = open.take().ok_or("a » without its «")?;
            example.secrets.push(example.text[from..].to_vec());
            at += end.len();
        } else {
            example.text.push(text[at]);
            at += 1;
        }
    }
    match open {
        Some(_) => Err("a « without its »".to_owned()),
        None => Ok(example),
    }
}

fn fill_text(template: &str, random: &mut Random) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push(rest.as_bytes()[0]);
            rest = &rest[2..];
            continue;
        }
        let end = closing(rest).ok_or_else(|| format!("no closing brace after {rest:?}"))?;
        let (name, argument) = match rest[1..end].split_once(':') {
            Some((name, argument)) => (name, argument),
            None => (&rest[1..end], ""),
        };
        place(name, argument, &mut out, random)?;
        rest = &rest[end + 1..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Index of the brace that closes the one `text` begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

const DIGITS: &[u8] = b"0123456789";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn class(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "alnum" => BASE62,
        "lower" => b"abcdefghijklmnopqrstuvwxyz",
        "upper" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "letter" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "digit" => DIGITS,
        "lowernum" => b"0123456789abcdefghijklmnopqrstuvwxyz",
        "uppernum" => b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "hex" => b"0123456789abcdef",
        "HEX" => b"0123456789ABCDEF",
        "base32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "b64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "b64url" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        _ => return None,
    })
}

fn place(name: &str, argument: &str, out: &mut Vec<u8>, random: &mut Random) -> Result<(), String> {
    if let Some(class) = class(name) {
        let count: usize = argument
            .parse()
            .map_err(|_| format!("{{{name}:N}} wants a number, not {argument:?}"))?;
        out.extend((0..count).map(|_| class[random.below(class.len())]));
        return Ok(());
    }
    match name {
        "uuid" => out.extend_from_slice(uuid(random).as_bytes()),
        "crc" | "badcrc" => {
            let from = out.len().checked_sub(30).ok_or("{crc} wants 30 characters before it")?;
            let mut digits = base62(crc32fast::hash(&out[from..]));
            if name == "badcrc" {
                digits[5] = if digits[5] == b'0' { b'1' } else { b'0' };
            }
            out.extend_from_slice(&digits);
        }
        "crchex" => {
            let stop = out.len().saturating_sub(1);
            let from = out[..stop]
                .iter()
                .rposition(|b| !b.is_ascii_alphanumeric() && *b != b'_')
                .map_or(0, |at| at + 1);
            let sum = crc32fast::hash(&out[from..stop]);
            out.extend_from_slice(format!("{:08x}", sum.swap_bytes()).as_bytes());
        }
        "gitlab" => gitlab(out, random),
        "awsid" => out.extend_from_slice(aws_id(random).as_bytes()),
        "base64" => {
            let inner = fill_text(argument, random)?;
            out.extend_from_slice(STANDARD.encode(inner).as_bytes());
        }
        "jwt" => {
            let claims = if argument.is_empty() {
                r#""sub":"1234567890","iat":1516239022"#
            } else {
                argument
            };
            let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
            let claims = URL_SAFE_NO_PAD.encode(format!("{{{claims}}}"));
            let signature = URL_SAFE_NO_PAD.encode(random.bytes(32));
            out.extend_from_slice(format!("{header}.{claims}.{signature}").as_bytes());
        }
        "pem" => out.extend_from_slice(pem(argument, "\n", random).as_bytes()),
        "pem-escaped" => out.extend_from_slice(pem(argument, "\\n", random).as_bytes()),
        "bech32" => out.extend_from_slice(bech32(argument, &random.bytes(32)).as_bytes()),
        "npm" => out.extend_from_slice(NPM_REGISTRY.as_bytes()),
        "esc" => out.push(0x1b),
        "nul" => out.push(0),
        _ => return Err(format!("no placeholder is called {name:?}")),
    }
    Ok(())
}

/// Six base-62 digits, most significant first, padded with `0`.
fn base62(mut value: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[value as usize % 62];
        value /= 62;
    }
    digits
}

fn uuid(random: &mut Random) -> String {
    let mut bytes = random.bytes(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Completes the routable GitLab token whose prefix stands at the end of `out`.
fn gitlab(out: &mut Vec<u8>, random: &mut Random) {
    let from =
        out.iter().rposition(|b| !b.is_ascii_alphanumeric() && *b != b'-').map_or(0, |at| at + 1);
    let mut payload = b"o:1\nu:2x".to_vec();
    payload.extend(random.bytes(16));
    payload.push(16);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let length = String::from_utf8(base36(payload.len() as u32, 2)).expect("digits are ASCII");
    out.extend_from_slice(format!("{payload}.01.{length}").as_bytes());
    let sum = base36(crc32fast::hash(&out[from..]), 7);
    out.extend_from_slice(&sum);
}

/// Base 36 in lower case, most significant digit first, padded with `0`.
fn base36(mut value: u32, width: usize) -> Vec<u8> {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdefghijklmnopqrstuvwxyz"[value as usize % 36];
        value /= 36;
    }
    digits
}

/// The account number fills bits 1 to 40; what follows is random.
fn aws_id(random: &mut Random) -> String {
    let account = 100_000_000_000 + random.next() % 800_000_000_000;
    let mut bits = u128::from(1_u8) << 79 | u128::from(account) << 39;
    bits |= u128::from(random.next()) & ((1 << 39) - 1);
    (0..16)
        .map(|i| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[(bits >> (75 - 5 * i)) as usize & 31])
        .map(char::from)
        .collect()
}

/// A block with the label's usual first bytes and random rest.
fn pem(label: &str, newline: &str, random: &mut Random) -> String {
    let head: &[u8] = match label {
        "OPENSSH PRIVATE KEY" => b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01",
        "PGP PRIVATE KEY BLOCK" => b"\x95\x01\xd8\x04",
        _ => b"\x30\x82\x01\x56\x02\x01\x00",
    };
    let mut body = head.to_vec();
    body.extend(random.bytes(346 - head.len()));
    let text = STANDARD.encode(&body);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!("-----BEGIN {label}-----{newline}{}{newline}-----END {label}-----", lines.join(newline))
}

/// BIP 173, in upper case as age prints its keys.
fn bech32(hrp: &str, data: &[u8]) -> String {
    const CHARSET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let hrp = hrp.to_ascii_lowercase();
    let mut words = Vec::new();
    let (mut buffer, mut bits) = (0_u32, 0);
    for &byte in data {
        buffer = buffer << 8 | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            words.push((buffer >> bits & 31) as u8);
        }
    }
    if bits > 0 {
        words.push((buffer << (5 - bits) & 31) as u8);
    }
    let polymod = |values: &[u8]| {
        values.iter().fold(1_u32, |sum, &value| {
            let top = sum >> 25;
            let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
            [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
                .iter()
                .enumerate()
                .fold(
                    sum,
                    |sum, (i, generator)| if top >> i & 1 == 1 { sum ^ generator } else { sum },
                )
        })
    };
    let mut all: Vec<u8> = hrp.bytes().map(|b| b >> 5).collect();
    all.push(0);
    all.extend(hrp.bytes().map(|b| b & 31));
    all.extend_from_slice(&words);
    all.extend([0; 6]);
    let sum = polymod(&all) ^ 1;
    words.extend((0..6).map(|i| (sum >> (5 * (5 - i)) & 31) as u8));
    let text: String = words.iter().map(|&word| char::from(CHARSET[word as usize])).collect();
    format!("{hrp}1{text}").to_ascii_uppercase()
}

/// SplitMix64: the same numbers everywhere, which is all that is asked of it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_public_vectors() {
        let text = |body: &str| fill(&format!("{body}{{crc}}"), 0).unwrap().text;
        assert!(text(&"0".repeat(30)).ends_with(b"2C8GjS"));
        assert!(text(&"A".repeat(30)).ends_with(b"0uCPlr"));
        assert!(text("SYNTHETICnotARealTOKEN00000277").ends_with(b"00ZQI0"));
    }

    #[test]
    fn marks_vanish_and_name_the_secret() {
        let example = fill("a{{b}} «{digit:3}» c", 1).unwrap();
        assert_eq!(example.secrets[0].len(), 3);
        assert_eq!(example.text.len(), "a{b} 000 c".len());
        assert_eq!(example, fill("a{{b}} «{digit:3}» c", 1).unwrap());
        for wrong in ["{nope}", "{alnum:x}", "{alnum:3", "«", "»", "{crc}"] {
            assert!(fill(wrong, 0).is_err(), "{wrong}");
        }
    }
}
