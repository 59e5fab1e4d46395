//! Asks other issuers than npm whose a credential is, by the checks of the rule
//! files: one read-only request, and an answer that is read by its rows alone.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::request::told;
use super::sigv4::{self, Signer};
use super::{Answer, Ask, Carried, Method, NoAnswer, Request};
use crate::model::{Evidence, Identity, Outcome, Secret, Validation, is_npm_registry};
use crate::rules::check::{Carry, Check, Row, Said, Verb};
use crate::rules::checks;

/// What a request is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The credential.
    pub secret: &'a Secret,
    /// The user name that stands with it.
    pub user: Option<&'a str>,
    /// The host that the text binds it to, if it does.
    pub host: Option<&'a str>,
    /// Findings of other kinds that stand with it, by kind.
    pub companions: &'a BTreeMap<String, &'a Secret>,
    /// Seconds since 1970, for signatures.
    pub now: i64,
}

/// No more bytes of an answer are read.
const CAP: usize = 512 << 10;

/// The hosts that the shipped checks ask.
pub fn hosts() -> impl Iterator<Item = &'static str> {
    checks().iter().map(|check| check.host.as_str()).filter(|host| !host.is_empty())
}

/// The request that a check makes.
///
/// # Errors
/// Why none is made.
pub fn request(check: &Check, inputs: &Inputs<'_>) -> Result<Request, String> {
    if let Some(why) = &check.not_possible {
        return Err(why.clone());
    }
    let mut request =
        Request::get(host(check, inputs)?, check.path.as_str()).of(check.host.as_str());
    request.cap = CAP;
    if check.method == Verb::Post {
        request.method = Method::Post;
        request.body = check.body.clone();
    }
    for (name, value) in &check.headers {
        request.headers.retain(|(known, _)| known != name);
        request.headers.push((name.clone(), value.clone()));
    }
    for other in &check.companions {
        let value = companion(inputs, &other.kind)?;
        let carried = Carried::new(text(value)?.into(), value.masked());
        request.secrets.push((other.header.clone(), carried));
    }
    carry(request, &check.carry, inputs)
}

/// Asks, and reads the answer.
pub fn identify(ask: &dyn Ask, check: &Check, inputs: &Inputs<'_>) -> Validation {
    let request = match request(check, inputs) {
        Ok(request) => request,
        Err(why) => return Validation::skipped(why),
    };
    let mut validation = Validation::default();
    let status;
    (status, validation.outcome, validation.words) = match ask.ask(&request) {
        Ok(answer) => {
            let hidden = hidden(&request, inputs);
            let bound = inputs.host.is_some();
            let (outcome, words, identity) = read_hiding(check, &answer, bound, &hidden);
            validation.identity = identity;
            (Some(answer.status), outcome, words)
        }
        Err(NoAnswer::Failed(why)) => (None, Outcome::Unknown, why),
        Err(why) => return Validation::skipped(why.words()),
    };
    let meaning = validation.words.clone();
    validation.evidence.push(Evidence { request: told(ask, &request), status, meaning });
    validation
}

/// What an answer says: the outcome, the same in words, and whose the credential
/// is if it works. Nothing binds it to the host that was asked.
pub fn read(check: &Check, answer: &Answer) -> (Outcome, String, Option<Identity>) {
    read_hiding(check, answer, false, &[])
}

/// Who is asked: the check's own host, or the one that the text binds the
/// credential to if everybody can run the service.
fn host<'a>(check: &'a Check, inputs: &Inputs<'a>) -> Result<&'a str, String> {
    let Some(bound) = inputs.host else { return Ok(&check.host) };
    let own = [&check.host].into_iter().chain(&check.aliases);
    if own.into_iter().any(|name| bound.eq_ignore_ascii_case(name)) {
        return Ok(&check.host);
    }
    if check.self_hosted && !is_npm_registry(bound) {
        return Ok(bound);
    }
    Err(format!("the text binds it to another host than {}", check.host))
}

