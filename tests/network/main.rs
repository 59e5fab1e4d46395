//! The one door to the network, from outside: who is asked, how, and what
//! happens when the other side is slow, hostile or not there. All of it on
//! loopback.

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod arguments;
mod limits;
mod process;
mod proxy;
mod redirects;
mod server;
mod slow;
mod tls;

use common::asking::{keeps, npmrc, outcomes};
use common::registry::manners::assert_keeps;
use common::{Run, Sandbox, findings, npm_token};
use serde_json::Value;

/// Seconds for one answer: long enough for a busy machine.
const TIMEOUT: &str = "2";

/// What `validate` says of one token of npm's registry, which is at `url`.
#[track_caller]
fn validate(url: &str, token: &str, environment: &[(&str, &str)]) -> Run {
    let sandbox = Sandbox::new();
    let words = ["validate", "-f", "json", "--pace", "0", "--timeout", TIMEOUT, "--registry", url];
    let call = sandbox.call(words).stdin(npmrc([token]));
    let run = environment.iter().fold(call, |call, (name, value)| call.env(name, value)).run();
    keeps(&run, &[token]);
    run
}

/// Asserts that nothing is known of any credential, and why.
#[track_caller]
fn assert_unknown(run: &Run, why: &[&str]) {
    let report = run.json();
    assert!(outcomes(&report).iter().all(|outcome| *outcome == "unknown"), "{report:#}");
    assert_says(&report, why);
}

/// Asserts that what is told of the first credential has one of these words in it.
#[track_caller]
fn assert_says(report: &Value, words: &[&str]) {
    let told = findings(report)[0].to_string();
    assert!(words.iter().any(|word| told.contains(word)), "none of {words:?} in {told}");
}

/// A body that says whose a token is.
const ALICE: &str = r#"{"username":"alice"}"#;

/// The same as a whole answer.
fn alice() -> String {
    whole(ALICE)
}

fn whole(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}
