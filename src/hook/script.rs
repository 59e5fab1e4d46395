//! The text of an installed hook: a few lines for any POSIX shell, which call
//! the hook that was there before and then this program, or fail loudly.

use std::path::{Path, PathBuf};

use super::Kind;
use crate::model::{path_from_bytes, path_to_bytes};

/// The second line of every hook of ours begins so.
const MARK: &[u8] = b"# tokensweep hook ";
const TOOL: &[u8] = b"tool='";

/// What the name of a hook ends with once ours stands in its place.
pub(super) const BEFORE: &str = ".before-tokensweep";

/// The text of a hook. A `shared` one stands for all repositories, and calls
/// the hook of the repository too, which git overlooks then.
pub(super) fn text(kind: Kind, tool: &Path, shared: bool) -> Vec<u8> {
    let (name, noun, command) = (kind.name(), kind.noun(), kind.command());
    // What git says on standard input is read once and given to each.
    let (input, feed) = match kind.reads_stdin() {
        true => ("input=$(cat; echo .) input=${input%.}\n", "printf %s \"$input\" 2>/dev/null | "),
        false => ("", ""),
    };
    let own = match shared {
        true => format!(" \"$(git rev-parse --git-common-dir)/hooks/{name}\""),
        false => String::new(),
    };
    let mut text = format!(
        "#!/bin/sh\n# tokensweep hook {name}: `tokensweep hook uninstall` takes it away again.\n"
    )
    .into_bytes();
    text.extend_from_slice(TOOL);
    text.extend_from_slice(&quoted(tool));
    text.extend_from_slice(
        format!(
            r#"'
{input}for hook in "${{0%/*}}/{name}{BEFORE}"{own}; do
    if [ -f "$hook" ] && [ -x "$hook" ] && ! [ "$hook" -ef "$0" ]; then
        {feed}"$hook" "$@" || exit $?
    fi
done
if ! [ -x "$tool" ] && ! tool=$(command -v tokensweep); then
    case "$TOKENSWEEP_SKIP" in 1 | true)
        echo 'tokensweep: skipped by TOKENSWEEP_SKIP: nothing was looked at' >&2
        exit 0
    esac
    {{
        echo 'tokensweep: this {noun} is refused, because nobody can look at it: the program is gone.'
        echo "  It is not where it was when this hook was installed, and not on PATH. Install it"
        echo "  again and run: tokensweep hook install --type {name}"
        echo "  To go on without: TOKENSWEEP_SKIP=1 {command}. To be rid of the hook: rm '$0'"
    }} >&2
    exit 2
fi
{feed}"$tool" hook run {name} "$@"
"#
        )
        .as_bytes(),
    );
    text
}

/// A path as it stands between single quotes.
fn quoted(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in path_to_bytes(path) {
        match byte {
            b'\'' => out.extend_from_slice(br"'\''"),
            byte => out.push(byte),
        }
    }
    out
}

/// True if the text is that of a hook of ours.
pub(super) fn is_ours(text: &[u8]) -> bool {
    text.split(|&b| b == b'\n').nth(1).is_some_and(|line| line.starts_with(MARK))
}

/// The program that a hook of ours calls.
pub(super) fn tool(text: &[u8]) -> Option<PathBuf> {
    // A path may hold a line break; its end is a quote that ends the line.
    let start = text.windows(TOOL.len()).position(|window| window == TOOL)? + TOOL.len();
    let rest = &text[start..];
    let end = (0..rest.len()).find(|&at| {
        let next = rest.get(at + 1);
        rest[at] == b'\'' && next == Some(&b'\n') && (at == 0 || rest[at - 1] != b'\\')
    })?;
    let mut path = Vec::new();
    let mut rest = &rest[..end];
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = rest.starts_with(br"'\''");
        path.push(byte);
        rest = if escaped { &rest[4..] } else { after };
    }
    Some(path_from_bytes(&path).into_owned())
}

/// True if a hook of somebody else's calls this program for this hook, and
/// fails if that does.
pub(super) fn calls_us(kind: Kind, text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    // What stands further right may be the body of an `if`.
    let ends = |line: &str| line == "exit" || line.starts_with("exit ");
    text.lines().take_while(|line| !ends(line)).any(|line| is_call(kind, line))
}

/// True for a line such as `npx tokensweep hook run pre-push "$@"`.
fn is_call(kind: Kind, line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let names = |word: &str| word.trim_matches(['"', '\'']).ends_with("tokensweep");
    let told = matches!(words.first(), Some(first) if first.starts_with('#') || *first == "echo");
    let Some(at) = words.iter().position(|word| names(word)).filter(|_| !told) else {
        return false;
    };
    let rest = match &words[at + 1..] {
        ["hook", "run", name, rest @ ..] | ["hook", name, rest @ ..] if *name == kind.name() => {
            rest
        }
        _ => return false,
    };
    let either = rest.iter().position(|word| *word == "||");
    either.is_none_or(|at| rest.get(at + 1) == Some(&"exit") && rest.get(at + 2) != Some(&"0"))
}

/// True for the hooks of programs that run what their settings name.
pub(super) fn is_runner(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    ["lefthook", "pre-commit", "overcommit", "husky"].iter().any(|name| text.contains(name))
}

/// True if a hook calls the one beside it whose name ends with `.legacy`.
pub(super) fn calls_legacy(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let calls = |line: &str| !line.trim_start().starts_with('#') && line.contains(".legacy");
    text.contains("File generated by pre-commit") || text.lines().any(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_ours_are_known_again() {
        for path in ["/usr/bin/tokensweep", "/a b/it's \"here\"/$(x)/t'", "/line\nbreak"] {
            for kind in Kind::ALL {
                let text = text(kind, Path::new(path), false);
                assert!(is_ours(&text));
                assert_eq!(tool(&text).as_deref(), Some(Path::new(path)));
            }
        }
        assert!(!is_ours(b"#!/bin/sh\nexit 0\n") && !is_ours(b""));
    }

    #[test]
    fn others_may_call_us() {
        let calls = |text: &str| calls_us(Kind::PrePush, text.as_bytes());
        for text in [
            "npm test\n  npx tokensweep hook run pre-push \"$@\"\n",
            "exec '/a b/tokensweep' hook pre-push \"$@\"",
            "tokensweep hook run pre-push || exit 1",
        ] {
            assert!(calls(text), "{text}");
        }
        for text in [
            "#!/bin/sh\n# tokensweep hook run pre-push\n",
            "echo tokensweep hook run pre-push",
            "tokensweep hook run pre-commit",
            "tokensweep hook run pre-push || true",
            "exit 0\ntokensweep hook run pre-push",
        ] {
            assert!(!calls(text), "{text}");
        }
    }
}
