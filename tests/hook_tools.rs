//! The recipes of docs/hooks.md, each with the real tool and a real push.

#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};

use common::push::Place;
use common::tools;

const RECIPES: &str = include_str!("../docs/hooks.md");

/// The block of a recipe that begins with a comment that names its file.
#[track_caller]
fn recipe(file: &str) -> &'static str {
    let first = format!("# {file}\n");
    let begin = RECIPES.find(&first).unwrap_or_else(|| panic!("no recipe for {file}"));
    let rest = &RECIPES[begin + first.len()..];
    &rest[..rest.find("```").expect("a block ends")]
}

/// A place in which the programs of this folder are found.
fn place(seed: u64, programs: Option<PathBuf>) -> Option<Place> {
    Some(Place::new(seed).with(programs?))
}

/// Takes a recipe as it stands in the docs.
fn follow(place: &Place, file: &str) {
    place.write(file, recipe(file));
}

#[test]
fn plain_git() {
    let place = Place::new(1);
    place.run("tokensweep", ["hook", "install", "--type", "pre-push"]).exits(0);
    place.run("tokensweep", ["hook", "install", "--type", "pre-commit"]).exits(0);
    place.guards(Place::push);
    place.guards_commits();
}

#[test]
fn husky() {
    let Some(place) = place(2, tools::npm()) else { return };
    place.run("husky", []).exits(0);
    follow(&place, ".husky/pre-push");
    follow(&place, ".husky/pre-commit");
    place.guards(Place::push);
    place.guards_commits();
}

#[test]
fn lefthook() {
    let Some(place) = place(3, tools::npm()) else { return };
    follow(&place, "lefthook.yml");
    place.run("lefthook", ["install"]).exits(0);
    place.guards(Place::push);
    place.guards_commits();
}

#[test]
fn lint_staged() {
    let Some(place) = place(4, tools::npm()) else { return };
    place.run("husky", []).exits(0);
    place.write(".husky/pre-commit", "lint-staged\n");
    follow(&place, ".lintstagedrc.yml");
    place.commit("package.json", "{}\n");
    place.guards_commits();
}

#[test]
fn pre_commit() {
    let Some(programs) = tools::pre_commit() else { return };
    let place = Place::new(5).with(programs.clone());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    place.run("pre-commit", ["validate-manifest", manifest]).exits(0);
    place.write(".pre-commit-config.yaml", &local(&programs, manifest));
    place.git(["add", "-A"]).exits(0);
    let install = ["install", "--hook-type", "pre-commit", "--hook-type", "pre-push"];
    place.run("pre-commit", install).exits(0);
    place.guards(Place::push);
    place.guards_commits();

    let whole = ["run", "tokensweep-all", "--all-files", "--hook-stage", "manual"];
    place.run("pre-commit", whole).exits(0);
    place.commit("deploy/old.env", &place.settings());
    assert_ne!(place.run("pre-commit", whole).code, 0);
}

#[test]
fn pre_commit_pushes_a_branch_that_begins_anew() {
    let Some(programs) = tools::pre_commit() else { return };
    let place = Place::new(6).with(programs.clone());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    place.git(["checkout", "-q", "--orphan", "anew"]).exits(0);
    place.write(".pre-commit-config.yaml", &local(&programs, manifest));
    place.run("pre-commit", ["install", "--hook-type", "pre-push"]).exits(0);
    place.commit("deploy/settings.env", &place.settings());
    place.commit("deploy/settings.env", "NPM_TOKEN=\n");
    // Of such a push pre-commit tells the branch, but no range.
    assert_ne!(place.git(["push", "-q", "origin", "anew"]).code, 0);
}

/// The hooks of the manifest, run by the program that was built here: what
/// users get but for the language.
fn local(programs: &Path, manifest: &str) -> String {
    let script = "
import json, sys, yaml
hooks = yaml.safe_load(open(sys.argv[1]))
for hook in hooks:
    hook['language'] = 'system'
print(json.dumps({'repos': [{'repo': 'local', 'hooks': hooks}]}))";
    let python = std::process::Command::new(programs.join("python3"))
        .args(["-c", script, manifest])
        .output()
        .unwrap();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    String::from_utf8(python.stdout).unwrap()
}
