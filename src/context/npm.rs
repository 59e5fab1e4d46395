//! npm's grammar: is the place of a value one where npm, yarn, pnpm, bun or a
//! tool around them keeps a credential, and for which registry?
//!
//! Sources: the configuration readers of npm 11 and 12, pnpm 11, the
//! documentation of yarn and bun.

use super::{find_fold, line_end, line_start, rfind_fold, text, url};
use crate::model::NPM_REGISTRY;

/// How far around a value its registry is looked for, when its own key does
/// not name it.
const REACH: usize = 8 * 1024;
/// How far around a value the block that it stands in is read.
const BLOCK: usize = 2 * 1024;

/// A place where npm or a tool around it keeps a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Host of the registry that the credential is bound to.
    pub registry: Option<String>,
    /// True if the text names the registry, false if it is npm's own by default.
    pub named: bool,
    /// User name that stands with the credential.
    pub username: Option<String>,
}

/// What a slot is told by.
enum Key<'k> {
    /// `//host/path/:_authToken` and its like, with or without `npm_config_`:
    /// the part from the slashes on.
    Bound(&'k str),
    /// A key or variable of npm's that names no registry.
    Bare,
    /// A key that is npm's only in a file of npm's: `token`, `password`, `authToken`.
    InFile,
    /// A header, option or URL of a command or request.
    Request,
}

/// The slot that the value at `secret` stands in, if it stands in one.
///
/// `variable` is the value's key as found by [`super::variable`], `path` the
/// file's path, `/` between its parts; one that is not known may be any.
pub fn slot(
    bytes: &[u8],
    secret: (usize, usize),
    variable: Option<&str>,
    path: Option<&[u8]>,
) -> Option<Slot> {
    if let Some(slot) = url_slot(bytes, secret, variable, path) {
        return Some(slot);
    }
    if let Some(slot) = netrc_slot(bytes, secret.0) {
        return Some(slot);
    }
    let variable = variable?;
    let registry = match classify(variable, path)? {
        Key::Bound(key) => {
            let registry = url::host(key.as_bytes());
            let username = bound_username(bytes, secret.0, key);
            return Some(Slot { named: registry.is_some(), registry, username });
        }
        Key::Bare => nearby_registry(bytes, secret.0, variable),
        Key::InFile => Some(nearby_registry(bytes, secret.0, variable)?),
        Key::Request => {
            Some(request_host(bytes, secret).filter(|host| is_registry_like(host, bytes, secret))?)
        }
    };
    let named = registry.is_some();
    Some(Slot {
        registry: registry.or_else(|| Some(NPM_REGISTRY.to_owned())),
        named,
        username: bare_username(bytes, secret.0),
    })
}

fn classify<'k>(variable: &'k str, path: Option<&[u8]>) -> Option<Key<'k>> {
    let lower = variable.to_ascii_lowercase();
    if let Some(at) = lower.find("//") {
        let key = &variable[at..];
        let credential =
            ["_authtoken", "_auth", "_password", "authtoken", "keyfile", "username", "key"]
                .iter()
                .any(|ending| lower.ends_with(ending));
        return credential.then_some(Key::Bound(key));
    }
    if matches!(lower.as_str(), "authorization" | "proxy-authorization" | "curl") {
        return Some(Key::Request);
    }
    if is_npm_name(&lower) {
        return Some(Key::Bare);
    }
    let in_file = matches!(
        lower.as_str(),
        "token" | "password" | "authtoken" | "npm_token" | "api_key" | "apikey" | "key" | "keyfile"
    );
    (in_file && is_npm_file(path) || lower == "authtoken").then_some(Key::InFile)
}

/// Keys and variables that only npm and its tools use for credentials.
fn is_npm_name(lower: &str) -> bool {
    // The id of a token is no token.
    const OTHERS: &[&str] = &["id", "_scope", "_name", "_uuid", "_url", "_registry"];
    if OTHERS.iter().any(|ending| lower.ends_with(ending)) {
        return false;
    }
    let word = lower.rsplit(['.', '/']).next().unwrap_or(lower);
    const KEYS: &[&str] = &[
        "_authtoken",
        "-authtoken",
        "_auth",
        "_password",
        "npmauthtoken",
        "npmauthident",
        "npm_config__authtoken",
        "npm_config__auth",
        "npm_config__password",
        "node_auth_token",
        "bun_config_token",
        "bun_auth_token",
        "npm_id_token",
        "pnpm_config__auth",
    ];
    if KEYS.contains(&word) {
        return true;
    }
    let squeezed: String = word.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let npm = squeezed.find("npm");
    let secret = ["token", "auth", "pass", "pat", "key", "secret", "otp"]
        .iter()
        .any(|word| squeezed.contains(word));
    npm.is_some() && secret
}

