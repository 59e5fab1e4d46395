//! What never ends is not waited for, and what is huge is not kept.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::server::Server;
use super::{ALICE, alice, assert_unknown, npm_token, validate};

/// Kilobytes: what a run needs that reads no more than it should.
const MEMORY: u64 = 200 << 10;

/// How long one token may take: the waits for both of its questions, and what a
/// busy machine adds.
const ENDS: Duration = Duration::from_secs(15);

/// Asserts that a token's state stays unknown, soon and without much memory.
#[track_caller]
fn assert_bounded(name: &str, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
    let server = Server::http(move |_, mut stream| answer(&mut stream));
    let begun = Instant::now();
    let run = validate(&server.url(), &npm_token(41), &[]).exits(3);
    assert!(begun.elapsed() < ENDS, "{name}: {:?}", begun.elapsed());
    assert!(run.peak < MEMORY, "{name}: {} kB", run.peak);
    assert!(run.err().is_empty(), "{name}: {}", run.err());
    let told = super::findings(&run.json())[0].to_string();
    assert!(!told.contains("internal"), "{told}");
    assert_unknown(&run, &[""]);
}

/// Writes as long as anybody reads.
fn pour(stream: &mut TcpStream, start: &str, again: &str) {
    let _ = stream.write_all(start.as_bytes());
    let part = again.repeat(1 + (64 << 10) / again.len());
    while stream.write_all(part.as_bytes()).is_ok() {}
}

/// A byte every so often, as long as anybody reads.
fn drip(stream: &mut TcpStream, text: &str) {
    for byte in text.as_bytes() {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn heads_that_do_not_end() {
    assert_bounded("headers", |stream| pour(stream, "HTTP/1.1 200 OK\r\n", "x-more: y\r\n"));
    assert_bounded("one header", |stream| pour(stream, "HTTP/1.1 200 OK\r\nx-more: ", "y"));
    assert_bounded("status", |stream| pour(stream, "HTTP/1.1 200 ", "O"));
    assert_bounded("interim", |stream| pour(stream, "", "HTTP/1.1 103 Early\r\nlink: x\r\n\r\n"));
    assert_bounded("drip", |stream| drip(stream, &alice()));
}

#[test]
fn bodies_that_do_not_end() {
    let plain = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    assert_bounded("body", move |stream| pour(stream, plain, " "));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_bounded("chunks", move |stream| pour(stream, chunked, "1\r\n \r\n"));
    assert_bounded("length of a chunk", move |stream| pour(stream, chunked, "0"));
    assert_bounded("chunk", move |stream| pour(stream, &format!("{chunked}1;"), "x"));
    let trailers = format!("{chunked}{:x}\r\n{ALICE}\r\n0\r\n", ALICE.len());
    assert_bounded("trailers", move |stream| pour(stream, &trailers, "x-more: y\r\n"));
    assert_bounded("drip", move |stream| {
        let _ = stream.write_all(plain.as_bytes());
        drip(stream, ALICE);
    });
}

#[test]
fn lengths_that_lie() {
    let with = |length: &str| {
        let length = length.to_owned();
        move |stream: &mut TcpStream| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{ALICE}");
            let _ = stream.write_all(head.as_bytes());
        }
    };
    for length in ["18446744073709551615", "99999999999999999999", "-1", "1e9", "4000000000"] {
        assert_bounded(length, with(length));
    }
}

/// Packed bodies that unpack to far more, or to nothing at all for ever.
#[test]
fn packed_bodies() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\n";
    let part = super::common::registry::hostile::gzip_bomb().body;
    assert_bounded("bomb", move |stream| {
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&part));
    });
    // The header of a gzip stream, and then empty blocks that are not the last.
    assert_bounded("nothing", move |stream| {
        let start = [head.as_bytes(), b"\x1f\x8b\x08\0\0\0\0\0\0\xff"].concat();
        let _ = stream.write_all(&start);
        let part = b"\0\0\0\xff\xff".repeat(10_000);
        while stream.write_all(&part).is_ok() {}
    });
    assert_bounded("a name that does not end", move |stream| {
        let start = [head.as_bytes(), b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"].concat();
        let _ = stream.write_all(&start);
        while stream.write_all(&[b'a'; 64 << 10]).is_ok() {}
    });
}
