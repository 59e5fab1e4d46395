//! HTTP/1.1 over plain sockets, with all that a server can do wrong.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Path and query as they stood in the first line.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub peer: SocketAddr,
    pub at: Instant,
}

impl Seen {
    /// The path, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A value of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let pairs = self.target.split_once('?')?.1.split('&');
        let mut values = pairs.filter_map(|pair| pair.split_once('='));
        values.find(|(key, _)| *key == name).map(|(_, value)| decoded(&value.replace('+', " ")))
    }

    /// A number of the query, or what it is if none is given.
    pub fn number(&self, name: &str, otherwise: usize) -> usize {
        self.query(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What stands behind `Bearer` or `token`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, value) = self.header("authorization")?.split_once(' ')?;
        matches!(scheme.to_ascii_lowercase().as_str(), "bearer" | "token").then_some(value)
    }
}

/// Percent-decoding; what is broken stays as it is.
pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How a body goes over the wire.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// As it should.
    Whole,
    /// Compressed, if the client takes it so.
    Gzip,
    /// Byte by byte, with a pause between two.
    Drip(Duration),
    /// The body again and again, for as long as anybody reads.
    Endless,
    /// Half of what was promised, then the connection is closed.
    Truncated,
    /// No answer at all; the connection stays open.
    Hang,
    /// The connection is closed at once.
    Close,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub delivery: Delivery,
}

impl Reply {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".into(), kind.into())];
        Self { status, headers, body: body.into(), delivery: Delivery::Whole }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub fn html(status: u16, body: &str) -> Self {
        let page = format!("<!DOCTYPE html><html><body><h1>{body}</h1></body></html>");
        Self::new(status, "text/html; charset=UTF-8", page)
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), delivery: Delivery::Whole }
    }

    pub fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn by(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// Serves until `stop` is set; each connection has a thread of its own, which
/// ends with it.
pub fn serve(
    listener: &TcpListener,
    stop: &Arc<AtomicBool>,
    answer: impl Fn(Seen) -> Reply + Send + Sync + 'static,
) {
    let answer = Arc::new(answer);
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (stop, answer) = (stop.clone(), answer.clone());
        // A client that goes away is its own test's failure.
        std::thread::spawn(move || drop(converse(stream, &stop, &*answer)));
    }
}

fn converse(
    stream: TcpStream,
    stop: &AtomicBool,
    answer: &(impl Fn(Seen) -> Reply + ?Sized),
) -> std::io::Result<()> {
    // Short, so that the thread sees that it is to end.
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr()?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(16 << 10, stream);
    while let Some(seen) = read_request(&mut reader, peer, stop)? {
        let packed = seen.header("accept-encoding").is_some_and(|it| it.contains("gzip"));
        let bare = seen.method == "HEAD";
        let last = seen.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        let reply = answer(seen);
        if !write_reply(&mut writer, &reply, packed, bare, stop)? || last {
            return Ok(());
        }
    }
    Ok(())
}

/// The next request; nothing at the end of the connection.
fn read_request(
    reader: &mut BufReader<TcpStream>,
    peer: SocketAddr,
    stop: &AtomicBool,
) -> std::io::Result<Option<Seen>> {
    let Some(first) = read_line(reader, stop)? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let Some(line) = read_line(reader, stop)? else { return Ok(None) };
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut seen = Seen { method, target, headers, body: Vec::new(), peer, at: Instant::now() };
    let length = seen.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while seen.body.len() < length {
        let mut part = vec![0; (length - seen.body.len()).min(64 << 10)];
        match reader.read(&mut part) {
            Ok(0) => return Ok(None),
            Ok(read) => seen.body.extend_from_slice(&part[..read]),
            Err(why) => patient(why, stop)?,
        }
    }
    Ok(Some(seen))
}

/// A line without its end; nothing at the end of the connection.
fn read_line(
    reader: &mut BufReader<TcpStream>,
    stop: &AtomicBool,
) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(None),
            Ok(_) if line.ends_with(b"\n") => {
                return Ok(Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()));
            }
            Ok(_) => {}
            Err(why) => patient(why, stop)?,
        }
    }
}

/// Goes on waiting, unless the server is to end.
fn patient(why: std::io::Error, stop: &AtomicBool) -> std::io::Result<()> {
    let waiting = matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    if waiting && !stop.load(Ordering::SeqCst) { Ok(()) } else { Err(why) }
}

/// True if the connection can take another request.
fn write_reply(
    stream: &mut TcpStream,
    reply: &Reply,
    packed: bool,
    bare: bool,
    stop: &AtomicBool,
) -> std::io::Result<bool> {
    match reply.delivery {
        Delivery::Close => return Ok(false),
        Delivery::Hang => {
            wait_for_end(stream, stop);
            return Ok(false);
        }
        _ => {}
    }
    let packed = packed && matches!(reply.delivery, Delivery::Gzip);
    let body = if packed { gzip(&reply.body) } else { reply.body.clone() };
    let length = match reply.delivery {
        Delivery::Endless => None,
        Delivery::Truncated => Some(2 * body.len().max(1)),
        _ => Some(body.len()),
    };
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status)).into_bytes();
    for (name, value) in &reply.headers {
        head.extend_from_slice(format!("{name}: ").as_bytes());
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    if packed {
        head.extend_from_slice(b"content-encoding: gzip\r\n");
    }
    if let Some(length) = length {
        head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
    } else {
        head.extend_from_slice(b"connection: close\r\n");
    }
    head.extend_from_slice(b"\r\n");
    if bare {
        stream.write_all(&head)?;
        return Ok(true);
    }
    match &reply.delivery {
        Delivery::Endless => {
            stream.write_all(&head)?;
            while !stop.load(Ordering::SeqCst) {
                stream.write_all(&body)?;
            }
            Ok(false)
        }
        Delivery::Drip(pause) => {
            stream.write_all(&head)?;
            for byte in body.chunks(1) {
                if stop.load(Ordering::SeqCst) {
                    return Ok(false);
                }
                stream.write_all(byte)?;
                std::thread::sleep(*pause);
            }
            Ok(true)
        }
        delivery => {
            head.extend_from_slice(&body);
            stream.write_all(&head)?;
            Ok(!matches!(delivery, Delivery::Truncated))
        }
    }
}

/// Says nothing until the client goes or the server ends.
fn wait_for_end(stream: &mut TcpStream, stop: &AtomicBool) {
    let mut byte = [0];
    while !stop.load(Ordering::SeqCst) {
        match stream.read(&mut byte) {
            Ok(0) => return,
            Ok(_) => {}
            Err(why) => {
                if patient(why, stop).is_err() {
                    return;
                }
            }
        }
    }
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
