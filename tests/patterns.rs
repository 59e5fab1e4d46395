//! Every example of every shipped rule is found, no counter-example is.

use std::sync::Arc;

use tokensweep::matcher::Matcher;
use tokensweep::model::{Blob, Origin, OriginKind};
use tokensweep::rules::{RuleSet, Selection, embedded_files, trials};
use tokensweep::verify::{Options, Verdict, Verifier};

#[test]
fn examples_hold() {
    let selection = Selection { only: vec!["generic".to_owned()], ..Selection::default() };
    let matcher = Matcher::new(Arc::new(RuleSet::select(&selection).unwrap()));
    let verifier = Verifier::new(Options::default());
    let mut wrong = Vec::new();
    for (name, text) in embedded_files() {
        for trial in trials(name, text).unwrap() {
            let origin = Arc::new(Origin {
                target: 0,
                root: b".".as_slice().into(),
                path: trial.path.as_bytes().into(),
                kind: OriginKind::File,
                git: None,
            });
            let blob = Blob::whole(&origin, &trial.example.text);
            let mut kept: Vec<Vec<u8>> = Vec::new();
            let mut why = Vec::new();
            matcher.candidates(&blob, |candidate| {
                if *candidate.rule.id != *trial.rule {
                    return;
                }
                match verifier.check(&candidate) {
                    Verdict::Kept(_) => kept.push(candidate.secret_bytes().to_vec()),
                    Verdict::Rejected(reason) => why.push(reason),
                }
            });
            let fits = if trial.must_find {
                !kept.is_empty() && trial.example.secrets.iter().all(|secret| kept.contains(secret))
            } else {
                kept.is_empty()
            };
            if !fits {
                wrong.push(format!(
                    "{name} {} must_find={} {:?}\n   kept {:?} rejected {why:?}\n   text {:?}",
                    trial.rule,
                    trial.must_find,
                    trial.template,
                    kept.iter()
                        .map(|k| String::from_utf8_lossy(k).into_owned())
                        .collect::<Vec<_>>(),
                    String::from_utf8_lossy(&trial.example.text),
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}
