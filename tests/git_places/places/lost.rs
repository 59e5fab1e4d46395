//! What no branch holds, and repositories beside repositories.

use std::fs;

use serde_json::{Value, json};

use super::{Places, env};
use crate::common::repo::Repo;

impl Places {
    pub(super) fn lost_commits(&mut self) {
        let (reset, deleted, message, stray, blob) =
            (self.token(), self.token(), self.token(), self.token(), self.token());
        let repo = &self.repo;
        repo.write("reset.env", env(&reset));
        let undone = repo.commit("undone");
        repo.git("reset -q --hard HEAD~1");
        repo.git("checkout -q -b doomed");
        repo.write("doomed.env", env(&deleted));
        let doomed = repo.commit("doomed");
        repo.git("checkout -q main");
        repo.git("branch -q -D doomed");
        let tree = repo.git("rev-parse HEAD^{tree}");
        let worded = repo.feed(&format!("commit-tree {tree}"), &message);
        let lost = repo.stray("lost.env", env(&stray), "");
        let oid = repo.blob(env(&blob));

        let place = |path: &str, commit: &str, held: &str| {
            json!({
                "origin": "git-blob", "path": path, "commit": commit, "ref": null,
                "unreachable": held, "in_head": false,
            })
        };
        self.expect("a commit undone", reset, [place("reset.env", &undone, "reflog")]);
        self.expect("a deleted branch", deleted, [place("doomed.env", &doomed, "reflog")]);
        self.expect("a commit of nobody's", stray, [place("lost.env", &lost, "dangling")]);
        let place = Self::object("commit", &worded, "dangling".into());
        self.expect("the message of a commit of nobody's", message, [place]);
        let mut place = Self::object("blob", &oid, "dangling".into());
        place["path"] = format!("object/{oid}").into();
        place["commit"] = Value::Null;
        self.expect("a blob of nobody's", blob, [place]);
    }

    pub(super) fn stashes(&mut self) {
        self.repo.write("stashed.env", "none\n");
        self.repo.commit("to be stashed");
        for (whats, held) in [
            (
                [
                    "the work tree of a dropped stash",
                    "the index of a dropped stash",
                    "a new file in a dropped stash",
                    "the message of a dropped stash",
                ],
                "dangling",
            ),
            (
                [
                    "the work tree of an older stash",
                    "the index of an older stash",
                    "a new file in an older stash",
                    "the message of an older stash",
                ],
                "stash",
            ),
            (
                [
                    "the work tree of a stash",
                    "the index of a stash",
                    "a new file in a stash",
                    "the message of a stash",
                ],
                "stash",
            ),
        ] {
            let tokens = [self.token(), self.token(), self.token(), self.token()];
            self.repo.write("stashed.env", env(&tokens[1]));
            self.repo.git("add stashed.env");
            self.repo.write("stashed.env", env(&tokens[0]));
            self.repo.write("new.env", env(&tokens[2]));
            self.repo.git(&format!("stash push -q -u -m {}", tokens[3]));
            if held == "dangling" {
                self.repo.git("stash drop -q");
            }
            let paths = ["stashed.env", "stashed.env", "new.env", "commit"];
            for ((what, token), path) in whats.into_iter().zip(tokens).zip(paths) {
                let place = match path {
                    "commit" => json!({ "origin": "git-commit", "unreachable": held }),
                    path => json!({ "origin": "git-blob", "path": path, "unreachable": held }),
                };
                self.expect(what, token, [place]);
            }
        }
    }

    /// Repositories inside of this one.
    pub(super) fn other_repositories(&mut self, options: &str) {
        let (nested, bare, library) = (self.token(), self.token(), self.token());
        let inner = Repo::init(self.repo.path("vendor/nested"), "");
        inner.write("a.env", env(&nested));
        let first = inner.commit("add");
        inner.git("rm -q a.env");
        inner.commit("remove");
        let place = json!({
            "origin": "git-blob", "path": "vendor/nested/a.env", "commit": first,
            "ref": "refs/heads/main", "in_head": false,
        });
        self.expect("a nested repository", nested, [place]);

        let inner = Repo::init(self.repo.path("mirrors/bare.git"), "--bare");
        let commit = inner.stray("b.env", env(&bare), "");
        inner.git(&format!("update-ref refs/heads/main {commit}"));
        let place = json!({
            "origin": "git-blob", "path": "mirrors/bare.git/b.env", "commit": commit,
            "ref": "refs/heads/main", "in_head": true,
        });
        self.expect("a bare repository", bare, [place]);
        self.repo.write(".git/info/exclude", "plain.env\nvendor/\nmirrors/\n");

        let origin = Repo::init(self.sandbox.path("library"), options);
        origin.write("lib.env", env(&library));
        let commit = origin.commit("add");
        origin.git("rm -q lib.env");
        origin.commit("remove");
        let url = self.sandbox.path("library");
        self.repo.git(&format!("submodule --quiet add {} sub", url.display()));
        self.repo.commit("a submodule");
        let place = json!({
            "origin": "git-blob", "path": ["sub/lib.env", ".git/modules/sub/lib.env"],
            "commit": commit, "unreachable": null, "in_head": false,
        });
        self.expect("a submodule", library, [place]);
    }

