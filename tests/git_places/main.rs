//! Whatever git remembers is searched, and each find is labelled with its
//! place, however the objects are stored.

#[path = "../common/mod.rs"]
mod common;
mod places;

use std::fs;

use common::repo::Repo;
use common::{Run, Sandbox, findings, npm_token, secrets};
use places::{Places, Planted};
use serde_json::Value;

// ---- One repository, many ways to store it -------------------------------------

#[test]
fn in_loose_objects() {
    let places = Places::new("");
    assert_eq!(packs(&places.repo), 0);
    check(&places);
}

#[test]
fn in_loose_objects_of_sha256() {
    check(&Places::new("--object-format=sha256"));
}

#[test]
fn in_a_pack_of_sha256() {
    let places = Places::new("--object-format=sha256");
    places.repo.git("gc -q --prune=never");
    check(&places);
}

#[test]
fn in_a_pack_and_loose_objects() {
    stored(|repo| drop(repo.git("gc -q --no-cruft --prune=never")));
}

#[test]
fn in_a_pack_with_long_chains() {
    stored(|repo| drop(repo.git("gc -q --aggressive --prune=never")));
    stored(|repo| drop(repo.git("repack -q -a -d -f --depth=250 --window=250")));
}

#[test]
fn in_a_cruft_pack() {
    stored(|repo| {
        repo.git("gc -q --cruft --prune=never");
        assert!(pack_files(repo, "mtimes").len() == 1 && loose(repo) == 0);
    });
}

#[test]
fn in_several_packs() {
    stored(|repo| split(repo, 5));
}

#[test]
fn in_packs_with_an_index_for_all() {
    stored(|repo| {
        split(repo, 5);
        repo.git("multi-pack-index write");
        assert!(repo.path(".git/objects/pack/multi-pack-index").is_file());
    });
}

#[test]
fn in_a_pack_with_an_index_of_version_1() {
    stored(|repo| {
        repo.git("-c pack.indexVersion=1 gc -q --prune=never");
        for index in pack_files(repo, "idx") {
            assert_ne!(fs::read(index).unwrap()[..4], *b"\xfftOc");
        }
    });
}

/// As in a pack of more than two gigabytes.
#[test]
fn in_a_pack_with_long_offsets() {
    stored(|repo| {
        repo.git("gc -q --prune=never");
        for pack in pack_files(repo, "pack") {
            let pack = pack.display();
            repo.git(&format!("index-pack --no-rev-index --index-version=2,0x40 {pack}"));
        }
    });
}

#[test]
fn in_a_pack_whose_deltas_name_their_base() {
    stored(|repo| drop(repo.git("-c repack.useDeltaBaseOffset=false repack -q -a -d -f")));
}

#[test]
fn in_a_pack_without_compression() {
    stored(|repo| drop(repo.git("-c core.compression=0 -c pack.compression=0 repack -q -a -d -F")));
}

#[test]
fn in_the_store_of_another_repository() {
    let places = Places::new("");
    let repo = &places.repo;
    split(repo, 2);
    let (middle, last) = (places.sandbox.path("middle"), places.sandbox.path("last"));
    fs::rename(repo.path(".git/objects"), &last).unwrap();
    // A path stands from the folder in which it is found.
    common::write(&middle.join("info/alternates"), "../last\n");
    fs::create_dir_all(repo.path(".git/objects/pack")).unwrap();
    repo.write(".git/objects/info/alternates", format!("# ours\n{}\n", middle.display()));
    check(&places);
}

#[test]
fn beside_a_graph_of_commits() {
    stored(|repo| drop(repo.git("commit-graph write --reachable --changed-paths")));
    stored(|repo| {
        repo.git("rev-parse HEAD~3");
        repo.feed(
            "commit-graph write --stdin-commits --split=no-merge",
            repo.git("rev-parse HEAD~3"),
        );
        repo.git("commit-graph write --reachable --split=no-merge");
        let chain = repo.path(".git/objects/info/commit-graphs/commit-graph-chain");
        assert_eq!(fs::read_to_string(chain).unwrap().lines().count(), 2);
    });
}

