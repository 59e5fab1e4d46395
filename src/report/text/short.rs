//! The whole report in a few lines, for people who have no time.

use std::io::{self, Write};

use super::layout::{INDENT, WIDTH, wrapped};
use super::{Page, coverage};
use crate::model::radius::Response;

/// Credentials that are told of.
const FIRST: usize = 3;

impl Page<'_> {
    /// What is worst, whether it was used, and what to do first.
    pub fn in_short(&self, response: &Response, out: &mut dyn Write) -> io::Result<()> {
        let Some(first) = response.plan.first() else { return Ok(()) };
        let radii = || self.report.findings.iter().filter_map(|it| it.blast_radius.as_deref());
        let mut lines: Vec<String> = radii()
            .filter(|radius| !radius.headline.is_empty())
            .take(FIRST)
            .map(|radius| self.masker.told(&radius.headline))
            .collect();
        let releases = radii().flat_map(|radius| &radius.packages).flat_map(|it| &it.releases);
        let odd = releases.filter(|release| release.is_suspicious());
        match odd.count() as u64 {
            0 => {}
            n => lines.push(format!(
                "{} published while it was open",
                coverage::many(n, "suspicious version was", "suspicious versions were")
            )),
        }
        let title = self.masker.told(&first.title);
        lines.push(format!("first: {title}; the whole plan stands at the end"));
        let bold = self.paint.bold;
        let mut label = "in short";
        for line in lines.iter().flat_map(|line| wrapped(line, WIDTH - INDENT)) {
            writeln!(out, "{bold}{label:<INDENT$}{bold:#}{line}")?;
            label = "";
        }
        writeln!(out)
    }
}
