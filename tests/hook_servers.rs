//! Hooks on both sides of a push that goes over a wire.

#![cfg(unix)]

mod common;

use common::push::Place;
use common::serve::{Daemon, http};

/// The remote's own hook: nobody's `--no-verify` passes it.
fn receives(place: &Place) {
    let remote = place.sandbox.path("served/remote.git");
    let remote = remote.to_str().unwrap();
    let install = ["-C", remote, "config", "http.receivepack", "true"];
    place.git(install).exits(0);
    let call = place.sandbox.call(["hook", "install", "--type", "pre-receive"]).cwd(remote);
    call.run().exits(0);
}

fn sends(place: &Place) {
    let call = place.sandbox.call(["hook", "install", "--type", "pre-push"]).cwd(place.file(""));
    call.run().exits(0);
    let remote = place.sandbox.path("served/remote.git");
    place.git(["-C", remote.to_str().unwrap(), "config", "http.receivepack", "true"]).exits(0);
}

fn unverified(place: &Place) -> common::Run {
    place.git(["push", "-q", "--no-verify", "origin", "main"])
}

#[test]
fn a_remote_on_disk_refuses_what_its_users_hooks_let_through() {
    let place = Place::new(1);
    receives(&place);
    place.guards(unverified);
}

#[test]
fn a_push_to_git_daemon_is_guarded_here() {
    let mut place = Place::new(2);
    let _daemon = Daemon::start(&mut place);
    sends(&place);
    place.guards(Place::push);
}

#[test]
fn a_push_to_git_daemon_is_guarded_there() {
    let mut place = Place::new(3);
    let _daemon = Daemon::start(&mut place);
    receives(&place);
    place.guards(unverified);
}

#[test]
fn a_push_to_git_http_backend_is_guarded_here() {
    let mut place = Place::new(4);
    http(&mut place);
    sends(&place);
    place.guards(Place::push);
}

#[test]
fn a_push_to_git_http_backend_is_guarded_there() {
    let mut place = Place::new(5);
    http(&mut place);
    receives(&place);
    place.guards(unverified);
}

#[test]
fn a_remote_takes_new_branches_tags_and_deletions_without_a_secret() {
    let place = Place::new(6);
    receives(&place);
    let before = place.tip();
    place.commit("next.js", "export default 1;\n");
    place.git(["tag", "-m", "First", "v1"]).exits(0);
    let refs = ["push", "-q", "origin", "main", "main:refs/heads/next", "v1"];
    place.git(refs).exits(0);
    assert_ne!(place.tip(), before);
    place.git(["push", "-q", "origin", ":next", ":v1"]).exits(0);
    place.git(["tag", "-f", "-m", &place.settings(), "v2"]).exits(0);
    assert_ne!(place.git(["push", "-q", "origin", "v2"]).code, 0, "a tag's message is pushed too");
}
