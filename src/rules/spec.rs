//! The shape of a rule file, as written. The build script reads this file too.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::check::Check;
use crate::model::{Confidence, Mask, Severity};

/// A file under `patterns/`, or one given with `--rules`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Who issues the credentials of this file.
    pub issuer: String,
    /// The rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<RuleSpec>,
    /// How to ask whether what they find is alive; in shipped files alone, since
    /// such a table sends secrets where it likes.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
}

impl FileSpec {
    /// The kinds that the rules of this file find.
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|rule| rule.kind.as_deref().unwrap_or(&rule.id)).collect()
    }
}

/// One rule, as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Unique; lower case, digits and dashes.
    pub id: String,
    /// For people: what a match is.
    pub name: String,
    /// The kind of credential; rules that find the same kind in different
    /// places share it. The id if absent.
    pub kind: Option<String>,
    /// Literals for the prefilter. Derived from the pattern if absent; if
    /// present, checked against it. ASCII case does not matter here, the
    /// pattern decides.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// A regular expression over bytes (no look-around) of bounded length,
    /// with one group named `secret`, and one named `user` if a user name stands
    /// beside it. `${glue}` and the other fragments of
    /// [`super::fragments`] may stand in it.
    pub pattern: String,
    /// What may stand before the match.
    #[serde(default)]
    pub before: Neighbour,
    /// What may stand after the secret.
    #[serde(default)]
    pub after: Neighbour,
    /// Offline tests of the value.
    #[serde(default)]
    pub verify: VerifySpec,
    /// Tests of the surroundings.
    #[serde(default)]
    pub context: ContextSpec,
    /// How sure a match is by itself.
    pub confidence: Confidence,
    /// How bad a live one is.
    pub severity: Severity,
    /// Which of two rules that claim the same bytes wins: the higher. 50 by
    /// default; slots that take any value are lower.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// How much of the value may be shown.
    #[serde(default)]
    pub mask: Mask,
    /// The service that could be asked about it.
    pub service: Option<String>,
    /// What the credential is worth by its kind alone.
    #[serde(default)]
    pub life: Life,
    /// Name of the set that a rule belongs to if it is not in the default
    /// one: `--rule SET` switches it on.
    pub set: Option<String>,
    /// Where the format is documented.
    #[serde(default)]
    pub references: Vec<String>,
    /// Texts in which the rule must find its secret; see [`super::example`].
    pub examples: Vec<String>,
    /// Texts in which it must find nothing.
    pub counter_examples: Vec<String>,
}

fn default_priority() -> u8 {
    50
}

/// A class of bytes that must not stand beside a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Neighbour {
    /// Anything may stand there.
    Any,
    /// No letter or digit.
    #[default]
    Alnum,
    /// No letter, digit or `_`.
    Word,
    /// No letter, digit, `_` or `-`.
    Slug,
    /// No character of base64 or base64url, `=` and `.` among them.
    Base64,
    /// No hex digit.
    Hex,
}

/// Offline tests of the value.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VerifySpec {
    /// A checksum or structure inside the value.
    pub check: Option<CheckName>,
    /// Drop the candidate, rather than lower its confidence, if `check` fails.
    #[serde(default)]
    pub required: bool,
    /// Least Shannon entropy in bits per byte.
    pub entropy: Option<f32>,
    /// Least number of digits.
    pub digits: Option<usize>,
    /// Least number of different bytes.
    pub distinct: Option<usize>,
    /// Both cases, or a letter and a digit, must occur: turns away words.
    #[serde(default)]
    pub mixed: bool,
    /// The value is one that a person chose (a password): the tests for
    /// placeholders apply, those for randomness do not.
    #[serde(default)]
    pub human: bool,
}

/// The checks that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckName {
    /// Last six characters are the CRC-32 of those between the last `_`
    /// before them and themselves, in base 62 (npm, GitHub).
    Crc32Base62,
    /// Three base64url parts; header and claims are JSON objects. Reads `exp`.
    Jwt,
    /// A JWT of a Kubernetes service account.
    KubernetesJwt,
    /// A JWT of Supabase whose role is `service_role`.
    SupabaseServiceJwt,
    /// A PEM block whose body is base64 of what its label says.
    Pem,
    /// Bech32 checksum (age).
    Bech32,
    /// Hex CRC-32, lowest byte first, after the last `_` (Grafana service
    /// accounts).
    GrafanaCrc32,
    /// Routable GitLab token: version, length and base-36 CRC-32.
    GitlabRoutable,
    /// A macaroon that begins as PyPI's do.
    PypiMacaroon,
    /// Base64 of a JSON object, after the prefix.
    Base64Json,
    /// Base64 of exactly 64 bytes (Azure storage keys).
    Base64Bytes64,
    /// Azure DevOps signature `AZDO` at its place.
    AzureDevops,
    /// AWS access key id: base 32 of an account number.
    AwsKeyId,
    /// First part is base64 of a decimal user id (Discord).
    DiscordId,
    /// Base64 of `user:password`.
    BasicAuth,
    /// Base64 of a password.
    Base64Text,
    /// Base64 of `hex:hex`, AES-256-CTR (Verdaccio).
    VerdaccioLegacy,
    /// A JSON object of a service account, with its private key.
    ServiceAccount,
}

/// Tests of the surroundings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContextSpec {
    /// One of these words must stand within `within` bytes of the match, in
    /// any case.
    #[serde(default)]
    pub near: Vec<String>,
    /// How far `near` looks before and after the match, in bytes.
    #[serde(default = "default_within")]
    pub within: usize,
    /// The file's path must match one of these globs.
    #[serde(default)]
    pub paths: Vec<String>,
    /// A line `[section]` must stand above, as in every INI file that its
    /// readers take.
    #[serde(default)]
    pub section: bool,
    /// Keys and options whose value nearby is the user name that belongs to the
    /// credential; the first that is there counts.
    #[serde(default)]
    pub user: Vec<String>,
    /// Reads the surroundings with npm's grammar, to tell registry and user.
    #[serde(default)]
    pub npm: NpmContext,
}

fn default_within() -> usize {
    256
}

/// How npm's grammar takes part in a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NpmContext {
    /// Only if the value stands in a slot of npm.
    #[default]
    IfSlot,
    /// Always: the credential is npm's.
    Own,
    /// The value must stand in a slot of npm.
    Required,
}

/// What a credential is worth by its kind alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// Lives until somebody revokes it, or nothing is known.
    #[default]
    Unknown,
    /// Lives minutes or hours.
    Short,
    /// An npm token of the `npm_` form.
    NpmToken,
    /// A UUID in an npm slot.
    NpmLegacy,
    /// A user name and password of a registry.
    NpmPassword,
    /// Names a file that holds the secret.
    Reference,
}
