//! Settings of the project, which must not switch a hook off unseen.

use crate::Pair;
use crate::common::npm_token;

fn with(settings: &str) -> Pair {
    let pair = Pair::guarded();
    pair.commit(".tokensweep.toml", settings, "settings");
    pair.git(&["push", "-q", "--no-verify"]);
    pair
}

#[test]
fn settings_that_leave_nothing_are_refused() {
    for settings in ["exclude = ['**']", "max-file-size = 1"] {
        let pair = with(settings);
        pair.commit("a.env", format!("NPM_TOKEN={}\n", npm_token(90)), "second");
        let words =
            ["the settings leave nothing of it to look at", "settings from ", ".tokensweep.toml"];
        pair.try_git(&["push"]).is_refused(&words);
        pair.hook(&["install", "-t", "pre-commit"]).exits(0);
        pair.write("b", "some text\n");
        pair.git(&["add", "b"]);
        pair.try_git(&["commit", "-m", "third"]).is_refused(&words);
    }
}

#[test]
fn only_what_was_searched_is_counted() {
    let pair = with("exclude = ['*.md']\nrule = ['npm-access-token']");
    pair.write("a.md", "a\n");
    pair.commit("b.txt", "b\n", "second");
    let words = ["1 of 2 files", "1 × excluded", "with 1 rule only", "settings from "];
    pair.try_git(&["push"]).is_clean(&words);
}
