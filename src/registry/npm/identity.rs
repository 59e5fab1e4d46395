//! Is a token alive, and whose is it?
//!
//! `GET /-/whoami` is the one question that every kind of token of npm's
//! registry answers. What each status means there is written down here;
//! a status that is not explained there is *unknown*, never a guess. Sources: the
//! response checks of the npm client (`npm-registry-fetch`), its own `whoami`,
//! npm's API documentation, and reports of what the registry answered.

use crate::model::{Checksum, Evidence, Identity, Outcome, Secret, Validation, is_npm_registry};
use crate::registry::request::told;
use crate::registry::{Answer, Ask, Carried, NoAnswer, Request};

/// A token and the registry that it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The token.
    pub secret: &'a Secret,
    /// Host of the registry, with its port if it is not the scheme's own.
    pub host: &'a str,
}

impl Bound<'_> {
    /// A question that carries the token. `None` if the token is no text that a
    /// header can hold.
    pub fn get(&self, path: impl Into<String>) -> Option<Request> {
        let token = std::str::from_utf8(self.secret.expose()).ok()?;
        let fits = token.bytes().all(|b| b.is_ascii_graphic());
        let shown = format!("Bearer {}", self.secret.masked());
        let carried = fits.then(|| Carried::new(format!("Bearer {token}"), shown))?;
        let request = Request { cap: SMALL, ..Request::get(self.host, path) };
        Some(request.with_secret("authorization", carried))
    }

    fn is_npm(&self) -> bool {
        is_npm_registry(self.host)
    }
}

/// Most bytes of an answer to a question about one token: JSON takes a hundred
/// times as much memory as its text.
const SMALL: usize = 64 << 10;

const WHOAMI: &str = "/-/whoami";
const STAGE: &str = "/-/stage?page=0&perPage=1";
const PROFILE: &str = "/-/npm/v1/user";

/// Asks the registry whose a token is: one request, and a second one if the
/// first says that the token is dead although its checksum says that npm made it.
pub fn identify(ask: &dyn Ask, bound: &Bound<'_>, checksum: Checksum) -> Validation {
    let mut talk = Talk { ask, bound, validation: Validation::default() };
    let first = talk.ask(WHOAMI, None, if bound.is_npm() { whoami } else { whoami_elsewhere });
    let again = match (&first, bound.is_npm()) {
        (Said::Dead(_), true) if checksum == Checksum::Valid => {
            Some((STAGE, ONLY_401, stage as Read))
        }
        (Said::Nobody(_), false) => Some((PROFILE, ONLY_NOBODY, profile_elsewhere as Read)),
        (Said::Rehearsed, true) => Some((STAGE, ONLY_401, stage as Read)),
        _ => None,
    };
    let said = match again {
        Some((path, only_if, read)) => talk.ask(path, Some(only_if), read),
        None => first,
    };
    talk.conclude(said)
}

const ONLY_401: &str = "only if whoami says 401 to a token whose checksum is right";
const ONLY_NOBODY: &str = "only if whoami names no user";

type Read = fn(&Answer) -> Said;

