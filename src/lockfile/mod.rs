//! Reads lockfiles: which packages a project installs, in which versions, and
//! through whom.
//!
//! Bytes in, values out; nothing is fetched and nothing is run. A version is
//! always the one that was resolved, never the range that somebody asked for.
//! What a file holds that is not understood is an error or stands in
//! [`Lock::problem`]: a lockfile that was not read must not look clean.

mod bun;
mod graph;
mod nested;
mod npm;
mod pnpm;
mod yaml;
mod yarn_berry;
mod yarn_classic;

pub use graph::{Lock, Use};

/// True if a file of this name pins packages, whether or not [`read`] knows
/// its format.
pub fn is_lockfile(file_name: &str) -> bool {
    Tool::of(file_name).is_some()
}

/// Reads a lockfile. Only the last part of `file_name` counts.
///
/// # Errors
///
/// Says why the file could not be read at all: its name or its format is not
/// known, it is not text, or its grammar is broken. The words hold nothing of
/// the file's own text.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Lock, String> {
    let tool = Tool::of(file_name).ok_or("not the name of a lockfile")?;
    if let Tool::BunBinary = tool {
        let why = "bun's binary format is not read: `bun install --save-text-lockfile` writes text";
        return Err(why.into());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match tool {
        Tool::Npm => npm::read("package-lock", text),
        Tool::Shrinkwrap => npm::read("npm-shrinkwrap", text),
        Tool::NpmInstalled => npm::read("installed package-lock", text),
        Tool::Yarn if yarn_berry::is_berry(text) => yarn_berry::read(text),
        Tool::Yarn => yarn_classic::read(text),
        Tool::Pnpm => pnpm::read(text),
        Tool::Bun | Tool::BunBinary => bun::read(text),
    }
}

/// Who wrote a lockfile.
enum Tool {
    Npm,
    Shrinkwrap,
    NpmInstalled,
    Yarn,
    Pnpm,
    Bun,
    BunBinary,
}

impl Tool {
    fn of(file_name: &str) -> Option<Self> {
        let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
        Some(match name {
            "package-lock.json" => Self::Npm,
            "npm-shrinkwrap.json" => Self::Shrinkwrap,
            ".package-lock.json" => Self::NpmInstalled,
            "yarn.lock" => Self::Yarn,
            "bun.lock" => Self::Bun,
            "bun.lockb" => Self::BunBinary,
            // pnpm can keep one for each branch: `pnpm-lock.BRANCH.yaml`.
            _ if name.starts_with("pnpm-lock.") && name.ends_with(".yaml") => Self::Pnpm,
            _ => return None,
        })
    }
}

/// The version as it is shown: one that is an address is cut behind its
/// scheme, because user names and secrets may follow.
fn shown_version(version: &str) -> &str {
    match version.find(':') {
        Some(colon) => &version[..=colon],
        None => version,
    }
}

/// `name@rest` in its two parts; the `@` of a scope does not divide.
fn split_at_sign(text: &str) -> Option<(&str, &str)> {
    let start = usize::from(text.starts_with('@'));
    let at = text[start..].find('@')? + start;
    (at > 0).then(|| (&text[..at], &text[at + 1..]))
}
