//! For people: one block per secret, most dangerous first, then what it comes
//! to, then what was looked at.
//!
//! ```text
//! critical  npm granular access token  npm_aBcD…7890
//!           May be alive: nothing offline tells when it ends.
//!           active as alice: the registry says whose it is
//!           registry npm.example · user alice · checksum valid · confidence high
//!           rule npm-access-token · fingerprint 5d…
//!       at  .npmrc:1:36  (_authToken)
//!           packages/a/.env:12:15  (NPM_TOKEN)
//!           … and 31 more places
//! ```

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

use super::coverage::{self, Group};
use super::sanitize::{self, Masker};
use super::time;
use super::{Options, Reporter};
use crate::model::{Outcome, Report, Severity, Suppressed, Suppression};

mod finding;
mod layout;
mod packages;
mod radius;
mod response;
mod short;

/// Places of a secret that are shown unless all are asked for.
const PLACES: usize = 10;
/// Rows of a table that are shown unless all are asked for.
const ROWS: usize = 15;

/// Writes `text`.
pub(super) struct Text(pub Options);

impl Reporter for Text {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let masker = Masker::new(report, self.0.show_secrets);
        let page = Page { report, options: self.0, masker, paint: Paint::new(self.0.color) };
        let response = report.response.as_deref();
        response.map_or(Ok(()), |response| page.alarm(response, out))?;
        response.map_or(Ok(()), |response| page.in_short(response, out))?;
        for finding in &report.findings {
            page.finding(finding, out)?;
            writeln!(out)?;
        }
        response.map_or(Ok(()), |response| page.response(response, out))?;
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
    bad: Style,
    alarm: Style,
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
            bad: style(color(AnsiColor::Red).bold()),
            alarm: style(color(AnsiColor::Red).bold().invert()),
        }
    }

    fn outcome(&self, outcome: Outcome) -> Style {
        let style = match outcome {
            Outcome::Active => color(AnsiColor::Red).bold(),
            Outcome::Restricted | Outcome::Unknown => color(AnsiColor::Yellow).bold(),
            Outcome::Dead | Outcome::Skipped | Outcome::NotAttempted => Style::new().dimmed(),
        };
        if self.on { style } else { Style::new() }
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
