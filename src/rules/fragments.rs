//! Pieces of pattern that many rules share, written `${name}`.

/// Name and text of every fragment.
///
/// - `glue` is what may stand between a key and its value in the formats that
///   people keep secrets in: `K=v`, `K: v`, `"K": "v"`, `\"K\":\"v\"`, `K => v`,
///   `K := v`, `K v` (Dockerfile, `npm config set`), `<K>v</K>`, `set(K, "v")`,
///   `env["K"] = "v"`, `K=%22v%22`, columns, colour codes; and what puts the
///   value into a field of its own: `"K": {"value": "v"}` (the records of a
///   GitHub runner), `name: K, value: v` (Kubernetes, ECS). Quotes may be
///   escaped four deep.
/// - `default` is what stands before the default inside an interpolation,
///   `${NAME:-`, if the value is one. It follows `glue`.
/// - `uuid` is a UUID of any version, in either case.
/// - `jwt` is three parts of base64url, the first two of which are JSON.
/// - `npm_key` is the name of a variable or key that holds a credential of npm.
pub const FRAGMENTS: &[(&str, &str)] = &[
    (
        "glue",
        concat!(
            r#"(?:(?:[\\"'`\])}]{0,40}(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,20}(?:=>|:=|\|\||%3[Dd]|[=:,>(|]|[ \t])"#,
            r#"(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,40}(?:\{\s{0,20}[\\"']{0,8}value[\\"']{0,8}\s{0,8}:\s{0,8})?"#,
            r#"|[\\"']{0,8}(?:,(?:\s|\\n){0,40}|:?(?:\s|\\n){1,40})[\\"']{0,8}[vV]alue[\\"']{0,8}\s{0,8}[:=]\s{0,8})"#,
            r#"(?:[rRbBuUfF]?(?:[\\"'`]{1,40}|%2[27]))?)"#,
        ),
    ),
    ("default", r#"(?:\$\{[A-Za-z_][A-Za-z0-9_]{0,80}:?[-=][\\"']{0,8})?"#),
    ("uuid", r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
    ("jwt", r"eyJ[0-9A-Za-z_-]{8,2000}\.eyJ[0-9A-Za-z_-]{8,6000}\.[0-9A-Za-z_-]{0,1500}"),
    (
        "npm_key",
        r"(?i:npm_[a-z0-9_.-]{0,40}(?:token|auth|secret|pat|key)s?[a-z0-9_]{0,20}|npm-[a-z0-9_.-]{0,40}(?:token|auth|secret|pat)[a-z0-9_]{0,20}|npmtoken|npmauth[a-z0-9_]{0,20}|npmaccess_?token|npmpublish_?token|node_auth_token|bun_(?:config|auth)_token)",
    ),
];

/// Replaces every `${name}` by its fragment. A `$` and a brace that hold no
/// name stay as they are.
///
/// # Errors
/// The name that no fragment has.
pub fn expand(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let length = after.bytes().take_while(|b| b.is_ascii_lowercase() || *b == b'_').count();
        let (name, tail) = after.split_at(length);
        rest = match tail.strip_prefix('}') {
            Some(tail) if length > 0 => {
                let known = FRAGMENTS.iter().find(|(known, _)| *known == name);
                out.push_str(known.ok_or_else(|| name.to_owned())?.1);
                tail
            }
            _ => {
                out.push_str("${");
                after
            }
        };
    }
    out.push_str(rest);
    Ok(out)
}
