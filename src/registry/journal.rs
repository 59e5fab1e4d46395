//! Remembers public answers in a file, so that an interrupted run goes on where
//! it was.
//!
//! A file is a line that names the format, and then records: length (u32, little
//! endian), time of the answer (i64 seconds since 1970), and a zlib stream of
//! `HOST PATH\n` followed by the body. A record that ends early, as when the
//! program was stopped while writing it, is dropped with all behind it. What was
//! asked with a credential is never in it, and nothing that tells one.
//! `HOST` is the address that was asked: a stand-in speaks for itself alone.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};

use super::{Answer, Ask, Method, NoAnswer, Request};
use crate::error::{Error, Result};
use crate::model::echo::Echoes;

const MAGIC: &[u8] = b"tokensweep public answers 2\n";
/// Answers older than this are asked for again, in seconds.
const FRESH: i64 = 6 * 60 * 60;
/// Most bytes of a record, and of what it unpacks to.
const RECORD: u32 = 32 << 20;
const UNPACKED: u64 = 80 << 20;

/// Asks through another door, and remembers what is public.
pub struct Journal<'a> {
    door: &'a dyn Ask,
    file: Mutex<File>,
    known: Mutex<HashMap<String, Vec<u8>>>,
    now: i64,
    secrets: Arc<Echoes>,
}

impl<'a> Journal<'a> {
    /// Opens a journal, or makes one.
    ///
    /// # Errors
    /// A file that cannot be opened, or is something else.
    pub fn open(door: &'a dyn Ask, path: &Path, now: i64, secrets: Arc<Echoes>) -> Result<Self> {
        let cannot = |why: io::Error| {
            Error::new(format!("cannot keep public answers in {}: {why}", path.display()))
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(cannot)?;
        let (known, end) = load(&file, now).map_err(cannot)?.ok_or_else(|| {
            Error::new(format!("{} is no file of public answers", path.display()))
                .hint("--resume wants a file of its own")
        })?;
        file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0))).map_err(cannot)?;
        if end == 0 {
            file.write_all(MAGIC).map_err(cannot)?;
        }
        Ok(Self { door, file: Mutex::new(file), known: Mutex::new(known), now, secrets })
    }

    fn remember(&self, key: &str, body: &[u8]) {
        let mut packed = Vec::new();
        let text = io::Cursor::new(format!("{key}\n").into_bytes()).chain(body);
        if ZlibEncoder::new(text, Compression::fast()).read_to_end(&mut packed).is_err() {
            return;
        }
        let Some(length) = u32::try_from(packed.len()).ok().filter(|&n| n <= RECORD) else {
            return;
        };
        let mut record = length.to_le_bytes().to_vec();
        record.extend_from_slice(&self.now.to_le_bytes());
        record.extend_from_slice(&packed);
        // A journal that cannot be written only costs the next run some requests.
        let _ = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&record);
    }
}

impl Ask for Journal<'_> {
    fn ask(&self, request: &Request) -> std::result::Result<Answer, NoAnswer> {
        let secret = !request.secrets.is_empty() || request.path_secret.is_some();
        if secret || request.method != Method::Get {
            return self.door.ask(request);
        }
        let Some(address) = self.door.address_of(&request.host) else {
            return self.door.ask(request);
        };
        // A key that tells a secret would be kept, and what is known by it told.
        if self.secrets.has(request.path.as_bytes()) {
            return self.door.ask(request);
        }
        let key = request.line_at(&address);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        if let Some(body) = known.and_then(|packed| unpack(&packed)) {
            return Ok(Answer { status: 200, body, ..Answer::default() });
        }
        let answer = self.door.ask(request)?;
        if answer.status == 200 && !answer.cut && !self.secrets.has(&answer.body) {
            self.remember(&key, &answer.body);
        }
        Ok(answer)
    }

    fn address_of(&self, host: &str) -> Option<String> {
        self.door.address_of(host)
    }

    fn path_of(&self, host: &str, link: &str) -> Option<String> {
        self.door.path_of(host, link)
    }
}

/// Answers by key, still packed, and where the last whole record ends.
type Loaded = (HashMap<String, Vec<u8>>, u64);

