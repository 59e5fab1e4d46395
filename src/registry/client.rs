//! The one door to the network.
//!
//! Every request passes it, and is refused unless its host is one that may be
//! asked and leads to an address that may be. Redirects are never followed,
//! certificates are always checked, bodies are capped, hosts are paced, and
//! nothing that is said here holds a secret.

use std::collections::{BTreeMap, HashSet};
use std::error::Error as _;
use std::fmt;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::blocking;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::hosts::{Base, Hosts};
use super::pace::{Turns, back_off};
use super::proxy;
use super::request::same_origin;
use super::{Answer, Ask, Method, NoAnswer, Request};
use crate::error::{Error, Result};
use crate::model::echo::Echoes;

/// How the network is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may be asked.
    pub hosts: Hosts,
    /// Between two questions to one host; public documents that are fetched by
    /// the hundred follow each other five times as fast.
    pub pace: Duration,
    /// For one answer, with all of its body.
    pub timeout: Duration,
    /// Requests of the whole run, repeated ones included.
    pub max_requests: u64,
    /// For the whole run.
    pub max_time: Duration,
    /// How long a host may stay busy or out of order until it is left alone.
    pub patience: Duration,
    /// Wait before a request is repeated for the first time.
    pub back_off: Duration,
    /// The secrets of the run, which stand in no path: a name that a server, a
    /// file or a list gave may be one.
    pub secrets: Arc<Echoes>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hosts: Hosts::new([]),
            pace: Duration::from_secs(1),
            timeout: Duration::from_secs(20),
            max_requests: 10_000,
            max_time: Duration::from_secs(30 * 60),
            patience: Duration::from_secs(120),
            back_off: Duration::from_secs(2),
            secrets: Arc::default(),
        }
    }
}

/// A run that is to last longer than this is not held to any time.
const LONG: Duration = Duration::from_secs(365 * 86_400);

/// How often a request is made again when the host is busy or broken.
const AGAIN: u32 = 3;

/// Asks over the network.
pub struct Client {
    options: Options,
    http: blocking::Client,
    turns: Turns,
    asked: AtomicU64,
    until: Instant,
    proxied: bool,
}

impl Client {
    /// Makes a client; no connection yet. Switches off core dumps of this
    /// process, which from now on holds secrets on their way out.
    ///
    /// # Errors
    /// A proxy setting that cannot be read, or no certificates to trust.
    pub fn new(options: Options) -> Result<Self> {
        no_core_dumps();
        // Fails if one was installed before, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = blocking::Client::builder()
            .user_agent(user_agent())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .timeout(options.timeout)
            .connect_timeout(options.timeout.min(Duration::from_secs(10)))
            .pool_max_idle_per_host(16)
            .no_proxy();
        let proxy = proxy::of_environment()?;
        let mut exempt = HashSet::new();
        if let Some((address, host)) = &proxy {
            exempt.insert(host.clone());
            let proxy = reqwest::Proxy::https(address.as_str()).map_err(|_| proxy::unusable())?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_env()));
        }
        let resolver = Screened { hosts: options.hosts.clone(), exempt };
        let http = builder.dns_resolver(Arc::new(resolver)).build().map_err(|why| {
            Error::new(format!("cannot prepare for the network: {}", words(&why)))
                .hint("TLS needs the system's certificates; SSL_CERT_FILE names others")
        })?;
        let now = Instant::now();
        let until = now.checked_add(options.max_time).unwrap_or(now + LONG);
        let asked = AtomicU64::new(0);
        Ok(Self { options, http, turns: Turns::default(), asked, until, proxied: proxy.is_some() })
    }

    /// The secrets that no path tells.
    pub fn secrets(&self) -> Arc<Echoes> {
        Arc::clone(&self.options.secrets)
    }

    /// How many requests were made.
    pub fn requests(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    fn once(&self, base: &Base, request: &Request) -> std::result::Result<Answer, NoAnswer> {
        let message = self.message(base, request)?;
        let now = Instant::now();
        let end = now.checked_add(self.options.timeout).unwrap_or(now + LONG);
        let mut response = message.send().map_err(|why| no_answer(&why))?;
        let status = response.status().as_u16();
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|known| *known = format!("{known}, {value}"))
                .or_insert(value);
        }
        let (body, cut) = read_body(&mut response, request.cap, end);
        Ok(Answer { status, headers, body, cut })
    }

    fn message(
        &self,
        base: &Base,
        request: &Request,
    ) -> std::result::Result<blocking::RequestBuilder, NoAnswer> {
        let odd = |_| NoAnswer::NotAllowed("the request cannot be written as HTTP".into());
        let url = Zeroizing::new(whole_url(base, request));
        let url = reqwest::Url::parse(&url).map_err(|_| odd(()))?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut message = self.http.request(method, url);
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|_| odd(()))?;
            message = message.header(name, HeaderValue::try_from(value).map_err(|_| odd(()))?);
        }
        for (name, value) in &request.secrets {
            let name = HeaderName::try_from(name).map_err(|_| odd(()))?;
            let mut value = HeaderValue::try_from(value.expose()).map_err(|_| odd(()))?;
            value.set_sensitive(true);
            message = message.header(name, value);
        }
        Ok(match &request.body {
            Some(body) => message.body(body.clone()),
            None => message,
        })
    }

    /// Waits for the turn of a request.
    fn wait(&self, base: &Base, request: &Request) -> std::result::Result<(), NoAnswer> {
        let distance = if request.light { self.options.pace / 5 } else { self.options.pace };
        let patience = self.options.patience;
        let at = self.turns.take(&base.url(), distance, patience).map_err(NoAnswer::Failed)?;
        if at > self.until {
            return Err(NoAnswer::NotAllowed("the time for the whole run is over".into()));
        }
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.options.max_requests {
            self.asked.fetch_sub(1, Ordering::Relaxed);
            return Err(NoAnswer::NotAllowed(
                "the number of requests for this run is used up".into(),
            ));
        }
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        Ok(())
    }
}