/// What an answer says of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Active(Option<String>, &'static str),
    Restricted(&'static str),
    Dead(&'static str),
    /// A registry that names no user, as some do for dead and anonymous alike.
    Nobody(&'static str),
    Unknown(String),
    /// The request was not made, and why.
    NotAsked(String),
    Rehearsed,
}

/// A conversation about one token.
struct Talk<'a> {
    ask: &'a dyn Ask,
    bound: &'a Bound<'a>,
    validation: Validation,
}

impl Talk<'_> {
    fn ask(&mut self, path: &str, only_if: Option<&'static str>, read: Read) -> Said {
        let Some(mut request) = self.bound.get(path) else {
            return Said::Unknown("the token holds characters that no request can carry".into());
        };
        request.only_if = only_if;
        let (status, said) = match self.ask.ask(&request) {
            Ok(answer) => (Some(answer.status), read(&answer)),
            Err(NoAnswer::Rehearsed) => return Said::Rehearsed,
            Err(NoAnswer::NotAllowed(why)) => return Said::NotAsked(why),
            Err(why) => (None, Said::Unknown(why.words().to_owned())),
        };
        let meaning = said.words().to_owned();
        self.validation.evidence.push(Evidence {
            request: told(self.ask, &request),
            status,
            meaning,
        });
        said
    }

    fn conclude(mut self, said: Said) -> Validation {
        self.validation.words = said.words().to_owned();
        self.validation.outcome = match said {
            Said::Active(user, _) => {
                self.validation.identity =
                    user.map(|user| Identity { user: Some(user), ..Identity::default() });
                Outcome::Active
            }
            Said::Restricted(_) => Outcome::Restricted,
            Said::Dead(_) => Outcome::Dead,
            Said::Nobody(_) | Said::Unknown(_) => Outcome::Unknown,
            // After a first answer that settled nothing it is not known.
            Said::NotAsked(_) if !self.validation.evidence.is_empty() => Outcome::Unknown,
            Said::NotAsked(_) | Said::Rehearsed => Outcome::Skipped,
        };
        self.validation
    }
}

impl Said {
    fn words(&self) -> &str {
        match self {
            Self::Active(_, words)
            | Self::Restricted(words)
            | Self::Dead(words)
            | Self::Nobody(words) => words,
            Self::Unknown(words) | Self::NotAsked(words) => words,
            Self::Rehearsed => "a rehearsal: nothing was sent",
        }
    }
}

/// What `/-/whoami` of npm's own registry says.
fn whoami(answer: &Answer) -> Said {
    match answer.status {
        200 => named(answer).unwrap_or_else(|why| Said::Unknown(why.into())),
        401 => refused(answer),
        403 => forbidden(answer),
        other => unexplained(other),
    }
}

/// The same of another registry, where only a user name is certain: some
/// (Verdaccio) answer 200 to everybody, and what a 401 means is their own.
fn whoami_elsewhere(answer: &Answer) -> Said {
    match answer.status {
        200 => match named(answer) {
            Ok(said) => said,
            Err(_) if is_object(answer) => Said::Nobody(
                "the registry answers, and names no user: it does so for dead tokens too",
            ),
            Err(why) => Said::Unknown(why.into()),
        },
        401 if challenge(answer).is_some() => refused(answer),
        401 => Said::Unknown(
            "401, and what that means is this registry's own: it may want another path".into(),
        ),
        other => unexplained(other),
    }
}

/// The profile of a registry that names no user: Verdaccio says 401 here for
/// tokens that it does not know.
fn profile_elsewhere(answer: &Answer) -> Said {
    let name = answer.json().and_then(|json| Some(json.get("name")?.as_str()?.to_owned()));
    match (answer.status, name) {
        (200, Some(name)) if is_user_name(&name) => {
            Said::Active(Some(name), "alive: the registry tells its profile")
        }
        (401, _) => Said::Dead("dead: the registry names no user for it, and refuses the profile"),
        (other, _) => unexplained(other),
    }
}

/// The list of staged releases: the one documented question to which npm's
/// registry takes every kind of token.
fn stage(answer: &Answer) -> Said {
    let listed =
        answer.json().is_some_and(|json| json.get("items").is_some_and(|it| it.is_array()));
    match answer.status {
        200 if listed => {
            Said::Active(None, "alive: it may list staged releases, though not ask whose it is")
        }
        401 => match refused(answer) {
            Said::Dead(_) => Said::Dead("dead: two endpoints refuse it with a plain 401"),
            said => said,
        },
        403 => forbidden(answer),
        other => unexplained(other),
    }
}

/// The user of a 200, or why that is none.
fn named(answer: &Answer) -> Result<Said, &'static str> {
    let json = answer
        .json()
        .ok_or("200 without JSON: a portal or proxy answers in the registry's place")?;
    match json.get("username").and_then(|name| name.as_str()) {
        Some(name) if is_user_name(name) => {
            Ok(Said::Active(Some(name.to_owned()), "alive: the registry names its user"))
        }
        Some(_) => Err("200 with something that is no user name"),
        None => Err("200 without a user name: not what npm's registry answers"),
    }
}

