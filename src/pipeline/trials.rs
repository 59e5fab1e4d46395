//! Runs rules on texts and says what became of each match: for the authors of
//! rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Options, Scanner};
use crate::error::Result;
use crate::matcher::Matcher;
use crate::model::{Blob, Confidence, Origin, OriginKind, Secret};
use crate::rules::{RuleSet, Selection, Trial, load_text, trials};
use crate::verify::{self, Verdict, Verifier};

/// What a check of a rule file found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Examples and counter-examples that were run.
    pub examples: usize,
    /// In words, those that failed.
    pub failures: Vec<String>,
}

/// Checks a rule file and runs all its examples and counter-examples.
///
/// # Errors
/// A file that is no valid rule file.
pub fn check_rules(name: &str, text: &str) -> Result<Checked> {
    let mut checked = Checked::default();
    let rules = load_text(name, text)?;
    let mut by_rule: BTreeMap<String, Vec<Trial>> = BTreeMap::new();
    for trial in trials(name, text)? {
        by_rule.entry(trial.rule.clone()).or_default().push(trial);
    }
    for compiled in rules {
        let id = compiled.spec.id.clone();
        let rules = Arc::new(RuleSet::of(vec![compiled]));
        for trial in by_rule.remove(&id).unwrap_or_default() {
            checked.examples += 1;
            if let Some(why) = failure(&rules, &trial) {
                checked.failures.push(format!("{name}: rule {id:?}: {:?}: {why}", trial.template));
            }
        }
    }
    Ok(checked)
}

fn failure(rules: &Arc<RuleSet>, trial: &Trial) -> Option<String> {
    let scanner = Scanner::with_rules(Arc::clone(rules), &Options::default()).ok()?;
    scanner.scan_bytes(&trial.path, &trial.example.text);
    let report = scanner.finish();
    let found: Vec<&[u8]> = report.findings.iter().map(|finding| finding.secret.expose()).collect();
    match (trial.must_find, found.is_empty()) {
        (true, true) => {
            let reasons: Vec<&str> = report.rejected.keys().copied().collect();
            let reasons =
                if reasons.is_empty() { "no match".to_owned() } else { reasons.join(", ") };
            Some(format!("finds nothing ({reasons})"))
        }
        (false, false) => {
            Some(format!("finds {} though it must not", String::from_utf8_lossy(found[0])))
        }
        (true, false) => {
            let missed =
                trial.example.secrets.iter().find(|secret| !found.contains(&&secret[..]))?;
            let (missed, found) =
                (String::from_utf8_lossy(missed), String::from_utf8_lossy(found[0]));
            Some(format!("finds {found:?}, not {missed:?}"))
        }
        (false, true) => None,
    }
}

/// A match and what became of it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The rule's id.
    pub rule: String,
    /// Line of the secret, from 1.
    pub line: usize,
    /// Column of the secret in bytes, from 1.
    pub column: usize,
    /// The secret.
    pub secret: Secret,
    /// How sure we are, or why it was turned away.
    pub outcome: std::result::Result<Confidence, &'static str>,
}

/// Every match of the chosen rules in a text, kept or not, in order.
///
/// # Errors
/// Rules that cannot be loaded.
pub fn judge(selection: &Selection, name: &str, text: &[u8]) -> Result<Vec<Judgement>> {
    let rules = Arc::new(RuleSet::select(selection)?);
    let matcher = Matcher::new(rules);
    let verifier = Verifier::new(verify::Options::default());
    let origin = Arc::new(Origin {
        target: 0,
        root: name.as_bytes().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    });
    let blob = Blob::whole(&origin, text);
    let mut all = Vec::new();
    matcher.candidates(&blob, |candidate| {
        let before = &text[..candidate.secret.0];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        all.push((
            candidate.secret,
            Judgement {
                rule: candidate.rule.id.to_string(),
                line: before.iter().filter(|&&b| b == b'\n').count() + 1,
                column: candidate.secret.0 - line_start + 1,
                secret: Secret::new(candidate.secret_bytes(), candidate.rule.spec().mask),
                outcome: match verifier.check(&candidate) {
                    Verdict::Kept(kept) => Ok(kept.confidence),
                    Verdict::Rejected(reason) => Err(reason),
                },
            },
        ));
    });
    all.sort_by(|a, b| (a.0, &a.1.rule).cmp(&(b.0, &b.1.rule)));
    all.dedup_by(|a, b| a.0 == b.0 && a.1.rule == b.1.rule);
    Ok(all.into_iter().map(|(_, judgement)| judgement).collect())
}
