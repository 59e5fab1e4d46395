//! Indexes, loose objects, and much that comes from little.

use std::fs;
use std::path::PathBuf;

use crate::NOBODY;
use crate::common::git::Repo;
use crate::common::{npm_token, secrets};
use crate::hand::{self, BLOB, Pack, deflate};
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
