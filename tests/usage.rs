//! Was it used? Packuments as the waves of worms left them, honest ones, and
//! whatever else a server may send.

use std::collections::BTreeSet;
use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tokensweep::blast_radius::{posture, usage};
use tokensweep::model::Severity;
use tokensweep::model::radius::{Learnt, Mark, Package, PublishedBy, Window, WindowRelease};
use tokensweep::registry::npm::packument::Packument;

/// 2026-08-04T00:00:00Z, and the window of a day that begins there.
const FROM: i64 = 1_785_801_600;
const UNTIL: i64 = FROM + 86_400;

/// A package under construction.
struct Made {
    document: Value,
}

impl Made {
    /// A package with ten honest versions, 1.0.0 to 1.0.9, a week apart, the last
    /// one a week before the window.
    fn new() -> Self {
        let document = json!({
            "name": "pad", "repository": "o/r", "maintainers": [{"name": "alice"}],
            "dist-tags": {"latest": "1.0.9"}, "versions": {}, "time": {"created": iso(0)},
        });
        let mut made = Self { document };
        for patch in 0..10 {
            let time = FROM - (10 - patch) * 7 * 86_400;
            made = made.with(&format!("1.0.{patch}"), time, json!({}));
        }
        made
    }

    fn empty() -> Self {
        Self { document: json!({"name": "pad", "versions": {}, "time": {}}) }
    }

    /// The same with a version that differs from the honest ones by `changes`.
    fn with(mut self, number: &str, time: i64, changes: Value) -> Self {
        let mut version = honest();
        for (field, value) in changes.as_object().unwrap() {
            version[field] = value.clone();
        }
        self.document["versions"][number] = version;
        self.at(number, time)
    }

    /// The same with a version that is left in the list of times.
    fn at(mut self, number: &str, time: i64) -> Self {
        self.document["time"][number] = json!(iso(time));
        self
    }

    /// All honest versions changed.
    fn all(mut self, changes: Value) -> Self {
        for version in self.document["versions"].as_object_mut().unwrap().values_mut() {
            for (field, value) in changes.as_object().unwrap() {
                version[field] = value.clone();
            }
        }
        self
    }

    fn read(&self) -> Packument {
        Packument::read(self.document.to_string().as_bytes()).unwrap()
    }

    fn releases(&self) -> Vec<WindowRelease> {
        usage::in_window(&self.read(), &window(), &|_, _| None)
    }

    /// The signs of the one version in the window.
    fn signs(&self) -> Vec<&'static str> {
        let releases = self.releases();
        assert_eq!(releases.len(), 1, "{releases:?}");
        releases[0].marks.iter().map(|mark| mark.sign).collect()
    }
}

fn honest() -> Value {
    json!({
        "_npmUser": {"name": "alice", "email": "alice@example.com"},
        "_nodeVersion": "22.1.0", "_npmVersion": "10.9.0", "gitHead": "c0ffee",
        "maintainers": [{"name": "alice"}],
        "scripts": {"test": "node test/all.js", "build": "tsc", "prepare": "husky"},
        "dist": {"fileCount": 10, "unpackedSize": 50_000, "integrity": "sha512-x"},
    })
}

fn iso(time: i64) -> String {
    jiff::Timestamp::from_second(time).unwrap().to_string()
}

fn window() -> Window {
    Window { from: Learnt::measured(FROM, "test"), until: Learnt::measured(UNTIL, "test") }
}

/// The fields of a version that a trusted publisher published with provenance.
fn trusted(config: &str) -> Value {
    json!({
        "_npmUser": {
            "name": "GitHub Actions", "trustedPublisher": {"id": "github", "oidcConfigId": config},
        },
        "dist": {"fileCount": 10, "unpackedSize": 50_000, "attestations": {
            "provenance": {"predicateType": "https://slsa.dev/provenance/v1"},
        }},
    })
}

