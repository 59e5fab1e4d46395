//! What must hold for any input, with all shipped rules: no short cut of the
//! search changes what is found, and no output gives a secret away.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::Index;
use tokensweep::matcher::{Candidate, Matcher};
use tokensweep::model::{Blob, Copied, Origin, OriginKind, Report};
use tokensweep::pipeline::{Options, Scanner, scan};
use tokensweep::report::{self, Format, reporter};
use tokensweep::rules::{RuleSet, embedded_files, example::fill, trials};
use tokensweep::source::{self, Tally, Target, WINDOW};

static MATCHERS: LazyLock<[Matcher; 2]> = LazyLock::new(|| {
    let rules = Arc::new(RuleSet::shipped());
    [Matcher::new(Arc::clone(&rules)), Matcher::portable(rules)]
});

/// The filled examples and counter-examples of all shipped rules.
static EXAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    embedded_files()
        .iter()
        .flat_map(|(name, text)| trials(name, text).expect("shipped rules are valid"))
        .map(|trial| trial.example.text)
        .collect()
});

/// Ordinary bytes, keywords, and examples, whole or cut.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let keyword = any::<Index>().prop_map(|at| at.get(MATCHERS[0].keywords()).text.clone());
    let example = any::<Index>().prop_map(|at| at.get(&EXAMPLES).clone());
    let cut = (any::<Index>(), any::<(Index, Index)>()).prop_map(|(at, ends)| {
        let text = at.get(&EXAMPLES);
        let (a, b) = (ends.0.index(text.len() + 1), ends.1.index(text.len() + 1));
        text[a.min(b)..a.max(b)].to_vec()
    });
    prop_oneof![
        2 => "[ -~\n\"'=:]{0,24}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..16),
        2 => keyword,
        3 => example,
        2 => cut,
    ]
}

fn text(pieces: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), pieces).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn simd_makes_no_difference(text in text(0..40), range in any::<(Index, Index)>()) {
        let (a, b) = (range.0.index(text.len() + 1), range.1.index(text.len() + 1));
        let fresh = (a.min(b), a.max(b));
        let [simd, portable] = &*MATCHERS;
        for fresh in [fresh, (0, text.len())] {
            let origin = origin();
            let blob = Blob { fresh, ..Blob::whole(&origin, &text) };
            let found = matches(|each| simd.candidates(&blob, each));
            prop_assert_eq!(&found, &matches(|each| portable.candidates(&blob, each)));
            for (_, span, secret) in found {
                prop_assert!(fresh.0 <= span.0 && span.0 < fresh.1 && span.1 <= text.len());
                prop_assert!(span.0 <= secret.0 && secret.0 < secret.1 && secret.1 <= span.1);
            }
        }
    }
}

proptest! {
    // Every rule at every position: a few hundred kilobytes take a while.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_prefilter_makes_no_difference(text in text(0..6)) {
        let text = &text[..text.len().min(1500)];
        let origin = origin();
        let blob = Blob::whole(&origin, text);
        let found = matches(|each| MATCHERS[0].candidates(&blob, each));
        let all = matches(|each| MATCHERS[0].candidates_unfiltered(&blob, each));
        prop_assert_eq!(found, all);
    }

    #[test]
    fn no_output_shows_a_secret(text in text(1..12)) {
        let scanner = Scanner::new(&Options { explain: true, ..Options::default() }).unwrap();
        scanner.scan_bytes("dir/.npmrc", &text);
        let report = scanner.finish();
        for format in Format::ALL {
            for options in [
                report::Options::default(),
                report::Options { explain: true, verbose: true, color: true, ..Default::default() },
            ] {
                let mut out = Vec::new();
                reporter(format, options).write(&report, &mut out).unwrap();
                assert_hidden(&report, &String::from_utf8(out).unwrap())?;
            }
        }
        for finding in &report.findings {
            assert_hidden(&report, &format!("{:?}", finding.secret))?;
        }
    }
}

proptest! {
    // Several mebibytes each.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn windows_make_no_difference(
        pieces in prop::collection::vec((any::<Index>(), piece()), 1..30),
        chunk in 1_usize..100_000,
    ) {
        let mut stream = filler(2 * WINDOW + WINDOW / 3);
        for (at, piece) in &pieces {
            // Half of them lie near the borders of windows.
            let border = (at.index(3) + 1) * WINDOW + *MARGINS_BEFORE;
            let near = border + at.index(2 * piece.len() + 1);
            let start = if at.index(2) == 0 { at.index(stream.len()) } else { near };
            let start = start.saturating_sub(piece.len()).min(stream.len());
            let end = (start + piece.len()).min(stream.len());
            stream.splice(start..end, piece.iter().copied());
        }
        prop_assert_eq!(found(&streamed(&stream, chunk)), found(&whole(&stream)));
    }
}

static MARGINS_BEFORE: LazyLock<usize> =
    LazyLock::new(|| Scanner::new(&Options::default()).unwrap().margins().before);

