//! Manners: who is busy is asked later, who does not answer is left alone, and
//! a run ends when it was told to.

use std::time::{Duration, Instant};

use tokensweep::model::NPM_REGISTRY;
use tokensweep::registry::client::{Client, Options};
use tokensweep::registry::hosts::{Base, Hosts};
use tokensweep::registry::{Ask as _, NoAnswer, Request};

use super::common::registry::{Delivery, Kind, Registry, Reply};
use super::{Run, Sandbox, findings, npm_token, npmrc};

#[track_caller]
fn validate(registry: &Registry, flags: &str, tokens: &[String]) -> Run {
    let sandbox = Sandbox::new();
    let words = format!("validate -f json {flags}");
    let words = words.split_whitespace().chain(["--registry"]).map(str::to_owned);
    sandbox.call(words.chain([registry.url()])).stdin(npmrc(tokens)).run()
}

fn busy(after: &str) -> Reply {
    Reply::empty(429).with("retry-after", after)
}

fn tokens(count: u64) -> Vec<String> {
    (0..count).map(|seed| npm_token(5_000 + seed)).collect()
}

/// What is told of each credential.
fn told(run: &Run) -> Vec<String> {
    let report = run.json();
    findings(&report).iter().map(ToString::to_string).collect()
}

/// Zero, the past and nonsense are no reason to ask at once.
#[test]
fn a_busy_host_is_asked_again_after_an_own_pause() {
    let said = ["0", "3", "-1", "soon", "Thu, 01 Jan 2026 00:00:00 GMT", "1e9", ""];
    std::thread::scope(|scope| {
        for after in said {
            scope.spawn(move || {
                let registry = Registry::start();
                let token = registry.token("alice", Kind::ReadOnly);
                registry.on_first(1, "/-/whoami", busy(after));
                validate(&registry, "--pace 0 --timeout 10", &[token]).exits(1);
                let asked = registry.requests();
                let pause = asked[1].at.duration_since(asked[0].at);
                let least = Duration::from_millis(if after == "3" { 2_900 } else { 1_900 });
                assert!(pause >= least, "{after:?}: {pause:?}");
            });
        }
    });
}

#[test]
fn a_host_that_wants_a_long_rest_gets_it() {
    let registry = Registry::start();
    registry.on("/", busy("3600"));
    let begun = Instant::now();
    let run = validate(&registry, "--pace 0.1 --timeout 10", &tokens(20)).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(registry.lines().len(), 1, "{:?}", registry.lines());
    let told = told(&run);
    assert!(told.iter().any(|it| it.contains("429")), "{told:?}");
    assert!(told.iter().filter(|it| it.contains("much later")).count() == 19, "{told:?}");
}

#[test]
fn a_host_that_stays_busy_is_left_alone() {
    let registry = Registry::start();
    registry.on("/", busy("0"));
    let mut hosts = Hosts::new([]);
    hosts.map(NPM_REGISTRY, Base::parse(&registry.url()).unwrap());
    let (pace, back_off) = (Duration::ZERO, Duration::from_millis(1));
    let patience = Duration::ZERO;
    let options = Options { hosts, pace, back_off, patience, ..Options::default() };
    let client = Client::new(options.clone()).unwrap();
    let request = Request::get(NPM_REGISTRY, "/a");
    let answers: Vec<_> = (0..10).map(|_| client.ask(&request)).collect();
    assert!(answers[0].as_ref().is_ok_and(|it| it.status == 429));
    assert!(answers[1..].iter().all(|answer| matches!(answer, Err(NoAnswer::Failed(_)))));
    assert_eq!(registry.lines().len(), 4, "it is asked again three times");
    // Who has more patience finds it ready again.
    registry.forget();
    let ready = Registry::start();
    ready.on_first(9, "/-/ping", busy("0"));
    let mut hosts = Hosts::new([]);
    hosts.map(NPM_REGISTRY, Base::parse(&ready.url()).unwrap());
    let patience = Duration::from_secs(60);
    let client = Client::new(Options { hosts, patience, ..options }).unwrap();
    let request = Request::get(NPM_REGISTRY, "/-/ping");
    let answers: Vec<_> = (0..4).map(|_| client.ask(&request).unwrap().status).collect();
    assert_eq!(answers[..2], [429, 429], "{answers:?}");
    assert_ne!(answers[3], 429, "{answers:?}");
}

#[test]
fn the_number_of_requests_has_an_end() {
    let registry = Registry::start();
    let tokens: Vec<String> = (0..6).map(|_| registry.token("alice", Kind::ReadOnly)).collect();
    let run = validate(&registry, "--pace 0 --timeout 10 --max-requests 3", &tokens);
    assert_eq!(registry.lines().len(), 3);
    let told = told(&run);
    assert!(told.iter().filter(|it| it.contains("used up")).count() >= 3, "{told:?}");
    let none = validate(&registry, "--pace 0 --max-requests 0", &tokens).exits(3);
    assert_eq!(registry.lines().len(), 3, "{}", none.out());
}

#[test]
fn the_time_of_a_run_has_an_end() {
    let registry = Registry::start();
    let tokens: Vec<String> = (0..30).map(|_| registry.token("alice", Kind::ReadOnly)).collect();
    let begun = Instant::now();
    let run = validate(&registry, "--pace 1 --timeout 10 --max-time 1.5", &tokens);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(registry.lines().len() < 10, "{:?}", registry.lines());
    let told = told(&run);
    assert!(
        told.iter().filter(|it| it.contains("time for the whole run")).count() > 20,
        "{told:?}"
    );
}

#[test]
fn a_host_that_never_answers_is_left_alone() {
    let registry = Registry::start();
    registry.on("/", Reply::empty(200).by(Delivery::Hang));
    let begun = Instant::now();
    let run = validate(&registry, "--pace 0 --timeout 1", &tokens(200)).exits(3);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(registry.lines().len() <= 16, "{}", registry.lines().len());
    let told = told(&run);
    assert_eq!(told.len(), 200);
    assert!(told.iter().any(|it| it.contains("no answer in time")), "{}", told[0]);
    assert!(told.iter().filter(|it| it.contains("did not answer several times")).count() > 150);
}
