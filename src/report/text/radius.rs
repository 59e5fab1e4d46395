//! How far a secret reaches: whose it is, and what can be done with it.

use std::io::{self, Write};

use super::layout::{Cell, INDENT, LINE, WIDTH, day, filled, learnt, wrapped, yes_no};
use super::{Page, coverage};
use crate::model::radius::{
    Account, Action, Answer, BlastRadius, Learnt, SecondFactor, StagedRelease, TokenFacts,
    TokenKind,
};

/// Columns for a reason in the table of rights; with fewer there is none.
const REASON: usize = 20;
/// Columns before the facts of an account or a token.
const FACTS: usize = 10;

impl Page<'_> {
    /// The block below a finding.
    pub fn radius(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        self.verdict(radius, out)?;
        self.facts_about("account", &self.account(&radius.account), out)?;
        self.facts_about("token", &self.token(&radius.token), out)?;
        let orgs = learnt(&radius.orgs, |orgs| or_none(self.listed(orgs.iter(), 8)));
        self.facts_about("orgs", &[orgs], out)?;
        self.facts_about("packages", &reach(radius), out)?;
        self.facts_about("staged", &self.staged(&radius.staged), out)?;
        self.rights(radius, out)?;
        self.packages(radius, out)?;
        self.window(radius, out)?;
        self.posture(radius, out)?;
        let unchecked = radius.not_checked.iter().map(|one| self.masker.told(one));
        self.items("what was not checked", &unchecked.collect::<Vec<_>>(), out)
    }

    /// Releases that wait for approval; malware may be among them.
    fn staged(&self, staged: &Learnt<Vec<StagedRelease>>) -> Vec<String> {
        let Some(releases) = staged.value.as_ref().filter(|releases| !releases.is_empty()) else {
            return vec![learnt(staged, |_| "nothing waits for approval".to_owned())];
        };
        let release = |one: &StagedRelease| {
            let when = one.time.map(|time| format!(" {}", day(time))).unwrap_or_default();
            let who = one.actor.as_ref().map(|who| format!(" by {}", self.clipped(who, 30)));
            let name = format!("{}@{}", one.package, one.version);
            format!("{}{when}{}", self.clipped(&name, 60), who.unwrap_or_default())
        };
        let mut words: Vec<String> = releases.iter().take(8).map(release).collect();
        words[0].insert_str(0, "wait for approval: ");
        if releases.len() > words.len() {
            words.push(format!("and {} more", releases.len() - words.len()));
        }
        words
    }

    fn verdict(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let word = radius.severity.map_or("unknown", |severity| severity.word());
        let style = match radius.severity {
            Some(severity) => self.paint.severity(severity),
            None => self.paint.warn,
        };
        let words = format!("{word}: {}", self.masker.told(&radius.verdict));
        let lines = wrapped(&words, WIDTH - INDENT).join(LINE);
        let rest = lines.strip_prefix(word).unwrap_or(&lines);
        let dim = self.paint.dim;
        writeln!(out, "\n{dim}{:>8}{dim:#}  {style}{word}{style:#}{rest}", "reach")
    }

    fn facts_about(&self, word: &str, facts: &[String], out: &mut dyn Write) -> io::Result<()> {
        let dim = self.paint.dim;
        let lines = filled(facts.iter().map(String::as_str), " · ", WIDTH - INDENT - FACTS);
        let lines = lines.join(&format!("{LINE}{:FACTS$}", ""));
        writeln!(out, "{:INDENT$}{dim}{word:<FACTS$}{dim:#}{lines}", "")
    }

    fn account(&self, account: &Account) -> Vec<String> {
        let text = |text: &String| self.clipped(text, 60);
        let confirmed = match account.email_verified.get() {
            Some(true) => "confirmed",
            Some(false) => "not confirmed",
            None => "confirmed or not: unknown",
        };
        let email = learnt(&account.email, text);
        let email = match account.email.get() {
            None => format!("e-mail {email}"),
            Some(_) => format!("{email} ({confirmed})"),
        };
        vec![
            learnt(&account.user, text),
            email,
            format!("2FA {}", learnt(&account.second_factor, |it| second_factor(*it).to_owned())),
            format!("since {}", learnt(&account.created, |time| day(*time))),
        ]
    }

    fn token(&self, token: &TokenFacts) -> Vec<String> {
        let some = |list: &Vec<String>| or_none(self.listed(list.iter(), 5));
        let named = |word: &str, value: String| format!("{word} {value}");
        let expires = learnt(&token.expires, |time| time.map_or("never".to_owned(), day));
        let addresses = learnt(&token.cidr, |list| match list.as_slice() {
            [] => "all".to_owned(),
            list => self.listed(list.iter(), 3),
        });
        let mut facts = vec![
            named("kind", learnt(&token.kind, |kind| kind_words(*kind).to_owned())),
            named("named", learnt(&token.name, |name| self.clipped(name, 60))),
            named("may", learnt(&token.permissions, some)),
            named("for", learnt(&token.scopes, some)),
            named("works from addresses:", addresses),
            named("needs no 2FA:", learnt(&token.bypass, yes_no)),
            named("made", learnt(&token.created, |time| day(*time))),
            named("ends", expires),
            named("last used", learnt(&token.used, |time| day(*time))),
            named("other tokens", learnt(&token.siblings, |n| coverage::count(*n))),
        ];
        if token.booby_trap.get() == Some(&true) {
            facts.insert(0, "BOOBY TRAP: a token of the account bears a worm's warning".to_owned());
        }
        facts
    }

    /// What the holder can do, a column for each kind that it may be of.
    fn rights(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let tables = &radius.rights;
        let Some(worst) = tables.first() else { return Ok(()) };
        let many = tables.len() > 1;
        let (as_of, assumption) =
            (self.clipped(&worst.as_of, 20), self.clipped(&worst.assumption, 60));
        let assumption = if many { String::new() } else { format!("{assumption}, ") };
        let words = format!("what its holder can do with nothing else ({assumption}as of {as_of})");
        self.heading(&words, out)?;
        let mut rows = Vec::new();
        for (name, one) in names().zip(tables).filter(|_| many) {
            let assumption = self.clipped(&one.assumption, WIDTH - INDENT - 6);
            writeln!(out, "{:INDENT$}  {name} = {assumption}", "")?;
        }
        if many {
            let names = names().take(tables.len()).map(|name| Cell::from(name.to_string()));
            let why = Cell::styled("why A", self.paint.dim);
            rows.push([Cell::from("")].into_iter().chain(names).chain([why]).collect());
        }
        let used = 20 + tables.len().saturating_mul(14);
        let width = match self.options.verbose {
            true => usize::MAX,
            false => (WIDTH - INDENT - 2).saturating_sub(used),
        };
        for right in &worst.rights {
            let mut row = vec![Cell::from(action(right.action))];
            row.extend(tables.iter().map(|one| {
                let same = one.rights.iter().find(|other| other.action == right.action);
                self.answer(same.map_or(Answer::Unknown, |one| one.answer))
            }));
            if width >= REASON {
                row.push(Cell::styled(self.clipped(&right.why, width), self.paint.dim));
            }
            rows.push(row);
        }
        self.rows(&rows, out)?;
        let cut = worst.rights.iter().any(|right| right.why.chars().count() > width);
        if cut {
            let dim = self.paint.dim;
            writeln!(out, "{:INDENT$}  {dim}-v shows the reasons whole{dim:#}", "")?;
        }
        Ok(())
    }

    fn answer(&self, answer: Answer) -> Cell {
        let (word, style) = match answer {
            Answer::Yes => ("yes", self.paint.bad),
            Answer::SecondFactor => ("2FA stops it", self.paint.warn),
            Answer::No => ("no", self.paint.dim),
            Answer::Unknown => ("unknown", self.paint.warn),
        };
        Cell::styled(word, style)
    }
}

