//! Values that stand where a secret will be, or was: interpolations, blanked
//! values, words.

/// True if the value is nothing but a reference to something else:
/// `${NAME}`, `$NAME`, `$(cmd)`, `%NAME%`, `{{ name }}`, `<name>`.
pub(super) fn is_interpolation(value: &[u8]) -> bool {
    match value {
        [b'$', b'{' | b'(', ..] | [b'{', b'{', ..] | [b'<', ..] | [b'%', .., b'%'] => true,
        [b'$', name @ ..] => {
            !name.is_empty()
                && name.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
        }
        _ => {
            value.windows(2).any(|pair| pair == b"${" || pair == b"{{" || pair == b"$(")
                || has_field(value)
        }
    }
}

/// True if a reference to something else begins here: what stands before it is
/// the first part of a value that is put together.
pub(super) fn begins_interpolation(rest: &[u8]) -> bool {
    [&b"${"[..], b"$(", b"{{"].iter().any(|begin| rest.starts_with(begin))
}

/// `{password}`, `{self.token}`, `{alnum:14}`: a field of a format string.
fn has_field(value: &[u8]) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"_.:[]".contains(b);
    value.split(|&b| b == b'{').skip(1).any(|rest| {
        let name = rest.iter().take_while(|b| fits(b)).count();
        rest.first().is_some_and(u8::is_ascii_alphabetic) && rest.get(name) == Some(&b'}')
    })
}

/// Turns away values that a person wrote to be replaced. Where a checksum
/// decides how sure we are, words are no reason to drop: `lenient`.
pub(super) fn test(value: &[u8], lenient: bool) -> Result<(), &'static str> {
    if is_blanked(value) {
        return Err("blanked value");
    }
    if is_field(value) {
        return Err("placeholder");
    }
    if is_sequence(value) {
        return Err("sequence of characters");
    }
    if !lenient && value.len() < 400 && has_word(value) {
        return Err("placeholder");
    }
    if !lenient && is_code(value) {
        return Err("expression of source code");
    }
    Ok(())
}

/// `%s`, `{}`, `[hidden]`, `<password>`: the whole value is one sign for another.
fn is_field(value: &[u8]) -> bool {
    match value {
        [b'%', b'a'..=b'z'] | [b'{', .., b'}'] | [b'[', .., b']'] | [b'<', .., b'>'] => true,
        _ => value.len() >= 3 && value.iter().all(|b| *b == value[0]),
    }
}

/// `xxxx…`, `****`, `0000…`, `npm_abab…`: hardly any different characters, or
/// a long run of one.
fn is_blanked(value: &[u8]) -> bool {
    let body = after_prefix(value);
    let mut seen = [false; 256];
    body.iter().for_each(|&b| seen[usize::from(b.to_ascii_lowercase())] = true);
    let distinct = seen.iter().filter(|seen| **seen).count();
    let few = body.len() >= 8 && distinct <= if body.len() >= 20 { 3 } else { 2 };
    let run = if body.len() > 400 { 64 } else { 8 };
    let blank_run = body.len() < 4096 && longest_run(body) >= run;
    let stars = value.windows(3).any(|three| three == b"***" || three == b"...");
    few || blank_run
        || (stars && value.len() < 400)
        || value.windows(3).any(|c| c == "…".as_bytes())
}

/// What follows the issuer's prefix (`npm_`, `sk-ant-`).
fn after_prefix(value: &[u8]) -> &[u8] {
    let head = &value[..value.len().min(16)];
    match head.iter().rposition(|b| matches!(b, b'_' | b'-' | b'.')) {
        Some(at) if value.len() > at + 8 => &value[at + 1..],
        _ => value,
    }
}

fn longest_run(value: &[u8]) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, None);
    for &byte in value {
        run = if last == Some(byte) { run + 1 } else { 1 };
        last = Some(byte);
        longest = longest.max(run);
    }
    longest
}

