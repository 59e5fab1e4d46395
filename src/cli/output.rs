//! Flags of everything that writes a report, and the writing.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{ColorArg, FormatArg};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::model::Report;
use crate::report::{self, Format};

/// How a report is written, and where to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// How to write the report.
    #[arg(short, long, value_enum, alias = "report-format")]
    pub(super) format: Option<FormatArg>,
    /// Write the report to this file; `-` is standard output.
    #[arg(short, long, value_name = "FILE", alias = "report-path", short_alias = 'r')]
    pub(super) output: Option<PathBuf>,
    /// Show secrets whole instead of masked.
    #[arg(long)]
    pub(super) show_secrets: bool,
    /// Findings and gaps only: no summary, no progress.
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Every place of every secret, and every path that was skipped.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Colours: `auto` asks the terminal and NO_COLOR.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(super) color: Option<ColorArg>,
    /// As --color never.
    #[arg(long, hide = true)]
    pub(super) no_color: bool,
}

impl OutputArgs {
    pub(super) fn format(&self, settings: &Settings) -> Result<Format> {
        match (self.format, &settings.format) {
            (Some(format), _) => Ok(format.into()),
            (None, Some(word)) => word.parse().map_err(|_| {
                Error::new(format!("the settings name the format {word:?}, which there is none of"))
                    .hint("text, json, jsonl, sarif or github")
            }),
            (None, None) => Ok(Format::Text),
        }
    }

    /// Makes sure that the report can be written before anything is asked or
    /// searched, and that it takes no input's place.
    pub(super) fn prepare(&self, inputs: &[PathBuf]) -> Result<()> {
        let Some(path) = self.file() else { return Ok(()) };
        let name = path.display();
        let stdin = [PathBuf::from("/dev/stdin")];
        if inputs.iter().chain(&stdin).any(|input| is_same_file(input, path)) {
            return Err(Error::new(format!("the report would take the place of the input {name}"))
                .hint("write it to another file"));
        }
        let cannot = |why| Err(Error::new(format!("cannot write the report to {name}: {why}")));
        // Neither cut nor made yet: what is there stays until there is something
        // better, and a scan does not meet its own report.
        match File::options().append(true).open(path) {
            Ok(_) => Ok(()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
                match folder.is_none_or(Path::is_dir) {
                    true => Ok(()),
                    false => cannot(why),
                }
            }
            Err(why) => cannot(why),
        }
    }

    /// The format of a report that holds no graph to draw.
    ///
    /// # Errors
    /// If a drawing was asked for.
    pub(super) fn format_without_graph(&self, settings: &Settings) -> Result<Format> {
        match self.format(settings)? {
            Format::Dot => Err(Error::new("only blast-radius has a graph to draw")
                .hint("text, json, jsonl, sarif or github")),
            format => Ok(format),
        }
    }

    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    fn color(&self, settings: &Settings) -> bool {
        match (self.color, settings.color.as_deref()) {
            _ if self.no_color => false,
            (Some(ColorArg::Always), _) | (None, Some("always")) => true,
            (Some(ColorArg::Never), _) | (None, Some("never")) => false,
            _ => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                self.file().is_none() && !refused && io::stdout().is_terminal()
            }
        }
    }

    /// Writes the report; `explain` lists what was turned away.
    pub(super) fn write(
        &self,
        settings: &Settings,
        format: Format,
        explain: bool,
        report: &Report,
    ) -> Result<()> {
        let options = report::Options {
            show_secrets: self.show_secrets,
            color: self.color(settings),
            verbose: self.verbose,
            explain,
            quiet: self.quiet,
        };
        let reporter = report::reporter(format, options);
        let file = self.file();
        let result = match file {
            Some(path) => File::create(path).and_then(|file| {
                let mut out = BufWriter::new(file);
                reporter.write(report, &mut out)?;
                out.flush()
            }),
            None => {
                let mut out = BufWriter::new(io::stdout().lock());
                reporter.write(report, &mut out).and_then(|()| out.flush())
            }
        };
        match result {
            // Nobody listens any more; the exit code still tells.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe && file.is_none() => Ok(()),
            Err(why) => {
                let name =
                    file.map_or("standard output".to_owned(), |path| path.display().to_string());
                Err(Error::new(format!("cannot write the report to {name}: {why}")))
            }
            Ok(()) => Ok(()),
        }
    }
}

/// True if two names lead to one file, be it by links of either kind.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(one_is), Ok(other_is)) = (std::fs::metadata(one), std::fs::metadata(other)) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let id = |about: &std::fs::Metadata| (about.dev(), about.ino());
        one_is.is_file() && id(&one_is) == id(&other_is)
    }
    #[cfg(not(unix))]
    {
        let _ = other_is;
        one_is.is_file() && one.canonicalize().ok() == other.canonicalize().ok()
    }
}
