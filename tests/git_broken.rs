//! Broken object stores: what can be read is searched, what cannot is named,
//! and nothing crashes, hangs or eats the memory.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::broken::{breaks, breaks_because, gaps, honest, removed_token, rewrite, scan};
use common::git::Repo;
use common::pack::{self, BLOB, OFS_DELTA, Oid, Pack, REF_DELTA, Step, deflate, delta};
use common::{npm_token, secrets};

/// The name of an object that is none.
const NOBODY: Oid = [0x11; 20];

// ---- Packs ---------------------------------------------------------------------

#[test]
fn a_pack_cut_short() {
    for keep in [0, 4, 12, 40, 400, 4000] {
        breaks(|repo| {
            let pack = gc(repo, "pack");
            rewrite(&pack, |bytes| bytes.truncate(keep));
        });
    }
}

/// The entries can be read all the same.
#[test]
fn a_pack_with_a_wrong_checksum_or_more_behind_it() {
    let changes: [fn(&mut Vec<u8>); 2] =
        [|bytes| *bytes.last_mut().unwrap() ^= 1, |bytes| bytes.extend([b'x'; 999])];
    for change in changes {
        let (_, run) = scan(|repo| {
            let mut pack = Pack::new();
            pack.blob(npm_token(1));
            rewrite(&pack.install(repo), change);
        });
        assert_eq!(secrets(&run.json()), [npm_token(1)]);
    }
}

#[test]
fn a_pack_that_is_none() {
    for version in [b"PACK\0\0\0\x09", b"JUNK\0\0\0\x02"] {
        breaks(|repo| {
            let pack = gc(repo, "pack");
            rewrite(&pack, |bytes| bytes[..8].copy_from_slice(version));
        });
    }
}

#[test]
fn a_pack_that_lies_about_its_count() {
    for count in [0u32, 1, 3, u32::MAX] {
        honest(|repo| {
            let mut pack = Pack::new();
            pack.blob("one");
            pack.blob(npm_token(1));
            pack.bytes[8..12].copy_from_slice(&count.to_be_bytes());
            pack.install_as_it_is(repo);
        });
    }
}

/// Deflate itself sees no fault here, only its checksum does.
#[test]
fn a_flipped_byte() {
    for at in [0, 1, 20, 60] {
        pack_breaks(|pack| {
            let text = b"a text of some length, of which nothing is compressed at all, see";
            let mut packed = pack::store(text);
            packed[at] ^= 0x40;
            pack.entry(pack::oid("blob", text), BLOB, text.len() as u64, &[], &packed);
        });
    }
}

#[test]
fn a_blob_that_lies_about_its_size() {
    for size in [0, 1, 8, 10, 1 << 20, 1 << 31, 1 << 32, 1 << 60, u64::MAX] {
        pack_breaks(|pack| {
            pack.entry(NOBODY, BLOB, size, &[], &deflate(b"nine byte"));
        });
    }
}

#[test]
fn an_entry_of_no_kind() {
    for kind in [0, 5] {
        pack_breaks(|pack| {
            pack.entry(NOBODY, kind, 9, &[], &deflate(b"nine byte"));
        });
    }
    // A size that never ends.
    pack_breaks(|pack| {
        pack.entry(NOBODY, BLOB, 9, &[0xff; 30], &[]);
        let at = pack.bytes.len() - 31;
        pack.bytes[at] |= 0x80;
    });
}

// ---- Deltas --------------------------------------------------------------------

#[test]
fn deltas_in_a_circle() {
    let step = delta(3, 3, &[Step::Copy(0, 3)]);
    let entry = |pack: &mut Pack, oid: Oid, base: Oid| {
        pack.entry(oid, REF_DELTA, step.len() as u64, &base, &deflate(&step));
    };
    pack_breaks(|pack| entry(pack, [7; 20], [7; 20]));
    pack_breaks(|pack| {
        entry(pack, [7; 20], [8; 20]);
        entry(pack, [8; 20], [7; 20]);
    });
    pack_breaks(|pack| {
        (0..100).for_each(|at| entry(pack, [at; 20], [(at + 1) % 100; 20]));
    });
}

