//! Whom a certificate does not vouch for gets no request.

use std::io::Write;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::server::{Server, head};
use super::{alice, assert_unknown, npm_token, outcomes, validate};

/// An HTTPS server with a certificate of an authority of its own.
pub struct Secured {
    pub server: Server,
    folder: TempDir,
}

impl Secured {
    /// One whose certificate is for `name`.
    pub fn start(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&authority).unwrap().pem();
        let issuer = Issuer::new(params, authority);
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let own = own.signed_by(&key, &issuer).unwrap().der().clone();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let config = Arc::new(config);
        std::fs::write(folder.path().join("ca.pem"), root).unwrap();
        let server = Server::start(move |stream, notes| {
            notes.add("connected");
            if let Some(head) = answer(stream, &config) {
                notes.add(head);
            }
        });
        Self { server, folder }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.server.port())
    }

    /// The file with the certificate of its authority.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The requests that came through.
    pub fn requests(&self) -> Vec<String> {
        let mut notes = self.server.notes();
        notes.retain(|note| note != "connected");
        notes
    }
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>) -> Option<String> {
    let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).ok()?, stream);
    let head = head(&mut stream)?;
    stream.write_all(alice().as_bytes()).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()?;
    Some(head)
}

#[test]
fn a_certificate_of_nobody_is_refused() {
    let secured = Secured::start("localhost");
    let run = validate(&secured.url(), &npm_token(1), &[]).exits(3);
    assert_unknown(&run, &["certificate"]);
    assert!(!secured.server.notes().is_empty(), "it came as far as the handshake");
    assert!(secured.requests().is_empty(), "{:?}", secured.requests());
}

#[test]
fn an_authority_that_the_user_trusts_vouches() {
    let secured = Secured::start("localhost");
    let token = npm_token(2);
    let authority = secured.authority();
    let trust = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let run = validate(&secured.url(), &token, &trust).exits(1);
    assert_eq!(outcomes(&run.json()), ["active"]);
    assert!(secured.requests()[0].contains(&format!("Bearer {token}")));
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let secured = Secured::start("npm.example");
    let authority = secured.authority();
    let trust = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let run = validate(&secured.url(), &npm_token(3), &trust).exits(3);
    assert_unknown(&run, &["certificate"]);
    assert!(secured.requests().is_empty(), "{:?}", secured.requests());
}
