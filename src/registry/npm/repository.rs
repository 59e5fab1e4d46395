//! Addresses of repositories, in the many ways that packages write them.

/// `https://host/path` of what `package.json` calls a repository: an address,
/// one of git's own forms, or a short form of npm (`github:owner/name`).
/// `None` if it is none of them or holds unusual characters.
pub fn normalised(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.split(['#', '?']).next().unwrap_or_default();
    let (host, path) = split(text)?;
    let host = host.to_ascii_lowercase();
    let mut path = path.trim_matches('/');
    if host == "github.com" {
        // What follows owner and name is a folder in it.
        path = path.match_indices('/').nth(1).map_or(path, |(at, _)| &path[..at]);
    }
    let path = path.strip_suffix(".git").unwrap_or(path);
    let named =
        host.contains('.') && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    (named && is_path(path)).then(|| format!("https://{host}/{path}"))
}

/// `owner/name` on GitHub of an address from [`normalised`].
pub fn on_github(address: &str) -> Option<&str> {
    let path = address.strip_prefix("https://github.com/")?;
    (path.matches('/').count() == 1).then_some(path)
}

/// `group/…/name` on GitLab of an address from [`normalised`].
pub fn on_gitlab(address: &str) -> Option<&str> {
    address.strip_prefix("https://gitlab.com/")
}

fn split(text: &str) -> Option<(&str, &str)> {
    const SHORT: [(&str, &str); 3] =
        [("github:", "github.com"), ("gitlab:", "gitlab.com"), ("bitbucket:", "bitbucket.org")];
    for (short, host) in SHORT {
        if let Some(path) = text.strip_prefix(short) {
            return Some((host, path));
        }
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let scheme = scheme.strip_prefix("git+").unwrap_or(scheme);
        if !["https", "http", "git", "ssh"].contains(&scheme) {
            return None;
        }
        let (place, path) = rest.split_once('/')?;
        let place = place.rsplit('@').next().unwrap_or(place);
        // `host:port`, or the `host:owner` of a mangled scp-like address.
        return match place.split_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some((host, path)),
            Some((host, _)) => {
                let at = rest.find(place)? + host.len() + 1;
                Some((host, &rest[at..]))
            }
            None => Some((place, path)),
        };
    }
    if let Some((user, rest)) = text.split_once('@')
        && !user.contains('/')
    {
        return rest.split_once(':');
    }
    (text.matches('/').count() == 1).then_some(("github.com", text))
}

fn is_path(path: &str) -> bool {
    let part = |part: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.~+".contains(&b);
        !part.is_empty() && !part.starts_with("..") && part != "." && part.bytes().all(fits)
    };
    path.len() <= 300 && path.contains('/') && path.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_become_one() {
        let it = "https://github.com/owner/name";
        for form in [
            "owner/name",
            "github:owner/name",
            "git+https://github.com/owner/name.git",
            "git://github.com/owner/name.git#main",
            "git+ssh://git@github.com/owner/name.git",
            "git@github.com:owner/name.git",
            "ssh://git@github.com:22/owner/name",
            "git+ssh://git@github.com:owner/name.git",
            "http://user:word@GitHub.com/owner/name/",
            " https://github.com/owner/name/tree/main/packages/x ",
        ] {
            assert_eq!(normalised(form).as_deref(), Some(it), "{form}");
        }
        assert_eq!(on_github(it), Some("owner/name"));
        let lab = normalised("gitlab:a/b/c").unwrap();
        assert_eq!(on_gitlab(&lab), Some("a/b/c"));
        assert_eq!(on_github(&lab), None);
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "name",
            "file:///etc/passwd",
            "javascript://github.com/a/b",
            "https://github.com/",
            "https://github.com/a",
            "https://github.com/../a/b",
            "https://github.com/a/$(id)",
            "https://local/a/b",
            "https://\u{1b}[31m.com/a/b",
            "a/b/c",
            "git@:a/b",
        ] {
            assert_eq!(normalised(text), None, "{text}");
        }
    }
}
