//! How to bring a file's bytes before the search: read whole, read in windows,
//! or mapped. Decides `WINDOW`, `WHOLE` and `SEGMENT` of `src/source`.
//!
//! Every way touches all bytes, for what counts is where they lie when they
//! are searched; but with a search far faster than the real one, so that what
//! differs is the reading. The page cache is warm.

mod corpus;

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::{Bencher, counter::BytesCount};
use memmap2::Mmap;
use tempfile::NamedTempFile;
use tokensweep::source::{self, Margins, Tally, Target};

use corpus::Kind;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const SIZES: [usize; 6] = [4 * KIB, 64 * KIB, MIB, 4 * MIB, 32 * MIB, 256 * MIB];
const LARGEST: usize = SIZES[5];

/// As the pipeline asks for them.
static MARGINS: LazyLock<Margins> = LazyLock::new(|| {
    tokensweep::pipeline::Scanner::new(&Default::default()).expect("shipped rules load").margins()
});
fn main() {
    println!("margins: {:?}", *MARGINS);
    divan::main();
}

fn file(size: usize) -> NamedTempFile {
    let block = Kind::JavaScript.text_of(4 * MIB);
    let mut file = NamedTempFile::new().expect("a temporary file");
    let mut left = size;
    while left > 0 {
        let part = left.min(block.len());
        file.write_all(&block[..part]).expect("room for it");
        left -= part;
    }
    file.flush().expect("room for it");
    file
}

fn search(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'@', bytes).count() as u64
}

/// Into one buffer that is used again.
#[divan::bench(args = SIZES)]
fn read_whole(bencher: Bencher<'_, '_>, size: usize) {
    let (file, mut buffer) = (file(size), Vec::new());
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        buffer.clear();
        File::open(file.path()).and_then(|mut file| file.read_to_end(&mut buffer)).unwrap();
        search(&buffer)
    });
}

#[divan::bench(args = SIZES)]
fn mapped(bencher: Bencher<'_, '_>, size: usize) {
    let file = file(size);
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let file = File::open(file.path()).unwrap();
        // SAFETY: nobody but this bench knows the file. The product has no
        // such promise, which is the other reason not to map.
        search(&unsafe { Mmap::map(&file) }.unwrap())
    });
}

#[divan::bench(
    args = [MIB, 4 * MIB, 256 * MIB],
    consts = [64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB, 8 * MIB],
)]
fn windowed<const WINDOW: usize>(bencher: Bencher<'_, '_>, size: usize) {
    let (file, mut buffer) = (file(size), Vec::new());
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let file = File::open(file.path()).unwrap();
        windows(&file, 0, size, WINDOW, &mut buffer).unwrap()
    });
}

/// A large file shared by two threads, a segment at a time.
#[divan::bench(
    args = [4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB, 64 * MIB, 128 * MIB],
    consts = [256 * KIB, 512 * KIB, 2 * MIB],
    sample_count = 15,
)]
fn segments<const WINDOW: usize>(bencher: Bencher<'_, '_>, segment: usize) {
    let file = file(LARGEST);
    bencher.counter(BytesCount::new(LARGEST)).bench_local(|| {
        let next = AtomicU64::new(0);
        let turn = || {
            let (mut buffer, mut hits) = (Vec::new(), 0);
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed) as usize * segment;
                if at >= LARGEST {
                    return hits;
                }
                let end = (at + segment).min(LARGEST);
                hits += windows(file.as_file(), at, end, WINDOW, &mut buffer).unwrap();
            }
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(turn);
            turn() + other.join().expect("no panic")
        })
    });
}

/// The product's own way, on one thread.
#[divan::bench(args = SIZES)]
fn feed(bencher: Bencher<'_, '_>, size: usize) {
    let file = file(size);
    let targets = vec![Target::Path(file.path().to_path_buf())];
    let options = source::Options { targets, threads: 1, ..source::Options::default() };
    bencher.counter(BytesCount::new(size)).bench_local(|| {
        let hits = AtomicU64::new(0);
        source::feed(&options, *MARGINS, &mut io::empty(), &Tally::default(), &|blob| {
            let fresh = &blob.bytes[blob.fresh.0..blob.fresh.1];
            hits.fetch_add(search(fresh), Ordering::Relaxed);
        })
        .unwrap();
        hits.into_inner()
    });
}

/// Reads from `start` to `end` and searches window by window, each with the
/// margins around it that the product's windows have.
fn windows(
    file: &File,
    start: usize,
    end: usize,
    window: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<u64> {
    buffer.resize(MARGINS.before + window + MARGINS.after, 0);
    let mut at = start.saturating_sub(MARGINS.before);
    let (mut filled, mut hits) = (0, 0);
    loop {
        let wanted = buffer.len().min(filled + end.saturating_sub(at));
        let mut ended = wanted == filled;
        while filled < wanted {
            match file.read_at(&mut buffer[filled..wanted], at as u64)? {
                0 => {
                    ended = true;
                    break;
                }
                more => {
                    filled += more;
                    at += more;
                }
            }
        }
        let fresh_end = if ended || at >= end { filled } else { filled - MARGINS.after };
        hits += search(&buffer[MARGINS.before.min(fresh_end)..fresh_end]);
        if ended || at >= end {
            return Ok(hits);
        }
        let keep = fresh_end - MARGINS.before.min(fresh_end);
        buffer.copy_within(keep..filled, 0);
        filled -= keep;
    }
}
