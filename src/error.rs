//! Fatal errors: what, why, and what to try.

use std::fmt;

/// An error that ends the run, with exit code 2.
#[derive(Debug)]
pub struct Error {
    what: String,
    hint: Option<String>,
}

/// The result of what can fail fatally.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error that says what failed and why.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What failed and why, without the hint.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  try: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
