//! Servers that do to a connection whatever a test wants.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// No side waits longer for the other.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on loopback; it ends with its test.
pub struct Server {
    address: SocketAddr,
    notes: Notes,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What a server has seen.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    pub fn add(&self, note: impl Into<String>) {
        self.0.lock().unwrap().push(note.into());
    }
}

impl Server {
    /// Hands every connection to `serve`, each on a thread of its own.
    pub fn start(serve: impl Fn(TcpStream, &Notes) + Send + Sync + 'static) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), serve)
    }

    /// The same where a test listens already.
    pub fn start_on(
        listener: TcpListener,
        serve: impl Fn(TcpStream, &Notes) + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (notes, stop) = (Notes::default(), Arc::new(AtomicBool::new(false)));
        let (kept, ended, serve) = (notes.clone(), stop.clone(), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let limits = [
                    stream.set_read_timeout(Some(PATIENCE)),
                    stream.set_write_timeout(Some(PATIENCE)),
                    stream.set_nodelay(true),
                ];
                if limits.iter().all(Result::is_ok) {
                    let (serve, notes) = (serve.clone(), kept.clone());
                    std::thread::spawn(move || serve(stream, &notes));
                }
            }
        });
        Self { address, notes, stop, thread: Some(thread) }
    }

    /// Notes the head of every request and hands the connection on.
    pub fn http(answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> Self {
        Self::start(move |mut stream, notes| {
            let Some(head) = head(&mut stream) else { return };
            notes.add(&head);
            answer(&head, stream);
        })
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn notes(&self) -> Vec<String> {
        self.notes.0.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A request up to its empty line; nothing if the other side goes before.
pub fn head(stream: &mut impl Read) -> Option<String> {
    // A byte at a time, so that nothing behind the head is taken away.
    let mut reader = BufReader::with_capacity(1, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 1 << 16 {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
