//! The block of a secret.

use std::io::{self, Write};

use super::layout::{INDENT, LINE, WIDTH, wrapped};
use super::{PLACES, Page, Paint, coverage, sanitize, time};
use crate::model::{
    Checksum, Evidence, Finding, Location, OriginKind, Outcome, Provenance, State, Validation,
};

/// Characters of a list that a server told.
const LONG: usize = 300;

impl Page<'_> {
    pub fn finding(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let Paint { bold, dim, .. } = self.paint;
        let severity = coverage::danger(finding);
        let danger = self.paint.severity(severity);
        writeln!(
            out,
            "{danger}{:<8}{danger:#}  {bold}{}{bold:#}  {danger}{}{danger:#}",
            severity.word(),
            self.masker.visible(&*finding.name),
            sanitize::visible(&self.masker.secret(&finding.secret)),
        )?;
        if !finding.worth.words.is_empty() {
            writeln!(out, "{:10}{}", "", self.masker.visible(&finding.worth.words))?;
        }
        self.validation(&finding.validation, out)?;
        writeln!(out, "{:10}{}", "", self.facts(finding))?;
        writeln!(
            out,
            "{:10}{dim}rule {} · fingerprint {}{dim:#}",
            "",
            self.masker.visible(&*finding.rule),
            finding.fingerprint
        )?;
        self.places(finding, out)?;
        finding.blast_radius.as_ref().map_or(Ok(()), |radius| self.radius(radius, out))
    }

    /// What is known about it, on one line; what is not known is left out.
    fn facts(&self, finding: &Finding) -> String {
        let mut facts = Vec::new();
        for (word, value) in [("registry", &finding.registry), ("user", &finding.username)] {
            facts.extend(value.as_ref().map(|it| format!("{word} {}", self.masker.visible(it))));
        }
        if finding.checksum != Checksum::None {
            facts.push(format!("checksum {}", finding.checksum));
        }
        facts.push(format!("confidence {}", finding.confidence));
        if finding.worth.state != State::Unknown {
            facts.push(finding.worth.state.to_string());
        }
        facts.join(" · ")
    }

    fn places(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let dim = self.paint.dim;
        let shown = if self.options.verbose { usize::MAX } else { PLACES };
        let shown = &finding.locations[..shown.min(finding.locations.len())];
        for (n, location) in shown.iter().enumerate() {
            let label = if n == 0 { "at" } else { "" };
            writeln!(out, "{dim}{label:>8}{dim:#}  {}", self.place(location))?;
        }
        match finding.places.saturating_sub(shown.len() as u64) {
            0 => Ok(()),
            more => writeln!(
                out,
                "{:10}{dim}… and {}{dim:#}",
                "",
                coverage::many(more, "more place", "more places")
            ),
        }
    }

    /// `path:line:column  (variable)`, which terminals and editors can open.
    pub fn place(&self, location: &Location) -> String {
        let Paint { path, dim, .. } = self.paint;
        let name = match location.origin.kind {
            OriginKind::Stdin => "<stdin>".to_owned(),
            _ => self.masker.visible(location.origin.shown()),
        };
        let mut place = format!("{path}{name}{path:#}:{}:{}", location.line, location.column);
        if let Some(variable) = &location.variable {
            place.push_str(&format!("  {dim}({}){dim:#}", self.masker.visible(variable)));
        }
        if let Some(git) = &location.origin.git {
            place.push_str(&format!("  {dim}{}{dim:#}", self.provenance(git)));
        }
        place
    }

    /// `since 1a2b3c4d, 2024-05-01, Name <mail>, refs/heads/main, gone from HEAD`.
    fn provenance(&self, git: &Provenance) -> String {
        let mut words = Vec::new();
        words.extend(git.commit.as_ref().map(|id| format!("since {}", short(id))));
        if git.commit.is_none() {
            words.extend(git.object.as_ref().map(|id| format!("object {}", short(id))));
        }
        words.extend(git.time.and_then(time::day));
        words.extend(git.author.as_deref().map(|author| self.masker.visible(author)));
        words.extend(git.refs.first().map(|name| self.masker.visible(name)));
        words.extend(git.unreachable.map(|held| held.words().to_owned()));
        words.extend((git.in_head == Some(false)).then(|| "gone from HEAD".to_owned()));
        words.join(", ")
    }

    /// `active as alice: what that rests on`, and with `-v` each request.
    fn validation(&self, validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
        let outcome = validation.outcome;
        if outcome == Outcome::NotAttempted {
            return Ok(());
        }
        let mut words = outcome.word().to_owned();
        if let Some(user) = validation.identity.as_ref().and_then(|one| one.user.as_deref()) {
            words.push_str(&format!(" as {}", self.clipped(user, 40)));
        }
        // The reasons begin with the outcome, for those who read them alone.
        let reason = validation.words.as_str();
        let begins = ["alive: ", "dead: "].into_iter().find_map(|word| reason.strip_prefix(word));
        let reason = begins.filter(|_| outcome != Outcome::Restricted).unwrap_or(reason);
        if !reason.is_empty() {
            words.push_str(&format!(": {}", self.masker.told(reason)));
        }
        let lines = wrapped(&words, WIDTH - INDENT).join(LINE);
        let rest = lines.strip_prefix(outcome.word()).unwrap_or(&lines);
        let style = self.paint.outcome(outcome);
        writeln!(out, "{:INDENT$}{style}{}{style:#}{rest}", "", outcome.word())?;
        if self.options.verbose { self.evidence(validation, out) } else { Ok(()) }
    }

    /// What it may do, and what each request told.
    fn evidence(&self, validation: &Validation, out: &mut dyn Write) -> io::Result<()> {
        let dim = self.paint.dim;
        for (name, value) in self.identity(validation) {
            writeln!(out, "{:INDENT$}  {dim}{name}:{dim:#} {value}", "")?;
        }
        for Evidence { request, status, meaning } in &validation.evidence {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            let words = [request, meaning].map(|text| self.masker.told(text));
            let line = format!("{} → {status}: {}", words[0], words[1]);
            let lines = wrapped(&line, WIDTH - INDENT - 2).join("\n            ");
            writeln!(out, "{:INDENT$}  {dim}{lines}{dim:#}", "")?;
        }
        Ok(())
    }

    fn identity(&self, validation: &Validation) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        if let Some(identity) = &validation.identity {
            if !identity.scopes.is_empty() {
                facts.push(("scopes".to_owned(), self.clipped(&identity.scopes.join(", "), LONG)));
            }
            let told = identity.facts.iter();
            facts.extend(told.map(|(k, v)| (self.clipped(k, 30), self.clipped(v, LONG))));
        }
        facts.extend(validation.asked.and_then(time::utc).map(|time| ("asked".into(), time)));
        facts
    }
}

/// Enough of an object's name to find it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
