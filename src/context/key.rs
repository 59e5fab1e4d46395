//! Finds the key, variable or option that holds a value, by walking left from
//! the value: over quotes and blanks, over one separator, over the key.

use super::{line_start, text};

/// How far left of a value its key is looked for.
const REACH: usize = 600;
/// Longest key that is reported.
const KEY_CAP: usize = 256;

/// The name under which the value at `start` stands: an environment variable,
/// a key of JSON, YAML, TOML or INI, an option, a header. The forms that are
/// read are those of `env`, `export -p`, `declare -x`, PowerShell listings,
/// `/proc/PID/environ`, `docker inspect`, Dockerfiles, YAML lists of
/// name/value pairs, shell commands and source code.
pub fn variable(bytes: &[u8], start: usize) -> Option<String> {
    let floor = line_start(bytes, start, REACH);
    let line = &bytes[floor..start];
    let key = key_before(value_start(line))?;
    if key.eq_ignore_ascii_case(b"value") {
        return pair_name(bytes, start).or(Some(key)).and_then(presentable);
    }
    presentable(key)
}

/// A key that may be shown. What stands before a value can hold a password of
/// its own, in the user-info of a URL or as `user:password`: the first is cut
/// out, the second is no key.
fn presentable(key: &[u8]) -> Option<String> {
    const PREFIXES: &[&[u8]] = &[b"npm_config_", b"pnpm_config_"];
    let bound = key.windows(2).position(|pair| pair == b"//");
    match bound {
        Some(at)
            if at == 0 || PREFIXES.iter().any(|prefix| key[..at].eq_ignore_ascii_case(prefix)) =>
        {
            let rest = &key[at + 2..];
            let authority = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
            let host = rest[..authority].iter().rposition(|&b| b == b'@').map_or(0, |at| at + 1);
            Some(text(&[&key[..at + 2], &rest[host..]].concat()))
        }
        Some(_) => None,
        None => {
            // `@scope` and `@scope:registry` are keys of bun and npm.
            let scope = key.starts_with(b"@");
            let bare = key.strip_suffix(b":registry").unwrap_or(key);
            let bare = if scope { &bare[1..] } else { key };
            let plain = !bare.iter().any(|b| matches!(b, b':' | b'@' | b'/' | b'+' | b'~'));
            let section =
                key.starts_with(b":_") || key.starts_with(b":keyfile") || key.starts_with(b":key");
            (plain || section).then(|| text(key))
        }
    }
}

/// The key that begins or goes through `at`: for matches that begin with the
/// name of a key and hold more than its value.
pub fn key_at(bytes: &[u8], at: usize) -> Option<String> {
    let fits = |b: &&u8| b.is_ascii_alphanumeric() || b"_.-/:@".contains(b);
    let left = bytes[..at].iter().rev().take(KEY_CAP).take_while(fits).count();
    let right = bytes[at..].iter().take(KEY_CAP).take_while(|b| is_name(**b)).count();
    let start = at - left;
    // A literal `\n` before the key: its letter is not the key's.
    let escaped =
        left > 0 && start > 0 && bytes[start - 1] == b'\\' && b"nrt0".contains(&bytes[start]);
    clean(&bytes[start + usize::from(escaped)..at + right]).and_then(presentable)
}

/// Steps back from a password to the URL that holds it, from a token to the
/// header value that holds it: what is left ends where the value begins.
fn value_start(line: &[u8]) -> &[u8] {
    let mut rest = line;
    let blank =
        |b: &u8| matches!(b, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'<' | b'>' | b'[' | b',');
    let word = rest.len() - rest.iter().rev().take_while(|b| !blank(b)).count();
    if let Some(scheme) = super::rfind_fold(&rest[word..], b"://") {
        let name = rest[word..word + scheme]
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            .count();
        if name > 0 {
            rest = &rest[..word + scheme - name];
        }
    }
    for scheme in [&b"bearer"[..], b"basic", b"token"] {
        let trimmed = trim_blanks(rest);
        let tail = trimmed.len().saturating_sub(scheme.len());
        let word = tail.checked_sub(1).is_none_or(|before| !is_name(trimmed[before]));
        if trimmed.len() < rest.len() && word && trimmed[tail..].eq_ignore_ascii_case(scheme) {
            return &trimmed[..tail];
        }
    }
    rest
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    &line[..line.len() - line.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count()]
}

/// Takes quotes, backslashes, brackets, and codes that colour text or clear the
/// line, off the end.
fn trim_quotes(mut line: &[u8]) -> &[u8] {
    loop {
        match line {
            [rest @ .., b'"' | b'\'' | b'`' | b'\\' | b']' | b')' | b'}'] => line = rest,
            [.., b'm' | b'K'] => match before_colour_code(line) {
                Some(rest) => line = rest,
                None => return line,
            },
            _ => return line,
        }
    }
}