/// A 401: a second factor or another address may be wanted, and then it is alive.
fn refused(answer: &Answer) -> Said {
    match challenge(answer) {
        Some(said) => said,
        None if is_page(answer) => Said::Unknown(
            "401 with a web page: a portal or proxy answers in the registry's place".into(),
        ),
        None => Said::Dead("dead: the registry refuses it with a plain 401"),
    }
}

fn challenge(answer: &Answer) -> Option<Said> {
    let wanted = answer.header("www-authenticate").unwrap_or_default().to_ascii_lowercase();
    let wants = |word| wanted.split([',', ' ']).any(|part| part.trim() == word);
    let text = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    if wants("ipaddress") {
        return Some(Said::Restricted("alive: bound to other addresses than this one"));
    }
    (wants("otp") || text.contains("one-time pass"))
        .then_some(Said::Restricted("alive: the registry wants a second factor"))
}

/// A 403: the registry knows the token and does not let it. Only its own words in
/// JSON prove that; firewalls and proxies answer 403 to whatever comes.
fn forbidden(answer: &Answer) -> Said {
    if let Some(said) = challenge(answer) {
        return said;
    }
    if is_page(answer) {
        return Said::Unknown(
            "403 with a web page: a firewall answers in the registry's place".into(),
        );
    }
    if !is_refusal(answer) {
        return Said::Unknown(
            "403 without the words of a registry: a firewall may answer in its place".into(),
        );
    }
    Said::Restricted("alive: known to the registry, and not allowed here")
}

/// True for an object with a reason in it, and for an empty body that is said to
/// be JSON.
fn is_refusal(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let is_empty = answer.body.trim_ascii().is_empty() && !answer.cut;
    let says =
        |json: serde_json::Value| ["error", "message"].iter().any(|it| json[*it].is_string());
    answer.json().is_some_and(says) || is_empty && kind.starts_with("application/json")
}

fn unexplained(status: u16) -> Said {
    Said::Unknown(match status {
        200 => "200 with an answer that is not the expected one".into(),
        300..=399 => format!("{status}: sends us elsewhere; a credential is not taken along"),
        404 => "404: the registry has no such endpoint".into(),
        407 => "407: a proxy wants a password".into(),
        429 => "429: the registry has too many requests; ask again later".into(),
        500..=599 => format!("{status}: the registry is out of order; ask again later"),
        _ => format!("{status}, which nothing explains"),
    })
}

