//! Flags of everything that asks over the network.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::error::{Error, Result};
use crate::model::echo::Echoes;
use crate::model::{Finding, NPM_REGISTRY};
use crate::registry::Ask;
use crate::registry::client::{Client, Options, Rehearsal};
use crate::registry::declared;
use crate::registry::hosts::{Base, Hosts};
use crate::registry::proxy;

/// Who may be asked, and how fast.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Network")]
pub(super) struct NetworkArgs {
    /// Ask this registry or service too about the credentials that are bound to
    /// it; HOST, HOST:PORT or a URL, may be given several times.
    #[arg(long, value_name = "HOST", aliases = ["allow-host", "endpoint"])]
    pub(super) allow_registry: Vec<String>,
    /// Let the hosts of --allow-registry lie in a private network.
    #[arg(long)]
    pub(super) allow_private: bool,
    /// Send what is for npm's registry (or for HOST) to this address; for
    /// mirrors and tests, may be given several times.
    #[arg(long, value_name = "[HOST=]URL")]
    pub(super) registry: Vec<String>,
    /// Seconds between two questions about credentials to one host; public
    /// documents follow five times as fast; 0 for as fast as it goes.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(super) pace: Duration,
    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Make at most so many requests.
    #[arg(long, value_name = "N", default_value_t = Options::default().max_requests)]
    pub(super) max_requests: u64,
    /// Stop asking after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value = "1800", value_parser = seconds)]
    pub(super) max_time: Duration,
    /// Print the requests that would be made, and make none.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl NetworkArgs {
    /// The first flag that was given for nothing if nobody is asked.
    pub(super) fn asks_for_more(&self) -> Option<&'static str> {
        let given = [
            (self.dry_run, "--dry-run"),
            (!self.allow_registry.is_empty(), "--allow-registry"),
            (self.allow_private, "--allow-private"),
            (!self.registry.is_empty(), "--registry"),
        ];
        given.into_iter().find_map(|(given, flag)| given.then_some(flag))
    }

    /// Finds what is wrong with the flags and with the environment's proxy before
    /// anything is read or asked.
    pub(super) fn check(&self) -> Result<()> {
        self.hosts()?;
        proxy::of_environment().map(drop)
    }

    /// Who may be asked, the services of the shipped checks among them.
    fn hosts(&self) -> Result<Hosts> {
        let mut hosts = Hosts::new(declared::hosts());
        for text in &self.allow_registry {
            hosts.allow(base("--allow-registry", text)?);
        }
        if self.allow_private {
            hosts.allow_private();
        }
        for text in &self.registry {
            let (host, url) = match text.split_once('=') {
                Some((host, url)) if !host.contains(['/', '?']) || host.contains("://") => {
                    (host, url)
                }
                _ => (NPM_REGISTRY, text.as_str()),
            };
            let named = base("--registry", host)?;
            if host.contains("://") || !named.path.is_empty() {
                return Err(Error::new("--registry: a HOST has neither scheme nor path")
                    .hint("HOST=URL, such as npm.example:8443=http://localhost:4873"));
            }
            let host = named.authority();
            let base = base("--registry", url)?;
            // What is bound to the address itself may go there too.
            hosts.allow(base.clone());
            hosts.map(&host, base);
        }
        Ok(hosts)
    }

    /// The way to ask: the network, or a rehearsal.
    /// No path tells a secret of `findings`.
    /// GitHub is left alone while something may watch its tokens.
    pub(super) fn door(&self, watched: bool, findings: &[Finding]) -> Result<Door> {
        let mut hosts = self.hosts()?;
        if watched {
            hosts.spare_github();
        }
        let secrets = Arc::new(Echoes::new(findings.iter().map(|finding| &finding.secret)));
        if self.dry_run {
            return Ok(Door::Rehearsal(Rehearsal::new(hosts, secrets)));
        }
        let options = Options {
            hosts,
            secrets,
            pace: self.pace,
            timeout: self.timeout,
            max_requests: self.max_requests,
            max_time: self.max_time,
            // Who wants it fast does not want to wait for long either.
            patience: Duration::from_secs(if self.pace.is_zero() { 20 } else { 120 }),
            ..Options::default()
        };
        Ok(Door::Network(Box::new(Client::new(options)?)))
    }

    /// Questions to one host at a time: one, unless nobody wants to wait.
    pub(super) fn per_host(&self) -> usize {
        if self.pace.is_zero() { 8 } else { 1 }
    }
}

/// Where the questions go.
pub(super) enum Door {
    Network(Box<Client>),
    Rehearsal(Rehearsal),
}

impl Door {
    /// The secrets of the run.
    pub(super) fn secrets(&self) -> Arc<Echoes> {
        match self {
            Self::Network(client) => client.secrets(),
            Self::Rehearsal(rehearsal) => rehearsal.secrets(),
        }
    }

    pub(super) fn ask(&self) -> &dyn Ask {
        match self {
            Self::Network(client) => &**client,
            Self::Rehearsal(rehearsal) => rehearsal,
        }
    }

    /// What would have been asked, if this was a rehearsal.
    pub(super) fn rehearsed(self) -> Option<Vec<String>> {
        match self {
            Self::Network(_) => None,
            Self::Rehearsal(rehearsal) => Some(rehearsal.requests()),
        }
    }
}

/// The text may hold a secret, and so is not repeated.
fn base(flag: &str, text: &str) -> Result<Base> {
    Base::parse(text).map_err(|why| {
        Error::new(format!("{flag}: {why}"))
            .hint("HOST, HOST:PORT or https://HOST:PORT/PATH, such as npm.example:8443")
    })
}

/// Nobody means to wait longer.
const DAY: Duration = Duration::from_secs(86_400);

/// `1`, `0.25`; at most a day.
fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds"))?;
    let span = Duration::try_from_secs_f64(number).ok().filter(|span| *span <= DAY);
    span.ok_or_else(|| format!("{text:?} is no span of time up to a day, in seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_day_at_most() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("86400"), Ok(DAY));
        for wrong in ["86401", "1e19", "1e400", "inf", "NaN", "-1", "soon", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
