//! Strange and hostile repositories: whatever names, refs, settings and shapes
//! they have, nothing is missed unsaid, nothing hangs, and nothing of theirs runs.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use common::broken::{breaks, gaps, honest, honest_past, removed_token, rewrite, scan, survives};
use common::git::Repo;
use common::pack::{self, Oid, Pack, TREE, commit, deflate, hex, leaf, loose};
use common::{Sandbox, findings, npm_token, secrets, skipped};

// ---- What is not there ---------------------------------------------------------

#[test]
fn an_object_that_is_missing() {
    for name in ["HEAD", "HEAD~1", "HEAD^{tree}", "HEAD~1^{tree}", "HEAD:a.txt", "HEAD~1:a.txt"] {
        breaks(|repo| remove(repo, name));
    }
}

#[test]
fn all_objects_are_missing() {
    breaks(|repo| {
        let objects = repo.path(".git/objects");
        fs::remove_dir_all(&objects).unwrap();
        fs::create_dir_all(objects.join("pack")).unwrap();
    });
}

#[test]
fn the_folder_of_objects_is_missing() {
    honest(|repo| fs::remove_dir_all(repo.path(".git/objects")).unwrap());
}

#[test]
fn an_empty_repository_is_clean() {
    for options in ["", "--bare", "--object-format=sha256"] {
        let sandbox = Sandbox::new();
        Repo::init(sandbox.path("repo"), options);
        let report = sandbox.run(["scan", "repo", "-f", "json"]).exits(0).json();
        assert_eq!(report["summary"]["coverage"]["objects"], 0);
    }
}

#[test]
fn a_partial_clone_lacks_blobs() {
    let (_sandbox, run) = scan(|repo| {
        repo.git("config uploadpack.allowFilter true");
        removed_token(repo);
        let words = "clone -q --no-checkout --filter=blob:none";
        repo.git(&format!("{words} file://{} ../clone", repo.path("").display()));
        fs::remove_dir_all(repo.path("")).unwrap();
        fs::rename(repo.path("../clone"), repo.path("")).unwrap();
    });
    assert!(!skipped(&run.json(), "git-missing").is_empty());
    run.exits(3);
}

#[test]
fn a_shallow_clone_is_told_and_is_no_gap() {
    let (_sandbox, run) = scan(|repo| {
        removed_token(repo);
        repo.git(&format!("clone -q --depth=1 file://{} ../clone", repo.path("").display()));
        fs::remove_dir_all(repo.path("")).unwrap();
        fs::rename(repo.path("../clone"), repo.path("")).unwrap();
    });
    assert!(!skipped(&run.json(), "git-shallow").is_empty());
    run.exits(0);
}

// ---- Heads, refs and settings --------------------------------------------------

#[test]
fn a_broken_head_hides_nothing() {
    honest_past(|repo| fs::remove_file(repo.path(".git/HEAD")).unwrap());
    for text in ["", "garbage", "ref: ", "ref: ../../etc/passwd", "ref: refs/heads/none\n", "\0"] {
        survives(|repo| repo.write(".git/HEAD", text));
    }
}

#[test]
fn broken_refs_hide_nothing() {
    let packed = ["", "garbage\n", "# pack-refs with: \0", "0123 refs/heads/x\n^^^\n", "\0\0\n"];
    for text in packed {
        survives(|repo| repo.write(".git/packed-refs", text));
    }
    let garbage = b"\xff\0 garbage".as_slice();
    for text in [b"".as_slice(), b"garbage", b"ref: refs/heads/x", b"ref: ../../../../x", garbage] {
        survives(|repo| repo.write(".git/refs/heads/x", text));
        survives(|repo| repo.write(".git/logs/refs/heads/main", text));
        survives(|repo| repo.write(".git/index", text));
        survives(|repo| repo.write(".git/shallow", text));
        survives(|repo| repo.write(".git/info/grafts", text));
    }
    // A circle of three.
    survives(|repo| {
        for (from, to) in [("a", "b"), ("b", "c"), ("c", "a")] {
            repo.write(format!(".git/refs/heads/{from}"), format!("ref: refs/heads/{to}\n"));
        }
        repo.write(".git/HEAD", "ref: refs/heads/a\n");
    });
    // A folder where there should be a file.
    survives(|repo| {
        fs::remove_file(repo.path(".git/logs/HEAD")).unwrap();
        repo.write(".git/logs/HEAD/x", "x");
        repo.write(".git/refs/tags/folder/x", "x");
    });
}