#[test]
fn an_honest_release_is_listed_without_marks() {
    let fix = Made::new().with("1.0.10", FROM + 60, json!({}));
    assert_eq!(fix.signs(), [""; 0]);
    let minor = json!({
        "_nodeVersion": "22.9.1", "_npmVersion": "10.10.0", "gitHead": "facade",
        "scripts": {"test": "node test/all.js", "build": "tsc -b", "lint": "eslint ."},
        "dist": {"fileCount": 14, "unpackedSize": 61_000},
    });
    assert_eq!(Made::new().with("1.1.0", FROM + 60, minor).signs(), [""; 0]);
    let ci = Made::new().all(trusted("oidc:1")).with("1.0.10", FROM + 60, trusted("oidc:1"));
    assert_eq!(ci.signs(), [""; 0]);
    assert!(Made::new().releases().is_empty());
}

#[test]
fn the_ends_of_the_window_belong_to_it() {
    let times = [FROM - 1, FROM, UNTIL, UNTIL + 1];
    let made = times
        .iter()
        .enumerate()
        .fold(Made::empty(), |made, (at, time)| made.with(&format!("2.{at}.0"), *time, json!({})));
    let inside: BTreeSet<String> = made.releases().into_iter().map(|it| it.version).collect();
    assert_eq!(inside, BTreeSet::from(["2.1.0".to_owned(), "2.2.0".to_owned()]));
    let open = usage::in_window(&made.read(), &Window::default(), &|_, _| None);
    assert_eq!(open.len(), 4);
}

#[test]
fn a_known_bad_version_comes_first() {
    let made = Made::new()
        .with("1.0.10", FROM + 60, json!({}))
        .with("1.0.11", FROM + 120, json!({}))
        .at("1.0.12", FROM + 180);
    let bad = |name: &str, version: &str| {
        ((name, version) == ("pad", "1.0.11")).then(|| "list of 2026-08".to_owned())
    };
    let releases = usage::in_window(&made.read(), &window(), &bad);
    let order: Vec<&str> = releases.iter().map(|it| it.version.as_str()).collect();
    assert_eq!(order, ["1.0.11", "1.0.12", "1.0.10"]);
    let first = &releases[0].marks[0];
    assert_eq!((first.weight, first.sign), (Severity::Critical, "known-bad"));
    assert!(first.words.contains("list of 2026-08"));
    assert!(releases[1].ghost && releases[1].marks[0].sign == "ghost");
    assert!(releases[2].marks.is_empty());
}

#[test]
fn a_replaced_script_gives_a_worm_away() {
    let changes = json!({
        "scripts": {"preinstall": "node setup.mjs"}, "gitHead": null,
        "_nodeVersion": "24.10.0", "_npmVersion": "11.13.1",
        "dist": {"fileCount": 12, "unpackedSize": 900_000},
    });
    let made = Made::new().with("1.0.10", FROM + 60, changes);
    let signs = made.signs();
    assert_eq!(signs[..3], ["worm-hook", "scripts-replaced", "size-jump"]);
    for sign in ["other-toolchain", "no-commit", "latest-patch"] {
        assert!(signs.contains(&sign), "{sign}: {signs:?}");
    }
    let words = &made.releases()[0].marks[0].words;
    assert!(words.contains("node setup.mjs") && words.contains("1.0.9"), "{words}");
}

#[test]
fn a_valid_provenance_lowers_nothing() {
    let mut changes = trusted("oidc:1");
    changes["scripts"] = json!({"preinstall": "node setup.mjs"});
    let made = Made::new().all(trusted("oidc:1")).with("1.0.10", FROM + 60, changes);
    assert_eq!(made.signs()[..2], ["worm-hook", "scripts-replaced"]);
}

