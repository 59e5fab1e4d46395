//! Finds secrets in what a server said of them, whatever they come back as: in
//! another case, percent-encoded, in base64 or base64url, in hex, reversed, cut
//! short, or with other characters strewn in.
//!
//! A server is asked with a secret in hand, so it can always say it back. The
//! forms of a secret are looked for by windows of a few bytes, so that the
//! price of a text does not grow with the number of secrets.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Secret;

/// This many letters and digits of a form give it away, whatever stands between
/// them. The mask of a secret shows less of it in a row.
const RUN: usize = 10;
/// Shorter forms, by their letters and digits, are not looked for: they may be
/// words.
const SHORTEST: usize = 12;
/// Bytes by which forms are found.
const WINDOW: usize = 8;
/// Every run of [`RUN`] bytes holds a window that begins at a multiple of this.
const STRIDE: usize = RUN - WINDOW + 1;
/// Windows of the same bytes that are remembered; more tell nothing new.
const SAME: usize = 8;
/// How many times over percent-encoding is undone.
const ROUNDS: usize = 3;

/// The secrets in all forms.
#[derive(Default)]
pub struct Echoes {
    forms: Vec<(Zeroizing<Vec<u8>>, usize)>,
    /// What each secret is shown as.
    masks: Vec<String>,
    /// Window → forms, and where in them.
    windows: HashMap<[u8; WINDOW], Vec<(usize, usize)>>,
}

/// Bytes of a text to replace.
struct Span {
    start: usize,
    end: usize,
    secret: usize,
}

impl std::fmt::Debug for Echoes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Echoes({} secrets)", self.masks.len())
    }
}

impl Echoes {
    /// Prepares to find these secrets.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut echoes = Self::default();
        for secret in secrets {
            for form in forms(secret.expose()) {
                echoes.add(form, echoes.masks.len());
            }
            echoes.masks.push(secret.masked());
        }
        echoes
    }

    /// True if `text` holds one of the secrets, a good piece of one, or what has the
    /// form of a token of npm or GitHub.
    pub fn has(&self, text: &[u8]) -> bool {
        !self.spans(text).is_empty() || has_token(text)
    }

    fn add(&mut self, form: Zeroizing<Vec<u8>>, secret: usize) {
        if form.len() < SHORTEST {
            return;
        }
        for (at, window) in form.windows(WINDOW).enumerate().step_by(STRIDE) {
            let Ok(window) = window.try_into() else { continue };
            let places = self.windows.entry(window).or_default();
            if places.len() < SAME {
                places.push((self.forms.len(), at));
            }
        }
        self.forms.push((form, secret));
    }

    /// `text` with every echo of a secret replaced by its mask.
    pub fn mask<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut spans = self.spans(text);
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        spans.sort_by_key(|span| span.start);
        let (mut out, mut kept) = (Vec::new(), 0);
        for span in spans {
            if span.start >= kept {
                out.extend_from_slice(&text[kept..span.start]);
                out.extend_from_slice(self.masks[span.secret].as_bytes());
            }
            kept = kept.max(span.end);
        }
        out.extend_from_slice(&text[kept..]);
        Cow::Owned(out)
    }

    fn spans(&self, text: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut reading = (!self.forms.is_empty()).then(|| Reading::plain(text));
        for _ in 0..=ROUNDS {
            let Some(this) = reading else { break };
            self.find(&this.letters(), &mut spans);
            reading = this.decoded();
        }
        spans
    }

    fn find(&self, reading: &Reading, spans: &mut Vec<Span>) {
        let mut free = 0;
        let mut at = 0;
        while let Some(window) = reading.bytes.get(at..at + WINDOW) {
            match self.echo(&reading.bytes, window, at, free) {
                Some((start, end, secret)) => {
                    let (start, after) = (reading.at[start].0, reading.at[end - 1].1);
                    spans.push(Span { start, end: after, secret });
                    (free, at) = (end, end);
                }
                None => at += 1,
            }
        }
    }

    /// The longest run of a form around the window at `at`, not before `free`.
    fn echo(
        &self,
        text: &[u8],
        window: &[u8],
        at: usize,
        free: usize,
    ) -> Option<(usize, usize, usize)> {
        let places = self.windows.get(window)?.iter();
        let runs = places.filter_map(|&(form, place)| {
            let (form, secret) = &self.forms[form];
            let before = text[free..at].iter().rev().zip(form[..place].iter().rev());
            let before = before.take_while(|(a, b)| a == b).count();
            let after = text[at..].iter().zip(&form[place..]).take_while(|(a, b)| a == b).count();
            let enough = before + after >= RUN.min(form.len());
            enough.then_some((at - before, at + after, *secret))
        });
        runs.max_by_key(|(start, end, _)| end - start)
    }
}

