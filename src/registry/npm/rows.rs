//! The rows of the list of tokens. They are a server's words: of each page only
//! so many are kept, and of each row only what somebody asks for.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::account::{ask, seconds};
use super::identity::Bound;
use super::lenient::{Lenient, clipped_to, skip, value, whole};
use crate::hostage;
use crate::model::Secret;
use crate::model::radius::Learnt;
use crate::registry::{Ask, Request};

/// Tokens of one page; the registry was documented to allow 1 to 9999.
const PER_PAGE: usize = 100;
/// Pages that are read.
const PAGES: usize = 40;
/// Most bytes of a page.
const PAGE_CAP: usize = 4 << 20;
/// Rows of a page, and of all, that are kept: an account has at most 1,000
/// granular tokens.
const ROWS_OF_A_PAGE: usize = 1000;
const ROWS: usize = 2000;
/// Permissions, scopes or addresses of a row, and bytes of each text.
const ENTRIES: usize = 200;
const TEXT: usize = 200;

/// What a list says of one token.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// How many tokens it holds, each counted once.
    pub count: u64,
    /// Rows that may be the token's: of those that live the first two, which is
    /// enough to see that it is not one alone.
    pub fitting: Vec<(Fit, Row)>,
    /// True if a row of a revoked or expired token fits.
    pub dead_fits: bool,
    /// True if a token has the name of a worm's trap.
    pub trap: bool,
    /// Why the list ends early, or cannot be relied on.
    pub cut: Option<&'static str>,
    /// The masked token under each id.
    masks: BTreeMap<String, Option<String>>,
}

/// Whether a row can be that of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Its ends are others.
    No,
    /// Nothing speaks against it, and too little for it.
    Perhaps,
    /// Both ends are the token's, beyond what all tokens share.
    Yes,
}

/// Reads page after page, as long as the links stay with the registry.
pub(super) fn list(door: &dyn Ask, bound: &Bound<'_>, secret: &Secret) -> Learnt<Rows> {
    let mut rows = Rows::default();
    let mut path = format!("/-/npm/v1/tokens?page=0&perPage={PER_PAGE}");
    let mut seen = Vec::new();
    let mut how = String::new();
    let mut read = 0;
    loop {
        let request = bound.get(path.clone()).map(|it| Request { cap: PAGE_CAP, ..it });
        let told = ask(door, bound, request, |answer, line| {
            Some(Learnt::measured(whole::<Page>(answer)?, line))
        });
        let page = match told.value {
            Some(page) if page.is_list => page,
            _ if !seen.is_empty() => {
                rows.cut = Some("a later page could not be read");
                return Learnt::measured(rows, how);
            }
            Some(_) => return Learnt::unknown(format!("{}: 200 with no list of tokens", told.how)),
            None => return Learnt { value: None, certainty: told.certainty, how: told.how },
        };
        how = told.how;
        read += page.rows.len() as u64;
        page.rows.into_iter().for_each(|row| rows.take(row, secret));
        if page.more {
            rows.cut = Some("a page has too many rows");
        }
        if page.odd {
            rows.cut = Some("a row of it could not be read");
        }
        if page.next.is_empty() && page.total.is_some_and(|total| total > read) {
            rows.cut = Some("it says that there are more rows than it shows");
        }
        seen.push(std::mem::take(&mut path));
        if page.next.is_empty() || rows.cut.is_some() {
            return Learnt::measured(rows, how);
        }
        match next(door, bound, &page.next, &seen) {
            Ok(next) => path = next,
            Err(why) => {
                rows.cut = Some(why);
                return Learnt::measured(rows, how);
            }
        }
    }
}

/// The path of the next page, or why it is not asked for.
fn next(
    door: &dyn Ask,
    bound: &Bound<'_>,
    link: &str,
    seen: &[String],
) -> Result<String, &'static str> {
    match door.path_of(bound.host, link) {
        None => Err("the next page lies at another host, and is not asked for"),
        Some(next) if !next.starts_with("/-/npm/v1/tokens?") => {
            Err("the next page is no page of the list")
        }
        Some(next) if seen.contains(&next) => Err("its pages go in a circle"),
        Some(_) if seen.len() >= PAGES => Err("it has too many pages"),
        Some(next) => Ok(next),
    }
}

