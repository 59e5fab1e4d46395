//! Names that others chose, in commands and addresses; and counts in sentences.

use std::borrow::Cow;

/// A longer name is none that npm or GitHub gives.
const NAME_CAP: usize = 300;

/// A name as one word of a shell command. `None` if it has no business in one:
/// npm, GitHub and semver name nothing with spaces, controls or letters beyond
/// ASCII, and what begins with `-` would be an option.
pub(super) fn word(name: &str) -> Option<Cow<'_, str>> {
    let fits = !name.is_empty() && name.len() <= NAME_CAP && !name.starts_with('-');
    (fits && name.bytes().all(|b| b.is_ascii_graphic())).then(|| quote(name))
}

/// A path as one word of a POSIX shell. `None` if it holds control characters.
pub(super) fn path(path: &str) -> Option<Cow<'_, str>> {
    let fits = !path.is_empty() && !path.starts_with('-');
    (fits && !path.chars().any(char::is_control)).then(|| quote(path))
}

/// A text in single quotes, unless no shell would touch it.
fn quote(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@/._-+:,".contains(&b);
    if text.bytes().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A name as a part of an address, if it is one that needs no encoding.
pub(super) fn segment(name: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-~".contains(&b);
    let dots = name.bytes().all(|b| b == b'.');
    (!dots && name.len() <= NAME_CAP && name.bytes().all(plain)).then_some(name)
}

/// `owner/name` of `https://HOST/owner/name`, with or without `.git` and what
/// follows.
pub(super) fn repository<'a>(url: &'a str, host: &str) -> Option<(&'a str, &'a str)> {
    let path = url.strip_prefix("https://")?.strip_prefix(host)?.strip_prefix('/')?;
    let mut parts = path.split(['/', '#', '?']);
    let owner = segment(parts.next()?)?;
    let name = parts.next()?;
    let name = segment(name.strip_suffix(".git").unwrap_or(name))?;
    (!owner.is_empty() && !name.is_empty()).then_some((owner, name))
}

/// `1 package`, `14 packages`.
pub(super) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{} {what}s", short(n)) }
}

/// `999`, `12 k`, `2.1 M`: as exact as a person under stress can use.
pub(super) fn short(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "billion"), (1_000_000, "M"), (1_000, "k")];
    let unit = UNITS.iter().find(|(size, _)| n >= *size && n >= 10_000);
    let Some((size, unit)) = unit else { return n.to_string() };
    let (whole, tenth) = (n / size, n % size / (size / 10));
    if whole < 10 && tenth > 0 {
        format!("{whole}.{tenth} {unit}")
    } else {
        format!("{whole} {unit}")
    }
}

/// `YYYY-MM-DD` of a moment, in UTC.
pub(super) fn day(seconds: i64) -> Option<jiff::civil::Date> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.to_zoned_datetime(jiff::tz::TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_word_or_out() {
        assert_eq!(word("@scope/left-pad").as_deref(), Some("@scope/left-pad"));
        assert_eq!(word("a;rm$(x)`y`").as_deref(), Some("'a;rm$(x)`y`'"));
        assert_eq!(word("it's").as_deref(), Some(r"'it'\''s'"));
        for bad in ["", "-rf", "a b", "a\nb", "a\u{202e}b", &"x".repeat(301)] {
            assert_eq!(word(bad), None, "{bad:?}");
        }
        assert_eq!(path("/home/Jo Ä/x").as_deref(), Some("'/home/Jo Ä/x'"));
        assert_eq!(path("/a\x1b[2J"), None);
    }

    #[test]
    fn repositories_are_read_from_their_addresses() {
        let github = |url| repository(url, "github.com");
        assert_eq!(github("https://github.com/o/r.git"), Some(("o", "r")));
        assert_eq!(github("https://github.com/o/r/tree/main/p"), Some(("o", "r")));
        for bad in [
            "https://github.com/o",
            "https://github.com/o/",
            "https://github.com.evil.example/o/r",
            "https://github.com/o/../x",
            "https://github.com/o;x/r",
            "http://github.com/o/r",
        ] {
            assert_eq!(github(bad), None, "{bad}");
        }
    }

    #[test]
    fn figures_are_short() {
        let cases = [(0, "0"), (9_999, "9999"), (10_000, "10 k"), (2_100_000, "2.1 M")];
        for (n, text) in cases {
            assert_eq!(short(n), text);
        }
        assert_eq!(
            (count(1, "package"), count(2, "package")),
            ("1 package".into(), "2 packages".into())
        );
        assert_eq!(short(u64::MAX), "18446744073 billion");
    }
}
