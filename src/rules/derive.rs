//! From a pattern: the literals that every match holds, how far from its start
//! they stand, and how long it can be. The build script reads this file too.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Serialize};

/// A literal that stands in every match of its rule (or one of several, one of
/// which does).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keyword {
    /// The literal; in lower case if `fold`.
    pub text: Vec<u8>,
    /// True if ASCII case does not matter.
    pub fold: bool,
    /// Least and greatest distance from the start of the match to the literal.
    pub lead: (usize, usize),
}

/// What is known of a pattern without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Every match holds one of these at its lead.
    pub keywords: Vec<Keyword>,
    /// Longest possible match in bytes.
    pub span: usize,
}

/// Matches longer than this are refused: the scanner looks this far past the
/// end of a window, and a regular expression should never walk further.
pub const SPAN_CAP: usize = 24 * 1024;
/// Keywords that stand further than this behind the start of the match are not used.
const LEAD_CAP: usize = 80;
/// A set of more literals than this is not used.
const SET_CAP: usize = 48;
/// Literals are cut to this length: what follows adds nothing to a prefilter.
const LENGTH_CAP: usize = 24;
/// Literals of this length are rare enough: a set is not multiplied any more
/// to make its literals longer.
/// Shorter ones will do where that gives too many literals.
const LENGTHS_ENOUGH: [usize; 3] = [10, 7, 5];
/// Shorter literals occur everywhere.
const LENGTH_MIN: usize = 3;

/// Parses a pattern as the matcher will: bytes, ASCII classes.
///
/// # Errors
/// What the parser says.
pub fn parse(pattern: &str) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())
}

/// Finds the literals of a pattern, or checks those that were given.
///
/// # Errors
/// In words, what has to change in the pattern or its keywords.
pub fn derive(pattern: &str, given: &[String]) -> Result<Derived, String> {
    let hir = parse(pattern)?;
    let span = hir
        .properties()
        .maximum_len()
        .ok_or("its matches have no greatest length; bound every `*` and `+` as in `{1,64}`")?;
    if span > SPAN_CAP {
        return Err(format!("a match could be {span} bytes long; at most {SPAN_CAP} are allowed"));
    }
    let keywords = if given.is_empty() {
        LENGTHS_ENOUGH
            .iter()
            .find_map(|&enough| {
                places(&hir, enough)
                    .into_iter()
                    .filter(|place| place.iter().all(|keyword| keyword.text.len() >= LENGTH_MIN))
                    .max_by_key(|place| score(place))
                    .filter(|place| place.iter().all(|keyword| keyword.text.len() > LENGTH_MIN) || enough == 5)
            })
            .ok_or("no literal of three bytes or more stands in every match; begin the pattern with one")?
    } else {
        cover(&places(&hir, LENGTHS_ENOUGH[0]), given)?
    };
    Ok(Derived { keywords, span })
}

/// The sets of literals that every match holds, one set for each place.
fn places(hir: &Hir, enough: usize) -> Vec<Vec<Keyword>> {
    let mut pieces = Vec::new();
    flatten(hir, &mut pieces);
    let mut places = Vec::new();
    let mut lead = (0_usize, 0_usize);
    for (at, piece) in pieces.iter().enumerate() {
        if lead.1 > LEAD_CAP {
            break;
        }
        let set = prefixes_of_all(&pieces[at..], enough);
        if set.iter().all(|literal| !literal.bytes.is_empty()) {
            places.push(without_doubles(
                set.iter().map(|literal| keyword(&literal.bytes, lead)).collect(),
            ));
        }
        let properties = piece.properties();
        lead.0 += properties.minimum_len().unwrap_or(0);
        lead.1 += properties.maximum_len().unwrap_or(LEAD_CAP + 1);
    }
    places
}

fn flatten<'h>(hir: &'h Hir, pieces: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(parts) => parts.iter().for_each(|part| flatten(part, pieces)),
        HirKind::Capture(capture) => flatten(&capture.sub, pieces),
        _ => pieces.push(hir),
    }
}

/// A literal with which matches begin.
#[derive(Clone, Default)]
struct Literal {
    /// Its bytes, each with whether its case is free.
    bytes: Vec<(u8, bool)>,
    /// More of the match may follow that is no part of it.
    open: bool,
}

