//! `tokensweep revoke`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use super::args::RevokeArgs;
use super::{ARMED, CLEAN, FOUND, INCOMPLETE, asking, known};
use crate::error::{Error, Result};
use crate::git::History;
use crate::hostage;
use crate::model::radius::TokenKind;
use crate::model::{Finding, Fingerprint, Outcome};
use crate::registry::npm::identity::Bound;
use crate::registry::npm::tokens::Taken;
use crate::report::sanitize::visible;
use crate::revoke::{self, Ready};

pub(super) fn run(args: &RevokeArgs) -> Result<u8> {
    let switch = asking::switch();
    if switch.iter().any(|part| part.armed) {
        asking::warn_of(&switch, &mut io::stdout());
        say("nothing was revoked: take the switch out first, then run this again");
        return Ok(ARMED);
    }
    let report = known::gather(&args.inputs, History::None, true)?;
    let finding = chosen(&report.findings, &args.fingerprint)?;
    let token = revoke::bound(finding).map_err(Error::new)?;
    let owner = args.owner.as_deref().map(session).transpose()?;
    let by = match &owner {
        Some(owner) => owned(owner, &token)?,
        None => token,
    };
    let secrets: Vec<Finding> = report.findings.iter().chain(owner.as_ref()).cloned().collect();
    let door = args.network.door(hostage::may_watch(&switch), &secrets)?;
    let ready = revoke::prepare(door.ask(), finding, &token, &by);
    if args.network.dry_run {
        for line in door.rehearsed().iter().flatten().flat_map(|request| request.lines()) {
            say(line);
        }
        say("then DELETE /-/npm/v1/tokens/token/ID, with the id that the list shows");
        return Ok(CLEAN);
    }
    match ready {
        Ready::Dead(words) => {
            say(&format!("{}: {words}; nothing to revoke", finding.secret.masked()));
            Ok(CLEAN)
        }
        Ready::Trap => {
            say("a token of this account is named as worms name one whose death they watch");
            say("nothing was revoked: find the machine that watches it first");
            Ok(ARMED)
        }
        Ready::No { why, kind } => {
            say(&format!("{}: {why}", finding.secret.masked()));
            by_hand(token.host, None, kind);
            Ok(INCOMPLETE)
        }
        Ready::Yes { key, name, user } => {
            confirm(args, finding, name.as_deref(), user.as_deref())?;
            let code = args.otp.as_deref();
            let (taken, after) = revoke::carry_out(door.ask(), finding, &token, &by, &key, code);
            Ok(tell(&taken, after.map(|after| after.outcome), token.host, &key))
        }
    }
}

/// The one finding of that fingerprint.
fn chosen<'f>(findings: &'f [Finding], wanted: &str) -> Result<&'f Finding> {
    let wanted: Fingerprint = wanted.parse().map_err(|why| {
        Error::new(format!("no fingerprint: {why}"))
            .hint("the reports of `tokensweep validate` and `tokensweep scan` show it")
    })?;
    findings.iter().find(|finding| finding.fingerprint == wanted).ok_or_else(|| {
        Error::new(format!("none of the {} credentials read has that fingerprint", findings.len()))
            .hint("name the file that holds it, or give it on standard input")
    })
}

/// The session of the owner, from a file that holds one.
fn session(path: &Path) -> Result<Finding> {
    let report = known::gather(&[path.to_owned()], History::None, true)?;
    let mut tokens: Vec<Finding> =
        report.findings.into_iter().filter(|finding| revoke::bound(finding).is_ok()).collect();
    match (tokens.pop(), tokens.is_empty()) {
        (Some(token), true) => Ok(token),
        (None, _) => Err(Error::new("--as names a file without a registry's token")),
        (Some(_), false) => Err(Error::new("--as names a file with several registry tokens")
            .hint("leave the one of your session in it")),
    }
}

fn owned<'f>(owner: &'f Finding, token: &Bound<'_>) -> Result<Bound<'f>> {
    let by = revoke::bound(owner).map_err(Error::new)?;
    if !by.host.eq_ignore_ascii_case(token.host) {
        return Err(Error::new("the token of --as is bound to another registry"));
    }
    Ok(by)
}

fn confirm(
    args: &RevokeArgs,
    finding: &Finding,
    name: Option<&str>,
    user: Option<&str>,
) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    let what = format!(
        "{} of {}{}",
        finding.secret.masked(),
        user.unwrap_or("a user that the registry does not name"),
        name.map(|name| format!(", called {name:?}")).unwrap_or_default()
    );
    let from_stdin = args.inputs.is_empty() || args.inputs.iter().any(|it| it == Path::new("-"));
    if from_stdin || !io::stdin().is_terminal() {
        return Err(Error::new(format!("not confirmed: {}", visible(what.as_bytes())))
            .hint("--yes confirms in scripts"));
    }
    let short = &args.fingerprint[..8.min(args.fingerprint.len())];
    say(&format!("about to revoke {what}, for good. Type {short} to go on:"));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if read.is_err() || line.trim() != short {
        return Err(Error::new("not confirmed: nothing was revoked"));
    }
    Ok(())
}

fn tell(taken: &Taken, after: Option<Outcome>, host: &str, key: &str) -> u8 {
    match (taken, after) {
        (Taken::Yes, Some(Outcome::Dead)) => {
            say("revoked, and it does not answer any more");
            say("other caches of the registry can take up to an hour: ask again then");
            CLEAN
        }
        (Taken::Yes, after) => {
            let still = match after {
                Some(Outcome::Active | Outcome::Restricted) => "it still answers",
                _ => "whether it still answers is not known",
            };
            say(&format!("the registry took it away; {still}"));
            say("caches can take up to an hour: ask again with `tokensweep validate`");
            FOUND
        }
        (Taken::SecondFactor, _) => {
            say("the registry wants the second factor of the account: not revoked");
            say("give --otp CODE together with --as FILE, a file with a session of its owner, or");
            by_hand(host, Some(key), None);
            INCOMPLETE
        }
        (Taken::No(why), _) => {
            say(&format!("not revoked: {why}"));
            by_hand(host, Some(key), None);
            INCOMPLETE
        }
    }
}

fn by_hand(host: &str, key: Option<&str>, kind: Option<TokenKind>) {
    // The id is a server's word, and goes into a command that people paste.
    let plain = |key: &&str| {
        key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !key.starts_with('-')
    };
    let key = key.filter(plain);
    for line in revoke::by_hand(host, key, kind) {
        say(&line);
    }
}

fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{}", visible(line.as_bytes()));
}
