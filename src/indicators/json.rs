//! JSON of many shapes, whole or one object a line: objects that name a
//! package and its versions, lists of them, typed records, and advisories in
//! the OSV schema (<https://ossf.github.io/osv-schema/>).

use serde_json::{Map, Value};

use super::{List, split_pair};

/// Keys under which a file keeps its entries.
const LISTS: [&str; 6] =
    ["packages", "compromised_packages", "compromisedPackages", "vulns", "vulnerabilities", "iocs"];
const VERSIONS: [&str; 6] = [
    "affectedVersions",
    "affected_versions",
    "compromised_versions",
    "malicious_versions",
    "versions",
    "version",
];
const DATES: [&str; 8] = [
    "as_of",
    "lastUpdated",
    "last_updated",
    "updated",
    "generated",
    "modified",
    "date",
    "first_observed",
];
const CAMPAIGNS: [&str; 2] = ["campaign", "attack"];

pub(super) fn read(text: &str, list: &mut List) {
    if let Ok(value) = serde_json::from_str(text) {
        list.format = "json";
        return entry(&value, "", list, "entry 1");
    }
    list.format = "jsonl";
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let at = format!("line {}", at + 1);
        match serde_json::from_str(line) {
            Ok(value) => entry(&value, "", list, &at),
            Err(_) => list.leave_out(&at),
        }
    }
}

/// The parser bounds how deep values nest, and so this recursion.
fn entry(value: &Value, campaign: &str, list: &mut List, at: &str) {
    match value {
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                entry(value, campaign, list, &format!("entry {}", at + 1));
            }
        }
        Value::Object(object) => {
            let campaign = text(object, &CAMPAIGNS).unwrap_or(campaign);
            if let Some(date) = text(object, &DATES) {
                list.take_date(date);
            }
            record(object, campaign, list, at);
        }
        Value::String(pair) => match split_pair(pair) {
            Some((name, version)) => list.take("", name, version, campaign, at),
            None => list.leave_out(at),
        },
        _ => list.leave_out(at),
    }
}

fn record(object: &Map<String, Value>, campaign: &str, list: &mut List, at: &str) {
    if let Some(Value::Array(affected)) = object.get("affected") {
        let id = text(object, &["id"]).unwrap_or(campaign);
        return affected.iter().for_each(|one| advisory(one, id, list, at));
    }
    if let Some(entries) = LISTS.iter().find_map(|key| object.get(*key)) {
        return match entries {
            Value::Object(names) => named(names, campaign, list, at),
            entries => entry(entries, campaign, list, at),
        };
    }
    let kind = text(object, &["kind", "type", "ecosystem"]).unwrap_or("");
    let is_package = kind.is_empty() || kind.to_ascii_lowercase().contains("package");
    let told = text(object, &["ecosystem", "registry"]);
    let ecosystem = told.unwrap_or(if is_package { "" } else { kind });
    // `npm_package`, whatever else it says.
    let ecosystem = if kind.to_ascii_lowercase().starts_with("npm") { "" } else { ecosystem };
    let name = text(object, &["name", "package", "package_name", "value", "indicator"]);
    let pinned = VERSIONS.iter().find_map(|key| object.get(*key));
    match (name, pinned) {
        (Some(name), Some(pinned)) => each(pinned, ecosystem, name, campaign, list, at),
        (Some(_), None) if !super::is_npm(ecosystem) => list.take_other(ecosystem),
        (Some(pair), None) => match split_pair(pair) {
            Some((name, version)) => list.take(ecosystem, name, version, campaign, at),
            None => list.leave_out(at),
        },
        (None, _) => list.leave_out(at),
    }
}

/// `{"name": ["1.0.0"]}`
fn named(names: &Map<String, Value>, campaign: &str, list: &mut List, at: &str) {
    for (name, pinned) in names {
        each(pinned, "", name, campaign, list, at);
    }
}

fn each(pinned: &Value, ecosystem: &str, name: &str, campaign: &str, list: &mut List, at: &str) {
    match pinned {
        Value::String(text) => {
            for version in super::versions(text) {
                list.take(ecosystem, name, version, campaign, at);
            }
        }
        Value::Array(versions) if !versions.is_empty() => {
            for version in versions {
                match version {
                    Value::String(version) => list.take(ecosystem, name, version, campaign, at),
                    _ => list.leave_out(at),
                }
            }
        }
        _ => list.leave_out(at),
    }
}

/// A package of an advisory: its versions, or a range that holds all.
fn advisory(affected: &Value, id: &str, list: &mut List, at: &str) {
    let package = |key: &str| affected["package"][key].as_str();
    let (Some(name), Some(ecosystem)) = (package("name"), package("ecosystem")) else {
        return list.leave_out(at);
    };
    match &affected["versions"] {
        Value::Array(versions) if !versions.is_empty() => {
            each(&affected["versions"], ecosystem, name, id, list, at);
        }
        _ if holds_all(&affected["ranges"]) => list.take(ecosystem, name, "*", id, at),
        _ => list.leave_out(at),
    }
}

/// True if a range begins at 0 and nothing ends it.
fn holds_all(ranges: &Value) -> bool {
    let events = |range: &Value| range["events"].as_array().cloned().unwrap_or_default();
    let ranges = ranges.as_array().map(Vec::as_slice).unwrap_or_default();
    ranges.iter().any(|range| match events(range).as_slice() {
        [only] => only["introduced"] == "0",
        _ => false,
    })
}

fn text<'v>(object: &'v Map<String, Value>, keys: &[&str]) -> Option<&'v str> {
    keys.iter().find_map(|key| object.get(*key)?.as_str())
}