#[test]
fn every_sign_is_seen_alone() {
    let dist = |files: u64, size: u64| json!({"dist": {"fileCount": files, "unpackedSize": size}});
    let scripts = |name: &str, command: &str| {
        let mut scripts = honest()["scripts"].clone();
        scripts[name] = json!(command);
        json!({"scripts": scripts})
    };
    let table = [
        (json!({"deprecated": "Malicious, do not use"}), "deprecated-as-malware", Severity::High),
        (scripts("postinstall", "echo"), "new-install-script", Severity::High),
        (json!({"hasInstallScript": true}), "new-install-script", Severity::High),
        (json!({"gypfile": true}), "new-gypfile", Severity::High),
        (scripts("prepare", "bun run tanstack.js"), "loader", Severity::Medium),
        (
            json!({"optionalDependencies": {"x": "github:o/r#c0ffee"}}),
            "git-dependency",
            Severity::High,
        ),
        (dist(11, 3_600_000), "size-jump", Severity::High),
        (json!({"_npmUser": {"name": "mallory"}}), "other-publisher", Severity::Medium),
        (json!({"_npmVersion": "9.2.0"}), "other-toolchain", Severity::Low),
        (json!({"_npmVersion": null, "_nodeVersion": null}), "no-toolchain", Severity::Medium),
        (json!({"gitHead": null}), "no-commit", Severity::Low),
    ];
    for (changes, sign, weight) in table {
        let shown = changes.to_string();
        let made = Made::new().with("1.1.0", FROM + 60, changes);
        let marks = &made.releases()[0].marks;
        assert!(
            marks.iter().any(|it| (it.sign, it.weight) == (sign, weight)),
            "{shown}: {marks:?}"
        );
        assert!(marks.iter().all(|it| it.weight <= weight), "{shown}: {marks:?}");
    }
    for changes in [
        json!({"deprecated": "Use pad2"}),
        json!({"optionalDependencies": {"x": "^1.0.0"}}),
        dist(10, 3_600_000),
        dist(13, 3_600_000),
        dist(11, 90_000),
        scripts("prepublishOnly", "bun run build"),
        scripts("postbuild", "node clean.js"),
    ] {
        let shown = changes.to_string();
        assert_eq!(Made::new().with("1.1.0", FROM + 60, changes).signs(), [""; 0], "{shown}");
    }
}

#[test]
fn what_was_always_so_is_no_sign() {
    let native = json!({
        "scripts": {"install": "node-gyp rebuild", "postinstall": "node install.js"},
        "gypfile": true, "hasInstallScript": true, "gitHead": null,
        "optionalDependencies": {"x": "github:o/r#1"}, "_nodeVersion": null, "_npmVersion": null,
    });
    let made = Made::new().all(native.clone()).with("1.0.10", FROM + 60, native.clone());
    assert_eq!(made.signs(), [""; 0]);

    let mut changed = native;
    changed["scripts"]["postinstall"] = json!("node other.js");
    let made = Made::new().all(json!({
        "scripts": {"install": "node-gyp rebuild", "postinstall": "node install.js"},
    }));
    let signs = made.with("1.0.10", FROM + 60, json!({"scripts": changed["scripts"]})).signs();
    assert_eq!(signs, ["loader", "latest-patch"]);
}

#[test]
fn trust_that_is_lost_is_a_sign() {
    let by_token = Made::new().all(trusted("oidc:1")).with("1.0.10", FROM + 60, json!({}));
    let signs = by_token.signs();
    for sign in ["lost-trusted-publisher", "lost-provenance"] {
        assert!(signs.contains(&sign), "{sign}: {signs:?}");
    }
    let moved = Made::new().all(trusted("oidc:1")).with("1.0.10", FROM + 60, trusted("oidc:2"));
    assert_eq!(moved.signs(), ["other-trusted-publisher", "latest-patch"]);

    let mut staged = trusted("oidc:1");
    staged["_npmUser"] = json!({"name": "alice", "approver": {"name": "alice"}});
    let around = Made::new().all(staged.clone()).with("1.0.10", FROM + 60, trusted("oidc:1"));
    assert_eq!(around.signs()[0], "lost-staging");
    let better = Made::new().all(trusted("oidc:1")).with("1.0.10", FROM + 60, staged);
    assert_eq!(better.signs(), [""; 0]);
}

#[test]
fn an_old_line_is_compared_with_itself() {
    let native = json!({"scripts": {"install": "node-gyp rebuild"}, "gypfile": true});
    let made = Made::new().with("0.9.0", FROM - 90 * 86_400, native.clone()).with(
        "0.9.1",
        FROM + 60,
        native,
    );
    assert_eq!(made.signs(), [""; 0]);
    // What the newest versions run already is new in no line.
    let hook = json!({"scripts": {"test": "x", "postinstall": "node a.js"}});
    let made = Made::new().all(hook.clone()).with("0.9.0", FROM - 90 * 86_400, json!({}));
    assert_eq!(made.with("0.9.1", FROM + 60, hook).signs(), [""; 0]);
    // But trust that the newest version has is missed in it.
    let made = Made::new().all(trusted("oidc:1")).with("0.9.0", FROM - 90 * 86_400, json!({}));
    assert!(made.with("0.9.1", FROM + 60, json!({})).signs().contains(&"lost-provenance"));
}

