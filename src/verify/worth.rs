//! What a credential is worth today, in words, from its kind, the registry it
//! is bound to and the dates that are known. npm's changelog and documentation
//! of tokens are the sources; each date stands with its reason.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::model::{Checksum, Severity, State, Worth, is_npm_registry};
use crate::rules::spec::Life;

/// All classic tokens (UUIDs, and classic ones of the `npm_` form) were revoked.
const CLASSIC_REVOKED: Date = date(2025, 12, 9);
/// Write tokens that existed on 2025-11-05 were capped to expire by this day.
const OLD_WRITE_TOKENS_END: Date = date(2026, 2, 3);
/// Longest life of a granular token that can write.
const WRITE_TOKEN_DAYS: i32 = 90;
/// Day of the first token of the `npm_` form.
const FORM_BEGINS: Date = date(2021, 9, 23);

/// What the worth of a credential follows from.
pub(super) struct Facts<'f> {
    pub(super) life: Life,
    pub(super) kind: &'f str,
    pub(super) registry: Option<&'f str>,
    pub(super) registry_named: bool,
    pub(super) checksum: Checksum,
    /// Unix seconds, from the credential itself.
    pub(super) expires: Option<i64>,
    /// Unix seconds, from the credential itself.
    pub(super) issued: Option<i64>,
    /// A day on which the credential stood where it was found.
    pub(super) seen: Option<Date>,
    pub(super) today: Date,
}

/// The worth of a credential.
pub(super) fn of(facts: &Facts<'_>) -> Worth {
    if let Some(worth) = by_own_date(facts) {
        return worth;
    }
    match facts.life {
        Life::NpmToken => npm_token(facts),
        Life::NpmLegacy => npm_legacy(facts),
        Life::NpmPassword => npm_password(facts),
        Life::Short => worth(
            State::ShortLived,
            "lives minutes or hours; probably over, unless the text is fresh",
        ),
        Life::Reference => {
            worth(State::Reference, "names a private key file; the key in it is the secret")
        }
        Life::Unknown => unknown(facts),
    }
}

/// A dead credential is not as bad as its kind.
pub(super) fn severity(kind: Severity, state: State) -> Severity {
    match state {
        State::Expired | State::LegacyDead => Severity::Low,
        State::ShortLived | State::WriteExpired | State::Reference => kind.min(Severity::Medium),
        State::Unknown => kind,
    }
}

fn worth(state: State, words: impl Into<String>) -> Worth {
    Worth { state, words: words.into() }
}

fn by_own_date(facts: &Facts<'_>) -> Option<Worth> {
    let day = |seconds: i64| {
        Some(Timestamp::from_second(seconds).ok()?.to_zoned_datetime(TimeZone::UTC).date())
    };
    let end = day(facts.expires?)?;
    Some(if end < facts.today {
        worth(State::Expired, format!("expired on {end} by its own date"))
    } else {
        let from =
            facts.issued.and_then(day).map(|day| format!(", issued {day}")).unwrap_or_default();
        worth(State::Unknown, format!("valid until {end} by its own date{from}, unless revoked"))
    })
}

fn npm_token(facts: &Facts<'_>) -> Worth {
    let doubt = match facts.checksum {
        Checksum::Invalid => {
            "its checksum is wrong: a dummy, a mangled copy or a form not known yet; if real, "
        }
        _ => "",
    };
    if let Some(host) = facts.registry.filter(|host| !is_npm_registry(host)) {
        return worth(
            State::Unknown,
            format!(
                "{doubt}bound to {host}, which sets its own terms: treat it as live there, and at npm's own registry"
            ),
        );
    }
    match facts.seen.filter(|seen| *seen >= FORM_BEGINS) {
        Some(seen) if seen < CLASSIC_REVOKED && facts.today >= OLD_WRITE_TOKENS_END => worth(
            State::WriteExpired,
            format!(
                "{doubt}seen on {seen}: dead if classic (all were revoked on {CLASSIC_REVOKED}), expired if it could write (capped to {OLD_WRITE_TOKENS_END}); a read-only granular token may live on"
            ),
        ),
        Some(seen) if days_between(seen, facts.today) > WRITE_TOKEN_DAYS => worth(
            State::WriteExpired,
            format!(
                "{doubt}seen on {seen}, more than {WRITE_TOKEN_DAYS} days ago: a token that can write has expired since; a read-only one may live on"
            ),
        ),
        _ => worth(
            State::Unknown,
            format!(
                "{doubt}may be a live granular token: one that writes lives at most {WRITE_TOKEN_DAYS} days, a read-only one has no limit; a classic one is dead since {CLASSIC_REVOKED}"
            ),
        ),
    }
}

