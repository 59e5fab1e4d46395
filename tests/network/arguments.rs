//! No command takes a secret on its command line, and none repeats one that was
//! put there by mistake.

use super::{Sandbox, assert_keeps, npm_token};

#[test]
fn a_token_among_the_arguments_is_an_error_that_does_not_repeat_it() {
    let token = npm_token(61);
    let fingerprint = "0".repeat(32);
    let url = format!("https://{token}@npm.example/");
    for words in [
        &["validate", &token][..],
        &["validate", "--", &token],
        &["validate", "-", "--token", &token],
        &["validate", "-", "--registry", &url],
        &["validate", "-", "--allow-registry", &url],
        &["validate", "-", "--pace", &token],
        &["validate", "-", "--timeout", &token],
        &["validate", "-", "--max-requests", &token],
        &["blast-radius", &token],
        &["blast-radius", "-", "--ioc", &token],
        &["blast-radius", "-", "--since", &token],
        &["revoke", &token],
        &["revoke", &token, "-"],
        &["revoke", &fingerprint, &token],
        &["revoke", &fingerprint, "-", "--as", &token],
    ] {
        let sandbox = Sandbox::new();
        let run = sandbox.call(words).stdin("").run();
        assert_eq!(run.code, 2, "{words:?}: {} {}", run.out(), run.err());
        assert_keeps(&run.out(), &token);
        assert_keeps(&run.err(), &token);
    }
}
