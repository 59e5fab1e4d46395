//! Where a host leads to decides whether it is asked.

use std::io::Write;
use std::net::{TcpListener, ToSocketAddrs as _};

use super::common::asking::bound;
use super::common::secret;
use super::server::{Server, head};
use super::{Run, Sandbox, alice, assert_says, keeps, outcomes};

/// What `validate` says of a token that a text binds to `host`.
#[track_caller]
fn validate(host: &str, flags: &[&str]) -> Run {
    let sandbox = Sandbox::new();
    let token = secret("{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}", 31);
    let words = ["validate", "-f", "json", "--pace", "0", "--timeout", "1"];
    let words = words.iter().chain(flags);
    let run = sandbox.call(words).stdin(bound(host, &token)).run();
    keeps(&run, &[&token]);
    run
}

/// Asserts that nothing was learnt of any credential.
#[track_caller]
fn assert_not_known(run: &Run) {
    let report = run.json();
    let outcomes = outcomes(&report);
    assert!(outcomes.iter().all(|it| matches!(*it, "unknown" | "skipped")), "{report:#}");
}

fn listening() -> Server {
    Server::http(|_, mut stream| drop(stream.write_all(alice().as_bytes())))
}

/// Names that lead to this machine and are not called so: what the system
/// knows of these, and its own.
fn names() -> Vec<String> {
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let known = ["localhost.localdomain", "ip6-localhost", "ip6-loopback", "app.localhost"];
    let all = known.into_iter().chain([own.trim()]).filter(|name| !name.is_empty());
    let here = |name: &&str| {
        let found = (*name, 0).to_socket_addrs();
        found.is_ok_and(|mut found| found.any(|it| it.ip().is_loopback()))
    };
    all.filter(here).filter(|name| *name != "localhost").map(str::to_owned).collect()
}

#[test]
fn a_name_that_leads_home_is_refused_unless_private_hosts_are_allowed() {
    let names = names();
    if names.is_empty() {
        eprintln!("SKIPPED: no other name leads to this machine");
    }
    for name in names {
        let server = listening();
        let host = format!("{name}:{}", server.port());
        let url = format!("http://{host}");
        let run = validate(&host, &["--allow-registry", &url]);
        assert_not_known(&run);
        assert_says(&run.json(), &["loopback", "unspecified", "private"]);
        assert!(server.notes().is_empty(), "{name}: {:?}", server.notes());
        let run = validate(&host, &["--allow-registry", &url, "--allow-private"]);
        let reached = !server.notes().is_empty();
        // It may lead to other addresses of this machine first, where nobody listens.
        if !reached {
            assert_not_known(&run);
        }
    }
}

#[test]
fn this_machine_is_asked_if_it_is_called_so() {
    for name in ["localhost", "127.0.0.1"] {
        let server = listening();
        let host = format!("{name}:{}", server.port());
        let run = validate(&host, &["--allow-registry", &host]).exits(1);
        assert_eq!(outcomes(&run.json()), ["active"], "{name}");
        assert_eq!(server.notes().len(), 1);
    }
    // Not every machine has it.
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        let server = Server::start_on(listener, |mut stream, notes| {
            head(&mut stream).into_iter().for_each(|head| notes.add(head));
            let _ = stream.write_all(alice().as_bytes());
        });
        let url = format!("http://[::1]:{}", server.port());
        let run = super::validate(&url, &super::npm_token(33), &[]).exits(1);
        assert_eq!(outcomes(&run.json()), ["active"]);
        assert_eq!(server.notes().len(), 1);
    }
    let server = listening();
    let host = format!("localhost:{}", server.port());
    assert_not_known(&validate(&host, &[]));
    assert!(server.notes().is_empty());
}

#[test]
fn numbers_that_only_old_resolvers_read_are_no_hosts() {
    let server = listening();
    let port = server.port();
    for odd in [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0.0.0.0",
        "0",
        "[::]",
        "2852039166",
        "0xa9fea9fe",
    ] {
        for flag in [format!("{odd}:{port}"), format!("http://{odd}:{port}")] {
            for name in ["--allow-registry", "--registry"] {
                let sandbox = Sandbox::new();
                let run = sandbox.call(["validate", "-", name, &flag]).stdin("").run();
                run.exits(2).complains(&["names no host"]);
            }
        }
        let run = validate(&format!("{odd}:{port}"), &[]);
        assert_ne!(run.code, 1, "{odd}: {}", run.out());
    }
    assert!(server.notes().is_empty(), "{:?}", server.notes());
}

/// Whatever the user allows, and however the address is written.
#[test]
fn metadata_is_never_asked() {
    for host in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
    ] {
        let url = format!("http://{host}");
        assert_not_known(&validate(&format!("{host}:8080"), &[]));
        for flags in [&["--allow-private", "--registry", &url][..], &["--registry", &url]] {
            let sandbox = Sandbox::new();
            let token = super::npm_token(32);
            let words = ["validate", "-f", "json", "--timeout", "1"];
            let call = sandbox.call(words.iter().chain(flags)).stdin(super::npmrc([&token]));
            let run = call.run();
            assert_not_known(&run);
            assert_says(&run.json(), &["never asked"]);
            let rehearsal = sandbox.call(words.iter().chain(flags).chain(&["--dry-run"]));
            let run = rehearsal.stdin(super::npmrc([&token])).run().exits(0);
            assert!(!run.out().contains("GET "), "{host}: {}", run.out());
        }
    }
}
