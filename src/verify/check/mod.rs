//! Offline tests of a value: does it hold the checksum or the structure that
//! its issuer builds into it? Pure functions, one file per family.

mod aws;
mod azure;
mod base64;
mod bech32;
mod crc;
mod discord;
mod json;
mod jwt;
mod pem;

use crate::model::Checksum;
use crate::rules::spec::CheckName;

/// What a check learnt from a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Says something only if the value carries a real checksum.
    pub checksum: Checksum,
    /// The value is built as its issuer builds it.
    pub fits: bool,
    /// When the value expires, in Unix seconds.
    pub expires: Option<i64>,
    /// When the value was issued, in Unix seconds.
    pub issued: Option<i64>,
    /// The user name that stands inside the value.
    pub username: Option<String>,
    /// What else the value tells, for people.
    pub note: Option<String>,
}

impl CheckResult {
    /// A structure that fits or does not; no checksum.
    fn structure(fits: bool) -> Self {
        Self {
            checksum: Checksum::None,
            fits,
            expires: None,
            issued: None,
            username: None,
            note: None,
        }
    }

    /// A checksum that is right or wrong.
    fn checksum(right: bool) -> Self {
        let checksum = if right { Checksum::Valid } else { Checksum::Invalid };
        Self { checksum, ..Self::structure(right) }
    }

    fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// Runs one check on a value.
pub fn run(check: CheckName, secret: &[u8]) -> CheckResult {
    match check {
        CheckName::Crc32Base62 => crc::base62(secret),
        CheckName::GrafanaCrc32 => crc::grafana(secret),
        CheckName::GitlabRoutable => crc::gitlab(secret),
        CheckName::Jwt => jwt::any(secret),
        CheckName::KubernetesJwt => jwt::kubernetes(secret),
        CheckName::SupabaseServiceJwt => jwt::supabase_service(secret),
        CheckName::Pem => pem::block(secret),
        CheckName::Bech32 => bech32::key(secret),
        CheckName::AzureDevops => azure::devops(secret),
        CheckName::AwsKeyId => aws::key_id(secret),
        CheckName::DiscordId => discord::bot(secret),
        CheckName::PypiMacaroon => base64::pypi_macaroon(secret),
        CheckName::Base64Bytes64 => base64::bytes64(secret),
        CheckName::BasicAuth => base64::basic_auth(secret),
        CheckName::Base64Text => base64::text(secret),
        CheckName::VerdaccioLegacy => base64::verdaccio(secret),
        CheckName::Base64Json => json::in_base64(secret),
        CheckName::ServiceAccount => json::service_account(secret),
    }
}
