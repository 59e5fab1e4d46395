//! A credential is not taken along to where an answer points.

use std::io::Write;

use super::server::Server;
use super::{alice, assert_unknown, npm_token, validate};

#[test]
fn no_redirect_is_followed() {
    let trap = Server::http(|_, mut stream| drop(stream.write_all(alice().as_bytes())));
    let ways =
        ["SELF", "/-/whoami?again", &trap.url(), "//127.0.0.1:TRAP/", "https://localhost:TRAP"];
    for status in [301, 302, 303, 307, 308] {
        for way in ways {
            let way = way.replace("TRAP", &trap.port().to_string());
            let server = Server::http(move |head, mut stream| {
                let host = head.lines().find_map(|line| line.strip_prefix("host: "));
                let own = format!("http://{}/-/whoami", host.unwrap_or_default());
                let way = way.replace("SELF", &own);
                let answer = format!("HTTP/1.1 {status} Go\r\nlocation: {way}\r\n");
                let _ = stream.write_all(answer.as_bytes());
                let _ = stream.write_all(b"content-length: 0\r\nconnection: close\r\n\r\n");
            });
            let run = validate(&server.url(), &npm_token(21), &[]).exits(3);
            assert_unknown(&run, &[&status.to_string()]);
            assert_eq!(server.notes().len(), 1, "{:?}", server.notes());
        }
    }
    assert!(trap.notes().is_empty(), "{:?}", trap.notes());
}
