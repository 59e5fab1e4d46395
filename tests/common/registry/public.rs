//! What everybody may read.

use serde_json::{Map, Value, json};

use super::http::{Delivery, Reply, Seen};
use super::packages::Package;
use super::world::{World, error};

/// `/-/v1/search`: public packages alone, and loosely matched.
pub fn search(world: &World, seen: &Seen) -> Reply {
    let Some(text) = seen.query("text").filter(|text| !text.is_empty()) else {
        let body = json!({
            "error": "'text' query parameter is required", "code": "ERR_TEXT_MISSING",
        });
        return Reply::json(400, &body);
    };
    let (size, from) = (seen.number("size", 20).min(250), seen.number("from", 0));
    let public = world.packages.values().filter(|package| !package.private);
    let hits: Vec<&Package> = public.filter(|package| found(package, &text)).collect();
    // What came in between moves the last hit of one page to the next.
    let from = if world.unstable { from.saturating_sub(1) } else { from };
    let shown: Vec<Value> = hits.iter().skip(from).take(size).map(|it| it.hit()).collect();
    let body = json!({"objects": shown, "total": hits.len(), "time": "2026-11-23T21:00:00.000Z"});
    Reply::json(200, &body).by(Delivery::Gzip)
}

fn found(package: &Package, text: &str) -> bool {
    match text.split_once(':') {
        Some(("maintainer", user)) => {
            package.maintainers.iter().any(|it| it == user) || package.name.contains(user)
        }
        // It takes the word, and never finds anything.
        Some(("scope", _)) => false,
        _ => package.name.contains(text),
    }
}

/// The document of a package: whole, or what an installer needs of it.
pub fn document(package: &Package, seen: &Seen) -> Reply {
    let whole = package.packument();
    let short = seen.header("accept").is_some_and(|it| it.contains("vnd.npm.install-v1+json"));
    let body = if short { abbreviated(&whole) } else { whole };
    Reply::json(200, &body).by(Delivery::Gzip)
}

fn abbreviated(whole: &Value) -> Value {
    let kept = ["name", "version", "hasInstallScript", "dist", "deprecated", "dependencies"];
    let short = |manifest: &Value| {
        let one = |key: &&str| Some((key.to_string(), manifest.get(*key)?.clone()));
        kept.iter().filter_map(one).collect::<Map<_, _>>()
    };
    let versions = whole["versions"].as_object().into_iter().flatten();
    let versions: Map<String, Value> =
        versions.map(|(number, manifest)| (number.clone(), short(manifest).into())).collect();
    json!({
        "name": whole["name"], "modified": whole["time"]["modified"],
        "dist-tags": whole["dist-tags"], "versions": versions,
    })
}

pub fn dist_tags(world: &World, name: &str) -> Reply {
    match world.packages.get(name).filter(|package| !package.private) {
        Some(package) => Reply::json(200, &package.packument()["dist-tags"]),
        None => error(404, "Not found"),
    }
}

/// `/-/npm/v1/attestations/NAME@VERSION`, the name with `/` or `%2F` in it.
pub fn attestations(world: &World, parts: &[&str]) -> Reply {
    let whole = parts.join("/");
    let found = whole
        .rsplit_once('@')
        .and_then(|(name, number)| world.packages.get(name)?.attestations(number));
    found.map_or_else(|| error(404, "Not found"), |body| Reply::json(200, &body))
}

/// `/downloads/point/PERIOD/NAME[,NAME…]`.
pub fn downloads(world: &World, period: &str, names: &str) -> Reply {
    let names: Vec<&str> = names.split(',').collect();
    let scoped = names.iter().any(|name| name.starts_with('@'));
    if names.len() > 128 || names.len() > 1 && scoped {
        return error(400, "bulk requests take 128 names, none of them scoped");
    }
    let count = |name: &str| {
        let package = world.packages.get(name).filter(|package| !package.private)?;
        Some(json!({
            "downloads": package.weekly, "start": "2026-11-16", "end": "2026-11-22",
            "package": name, "period": period,
        }))
    };
    if let [name] = names.as_slice() {
        let missing = || error(404, &format!("package {name} not found"));
        return count(name).map_or_else(missing, |body| Reply::json(200, &body));
    }
    let all: Map<String, Value> =
        names.iter().map(|name| (name.to_string(), count(name).unwrap_or_default())).collect();
    Reply::json(200, &all.into())
}

pub fn version_counts(world: &World, name: &str) -> Reply {
    let Some(package) = world.packages.get(name) else { return error(404, "not found") };
    let one = |number: &String| (number.clone(), json!(package.weekly));
    let numbers = package.versions.iter().map(|version| &version.number);
    let counts: Map<String, Value> = numbers.map(one).collect();
    Reply::json(200, &json!({"package": name, "downloads": counts}))
}
