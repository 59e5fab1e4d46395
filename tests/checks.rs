//! The questions to other issuers than npm: what is sent, how answers are read,
//! and that no answer gets a secret into what is kept.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use tokensweep::model::{Mask, NPM_REGISTRY, Outcome, Secret, Validation, is_npm_registry};
use tokensweep::registry::declared::{Inputs, identify, read, request};
use tokensweep::registry::{Answer, Ask, Method, NoAnswer, Request};
use tokensweep::rules::check::{Carry, Check, Said};
use tokensweep::rules::{RuleSet, Selection, check_for, checks, load_text};

/// Says the same to everybody.
struct Fixed(Result<Answer, NoAnswer>);

impl Ask for Fixed {
    fn ask(&self, _: &Request) -> Result<Answer, NoAnswer> {
        self.0.clone()
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Answer { status, headers: headers.collect(), body: body.to_vec(), cut: false }
}

/// What stands in the text beside a credential, and the credential.
struct Found {
    secret: Secret,
    companions: Vec<(String, Secret)>,
}

const TAIL: &str = "s3cretVALUE0123456789";

impl Found {
    fn of(check: &Check) -> Self {
        let start = check.begins.first().map_or("", String::as_str);
        let kinds = check.companions.iter().map(|other| other.kind.clone());
        let more = match &check.carry {
            Carry::BasicPassword { companion, .. } => companion.iter().cloned().collect(),
            Carry::AwsV4 { key_id, session, .. } => vec![key_id.clone(), session.clone()],
            _ => Vec::new(),
        };
        let secret = |text: String| Secret::new(text.as_bytes(), Mask::All);
        let companions = kinds
            .chain(more)
            .enumerate()
            .map(|(at, kind)| (kind, secret(format!("ASIAcompanion{at}VALUE9876543210"))));
        Self { secret: secret(format!("{start}{TAIL}")), companions: companions.collect() }
    }

    fn with<T>(&self, host: Option<&str>, act: impl FnOnce(&Inputs<'_>) -> T) -> T {
        let companions: BTreeMap<String, &Secret> =
            self.companions.iter().map(|(kind, secret)| (kind.clone(), secret)).collect();
        let user = Some("ada");
        let companions = &companions;
        act(&Inputs { secret: &self.secret, user, host, companions, now: 1_700_000_000 })
    }

    /// Everything that must not be seen.
    fn texts(&self) -> Vec<String> {
        let own = [&self.secret].into_iter().chain(self.companions.iter().map(|(_, other)| other));
        own.map(|secret| String::from_utf8(secret.expose().to_vec()).unwrap()).collect()
    }
}

fn asking() -> impl Iterator<Item = &'static Check> {
    checks().iter().filter(|check| check.not_possible.is_none())
}

fn by_id(id: &str) -> &'static Check {
    checks().iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id}"))
}

/// Asks with a fixed answer about a credential that is bound to the check's host.
fn asked(check: &Check, answer: Answer) -> Validation {
    let found = Found::of(check);
    found.with(Some(&check.host), |inputs| identify(&Fixed(Ok(answer)), check, inputs))
}

/// Check, status, a header, body, what it means, and the user that it names.
type Case = (
    &'static str,
    u16,
    Option<(&'static str, &'static str)>,
    &'static str,
    Outcome,
    Option<&'static str>,
);

use Outcome::{Active, Dead, Restricted, Unknown};

