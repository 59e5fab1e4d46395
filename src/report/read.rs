//! Reads the findings of a report back, if it was written with its secrets.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::model::{
    Checksum, Confidence, Finding, FingerprintKey, Location, Mask, Origin, OriginKind, Proof,
    Provenance, Secret, Severity, State, Validation, Worth,
};

/// What a report held.
#[derive(Debug, Default)]
pub struct Known {
    /// Its findings.
    pub findings: Vec<Finding>,
    /// How many more it has whose secrets are masked.
    pub masked: usize,
}

/// Reads a report of this program, `json` or `jsonl`. `None` if `bytes` are
/// none; they may still be any other text.
///
/// A report is no more to be trusted than a scanned file: its findings are claims,
/// and the rules must look at their secrets again before anybody is asked.
pub fn read(bytes: &[u8], key: &FingerprintKey) -> Option<Known> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let entries = match serde_json::from_str::<Whole>(text) {
        Ok(whole) if whole.tool.name == env!("CARGO_PKG_NAME") => whole.findings,
        _ => lines(text)?,
    };
    let mut known = Known::default();
    for entry in entries {
        match entry.finding(key) {
            Some(finding) => known.findings.push(finding),
            None => known.masked += 1,
        }
    }
    Some(known)
}

/// The findings of `jsonl`; `None` if a line is none of ours.
fn lines(text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut ours = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Line { r#type } = serde_json::from_str(line).ok()?;
        match r#type.as_str() {
            "finding" => entries.push(serde_json::from_str(line).ok()?),
            "summary" | "response" => ours = true,
            _ => return None,
        }
    }
    (ours || !entries.is_empty()).then_some(entries)
}

#[derive(Deserialize)]
struct Whole {
    tool: Tool,
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Tool {
    name: String,
}

#[derive(Deserialize)]
struct Line {
    r#type: String,
}

#[derive(Deserialize)]
struct Entry {
    rule: String,
    #[serde(default)]
    name: Option<String>,
    kind: String,
    service: Option<String>,
    #[serde(default)]
    severity: Option<Severity>,
    secret: String,
    #[serde(default)]
    secret_bytes: Option<String>,
    fingerprint: String,
    #[serde(default)]
    confidence: Option<Confidence>,
    #[serde(default)]
    checksum: String,
    registry: Option<String>,
    #[serde(default)]
    host: Option<String>,
    username: Option<String>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    worth: String,
    #[serde(default)]
    places: u64,
    #[serde(default)]
    locations: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    path: String,
    #[serde(default)]
    root: String,
    #[serde(default)]
    line: u64,
    #[serde(default)]
    column: u64,
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    length: usize,
    commit: Option<String>,
    commit_time: Option<String>,
    variable: Option<String>,
}

impl Entry {
    /// The finding; `None` if its secret is masked.
    fn finding(self, key: &FingerprintKey) -> Option<Finding> {
        let secret = match &self.secret_bytes {
            Some(text) => STANDARD.decode(text).ok()?,
            None => self.secret.clone().into_bytes(),
        };
        let fingerprint = key.fingerprint(&secret);
        let masked = self.secret.contains('…') || self.secret.starts_with('‹');
        if masked && self.secret_bytes.is_none() && fingerprint.to_string() != self.fingerprint {
            return None;
        }
        let locations: Vec<Location> = self.locations.into_iter().map(Place::location).collect();
        Some(Finding {
            fingerprint,
            name: self.name.as_deref().unwrap_or(&self.rule).into(),
            rule: self.rule.into(),
            kind: self.kind.into(),
            service: self.service.map(Into::into),
            secret: Secret::new(&secret, Mask::Ends),
            proof: Proof::Shape,
            confidence: self.confidence.unwrap_or(Confidence::Medium),
            severity: self.severity.unwrap_or(Severity::High),
            checksum: match self.checksum.as_str() {
                "valid" => Checksum::Valid,
                "invalid" => Checksum::Invalid,
                _ => Checksum::None,
            },
            host: self.host.or_else(|| self.registry.clone()),
            registry: self.registry,
            username: self.username,
            worth: Worth { state: state(&self.state), words: self.worth },
            places: self.places.max(locations.len() as u64),
            locations,
            validation: Validation::default(),
            blast_radius: None,
        })
    }
}

fn state(word: &str) -> State {
    let all = [
        State::ShortLived,
        State::WriteExpired,
        State::Expired,
        State::LegacyDead,
        State::Reference,
    ];
    all.into_iter().find(|state| state.word() == word).unwrap_or(State::Unknown)
}

impl Place {
    fn location(self) -> Location {
        let time =
            self.commit_time.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let git = self.commit.is_some().then(|| {
            Box::new(Provenance {
                commit: self.commit,
                time: time.map(jiff::Timestamp::as_second),
                ..Provenance::default()
            })
        });
        let whole = self.path == self.root;
        Location {
            origin: Arc::new(Origin {
                target: 0,
                root: self.root.into_bytes().into(),
                path: if whole { Box::default() } else { self.path.into_bytes().into() },
                kind: if git.is_some() { OriginKind::GitBlob } else { OriginKind::File },
                git,
            }),
            offset: self.offset,
            line: self.line,
            column: self.column,
            length: self.length,
            variable: self.variable,
        }
    }
}
