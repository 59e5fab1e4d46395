//! The parts of a URL that credentials are bound by.

/// Host of a URL's text (`https://user:pass@host:port/path`, `//host/path`, or
/// `host/path`), in lower case, with its port unless that is the one of HTTPS or
/// HTTP: `localhost:4873` and `localhost:8080` are two registries. `None` if what
/// stands there can be no host name.
pub fn host(url: &[u8]) -> Option<String> {
    let rest = match url.windows(2).position(|pair| pair == b"//") {
        Some(at) if at == 0 || url[at - 1] == b':' => &url[at + 2..],
        _ => url,
    };
    let end =
        rest.iter().position(|b| b"/?#\"' \t,;`\\<>)}\r\n\0".contains(b)).unwrap_or(rest.len());
    let authority = &rest[..end];
    let authority = match authority.iter().rposition(|&b| b == b'@') {
        Some(at) => &authority[at + 1..],
        None => authority,
    };
    let name = match authority {
        [b'[', ..] => &authority[..authority.iter().position(|&b| b == b']')? + 1],
        _ => &authority[..authority.iter().position(|&b| b == b':').unwrap_or(authority.len())],
    };
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(b);
    let whole = !name.is_empty() && name.len() <= 253 && name.iter().all(fits);
    let host = (whole && name.iter().any(u8::is_ascii_alphanumeric))
        .then(|| super::text(name).to_ascii_lowercase())?;
    Some(match port(&authority[name.len()..])? {
        80 | 443 => host,
        port => format!("{host}:{port}"),
    })
}

/// The number of `:port`, that of HTTPS if there is none; `None` if what stands
/// there is no port: whose host that is nobody can say.
fn port(text: &[u8]) -> Option<u16> {
    let text = text.strip_prefix(b":").unwrap_or(text);
    // `//host:_authToken` without the slash is a key.
    if text.is_empty() || text.starts_with(b"_") {
        return Some(443);
    }
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // A sentence may end behind it.
    let ends = text[digits..].iter().all(|byte| !byte.is_ascii_alphanumeric());
    let number = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    (ends && number != 0).then_some(number)
}

/// Host and port of the URL in whose user or password a value stands that ends at
/// `end`: `https://VALUE@host/`, `https://VALUE:x-oauth-basic@host/`.
pub fn host_behind(bytes: &[u8], end: usize) -> Option<String> {
    let rest = bytes.get(end..)?;
    let at = match rest.first()? {
        b'@' => 0,
        b':' => rest.iter().take(64).position(|b| b"@/\"'` \t\r\n\0".contains(b))?,
        _ => return None,
    };
    (rest[at] == b'@').then(|| host(&rest[at + 1..rest.len().min(at + 300)])).flatten()
}

/// A host without the port that may stand behind it.
pub fn without_port(host: &str) -> &str {
    let colon = host.rfind(':').filter(|at| !host[*at..].contains(']'));
    colon.map_or(host, |at| &host[..at])
}

/// User name of `user:password@`, percent-decoded.
pub fn user_before(bytes: &[u8], password: usize) -> Option<String> {
    let before = bytes.get(..password.checked_sub(1)?)?;
    let length =
        before.iter().rev().take(128).take_while(|b| !b"/@=\"' \t\r\n\0:".contains(b)).count();
    // The dash is that of `${NAME:-user:password}`.
    let user = &before[before.len() - length..];
    let user = user.strip_prefix(b"-").unwrap_or(user);
    (!user.is_empty()).then(|| decode(user))
}

/// Percent-decodes; what is no valid code stays as it is.
pub fn decode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = match bytes.get(at..at + 3) {
            Some([b'%', hex @ ..]) => {
                std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    super::text(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (url, expected) in [
            ("https://u:p@H.Example:8443/x", Some("h.example:8443")),
            ("https://h.example:443/x", Some("h.example")),
            ("//h.example:/:_authToken", Some("h.example")),
            ("//h.example/:_authToken", Some("h.example")),
            ("//h.example:4873/path", Some("h.example:4873")),
            ("http://[::1]:4873/", Some("[::1]:4873")),
            ("https://h.example\"", Some("h.example")),
            ("https://h.example:99999/", None),
            ("https://h.example:8o80/", None),
            ("https://h.example:-1/", None),
            ("https://h.example:0/", None),
            ("https://h.example:${PORT}/", None),
            ("//[::1]:4873/:_authToken", Some("[::1]:4873")),
            ("//[::1]x/", None),
            ("https://${HOST}/", None),
            ("", None),
            ("//", None),
        ] {
            assert_eq!(host(url.as_bytes()).as_deref(), expected, "{url}");
        }
        for (text, expected) in [
            ("https://V@git.example/o/r", Some("git.example")),
            ("https://u:V@git.example:8443/o/r", Some("git.example:8443")),
            ("https://V:x-oauth-basic@git.example/", Some("git.example")),
            ("V:x y@git.example", None),
            ("V", None),
            ("mail V <me@mail.example>", None),
        ] {
            let end = text.find('V').unwrap() + 1;
            assert_eq!(host_behind(text.as_bytes(), end).as_deref(), expected, "{text}");
        }
        assert_eq!(without_port("[::1]:4873"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("h.example:1"), "h.example");
        assert_eq!(user_before(b"https://a%40b:pw@h/", 14).as_deref(), Some("a@b"));
    }
}
