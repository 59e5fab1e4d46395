//! A proxy learns a host and a port, and nothing else.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::server::{Notes, Server, head};
use super::tls::Secured;
use super::{alice, assert_keeps, assert_unknown, npm_token, outcomes, validate};

/// Stands for the password of a proxy, whose base64 stands in its requests.
const PASSWORD: &str = "pr0xy-pa55word";

/// Notes each head, and joins both sides; what goes through is noted as well.
fn tunnel(mut client: TcpStream, notes: &Notes) {
    let Some(head) = head(&mut client) else { return };
    notes.add(&head);
    let port = head.split_whitespace().nth(1).and_then(|to| to.rsplit(':').next()?.parse().ok());
    let Some(port) = port else { return };
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let (Ok(from), Ok(to)) = (client.try_clone(), far.try_clone()) else { return };
    let kept = notes.clone();
    let up = std::thread::spawn(move || pass(from, to, &kept));
    pass(far, client, notes);
    let _ = up.join();
}

fn pass(mut from: TcpStream, mut to: TcpStream, notes: &Notes) {
    let mut part = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut part) {
        notes.add(String::from_utf8_lossy(&part[..n]));
        if to.write_all(&part[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn with_password(proxy: &Server) -> String {
    format!("http://user:{PASSWORD}@127.0.0.1:{}", proxy.port())
}

#[test]
fn a_proxy_sees_the_host_alone() {
    let (secured, proxy) = (Secured::start("localhost"), Server::start(tunnel));
    let token = npm_token(11);
    let authority = secured.authority();
    let trust = ("SSL_CERT_FILE", authority.to_str().unwrap());
    let address = with_password(&proxy);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let run = validate(&secured.url(), &token, &[trust, (name, &address)]).exits(1);
        assert_eq!(outcomes(&run.json()), ["active"], "{name}");
        assert!(!run.out().contains(PASSWORD) && !run.err().contains(PASSWORD));
    }
    let notes = proxy.notes();
    let asked: Vec<&String> = notes.iter().filter(|note| note.starts_with("CONNECT ")).collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    for head in asked {
        let line = head.lines().next().unwrap();
        assert_eq!(line, format!("CONNECT localhost:{} HTTP/1.1", secured.server.port()));
        assert!(head.contains("proxy-authorization: Basic ") || head.contains("Proxy-Auth"));
        assert!(!head.contains("whoami"), "{head}");
    }
    for note in &notes {
        assert_keeps(note, &token);
    }
    assert_eq!(secured.requests().len(), 3);
    for request in secured.requests() {
        assert!(!request.to_ascii_lowercase().contains("proxy-"), "{request}");
    }
}

#[test]
fn hosts_that_are_exempt_are_asked_directly() {
    let (secured, proxy) = (Secured::start("localhost"), Server::start(tunnel));
    let authority = secured.authority();
    let trust = ("SSL_CERT_FILE", authority.to_str().unwrap());
    let address = with_password(&proxy);
    for name in ["NO_PROXY", "no_proxy"] {
        let words = [trust, ("HTTPS_PROXY", &address), (name, "localhost")];
        validate(&secured.url(), &npm_token(12), &words).exits(1);
    }
    assert!(proxy.notes().is_empty(), "{:?}", proxy.notes());
    assert_eq!(secured.requests().len(), 2);
}

#[test]
fn a_registry_on_this_machine_in_the_clear_needs_no_proxy() {
    let proxy = Server::start(tunnel);
    let plain = Server::http(|_, mut stream| drop(stream.write_all(alice().as_bytes())));
    let run = validate(&plain.url(), &npm_token(13), &[("ALL_PROXY", &with_password(&proxy))]);
    assert_eq!(outcomes(&run.exits(1).json()), ["active"]);
    assert!(proxy.notes().is_empty(), "{:?}", proxy.notes());
}

#[test]
fn a_proxy_that_refuses_or_hangs_proves_nothing() {
    let secured = Secured::start("localhost");
    let statuses = ["407 Proxy Authentication Required", "502 Bad Gateway", "200"];
    for status in statuses {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let proxy = Server::http(move |_, mut stream| match status {
            // Nothing comes.
            "200" => drop(stream.read(&mut [0])),
            _ => drop(stream.write_all(answer.as_bytes())),
        });
        let address = with_password(&proxy);
        let run = validate(&secured.url(), &npm_token(14), &[("HTTPS_PROXY", &address)]).exits(3);
        assert_unknown(&run, &["proxy", "tunnel", "no answer in time"]);
        assert!(!run.out().contains(PASSWORD) && !run.err().contains(PASSWORD));
        assert!(!proxy.notes().is_empty());
    }
    assert!(secured.server.notes().is_empty(), "nobody goes around a proxy");
}

#[test]
fn a_proxy_that_cannot_be_read_is_not_repeated() {
    for address in
        ["http://user:PASSWORD@:0:0", "gopher://PASSWORD@x", "socks5://u:PASSWORD@localhost"]
    {
        let address = address.replace("PASSWORD", PASSWORD);
        let sandbox = super::Sandbox::new();
        let call = sandbox.call(["validate", "-"]).stdin("").env("HTTPS_PROXY", &address);
        let run = call.run().exits(2).complains(&["proxy"]);
        assert!(!run.err().contains(PASSWORD), "{}", run.err());
    }
}
