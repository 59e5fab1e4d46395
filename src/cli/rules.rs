//! `tokensweep rules`.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use super::args::{RulesArgs, RulesCommand};
use super::{CLEAN, FOUND};
use crate::error::{Error, Result};
use crate::pipeline::{self, Judgement};
use crate::report::sanitize::visible;
use crate::rules::{RuleSet, Selection, embedded_files};

pub(super) fn run(args: &RulesArgs) -> Result<u8> {
    let mut out = io::stdout().lock();
    let outcome = match &args.command {
        RulesCommand::List { rules, json } => list(rules, *json, &mut out),
        RulesCommand::Show { id, rules } => show(id, rules, &mut out),
        RulesCommand::Check { paths } => check(paths, &mut out),
        RulesCommand::Test { path, rules, rule, show_secrets } => {
            test(path, rules, rule, *show_secrets, &mut out)
        }
    };
    match outcome {
        Ok(code) => Ok(code),
        Err(Failure::Fatal(why)) => Err(why),
        Err(Failure::Output(why)) if why.kind() == io::ErrorKind::BrokenPipe => Ok(CLEAN),
        Err(Failure::Output(why)) => {
            Err(Error::new(format!("cannot write to standard output: {why}")))
        }
    }
}

enum Failure {
    Fatal(Error),
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(why: Error) -> Self {
        Self::Fatal(why)
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        Self::Output(why)
    }
}

type Outcome = std::result::Result<u8, Failure>;

fn list(files: &[PathBuf], json: bool, out: &mut dyn Write) -> Outcome {
    let everything =
        Selection { files: files.to_vec(), only: vec!["generic".into()], except: Vec::new() };
    let rules = RuleSet::select(&everything)?;
    for rule in &rules.rules {
        let spec = rule.spec();
        if json {
            let line = serde_json::json!({
                "id": *rule.id, "kind": *rule.kind, "issuer": rule.compiled.issuer, "name": *rule.name,
                "confidence": spec.confidence, "severity": spec.severity, "set": spec.set,
            });
            writeln!(out, "{line}")?;
        } else {
            let set = spec.set.as_deref().map(|set| format!(" [--rule {set}]")).unwrap_or_default();
            writeln!(
                out,
                "{:34} {:8} {:6} {}{set}",
                rule.id,
                spec.severity.word(),
                spec.confidence.word(),
                rule.name
            )?;
        }
    }
    if !json {
        writeln!(out, "{} rules", rules.rules.len())?;
    }
    Ok(CLEAN)
}

fn show(id: &str, files: &[PathBuf], out: &mut dyn Write) -> Outcome {
    for (_, text) in texts(files, true)? {
        if let Some(rule) = rule_text(&text, id) {
            writeln!(out, "{rule}")?;
            return Ok(CLEAN);
        }
    }
    Err(Error::new(format!("no rule is called {id:?}"))
        .hint("`tokensweep rules list` shows them all")
        .into())
}

/// The lines of a rule in its file, with the file's first line.
fn rule_text(text: &str, id: &str) -> Option<String> {
    let mut parts = without_checks(text).split("[[rule]]");
    let head = parts.next()?.trim();
    let wanted = format!("id = {id:?}");
    let body = parts.find(|part| part.lines().any(|line| line.trim() == wanted))?;
    Some(format!("{head}\n\n[[rule]]\n{}", body.trim()))
}

/// A rule file up to its checks, which stand behind the rules, and what is said
/// above them.
fn without_checks(text: &str) -> &str {
    let Some((mut rules, _)) = text.split_once("[[check]]") else { return text };
    loop {
        rules = rules.trim_end();
        match rules.rsplit_once('\n') {
            Some((above, last)) if last.starts_with('#') => rules = above,
            _ => return rules,
        }
    }
}

fn check(paths: &[PathBuf], out: &mut dyn Write) -> Outcome {
    let texts = texts(paths, paths.is_empty())?;
    let (mut checked, mut failed) = (0, 0);
    for (name, text) in &texts {
        let outcome = pipeline::check_rules(name, text)?;
        checked += outcome.examples;
        for failure in &outcome.failures {
            failed += 1;
            writeln!(out, "{}", visible(failure.as_bytes()))?;
        }
    }
    let files = texts.len();
    writeln!(out, "{files} files, {checked} examples and counter-examples, {failed} failed")?;
    Ok(if failed > 0 { FOUND } else { CLEAN })
}

fn test(
    path: &Path,
    files: &[PathBuf],
    only: &[String],
    show: bool,
    out: &mut dyn Write,
) -> Outcome {
    let mut text = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut text).map(|_| ())
    } else {
        std::fs::read(path).map(|bytes| text = bytes)
    };
    read.map_err(|why| Error::new(format!("cannot read {}: {why}", path.display())))?;
    let selection = Selection { files: files.to_vec(), only: only.to_vec(), except: Vec::new() };
    let name = path.display().to_string();
    let judgements = pipeline::judge(&selection, &name, &text)?;
    for Judgement { rule, line, column, secret, outcome } in &judgements {
        let secret = if show { visible(secret.expose()) } else { secret.masked() };
        let outcome = match outcome {
            Ok(confidence) => format!("kept, confidence {confidence}"),
            Err(reason) => format!("rejected: {reason}"),
        };
        writeln!(out, "{line}:{column} {rule}: {secret}: {outcome}")?;
    }
    let kept = judgements.iter().filter(|judgement| judgement.outcome.is_ok()).count();
    writeln!(out, "{} matches, {kept} kept", judgements.len())?;
    Ok(if kept > 0 { FOUND } else { CLEAN })
}

/// Name and text of rule files, the shipped ones among them if wanted.
fn texts(paths: &[PathBuf], shipped: bool) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for path in crate::rules::rule_files(paths)? {
        let text = std::fs::read_to_string(&path).map_err(|why| {
            Error::new(format!("cannot read the rule file {}: {why}", path.display()))
        })?;
        texts.push((path.display().to_string(), text));
    }
    if shipped {
        texts.extend(
            embedded_files()
                .iter()
                .map(|(name, text)| (format!("patterns/{name}"), (*text).to_owned())),
        );
    }
    Ok(texts)
}
