//! What the holder of a credential can do without a second factor.

use jiff::civil::Date;

use super::tables::{Cell, Mark, TABLES};
use super::words::day;
use crate::model::radius::{
    Account, Action, Answer, Certainty, Learnt, Right, Rights, TokenFacts, TokenKind,
};

/// All actions, in the order of a report.
pub const ACTIONS: [Action; 13] = [
    Action::Publish,
    Action::PublishNew,
    Action::Stage,
    Action::Approve,
    Action::Unpublish,
    Action::DistTag,
    Action::Deprecate,
    Action::Maintainers,
    Action::Settings,
    Action::Tokens,
    Action::Members,
    Action::Profile,
    Action::ReadPrivate,
];

/// The kinds that a token may have of which nothing is known, the most dangerous
/// first. Classic ones are not among them: they are dead.
const WORST_FIRST: [TokenKind; 7] = [
    TokenKind::ReadWriteBypass,
    TokenKind::StageOnly,
    TokenKind::Oidc,
    TokenKind::ReadWrite,
    TokenKind::Session,
    TokenKind::OrgOnly,
    TokenKind::ReadOnly,
];

/// Seconds of an hour and of a day.
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Longest life of a granular token that writes.
const WRITE_TOKEN_LIFE: i64 = 90 * DAY;
/// Life of a session since 2025-12-09, and of a token of trusted publishing.
const SESSION_LIFE: i64 = 2 * HOUR;
const OIDC_LIFE: i64 = HOUR;
/// The day of the first stage-only tokens.
const STAGE_ONLY_BEGINS: Date = jiff::civil::date(2026, 9, 18);

/// What the holder of a token can do: one table if its kind is known, else the
/// bounds, the worst first. `seen` is a moment at which the token was there
/// already (the commit that shows it), `today` is now; both in seconds since 1970.
///
/// Kinds that the evidence excludes make no bound: a token that writes lives 90
/// days, a session two hours; what the registry lists is neither a session nor of
/// trusted publishing.
pub fn matrix(token: &TokenFacts, account: &Account, seen: Option<i64>, today: i64) -> Vec<Rights> {
    let case = Case { token, account, seen, today };
    if let (Certainty::Measured, Some(kind)) = (token.kind.certainty, token.kind.value) {
        return vec![case.rights(kind, "known".into())];
    }
    let possible = case.possible();
    let undated = Case { seen: None, ..case }.possible();
    let ends = |kinds: &[TokenKind]| (kinds.first().copied(), kinds.last().copied());
    // The date of a commit is its author's word.
    let honest = if ends(&undated) == ends(&possible) { "" } else { HONEST };
    match possible.as_slice() {
        [kind] => {
            let words = format!("{honest}{}, all else is excluded", words(*kind));
            vec![case.rights(*kind, words)]
        }
        [worst, .., least] => {
            let bound =
                |kind: TokenKind| case.rights(kind, format!("{honest}if it is {}", words(kind)));
            vec![bound(*worst), bound(*least)]
        }
        [] => Vec::new(),
    }
}

/// The tables of a credential that is dead: nothing works any more, and the
/// reasons tell what its holder could do before, when it may have been used.
pub fn ended(living: Vec<Rights>) -> Vec<Rights> {
    living.into_iter().map(end).collect()
}

fn end(mut rights: Rights) -> Rights {
    rights.assumption = match rights.assumption.as_str() {
        "known" => format!("dead; while it lived, it was {}", words(rights.kind)),
        other => format!("dead; while it lived: {other}"),
    };
    for right in &mut rights.rights {
        let could = match right.answer {
            Answer::Yes => "yes",
            Answer::SecondFactor => "behind the second factor",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        };
        right.why = format!("it is dead; while it lived: {could}, {}", right.why);
        right.answer = Answer::No;
    }
    rights
}

/// True if only the date of a commit, which may be forged, excludes what is worse
/// than the worst table.
pub(super) fn rests_on_a_date(tables: &[Rights]) -> bool {
    tables.first().is_some_and(|worst| worst.assumption.starts_with(HONEST))
}