/// Answers as the services document them.
#[rustfmt::skip]
const CASES: &[Case] = &[
    ("github-user", 200, Some(("x-oauth-scopes", "repo, workflow")), r#"{"login":"octocat","id":1}"#, Active, Some("octocat")),
    ("github-user", 200, None, r#"{"message":"welcome"}"#, Unknown, None),
    ("github-user", 401, None, r#"{"message":"Bad credentials","status":"401"}"#, Dead, None),
    ("github-user", 403, Some(("x-ratelimit-remaining", "0")), r#"{"message":"API rate limit exceeded"}"#, Unknown, None),
    ("github-user", 403, None, r#"{"message":"Resource not accessible by personal access token"}"#, Restricted, None),
    ("github-user", 403, None, r#"{"message":"Maximum number of login attempts exceeded."}"#, Unknown, None),
    ("github-user", 401, None, r#"{"message":"Requires authentication"}"#, Unknown, None),
    ("github-user", 403, None, r#"{"message":"Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled"}"#, Restricted, None),
    ("github-user", 403, None, r#"{"message":"Sorry. Your account was suspended"}"#, Unknown, None),
    ("github-installation", 200, None, r#"{"total_count":1,"repositories":[{"full_name":"acme/web"}]}"#, Active, None),
    ("github-installation", 401, None, r#"{"message":"Bad credentials"}"#, Dead, None),
    ("github-installation", 403, None, r#"{"message":"Resource not accessible by integration"}"#, Restricted, None),
    ("github-installation", 429, Some(("x-ratelimit-remaining", "0")), "{}", Unknown, None),
    ("gitlab-self", 200, None, r#"{"id":4,"name":"ci","scopes":["api"],"user_id":3,"active":true}"#, Active, Some("3")),
    ("gitlab-self", 401, None, r#"{"message":"401 Unauthorized"}"#, Dead, None),
    ("gitlab-self", 401, None, r#"{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}"#, Dead, None),
    ("gitlab-self", 403, None, r#"{"error":"insufficient_scope","scope":"api"}"#, Restricted, None),
    ("gitlab-self", 403, None, r#"{"error":"insufficient_granular_scope"}"#, Restricted, None),
    ("gitlab-self", 401, None, r#"{"error":"invalid_token","error_description":"Token is an impersonation token but impersonation was disabled."}"#, Unknown, None),
    ("gitlab-self-routable", 200, None, r#"{"scopes":["read_api"],"user_id":3}"#, Active, Some("3")),
    ("gitlab-self-routable", 401, None, r#"{"message":"401 Unauthorized"}"#, Dead, None),
    ("gitlab-self-routable", 401, None, r#"{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}"#, Dead, None),
    ("gitlab-self-routable", 403, None, r#"{"error":"insufficient_scope","scope":"api"}"#, Restricted, None),
    ("gitlab-job", 200, None, r#"{"id":8,"name":"test","user":{"username":"ada"}}"#, Active, Some("ada")),
    ("gitlab-job", 401, None, r#"{"message":"401 Unauthorized"}"#, Dead, None),
    ("slack-auth-test", 200, Some(("x-oauth-scopes", "chat:write,users:read")), r#"{"ok":true,"url":"https://acme.slack.com/","team":"Acme","user":"bot","team_id":"T0","user_id":"W2"}"#, Active, Some("bot")),
    ("slack-auth-test", 200, None, r#"{"ok":false,"error":"token_revoked"}"#, Dead, None),
    ("slack-auth-test", 200, None, r#"{"ok":false,"error":"token_expired"}"#, Dead, None),
    ("slack-auth-test", 200, None, r#"{"ok":false,"error":"account_inactive"}"#, Dead, None),
    ("slack-auth-test", 200, None, r#"{"ok":false,"error":"invalid_auth"}"#, Unknown, None),
    ("slack-auth-test", 200, None, r#"{"ok":false,"error":"internal_error"}"#, Unknown, None),
    ("stripe-account", 200, None, r#"{"id":"acct_1","object":"account","email":"ada@example.com"}"#, Active, Some("acct_1")),
    ("stripe-account", 401, None, r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided"}}"#, Dead, None),
    ("stripe-account", 403, None, r#"{"error":{"message":"The provided key does not have the required permissions"}}"#, Restricted, None),
    ("stripe-account", 401, None, r#"{"error":{"code":"api_key_expired","message":"Expired API Key provided: rk_live_***123"}}"#, Dead, None),
    ("stripe-account", 401, None, r#"{"error":{"message":"You did not provide an API key."}}"#, Unknown, None),
    ("stripe-account", 403, None, r#"{"error":{"message":"The API key provided does not allow requests from your IP address."}}"#, Restricted, None),
    ("stripe-account", 401, None, r#"{"error":{"message":"The API key provided does not allow requests from your IP address."}}"#, Restricted, None),
    ("openai-admin-projects", 200, None, r#"{"object":"list","data":[{"name":"Default"}]}"#, Active, None),
    ("openai-admin-projects", 401, None, r#"{"error":{"message":"IP not authorized","code":"ip_not_authorized"}}"#, Restricted, None),
    ("openai-admin-projects", 401, None, r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#, Dead, None),
    ("openai-admin-projects", 403, None, r#"{"error":{"message":"You have insufficient permissions for this operation."}}"#, Restricted, None),
    ("openai-models", 200, Some(("openai-organization", "acme")), r#"{"object":"list","data":[]}"#, Active, None),
    ("openai-models", 401, None, r#"{"error":{"message":"Attempted to access resource with incorrect regional hostname.","code":"incorrect_hostname"}}"#, Restricted, None),
    ("openai-models", 401, None, r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#, Dead, None),
    ("openai-models", 401, None, r#"{"error":{"message":"gone","code":"account_deactivated"}}"#, Dead, None),
    ("openai-models", 401, None, r#"{"error":{"message":"IP not authorized","code":"ip_not_authorized"}}"#, Restricted, None),
    ("openai-models", 401, None, r#"{"error":{"message":"You must be a member of an organization to use the API"}}"#, Unknown, None),
    ("openai-models", 403, None, r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read."}}"#, Restricted, None),
    ("openai-models", 403, None, r#"{"error":{"code":"unsupported_country_region_territory"}}"#, Unknown, None),
    ("anthropic-models", 200, Some(("anthropic-organization-id", "o-1")), r#"{"data":[],"has_more":false}"#, Active, None),
    ("anthropic-models", 401, None, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#, Dead, None),
    ("anthropic-models", 403, None, r#"{"type":"error","error":{"type":"permission_error"}}"#, Restricted, None),
    ("anthropic-organization", 200, None, r#"{"id":"o-1","type":"organization","name":"Acme"}"#, Active, None),
    ("anthropic-organization", 401, None, r#"{"type":"error","error":{"type":"authentication_error"}}"#, Dead, None),
    ("anthropic-organization", 403, None, r#"{"type":"error","error":{"type":"permission_error"}}"#, Restricted, None),
    ("huggingface-whoami", 200, None, r#"{"type":"user","name":"ada","email":"ada@example.com","auth":{"accessToken":{"displayName":"ci","role":"write"}}}"#, Active, Some("ada")),
    ("huggingface-whoami", 401, None, r#"{"error":"Invalid credentials in Authorization header"}"#, Dead, None),
    ("huggingface-whoami", 401, None, r#"{"error":"Invalid username or password."}"#, Unknown, None),
    ("digitalocean-account", 200, None, r#"{"account":{"uuid":"u-1","email":"ada@example.com","status":"active"}}"#, Active, Some("u-1")),
    ("digitalocean-account", 401, None, r#"{"id":"Unauthorized","message":"Unable to authenticate you"}"#, Dead, None),
    ("digitalocean-account", 403, None, r#"{"id":"Forbidden","message":"You are not authorized to perform this operation"}"#, Restricted, None),
    ("sendgrid-scopes", 200, None, r#"{"scopes":["mail.send"]}"#, Active, None),
    ("sendgrid-scopes", 401, None, r#"{"errors":[{"field":null,"message":"The provided authorization grant is invalid, expired, or revoked"}]}"#, Dead, None),
    ("sendgrid-scopes", 401, None, r#"{"errors":[{"field":null,"message":"authorization required"}]}"#, Unknown, None),
    ("cloudflare-user-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"active"}}"#, Active, None),
    ("cloudflare-user-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"disabled"}}"#, Dead, None),
    ("cloudflare-user-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"expired"}}"#, Dead, None),
    ("cloudflare-user-token", 401, None, r#"{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}]}"#, Dead, None),
    ("cloudflare-old-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"active"}}"#, Active, None),
    ("cloudflare-old-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"disabled"}}"#, Dead, None),
    ("cloudflare-old-token", 200, None, r#"{"success":true,"result":{"id":"t1","status":"expired"}}"#, Dead, None),
    ("cloudflare-old-token", 401, None, r#"{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}]}"#, Unknown, None),
    ("datadog-validate", 200, None, r#"{"valid":true}"#, Active, None),
    ("datadog-validate", 403, None, r#"{"errors":["Forbidden"]}"#, Dead, None),
    ("datadog-validate-keys", 200, None, r#"{"status":"ok"}"#, Active, None),
    ("datadog-validate-keys", 403, None, r#"{"errors":["Forbidden"]}"#, Unknown, None),
    ("datadog-validate-token", 200, None, r#"{"status":"ok"}"#, Active, None),
    ("datadog-validate-token", 401, None, r#"{"errors":["Unauthorized"]}"#, Dead, None),
    ("datadog-validate-token", 403, None, r#"{"errors":["Forbidden"]}"#, Unknown, None),
    ("sentry-index", 200, None, r#"{"version":"0","auth":{"scopes":["org:ci"]},"user":{"username":"ada"}}"#, Active, Some("ada")),
    ("sentry-index", 200, None, r#"{"version":"0","auth":null,"user":null}"#, Unknown, None),
    ("sentry-index", 401, None, r#"{"detail":"Invalid token"}"#, Dead, None),
    ("sentry-index", 401, None, r#"{"detail":"Invalid org token"}"#, Unknown, None),
    ("telegram-me", 200, None, r#"{"ok":true,"result":{"id":7,"is_bot":true,"username":"acme_bot"}}"#, Active, Some("acme_bot")),
    ("telegram-me", 401, None, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, Dead, None),
    ("telegram-me", 404, None, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#, Unknown, None),
    ("docker-hub-token", 200, None, r#"{"token":"pass","expires_in":300}"#, Active, None),
    ("docker-hub-token", 401, None, r#"{"details":"incorrect username or password"}"#, Unknown, None),
    ("aws-identity", 200, None, r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"123456789012","Arn":"arn:aws:iam::123456789012:user/ada","UserId":"AIDA"}}}"#, Active, Some("arn:aws:iam::123456789012:user/ada")),
    ("aws-identity", 403, None, r#"{"Error":{"Code":"InvalidClientTokenId","Type":"Sender"}}"#, Dead, None),
    ("aws-identity", 403, None, r#"{"Error":{"Code":"ExpiredToken","Type":"Sender"}}"#, Dead, None),
    ("aws-identity", 403, None, r#"{"Error":{"Code":"SignatureDoesNotMatch","Type":"Sender"}}"#, Unknown, None),
    ("google-models", 200, None, r#"{"models":[{"name":"m"}]}"#, Active, None),
    ("google-models", 400, None, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#, Dead, None),
    ("google-models", 400, None, r#"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"#, Unknown, None),
    ("google-models", 403, None, r#"{"error":{"details":[{"reason":"SERVICE_DISABLED","metadata":{"consumer":"projects/123"}}]}}"#, Restricted, None),
    ("google-models", 403, None, r#"{"error":{"status":"PERMISSION_DENIED","message":"Your API key was reported as leaked. Please use another API key."}}"#, Restricted, None),
    ("google-models", 403, None, r#"{"error":{"details":[{"reason":"CONSUMER_SUSPENDED"}]}}"#, Restricted, None),
    ("xai-api-key-info", 200, None, r#"{"api_key_id":"k","user_id":"u","name":"ci","acls":["api-key:model:*"],"team_blocked":false,"api_key_blocked":false,"api_key_disabled":false}"#, Active, Some("u")),
    ("xai-api-key-info", 200, None, r#"{"api_key_id":"k","api_key_blocked":false,"api_key_disabled":true}"#, Dead, None),
    ("xai-api-key-info", 200, None, r#"{"api_key_id":"k","api_key_blocked":true,"api_key_disabled":false}"#, Dead, None),
    ("xai-api-key-info", 400, None, r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided"}"#, Dead, None),
    ("xai-api-key-info", 200, None, r#"{"api_key_id":"k","team_blocked":true,"api_key_blocked":false,"api_key_disabled":false}"#, Unknown, None),
    ("groq-models", 200, None, r#"{"object":"list","data":[]}"#, Active, None),
    ("groq-models", 401, None, r#"{"error":{"message":"Invalid API Key","code":"invalid_api_key"}}"#, Dead, None),
    ("mistral-models", 200, None, r#"{"object":"list","data":[]}"#, Active, None),
    ("mistral-models", 401, None, r#"{"detail":"Unauthorized"}"#, Dead, None),
    ("deepseek-balance", 200, None, r#"{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"1.00"}]}"#, Active, None),
    ("deepseek-balance", 401, None, r#"{"error":{"message":"Authentication Fails","type":"authentication_error"}}"#, Dead, None),
    ("cohere-check", 200, None, r#"{"valid":true,"organization_id":"o"}"#, Active, None),
    ("cohere-check", 200, None, r#"{"valid":false}"#, Dead, None),
    ("cohere-check", 401, None, r#"{"message":"invalid api token"}"#, Dead, None),
    ("pinecone-indexes", 200, None, r#"{"indexes":[]}"#, Active, None),
    ("pinecone-indexes", 401, None, r#"{"error":{"code":"UNAUTHENTICATED","message":"Invalid API key"},"status":401}"#, Dead, None),
    ("elevenlabs-user", 200, None, r#"{"user_id":"u","subscription":{"tier":"free"}}"#, Active, Some("u")),
    ("elevenlabs-user", 401, None, r#"{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}"#, Dead, None),
    ("elevenlabs-user", 401, None, r#"{"detail":{"status":"missing_permissions","message":"The API key you used is missing the permission user_read"}}"#, Restricted, None),
    ("replicate-account", 200, None, r#"{"type":"user","username":"ada"}"#, Active, Some("ada")),
    ("replicate-account", 401, None, r#"{"title":"Unauthenticated","detail":"You did not pass a valid authentication token","status":401}"#, Dead, None),
    ("openrouter-key", 200, None, r#"{"data":{"usage":1,"is_free_tier":false}}"#, Active, None),
    ("openrouter-key", 401, None, r#"{"error":{"code":401,"message":"User not found."}}"#, Dead, None),
    ("linear-viewer", 200, None, r#"{"data":{"viewer":{"name":"Ada"},"organization":{"name":"Acme"}}}"#, Active, Some("Ada")),
    ("linear-viewer", 400, None, r#"{"errors":[{"message":"Authentication required, not authenticated","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#, Dead, None),
    ("linear-viewer-oauth", 200, None, r#"{"data":{"viewer":{"name":"Ada"},"organization":{"name":"Acme"}}}"#, Active, Some("Ada")),
    ("linear-viewer-oauth", 400, None, r#"{"errors":[{"message":"Authentication required, not authenticated","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#, Dead, None),
    ("notion-me", 200, None, r#"{"object":"user","id":"b","name":"ci","type":"bot","bot":{"workspace_name":"Acme"}}"#, Active, Some("ci")),
    ("notion-me", 401, None, r#"{"object":"error","status":401,"code":"unauthorized","message":"API token is invalid."}"#, Dead, None),
    ("notion-me", 403, None, r#"{"object":"error","status":403,"code":"restricted_resource"}"#, Restricted, None),
    ("postman-me", 200, None, r#"{"user":{"id":1,"username":"ada"}}"#, Active, Some("ada")),
    ("postman-me", 401, None, r#"{"error":{"name":"AuthenticationError","message":"Invalid API Key. Every request requires a valid API Key to be sent."}}"#, Dead, None),
    ("doppler-me", 200, None, r#"{"slug":"s","name":"ci","type":"service_token","workplace":{"name":"Acme","slug":"w"}}"#, Active, Some("ci")),
    ("doppler-me", 401, None, r#"{"messages":["Invalid Auth token"],"success":false}"#, Dead, None),
    ("heroku-account", 200, None, r#"{"id":"a","email":"ada@example.com","name":"Ada"}"#, Active, Some("Ada")),
    ("heroku-account", 401, None, r#"{"id":"unauthorized","message":"Invalid credentials provided."}"#, Dead, None),
    ("heroku-account", 403, None, r#"{"id":"forbidden","message":"You do not have access"}"#, Restricted, None),
    ("netlify-user", 200, None, r#"{"id":"u","full_name":"Ada","email":"ada@example.com"}"#, Active, Some("Ada")),
    ("netlify-user", 401, None, r#"{"code":401,"message":"Access Denied"}"#, Dead, None),
    ("fastly-self", 200, None, r#"{"id":"t","name":"ci","user_id":"u","scope":"global"}"#, Active, Some("u")),
    ("fastly-self", 401, None, r#"{"msg":"Provided credentials are missing or invalid"}"#, Dead, None),
    ("snyk-self", 200, None, r#"{"data":{"id":"u","attributes":{"name":"Ada","email":"ada@example.com"}}}"#, Active, Some("Ada")),
    ("snyk-self", 401, None, r#"{"errors":[{"status":"401","title":"Unauthorized"}]}"#, Dead, None),
    ("newrelic-user", 200, None, r#"{"data":{"actor":{"user":{"id":7,"name":"Ada"}}}}"#, Active, Some("Ada")),
    ("newrelic-user", 401, None, r#"{"errors":[{"message":"Invalid API key"}]}"#, Dead, None),
    ("mailgun-domains", 200, None, r#"{"total_count":1,"items":[{"name":"mg.acme.example"}]}"#, Active, None),
    ("mailgun-domains", 401, None, r#"{"message":"Invalid private key"}"#, Unknown, None),
    ("square-token", 200, None, r#"{"scopes":["PAYMENTS_READ"],"expires_at":null,"client_id":"c","merchant_id":"m"}"#, Active, Some("m")),
    ("square-token", 401, None, r#"{"errors":[{"category":"AUTHENTICATION_ERROR","code":"ACCESS_TOKEN_REVOKED"}]}"#, Dead, None),
    ("square-token", 401, None, r#"{"errors":[{"category":"AUTHENTICATION_ERROR","code":"ACCESS_TOKEN_EXPIRED"}]}"#, Dead, None),
    ("square-token", 401, None, r#"{"errors":[{"category":"AUTHENTICATION_ERROR","code":"UNAUTHORIZED"}]}"#, Unknown, None),
    ("terraform-account", 200, None, r#"{"data":{"id":"user-1","type":"users","attributes":{"username":"ada"}}}"#, Active, Some("ada")),
    ("terraform-account", 401, None, r#"{"errors":[{"status":"401","title":"unauthorized"}]}"#, Dead, None),
    ("discord-me", 200, None, r#"{"id":"1","username":"acme","bot":true}"#, Active, Some("acme")),
    ("discord-me", 401, None, r#"{"message":"401: Unauthorized","code":0}"#, Dead, None),
    ("twilio-account", 200, None, r#"{"accounts":[{"friendly_name":"Acme","status":"active"}]}"#, Active, None),
    ("twilio-account", 401, None, r#"{"code":20003,"message":"Authenticate","status":401}"#, Unknown, None),
    ("circleci-me", 200, None, r#"{"id":"u","login":"ada","name":"Ada"}"#, Active, Some("ada")),
    ("circleci-me", 401, None, r#"{"message":"You must log in first."}"#, Dead, None),
    ("circleci-me-old", 200, None, r#"{"id":"u","login":"ada","name":"Ada"}"#, Active, Some("ada")),
    ("circleci-me-old", 401, None, r#"{"message":"You must log in first."}"#, Unknown, None),
    ("buildkite-self", 200, None, r#"{"uuid":"t","scopes":["read_build"],"user":{"name":"Ada"}}"#, Active, Some("Ada")),
    ("buildkite-self", 401, None, r#"{"message":"Authentication required. Please supply a valid API Access Token: https://buildkite.com/docs/apis/rest-api#authentication"}"#, Dead, None),
    ("hetzner-locations", 200, None, r#"{"locations":[{"name":"fsn1"}]}"#, Active, None),
    ("hetzner-locations", 401, None, r#"{"error":{"code":"unauthorized","message":"unable to authenticate"}}"#, Dead, None),
    ("airtable-whoami", 200, None, r#"{"id":"usr1","scopes":["data.records:read"],"email":"ada@example.com"}"#, Active, Some("usr1")),
    ("airtable-whoami", 401, None, r#"{"error":{"type":"AUTHENTICATION_REQUIRED","message":"Authentication required"}}"#, Dead, None),
    ("asana-me", 200, None, r#"{"data":{"gid":"1","name":"Ada","email":"ada@example.com"}}"#, Active, Some("Ada")),
    ("asana-me", 401, None, r#"{"errors":[{"message":"Not Authorized"}]}"#, Dead, None),
    ("pulumi-user", 200, None, r#"{"githubLogin":"ada","name":"Ada"}"#, Active, Some("ada")),
    ("pulumi-user", 401, None, r#"{"code":401,"message":"Unauthorized: No credentials provided or are invalid."}"#, Dead, None),
    ("contentful-me", 200, None, r#"{"sys":{"type":"User","id":"u"},"firstName":"Ada"}"#, Active, Some("u")),
    ("contentful-me", 401, None, r#"{"sys":{"type":"Error","id":"AccessTokenInvalid"},"message":"The access token you sent could not be found or is invalid."}"#, Dead, None),
    ("resend-domains", 200, None, r#"{"object":"list","data":[{"name":"acme.example"}]}"#, Active, None),
    ("resend-domains", 400, None, r#"{"statusCode":403,"name":"invalid_api_key","message":"API key is invalid"}"#, Dead, None),
    ("resend-domains", 401, None, r#"{"statusCode":401,"name":"restricted_api_key","message":"This API key is restricted to only send emails"}"#, Restricted, None),
    ("dropbox-account", 200, None, r#"{"account_id":"d","name":{"display_name":"Ada"}}"#, Active, Some("Ada")),
    ("dropbox-account", 401, None, r#"{"error_summary":"expired_access_token/","error":{".tag":"expired_access_token"}}"#, Dead, None),
    ("dropbox-account", 401, None, r#"{"error_summary":"invalid_access_token/","error":{".tag":"invalid_access_token"}}"#, Dead, None),
    ("dropbox-account", 401, None, r#"{"error_summary":"missing_scope/","error":{".tag":"missing_scope"}}"#, Restricted, None),
    ("cloudsmith-self", 200, None, r#"{"authenticated":true,"slug":"ada","name":"Ada"}"#, Active, Some("ada")),
    ("cloudsmith-self", 401, None, r#"{"detail":"Invalid API key."}"#, Unknown, None),
    ("bitbucket-user", 200, None, r#"{"type":"user","username":"ada"}"#, Active, Some("ada")),
    ("bitbucket-user", 401, None, r#""#, Unknown, None),
    ("bitbucket-user", 403, None, r#"{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes."}}"#, Restricted, None),
    ("vercel-user", 200, None, r#"{"user":{"id":"u","username":"ada","email":"ada@example.com"}}"#, Active, Some("ada")),
    ("vercel-user", 401, None, r#"{"error":{"code":"forbidden","message":"Not authorized","invalidToken":true}}"#, Dead, None),
    ("vercel-user", 403, None, r#"{"error":{"code":"forbidden","message":"You do not have permission to access this resource."}}"#, Unknown, None),
    ("render-owners", 200, None, r#"[{"owner":{"id":"o","name":"Acme","type":"team","email":"ada@example.com"}}]"#, Active, Some("Acme")),
    ("render-owners", 401, None, r#"{"message":"Unauthorized"}"#, Dead, None),
    ("supabase-projects", 200, None, r#"[{"id":"o","name":"Acme"}]"#, Active, None),
    ("supabase-projects", 403, None, r#"{"message":"Forbidden","missing_permissions":["organizations:read"]}"#, Restricted, None),
    ("supabase-projects", 401, None, r#"{"message":"Unauthorized"}"#, Dead, None),
];

#[test]
fn answers_are_read_as_documented() {
    for &(id, status, header, body, outcome, user) in CASES {
        let check = by_id(id);
        let validation = asked(check, answer(status, header.as_slice(), body.as_bytes()));
        assert_eq!(validation.outcome, outcome, "{id} {status} {body}: {validation:?}");
        let named = validation.identity.as_ref().and_then(|identity| identity.user.as_deref());
        assert_eq!(named, user, "{id} {status} {body}");
        assert_eq!(validation.evidence.len(), 1);
        assert_eq!(validation.evidence[0].status, Some(status));
        assert_eq!(validation.evidence[0].meaning, validation.words);
    }
}

/// Each row of each check decides about one of the cases above: none is there
/// for show, and none stands behind one that takes all its answers.
#[test]
fn every_row_has_its_case() {
    for check in asking() {
        let cases = CASES.iter().filter(|case| case.0 == check.id);
        let words: BTreeSet<String> = cases
            .map(|&(_, status, header, body, ..)| {
                asked(check, answer(status, header.as_slice(), body.as_bytes())).words
            })
            .collect();
        for row in &check.read {
            assert!(words.contains(&row.meaning), "{}: no case for {:?}", check.id, row.meaning);
        }
    }
}

#[test]
fn what_no_row_explains_is_unknown() {
    let portal = b"<!DOCTYPE html><html><body>Please log in</body></html>";
    for check in asking() {
        for status in [204, 302, 404, 407, 418, 500, 503] {
            let validation = asked(check, answer(status, &[], b"{}"));
            assert_eq!(validation.outcome, Unknown, "{} {status}", check.id);
            assert!(validation.words.contains(&status.to_string()), "{}", validation.words);
        }
        for status in [200, 401, 403] {
            let validation = asked(check, answer(status, &[], portal));
            assert_eq!(validation.outcome, Unknown, "{} {status} of a portal", check.id);
        }
        assert_eq!(read(check, &answer(200, &[], b"{}")).0, Unknown, "{}", check.id);
        let cut = Answer { cut: true, ..answer(200, &[], b"{\"ok\":") };
        assert_eq!(asked(check, cut).outcome, Unknown, "{}", check.id);
    }
}

#[test]
fn a_host_that_others_run_too_proves_nothing_unless_it_is_bound() {
    let mut seen = 0;
    for &(id, status, header, body, outcome, _) in CASES {
        let check = by_id(id);
        let (unbound, words, _) = read(check, &answer(status, header.as_slice(), body.as_bytes()));
        if unbound != outcome {
            assert_eq!((unbound, outcome), (Unknown, Dead), "{id}");
            assert!(words.contains("may belong to"), "{id}: {words}");
            assert!(!words.starts_with("dead"), "{id}: {words}");
            seen += 1;
        }
    }
    let rows = asking().flat_map(|check| &check.read).filter(|row| row.elsewhere.is_some());
    assert_eq!(seen, rows.count());
}

#[test]
fn requests_hide_their_secrets() {
    for check in asking() {
        let found = Found::of(check);
        let request = found.with(None, |inputs| request(check, inputs)).unwrap();
        let in_path = request.path_secret.is_some();
        assert_eq!(in_path, check.id == "telegram-me", "{}", check.id);
        assert!(in_path || !request.secrets.is_empty(), "{}", check.id);
        let plain = format!("{request:?}\n{}\n{:?}", request.line(), request.body);
        for secret in found.texts() {
            assert!(!plain.contains(&secret), "{}: {plain}", check.id);
        }
        assert!(request.method != Method::Delete, "{}", check.id);
        assert!(!is_npm_registry(&request.host), "{}", check.id);
        let lower = |name: &str| name.bytes().all(|b| !b.is_ascii_uppercase());
        assert!(request.headers.iter().all(|(name, _)| lower(name)), "{}", check.id);
    }
}

#[test]
fn secrets_are_carried_where_the_service_wants_them() {
    let sent = |id: &str| {
        let check = by_id(id);
        let request = Found::of(check).with(None, |inputs| request(check, inputs)).unwrap();
        request
            .secrets
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.expose()))
            .collect::<Vec<_>>()
    };
    assert_eq!(sent("github-user"), [format!("authorization: Bearer {TAIL}")]);
    assert_eq!(sent("google-models"), [format!("x-goog-api-key: {TAIL}")]);
    assert_eq!(
        sent("docker-hub-token"),
        [format!("authorization: Basic {}", STANDARD.encode(format!("ada:{TAIL}")))]
    );
    assert_eq!(
        sent("datadog-validate-keys"),
        ["dd-api-key: ASIAcompanion0VALUE9876543210", &format!("dd-application-key: {TAIL}")]
    );
    let aws = sent("aws-identity");
    assert!(aws[0].starts_with("x-amz-security-token: ASIAcompanion1"), "{}", aws[0]);
    assert!(aws[1].contains("/20231114/us-east-1/sts/aws4_request"));
    assert!(!aws[1].contains(TAIL));
}

#[test]
fn what_cannot_be_asked_says_why() {
    let none = BTreeMap::new();
    let secret = Secret::new(TAIL.as_bytes(), Mask::All);
    let odd = Secret::new(b"line\nfeed", Mask::All);
    let alone = |id: &str, secret: &Secret, host: Option<&str>| {
        let inputs = Inputs { secret, user: None, host, companions: &none, now: 0 };
        identify(&Fixed(Ok(Answer::default())), by_id(id), &inputs)
    };
    let cases = [
        ("aws-identity", &secret, None, "aws-access-key-id"),
        ("docker-hub-token", &secret, None, "user name"),
        ("datadog-validate-keys", &secret, None, "datadog-api-key"),
        ("github-user", &odd, None, "characters"),
        ("telegram-me", &odd, None, "characters"),
        ("github-user", &secret, Some("github.acme.example"), "binds it to another host"),
        ("pypi-no-call", &secret, None, "upload"),
    ];
    for (id, secret, host, why) in cases {
        let validation = alone(id, secret, host);
        assert_eq!(validation.outcome, Outcome::Skipped, "{id}");
        assert!(validation.words.contains(why), "{id}: {}", validation.words);
        assert!(validation.evidence.is_empty());
    }
}

#[test]
fn a_service_that_anybody_runs_is_asked_where_the_text_says() {
    let check = by_id("gitlab-self");
    let found = Found::of(check);
    let host = |host| found.with(host, |inputs| request(check, inputs)).unwrap().host;
    assert_eq!(host(None), "gitlab.com");
    assert_eq!(host(Some("GitLab.com")), "gitlab.com");
    assert_eq!(host(Some("git.acme.example")), "git.acme.example");
    let npm = found.with(Some(NPM_REGISTRY), |inputs| request(check, inputs));
    assert!(npm.unwrap_err().contains("another host"));
    // A host that is no such service says nothing about the credential.
    let no_gitlab = answer(401, &[], b"{\"errors\":[{\"status\":401,\"message\":\"Bad Token\"}]}");
    let validation = found
        .with(Some("nexus.acme.example"), |inputs| identify(&Fixed(Ok(no_gitlab)), check, inputs));
    assert_eq!(validation.outcome, Unknown);
}

/// As in an `.npmrc` for GitHub's packages.
#[test]
fn other_names_of_a_service_lead_to_its_own_host() {
    let check = by_id("github-user");
    let found = Found::of(check);
    for name in ["npm.pkg.github.com", "github.com", "GHCR.io", "api.github.com"] {
        let request = found.with(Some(name), |inputs| request(check, inputs)).unwrap();
        assert_eq!(request.host, "api.github.com", "{name}");
    }
}

#[test]
fn no_answer_is_no_judgement() {
    let check = by_id("github-user");
    let found = Found::of(check);
    let ask = |why| found.with(None, |inputs| identify(&Fixed(Err(why)), check, inputs));
    assert_eq!(ask(NoAnswer::Failed("no answer in time".into())).outcome, Unknown);
    assert_eq!(ask(NoAnswer::NotAllowed("no".into())).outcome, Outcome::Skipped);
    assert_eq!(ask(NoAnswer::Rehearsed).outcome, Outcome::Skipped);
}

#[test]
fn the_form_of_a_secret_chooses_its_check() {
    let check = |kind: &str, secret: &str| check_for(kind, secret.as_bytes()).unwrap().id.as_str();
    assert_eq!(check("cloudflare-token", "cfut_x"), "cloudflare-user-token");
    assert_eq!(check("cloudflare-token", "cfat_x"), "cloudflare-account-token");
    assert_eq!(check("cloudflare-token", "x"), "cloudflare-old-token");
    assert_eq!(check("circleci-token", "CCIPAT_x"), "circleci-me");
    assert_eq!(check("circleci-token", "CCIPRJ_x"), "circleci-project");
    assert_eq!(check("circleci-token", "c0ffee"), "circleci-me-old");
    assert_eq!(check("openai-api-key", "sk-admin-x"), "openai-admin-projects");
    assert_eq!(check("openai-api-key", "sk-proj-x"), "openai-models");
    assert_eq!(check("gitlab-routable-token", "glpat-x"), "gitlab-self-routable");
    assert_eq!(check("gitlab-routable-token", "gldt-x"), "gitlab-no-call");
    assert!(check_for("npm-access-token", b"npm_x").is_none());
}

#[test]
fn a_check_in_a_file_of_the_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let (_, github) = tokensweep::rules::embedded_files()
        .iter()
        .find(|(name, _)| *name == "github.toml")
        .unwrap();
    std::fs::write(&path, github).unwrap();
    let selection = Selection { files: vec![path], ..Selection::default() };
    let why = RuleSet::select(&selection).unwrap_err().to_string();
    assert!(why.contains("[[check]]"), "{why}");
}

/// A rule file with one check, which `change` spoils.
fn file(change: (&str, &str)) -> String {
    let text = r#"
issuer = "Acme"
[[rule]]
id = "acme-token"
name = "Acme token"
pattern = '(?P<secret>acme_[0-9a-f]{20})'
confidence = "high"
severity = "high"
examples = ["acme_{hex:20}"]
counter_examples = ["acme_"]
[[check]]
id = "acme-me"
kinds = ["acme-token"]
host = "api.acme.example"
path = "/me"
references = ["https://acme.example/docs"]
[[check.read]]
status = "200"
has = ["/name"]
outcome = "active"
meaning = "alive"
[[check.read]]
status = "401"
outcome = "dead"
meaning = "dead"
"#;
    assert!(text.contains(change.0), "{}", change.0);
    text.replace(change.0, change.1)
}

#[test]
fn a_check_that_is_wrong_is_refused() {
    load_text("acme.toml", &file(("", ""))).unwrap();
    let cases = [
        (("\"acme-token\"]", "\"acme-tokem\"]"), "acme-tokem"),
        (("api.acme.example", "https://api.acme.example"), "without scheme"),
        (("\"/me\"", "\"me\""), "begins with `/`"),
        (("\"/me\"", "\"/me/{secret}\""), "{secret}"),
        (("\"https://acme.example/docs\"", ""), "references"),
        (("has = [\"/name\"]\n", ""), "status alone"),
        (("path = \"/me\"", "path = \"/me\"\nself_hosted = true"), "says Dead by its status"),
        (("\"active\"", "\"unknown\""), "Active"),
        (("outcome = \"dead\"", "outcome = \"restricted\""), "Dead"),
        (("\"401\"", "\"4o1\""), "HTTP status"),
        (("\"401\"", "\"409-401\""), "HTTP status"),
        (("path = \"/me\"", "path = \"/me\"\nbody = \"x\""), "POST"),
        (("path = \"/me\"", "path = \"/me\"\nheaders = { Accept = \"x\" }"), "lower case"),
        (("path = \"/me\"", "path = \"/me\"\nurl = \"x\""), "url"),
        (("path = \"/me\"", "path = \"/me\"\nnot_possible = \"why\""), "not_possible"),
        (("id = \"acme-me\"", "id = \"Acme me\""), "lower-case"),
    ];
    for (change, word) in cases {
        let why = load_text("acme.toml", &file(change)).unwrap_err().to_string();
        assert!(why.contains(word), "{change:?}: {why}");
    }
}

#[test]
fn shipped_checks_are_for_kinds_that_shipped_rules_find() {
    let rules = RuleSet::shipped();
    let kinds: BTreeSet<&str> = rules.rules.iter().map(|rule| &*rule.kind).collect();
    let mut ids = BTreeSet::new();
    for check in checks() {
        assert!(ids.insert(&check.id), "{} twice", check.id);
        assert!(check.kinds.iter().all(|kind| kinds.contains(kind.as_str())), "{}", check.id);
        assert!(!check.host.contains(NPM_REGISTRY));
        let says = |said| check.read.iter().any(|row| row.outcome == said);
        let refuses = says(Said::Dead) || says(Said::Unknown);
        assert!(check.not_possible.is_some() || says(Said::Active) && refuses, "{}", check.id);
    }
}

#[test]
fn what_servers_say_of_owners_is_made_harmless() {
    let long = "x".repeat(5000);
    let body = serde_json::json!({
        "login": format!("ada\u{1b}[31m\u{202e}{TAIL}{long}"),
        "email": "ada.lovelace@example.com, o'neil+x@example.com; a@example.com",
        "name": format!("{}\u{0}{}", &TAIL[..5], &TAIL[5..]),
    });
    let scopes = format!("repo, {TAIL}, , user:email");
    let found = answer(200, &[("x-oauth-scopes", &scopes)], body.to_string().as_bytes());
    let identity = asked(by_id("github-user"), found).identity.unwrap();
    let user = identity.user.unwrap();
    assert!(user.starts_with("ada[31m‹secret›xxx"), "{user}");
    assert_eq!(user.chars().count(), 200);
    assert_eq!(identity.scopes, ["repo", "‹secret›", "user:email"]);
    let masked = "a…@example.com, o…@example.com; a…@example.com";
    assert_eq!(identity.facts["e-mail"], masked);
    assert_eq!(identity.facts["name"], "‹secret›");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a server says, nothing panics, and what is kept holds no secret.
    #[test]
    fn no_answer_gets_a_secret_into_what_is_kept(
        status in 100_u16..600,
        body in proptest::collection::vec(any::<u8>(), 0..200),
        noise in "\\PC{0,20}",
        cut in any::<bool>(),
    ) {
        for check in asking() {
            let found = Found::of(check);
            let texts = found.texts();
            // A good answer of this check, with secrets in every text of it.
            let good = CASES.iter().find(|case| case.0 == check.id).unwrap();
            let mut json: serde_json::Value = serde_json::from_str(good.3).unwrap();
            taint(&mut json, &format!("{noise}{}", texts.join(&noise)));
            let whole = texts.join(",");
            let headers = [("x-oauth-scopes", whole.as_str()), ("openai-organization", &whole)];
            for answer in [
                Answer { cut, ..answer(status, &headers, &body) },
                answer(good.1, &headers, json.to_string().as_bytes()),
                answer(status, &headers, json.to_string().as_bytes()),
            ] {
                let kept = asked(check, answer);
                let shown = format!("{kept:?}{}", serde_json::to_string(&kept).unwrap());
                for secret in &texts {
                    prop_assert!(!shown.contains(secret), "{}: {shown}", check.id);
                }
            }
        }
    }
}

/// Adds a text to all texts but those that say how the answer went.
fn taint(json: &mut serde_json::Value, text: &str) {
    match json {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                if !["status", "type", "object"].contains(&key.as_str()) {
                    taint(value, text);
                }
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|value| taint(value, text)),
        serde_json::Value::String(own) => own.push_str(text),
        _ => {}
    }
}
