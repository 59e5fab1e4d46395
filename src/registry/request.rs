//! What is asked, and what comes back.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Reads as well, at services that want it so.
    Post,
    /// Takes a token away; `revoke` alone makes these.
    Delete,
}

impl Method {
    /// As on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A part of a request that holds a secret.
#[derive(Clone)]
pub struct Carried {
    value: Zeroizing<String>,
    shown: String,
}

impl Carried {
    /// `value` goes over the wire, `shown` is what people and logs see of it.
    pub fn new(value: String, shown: impl Into<String>) -> Self {
        Self { value: Zeroizing::new(value), shown: shown.into() }
    }

    /// The value itself. Every caller is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.value
    }

    /// The masked form.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carried({})", self.shown)
    }
}

/// A question to a service.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it does.
    pub method: Method,
    /// The service that made the credential, named by the host that its shipped
    /// check asks; `None` for npm's own questions. A host that is known beforehand
    /// is known to its own service alone.
    pub issuer: Option<String>,
    /// The host that is meant, with its port if it is not the scheme's own:
    /// npm's registry, `api.github.com`, `npm.example:8443`. The client decides
    /// whether it may be asked, and under which address.
    pub host: String,
    /// Path and query, percent-encoded, beginning with `/`. Holds no secret.
    pub path: String,
    /// Plain headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Headers with secrets in them, names in lower case. A request without any
    /// carries no credential at all.
    pub secrets: Vec<(String, Carried)>,
    /// For services that take the secret in the path alone: what is put in place
    /// of the one `{secret}` in `path`.
    pub path_secret: Option<Carried>,
    /// The body of a POST; holds no secret.
    pub body: Option<String>,
    /// Most bytes of the answer that are read.
    pub cap: usize,
    /// For rehearsals: the condition under which the request is made at all, such
    /// as "only if whoami says 401".
    pub only_if: Option<&'static str>,
    /// True for public documents that are fetched by the hundred, which may follow
    /// each other faster than questions about credentials or searches.
    pub light: bool,
}

impl Request {
    /// An answer is cut off behind so many bytes unless its request says otherwise.
    pub const CAP: usize = 1 << 20;

    /// A plain question.
    pub fn get(host: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            issuer: None,
            host: host.into(),
            path: path.into(),
            headers: vec![("accept".into(), "application/json".into())],
            secrets: Vec::new(),
            path_secret: None,
            body: None,
            cap: Self::CAP,
            only_if: None,
            light: false,
        }
    }

    /// The same with a header that holds a secret.
    #[must_use]
    pub fn with_secret(mut self, header: impl Into<String>, value: Carried) -> Self {
        self.secrets.push((header.into(), value));
        self
    }

    /// The same about a credential of the service whose check asks `host`.
    #[must_use]
    pub fn of(mut self, host: impl Into<String>) -> Self {
        self.issuer = Some(host.into());
        self
    }

    /// The same, made only under a condition.
    #[must_use]
    pub fn only_if(mut self, condition: &'static str) -> Self {
        self.only_if = Some(condition);
        self
    }

    /// True if a piece of what the request carries stands in its path: a server
    /// can hand out links and ids in which it hides the token that it was asked
    /// with, and paths are logged everywhere.
    pub fn tells_its_secret(&self) -> bool {
        self.secrets.iter().any(|(_, secret)| shares_a_piece(secret.expose(), &self.path))
    }

    /// Where an answer to this counts: an answer of a stand-in is not one of the
    /// host that it stands in for.
    pub fn line_at(&self, base: &str) -> String {
        format!("{} {base}{}", self.method.word(), self.path)
    }

    /// `GET https://host/path`, for people; holds no secret.
    pub fn line(&self) -> String {
        format!("{} https://{}{}", self.method.word(), self.host, self.path)
    }
}

/// Characters of a secret that nobody meets by chance.
const PIECE: usize = 10;

/// True if so many characters of `secret` in a row stand in `text`, whatever their
/// case and whatever stands between them.
pub fn shares_a_piece(secret: &str, text: &str) -> bool {
    let plain = |text: &str| -> Vec<u8> {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|byte| byte.to_ascii_lowercase()).collect()
    };
    let (secret, text) = (plain(secret), plain(text));
    secret.windows(PIECE).any(|piece| memchr::memmem::find(&text, piece).is_some())
}

/// What a service answered, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case; of repeated ones all values, joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// True if the body was longer than the request's cap, or ended early.
    pub cut: bool,
}

impl Answer {
    /// A header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body as JSON; `None` if it is cut off or is none.
    pub fn json(&self) -> Option<serde_json::Value> {
        if self.cut { None } else { serde_json::from_slice(&self.body).ok() }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The request was not made: the host, its address or the budget forbids it.
    NotAllowed(String),
    /// The request was not made: this is a rehearsal.
    Rehearsed,
    /// The service could not be reached, or did not answer in time.
    Failed(String),
}

impl NoAnswer {
    /// For people.
    pub fn words(&self) -> &str {
        match self {
            Self::NotAllowed(why) | Self::Failed(why) => why,
            Self::Rehearsed => "a rehearsal: nothing was sent",
        }
    }
}

/// What a request was, for people: with the address that stood in for its host.
pub(super) fn told(ask: &dyn Ask, request: &Request) -> String {
    match ask.address_of(&request.host) {
        Some(address) if address != format!("https://{}", request.host) => {
            format!("{} (at {address})", request.line())
        }
        _ => request.line(),
    }
}

/// Whoever can be asked: the network, or a test.
pub trait Ask: Sync {
    /// Asks, waiting its turn.
    ///
    /// # Errors
    /// Why there is no answer. A refusal of the service is an answer.
    fn ask(&self, request: &Request) -> Result<Answer, NoAnswer>;

    /// The address under which a host is asked, without a path of a request.
    fn address_of(&self, host: &str) -> Option<String> {
        Some(format!("https://{host}"))
    }

    /// Path and query of a link that an answer of `host` gives to what follows.
    /// `None` if it leads to anybody else.
    fn path_of(&self, host: &str, link: &str) -> Option<String> {
        same_origin(&format!("https://{host}"), link)
    }
}

/// What stands behind `base` in `link`, if it is below `base` or names no host.
pub(super) fn same_origin(base: &str, link: &str) -> Option<String> {
    let path = match link.strip_prefix(base) {
        Some(path) => path,
        None if link.starts_with("//") || link.contains("://") => return None,
        None => link,
    };
    let plain = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (path.starts_with('/') && !path.starts_with("//") && plain && path.len() < 2048)
        .then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_where_they_are() {
        let base = "https://npm.example/x";
        for (link, path) in [
            ("/-/tokens?page=1", Some("/-/tokens?page=1")),
            ("https://npm.example/x/-/t", Some("/-/t")),
            ("https://npm.example/y/-/t", None),
            ("https://npm.example.evil/x/-/t", None),
            ("https://npm.example/x@evil/-/t", None),
            ("//evil/-/t", None),
            ("https://npm.example/x//evil/-/t", None),
            ("/\\evil", None),
            ("http://npm.example/x/-/t", None),
            ("page=2", None),
            ("", None),
        ] {
            assert_eq!(same_origin(base, link).as_deref(), path, "{link}");
        }
    }
}
