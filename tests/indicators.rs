//! Lists of known bad versions in every shape that is published, and where a
//! user's own projects pin one.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;
use tokensweep::blast_radius::home::{at_home, own_names};
use tokensweep::indicators::{Known, List, parse};

#[track_caller]
fn list(text: &str) -> List {
    parse("list", text.as_bytes()).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

fn pairs(list: &List) -> Vec<String> {
    list.npm.iter().map(|bad| format!("{}@{}", bad.name, bad.version)).collect()
}

#[test]
fn plain_lists_split_at_the_last_colon() {
    let text = "# A list\n# Last updated: June 2026\n\n# =====\n# FIRST WAVE, 2025\n# more \
    words\n# =====\n\n\
                # Popular ones\n02-echo:0.0.7\n@s/a:1.0.0-rc.1   # a remark\nnpm:@s/b:2.0.0\r\n\
                go:github.com/x/y:v1.0.0\npypi:z:1\nnpm:c@3.0.0\npkg:npm/%40s/d@4.0.0\n\n\
                # =====\n# SECOND WAVE\n# =====\nlast@5.0.0\nno version here\n\
                https://example.invalid:443\na:>=1";
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        let list = list(&text);
        assert_eq!(list.format, "plain");
        let expected = [
            "02-echo@0.0.7",
            "@s/a@1.0.0-rc.1",
            "@s/b@2.0.0",
            "@s/d@4.0.0",
            "c@3.0.0",
            "last@5.0.0",
        ];
        assert_eq!(pairs(&list), expected);
        assert_eq!(list.npm[0].campaign, "under “FIRST WAVE, 2025”");
        assert_eq!(list.npm[5].campaign, "under “SECOND WAVE”");
        assert_eq!(list.as_of.as_deref(), Some("June 2026"));
        assert_eq!(
            list.other.iter().map(|(k, n)| (k.as_str(), *n)).collect::<Vec<_>>(),
            [("go", 1), ("pypi", 1)]
        );
        assert_eq!((list.not_understood, list.not_understood_at.len()), (3, 3));
        assert_eq!(list.not_understood_at[0], "line 22");
    }
}

#[test]
fn tables_are_read_by_their_heading() {
    let tables = [
        "package_name,package_versions,sources\n@s/a,\"1.0.0, 1.0.1\",\"x, y\"\nb,2.0.0,z\n",
        "package_name,package_version\n@s/a,1.0.0\n@s/a,1.0.1\nb,2.0.0\n",
        "Package,Version\n@s/a,= 1.0.0 || = 1.0.1\nb,= 2.0.0\n",
        "artifact_type,name,affected_versions\nnpm package,@s/a,\"1.0.0, 1.0.1\"\nnpm package,b,\
        2.0.0\n",
        "type,indicator,context\nnpm package,@s/a@1.0.0,\"a \"\"bad\"\" one,\nindeed\"\nnpm \
        package,@s/a@1.0.1,x\nnpm package,b@2.0.0,\n",
        "# as of today\n\nPackage,Version\r\nb,= 2.0.0\r\n@s/a,= 1.0.1 || = 1.0.0\r\n",
    ];
    for table in tables {
        let list = list(table);
        assert_eq!((list.format, list.not_understood), ("csv", 0), "{table}");
        assert_eq!(pairs(&list), ["@s/a@1.0.0", "@s/a@1.0.1", "b@2.0.0"], "{table}");
    }
    let mixed = list(
        "artifact_type,name,affected_versions\npypi package,x,1.0.0\nsha256,00,\n\
         npm package,a,1.0.0\nnpm package,b,All but 2\nnpm package,c,\n",
    );
    assert_eq!(pairs(&mixed), ["a@1.0.0"]);
    assert_eq!(mixed.other.values().sum::<u64>(), 2);
    assert_eq!(mixed.not_understood_at, ["line 5", "line 6"]);
}