fn before_colour_code(line: &[u8]) -> Option<&[u8]> {
    let start = line.iter().rposition(|&b| b == 0x1b)?;
    let code = line.get(start + 1..line.len() - 1)?;
    let is_code =
        code.first() == Some(&b'[') && code[1..].iter().all(|b| b.is_ascii_digit() || *b == b';');
    is_code.then(|| &line[..start])
}

/// The key that ends `line`, with its separator behind it.
fn key_before(line: &[u8]) -> Option<&[u8]> {
    let line = trim_default(trim_quotes(line));
    let line = trim_quotes(line);
    let unblanked = trim_blanks(line);
    let line = match unblanked {
        [rest @ .., b'=', b'>'] | [rest @ .., b':' | b'|', b'='] | [rest @ .., b'|', b'|'] => rest,
        [rest @ .., b'=' | b':' | b',' | b'>' | b'('] => rest,
        _ if unblanked.len() < line.len() => {
            return spaced_key(unblanked, line.len() - unblanked.len());
        }
        _ => return None,
    };
    let line = trim_quotes(trim_blanks(trim_quotes(line)));
    clean(key_at_end(line))
}

/// `${NAME:-default}`: the value is a default, the name stands inside, and
/// the whole is the value of the key further left; that key is preferred.
fn trim_default(line: &[u8]) -> &[u8] {
    let body = match line {
        [rest @ .., b':', b'-' | b'='] | [rest @ .., b'-'] => rest,
        _ => return line,
    };
    let name = body.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    match &body[..body.len() - name] {
        [rest @ .., b'$', b'{'] if name > 0 => rest,
        _ => line,
    }
}

/// A key with nothing but blanks behind it: `ENV NAME value`, `npm config set
/// KEY value`, `--option value`, a column of a listing. A word of a sentence
/// is none.
fn spaced_key(line: &[u8], blanks: usize) -> Option<&[u8]> {
    let line = trim_quotes(line);
    let key = key_at_end(line);
    let first = line.len() == key.len();
    let shouts = key.contains(&b'_') && !key.iter().any(u8::is_ascii_lowercase);
    let option = key.starts_with(b"--") || key.contains(&b':') || key.starts_with(b"//");
    let column = first && blanks >= 2;
    let known = [
        &b"password"[..],
        b"login",
        b"_auth",
        b"_authtoken",
        b"_password",
        b"authorization",
        b"registry",
        b"resolved",
    ];
    let named = known.iter().any(|name| key.eq_ignore_ascii_case(name));
    if shouts || option || column || named { clean(key) } else { None }
}

fn key_at_end(line: &[u8]) -> &[u8] {
    let fits = |b: &&u8| b.is_ascii_alphanumeric() || b"_.-/:@$%+~*".contains(b) || **b >= 0x80;
    let length = line.iter().rev().take(KEY_CAP).take_while(fits).count();
    let address = address_at_end(&line[..line.len() - length]);
    if address > 0 {
        let name = &line[..line.len() - length - address];
        let name = name.iter().rev().take(KEY_CAP).take_while(|b| is_name(**b)).count();
        return &line[line.len() - length - address - name..];
    }
    let key = &line[line.len() - length..];
    let lead = &line[..line.len() - length];
    let in_code = || {
        let mut codes = lead.iter().rev();
        codes.find(|b| !b.is_ascii_digit() && **b != b';') == Some(&b'[')
    };
    // A literal `\n` before the key: its letter is not the key's.
    match lead {
        [.., b'\\'] if key.len() > 1 && b"nrt0".contains(&key[0]) => &key[1..],
        [.., b'[' | b';'] if in_code() && key.first().is_some_and(u8::is_ascii_digit) => {
            after_colour_code(key)
        }
        _ => key,
    }
}

/// Length of the `//[::1]` that ends `line`: an address of IPv6 in a key.
fn address_at_end(line: &[u8]) -> usize {
    const LONGEST: usize = 45;
    let [body @ .., b']'] = line else { return 0 };
    let fits = |b: &&u8| b.is_ascii_hexdigit() || b":.".contains(b);
    let length = body.iter().rev().take(LONGEST).take_while(fits).count();
    match body[..body.len() - length].ends_with(b"//[") {
        true => length + b"//[]".len(),
        false => 0,
    }
}

fn after_colour_code(key: &[u8]) -> &[u8] {
    match key.iter().position(|b| !b.is_ascii_digit()) {
        Some(end) if matches!(key[end], b'm' | b'K') => &key[end + 1..],
        _ => key,
    }
}

/// Strips what names the place and not the variable.
fn clean(key: &[u8]) -> Option<&[u8]> {
    let mut key = key;
    for prefix in [&b"$env:"[..], b"process.env.", b"ENV.", b"env.", b"os.environ.", b"--"] {
        if key.len() > prefix.len() && key[..prefix.len()].eq_ignore_ascii_case(prefix) {
            key = &key[prefix.len()..];
        }
    }
    let lead = key.iter().take_while(|b| b"-.%*+~:$".contains(b)).count();
    key = &key[lead..];
    let tail = key.iter().rev().take_while(|b| b"-.%*+~/".contains(b)).count();
    key = &key[..key.len() - tail];
    let named = key.iter().any(|b| b.is_ascii_alphabetic());
    (named && !key.is_empty()).then_some(key)
}

