//! Objects of any shape.

use crate::common::repo::Repo;
use crate::common::{findings, npm_token, secrets};
use crate::hand::{self, Oid, Pack, TREE, commit, deflate, hex, leaf, loose};
use crate::owed::scan;

#[test]
fn names_of_any_bytes() {
    let names: [&[u8]; 13] = [
        b"..",
        b".",
        b".git",
        b"",
        b"a/b",
        b"../../up",
        b"/etc/passwd",
        b"line\nfeed",
        b"\x1b[2Jclear",
        b"\xff\xfe",
        b"C:\\con",
        "right\u{202e}left".as_bytes(),
        &[b'n'; 4000],
    ];
    let (sandbox, run) = scan(|repo| {
        let entries = names
            .iter()
            .zip(1..)
            .map(|(name, seed)| leaf("100644", name, &loose(repo, "blob", npm_token(seed))));
        branch(repo, "names", loose(repo, "tree", entries.collect::<Vec<_>>().concat()));
    });
    assert_eq!(findings(&run.json()).len(), names.len());
    for format in ["text", "json", "sarif", "github"] {
        let out = sandbox.run(["scan", "repo", "-f", format]).exits(1).out();
        let foul = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!out.contains(foul), "{format}: {out:?}");
    }
}

#[test]
fn entries_of_any_mode() {
    let modes = ["1", "0", "", "040000", "40000", "120000", "160000", "100644x", "999999999999"];
    let (_sandbox, run) = scan(|repo| {
        for (mode, seed) in modes.iter().zip(1..) {
            let tree = leaf(mode, "a.env", &loose(repo, "blob", npm_token(seed)));
            branch(repo, &format!("mode{seed}"), loose(repo, "tree", tree));
        }
        // A tree cut short, and one that is none.
        for (name, text) in [("cut", b"100644 a\0\x01".as_slice()), ("none", b"garbage")] {
            branch(repo, name, loose(repo, "tree", text));
        }
        let inner = loose(repo, "tree", leaf("100644", "a", &loose(repo, "blob", "a")));
        branch(repo, "blob", loose(repo, "tree", leaf("100644", "tree-as-blob", &inner)));
    });
    assert_eq!(findings(&run.json()).len(), modes.len());
}

#[test]
fn trees_two_thousand_deep() {
    let (_sandbox, run) = scan(|repo| {
        let mut tree = leaf("100644", "a.env", &loose(repo, "blob", npm_token(1)));
        for _ in 0..2000 {
            tree = leaf("40000", "d", &loose(repo, "tree", tree));
        }
        branch(repo, "deep", loose(repo, "tree", tree));
    });
    let report = run.exits(1).json();
    assert_eq!(secrets(&report), [npm_token(1)]);
    let location = &findings(&report)[0]["locations"][0];
    assert_eq!(location["path"], format!("{}a.env", "d/".repeat(2000)));
}

