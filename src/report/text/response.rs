//! What follows from all findings together: the alarm above everything, and
//! below it what to do.

use std::io::{self, Write};

use super::super::sanitize::is_hidden;
use super::layout::{Cell, WIDTH, table, wrapped};
use super::{Page, ROWS, coverage};
use crate::model::radius::{Lockfile, ProjectUse, Response, Step, SwitchPart};

impl Page<'_> {
    /// Above everything else: something here waits for a token to die.
    pub fn alarm(&self, response: &Response, out: &mut dyn Write) -> io::Result<()> {
        if !response.armed() {
            return Ok(());
        }
        let alarm = self.paint.alarm;
        let rule = "=".repeat(WIDTH);
        let title = "STOP: A DEAD-MAN'S SWITCH IS ARMED ON THIS MACHINE";
        writeln!(out, "{alarm}{rule}{alarm:#}\n{alarm}{title}{alarm:#}")?;
        self.paragraph(
            "",
            "It watches a stolen token, and may delete your files as soon as the token is refused. \
             Do this first, in this order:",
            out,
        )?;
        self.paragraph("1. ", "Do not revoke any token, and do not try any at GitHub.", out)?;
        self.paragraph("2. ", "Take this machine off the network.", out)?;
        self.paragraph("3. ", "Stop these services and processes, then delete their files:", out)?;
        self.parts(response, true, out)?;
        self.paragraph("4. ", "Make sure that none of them runs any more.", out)?;
        self.paragraph("5. ", "Only then revoke, from another machine.", out)?;
        writeln!(out, "{alarm}{rule}{alarm:#}\n")
    }

    fn parts(&self, response: &Response, armed: bool, out: &mut dyn Write) -> io::Result<()> {
        let parts = response.switch.iter().filter(|part| part.armed == armed);
        let row = |part: &SwitchPart| {
            // Places are shown whole: they are to be deleted.
            [
                self.clipped(&part.switch, 24),
                self.masker.told(&part.place),
                self.clipped(&part.words, 60),
            ]
            .map(Cell::from)
            .into()
        };
        let rows: Vec<Vec<Cell>> = parts.map(row).collect();
        table(&rows).iter().try_for_each(|line| writeln!(out, "     {line}"))
    }

    /// Below the findings.
    pub fn response(&self, response: &Response, out: &mut dyn Write) -> io::Result<()> {
        if response.switch.iter().any(|part| !part.armed) {
            self.title("traces of a dead-man's switch", out)?;
            self.parts(response, false, out)?;
            writeln!(out)?;
        }
        self.at_home(response, out)?;
        self.plan(&response.plan, out)
    }

    fn title(&self, words: &str, out: &mut dyn Write) -> io::Result<()> {
        let bold = self.paint.bold;
        writeln!(out, "{bold}{words}{bold:#}")
    }

    /// The user's own projects that install what is in reach.
    fn at_home(&self, response: &Response, out: &mut dyn Write) -> io::Result<()> {
        let Response { lockfiles, projects, lists, .. } = response;
        if lockfiles.is_empty() && projects.is_empty() && lists.is_empty() {
            return Ok(());
        }
        let read = coverage::many(lockfiles.len() as u64, "lockfile", "lockfiles");
        let uses = match projects.len() as u64 {
            0 => "no use".to_owned(),
            n => coverage::many(n, "use", "uses"),
        };
        self.title(&format!("at home: {uses} of packages in reach, in {read}"), out)?;
        let mut worst: Vec<&ProjectUse> = projects.iter().collect();
        worst.sort_by_key(|project| project.known_bad.is_none());
        let shown = self.some(&worst, ROWS);
        let rows: Vec<_> = shown.iter().map(|project| self.project(project)).collect();
        table(&rows).iter().try_for_each(|line| writeln!(out, "  {line}"))?;
        self.and_more((projects.len() - shown.len()) as u64, out)?;
        self.damaged(lockfiles, out)?;
        if !lists.is_empty() {
            self.paragraph("", &format!("compared with {}", self.listed(lists.iter(), 5)), out)?;
        }
        writeln!(out)
    }

    fn project(&self, project: &ProjectUse) -> Vec<Cell> {
        let name = format!(
            "{}@{}",
            self.clipped(&project.package, 40),
            self.clipped(&project.version, 16)
        );
        let through = match project.through.as_slice() {
            [] | [_] => String::new(),
            [first, ..] => format!("through {}", self.clipped(first, 30)),
        };
        let bad = project.known_bad.as_ref();
        let bad = bad.map(|list| format!("KNOWN BAD: {}", self.clipped(list, 40)));
        vec![
            Cell::styled(self.masker.told(&project.lockfile), self.paint.path),
            name.into(),
            Cell::styled(bad.unwrap_or_default(), self.paint.bad),
            Cell::styled(through, self.paint.dim),
        ]
    }

    fn damaged(&self, lockfiles: &[Lockfile], out: &mut dyn Write) -> io::Result<()> {
        let warn = self.paint.warn;
        let damaged: Vec<_> = lockfiles.iter().filter(|one| !one.problem.is_empty()).collect();
        let shown = self.some(&damaged, ROWS);
        for one in shown {
            let (path, why) = (self.masker.told(&one.path), self.clipped(&one.problem, 120));
            writeln!(out, "  {warn}not read whole{warn:#}: {path}: {why}")?;
        }
        self.and_more((damaged.len() - shown.len()) as u64, out)
    }

    fn plan(&self, plan: &[Step], out: &mut dyn Write) -> io::Result<()> {
        if plan.is_empty() {
            return Ok(());
        }
        self.title("what to do, first things first", out)?;
        for (n, step) in plan.iter().enumerate() {
            self.step(n + 1, step, out)?;
        }
        writeln!(out)
    }

    fn step(&self, n: usize, step: &Step, out: &mut dyn Write) -> io::Result<()> {
        let bold = self.paint.bold;
        let title = wrapped(&self.masker.told(&step.title), WIDTH - 5).join("\n     ");
        writeln!(out, "{n:>3}. {bold}{title}{bold:#}")?;
        if !step.why.is_empty() {
            self.paragraph("   ", &self.masker.told(&step.why), out)?;
        }
        // Whole and alone on their lines, to be copied.
        for command in &step.commands {
            writeln!(out, "         {}", self.command(command))?;
        }
        step.notes.iter().try_for_each(|note| {
            self.paragraph("   ", &format!("note: {}", self.masker.told(note)), out)
        })
    }

    /// A command exactly as it is to be pasted. One that would have to be changed
    /// to be shown would be another command: it is left out.
    fn command<'c>(&self, command: &'c str) -> &'c str {
        let told = self.masker.mask_told(command);
        let hidden = command.chars().any(is_hidden);
        if *told != *command.as_bytes() || hidden || !is_quoted_well(command) {
            return "# left out: a name in this command cannot be shown safely";
        }
        command
    }

    fn paragraph(&self, mark: &str, words: &str, out: &mut dyn Write) -> io::Result<()> {
        let indent = 2 + mark.len();
        let lines = wrapped(words, WIDTH - indent).join(&format!("\n{:indent$}", ""));
        writeln!(out, "  {mark}{lines}")
    }
}

/// False if some shell may take a quoted name for more than a name: a backslash
/// ends the quotes in fish, and PowerShell takes four more characters for quotes.
fn is_quoted_well(command: &str) -> bool {
    if command.starts_with("Remove-Item ") {
        return !command.contains(['\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}']);
    }
    !command.contains('\\')
}