/// True for the prefix of a token and as much behind it as every such token has.
fn has_token(text: &[u8]) -> bool {
    const STARTS: [&[u8]; 7] =
        [b"npm_", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"];
    const LEAST: usize = 30;
    let is_body = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_';
    let long = |rest: &[u8]| rest.iter().take(LEAST).take_while(is_body).count() == LEAST;
    STARTS.iter().any(|start| {
        memchr::memmem::find_iter(text, start).any(|at| long(&text[at + start.len()..]))
    })
}

/// What a secret may come back as: its letters and digits, [`folded`].
fn forms(secret: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let reversed = secret.iter().rev().copied().collect();
    let hex = secret.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex = hex.map(|half| b"0123456789abcdef"[usize::from(half)]).collect();
    let mut forms = vec![secret.to_vec(), reversed, hex];
    forms.extend((0..3).map(|shift| base64(secret, shift)));
    let fold = |form: Vec<u8>| {
        let form = Zeroizing::new(form);
        Zeroizing::new(form.iter().filter(|b| is_letter(**b)).map(|&b| folded(b)).collect())
    };
    forms.into_iter().map(fold).collect()
}

/// The base64 of a secret that begins `shift` bytes after a group of three,
/// without the characters in which other bytes have a part.
fn base64(secret: &[u8], shift: usize) -> Vec<u8> {
    let mut bytes = Zeroizing::new(vec![0; shift]);
    bytes.extend_from_slice(secret);
    let text = Zeroizing::new(STANDARD.encode(&*bytes));
    let (start, end) = ((8 * shift).div_ceil(6), 8 * bytes.len() / 6);
    text.as_bytes().get(start..end).unwrap_or_default().to_vec()
}

/// The same for upper and lower case.
fn folded(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

/// False for what can be strewn in, or stands for another in an alphabet.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// A text as it is compared, and where each of its bytes comes from.
struct Reading {
    bytes: Vec<u8>,
    /// Where each begins and ends in the text.
    at: Vec<(usize, usize)>,
}

impl Reading {
    fn plain(text: &[u8]) -> Self {
        let bytes = text.iter().map(|&byte| folded(byte)).collect();
        Self { bytes, at: (0..text.len()).map(|at| (at, at + 1)).collect() }
    }

    /// The same without what does not count.
    fn letters(&self) -> Self {
        let kept = self.bytes.iter().zip(&self.at).filter(|(byte, _)| is_letter(**byte));
        let (bytes, at) = kept.map(|(&byte, &at)| (byte, at)).unzip();
        Self { bytes, at }
    }

    /// The text with its percent-encoding undone; none if it has none.
    fn decoded(&self) -> Option<Self> {
        let mut reading = Self { bytes: Vec::new(), at: Vec::new() };
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let code = self.bytes.get(at..at + 3).and_then(percent);
            reading.bytes.push(folded(code.unwrap_or(byte)));
            let next = at + if code.is_some() { 3 } else { 1 };
            reading.at.push((self.at[at].0, self.at[next - 1].1));
            at = next;
        }
        (reading.bytes.len() < self.bytes.len()).then_some(reading)
    }
}

/// `%6e` → `n`.
fn percent(code: &[u8]) -> Option<u8> {
    let [b'%', high, low] = code else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Mask;
    use crate::model::echo::is_letter;

    fn masked(secret: &str, text: &str) -> String {
        let secret = Secret::new(secret.as_bytes(), Mask::All);
        let echoes = Echoes::new([&secret].into_iter());
        String::from_utf8_lossy(&echoes.mask(text.as_bytes())).into_owned()
    }

    #[test]
    fn an_echo_is_masked_and_the_rest_is_kept() {
        let secret = "Sec_ret-0123456789abcdefXYZ";
        let mask = |text: &str| masked(secret, text);
        assert_eq!(mask("nothing of the kind"), "nothing of the kind");
        assert_eq!(mask("<sec_RET-0123456789abcdefxyz>"), "<‹27 bytes›>");
        assert_eq!(mask("a Sec%5fret%2D0123456789abcdefXYZ b"), "a ‹27 bytes› b");
        assert_eq!(mask("a Sec%255fret-0123456789abcdefXYZ b"), "a ‹27 bytes› b");
        assert_eq!(mask("ZYXfedcba9876543210-ter_ceS"), "‹27 bytes›");
        assert_eq!(mask("cut: Sec_ret-01234567"), "cut: ‹27 bytes›");
        assert_eq!(mask("head: Sec_ret-012"), "head: Sec_ret-012", "a mask may show as much");
        assert_eq!(mask("x@S.e.c.r.e.t.0.1.2.3.4 y"), "x@‹27 bytes› y");
        assert_eq!(
            mask("x@Sec_ret-01.com, @23456789abcdef.org"),
            "x@Sec_ret-01.com, @‹27 bytes›.org"
        );
        assert_eq!(mask("%%% 100%"), "%%% 100%");
    }

    #[test]
    fn words_are_no_secrets() {
        assert_eq!(masked("password", "the password"), "the password");
        assert_eq!(masked("correct horse", "a correct horse."), "a ‹13 bytes›.");
    }

    proptest! {
        #[test]
        fn base64_is_found_wherever_it_begins(
            secret in "[a-zA-Z0-9]{24,60}", before in "[ -~]{0,9}", after in "[ -~]{0,9}",
        ) {
            let text = STANDARD.encode(format!("{before}{secret}{after}"));
            let url = text.replace('+', "-").replace('/', "_");
            for text in [text, url] {
                let out = masked(&secret, &text);
                prop_assert!(out.contains("bytes›"), "{out}");
                // What is left beside the mask: what was beside the secret, and
                // the characters that it shares with the secret.
                let left = out.chars().count().saturating_sub("‹24 bytes›".chars().count());
                prop_assert!(left <= (before.len() + after.len()) * 4 / 3 + 8, "{out}");
            }
        }

        #[test]
        fn any_text_is_taken(text: Vec<u8>, secret: Vec<u8>) {
            let secret = Secret::new(&secret, Mask::All);
            let echoes = Echoes::new([&secret].into_iter());
            let _ = echoes.mask(&text);
            let twice = [&text[..], secret.expose(), &text].concat();
            let out = echoes.mask(&twice);
            let whole = secret.expose();
            if whole.iter().filter(|b| is_letter(**b)).count() >= SHORTEST {
                prop_assert!(!out.windows(whole.len()).any(|part| part == whole));
            }
        }
    }
}
