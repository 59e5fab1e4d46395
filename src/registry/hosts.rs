//! Who may be asked, and where they are.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Request, address, github};
use crate::model::{NPM_REGISTRY, is_npm_registry};

/// Where the requests to a host go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// True for TLS.
    pub tls: bool,
    /// Host name or address, lower case; IPv6 in brackets.
    pub host: String,
    /// Port, if it is not the scheme's own.
    pub port: Option<u16>,
    /// Path before every request's own, without a `/` at its end.
    pub path: String,
    /// True if the user named this very address, so that it may be private.
    pub local: bool,
}

impl Base {
    /// Reads `host`, `host:port`, or `http(s)://host[:port][/path]`. Without a
    /// scheme it is TLS, but for loopback.
    ///
    /// # Errors
    /// What is wrong with the text; it never repeats what may be a secret in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Some(true), rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Some(false), rest),
            Some(_) => return Err("only http and https are known".into()),
            None => (None, text),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("a user name or password has no place in it".into());
        }
        if path.contains(['?', '#']) || !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("it has no query, and only printable characters".into());
        }
        let (host, port) = split_port(authority)?;
        let literal = literal(&host);
        if literal.is_some_and(|ip| ip.is_unspecified()) {
            return Err("it names no host, or an address in a form of its own".into());
        }
        let loopback = host == "localhost" || literal.is_some_and(|ip| ip.is_loopback());
        let path = path.trim_end_matches('/');
        let tls = tls.unwrap_or(!loopback);
        Ok(Self {
            tls,
            port: port.filter(|port| *port != if tls { 443 } else { 80 }),
            path: if path.is_empty() { String::new() } else { format!("/{path}") },
            local: loopback || literal.is_some(),
            host,
        })
    }

    /// `host`, or `host:port`.
    pub fn authority(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.host)
    }

    /// `https://host:port/path`.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{}{port}{}", self.host, self.path)
    }
}

/// Splits `host:port`, also `[::1]:port`; the host in lower case.
fn split_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let colon = match authority.rfind(']') {
        Some(end) => authority[end..].find(':').map(|at| end + at),
        None => authority.rfind(':'),
    };
    let (host, port) = match colon {
        Some(at) => {
            let port = authority[at + 1..].parse();
            (&authority[..at], Some(port.map_err(|_| "the port is no number up to 65535")?))
        }
        None => (authority, None),
    };
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match name {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
                && !host.starts_with(['.', '-'])
        }
    };
    if host.is_empty() || host.len() > 253 || !fits {
        return Err("it names no host".into());
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// The address that a host is written as, if it is one. Numbers that old
/// resolvers take for addresses (`2130706433`, `0x7f.1`, `127.1`) count as
/// unspecified: they are never an honest name.
pub fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let number = |label: &str| {
        let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
        match hex {
            Some(hex) => hex.bytes().all(|b| b.is_ascii_hexdigit()),
            None => !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()),
        }
    };
    let last = bare.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    bare.parse().ok().or_else(|| number(last).then_some(IpAddr::from([0, 0, 0, 0])))
}

/// Who may be asked: npm's registry, the services that the shipped rules name,
/// and who else the user named.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// Hosts of the shipped checks, each known to its own service alone.
    services: Vec<String>,
    allowed: Vec<Base>,
    mapped: BTreeMap<String, Base>,
    private: bool,
    spare_github: bool,
}

