//! TOML → a checked, compiled [`RuleSet`]. The rules under `patterns/` are in
//! the binary; users add their own.

pub mod check;
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
use regex_automata::hybrid::dfa::DFA;
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::{NFA, WhichCaptures};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;
use sha2::{Digest as _, Sha256};

use crate::model::path_from_bytes;

pub use check::Check;
pub use compile::Compiled;
pub use derive::Keyword;
pub use load::{Selection, check_for, checks, embedded_files, load_file, load_text, rule_files};
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
    automaton: OnceLock<DFA>,
    regex: OnceLock<Regex>,
    first: OnceLock<[u64; 4]>,
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
            automaton: OnceLock::new(),
            regex: OnceLock::new(),
            first: OnceLock::new(),
            compiled,
        }
    }

    /// As written.
    pub fn spec(&self) -> &spec::RuleSpec {
        &self.compiled.spec
    }

    /// True if the rule looks at files of this path, `/` between its parts; a
    /// path that is not known may be any.
    pub fn takes_path(&self, path: Option<&[u8]>) -> bool {
        let Some(path) = path else { return true };
        let spec = self.spec();
        let globs = self.paths.get_or_init(|| {
            load::globs(&spec.id, &spec.context.paths)
                .expect("the globs were checked when the rule was loaded")
        });
        globs.as_ref().is_none_or(|globs| globs.is_match(path_from_bytes(path)))
    }

    /// An automaton that says whether, and how far, the pattern matches from a
    /// given place on. Made when the first keyword of the rule turns up, since
    /// most rules never see theirs in a small scan.
    pub fn automaton(&self) -> &DFA {
        self.automaton.get_or_init(|| {
            let nfa = NFA::compiler()
                .configure(NFA::config().utf8(false).which_captures(WhichCaptures::None))
                .build_from_hir(&self.engine_hir())
                .expect("a pattern of bounded length is within the engine's limits");
            DFA::builder()
                .configure(DFA::config().skip_cache_capacity_check(true))
                .build_from_nfa(nfa)
                .expect("an automaton over bytes can be built of any pattern")
        })
    }

    /// Where in a match the secret stands, and the user name if the pattern has
    /// a group `user`; slower, and asked only for matches.
    pub fn groups_in(&self, bytes: &[u8], start: usize, end: usize) -> Option<Groups> {
        let regex = self.regex.get_or_init(|| {
            Regex::builder()
                .configure(Regex::config().utf8_empty(false).hybrid(false).dfa(false))
                .build_from_hir(&self.engine_hir())
                .expect("a pattern of bounded length is within the engine's limits")
        });
        let mut captures = regex.create_captures();
        regex.search_captures(
            &Input::new(bytes).range(start..end).anchored(Anchored::Yes),
            &mut captures,
        );
        let group = |name| captures.get_group_by_name(name).map(|span| (span.start, span.end));
        Some(Groups { secret: group("secret")?, user: group("user") })
    }

    fn engine_hir(&self) -> Hir {
        let hir =
            derive::parse(&self.compiled.pattern).expect("it was parsed when the rule was loaded");
        relax::relaxed(&hir)
    }

    /// True if a match may begin with this byte.
    pub fn may_begin_with(&self, byte: u8) -> bool {
        let bits = self.first.get_or_init(|| relax::first_bytes(&self.engine_hir()));
        bits[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// Offsets of what the named groups of a pattern caught.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    /// The secret.
    pub secret: (usize, usize),
    /// The user name that stands with it.
    pub user: Option<(usize, usize)>,
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

    /// A hash of all rules: equal for sets that find the same.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for rule in &self.rules {
            let bytes = postcard::to_allocvec(&rule.compiled);
            hash.update(bytes.expect("what was read from such bytes can be written"));
        }
        hash.finalize().into()
    }

    /// Bytes that a match of any rule may span.
    pub fn longest_span(&self) -> usize {
        self.rules.iter().map(|rule| rule.compiled.span).max().unwrap_or(0)
    }
}
