//! Bad and huge input: nothing is missed, nothing hangs, nothing falls over.

#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Write as _};
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use common::{Sandbox, filled, findings, npm_token, paths, secret, secrets, skipped};
use serde_json::Value;
use tokensweep::pipeline::{Options, Scanner};

const MIB: usize = 1 << 20;

// ---- Beside a token ------------------------------------------------------------

/// What may stand before and after a token without hiding it.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("", ""),
    (",", ","),
    ("<b>", "</b>"),
    ("<", "<"),
    ("(", ")"),
    ("?a=", "&b=1"),
    ("Use ", "."),
    (".", ".x"),
    ("{", "}"),
    ("x:", ":x"),
    ("\0", "\0"),
    ("\x1b[32m", "\x1b[0m"),
    ("\\u001b[32m", "\\u001b[0m"),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("\\\"", "\\\""),
    ("\\\\\\\"", "\\\\\\\""),
    ("\\\\\\\\\\\\\\\"", "\\\\\\\\\\\\\\\""),
    ("&quot;", "&quot;"),
    ("%22", "%22"),
    ("\\n", "\\n"),
    ("\\t", "\\r\\n"),
    ("x", " x"),
    ("_", "_"),
    ("MY_", "_"),
    ("token", "-old"),
    ("9", ";"),
    ("é", "é"),
    ("\u{feff}", "\u{200b}"),
    ("\u{ff}", "|"),
    ("=", "=="),
    ("/", "/"),
    ("@", "@host"),
    ("#", "#"),
    ("\r\n", "\r\n"),
];

#[test]
fn a_token_is_found_whatever_stands_beside_it() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for (at, (before, after)) in NEIGHBOURS.iter().enumerate() {
        let token = npm_token(at as u64);
        sandbox.write(format!("{at:02}"), format!("{before}{token}{after}"));
        expected.push(token);
    }
    let report = sandbox.report(["."]);
    for (token, (before, after)) in expected.iter().zip(NEIGHBOURS) {
        let found = findings(&report).iter().find(|f| f["secret"] == **token);
        let finding = found.unwrap_or_else(|| panic!("nothing between {before:?} and {after:?}"));
        assert_eq!(finding["checksum"], "valid");
        assert_eq!(finding["locations"][0]["offset"], before.len());
    }
    assert_eq!(findings(&report).len(), NEIGHBOURS.len());
}

#[test]
fn bytes_that_are_no_text_do_not_hide_a_token() {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    sandbox.write("a", [b"\xff\xfe\x80", token.as_bytes(), b"\xff\xfe"].concat());
    assert_eq!(secrets(&sandbox.report(["."])), [token]);
}

#[test]
fn a_longer_run_is_not_cut_down_to_a_token() {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    sandbox.write("one", format!("{token}0"));
    sandbox.write("many", format!("{token}{}", "a1B2".repeat(20)));
    sandbox.write("other", format!("{}Z", secret("ghp_{alnum:30}{crc}", 1)));
    sandbox.write("short", &token[..39]);
    sandbox.write("case", token.replace("npm_", "NPM_"));
    let report = sandbox.report(["."]);
    let shown: Vec<_> = findings(&report).iter().map(|f| (&f["kind"], &f["confidence"])).collect();
    let long = (&Value::from("npm-access-token-long"), &Value::from("low"));
    assert!(shown.iter().all(|finding| *finding == long), "{shown:?}");
    assert!(!secrets(&report).contains(&token.as_str()));
}

#[test]
fn a_wrong_checksum_lowers_the_confidence_and_drops_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("a", secret("npm_{alnum:30}{badcrc}", 1));
    let report = sandbox.report(["."]);
    let finding = &findings(&report)[0];
    assert_eq!((&finding["checksum"], &finding["confidence"]), (&"invalid".into(), &"low".into()));
}

// ---- Across borders ------------------------------------------------------------

/// A stream of filler with tokens in lines of their own around the given
/// places, moved by `shift`; and the tokens with their offsets.
fn stream_with_tokens(
    borders: &[usize],
    shift: usize,
    size: usize,
) -> (Vec<u8>, Vec<(usize, String)>) {
    let mut bytes = b"some filler of a log, as long as it takes\n".repeat(size / 42 + 1);
    bytes.truncate(size);
    let mut tokens = Vec::new();
    for &border in borders {
        for at in (border - 104..border + 64).step_by(42) {
            let (at, token) = (at + shift, npm_token(tokens.len() as u64));
            bytes[at - 1] = b'\n';
            bytes[at..at + 40].copy_from_slice(token.as_bytes());
            bytes[at + 40] = b'\n';
            tokens.push((at, token));
        }
    }
    (bytes, tokens)
}

