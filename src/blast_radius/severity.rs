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
//! not count. What is unknown counts as if it worked, and as far; a package of which
//! it is known that the credential reads it at most counts for nothing.
//!
//! A dead credential is low. One that is refused from here (its addresses, a
//! second factor) is one step lower. One of which nobody knows whether it lives
//! keeps the severity that it was found with. A known bad version that was
//! published while the credential was exposed makes it critical, dead or alive.

use super::rights::{answer, rests_on_a_date};
use super::words::count;
use crate::model::radius::{
    Action, Answer, BlastRadius, Certainty, Learnt, Package, PackageRight, Rights,
};
use crate::model::{Outcome, Severity};

/// What is said where the worst is excluded by a date that may be forged.
pub(super) const DATE: &str = ", if the date of its commit is honest";

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
            let dead = "it is dead: its service does not know it any more";
            (Severity::Low, format!("{dead}{}", while_it_lived(radius)))
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

/// What the holder of a dead credential could do before.
fn while_it_lived(radius: &BlastRadius) -> String {
    let (power, sure) = power(&radius.rights);
    let worst = if sure { "" } else { " at worst" };
    match power {
        Power::Nothing => String::new(),
        power => format!("; while it lived, its holder{worst} {}", power.past()),
    }
}

fn alive(radius: &BlastRadius) -> (Severity, String) {
    let (power, sure) = power(&radius.rights);
    let figures = written(radius);
    let reach = reach(&figures);
    let may = if sure { "it is alive and" } else { "it is alive and at worst" };
    let date = if rests_on_a_date(&radius.rights) { DATE } else { "" };
    let words = format!("{may} {}{}{date}", power.words(), reach_words(power, reach, &figures));
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

/// Packages, downloads and dependents that a credential can write to, or may.
pub(super) struct Figures {
    pub(super) packages: Learnt<u64>,
    downloads: Learnt<u64>,
    dependents: Learnt<u64>,
}

impl Figures {
    /// Downloads of a week.
    pub(super) fn downloads(&self) -> &Learnt<u64> {
        &self.downloads
    }
}

/// The figures of all packages, without those of which it is known that the
/// credential reads them at most.
pub(super) fn written(radius: &BlastRadius) -> Figures {
    let reads = |package: &&Package| {
        matches!(package.right.value, Some(PackageRight::Public | PackageRight::Read))
    };
    let less = radius.packages.iter().filter(reads).count();
    let mut figures = Figures {
        packages: radius.package_count.clone(),
        downloads: radius.weekly_downloads.clone(),
        dependents: radius.dependents.clone(),
    };
    if less == 0 {
        return figures;
    }
    let left: Vec<_> = radius.packages.iter().filter(|package| !reads(package)).collect();
    figures.packages.value = figures.packages.value.map(|n| n.saturating_sub(less as u64));
    figures.downloads = sum(left.iter().map(|package| package.weekly_downloads.value));
    figures.dependents = sum(left.iter().map(|package| package.dependents.value));
    figures
}

/// The sum of what is known; unknown if nothing is.
fn sum(all: impl Iterator<Item = Option<u64>>) -> Learnt<u64> {
    match all.flatten().reduce(u64::saturating_add) {
        Some(sum) => Learnt::upper_bound(sum, "sum of the packages that it may write"),
        None => Learnt::unknown("no package that it may write tells"),
    }
}

/// How far the packages reach, all together.
fn reach(figures: &Figures) -> Reach {
    let all = [
        amount(&figures.downloads, LARGE_DOWNLOADS),
        amount(&figures.dependents, LARGE_DEPENDENTS),
    ];
    let packages = amount(&figures.packages, u64::MAX);
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

    fn past(self) -> &'static str {
        match self {
            Self::Nothing => "could do nothing of weight",
            Self::ReadsPrivate => "could read private packages",
            Self::WritesGuarded => "could write only behind a second factor or an approval",
            Self::Alters => "could unpublish, deprecate or move tags without a second factor",
            Self::Publishes => "could publish without a second factor",
        }
    }
}

fn reach_words(power: Power, reach: Reach, figures: &Figures) -> String {
    if matches!(power, Power::Nothing | Power::ReadsPrivate) {
        return String::new();
    }
    match reach {
        Reach::Nothing => ", and no package is in reach that it could write".into(),
        Reach::Unknown => ", and how far that reaches is not known, which counts as far".into(),
        Reach::Small | Reach::Large => {
            let value = |learnt: &Learnt<u64>| learnt.value.unwrap_or(0);
            let how = if reach == Reach::Large { "large" } else { "small" };
            format!(
                ", and its reach is {how}: {} with {} a week and {}",
                count(value(&figures.packages), "package"),
                count(value(&figures.downloads), "download"),
                count(value(&figures.dependents), "dependent"),
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