fn npm_legacy(facts: &Facts<'_>) -> Worth {
    match facts.registry {
        Some(host) if is_npm_registry(host) && facts.registry_named => worth(
            State::LegacyDead,
            format!(
                "a legacy token of npm's own registry: dead since {CLASSIC_REVOKED}, when all classic tokens were revoked"
            ),
        ),
        Some(host) if is_npm_registry(host) => worth(
            State::LegacyDead,
            format!(
                "no other registry is named, so a legacy token of npm's own: dead since {CLASSIC_REVOKED}; if it belongs to another registry it may be live there"
            ),
        ),
        Some(host) => worth(
            State::Unknown,
            format!("bound to {host}, where tokens of this form live on: treat it as live"),
        ),
        None => worth(
            State::Unknown,
            "its registry is not known: dead if it is npm's own, live elsewhere",
        ),
    }
}

fn npm_password(facts: &Facts<'_>) -> Worth {
    match facts.registry {
        Some(host) if is_npm_registry(host) => worth(
            State::Unknown,
            "a login of npm's own registry: it asks for a second factor or an e-mailed code, but the password may open other accounts; change it",
        ),
        Some(host) => worth(State::Unknown, format!("a login of {host}: treat it as live")),
        None => worth(State::Unknown, "a login: treat it as live"),
    }
}

fn unknown(facts: &Facts<'_>) -> Worth {
    match facts.registry {
        Some(host) if is_npm_registry(host) && facts.kind.starts_with("npm") => {
            worth(State::Unknown, "bound to npm's own registry; not of a form that it issues today")
        }
        Some(host) if host.contains(".d.codeartifact.") => worth(
            State::ShortLived,
            format!("bound to {host}, whose tokens live twelve hours at most"),
        ),
        Some(host) => worth(State::Unknown, format!("bound to {host}: treat it as live")),
        None => worth(State::Unknown, "nothing offline says that it is dead: treat it as live"),
    }
}

fn days_between(earlier: Date, later: Date) -> i32 {
    earlier.until(later).map_or(0, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NPM_REGISTRY;

    fn facts<'f>(life: Life, registry: Option<&'f str>) -> Facts<'f> {
        Facts {
            life,
            kind: "npm-token",
            registry,
            registry_named: true,
            checksum: Checksum::Valid,
            expires: None,
            issued: None,
            seen: None,
            today: date(2026, 11, 23),
        }
    }

    #[test]
    fn dates_and_hosts_decide() {
        let npm = Some(NPM_REGISTRY);
        let state = |facts: Facts<'_>| of(&facts).state;
        assert_eq!(state(facts(Life::NpmLegacy, npm)), State::LegacyDead);
        assert_eq!(state(facts(Life::NpmLegacy, Some("h.example"))), State::Unknown);
        assert_eq!(state(facts(Life::NpmToken, npm)), State::Unknown);
        let seen = |day| Facts { seen: Some(day), ..facts(Life::NpmToken, npm) };
        assert_eq!(state(seen(date(2026, 11, 1))), State::Unknown);
        assert_eq!(state(seen(date(2026, 7, 1))), State::WriteExpired);
        assert_eq!(state(seen(date(2024, 7, 1))), State::WriteExpired);
        let own = |expires| Facts { expires: Some(expires), ..facts(Life::Unknown, None) };
        assert_eq!(state(own(1_000_000_000)), State::Expired);
        assert_eq!(state(own(4_000_000_000)), State::Unknown);
        assert_eq!(severity(Severity::Critical, State::LegacyDead), Severity::Low);
    }
}