#[track_caller]
fn all_found(report: &Value, bytes: &[u8], tokens: &[(usize, String)]) {
    assert_eq!(findings(report).len(), tokens.len());
    for finding in findings(report) {
        let place = &finding["locations"][0];
        let (at, _) = tokens.iter().find(|(_, token)| finding["secret"] == **token).unwrap();
        let before = &bytes[..*at];
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = at - before.iter().rposition(|&b| b == b'\n').unwrap();
        assert_eq!(
            (finding["places"].as_u64(), place["offset"].as_u64()),
            (Some(1), Some(*at as u64))
        );
        assert_eq!((&place["line"], &place["column"]), (&line.into(), &column.into()));
    }
}

#[test]
fn tokens_across_every_border_of_a_stream_or_a_large_file_are_found_once() {
    // Windows of a stream end at multiples of two MiB behind what is looked
    // back at; those of a large file may too. Other places are for other ways
    // to cut.
    let before = Scanner::new(&Options::default()).unwrap().margins().before;
    let windows = [2, 4].map(|mib| before + mib * MIB);
    let borders = [&[MIB, 2 * MIB, 3 * MIB, 4 * MIB][..], &windows].concat();
    for shift in [0, 13, 29] {
        let sandbox = Sandbox::new();
        let (bytes, tokens) = stream_with_tokens(&borders, shift, 5 * MIB);
        let words = ["scan", "-f", "json", "--show-secrets", "-"];
        all_found(&sandbox.call(words).stdin(&bytes).run().exits(1).json(), &bytes, &tokens);
        sandbox.write("large", &bytes);
        all_found(&sandbox.report(["large", "-j", "2"]), &bytes, &tokens);
    }
}

#[test]
fn tokens_across_the_parts_that_threads_share_are_found_once() {
    let sandbox = Sandbox::new();
    let (bytes, tokens) = stream_with_tokens(&[32 * MIB], 7, 33 * MIB);
    sandbox.write("large", &bytes);
    for threads in ["1", "2"] {
        all_found(&sandbox.report(["large", "-j", threads]), &bytes, &tokens);
    }
}

// ---- Huge ----------------------------------------------------------------------

/// Most memory a scan of anything may take, in kilobytes.
const PEAK: u64 = 100 * 1024;

#[test]
fn a_file_of_one_huge_line_is_searched_to_its_end_in_little_memory() {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    let size = 300_000_000;
    let file = File::create(sandbox.path("line")).unwrap();
    file.write_all_at(token.as_bytes(), size).unwrap();
    let run = sandbox.run(["scan", "-f", "json", "--show-secrets", "line"]).exits(1);
    let report = run.json();
    assert_eq!(secrets(&report), [token]);
    let place = &findings(&report)[0]["locations"][0];
    assert_eq!((&place["line"], &place["column"]), (&1.into(), &(size + 1).into()));
    assert!(run.peak < PEAK, "{} kB", run.peak);
}

#[test]
fn a_pipe_of_one_huge_line_is_searched_to_its_end_in_little_memory() {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    let size = 100_000_000;
    let input = std::io::repeat(b' ').take(size).chain(std::io::Cursor::new(token.clone()));
    let words = ["scan", "-f", "json", "--show-secrets", "-"];
    let run = sandbox.call(words).stream(input).run().exits(1);
    assert_eq!(secrets(&run.json()), [token]);
    assert_eq!(run.json()["summary"]["coverage"]["bytes"], size + 40);
    assert!(run.peak < PEAK, "{} kB", run.peak);
}

#[test]
fn a_million_places_of_one_secret_are_counted_and_not_all_kept() {
    let sandbox = Sandbox::new();
    // A build without optimisation is twenty times slower.
    let places = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    sandbox.write("many", (npm_token(1) + "\n").repeat(places));
    let run = sandbox.run(["scan", "-f", "json"]).exits(1);
    let report = run.json();
    assert_eq!(findings(&report).len(), 1);
    assert_eq!(findings(&report)[0]["places"], places);
    assert_eq!(findings(&report)[0]["locations"].as_array().unwrap().len(), 1000);
    assert!(run.peak < PEAK, "{} kB", run.peak);
}

#[test]
fn a_hundred_thousand_secrets_in_one_file_are_all_found() {
    let sandbox = Sandbox::new();
    let count = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let mut file = BufWriter::new(File::create(sandbox.path("many")).unwrap());
    for seed in 0..count {
        writeln!(file, "{}", npm_token(seed)).unwrap();
    }
    file.flush().unwrap();
    let run = sandbox.run(["scan", "--write-baseline", "known"]).exits(0);
    assert!(run.err().contains(&count.to_string()), "{}", run.err());
    let known = fs::read_to_string(sandbox.path("known")).unwrap();
    assert_eq!(known.lines().count() as u64, count + 1);
}