impl Rows {
    /// Takes a row in. Pages that shift while they are read repeat rows: those
    /// count once.
    fn take(&mut self, row: Row, secret: &Secret) {
        self.trap |= row.is_trap();
        let mask = row.text("token");
        if let Some(key) = row.text("key") {
            if let Some(known) = self.masks.get(&key) {
                if *known != mask {
                    self.cut = Some("it has different tokens under one id");
                }
                return;
            }
            if self.masks.len() < ROWS {
                self.masks.insert(key, mask.clone());
            }
        }
        if self.count >= ROWS as u64 {
            self.cut = Some("it has too many rows");
            return;
        }
        self.count += 1;
        let fit = mask.map_or(Fit::Perhaps, |mask| fit(&mask, secret.expose()));
        match fit {
            Fit::No => {}
            _ if row.is_dead() => self.dead_fits = true,
            _ if self.fitting.len() < 2 => self.fitting.push((fit, row)),
            _ => {}
        }
    }
}

/// Compares a masked token, `npm_aBcD...7890`, with a token. One end alone proves
/// nothing, nor does a beginning that all tokens share: four random characters
/// are soon met again.
fn fit(mask: &str, secret: &[u8]) -> Fit {
    let Some((head, tail)) = mask.split_once("...").or_else(|| mask.split_once('…')) else {
        // Rows of classic tokens show their first characters; of any other way to
        // mask nobody knows what it shows.
        let plain = mask.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let other = plain && !secret.starts_with(mask.as_bytes());
        return if other { Fit::No } else { Fit::Perhaps };
    };
    if !secret.starts_with(head.as_bytes()) || !secret.ends_with(tail.as_bytes()) {
        return Fit::No;
    }
    let own = head.len().saturating_sub(shared_prefix(secret));
    let shown = head.len() + tail.len();
    let proves = own >= 4 && tail.len() >= 4 && (10..secret.len()).contains(&shown);
    if proves { Fit::Yes } else { Fit::Perhaps }
}

/// Length of the letters and the `_` that all tokens of a kind begin with.
fn shared_prefix(secret: &[u8]) -> usize {
    let letters = secret.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    if secret.get(letters) == Some(&b'_') { letters + 1 } else { 0 }
}

/// A page of the list.
#[derive(Default)]
struct Page {
    is_list: bool,
    rows: Vec<Row>,
    more: bool,
    /// True if something in it is no row.
    odd: bool,
    next: String,
    /// How many tokens the registry says that there are.
    total: Option<u64>,
}

impl Lenient for Page {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "objects" => {
                let objects: Objects = value(map)?;
                (self.is_list, self.rows, self.more, self.odd) =
                    (objects.is_list, objects.rows, objects.more, objects.odd);
            }
            "total" => self.total = value(map)?,
            "urls" => self.next = value::<Links, _>(map)?.0.unwrap_or_default(),
            _ => skip(map)?,
        }
        Ok(())
    }
}

super::lenient::only!("next", Links(Option<String>));

#[derive(Default)]
struct Objects {
    is_list: bool,
    rows: Vec<Row>,
    more: bool,
    odd: bool,
}

impl Lenient for Objects {
    fn list(&mut self) {
        self.is_list = true;
    }

    fn item<'de, A: SeqAccess<'de>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        if self.rows.len() >= ROWS_OF_A_PAGE {
            let there = items.next_element::<IgnoredAny>()?.is_some();
            self.more |= there;
            return Ok(there);
        }
        let Some(row) = super::lenient::element::<Row, _>(items)? else { return Ok(false) };
        // What is no object is no row.
        match row.is_object {
            true => self.rows.push(row),
            false => self.odd = true,
        }
        Ok(true)
    }
}

/// A row: what is known of one token.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    is_object: bool,
    fields: BTreeMap<String, Field>,
}

/// The fields that are read; others are passed over.
const FIELDS: [&str; 16] = [
    "token",
    "key",
    "name",
    "description",
    "readonly",
    "automation",
    "cidr",
    "cidr_whitelist",
    "expiry",
    "bypass_2fa",
    "revoked",
    "created",
    "accessed",
    "permissions",
    "scopes",
    "publish_policy",
];

impl Lenient for Row {
    fn object(&mut self) {
        self.is_object = true;
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        if !FIELDS.contains(&name.as_str()) {
            return skip(map);
        }
        self.fields.insert(name, value(map)?);
        Ok(())
    }
}