impl Hosts {
    /// npm's registry and its download counts for npm, and `services` beside them,
    /// each for itself.
    pub fn new<'a>(services: impl IntoIterator<Item = &'a str>) -> Self {
        let services = services.into_iter().map(str::to_ascii_lowercase).collect();
        Self { services, ..Self::default() }
    }

    /// Forbids whatever would try a token at GitHub, whoever allowed it: something
    /// on this machine may wait for one to die.
    pub fn spare_github(&mut self) {
        self.spare_github = true;
    }

    /// Allows one more host.
    pub fn allow(&mut self, base: Base) {
        self.allowed.push(base);
    }

    /// Lets hosts that the user named resolve to private addresses.
    pub fn allow_private(&mut self) {
        self.private = true;
    }

    /// Sends what is for `host` elsewhere. npm's registry takes its download
    /// counts with it, unless they are mapped themselves: a stand-in for the one
    /// must not lead to the real other.
    pub fn map(&mut self, host: &str, base: Base) {
        let host = canonical(host);
        if host == NPM_REGISTRY {
            self.mapped.entry(super::NPM_DOWNLOADS.into()).or_insert_with(|| base.clone());
        }
        self.mapped.insert(host, base);
    }

    /// Where requests to `host` go that are about a credential of `issuer`: a host
    /// of a shipped check, or npm if there is none.
    ///
    /// # Errors
    /// Why it is not asked, and what to try.
    pub fn base(&self, host: &str, issuer: Option<&str>) -> Result<Base, String> {
        let base = self.allowed_base(host, issuer)?;
        if self.spare_github && (github::is_host(host) || github::is_host(&base.host)) {
            return Err(SPARED.into());
        }
        Ok(base)
    }

    fn allowed_base(&self, host: &str, issuer: Option<&str>) -> Result<Base, String> {
        let host = canonical(host);
        let known = self.is_known(&host, issuer);
        // To say where a known host is allows it to nobody else.
        let elses = !known && self.is_anybodys(&host);
        if let Some(base) = self.mapped.get(&host).filter(|_| !elses) {
            return Ok(Base { local: true, ..base.clone() });
        }
        let (name, port) = split_port(&host).map_err(|why| format!("the host is odd: {why}"))?;
        let same = |base: &&Base| base.host == name && port == base.port;
        if let Some(base) = self.allowed.iter().find(same) {
            return Ok(Base { local: base.local || self.private, ..base.clone() });
        }
        if known {
            return Ok(Base { tls: true, host, port: None, path: String::new(), local: false });
        }
        if elses {
            return Err(format!("{host} belongs to another issuer, and is not asked about this"));
        }
        Err(format!(
            "{host} is named by the scanned text alone, and not asked; --allow-registry {host} allows it"
        ))
    }

    /// True for a host that is known beforehand to this issuer.
    fn is_known(&self, host: &str, issuer: Option<&str>) -> bool {
        match issuer {
            None => host == NPM_REGISTRY || host == super::NPM_DOWNLOADS,
            Some(own) => {
                own.eq_ignore_ascii_case(host) && self.services.iter().any(|it| it == host)
            }
        }
    }

    fn is_anybodys(&self, host: &str) -> bool {
        self.is_known(host, None) || self.is_known(host, Some(host))
    }

    /// Where a request goes, unless its host is written as an address that may not
    /// be asked. Those that names lead to are screened when they are looked up.
    ///
    /// # Errors
    /// Why it is not asked.
    pub fn admit(&self, request: &Request) -> Result<Base, String> {
        let base = self.base(&request.host, request.issuer.as_deref())?;
        let githubs = |secret: &super::Carried| github::is_token(secret.expose());
        let carried = request.secrets.iter().map(|(_, secret)| secret).chain(&request.path_secret);
        if self.spare_github && carried.into_iter().any(githubs) {
            return Err(SPARED.into());
        }
        if let Some(ip) = literal(&base.host) {
            Self::screen(base.local, &base.host, [ip])?;
        }
        Ok(base)
    }

    /// True if a name that is looked up belongs to a host that may be private.
    pub fn may_be_local(&self, name: &str) -> bool {
        let mapped = self.mapped.values().any(|base| base.host == name);
        let allowed = self.allowed.iter().any(|base| base.host == name);
        mapped
            || allowed
                && (self.private || self.allowed.iter().any(|base| base.host == name && base.local))
    }

    /// Checks the addresses that a host resolved to, and keeps those that may
    /// be asked.
    ///
    /// # Errors
    /// Which kind of address it is that none of them may be.
    pub fn screen(
        local: bool,
        host: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Vec<IpAddr>, String> {
        let mut refused = None;
        let kept: Vec<IpAddr> = addresses
            .into_iter()
            .filter(|&ip| {
                let never = address::is_metadata(ip);
                let why = address::special(ip).filter(|_| never || !local);
                refused = refused.or(why.map(|why| (why, never)));
                why.is_none()
            })
            .collect();
        match (kept.is_empty(), refused) {
            (true, Some((why, true))) => {
                Err(format!("{host} leads to an address that is {why}: never asked"))
            }
            (true, Some((why, false))) => Err(format!(
                "{host} leads to an address that is {why}: not asked; \
                 --allow-private lets hosts that you named lie in your own network"
            )),
            (true, None) => Err(format!("{host} has no address")),
            (false, _) => Ok(kept),
        }
    }
}

const SPARED: &str = "a dead-man's switch on this machine may watch a GitHub token: not asked";

