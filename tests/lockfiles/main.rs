//! Lockfiles of every format tell what is installed, and through whom.

mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use tokensweep::lockfile::{Lock, Use, is_lockfile, read};
use tree::{Tree, tree};

const NAMES: [&str; 13] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    ".package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-lock.main.yaml",
    "bun.lock",
    "bun.lockb",
    "a/b/yarn.lock",
    "package.json",
    "yarn.lock.bak",
    "pnpm-lock.yml",
    "",
];

#[track_caller]
fn lock(name: &str, text: &str) -> Lock {
    let lock = read(name, text.as_bytes()).unwrap_or_else(|why| panic!("{name}: {why}\n{text}"));
    assert_eq!(lock.problem, "", "{name}\n{text}");
    lock
}

fn uses(lock: &Lock, package: &str) -> Vec<(String, Vec<String>)> {
    lock.uses(package).into_iter().map(|one| (one.version, one.through)).collect()
}

fn one(version: &str, through: &[&str]) -> Vec<(String, Vec<String>)> {
    vec![(version.into(), through.iter().map(|name| (*name).into()).collect())]
}

#[test]
fn names_of_lockfiles_are_known() {
    let known: Vec<bool> = NAMES.iter().map(|name| is_lockfile(name)).collect();
    assert_eq!(known, [vec![true; 9], vec![false; 4]].concat());
    assert!(read("bun.lockb", b"#!/usr/bin/env bun").unwrap_err().contains("binary"));
    assert!(read("package.json", b"{}").is_err());
}

#[test]
fn package_lock_3_knows_aliases_workspaces_and_links() {
    let text = r#"{"name":"app","lockfileVersion":3,"requires":true,"packages":{
"":{"name":"app","workspaces":["packages/*"],"dependencies":{"odd":"npm:is-odd@3.X"},
 "devDependencies":{"@s/deep":"^1.0.0"}},
"node_modules/@s/deep":{"version":"1.2.3","dev":true,"peerDependencies":{"leaf":"*"}},
"node_modules/@w/a":{"resolved":"packages/a","link":true},
"node_modules/leaf":{"version":"1.0.0"},
"node_modules/odd":{"name":"is-odd","version":"3.X","dependencies":{"2-then":"^1"}},
"node_modules/2-then":{"version":"1.0.0"},
"packages/a":{"name":"@w/a","version":"0.1.0","dependencies":{"leaf":"^2"}},
"packages/a/node_modules/leaf":{"version":"2.0.0","resolved":"git+ssh://u:p@example.invalid/l.git"}
}}"#;
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "")] {
        let lock = lock("package-lock.json", &text);
        assert_eq!((lock.format.as_str(), lock.packages), ("package-lock v3", 5));
        assert_eq!(uses(&lock, "is-odd"), one("3.X", &["is-odd"]));
        assert_eq!(uses(&lock, "odd"), []);
        assert_eq!(uses(&lock, "2-then"), one("1.0.0", &["is-odd", "2-then"]));
        let both = [one("1.0.0", &["@s/deep", "leaf"]), one("2.0.0", &["leaf"])].concat();
        assert_eq!(uses(&lock, "leaf"), both);
    }
}

#[test]
fn package_lock_1_nests_and_2_has_both() {
    let old = r#""dependencies":{"a":{"version":"1.0.0","requires":{"b":"^2"},
"dependencies":{"b":{"version":"2.0.0"}}},"b":{"version":"1.0.0"},
"c":{"version":"npm:@s/real@1.1.1","requires":true},
"d":{"version":"git+https://u:secret@example.invalid/d.git#1234"}}"#;
    let first = lock("package-lock.json", &format!("{{\"lockfileVersion\":1,{old}}}"));
    assert_eq!(first.format, "package-lock v1");
    assert_eq!(uses(&first, "b"), [one("1.0.0", &["b"]), one("2.0.0", &["a", "b"])].concat());
    assert_eq!(uses(&first, "@s/real"), one("1.1.1", &["@s/real"]));
    assert_eq!(uses(&first, "d"), one("git+https:", &["d"]));
    let shrinkwrap = lock("npm-shrinkwrap.json", &format!("{{{old}}}"));
    assert_eq!(shrinkwrap.format, "npm-shrinkwrap v1");
    // What only old programs would install counts as well.
    let text = format!(
        "{{\"lockfileVersion\":2,{old},\"packages\":{{\"\":{{\"dependencies\":{{\"a\":\"1\"}}}},\
         \"node_modules/a\":{{\"version\":\"1.0.0\"}}}}}}"
    );
    let second = lock("package-lock.json", &text);
    assert_eq!(uses(&second, "a"), one("1.0.0", &["a"]));
    let versions: Vec<String> = second.uses("b").into_iter().map(|one| one.version).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0"]);
}

