//! What is missing, broken or hostile beside the objects.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::repo::Repo;
use crate::common::{Sandbox, findings, npm_token, secrets, skipped};
use crate::hand::loose;
use crate::owed::{breaks, gaps, honest, honest_past, removed_token, scan, survives};

// ---- What is not there ---------------------------------------------------------

#[test]
fn a_commit_that_is_missing() {
    for name in ["HEAD", "HEAD~1"] {
        breaks(|repo| remove(repo, name));
    }
}

#[test]
fn a_tree_that_is_missing() {
    for name in ["HEAD^{tree}", "HEAD~1^{tree}"] {
        breaks(|repo| remove(repo, name));
    }
}

#[test]
fn a_blob_that_is_missing() {
    for name in ["HEAD:a.txt", "HEAD~1:a.txt"] {
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
        fs::rename(repo.beside("clone"), repo.path("")).unwrap();
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
        fs::rename(repo.beside("clone"), repo.path("")).unwrap();
    });
    assert!(!skipped(&run.json(), "git-shallow").is_empty());
    run.exits(0);
}

// ---- Heads, refs and settings --------------------------------------------------

#[test]
fn a_broken_head_hides_nothing() {
    honest_past(|repo| fs::remove_file(repo.path(".git/HEAD")).unwrap());
    let texts = [
        "",
        "garbage",
        "\0",
        "ref: ",
        "ref: .",
        "ref: refs/heads",
        "ref: refs/heads/none\n",
        // Names that lead out of the repository, and to what never ends.
        "ref: ../../etc/passwd",
        "ref: /dev/zero",
        "ref: ../../../../../../../../../../dev/zero",
    ];
    for text in texts {
        survives(|repo| repo.write(".git/HEAD", text));
        survives(|repo| repo.write(".git/refs/heads/x", text));
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
        let program = repo.beside("program");
        let mark = repo.beside("mark");
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
        fs::write(repo.beside("more"), format!("[core]\n\tfsmonitor = {program}\n")).unwrap();
        repo.write(".git/config", settings);
    });
    assert_eq!(secrets(&run.json()), [npm_token(1)]);
    assert!(
        !sandbox.path("mark").exists(),
        "{}",
        fs::read_to_string(sandbox.path("mark")).unwrap()
    );
}

/// The kind of hash must be guessed then.
#[test]
fn broken_settings_of_a_sha256_repository_hide_nothing() {
    for (text, packed) in [("[core\n", true), ("[core\n", false), ("", true), ("", false)] {
        let sandbox = Sandbox::new();
        let repo = Repo::init(sandbox.path("repo"), "--object-format=sha256");
        removed_token(&repo);
        if packed {
            repo.git("gc -q");
        }
        repo.write(".git/config", text);
        let report = sandbox.report(["repo"]);
        let honest = !findings(&report).is_empty() || gaps(&report) > 0;
        assert!(honest, "{text:?}, packed: {packed}: {report:#}");
    }
}

/// Whoever opens a pipe that nobody writes to waits for ever, and whoever
/// reads zeros reads for ever.
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
        honest_past(|repo| {
            let path = repo.path(".git").join(place);
            let _ = fs::remove_file(&path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink("/dev/zero", path).unwrap();
        });
    }
    honest_past(|repo| {
        pipe(&repo.beside("pipe"));
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
        let store = repo.beside("other");
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
        let at = |depth: usize| repo.beside(format!("stores/{depth}"));
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
        fs::rename(repo.path(".git/objects"), repo.beside("objects")).unwrap();
        symlink(repo.beside("objects"), repo.path(".git/objects")).unwrap();
    });
}

// ---- Tools ---------------------------------------------------------------------

/// Removes the loose object of this name.
fn remove(repo: &Repo, name: &str) {
    let oid = repo.git(&format!("rev-parse {name}"));
    let path = repo.path(".git/objects").join(&oid[..2]).join(&oid[2..]);
    fs::remove_file(path).unwrap();
}

/// A pipe in place of what is there.
fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