impl Ask for Client {
    fn ask(&self, request: &Request) -> std::result::Result<Answer, NoAnswer> {
        keep(request, &self.options.secrets)?;
        let base = self.options.hosts.admit(request).map_err(NoAnswer::NotAllowed)?;
        if !base.tls && self.proxied && !base.local {
            return Err(NoAnswer::NotAllowed(
                "a credential is not sent through a proxy in the clear".into(),
            ));
        }
        let place = base.url();
        let mut attempt = 0;
        loop {
            self.wait(&base, request)?;
            let outcome = self.once(&base, request);
            if outcome.is_err() {
                self.turns.answered(&place, false);
            }
            let answer = outcome?;
            // A busy host is asked again, a broken one once.
            let again = match answer.status {
                429 => AGAIN,
                500..=599 => 1,
                _ => 0,
            };
            if attempt >= again {
                match again {
                    0 => self.turns.answered(&place, true),
                    _ => self.turns.busy(&place),
                }
                return Ok(answer);
            }
            let said = answer.header("retry-after");
            let Some(delay) = back_off(attempt, said, self.options.back_off) else {
                self.turns.rest(&place);
                return Ok(answer);
            };
            if Instant::now() + delay > self.until {
                return Ok(answer);
            }
            self.turns.hold(&place, delay);
            attempt += 1;
        }
    }

    fn address_of(&self, host: &str) -> Option<String> {
        self.options.hosts.base(host, None).ok().map(|base| base.url())
    }

    fn path_of(&self, host: &str, link: &str) -> Option<String> {
        let base = self.options.hosts.base(host, None).ok()?;
        // A stand-in hands out its own links, or those of the registry it plays.
        same_origin(&base.url(), link).or_else(|| same_origin(&format!("https://{host}"), link))
    }
}

/// Refuses a path that tells a secret: paths are logged everywhere.
fn keep(request: &Request, secrets: &Echoes) -> std::result::Result<(), NoAnswer> {
    if request.tells_its_secret() || secrets.has(request.path.as_bytes()) {
        let why = "the path would hold a piece of a credential: not asked";
        return Err(NoAnswer::NotAllowed(why.into()));
    }
    Ok(())
}

/// `tokensweep/1.2.3 (…)`: says who asks, and why.
fn user_agent() -> String {
    format!(
        "{}/{} (checks leaked credentials for their owner)",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION")
    )
}

/// Where the request goes, with the secret in it for the services that want it so.
fn whole_url(base: &Base, request: &Request) -> String {
    let path = match &request.path_secret {
        Some(secret) => request.path.replacen("{secret}", secret.expose(), 1),
        None => request.path.clone(),
    };
    base.url() + &path
}

/// Reads at most `cap` bytes, until `end`; true if there was more.
fn read_body(response: &mut blocking::Response, cap: usize, end: Instant) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        match response.read(&mut part) {
            Ok(0) => return (body, false),
            Ok(n) if body.len() + n > cap => {
                body.extend_from_slice(&part[..cap - body.len()]);
                return (body, true);
            }
            Ok(n) => body.extend_from_slice(&part[..n]),
            Err(_) => return (body, true),
        }
        if Instant::now() > end {
            return (body, true);
        }
    }
}

/// Resolves names, and drops the addresses that may not be asked.
struct Screened {
    hosts: Hosts,
    /// Names of proxies, which may lie anywhere.
    exempt: HashSet<String>,
}