/// Ten entries that all name the next tree: there are 10¹² ways down.
#[test]
fn trees_that_share_their_branches() {
    let (_sandbox, run) = scan(|repo| {
        let mut tree = leaf("100644", "a.env", &loose(repo, "blob", npm_token(1)));
        for _ in 0..12 {
            let next = loose(repo, "tree", tree);
            let entries = (0..10).map(|at| leaf("40000", format!("d{at}"), &next));
            tree = entries.collect::<Vec<_>>().concat();
        }
        branch(repo, "wide", loose(repo, "tree", tree));
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
    assert!(run.peak < 300 << 10, "{} kB", run.peak);
}

/// Names can be made to lie: an index gives them, and nobody checks.
#[test]
fn trees_commits_and_tags_that_hold_themselves() {
    let (_sandbox, run) = scan(|repo| {
        let mut pack = Pack::new();
        let mut add = |oid: Oid, kind: u8, bytes: &[u8]| {
            pack.entry(oid, kind, bytes.len() as u64, &[], &deflate(bytes));
        };
        let blob = loose(repo, "blob", npm_token(1));
        let (tree, one, two, tag) = ([0x21; 20], [0x22; 20], [0x23; 20], [0x24; 20]);
        let text = [leaf("100644", "a.env", &blob), leaf("40000", "d", &tree)].concat();
        add(tree, TREE, &text);
        add(one, 1, &commit(tree, &[two], "1700000000 +0000"));
        add(two, 1, &commit(tree, &[one, two], "1700000000 +0000"));
        add(tag, 4, &tag_of(tag, "tag", &npm_token(2)));
        pack.install(repo);
        for (name, oid) in [("heads/one", one), ("heads/tree", tree), ("tags/tag", tag)] {
            repo.write(format!(".git/refs/{name}"), hex(&oid) + "\n");
        }
    });
    let mut expected = [npm_token(1), npm_token(2)];
    expected.sort_unstable();
    assert_eq!(secrets(&run.json()), expected);
}

#[test]
fn a_tag_of_a_tag_five_thousand_times() {
    let (_sandbox, run) = scan(|repo| {
        let mut pack = Pack::new();
        let mut tag = tag_of(loose(repo, "blob", npm_token(1)), "blob", "the first");
        for at in 0..5000 {
            let oid = hand::oid("tag", &tag);
            pack.entry(oid, 4, tag.len() as u64, &[], &deflate(&tag));
            tag = tag_of(oid, "tag", &format!("number {at}"));
        }
        let last = loose(repo, "tag", tag);
        pack.install(repo);
        repo.write(".git/refs/tags/chain", hex(&last) + "\n");
    });
    let report = run.exits(1).json();
    assert_eq!(secrets(&report), [npm_token(1)]);
}

#[test]
fn a_commit_of_five_thousand_parents() {
    let (_sandbox, run) = scan(|repo| {
        let mut pack = Pack::new();
        let clean = loose(repo, "tree", []);
        let tree = loose(repo, "tree", leaf("100644", "a.env", &loose(repo, "blob", npm_token(1))));
        let parents: Vec<Oid> = (0..5000)
            .map(|at| {
                let tree = if at == 4000 { tree } else { clean };
                let text = commit(tree, &[], &format!("{} +0000", 1_700_000_000 + at));
                let oid = hand::oid("commit", &text);
                pack.entry(oid, 1, text.len() as u64, &[], &deflate(&text));
                oid
            })
            .collect();
        pack.install(repo);
        let merge = loose(repo, "commit", commit(clean, &parents, "1800000000 +0000"));
        repo.write(".git/refs/heads/merge", hex(&merge) + "\n");
    });
    let report = run.exits(1).json();
    let location = &findings(&report)[0]["locations"][0];
    assert_eq!(location["commit_time"], "2023-11-14T23:20:00Z");
    assert_eq!(location["ref"], "refs/heads/merge");
}

#[test]
fn commits_of_any_date() {
    let dates = [
        "-5 +0000",
        "0 +0000",
        "253402300799 +0000",
        "253402300800 +0000",
        "99999999999999 +0000",
        "9223372036854775807 +0000",
        "99999999999999999999999 +0000",
        "1700000000 +9999",
        "1700000000 -99999999999",
        "1700000000",
        "",
        "never +0000",
    ];
    let (_sandbox, run) = scan(|repo| {
        for (date, seed) in dates.iter().zip(1..) {
            let blob = loose(repo, "blob", npm_token(seed));
            let tree = loose(repo, "tree", leaf("100644", "a.env", &blob));
            let commit = loose(repo, "commit", commit(tree, &[], date));
            repo.write(format!(".git/refs/heads/date{seed}"), hex(&commit) + "\n");
        }
    });
    let report = run.exits(1).json();
    assert_eq!(findings(&report).len(), dates.len());
    for finding in findings(&report) {
        let location = &finding["locations"][0];
        assert!(location["commit"].is_string(), "{location}");
        let time = location["commit_time"].as_str();
        assert!(time.is_none_or(|time| time.ends_with('Z') && time.contains('T')), "{location}");
    }
}

#[test]
fn commits_of_any_form() {
    let texts = [
        "TOKEN",
        "\nTOKEN",
        "tree TOKEN\n\n",
        "tree 1111111111111111111111111111111111111111\n\nTOKEN\n",
        "author\ncommitter\n\nTOKEN\0 and more",
        "tree 1111111111111111111111111111111111111111\nparent x\nencoding utf-99\n\n\u{1b}TOKEN",
    ];
    let (_sandbox, run) = scan(|repo| {
        for (text, seed) in texts.iter().zip(1..) {
            let oid = loose(repo, "commit", text.replace("TOKEN", &npm_token(seed)));
            repo.write(format!(".git/refs/heads/form{seed}"), hex(&oid) + "\n");
        }
    });
    let report = run.exits(1).json();
    assert_eq!(findings(&report).len(), texts.len());
    let all = findings(&report).iter().flat_map(|finding| finding["locations"].as_array().unwrap());
    assert!(all.clone().all(|location| location["origin"] == "git-commit"));
}

/// The same object many times over is one.
#[test]
fn an_object_in_many_places_is_one() {
    let (_sandbox, run) = scan(|repo| {
        let token = npm_token(1);
        loose(repo, "blob", &token);
        for at in 0..3 {
            let mut pack = Pack::new();
            pack.blob(&token);
            pack.blob(format!("so that it is another pack, {at}"));
            pack.blob(&token);
            pack.install(repo);
        }
    });
    let report = run.exits(1).json();
    assert_eq!(findings(&report)[0]["places"], 1);
}

// ---- Tools -------------------------------------------------------------------

/// A branch with a commit of this tree.
fn branch(repo: &Repo, name: &str, tree: Oid) {
    let commit = loose(repo, "commit", commit(tree, &[], "1700000000 +0000"));
    repo.write(format!(".git/refs/heads/{name}"), hex(&commit) + "\n");
}

fn tag_of(object: Oid, kind: &str, message: &str) -> Vec<u8> {
    let who = "Ada <ada@example.com> 1700000000 +0000";
    let object = hex(&object);
    format!("object {object}\ntype {kind}\ntag t\ntagger {who}\n\n{message}\n").into()
}