/// Files that npm and its tools keep credentials in.
fn is_npm_file(path: Option<&[u8]>) -> bool {
    let Some(path) = path else { return true };
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    let name = text(name).to_ascii_lowercase();
    name.contains("npmrc")
        || name.contains("yarnrc")
        || name.contains("bunfig")
        || name == "auth.ini"
        || name == "rc"
}

/// `https://user:password@host/` in a registry's place.
fn url_slot(
    bytes: &[u8],
    secret: (usize, usize),
    variable: Option<&str>,
    path: Option<&[u8]>,
) -> Option<Slot> {
    let (start, end) = secret;
    let floor = start.saturating_sub(400);
    let word = bytes[floor..start]
        .iter()
        .rposition(|b| b" \t\"'\r\n\0<(,`=".contains(b))
        .map_or(floor, |at| floor + at + 1);
    let scheme = rfind_fold(&bytes[word..start], b"://")?;
    let authority = &bytes[word + scheme + 3..start];
    let in_userinfo = !authority.contains(&b'/') && !authority.contains(&b'@');
    if bytes.get(end) != Some(&b'@') {
        return None;
    }
    let line = &bytes[line_start(bytes, start, 600)..line_end(bytes, end, 600)];
    let host_and_path = &bytes[end + 1..line_end(bytes, end, 300)];
    let host_and_path =
        host_and_path.split(|b| b" \t\"'`<>,)".contains(b)).next().unwrap_or_default();
    let ours = variable.is_some_and(|key| {
        let key = key.to_ascii_lowercase();
        key.ends_with("registry")
            || key.contains("npmregistryserver")
            || key.ends_with("resolved")
            || key.contains("npm")
    }) || is_npm_file(path)
        || find_fold(host_and_path, b"registry").is_some()
        || find_fold(host_and_path, b"npm").is_some()
        || find_fold(line, b"_authtoken").is_some();
    if !in_userinfo || !ours {
        return None;
    }
    let registry = url::host(host_and_path);
    let username = authority.ends_with(b":").then(|| url::user_before(bytes, start)).flatten();
    Some(Slot { named: registry.is_some(), registry, username })
}

/// `machine HOST login USER password VALUE`.
fn netrc_slot(bytes: &[u8], start: usize) -> Option<Slot> {
    let (registry, rest) = netrc(bytes, start)?;
    if registry != NPM_REGISTRY && !registry.contains("npm") {
        return None;
    }
    let login = rest.iter().position(|word| word.eq_ignore_ascii_case(b"login"));
    let username = login.and_then(|at| rest.get(at + 1)).map(|user| text(user));
    Some(Slot { registry: Some(registry), named: true, username })
}

/// The host of the `.netrc` entry in which a value is the password.
pub fn netrc_host(bytes: &[u8], start: usize) -> Option<String> {
    netrc(bytes, start).map(|(host, _)| host)
}

