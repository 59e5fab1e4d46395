//! What `status` says.

use crate::Pair;

#[test]
fn status_tells_what_is_guarded() {
    let pair = Pair::plain();
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("pre-push     not installed"), "{}", run.out());
    pair.script(".git/hooks/pre-push", "exit 0");
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("does not call us"), "{}", run.out());
    // What only looks like a call is none, and a runner alone knows what it runs.
    pair.script(".git/hooks/pre-push", "tokensweep hook run pre-push || true");
    pair.hook(&["status"]).exits(1);
    pair.script(".git/hooks/pre-push", "lefthook run pre-push");
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("cannot tell: "), "{}", run.out());
    pair.hook(&["install"]).exits(0);
    let run = pair.hook(&["status"]).exits(0);
    let version = env!("CARGO_PKG_VERSION");
    for word in ["installed: ", ".git/hooks/pre-push calls ", ".before-tokensweep, then ", version]
    {
        assert!(run.out().contains(word), "no {word:?} in\n{}", run.out());
    }
    // Git looks elsewhere.
    pair.git(&["config", "core.hooksPath", "/nowhere"]);
    let run = pair.hook(&["status"]).exits(1);
    assert!(run.out().contains("git looks in /nowhere (core.hooksPath in "), "{}", run.out());
}
