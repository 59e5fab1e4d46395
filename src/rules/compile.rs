//! A rule as written → a rule as searched for. The build script reads this
//! file too, and so the shipped rules cost nothing at start-up.

use serde::{Deserialize, Serialize};

use super::derive::{self, Keyword};
use super::fragments;
use super::spec::RuleSpec;

/// A rule that has passed every check that needs no engine.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Compiled {
    /// As written; without its examples and references if it was shipped.
    pub spec: RuleSpec,
    /// Who issues the credential.
    pub issuer: String,
    /// The pattern with its fragments filled in.
    pub pattern: String,
    /// The literals to search for.
    pub keywords: Vec<Keyword>,
    /// Longest possible match in bytes.
    pub span: usize,
}

/// Checks and compiles one rule.
///
/// # Errors
/// In words, what is wrong and what to change.
pub fn compile(issuer: &str, spec: RuleSpec) -> Result<Compiled, String> {
    let wrong = |why: String| format!("rule {:?}: {why}", spec.id);
    let id_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if spec.id.is_empty() || !spec.id.bytes().all(id_fits) {
        return Err(wrong("an id is made of lower-case letters, digits and dashes".into()));
    }
    let pattern = fragments::expand(&spec.pattern).map_err(|name| {
        let known: Vec<&str> = fragments::FRAGMENTS.iter().map(|(name, _)| *name).collect();
        wrong(format!("no fragment is called {name:?}; there are {}", known.join(", ")))
    })?;
    if pattern.matches("(?P<secret>").count() + pattern.matches("(?<secret>").count() == 0 {
        return Err(wrong("its pattern has no group named `secret`; write (?P<secret>…)".into()));
    }
    let derived = derive::derive(&pattern, &spec.keywords).map_err(&wrong)?;
    if spec.examples.is_empty() || spec.counter_examples.is_empty() {
        return Err(wrong("it wants at least one example and one counter-example".into()));
    }
    Ok(Compiled {
        issuer: issuer.to_owned(),
        pattern,
        keywords: derived.keywords,
        span: derived.span,
        spec,
    })
}
