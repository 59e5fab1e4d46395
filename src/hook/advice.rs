//! What to do about a secret, as commands that fit the case.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use gix::ObjectId;
use gix::objs::CommitRefIter;

use super::push::Update;
use super::run::{Findings, Push};
use super::{Kind, refs};
use crate::git::{Changes, Repository};
use crate::model::{Finding, OriginKind};
use crate::report::sanitize::{Masker, visible};

/// How to get the secret out, or to allow it.
pub(super) fn for_finding(
    findings: &Findings<'_>,
    finding: &Finding,
    history: &History,
    masker: &Masker<'_>,
    out: &mut String,
) {
    let advice = match findings.call.kind {
        Kind::CommitMsg => "Commit again with a message without it.".to_owned(),
        Kind::PreCommit => {
            let path = finding.locations.first().map(|at| at.origin.relative().to_vec());
            let path = shell(&masker.mask(&path.unwrap_or_default()));
            format!("Take it out, then: git add -- {path} && git commit")
        }
        Kind::PrePush | Kind::PreReceive => of_push(findings, finding, history),
    };
    let _ = writeln!(out, "    {advice}");
    let entry = format!("fp:{}", finding.fingerprint);
    let _ = match findings.call.kind {
        // The settings of who pushes are not those of who receives.
        Kind::PreReceive => writeln!(out, "    To allow it: tokensweep:allow on its line."),
        _ => writeln!(
            out,
            "    To allow it: tokensweep:allow on its line, or this line in .tokensweepignore: {entry}"
        ),
    };
}

/// The ways past the hook.
pub(super) fn past(kind: Kind, out: &mut String) {
    let (noun, command) = (kind.noun(), kind.command());
    let _ = match kind {
        Kind::PreReceive => {
            writeln!(out, "Only who runs the server can let it pass: TOKENSWEEP_SKIP=1 there.")
        }
        _ => writeln!(
            out,
            "To {noun} all the same: TOKENSWEEP_SKIP=1 {command}, or {command} --no-verify"
        ),
    };
}

fn of_push(findings: &Findings<'_>, finding: &Finding, history: &History) -> String {
    let (Some(repository), Some(push)) = (findings.repository, findings.push) else {
        return "Take it out, and push again.".to_owned();
    };
    let holds = |kind| finding.locations.iter().any(|at| at.origin.kind == kind);
    let Some(oldest) = oldest(findings.changes, finding) else {
        return match (holds(OriginKind::GitTag), holds(OriginKind::GitRef)) {
            (true, _) => of_tag(push, finding),
            (_, true) => "Give the branch or tag another name, and push that.".to_owned(),
            _ => "Take the tag away that leads to it, or let it lead elsewhere.".to_owned(),
        };
    };
    let update = bearer(history, push, oldest);
    let is_tip = match update {
        // Only the last commit of a branch can be amended.
        Some(update) => update.new == Some(oldest) && is_branch(repository, update),
        None => push.updates.is_empty() && refs::head(repository).1 == Some(oldest),
    };
    let switch = switch(repository, update).unwrap_or_default();
    let in_message = finding.locations.iter().all(|at| at.origin.kind == OriginKind::GitCommit);
    let (what, word) = match in_message {
        true => ("the message", "reword"),
        false => ("it", "edit"),
    };
    if is_tip {
        let how = match in_message {
            true => "git commit --amend (--reset-author if an author's name has it)",
            false => "git commit -a --amend",
        };
        return format!(
            "It is in the last commit. Change {what}:\n        {switch}{how}, and push again."
        );
    }
    let short = oldest.to_hex_with_len(12);
    let merges = if history.has_merges() { "-r " } else { "" };
    let then = match in_message {
        true => "",
        false => ", then git commit -a --amend && git rebase --continue",
    };
    let base = if history.is_root(oldest) { "--root".to_owned() } else { format!("{short}^") };
    format!(
        "It has been there since commit {short}: a new commit does not take it out. Change {what} \
         there:\n        {switch}git rebase -i {merges}{base} (`{word}` at {short}){then}, and push again."
    )
}

