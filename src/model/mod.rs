//! The words of the house: what the stations hand to each other. No I/O here.

mod blob;
pub mod echo;
mod finding;
mod grade;
pub mod radius;
mod report;
mod secret;
mod validation;

pub use blob::{
    Blob, Copied, Held, LineStart, Lines, Origin, OriginKind, Provenance, REF_CAP, WholeLines,
};
pub use finding::{Checksum, Finding, LOCATION_CAP, Location, Proof, State, Worth};
pub use grade::{Confidence, Mask, Severity};
pub use report::{Coverage, Rejection, Report, Skip, SkipReason, Suppressed, Suppression};
pub use secret::{Fingerprint, FingerprintKey, Secret};
pub use validation::{Evidence, Identity, Outcome, Validation};

/// The host of npm's own registry: the one place in the code that spells it.
pub const NPM_REGISTRY: &str = concat!("registry", ".npmjs.", "org");

/// True if `host` answers for npm's own registry: the registry itself, its
/// `.com` alias, or the mirror name that yarn v1 writes into lockfiles.
///
/// A port is not part of `host`; case does not matter.
pub fn is_npm_registry(host: &str) -> bool {
    const ALIASES: [&str; 3] = [
        NPM_REGISTRY,
        concat!("registry", ".npmjs.", "com"),
        concat!("registry", ".yarnpkg.", "com"),
    ];
    ALIASES.iter().any(|alias| host.eq_ignore_ascii_case(alias))
}

/// A path of the system from the bytes that [`Origin`] keeps.
pub fn path_from_bytes(bytes: &[u8]) -> std::borrow::Cow<'_, std::path::Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::path::Path::new(std::ffi::OsStr::from_bytes(bytes)).into()
    }
    #[cfg(not(unix))]
    std::path::PathBuf::from(String::from_utf8_lossy(bytes).into_owned()).into()
}

/// The bytes of a path, with `/` between its parts.
pub fn path_to_bytes(path: &std::path::Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    path.to_string_lossy().replace('\\', "/").into_bytes()
}
