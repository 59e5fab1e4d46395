//! A repository in which every place where git keeps bytes hides a token of
//! its own, beside what a report must say of each.

use std::fs;

use serde_json::{Value, json};

use super::git::{Repo, finish};
use super::{Sandbox, npm_token};

/// A secret, what hides it, and its places.
pub struct Planted {
    pub what: &'static str,
    pub secret: String,
    /// What one location each must say. A list stands for any of its values,
    /// and for `refs` for one that must be among them.
    pub places: Vec<Value>,
}

/// The repository `repo` of a sandbox.
pub struct Places {
    pub sandbox: Sandbox,
    pub repo: Repo,
    pub planted: Vec<Planted>,
    seed: u64,
}

/// A file that holds a token in its second line.
fn env(token: &str) -> String {
    format!("# settings\nNPM_TOKEN={token}\n")
}

/// A line that is like no other.
fn noise(seed: u64) -> String {
    format!("{:016x}\n", (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Lines that are like no others.
fn lines(from: u64, count: u64) -> String {
    (from..from + count).map(noise).collect()
}

impl Places {
    /// Builds it; `options` are those of `git init`.
    pub fn new(options: &str) -> Self {
        let sandbox = Sandbox::new();
        let repo = Repo::init(sandbox.path("repo"), options);
        let mut places = Self { sandbox, repo, planted: Vec::new(), seed: 0 };
        places.repo.commit("the beginning");
        places.forgotten_commit();
        places.files();
        places.merges();
        places.first_commits();
        places.contents();
        places.versions();
        places.commits();
        places.tags();
        places.notes();
        places.refs();
        places.lost_commits();
        places.stashes();
        places.other_repositories(options);
        places.linked_worktree();
        places.heads();
        places.plain_files();
        places.index();
        places
    }

    /// A token that nobody has seen yet.
    fn token(&mut self) -> String {
        self.seed += 1;
        npm_token(self.seed)
    }

    fn expect(&mut self, what: &'static str, secret: String, places: impl Into<Vec<Value>>) {
        self.planted.push(Planted { what, secret, places: places.into() });
    }

    /// A blob that a branch holds.
    fn blob_of(&self, branch: &str, path: &str, commit: &str) -> Value {
        let branch = format!("refs/heads/{branch}");
        json!({
            "origin": "git-blob", "path": path, "commit": commit,
            "commit_time": self.repo.time(commit), "author": "Ada <ada@example.com>",
            "unreachable": null, "ref": branch, "refs": [branch],
        })
    }

    /// A blob in the history of HEAD.
    fn in_main(&self, path: &str, commit: &str, in_head: bool) -> Value {
        let mut place = self.blob_of("main", path, commit);
        place["in_head"] = in_head.into();
        place
    }

    /// A commit that a ref of this name holds, whose only file is this.
    fn branch(&mut self, name: &str, path: &str, bytes: impl AsRef<[u8]>) -> String {
        let commit = self.repo.stray(path, bytes, "");
        self.repo.git(&format!("update-ref {name} {commit}"));
        commit
    }

    /// A commit with a token that no reflog remembers.
    fn forgotten_commit(&mut self) {
        let token = self.token();
        self.repo.git("checkout -q --detach");
        self.repo.write("forgotten.env", env(&token));
        let commit = self.repo.commit("never mind");
        self.repo.git("checkout -q main");
        self.repo.git("reflog expire --expire=now --expire-unreachable=now --all");
        let place = json!({
            "origin": "git-blob", "path": "forgotten.env", "commit": commit, "ref": null,
            "refs": [], "unreachable": "dangling", "in_head": false,
        });
        self.expect("a commit whose reflog expired", token, [place]);
    }

    fn files(&mut self) {
        let (deleted, before, after, moved, both, plain) =
            (self.token(), self.token(), self.token(), self.token(), self.token(), self.token());
        self.repo.write("old/deleted.env", env(&deleted));
        self.repo.write("changed.env", env(&before));
        self.repo.write("before.env", env(&moved));
        let first = self.repo.commit("add");
        self.repo.git("rm -q old/deleted.env");
        self.repo.git("mv before.env after.env");
        self.repo.write("changed.env", env(&after));
        self.repo.write("both.env", env(&both));
        let second = self.repo.commit("change");
        self.repo.write("changed.env", "none\n");
        self.repo.commit("clean up");
        self.repo.write("plain.env", env(&plain));
        self.repo.write(".git/info/exclude", "plain.env\n");

        let mut place = self.in_main("old/deleted.env", &first, false);
        place["line"] = 2.into();
        place["column"] = 11.into();
        place["offset"] = 21.into();
        self.expect("a deleted file", deleted, [place]);
        let place = self.in_main("changed.env", &first, false);
        self.expect("a file changed later", before, [place]);
        let place = self.in_main("changed.env", &second, false);
        self.expect("a file changed in between", after, [place]);
        let mut old = self.in_main("before.env", &first, false);
        // The blob is in HEAD, the path is not.
        old["in_head"] = json!([true, false]);
        let new = self.in_main("after.env", &second, true);
        let file = json!({ "origin": "file", "path": "after.env" });
        self.expect("a renamed file", moved, [old, new, file]);
        let file = json!({ "origin": "file", "path": "both.env" });
        let places = [self.in_main("both.env", &second, true), file];
        self.expect("a file in work tree and history", both, places);
        let file = json!({ "origin": "file", "path": "plain.env", "commit": null, "object": null });
        self.expect("an ignored file", plain, [file]);
    }

    fn merges(&mut self) {
        let (evil, octopus, arm) = (self.token(), self.token(), self.token());
        let repo = &self.repo;
        repo.git("checkout -q -b side");
        repo.write("side.txt", "side\n");
        repo.commit("side");
        repo.git("checkout -q main");
        repo.write("main.txt", "main\n");
        repo.commit("main");
        repo.git("merge -q --no-commit --no-ff side");
        repo.write("evil.env", env(&evil));
        let merge = repo.commit("merge");
        repo.git("rm -q evil.env");
        let head = repo.commit("clean up");
        let first = repo.stray("arm.env", env(&arm), "");
        let second = repo.stray("other.txt", "other\n", "");
        let parents = format!("-p {head} -p {first} -p {second}");
        let merged = repo.stray("octopus.env", env(&octopus), &parents);
        repo.git(&format!("update-ref refs/heads/octopus {merged}"));

        let place = self.in_main("evil.env", &merge, false);
        self.expect("what only a merge brought", evil, [place]);
        let place = self.blob_of("octopus", "octopus.env", &merged);
        self.expect("what only an octopus brought", octopus, [place]);
        let place = self.blob_of("octopus", "arm.env", &first);
        self.expect("what an octopus left out", arm, [place]);
    }

    /// The first commit is that which is a forebear of the others, and among
    /// strangers the oldest.
    fn first_commits(&mut self) {
        let (skewed, twice) = (self.token(), self.token());
        let commit = |name: &str, token: &str, time: u64, parents: &str| {
            let tree = self.repo.tree(name, env(token));
            let mut call = self.repo.call(&format!("commit-tree {tree} {parents}"));
            call.env("GIT_COMMITTER_DATE", format!("@{time} +0000"));
            finish(call, format!("at {time}"))
        };
        let parent = commit("skewed.env", &skewed, 1_900_000_000, "");
        let child = commit("skewed.env", &skewed, 1_600_000_000, &format!("-p {parent}"));
        let young = commit("twice.env", &twice, 1_800_000_000, "");
        let old = commit("twice.env", &twice, 1_650_000_000, "");
        for (name, commit) in [("skewed", &child), ("young", &young), ("old", &old)] {
            self.repo.git(&format!("update-ref refs/heads/{name} {commit}"));
        }
        let place = self.blob_of("skewed", "skewed.env", &parent);
        self.expect("a child older than its parent", skewed, [place]);
        let place = self.blob_of("old", "twice.env", &old);
        self.expect("two commits that show the same", twice, [place]);
    }

    fn contents(&mut self) {
        let (bare, binary, large, link, orphan) =
            (self.token(), self.token(), self.token(), self.token(), self.token());
        let half = lines(1_000_000, 90_000);
        let nul = [b"\0\x01\xff\xfe\0", binary.as_bytes(), b"\0\x80"].concat();
        let commits = [
            ("a file without a newline", "bare", bare.clone(), bare.into_bytes()),
            ("a binary file", "binary", binary, nul),
            ("a large file", "large", large.clone(), format!("{half}{large}\n{half}").into()),
            ("a branch without forebears", "orphan", orphan.clone(), env(&orphan).into()),
        ];
        for (what, name, token, bytes) in commits {
            let path = format!("{name}.env");
            let commit = self.branch(&format!("refs/heads/{name}"), &path, bytes);
            let place = self.blob_of(name, &path, &commit);
            self.expect(what, token, [place]);
        }
        let blob = self.repo.blob(&link);
        let tree = self.repo.feed("mktree", format!("120000 blob {blob}\tlink\n"));
        let commit = self.repo.feed(&format!("commit-tree {tree}"), "a link");
        self.repo.git(&format!("update-ref refs/heads/link {commit}"));
        let place = self.blob_of("link", "link", &commit);
        self.expect("where a symbolic link leads", link, [place]);
    }

    /// Sixty versions of a file, and tokens that only the thirtieth shows: in
    /// a line of its own, and where pieces of other versions meet.
    fn versions(&mut self) {
        const SHOWN: u64 = 30;
        let (line, half, joined) = (self.token(), self.token(), self.token());
        let mut stream = String::new();
        for version in 0..60 {
            let shown = version == SHOWN;
            let mut chain: Vec<String> = (0..200).map(|at| noise(at + at.min(version))).collect();
            if shown {
                chain[100] = format!("{line}\n");
            }
            let rest = if shown { &half[20..] } else { "-----" };
            let half = format!("{}{}{rest}\n{}", lines(500, 50), &half[..20], lines(550, 50));
            let gap = if shown { String::new() } else { format!("\n{}|", lines(650, 50)) };
            let (left, right) = joined.split_at(20);
            let joined = format!("{}{left}{gap}{right}\n{}", lines(600, 50), lines(700, 50));
            let time = 1_700_000_000 + version;
            stream += &format!(
                "commit refs/heads/versions\ncommitter Ada <ada@example.com> {time} +0000\n\
                 data 1\nv\n"
            );
            for (path, text) in [("chain", chain.concat()), ("half", half), ("joined", joined)] {
                stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
            }
        }
        self.repo.feed("fast-import --quiet", stream);
        let commit = self.repo.git(&format!("rev-parse versions~{}", 59 - SHOWN));
        let planted = [
            ("one version of sixty", "chain", line),
            ("a half that a delta inserts", "half", half),
            ("halves that a delta joins", "joined", joined),
        ];
        for (what, path, token) in planted {
            let place = self.blob_of("versions", path, &commit);
            self.expect(what, token, [place]);
        }
    }
}

/// Beside blobs.
impl Places {
    /// What a location in an object of this kind says.
    fn object(kind: &str, oid: &str, unreachable: Value) -> Value {
        json!({
            "origin": format!("git-{kind}"), "path": format!("{kind}/{oid}"), "object": oid,
            "unreachable": unreachable,
        })
    }

    fn commits(&mut self) {
        let message = self.token();
        let commit = self.repo.commit(&format!("deploy\n\nwith {message}, and more\n"));
        let mut place = Self::object("commit", &commit, Value::Null);
        place["commit"] = commit.into();
        place["ref"] = "refs/heads/main".into();
        self.expect("a commit's message", message, [place]);

        let people = [
            ("an author's name", "GIT_AUTHOR_NAME"),
            ("an author's address", "GIT_AUTHOR_EMAIL"),
            ("a committer's name", "GIT_COMMITTER_NAME"),
        ];
        for (what, variable) in people {
            let token = self.token();
            let mut call = self.repo.call("commit -q --allow-empty -m people");
            call.env(variable, &token);
            finish(call, "");
            let place = Self::object("commit", &self.repo.head(), Value::Null);
            self.expect(what, token, [place]);
        }

        let token = self.token();
        let tree = self.repo.git("rev-parse HEAD^{tree}");
        let who = "Ada <ada@example.com> 1700000000 +0000";
        let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\nx-ci {token}\n\nheader\n");
        let commit = self.repo.feed("hash-object -t commit -w --stdin", text);
        self.repo.git(&format!("update-ref refs/heads/header {commit}"));
        let place = Self::object("commit", &commit, Value::Null);
        self.expect("a header of a commit", token, [place]);
    }

    fn tags(&mut self) {
        let (message, tagger, outer, gone) =
            (self.token(), self.token(), self.token(), self.token());
        self.repo.feed("tag -a -F - v1", format!("release with {message}"));
        let mut call = self.repo.call("tag -a -m tagger v2");
        call.env("GIT_COMMITTER_NAME", &tagger);
        finish(call, "");
        self.repo.feed("tag -a -F - v3 v1", format!("the tag of a tag, {outer}"));
        self.repo.feed("tag -a -F - v4", format!("a mistake, {gone}"));
        let oid = |name: &str| self.repo.git(&format!("rev-parse refs/tags/{name}"));
        let planted = [
            ("an annotated tag", message, oid("v1"), Value::Null),
            ("a tagger's name", tagger, oid("v2"), Value::Null),
            ("a tag of a tag", outer, oid("v3"), Value::Null),
            ("a deleted tag", gone, oid("v4"), "dangling".into()),
        ];
        self.repo.git("tag -d v4");
        for (what, token, oid, unreachable) in planted {
            self.expect(what, token, [Self::object("tag", &oid, unreachable)]);
        }

        let (blob, tree, replaced, replacement) =
            (self.token(), self.token(), self.token(), self.token());
        let oid = self.repo.blob(env(&blob));
        self.repo.git(&format!("tag blob-tag {oid}"));
        let place = json!({
            "origin": "git-blob", "path": format!("object/{oid}"), "object": oid,
            "unreachable": null, "commit": null,
        });
        self.expect("a tag on a blob", blob, [place]);
        let oid = self.repo.tree("tagged.env", env(&tree));
        self.repo.git(&format!("tag tree-tag {oid}"));
        let place = json!({ "origin": "git-blob", "unreachable": null, "commit": null });
        self.expect("a tag on a tree", tree, [place]);

        let commit = self.branch("refs/heads/replaced", "replaced.env", env(&replaced));
        let old = self.repo.git("rev-parse replaced:replaced.env");
        let new = self.repo.blob(env(&replacement));
        self.repo.git(&format!("replace {old} {new}"));
        let place = self.blob_of("replaced", "replaced.env", &commit);
        self.expect("a replaced object", replaced, [place]);
        let place = json!({ "origin": "git-blob", "object": new, "unreachable": null });
        self.expect("a replacement of an object", replacement, [place]);
    }

    fn notes(&mut self) {
        let (kept, removed) = (self.token(), self.token());
        let head = self.repo.head();
        self.repo.feed("notes add -F - HEAD", &kept);
        self.repo.feed("notes add -F - HEAD~1", &removed);
        self.repo.git("notes remove HEAD~1");
        let place = json!({ "origin": "git-note", "path": head, "unreachable": null });
        self.expect("a note", kept, [place]);
        let place = json!({ "origin": "git-note", "unreachable": null });
        self.expect("a removed note", removed, [place]);
    }

    fn refs(&mut self) {
        let (branch, remote, pull, custom, log) =
            (self.token(), self.token(), self.token(), self.token(), self.token());
        self.repo.git(&format!("branch leak/{branch}"));
        self.repo.git(&format!("update-ref refs/remotes/origin/{remote} HEAD"));
        let place = json!({ "origin": "git-ref" });
        self.expect("a branch's name", branch, [place.clone()]);
        self.expect("the name of a remote's branch", remote, [place]);

        let others = [
            ("a remote's branch", pull, "refs/remotes/origin/topic"),
            ("a ref of no known kind", custom, "refs/pull/1/head"),
        ];
        for (what, token, name) in others {
            let commit = self.branch(name, "other.env", env(&token));
            let place = json!({
                "origin": "git-blob", "path": "other.env", "commit": commit,
                "unreachable": null, "ref": name, "refs": [name], "in_head": false,
            });
            self.expect(what, token, [place]);
        }

        let mut call = self.repo.call("update-ref");
        call.args(["-m", &format!("moved with {log}"), "refs/heads/logged", "HEAD"]);
        finish(call, "");
        self.expect("a line of a reflog", log, [json!({ "origin": "git-reflog" })]);
    }

    fn lost_commits(&mut self) {
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

    fn stashes(&mut self) {
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
    fn other_repositories(&mut self, options: &str) {
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
    fn linked_worktree(&mut self) {
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
    fn heads(&mut self) {
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

    fn plain_files(&mut self) {
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
    fn index(&mut self) {
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