/// `abcdefgh…`, `1234567890`, `aBcDeFgHi…`: most of the value climbs by one.
fn is_sequence(value: &[u8]) -> bool {
    let body = after_prefix(value);
    if body.len() < 8 || body.len() > 400 {
        return false;
    }
    let step = |pair: &&[u8]| {
        let (a, b) = (pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase());
        b == a.wrapping_add(1)
            || (a, b) == (b'9', b'0')
            || (a, b) == (b'z', b'0')
            || (a, b) == (b'9', b'a')
    };
    let pairs = body.len() - 1;
    body.windows(2).filter(step).count() * 4 >= pairs * 3
}

/// `config.authToken`, `opts.auth.token`: names with dots between them.
fn is_code(value: &[u8]) -> bool {
    let name = |part: &[u8]| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
            && part.len() <= 24
            && part.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
    };
    value.contains(&b'.') && value.split(|&b| b == b'.').all(name)
}

/// Words that no issuer puts into a token and people put into examples. Short
/// ones count only where they stand alone, for in random text they turn up.
fn has_word(value: &[u8]) -> bool {
    const ANYWHERE: &[&str] = &[
        "example",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "replaceme",
        "replace_me",
        "replace-me",
        "yourtoken",
        "your_",
        "your-",
        "my_token",
        "mytoken",
        "redacted",
        "protected)",
        "dummy",
        "insert_",
        "insert-",
        "xxxxx",
        "token_here",
        "tokenhere",
        "token-here",
        "key_here",
        "goes_here",
        "goes-here",
        "not-a-real",
        "notareal",
        "undefined",
        "process.env",
        "import.meta",
        "os.environ",
        "getenv",
        "secrets.",
        "path/to/",
    ];
    const WHOLE: &[&str] = &[
        "null",
        "true",
        "false",
        "none",
        "nil",
        "test",
        "testing",
        "password",
        "passwd",
        "secret",
        "token",
        "string",
        "pass",
        "todo",
        "admin",
        "root",
        "user",
        "username",
        "foo",
        "bar",
        "baz",
        "foobar",
        "value",
        "empty",
        "unset",
        "auth",
        "authtoken",
        "mypassword",
        "mysecret",
        "hidden",
        "masked",
        "xxx",
        "pwd",
        "your",
        "some-token",
        "x-oauth-basic",
        "x-access-token",
        "jbswy3dpehpk3pxp",
        "abc",
    ];
    let lower = value.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&lower);
    ANYWHERE.iter().any(|word| text.contains(word)) || WHOLE.iter().any(|word| text == *word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_stand_for_others() {
        for value in [
            "${NPM_TOKEN}",
            "${NPM_TOKEN?}",
            "${NPM_TOKEN:-}",
            "$NPM_TOKEN",
            "$(NPM_TOKEN)",
            "%NPM_TOKEN%",
            "${{ secrets.NPM_TOKEN }}",
            "<token>",
            "npm_${X}",
            "{password}",
            "a{b}c",
            "{{ .Values.token }}",
        ] {
            assert!(is_interpolation(value.as_bytes()), "{value}");
        }
        for value in ["abc$def", "p%40ss", "$aB3x", "npm_abc"] {
            assert!(!is_interpolation(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn values_that_were_never_secret() {
        for value in [
            "XXXXX-XXXXX-XXXXX-XXXXX",
            concat!("npm_", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
            concat!("npm_", "aBcDeFgHiJkLmNoPqRsTuVwXyZ1234567890"),
            "00000000-0000-0000-0000-000000000000",
            "(protected)",
            "npm_***",
            concat!("npm_", "abcdefghijklmnopqrstuvwxyz0123456789"),
            "your_token_here",
            "forceAuth.token",
            "/path/to/key.pem",
            "process.env.NPM_TOKEN",
            "npm_aBcD...7890",
        ] {
            assert!(test(value.as_bytes(), false).is_err(), "{value}");
        }
        for value in ["hunter2", "q8fK2mX1pZ7vB4nR9tL3", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"] {
            assert!(test(value.as_bytes(), false).is_ok(), "{value}");
        }
    }
}
