//! The last door: what every string passes on its way into a report.
//!
//! A path, a variable, a user name or a message of the system is text that
//! somebody else chose. It may carry escape sequences for the terminal, turn
//! the reading direction round, break a line to forge the next, hide itself,
//! or not be text at all. It may also spell a secret: a file can be named
//! after its token.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde_json::ser::Formatter;

use crate::model::echo::Echoes;
use crate::model::{Finding, Outcome, Report, Secret};

/// True for characters that show nothing and do something: controls, bidi
/// controls, line separators, zero-width and other format characters, tags.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Bytes as text in which everything can be seen, and told apart: hidden
/// characters as `\n`, `\x1b` or `\u{202e}`, bytes that are not UTF-8 as
/// `\xff`, a backslash as `\\`.
pub fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if !is_hidden(c) => out.push(c),
                c if c.is_ascii() => push(&mut out, format_args!("\\x{:02x}", u32::from(c))),
                c => push(&mut out, format_args!("\\u{{{:x}}}", u32::from(c))),
            }
        }
        push_bytes(&mut out, chunk.invalid());
    }
    out
}

/// Bytes as text, exact where they are UTF-8; other bytes as `\xff`. For
/// formats that escape hidden characters on their own, as [`JsonDoor`] does.
pub fn exact(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        push_bytes(&mut out, chunk.invalid());
    }
    Cow::Owned(out)
}

fn push_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        push(out, format_args!("\\x{byte:02x}"));
    }
}

fn push(out: &mut String, args: std::fmt::Arguments<'_>) {
    out.write_fmt(args).expect("a String takes all");
}

/// Shorter secrets are not looked for in other strings: they may be words, and
/// a path must stay a path.
const SHORTEST: usize = 16;

/// Masks the secrets of a report, in their own field and wherever else they
/// are spelt.
pub struct Masker<'a> {
    show: bool,
    report: &'a Report,
    by_start: HashMap<&'a [u8], Vec<&'a Secret>>,
    /// Made when a server has said something.
    echoes: OnceLock<Echoes>,
}

impl<'a> Masker<'a> {
    /// A masker for all secrets of `report`, or one that masks nothing.
    pub fn new(report: &'a Report, show: bool) -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        let secrets = report.findings.iter().map(|finding| &finding.secret);
        for secret in secrets.filter(|secret| !show && secret.expose().len() >= SHORTEST) {
            by_start.entry(&secret.expose()[..SHORTEST]).or_default().push(secret);
        }
        Self { show, report, by_start, echoes: OnceLock::new() }
    }

    /// The secret as it may be written.
    pub fn secret<'s>(&self, secret: &'s Secret) -> Cow<'s, [u8]> {
        if self.show {
            Cow::Borrowed(secret.expose())
        } else {
            Cow::Owned(secret.masked().into_bytes())
        }
    }

    /// `bytes` with every secret in it masked.
    pub fn mask<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let mut out = Vec::new();
        let (mut kept, mut at) = (0, 0);
        while at + SHORTEST <= bytes.len() && !self.by_start.is_empty() {
            let Some(secret) = self.starting(&bytes[at..]) else {
                at += 1;
                continue;
            };
            out.extend_from_slice(&bytes[kept..at]);
            out.extend_from_slice(secret.masked().as_bytes());
            at += secret.expose().len();
            kept = at;
        }
        if kept == 0 {
            return Cow::Borrowed(bytes);
        }
        out.extend_from_slice(&bytes[kept..]);
        Cow::Owned(out)
    }

    /// `bytes` masked, and made [`visible`].
    pub fn visible(&self, bytes: impl AsRef<[u8]>) -> String {
        visible(&self.mask(bytes.as_ref()))
    }

    /// What a server, a list or a lockfile told, with every secret in it
    /// masked; those that some server was asked with also if they come back in
    /// another case, percent-encoded, in base64, in hex, reversed or cut short.
    pub fn mask_told<'b>(&self, text: &'b str) -> Cow<'b, [u8]> {
        if self.show {
            return Cow::Borrowed(text.as_bytes());
        }
        let sent = || self.report.findings.iter().filter(|finding| was_sent(finding));
        let echoes = self.echoes.get_or_init(|| Echoes::new(sent().map(|finding| &finding.secret)));
        match echoes.mask(text.as_bytes()) {
            Cow::Borrowed(text) => self.mask(text),
            Cow::Owned(text) => Cow::Owned(self.mask(&text).into_owned()),
        }
    }

    /// What was told, masked and made [`visible`].
    pub fn told(&self, text: &str) -> String {
        visible(&self.mask_told(text))
    }

    /// The longest secret that `bytes` begins with.
    fn starting(&self, bytes: &[u8]) -> Option<&'a Secret> {
        let same_start = self.by_start.get(&bytes[..SHORTEST])?;
        let here = same_start.iter().filter(|secret| bytes.starts_with(secret.expose()));
        here.copied().max_by_key(|secret| secret.expose().len())
    }
}

