//! The tables of rights, the rule of severity, the way out and the graph, held
//! to what they are documented to say.

use proptest::prelude::*;
use tokensweep::blast_radius::explain::headline;
use tokensweep::blast_radius::rights::{ACTIONS, answer, ended, kind_of, matrix};
use tokensweep::blast_radius::severity::{LARGE_DEPENDENTS, LARGE_DOWNLOADS, judge};
use tokensweep::blast_radius::{publishing_access, unpublish_policy};
use tokensweep::model::radius::*;
use tokensweep::model::{Outcome, Severity};

/// 2026-11-23 and 2027-01-01, at noon.
const TODAY: i64 = 1_795_435_200;
const NEXT_YEAR: i64 = 1_798_804_800;
const DAY: i64 = 86_400;

const KINDS: [TokenKind; 8] = [
    TokenKind::ReadOnly,
    TokenKind::ReadWrite,
    TokenKind::ReadWriteBypass,
    TokenKind::StageOnly,
    TokenKind::OrgOnly,
    TokenKind::Session,
    TokenKind::Oidc,
    TokenKind::Classic,
];

/// One line for each action, one letter for each kind in the order above:
/// yes, second factor, no, unknown.
const BY_KIND: [(Action, &str); 13] = [
    (Action::Publish, "nsynnsyn"),
    (Action::PublishNew, "nsunnsun"),
    (Action::Stage, "nyyynyyn"),
    (Action::Approve, "nsssnsnn"),
    (Action::Unpublish, "nsuynsun"),
    (Action::DistTag, "nsuynsyn"),
    (Action::Deprecate, "nsuynsun"),
    (Action::Maintainers, "nsnunsnn"),
    (Action::Settings, "nsnnnsnn"),
    (Action::Tokens, "nnnnnsnn"),
    (Action::Members, "nnnnssnn"),
    (Action::Profile, "nnnnnsnn"),
    (Action::ReadPrivate, "yyyunyun"),
];

/// A session under each setting of its account: none, pending, auth-only,
/// auth-and-writes.
const BY_SECOND_FACTOR: [(Action, &str); 13] = [
    (Action::Publish, "nnss"),
    (Action::PublishNew, "nnss"),
    (Action::Stage, "yyyy"),
    (Action::Approve, "nnss"),
    (Action::Unpublish, "uuus"),
    (Action::DistTag, "uuus"),
    (Action::Deprecate, "uuus"),
    (Action::Maintainers, "uuus"),
    (Action::Settings, "uuus"),
    (Action::Tokens, "ssss"),
    (Action::Members, "uuus"),
    (Action::Profile, "uuss"),
    (Action::ReadPrivate, "yyyy"),
];

fn letter(answer: Answer) -> char {
    match answer {
        Answer::Yes => 'y',
        Answer::SecondFactor => 's',
        Answer::No => 'n',
        Answer::Unknown => 'u',
    }
}

fn of_kind(kind: TokenKind) -> TokenFacts {
    TokenFacts { kind: Learnt::measured(kind, "the list of tokens"), ..TokenFacts::default() }
}

/// A trusted publisher that may do both.
fn with_permissions(mut token: TokenFacts, permissions: &[&str]) -> TokenFacts {
    let permissions = permissions.iter().map(|&word| word.to_owned()).collect();
    token.permissions = Learnt::measured(permissions, "the list of tokens");
    token
}

