//! The way out: which steps there are, in which order, and what stands in them.

mod common;

use common::blast::{TODAY, finding, github, npm, package};
use proptest::prelude::*;
use tokensweep::blast_radius::plan::plan;
use tokensweep::blast_radius::rights::matrix;
use tokensweep::model::radius::*;
use tokensweep::model::*;

const HOUR: i64 = 3600;

/// The order of all steps.
const ORDER: [&str; 17] = [
    "evidence",
    "persistence",
    "revoke-npm-bypass",
    "revoke-npm",
    "revoke-github",
    "revoke-other",
    "bad-versions",
    "rotate",
    "second-factor",
    "disallow-tokens",
    "trusted-publishing",
    "staged",
    "workflows",
    "projects",
    "revoke-last",
    "audit",
    "scan-again",
];

fn part(place: &str, armed: bool) -> SwitchPart {
    SwitchPart {
        switch: "gh-token-monitor".into(),
        place: place.into(),
        armed,
        words: "a part".into(),
    }
}

fn ids(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.id).collect()
}

#[track_caller]
fn the<'s>(steps: &'s [Step], id: &str) -> &'s Step {
    steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no {id} in {:?}", ids(steps)))
}

fn release(version: &str, age: i64) -> WindowRelease {
    let mark = Mark { weight: Severity::Critical, sign: "known-bad", words: "on a list".into() };
    WindowRelease { version: version.into(), time: TODAY - age, ghost: false, marks: vec![mark] }
}

/// Everything at once.
fn disaster() -> (Vec<Finding>, Response) {
    let mut bad = package("left-pad");
    bad.releases = vec![release("1.3.1", HOUR)];
    let mut bypass = npm(1, TokenKind::ReadWriteBypass, vec![bad]);
    if let Some(radius) = bypass.blast_radius.as_mut() {
        radius.account.second_factor = Learnt::measured(SecondFactor::None, "the profile");
    }
    let findings = vec![
        github(1, ".config/gh-token-monitor/token"),
        finding("an-invented-key", "stripe", "stripe-key", ".env"),
        github(2, ".env"),
        npm(2, TokenKind::ReadOnly, Vec::new()),
        bypass,
    ];
    let edge = Edge {
        from: "credential:x".into(),
        to: "package:left-pad".into(),
        relation: "can-publish-through",
        certainty: Certainty::UpperBound,
        how: "acme/tools is its trusted publisher".into(),
    };
    let project = ProjectUse {
        lockfile: "app/package-lock.json".into(),
        package: "left-pad".into(),
        version: "1.3.1".into(),
        through: Vec::new(),
        known_bad: Some("a list".into()),
    };
    let response = Response {
        switch: vec![
            part("/home/a/.config/gh-token-monitor/token", true),
            part("/home/a/.config/systemd/user/gh-token-monitor.service", true),
            part("process 42", true),
        ],
        graph: Graph { nodes: Vec::new(), edges: vec![edge] },
        projects: vec![project],
        ..Response::default()
    };
    (findings, response)
}

#[test]
fn nothing_found_is_nothing_to_do() {
    assert!(plan(&[], &Response::default()).is_empty());
    let mut dead = npm(1, TokenKind::ReadWriteBypass, vec![package("left-pad")]);
    dead.validation.outcome = Outcome::Dead;
    assert!(plan(&[dead], &Response::default()).is_empty());
    let mut legacy = finding("x", "npm", "npm-legacy-token", ".npmrc");
    legacy.validation = Validation::default();
    legacy.worth.state = State::LegacyDead;
    assert!(plan(&[legacy], &Response::default()).is_empty());
}

#[test]
fn first_things_come_first() {
    let (findings, response) = disaster();
    let steps = plan(&findings, &response);
    assert_eq!(ids(&steps), ORDER);
    for step in &steps {
        assert!(!step.title.is_empty() && !step.why.is_empty(), "{step:?}");
    }
}