fn carry(mut request: Request, carry: &Carry, inputs: &Inputs<'_>) -> Result<Request, String> {
    let secret = text(inputs.secret)?;
    let masked = inputs.secret.masked();
    Ok(match carry {
        Carry::Bearer => {
            let carried = Carried::new(format!("Bearer {secret}"), format!("Bearer {masked}"));
            request.with_secret("authorization", carried)
        }
        Carry::Header { name, prefix } => {
            let carried = Carried::new(format!("{prefix}{secret}"), format!("{prefix}{masked}"));
            request.with_secret(name, carried)
        }
        Carry::BasicUser => basic(request, secret, "", format!("{masked}:")),
        Carry::BasicPassword { user, companion: kind } => {
            let (user, shown) = match (user, kind) {
                (Some(user), _) => (user.as_str(), user.clone()),
                (None, Some(kind)) => {
                    let other = companion(inputs, kind)?;
                    (text(other)?, other.masked())
                }
                (None, None) => {
                    let user = inputs.user.ok_or("it wants the user name that belongs to it")?;
                    (user, user.to_owned())
                }
            };
            if user.contains(':') || user.chars().any(char::is_control) {
                return Err("the user name holds characters that it cannot".into());
            }
            basic(request, user, secret, format!("{shown}:{masked}"))
        }
        Carry::Path => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_:.~".contains(&b);
            if !secret.bytes().all(plain) {
                return Err("it holds characters that no path can carry".into());
            }
            request.path_secret = Some(Carried::new(secret.into(), masked));
            request
        }
        Carry::AwsV4 { key_id, session, region, service } => {
            let key_id = text(companion(inputs, key_id)?)?;
            let token = inputs.companions.get(session).map(|token| text(token)).transpose()?;
            if !["AKIA", "ASIA"].iter().any(|start| key_id.starts_with(start)) {
                return Err("the key id that stands with it is none of an access key".into());
            }
            // A permanent key does not go with a token that happens to stand beside it.
            let temporary = key_id.starts_with("ASIA");
            if temporary && token.is_none() {
                return Err("a temporary key works with its session token only".into());
            }
            let session = token.filter(|_| temporary);
            sigv4::sign(request, &Signer { key_id, secret, session, region, service }, inputs.now)?
        }
    })
}

fn basic(request: Request, user: &str, password: &str, shown: String) -> Request {
    let both = Zeroizing::new(format!("{user}:{password}"));
    let value = format!("Basic {}", STANDARD.encode(both.as_bytes()));
    request.with_secret("authorization", Carried::new(value, format!("Basic {shown}")))
}

fn companion<'a>(inputs: &Inputs<'a>, kind: &str) -> Result<&'a Secret, String> {
    let found = inputs.companions.get(kind).copied();
    found.ok_or_else(|| format!("it works together with a {kind} only, and none stands with it"))
}

/// A secret as text that a header can hold.
fn text(secret: &Secret) -> Result<&str, String> {
    let fits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    let text = std::str::from_utf8(secret.expose()).ok().filter(fits);
    text.ok_or_else(|| "it holds characters that no request can carry".into())
}

/// What must not turn up in anything that is kept of an answer.
fn hidden(request: &Request, inputs: &Inputs<'_>) -> Vec<Zeroizing<String>> {
    let own = [inputs.secret].into_iter().chain(inputs.companions.values().copied());
    let own = own.filter_map(|secret| std::str::from_utf8(secret.expose()).ok());
    let sent = request.secrets.iter().map(|(_, value)| value.expose());
    // Of `Basic …` and `Bearer …` the second word counts.
    let sent = sent.map(|value| value.split_once(' ').map_or(value, |(_, value)| value));
    let mut all: Vec<_> = own.chain(sent).map(|text| Zeroizing::new(text.to_owned())).collect();
    all.retain(|text| !text.is_empty());
    // The longest first: one may stand in another.
    all.sort_by_key(|text| std::cmp::Reverse(text.len()));
    all
}

fn read_hiding(
    check: &Check,
    answer: &Answer,
    bound: bool,
    hidden: &[Zeroizing<String>],
) -> (Outcome, String, Option<Identity>) {
    let page = Page::of(answer);
    let row = check.read.iter().find(|row| page.fits(row));
    let Some(row) = row.filter(|_| !page.is_for_browsers()) else {
        return (Outcome::Unknown, unexplained(&page), None);
    };
    if let Some(place) = row.elsewhere.as_ref().filter(|_| !bound) {
        let words = row.meaning.trim_start_matches("dead: ");
        return (Outcome::Unknown, format!("{words}; it may belong to {place}"), None);
    }
    let outcome = match row.outcome {
        Said::Active => Outcome::Active,
        Said::Restricted => Outcome::Restricted,
        Said::Dead => Outcome::Dead,
        Said::Unknown => Outcome::Unknown,
    };
    // The fields of a refusal have the same names at times, and mean something else.
    let identity = (outcome == Outcome::Active).then(|| page.identity(check, hidden)).flatten();
    (outcome, row.meaning.clone(), identity)
}