#[test]
fn broken_settings_hide_nothing() {
    let texts = [
        "[core\n",
        "garbage = \\",
        "[core]\n\tbare = perhaps\n",
        "[core]\n\trepositoryformatversion = 99\n",
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnever = heard\n",
        "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha512\n",
        "[core]\n\tworktree = /\n",
        "[core]\n\tbare = true\n",
        "[include]\n\tpath = config\n",
        "[core]\n\tabbrev = -1\n\tbigFileThreshold = 1\n\tcompression = 99\n\tpackedGitLimit = 1\n",
    ];
    for text in texts {
        honest_past(|repo| repo.write(".git/config", text));
    }
}

/// Whatever a repository names to be run leaves a mark, and there is none.
#[test]
fn nothing_that_a_repository_names_is_run() {
    let (sandbox, run) = scan(|repo| {
        removed_token(repo);
        let program = repo.path("../program");
        let mark = repo.path("../mark");
        fs::write(&program, format!("#!/bin/sh\necho $0 >>{}\n", mark.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        repo.write(".gitattributes", "* filter=x diff=x merge=x text eol=crlf ident\n");
        repo.write(".git/info/attributes", "* filter=x diff=x\n");
        for hook in ["post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"] {
            fs::copy(&program, repo.path(format!(".git/hooks/{hook}"))).unwrap();
        }
        let program = program.display();
        let settings = format!(
            "[core]\n\trepositoryformatversion = 1\n\tfsmonitor = {program}\n\
             \thooksPath = {hooks}\n\tsshCommand = {program}\n\tpager = {program}\n\
             \teditor = {program}\n\taskPass = {program}\n\tgitProxy = {program}\n\
             \talternateRefsCommand = {program}\n\
             [filter \"x\"]\n\tsmudge = {program}\n\tclean = {program}\n\tprocess = {program}\n\
             \trequired = true\n\
             [diff]\n\texternal = {program}\n\
             [diff \"x\"]\n\tcommand = {program}\n\ttextconv = {program}\n\
             [alias]\n\tlog = !{program}\n\tstatus = !{program}\n\
             [credential]\n\thelper = !{program}\n\
             [gpg]\n\tprogram = {program}\n\
             [uploadpack]\n\tpackObjectsHook = {program}\n\
             [include]\n\tpath = ../../more\n\
             [remote \"origin\"]\n\turl = ext::{program}\n\tpromisor = true\n\
             \tpartialclonefilter = blob:none\n\tuploadpack = {program}\n\
             [extensions]\n\tpartialClone = origin\n",
            hooks = repo.path(".git/hooks").display(),
        );
        fs::write(repo.path("../more"), format!("[core]\n\tfsmonitor = {program}\n")).unwrap();
        repo.write(".git/config", settings);
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
    assert!(
        !sandbox.path("mark").exists(),
        "{}",
        fs::read_to_string(sandbox.path("mark")).unwrap()
    );
}

/// Whoever opens a pipe that nobody writes to waits for ever.
#[test]
fn a_pipe_in_place_of_a_file_stops_nobody() {
    let places = [
        "HEAD",
        "config",
        "index",
        "packed-refs",
        "shallow",
        "commondir",
        "FETCH_HEAD",
        "logs/HEAD",
        "refs/heads/pipe",
        "info/grafts",
        "objects/info/alternates",
        "objects/info/commit-graph",
        "objects/pack/multi-pack-index",
        "objects/pack/pack-1111111111111111111111111111111111111111.idx",
        "objects/pack/pack-1111111111111111111111111111111111111111.pack",
        "objects/11/11111111111111111111111111111111111111",
        "worktrees/x/HEAD",
        "worktrees/x/gitdir",
        "modules/x/HEAD",
    ];
    for place in places {
        honest_past(|repo| pipe(&repo.path(".git").join(place)));
    }
    honest_past(|repo| {
        pipe(&repo.path("../pipe"));
        repo.write(".git/config", "[include]\n\tpath = ../../pipe\n");
    });
    honest_past(|repo| pipe(&repo.path("nested/.git")));
}

#[test]
fn a_file_that_leads_to_a_repository_may_lead_nowhere() {
    let texts = [
        "gitdir: .git\n",
        "gitdir: ../nested/.git\n",
        "gitdir: /dev/zero\n",
        "gitdir: \n",
        "garbage",
        "\0",
    ];
    for text in texts {
        survives(|repo| repo.write("nested/.git", text));
    }
    // Itself by way of the common folder of linked work trees.
    survives(|repo| {
        let folder = ".git/worktrees/x";
        repo.write(format!("{folder}/HEAD"), "ref: refs/heads/main\n");
        repo.write(format!("{folder}/commondir"), ".\n");
        repo.write(format!("{folder}/gitdir"), format!("{folder}/gitdir\n"));
        repo.write("nested/.git", "gitdir: ../.git/worktrees/x\n");
    });
}

// ---- Stores of others ----------------------------------------------------------

#[test]
fn a_store_that_borrows_from_nowhere() {
    breaks(|repo| repo.write(".git/objects/info/alternates", "/nowhere/at/all\n"));
}

#[test]
fn stores_that_borrow_in_a_circle() {
    survives(|repo| {
        let store = repo.path("../other");
        fs::create_dir_all(store.join("info")).unwrap();
        let ours = repo.path(".git/objects");
        fs::write(store.join("info/alternates"), format!("{}\n", ours.display())).unwrap();
        let text = format!("{}\n{}\n", store.display(), ours.display());
        repo.write(".git/objects/info/alternates", text);
    });
}

#[test]
fn stores_that_borrow_thousands_deep() {
    honest(|repo| {
        let at = |depth: usize| repo.path(format!("../stores/{depth}"));
        for depth in 0..3000 {
            fs::create_dir_all(at(depth).join("info")).unwrap();
            let next = format!("{}\n", at(depth + 1).display());
            fs::write(at(depth).join("info/alternates"), next).unwrap();
        }
        loose(repo, "blob", npm_token(1));
        fs::rename(repo.path(".git/objects"), at(3000)).unwrap();
        repo.write(".git/objects/info/alternates", format!("{}\n", at(0).display()));
    });
}

#[test]
fn a_store_behind_a_symbolic_link() {
    honest_past(|repo| {
        fs::rename(repo.path(".git/objects"), repo.path("../objects")).unwrap();
        symlink(repo.path("../objects"), repo.path(".git/objects")).unwrap();
    });
}

// ---- Shapes --------------------------------------------------------------------

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
            let oid = pack::oid("tag", &tag);
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
                let oid = pack::oid("commit", &text);
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

// ---- A byte here and there -----------------------------------------------------

/// Each file of a repository, with a byte changed or its end cut off.
#[test]
fn any_file_may_be_broken_anywhere() {
    const STEPS: usize = 8;
    let sandbox = Sandbox::new();
    let repo = Repo::init(sandbox.path("repo"), "");
    for at in 0..20 {
        repo.write("a.txt", format!("{at}\n").repeat(50 + at));
        repo.commit("some");
    }
    repo.git("tag -a -m tag v1");
    repo.git("gc -q");
    repo.git("multi-pack-index write");
    repo.git("commit-graph write --reachable");
    repo.write("b.txt", "added");
    repo.commit("loose");
    loose(&repo, "blob", npm_token(1));
    let mut files = Vec::new();
    list(&repo.path(".git"), &mut files);
    files.retain(|path| !path.components().any(|part| part.as_os_str() == "hooks"));
    for file in &files {
        let whole = fs::read(file).unwrap();
        let mut changes: Vec<Vec<u8>> = vec![Vec::new(), whole[..whole.len() / 2].to_vec()];
        for step in 0..STEPS.min(whole.len()) {
            let mut changed = whole.clone();
            changed[step * (whole.len() - 1) / STEPS] ^= 1 << step;
            changes.push(changed);
        }
        for change in changes {
            rewrite(file, |bytes| *bytes = change);
            let run = sandbox.run(["scan", "repo", "--show-secrets", "-f", "json"]);
            let report = run.json();
            let honest = secrets(&report) == [npm_token(1)] || gaps(&report) > 0;
            assert!(honest, "{}: {}", file.display(), run.out());
            assert!(!run.err().contains("panicked"), "{}: {}", file.display(), run.err());
        }
        rewrite(file, |bytes| *bytes = whole);
    }
}

// ---- Tools ---------------------------------------------------------------------

/// Removes the loose object of this name.
fn remove(repo: &Repo, name: &str) {
    let oid = repo.git(&format!("rev-parse {name}"));
    let path = repo.path(".git/objects").join(&oid[..2]).join(&oid[2..]);
    fs::remove_file(path).unwrap();
}

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

/// A pipe in place of what is there.
fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// All files below a folder.
fn list(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
}
