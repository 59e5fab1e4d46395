//! A repository in which every place where git keeps bytes hides a token of
//! its own, beside what a report must say of each.

mod lost;
mod named;

use serde_json::{Value, json};

use crate::common::repo::{Repo, finish};
use crate::common::{Sandbox, npm_token};

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
