//! For people: one block per secret, most dangerous first, then what it comes
//! to, then what was looked at.
//!
//! ```text
//! critical  npm granular access token  npm_aBcD…7890
//!           May be alive: nothing offline tells when it ends.
//!           registry npm.example · user alice · checksum valid · confidence high
//!           rule npm-access-token · fingerprint 5d…
//!       at  .npmrc:1:36  (_authToken)
//!           packages/a/.env:12:15  (NPM_TOKEN)
//!           … and 31 more places
//! ```

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

use super::coverage::{self, Group};
use super::sanitize::Masker;
use super::{Options, Reporter};
use crate::model::{
    Checksum, Finding, Location, OriginKind, Provenance, Report, Severity, State, Suppressed,
    Suppression,
};

/// Places of a secret that are shown unless all are asked for.
const PLACES: usize = 10;

/// Writes `text`.
pub(super) struct Text(pub Options);

impl Reporter for Text {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        let page = Page { report, options: self.0, masker, paint: Paint::new(self.0.color) };
        for finding in &report.findings {
            page.finding(finding, out)?;
            writeln!(out)?;
        }
        page.gaps(out)?;
        if self.0.quiet {
            return Ok(());
        }
        page.left_out(out)?;
        page.turned_away(out)?;
        page.suppressed(out)?;
        page.last_lines(out)
    }
}

struct Page<'a> {
    report: &'a Report,
    options: Options,
    masker: Masker<'a>,
    paint: Paint,
}

impl Page<'_> {
    fn finding(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let Paint { bold, dim, .. } = self.paint;
        let danger = self.paint.severity(finding.severity);
        writeln!(
            out,
            "{danger}{:<8}{danger:#}  {bold}{}{bold:#}  {danger}{}{danger:#}",
            finding.severity.word(),
            self.masker.visible(&*finding.name),
            super::sanitize::visible(&self.masker.secret(&finding.secret)),
        )?;
        if !finding.worth.words.is_empty() {
            writeln!(out, "{:10}{}", "", self.masker.visible(&finding.worth.words))?;
        }
        writeln!(out, "{:10}{}", "", self.facts(finding))?;
        writeln!(
            out,
            "{:10}{dim}rule {} · fingerprint {}{dim:#}",
            "",
            self.masker.visible(&*finding.rule),
            finding.fingerprint
        )?;
        self.places(finding, out)
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
    fn place(&self, location: &Location) -> String {
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
        words.extend(git.time.and_then(super::time::day));
        words.extend(git.author.as_deref().map(|author| self.masker.visible(author)));
        words.extend(git.refs.first().map(|name| self.masker.visible(name)));
        words.extend(git.unreachable.map(|held| held.words().to_owned()));
        words.extend((git.in_head == Some(false)).then(|| "gone from HEAD".to_owned()));
        words.join(", ")
    }

    /// What was asked for and could not be looked at: never left out.
    fn gaps(&self, out: &mut dyn Write) -> io::Result<()> {
        let warn = self.paint.warn;
        for group in coverage::groups(self.report, true) {
            writeln!(out, "{warn}warning{warn:#}: the scan is incomplete: {}", group.words())?;
            self.paths(&group, out)?;
        }
        Ok(())
    }

    /// What was meant to be left out, path by path.
    fn left_out(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.options.verbose {
            return Ok(());
        }
        let dim = self.paint.dim;
        for group in coverage::groups(self.report, false) {
            writeln!(out, "{dim}note{dim:#}: not searched: {}", group.words())?;
            self.paths(&group, out)?;
        }
        Ok(())
    }

    fn paths(&self, group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
        let (shown, more) = group.examples(self.options.verbose);
        for skip in shown {
            write!(out, "{:10}{}", "", self.masker.visible(&skip.path))?;
            match skip.detail.is_empty() {
                true => writeln!(out)?,
                false => writeln!(out, ": {}", self.masker.visible(&skip.detail))?,
            }
        }
        if more > 0 {
            writeln!(out, "{:10}… and {} more (-v lists all)", "", coverage::count(more as u64))?;
        }
        Ok(())
    }

    /// Candidates that were no secrets, by reason.
    fn turned_away(&self, out: &mut dyn Write) -> io::Result<()> {
        if !(self.options.verbose || self.options.explain) || self.report.rejected.is_empty() {
            return Ok(());
        }
        let dim = self.paint.dim;
        for one in self.report.rejections.iter().filter(|_| self.options.explain) {
            let (place, rule) = (self.place(&one.location), self.masker.visible(&one.rule));
            let value = self.masker.visible(&one.masked);
            writeln!(out, "{dim}turned away{dim:#}: {place}: {rule}: {value}: {}", one.reason)?;
        }
        let reasons = self.report.rejected.iter();
        let reasons: Vec<_> =
            reasons.map(|(reason, n)| format!("{} × {reason}", coverage::count(*n))).collect();
        writeln!(out, "{dim}note{dim:#}: candidates turned away: {}", reasons.join(", "))
    }

    /// What suppression did, and which of its entries did nothing.
    fn suppressed(&self, out: &mut dyn Write) -> io::Result<()> {
        let Paint { dim, warn, .. } = self.paint;
        let suppressed = &self.report.suppressed;
        if !suppressed.is_empty() {
            writeln!(out, "suppressed: {}", suppressed_by(suppressed).join(", "))?;
        }
        for one in suppressed.iter().filter(|_| self.options.verbose) {
            let (rule, by) = (self.masker.visible(&one.rule), self.masker.visible(entry(&one.by)));
            let places = coverage::many(one.places, "place", "places");
            writeln!(out, "{:10}{dim}{}{dim:#}  {rule}, {places}: {by}", "", one.fingerprint)?;
        }
        let unused = &self.report.unused_suppressions;
        let shown = if self.options.verbose { unused.len() } else { unused.len().min(PLACES) };
        for entry in &unused[..shown] {
            let entry = self.masker.visible(entry);
            writeln!(out, "{warn}warning{warn:#}: this suppression matched nothing: {entry}")?;
        }
        match unused.len() - shown {
            0 => Ok(()),
            more => {
                writeln!(out, "{:10}… and {} more (-v lists all)", "", coverage::count(more as u64))
            }
        }
    }

    /// What it comes to, and what was looked at.
    fn last_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        let Paint { bold, good, warn, .. } = self.paint;
        let report = self.report;
        if !report.findings.is_empty() {
            writeln!(out, "{bold}{}{bold:#}", coverage::found(report))?;
            return writeln!(out, "{}", coverage::sentence(report));
        }
        let searched = coverage::searched(report);
        let rest = coverage::not_searched(report) + &coverage::settings(report);
        let looked = report.coverage.files + report.coverage.objects;
        match (looked, report.incomplete()) {
            (0, _) => writeln!(out, "{warn}{}{warn:#}", coverage::sentence(report)),
            (_, false) if !report.suppressed.is_empty() => {
                writeln!(out, "nothing left to report: {searched}{rest}")
            }
            (_, false) => writeln!(out, "{good}clean{good:#}: {searched}{rest}"),
            (_, true) => {
                let words = "no secrets in what could be searched";
                writeln!(out, "{warn}{words}{warn:#}: {searched}{rest}")
            }
        }
    }
}

