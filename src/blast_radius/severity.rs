//! How bad a credential is: liveness × right × reach, by one table.
//!
//! | right \ reach | nothing | small | large, or not known |
//! |---|---|---|---|
//! | publishes | medium | high | critical |
//! | changes what is published | low | medium | high |
//! | writes behind a second factor or an approval | low | medium | medium |
//! | reads what is private | medium | medium | medium |
//! | none of these | low | low | low |
//!
//! Which private packages a credential reads is seldom known, so their reach does
//! not count. What is unknown counts as if it worked, and as far.
//!
//! A dead credential is low. One that is refused from here (its addresses, a
//! second factor) is one step lower. One of which nobody knows whether it lives
//! keeps the severity that it was found with. A known bad version that was
//! published while the credential was exposed makes it critical, dead or alive.

use super::rights::answer;
use super::words::count;
use crate::model::radius::{Action, Answer, BlastRadius, Certainty, Learnt, Rights};
use crate::model::{Outcome, Severity};

/// From so many downloads a week on, all packages together, the reach is large.
pub const LARGE_DOWNLOADS: u64 = 10_000;
/// From so many dependents on, all packages together, the reach is large.
pub const LARGE_DEPENDENTS: u64 = 100;

/// What the holder can do, the most dangerous last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Power {
    Nothing,
    ReadsPrivate,
    WritesGuarded,
    Alters,
    Publishes,
}

/// How far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Nothing,
    Small,
    Large,
    Unknown,
}

/// The severity of a credential and the reason in one sentence. `offline` is what
/// it was found with, `liveness` what its service said; `radius` holds its rights
/// and packages already.
pub fn judge(offline: Severity, liveness: Outcome, radius: &BlastRadius) -> (Severity, String) {
    if let Some(bad) = known_bad(radius) {
        return (Severity::Critical, format!("a bad version went out while it was exposed: {bad}"));
    }
    match liveness {
        Outcome::Dead => {
            (Severity::Low, "it is dead: its service does not know it any more".into())
        }
        Outcome::Active => alive(radius),
        Outcome::Restricted => {
            let (severity, why) = alive(radius);
            let words = format!("{why}; one step lower, because it is refused from here");
            (lower(severity), words)
        }
        Outcome::NotAttempted | Outcome::Unknown | Outcome::Skipped => {
            let words = "whether it is alive is not known: the severity is that of its kind";
            (offline, words.into())
        }
    }
}

fn alive(radius: &BlastRadius) -> (Severity, String) {
    let (power, sure) = power(&radius.rights);
    let reach = reach(radius);
    let may = if sure { "it is alive and" } else { "it is alive and at worst" };
    let words = format!("{may} {}{}", power.words(), reach_words(power, reach, radius));
    (table(power, reach), words)
}

fn table(power: Power, reach: Reach) -> Severity {
    use Severity::{Critical, High, Low, Medium};
    let row = match power {
        Power::Nothing => [Low, Low, Low],
        Power::ReadsPrivate => [Medium, Medium, Medium],
        Power::WritesGuarded => [Low, Medium, Medium],
        Power::Alters => [Low, Medium, High],
        Power::Publishes => [Medium, High, Critical],
    };
    match reach {
        Reach::Nothing => row[0],
        Reach::Small => row[1],
        Reach::Large | Reach::Unknown => row[2],
    }
}

fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
    }
}

/// The most dangerous thing that works, by the worst table, and whether that is
/// sure. What is unknown counts as if it worked.
pub(super) fn power(all: &[Rights]) -> (Power, bool) {
    let Some(worst) = all.first() else { return (Power::Publishes, false) };
    let works = |actions: &[Action], wanted: &[Answer]| {
        actions.iter().any(|action| wanted.contains(&answer(worst, *action)))
    };
    let publish = [Action::Publish, Action::PublishNew];
    let alter = [Action::Unpublish, Action::DistTag, Action::Deprecate];
    let known = all.len() == 1;
    let open = [Answer::Yes, Answer::Unknown];
    let guarded = [Answer::Yes, Answer::SecondFactor, Answer::Unknown];
    if works(&publish, &open) {
        return (Power::Publishes, known && works(&publish, &[Answer::Yes]));
    }
    if works(&alter, &open) {
        return (Power::Alters, known && works(&alter, &[Answer::Yes]));
    }
    if works(&publish, &guarded) || works(&[Action::Stage], &open) {
        return (Power::WritesGuarded, known);
    }
    if works(&[Action::ReadPrivate], &open) {
        return (Power::ReadsPrivate, known && works(&[Action::ReadPrivate], &[Answer::Yes]));
    }
    (Power::Nothing, known)
}

/// How far the packages reach, all together.
fn reach(radius: &BlastRadius) -> Reach {
    let all = [
        amount(&radius.weekly_downloads, LARGE_DOWNLOADS),
        amount(&radius.dependents, LARGE_DEPENDENTS),
    ];
    let packages = amount(&radius.package_count, u64::MAX);
    match (all.contains(&Reach::Large), packages) {
        (true, _) => Reach::Large,
        (_, Reach::Nothing) => Reach::Nothing,
        (_, Reach::Unknown) => Reach::Unknown,
        // Either figure alone shows that it is small only if the other is known too.
        _ if all.contains(&Reach::Unknown) => Reach::Unknown,
        _ => Reach::Small,
    }
}

fn amount(learnt: &Learnt<u64>, large: u64) -> Reach {
    match (learnt.certainty, learnt.value) {
        (Certainty::Measured | Certainty::UpperBound, Some(0)) => Reach::Nothing,
        (Certainty::Measured | Certainty::UpperBound, Some(n)) if n >= large => Reach::Large,
        (Certainty::Measured | Certainty::UpperBound, Some(_)) => Reach::Small,
        _ => Reach::Unknown,
    }
}

impl Power {
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "can do nothing of weight",
            Self::ReadsPrivate => "reads private packages",
            Self::WritesGuarded => "writes only behind a second factor or an approval",
            Self::Alters => "unpublishes, deprecates or moves tags without a second factor",
            Self::Publishes => "publishes without a second factor",
        }
    }
}

fn reach_words(power: Power, reach: Reach, radius: &BlastRadius) -> String {
    if matches!(power, Power::Nothing | Power::ReadsPrivate) {
        return String::new();
    }
    match reach {
        Reach::Nothing => ", and no package is in reach".into(),
        Reach::Unknown => ", and how far that reaches is not known, which counts as far".into(),
        Reach::Small | Reach::Large => {
            let packages = radius.package_count.value.unwrap_or(radius.packages.len() as u64);
            let downloads = radius.weekly_downloads.value.unwrap_or(0);
            let dependents = radius.dependents.value.unwrap_or(0);
            let how = if reach == Reach::Large { "large" } else { "small" };
            format!(
                ", and its reach is {how}: {} with {} a week and {}",
                count(packages, "package"),
                count(downloads, "download"),
                count(dependents, "dependent"),
            )
        }
    }
}

/// The first version in the window that somebody's list knows as bad.
fn known_bad(radius: &BlastRadius) -> Option<String> {
    radius.packages.iter().find_map(|package| {
        package.releases.iter().find_map(|release| {
            let mark = release.marks.iter().find(|mark| mark.weight == Severity::Critical)?;
            Some(format!("{}@{} ({})", package.name, release.version, mark.words))
        })
    })
}