#[test]
fn without_versions_from_before_it_says_what_is_not_judged() {
    let made = Made::empty().with("1.0.0", FROM + 60, json!({}));
    assert_eq!(made.signs(), ["no-baseline"]);
    let made = Made::empty().with("1.0.0", FROM, json!({"scripts": {"install": "node a.js"}}));
    assert_eq!(made.signs(), ["loader", "no-baseline"]);
    // Bad versions from before the window are nothing to compare with.
    let bad = Made::empty().with("1.0.0", FROM - 60, json!({"deprecated": "malware"})).with(
        "1.1.0",
        FROM,
        json!({}),
    );
    assert_eq!(bad.signs(), ["no-baseline"]);
}

const YEAR: i64 = 365 * 86_400;

/// All versions with a window that begins `before` seconds earlier.
fn long(made: &Made, before: i64) -> Vec<WindowRelease> {
    let window = Window { from: Learnt::measured(FROM - before, "test"), ..window() };
    usage::in_window(&made.read(), &window, &|_, _| None)
}

fn suspicious(releases: &[WindowRelease]) -> BTreeSet<&str> {
    let odd = releases.iter().filter(|it| it.is_suspicious());
    odd.map(|it| it.version.as_str()).collect()
}

/// What the waves left in the document of a package.
fn waves() -> Vec<Value> {
    let hook = |name: &str, command: &str| {
        let mut scripts = honest()["scripts"].clone();
        scripts[name] = json!(command);
        json!({"scripts": scripts, "hasInstallScript": name != "prepare"})
    };
    vec![
        hook("postinstall", "node bundle.js"),
        hook("postinstall", "node telemetry.js"),
        hook("preinstall", "node setup_bun.js"),
        hook("preinstall", "node bun_installer.js"),
        hook("preinstall", "node bw_setup.js"),
        hook("preinstall", "bun run index.js"),
        hook("preinstall", "./tools/setup"),
        hook("preinstall", "node lib/setup.mjs"),
        hook("prepare", "bun run tanstack_runner.js && exit 1"),
        json!({"scripts": {"preinstall": "node setup.mjs"}, "hasInstallScript": true}),
        json!({"optionalDependencies": {"@a/setup": "github:a/b#79ac49ee"}}),
        json!({"gypfile": true, "hasInstallScript": true}),
        json!({"dist": {"fileCount": 11, "unpackedSize": 5_000_000}}),
    ]
}

#[test]
fn every_wave_is_suspicious_however_long_the_window() {
    for wave in waves() {
        let made = Made::new().with("1.0.10", FROM + 60, wave.clone());
        let made = made.with("1.0.11", FROM + 3600, wave.clone());
        let made = made.with("1.1.0", FROM + 7200, json!({}));
        for before in [0, 30 * 86_400, 2 * YEAR] {
            let releases = long(&made, before);
            assert_eq!(suspicious(&releases), BTreeSet::from(["1.0.10", "1.0.11"]), "{wave}");
            for it in &releases {
                let words: BTreeSet<&str> = it.marks.iter().map(|it| it.words.as_str()).collect();
                assert_eq!(words.len(), it.marks.len(), "{:?}", it.marks);
                let unjudged = it.marks.iter().any(|mark| mark.sign == "no-baseline");
                assert_eq!(unjudged, it.version == "1.0.0" && before > YEAR, "{it:?}");
            }
        }
        // Without a window it is what a list knows.
        let listed = |_: &str, version: &str| (version == "1.0.11").then(|| "a list".to_owned());
        let releases = usage::in_window(&made.read(), &Window::default(), &listed);
        assert_eq!((releases[0].version.as_str(), releases[0].ghost), ("1.0.11", false));
        assert_eq!(releases[0].marks[0].sign, "known-bad");
    }
}

