//! Keeps or rejects a candidate, offline.
//!
//! In order of cost: the value itself (placeholders, randomness), its
//! surroundings (paths, words nearby), its checksum, the slot that it stands
//! in. What is kept carries the reason; what is rejected is counted by reason.

pub mod check;
mod placeholder;
mod randomness;
mod worth;

use jiff::civil::Date;

use crate::context::{self, npm::Slot};
use crate::matcher::Candidate;
use crate::model::{Checksum, Confidence, NPM_REGISTRY, Proof, Severity, Worth};
use crate::rules::spec::{CheckName, Life, NpmContext};
use check::CheckResult;
use worth::Facts;

/// What the verification of a run depends on beside its rules.
#[derive(Clone, Debug)]
pub struct Options {
    /// The day for which a credential's worth is told.
    pub today: Date,
}

impl Default for Options {
    fn default() -> Self {
        Self { today: jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date() }
    }
}

/// The judgement of a candidate.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is a finding.
    Kept(Box<Kept>),
    /// It is none, and why.
    Rejected(&'static str),
}

/// What is known of a candidate that was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Why it was kept.
    pub proof: Proof,
    /// How sure we are.
    pub confidence: Confidence,
    /// How bad it would be, after what its worth says.
    pub severity: Severity,
    /// What its checksum says.
    pub checksum: Checksum,
    /// The registry that it is bound to.
    pub registry: Option<String>,
    /// Host, with its port, that the text binds it to.
    pub host: Option<String>,
    /// True if the text names the registry; false if it is one by default.
    pub registry_named: bool,
    /// The user that it belongs to.
    pub username: Option<String>,
    /// The variable, key or option that holds it.
    pub variable: Option<String>,
    /// What it is worth today.
    pub worth: Worth,
}

/// Judges candidates.
#[derive(Clone, Debug)]
pub struct Verifier {
    options: Options,
}

impl Verifier {
    /// A verifier for one run.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Keeps or rejects.
    pub fn check(&self, candidate: &Candidate<'_>) -> Verdict {
        match self.judge(candidate) {
            Ok(kept) => Verdict::Kept(Box::new(kept)),
            Err(reason) => Verdict::Rejected(reason),
        }
    }