/// The first of the new commits that shows the secret.
fn oldest(changes: &Changes, finding: &Finding) -> Option<ObjectId> {
    let commits = finding.locations.iter().filter_map(|at| {
        ObjectId::from_hex(at.origin.git.as_ref()?.commit.as_ref()?.as_bytes()).ok()
    });
    commits.min_by_key(|id| changes.commits.iter().position(|commit| commit.id == *id))
}

/// The parents of each new commit, read once for all findings.
#[derive(Default)]
pub(super) struct History(HashMap<ObjectId, Vec<ObjectId>>);

impl History {
    pub(super) fn of(findings: &Findings<'_>) -> Self {
        let Some(repository) = findings.repository else { return Self::default() };
        let mut reader = repository.store.reader();
        let parents = |id: ObjectId| match reader.read(&id) {
            Ok(Some((_, bytes))) => {
                let commit = CommitRefIter::from_bytes(&bytes, repository.form.hash);
                (id, commit.parent_ids().collect())
            }
            _ => (id, Vec::new()),
        };
        Self(findings.changes.commits.iter().map(|commit| commit.id).map(parents).collect())
    }

    /// True if new commits lead from one to the other.
    fn leads(&self, from: ObjectId, to: ObjectId) -> bool {
        let (mut waiting, mut seen) = (vec![from], HashSet::new());
        while let Some(id) = waiting.pop() {
            if id == to {
                return true;
            }
            if seen.insert(id) {
                waiting.extend(self.0.get(&id).into_iter().flatten());
            }
        }
        false
    }

    fn has_merges(&self) -> bool {
        self.0.values().any(|parents| parents.len() > 1)
    }

    fn is_root(&self, commit: ObjectId) -> bool {
        self.0.get(&commit).is_some_and(Vec::is_empty)
    }
}

/// What is pushed that has the commit.
fn bearer<'p>(history: &History, push: &'p Push, commit: ObjectId) -> Option<&'p Update> {
    push.updates.iter().find(|update| update.new.is_some_and(|id| history.leads(id, commit)))
}

/// True if `git commit --amend` reaches what is pushed: a branch, or what is
/// checked out.
fn is_branch(repository: &Repository, update: &Update) -> bool {
    update.local.starts_with(b"refs/heads/") || refs::head(repository).1 == update.new
}

/// `git switch BRANCH && ` if another branch is checked out than the one that
/// is pushed.
fn switch(repository: &Repository, update: Option<&Update>) -> Option<String> {
    let branch = update?.local.strip_prefix(b"refs/heads/")?;
    let (head, _) = refs::head(repository);
    let current = head.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
    (current.map(str::as_bytes) != Some(branch))
        .then(|| format!("git switch {} && ", shell(branch)))
}

fn of_tag(push: &Push, finding: &Finding) -> String {
    let object = |at: &crate::model::Location| at.origin.git.as_ref()?.object.clone();
    let objects: Vec<String> = finding.locations.iter().filter_map(object).collect();
    let is_it = |update: &&Update| update.new.is_some_and(|id| objects.contains(&id.to_string()));
    let name = push
        .updates
        .iter()
        .find(is_it)
        .and_then(|update| Some(shell(update.remote.strip_prefix(b"refs/tags/")?)));
    let name = name.unwrap_or_else(|| "TAG".to_owned());
    format!("Write its message anew: git tag -f -a {name} {name}^{{}}, and push again.")
}

/// A name as it can be typed: whoever copies the command runs nothing else.
fn shell(name: &[u8]) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._/-+@%".contains(b);
    let shown = visible(name);
    match name.iter().all(plain) && !name.is_empty() && name[0] != b'-' {
        true => shown,
        false => format!("'{}'", shown.replace('\'', r"'\''")),
    }
}
