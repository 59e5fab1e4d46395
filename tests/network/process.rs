//! What others on the same machine could get hold of.

#![cfg(target_os = "linux")]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::common::registry::{Delivery, Registry, Reply};
use super::{Sandbox, assert_keeps, npm_token, npmrc};

/// Ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// While it holds secrets and waits, a crash leaves no file with them, and its
/// arguments and environment tell none.
#[test]
fn a_process_that_asks_leaves_no_core() {
    let registry = Registry::start();
    registry.on("/", Reply::empty(200).by(Delivery::Hang));
    let sandbox = Sandbox::new();
    let token = npm_token(51);
    sandbox.write("leaked", npmrc([&token]));
    for command in ["validate", "blast-radius"] {
        registry.forget();
        let words = [command, "leaked", "--timeout", "20", "--registry", &registry.url()];
        let mut call = sandbox.call(words);
        call.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(call.command.spawn().unwrap());
        let begun = Instant::now();
        while registry.lines().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{command} asks nobody");
            std::thread::sleep(Duration::from_millis(5));
        }
        let about = |file: &str| {
            let path = format!("/proc/{}/{file}", running.0.id());
            String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
        };
        let limits = about("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = core.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"], "{command}: {limits}");
        assert!(about("cmdline").contains(command));
        assert_keeps(&about("cmdline"), &token);
        assert_keeps(&about("environ"), &token);
    }
}
