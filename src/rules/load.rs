//! Reads rule files and chooses the rules of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::check::{Check, verify_all};
use super::compile::{Compiled, compile};
use super::spec::FileSpec;
use super::{Rule, RuleSet};
use crate::error::{Error, Result};

static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static EMBEDDED_CHECKS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/checks.bin"));
static EMBEDDED_FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_files.rs"));

/// Name and text of every shipped rule file.
pub fn embedded_files() -> &'static [(&'static str, &'static str)] {
    EMBEDDED_FILES
}

/// How to ask other issuers than npm about what the shipped rules find.
///
/// # Panics
/// Never: they are written and checked when the crate is built.
pub fn checks() -> &'static [Check] {
    static CHECKS: OnceLock<Vec<Check>> = OnceLock::new();
    CHECKS.get_or_init(|| {
        postcard::from_bytes(EMBEDDED_CHECKS)
            .expect("written by the build script of this very crate")
    })
}

/// The check that answers for a secret of this kind, if there is one.
pub fn check_for(kind: &str, secret: &[u8]) -> Option<&'static Check> {
    checks().iter().find(|check| check.takes(kind, secret))
}

/// Which rules a run uses.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Files, or folders of files, with rules of the user's own.
    pub files: Vec<PathBuf>,
    /// Ids, kinds, issuers or sets to use; the default set if empty. A name
    /// that only names a set which is off by default adds it.
    pub only: Vec<String>,
    /// Ids, kinds, issuers or sets to leave out.
    pub except: Vec<String>,
}

impl RuleSet {
    /// Loads the shipped rules and the user's, and chooses among them.
    ///
    /// A rule of the user's replaces a shipped one of the same id.
    ///
    /// # Errors
    /// A file that cannot be read or is no valid rule file, with the place and
    /// what to change; a name that no rule has.
    pub fn select(selection: &Selection) -> Result<Self> {
        let mut by_id: BTreeMap<String, Compiled> = BTreeMap::new();
        for rule in shipped() {
            by_id.insert(rule.spec.id.clone(), rule);
        }
        for path in rule_files(&selection.files)? {
            let (name, text) = read(&path)?;
            let (rules, checks) = load_parts(&name, &text)?;
            if checks > 0 {
                return Err(Error::new(format!("{name} holds a [[check]]")).hint(
                    "a check sends secrets to the host that it names, so only the shipped ones are used; take it out",
                ));
            }
            by_id.extend(rules.into_iter().map(|rule| (rule.spec.id.clone(), rule)));
        }
        check_names(&by_id, selection)?;
        let rules: Vec<Rule> =
            by_id.into_values().filter(|rule| wanted(rule, selection)).map(Rule::new).collect();
        if rules.is_empty() {
            return Err(Error::new("no rule is left to search for")
                .hint("`tokensweep rules list` shows the rules that --rule and --exclude-rule choose from"));
        }
        Ok(Self { rules })
    }
}

fn shipped() -> Vec<Compiled> {
    postcard::from_bytes(EMBEDDED).expect("written by the build script of this very crate")
}

/// Reads, checks and compiles one rule file.
///
/// # Errors
/// The file, the line where TOML can tell it, and what to change.
pub fn load_file(path: &Path) -> Result<Vec<Compiled>> {
    let (name, text) = read(path)?;
    load_text(&name, &text)
}

/// A file's path, for people, and its text.
fn read(path: &Path) -> Result<(String, String)> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|why| Error::new(format!("cannot read the rule file {shown}: {why}")))?;
    Ok((shown.to_string(), text))
}

/// Like [`load_file`], of a text that is already there; `name` is for errors.
///
/// # Errors
/// As [`load_file`].
pub fn load_text(name: &str, text: &str) -> Result<Vec<Compiled>> {
    Ok(load_parts(name, text)?.0)
}

