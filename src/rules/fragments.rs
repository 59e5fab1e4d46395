//! Pieces of pattern that many rules share, written `${name}`.

/// Name and text of every fragment.
///
/// `glue` is what may stand between a key and its value in the formats that
/// people keep secrets in: `K=v`, `K: v`, `"K": "v"`, `\"K\":\"v\"`, `K => v`,
/// `K := v`, `K v` (Dockerfile, `npm config set`), `<K>v</K>`, `set(K, "v")`,
/// `env["K"] = "v"`, columns, colour codes. Quotes may be
/// escaped four deep. It is at most 150 bytes long.
pub const FRAGMENTS: &[(&str, &str)] = &[
    (
        "glue",
        r#"(?:[\\"'`\])}]{0,40}(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,20}(?:=>|:=|\|\||[=:,>(]|[ \t])(?:\x1b\[[0-9;]{0,8}m)?[ \t]{0,20}(?:[rRbBuUfF]?[\\"'`]{1,40})?)"#,
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