/// npm's registry has several names and is one.
fn canonical(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if is_npm_registry(&host) { NPM_REGISTRY.into() } else { host }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        Base::parse(text).unwrap()
    }

    #[test]
    fn bases_are_read_and_written() {
        for (text, url) in [
            ("npm.example", "https://npm.example"),
            ("NPM.example:8443", "https://npm.example:8443"),
            ("https://npm.example/api/npm/x/", "https://npm.example/api/npm/x"),
            ("http://npm.example", "http://npm.example"),
            ("localhost:4873", "http://localhost:4873"),
            ("127.0.0.1:4873", "http://127.0.0.1:4873"),
            ("http://[::1]:4873/", "http://[::1]:4873"),
        ] {
            assert_eq!(base(text).url(), url, "{text}");
        }
        for wrong in [
            "",
            "ftp://h",
            "u:p@h",
            "https://h/?x",
            "h:99999",
            "a b",
            "http://",
            "[::zz]",
            "ä.example",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "127.0.0.1.",
            "0.0.0.0",
            "[::]",
        ] {
            assert!(Base::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_asked_whom_only_the_text_names() {
        let mut hosts = Hosts::new(["api.service.example"]);
        let service = Some("api.service.example");
        assert!(hosts.base("evil.example", None).is_err());
        assert!(hosts.base("evil.example", Some("evil.example")).is_err());
        assert!(hosts.base("API.service.example", service).is_ok());
        assert!(hosts.base("api.service.example:8443", service).is_err());
        assert!(hosts.base("api.service.example.", service).is_err());
        assert!(hosts.base(NPM_REGISTRY, None).is_ok());
        hosts.allow(base("npm.example:8443"));
        assert!(hosts.base("npm.example", None).is_err());
        assert!(hosts.base("npm.example:8443", None).is_ok());
        assert!(hosts.base("npm.example:9000", None).is_err());
        assert!(hosts.base("sub.npm.example", None).is_err());
    }

    #[test]
    fn a_known_host_is_asked_by_its_own_service_alone() {
        let mut hosts = Hosts::new(["api.one.example", "api.two.example"]);
        for _ in 0..2 {
            assert!(hosts.base("api.one.example", Some("api.one.example")).is_ok());
            assert!(hosts.base("api.one.example", Some("api.two.example")).is_err());
            assert!(hosts.base("api.one.example", None).is_err());
            assert!(hosts.base(NPM_REGISTRY, Some("api.one.example")).is_err());
            assert!(hosts.base(NPM_REGISTRY, Some(NPM_REGISTRY)).is_err());
            // To say where they are makes no difference.
            hosts.map("api.one.example", base("http://127.0.0.1:1"));
            hosts.map(NPM_REGISTRY, base("http://127.0.0.1:2"));
        }
        // To allow one does.
        hosts.allow(base("api.two.example"));
        assert!(hosts.base("api.two.example", None).is_ok());
    }

    #[test]
    fn while_a_switch_may_watch_nothing_of_github_is_asked() {
        let mut hosts = Hosts::new([github::HOST]);
        hosts.allow(base("npm.pkg.github.com"));
        hosts.allow(base("github.example"));
        let token = ["Bearer ", "ghp", "_0"].concat();
        let carrying = |host: &str| {
            let carried = super::super::Carried::new(token.clone(), "…");
            Request::get(host, "/").with_secret("authorization", carried)
        };
        assert!(hosts.base("npm.pkg.github.com", None).is_ok());
        assert!(hosts.admit(&carrying("github.example")).is_ok());
        hosts.spare_github();
        assert!(hosts.base("npm.pkg.github.com", None).is_err());
        assert!(hosts.base(github::HOST, Some(github::HOST)).is_err());
        assert!(hosts.admit(&carrying("github.example")).is_err());
        assert!(hosts.admit(&Request::get("github.example", "/")).is_ok());
        assert!(hosts.base(NPM_REGISTRY, None).is_ok());
        hosts.map(github::HOST, base("http://127.0.0.1:1"));
        assert!(hosts.base(github::HOST, Some(github::HOST)).is_err(), "a stand-in may pass it on");
    }

    #[test]
    fn a_stand_in_for_the_registry_takes_the_download_counts_with_it() {
        let mut hosts = Hosts::new([]);
        hosts.map(NPM_REGISTRY, base("http://127.0.0.1:1"));
        for host in [NPM_REGISTRY, super::super::NPM_DOWNLOADS, concat!("registry.", "yarnpkg.com")]
        {
            assert_eq!(hosts.base(host, None).unwrap().url(), "http://127.0.0.1:1");
        }
        hosts.map(super::super::NPM_DOWNLOADS, base("http://127.0.0.1:2"));
        assert_eq!(
            hosts.base(super::super::NPM_DOWNLOADS, None).unwrap().url(),
            "http://127.0.0.1:2"
        );
    }

    #[test]
    fn addresses_are_screened() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let open = ip("8.8.8.8");
        assert_eq!(Hosts::screen(false, "h", [ip("10.0.0.1"), open]), Ok(vec![open]));
        assert!(Hosts::screen(false, "h", [ip("127.0.0.1")]).is_err());
        assert!(Hosts::screen(true, "h", [ip("127.0.0.1")]).is_ok());
        assert!(Hosts::screen(true, "h", [ip("169.254.169.254")]).is_err());
        assert!(Hosts::screen(true, "169.254.1.1", [ip("169.254.1.1")]).is_err());
        assert!(Hosts::screen(false, "h", []).is_err());
        for odd in ["2130706433", "0x7f.1", "127.1", "1.2.3.4.5", "0177.0.0.1"] {
            assert!(literal(odd).is_some(), "{odd}");
        }
        assert_eq!(literal("1password.example"), None);
    }
}
