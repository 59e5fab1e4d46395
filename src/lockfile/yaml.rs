//! The part of YAML that pnpm and yarn write: maps in block style, scalars on
//! one line. Lists, flow collections and block texts are stepped over, because
//! they never name a package here. Anything else is an error.

use std::borrow::Cow;
use std::collections::HashSet;
use std::iter::Peekable;

/// Lockfiles nest five deep.
const DEPTH_CAP: usize = 16;

/// A value of a [`Map`].
#[derive(Debug)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Map(Map<'a>),
    /// Stepped over.
    Other,
}

/// The pairs of a map, in their order.
#[derive(Debug, Default)]
pub(super) struct Map<'a>(pub Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Map<'a> {
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn has_doubles(&self) -> bool {
        let keys = || self.0.iter().map(|(key, _)| &**key);
        if self.0.len() > 8 {
            let mut seen = HashSet::with_capacity(self.0.len());
            return !keys().all(|key| seen.insert(key));
        }
        keys().enumerate().any(|(at, key)| keys().take(at).any(|other| other == key))
    }

    /// The pairs of a map in this one; nothing if there is none.
    pub fn pairs(&self, key: &str) -> &[(Cow<'a, str>, Value<'a>)] {
        match self.get(key) {
            Some(Value::Map(map)) => &map.0,
            _ => &[],
        }
    }
}

/// Reads all documents of a text.
///
/// # Errors
///
/// Names the line that is not understood.
pub(super) fn documents(text: &str) -> Result<Vec<Map<'_>>, String> {
    let lines = text.lines().enumerate().filter_map(|(at, text)| Line::of(at + 1, text));
    let mut reader = Reader { lines: lines.peekable(), pushed: None };
    let mut documents = Vec::new();
    while let Some(line) = reader.peek() {
        match line.text {
            "---" | "..." if line.indent == 0 => drop(reader.next()),
            _ if line.indent == 0 => documents.push(reader.map(0, 0)?),
            _ => return Err(line.broken()),
        }
    }
    Ok(documents)
}

/// A line that says something.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    indent: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn of(number: usize, line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        let text = text.trim_end();
        (!text.is_empty() && !text.starts_with('#')).then_some(Self { number, indent, text })
    }

    fn broken(&self) -> String {
        format!("line {} is not understood", self.number)
    }

    fn is_item(&self) -> bool {
        self.text == "-" || self.text.starts_with("- ")
    }
}

struct Reader<'a, I: Iterator<Item = Line<'a>>> {
    lines: Peekable<I>,
    /// The rest of a line that goes on as one of its own.
    pushed: Option<Line<'a>>,
}

