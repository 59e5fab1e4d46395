//! Names of packages and versions, before they go into a path.

/// True for what npm's grammar takes for the name of a package, old names with
/// capitals and unusual signs included (`validate-npm-package-name`).
pub fn is_package_name(name: &str) -> bool {
    let (scope, own) = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').map_or((Some(""), ""), |(s, own)| (Some(s), own)),
        None => (None, name),
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.~!'()*".contains(&b);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits);
    let taken = ["node_modules", "favicon.ico"].contains(&name.to_ascii_lowercase().as_str());
    let free = scope.is_some() || !(own.starts_with(['_', '-']) || taken);
    name.len() <= 214 && scope.is_none_or(part) && part(own) && free
}

/// True for what can be the number of a version.
pub fn is_version(version: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.+".contains(&b);
    (1..=256).contains(&version.len())
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(fits)
}

/// Percent-encoded for one part of a path; the `@` of a scope stays, as the
/// registry's documentation has it (`@scope%2Fname`).
pub fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~@".contains(&b);
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        match plain(b) {
            true => out.push(char::from(b)),
            false => out.push_str(&format!("%{b:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_npms() {
        for name in ["left-pad", "@a/b", "JSONStream", "a.b_c~d", "@a/-", "@a/_b", "x!*'()"] {
            assert!(is_package_name(name), "{name}");
        }
        let long = "a".repeat(215);
        for name in [
            "",
            "@",
            "@a",
            "@a/",
            "@/a",
            "@a/b/c",
            "a/b",
            "..",
            ".a",
            "@../a",
            "@a/..",
            "_all_docs",
            "-",
            "a b",
            "a%2fb",
            "a?b",
            "a#b",
            "é",
            "node_modules",
            "a\u{1b}",
            &long,
        ] {
            assert!(!is_package_name(name), "{name}");
        }
    }

    #[test]
    fn versions_begin_with_a_digit() {
        for version in ["1.0.0", "0.0.1-rc.1+build.5", "20240101"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "v1", "../1", "1/2", "1 2", "latest", &"1".repeat(257)] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn a_scope_keeps_its_sign() {
        assert_eq!(escaped("@a/b!"), "@a%2Fb%21");
        assert_eq!(escaped("1.0.0+b"), "1.0.0%2Bb");
    }
}