#[test]
fn a_tree_of_many_levels_is_searched_to_its_bottom() {
    let sandbox = Sandbox::new();
    let deep = "d/".repeat(600) + "a.txt";
    sandbox.write(&deep, npm_token(1));
    assert_eq!(paths(&sandbox.report(["."])), [deep]);
}

#[test]
fn a_path_longer_than_the_system_opens_is_a_gap_that_is_named() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", npm_token(1));
    // A chain of folders can only be made longer than a path by moving one
    // below another.
    let chain = |first: &str| format!("{first}/") + &("d".repeat(200) + "/").repeat(14);
    sandbox.write(chain("below") + "b.txt", npm_token(2));
    fs::create_dir_all(sandbox.path(chain("above"))).unwrap();
    fs::rename(sandbox.path("below"), sandbox.path(chain("above") + "below")).unwrap();
    let report = sandbox.run(["scan", "-f", "json"]).exits(1).json();
    assert_eq!(paths(&report), ["a.txt"]);
    assert_eq!(skipped(&report, "unreadable").len(), 1);
}

// ---- While it is read ------------------------------------------------------------

#[test]
fn a_file_that_is_cut_short_while_it_is_read_does_not_end_the_run() {
    let sandbox = Sandbox::new();
    let other = npm_token(1);
    sandbox.write("z-other", &other);
    let path = sandbox.path("large");
    let mut seen = 0;
    for round in 0..30 {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
        file.write_all_at(npm_token(2).as_bytes(), 10).unwrap();
        file.set_len(24 * MIB as u64).unwrap();
        let cutter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20 * (round % 10)));
            file.set_len(100).unwrap();
        });
        let report = sandbox.run(["scan", "--show-secrets", "-f", "json"]).exits(1).json();
        cutter.join().unwrap();
        assert!(secrets(&report).contains(&other.as_str()));
        let coverage = &report["summary"]["coverage"];
        match skipped(&report, "truncated")[..] {
            [] => assert_eq!(coverage["files"], 2),
            ["large"] => {
                assert_eq!(
                    (&coverage["files"], &coverage["incomplete"]),
                    (&1.into(), &true.into())
                );
                seen += 1;
            }
            ref other => panic!("{other:?}"),
        }
        if seen >= 3 {
            return;
        }
    }
    panic!("never cut at the right time: {seen}");
}

#[test]
fn a_file_that_grows_while_it_is_read_does_not_keep_the_run_from_ending() {
    let sandbox = Sandbox::new();
    sandbox.write("grows", npm_token(1) + "\n");
    let mut file = OpenOptions::new().append(true).open(sandbox.path("grows")).unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let writer = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            file.write_all(b"one more line\n").unwrap();
        }
    });
    let report = sandbox.report(["."]);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(secrets(&report), [npm_token(1)]);
}

#[test]
fn files_of_the_system_that_tell_no_size_are_read() {
    let sandbox = Sandbox::new();
    let token = npm_token(1);
    let path = format!("/proc/{}/environ", std::process::id());
    // Our own environment is what it was at our start; the child's is its own.
    let call = sandbox.call(["scan", "-f", "json", "--show-secrets", "/proc/self/environ"]);
    let report = call.env("NPM_TOKEN", &token).run().exits(1).json();
    assert_eq!(secrets(&report), [token]);
    assert_eq!(findings(&report)[0]["locations"][0]["variable"], "NPM_TOKEN");
    assert!(sandbox.run(["scan", &path]).code < 2);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let sandbox = Sandbox::new();
    for at in 0..200 {
        sandbox.write(format!("{at}"), filled("npm_{alnum:30}{crc}", at).text);
    }
    let mut call = sandbox.call(["scan", "-v"]);
    call.command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = call.command.spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn text_in_utf_16_is_named_however_it_is_read() {
    let text: Vec<u8> = "\u{feff}NPM_TOKEN=x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sandbox = Sandbox::new();
    sandbox.write("small.txt", &text);
    sandbox.write("large.txt", text.repeat(100_000));
    for call in [vec!["scan", "small.txt"], vec!["scan", "large.txt"]] {
        let report = sandbox.run(call.iter().chain(&["-f", "json"])).exits(0).json();
        assert_eq!(report["summary"]["coverage"]["skipped_counts"]["utf16"], 1, "{call:?}");
    }
}
