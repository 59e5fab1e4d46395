//! Markers on the line of a secret.

use crate::context::find_fold;

/// How far to each side of a secret its line is searched for a marker: a
/// minified file may be one line.
const REACH: usize = 1024;

const OWN: &str = "tokensweep:allow";
const OWN_NEXT: &str = "tokensweep:allow-next-line";

/// The markers of other scanners, honoured on request.
const FOREIGN: &[&str] = &[
    "gitleaks:allow",
    "betterleaks:allow",
    "trufflehog:ignore",
    "kingfisher:ignore",
    "ggignore",
    "pragma: allowlist secret",
    "secretlint-disable-line",
    "noseyparker:ignore",
    "nosecret",
];

/// The marker that stands on the line of the secret, or above it if it is one
/// for the next line.
pub(super) fn marker(bytes: &[u8], secret: (usize, usize), foreign: bool) -> Option<&'static str> {
    let floor = secret.0.saturating_sub(REACH);
    let ceiling = (secret.1 + REACH).min(bytes.len());
    let newline = |b: &u8| *b == b'\n';
    let start = bytes[floor..secret.0].iter().rposition(newline).map_or(floor, |at| floor + at + 1);
    let end = bytes[secret.1..ceiling].iter().position(newline).map_or(ceiling, |at| secret.1 + at);
    // The secret's own bytes are no place for a marker.
    let parts = [&bytes[start..secret.0], &bytes[secret.1..end]];
    let stands =
        |marker: &str| parts.iter().any(|part| find_fold(part, marker.as_bytes()).is_some());
    if stands(OWN) && !stands(OWN_NEXT) {
        return Some(OWN);
    }
    if start > floor {
        let above = &bytes[floor..start - 1];
        let line = above.rsplit(newline).next().unwrap_or(above);
        if find_fold(line, OWN_NEXT.as_bytes()).is_some() {
            return Some(OWN_NEXT);
        }
    }
    FOREIGN.iter().copied().filter(|_| foreign).find(|marker| stands(marker))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, foreign: bool) -> Option<&'static str> {
        let at = text.find('$').expect("a $ stands for the secret");
        marker(text.as_bytes(), (at, at + 1), foreign)
    }

    #[test]
    fn own_markers_and_those_of_others() {
        assert_eq!(of("a=$ # tokensweep:allow", false), Some(OWN));
        assert_eq!(of("/* TokenSweep:Allow */ a=$", false), Some(OWN));
        assert_eq!(of("# tokensweep:allow-next-line\na=$", false), Some(OWN_NEXT));
        assert_eq!(of("# tokensweep:allow\na=$", false), None);
        assert_eq!(of("# tokensweep:allow-next-line\nb\na=$", false), None);
        assert_eq!(of("a=$ # gitleaks:allow", false), None);
        assert_eq!(of("a=$ # gitleaks:allow", true), Some("gitleaks:allow"));
    }
}