/// Host and words of the `.netrc` entry whose password begins at `start`.
fn netrc(bytes: &[u8], start: usize) -> Option<(String, Vec<&[u8]>)> {
    let before = &bytes[start.saturating_sub(400)..start];
    let machine = rfind_fold(before, b"machine")?;
    let mut words = before[machine..]
        .split(|b| b.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .skip(1);
    let host = url::host(words.next()?)?;
    let rest: Vec<&[u8]> = words.collect();
    rest.last()?.eq_ignore_ascii_case(b"password").then_some((host, rest))
}

/// The registry that a file or dump names near the value: the nearest key of
/// a map (`"//host":`, `npmRegistryServer:`, `url =`), else a `registry=` line.
fn nearby_registry(bytes: &[u8], start: usize, variable: &str) -> Option<String> {
    let floor = start.saturating_sub(REACH);
    let ceiling = (start + REACH).min(bytes.len());
    let before = &bytes[start.saturating_sub(BLOCK)..start];
    let after = &bytes[start..(start + BLOCK).min(bytes.len())];
    // Variables of the environment stand in no block.
    let in_block = variable.bytes().any(|b| b.is_ascii_lowercase());
    let block = || enclosing_host(before).or_else(|| sibling_host(before, after));
    in_block.then(block).flatten().or_else(|| registry_line(&bytes[floor..ceiling]))
}

/// A key that is itself a URL and opens a block around the value, in YAML or
/// JSON: `"//host/":`, `https://host/: {"@": {"authToken": …`.
fn enclosing_host(before: &[u8]) -> Option<String> {
    let own = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    if let Some(host) = map_key_host(&before[own..]) {
        return Some(host);
    }
    let mut depth = indent(&before[own..]);
    if depth == 0 {
        return None;
    }
    for line in before.rsplit(|&b| b == b'\n').skip(1).take(40) {
        let deeper = indent(line) >= depth;
        if line.trim_ascii().is_empty() || deeper {
            continue;
        }
        depth = indent(line);
        if let Some(host) = map_key_host(line) {
            return Some(host);
        }
        if depth == 0 {
            return None;
        }
    }
    None
}

fn indent(line: &[u8]) -> usize {
    line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Host of a key such as `"//host":`, `https://host/": {`.
fn map_key_host(line: &[u8]) -> Option<String> {
    let at = rfind_fold(line, b"//")?;
    let rest = &line[at..];
    let end = rest.iter().position(|b| b"\"' \t\\".contains(b)).unwrap_or(rest.len());
    let tail = &rest[end..];
    let tail = &tail[tail.iter().take_while(|b| b"\"'\\ \t".contains(b)).count()..];
    let opens = tail.first() == Some(&b':') || end == rest.len() && rest.ends_with(b":");
    opens.then(|| url::host(rest)).flatten()
}

/// Host of `url =` beside the value, or of `npmRegistryServer:` in its block.
fn sibling_host(before: &[u8], after: &[u8]) -> Option<String> {
    yarn_server(before, after).or_else(|| toml_url(before, after))
}

/// The server of yarn's block that holds the value, else of the whole file: a
/// token of one scope must not be taken for one of the scope beside it.
fn yarn_server(before: &[u8], after: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"npmRegistryServer";
    [before, after].iter().find(|text| memchr::memmem::find(text, KEY).is_some())?;
    let newline = |b: &u8| *b == b'\n';
    let depth = indent(before.rsplit(newline).next()?);
    let above = || before.rsplit(newline).skip(1).filter(|line| !line.trim_ascii().is_empty());
    let below = || after.split(newline).skip(1).filter(|line| !line.trim_ascii().is_empty());
    let server = |line: &[u8], depth: usize| {
        let key = line[indent(line)..].strip_prefix(KEY)?;
        (indent(line) == depth).then(|| assigned_host(key)).flatten()
    };
    let inside = |line: &&[u8]| indent(line) >= depth;
    let mut block = above().take_while(inside).chain(below().take_while(inside));
    block
        .find_map(|line| server(line, depth))
        .or_else(|| above().chain(below()).find_map(|line| server(line, 0)))
}

/// Host of the `url` beside the value: in its inline table, else its section.
fn toml_url(before: &[u8], after: &[u8]) -> Option<String> {
    let url = |above: &[u8], below: &[u8]| {
        let behind = |text: &[u8], at: usize| assigned_host(&text[at + 3..]);
        rfind_fold(above, b"url")
            .and_then(|at| behind(above, at))
            .or_else(|| find_fold(below, b"url").and_then(|at| behind(below, at)))
    };
    let line = &before[before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1)..];
    let rest = &after[..after.iter().position(|&b| b == b'\n').unwrap_or(after.len())];
    let table = line.iter().rposition(|&b| b == b'{').filter(|&at| !line[at..].contains(&b'}'));
    if let Some(table) = table {
        return url(&line[table..], rest);
    }
    let ends = [&b"\n["[..], b"\n\n"];
    let above = ends.iter().filter_map(|end| memchr::memmem::rfind(before, end)).max().unwrap_or(0);
    let below = ends.iter().filter_map(|end| memchr::memmem::find(after, end)).min();
    let below = below.unwrap_or(after.len());
    url(&before[above..], &after[..below])
}

/// Host of a `registry=` or `registry:` line that is not bound to a scope; the
/// variables of npm and yarn count as well, and a scope's registry if there is
/// no other.
fn registry_line(bytes: &[u8]) -> Option<String> {
    let mut scoped = None;
    for key in ["registry", "REGISTRY", "Registry"] {
        for start in memchr::memmem::find_iter(bytes, key) {
            if bytes[..start].ends_with(b" npm") {
                // A block of yarn's that does not hold the value.
                continue;
            }
            let rest = &bytes[start + key.len()..];
            let tail = [&b"_server"[..], b"server", b"-url", b"_url"];
            let tail = tail.iter().find(|tail| {
                rest.get(..tail.len()).is_some_and(|end| end.eq_ignore_ascii_case(tail))
            });
            let Some(host) = assigned_host(&rest[tail.map_or(0, |tail| tail.len())..]) else {
                continue;
            };
            match start.checked_sub(1).map(|before| bytes[before]) {
                Some(b':') => scoped = scoped.or(Some(host)),
                _ => return Some(host),
            }
        }
    }
    scoped
}

/// Host of the URL that is assigned right behind a key.
fn assigned_host(rest: &[u8]) -> Option<String> {
    let skip = rest.iter().take(12).take_while(|b| b"\"'\\=:> \t".contains(b)).count();
    let value = &rest[skip..(skip + 300).min(rest.len())];
    let is_url = value.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"));
    (skip > 0 && is_url).then(|| url::host(value)).flatten()
}

/// Host of the first URL of a command or request that holds the value.
fn request_host(bytes: &[u8], secret: (usize, usize)) -> Option<String> {
    let line = &bytes[command_start(bytes, secret.0)..command_end(bytes, secret.1)];
    let mut from = 0;
    while let Some(at) = find_fold(&line[from..], b"://") {
        let start = from + at;
        from = start + 3;
        if let Some(host) = url::host(&line[start + 1..]) {
            return Some(host);
        }
    }
    // A captured request names its host in a header of its own.
    let around = &bytes[secret.0.saturating_sub(1000)..(secret.1 + 1000).min(bytes.len())];
    let header = around.split(|&b| b == b'\n').find_map(|line| {
        // `curl -v` writes `> ` before what it sends.
        let line = line.strip_prefix(b"> ").unwrap_or(line);
        let name = line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"host:"));
        name.then(|| line[5..].trim_ascii())
    })?;
    url::host(header)
}

