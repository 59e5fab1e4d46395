//! JSON of strangers, read for what fits.
//!
//! A field of an odd type counts as missing and spoils nothing beside it, and
//! what nobody asked for is skipped without being kept. So the memory that an
//! answer can take is bound by its length, and its depth does not matter.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::registry::Answer;

/// More entries than this of one list or map are passed over. The packages
/// with the most versions have some ten thousand.
pub(super) const ENTRY_CAP: usize = 100_000;

/// Longer texts are cut, in bytes.
const TEXT_CAP: usize = 4096;

/// What can be taken from a JSON value; what does not fit leaves it as it is.
pub(super) trait Lenient: Default {
    fn text(&mut self, _text: &str) {}
    fn flag(&mut self, _flag: bool) {}
    fn number(&mut self, _number: u64) {}
    fn null(&mut self) {}

    /// Told that a list begins, an empty one too.
    fn list(&mut self) {}

    /// Told that an object begins, an empty one too.
    fn object(&mut self) {}

    /// Takes the value of one field of an object.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _name: String,
        map: &mut A,
    ) -> Result<(), A::Error> {
        skip(map)
    }

    /// Takes one item of a list; false at its end.
    fn item<'de, A: SeqAccess<'de>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        Ok(items.next_element::<IgnoredAny>()?.is_some())
    }
}

/// Reads a document; `None` if it is no JSON at all.
pub(super) fn read<T: Lenient>(bytes: &[u8]) -> Option<T> {
    let parsed = serde_json::from_slice::<Fit<T>>(bytes);
    let parsed = parsed.or_else(|_| serde_json::from_slice(mended(bytes).as_bytes()));
    parsed.ok().map(|fit| fit.0)
}

/// The document of an answer; `None` if it is cut off or no JSON.
pub(super) fn whole<T: Lenient>(answer: &Answer) -> Option<T> {
    if answer.cut { None } else { read(&answer.body) }
}

/// The next item of a list.
pub(super) fn element<'de, T: Lenient, A: SeqAccess<'de>>(
    items: &mut A,
) -> Result<Option<T>, A::Error> {
    Ok(items.next_element::<Fit<T>>()?.map(|fit| fit.0))
}

/// The value of the field whose name was read last.
pub(super) fn value<'de, T: Lenient, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    Ok(map.next_value::<Fit<T>>()?.0)
}

/// Passes over the value of the field whose name was read last.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// The same document without halves of surrogate pairs. JavaScript writes them
/// and Rust refuses them, and with them the whole document: an easy way to keep
/// a version from being looked at.
fn mended(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(bytes).into_owned().into_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text[at..]) {
        at += found;
        match (unit(&text, at), unit(&text, at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 12,
            (Some(0xd800..0xe000), _) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            _ => at += 2,
        }
        at = at.min(text.len());
    }
    String::from_utf8(text).unwrap_or_default()
}

/// The number of the escape `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The first bytes of a text, as many as a report may want to show.
fn clipped(text: &str) -> String {
    clipped_to(text, TEXT_CAP).to_owned()
}

/// The first bytes of a text, at most so many.
pub(super) fn clipped_to(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

struct Fit<T>(T);

impl<'de, T: Lenient> Deserialize<'de> for Fit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Taker(PhantomData))
    }
}

struct Taker<T>(PhantomData<T>);

impl<'de, T: Lenient> Visitor<'de> for Taker<T> {
    type Value = Fit<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Fit<T>, E> {
        let mut taken = T::default();
        taken.null();
        Ok(Fit(taken))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Fit<T>, E> {
        let mut taken = T::default();
        taken.flag(flag);
        Ok(Fit(taken))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Fit<T>, E> {
        let mut taken = T::default();
        taken.number(number);
        Ok(Fit(taken))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Fit<T>, E> {
        Ok(Fit(T::default()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Fit<T>, E> {
        Ok(Fit(T::default()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Fit<T>, E> {
        let mut taken = T::default();
        taken.text(text);
        Ok(Fit(taken))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fit<T>, A::Error> {
        let mut taken = T::default();
        taken.object();
        while let Some(name) = map.next_key::<String>()? {
            taken.field(name, &mut map)?;
        }
        Ok(Fit(taken))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fit<T>, A::Error> {
        let mut taken = T::default();
        taken.list();
        while taken.item(&mut items)? {}
        Ok(Fit(taken))
    }
}

/// Any JSON, of which nothing is kept.
impl Lenient for () {}

impl Lenient for Option<String> {
    fn text(&mut self, text: &str) {
        *self = Some(clipped(text));
    }
}

impl Lenient for Option<u64> {
    fn number(&mut self, number: u64) {
        *self = Some(number);
    }
}

impl Lenient for Option<bool> {
    fn flag(&mut self, flag: bool) {
        *self = Some(flag);
    }
}

/// A map of texts; entries that are no text are left out.
impl Lenient for BTreeMap<String, String> {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        if let (Some(text), true) = (value::<Option<String>, _>(map)?, self.len() < ENTRY_CAP) {
            self.insert(clipped(&name), text);
        }
        Ok(())
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    fn item<'de, A: SeqAccess<'de>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        if self.len() >= ENTRY_CAP {
            return Ok(items.next_element::<IgnoredAny>()?.is_some());
        }
        let Some(item) = element(items)? else { return Ok(false) };
        self.push(item);
        Ok(true)
    }
}

/// Makes a reader of an object of which one field is wanted.
macro_rules! only {
    ($what:literal, $name:ident($of:ty)) => {
        #[derive(Default)]
        struct $name($of);

        impl $crate::registry::npm::lenient::Lenient for $name {
            fn field<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: String,
                map: &mut A,
            ) -> Result<(), A::Error> {
                match name == $what {
                    true => self.0 = $crate::registry::npm::lenient::value(map)?,
                    false => $crate::registry::npm::lenient::skip(map)?,
                }
                Ok(())
            }
        }
    };
}

pub(super) use only;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_taken() {
        let read = |text: &str| read::<BTreeMap<String, String>>(text.as_bytes());
        let one = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        assert_eq!(read(r#"{"x":1,"a":"b","y":[{"a":"c"}],"z":null,"f":1.5,"n":-1}"#), Some(one));
        assert_eq!(read("[1,[2]]"), Some(BTreeMap::new()));
        assert_eq!(read(""), None);
        assert_eq!(read(r#"{"a":"b""#), None);
    }

    #[test]
    fn depth_and_halves_of_characters_spoil_nothing() {
        let deep = format!(r#"{{"x":{}{},"a":"b"}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let texts = read::<BTreeMap<String, String>>(deep.as_bytes());
        assert_eq!(texts.map(|texts| texts.len()), Some(1));

        let half = br#"{"x":"\\ud800 \ud800\udc00 \ud800","a\udfff":"b"}"#;
        let texts = read::<BTreeMap<String, String>>(half).unwrap();
        assert_eq!(texts["x"], "\\ud800 \u{10000} \u{fffd}");
        assert_eq!(texts["a\u{fffd}"], "b");
    }

    #[test]
    fn texts_are_cut() {
        let long = format!(r#"["{}"]"#, "é".repeat(TEXT_CAP));
        let texts = read::<Vec<Option<String>>>(long.as_bytes()).unwrap();
        assert_eq!(texts[0].as_ref().map(String::len), Some(TEXT_CAP));
    }
}
