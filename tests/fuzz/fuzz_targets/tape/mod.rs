//! A service that answers from a tape: what the fuzzer makes are statuses,
//! headers and bodies, in the order in which they are given out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokensweep::registry::{Answer, Ask, NoAnswer, Request};

/// Stands for the secret in a body or a header.
const SECRET: u8 = 0x01;
/// Introduces a part of an honest document; the next byte chooses it.
const PART: u8 = 0x02;

/// What honest services say: a fuzzer alone would not come upon these fields.
const PARTS: [&str; 16] = [
    r#"{"username":"alice"}"#,
    r#"{"objects":[{"token":"npm_AAAA...AAAA","key":"0-0-0-0","cidr_whitelist":["10.0.0.0/8"],"#,
    r#""readonly":false,"bypass_2fa":true,"permissions":[{"name":"package","action":"write"}],"#,
    r#""scopes":[{"name":"@a","type":"org"}],"created":"2026-01-01T00:00:00Z","expiry":null}]"#,
    r#","urls":{"next":"/-/npm/v1/tokens?page=1"},"total":2}"#,
    r#"{"name":"alice","email":"a@b.example","tfa":{"mode":"auth-only"},"created":"2020-01-01"}"#,
    r#"{"total":1,"objects":[{"package":{"name":"a","version":"1.0.0","date":"2026-01-01","#,
    r#""maintainers":[{"username":"alice"}],"publisher":{"username":"alice"}},"dependents":"9","#,
    r#""downloads":{"weekly":7}}]}"#,
    r#"{"name":"a","dist-tags":{"latest":"1.0.0"},"maintainers":[{"name":"alice"}],"versions":{"#,
    r#""1.0.0":{"name":"a","version":"1.0.0","scripts":{"postinstall":"x"},"dist":{}}},"#,
    r#""time":{"created":"2026-01-01T00:00:00Z","1.0.0":"2026-01-02T00:00:00Z","1.0.1":"x"}}"#,
    r#"{"a":"write","@a/b":"read"}"#,
    r#"{"attestations":[{"bundle":{"dsseEnvelope":{"payload":""}}}]}"#,
    r#"{"downloads":7,"package":"a"}"#,
    "<!doctype html><html>",
];

const HEADERS: [&str; 6] =
    ["www-authenticate", "retry-after", "location", "npm-notice", "x-oauth-scopes", "content-type"];

const STATUSES: [u16; 12] = [200, 200, 200, 401, 403, 404, 429, 500, 302, 204, 407, 999];

/// The answers of a tape, one after the other, and from the first again.
pub struct Tape {
    answers: Vec<Result<Answer, NoAnswer>>,
    next: AtomicUsize,
}

impl Tape {
    /// Reads a tape: for each answer its status, a header and its length, its
    /// body's length, and then both.
    pub fn new(mut input: &[u8], secret: &[u8]) -> Self {
        let mut answers = Vec::new();
        while let [status, name, header, low, high, rest @ ..] = input {
            let (value, rest) = rest.split_at(usize::from(*header % 64).min(rest.len()));
            let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
            let (body, rest) = rest.split_at(length);
            answers.push(answer(*status, *name, &filled(value, secret), filled(body, secret)));
            input = rest;
        }
        Self { answers, next: AtomicUsize::new(0) }
    }
}

fn answer(status: u8, name: u8, value: &[u8], body: Vec<u8>) -> Result<Answer, NoAnswer> {
    if status == u8::MAX {
        return Err(NoAnswer::Failed("no answer in time".into()));
    }
    let name = HEADERS[usize::from(name) % HEADERS.len()].to_owned();
    let headers = BTreeMap::from([(name, String::from_utf8_lossy(value).into_owned())]);
    let number = STATUSES[usize::from(status) % STATUSES.len()];
    Ok(Answer { status: number, headers, body, cut: status >= 240 })
}

/// The text in which marks are replaced by what they stand for.
pub fn filled(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match tail {
            _ if *first == SECRET => out.extend_from_slice(secret),
            [part, tail @ ..] if *first == PART => {
                out.extend_from_slice(PARTS[usize::from(*part) % PARTS.len()].as_bytes());
                rest = tail;
            }
            _ => out.push(*first),
        }
    }
    out
}

impl Ask for Tape {
    fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        // Pages go on for ever only where the reader's own bound is missing.
        assert!(n < 100_000, "{}", request.line());
        match self.answers.get(n % self.answers.len().max(1)) {
            Some(answer) => answer.clone(),
            None => Err(NoAnswer::Failed("nobody is there".into())),
        }
    }
}