#[test]
fn beside_packed_refs() {
    stored(|repo| drop(repo.git("pack-refs --all")));
}

#[test]
fn beside_an_index_of_another_form() {
    for words in ["--index-version 4", "--split-index", "--untracked-cache"] {
        stored(|repo| drop(repo.git(&format!("update-index {words}"))));
    }
}

// ---- What is looked at, and how it is told -------------------------------------

/// A masked report spells no secret, wherever it stands.
#[test]
fn a_report_spells_no_secret() {
    let places = Places::new("");
    for format in ["json", "jsonl", "text", "sarif", "github"] {
        let run = places.sandbox.run(["scan", "repo", "-f", format]).exits(1);
        for planted in &places.planted {
            let spelt = run.out().contains(&planted.secret) || run.err().contains(&planted.secret);
            assert!(!spelt, "{format} spells {}", planted.what);
        }
    }
}

#[test]
fn without_history_only_files_are_searched() {
    let places = Places::new("");
    let report = places.sandbox.report(["repo", "--git-history", "none"]);
    let shown = secrets(&report);
    for planted in &places.planted {
        let is_file = planted.places.iter().any(|place| place["origin"] == "file");
        if is_file {
            assert!(shown.contains(&planted.secret.as_str()), "{}", planted.what);
        }
        if planted.places.iter().all(|place| place["origin"] == "git-blob") {
            assert!(!shown.contains(&planted.secret.as_str()), "{}", planted.what);
        }
    }
}

#[test]
fn only_what_refs_hold_is_searched_if_asked() {
    let places = Places::new("");
    places.repo.git("gc -q --prune=never");
    let report = places.sandbox.report(["repo", "--git-history", "reachable"]);
    let shown = secrets(&report);
    for planted in &places.planted {
        let held = |place: &Value| place["unreachable"] == Value::Null;
        let blob = planted.places.iter().all(|place| place["origin"] == "git-blob");
        if blob && planted.places[0]["unreachable"] == "dangling" {
            assert!(!shown.contains(&planted.secret.as_str()), "{}", planted.what);
        }
        if planted.places.iter().all(held) {
            assert!(shown.contains(&planted.secret.as_str()), "{}", planted.what);
        }
    }
}

/// A linked work tree has no objects of its own.
#[test]
fn a_linked_work_tree_leads_to_its_repository() {
    let places = Places::new("");
    let report = places.sandbox.report(["linked"]);
    let deleted = find(&places.planted, "a deleted file");
    assert!(secrets(&report).contains(&deleted.secret.as_str()));
}

#[test]
fn a_bare_repository_is_searched() {
    let places = Places::new("");
    let report = places.sandbox.report(["repo/mirrors/bare.git"]);
    assert_eq!(secrets(&report), [&find(&places.planted, "a bare repository").secret]);
    assert_eq!(findings(&report)[0]["locations"][0]["path"], "b.env");
}

/// Its refs are in a format of their own. If they cannot be read, the report
/// says so; the objects are searched anyhow.
#[test]
fn refs_in_tables_are_no_blind_spot() {
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "--ref-format=reftable");
    let token = npm_token(1);
    repo.write("a", &token);
    repo.commit("add");
    repo.git("rm -q a");
    repo.commit("remove");
    let report = sandbox.report(["repo"]);
    assert_eq!(secrets(&report), [token]);
}

#[test]
fn a_clean_repository_is_clean() {
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "");
    repo.write("a", "nothing\n");
    repo.commit("add");
    let run = sandbox.run(["scan", "repo", "-f", "json"]).exits(0);
    let coverage = &run.json()["summary"]["coverage"];
    // A blob and a commit; trees only lead to others.
    assert_eq!(coverage["objects"], 2);
    assert_eq!(coverage["incomplete"], false);
}

// ---- Tools ---------------------------------------------------------------------

fn stored(store: impl Fn(&Repo)) {
    let places = Places::new("");
    store(&places.repo);
    assert_eq!(places.repo.git("fsck --no-dangling --no-progress"), "");
    check(&places);
}

