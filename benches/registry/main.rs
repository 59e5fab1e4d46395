//! How long it takes to ask a registry on loopback, and how often it is asked:
//! `cargo bench --bench registry`. Ends with 1 if a bar is missed.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::process::ExitCode;
use std::time::Instant;

use common::asking::{npmrc, outcomes};
use common::registry::packages::portfolio;
use common::registry::{Account, Kind, Registry};
use common::{Run, Sandbox};

/// Credentials that are asked about.
const CREDENTIALS: usize = 1_000;

/// Packages of the account, of which some are looked at closely.
const PACKAGES: usize = 2_000;
const CLOSELY: [usize; 2] = [100, PACKAGES];

/// What the registry may be asked about the token itself: whose it is, what is
/// staged, the profile, the list of tokens, the packages of the user.
const OWN: usize = 5;

/// Hits on a page of a search.
const PAGE: usize = 250;

fn main() -> ExitCode {
    let mut kept = vec![validate(false), validate(true)];
    kept.extend(CLOSELY.map(blast_radius));
    if kept.contains(&false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Every fourth of the credentials is dead, and so wants a second question; or
/// all are alive.
fn validate(alive: bool) -> bool {
    let registry = Registry::start();
    let one = |n: usize| match n % 4 {
        0 if !alive => registry.dead(),
        _ => registry.token("alice", Kind::ReadOnly),
    };
    let text = npmrc((0..CREDENTIALS).map(one));
    let (run, seconds) = timed(&registry, "validate -f json", &text);
    let report = run.json();
    assert_eq!(outcomes(&report).len(), CREDENTIALS);
    let dead = outcomes(&report).iter().filter(|outcome| **outcome == "dead").count();
    assert_eq!(dead, if alive { 0 } else { CREDENTIALS / 4 });
    let name = format!("validate {CREDENTIALS}, {dead} of them dead");
    told(&name, &run, seconds, 10.0, registry.lines().len(), CREDENTIALS + dead)
}

fn blast_radius(closely: usize) -> bool {
    let registry = Registry::start();
    registry.account(Account::new("alice"));
    registry.packages(portfolio("alice", PACKAGES));
    let text = npmrc([registry.token("alice", Kind::Bypass)]);
    let words = format!("blast-radius -f json --packages {closely}");
    let (run, seconds) = timed(&registry, &words, &text);
    let most = OWN + PACKAGES / PAGE + closely;
    let name = format!("blast radius of {PACKAGES} packages, {closely} closely");
    told(&name, &run, seconds, 60.0, registry.lines().len(), most)
}

fn timed(registry: &Registry, words: &str, text: &str) -> (Run, f64) {
    let sandbox = Sandbox::new();
    let begun = Instant::now();
    let run = registry.call(&sandbox, words, text).run();
    let seconds = begun.elapsed().as_secs_f64();
    assert!(run.code == 1, "exit {}: {}", run.code, run.err());
    (run, seconds)
}

/// Prints a line; true if the bars are kept.
fn told(name: &str, run: &Run, seconds: f64, bar: f64, requests: usize, most: usize) -> bool {
    let kept = seconds < bar && requests <= most;
    let word = if kept { "" } else { "  MISSED" };
    let memory = run.peak / 1024;
    println!(
        "{name}: {seconds:.2} s (bar {bar} s), {requests} requests (bar {most}), \
         {memory} MB{word}"
    );
    kept
}