#[test]
fn yarn_classic_takes_the_version_from_the_block() {
    let text = "# yarn lockfile v1\n\n\n\"2-then@^1.0.0\", 2-then@~1.0.1:\n  version \"1.0.9\"\n  \
                resolved \"https://example.invalid/x.tgz#0\"\n  dependencies:\n    \"@s/b\" \"1 \
                || 2\"\n\n\
                \"@s/b@1 || 2\":\n  version \"2.0.0\"\n\n\"odd@npm:is-odd@3.0.1\":\n  version \
                \"3.0.1\"\n\n\
                \"last@npm:^1\":\n  version \"3.X\"\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
        let lock = lock("yarn.lock", &text);
        assert_eq!((lock.format.as_str(), lock.packages), ("yarn classic", 4));
        assert_eq!(uses(&lock, "2-then"), one("1.0.9", &["2-then"]));
        assert_eq!(uses(&lock, "@s/b"), one("2.0.0", &["2-then", "@s/b"]));
        assert_eq!(uses(&lock, "is-odd"), one("3.0.1", &["is-odd"]));
        assert_eq!(uses(&lock, "last"), one("3.X", &["last"]));
    }
    let conflict = "a@1:\n  version \"1\"\n<<<<<<< HEAD\n";
    assert_eq!(read("yarn.lock", conflict.as_bytes()).unwrap_err(), "line 3 is not understood");
    let without = read("yarn.lock", b"a@1.0.0:\n  resolved \"x\"\n").unwrap();
    assert_eq!((without.packages, without.problem.is_empty()), (0, false));
}

#[test]
fn yarn_berry_knows_patches_aliases_and_its_own_workspaces() {
    let head = "# generated\n\n__metadata:\n  version: 8\n  cacheKey: 10c0\n\n";
    let text = format!(
        "{head}\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \
        \"app@workspace:.\"\n  \
         dependencies:\n    a: \"npm:^1\"\n    b: ^2\n    gone: ^9\n  linkType: soft\n\n\
         \"a@npm:^1\":\n  version: 1.5.0\n  resolution: \"a@npm:1.5.0\"\n  dependencies:\n    \
         odd: \"npm:is-odd@3.0.1\"\n  \
         bin:\n    a: ./a.js\n  linkType: hard\n\n\
         ? \"b@npm:^2, b@npm:~2.0.0\"\n:\n  version: 2.0.1\n  resolution: \"b@npm:2.0.1\"\n  \
         linkType: hard\n\n\
         \"gone@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"gone@npm:1.0.0\"\n  linkType: \
         hard\n\n\
         \"is-odd@npm:^3.0.0, odd@npm:is-odd@3.0.1\":\n  version: 3.0.1\n  resolution: \
         \"is-odd@npm:3.0.1\"\n  linkType: hard\n\n\
         \"p@patch:p@npm%3A^1#./p.patch\":\n  version: 1.0.0\n  resolution: \
         \"p@patch:p@npm%3A1.0.0#./p.patch::hash=0\"\n"
    );
    let lock = lock("yarn.lock", &text);
    assert_eq!((lock.format.as_str(), lock.packages), ("yarn berry", 5));
    assert_eq!(uses(&lock, "is-odd"), one("3.0.1", &["a", "is-odd"]));
    assert_eq!(uses(&lock, "b"), one("2.0.1", &["b"]));
    // `resolutions` replaced the wish; there is only one of that name.
    assert_eq!(uses(&lock, "gone"), one("1.0.0", &["gone"]));
    assert_eq!(uses(&lock, "p"), one("1.0.0", &[]));
    assert_eq!(uses(&lock, "app"), []);
}