impl<'a, I: Iterator<Item = Line<'a>>> Reader<'a, I> {
    fn peek(&mut self) -> Option<Line<'a>> {
        self.pushed.or_else(|| self.lines.peek().copied())
    }

    fn next(&mut self) -> Option<Line<'a>> {
        self.pushed.take().or_else(|| self.lines.next())
    }

    fn map(&mut self, indent: usize, depth: usize) -> Result<Map<'a>, String> {
        let mut map = Map::default();
        while let Some(line) = self.peek() {
            if line.indent < indent || line.indent == 0 && matches!(line.text, "---" | "...") {
                break;
            }
            if line.indent > indent || line.is_item() || depth > DEPTH_CAP {
                return Err(line.broken());
            }
            self.next();
            let (key, rest, line) = match line.text.strip_prefix("? ") {
                Some(key) => self.long_key(line, key)?,
                None => {
                    let (key, rest) = split_key(line.text).ok_or_else(|| line.broken())?;
                    (key, rest, line)
                }
            };
            map.0.push((key, self.value(rest, line, depth)?));
        }
        match map.has_doubles() {
            true => Err("a key stands twice, as after a merge that went wrong".into()),
            false => Ok(map),
        }
    }

    /// A key of more than 1,024 bytes stands behind `? `, its value behind
    /// `: ` on the next line, and there it may already be a pair of a map.
    fn long_key(
        &mut self,
        line: Line<'a>,
        key: &'a str,
    ) -> Result<(Cow<'a, str>, &'a str, Line<'a>), String> {
        let key = scalar(key).ok_or_else(|| line.broken())?;
        let next = self.next().filter(|next| next.indent == line.indent);
        let next = next.ok_or_else(|| line.broken())?;
        let rest = next.text.strip_prefix(':').ok_or_else(|| next.broken())?;
        let inner = rest.trim_start_matches(' ');
        if !inner.is_empty() && split_key(inner).is_some() {
            let indent = next.indent + next.text.len() - inner.len();
            self.pushed = Some(Line { number: next.number, indent, text: inner });
            return Ok((key, "", next));
        }
        Ok((key, inner, next))
    }

    fn value(&mut self, rest: &'a str, line: Line<'a>, depth: usize) -> Result<Value<'a>, String> {
        match rest.as_bytes().first() {
            None => self.below(line.indent, depth),
            Some(b'|' | b'>') => {
                self.skip(line.indent);
                Ok(Value::Other)
            }
            Some(b'{') if rest == "{}" => Ok(Value::Map(Map::default())),
            Some(b'{') if rest.ends_with('}') => Ok(Value::Other),
            Some(b'[') if rest.ends_with(']') => Ok(Value::Other),
            _ => scalar(rest).map(Value::Text).ok_or_else(|| line.broken()),
        }
    }

    /// What the lines below a key hold.
    fn below(&mut self, indent: usize, depth: usize) -> Result<Value<'a>, String> {
        match self.peek() {
            Some(next) if next.is_item() && next.indent >= indent => {
                while self.peek().is_some_and(|line| {
                    line.indent > indent || line.indent == indent && line.is_item()
                }) {
                    self.next();
                }
                Ok(Value::Other)
            }
            Some(next) if next.indent > indent => Ok(Value::Map(self.map(next.indent, depth + 1)?)),
            _ => Ok(Value::Text("".into())),
        }
    }

    /// Steps over all that is indented further.
    fn skip(&mut self, indent: usize) {
        while self.peek().is_some_and(|line| line.indent > indent) {
            self.next();
        }
    }
}

/// `key: value` or `key:`.
fn split_key(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let colon = match text.as_bytes().first()? {
        quote @ (b'"' | b'\'') => quoted_end(text, *quote)?,
        b'{' | b'[' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'\t' => return None,
        _ => match text.find(": ") {
            Some(colon) => colon,
            None => text.strip_suffix(':')?.len(),
        },
    };
    let rest = text[colon..].strip_prefix(':')?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    Some((scalar(&text[..colon])?, rest.trim_start()))
}

/// Where a quoted text ends, behind its closing quote.
fn quoted_end(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        let byte = *bytes.get(at)?;
        at += match byte {
            b'\\' if quote == b'"' => 2,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => 2,
            byte if byte == quote => return Some(at + 1),
            _ => 1,
        };
    }
}

fn scalar(text: &str) -> Option<Cow<'_, str>> {
    match text.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let end = quoted_end(text, *quote)?;
            let behind = text[end..].trim_start();
            if !behind.is_empty() && !behind.starts_with('#') {
                return None;
            }
            unquote(&text[..end], *quote)
        }
        b'{' | b'[' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'\t' => None,
        _ => Some(text.find(" #").map_or(text, |comment| text[..comment].trim_end()).into()),
    }
}

fn unquote(text: &str, quote: u8) -> Option<Cow<'_, str>> {
    let inner = &text[1..text.len() - 1];
    match quote {
        b'\'' if inner.contains('\'') => Some(inner.replace("''", "'").into()),
        // The escapes that both programs write are those of JSON.
        b'"' if inner.contains('\\') => serde_json::from_str::<String>(text).ok().map(Cow::from),
        _ => Some(inner.into()),
    }
}
