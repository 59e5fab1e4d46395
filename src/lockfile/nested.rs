//! Lockfiles that say where a package lies: who asks for a name gets the
//! package of that name in the nearest `node_modules` above.

use std::borrow::Cow;
use std::collections::HashMap;

use super::graph::{Builder, Lock};

/// Longer places are not linked; real ones stay far below.
pub(super) const PLACE_CAP: usize = 2048;

/// How many bytes of places may be tried before links are given up: a hostile
/// file could ask for ever. A lockfile of 30 MB needs a tenth.
const WORK: u64 = 2 << 30;

const FOLDER: &str = "node_modules";

/// A folder that holds a package.
pub(super) struct Place<'a> {
    /// `node_modules/a/node_modules/b`, or a folder of the project's own.
    pub path: Cow<'a, str>,
    /// None for a part of the project itself: what it asks for is direct.
    pub package: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// The names that it asks for.
    pub needs: Vec<Cow<'a, str>>,
}

/// Links the places; without a project among them its wishes are inferred.
pub(super) fn lock(format: String, places: &[Place<'_>], mut builder: Builder) -> Lock {
    let mut packages = HashMap::with_capacity(places.len());
    for place in places {
        if let Some((name, version)) = &place.package {
            packages.insert(&*place.path, builder.add(name, version));
        }
    }
    let mut finder = Finder { packages: &packages, work: WORK };
    for place in places {
        let own = place.package.as_ref().and_then(|_| packages.get(&*place.path).copied());
        for name in &place.needs {
            match (own, finder.find(&place.path, name)) {
                (Some(from), Some(to)) => builder.need(from, to),
                (None, Some(to)) => builder.direct(to),
                (_, None) => {}
            }
        }
    }
    if finder.work == 0 {
        builder.leave_out(|| "who asks for whom is too tangled to be followed".into());
    }
    if !places.iter().any(|place| place.package.is_none() && place.path.is_empty()) {
        builder.infer_direct();
    }
    builder.finish(format)
}

/// The name of the package that lies at a path: what follows the last
/// `node_modules/`.
pub(super) fn name_of(path: &str) -> Option<&str> {
    let (before, name) = match path.rfind("node_modules/") {
        Some(at) => (&path[..at], &path[at + FOLDER.len() + 1..]),
        None => return None,
    };
    (!name.is_empty() && (before.is_empty() || before.ends_with('/'))).then_some(name)
}

struct Finder<'p> {
    packages: &'p HashMap<&'p str, u32>,
    work: u64,
}

impl Finder<'_> {
    fn find(&mut self, from: &str, name: &str) -> Option<u32> {
        if from.len() + name.len() > PLACE_CAP {
            return None;
        }
        let mut base = from;
        loop {
            if base != FOLDER && !base.ends_with("/node_modules") {
                let slash = if base.is_empty() { "" } else { "/" };
                let path = format!("{base}{slash}{FOLDER}/{name}");
                self.work = self.work.saturating_sub(path.len() as u64);
                if self.work == 0 {
                    return None;
                }
                if let Some(found) = self.packages.get(&*path) {
                    return Some(*found);
                }
            }
            if base.is_empty() {
                return None;
            }
            base = base.rfind('/').map_or("", |slash| &base[..slash]);
        }
    }
}
