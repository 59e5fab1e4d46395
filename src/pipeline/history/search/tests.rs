//! Packs of the real git: each object is visited once with its own bytes, and
//! what is told as a delta is searched as if it were whole.

#[path = "../../../../tests/common/git.rs"]
mod git;

use std::fmt::Write as _;

use git::Git;

use super::*;
use crate::git::{Layout, Repository};
use crate::matcher::Matcher;
use crate::model::OriginKind;
use crate::rules::{RuleSet, example::fill};

/// Name, kind and bytes of an object.
type Object = (ObjectId, Kind, Vec<u8>);

#[test]
fn packs_are_searched_as_if_their_objects_were_whole() {
    let folder = tempfile::tempdir().unwrap();
    let git = Git::init(folder.path(), &["--bare"]);
    git.feed(&["fast-import", "--quiet"], history(120).as_bytes());
    git.run(&["tag", "-a", "v1", "-m", "a tag", "main"]);
    let ways: [&[&str]; 3] = [
        &["gc", "-q", "--aggressive", "--prune=now"],
        &["repack", "-adfq", "--depth=250", "--window=50"],
        &["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"],
    ];
    let matcher = Matcher::new(Arc::new(RuleSet::shipped()));
    for way in ways {
        git.run(way);
        git.run(&["prune-packed"]);
        git.feed(&["hash-object", "-w", "--stdin"], way.concat().as_bytes());
        let all = objects(&git);
        for threads in [1, 4] {
            let log = Log { matcher: &matcher, seen: Mutex::default() };
            let repository = Repository::open(&Layout::at(folder.path()).unwrap(), &[]);
            assert_eq!(repository.gaps, []);
            let seen = log.walk(&repository.store, threads);
            assert!(seen == all, "{way:?}, {threads} threads: other objects, or not once each");
        }
    }
}

/// Three files over many versions as git's fast-import reads them: lines
/// change, tokens come, are cut in two, and go.
fn history(versions: usize) -> String {
    let line = |at| format!("line {at} of a file that changes a little at a time");
    let mut files: [Vec<String>; 3] = std::array::from_fn(|_| (0..150).map(line).collect());
    let mut stream = String::new();
    for version in 0..versions {
        let time = 1_700_000_000 + version;
        let who = format!("Ann <ann@example.com> {time} +0000");
        write!(stream, "commit refs/heads/main\ncommitter {who}\ndata 1\nx\n").unwrap();
        for (number, lines) in files.iter_mut().enumerate() {
            edit(lines, version, number);
            let text = lines.join("\n");
            write!(stream, "M 100644 inline {number}.txt\ndata {}\n{text}\n", text.len()).unwrap();
        }
    }
    stream
}

fn edit(lines: &mut Vec<String>, version: usize, file: usize) {
    let at = (version * 37 + file) % lines.len();
    lines[at] = format!("version {version}");
    if version % 4 == file {
        let seed = (version * 3 + file) as u64;
        let token = fill("npm_{alnum:30}{crc}", seed).unwrap().text;
        let token = String::from_utf8(token).unwrap();
        lines.insert(version * 11 % lines.len(), format!("NPM_TOKEN={token}"));
    }
    let last = lines.iter().rposition(|line| line.starts_with("NPM_TOKEN="));
    let Some(last) = last else { return };
    match version % 9 {
        2 => lines[last].insert(10 + version % 30, '\n'),
        5 => drop(lines.remove(last)),
        _ => {}
    }
}

/// All objects as git tells them, sorted.
fn objects(git: &Git) -> Vec<Object> {
    let told = git.bytes(&["cat-file", "--batch-all-objects", "--batch"]);
    let (mut rest, mut objects) = (&told[..], Vec::new());
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        let [name, kind, size] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (id, kind) = (ObjectId::from_hex(name.as_bytes()), Kind::from_bytes(kind.as_bytes()));
        let (bytes, after) = rest[end + 1..].split_at(size.parse().unwrap());
        objects.push((id.unwrap(), kind.unwrap(), bytes.to_vec()));
        rest = &after[1..];
    }
    objects.sort();
    objects
}

/// Notes what it visits, and traces it twice.
struct Log<'l> {
    matcher: &'l Matcher,
    seen: Mutex<Vec<Seen>>,
}

struct Seen {
    place: Place,
    id: Option<ObjectId>,
    kind: Kind,
    bytes: Vec<u8>,
    /// Whether it was told as a delta, and then found to hold other matches
    /// than as a whole.
    delta: bool,
    differs: bool,
}

impl Log<'_> {
    /// All objects of a store, sorted.
    fn walk(self, store: &Store, threads: usize) -> Vec<Object> {
        let forests = store.packs.iter().map(Forest::of).collect();
        walk::packed(store, &forests, threads, &self);
        walk::loose(store, &super::super::loose_objects(store, &Tally::default()), threads, &self);
        let seen = self.seen.into_inner().unwrap();
        assert!(seen.iter().filter(|seen| seen.delta).count() > 300, "too few deltas");
        let differs = seen.iter().find(|seen| seen.differs);
        assert!(differs.is_none(), "a delta: {:?}", differs.map(|seen| seen.place));
        let object = |seen: Seen| {
            let id = seen.id.unwrap_or_else(|| {
                let Place::Packed { pack, offset } = seen.place else { panic!("no name") };
                let names = store.packs[pack].names(vec![offset]);
                ObjectId::try_from(names.get(offset).unwrap()).unwrap()
            });
            (id, seen.kind, seen.bytes)
        };
        let mut objects: Vec<Object> = seen.into_iter().map(object).collect();
        objects.sort();
        objects
    }
}

impl Visitor for Log<'_> {
    type Seen = Trace;

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn visit(&self, object: &Visited<'_>, base: Option<(&Trace, &[Copied])>) -> Option<Trace> {
        let origin = Arc::new(Origin {
            target: 0,
            root: b"x".as_slice().into(),
            path: Box::default(),
            kind: OriginKind::GitUnnamed,
            git: None,
        });
        let blob = Blob::whole(&origin, object.bytes);
        let trace = self.matcher.trace(&blob, base);
        self.seen.lock().unwrap().push(Seen {
            place: object.place,
            id: object.id.copied(),
            kind: object.kind,
            bytes: object.bytes.to_vec(),
            delta: base.is_some(),
            differs: trace != self.matcher.trace(&blob, None),
        });
        Some(trace)
    }

    fn stream(&self, _: Kind, place: Place, _: Option<&ObjectId>, _: u64, _: &mut dyn Read) {
        panic!("{place:?} is streamed");
    }

    fn broken(&self, place: Place, _: Option<&ObjectId>, why: &str) {
        panic!("{place:?}: {why}");
    }
}