/// The rules of a file, and how many checks it holds, which are right too.
fn load_parts(name: &str, text: &str) -> Result<(Vec<Compiled>, usize)> {
    let hint = "`tokensweep rules show npm-access-token` prints a rule that works";
    let file: FileSpec = toml::from_str(text)
        .map_err(|why| Error::new(format!("{name} is not a valid rule file: {why}")).hint(hint))?;
    if file.rules.is_empty() {
        return Err(
            Error::new(format!("{name} holds no rule")).hint("begin each rule with [[rule]]")
        );
    }
    let mut ids = BTreeSet::new();
    if let Some(twice) = file.rules.iter().find(|rule| !ids.insert(&rule.id)) {
        return Err(Error::new(format!("{name}: two rules have the id {:?}", twice.id))
            .hint("give one of them another id"));
    }
    verify_all(&file.checks, &file.kinds())
        .map_err(|why| Error::new(format!("{name}: {why}")).hint(hint))?;
    let rules: Result<Vec<Compiled>> = file
        .rules
        .into_iter()
        .map(|spec| {
            let line = line_of(text, &spec.id);
            let rule = compile(&file.issuer, spec)
                .map_err(|why| Error::new(format!("{name}:{line}: {why}")).hint(hint))?;
            globs(&rule.spec.id, &rule.spec.context.paths)?;
            Ok(rule)
        })
        .collect();
    Ok((rules?, file.checks.len()))
}

/// The line of a rule file on which a rule's id stands.
fn line_of(text: &str, id: &str) -> usize {
    text.lines()
        .position(|line| line.trim_start().starts_with("id") && line.contains(&format!("{id:?}")))
        .map_or(1, |at| at + 1)
}

/// The given files, and the `.toml` files of the given folders.
///
/// # Errors
/// A folder that cannot be listed or holds none.
pub fn rule_files(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot =
            |why| Error::new(format!("cannot list the rule folder {}: {why}", path.display()));
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(cannot)? {
            let entry = entry.map_err(cannot)?.path();
            if entry.extension().is_some_and(|ending| ending == "toml") {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            return Err(Error::new(format!(
                "the rule folder {} holds no .toml file",
                path.display()
            )));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

/// The names under which a rule can be chosen.
fn names(rule: &Compiled) -> impl Iterator<Item = String> {
    let spec = &rule.spec;
    [
        Some(&spec.id),
        spec.kind.as_ref(),
        spec.set.as_ref(),
        spec.service.as_ref(),
        Some(&rule.issuer),
    ]
    .into_iter()
    .flatten()
    .map(|name| name.to_lowercase().replace(' ', "-"))
    .collect::<Vec<_>>()
    .into_iter()
}

fn named(rule: &Compiled, chosen: &[String]) -> bool {
    names(rule).any(|name| chosen.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name)))
}

fn wanted(rule: &Compiled, selection: &Selection) -> bool {
    if named(rule, &selection.except) {
        return false;
    }
    match &rule.spec.set {
        Some(_) => named(rule, &selection.only),
        None => {
            let sets_only = selection.only.iter().all(|name| SETS.contains(&name.as_str()));
            sets_only || named(rule, &selection.only)
        }
    }
}

/// Sets that are off by default: naming one adds it to the default rules.
const SETS: &[&str] = &["generic"];

fn check_names(rules: &BTreeMap<String, Compiled>, selection: &Selection) -> Result<()> {
    for name in selection.only.iter().chain(&selection.except) {
        let known = rules.values().any(|rule| named(rule, std::slice::from_ref(name)));
        if !known && !SETS.contains(&name.as_str()) {
            return Err(Error::new(format!("no rule, kind, issuer or set is called {name:?}"))
                .hint("`tokensweep rules list` shows them all"));
        }
    }
    Ok(())
}

/// Compiles the globs of a rule; `None` if there are none.
pub(super) fn globs(id: &str, globs: &[String]) -> Result<Option<GlobSet>> {
    if globs.is_empty() {
        return Ok(None);
    }
    let wrong = |why: globset::Error| Error::new(format!("rule {id:?}: context.paths: {why}"));
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(GlobBuilder::new(glob).case_insensitive(true).build().map_err(wrong)?);
    }
    Ok(Some(set.build().map_err(wrong)?))
}