/// True for a page that is meant for a browser.
fn is_page(answer: &Answer) -> bool {
    let html = answer
        .header("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    html || answer.body.trim_ascii_start().starts_with(b"<")
}

fn is_object(answer: &Answer) -> bool {
    answer.json().is_some_and(|json| json.is_object())
}

/// True for what can be a user name: one that goes into a path, a command and a
/// report. npm's rules for new ones are narrower; old accounts have capitals.
pub fn is_user_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    (1..=100).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::{Mask, NPM_REGISTRY};

    /// Answers from a list, and remembers what was asked.
    struct Script(Mutex<(Vec<Answer>, Vec<String>)>);

    impl Ask for Script {
        fn ask(&self, request: &Request) -> Result<Answer, NoAnswer> {
            let mut state = self.0.lock().unwrap();
            state.1.push(request.path.clone());
            match state.0.is_empty() {
                true => Err(NoAnswer::Failed("no answer in time".into())),
                false => Ok(state.0.remove(0)),
            }
        }
    }

    fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Answer { status, headers: headers.collect(), body: body.into(), cut: false }
    }

    fn ask(host: &str, answers: Vec<Answer>) -> (Validation, Vec<String>) {
        let secret = Secret::new(b"not-a-real-token-0123456789-0123456789", Mask::Ends);
        let script = Script(Mutex::new((answers, Vec::new())));
        let said = identify(&script, &Bound { secret: &secret, host }, Checksum::Valid);
        (said, script.0.into_inner().unwrap().1)
    }

    #[test]
    fn every_status_means_what_the_facts_say() {
        use Outcome::{Active, Dead, Restricted, Unknown};
        let otp = [("www-authenticate", "OTP")];
        let ip = [("www-authenticate", "Basic, ipaddress")];
        let plain = [("www-authenticate", "Basic, Bearer")];
        let html = [("content-type", "text/html")];
        let table = [
            (vec![answer(200, r#"{"username":"alice"}"#, &[])], Active, 1),
            (vec![answer(200, "{}", &[])], Unknown, 1),
            (vec![answer(200, r#"{"username":7}"#, &[])], Unknown, 1),
            (vec![answer(200, "<html>log in</html>", &html)], Unknown, 1),
            (vec![answer(401, "", &plain), answer(401, "", &plain)], Dead, 2),
            (vec![answer(401, "", &plain), answer(200, r#"{"items":[]}"#, &[])], Active, 2),
            (vec![answer(401, "", &plain), answer(403, r#"{"error":"no"}"#, &[])], Restricted, 2),
            (vec![answer(401, "", &plain), answer(503, "", &[])], Unknown, 2),
            (vec![answer(401, "", &plain), answer(404, "", &[])], Unknown, 2),
            (vec![answer(401, "", &plain)], Unknown, 2),
            (vec![answer(401, "", &otp)], Restricted, 1),
            (
                vec![answer(401, r#"{"error":"You must provide a one-time pass."}"#, &[])],
                Restricted,
                1,
            ),
            (vec![answer(401, "", &ip)], Restricted, 1),
            (vec![answer(401, "<html>", &html)], Unknown, 1),
            (vec![answer(403, r#"{"error":"no"}"#, &[])], Restricted, 1),
            (vec![answer(403, "<html>", &html)], Unknown, 1),
            (vec![answer(403, "", &[])], Unknown, 1),
            (vec![answer(403, "Forbidden", &[("content-type", "text/plain")])], Unknown, 1),
            (vec![answer(403, r#"{"ok":false}"#, &[])], Unknown, 1),
            (vec![answer(403, r#"[{"error":"no"}]"#, &[])], Unknown, 1),
            (vec![answer(403, "", &[("content-type", "application/json")])], Restricted, 1),
            (vec![answer(403, r#"{"message":"no"}"#, &[])], Restricted, 1),
            (vec![answer(403, "", &ip)], Restricted, 1),
            (vec![answer(404, "", &[])], Unknown, 1),
            (vec![answer(429, "", &[])], Unknown, 1),
            (vec![answer(503, "", &[])], Unknown, 1),
            (vec![answer(302, "", &[("location", "https://evil.example/")])], Unknown, 1),
            (vec![], Unknown, 1),
        ];
        for (answers, outcome, requests) in table {
            let shown = format!("{answers:?}");
            let (said, asked) = ask(NPM_REGISTRY, answers);
            assert_eq!((said.outcome, asked.len()), (outcome, requests), "{shown}: {}", said.words);
            assert_eq!(said.evidence.len(), requests);
        }
    }

    #[test]
    fn other_registries_have_their_own_ways() {
        use Outcome::{Active, Dead, Unknown};
        let table = [
            (vec![answer(200, r#"{"username":"alice"}"#, &[])], Active),
            (vec![answer(200, "{}", &[]), answer(401, "", &[])], Dead),
            (vec![answer(200, "{}", &[]), answer(200, r#"{"name":"alice"}"#, &[])], Active),
            (vec![answer(200, "{}", &[]), answer(404, "", &[])], Unknown),
            (vec![answer(401, "", &[])], Unknown),
            (vec![answer(403, "{}", &[])], Unknown),
        ];
        for (answers, outcome) in table {
            let shown = format!("{answers:?}");
            assert_eq!(ask("npm.example", answers).0.outcome, outcome, "{shown}");
        }
    }

    #[test]
    fn a_user_name_is_one() {
        for name in ["alice", "a.b-c_d", "Old1"] {
            assert!(is_user_name(name));
        }
        for name in ["", "a b", "../x", "a/b", "\u{1b}[31m", &"a".repeat(101)] {
            assert!(!is_user_name(name));
        }
    }
}