/// The name of a name/value pair whose value stands at `start`: the parent in
/// `"NAME":{"value":"…"` or YAML's form of it, or the `name` beside it.
fn pair_name(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let floor = start.saturating_sub(300);
    let before = &bytes[floor..start];
    let value = super::rfind_fold(before, b"value")?;
    let outer = trim_quotes_and_blanks(&before[..value]);
    if let [parent @ .., b'{'] = outer
        && let Some(key) = key_before(parent)
    {
        return Some(key);
    }
    let line = before[..value].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    if let [parent @ .., b':'] = outer
        && line > outer.len()
    {
        return clean(key_at_end(trim_quotes(parent)));
    }
    let own = &bytes[floor..(start + 300).min(bytes.len())];
    let at = super::rfind_fold(&before[..value], b"name")
        .or_else(|| super::find_fold(&own[before.len()..], b"name").map(|at| at + before.len()))?;
    let rest = &own[at + 4..];
    let skip = rest.iter().take_while(|b| b"\"'\\:= \t".contains(b)).count();
    let name = &rest[skip..];
    let length =
        name.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b)).count();
    (skip > 0 && length > 0).then(|| &name[..length])
}

fn trim_quotes_and_blanks(line: &[u8]) -> &[u8] {
    let cut = line.iter().rev().take_while(|b| b"\"'\\ \t\r\n".contains(b)).count();
    &line[..line.len() - cut]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        let start = text.find('§').expect("a § marks the value");
        let bytes = text.replacen('§', "", 1).into_bytes();
        variable(&bytes, start)
    }

    #[test]
    fn keys_of_all_forms() {
        for (text, key) in [
            ("NPM_TOKEN=§v", "NPM_TOKEN"),
            ("export NPM_TOKEN='§v'", "NPM_TOKEN"),
            ("declare -x NPM_TOKEN=\"§v\"", "NPM_TOKEN"),
            ("A=1\0NPM_TOKEN=§v\0B=2", "NPM_TOKEN"),
            ("A=1 NPM_TOKEN=§v B=2", "NPM_TOKEN"),
            ("NPM_TOKEN                      §v", "NPM_TOKEN"),
            ("ENV NPM_TOKEN §v", "NPM_TOKEN"),
            ("  \"NPM_TOKEN\": \"§v\",", "NPM_TOKEN"),
            ("{\\\"NPM_TOKEN\\\":\\\"§v", "NPM_TOKEN"),
            ("\"Env\":[\"NPM_TOKEN=§v\"]", "NPM_TOKEN"),
            ("2026-01-01T00:00:00.0Z   NPM_TOKEN: §v", "NPM_TOKEN"),
            ("\x1b[36;1mNPM_TOKEN\x1b[0m=§v", "NPM_TOKEN"),
            ("\x1b[0KNPM_TOKEN=\x1b[0K§v", "NPM_TOKEN"),
            ("registry \"https://bob:§v@h.example/\"", "registry"),
            ("\x1b[36mNPM_TOKEN\x1b[0m=\x1b[32m§v", "NPM_TOKEN"),
            ("$env:NPM_TOKEN = \"§v\"", "NPM_TOKEN"),
            ("process.env.NPM_TOKEN = '§v'", "NPM_TOKEN"),
            ("os.environ[\"NPM_TOKEN\"] = \"§v\"", "NPM_TOKEN"),
            ("- name: NPM_TOKEN\n  value: \"§v\"", "NPM_TOKEN"),
            ("{\"name\":\"NPM_TOKEN\",\"value\":\"§v\"}", "NPM_TOKEN"),
            ("  NPM_TOKEN:\n    value: §v", "NPM_TOKEN"),
            ("\"NPM_TOKEN\":{\"value\":\"§v\",\"isSecret\":true}", "NPM_TOKEN"),
            ("//h.example/:_authToken=§v", "//h.example/:_authToken"),
            ("npm config set //h.example/:_authToken §v", "//h.example/:_authToken"),
            ("npm i --//h.example/:_authToken=§v", "//h.example/:_authToken"),
            ("curl -H \"Authorization: Bearer §v\"", "Authorization"),
            ("registry=https://user:§v@h.example/", "registry"),
            ("_auth = ${X:-§v}", "_auth"),
            ("echo \"A\\nNPM_TOKEN=§v\"", "NPM_TOKEN"),
            ("<add key=\"x\" value=\"§v\" name=\"Pass\"/>", "Pass"),
        ] {
            assert_eq!(of(text).as_deref(), Some(key), "{}", text.escape_default());
        }
    }

    #[test]
    fn words_are_no_keys() {
        for text in ["§v", "see §v", "the token §v", "= §v", "\n\n§v"] {
            assert_eq!(of(text), None, "{}", text.escape_default());
        }
    }
}