#[test]
fn one_rule_tells_what_is_suspicious() {
    use Severity::{Critical, High, Low, Medium};
    let table: [(&[(Severity, &str)], bool); 7] = [
        (&[], false),
        (&[(Low, "a"), (Low, "b"), (Low, "c")], false),
        (&[(Medium, "a"), (Low, "b")], false),
        (&[(Medium, "a"), (Medium, "a")], false),
        (&[(Medium, "a"), (Medium, "b")], true),
        (&[(High, "a")], true),
        (&[(Critical, "a")], true),
    ];
    for (marks, expected) in table {
        let mark = |(weight, sign): &(Severity, &'static str)| Mark {
            weight: *weight,
            sign,
            words: String::new(),
        };
        let marks = marks.iter().map(mark).collect();
        let it = WindowRelease { version: "1.0.0".into(), time: 0, ghost: false, marks };
        assert_eq!(it.is_suspicious(), expected, "{it:?}");
        assert_eq!(serde_json::to_value(&it).unwrap()["suspicious"], json!(expected));
    }
}

#[test]
fn a_literal_hook_needs_no_baseline() {
    for (name, command) in [
        ("preinstall", "node setup.mjs"),
        ("preinstall", "node setup_bun.js"),
        ("postinstall", "node bundle.js"),
        ("prepare", "bun run tanstack_runner.js"),
    ] {
        let made = Made::empty().with("1.0.0", FROM, json!({"scripts": {name: command}}));
        assert_eq!(made.signs(), ["worm-hook", "no-baseline"], "{command}");
        assert!(made.releases()[0].is_suspicious());
    }
}

/// Two years of an honest package: nothing in them is suspicious, and what is
/// new is still told.
#[test]
fn honest_years_stay_without_suspicion() {
    let scripts = |more: Value| {
        let mut scripts = honest()["scripts"].clone();
        scripts.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scripts
    };
    let mut made = Made { document: json!({"name": "pad", "versions": {}, "time": {}}) };
    for month in 0..24_i64 {
        let mut changes = honest();
        changes["_nodeVersion"] = json!(format!("{}.1.0", 18 + month / 8 * 2));
        changes["_npmVersion"] = json!(format!("{}.1.0", 9 + month / 10));
        changes["dist"] = json!({"fileCount": 10 + month, "unpackedSize": 50_000 + month * 900});
        changes["scripts"] = scripts(match month {
            0..4 => json!({}),
            4..8 => json!({"lint": "eslint ."}),
            8..15 => json!({"postinstall": "node scripts/check.js"}),
            _ => json!({"postinstall": "node scripts/check.js --quiet", "prepare": "bun x husky"}),
        });
        if month >= 6 {
            changes["maintainers"] = json!([{"name": "alice"}, {"name": "bob"}]);
        }
        if month > 6 && month % 3 == 0 {
            changes["_npmUser"] = json!({"name": "bob"});
        }
        if month >= 20 {
            changes["_npmUser"] = trusted("oidc:1")["_npmUser"].clone();
        }
        let number = format!("1.{}.{}", month / 3, month % 3);
        made = made.with(&number, FROM - (24 - month) * 30 * 86_400, changes);
    }
    for before in [2 * YEAR + 1, YEAR, 200 * 86_400, 50 * 86_400] {
        let releases = long(&made, before);
        assert_eq!(suspicious(&releases), BTreeSet::new(), "{releases:#?}");
    }
    let all = long(&made, 3 * YEAR);
    let told = all.iter().flat_map(|it| &it.marks).any(|it| it.sign == "new-install-script");
    assert!(told, "{all:#?}");
}

#[test]
fn npms_own_placeholder_is_no_attack() {
    let held = json!({"_npmUser": {"name": "npm"}, "scripts": {}});
    let made = Made::new().with("0.0.1-security", FROM + 60, held);
    assert_eq!(made.signs(), ["security-holding"]);
    let posing = json!({"scripts": {"preinstall": "node setup.mjs"}, "_npmUser": {"name": "npm"}});
    assert!(Made::new().with("0.0.1-security", FROM, posing).releases()[0].is_suspicious());
}

#[test]
fn going_over_to_a_trusted_publisher_is_no_sign() {
    assert_eq!(Made::new().with("1.1.0", FROM, trusted("oidc:1")).signs(), [""; 0]);
}

#[test]
fn a_window_that_is_upside_down_holds_nothing() {
    let window =
        Window { from: Learnt::measured(UNTIL, "test"), until: Learnt::measured(FROM, "test") };
    assert!(window.is_empty() && !self::window().is_empty() && !Window::default().is_empty());
    let made = Made::new().with("1.0.10", FROM + 60, json!({}));
    assert!(usage::in_window(&made.read(), &window, &|_, _| None).is_empty());
}

