//! Commits, tags, notes and refs.

use serde_json::{Value, json};

use super::{Places, env};
use crate::common::repo::finish;

impl Places {
    /// What a location in an object of this kind says.
    pub(super) fn object(kind: &str, oid: &str, unreachable: Value) -> Value {
        json!({
            "origin": format!("git-{kind}"), "path": format!("{kind}/{oid}"), "object": oid,
            "unreachable": unreachable,
        })
    }

    pub(super) fn commits(&mut self) {
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
        let tree = self.repo.tree("header.txt", "header\n");
        let who = "Ada <ada@example.com> 1700000000 +0000";
        let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\nx-ci {token}\n\nheader\n");
        let commit = self.repo.feed("hash-object -t commit -w --stdin", text);
        self.repo.git(&format!("update-ref refs/heads/header {commit}"));
        let place = Self::object("commit", &commit, Value::Null);
        self.expect("a header of a commit", token, [place]);
    }

    pub(super) fn tags(&mut self) {
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

    pub(super) fn notes(&mut self) {
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

    pub(super) fn refs(&mut self) {
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
}