impl Row {
    /// A field as it was told.
    pub fn get(&self, field: &str) -> Option<&Field> {
        self.fields.get(field)
    }

    /// A text that is not empty.
    pub fn text(&self, field: &str) -> Option<String> {
        match self.get(field)? {
            Field::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    /// A yes or no.
    pub fn flag(&self, field: &str) -> Option<bool> {
        match self.get(field)? {
            Field::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn list(&self, field: &str) -> Option<&[Entry]> {
        match self.get(field)? {
            Field::List(entries) => Some(entries),
            _ => None,
        }
    }

    fn is_trap(&self) -> bool {
        let named = |field: &&str| self.text(field).is_some_and(|text| hostage::is_trap(&text));
        ["name", "description"].iter().any(named)
    }

    /// True if it is revoked or expired: such tokens stay in the list.
    fn is_dead(&self) -> bool {
        let revoked = !matches!(self.get("revoked"), None | Some(Field::Null | Field::Flag(false)));
        let ends = self.text("expiry").as_deref().and_then(seconds);
        revoked || ends.is_some_and(|ends| ends <= jiff::Timestamp::now().as_second())
    }
}

/// The value of a field.
#[derive(Clone, Debug, Default)]
pub(super) enum Field {
    /// Of a type that no field has.
    #[default]
    Odd,
    /// `null`.
    Null,
    /// A yes or no.
    Flag(bool),
    /// A text, cut, without what steers terminals.
    Text(String),
    /// A list, as far as its items hold something.
    List(Vec<Entry>),
}

impl Lenient for Field {
    fn null(&mut self) {
        *self = Self::Null;
    }

    fn flag(&mut self, flag: bool) {
        *self = Self::Flag(flag);
    }

    fn text(&mut self, text: &str) {
        *self = Self::Text(short(text));
    }

    fn list(&mut self) {
        *self = Self::List(Vec::new());
    }

    fn item<'de, A: SeqAccess<'de>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        let Self::List(entries) = self else {
            return Ok(items.next_element::<IgnoredAny>()?.is_some());
        };
        if entries.len() >= ENTRIES {
            return Ok(items.next_element::<IgnoredAny>()?.is_some());
        }
        let Some(entry) = super::lenient::element::<Entry, _>(items)? else { return Ok(false) };
        if entry.is_something {
            entries.push(entry);
        }
        Ok(true)
    }
}

/// An item of a list: a text, or an object with some texts.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    /// The text.
    pub text: Option<String>,
    /// Field `type`.
    pub of: Option<String>,
    /// Field `name`.
    pub name: Option<String>,
    /// Field `action`.
    pub action: Option<String>,
    is_something: bool,
}

impl Lenient for Entry {
    fn text(&mut self, text: &str) {
        (self.text, self.is_something) = (Some(short(text)), true);
    }

    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        let slot = match name.as_str() {
            "type" => &mut self.of,
            "name" => &mut self.name,
            "action" => &mut self.action,
            _ => return skip(map),
        };
        *slot = value::<Option<String>, _>(map)?.map(|text| short(&text));
        slot.take_if(|text| text.is_empty());
        self.is_something = true;
        Ok(())
    }
}

fn short(text: &str) -> String {
    let text = clipped_to(text, 4 * TEXT);
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_both_ends_prove_a_row() {
        let token = b"npm_aBcDefghij0123456789";
        for (mask, expected) in [
            ("npm_aBcD...6789", Fit::Yes),
            ("npm_aBcD…6789", Fit::Yes),
            ("npm_aBcD...6780", Fit::No),
            ("npm_aBcE...6789", Fit::No),
            ("npm_...456789", Fit::Perhaps),
            ("npm_aBc...456789", Fit::Perhaps),
            ("npm_aBcDef", Fit::Perhaps),
            ("...3456789", Fit::Perhaps),
            ("", Fit::Perhaps),
            ("npm_aBcDefghij...0123456789", Fit::Perhaps),
        ] {
            assert_eq!(fit(mask, token), expected, "{mask}");
        }
        assert_eq!(fit("AbCdE...vWxYz", b"AbCdEfGhIjKlMnOpQrStUvWxYz"), Fit::Yes);
    }
}