#[test]
fn what_was_not_read_is_no_ghost() {
    let mut packument = Made::new().at("1.0.10", FROM + 60).read();
    packument.cut = true;
    let releases = usage::in_window(&packument, &window(), &|_, _| None);
    assert!(!releases[0].ghost);
    assert_eq!(releases[0].marks[0].sign, "not-read");
}

/// Packages that each published a version in the window, `step` seconds apart.
fn family(count: i64, step: i64, number: &str) -> Vec<Package> {
    let one = |at: i64| {
        let made = Made::new().with(number, FROM + at * step, json!({}));
        let releases = made.releases();
        Package { name: format!("pad-{at}"), releases, ..posture::package(&made.read(), None) }
    };
    (0..count).map(one).collect()
}

fn in_burst(packages: &[Package]) -> usize {
    let bursting = |it: &&Package| it.releases[0].marks.iter().any(|it| it.sign == "burst");
    packages.iter().filter(bursting).count()
}

#[test]
fn a_burst_is_seen_across_packages() {
    let table = [
        (323, 4, "1.0.10", 323),
        (5, 450, "1.0.10", 5),
        (5, 451, "1.0.10", 0),
        (20, 300, "1.0.10", 20),
        (4, 1, "1.0.10", 0),
        (30, 4, "1.1.0", 0),
    ];
    for (count, step, number, expected) in table {
        let mut packages = family(count, step, number);
        usage::bursts(&mut packages);
        usage::bursts(&mut packages);
        assert_eq!(in_burst(&packages), expected, "{count} packages, {step} s apart");
        assert!(packages.iter().all(|it| it.releases[0].marks.len() <= 1));
    }
    let mut packages = family(323, 4, "1.0.10");
    usage::bursts(&mut packages);
    let words = &packages[0].releases[0].marks[0].words;
    assert!(words.contains("323 packages") && words.contains("22 minutes"), "{words}");
}

/// Packages that were always released together are no wave.
#[test]
fn a_burst_is_compared_with_the_past() {
    let mut packages = family(6, 60, "1.0.10");
    for package in &mut packages {
        package.earlier = (1..6).map(|week| FROM - (6 - week) * 7 * 86_400 - 3600).collect();
    }
    let mut alone = packages.clone();
    usage::bursts(&mut packages);
    for package in &packages {
        let weights: Vec<_> = package.releases[0].marks.iter().map(|it| it.weight).collect();
        assert_eq!(weights, [Severity::Low]);
    }
    for (at, package) in (0..).zip(&mut alone) {
        package.earlier.iter_mut().for_each(|time| *time += at * 7200);
    }
    usage::bursts(&mut alone);
    assert!(alone.iter().all(|it| it.releases[0].marks[0].weight == Severity::Medium));
}

#[test]
fn a_large_packument_is_read_quickly() {
    let text = large();
    assert!(text.len() > 20_000_000);
    let start = Instant::now();
    let packument = Packument::read(text.as_bytes()).unwrap();
    let releases = usage::in_window(&packument, &window(), &|_, _| None);
    let package = posture::package(&packument, None);
    let took = start.elapsed();
    // The oldest may have been left out, and then that is said.
    let kept = packument.versions.len();
    assert!(kept >= 2000 && packument.cut == (kept < 3000), "{kept} versions");
    assert!(packument.latest().is_some() && releases.is_empty());
    assert_eq!(package.published_by.get(), Some(&PublishedBy::Token));
    let bound = if cfg!(debug_assertions) { 5.0 } else { 1.0 };
    assert!(took.as_secs_f64() < bound, "{took:?}");
}

/// A packument of 3,000 versions and some 20 MB, most of it of no interest.
fn large() -> String {
    let mut document = Made::new().document;
    let dependencies: Map<String, Value> =
        (0..250).map(|n| (format!("some-dependency-{n}"), json!("^1.0.0"))).collect();
    let mut version = honest();
    version["dependencies"] = dependencies.into();
    version["description"] = json!("x".repeat(200));
    document["versions"] = json!({});
    document["time"] = json!({});
    for n in 0..3000 {
        let number = format!("{}.{}.0", n / 100, n % 100);
        document["versions"][&number] = version.clone();
        document["time"][&number] = json!(iso(FROM - 10_000_000 + n * 60));
        document["dist-tags"]["latest"] = json!(number);
    }
    document.to_string()
}