impl Resolve for Screened {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let local = self.exempt.contains(&host) || self.hosts.may_be_local(&host);
        Box::pin(async move {
            // The system's resolver waits; it must not hold up the others.
            let looked_up = tokio::task::spawn_blocking(move || look_up(&host, local)).await;
            Ok(Box::new(looked_up??.into_iter()) as Addrs)
        })
    }
}

fn look_up(
    host: &str,
    local: bool,
) -> std::result::Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let found = (host, 0).to_socket_addrs()?.map(|address| address.ip());
    let kept = Hosts::screen(local, host, found.collect::<Vec<IpAddr>>()).map_err(Screening)?;
    Ok(kept.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect())
}

/// The addresses of a host were refused.
#[derive(Debug)]
struct Screening(String);

impl fmt::Display for Screening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Screening {}

/// What an error of the client means. Its own text may hold the URL.
fn no_answer(why: &reqwest::Error) -> NoAnswer {
    let mut source = why.source();
    while let Some(inner) = source {
        if let Some(Screening(why)) = inner.downcast_ref() {
            return NoAnswer::NotAllowed(why.clone());
        }
        source = inner.source();
    }
    NoAnswer::Failed(words(why))
}

/// The innermost cause, which is the one that says most and knows no URL.
fn words(why: &reqwest::Error) -> String {
    if why.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = why;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request failed".into(),
        None => cause.to_string(),
    }
}

/// Keeps the secrets of this process out of files that crashes leave.
fn no_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // If it is refused there is nothing more to do about it.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Writes down what would be asked, and asks nobody.
#[derive(Debug, Default)]
pub struct Rehearsal {
    hosts: Hosts,
    secrets: Arc<Echoes>,
    lines: Mutex<Vec<String>>,
}

impl Rehearsal {
    /// A rehearsal of a run that may ask `hosts`.
    /// No path of it tells one of `secrets`.
    pub fn new(hosts: Hosts, secrets: Arc<Echoes>) -> Self {
        Self { hosts, secrets, lines: Mutex::default() }
    }

    /// The secrets that no path tells.
    pub fn secrets(&self) -> Arc<Echoes> {
        Arc::clone(&self.secrets)
    }

    /// Every request that would be made, in their order: one block of lines each.
    pub fn requests(self) -> Vec<String> {
        self.lines.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ask for Rehearsal {
    fn ask(&self, request: &Request) -> std::result::Result<Answer, NoAnswer> {
        keep(request, &self.secrets)?;
        let base = self.hosts.admit(request).map_err(NoAnswer::NotAllowed)?;
        let condition = request.only_if.map(|only| format!("  ({only})")).unwrap_or_default();
        let path = match &request.path_secret {
            Some(secret) => request.path.replacen("{secret}", secret.shown(), 1),
            None => request.path.clone(),
        };
        let mut block = format!("{} {}{path}{condition}", request.method.word(), base.url());
        block.push_str(&format!("\n  user-agent: {}", user_agent()));
        for (name, value) in &request.headers {
            block.push_str(&format!("\n  {name}: {value}"));
        }
        for (name, value) in &request.secrets {
            block.push_str(&format!("\n  {name}: {}", value.shown()));
        }
        if let Some(body) = &request.body {
            block.push_str(&format!("\n\n  {body}"));
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(block);
        Err(NoAnswer::Rehearsed)
    }

    fn address_of(&self, host: &str) -> Option<String> {
        self.hosts.base(host, None).ok().map(|base| base.url())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Mask, NPM_REGISTRY, Secret};

    #[test]
    fn no_path_tells_a_secret_of_the_run() {
        let token = ["npm", "_0123456789abcdefghijABCDEFGHIJ012345"].concat();
        let secret = Secret::new(b"Zq81-mmXrT02-kLp94-vvWe7-Hn3s", Mask::Ends);
        let rehearsal =
            Rehearsal::new(Hosts::new([]), Arc::new(Echoes::new([&secret].into_iter())));
        let reversed: String = token.chars().rev().collect();
        for (path, told) in [
            ("/left-pad".to_owned(), false),
            (format!("/{token}"), true),
            ("/-/v1/search?text=maintainer:zq81-mmxrt02".into(), true),
            ("/-/v1/search?text=maintainer:Zq%38%31-mmXr.T02&size=250".into(), true),
            ("/WnE4MS1tbVhyVDAyLWtMcDk0LXZ2V2U3LUhuM3M".into(), true),
            ("/s3nH-7eWvv".into(), false),
            ("/s3nH-7eWvv-49".into(), true),
            (format!("/{reversed}"), false),
        ] {
            let said = rehearsal.ask(&Request::get(NPM_REGISTRY, path.as_str()));
            assert_eq!(said.unwrap_err() != NoAnswer::Rehearsed, told, "{path}");
        }
        assert_eq!(rehearsal.requests().len(), 3);
    }
}
