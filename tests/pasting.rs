//! What a report tells to paste into a shell does what it says, whatever the
//! names in it are.

#![cfg(unix)]

use std::process::{Command, Stdio};

use proptest::prelude::*;
use tokensweep::blast_radius::conclude;
use tokensweep::model::Report;
use tokensweep::model::radius::{Response, SwitchPart};
use tokensweep::report::{Format, Options, reporter};

const LEFT_OUT: &str = "# left out";

/// The commands of the plan that follows from a part of a switch at `place`.
fn commands(place: &str) -> Vec<String> {
    let part = SwitchPart {
        switch: "gh-token-monitor".into(),
        place: place.into(),
        armed: true,
        words: "a part".into(),
    };
    let response = Response { switch: vec![part], ..Response::default() };
    let mut report = Report { response: Some(Box::new(response)), ..Report::default() };
    conclude(&mut report);
    let mut out = Vec::new();
    reporter(Format::Text, Options::default()).write(&report, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("         "));
    lines.filter(|line| !line.starts_with(' ')).map(str::to_owned).collect()
}

/// The words that a shell makes of `words`; nothing but `printf` can run.
fn parsed(words: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("printf '[%s]' {words}");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).current_dir(&folder).env_clear().env("PATH", "");
    let output = shell.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn plain_paths_are_pasted_and_odd_ones_are_not() {
    let deletes = |place: &str| {
        let all = commands(place);
        all.iter().any(|command| command.starts_with("rm -rf -- "))
    };
    assert!(deletes("/home/Jo Ä/.local/bin/gh-token-monitor.sh"));
    assert!(deletes("/home/$(touch x)/gh-token-monitor.sh"));
    for odd in ["/home/o'neil/x.sh", "/home/a\\/x.sh", "/home/a\u{202e}b/x.sh"] {
        assert!(!deletes(odd), "{odd}");
        assert!(commands(odd).iter().any(|line| line.starts_with(LEFT_OUT)), "{odd}");
    }
    let windows = commands(r"C:\Users\ann\monitor.ps1");
    let exact = r"Remove-Item -Recurse -Force -LiteralPath 'C:\Users\ann\monitor.ps1'";
    assert!(windows.iter().any(|line| line == exact), "{windows:?}");
    let quoted = commands("C:\\Users\\a\u{2019};calc;\u{2019}\\monitor.ps1");
    assert!(!quoted.iter().any(|line| line.contains("calc")), "{quoted:?}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    })]

    #[test]
    fn a_pasted_path_is_that_path(place in "/[ab'\"\\\\;$()`&|<>*?~# !ä\n\u{202e}-]{1,12}") {
        for command in commands(&place) {
            if let Some(words) = command.strip_prefix("rm -rf -- ") {
                prop_assert_eq!(parsed(words), Some(format!("[{place}]")), "{}", command);
            }
        }
    }
}