/// `A`, `B`, … for the columns.
fn names() -> impl Iterator<Item = char> {
    ('A'..='Z').cycle()
}

fn reach(radius: &BlastRadius) -> Vec<String> {
    let count = |n: &Learnt<u64>| learnt(n, |n| coverage::count(*n));
    vec![
        format!("{} in reach", count(&radius.package_count)),
        format!("downloads a week: {}", count(&radius.weekly_downloads)),
        format!("dependents: {}", count(&radius.dependents)),
    ]
}

fn or_none(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}

fn second_factor(mode: SecondFactor) -> &'static str {
    match mode {
        SecondFactor::None => "off",
        SecondFactor::Pending => "not finished",
        SecondFactor::AuthOnly => "for login only",
        SecondFactor::AuthAndWrites => "for login and writes",
    }
}

fn kind_words(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::ReadOnly => "read-only",
        TokenKind::ReadWrite => "read-write",
        TokenKind::ReadWriteBypass => "read-write with 2FA bypass",
        TokenKind::StageOnly => "stage-only",
        TokenKind::OrgOnly => "organisations only",
        TokenKind::Session => "session (two hours)",
        TokenKind::Oidc => "CI run (one package, one hour)",
        TokenKind::Classic => "classic (switched off)",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Publish => "publish",
        Action::PublishNew => "publish a new one",
        Action::Stage => "stage",
        Action::Approve => "approve staged",
        Action::Unpublish => "unpublish",
        Action::DistTag => "move dist-tags",
        Action::Deprecate => "deprecate",
        Action::Maintainers => "change maintainers",
        Action::Settings => "change settings",
        Action::Tokens => "manage tokens",
        Action::Members => "manage members",
        Action::Profile => "change the profile",
        Action::ReadPrivate => "read private",
    }
}