/// What a kind is called: `a read-only token`.
pub fn words(kind: TokenKind) -> &'static str {
    TABLES.kinds.get(&kind).map_or("a token", String::as_str)
}

/// The kind that follows from the rule that found a token, if the rule tells:
/// tokens in the form of UUIDs are classic.
pub fn kind_of(finding_kind: &str) -> Learnt<TokenKind> {
    match finding_kind {
        "npm-legacy-token" => Learnt::measured(TokenKind::Classic, "its form, a UUID"),
        _ => Learnt::unknown("all kinds share one form"),
    }
}

/// The answer for one action.
pub fn answer(rights: &Rights, action: Action) -> Answer {
    let found = rights.rights.iter().find(|right| right.action == action);
    found.map_or(Answer::Unknown, |right| right.answer)
}

/// What an exclusion by the date of a commit rests on.
const HONEST: &str = "if the date of the commit is honest: ";

/// All that bears on the tables.
#[derive(Clone, Copy)]
struct Case<'a> {
    token: &'a TokenFacts,
    account: &'a Account,
    seen: Option<i64>,
    today: i64,
}

impl Case<'_> {
    /// The kinds that the token may have, never none: evidence that excludes all
    /// of them contradicts itself and excludes nothing.
    fn possible(&self) -> Vec<TokenKind> {
        let from = match (self.token.kind.certainty, self.token.kind.value) {
            (Certainty::UpperBound, Some(kind)) => {
                WORST_FIRST.iter().position(|other| *other == kind).unwrap_or(0)
            }
            _ => 0,
        };
        let all = &WORST_FIRST[from..];
        let left: Vec<_> = all.iter().copied().filter(|kind| self.fits(*kind)).collect();
        if left.is_empty() { all.to_vec() } else { left }
    }

    fn fits(&self, kind: TokenKind) -> bool {
        self.is_young_enough(kind) && self.fits_its_row(kind) && self.fits_permissions(kind)
    }

    /// False if a token of this kind would be over by now.
    fn is_young_enough(&self, kind: TokenKind) -> bool {
        let born = self.token.created.get().copied().into_iter().chain(self.seen).min();
        let age = born.map_or(0, |born| self.today.saturating_sub(born));
        match kind {
            TokenKind::Session => age <= SESSION_LIFE,
            TokenKind::Oidc => age <= OIDC_LIFE,
            TokenKind::ReadOnly | TokenKind::Classic => true,
            TokenKind::StageOnly => age <= WRITE_TOKEN_LIFE && !self.is_older_than_staging(),
            _ => age <= WRITE_TOKEN_LIFE,
        }
    }

    fn is_older_than_staging(&self) -> bool {
        let born = self.token.created.get().copied().into_iter().chain(self.seen).min();
        born.and_then(day).is_some_and(|born| born < STAGE_ONLY_BEGINS)
    }

    /// False if the row of the token in the account's list, or that there is a
    /// user behind it, speaks against the kind.
    fn fits_its_row(&self, kind: TokenKind) -> bool {
        let listed = self.token.key.value.is_some();
        match kind {
            TokenKind::Session => !listed,
            TokenKind::Oidc => !listed && self.account.user.certainty != Certainty::Measured,
            TokenKind::ReadWriteBypass => measured(&self.token.bypass) != Some(&false),
            TokenKind::ReadWrite => measured(&self.token.bypass) != Some(&true),
            _ => true,
        }
    }

    fn fits_permissions(&self, kind: TokenKind) -> bool {
        let Some(permissions) = measured(&self.token.permissions) else { return true };
        let writes = permissions
            .iter()
            .any(|permission| permission.starts_with("package") && permission.ends_with("write"));
        match kind {
            TokenKind::ReadWriteBypass | TokenKind::ReadWrite | TokenKind::StageOnly => writes,
            TokenKind::ReadOnly | TokenKind::OrgOnly => !writes,
            _ => true,
        }
    }

    fn rights(&self, kind: TokenKind, assumption: String) -> Rights {
        Rights {
            kind,
            assumption,
            rights: ACTIONS.iter().map(|action| self.right(kind, *action)).collect(),
            as_of: TABLES.as_of.clone(),
        }
    }

    /// The answer of the most permissive of the token's columns.
    fn right(&self, kind: TokenKind, action: Action) -> Right {
        let row = TABLES.actions.get(&action);
        let cells = self.columns(kind).into_iter().filter_map(|kind| row?.get(&kind));
        let told = cells.map(|cell| self.judge(action, cell));
        // Of equals the one of its own kind, which comes last.
        let (answer, why) = told
            .max_by_key(|(answer, _)| freedom(*answer))
            .unwrap_or_else(|| (Answer::Unknown, "the tables do not tell".into()));
        Right { action, answer, why }
    }

    /// The columns of a token: that of its kind and, as the tables are written for
    /// one permission each, those of what else it was given. A token that bypasses
    /// the second factor manages no organisation.
    fn columns(&self, kind: TokenKind) -> Vec<TokenKind> {
        use TokenKind::{OrgOnly, ReadOnly, ReadWrite, StageOnly};
        let has = |what: &str, right: &str| {
            measured(&self.token.permissions)
                .is_some_and(|all| all.iter().any(|it| it.starts_with(what) && it.ends_with(right)))
        };
        let more = match kind {
            ReadOnly | ReadWrite | StageOnly if has("org", "write") => Some(OrgOnly),
            OrgOnly if has("package", "read") => Some(ReadOnly),
            _ => None,
        };
        more.into_iter().chain([kind]).collect()
    }

    fn judge(&self, action: Action, cell: &Cell) -> (Answer, String) {
        if let Some(why) = cell.bypass.as_deref().filter(|_| self.bypasses()) {
            return (Answer::No, why.to_owned());
        }
        if self.is_over(cell) {
            return (Answer::Unknown, cell.after.clone());
        }
        match (&cell.needs, measured(&self.token.permissions)) {
            (Some(needed), Some(has)) if !has.iter().any(|has| has == needed) => {
                return (Answer::No, format!("the permission {needed} is not among its own"));
            }
            (Some(needed), None) => {
                let why = format!("only with the permission {needed}, of which nothing is known");
                return (Answer::Unknown, why);
            }
            _ => {}
        }
        if cell.answer == Answer::SecondFactor { self.cross(action, cell) } else { told(cell) }
    }

    fn bypasses(&self) -> bool {
        measured(&self.token.bypass) == Some(&true)
    }

    fn is_over(&self, cell: &Cell) -> bool {
        let last = cell.until.as_deref().and_then(|text| text.parse::<Date>().ok());
        last.zip(day(self.today)).is_some_and(|(last, today)| today > last)
    }

    /// What the account's own second factor makes of a cell that asks for it.
    fn cross(&self, action: Action, cell: &Cell) -> (Answer, String) {
        if let Some(mode) = measured(&self.account.second_factor) {
            let row = TABLES.second_factor.get(mode);
            return told(row.and_then(|row| row.get(&action)).unwrap_or(cell));
        }
        let (answer, mut why) = told(cell);
        let differs = TABLES.second_factor.values().filter_map(|row| row.get(&action));
        if differs.into_iter().any(|other| other.answer == Answer::Unknown) {
            why.push_str("; so by default, the account's own setting is not known");
        }
        (answer, why)
    }
}

/// The value, if a server told it.
fn measured<T>(learnt: &Learnt<T>) -> Option<&T> {
    learnt.get().filter(|_| learnt.certainty == Certainty::Measured)
}

/// How much an answer lets happen.
fn freedom(answer: Answer) -> u8 {
    match answer {
        Answer::No => 0,
        Answer::SecondFactor => 1,
        Answer::Unknown => 2,
        Answer::Yes => 3,
    }
}

fn told(cell: &Cell) -> (Answer, String) {
    let mark = match (cell.answer, cell.mark) {
        // What it rests on stands among its bounds.
        (Answer::Unknown, _) | (_, Mark::Documented) => "",
        (_, Mark::Observed) => " (observed, not documented)",
        (_, Mark::Inferred) => " (inferred, not documented)",
    };
    (cell.answer, format!("{}{mark}", cell.why))
}