/// Start of the line, or of the first of the lines that backslashes join.
fn command_start(bytes: &[u8], at: usize) -> usize {
    let mut start = line_start(bytes, at, 2000);
    for _ in 0..8 {
        let Some(previous) = bytes[..start].strip_suffix(b"\n") else { return start };
        if !previous.trim_ascii_end().ends_with(b"\\") {
            return start;
        }
        start = line_start(bytes, start - 1, 2000);
    }
    start
}

fn command_end(bytes: &[u8], at: usize) -> usize {
    let mut end = line_end(bytes, at, 2000);
    for _ in 0..8 {
        if end >= bytes.len() || !bytes[..end].trim_ascii_end().ends_with(b"\\") {
            return end;
        }
        end = line_end(bytes, end + 1, 2000);
    }
    end
}

/// A request is npm's if its host or its words say so.
fn is_registry_like(host: &str, bytes: &[u8], secret: (usize, usize)) -> bool {
    let line = &bytes[command_start(bytes, secret.0)..command_end(bytes, secret.1)];
    host.contains("npm") || find_fold(line, b"npm").is_some() || find_fold(line, b"/-/").is_some()
}

/// The user name of the same registry: `//host/:username=` beside
/// `//host/:_password=`.
fn bound_username(bytes: &[u8], start: usize, key: &str) -> Option<String> {
    if !key.to_ascii_lowercase().ends_with("_password") {
        return None;
    }
    let stem = key[..key.len() - "_password".len()].to_ascii_lowercase();
    let wanted = format!("{stem}username");
    super::assigned_word(around(bytes, start), wanted.as_bytes())
}

/// The user name of a file or dump that names no registry with its keys.
fn bare_username(bytes: &[u8], start: usize) -> Option<String> {
    let around = around(bytes, start);
    let own_line = bytes[line_start(bytes, start, 300)..start].to_ascii_lowercase();
    let password = own_line.windows(4).any(|window| window == b"pass");
    if !password {
        return None;
    }
    [&b"npm_config_username"[..], b"npm_username", b"npm_user", b"username"]
        .iter()
        .find_map(|key| super::assigned_word(around, key))
}