/// True if some server may know the secret of a finding from us.
fn was_sent(finding: &Finding) -> bool {
    let Finding { validation, blast_radius, .. } = finding;
    let asked = !matches!(validation.outcome, Outcome::NotAttempted | Outcome::Skipped);
    asked || !validation.evidence.is_empty() || blast_radius.is_some()
}

/// A JSON formatter that writes hidden characters as `\uXXXX`: the text that
/// is read back is exact, and the bytes are safe to look at.
pub struct JsonDoor<F>(pub F);

impl<F: Formatter> Formatter for JsonDoor<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        // The usual fragment hides nothing: look once, write once.
        if !text.chars().any(is_hidden) {
            return out.write_all(text.as_bytes());
        }
        let mut buffer = [0; 4];
        for c in text.chars() {
            if !is_hidden(c) {
                out.write_all(c.encode_utf8(&mut buffer).as_bytes())?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize as _;
    use serde_json::ser::CompactFormatter;

    use super::*;

    #[test]
    fn hidden_characters_become_visible_and_stay_apart() {
        assert_eq!(visible(b"a\x1b[31m\n\t\r\0\x7f"), r"a\x1b[31m\n\t\r\x00\x7f");
        assert_eq!(
            visible("\u{202e}gpj\u{feff}\u{9b}\u{e0041}".as_bytes()),
            r"\u{202e}gpj\u{feff}\u{9b}\u{e0041}"
        );
        assert_eq!(visible(b"\xff\xfe \\xff \xe2\x80"), r"\xff\xfe \\xff \xe2\x80");
        assert_eq!(visible("grüße/日本.txt".as_bytes()), "grüße/日本.txt");
        assert_eq!(exact(b"a\xff\\\n"), "a\\xff\\\n");
    }

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        let mut serializer =
            serde_json::Serializer::with_formatter(&mut out, JsonDoor(CompactFormatter));
        text.serialize(&mut serializer).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_keeps_hidden_characters_as_escapes() {
        assert_eq!(
            json("a\x1b\n\x7f\u{202e}\u{e0041}é"),
            r#""a\u001b\n\u007f\u202e\udb40\udc41é""#
        );
    }

    proptest! {
        #[test]
        fn nothing_hidden_comes_out(bytes: Vec<u8>, text: String) {
            prop_assert!(!visible(&bytes).chars().any(is_hidden));
            prop_assert!(!visible(text.as_bytes()).chars().any(is_hidden));
            prop_assert!(!json(&text).chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&json(&text)).unwrap(), text);
        }

        #[test]
        fn different_bytes_look_different(
            a in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), Just(0xff), Just(b'\n'), Just(b'n')], 0..6),
            b in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), Just(0xff), Just(b'\n'), Just(b'n')], 0..6),
        ) {
            prop_assert_eq!(a == b, visible(&a) == visible(&b));
        }
    }
}
