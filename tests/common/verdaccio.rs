//! Verdaccio, a registry that people run themselves, on loopback; and the real
//! npm that publishes to it.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::tools;
use super::web::{Said, ask, try_ask};

/// Nobody is waited for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The password of all users.
const PASSWORD: &str = "correct horse battery";

/// Ends Verdaccio when the test that started it is gone, however it went.
const LEASH: &str = "process.stdin.on('end', () => process.exit(0)).resume();\n";

/// A running Verdaccio; it ends with its test.
pub struct Verdaccio {
    child: Child,
    _leash: ChildStdin,
    address: SocketAddr,
    folder: TempDir,
}

/// A token that was made for somebody.
pub struct Made {
    pub token: String,
    /// The id under which it can be deleted.
    pub key: String,
}

impl Verdaccio {
    /// Starts one with an empty storage; nothing if it cannot be installed here.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same with more lines of settings.
    pub fn start_with(more: &str) -> Option<Self> {
        let programs = tools::verdaccio()?;
        // Somebody else may take the port in between.
        let mut tries = (0..3).filter_map(|_| Self::try_start(&programs, more));
        Some(tries.next().expect("Verdaccio starts"))
    }

    fn try_start(programs: &Path, more: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = folder.path().join("config.yaml");
        std::fs::write(&settings, settings_of(folder.path(), address, more)).unwrap();
        let leash = folder.path().join("leash.cjs");
        std::fs::write(&leash, LEASH).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("node");
        command
            .arg("--require")
            .arg(leash)
            .arg(programs.join("verdaccio"))
            .arg("--config")
            .arg(settings)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut child = command.spawn().unwrap();
        let leash = child.stdin.take().unwrap();
        let mut verdaccio = Self { child, _leash: leash, address, folder };
        verdaccio.comes_up().then_some(verdaccio)
    }

    /// True when it answers; false if it ended instead.
    fn comes_up(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if try_ask(self.address, "GET /-/ping", None, None).is_ok_and(|it| it.status == 200) {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                eprintln!("Verdaccio ended: {}", self.log());
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Verdaccio does not answer: {}", self.log());
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// `127.0.0.1:PORT`, as it stands in a `.npmrc`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    #[track_caller]
    pub fn ask(&self, line: &str, token: Option<&str>) -> Said {
        ask(self.address, line, token, None)
    }

    /// Makes a user, and gives the token that a login gives.
    #[track_caller]
    pub fn user(&self, name: &str) -> String {
        let body = json!({
            "_id": format!("org.couchdb.user:{name}"), "name": name, "password": PASSWORD,
            "email": format!("{name}@example.com"), "type": "user", "roles": [],
        });
        let line = format!("PUT /-/user/org.couchdb.user:{name}");
        let said = ask(self.address, &line, None, Some(&body));
        assert_eq!(said.status, 201, "{}", String::from_utf8_lossy(&said.body));
        said.json()["token"].as_str().unwrap().to_owned()
    }

    /// Makes a token for the user of a login.
    #[track_caller]
    pub fn token(&self, login: &str, readonly: bool, cidr: &[&str]) -> Made {
        let body = json!({"password": PASSWORD, "readonly": readonly, "cidr_whitelist": cidr});
        let said = ask(self.address, "POST /-/npm/v1/tokens", Some(login), Some(&body));
        assert_eq!(said.status, 200, "{}", String::from_utf8_lossy(&said.body));
        let text = |field: &str| said.json()[field].as_str().unwrap().to_owned();
        Made { token: text("token"), key: text("key") }
    }

    #[track_caller]
    pub fn delete(&self, login: &str, key: &str) {
        let line = format!("DELETE /-/npm/v1/tokens/token/{key}");
        assert_eq!(self.ask(&line, Some(login)).status, 200);
    }

    /// The lines of a `.npmrc` with a token of this registry.
    pub fn npmrc(&self, token: &str) -> String {
        format!("registry={}\n//{}/:_authToken={token}\n", self.url(), self.host())
    }

    /// Runs the real npm with a token of this registry, in a folder; no settings
    /// of the user who runs the tests reach it.
    pub fn npm(&self, token: &str, folder: &Path, words: &[&str]) -> Output {
        let settings = self.folder.path().join("npmrc");
        std::fs::write(&settings, self.npmrc(token)).unwrap();
        let mut command = Command::new("npm");
        command
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("npm_config_userconfig", settings)
            .env("npm_config_globalconfig", self.folder.path().join("none"))
            .env("npm_config_cache", self.folder.path().join("cache"))
            .env("npm_config_update_notifier", "false")
            .env("npm_config_fetch_retries", "0");
        patiently(command)
    }

    /// Publishes a package that does nothing.
    pub fn publish(&self, token: &str, package: &Value) -> Output {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("package.json"), package.to_string()).unwrap();
        std::fs::write(folder.path().join("index.js"), "module.exports = 1;\n").unwrap();
        self.npm(token, folder.path(), &["publish", "--ignore-scripts"])
    }
}

impl Drop for Verdaccio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that ends in time.
#[track_caller]
fn patiently(mut command: Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let reader = std::thread::spawn(move || {
        let mut stderr = Vec::new();
        let _ = err.read_to_end(&mut stderr);
        stderr
    });
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                panic!("still running after {PATIENCE:?}: {command:?}");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let mut stdout = Vec::new();
    let _ = out.read_to_end(&mut stdout);
    Output { status: ended, stdout, stderr: reader.join().unwrap() }
}

/// Settings: nobody above it, so that it asks nobody; `@closed` for alice alone.
fn settings_of(folder: &Path, address: SocketAddr, more: &str) -> String {
    let place = |name: &str| -> String {
        let path: PathBuf = folder.join(name);
        json!(path).to_string()
    };
    let (storage, users) = (place("storage"), place("htpasswd"));
    format!(
        "storage: {storage}
listen: {address}
auth:
  htpasswd:
    file: {users}
    max_users: 1000
    algorithm: bcrypt
    rounds: 4
uplinks: {{}}
packages:
  '@closed/*':
    access: alice
    publish: alice
    unpublish: alice
  '**':
    access: $all
    publish: $authenticated
    unpublish: $authenticated
web:
  enable: false
middlewares:
  audit:
    enabled: false
log: {{type: stdout, format: json, level: warn}}
{more}"
    )
}