/// Reads all records; `None` if the file is no journal.
fn load(file: &File, now: i64) -> io::Result<Option<Loaded>> {
    let length = file.metadata()?.len();
    let mut known = HashMap::new();
    if length == 0 {
        return Ok(Some((known, 0)));
    }
    let mut reader = BufReader::new(file);
    let mut magic = vec![0; MAGIC.len()];
    if reader.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Ok(None);
    }
    let mut end = MAGIC.len() as u64;
    loop {
        let mut head = [0; 12];
        if reader.read_exact(&mut head).is_err() {
            break;
        }
        let (size, time) = head.split_at(4);
        let size = u32::from_le_bytes(size.try_into().unwrap_or_default());
        let time = i64::from_le_bytes(time.try_into().unwrap_or_default());
        if size > RECORD {
            break;
        }
        let mut packed = Vec::new();
        let read = (&mut reader).take(u64::from(size)).read_to_end(&mut packed)?;
        if read < size as usize {
            break;
        }
        end += 12 + u64::from(size);
        let fresh = (0..FRESH).contains(&now.saturating_sub(time));
        if let Some(key) = fresh.then(|| key_of(&packed)).flatten() {
            known.insert(key, packed);
        }
    }
    Ok(Some((known, end)))
}

/// The first line of a packed record.
fn key_of(packed: &[u8]) -> Option<String> {
    let mut start = Vec::new();
    ZlibDecoder::new(packed).take(4096).read_to_end(&mut start).ok()?;
    let end = start.iter().position(|&b| b == b'\n')?;
    String::from_utf8(start[..end].to_vec()).ok()
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    ZlibDecoder::new(packed).take(UNPACKED).read_to_end(&mut whole).ok()?;
    let end = whole.iter().position(|&b| b == b'\n')?;
    Some(whole.split_off(end + 1))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::registry::Carried;

    struct Counting(AtomicUsize);

    impl Ask for Counting {
        fn ask(&self, request: &Request) -> std::result::Result<Answer, NoAnswer> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Answer { status: 200, body: request.path.clone().into_bytes(), ..Answer::default() })
        }
    }

    #[test]
    fn what_is_public_is_asked_once_and_what_is_not_is_never_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let door = Counting(AtomicUsize::new(0));
        let public = Request::get("h", "/public");
        let own = Request::get("h", "/own")
            .with_secret("authorization", Carried::new("Bearer hush-hush".into(), "…"));
        for expected in [2, 3] {
            let journal = Journal::open(&door, &path, 1_000, Arc::default()).unwrap();
            assert_eq!(journal.ask(&public).unwrap().body, b"/public");
            journal.ask(&own).unwrap();
            assert_eq!(door.0.load(Ordering::Relaxed), expected);
        }
        let bytes = std::fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("own"));
        // Later it is asked for again.
        let journal = Journal::open(&door, &path, 1_000 + FRESH, Arc::default()).unwrap();
        journal.ask(&public).unwrap();
        assert_eq!(door.0.load(Ordering::Relaxed), 4);
    }

    /// Says back what it is asked, from another address than the usual one.
    struct StandIn;

    impl Ask for StandIn {
        fn ask(&self, request: &Request) -> std::result::Result<Answer, NoAnswer> {
            Ok(Answer { status: 200, body: request.path.clone().into_bytes(), ..Answer::default() })
        }

        fn address_of(&self, _: &str) -> Option<String> {
            Some("http://127.0.0.1:1".into())
        }
    }

    #[test]
    fn a_stand_in_speaks_for_itself_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let door = Counting(AtomicUsize::new(0));
        let request = Request::get("h", "/a");
        Journal::open(&StandIn, &path, 0, Arc::default()).unwrap().ask(&request).unwrap();
        Journal::open(&door, &path, 0, Arc::default()).unwrap().ask(&request).unwrap();
        assert_eq!(door.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn nothing_that_tells_a_secret_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let secret = crate::model::Secret::new(b"Zq81mmXrT02kLp94vvWe7", crate::model::Mask::Ends);
        for told in ["/Zq81mmXrT02kLp94vvWe7", "/zq81mmxrt0/2klp94vvwe7"] {
            let secrets = Arc::new(Echoes::new([&secret].into_iter()));
            let journal = Journal::open(&StandIn, &path, 0, secrets).unwrap();
            journal.ask(&Request::get("h", told)).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), MAGIC);
    }

    #[test]
    fn a_record_that_ends_early_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let door = Counting(AtomicUsize::new(0));
        for name in ["/a", "/b"] {
            Journal::open(&door, &path, 0, Arc::default())
                .unwrap()
                .ask(&Request::get("h", name))
                .unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for end in MAGIC.len()..whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(Journal::open(&door, &path, 0, Arc::default()).is_ok());
        }
        std::fs::write(&path, "something else").unwrap();
        assert!(Journal::open(&door, &path, 0, Arc::default()).is_err());
    }
}