    fn judge(&self, candidate: &Candidate<'_>) -> Result<Kept, &'static str> {
        let rule = candidate.rule;
        let spec = rule.spec();
        let secret = candidate.secret_bytes();
        let bytes = candidate.blob.bytes;
        let rest = &bytes[candidate.secret.1..];
        let goes_on = spec.verify.human && placeholder::begins_interpolation(rest);
        if goes_on || placeholder::is_interpolation(secret) {
            return Err("interpolation");
        }
        let checked = spec.verify.check.map(|name| (name, check::run(name, secret)));
        let proven = checked.as_ref().is_some_and(|(_, result)| result.checksum == Checksum::Valid);
        if !proven {
            // A key in PEM form is judged by its body: runs of `A` belong to the format.
            if spec.verify.check != Some(CheckName::Pem) {
                placeholder::test(secret, spec.verify.check == Some(CheckName::Crc32Base62))?;
            }
            randomness::test(secret, &spec.verify)?;
        }
        if spec.verify.required && checked.as_ref().is_some_and(|(_, result)| !result.fits) {
            return Err("structure does not fit");
        }
        if !spec.context.near.is_empty() && !self.word_is_near(candidate) {
            return Err("none of the rule's words is near");
        }
        if spec.context.section && !is_below_section(&bytes[..candidate.span.0]) {
            return Err("not below a section");
        }
        let (variable, slot) = place(candidate)?;
        let result = checked.map(|(_, result)| result);
        Ok(self.keep(candidate, result, slot, variable))
    }

    fn word_is_near(&self, candidate: &Candidate<'_>) -> bool {
        let context = &candidate.rule.spec().context;
        let bytes = candidate.blob.bytes;
        let start = candidate.span.0.saturating_sub(context.within);
        let end = (candidate.span.1 + context.within).min(bytes.len());
        // The words of the match itself do not count: it has them always.
        let parts = [&bytes[start..candidate.span.0], &bytes[candidate.secret.1..end]];
        context.near.iter().any(|word| {
            let word = word.to_ascii_lowercase();
            parts.iter().any(|part| context::find_fold(part, word.as_bytes()).is_some())
        })
    }

    fn keep(
        &self,
        candidate: &Candidate<'_>,
        result: Option<CheckResult>,
        slot: Option<Slot>,
        variable: Option<String>,
    ) -> Kept {
        let spec = candidate.rule.spec();
        let checksum = result.as_ref().map_or(Checksum::None, |result| result.checksum);
        let failed = result.as_ref().is_some_and(|result| !result.fits);
        let proven = result.as_ref().is_some_and(|result| result.fits);
        let mut slot = slot.unwrap_or_default();
        let bytes = candidate.blob.bytes;
        let behind = || context::url::host_behind(bytes, candidate.secret.1);
        // A file that names a host binds more than the form of the value does.
        let entry = || context::npm::netrc_host(bytes, candidate.secret.0);
        let named = slot.registry.clone().filter(|_| slot.named);
        let host = named.or_else(behind).or_else(entry).or_else(|| slot.registry.clone());
        slot.registry = host_of(slot.registry);
        let (expires, issued, username) = result
            .map_or((None, None, None), |result| (result.expires, result.issued, result.username));
        let worth = worth::of(&Facts {
            life: spec.life,
            kind: &candidate.rule.kind,
            registry: slot.registry.as_deref(),
            registry_named: slot.named,
            checksum,
            expires,
            issued,
            seen: seen(candidate, self.options.today),
            today: self.options.today,
        });
        Kept {
            proof: match (proven, variable.is_some() || slot.registry.is_some()) {
                (true, _) => Proof::Checksum,
                (false, true) => Proof::Grammar,
                (false, false) => Proof::Shape,
            },
            confidence: if failed { Confidence::Low } else { spec.confidence },
            severity: worth::severity(spec.severity, worth.state),
            checksum,
            registry: slot.registry,
            host,
            registry_named: slot.named,
            username: username
                .or_else(|| caught_user(candidate))
                .or(slot.username)
                .or_else(|| user_nearby(candidate)),
            variable,
            worth,
        }
    }
}

/// A registry is named by its host alone.
fn host_of(registry: Option<String>) -> Option<String> {
    registry.map(|host| context::url::without_port(&host).to_owned())
}

/// How far above a value its section is looked for, in bytes.
const SECTION: usize = 8 * 1024;

/// True if one of the lines above is `[section]`.
fn is_below_section(above: &[u8]) -> bool {
    let near = &above[above.len().saturating_sub(SECTION)..];
    near.split(|&b| b == b'\n').any(|line| {
        let line = line.trim_ascii();
        let name = line.strip_prefix(b"[").and_then(|rest| rest.split(|&b| b == b']').next());
        let after = name.and_then(|name| line.get(name.len() + 2..)).map(<[u8]>::trim_ascii_start);
        matches!(after, Some([] | [b'#' | b';', ..])) && name.is_some_and(|name| !name.is_empty())
    })
}

/// The user name that the pattern caught, unless it stands for another.
fn caught_user(candidate: &Candidate<'_>) -> Option<String> {
    let (start, end) = candidate.user?;
    let user = &candidate.blob.bytes[start..end];
    let named = !user.is_empty() && user.len() <= 64 && !placeholder::is_interpolation(user);
    named.then(|| context::url::decode(user))
}

/// Bytes to each side of a match in which its user name may stand.
const USER: usize = 512;

/// The user name that the rule's keys hold beside the match.
fn user_nearby(candidate: &Candidate<'_>) -> Option<String> {
    let keys = &candidate.rule.spec().context.user;
    let bytes = candidate.blob.bytes;
    let start = candidate.span.0.saturating_sub(USER);
    let around = &bytes[start..(candidate.span.1 + USER).min(bytes.len())];
    let user = keys.iter().find_map(|key| context::assigned_word(around, key.as_bytes()))?;
    let named = user.len() <= 64 && !placeholder::is_interpolation(user.as_bytes());
    (named && user.as_bytes() != candidate.secret_bytes()).then_some(user)
}

/// When the candidate was where it was found, if the worth of its kind
/// depends on that.
fn seen(candidate: &Candidate<'_>, today: Date) -> Option<Date> {
    let blob = candidate.blob;
    let matters = candidate.rule.spec().life == Life::NpmToken;
    matters
        .then(|| context::date_near(blob.bytes, candidate.secret.0, blob.origin.file_name(), today))
        .flatten()
}

/// Reads the key of the candidate, and its slot as far as its rule wants it.
fn place(candidate: &Candidate<'_>) -> Result<(Option<String>, Option<Slot>), &'static str> {
    let blob = candidate.blob;
    let (bytes, start) = (blob.bytes, candidate.secret.0);
    let path = blob.origin.known_path();
    let read = |key: Option<&str>| context::npm::slot(bytes, candidate.secret, key, path);
    let mut variable = context::variable(bytes, start);
    let mut found = read(variable.as_deref());
    // The match may begin with a key and hold more than its value: a user.
    if found.is_none() && candidate.span.0 < start {
        let key = context::key_at(bytes, candidate.span.0);
        found = read(key.as_deref());
        if let Some(slot) = &mut found {
            if slot.username.is_none() && bytes[start - 1] == b':' {
                slot.username = context::url::user_before(bytes, start);
            }
            variable = key.filter(|key| key != "curl");
        }
    }
    match candidate.rule.spec().context.npm {
        NpmContext::IfSlot => Ok((variable, found.filter(|slot| slot.named))),
        NpmContext::Required if found.is_none() => Err("not in a place of npm's"),
        NpmContext::Required => Ok((variable, found)),
        NpmContext::Own => {
            let default = Slot { registry: Some(NPM_REGISTRY.to_owned()), ..Slot::default() };
            Ok((variable, Some(found.unwrap_or(default))))
        }
    }
}