#[test]
fn pnpm_knows_peers_hosts_aliases_and_addresses() {
    let five = "lockfileVersion: 5.4\n\nspecifiers:\n  a: ^1.0.0\n\ndependencies:\n  a: \
    1.0.0_b@2.0.0+c@3.0.0\n  \
                odd: /is-odd/3.0.1\n  l: link:../l\n  g: github.com/u/g/0123\n\npackages:\n\n  \
                /a/1.0.0_b@2.0.0+c@3.0.0:\n    resolution: {integrity: sha512-x}\n    \
                dependencies:\n      '@s/d': 4.0.0\n    \
                deprecated: |-\n      a text\n      # of lines: two\n    dev: false\n\n  \
                /is-odd/3.0.1:\n    engines:\n      node: '>=4'\n    cpu:\n    - x64\n\n  \
                example.invalid/@s/d/4.0.0:\n    dev: false\n  /@s/d/4.0.0:\n    dev: false\n\
                \n  github.com/u/g/0123:\n    name: g\n    version: 0.3.0\n";
    let six = "lockfileVersion: '6.0'\n\ndependencies:\n  a:\n    specifier: ^1.0.0\n    \
    version: 1.0.0(b@2.0.0)(c@3.0.0)\n  \
               odd:\n    specifier: npm:is-odd@3.0.1\n    version: /is-odd@3.0.1\n  g:\n    \
               specifier: u/g\n    version: github.com/u/g/0123\n\npackages:\n\n  \
               /a@1.0.0(b@2.0.0)(c@3.0.0):\n    dependencies:\n      '@s/d': 4.0.0\n\n  \
               /is-odd@3.0.1: {}\n  \
               /@s/d@4.0.0: {}\n  github.com/u/g/0123:\n    name: g\n    version: 0.3.0\n";
    let nine = "---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    configDependencies: {}\n\
    ---\nlockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n\n  packages/x:\n    \
    devDependencies:\n      \
                a:\n        specifier: ^1.0.0\n        version: 1.0.0(b@2.0.0(c@3.0.0))\n      \
                odd:\n        specifier: npm:is-odd@3.0.1\n        version: is-odd@3.0.1\n      \
                g:\n        specifier: u/g\n        version: \
                https://t:s@example.invalid/g\n      f:\n        specifier: file:f\n        \
                version: link:f\n\n\
                packages:\n\n  a@1.0.0:\n    resolution: {integrity: sha512-x}\n  is-odd@3.0.1: \
                {}\n  '@s/d@4.0.0': {}\n  \
                g@https://t:s@example.invalid/g:\n    version: 0.3.0\n\nsnapshots:\n\n  ? \
                a@1.0.0(b@2.0.0(c@3.0.0))\n  : dependencies:\n      '@s/d': 4.0.0\n    dev: \
                true\n\n  \
                is-odd@3.0.1: {}\n  '@s/d@4.0.0': {}\n  g@https://t:s@example.invalid/g: {}\n";
    for (format, text) in [("pnpm 5.4", five), ("pnpm 6.0", six), ("pnpm 9.0", nine)] {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let lock = lock("pnpm-lock.yaml", &text);
            assert_eq!((lock.format.as_str(), lock.packages), (format, 4));
            assert_eq!(uses(&lock, "a"), one("1.0.0", &["a"]));
            assert_eq!(uses(&lock, "@s/d"), one("4.0.0", &["a", "@s/d"]));
            assert_eq!(uses(&lock, "is-odd"), one("3.0.1", &["is-odd"]));
            assert_eq!(uses(&lock, "g"), one("0.3.0", &["g"]));
        }
    }
}

