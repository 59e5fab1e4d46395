//! A registry on loopback that answers as npm's does, for every kind of token;
//! and, where a test wants it, as no honest server would. It plays the download
//! counts as well, and below `/github` GitHub. All requests are kept.

mod github;
pub mod hostile;
mod http;
pub mod manners;
mod owned;
pub mod packages;
pub mod people;
mod public;
mod verdict;
mod world;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

// Each test file uses its own part of this.
#[allow(unused_imports)]
pub use self::{
    github::GitHubToken,
    http::{Delivery, Reply, Seen},
    packages::Package,
    people::{Account, Kind, Token},
    world::{Manner, Next, World},
};

/// A running registry; it ends with its test.
pub struct Registry {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(World::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (asked, ended) = (world.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            http::serve(&listener, &ended, move |seen| world::answer(&asked, seen));
        });
        Self { address, world, stop, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`, without a `/` at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it plays GitHub.
    pub fn github_url(&self) -> String {
        format!("{}/github", self.url())
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that the registry knows, to look at and to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn account(&self, account: Account) {
        self.world().accounts.insert(account.user.clone(), account);
    }

    pub fn package(&self, package: Package) {
        self.world().packages.insert(package.name.clone(), package);
    }

    pub fn packages(&self, packages: impl IntoIterator<Item = Package>) {
        packages.into_iter().for_each(|package| self.package(package));
    }

    /// Makes a token of an account, which is made too if it is not there.
    pub fn token(&self, user: &str, kind: Kind) -> String {
        self.token_with(user, kind, |_| {})
    }

    /// The same with something changed about it.
    pub fn token_with(&self, user: &str, kind: Kind, change: impl FnOnce(&mut Token)) -> String {
        let mut world = self.world();
        world.accounts.entry(user.into()).or_insert_with(|| Account::new(user));
        let mut token = Token::new(world.seed(), user, kind);
        change(&mut token);
        let secret = token.secret.clone();
        world.tokens.insert(secret.clone(), token);
        secret
    }

    /// A token that the registry does not know: dead, or classic.
    pub fn dead(&self) -> String {
        Token::new(self.world().seed(), "", Kind::ReadOnly).secret
    }

    /// The key of a token in its account's list.
    pub fn key(&self, token: &str) -> String {
        self.world().tokens[token].key.clone()
    }

    /// A token of GitHub's.
    pub fn github(&self, token: GitHubToken) {
        self.world().github.insert(token.secret.clone(), token);
    }

    /// How the whole host behaves.
    pub fn manner(&self, manner: Manner) {
        self.world().manner = manner;
    }

    /// Answers this to whatever path begins so.
    pub fn on(&self, prefix: &str, reply: Reply) {
        self.on_with(prefix, usize::MAX, move |_| reply.clone());
    }

    /// The same so many times; afterwards as usual.
    pub fn on_first(&self, times: usize, prefix: &str, reply: Reply) {
        self.on_with(prefix, times, move |_| reply.clone());
    }

    /// The same with an answer that is made of the question.
    pub fn on_with(
        &self,
        prefix: &str,
        times: usize,
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) {
        let rule = world::Rule { prefix: prefix.into(), times, answer: Arc::new(answer) };
        self.world().rules.push(rule);
    }

    /// Every request so far, in the order of their arrival.
    pub fn requests(&self) -> Vec<Seen> {
        self.world().seen.clone()
    }

    /// Their first lines: `GET /-/whoami`.
    pub fn lines(&self) -> Vec<String> {
        let line = |seen: &Seen| format!("{} {}", seen.method, seen.target);
        self.world().seen.iter().map(line).collect()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.world().seen.clear();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
