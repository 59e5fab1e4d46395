//! How far a secret reaches: whose it is, what can be done with it, to which
//! packages, and whether it was.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::layout::{Cell, INDENT, LINE, WIDTH, clipped, day, learnt, table, wrapped};
use super::{Page, coverage};
use crate::model::radius::{
    Account, Action, Answer, BlastRadius, Learnt, Package, PackageRight, PublishedBy, Release,
    SecondFactor, TokenFacts, TokenKind,
};

/// Packages that are shown unless all are asked for.
const PACKAGES: usize = 15;
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
        self.rights(radius, out)?;
        self.packages(radius, out)?;
        self.window(radius, out)?;
        self.posture(radius, out)?;
        self.not_checked(radius, out)
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
        let lines = wrapped(&facts.join(" · "), WIDTH - INDENT - FACTS);
        let lines = lines.join(&format!("{LINE}{:FACTS$}", ""));
        writeln!(out, "{:INDENT$}{dim}{word:<FACTS$}{dim:#}{lines}", "")
    }

    fn account(&self, account: &Account) -> Vec<String> {
        let text = |text: &String| self.clipped(text, 60);
        let confirmed = learnt(&account.email_verified, |yes| {
            if *yes { "confirmed" } else { "not confirmed" }.to_owned()
        });
        let email = match account.email.get() {
            None => format!("e-mail {}", learnt(&account.email, text)),
            Some(_) => format!("{} (confirmed: {confirmed})", learnt(&account.email, text))
                .replace("(confirmed: confirmed)", "(confirmed)")
                .replace("(confirmed: not confirmed)", "(not confirmed)"),
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
            [] => "any address".to_owned(),
            list => format!("only from {}", self.listed(list.iter(), 3)),
        });
        let mut facts = vec![
            named("kind", learnt(&token.kind, |kind| kind_words(*kind).to_owned())),
            named("named", learnt(&token.name, |name| self.clipped(name, 60))),
            named("may", learnt(&token.permissions, some)),
            named("for", learnt(&token.scopes, some)),
            named("bound to", addresses).replace("bound to any", "from any"),
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
        let as_of = self.clipped(&worst.as_of, 20);
        self.heading(&format!("what its holder can do with nothing else (as of {as_of})"), out)?;
        let many = tables.len() > 1;
        let mut rows = Vec::new();
        for (name, one) in names().zip(tables).filter(|_| many) {
            let assumption = self.clipped(&one.assumption, WIDTH - INDENT - 6);
            writeln!(out, "{:INDENT$}  {name} = {assumption}", "")?;
        }
        if many {
            let names = names().take(tables.len()).map(|name| Cell::from(name.to_string()));
            rows.push([Cell::from("")].into_iter().chain(names).collect());
        }
        let used = 20 + tables.len().saturating_mul(14);
        let width = (WIDTH - INDENT - 2).saturating_sub(used);
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
        self.rows(&rows, out)
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

    fn packages(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        if radius.packages.is_empty() {
            return Ok(());
        }
        self.heading("packages in reach, most dangerous first", out)?;
        let head = ["name", "right", "weekly", "dependents", "people", "latest", "marks"];
        let mut rows = vec![self.head(&head)];
        rows.extend(self.some(&radius.packages, PACKAGES).iter().map(|one| self.package(one)));
        self.rows(&rows, out)?;
        let shown = rows.len() - 1;
        let all = radius.package_count.get().copied().unwrap_or(0);
        let more = all.max(radius.packages.len() as u64).saturating_sub(shown as u64);
        self.and_more(more, out)
    }

    fn package(&self, package: &Package) -> Vec<Cell> {
        let number = |n: &Learnt<u64>| learnt(n, |n| coverage::count(*n)).replace("at most", "≤");
        let right = learnt(&package.right, |right| right_words(*right).to_owned());
        let latest = learnt(&package.latest, |release| self.release(release));
        vec![
            Cell::styled(self.clipped(&package.name, 30), self.paint.bold),
            right.replace("at most", "≤").into(),
            number(&package.weekly_downloads).into(),
            number(&package.dependents).into(),
            learnt(&package.maintainers, |who| coverage::count(who.len() as u64)).into(),
            latest.into(),
            marks(package).into(),
        ]
    }

    fn release(&self, release: &Release) -> String {
        let version = self.clipped(&release.version, 16);
        match release.time {
            Some(time) => format!("{version} {}", day(time)),
            None => version,
        }
    }

    fn heading(&self, words: &str, out: &mut dyn Write) -> io::Result<()> {
        let bold = self.paint.bold;
        writeln!(out, "\n{:INDENT$}{bold}{words}{bold:#}", "")
    }

    /// The head of a table.
    pub fn head(&self, words: &[&str]) -> Vec<Cell> {
        words.iter().map(|word| Cell::styled(*word, self.paint.dim)).collect()
    }

    fn rows(&self, rows: &[Vec<Cell>], out: &mut dyn Write) -> io::Result<()> {
        table(rows).iter().try_for_each(|line| writeln!(out, "{:INDENT$}  {line}", ""))
    }

    /// The first of them, or with `-v` all.
    pub fn some<'t, T>(&self, all: &'t [T], some: usize) -> &'t [T] {
        &all[..if self.options.verbose { all.len() } else { all.len().min(some) }]
    }

    pub(super) fn and_more(&self, more: u64, out: &mut dyn Write) -> io::Result<()> {
        let dim = self.paint.dim;
        match more {
            0 => Ok(()),
            _ if self.options.verbose => {
                writeln!(out, "{:INDENT$}  {dim}… and {} more{dim:#}", "", coverage::count(more))
            }
            _ => writeln!(
                out,
                "{:INDENT$}  {dim}… and {} more (-v lists what is known){dim:#}",
                "",
                coverage::count(more)
            ),
        }
    }

    /// When others could have used it, and what was published then.
    fn window(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let [from, until] = [&radius.window.from, &radius.window.until];
        let how = |it: &Learnt<i64>| match it.how.is_empty() {
            true => String::new(),
            false => format!(" ({})", self.clipped(&it.how, 60)),
        };
        let time = |it: &Learnt<i64>| learnt(it, |time| day(*time)) + &how(it);
        self.heading("was it used?", out)?;
        let words = format!("open from {} until {}", time(from), time(until));
        for line in wrapped(&words, WIDTH - INDENT - 2) {
            writeln!(out, "{:INDENT$}  {line}", "")?;
        }
        self.releases(radius, out)
    }

    fn releases(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let releases = radius.packages.iter();
        let releases =
            releases.flat_map(|package| package.releases.iter().map(move |r| (package, r)));
        let (mut odd, plain): (Vec<_>, Vec<_>) =
            releases.partition(|(_, release)| !release.marks.is_empty() || release.ghost);
        let weight = |marks: &[crate::model::radius::Mark]| marks.iter().map(|m| m.weight).max();
        odd.sort_by_key(|(_, release)| std::cmp::Reverse(weight(&release.marks)));
        let mut rows = Vec::new();
        for (package, release) in self.some(&odd, PACKAGES) {
            let ghost = if release.ghost { " (gone)" } else { "" };
            let name = format!(
                "{}@{}",
                self.clipped(&package.name, 30),
                self.clipped(&release.version, 16)
            );
            let mut first = Some((name, format!("{}{ghost}", day(release.time))));
            for mark in &release.marks {
                let (name, time) = first.take().unwrap_or_default();
                let style = self.paint.severity(mark.weight);
                let words = self.clipped(&mark.words, if self.options.verbose { 300 } else { 60 });
                rows.push(vec![
                    name.into(),
                    time.into(),
                    Cell::styled(mark.weight.word(), style),
                    words.into(),
                ]);
            }
            rows.extend(first.map(|(name, time)| vec![name.into(), time.into()]));
        }
        let bad = self.paint.bad;
        if odd.is_empty() && plain.is_empty() {
            return writeln!(
                out,
                "{:INDENT$}  no version is known to be published in that time",
                ""
            );
        }
        if !odd.is_empty() {
            let n = coverage::many(odd.len() as u64, "suspicious version", "suspicious versions");
            writeln!(out, "{:INDENT$}  {bad}{n}{bad:#}", "")?;
        }
        self.rows(&rows, out)?;
        self.and_more((odd.len() - self.some(&odd, PACKAGES).len()) as u64, out)?;
        if plain.is_empty() {
            return Ok(());
        }
        let n = coverage::many(plain.len() as u64, "version", "versions");
        writeln!(
            out,
            "{:INDENT$}  {n} without a mark, which proves nothing: compare with your own releases",
            ""
        )?;
        let rows: Vec<Vec<Cell>> = plain
            .iter()
            .filter(|_| self.options.verbose)
            .map(|(package, release)| {
                let name = format!(
                    "{}@{}",
                    self.clipped(&package.name, 30),
                    self.clipped(&release.version, 16)
                );
                vec![name.into(), day(release.time).into()]
            })
            .collect();
        self.rows(&rows, out)
    }

    /// How the packages are published, and what to change.
    fn posture(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        if radius.packages.is_empty() {
            return Ok(());
        }
        self.heading("how they are published", out)?;
        let head = ["name", "latest by", "provenance", "install scripts", "last by token"];
        let mut rows = vec![self.head(&head)];
        rows.extend(self.some(&radius.packages, PACKAGES).iter().map(|one| self.published(one)));
        self.rows(&rows, out)?;
        let mut advice: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for package in &radius.packages {
            for words in &package.advice {
                advice.entry(words).or_default().push(&package.name);
            }
        }
        if advice.is_empty() {
            return Ok(());
        }
        self.heading("what to change", out)?;
        for (words, packages) in advice {
            let names = self.listed(packages.into_iter(), 5);
            let line = format!("{}: {names}", self.clipped(words, 300));
            let lines = wrapped(&line, WIDTH - INDENT - 4).join(&format!("{LINE}    "));
            writeln!(out, "{:INDENT$}  - {lines}", "")?;
        }
        Ok(())
    }

    fn published(&self, package: &Package) -> Vec<Cell> {
        let by = learnt(&package.published_by, |by| match by {
            PublishedBy::Token => "token or person".to_owned(),
            PublishedBy::TrustedPublisher { provider } => {
                format!("trusted publisher {}", self.clipped(provider, 16))
            }
            PublishedBy::Staged { approver: None } => "staging".to_owned(),
            PublishedBy::Staged { approver: Some(who) } => {
                format!("staging, approved by {}", self.clipped(who, 16))
            }
        });
        let last = learnt(&package.last_token_publish, |release| {
            release.as_ref().map_or("none".to_owned(), |release| self.release(release))
        });
        vec![
            self.clipped(&package.name, 30).into(),
            by.into(),
            learnt(&package.provenance, yes_no).into(),
            learnt(&package.install_scripts, yes_no).into(),
            last.into(),
        ]
    }

    fn not_checked(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        if radius.not_checked.is_empty() {
            return Ok(());
        }
        self.heading("what was not checked", out)?;
        for one in self.some(&radius.not_checked, PACKAGES) {
            let lines =
                wrapped(&self.masker.told(one), WIDTH - INDENT - 4).join(&format!("{LINE}    "));
            writeln!(out, "{:INDENT$}  - {lines}", "")?;
        }
        let shown = self.some(&radius.not_checked, PACKAGES).len();
        self.and_more((radius.not_checked.len() - shown) as u64, out)
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

/// What stands out about a package.
fn marks(package: &Package) -> String {
    let mut marks = Vec::new();
    if package.private.get() == Some(&true) {
        marks.push("private");
    }
    if package.install_scripts.get() == Some(&true) {
        marks.push("scripts");
    }
    if package.releases.iter().any(|release| !release.marks.is_empty()) {
        marks.push("SUSPICIOUS");
    }
    clipped(&marks.join(" "), 40)
}

fn or_none(list: String) -> String {
    if list.is_empty() { "none".to_owned() } else { list }
}

fn yes_no(yes: &bool) -> String {
    if *yes { "yes" } else { "no" }.to_owned()
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

fn right_words(right: PackageRight) -> &'static str {
    match right {
        PackageRight::Public => "none",
        PackageRight::Read => "read",
        PackageRight::Stage => "stage",
        PackageRight::Publish => "publish",
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
