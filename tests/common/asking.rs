//! Calls of the commands that ask services, against registries on loopback.

use serde_json::Value;
use tokensweep::model::NPM_REGISTRY;

use super::registry::manners::assert_keeps;
use super::registry::{Account, Package, Registry, Seen};
use super::{Call, Run, Sandbox};

/// A line of a `.npmrc` that binds a token to a registry.
pub fn bound(host: &str, token: &str) -> String {
    format!("//{host}/:_authToken={token}\n")
}

/// Lines that bind tokens to npm's own registry.
pub fn npmrc<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> String {
    tokens.into_iter().map(|token| bound(NPM_REGISTRY, token.as_ref())).collect()
}

impl Registry {
    /// The flags that put it in the place of npm's registry.
    pub fn flags(&self) -> [String; 4] {
        ["--registry".into(), self.url(), "--pace".into(), "0".into()]
    }

    /// A call of a command that reads `text` and asks this registry; its words
    /// are divided by blanks.
    pub fn call(&self, sandbox: &Sandbox, words: &str, text: &str) -> Call {
        let words = words.split_whitespace().map(str::to_owned);
        sandbox.call(words.chain(self.flags())).stdin(text)
    }

    /// What `tokensweep validate` says of tokens of npm's registry.
    #[track_caller]
    pub fn validate(&self, tokens: &[&str]) -> Run {
        let sandbox = Sandbox::new();
        let run = self.call(&sandbox, "validate -f json --timeout 3", &npmrc(tokens)).run();
        keeps(&run, tokens);
        run
    }
}

/// Asserts that nothing that was printed tells a token.
#[track_caller]
pub fn keeps(run: &Run, tokens: &[&str]) {
    for token in tokens {
        assert_keeps(&run.out(), token);
        assert_keeps(&run.err(), token);
    }
}

/// The outcomes of a report, in its order.
#[track_caller]
pub fn outcomes(report: &Value) -> Vec<&str> {
    let findings = super::findings(report).iter();
    findings.map(|finding| finding["validation"].as_str().unwrap()).collect()
}

/// A registry with alice in it, of whom it knows a little of everything.
pub fn acme() -> Registry {
    let registry = Registry::start();
    registry.account(Account::new("alice").member("acme", "owner"));
    registry.package(Package::new("kit", "alice").reach(50_000, 40).repository("acme/kit"));
    registry.package(Package::new("@acme/open", "alice").reach(900, 2));
    registry.package(Package::new("@acme/secret", "alice").private());
    registry.package(Package::new("friends-of-alice", "mallory").reach(9_000_000, 9_000));
    registry
}

/// Requests for documents of packages.
pub fn documents(registry: &Registry) -> Vec<Seen> {
    let mut seen = registry.requests();
    seen.retain(|request| !request.path().starts_with("/-/"));
    seen
}

/// What a report says of the reach of its only finding.
#[track_caller]
pub fn radius(run: &Run) -> Value {
    let report = run.json();
    let [finding] = super::findings(&report) else { panic!("not one finding: {report}") };
    assert!(finding["blast_radius"].is_object(), "{finding}");
    finding["blast_radius"].clone()
}