/// Files of the packs with this ending.
fn pack_files(repo: &Repo, ending: &str) -> Vec<std::path::PathBuf> {
    let Ok(folder) = fs::read_dir(repo.path(".git/objects/pack")) else { return Vec::new() };
    let files = folder.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
}

fn packs(repo: &Repo) -> usize {
    pack_files(repo, "pack").len()
}

/// How many loose objects there are.
fn loose(repo: &Repo) -> usize {
    let count = repo.git("count-objects");
    count.split(' ').next().unwrap().parse().unwrap()
}

/// Deals all objects out to this many packs.
fn split(repo: &Repo, count: usize) {
    let all = repo.git("cat-file --batch-all-objects --batch-check=%(objectname)");
    let all: Vec<&str> = all.lines().collect();
    for part in 0..count {
        let mine: Vec<&str> = all.iter().skip(part).step_by(count).copied().collect();
        repo.feed("pack-objects -q .git/objects/pack/pack", mine.join("\n") + "\n");
    }
    repo.git("prune-packed -q");
    assert_eq!((packs(repo), loose(repo)), (count, 0));
}

fn find<'p>(planted: &'p [Planted], what: &str) -> &'p Planted {
    planted.iter().find(|planted| planted.what == what).unwrap()
}

/// Asserts that all that was planted is found, in its place, and nothing else.
#[track_caller]
fn check(places: &Places) {
    let run = run(places);
    let report = run.json();
    let wrong: Vec<String> =
        places.planted.iter().filter_map(|planted| complaint(&report, planted)).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(run.code, 1);
    assert_eq!(findings(&report).len(), places.planted.len(), "one finding for each secret");
    let coverage = &report["summary"]["coverage"];
    assert_eq!(coverage["incomplete"], false, "{:#}", coverage["skipped"]);
    for location in findings(&report).iter().flat_map(locations) {
        points_at_a_secret(places, location);
    }
}

fn run(places: &Places) -> Run {
    places.sandbox.run(["scan", "repo", "--show-secrets", "-f", "json"])
}

fn locations(finding: &Value) -> &[Value] {
    finding["locations"].as_array().unwrap()
}

/// What is wrong with how a secret is reported.
fn complaint(report: &Value, planted: &Planted) -> Option<String> {
    let Some(finding) = findings(report).iter().find(|f| f["secret"] == *planted.secret) else {
        return Some(format!("{}: not found", planted.what));
    };
    let missing = |place: &&Value| !locations(finding).iter().any(|at| fits(at, place));
    let place = planted.places.iter().find(missing)?;
    Some(format!("{}: no {place} among\n    {}", planted.what, finding["locations"]))
}

/// True if a location says all that a place asks for.
fn fits(location: &Value, place: &Value) -> bool {
    place.as_object().unwrap().iter().all(|(key, wanted)| {
        let said = &location[key];
        match wanted.as_array() {
            Some(some) if key == "refs" => {
                let said = said.as_array().expect("refs is a list");
                some.iter().all(|one| said.contains(one)) && said.is_empty() == some.is_empty()
            }
            Some(any) => any.contains(said),
            None => said == wanted,
        }
    })
}

/// The bytes of a blob at a location are the secret itself.
fn points_at_a_secret(places: &Places, location: &Value) {
    let Some(oid) = location["object"].as_str() else { return };
    if !matches!(location["origin"].as_str(), Some("git-blob" | "git-note")) {
        return;
    }
    let known = places.repo.feed("cat-file --batch-check", format!("{oid}\n"));
    if known.ends_with("missing") {
        return; // Of another repository.
    }
    let text = common::repo::bytes(places.repo.call(&format!("cat-file blob {oid}")));
    let number = |key: &str| location[key].as_u64().unwrap() as usize;
    let (at, length) = (number("offset"), number("length"));
    let shown = String::from_utf8_lossy(&text[at..at + length]).into_owned();
    assert!(places.planted.iter().any(|planted| planted.secret == shown), "{location}");
    let line = text[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    assert_eq!(number("line"), line, "{location}");
}