/// Enough of an object's name to find it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// `2 by the baseline`, and so on for each way there is.
fn suppressed_by(suppressed: &[Suppressed]) -> Vec<String> {
    let mut ways: Vec<(String, u64)> = Vec::new();
    for one in suppressed {
        let way = match &one.by {
            Suppression::Inline(marker) => format!("by {marker} on their line"),
            Suppression::IgnoreFile(_) => "by the ignore file".to_owned(),
            Suppression::Baseline => "by the baseline".to_owned(),
            Suppression::Confidence => "below --confidence".to_owned(),
        };
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, n)) => *n += 1,
            None => ways.push((way, 1)),
        }
    }
    ways.into_iter().map(|(way, n)| format!("{} {way}", coverage::count(n))).collect()
}

/// What suppressed a finding, as its author wrote it.
fn entry(by: &Suppression) -> &str {
    match by {
        Suppression::Inline(marker) => marker,
        Suppression::IgnoreFile(entry) => entry,
        Suppression::Baseline => "baseline",
        Suppression::Confidence => "below --confidence",
    }
}

/// The styles; all of them empty if colours are off.
struct Paint {
    on: bool,
    bold: Style,
    dim: Style,
    path: Style,
    good: Style,
    warn: Style,
}

impl Paint {
    fn new(on: bool) -> Self {
        let style = |style: Style| if on { style } else { Style::new() };
        Self {
            on,
            bold: style(Style::new().bold()),
            dim: style(Style::new().dimmed()),
            path: style(color(AnsiColor::Magenta)),
            good: style(color(AnsiColor::Green).bold()),
            warn: style(color(AnsiColor::Yellow).bold()),
        }
    }

    fn severity(&self, severity: Severity) -> Style {
        let style = match severity {
            Severity::Critical => color(AnsiColor::BrightRed).bold(),
            Severity::High => color(AnsiColor::Red).bold(),
            Severity::Medium => color(AnsiColor::Yellow).bold(),
            Severity::Low => color(AnsiColor::Blue).bold(),
        };
        if self.on { style } else { Style::new() }
    }
}

fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}
