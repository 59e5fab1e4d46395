//! Pieces of pattern that many rules share, written `${name}`.

/// Name and text of every fragment.
///
/// `glue` is what may stand between a key and its value in the formats that
/// people keep secrets in: `K=v`, `K: v`, `"K": "v"`, `\"K\":\"v\"`, `K => v`,
/// `K := v`, `K v` (Dockerfile, `npm config set`), `<K>v</K>`, `set(K, "v")`,
/// `env["K"] = "v"`, `K=%22v%22`, columns, colour codes; and what puts the value
/// into a field of its own: `"K": {"value": "v"}` (the records of a GitHub
/// runner), `name: K, value: v` (Kubernetes, ECS). Quotes may be escaped four
/// deep. It is at most 250 bytes long.
pub const FRAGMENTS: &[(&str, &str)] = &[
    (
        "glue",
        concat!(
            r#"(?:(?:[\\"'`\])}]{0,40}(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,20}(?:=>|:=|\|\||%3[Dd]|[=:,>(|]|[ \t])"#,
            r#"(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,20}(?:\{\s{0,20}[\\"']{0,8}value[\\"']{0,8}\s{0,8}:\s{0,8})?"#,
            r#"|[\\"']{0,8}(?:,(?:\s|\\n){0,40}|(?:\s|\\n){1,40})[\\"']{0,8}[vV]alue[\\"']{0,8}\s{0,8}[:=]\s{0,8})"#,
            r#"(?:[rRbBuUfF]?(?:[\\"'`]{1,40}|%2[27]))?)"#,
        ),
    ),
    ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("jwt", r"eyJ[0-9A-Za-z_-]{8,2000}\.eyJ[0-9A-Za-z_-]{8,6000}\.[0-9A-Za-z_-]{0,1500}"),
];

/// Replaces every `${name}` by its fragment.
///
/// # Errors
/// The name that no fragment has.
pub fn expand(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').ok_or_else(|| after.to_owned())?;
        let (_, text) =
            FRAGMENTS.iter().find(|(known, _)| *known == name).ok_or_else(|| name.to_owned())?;
        out.push_str(before);
        out.push_str(text);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}