/// A token at each of many distances from the border of a window.
#[test]
fn a_token_across_a_border_is_found() {
    let token = fill("npm_{alnum:30}{crc}", 7).unwrap().text;
    let border = *MARGINS_BEFORE + WINDOW;
    for shift in 0..=token.len() {
        let mut stream = filler(border + WINDOW / 2);
        let start = border - shift;
        stream[start - 1] = b' ';
        stream[start..start + token.len()].copy_from_slice(&token);
        stream[start + token.len()] = b'\n';
        let report = streamed(&stream, 64 << 10);
        let offsets: Vec<u64> =
            report.findings.iter().flat_map(|it| &it.locations).map(|at| at.offset).collect();
        assert_eq!(offsets, [start as u64], "{shift} bytes before the border");
    }
}

/// Lines of words, none of which any rule wants.
fn filler(size: usize) -> Vec<u8> {
    b"some words, and then some more of them; a line of the kind that most files are made of\n"
        .iter()
        .copied()
        .cycle()
        .take(size)
        .collect()
}

fn whole(text: &[u8]) -> Report {
    let scanner = Scanner::new(&Options::default()).unwrap();
    scanner.scan_bytes("-", text);
    scanner.finish()
}

/// The report of a stream that comes in pieces of `chunk` bytes.
fn streamed(text: &[u8], chunk: usize) -> Report {
    struct Chunks<'t>(&'t [u8], usize);
    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let size = self.1.min(buffer.len());
            Read::read(&mut self.0, &mut buffer[..size])
        }
    }
    let source = source::Options { targets: vec![Target::Stdin], ..source::Options::default() };
    let options = Options { source, ..Options::default() };
    scan(&options, &mut Chunks(text, chunk), &Tally::default()).unwrap()
}

/// What reports of the same bytes must agree on, whatever their origin is called.
fn found(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report
        .findings
        .iter()
        .map(|it| {
            let places: Vec<_> = it
                .locations
                .iter()
                .map(|at| (at.offset, at.line, at.column, at.length, &at.variable))
                .collect();
            let judged = (it.confidence, it.severity, &it.worth, &it.registry, &it.username);
            format!("{} {:?} {judged:?} {places:?}", it.rule, it.fingerprint)
        })
        .collect();
    lines.push(format!("{:?}", report.rejected));
    lines
}

/// A command of a delta: bytes of the base, or bytes of its own.
#[derive(Clone, Debug)]
enum Command {
    Copy(Index, Index),
    Insert(Vec<u8>),
}

/// Deltas as git makes them, mostly long copies with little between, and such
/// as only an enemy makes.
fn commands() -> impl Strategy<Value = Vec<Command>> {
    let copy = any::<(Index, Index)>().prop_map(|(a, b)| Command::Copy(a, b));
    let insert = prop_oneof![piece(), text(0..4)].prop_map(Command::Insert);
    prop::collection::vec(prop_oneof![3 => copy, 2 => insert], 0..12)
}

fn applied(base: &[u8], commands: &[Command]) -> (Vec<u8>, Vec<Copied>) {
    let (mut made, mut copied) = (Vec::new(), Vec::new());
    for command in commands {
        match command {
            Command::Insert(bytes) => made.extend_from_slice(bytes),
            Command::Copy(a, b) => {
                let (a, b) = (a.index(base.len() + 1), b.index(base.len() + 1));
                let (from, len) = (a.min(b), a.abs_diff(b));
                if len > 0 {
                    copied.push(Copied { at: made.len(), from, len });
                    made.extend_from_slice(&base[from..from + len]);
                }
            }
        }
    }
    (made, copied)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_delta_is_searched_as_if_it_were_whole(
        base in text(0..40),
        steps in prop::collection::vec(commands(), 1..4),
    ) {
        let (origin, matcher) = (origin(), &MATCHERS[0]);
        let (mut base, mut trace) = (base.clone(), matcher.trace(&Blob::whole(&origin, &base), None));
        for commands in steps {
            let (made, copied) = applied(&base, &commands);
            let blob = Blob::whole(&origin, &made);
            let delta = matcher.trace(&blob, Some((&trace, &copied)));
            let whole = matcher.trace(&blob, None);
            prop_assert_eq!(&delta, &whole);
            let traced = matches(|each| matcher.traced(&blob, &delta, each));
            let searched = matches(|each| matcher.candidates(&blob, each));
            prop_assert_eq!(traced, searched);
            (base, trace) = (made, delta);
        }
    }
}

/// A password may be a word that stands in the report anyway; what is longer
/// may not.
fn assert_hidden(report: &Report, shown: &str) -> Result<(), TestCaseError> {
    for finding in &report.findings {
        let secret = String::from_utf8_lossy(finding.secret.expose()).into_owned();
        let hidden = secret.len() < 12 || !shown.contains(&secret);
        prop_assert!(hidden, "{} shows {secret:?} in {shown}", finding.rule);
    }
    Ok(())
}

type Match = (usize, (usize, usize), (usize, usize));

fn matches<'b>(search: impl FnOnce(&mut dyn FnMut(Candidate<'b>))) -> BTreeSet<Match> {
    let mut found = BTreeSet::new();
    search(&mut |it| {
        found.insert((it.rule_index, it.span, it.secret));
    });
    found
}

fn origin() -> Arc<Origin> {
    Arc::new(Origin {
        target: 0,
        root: b"x".as_slice().into(),
        path: Box::default(),
        kind: OriginKind::File,
        git: None,
    })
}
