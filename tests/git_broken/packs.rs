//! Packs and the deltas in them.

use std::fs;

use crate::NOBODY;
use crate::common::repo::Repo;
use crate::common::{Sandbox, npm_token, secrets};
use crate::hand::{self, BLOB, OFS_DELTA, Oid, Pack, REF_DELTA, Step, deflate, delta};
use crate::owed::{breaks, gaps, gc, honest, rewrite, scan};

/// What the tests write by hand is what git would have written.
#[test]
fn git_reads_our_packs() {
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "");
    let mut pack = Pack::new();
    let base = "text ".repeat(999);
    let texts = [base.clone() + "one", base.clone() + "two"];
    let name = |text: &str| hand::oid("blob", text.as_bytes());
    let size = base.len() as u64;
    let step = |end| delta(size, size + 3, &[Step::Copy(0, size as u32), Step::Insert(end)]);
    let start = pack.blob(&base);
    pack.delta(name(&texts[0]), start, &step(b"one"));
    let two = step(b"two");
    let link = name(&base);
    pack.entry(name(&texts[1]), REF_DELTA, two.len() as u64, &link, &deflate(&two));
    pack.install(&repo);
    for text in [&base, &texts[0], &texts[1]] {
        assert_eq!(repo.git(&format!("cat-file blob {}", hand::hex(&name(text)))), text.trim());
    }
}

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
            let mut packed = hand::store(text);
            packed[at] ^= 0x40;
            pack.entry(hand::oid("blob", text), BLOB, text.len() as u64, &[], &packed);
        });
    }
}

#[test]
fn a_blob_that_lies_about_its_size() {
    for size in [0, 1, 8, 10, 1 << 20, 1 << 31, 1 << 32, 1 << 60, u64::MAX] {
        pack_breaks_because(&format!("size {size}"), |pack| {
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
fn deltas_in_a_circle_through_two_packs() {
    let step = delta(3, 3, &[Step::Copy(0, 3)]);
    breaks(|repo| {
        for (oid, base) in [([7; 20], [8; 20]), ([8; 20], [7; 20])] {
            let mut pack = Pack::new();
            pack.entry(oid, REF_DELTA, step.len() as u64, &base, &deflate(&step));
            pack.install(repo);
        }
    });
}

/// Git, too, looks for another copy of a base that it cannot read.
#[test]
fn a_delta_whose_base_can_be_read_elsewhere() {
    let (token, base) = (npm_token(1), "a base of some length, to be copied from");
    let size = base.len() as u64;
    let steps = [Step::Copy(0, size as u32), Step::Insert(token.as_bytes())];
    let step = delta(size, size + token.len() as u64, &steps);
    let (_, run) = scan(|repo| {
        let mut pack = Pack::new();
        let name = hand::oid("blob", base.as_bytes());
        let mut packed = deflate(base.as_bytes());
        packed[9] ^= 0x55;
        let start = pack.entry(name, BLOB, size, &[], &packed);
        pack.delta(hand::oid("blob", format!("{base}{token}").as_bytes()), start, &step);
        pack.install(repo);
        hand::loose(repo, "blob", base);
    });
    assert_eq!(secrets(&run.json()), [token.as_str()]);
}

#[test]
fn a_delta_whose_base_is_nowhere() {
    let step = delta(3, 3, &[Step::Copy(0, 3)]);
    let size = step.len() as u64;
    pack_breaks(|pack| {
        pack.entry([7; 20], REF_DELTA, size, &NOBODY, &deflate(&step));
    });
    let back = |far: u64| hand::distance(far);
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
        pack_breaks_because(&format!("{lie:02x?}"), |pack| {
            let base = pack.blob("ten bytes.");
            pack.delta(NOBODY, base, &lie);
        });
        // Without an index, whoever reads it has to find out what is what.
        honest(|repo| {
            let mut pack = Pack::new();
            pack.blob("ten bytes.");
            let (size, base) = (lie.len() as u64, hand::oid("blob", b"ten bytes."));
            pack.entry(NOBODY, REF_DELTA, size, &base, &deflate(&lie));
            pack.blob(npm_token(1));
            fs::remove_file(pack.install(repo).with_extension("idx")).unwrap();
        });
    }
}

/// A few hundred bytes that stand for terabytes.
#[test]
fn deltas_that_grow_without_bound() {
    let (_, run) = scan(|repo| {
        let mut pack = Pack::new();
        let (mut base, mut size) = (pack.blob([b'a'; 1 << 16]), 1u64 << 16);
        for level in 0..4u8 {
            let count = size.min(0xff_ffff);
            let steps: Vec<_> = (0..=255 << level).map(|_| Step::Copy(0, count as u32)).collect();
            let result = count * steps.len() as u64;
            base = pack.delta([level; 20], base, &delta(size, result, &steps));
            size = result;
        }
        pack.install(repo);
        hand::loose(repo, "blob", npm_token(1));
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
    assert!(gaps(&run.json()) > 0);
    assert!(run.peak < 600 << 10, "{} kB", run.peak);
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

/// Each base stands behind its delta, and no index says where.
#[test]
fn a_chain_told_backwards_without_an_index() {
    let text = |level: u32| format!("{level:010} of many");
    honest(|repo| {
        let mut pack = Pack::new();
        for level in (1..3000).rev() {
            let (name, base) = (hand::oid("blob", text(level).as_bytes()), text(level - 1));
            let step = delta(18, 18, &[Step::Insert(text(level).as_bytes())]);
            let link = hand::oid("blob", base.as_bytes());
            pack.entry(name, REF_DELTA, step.len() as u64, &link, &deflate(&step));
        }
        pack.blob(text(0));
        pack.blob(npm_token(1));
        fs::remove_file(pack.install(repo).with_extension("idx")).unwrap();
    });
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
    let name = hand::oid("blob", format!("some text and {token}").as_bytes());
    for packed in [true, false] {
        let (_, run) = scan(|repo| {
            let mut thin = Pack::new();
            let link = hand::oid("blob", base.as_bytes());
            thin.entry(name, REF_DELTA, step.len() as u64, &link, &deflate(&step));
            thin.install(repo);
            let mut other = Pack::new();
            if packed {
                other.blob(&base);
                other.install(repo);
            } else {
                hand::loose(repo, "blob", &base);
            }
        });
        assert_eq!(secrets(&run.json()), [token.as_str()], "base in a pack: {packed}");
    }
}

// ---- Tools ---------------------------------------------------------------------

/// The same as `breaks` for a pack, of which the other entries can be read.
#[track_caller]
fn pack_breaks(change: impl Fn(&mut Pack)) {
    pack_breaks_because("", change);
}

#[track_caller]
fn pack_breaks_because(why: &str, change: impl Fn(&mut Pack)) {
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
        assert_eq!(secrets(&report), expected, "{why}");
        assert!(gaps(&report) > 0, "no gap is named {why}:\n{}", run.out());
        assert_eq!(run.code, if planted { 1 } else { 3 }, "{why}");
    }
}
