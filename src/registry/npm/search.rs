//! The public packages of a user, as npm's search tells them.

use std::collections::BTreeSet;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::identity::is_user_name;
use super::lenient::{Lenient, element, only, skip, value};
use super::names::{escaped, is_package_name, is_version};
use super::packument::seconds;
use super::public::document;
use super::repository;
use crate::registry::{Ask, Request};

/// Hits of one page; the registry gives no more.
const PAGE: usize = 250;

/// Pages that are read of one search.
const PAGES: usize = 40;

/// Maintainers of a hit that are kept.
const MAINTAINERS: usize = 100;

/// Most bytes of a page of hits.
const PAGE_CAP: usize = 8 << 20;

/// The public packages of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Those that name the user as a maintainer, by name.
    pub hits: Vec<Hit>,
    /// How many the registry says that there are; not all of them need be the
    /// user's.
    pub total: Option<u64>,
    /// Why there may be more than these, if the search did not come to its end.
    pub cut: Option<String>,
    /// What the list is worth, in one sentence.
    pub how: String,
}

/// A package that a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: Option<String>,
    /// When that was published, seconds since 1970.
    pub date: Option<i64>,
    /// Downloads of the last week.
    pub weekly_downloads: Option<u64>,
    /// Packages that depend on it.
    pub dependents: Option<u64>,
    /// User names.
    pub maintainers: Vec<String>,
    /// `https://…` of its repository.
    pub repository: Option<String>,
    /// Who published the newest version, by user name.
    pub publisher: Option<String>,
}

/// Asks for the public packages of a user.
pub fn search(ask: &dyn Ask, host: &str, user: &str) -> Search {
    let mut search = Search::default();
    if !is_user_name(user) {
        search.cut = Some("not asked: this cannot be a user name".into());
    } else {
        page_through(ask, host, user, &mut search);
    }
    search.how = how(&search, user);
    search
}

fn page_through(ask: &dyn Ask, host: &str, user: &str, search: &mut Search) {
    let mut names = BTreeSet::new();
    for from in (0..PAGES).map(|page| page * PAGE) {
        let path =
            format!("/-/v1/search?text=maintainer:{}&size={PAGE}&from={from}", escaped(user));
        let mut request = Request::get(host, path);
        request.cap = PAGE_CAP;
        let page = match document::<Page>(ask, &request) {
            Ok(page) => page,
            Err(gap) => {
                search.cut = Some(gap.words().to_owned());
                break;
            }
        };
        search.total = page.total.or(search.total);
        let ended = page.hits.read.is_empty();
        if page.hits.more {
            search.cut = Some(format!("a page has more than {PAGE} hits, and those were not read"));
        }
        for mut hit in page.hits.read {
            // The registry matches texts loosely.
            let is_theirs = hit.maintainers.iter().any(|name| name == user);
            if is_theirs && is_package_name(&hit.name) && names.insert(hit.name.clone()) {
                hit.maintainers.truncate(MAINTAINERS);
                hit.maintainers.shrink_to_fit();
                search.hits.push(hit);
            }
        }
        if ended || search.total.is_some_and(|total| (from + PAGE) as u64 >= total) {
            break;
        }
        if from + PAGE == PAGES * PAGE && search.cut.is_none() {
            search.cut = Some(format!("only the first {} hits were read", PAGES * PAGE));
        }
    }
    search.hits.sort_by(|a, b| a.name.cmp(&b.name));
}

fn how(search: &Search, user: &str) -> String {
    let user = if is_user_name(user) { user } else { "this user" };
    let so_far = match (&search.cut, search.hits.len()) {
        (Some(why), 0) => return format!("the search for packages of {user} told nothing: {why}"),
        (Some(why), n) => format!("the search found {n} packages of {user}, not all: {why}"),
        (None, 0) => {
            return format!(
                "the search found no package of {user}, which does not mean that there is none: \
                 it knows no private packages and lags behind"
            );
        }
        (None, n) => format!("the search found {n} packages of {user}"),
    };
    format!("{so_far}; it knows no private packages and lags behind")
}

/// One page of a search.
#[derive(Default)]
struct Page {
    hits: Hits,
    total: Option<u64>,
}

/// As many hits as a page has.
#[derive(Default)]
struct Hits {
    read: Vec<Hit>,
    more: bool,
}

impl Lenient for Hits {
    fn item<'de, A: SeqAccess<'de>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        if self.read.len() >= PAGE {
            let there = items.next_element::<IgnoredAny>()?.is_some();
            self.more |= there;
            return Ok(there);
        }
        let Some(hit) = element(items)? else { return Ok(false) };
        self.read.push(hit);
        Ok(true)
    }
}

impl Lenient for Page {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "objects" => self.hits = value(map)?,
            "total" => self.total = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl Lenient for Hit {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "package" => self.take(value(map)?),
            "downloads" => self.weekly_downloads = value::<Weekly, _>(map)?.0,
            "dependents" => self.dependents = value::<Count, _>(map)?.0,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl Hit {
    fn take(&mut self, found: Found) {
        self.name = found.name.unwrap_or_default();
        self.version = found.version.filter(|version| is_version(version));
        self.date = found.date.and_then(|text| seconds(&text));
        self.maintainers = found
            .maintainers
            .into_iter()
            .filter_map(|it| it.0)
            .filter(|it| is_user_name(it))
            .collect();
        self.repository = found.links.0.and_then(|text| repository::normalised(&text));
        self.publisher = found.publisher.0.filter(|name| is_user_name(name));
    }
}

/// The package of a hit.
#[derive(Default)]
struct Found {
    name: Option<String>,
    version: Option<String>,
    date: Option<String>,
    maintainers: Vec<Username>,
    links: Link,
    publisher: Username,
}

impl Lenient for Found {
    fn field<'de, A: MapAccess<'de>>(&mut self, name: String, map: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "name" => self.name = value(map)?,
            "version" => self.version = value(map)?,
            "date" => self.date = value(map)?,
            "maintainers" => self.maintainers = value(map)?,
            "links" => self.links = value(map)?,
            "publisher" => self.publisher = value(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

only!("username", Username(Option<String>));
only!("repository", Link(Option<String>));
only!("weekly", Weekly(Option<u64>));

/// A number, written as one or as a text.
#[derive(Default)]
struct Count(Option<u64>);

impl Lenient for Count {
    fn number(&mut self, number: u64) {
        self.0 = Some(number);
    }

    fn text(&mut self, text: &str) {
        self.0 = text.parse().ok();
    }
}