#[test]
fn json_is_read_in_every_shape() {
    let shapes = [
        r#"{"version":"2.2.0","lastUpdated":"2026-08-08","packages":[{"name":"@s/a",
        "severity":"critical","affectedVersions":["1.0.0","1.0.1"]},{"name":"b",
        "affectedVersions":["2.0.0"]}]}"#,
        "{\"name\":\"@s/a\",\"version\":\"1.0.0\"}\n{\"name\":\"@s/a\",\
        \"version\":\"1.0.1\"}\r\n\n{\"name\":\"b\",\"version\":\"2.0.0\"}\n",
        "{\"kind\":\"npm_package\",\"value\":\"@s/a@1.0.0\"}\n{\"kind\":\"package\",\
        \"ecosystem\":\"npm\",\"value\":\"@s/a\",\"version\":\"1.0.1\"}\n{\"kind\":\"package\",\
        \"value\":\"b@2.0.0\"}\n",
        r#"[{"name":"@s/a","versions":["1.0.0","1.0.1"]},"b@2.0.0"]"#,
        r#"{"packages":{"@s/a":["1.0.0","1.0.1"],"b":"2.0.0"}}"#,
        r#"[{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"@s/a"},
        "versions":["1.0.0","1.0.1"]}]},{"id":"MAL-2","affected":[{"package":{"ecosystem":"npm",
        "name":"b"},"versions":["2.0.0"]}]}]"#,
    ];
    for shape in shapes {
        let list = list(shape);
        assert_eq!(list.not_understood, 0, "{shape}");
        assert_eq!(pairs(&list), ["@s/a@1.0.0", "@s/a@1.0.1", "b@2.0.0"], "{shape}");
    }
    assert_eq!(list(shapes[0]).as_of.as_deref(), Some("2026-08-08"));
    assert_eq!(list(shapes[5]).npm[0].campaign, "MAL-1");
}