impl Literal {
    fn of(bytes: Vec<(u8, bool)>) -> Self {
        Self { bytes, open: false }
    }

    fn unknown() -> Vec<Self> {
        vec![Self { bytes: Vec::new(), open: true }]
    }

    /// True if it should not be made longer at the cost of more literals.
    fn is_enough(&self, enough: usize) -> bool {
        self.bytes.len() >= enough
    }
}

/// The literals with which every match of `hir` begins.
fn prefixes(hir: &Hir, enough: usize) -> Vec<Literal> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![Literal::default()],
        HirKind::Literal(literal) => {
            vec![Literal::of(literal.0.iter().map(|&byte| (byte, false)).collect())]
        }
        HirKind::Class(class) => match members(class) {
            Some(members) => members.into_iter().map(|member| Literal::of(vec![member])).collect(),
            None => Literal::unknown(),
        },
        HirKind::Capture(capture) => prefixes(&capture.sub, enough),
        HirKind::Concat(parts) => prefixes_of_all(&parts.iter().collect::<Vec<_>>(), enough),
        HirKind::Alternation(branches) => {
            let all: Vec<Literal> =
                branches.iter().flat_map(|branch| prefixes(branch, enough)).collect();
            if all.len() > SET_CAP { Literal::unknown() } else { all }
        }
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max) {
            (0, Some(1)) => {
                let mut set = prefixes(&repetition.sub, enough);
                set.push(Literal::default());
                set
            }
            (0, _) => Literal::unknown(),
            (min, max) => {
                let copies = vec![&*repetition.sub; min.min(8) as usize];
                let mut set = prefixes_of_all(&copies, enough);
                let more = max != Some(min) || min > 8;
                set.iter_mut().for_each(|literal| literal.open |= more);
                set
            }
        },
    }
}

fn prefixes_of_all(parts: &[&Hir], enough: usize) -> Vec<Literal> {
    let mut set = vec![Literal::default()];
    for part in parts {
        if set.iter().all(|literal| literal.open) {
            break;
        }
        let next = prefixes(part, enough);
        let grows =
            |literal: &Literal| !literal.open && (next.len() == 1 || !literal.is_enough(enough));
        let size: usize =
            set.iter().map(|literal| if grows(literal) { next.len() } else { 1 }).sum();
        let fits = size <= SET_CAP;
        set = set
            .into_iter()
            .flat_map(|literal| {
                if fits && grows(&literal) && literal.bytes.len() < LENGTH_CAP {
                    next.iter().map(|right| joined(&literal, right)).collect()
                } else {
                    vec![Literal { open: true, ..literal }]
                }
            })
            .collect();
    }
    set
}

fn joined(left: &Literal, right: &Literal) -> Literal {
    Literal { bytes: [&left.bytes[..], &right.bytes[..]].concat(), open: right.open }
}

/// The members of a class of few: a letter in both cases counts as one.
fn members(class: &Class) -> Option<Vec<(u8, bool)>> {
    let Class::Bytes(class) = class else { return None };
    let bytes: Vec<u8> =
        class.iter().flat_map(|range| range.start()..=range.end()).take(17).collect();
    if bytes.len() > 16 {
        return None;
    }
    let mut members = Vec::new();
    for &byte in &bytes {
        let other = byte ^ 0x20;
        let folds = byte.is_ascii_alphabetic() && bytes.contains(&other);
        if !folds {
            members.push((byte, false));
        } else if byte.is_ascii_lowercase() {
            members.push((byte, true));
        }
    }
    (members.len() <= 8).then_some(members)
}

fn keyword(literal: &[(u8, bool)], lead: (usize, usize)) -> Keyword {
    let literal = &literal[..literal.len().min(LENGTH_CAP)];
    let fold = literal.iter().any(|&(_, free)| free);
    let text = literal
        .iter()
        .map(|&(byte, _)| if fold { byte.to_ascii_lowercase() } else { byte })
        .collect();
    Keyword { text, fold, lead }
}