    /// A second work tree, which stands outside of what is scanned.
    pub(super) fn linked_worktree(&mut self) {
        let (head, undone, staged) = (self.token(), self.token(), self.token());
        self.repo.git("worktree add -q --detach ../linked");
        let linked = Repo::at(self.sandbox.path("linked"));
        linked.write("linked.env", env(&head));
        let commit = linked.commit("detached");
        linked.write("undone.env", env(&undone));
        let reset = linked.commit("undone");
        linked.git("reset -q --hard HEAD~1");
        linked.write("second.env", env(&staged));
        linked.git("add second.env");
        let place = json!({
            "origin": "git-blob", "path": "linked.env", "commit": commit, "unreachable": null,
            "in_head": false,
        });
        self.expect("the head of a linked work tree", head, [place]);
        let place = json!({
            "origin": "git-blob", "path": "undone.env", "commit": reset, "unreachable": "reflog",
        });
        self.expect("the reflog of a linked work tree", undone, [place]);
        let place = json!({
            "origin": "git-blob", "path": "second.env", "commit": null, "unreachable": "index",
        });
        self.expect("the index of a linked work tree", staged, [place]);
    }

    /// Commits that only a file beside HEAD names.
    pub(super) fn heads(&mut self) {
        for (what, name) in [("ORIG_HEAD", "ORIG_HEAD"), ("FETCH_HEAD", "FETCH_HEAD")] {
            let token = self.token();
            let commit = self.repo.stray("head.env", env(&token), "");
            let more = if name == "FETCH_HEAD" { "\t\tbranch 'x' of there" } else { "" };
            self.repo.write(format!(".git/{name}"), format!("{commit}{more}\n"));
            let place = json!({
                "origin": "git-blob", "path": "head.env", "commit": commit,
                "unreachable": ["dangling", null],
            });
            self.expect(what, token, [place]);
        }
    }

    pub(super) fn plain_files(&mut self) {
        let (url, hook, message) = (self.token(), self.token(), self.token());
        let remote = format!("https://ci:{url}@git.example.com/a.git");
        self.repo.git(&format!("config remote.mirror.url {remote}"));
        self.repo.write(".git/hooks/pre-commit", format!("#!/bin/sh\nexport NPM_TOKEN={hook}\n"));
        self.repo.write(".git/COMMIT_EDITMSG", format!("given up, {message}\n"));
        let config = json!({ "origin": "git-config", "path": ".git/config" });
        self.expect("the URL of a remote", url, [config]);
        let file = |path: &str| json!({ "path": path });
        self.expect("a hook", hook, [file(".git/hooks/pre-commit")]);
        self.expect("a message given up", message, [file(".git/COMMIT_EDITMSG")]);
    }

    /// The last, for `git add` would change it.
    pub(super) fn index(&mut self) {
        let (staged, conflict, unstaged) = (self.token(), self.token(), self.token());
        self.repo.write("staged.env", env(&staged));
        self.repo.write("unstaged.env", env(&unstaged));
        self.repo.git("add staged.env unstaged.env");
        let oid = self.repo.git("rev-parse :unstaged.env");
        self.repo.git("rm -q --cached unstaged.env");
        let theirs = self.repo.blob(env(&conflict));
        let line = format!("100644 {theirs} 3\tconflict.env\n");
        self.repo.feed("update-index --index-info", line);
        for name in ["staged.env", "unstaged.env"] {
            fs::remove_file(self.repo.path(name)).unwrap();
        }
        let place = |path: &str| {
            json!({
                "origin": "git-blob", "path": path, "commit": null, "ref": null,
                "unreachable": "index",
            })
        };
        self.expect("a staged file", staged, [place("staged.env")]);
        self.expect("their side of a conflict", conflict, [place("conflict.env")]);
        let place = json!({
            "origin": "git-blob", "path": format!("object/{oid}"), "unreachable": "dangling",
        });
        self.expect("a file no longer staged", unstaged, [place]);
    }
}