/// Any JSON, with the names that a packument has.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("1.0.0"),
        Just("1.0.1"),
        Just("2.0.0-rc.1"),
        Just("latest"),
        Just("preinstall"),
        Just("node a.js"),
        Just("github:a/b"),
        Just("2026-08-04T00:00:01Z"),
        Just("a <b>"),
        Just(""),
        Just("-9999-01-01T00:00:00Z"),
        Just("99999999999.0.18446744073709551615"),
    ];
    let text = prop_oneof![3 => word.prop_map(str::to_owned), 1 => any::<String>()];
    let leaf = prop_oneof![
        4 => text.clone().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let field = prop_oneof![
        Just("versions"),
        Just("time"),
        Just("dist-tags"),
        Just("maintainers"),
        Just("repository"),
        Just("url"),
        Just("_npmUser"),
        Just("name"),
        Just("trustedPublisher"),
        Just("id"),
        Just("oidcConfigId"),
        Just("approver"),
        Just("dist"),
        Just("attestations"),
        Just("provenance"),
        Just("predicateType"),
        Just("fileCount"),
        Just("unpackedSize"),
        Just("scripts"),
        Just("gypfile"),
        Just("hasInstallScript"),
        Just("deprecated"),
        Just("optionalDependencies"),
        Just("gitHead"),
        Just("unpublished"),
        Just("created"),
    ];
    let key = prop_oneof![3 => field.prop_map(str::to_owned), 2 => text];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            4 => prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_document_is_too_odd(
        json in any_json(),
        versions in any_json(),
        time in any_json(),
        from in any::<Option<i64>>(),
    ) {
        let mut document = json!({"name": "pad", "versions": versions, "time": time});
        document["dist-tags"] = json!({"latest": "1.0.0"});
        if let Some(fields) = json.as_object() {
            document.as_object_mut().unwrap().extend(fields.clone());
        }
        let _ = Packument::read(json.to_string().as_bytes());
        if let Some(packument) = Packument::read(document.to_string().as_bytes()) {
            let from = from.map_or_else(Learnt::default, |from| Learnt::measured(from, "test"));
            let window = Window { from, until: Learnt::default() };
            let mut package = posture::package(&packument, None);
            package.releases = usage::in_window(&packument, &window, &|_, _| None);
            prop_assert!(package.releases.len() <= packument.time.len());
            usage::bursts(&mut vec![package; 6]);
        }
    }

    #[test]
    fn one_odd_version_hides_no_other(odd in any_json()) {
        let mut made = Made::new().with("1.0.10", FROM + 60, json!({"gypfile": true}));
        made.document["versions"]["3.0.0"] = odd;
        let made = made.at("3.0.0", FROM + 90);
        let releases = made.releases();
        let other = releases.iter().find(|it| it.version == "1.0.10").unwrap();
        prop_assert_eq!(other.marks[0].sign, "new-gypfile");
    }

    /// What is listed, and what is a ghost, does not depend on marks.
    #[test]
    fn all_of_the_window_and_nothing_else_is_listed(
        times in prop::collection::vec((FROM - 9..UNTIL + 9, any::<bool>()), 0..40),
    ) {
        let mut made = Made::empty();
        for (n, (time, ghost)) in times.iter().enumerate() {
            let number = format!("1.{n}.0");
            made = match ghost {
                true => made.at(&number, *time),
                false => made.with(&number, *time, json!({})),
            };
        }
        let releases = made.releases();
        let inside = times.iter().filter(|(time, _)| (FROM..=UNTIL).contains(time));
        prop_assert_eq!(releases.len(), inside.clone().count());
        let ghosts = inside.filter(|(_, ghost)| *ghost).count();
        prop_assert_eq!(releases.iter().filter(|it| it.ghost).count(), ghosts);
        let weight = |it: &WindowRelease| it.marks.first().map(|mark| mark.weight);
        prop_assert!(releases.is_sorted_by(|a, b| weight(a) >= weight(b)));
        for it in &releases {
            prop_assert!(it.marks.is_sorted_by(|a, b| a.weight >= b.weight));
        }
    }
}
