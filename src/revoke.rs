//! Takes one token away: the one whose fingerprint was given, and nothing else.
//!
//! A token is only ever named to the registry by the id under which the
//! registry itself lists it, and only if the list was read to its end and exactly
//! one living row of it begins and ends as the token does. Where the registry does not show its list, or wants a
//! second factor, the way by hand is told instead.

use crate::model::radius::TokenKind;
use crate::model::{Finding, Outcome, Validation, is_npm_registry};
use crate::registry::Ask;
use crate::registry::npm::identity::{self, Bound};
use crate::registry::npm::tokens::{self, Taken};

/// What stands before the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It can be taken away, under this id.
    Yes {
        /// The registry's id of it; no secret.
        key: String,
        /// Name that its owner gave it.
        name: Option<String>,
        /// Whose it is.
        user: Option<String>,
    },
    /// It is dead already.
    Dead(String),
    /// It cannot be done from here.
    No {
        /// Why.
        why: String,
        /// Its kind, if the registry told it.
        kind: Option<TokenKind>,
    },
    /// A token of the account has the name that worms give to one whose death
    /// they watch.
    Trap,
}

/// The token of a finding that a registry could take away.
///
/// # Errors
/// Why it is none.
pub fn bound(finding: &Finding) -> Result<Bound<'_>, String> {
    match (finding.service.as_deref(), finding.host.as_deref()) {
        (Some("npm" | "npm-registry" | "verdaccio" | "nexus"), Some(host)) => {
            Ok(Bound { secret: &finding.secret, host })
        }
        (Some("npm" | "npm-registry" | "verdaccio" | "nexus"), None) => {
            Err("no registry that it is bound to is known".into())
        }
        (service, _) => Err(format!(
            "only tokens of npm registries can be revoked from here; this is one of {}",
            service.unwrap_or("a service that nobody knows")
        )),
    }
}

/// Looks whether a token can be taken away, in the name of `by`: itself, or a
/// session of its owner.
pub fn prepare(door: &dyn Ask, finding: &Finding, token: &Bound<'_>, by: &Bound<'_>) -> Ready {
    let validation = identity::identify(door, token, finding.checksum);
    match validation.outcome {
        Outcome::Dead => return Ready::Dead(validation.words),
        Outcome::Active | Outcome::Restricted => {}
        outcome => {
            if outcome == Outcome::Skipped {
                // A rehearsal tells of the list as well.
                let _ = tokens::facts(door, by);
            }
            let why = format!("whether it is alive is not known: {}", validation.words);
            return Ready::No { why, kind: None };
        }
    }
    let facts = match std::ptr::eq(token.secret, by.secret) {
        true => tokens::facts(door, by),
        false => tokens::facts_of(door, by, token.secret),
    };
    if facts.booby_trap.value == Some(true) {
        return Ready::Trap;
    }
    let user = validation.identity.and_then(|identity| identity.user);
    match facts.key.value {
        // Without an answer to that question nobody knows what the call springs.
        Some(_) if facts.booby_trap.value.is_none() => {
            let why = format!("whether a trap is set is not known: {}", facts.booby_trap.how);
            Ready::No { why, kind: facts.kind.value }
        }
        Some(key) => Ready::Yes { key, name: facts.name.value, user },
        None => Ready::No {
            why: format!("its row in the list of tokens is not known: {}", facts.key.how),
            kind: facts.kind.value,
        },
    }
}

/// Takes it away, and asks again whether it still answers.
pub fn carry_out(
    door: &dyn Ask,
    finding: &Finding,
    token: &Bound<'_>,
    by: &Bound<'_>,
    key: &str,
    code: Option<&str>,
) -> (Taken, Option<Validation>) {
    let taken = tokens::revoke(door, by, token.secret, key, code);
    let after = (taken == Taken::Yes).then(|| identity::identify(door, token, finding.checksum));
    (taken, after)
}

/// The way by hand, in lines to read and commands to copy. A session is in no
/// list, and no command ends it from another machine.
pub fn by_hand(host: &str, key: Option<&str>, kind: Option<TokenKind>) -> Vec<String> {
    if kind == Some(TokenKind::Session) {
        return vec![
            "it is a session: it is in no list, and ends by itself within two hours of its login"
                .to_owned(),
            "npm logout ends it sooner where it is the configured one; on another machine it ends \
             that machine's own"
                .to_owned(),
        ];
    }
    let mut lines = vec![
        "from another machine than the one it was taken from:".to_owned(),
        "  npm login".to_owned(),
        "  npm token list          # the row that begins and ends as it does".to_owned(),
        format!("  npm token revoke {}", key.unwrap_or("ID")),
    ];
    if is_npm_registry(host) {
        lines.push("or in a browser: npm's site, your name, Access Tokens".to_owned());
        if key.is_none() {
            lines.push(
                "no such row: perhaps it is a session, which ends by itself within two hours"
                    .to_owned(),
            );
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NPM_REGISTRY;

    #[test]
    fn a_session_has_no_row_to_revoke() {
        let lines = by_hand(NPM_REGISTRY, None, Some(TokenKind::Session)).join("\n");
        assert!(!lines.contains("npm token") && lines.contains("within two hours"), "{lines}");
        let lines = by_hand(NPM_REGISTRY, Some("f00d"), None).join("\n");
        assert!(lines.contains("npm token revoke f00d") && !lines.contains("session"), "{lines}");
    }
}
