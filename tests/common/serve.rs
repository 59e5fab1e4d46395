//! Servers that take pushes, on this machine only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::push::Place;

/// A running `git daemon`; it ends with its test.
pub struct Daemon(Child);

impl Daemon {
    /// Serves a place's remote, and makes that where it pushes to.
    pub fn start(place: &mut Place) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let served = place.sandbox.path("served");
        let mut command = Command::new("git");
        command.args(["daemon", "--enable=receive-pack", "--export-all", "--reuseaddr"]);
        command.args(["--listen=127.0.0.1", &format!("--port={port}")]);
        command.arg(format!("--base-path={}", served.display())).arg(&served);
        place.dress(&mut command);
        // A group of its own: the daemon's children end with it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let daemon = Self(child);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "git daemon does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        place.moved(&format!("git://127.0.0.1:{port}/remote.git"));
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["--", &group]).status();
        let _ = self.0.wait();
    }
}

/// Serves a place's remote through `git http-backend`, one request after
/// another, for as long as the test runs; that is where the place pushes to.
pub fn http(place: &mut Place) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = place.sandbox.path("served");
    let mut backend = Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", served).env("GIT_HTTP_EXPORT_ALL", "1");
    backend.env("REMOTE_USER", "someone").stdin(Stdio::piped()).stdout(Stdio::piped());
    place.dress(&mut backend);
    place.moved(&format!("http://{address}/remote.git"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is its own test's failure.
            let _ = stream.and_then(|stream| answer(stream, &mut backend));
        }
    });
}

/// Hands one request to a CGI program.
fn answer(stream: TcpStream, backend: &mut Command) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut line = String::new();
    client.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    backend.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
    for name in ["CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_CONTENT_ENCODING", "HTTP_GIT_PROTOCOL"] {
        backend.env_remove(name);
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let variable = match name.to_ascii_lowercase().as_str() {
            "content-type" => "CONTENT_TYPE",
            "content-encoding" => "HTTP_CONTENT_ENCODING",
            "git-protocol" => "HTTP_GIT_PROTOCOL",
            "content-length" => {
                length = value.parse().unwrap_or(0);
                "CONTENT_LENGTH"
            }
            _ => continue,
        };
        backend.env(variable, value);
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let mut child = backend.spawn()?;
    let mut input = child.stdin.take().expect("standard input is a pipe");
    let feeder = std::thread::spawn(move || input.write_all(&body));
    let output = child.wait_with_output()?;
    // A backend that refuses the request need not read it.
    let _ = feeder.join();
    let text = String::from_utf8_lossy(&output.stdout);
    let status = text.strip_prefix("Status: ").and_then(|rest| rest.lines().next());
    let mut client = client.into_inner();
    write!(client, "HTTP/1.1 {}\r\nConnection: close\r\n", status.unwrap_or("200 OK").trim_end())?;
    client.write_all(&output.stdout)
}
