//! A repository and the bare one that it pushes to, with the real git and the
//! real tools that run hooks.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Run, Sandbox, npm_token};

/// A clone with one clean commit, and the repository on disk that has it too.
pub struct Place {
    pub sandbox: Sandbox,
    /// Where programs are looked for first.
    path: Vec<PathBuf>,
    /// Where `git push` goes.
    pub remote: String,
    seed: u64,
}

impl Place {
    pub fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        let ours = Path::new(env!("CARGO_BIN_EXE_tokensweep")).parent().unwrap().to_owned();
        let remote = sandbox.path("served/remote.git").to_str().unwrap().to_owned();
        std::fs::create_dir_all(sandbox.path("repo")).unwrap();
        let place = Self { sandbox, path: vec![ours], remote, seed };
        place.git(["init", "-q", "--bare", "-b", "main", &place.remote]).exits(0);
        place.git(["init", "-q", "-b", "main"]).exits(0);
        place.git(["remote", "add", "origin", &place.remote]).exits(0);
        place.commit("README", "Nothing to hide.\n");
        place.push().exits(0);
        place
    }

    /// Finds programs in this folder, too.
    pub fn with(mut self, folder: PathBuf) -> Self {
        self.path.push(folder);
        self
    }

    /// The remote is reached at another address from now on.
    pub fn moved(&mut self, address: &str) {
        self.git(["remote", "set-url", "origin", address]).exits(0);
        self.remote = address.to_owned();
    }

    /// A file of the work tree.
    pub fn file(&self, name: &str) -> PathBuf {
        self.sandbox.path("repo").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        super::write(&self.file(name), text);
    }

    pub fn git<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Run {
        self.run("git", words)
    }

    /// Runs a program in the work tree, as its user does.
    pub fn run<'a>(&self, program: &str, words: impl IntoIterator<Item = &'a str>) -> Run {
        let mut call = self.sandbox.call([] as [&str; 0]);
        let old = call.command;
        call.command = Command::new(program);
        call.command.args(words).current_dir(self.file("")).env_clear();
        call.command.envs(old.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.dress(&mut call.command);
        call.run()
    }

    /// Gives a program this place's path, and to git no settings but its own.
    pub fn dress(&self, command: &mut Command) {
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let path = self.path.iter().cloned().chain(std::env::split_paths(&usual));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Someone");
            command.env(format!("GIT_{who}_EMAIL"), "someone@example.com");
        }
    }

    /// Commits a file, whatever a hook says.
    pub fn commit(&self, name: &str, text: &str) {
        self.write(name, text);
        self.settle(name);
    }

    /// Commits all that there is, whatever a hook says.
    fn settle(&self, message: &str) {
        self.git(["add", "-A"]).exits(0);
        self.git(["commit", "-q", "--no-verify", "--allow-empty", "-m", message]).exits(0);
    }

    pub fn push(&self) -> Run {
        self.git(["push", "-q", "origin", "main"])
    }

    /// The commit that the other side has on its branch.
    pub fn tip(&self) -> String {
        let folder = self.sandbox.path("served/remote.git");
        self.git(["-C", folder.to_str().unwrap(), "rev-parse", "main"]).exits(0).out()
    }

    /// The token that must not leave.
    pub fn token(&self) -> String {
        npm_token(self.seed)
    }

    /// What a file of settings says with the token in it.
    pub fn settings(&self) -> String {
        format!("NPM_TOKEN={}\n", self.token())
    }

    /// Asserts that a push of a secret is refused, by its name and place but
    /// without its text, and that the same work without it goes through.
    #[track_caller]
    pub fn guards(&self, push: impl Fn(&Self) -> Run) {
        self.settle("What the tool needs");
        let before = self.tip();
        self.commit("deploy/settings.env", &self.settings());
        // Gone from the work tree, but not from what is pushed.
        std::fs::remove_file(self.file("deploy/settings.env")).unwrap();
        let refused = push(self);
        assert_ne!(refused.code, 0, "pushed:\n{}\n{}", refused.out(), refused.err());
        let said = refused.out() + &refused.err();
        assert!(said.contains("deploy/settings.env"), "{said}");
        assert!(said.contains("npm_"), "{said}");
        assert!(!said.contains(&self.token()), "the token is told:\n{said}");
        assert_eq!(self.tip(), before, "refused, but pushed");

        self.git(["reset", "-q", "--hard", "HEAD~1"]).exits(0);
        self.commit("deploy/clean.env", "NPM_TOKEN=\n");
        let passed = push(self).exits(0);
        assert_ne!(self.tip(), before, "passed, but not pushed");
        let said = passed.out() + &passed.err();
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("tokensweep: ")).collect();
        assert_eq!(ours.len(), 1, "one line says what was looked at:\n{said}");
    }

    /// Asserts that a staged secret is not committed, and that its removal is.
    #[track_caller]
    pub fn guards_commits(&self) {
        let head = || self.git(["rev-parse", "HEAD"]).exits(0).out();
        let before = head();
        self.write("deploy/settings.env", &self.settings());
        self.git(["add", "-A"]).exits(0);
        // Only the index has it now.
        self.write("deploy/settings.env", "NPM_TOKEN=\n");
        let refused = self.git(["commit", "-q", "-m", "Deploy"]);
        assert_ne!(refused.code, 0, "committed:\n{}\n{}", refused.out(), refused.err());
        let said = refused.out() + &refused.err();
        assert!(!said.contains(&self.token()), "the token is told:\n{said}");
        assert_eq!(head(), before);
        self.write("deploy/settings.env", "NPM_TOKEN=\n");
        self.git(["add", "-A"]).exits(0);
        self.git(["commit", "-q", "-m", "Deploy"]).exits(0);
        assert_ne!(head(), before);
    }
}
