//! Report → bytes: one file per format behind one trait.
//!
//! Two promises hold for every format. Secrets are masked, wherever they turn
//! up, unless [`Options::show_secrets`] is set. And nothing that was read from
//! a scanned tree can steer the terminal, hide text, forge a line or an
//! annotation: all of it leaves through the same door ([`sanitize`]).
//!
//! Output depends on the report alone, not on threads; only the time of the
//! run, which the programs' formats leave out, differs between two runs.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::model::Report;

pub(crate) mod coverage;
mod dot;
mod github;
mod json;
pub mod read;
pub mod sanitize;
mod sarif;
mod text;
mod time;
mod told;

/// Writes a report in one format.
pub trait Reporter {
    /// Writes all of it; the caller buffers and flushes.
    ///
    /// # Errors
    /// What `out` says.
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// How to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Secrets as they are, not masked.
    pub show_secrets: bool,
    /// `text`: with colours.
    pub color: bool,
    /// `text`: each candidate that was turned away, and why.
    pub explain: bool,
    /// `text`: all places and skipped paths, all that services told and each
    /// request that was made. `json` and `jsonl`: the time of the run too.
    pub verbose: bool,
    /// `text`: nothing but the findings, what follows from them, and what could
    /// not be searched.
    pub quiet: bool,
}

/// The formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// A JSON object per finding and line, then one for the summary.
    Jsonl,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow run.
    Github,
    /// The graph of a blast radius, for Graphviz; empty without one.
    Dot,
}

impl Format {
    /// All of them, in the order of the help text.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Json, Self::Jsonl, Self::Sarif, Self::Github, Self::Dot];

    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Dot => "dot",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| format!("the formats are {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// The reporter of a format.
pub fn reporter(format: Format, options: Options) -> Box<dyn Reporter> {
    match format {
        Format::Text => Box::new(text::Text(options)),
        Format::Json => Box::new(json::Json(options)),
        Format::Jsonl => Box::new(json::Jsonl(options)),
        Format::Sarif => Box::new(sarif::Sarif(options)),
        Format::Github => Box::new(github::Github(options)),
        Format::Dot => Box::new(dot::Dot(options)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_named_by_their_words() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<Format>(),
            Err("the formats are text, json, jsonl, sarif, github, dot".to_owned())
        );
    }
}