#[test]
fn advisories_for_all_versions_and_other_ecosystems() {
    let osv = |ecosystem: &str, events: &str| {
        format!(
            r#"{{"id":"MAL-1","modified":"2026-01-02T00:00:00Z",
            "affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"a"}},
            "ranges":[{{"type":"SEMVER","events":[{events}]}}]}}]}}"#
        )
        .replace('\n', "")
    };
    let all = osv("npm", r#"{"introduced":"0"}"#);
    assert_eq!(pairs(&list(&all)), ["a@*"]);
    assert!(
        Known::of(&[list(&all)]).bad("a", "77.0.0").is_some_and(|words| words.contains("MAL-1"))
    );
    let some = osv("npm", r#"{"introduced":"0"},{"fixed":"2.0.0"}"#);
    assert!(parse("x", some.as_bytes()).is_err());
    let lines = format!("{all}\n{}\n{some}\n", osv("PyPI", r#"{"introduced":"0"}"#));
    let list = list(&lines);
    assert_eq!((list.format, list.other["PyPI"], list.not_understood), ("jsonl", 1, 1));
}

#[test]
fn records_of_other_kinds_are_counted_apart() {
    let list = list(
        "{\"kind\":\"domain\",\"value\":\"example.invalid\"}\n{\"kind\":\"npm_package\",\
        \"value\":\"a@1.0.0\",\"campaign\":\"worm\"}\n\
         {\"kind\":\"file_sha256\",\"value\":\"00\"}\nnot json\n",
    );
    assert_eq!(pairs(&list), ["a@1.0.0"]);
    assert_eq!(list.npm[0].campaign, "worm");
    assert_eq!((list.other["domain"], list.other["file_sha256"]), (1, 1));
    assert_eq!(list.not_understood_at, ["line 4"]);
}

#[test]
fn only_what_is_of_npm_counts() {
    let list = list(
        r#"[{"kind":"package","registry":"docker","name":"x/y","version":"1"},
            {"kind":"package","registry":"npm","name":"a","version":"1.0.0"},
            {"name":"github.com/u/m","affectedVersions":["v0.1.0","v0.2.0"]}]"#,
    );
    assert_eq!((pairs(&list), list.not_understood), (vec!["a@1.0.0".to_owned()], 0));
    assert_eq!((list.other["docker"], list.other["module path"]), (1, 2));
}

#[test]
fn a_list_that_says_nothing_is_an_error() {
    for text in [
        "",
        "# only words\n",
        "pypi:a:1.0.0\n",
        "{}",
        "[]",
        "Package,Version\n",
        "hello\n",
        "\u{0}",
    ] {
        assert!(parse("x", text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(parse("x", b"\xff").is_err());
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("empty.txt");
    fs::write(&path, "# nothing\n").unwrap();
    let why = Known::load(std::slice::from_ref(&path)).unwrap_err();
    assert!(why.what().contains("empty.txt"), "{why}");
    assert!(Known::load(&[dir.path().join("missing")]).is_err());
    assert!(Known::load(&[dir.path().into()]).is_err());
}

#[test]
fn lists_are_asked_together() {
    let dir = TempDir::new().unwrap();
    let paths: Vec<PathBuf> =
        [("one.txt", "# worm\na:1.0.0\n"), ("two.csv", "Package,Version\na,= 1.0.0 || = 2.0.0\n")]
            .into_iter()
            .map(|(name, text)| {
                fs::write(dir.path().join(name), text).unwrap();
                dir.path().join(name)
            })
            .collect();
    let known = Known::load(&paths).unwrap();
    assert_eq!(known.bad("a", "1.0.0"), Some("one.txt: under “worm”; two.csv"));
    assert_eq!(known.bad("a", "2.0.0"), Some("two.csv"));
    assert_eq!((known.bad("a", "3.0.0"), known.bad("b", "1.0.0")), (None, None));
    assert_eq!(
        known.lists(),
        ["one.txt: 1 version, without a date", "two.csv: 2 versions, without a date"]
    );
}

#[test]
fn projects_at_home_are_found_wherever_they_lie() {
    let dir = TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let classic = |name: &str, version: &str| format!("{name}@*:\n  version \"{version}\"\n");
    write("plain/yarn.lock", &classic("reach", "1.0.0"));
    write(".hidden/yarn.lock", &classic("bad", "6.6.6"));
    write("ignored/yarn.lock", &classic("bad", "6.6.5"));
    write(".gitignore", "ignored/\n");
    write(".git/yarn.lock", &classic("reach", "1.0.0"));
    write("plain/node_modules/dep/yarn.lock", &classic("reach", "9.9.9"));
    write(
        "plain/node_modules/.package-lock.json",
        r#"{"lockfileVersion":3,"packages":{"node_modules/reach":{"version":"1.0.1"}}}"#,
    );
    write("broken/pnpm-lock.yaml", "<<<<<<< HEAD\n");
    write("old/bun.lockb", "binary");
    write("list", "# worm\nbad:6.6.6\n");
    let roots = [dir.path().to_owned(), dir.path().join("plain"), dir.path().join("gone")];
    let known = Known::load(&[dir.path().join("list")]).unwrap();
    let packages = BTreeSet::from(["reach".to_owned()]);
    let (lockfiles, uses) = at_home(&roots, &packages, &known);
    let short = |path: &str| {
        path.rsplit_once(&*dir.path().file_name().unwrap().to_string_lossy()).unwrap().1.to_owned()
    };
    let read: Vec<(String, bool)> =
        lockfiles.iter().map(|one| (short(&one.path), one.problem.is_empty())).collect();
    let expected = [
        ("/.hidden/yarn.lock", true),
        ("/broken/pnpm-lock.yaml", false),
        ("/gone", false),
        ("/ignored/yarn.lock", true),
        ("/old/bun.lockb", false),
        ("/plain/node_modules/.package-lock.json", true),
        ("/plain/yarn.lock", true),
    ];
    assert_eq!(read, expected.map(|(path, fine)| (path.to_owned(), fine)));
    let found: Vec<_> = uses
        .iter()
        .map(|one| {
            (
                short(&one.lockfile),
                one.package.as_str(),
                one.version.as_str(),
                one.known_bad.as_deref(),
            )
        })
        .collect();
    let expected = [
        ("/.hidden/yarn.lock", "bad", "6.6.6", Some("list: under “worm”")),
        ("/plain/node_modules/.package-lock.json", "reach", "1.0.1", None),
        ("/plain/yarn.lock", "reach", "1.0.0", None),
    ];
    assert_eq!(found, expected.map(|(path, a, b, c)| (path.to_owned(), a, b, c)));
    assert_eq!(uses[2].through, ["reach"]);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_named_and_not_opened() {
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("yarn.lock")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("bun.lock")).status();
    let (lockfiles, uses) = at_home(&[dir.path().to_owned()], &BTreeSet::new(), &Known::default());
    assert!(uses.is_empty() && lockfiles.iter().all(|one| !one.problem.is_empty()));
    assert_eq!(lockfiles.len(), 1 + usize::from(made.is_ok_and(|made| made.success())));
}

/// `v1.0.1` and a name with capitals must not match nothing in silence.
#[test]
fn versions_and_names_are_matched_however_they_are_written() {
    for text in ["left-pad:v1.0.1", "left-pad:=1.0.1", "left-pad@= V1.0.1", "Left-Pad:1.0.1"] {
        let known = Known::of(&[list(text)]);
        assert!(known.bad("left-pad", "1.0.1").is_some(), "{text}");
        assert!(known.bad("left-pad", "1.0.2").is_none(), "{text}");
        assert!(known.bad("other", "1.0.1").is_none(), "{text}");
    }
    let known = Known::of(&[list("JSONStream:*\nleft-pad:1.0.1")]);
    assert!(known.bad("JSONStream", "1.0.0").is_some());
    assert!(known.bad("Left-Pad", "1.0.1").is_none(), "another package of old");
}

/// Nobody writes into the pipe: opening it would wait without end.
#[cfg(unix)]
#[test]
fn only_regular_manifests_are_opened() {
    let dir = TempDir::new().unwrap();
    for folder in ["pipe", "link", "good"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let pipe = dir.path().join("pipe/package.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink(&pipe, dir.path().join("link/package.json")).unwrap();
    fs::write(dir.path().join("good/package.json"), r#"{"name":"kit"}"#).unwrap();
    let names = own_names(&[dir.path().to_path_buf(), pipe]);
    assert_eq!(names, BTreeSet::from(["kit".to_owned()]));
}

proptest! {
    #[test]
    fn any_list_is_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "[\\PC\n]{0,200}",
    ) {
        for bytes in [&bytes[..], text.as_bytes()] {
            if let Ok(list) = parse("x", bytes) {
                prop_assert!(!list.npm.is_empty());
            }
        }
    }

    #[test]
    fn pieces_of_lists_are_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "package,version", "name", "@s/a", "1.0.0", ":", "@", ",", "\"", "\n", "#", "=", " \
            || ", "npm:",
            "{", "}", "[", "]", "\"name\":", "\"version\":", "\"affected\":", "\"packages\"\
            :", "\"1.0.0\"", "0",
        ]), 0..40),
    ) {
        let text = pieces.concat();
        if let Ok(list) = parse("x", text.as_bytes()) {
            let known = Known::of(std::slice::from_ref(&list));
            for bad in &list.npm {
                prop_assert!(known.bad(&bad.name, &bad.version).is_some());
            }
        }
    }

    #[test]
    fn every_pair_comes_back_from_every_shape(
        pairs in prop::collection::btree_set(("(@[a-z0-9-]{1,8}/)?[a-zA-Z0-9_.-]{1,\
        12}", "[0-9]{1,3}\\.[0-9]\\.[0-9X](-rc\\.[0-9])?"), 1..12),
    ) {
        let each = |begin: &str, f: &dyn Fn(&str, &str) -> String, between: &str, end: &str| {
            let lines: Vec<String> = pairs.iter().map(|(name, version)| f(name, version)).collect();
            format!("{begin}{}{end}", lines.join(between))
        };
        let texts = [
            each("", &|n, v| format!("{n}:{v}"), "\n", ""),
            each("", &|n, v| format!("{n}@{v}"), "\r\n", "\n"),
            each("Package,Version\n", &|n, v| format!("{n},= {v}"), "\n", ""),
            each("", &|n, v| format!("{{\"name\":\"{n}\",\"version\":\"{v}\"}}"), "\n", ""),
            each("[", &|n, v| format!("{{\"name\":\"{n}\",\"version\":\"{v}\"}}"), ",", "]"),
        ];
        for text in texts {
            let list = parse("x", text.as_bytes()).unwrap();
            let found: BTreeSet<(String, String)> =
                list.npm.into_iter().map(|bad| (bad.name, bad.version)).collect();
            prop_assert_eq!(&found, &pairs, "{}", text);
        }
    }
}