#[test]
fn users_can_read_up_on_every_step() {
    let text = include_str!("../docs/blast-radius.md");
    let text = text.split_once("## The way out").unwrap().1;
    let places: Vec<_> = ORDER.iter().map(|id| text.find(&format!("`{id}`"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}

#[test]
fn a_session_ends_by_itself() {
    let mut session = npm(1, TokenKind::Session, Vec::new());
    let says = |session: &Finding, words: &str| {
        let steps = plan(std::slice::from_ref(session), &Response::default());
        let step = the(&steps, "revoke-npm");
        // No command ends it from another machine, and no list shows it.
        assert!(step.commands.is_empty(), "{step:?}");
        assert!(!step.notes.iter().any(|note| note.contains("a token cannot do it")), "{step:?}");
        assert!(step.notes.iter().any(|note| note.contains(words)), "{step:?}");
    };
    says(&session, "two hours after its login at the latest");
    let radius = session.blast_radius.as_mut().unwrap();
    radius.token.created = Learnt::measured(TODAY - HOUR, "the list");
    says(&session, "by 2026-11-23 13:00 UTC at the latest");
}

#[test]
fn evidence_is_copied_before_anything_is_deleted() {
    let (findings, response) = disaster();
    let steps = plan(&findings, &response);
    assert_eq!(
        the(&steps, "evidence").commands,
        [
            "journalctl --user -u gh-token-monitor.service > gh-token-monitor.service.log",
            "ps -ww -o pid,ppid,lstart,args -p 42 > process-42.txt",
            "(umask 077; tar -czf evidence.tar.gz -- /home/a/.config/gh-token-monitor/token /home/a/.config/systemd/user/gh-token-monitor.service ~/.npm/_logs)",
        ]
    );
    let all: Vec<_> = steps.iter().flat_map(|step| &step.commands).collect();
    let at = |words: &str| all.iter().position(|command| command.contains(words)).unwrap();
    let order = [at("tar -czf"), at("kill -STOP"), at("rm -rf"), at("pgrep"), at("npm token")];
    assert!(order.is_sorted(), "{all:#?}");
    let windows = |place| Response { switch: vec![part(place, true)], ..Response::default() };
    let commands = plan(&[], &windows(r"C:\Users\o'neil\m.ps1"))[0].commands.clone();
    assert!(commands[0].starts_with(r"Copy-Item -Recurse -LiteralPath 'C:\Users\o''neil"));
    let odd = plan(&[], &windows("C:\\a\u{2019}; calc; \u{2019}"));
    assert!(!odd.iter().flat_map(|step| &step.commands).any(|it| it.contains("calc")), "{odd:?}");
}

#[test]
fn persistence_is_stopped_then_deleted_then_checked() {
    let (findings, response) = disaster();
    let steps = plan(&findings, &response);
    assert_eq!(
        the(&steps, "persistence").commands,
        [
            "systemctl --user disable --now gh-token-monitor.service",
            "kill -STOP 42 && kill -KILL 42",
            "rm -rf -- /home/a/.config/gh-token-monitor/token",
            "rm -rf -- /home/a/.config/systemd/user/gh-token-monitor.service",
            "pgrep -fl -- gh-token-monitor",
        ]
    );
    assert!(the(&steps, "persistence").title.contains("BEFORE"));
    let mac = Response {
        switch: vec![part("/Users/Jo Ä/Library/LaunchAgents/com.user.x.plist", true)],
        ..Response::default()
    };
    let steps = plan(&[], &mac);
    let commands = &the(&steps, "persistence").commands;
    assert!(
        commands[0].starts_with("launchctl bootout gui/$(id -u) '/Users/Jo Ä/"),
        "{commands:?}"
    );
    let windows =
        Response { switch: vec![part(r"C:\Users\o'neil\m.ps1", true)], ..Response::default() };
    let steps = plan(&[], &windows);
    let commands = &the(&steps, "persistence").commands;
    assert!(commands[0].ends_with(r"-LiteralPath 'C:\Users\o''neil\m.ps1'"), "{commands:?}");
}

#[test]
fn the_watched_token_is_revoked_last() {
    let (findings, response) = disaster();
    let steps = plan(&findings, &response);
    let last = the(&steps, "revoke-last");
    assert!(last.notes.iter().any(|note| note.contains("gh-token-monitor/token")), "{last:?}");
    assert!(the(&steps, "revoke-github").notes.iter().any(|note| note.contains(".env")));

    // If it is not known which one is watched, all wait; without a switch, none.
    let two = [github(1, ".env"), github(2, "a.txt")];
    let ids_of = |response: &Response| ids(&plan(&two, response));
    assert!(!ids_of(&response).contains(&"revoke-github"));
    assert!(ids_of(&response).contains(&"revoke-last"));
    assert!(!ids_of(&Response::default()).contains(&"revoke-last"));
    let trace =
        Response { switch: vec![part("/tmp/gh-token-monitor.log", false)], ..Response::default() };
    assert!(!ids_of(&trace).contains(&"revoke-last"));

    // A part may be the folder that the token lies in.
    let folder = Response {
        switch: vec![part("/home/a/.config/kitty-monitor", true)],
        ..Response::default()
    };
    let steps = plan(&[github(1, ".config/kitty-monitor/token"), github(2, ".env")], &folder);
    assert!(the(&steps, "revoke-github").notes[0].contains(".env"));
}

const TRAP: &str = "IfYouRevokeThisTokenItWill";

/// A token of an account whose list shows a trap: itself, or another one.
fn trapped(own: Option<&str>) -> Finding {
    let mut trap = npm(3, TokenKind::ReadWriteBypass, vec![package("left-pad")]);
    let radius = trap.blast_radius.as_mut().unwrap();
    radius.token.booby_trap = Learnt::measured(true, "the list");
    radius.token.key = Learnt::measured("f00d".into(), "the list");
    if let Some(name) = own {
        radius.token.name = Learnt::measured(name.into(), "the list");
    }
    trap
}

/// The plan of a trap begins with the search for what watches it, and nothing in
/// it is what `tokensweep revoke` refuses.
#[track_caller]
fn assert_careful(steps: &[Step]) {
    assert_eq!(steps[0].id, "persistence", "{:?}", ids(steps));
    assert!(steps[0].title.contains("BEFORE"), "{:?}", steps[0]);
    assert!(!steps[0].commands.iter().any(|it| it.contains("revoke")), "{:?}", steps[0]);
    let all: Vec<_> = steps.iter().flat_map(|step| &step.commands).collect();
    assert!(!all.iter().any(|it| it.contains("tokensweep revoke")), "{all:#?}");
    let last = ids(steps).iter().rposition(|id| id.starts_with("revoke")).unwrap();
    assert_eq!(steps[last].id, "revoke-last");
    assert!(last > ids(steps).iter().position(|id| *id == "staged").unwrap(), "{:?}", ids(steps));
    assert!(steps[last].commands.iter().any(|it| it.starts_with("npm token revoke ")));
}

#[test]
fn a_booby_trap_is_looked_for_first_and_revoked_last() {
    // Its own name is that of a trap, or is not known: it waits.
    for own in [Some(TRAP), None] {
        let steps = plan(&[trapped(own)], &Response::default());
        assert_careful(&steps);
        assert!(!ids(&steps).contains(&"revoke-npm-bypass"), "{:?}", ids(&steps));
        assert!(the(&steps, "revoke-last").commands.contains(&"npm token revoke f00d".into()));
    }
    // Another one of the account is the trap: this one goes early, that one last.
    let beside = npm(4, TokenKind::ReadWrite, Vec::new());
    let steps = plan(&[trapped(Some("ci")), beside], &Response::default());
    assert_careful(&steps);
    let early = the(&steps, "revoke-npm-bypass");
    assert_eq!(early.commands[0], "npm token revoke f00d");
    assert_eq!(the(&steps, "revoke-last").commands[1], "npm token revoke KEY");
}

#[test]
fn tokens_are_revoked_by_their_key_if_it_is_known() {
    let mut known = npm(1, TokenKind::ReadWriteBypass, Vec::new());
    let unknown = plan(&[known.clone()], &Response::default());
    assert_eq!(
        the(&unknown, "revoke-npm-bypass").commands,
        [
            "npm token list --json",
            "npm token revoke KEY",
            &format!("tokensweep revoke {} .npmrc --as ~/.npmrc --otp CODE", known.fingerprint),
            "https://www.npmjs.com/settings/alice/tokens"
        ]
    );
    let radius = known.blast_radius.as_mut().unwrap();
    radius.token.key = Learnt::measured("f00d-1".into(), "the list");
    let steps = plan(&[known], &Response::default());
    let step = the(&steps, "revoke-npm-bypass");
    assert_eq!(step.commands[0], "npm token revoke f00d-1");
    assert!(step.notes.iter().any(|note| note.contains("up to an hour")));
    let password = finding("geheim-geheim", "npm-registry", "npm-password", ".npmrc");
    let elsewhere = Finding { registry: Some("npm.example".into()), ..password.clone() };
    let here = Finding { registry: Some(NPM_REGISTRY.into()), ..password };
    assert_eq!(
        the(&plan(&[here], &Response::default()), "revoke-npm").commands,
        ["npm profile set password"]
    );
    let steps = plan(&[elsewhere], &Response::default());
    assert!(the(&steps, "revoke-other").notes[0].ends_with(", at npm.example"));
}

/// A token that cannot publish is not said to, whatever its bypass.
#[test]
fn the_turn_follows_the_table() {
    for (kind, bypass, turn) in [
        (TokenKind::ReadWriteBypass, true, "revoke-npm-bypass"),
        (TokenKind::OrgOnly, true, "revoke-npm"),
        (TokenKind::StageOnly, true, "revoke-npm"),
        (TokenKind::ReadWrite, false, "revoke-npm"),
    ] {
        let mut token = npm(1, kind, Vec::new());
        let radius = token.blast_radius.as_mut().unwrap();
        radius.token.bypass = Learnt::measured(bypass, "the list");
        let steps = plan(&[token], &Response::default());
        assert_eq!(steps[0].id, turn, "{kind:?}");
        assert_eq!(the(&steps, "rotate").why, "1 credential that lives, or may");
    }
}

/// A token that only an old commit calls read-only.
#[test]
fn a_commits_date_does_not_relax_the_plan() {
    let old = |releases: Vec<WindowRelease>| {
        let mut token =
            npm(1, TokenKind::ReadOnly, vec![Package { releases, ..package("left-pad") }]);
        let radius = token.blast_radius.as_mut().unwrap();
        radius.token.kind = Learnt::default();
        let seen = Some(TODAY - 100 * 24 * HOUR);
        radius.rights = matrix(&radius.token, &radius.account, seen, TODAY);
        assert_eq!(radius.rights.len(), 1);
        plan(&[token], &Response::default())
    };
    assert!(ids(&old(Vec::new())).contains(&"revoke-npm"));
    let steps = old(vec![release("1.3.1", HOUR)]);
    for id in ["revoke-npm-bypass", "disallow-tokens"] {
        assert!(ids(&steps).contains(&id), "{:?}", ids(&steps));
    }
}

#[test]
fn guards_follow_what_the_token_can_do() {
    let has = |kind: TokenKind, id: &str| {
        let steps = plan(&[npm(1, kind, vec![package("left-pad")])], &Response::default());
        ids(&steps).contains(&id)
    };
    for (kind, disallow, trust, staged) in [
        (TokenKind::ReadWriteBypass, true, true, true),
        (TokenKind::ReadWrite, false, true, true),
        (TokenKind::StageOnly, false, true, true),
        (TokenKind::ReadOnly, false, false, false),
        (TokenKind::OrgOnly, false, false, false),
    ] {
        assert_eq!(has(kind, "disallow-tokens"), disallow, "{kind:?}");
        assert_eq!(has(kind, "trusted-publishing"), trust, "{kind:?}");
        assert_eq!(has(kind, "staged"), staged, "{kind:?}");
        assert!(!has(kind, "second-factor"), "{kind:?}: the account is guarded");
    }
    let mut reader = package("left-pad");
    reader.right = Learnt::measured(PackageRight::Read, "the list");
    let steps = plan(&[npm(1, TokenKind::ReadWriteBypass, vec![reader])], &Response::default());
    assert!(!ids(&steps).contains(&"disallow-tokens"));
}

#[test]
fn commands_are_those_of_npm() {
    let mut trusted = package("@acme/core");
    trusted.published_by = Learnt::measured(
        PublishedBy::TrustedPublisher { provider: "github".into() },
        "its document",
    );
    let mut lab = package("lab");
    lab.repository = Learnt::measured("https://gitlab.com/group/lab.git".into(), "its document");
    let packages = vec![package("left-pad"), trusted, lab];
    let steps = plan(&[npm(1, TokenKind::ReadWriteBypass, packages)], &Response::default());
    assert_eq!(
        the(&steps, "disallow-tokens").commands,
        [
            "npm access set mfa=publish @acme/core",
            "npm access set mfa=publish lab",
            "npm access set mfa=publish left-pad"
        ]
    );
    assert_eq!(
        the(&steps, "trusted-publishing").commands,
        [
            "npm trust gitlab lab --project group/lab --file .gitlab-ci.yml --allow-stage-publish",
            "npm trust github left-pad --repo acme/tools --file publish.yml --allow-stage-publish",
        ]
    );
    let notes = the(&steps, "trusted-publishing").notes.join("\n");
    assert!(notes.contains("id-token: write") && notes.contains("contents: read"), "{notes}");
}

/// No second trusted publisher is set up beside one that may be there.
#[test]
fn a_trusted_publisher_that_was_used_is_looked_at() {
    let mut attacked = package("left-pad");
    let release = Release { version: "1.0.4".into(), time: None, publisher: None };
    attacked.trusted_before = Learnt::measured(Some(release), "publishers of all versions");
    let steps = plan(&[npm(1, TokenKind::ReadWriteBypass, vec![attacked])], &Response::default());
    let step = the(&steps, "trusted-publishing");
    assert_eq!(step.commands, ["npm trust list left-pad"]);
    assert!(step.notes[0].contains("left-pad until 1.0.4"), "{step:?}");
}

#[test]
fn bad_versions_are_taken_back_within_the_policy() {
    let commands = |age: i64, change: &dyn Fn(&mut Package)| {
        let mut bad = package("left-pad");
        bad.releases = vec![release("1.3.1", age)];
        change(&mut bad);
        let steps = plan(&[npm(1, TokenKind::ReadOnly, vec![bad])], &Response::default());
        the(&steps, "bad-versions").commands.clone()
    };
    let deprecate = "npm deprecate left-pad@1.3.1 'Compromised: do not use'";
    let unpublish = "npm unpublish left-pad@1.3.1";
    assert_eq!(commands(HOUR, &|_| {}), [deprecate, unpublish]);

    let used = |it: &mut Package| it.dependents = Learnt::measured(1, "the search");
    assert_eq!(commands(HOUR, &used), [deprecate]);
    let popular = |it: &mut Package| it.weekly_downloads = Learnt::measured(300, "the search");
    assert_eq!(commands(71 * HOUR, &popular), [deprecate, unpublish]);
    assert_eq!(commands(73 * HOUR, &popular), [deprecate]);
    let shared =
        |it: &mut Package| it.maintainers = Learnt::measured(vec!["a".into(), "b".into()], "x");
    assert_eq!(commands(73 * HOUR, &shared), [deprecate]);
    let newest = |it: &mut Package| {
        let latest = Release { version: "1.3.1".into(), time: None, publisher: None };
        it.latest = Learnt::measured(latest, "its document");
    };
    let tag = "npm dist-tag add left-pad@LAST_GOOD latest";
    assert_eq!(commands(HOUR, &newest), [tag, deprecate, unpublish]);
    let known = |it: &mut Package| {
        newest(it);
        let good = Release { version: "1.3.0".into(), time: None, publisher: None };
        it.last_good = Learnt::upper_bound(good, "its document");
    };
    let tag = "npm dist-tag add left-pad@1.3.0 latest";
    assert_eq!(commands(HOUR, &known), [tag, deprecate, unpublish]);
}

#[test]
fn long_lists_are_cut_and_counted() {
    let many = (0..45).map(|n| package(&format!("p{n:02}"))).collect();
    let steps = plan(&[npm(1, TokenKind::ReadWriteBypass, many)], &Response::default());
    let step = the(&steps, "disallow-tokens");
    assert_eq!(step.commands.len(), 1, "a loop, so that no list fills the screen");
    let command = &step.commands[0];
    assert!(command.starts_with("for p in p00 p01 p02 "), "{command}");
    assert!(command.ends_with(r#" p19; do npm access set mfa=publish "$p"; done"#), "{command}");
    assert!(step.notes.iter().any(|note| note.contains("25 more")), "{step:?}");
    assert!(steps.iter().all(|step| step.commands.len() <= 20), "{steps:#?}");
}

/// The words of a POSIX shell, and whether nothing in it is more than a word.
fn is_plain(command: &str) -> bool {
    let mut quoted = false;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => drop(chars.next()),
            ';' | '|' | '&' | '$' | '`' | '<' | '>' | '(' | '*' | '?' | '"' | '#' | '\n'
                if !quoted =>
            {
                return false;
            }
            _ => {}
        }
    }
    !quoted
}

proptest! {
    /// In a loop, too, each name is one word.
    #[test]
    fn no_name_gets_out_of_a_loop(names in prop::collection::btree_set("[-a-z;|&$`'\"<>()*? \\\\\n]{1,12}", 4..9)) {
        let packages = names.iter().map(|name| package(name)).collect();
        let steps = plan(&[npm(1, TokenKind::ReadWriteBypass, packages)], &Response::default());
        for command in steps.iter().flat_map(|step| &step.commands) {
            let Some(rest) = command.strip_prefix("for p in ") else { continue };
            let (list, body) = rest.rsplit_once("; do npm ").unwrap();
            prop_assert!(is_plain(list), "{command:?}");
            prop_assert!(body.ends_with("; done") && body.contains(r#""$p""#), "{command:?}");
        }
    }

    #[test]
    fn no_name_gets_out_of_its_word(name in any::<String>(), odd in "[-a-z;|&$`'\"<>()*? \\\\\n]{1,12}", url in "https://github.com/[-a-z;$`'./]{0,20}") {
        for name in [name, odd] {
            let mut hostile = package(&name);
            hostile.repository = Learnt::measured(url.clone(), "its document");
            hostile.releases = vec![release(&name, HOUR)];
            let mut finding = npm(1, TokenKind::ReadWriteBypass, vec![hostile]);
            let radius = finding.blast_radius.as_mut().unwrap();
            radius.account.user = Learnt::measured(name.clone(), "whoami");
            radius.account.second_factor = Learnt::default();
            radius.token.key = Learnt::measured(name, "the list");
            for step in plan(&[finding], &Response::default()) {
                for command in step.commands.iter().filter(|it| it.starts_with("npm ")) {
                    prop_assert!(is_plain(command), "{command:?}");
                    let options = ["--json", "--repo", "--project", "--file", "--allow-stage-publish"];
                    let words = command.split(' ').filter(|word| word.starts_with('-'));
                    prop_assert!(words.clone().all(|word| options.contains(&word)), "{command:?}");
                }
            }
        }
    }

    /// The order never changes, whatever is found.
    #[test]
    fn steps_keep_their_order(mask in 0u8..32, armed: bool, switch: bool) {
        let (findings, mut response) = disaster();
        let some: Vec<_> = findings.into_iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, it)| it).collect();
        if !switch { response.switch.clear(); }
        for part in &mut response.switch { part.armed = armed; }
        let places: Vec<_> = ids(&plan(&some, &response)).iter().map(|id| ORDER.iter().position(|it| it == id).unwrap()).collect();
        prop_assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    }
}