/// An answer, taken apart once.
struct Page<'a> {
    answer: &'a Answer,
    json: Option<Value>,
    /// The body in lower case.
    text: String,
}

impl<'a> Page<'a> {
    fn of(answer: &'a Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
        Self { answer, json: answer.json(), text }
    }

    fn fits(&self, row: &Row) -> bool {
        let is = |(pointer, wanted): (&String, &String)| {
            self.at(pointer).and_then(scalar).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let says = |(name, word): (&String, &String)| {
            let value = self.answer.header(name).map(str::to_ascii_lowercase);
            value.is_some_and(|value| value.contains(&word.to_ascii_lowercase()))
        };
        row.status.hold(self.answer.status)
            && row.has.iter().all(|pointer| self.at(pointer).is_some())
            && row.json.iter().all(is)
            && row.header.iter().all(says)
            && (row.text.is_empty()
                || row.text.iter().any(|word| self.text.contains(&word.to_ascii_lowercase())))
    }

    /// True for a page that a portal, a firewall or a proxy shows to people.
    fn is_for_browsers(&self) -> bool {
        let text = self.text.trim_start_matches('\u{feff}').trim_start();
        text.starts_with("<!doctype html") || text.starts_with("<html")
    }

    /// What a pointer leads to, if that is not null.
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.as_ref()?.pointer(pointer).filter(|value| !value.is_null())
    }

    fn identity(&self, check: &Check, hidden: &[Zeroizing<String>]) -> Option<Identity> {
        let from = &check.identity;
        let one = |source: &String| {
            let text = self.texts(source).into_iter().next()?;
            Some(clean(&text, hidden)).filter(|text| !text.is_empty())
        };
        let user = from.user.iter().find_map(one);
        let scopes = from.scopes.iter().flat_map(|source| self.texts(source));
        let scopes = scopes.flat_map(|text| {
            let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
            parts.map(|part| clean(part, hidden)).take(SCOPES_CAP).collect::<Vec<_>>()
        });
        let facts = from.facts.iter();
        let identity = Identity {
            user,
            scopes: scopes.filter(|scope| !scope.is_empty()).take(SCOPES_CAP).collect(),
            facts: facts.filter_map(|(name, from)| Some((name.clone(), one(from)?))).collect(),
        };
        (identity != Identity::default()).then_some(identity)
    }

    /// The texts that a source names: several if it is a list.
    fn texts(&self, source: &str) -> Vec<String> {
        if let Some(name) = source.strip_prefix("header:") {
            return self.answer.header(name).map(str::to_owned).into_iter().collect();
        }
        match self.at(source) {
            Some(Value::Array(list)) => list.iter().take(SCOPES_CAP).filter_map(scalar).collect(),
            Some(value) => scalar(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// No more scopes are kept.
const SCOPES_CAP: usize = 100;
/// No more characters of a text are kept.
const TEXT_CAP: usize = 200;

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A server's text, made harmless: no control or invisible characters, no secret,
/// no whole e-mail address, not long.
fn clean(text: &str, hidden: &[Zeroizing<String>]) -> String {
    let mut text: String = text.chars().filter(|&c| is_visible(c)).collect();
    for secret in hidden {
        if text.contains(secret.as_str()) {
            text = text.replace(secret.as_str(), "‹secret›");
        }
    }
    mask_emails(text.trim()).chars().take(TEXT_CAP).collect()
}

/// False for control characters, and those that turn or hide what stands beside.
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Leaves the first character of what stands before each `@`.
fn mask_emails(text: &str) -> String {
    let is_local = |c: char| c.is_alphanumeric() || "._%+-!#$&'*?^`{|}~".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let kept = before.trim_end_matches(is_local);
        out.push_str(kept);
        if let Some(first) = before[kept.len()..].chars().next() {
            out.extend([first, '…']);
        }
        out.push('@');
        rest = after;
    }
    out + rest
}

fn unexplained(page: &Page<'_>) -> String {
    let status = page.answer.status;
    match status {
        _ if page.is_for_browsers() => {
            format!("{status} with a web page: something else answers in the service's place")
        }
        200 if page.answer.cut => "200 with an answer that is too long or cut off".into(),
        200 => "200 with an answer that is not the expected one".into(),
        300..=399 => format!("{status}: sends us elsewhere; a credential is not taken along"),
        407 => "407: a proxy wants a password".into(),
        429 => "429: the service has too many requests; ask again later".into(),
        500..=599 => format!("{status}: the service is out of order; ask again later"),
        _ => format!("{status}, which nothing explains"),
    }
}
