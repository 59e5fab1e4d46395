//! TOML → a checked, compiled [`RuleSet`]. The rules under `patterns/` are in
//! the binary; users add their own.

mod compile;
pub mod derive;
pub mod example;
pub mod fragments;
mod load;
mod relax;
pub mod spec;
mod trial;

use std::sync::{Arc, OnceLock};

use globset::GlobSet;
use regex_automata::meta::Regex;

use crate::model::path_from_bytes;

pub use compile::Compiled;
pub use derive::Keyword;
pub use load::{Selection, embedded_files, load_file, load_text, rule_files};
pub use trial::{Trial, trials};

/// One rule, ready to search with.
#[derive(Debug)]
pub struct Rule {
    /// Its id, shared with every finding it makes.
    pub id: Arc<str>,
    /// Its name for people.
    pub name: Arc<str>,
    /// The kind of credential that it finds.
    pub kind: Arc<str>,
    /// The service that could be asked about it.
    pub service: Option<Arc<str>>,
    /// As written and derived.
    pub compiled: Compiled,
    paths: OnceLock<Option<GlobSet>>,
    regex: OnceLock<Regex>,
}

impl Rule {
    fn new(compiled: Compiled) -> Self {
        let spec = &compiled.spec;
        Self {
            id: spec.id.as_str().into(),
            name: spec.name.as_str().into(),
            kind: spec.kind.as_deref().unwrap_or(&spec.id).into(),
            service: spec.service.as_deref().map(Into::into),
            paths: OnceLock::new(),
            regex: OnceLock::new(),
            compiled,
        }
    }

    /// As written.
    pub fn spec(&self) -> &spec::RuleSpec {
        &self.compiled.spec
    }

    /// True if the rule looks at files of this path, `/` between its parts.
    pub fn takes_path(&self, path: &[u8]) -> bool {
        let spec = self.spec();
        let globs = self.paths.get_or_init(|| {
            load::globs(&spec.id, &spec.context.paths)
                .expect("the globs were checked when the rule was loaded")
        });
        globs.as_ref().is_none_or(|globs| globs.is_match(path_from_bytes(path)))
    }

    /// The compiled pattern. Made when the first keyword of the rule turns up,
    /// since most rules never see theirs in a small scan.
    pub fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            let hir = derive::parse(&self.compiled.pattern)
                .expect("it was parsed when the rule was loaded");
            Regex::builder()
                .configure(Regex::config().utf8_empty(false).onepass(false).dfa(false))
                .build_from_hir(&relax::relaxed(&hir))
                .expect("a pattern of bounded length is within the engine's limits")
        })
    }
}

/// The rules of one run, in the order of their ids.
#[derive(Debug)]
pub struct RuleSet {
    /// The rules.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// The shipped rules of the default set.
    ///
    /// # Panics
    /// Never: the shipped rules are checked when the crate is built.
    pub fn shipped() -> Self {
        Self::select(&Selection::default()).expect("the shipped rules are checked at build time")
    }

    /// A set of just these rules.
    pub fn of(rules: Vec<Compiled>) -> Self {
        Self { rules: rules.into_iter().map(Rule::new).collect() }
    }

    /// Bytes that a match of any rule may span.
    pub fn longest_span(&self) -> usize {
        self.rules.iter().map(|rule| rule.compiled.span).max().unwrap_or(0)
    }
}