fn one(token: &TokenFacts, account: &Account, today: i64) -> Rights {
    let mut all = matrix(token, account, None, today);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn with_factor(mode: SecondFactor) -> Account {
    Account { second_factor: Learnt::measured(mode, "the profile"), ..Account::default() }
}

#[test]
fn every_kind_may_what_the_documents_say() {
    for (at, kind) in KINDS.into_iter().enumerate() {
        let token = with_permissions(of_kind(kind), &["createPackage", "createStagedPackage"]);
        let rights = one(&token, &Account::default(), TODAY);
        assert_eq!(rights.assumption, "known");
        assert_eq!(rights.as_of, "2026-11-23");
        assert_eq!(rights.rights.len(), ACTIONS.len());
        for (action, row) in BY_KIND {
            let expected = row.chars().nth(at).unwrap();
            assert_eq!(letter(answer(&rights, action)), expected, "{kind:?} {action:?}");
        }
        assert!(rights.rights.iter().all(|right| !right.why.is_empty()));
    }
}

#[test]
fn the_accounts_second_factor_has_its_say() {
    use SecondFactor::{AuthAndWrites, AuthOnly, None, Pending};
    for (at, mode) in [None, Pending, AuthOnly, AuthAndWrites].into_iter().enumerate() {
        let rights = one(&of_kind(TokenKind::Session), &with_factor(mode), TODAY);
        for (action, row) in BY_SECOND_FACTOR {
            let expected = row.chars().nth(at).unwrap();
            assert_eq!(letter(answer(&rights, action)), expected, "{mode:?} {action:?}");
        }
        // Bypass is bypass, whatever the account says.
        let bypass = one(&of_kind(TokenKind::ReadWriteBypass), &with_factor(mode), TODAY);
        assert_eq!(answer(&bypass, Action::Publish), Answer::Yes, "{mode:?}");
    }
}

#[test]
fn an_unknown_second_factor_is_said_where_it_matters() {
    let rights = one(&of_kind(TokenKind::Session), &Account::default(), TODAY);
    let says = |action| {
        let right = rights.rights.iter().find(|right| right.action == action).unwrap();
        right.why.contains("the account's own setting is not known")
    };
    assert!(says(Action::Deprecate) && says(Action::Maintainers));
    assert!(!says(Action::Publish) && !says(Action::Stage));
}

#[test]
fn bypass_ends_when_npm_says_that_it_ends() {
    let token = of_kind(TokenKind::ReadWriteBypass);
    let rights = one(&token, &Account::default(), NEXT_YEAR);
    for action in [Action::Publish, Action::Unpublish, Action::DistTag, Action::Deprecate] {
        assert_eq!(answer(&rights, action), Answer::Unknown, "{action:?}");
    }
    assert!(rights.rights[0].why.contains("January 2027"));
    assert_eq!(answer(&rights, Action::Stage), Answer::Yes);
    assert_eq!(answer(&rights, Action::ReadPrivate), Answer::Yes);
    let before = one(&token, &Account::default(), NEXT_YEAR - DAY);
    assert_eq!(answer(&before, Action::Publish), Answer::Yes, "2026-12-31 still counts");
}

#[test]
fn trusted_publishing_does_what_its_permissions_say() {
    let answers = |token: &TokenFacts| {
        let rights = one(token, &Account::default(), TODAY);
        (answer(&rights, Action::Publish), answer(&rights, Action::Stage))
    };
    let oidc = of_kind(TokenKind::Oidc);
    assert_eq!(answers(&oidc), (Answer::Unknown, Answer::Unknown));
    let stages = with_permissions(oidc.clone(), &["createStagedPackage"]);
    assert_eq!(answers(&stages), (Answer::No, Answer::Yes));
    let publishes = with_permissions(oidc, &["createPackage"]);
    assert_eq!(answers(&publishes), (Answer::Yes, Answer::No));
}

fn kinds(token: &TokenFacts, account: &Account, seen: Option<i64>) -> Vec<TokenKind> {
    matrix(token, account, seen, TODAY).iter().map(|rights| rights.kind).collect()
}

/// Each column is written for one permission; a token may have several.
#[test]
fn permissions_add_up() {
    let token = |kind, bypass| {
        let both = with_permissions(of_kind(kind), &["package: write", "org: write"]);
        TokenFacts { bypass: Learnt::measured(bypass, "the list"), ..both }
    };
    let members = |kind, bypass| {
        let rights = one(&token(kind, bypass), &Account::default(), TODAY);
        (answer(&rights, Action::Publish), answer(&rights, Action::Members))
    };
    let (yes, second, no) = (Answer::Yes, Answer::SecondFactor, Answer::No);
    assert_eq!(members(TokenKind::ReadWrite, false), (second, second));
    assert_eq!(members(TokenKind::ReadWriteBypass, true), (yes, no));
    assert_eq!(members(TokenKind::StageOnly, true), (no, no));
    assert_eq!(members(TokenKind::OrgOnly, false), (no, second));
    assert_eq!(members(TokenKind::OrgOnly, true), (no, no));
    let reads = with_permissions(of_kind(TokenKind::ReadWrite), &["package: write", "org: read"]);
    assert_eq!(answer(&one(&reads, &Account::default(), TODAY), Action::Members), no);
}

/// What the facts infer is unknown, and the words give the bounds.
#[test]
fn what_is_inferred_is_unknown_with_bounds() {
    let rights = one(&of_kind(TokenKind::ReadWriteBypass), &Account::default(), TODAY);
    for action in [Action::Unpublish, Action::DistTag, Action::Deprecate] {
        let right = rights.rights.iter().find(|right| right.action == action).unwrap();
        assert_eq!(right.answer, Answer::Unknown, "{action:?}");
        assert!(right.why.contains("at most") && right.why.contains("inferred"), "{}", right.why);
    }
}

/// A dead credential does nothing, and could do what it could.
#[test]
fn what_is_dead_does_nothing_any_more() {
    let living = matrix(&TokenFacts::default(), &Account::default(), None, TODAY);
    let dead = ended(living.clone());
    assert_eq!(dead.len(), 2);
    for (dead, living) in dead.iter().zip(&living) {
        assert_eq!(dead.assumption, format!("dead; while it lived: {}", living.assumption));
        for (dead, living) in dead.rights.iter().zip(&living.rights) {
            assert_eq!((dead.action, dead.answer), (living.action, Answer::No));
            assert!(dead.why.starts_with("it is dead") && dead.why.ends_with(&living.why));
        }
    }
    assert!(dead[0].rights[0].why.contains("while it lived: yes"), "{:?}", dead[0].rights[0]);
    let worst = radius(TokenKind::ReadWriteBypass, Some(1), Some(1));
    let (severity, words) = judge(Severity::High, Outcome::Dead, &worst);
    assert_eq!(severity, Severity::Low);
    assert!(words.contains("while it lived, its holder could publish"), "{words}");
}

#[test]
fn an_unknown_kind_has_bounds_that_evidence_narrows() {
    use TokenKind::{OrgOnly, ReadOnly, ReadWrite, ReadWriteBypass, StageOnly};
    let (nothing, nobody) = (TokenFacts::default(), Account::default());
    let all = matrix(&nothing, &nobody, None, TODAY);
    assert_eq!(all[0].assumption, "if it is a write token that bypasses the second factor");
    assert_eq!(all[1].assumption, "if it is a read-only token");
    assert_eq!(kinds(&nothing, &nobody, None), [ReadWriteBypass, ReadOnly]);

    let old = matrix(&nothing, &nobody, Some(TODAY - 91 * DAY), TODAY);
    assert_eq!(old.len(), 1);
    assert_eq!(
        (old[0].kind, old[0].assumption.as_str()),
        (ReadOnly, "if the date of the commit is honest: a read-only token, all else is excluded")
    );
    assert_eq!(kinds(&nothing, &nobody, Some(TODAY - 89 * DAY)), [ReadWriteBypass, ReadOnly]);

    let listed = TokenFacts { key: Learnt::measured("k".into(), "list"), ..nothing.clone() };
    let writes = with_permissions(listed.clone(), &["package: write"]);
    let guarded = TokenFacts { bypass: Learnt::measured(false, "list"), ..writes.clone() };
    assert_eq!(kinds(&guarded, &nobody, None), [StageOnly, ReadWrite]);
    // Stage-only tokens began on 2026-09-18: an older one is none.
    assert_eq!(kinds(&guarded, &nobody, Some(TODAY - 80 * DAY)), [ReadWrite]);
    let bypass = TokenFacts { bypass: Learnt::measured(true, "list"), ..writes };
    assert_eq!(kinds(&bypass, &nobody, Some(TODAY - 80 * DAY)), [ReadWriteBypass]);
    let reads = with_permissions(listed, &["package: read", "org: write"]);
    assert_eq!(kinds(&reads, &nobody, None), [OrgOnly, ReadOnly]);

    let at_most = TokenFacts { kind: Learnt::upper_bound(ReadWrite, "a test"), ..nothing };
    assert_eq!(kinds(&at_most, &nobody, None), [ReadWrite, ReadOnly]);
    assert_eq!(kind_of("npm-legacy-token").value, Some(TokenKind::Classic));
    assert_eq!(kind_of("npm-access-token").value, None);
}

#[test]
fn publishing_access_and_the_policy_are_those_of_npm() {
    let rows = publishing_access();
    let answers = |name: &str| {
        let row = &rows[name];
        let cells = [&row.bypass, &row.no_bypass, &row.oidc];
        (row.mfa.as_str(), cells.map(|cell| letter(cell.answer)).iter().collect::<String>())
    };
    assert_eq!(answers("require-or-bypass"), ("automation", "ysy".into()));
    assert_eq!(answers("disallow-tokens"), ("publish", "nsy".into()));
    assert_eq!(answers("not-required"), ("none", "ysy".into()));
    let policy = unpublish_policy();
    assert_eq!((policy.hours, policy.weekly_downloads, policy.owners), (72, 300, 1));
}

/// A credential of a known kind with one package and these figures.
fn radius(kind: TokenKind, downloads: Option<u64>, dependents: Option<u64>) -> BlastRadius {
    let figure = |n: Option<u64>| match n {
        Some(n) => Learnt::measured(n, "the search"),
        None => Learnt::unknown("nobody asked"),
    };
    BlastRadius {
        rights: matrix(&of_kind(kind), &Account::default(), None, TODAY),
        package_count: Learnt::upper_bound(1, "the search"),
        weekly_downloads: figure(downloads),
        dependents: figure(dependents),
        ..BlastRadius::default()
    }
}

fn severity(liveness: Outcome, radius: &BlastRadius) -> Severity {
    let (severity, words) = judge(Severity::High, liveness, radius);
    assert!(!words.is_empty());
    severity
}

#[test]
fn severity_is_liveness_times_right_times_reach() {
    use Severity::{Critical, High, Low, Medium};
    use TokenKind::{Classic, ReadOnly, ReadWrite, ReadWriteBypass, StageOnly};
    let table = [
        (ReadWriteBypass, [Medium, High, Critical]),
        (StageOnly, [Low, Medium, High]),
        (ReadWrite, [Low, Medium, Medium]),
        (ReadOnly, [Medium, Medium, Medium]),
        (Classic, [Low, Low, Low]),
    ];
    for (kind, [nothing, small, large]) in table {
        let mut none = radius(kind, Some(0), Some(0));
        none.package_count = Learnt::measured(0, "the search");
        assert_eq!(severity(Outcome::Active, &none), nothing, "{kind:?}");
        let few = radius(kind, Some(LARGE_DOWNLOADS - 1), Some(LARGE_DEPENDENTS - 1));
        assert_eq!(severity(Outcome::Active, &few), small, "{kind:?}");
        for reach in [
            radius(kind, Some(LARGE_DOWNLOADS), Some(0)),
            radius(kind, Some(0), Some(LARGE_DEPENDENTS)),
            radius(kind, None, Some(0)),
            radius(kind, Some(0), None),
        ] {
            assert_eq!(severity(Outcome::Active, &reach), large, "{kind:?} {reach:?}");
        }
    }
}

/// Packages that the credential is known to read at most are out of its reach.
#[test]
fn what_is_only_read_counts_for_nothing() {
    let package = |right, downloads| Package {
        right: Learnt::measured(right, "the list"),
        weekly_downloads: Learnt::measured(downloads, "the search"),
        dependents: Learnt::measured(0, "the search"),
        ..Package::default()
    };
    let of = |packages: Vec<Package>| {
        let mut it = radius(TokenKind::ReadWriteBypass, Some(LARGE_DOWNLOADS), None);
        it.package_count = Learnt::measured(packages.len() as u64, "the list");
        it.packages = packages;
        it
    };
    let (read, public) = (PackageRight::Read, PackageRight::Public);
    let reads = of(vec![package(read, 5), package(public, 2 * LARGE_DOWNLOADS)]);
    assert_eq!(severity(Outcome::Active, &reads), Severity::Medium);
    let (_, words) = judge(Severity::High, Outcome::Active, &reads);
    assert!(words.contains("no package is in reach that it could write"), "{words}");
    let one = of(vec![package(PackageRight::Publish, 5), package(public, 2 * LARGE_DOWNLOADS)]);
    assert_eq!(severity(Outcome::Active, &one), Severity::High);
    assert!(judge(Severity::High, Outcome::Active, &one).1.contains("1 package with 5 downloads"));
    assert!(headline(&one).contains("can publish 1 package (up to 5 downloads a week)"));
}

/// A verdict that a forged date would change says so.
#[test]
fn a_verdict_that_rests_on_a_date_says_so() {
    let (token, nobody) = (TokenFacts::default(), Account::default());
    let says = |seen| {
        let rights = matrix(&token, &nobody, seen, TODAY);
        let radius = BlastRadius { rights, ..BlastRadius::default() };
        let verdict = judge(Severity::High, Outcome::Active, &radius).1;
        let honest = "if the date of its commit is honest";
        assert_eq!(verdict.contains(honest), headline(&radius).contains(honest));
        verdict.contains(honest)
    };
    assert!(says(Some(TODAY - 91 * DAY)) && !says(Some(TODAY - DAY)) && !says(None));
}

#[test]
fn the_rule_is_written_down() {
    let text = include_str!("../docs/blast-radius.md");
    let code = include_str!("../src/blast_radius/severity.rs");
    assert_eq!((LARGE_DOWNLOADS, LARGE_DEPENDENTS), (10_000, 100));
    assert!(text.contains("10,000 downloads a week or 100 dependents"));
    for row in [
        "publishes | medium | high | critical |",
        "| low | medium | high |",
        "writes behind a second factor or an approval | low | medium | medium |",
        "reads what is private | medium | medium | medium |",
        "none of these | low | low | low |",
    ] {
        assert!(text.contains(row) && code.contains(row), "{row}");
    }
}

#[test]
fn liveness_comes_first() {
    let worst = radius(TokenKind::ReadWriteBypass, Some(LARGE_DOWNLOADS), None);
    assert_eq!(severity(Outcome::Dead, &worst), Severity::Low);
    assert_eq!(severity(Outcome::Restricted, &worst), Severity::High);
    for unknown in [Outcome::Unknown, Outcome::Skipped, Outcome::NotAttempted] {
        for offline in [Severity::Low, Severity::Medium, Severity::Critical] {
            let (severity, words) = judge(offline, unknown, &worst);
            assert_eq!(severity, offline);
            assert!(words.contains("not known"), "{words}");
        }
    }
    let nothing_learnt = BlastRadius::default();
    assert_eq!(severity(Outcome::Active, &nothing_learnt), Severity::Critical);
}

/// A version of the exposure window with one mark.
fn marked(weight: Severity, sign: &'static str) -> WindowRelease {
    let mark = Mark { weight, sign, words: "on the list of a test".into() };
    WindowRelease { version: "1.2.4".into(), time: TODAY - 3600, ghost: false, marks: vec![mark] }
}

#[test]
fn what_was_used_is_critical_though_it_is_dead() {
    let mut used = radius(TokenKind::ReadOnly, Some(1), Some(1));
    let release = marked(Severity::Critical, "known-bad");
    let package = Package { name: "left".into(), releases: vec![release], ..Package::default() };
    used.packages.push(package);
    let (severity, words) = judge(Severity::Low, Outcome::Dead, &used);
    assert_eq!(severity, Severity::Critical);
    assert!(words.contains("left@1.2.4"), "{words}");
    used.packages[0].releases[0].marks[0].weight = Severity::High;
    assert_eq!(judge(Severity::Low, Outcome::Dead, &used).0, Severity::Low);
}

proptest! {
    /// More packages, downloads or dependents never make it look better.
    #[test]
    fn severity_grows_with_reach(downloads in 0u64..30_000, dependents in 0u64..300, more in 0u64..20_000) {
        for kind in KINDS {
            let less = severity(Outcome::Active, &radius(kind, Some(downloads), Some(dependents)));
            let greater = radius(kind, Some(downloads + more), Some(dependents + more));
            prop_assert!(severity(Outcome::Active, &greater) >= less);
        }
    }

    /// Whatever is learnt, there is a table, and each action is in it once.
    #[test]
    fn there_is_always_a_table(seen: Option<i64>, today: i64, created: i64, bypass: bool, word in "[a-z: ]{0,20}") {
        let token = TokenFacts {
            created: Learnt::measured(created, "list"),
            bypass: Learnt::measured(bypass, "list"),
            key: Learnt::measured(word.clone(), "list"),
            permissions: Learnt::measured(vec![word], "list"),
            ..TokenFacts::default()
        };
        let all = matrix(&token, &Account::default(), seen, today);
        prop_assert!(matches!(all.len(), 1 | 2));
        for rights in all {
            let actions: Vec<_> = rights.rights.iter().map(|right| right.action).collect();
            prop_assert_eq!(&actions[..], &ACTIONS[..]);
        }
    }
}