#[test]
fn what_is_not_understood_is_told() {
    let broken = [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: {a@1.0.0: {}}\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\n<<<<<<< HEAD\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '12.0'\n"),
        ("pnpm-lock.yaml", "packages: {}\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: {}\npackages:\n  a@1: {}\n"),
        ("pnpm-lock.yaml", ""),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: *anchor\n"),
        ("package-lock.json", "{\"lockfileVersion\":3}"),
        ("package-lock.json", "{\"lockfileVersion\":4,\"packages\":{}}"),
        ("package-lock.json", "{\"packages\":{}}"),
        ("package-lock.json", "{\"lockfileVersion\":3,\"packages\":{"),
        ("bun.lock", "{}"),
        ("yarn.lock", "__metadata:\n  version: 8\na@1\n"),
    ];
    for (name, text) in broken {
        assert!(read(name, text.as_bytes()).is_err(), "{name}: {text}");
    }
    let partly = [
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\nsnapshots:\n  strange: {}\n  a@1: {}\n"),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: 5.4\ndependencies:\n  a: 1.0.0\npackages:\n  /b/1: {}\n",
        ),
        ("yarn.lock", "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1\n"),
        ("bun.lock", "{\"lockfileVersion\":1,\"workspaces\":{},\"packages\":{\"a\":[\"a\"]}}"),
    ];
    for (name, text) in partly {
        let lock = read(name, text.as_bytes()).unwrap();
        assert!(!lock.problem.is_empty(), "{name}: {text}");
    }
}

#[test]
fn hostile_depth_and_tangles_end() {
    let deep = format!("lockfileVersion: '9.0'\n{}", indented(5000));
    assert!(read("pnpm-lock.yaml", deep.as_bytes()).is_err());
    let nest = "{\"dependencies\":{\"a\":".repeat(5000);
    assert!(read("package-lock.json", nest.as_bytes()).is_err());
    // A chain of ten thousand packages is shown with its middle left out.
    let mut long = String::from("# yarn lockfile v1\n");
    for at in 0..10_000 {
        write!(long, "p{at}@1:\n  version \"1\"\n  dependencies:\n    p{} \"1\"\n", at + 1)
            .unwrap();
    }
    let chain = lock("yarn.lock", &long).uses("p9999").remove(0).through;
    assert!(chain.len() < 100 && chain[0] == "p0" && chain.last().unwrap() == "p9999");
}

fn indented(lines: usize) -> String {
    (0..lines).fold(String::new(), |text, at| text + &" ".repeat(at) + "a:\n")
}

#[test]
fn a_large_lockfile_is_read_in_a_moment() {
    let tree = Tree {
        packages: (0..10_000).map(|at| (format!("@scope/package-{at}"), "1.0.0".into())).collect(),
        needs: (0..10_000)
            .map(|at| (1..6).map(|n| at + n * 7).filter(|n| *n < 10_000).collect())
            .collect(),
        direct: (0..8).collect(),
    };
    for (name, text) in tree.written() {
        let begin = std::time::Instant::now();
        assert_eq!(lock(name, &text).packages, 10_000, "{name}");
        assert!(begin.elapsed().as_secs() < 10, "{name}: {:?}", begin.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_format_tells_the_same(tree in tree()) {
        let expected = tree.uses();
        for (name, text) in tree.written() {
            let lock = read(name, text.as_bytes()).unwrap();
            prop_assert_eq!(&lock.problem, "", "{}\n{}", name, text);
            let names: BTreeSet<&str> = lock.packages().map(|(name, _)| name).collect();
            let uses = |name: &str| (name.to_owned(), lock.uses(name));
            let found: BTreeMap<String, Vec<Use>> = names.into_iter().map(uses).collect();
            prop_assert_eq!(&found, &expected, "{}\n{}", name, text);
            prop_assert_eq!(lock.packages, expected.values().map(Vec::len).sum::<usize>() as u64);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for name in NAMES {
            let _ = read(name, &bytes);
        }
    }

    #[test]
    fn broken_lockfiles_are_read_or_refused(
        tree in tree(),
        at in any::<prop::sample::Index>(),
        with in "[\\PC\n\"' :,{}@/|>?-]{0,4}",
        cut in 0..6usize,
    ) {
        for (name, text) in tree.written() {
            let mut bytes = text.into_bytes();
            let from = at.index(bytes.len());
            let to = (from + cut).min(bytes.len());
            bytes.splice(from..to, with.bytes());
            if let Ok(lock) = read(name, &bytes) {
                for (name, version) in lock.packages() {
                    prop_assert!(lock.uses(name).iter().any(|one| one.version == version));
                }
            }
        }
    }
}
