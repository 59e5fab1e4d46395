//! One sentence for a person under stress.

use super::rights::rests_on_a_date;
use super::severity::{DATE, Power, power, written};
use super::words::{count, short};
use crate::model::radius::{BlastRadius, Certainty, Learnt};

/// What the holder of a credential can do, in one sentence without a full stop:
/// `alice's token can publish 14 packages (2.1 M downloads a week) without a second
/// factor`. It takes the credential to be alive.
pub fn headline(radius: &BlastRadius) -> String {
    let whose = match radius.account.user.get() {
        Some(user) => format!("{user}'s token"),
        None => "this token".into(),
    };
    if radius.rights.is_empty() {
        return format!("what {whose} can do is not known");
    }
    let (power, sure) = power(&radius.rights);
    let what = reach(radius);
    let can = if sure { "can" } else { "may be able to" };
    let bound = match radius.rights.as_slice() {
        [worst, _, ..] => format!(", {}", worst.assumption),
        tables if rests_on_a_date(tables) => DATE.to_owned(),
        _ => String::new(),
    };
    match power {
        Power::Publishes => format!("{whose} {can} publish {what} without a second factor{bound}"),
        Power::Alters => format!(
            "{whose} {can} unpublish, deprecate and move tags of {what} without a second factor{bound}"
        ),
        Power::WritesGuarded => format!(
            "{whose} {can} put up versions of {what}, and a second factor stands before they go out{bound}"
        ),
        Power::ReadsPrivate => {
            format!("{whose} {can} read private packages and change nothing{bound}")
        }
        Power::Nothing => format!("{whose} can do nothing of weight{bound}"),
    }
}

/// `14 packages (2.1 M downloads a week)`.
fn reach(radius: &BlastRadius) -> String {
    let figures = written(radius);
    let packages = match amount(&figures.packages) {
        Some((n, prefix)) => format!("{prefix}{}", count(n, "package")),
        None => "packages that could not be counted".into(),
    };
    match amount(figures.downloads()) {
        Some((n, prefix)) if n > 0 => format!("{packages} ({prefix}{} downloads a week)", short(n)),
        _ => packages,
    }
}

/// A number and what stands before it.
fn amount(learnt: &Learnt<u64>) -> Option<(u64, &'static str)> {
    let prefix = if learnt.certainty == Certainty::UpperBound { "up to " } else { "" };
    Some((*learnt.get()?, prefix))
}
