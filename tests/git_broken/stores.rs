//! Indexes, loose objects, and much that comes from little.

use std::fs;
use std::path::PathBuf;

use crate::NOBODY;
use crate::common::repo::Repo;
use crate::common::{npm_token, secrets};
use crate::hand::{self, BLOB, OFS_DELTA, Pack, Step, deflate, delta};
use crate::owed::{breaks, breaks_because, gc, honest, removed_token, rewrite, scan};

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

type Lie<'l> = &'l dyn Fn(&mut Vec<u8>);

#[test]
fn an_index_that_lies() {
    const FAN: usize = 8;
    let names = FAN + 256 * 4;
    let lies: [Lie<'_>; 10] = [
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
        // All at the same place, and each in the middle of an entry.
        &|bytes| {
            let last = offsets(bytes).chunks_exact(4).max().unwrap().to_vec();
            offsets(bytes).chunks_exact_mut(4).for_each(|offset| offset.copy_from_slice(&last));
        },
        &|bytes| offsets(bytes).chunks_exact_mut(4).for_each(|offset| offset[3] += 1),
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

/// It is needed if a pack has no index of its own.
#[test]
fn an_index_for_all_packs_that_is_none() {
    for text in
        [b"".as_slice(), b"MIDX\x01", b"MIDX\x01\x01", b"MIDX\x01\x01\xff\0\xff\xff\xff\xff"]
    {
        honest(|repo| {
            fs::remove_file(index_of_a_token(repo)).unwrap();
            repo.write(".git/objects/pack/multi-pack-index", text);
        });
    }
    // A good one, cut short everywhere.
    for keep in (0..1500).step_by(53) {
        honest(|repo| {
            removed_token(repo);
            repo.git("repack -q -a -d");
            repo.git("multi-pack-index write");
            rewrite(&repo.path(".git/objects/pack/multi-pack-index"), |bytes| bytes.truncate(keep));
            for entry in fs::read_dir(repo.path(".git/objects/pack")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ending| ending == "idx") {
                    fs::remove_file(path).unwrap();
                }
            }
        });
    }
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
        header(b"blob 11\0 too short"),
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
        breaks_because(&format!("file {at}"), |repo| hand::loose_as(repo, NOBODY, file));
    }
}

#[test]
fn strangers_among_the_loose_objects() {
    let (_, run) = scan(|repo| {
        repo.write(".git/objects/zz/stranger", "x");
        repo.write(".git/objects/11/short", "x");
        repo.write(".git/objects/11/tmp_obj_abcdef", "x");
        repo.write(".git/objects/12", "a file, not a folder");
        hand::loose(repo, "blob", npm_token(1));
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
                let file = hand::bomb(head.as_bytes(), BOMB, last.as_bytes());
                hand::loose_as(repo, NOBODY, file);
            } else {
                let mut pack = Pack::new();
                let packed = hand::bomb(b"", BOMB, last.as_bytes());
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

/// The rest of the pack would be enough for so many bytes: of a blob, of one
/// that others are made of, and of a delta.
#[test]
fn a_size_that_only_the_rest_of_the_pack_could_fill() {
    const LIE: u64 = 1 << 30;
    let step = delta(9, 9, &[Step::Copy(0, 9)]);
    let lies: [&dyn Fn(&mut Pack); 3] = [
        &|pack| {
            pack.entry(NOBODY, BLOB, LIE, &[], &deflate(b"nine byte"));
        },
        &|pack| {
            let base = pack.entry(NOBODY, BLOB, LIE, &[], &deflate(b"nine byte"));
            pack.delta([0x12; 20], base, &step);
        },
        &|pack| {
            let base = pack.blob("nine byte");
            let link = hand::distance(pack.end() - base);
            pack.entry(NOBODY, OFS_DELTA, LIE, &link, &deflate(&step));
        },
    ];
    for (at, lie) in lies.iter().enumerate() {
        let (_sandbox, run) = scan(|repo| {
            let mut pack = Pack::new();
            lie(&mut pack);
            let noise =
                (0..1u64 << 18).flat_map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            pack.blob(noise.collect::<Vec<u8>>());
            pack.blob(npm_token(1));
            pack.install(repo);
        });
        assert_eq!(secrets(&run.json()), [npm_token(1)], "lie {at}");
        assert!(run.peak < 600 << 10, "{} kB, lie {at}", run.peak);
    }
}

// ---- Tools ---------------------------------------------------------------------

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