/// Drops keywords that begin with another one: where they stand, it stands.
fn without_doubles(mut keywords: Vec<Keyword>) -> Vec<Keyword> {
    keywords.sort_by(|a, b| (a.text.len(), &a.text).cmp(&(b.text.len(), &b.text)));
    let mut out: Vec<Keyword> = Vec::with_capacity(keywords.len());
    for keyword in keywords {
        let head = |known: &Keyword| match keyword.text.get(..known.text.len()) {
            Some(head) if known.fold => head.eq_ignore_ascii_case(&known.text),
            Some(head) => !keyword.fold && head == known.text,
            None => false,
        };
        if !out.iter().any(head) {
            out.push(keyword);
        }
    }
    out
}

/// Higher is better: long, rare literals at a fixed and short distance.
fn score(place: &[Keyword]) -> i64 {
    let worst = place.iter().map(|keyword| rarity(&keyword.text)).min().unwrap_or(0);
    let lead = place.first().map_or((0, 0), |keyword| keyword.lead);
    let wobble = (lead.1 - lead.0) as i64;
    worst * 4 - wobble * 3 - (lead.1 as i64 * 5).min(20) - place.len() as i64 / 4
}

fn rarity(text: &[u8]) -> i64 {
    let weight = |&byte: &u8| match byte {
        b'a'..=b'z' | b' ' => 2,
        b'0'..=b'9' | b'A'..=b'Z' => 3,
        _ => 3,
    };
    text.iter().take(10).map(weight).sum()
}

/// Uses the given keywords if one of them stands in every match.
fn cover(places: &[Vec<Keyword>], given: &[String]) -> Result<Vec<Keyword>, String> {
    let given: Vec<Vec<u8>> =
        given.iter().map(|text| text.to_ascii_lowercase().into_bytes()).collect();
    if let Some(short) = given.iter().find(|text| text.len() < LENGTH_MIN) {
        return Err(format!(
            "the keyword {:?} is shorter than three bytes",
            String::from_utf8_lossy(short)
        ));
    }
    for place in places {
        let mut used = Vec::new();
        let covers = place.iter().all(|whole| {
            let lower = whole.text.to_ascii_lowercase();
            given.iter().any(|text| {
                let Some(at) = lower.windows(text.len()).position(|window| window == text) else {
                    return false;
                };
                let part = whole.text[at..at + text.len()].to_vec();
                used.push(Keyword {
                    text: part,
                    fold: whole.fold,
                    lead: (whole.lead.0 + at, whole.lead.1 + at),
                });
                true
            })
        });
        if covers {
            return Ok(used);
        }
    }
    Err("its keywords do not stand in every match; leave them out, or begin the pattern with them"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> Vec<(String, bool, (usize, usize))> {
        let derived = derive(pattern, &[]).unwrap();
        derived
            .keywords
            .into_iter()
            .map(|k| (String::from_utf8(k.text).unwrap(), k.fold, k.lead))
            .collect()
    }

    #[test]
    fn literals_of_common_patterns() {
        assert_eq!(shown("npm_[0-9A-Za-z]{36}"), [("npm_".into(), false, (0, 0))]);
        assert_eq!(shown("(?P<secret>gh[pousr]_[0-9A-Za-z]{36})").len(), 5);
        assert_eq!(shown("(?i:heroku_key)=x"), [("heroku_key=x".into(), true, (0, 0))]);
        assert_eq!(shown("[0-9]{8,10}:AA[0-9A-Za-z_-]{33}"), [(":AA".into(), false, (8, 10))]);
        assert_eq!(
            shown("(?:hvs|hvb)\\.[a-z]{20}"),
            [("hvb.".into(), false, (0, 0)), ("hvs.".into(), false, (0, 0))]
        );
    }

    #[test]
    fn what_cannot_be_searched_for_is_refused() {
        assert!(derive("[a-z]+abcd", &[]).is_err());
        assert!(derive("[a-z]{4}", &[]).is_err());
        assert!(derive("abcd[a-z]{30000}", &[]).is_err());
        assert!(derive("abcd[a-z]{3}", &["zzz".into()]).is_err());
        assert_eq!(derive("xabcd[a-z]{3}", &["abc".into()]).unwrap().keywords[0].lead, (1, 1));
    }
}