fn around(bytes: &[u8], start: usize) -> &[u8] {
    &bytes[start.saturating_sub(4096)..(start + 4096).min(bytes.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(template: &str, path: &str) -> Option<(Option<String>, Option<String>)> {
        let template = template.replace("‹npm›", NPM_REGISTRY);
        let start = template.find('§').expect("a § marks the value");
        let end = template.rfind('§').unwrap() - "§".len();
        let bytes = template.replace('§', "").into_bytes();
        let secret = (start, if end < start { bytes.len() } else { end });
        let variable = super::super::variable(&bytes, start);
        slot(&bytes, secret, variable.as_deref(), Some(path.as_bytes()))
            .map(|slot| (slot.registry, slot.username))
    }

    #[track_caller]
    fn check(template: &str, path: &str, registry: &str, user: Option<&str>) {
        let registry = registry.replace("‹npm›", NPM_REGISTRY);
        assert_eq!(
            of(template, path),
            Some((Some(registry), user.map(str::to_owned))),
            "{template}"
        );
    }

    #[test]
    fn registries_of_all_forms() {
        check("//h.example/npm/:_authToken=§v§", ".npmrc", "h.example", None);
        check("//h.example:4873/:_authToken=§v§", ".npmrc", "h.example:4873", None);
        check("//[::1]:4873/:_authToken=§v§", ".npmrc", "[::1]:4873", None);
        check("npm_config_//h.example/:_authToken=§v§", "environ", "h.example", None);
        check("registry=https://r.example/x/\n_authToken=§v§", ".npmrc", "r.example", None);
        check("_authToken=§v§\n@s:registry=https://s.example/", ".npmrc", "s.example", None);
        check("_auth=§v§", ".npmrc", "‹npm›", None);
        check("NODE_AUTH_TOKEN=§v§", "env.txt", "‹npm›", None);
        check(
            "NPM_TOKEN=§v§\nNPM_CONFIG_REGISTRY=https://r.example/",
            "env.txt",
            "r.example",
            None,
        );
        check(
            "//h.example/:username=bob\n//h.example/:_password=§v§",
            ".npmrc",
            "h.example",
            Some("bob"),
        );
        check(
            "npmRegistries:\n  \"//y.example\":\n    npmAuthToken: \"§v§\"",
            ".yarnrc.yml",
            "y.example",
            None,
        );
        check(
            "npmScopes:\n  org:\n    npmRegistryServer: \"https://s.example\"\n    npmAuthToken: §v§",
            ".yarnrc.yml",
            "s.example",
            None,
        );
        check(
            "[install.scopes]\n\"@o\" = { token = \"§v§\", url = \"https://b.example/\" }",
            "bunfig.toml",
            "b.example",
            None,
        );
        check("{\"https://p.example/\":{\"@\":{\"authToken\":\"§v§\"}}}", "env", "p.example", None);
        check("registry=https://bob:§pw§@u.example/", ".npmrc", "u.example", Some("bob"));
        check(
            "\"resolved\": \"https://bob:§pw§@u.example/a/-/a.tgz\"",
            "package-lock.json",
            "u.example",
            Some("bob"),
        );
        check("machine ‹npm› login bob password §pw§", ".netrc", "‹npm›", Some("bob"));
        check(
            "curl -H \"Authorization: Bearer §v§\" https://‹npm›/-/whoami",
            "x.sh",
            "‹npm›",
            None,
        );
        check(
            "curl \\\n  -H 'Authorization: Bearer §v§' \\\n  https://‹npm›/-/whoami",
            "x.sh",
            "‹npm›",
            None,
        );
    }

    #[test]
    fn what_is_no_slot() {
        for (text, path) in [
            ("DB_PASSWORD=§v§", "env"),
            ("token = \"§v§\"", "config.toml"),
            ("curl -H 'Authorization: Bearer §v§' https://api.example/", "x.sh"),
            ("\"integrity\": \"§v§\"", "package-lock.json"),
            ("//h.example/:email=§v§", ".npmrc"),
        ] {
            assert_eq!(of(text, path), None, "{text}");
        }
    }
}
