//! The packages that a secret reaches: what they are, whether the secret was
//! used on them, and how they are published.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};

use super::layout::{Cell, INDENT, WIDTH, bounded, day, learnt, wrapped, yes_no};
use super::{Page, ROWS, coverage};
use crate::model::Severity;
use crate::model::radius::{
    BlastRadius, Certainty, Learnt, Package, PackageRight, PublishedBy, Release, WindowRelease,
};

impl Page<'_> {
    pub fn packages(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        if radius.packages.is_empty() {
            return Ok(());
        }
        self.heading("packages in reach, most dangerous first", out)?;
        let head = ["name", "right", "weekly", "used by", "people", "latest", "marks"];
        let mut rows = vec![self.head(&head)];
        rows.extend(self.some(&radius.packages, ROWS).iter().map(|one| self.package(one)));
        self.rows(&rows, out)?;
        let shown = rows.len() - 1;
        let all = radius.package_count.get().copied().unwrap_or(0);
        let more = all.max(radius.packages.len() as u64).saturating_sub(shown as u64);
        self.and_more(more, out)
    }

    fn package(&self, package: &Package) -> Vec<Cell> {
        let number = |n: &Learnt<u64>| bounded("≤ ", n, |n| rounded(*n));
        let right = bounded("≤ ", &package.right, |right| right_words(*right).to_owned());
        let latest = learnt(&package.latest, |release| self.release(release));
        vec![
            Cell::styled(self.clipped(&package.name, 30), self.paint.bold),
            right.into(),
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

    /// When others could have used it, and what was published then.
    pub fn window(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
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
        let releases = radius.packages.iter().flat_map(|package| {
            package.releases.iter().map(move |release| Published { package, release })
        });
        let (mut odd, rest): (Vec<_>, Vec<_>) = releases.partition(Published::is_suspicious);
        let (mut weak, plain): (Vec<_>, Vec<_>) = rest.into_iter().partition(Published::is_odd);
        if odd.is_empty() && weak.is_empty() && plain.is_empty() {
            let looked = radius.packages.iter().any(|package| package.latest.value.is_some());
            let words = match (radius.window.from.value, looked) {
                (None, _) => "not judged: without a begin no version can be placed",
                _ if radius.window.is_empty() => "not judged: it ends before it begins",
                (_, false) => "not judged: no package's versions could be read",
                (_, true) => "nothing was published in that time by the packages that were read",
            };
            return writeln!(out, "{:INDENT$}  {words}", "");
        }
        // Stable: the most dangerous package stays first among equals.
        odd.sort_by_key(|one| Reverse(one.weight()));
        weak.sort_by_key(|one| Reverse(one.weight()));
        self.odd(&odd, out)?;
        self.weak(&weak, out)?;
        self.plain(&plain, out)
    }

    /// Versions with signs of another hand, each sign on its line.
    fn odd(&self, odd: &[Published<'_>], out: &mut dyn Write) -> io::Result<()> {
        if odd.is_empty() {
            return Ok(());
        }
        let bad = self.paint.bad;
        let n = coverage::many(odd.len() as u64, "suspicious version", "suspicious versions");
        writeln!(out, "{:INDENT$}  {bad}{n}{bad:#}", "")?;
        self.with_signs(odd, odd.len(), out)
    }

    /// Versions with signs that honest ones have as well: those of weight low
    /// are only counted, and listed with `-v`.
    fn weak(&self, weak: &[Published<'_>], out: &mut dyn Write) -> io::Result<()> {
        if weak.is_empty() {
            return Ok(());
        }
        let telling =
            |one: &&Published<'_>| self.options.verbose || one.weight() >= Some(Severity::Medium);
        let listed = weak.iter().take_while(telling).count();
        let n = coverage::many(weak.len() as u64, "version", "versions");
        let hint = if listed == 0 { " (-v lists them)" } else { "" };
        writeln!(out, "{:INDENT$}  {n} with weaker signs, as honest ones have too{hint}", "")?;
        match listed {
            0 => Ok(()),
            _ => self.with_signs(&weak[..listed], weak.len(), out),
        }
    }

    /// Some versions with their signs, and how many of `all` are left out.
    fn with_signs(
        &self,
        listed: &[Published<'_>],
        all: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let shown = self.some(listed, ROWS);
        let rows: Vec<_> = shown.iter().flat_map(|one| self.signs(one)).collect();
        self.rows(&rows, out)?;
        self.and_more(all.saturating_sub(shown.len()) as u64, out)
    }

    fn signs(&self, one: &Published<'_>) -> Vec<Vec<Cell>> {
        let Published { release, .. } = one;
        let width = if self.options.verbose { 300 } else { 60 };
        let signs = release.marks.iter().map(|mark| {
            let weight = Cell::styled(mark.weight.word(), self.paint.severity(mark.weight));
            vec![weight, self.clipped(&mark.words, width).into()]
        });
        let gone = release.ghost.then(|| vec!["gone".into(), "was taken away again".into()]);
        let mut names = vec![self.versioned(one), day(release.time)];
        let rows = signs.chain(gone).map(|sign| {
            let names = std::mem::replace(&mut names, vec![String::new(); 2]);
            names.into_iter().map(Cell::from).chain(sign).collect()
        });
        rows.collect()
    }

    /// Versions without a sign: how many, and with `-v` which.
    fn plain(&self, plain: &[Published<'_>], out: &mut dyn Write) -> io::Result<()> {
        if plain.is_empty() {
            return Ok(());
        }
        let n = coverage::many(plain.len() as u64, "version", "versions");
        let advice = "which proves nothing: compare with your own releases";
        writeln!(out, "{:INDENT$}  {n} without such signs, {advice}", "")?;
        let shown = plain.iter().filter(|_| self.options.verbose);
        let rows = shown.map(|one| vec![self.versioned(one).into(), day(one.release.time).into()]);
        self.rows(&rows.collect::<Vec<_>>(), out)
    }

    fn versioned(&self, one: &Published<'_>) -> String {
        let name = self.clipped(&one.package.name, 30);
        format!("{name}@{}", self.clipped(&one.release.version, 16))
    }

    /// How the packages are published, as far as that was looked at.
    pub fn posture(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let looked: Vec<_> = radius.packages.iter().filter(|one| is_looked_at(one)).collect();
        if looked.is_empty() {
            return self.advice(radius, out);
        }
        self.heading("how they are published", out)?;
        let head = ["name", "latest by", "provenance", "install scripts", "last by token"];
        let mut rows = vec![self.head(&head)];
        rows.extend(self.some(&looked, ROWS).iter().map(|one| self.published(one)));
        self.rows(&rows, out)?;
        self.and_more((looked.len() + 1 - rows.len()) as u64, out)?;
        if looked.len() < radius.packages.len() {
            let rest = (radius.packages.len() - looked.len()) as u64;
            let words = coverage::many(rest, "package was", "packages were");
            writeln!(out, "{:INDENT$}  {words} not looked at", "")?;
        }
        self.advice(radius, out)
    }

    /// Each change once, with the packages that it is for.
    fn advice(&self, radius: &BlastRadius, out: &mut dyn Write) -> io::Result<()> {
        let mut advice: Vec<(&str, Vec<&String>)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (package, words) in
            radius.packages.iter().flat_map(|one| one.advice.iter().map(move |words| (one, words)))
        {
            let at = *known.entry(words).or_insert(advice.len());
            match advice.get_mut(at) {
                Some((_, packages)) => packages.push(&package.name),
                None => advice.push((words, vec![&package.name])),
            }
        }
        let advice = advice.into_iter().map(|(words, packages)| {
            format!("{}: {}", self.clipped(words, 300), self.listed(packages.into_iter(), 5))
        });
        self.items("what to change", &advice.collect::<Vec<_>>(), out)
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
}

/// A version, and of what.
struct Published<'a> {
    package: &'a Package,
    release: &'a WindowRelease,
}

impl Published<'_> {
    fn is_suspicious(&self) -> bool {
        self.release.is_suspicious()
    }

    fn is_odd(&self) -> bool {
        !self.release.marks.is_empty()
    }

    fn weight(&self) -> Option<Severity> {
        self.release.marks.iter().map(|mark| mark.weight).max()
    }
}

/// True if anything is known of how it is published.
fn is_looked_at(package: &Package) -> bool {
    let certainty = [
        package.published_by.certainty,
        package.provenance.certainty,
        package.install_scripts.certainty,
        package.last_token_publish.certainty,
    ];
    certainty.iter().any(|certainty| *certainty != Certainty::Unknown)
}

/// `987`, `12 k`, `1.2 M`: enough to see what is large.
fn rounded(n: u64) -> String {
    let (mut size, mut unit) = (n as f64, "");
    for larger in [" k", " M", " G"] {
        if size < 999.5 {
            break;
        }
        (size, unit) = (size / 1000.0, larger);
    }
    let decimals = usize::from(!unit.is_empty() && size < 9.95);
    format!("{size:.decimals$}{unit}")
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
    if package.releases.iter().any(WindowRelease::is_suspicious) {
        marks.push("SUSPICIOUS");
    }
    marks.join(" ")
}

fn right_words(right: PackageRight) -> &'static str {
    match right {
        PackageRight::Public => "none",
        PackageRight::Read => "read",
        PackageRight::Stage => "stage",
        PackageRight::Publish => "publish",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_short() {
        let shown = [0, 999, 1_234, 99_950, 999_600, 1_234_567, 45_000_000_000].map(rounded);
        assert_eq!(shown, ["0", "999", "1.2 k", "100 k", "1.0 M", "1.2 M", "45 G"]);
    }
}