#[test]
fn a_delta_whose_base_is_nowhere() {
    let step = delta(3, 3, &[Step::Copy(0, 3)]);
    let size = step.len() as u64;
    pack_breaks(|pack| {
        pack.entry([7; 20], REF_DELTA, size, &NOBODY, &deflate(&step));
    });
    let back = |far: u64| pack::distance(far);
    // Itself, the header, before the pack, in the middle of an entry, and a
    // number that never ends.
    for link in [back(0), back(5), back(1 << 20), back(u64::MAX), vec![0xff; 30]] {
        pack_breaks(|pack| {
            pack.entry([7; 20], OFS_DELTA, size, &link, &deflate(&step));
        });
    }
    pack_breaks(|pack| {
        let base = pack.blob("a base to point into, long enough for it");
        let link = back(pack.end() - base - 7);
        pack.entry([7; 20], OFS_DELTA, size, &link, &deflate(&step));
    });
}

#[test]
fn a_delta_that_lies() {
    let insert = Step::Insert(b"abc");
    let copy = |from, count| Step::Copy(from, count);
    let ten = |result, steps: &[Step<'_>]| delta(10, result, steps);
    let lies = [
        ten(3, &[copy(8, 3)]),
        ten(3, &[copy(11, 3)]),
        ten(3, &[copy(u32::MAX, 3)]),
        ten(2, &[insert]),
        ten(9, &[copy(0, 3)]),
        ten(1 << 31, &[copy(0, 3)]),
        ten(1 << 60, &[copy(0, 3)]),
        ten(u64::MAX, &[copy(0, 3)]),
        delta(9, 3, &[copy(0, 3)]),
        delta(11, 3, &[copy(0, 3)]),
        delta(u64::MAX, 3, &[copy(0, 3)]),
        // No such step, steps cut short, numbers without an end, nothing.
        [ten(3, &[]), vec![0, 1, 2, 3]].concat(),
        [ten(9, &[]), vec![9, b'a']].concat(),
        [ten(3, &[]), vec![0xff, 0, 0]].concat(),
        vec![0xff; 40],
        vec![10],
        Vec::new(),
    ];
    for lie in lies {
        pack_breaks(|pack| {
            let base = pack.blob("ten bytes.");
            pack.delta(NOBODY, base, &lie);
        });
    }
}

/// Each step doubles: sixty of them would fill any memory.
#[test]
fn deltas_that_grow_without_bound() {
    let (_, run) = scan(|repo| {
        let mut pack = Pack::new();
        let (mut base, mut size) = (pack.blob([b'a'; 1 << 16]), 1u64 << 16);
        for level in 0..40u8 {
            let count = size.min(0xff_ffff) as u32;
            let steps: Vec<_> = (0..256).map(|_| Step::Copy(0, count)).collect();
            let result = 256 * u64::from(count);
            base = pack.delta([level; 20], base, &delta(size, result, &steps));
            size = result;
            if size > 1 << 32 {
                break;
            }
        }
        pack.install(repo);
        pack::loose(repo, "blob", npm_token(1));
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
    assert!(run.peak < 1 << 20, "{} kB", run.peak);
}

#[test]
fn a_chain_of_ten_thousand_deltas() {
    let (_, run) = scan(|repo| {
        let mut pack = Pack::new();
        let mut base = pack.blob("0123456789");
        for level in 0..10_000u32 {
            let mut name = [0; 20];
            name[..4].copy_from_slice(&level.to_le_bytes());
            let text = if level == 9_999 { npm_token(1) } else { format!("{level:010}") };
            let step = delta(10, text.len() as u64, &[Step::Insert(text.as_bytes())]);
            base = pack.delta(name, base, &step);
        }
        pack.install(repo);
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
}

/// As `git index-pack` leaves it if it is told to keep a thin pack thin.
#[test]
fn a_delta_whose_base_is_in_another_store() {
    let token = npm_token(1);
    let (left, right) = token.split_at(20);
    let base = format!("some text and {left} and more of it");
    let split = base.find(left).unwrap() + left.len();
    let steps = [Step::Copy(0, split as u32), Step::Insert(right.as_bytes())];
    let step = delta(base.len() as u64, (split + right.len()) as u64, &steps);
    let name = pack::oid("blob", format!("some text and {token}").as_bytes());
    for packed in [true, false] {
        let (_, run) = scan(|repo| {
            let mut thin = Pack::new();
            let link = pack::oid("blob", base.as_bytes());
            thin.entry(name, REF_DELTA, step.len() as u64, &link, &deflate(&step));
            thin.install(repo);
            let mut other = Pack::new();
            if packed {
                other.blob(&base);
                other.install(repo);
            } else {
                pack::loose(repo, "blob", &base);
            }
        });
        assert_eq!(secrets(&run.json()), [token.as_str()], "base in a pack: {packed}");
    }
}

// ---- Indexes -------------------------------------------------------------------

#[test]
fn an_index_that_is_not_there() {
    honest(|repo| {
        let mut pack = Pack::new();
        pack.blob(npm_token(1));
        fs::remove_file(pack.install(repo).with_extension("idx")).unwrap();
    });
}

#[test]
fn a_pack_that_is_not_there() {
    breaks(|repo| fs::remove_file(gc(repo, "pack")).unwrap());
}

#[test]
fn an_index_cut_short() {
    for keep in [0, 3, 8, 500, 1032, 1060, 1200] {
        honest(|repo| {
            let index = index_of_a_token(repo);
            rewrite(&index, |bytes| bytes.truncate(keep));
        });
    }
}

#[test]
fn an_index_that_lies() {
    const FAN: usize = 8;
    let names = FAN + 256 * 4;
    let lies: [&dyn Fn(&mut Vec<u8>); 8] = [
        // A version that nobody knows.
        &|bytes| bytes[7] = 9,
        // Counts that fall, that are huge, and that promise more than there is.
        &|bytes| bytes[FAN + 4] = 0xff,
        &|bytes| bytes[FAN..names].fill(0xff),
        &|bytes| bytes[names - 1] += 1,
        &|bytes| bytes[names - 1] -= 1,
        // Names out of order.
        &|bytes| bytes[names..names + 20].fill(0xff),
        // Offsets beyond the pack, and in a table that is not there.
        &|bytes| offsets(bytes).fill(0x7f),
        &|bytes| offsets(bytes).fill(0x80),
    ];
    for lie in lies {
        honest(|repo| {
            let index = index_of_a_token(repo);
            rewrite(&index, |bytes| {
                lie(bytes);
                sign(bytes);
            });
        });
    }
}

#[test]
fn the_index_of_another_pack() {
    honest(|repo| {
        let index = index_of_a_token(repo);
        let mut other = Pack::new();
        for at in 0..9 {
            other.blob(format!("another text, number {at}"));
        }
        let other = other.install(repo).with_extension("idx");
        fs::copy(&other, index).unwrap();
    });
}

/// What git keeps to be faster is not needed.
#[test]
fn a_broken_help_is_done_without() {
    let helps = [
        ("multi-pack-index write", "objects/pack/multi-pack-index"),
        ("commit-graph write --reachable", "objects/info/commit-graph"),
    ];
    type Change = fn(&mut Vec<u8>);
    let changes: [Change; 6] = [
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.fill(0),
        |bytes| bytes[8..].fill(0xff),
        |bytes| bytes.iter_mut().skip(1100).for_each(|byte| *byte ^= 0x55),
        |bytes| {
            let half = bytes.len() / 2;
            bytes[half..].reverse();
        },
    ];
    for (words, path) in helps {
        for change in changes {
            let (_, run) = scan(|repo| {
                removed_token(repo);
                repo.git("repack -q -a -d");
                repo.git(words);
                rewrite(&repo.path(".git").join(path), change);
            });
            assert_eq!(secrets(&run.json()), [npm_token(1)], "{path}");
        }
    }
}

// ---- Loose objects -------------------------------------------------------------

#[test]
fn a_loose_object_that_is_none() {
    let header = |text: &[u8]| deflate(text);
    let files = [
        Vec::new(),
        b"garbage".to_vec(),
        header(b""),
        header(b"no header at all, and no end of it either, not for a long time"),
        header(b"blob 10\0 too short"),
        header(b"blob 4\0 too long"),
        header(b"blob -1\0 below nothing"),
        header(b"blob 99999999999999999999999\0 huge"),
        header(b"blob 1152921504606846976\0 2^60"),
        header(b"blog 5\0 kind"),
        header(b"blob 6\0 whole")[..12].to_vec(),
        {
            let mut packed = header(b"blob 6\0 whole");
            *packed.last_mut().unwrap() ^= 1;
            packed
        },
    ];
    for (at, file) in files.iter().enumerate() {
        breaks_because(&format!("file {at}"), |repo| pack::loose_as(repo, NOBODY, file));
    }
}

#[test]
fn strangers_among_the_loose_objects() {
    let (_, run) = scan(|repo| {
        repo.write(".git/objects/zz/stranger", "x");
        repo.write(".git/objects/11/short", "x");
        repo.write(".git/objects/11/tmp_obj_abcdef", "x");
        repo.write(".git/objects/12", "a file, not a folder");
        pack::loose(repo, "blob", npm_token(1));
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
}

// ---- Much from little ----------------------------------------------------------

const BOMB: u64 = 256 << 20;

#[test]
fn a_bomb_is_searched_in_bounded_memory() {
    let token = npm_token(1);
    let last = format!("\n{token}\n");
    let size = BOMB + last.len() as u64;
    for loose in [true, false] {
        let (_, run) = scan(|repo| {
            if loose {
                let head = format!("blob {size}\0");
                let file = pack::bomb(head.as_bytes(), BOMB, last.as_bytes());
                pack::loose_as(repo, NOBODY, file);
            } else {
                let mut pack = Pack::new();
                let packed = pack::bomb(b"", BOMB, last.as_bytes());
                for at in 0..4 {
                    pack.entry([at; 20], BLOB, size, &[], &packed);
                }
                pack.install(repo);
            }
        });
        assert_eq!(secrets(&run.json()), [token.as_str()], "loose: {loose}");
        assert!(run.peak < 2 * BOMB / 1024 + (100 << 10), "{} kB, loose: {loose}", run.peak);
    }
}

// ---- Tools ---------------------------------------------------------------------

/// The same for a pack, of which the other entries can be read.
#[track_caller]
fn pack_breaks(change: impl Fn(&mut Pack)) {
    for planted in [false, true] {
        let text = |seed| if planted { npm_token(seed) } else { format!("clean {seed}") };
        let (_sandbox, run) = scan(|repo| {
            let mut pack = Pack::new();
            pack.blob(text(1));
            change(&mut pack);
            pack.blob(text(2));
            pack.install(repo);
        });
        let report = run.json();
        let mut expected = if planted { vec![npm_token(1), npm_token(2)] } else { Vec::new() };
        expected.sort_unstable();
        assert_eq!(secrets(&report), expected);
        assert!(gaps(&report) > 0, "no gap is named:\n{}", run.out());
        assert_eq!(run.code, if planted { 1 } else { 3 });
    }
}

/// Packs all and returns the only file of packs with this ending.
fn gc(repo: &Repo, ending: &str) -> PathBuf {
    // So that a pack cut in the middle is cut in an object.
    let noise: String = (0..999u64).map(|at| format!("{:x}", at * 0x9e37_79b9_7f4a)).collect();
    repo.write("noise", noise);
    repo.commit("noise");
    repo.git("repack -q -a -d");
    let mut files = fs::read_dir(repo.path(".git/objects/pack")).unwrap();
    let path = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().path();
    files.by_ref().map(path).find(|path| path.extension().is_some_and(|end| end == ending)).unwrap()
}

/// The index of a pack that holds a token and some more.
fn index_of_a_token(repo: &Repo) -> PathBuf {
    let mut pack = Pack::new();
    pack.blob(npm_token(1));
    for at in 0..9 {
        pack.blob(format!("text {at}"));
    }
    pack.install(repo).with_extension("idx")
}

/// The offsets in an index of ten objects.
fn offsets(index: &mut [u8]) -> &mut [u8] {
    let start = 8 + 256 * 4 + 10 * (20 + 4);
    &mut index[start..start + 10 * 4]
}

/// Makes the checksum of an index right again.
fn sign(index: &mut [u8]) {
    use sha1::{Digest as _, Sha1};
    let end = index.len() - 20;
    let own = Sha1::digest(&index[..end]);
    index[end..].copy_from_slice(&own);
}
