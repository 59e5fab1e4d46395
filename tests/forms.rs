//! Every file and form in which npm and the tools around it keep a credential,
//! crossed with every kind of credential that may stand there.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::{Sandbox, filled, findings};
use serde_json::Value;
use tokensweep::model::NPM_REGISTRY;

/// A place for a token.
///
/// In the text `HOST` stands for the registry, `§` for the credential; it is a
/// template of rule files otherwise. The last field is the key that must be
/// named. A form without `HOST` belongs to npm's own registry.
type Form = (&'static str, &'static str, &'static str);

const NPMRC: &[Form] = &[
    (".npmrc", "//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", "//HOST/:_authToken=§\r\nfund=false\r\n", "//HOST/:_authToken"),
    (".npmrc", "fund=false\n\n//HOST/:_authToken = §\naudit=false\n", "//HOST/:_authToken"),
    (".npmrc", "//HOST/npm/private/:_authToken=§", "//HOST/npm/private/:_authToken"),
    (".npmrc", "//HOST/npm:_authToken=§", "//HOST/npm:_authToken"),
    (".npmrc", "//HOST:_authToken=§", "//HOST:_authToken"),
    (".npmrc", "//HOST:4873/:_authToken=§", "//HOST:4873/:_authToken"),
    (".npmrc", "//HOST/:_authToken=\"§\"", "//HOST/:_authToken"),
    (".npmrc", "//HOST/:_authToken = '§'", "//HOST/:_authToken"),
    (".npmrc", "\"//HOST/:_authToken\"=\"§\"", "//HOST/:_authToken"),
    (".npmrc", "#//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", "# //HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", "; //HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", ";//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", "//HOST/:_authToken=§ ; of the build", "//HOST/:_authToken"),
    (".npmrc", "//HOST/:_authToken=${{NPM_TOKEN:-§}}", "//HOST/:_authToken"),
    (".npmrc", "registry=https://HOST/\n_authToken=§", "_authToken"),
    (".npmrc", "_authToken=§\nregistry = \"https://HOST/npm/\"\n", "_authToken"),
    (".npmrc", "registry=https://HOST/\n-authtoken=§", "authtoken"),
    (".npmrc", "@acme:registry=https://HOST/\n//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".npmrc", "_authToken=§", "_authToken"),
    ("home/.npmrc.bak", "//HOST/:_authToken=§", "//HOST/:_authToken"),
    ("usr/etc/npmrc", "//HOST/:_authToken=§", "//HOST/:_authToken"),
];

const OTHER_MANAGERS: &[Form] = &[
    (".yarnrc", "\"//HOST/:_authToken\" \"§\"", "//HOST/:_authToken"),
    (".yarnrc", "\"//HOST/:_authToken\" §", "//HOST/:_authToken"),
    (".yarnrc", "registry \"https://HOST/\"\n_authToken \"§\"", "_authToken"),
    (".yarnrc.yml", "npmRegistryServer: \"https://HOST\"\nnpmAuthToken: \"§\"", "npmAuthToken"),
    (".yarnrc.yml", "npmAuthToken: §\n\nnpmRegistryServer: https://HOST/\n", "npmAuthToken"),
    (".yarnrc.yml", "npmRegistries:\n  \"//HOST\":\n    npmAuthToken: §", "npmAuthToken"),
    (
        ".yarnrc.yml",
        "npmRegistries:\n  \"https://HOST/npm\":\n    npmAlwaysAuth: true\n    npmAuthToken: '§'",
        "npmAuthToken",
    ),
    (
        ".yarnrc.yml",
        "npmRegistries:\n  //HOST:\n    npmAuthToken: ${{NPM_TOKEN:-§}}",
        "npmAuthToken",
    ),
    (
        ".yarnrc.yml",
        "npmScopes:\n  acme:\n    npmRegistryServer: https://HOST\n    npmAuthToken: §",
        "npmAuthToken",
    ),
    (
        ".yarnrc.yml",
        "npmScopes:\n  acme:\n    npmAuthToken: §\n    npmRegistryServer: https://HOST\n",
        "npmAuthToken",
    ),
    (
        ".yarnrc.yml",
        "npmRegistryServer: https://HOST\nnpmAuthToken: \"${{NPM_TOKEN:-§}}\"",
        "npmAuthToken",
    ),
    (
        ".yarnrc.yml",
        "npmRegistryServer: https://HOST\nnpmAuthToken: \"${{NPM_TOKEN-§}}\"",
        "npmAuthToken",
    ),
    (".config/pnpm/auth.ini", "//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".config/pnpm/auth.ini", "//HOST/:_authToken=\"§\"", "//HOST/:_authToken"),
    (".config/pnpm/auth.ini", "//HOST/:@acme:_authToken=§", "//HOST/:@acme:_authToken"),
    (".config/pnpm/rc", "//HOST/:_authToken=§", "//HOST/:_authToken"),
    (".config/pnpm/rc", "registry=https://HOST/\n_authToken=§", "_authToken"),
    (
        ".config/pnpm/config.yaml",
        "_auth:\n  https://HOST/:\n    \"@\":\n      authToken: §",
        "authToken",
    ),
    (
        "environ",
        "PNPM_CONFIG__AUTH={{\"https://HOST/\":{{\"@\":{{\"authToken\":\"§\"}}}}}}",
        "authToken",
    ),
    (
        "environ",
        "pnpm_config__auth={{\"https://HOST/\":{{\"@acme\":{{\"authToken\":\"§\"}}}}}}",
        "authToken",
    ),
    ("bunfig.toml", "[install]\nregistry = {{ url = \"https://HOST/\", token = \"§\" }}", "token"),
    ("bunfig.toml", "[install]\nregistry = {{ token = \"§\", url = \"https://HOST/\" }}", "token"),
    ("bunfig.toml", "[install.registry]\nurl = \"https://HOST/\"\ntoken = \"§\"", "token"),
    (
        ".bunfig.toml",
        "[install.scopes]\n\"@acme\" = {{ token = \"§\", url = \"https://HOST/\" }}",
        "token",
    ),
    ("bunfig.toml", "[install.scopes]\nacme = {{ url = 'https://HOST/', token = '§' }}", "token"),
    ("bunfig.toml", "[install.scopes.acme]\ntoken = \"§\"\nurl = \"https://HOST/\"", "token"),
];

const BUILDS: &[Form] = &[
    ("Dockerfile", "FROM node\nARG NPM_TOKEN=§\nRUN npm ci", "NPM_TOKEN"),
    ("Dockerfile", "ARG NPM_TOKEN=\"§\"", "NPM_TOKEN"),
    ("Dockerfile", "ENV NPM_TOKEN=§", "NPM_TOKEN"),
    ("Dockerfile", "ENV NPM_TOKEN §", "NPM_TOKEN"),
    ("Dockerfile", "ENV CI=1 \\\n    NPM_TOKEN=§ \\\n    A=b", "NPM_TOKEN"),
    ("Dockerfile", "RUN npm config set //HOST/:_authToken §", "//HOST/:_authToken"),
    ("Dockerfile", "RUN npm config set //HOST/:_authToken=§", "//HOST/:_authToken"),
    ("Dockerfile", "RUN npm set //HOST/:_authToken § && npm ci", "//HOST/:_authToken"),
    ("Dockerfile", "RUN npm config set '//HOST/:_authToken' '§'", "//HOST/:_authToken"),
    ("Dockerfile", "RUN npm config set -- '//HOST/:_authToken' \"§\"", "//HOST/:_authToken"),
    ("Dockerfile", "RUN echo \"//HOST/:_authToken=§\" > .npmrc", "//HOST/:_authToken"),
    ("Dockerfile", "RUN echo //HOST/:_authToken=§>>.npmrc", "//HOST/:_authToken"),
    ("Dockerfile", "RUN printf '//HOST/:_authToken=§\\n' > .npmrc", "//HOST/:_authToken"),
    ("Dockerfile", "RUN printf 'a\\n//HOST/:_authToken=§\\nb' > .npmrc", "//HOST/:_authToken"),
    ("Dockerfile", "RUN <<EOF cat > .npmrc\n//HOST/:_authToken=§\nEOF", "//HOST/:_authToken"),
    (
        "history.json",
        "{{\"created_by\":\"|1 NPM_TOKEN=§ /bin/sh -c npm ci\",\"empty_layer\":true}}",
        "NPM_TOKEN",
    ),
    (
        "history.json",
        "{{\"created_by\":\"RUN |2 NODE_ENV=ci NPM_TOKEN=§ /bin/sh -c npm ci # buildkit\"}}",
        "NPM_TOKEN",
    ),
    (
        "history.txt",
        "<missing>   2 weeks ago   /bin/sh -c #(nop)  ENV NPM_TOKEN=§   0B",
        "NPM_TOKEN",
    ),
    (
        "inspect.json",
        "\"Config\": {{\n  \"Env\": [\n    \"PATH=/bin\",\n    \"NPM_TOKEN=§\",\n    \"A=b\"\n  ]\n}}",
        "NPM_TOKEN",
    ),
    ("inspect.json", "{{\"Env\":[\"PATH=/bin\",\"NPM_TOKEN=§\"]}}", "NPM_TOKEN"),
    ("compose.yaml", "    environment:\n      - NPM_TOKEN=§\n", "NPM_TOKEN"),
    ("compose.yaml", "    environment:\n      - \"NPM_TOKEN=§\"\n", "NPM_TOKEN"),
    ("compose.yaml", "    environment:\n      NPM_TOKEN: §\n", "NPM_TOKEN"),
    ("compose.yaml", "    build:\n      args:\n        NPM_TOKEN: \"§\"\n", "NPM_TOKEN"),
    ("secret.yaml", "stringData:\n  NPM_TOKEN: \"§\"\n", "NPM_TOKEN"),
    ("secret.yaml", "stringData:\n  .npmrc: |\n    //HOST/:_authToken=§\n", "//HOST/:_authToken"),
    (
        "secret.yaml",
        "stringData:\n  .npmrc: \"//HOST/:_authToken=§\\nfund=false\\n\"\n",
        "//HOST/:_authToken",
    ),
    ("pod.yaml", "        env:\n        - name: NPM_TOKEN\n          value: §\n", "NPM_TOKEN"),
    (".github/workflows/ci.yml", "      env:\n        NODE_AUTH_TOKEN: §", "NODE_AUTH_TOKEN"),
    (
        ".github/workflows/ci.yml",
        "      - run: echo \"//HOST/:_authToken=§\" >> ~/.npmrc",
        "//HOST/:_authToken",
    ),
    (
        ".github/workflows/ci.yml",
        "      - run: npm publish\n        env: {{ NODE_AUTH_TOKEN: '§' }}",
        "NODE_AUTH_TOKEN",
    ),
    (".circleci/config.yml", "    environment:\n      NPM_TOKEN: §", "NPM_TOKEN"),
    (".travis.yml", "env:\n  global:\n    - NPM_TOKEN=§", "NPM_TOKEN"),
    (".travis.yml", "env: NPM_TOKEN=§ CI=1", "NPM_TOKEN"),
    (".gitlab-ci.yml", "variables:\n  NPM_TOKEN: \"§\"", "NPM_TOKEN"),
    (".gitlab-ci.yml", "variables:\n  NPM_TOKEN:\n    value: §\n", "NPM_TOKEN"),
    ("azure-pipelines.yml", "variables:\n- name: NPM_TOKEN\n  value: '§'", "NPM_TOKEN"),
    (
        "package.json",
        "\"scripts\": {{ \"ship\": \"npm publish --//HOST/:_authToken=§\" }}",
        "//HOST/:_authToken",
    ),
    (
        "package.json",
        "\"scripts\": {{ \"ship\": \"npm config set //HOST/:_authToken § && npm publish\" }}",
        "//HOST/:_authToken",
    ),
    ("package.json", "\"scripts\": {{ \"ship\": \"NPM_TOKEN=§ npm publish\" }}", "NPM_TOKEN"),
];

const SHELL: &[Form] = &[
    ("a.sh", "export NPM_TOKEN=§", "NPM_TOKEN"),
    ("a.sh", "export NPM_TOKEN='§'", "NPM_TOKEN"),
    ("a.sh", "NPM_TOKEN=\"§\" npm publish", "NPM_TOKEN"),
    ("a.sh", "export NPM_TOKEN=\"${{NPM_TOKEN:-§}}\"", "NPM_TOKEN"),
    ("a.sh", "export NPM_TOKEN=${{NPM_TOKEN:=§}}", "NPM_TOKEN"),
    ("a.sh", "npm config set //HOST/:_authToken=§", "//HOST/:_authToken"),
    ("a.sh", "npm publish --//HOST/:_authToken=§", "//HOST/:_authToken"),
    ("a.sh", "npm_config_//HOST/:_authToken=§ npm ci", "npm_config_//HOST/:_authToken"),
    ("a.sh", "env 'npm_config_//HOST/:_authToken=§' npm ci", "npm_config_//HOST/:_authToken"),
    ("a.sh", "env 'pnpm_config_//HOST/:_authToken=§' pnpm i", "pnpm_config_//HOST/:_authToken"),
    ("a.fish", "set -x NPM_TOKEN §", "NPM_TOKEN"),
    ("a.fish", "set -gx NPM_TOKEN '§'", "NPM_TOKEN"),
    ("a.ps1", "$env:NPM_TOKEN = \"§\"", "NPM_TOKEN"),
    ("a.cmd", "set NPM_TOKEN=§", "NPM_TOKEN"),
    ("a.cmd", "setx NPM_TOKEN \"§\"", "NPM_TOKEN"),
    ("Makefile", "NPM_TOKEN := §", "NPM_TOKEN"),
    (".bash_history", "ls\nexport NPM_TOKEN=§\nls\n", "NPM_TOKEN"),
    (".zsh_history", ": 1790000000:0;export NPM_TOKEN=§\n", "NPM_TOKEN"),
    (".zsh_history", ": 1790000000:0;npm config set //HOST/:_authToken §\n", "//HOST/:_authToken"),
    (
        "fish_history",
        "- cmd: npm config set //HOST/:_authToken §\n  when: 1790000000\n",
        "//HOST/:_authToken",
    ),
    (
        "npm-debug.log",
        "1 verbose cli [ '/usr/bin/node', '/usr/bin/npm', 'set', '//HOST/:_authToken=§' ]",
        "//HOST/:_authToken",
    ),
    (
        "npm-debug.log",
        "1 verbose cli [ 'npm', 'config', 'set', '//HOST/:_authToken', '§' ]",
        "//HOST/:_authToken",
    ),
    (
        "_logs/debug-0.log",
        "1 verbose title npm config set //HOST/:_authToken §",
        "//HOST/:_authToken",
    ),
    (
        "_logs/debug-0.log",
        "2 verbose argv \"config\" \"set\" \"//HOST/:_authToken\" \"§\"",
        "//HOST/:_authToken",
    ),
    (
        "_logs/debug-0.log",
        "2 verbose argv \"publish\" \"--//HOST/:_authToken=§\"",
        "//HOST/:_authToken",
    ),
];

const REQUESTS: &[Form] = &[
    ("a.sh", "curl -H \"Authorization: Bearer §\" https://HOST/-/whoami", "Authorization"),
    ("a.sh", "curl https://HOST/-/whoami -H 'authorization: Bearer §'", "authorization"),
    (
        "a.sh",
        "curl -s \\\n  -H 'Authorization: Bearer §' \\\n  https://HOST/-/whoami",
        "Authorization",
    ),
    ("a.sh", "curl https://HOST/-/whoami \\\n  -H 'Authorization: Bearer §'", "Authorization"),
    ("a.sh", "curl --header=\"Authorization: Bearer §\" https://HOST/-/ping", "Authorization"),
    ("a.sh", "wget --header 'Authorization: Bearer §' https://HOST/-/ping", "Authorization"),
    (
        "capture.txt",
        "GET /-/whoami HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer §\r\n\r\n",
        "Authorization",
    ),
    (
        "capture.txt",
        "> GET /-/whoami HTTP/2\n> Host: HOST\n> authorization: Bearer §\n>\n",
        "authorization",
    ),
    (
        "answer.json",
        "{{\"ok\":true,\"id\":\"org.couchdb.user:bob\",\"rev\":\"1\",\"token\":\"§\"}}",
        "token",
    ),
];

/// A credential and what must be said of it.
struct Credential {
    template: &'static str,
    kind: &'static str,
    /// What it is worth at npm's own registry and elsewhere.
    states: (&'static str, &'static str),
    checksum: &'static str,
}

const fn value(
    template: &'static str,
    kind: &'static str,
    states: (&'static str, &'static str),
    checksum: &'static str,
) -> Credential {
    Credential { template, kind, states, checksum }
}

const NPM_TOKEN: Credential =
    value("npm_{alnum:30}{crc}", "npm-access-token", ("unknown", "unknown"), "valid");
const UUID: Credential = value("{uuid}", "npm-legacy-token", ("legacy-dead", "unknown"), "none");
const NEXUS: Credential =
    value("NpmToken.{uuid}", "npm-nexus-token", ("unknown", "unknown"), "none");
const JWT: Credential = value("{jwt}", "npm-registry-jwt", ("unknown", "unknown"), "none");
const OLD_JWT: Credential =
    value("{jwt:\"exp\":1600000000}", "npm-registry-jwt", ("expired", "expired"), "none");
const OPAQUE: Credential =
    value("{alnum:32}", "npm-registry-token", ("unknown", "unknown"), "none");
const HEX: Credential = value("{hex:40}", "npm-registry-token", ("unknown", "unknown"), "none");
const GITHUB: Credential =
    value("ghp_{alnum:30}{crc}", "github-pat-classic", ("unknown", "unknown"), "valid");
const GITLAB: Credential = value("glpat-{alnum:20}", "gitlab-pat", ("unknown", "unknown"), "none");
const JFROG: Credential =
    value("AKCp{alnum:69}", "artifactory-api-key", ("unknown", "unknown"), "none");

/// A file with one credential in it, and what must be said of it.
struct Case {
    path: String,
    text: Vec<u8>,
    secret: String,
    expected: BTreeMap<&'static str, Value>,
}

/// Writes all cases into one tree, each in a folder of its own, scans it once
/// and compares: what was found, where exactly, and that nothing else was.
fn check(cases: Vec<Case>) {
    let sandbox = Sandbox::new();
    for (at, case) in cases.iter().enumerate() {
        sandbox.write(format!("{at}/{}", case.path), &case.text);
    }
    let report = sandbox.report(["."]);
    let mut wrong = String::new();
    for (at, case) in cases.iter().enumerate() {
        let prefix = format!("{at}/");
        let here: Vec<&Value> = findings(&report)
            .iter()
            .filter(|f| f["locations"][0]["path"].as_str().unwrap().starts_with(&prefix))
            .collect();
        if let Err(why) = compare(case, &here) {
            let text = String::from_utf8_lossy(&case.text).replace(&case.secret, "§");
            writeln!(wrong, "{}: {text:?}\n    {why}", case.path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}{} cases", cases.len());
}

fn compare(case: &Case, found: &[&Value]) -> Result<(), String> {
    let [finding] = found else {
        let found: Vec<_> = found.iter().map(|f| (&f["rule"], &f["secret"])).collect();
        return Err(format!("not one finding but {found:?}"));
    };
    if finding["secret"] != *case.secret {
        return Err(format!("{} finds {}", finding["rule"], finding["secret"]));
    }
    let place = &finding["locations"][0];
    let offset = case.text.windows(case.secret.len()).position(|w| w == case.secret.as_bytes());
    let before = &case.text[..offset.unwrap()];
    let line = before.split(|&b| b == b'\n');
    let column = line.clone().next_back().unwrap().len() + 1;
    let mut expected = case.expected.clone();
    expected.insert("offset", before.len().into());
    expected.insert("line", line.count().into());
    expected.insert("column", column.into());
    expected.insert("length", case.secret.len().into());
    let wrong: Vec<String> = expected
        .iter()
        .map(|(&field, wanted)| (field, finding.get(field).unwrap_or(&place[field]), wanted))
        .filter(|(_, got, wanted)| got != wanted)
        .map(|(field, got, wanted)| format!("{field} {got}, not {wanted}"))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{}: {}", finding["rule"], wrong.join("; ")))
    }
}

/// A form with a credential in it, bound to `host`.
fn case(form: &Form, value: &Credential, host: &str, seed: u64) -> Case {
    let (path, template, variable) = form;
    let template = template.replace("HOST", host).replace('§', &format!("«{}»", value.template));
    let example = filled(&template, seed);
    let npms = host == NPM_REGISTRY;
    // A token of Nexus in a place that names no registry is not npm's own.
    let known = value.kind != NEXUS.kind || form.1.contains("HOST");
    let registry = if known { host.into() } else { Value::Null };
    let state = if npms { value.states.0 } else { value.states.1 };
    let expected = BTreeMap::from([
        ("kind", value.kind.into()),
        ("registry", registry),
        ("state", state.into()),
        ("checksum", value.checksum.into()),
        ("username", Value::Null),
        ("variable", variable.replace("HOST", host).into()),
    ]);
    let secret = String::from_utf8(example.secrets[0].clone()).unwrap();
    Case { path: (*path).to_owned(), text: example.text, secret, expected }
}

/// Every form with every value, at npm's own registry and at a foreign one.
fn cross(forms: &[Form], values: &[&Credential], foreign: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for form in forms {
        for value in values {
            for host in [NPM_REGISTRY, foreign] {
                if host == NPM_REGISTRY || form.1.contains("HOST") {
                    cases.push(case(form, value, host, cases.len() as u64));
                }
            }
        }
    }
    cases
}

/// The forms that name their registry.
fn bound(forms: &[Form]) -> Vec<Form> {
    forms.iter().filter(|form| form.1.contains("HOST")).copied().collect()
}

const TOKENS: &[&Credential] = &[&NPM_TOKEN, &UUID, &NEXUS, &JWT, &OLD_JWT];

#[test]
fn npmrc_in_every_spelling_gives_every_token() {
    check(cross(NPMRC, TOKENS, "npm.acme.example"));
}

#[test]
fn yarn_pnpm_and_bun_files_give_every_token() {
    check(cross(OTHER_MANAGERS, TOKENS, "npm.acme.example"));
}

#[test]
fn dockerfiles_manifests_and_pipelines_give_every_token() {
    check(cross(BUILDS, TOKENS, "npm.acme.example"));
}

#[test]
fn commands_histories_and_debug_logs_give_every_token() {
    check(cross(SHELL, TOKENS, "npm.acme.example"));
}

#[test]
fn requests_and_answers_give_npm_tokens_and_legacy_tokens() {
    check(cross(REQUESTS, &[&NPM_TOKEN, &UUID], "npm.acme.example"));
}

#[test]
fn values_without_a_form_are_found_where_a_key_names_their_registry() {
    for forms in [NPMRC, OTHER_MANAGERS, BUILDS, SHELL] {
        check(cross(&bound(forms), &[&OPAQUE, &HEX], "npm.cloudsmith.example"));
    }
}

#[test]
fn tokens_of_other_issuers_are_bound_to_the_registry_of_their_slot() {
    for (value, host) in [
        (&GITHUB, "npm.pkg.github.com"),
        (&GITLAB, "gitlab.acme.example"),
        (&JFROG, "acme.jfrog.io"),
    ] {
        for forms in [NPMRC, OTHER_MANAGERS, BUILDS, SHELL] {
            check(cross(&bound(forms), &[value], host));
        }
    }
}

/// What each registry's own manual has its users write: template, kind, host,
/// user, state.
const REGISTRIES: &[(&str, &str, &str, Option<&str>, &str)] = &[
    (
        "@acme:registry=https://npm.pkg.github.com\n//npm.pkg.github.com/:_authToken=«ghp_{alnum:30}{crc}»",
        "github-pat-classic",
        "npm.pkg.github.com",
        None,
        "unknown",
    ),
    (
        "//npm.pkg.github.com/:_authToken=«github_pat_{alnum:22}_{alnum:59}»",
        "github-pat-fine-grained",
        "npm.pkg.github.com",
        None,
        "unknown",
    ),
    (
        "//npm.pkg.github.com/:_authToken=«ghs_{alnum:30}{crc}»",
        "github-server-token",
        "npm.pkg.github.com",
        None,
        "short-lived",
    ),
    (
        "//gitlab.com/api/v4/projects/42/packages/npm/:_authToken=\"«glpat-{alnum:20}»\"",
        "gitlab-pat",
        "gitlab.com",
        None,
        "unknown",
    ),
    (
        "//gitlab.acme.example/api/v4/packages/npm/:_authToken=«gldt-{alnum:20}»",
        "gitlab-deploy-token",
        "gitlab.acme.example",
        None,
        "unknown",
    ),
    (
        "//acme.jfrog.io/artifactory/api/npm/npm/:_auth=«{base64:bob:AKCp{alnum:69}}»",
        "npm-basic-auth",
        "acme.jfrog.io",
        Some("bob"),
        "unknown",
    ),
    (
        "//acme.jfrog.io/artifactory/api/npm/npm/:_authToken=«AKCp{alnum:69}»",
        "artifactory-api-key",
        "acme.jfrog.io",
        None,
        "unknown",
    ),
    (
        "//acme.jfrog.io/artifactory/api/npm/npm/:_authToken=«{jwt:\"exp\":1600000000}»",
        "npm-registry-jwt",
        "acme.jfrog.io",
        None,
        "expired",
    ),
    (
        "; begin auth token\n//pkgs.dev.azure.com/o/_packaging/f/npm/registry/:username=o\n//pkgs.dev.azure.com/o/_packaging/f/npm/registry/:_password=«{base64:{lowernum:52}}»\n//pkgs.dev.azure.com/o/_packaging/f/npm/registry/:email=any\n",
        "npm-password",
        "pkgs.dev.azure.com",
        Some("o"),
        "unknown",
    ),
    (
        "//d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/npm/r/:_authToken=«eyJ2ZXIiOjEsImlhdCI6MTYwMDAwMDAwMH0{b64url:300}»",
        "npm-registry-token",
        "d-123456789012.d.codeartifact.eu-west-1.amazonaws.com",
        None,
        "short-lived",
    ),
    (
        "//npm.cloudsmith.io/acme/repo/:_authToken=«{hex:40}»",
        "npm-registry-token",
        "npm.cloudsmith.io",
        None,
        "unknown",
    ),
    (
        "//npm.fury.io/acme/:_authToken=«{alnum:20}»",
        "npm-registry-token",
        "npm.fury.io",
        None,
        "unknown",
    ),
    (
        "//nexus.acme.example/repository/npm/:_authToken=«NpmToken.{uuid}»",
        "npm-nexus-token",
        "nexus.acme.example",
        None,
        "unknown",
    ),
    (
        "//localhost:4873/:_authToken=\"«{base64:{hex:32}:{hex:48}}»\"",
        "npm-verdaccio-token",
        "localhost",
        None,
        "unknown",
    ),
    (
        "//www.myget.org/F/acme/npm/:_authToken=«{uuid}»",
        "npm-legacy-token",
        "www.myget.org",
        None,
        "unknown",
    ),
];

#[test]
fn credentials_of_every_known_registry_are_told_apart_by_form_and_host() {
    let mut cases = Vec::new();
    for (at, &(template, kind, host, user, state)) in REGISTRIES.iter().enumerate() {
        let example = filled(template, at as u64);
        let expected = BTreeMap::from([
            ("kind", kind.into()),
            ("registry", host.into()),
            ("username", user.into()),
            ("state", state.into()),
        ]);
        let secret = String::from_utf8(example.secrets[0].clone()).unwrap();
        cases.push(Case { path: ".npmrc".to_owned(), text: example.text, secret, expected });
    }
    check(cases);
}

#[test]
fn each_token_is_bound_to_the_registry_of_its_own_block() {
    let blocks = [
        (
            ".yarnrc.yml",
            "npmScopes:\n  a:\n    npmRegistryServer: https://a.example\n    npmAuthToken: §a\n  b:\n    npmAuthToken: §b\n    npmRegistryServer: https://b.example\n\nnpmAuthToken: §c\nnpmRegistryServer: https://c.example\n",
        ),
        (
            ".yarnrc.yml",
            "npmRegistries:\n  //a.example:\n    npmAuthToken: §a\n\n  //b.example:\n    npmAuthToken: §b\nnpmRegistryServer: https://c.example\nnpmScopes:\n  c:\n    npmAuthToken: §c\n",
        ),
        (
            ".yarnrc.yml",
            "npmScopes:\n  a:\n    npmRegistryServer: https://a.example\n    npmAuthToken: §a\n  b:\n    npmRegistryServer: https://b.example\n    npmAuthToken: §b\nnpmAuthToken: §n\n",
        ),
        (
            "bunfig.toml",
            "[install]\nregistry = { token = \"§c\", url = \"https://c.example\" }\n[install.scopes]\na = { url = \"https://a.example\", token = \"§a\" }\nb = { token = \"§b\", url = \"https://b.example\" }\n",
        ),
        (
            ".npmrc",
            "registry=https://c.example/\n@a:registry=https://a.example/\n//a.example/:_authToken=§a\n//b.example/:_authToken=§b\n_authToken=§c\n",
        ),
        (
            "environ",
            "PNPM_CONFIG__AUTH={\"https://a.example/\":{\"@\":{\"authToken\":\"§a\"}},\"https://b.example/\":{\"@\":{\"authToken\":\"§b\"},\"@x\":{\"authToken\":\"§c\"}}}",
        ),
    ];
    for (at, (path, text)) in blocks.iter().enumerate() {
        let sandbox = Sandbox::new();
        let seed = at as u64 * 1000;
        let tokens = ["a", "b", "c", "n"].map(|name| {
            let token = common::secret("{uuid}", seed + u64::from(name.as_bytes()[0]));
            (name, token)
        });
        let filled = tokens.iter().fold((*text).to_owned(), |text, (name, token)| {
            text.replace(&format!("§{name}"), token)
        });
        sandbox.write(path, filled);
        let report = sandbox.report(["."]);
        for (name, token) in &tokens {
            if !text.contains(&format!("§{name}")) {
                continue;
            }
            let finding = findings(&report).iter().find(|f| f["secret"] == **token);
            let finding = finding.unwrap_or_else(|| panic!("no {name} in {text}"));
            let host = match *name {
                "n" => NPM_REGISTRY.to_owned(),
                "c" if *path == "environ" => "b.example".to_owned(),
                name => format!("{name}.example"),
            };
            assert_eq!(finding["registry"], host, "{text}");
        }
    }
}

// ---- User names and passwords ----------------------------------------------------

/// A place for a login of `bob`: path, template, kind, variable. `HOST` stands
/// for the registry, `§pw` for the password, `§b64` for its base64, `§auth` for
/// that of both.
type Login = (&'static str, &'static str, &'static str, &'static str);

const AUTH: &str = "«{base64:bob:{alnum:14}}»";
const ENCODED: &str = "«{base64:{alnum:16}}»";
const PASSWORD: &str = "«{alnum:14}»";

const LOGINS: &[Login] = &[
    (".npmrc", "//HOST/:_auth=§auth", "npm-basic-auth", "//HOST/:_auth"),
    (
        ".npmrc",
        "//HOST/artifactory/api/npm/npm/:_auth = \"§auth\"",
        "npm-basic-auth",
        "//HOST/artifactory/api/npm/npm/:_auth",
    ),
    (".npmrc", "# //HOST/:_auth=§auth", "npm-basic-auth", "//HOST/:_auth"),
    (".npmrc", "//HOST/:_auth=${{AUTH:-§auth}}", "npm-basic-auth", "//HOST/:_auth"),
    (
        ".npmrc",
        "registry=https://HOST/\n_auth=§auth\nemail=bob@b.example",
        "npm-basic-auth",
        "_auth",
    ),
    (
        ".npmrc",
        "registry=https://HOST/\nalways-auth=true\n_auth = §auth",
        "npm-basic-auth",
        "_auth",
    ),
    (".npmrc", "//HOST/:username=bob\n//HOST/:_password=§b64", "npm-password", "//HOST/:_password"),
    (
        ".npmrc",
        "//HOST/:_password=\"§b64\"\n//HOST/:username=bob\n",
        "npm-password",
        "//HOST/:_password",
    ),
    (
        ".npmrc",
        "//HOST/_packaging/f/npm/registry/:username=bob\n//HOST/_packaging/f/npm/registry/:_password=§b64\n//HOST/_packaging/f/npm/registry/:email=x",
        "npm-password",
        "//HOST/_packaging/f/npm/registry/:_password",
    ),
    (".npmrc", "registry=https://HOST/\nusername=bob\n_password=§b64", "npm-password", "_password"),
    (".npmrc", "registry=https://bob:§pw@HOST/", "npm-url-credentials", "registry"),
    (".npmrc", "@a:registry=https://bob:§pw@HOST/npm/", "npm-url-credentials", "@a:registry"),
    (".config/pnpm/auth.ini", "//HOST/:_auth=§auth", "npm-basic-auth", "//HOST/:_auth"),
    (".yarnrc", "registry \"https://bob:§pw@HOST/\"", "npm-url-credentials", "registry"),
    (
        ".yarnrc.yml",
        "npmRegistryServer: https://HOST\nnpmAuthIdent: \"bob:§pw\"",
        "npm-basic-auth",
        "npmAuthIdent",
    ),
    (
        ".yarnrc.yml",
        "npmRegistryServer: https://HOST\nnpmAuthIdent: §auth",
        "npm-basic-auth",
        "npmAuthIdent",
    ),
    (
        ".yarnrc.yml",
        "npmRegistries:\n  \"//HOST\":\n    npmAuthIdent: bob:§pw",
        "npm-basic-auth",
        "npmAuthIdent",
    ),
    (
        ".yarnrc.yml",
        "npmScopes:\n  a:\n    npmRegistryServer: https://HOST\n    npmAuthIdent: \"${{IDENT:-bob:§pw}}\"",
        "npm-basic-auth",
        "npmAuthIdent",
    ),
    (
        ".yarnrc.yml",
        "npmRegistryServer: \"https://bob:§pw@HOST\"",
        "npm-url-credentials",
        "npmRegistryServer",
    ),
    (
        "bunfig.toml",
        "[install]\nregistry = \"https://bob:§pw@HOST/\"",
        "npm-url-credentials",
        "registry",
    ),
    (
        "bunfig.toml",
        "[install.scopes]\n\"@a\" = \"https://bob:§pw@HOST/\"",
        "npm-url-credentials",
        "@a",
    ),
    (
        "bunfig.toml",
        "[install]\nregistry = {{ url = \"https://HOST/\", username = \"bob\", password = \"§pw\" }}",
        "npm-password",
        "password",
    ),
    (
        "bunfig.toml",
        "[install.scopes]\na = {{ username = \"bob\", password = \"§pw\", url = \"https://HOST/\" }}",
        "npm-password",
        "password",
    ),
    (
        "bunfig.toml",
        "[install.registry]\nurl = \"https://HOST/\"\nusername = \"bob\"\npassword = \"§pw\"",
        "npm-password",
        "password",
    ),
    (".netrc", "machine HOST login bob password §pw", "npm-netrc-password", "password"),
    ("_netrc", "machine HOST\n\tlogin bob\n\tpassword §pw\n", "npm-netrc-password", "password"),
    (
        ".netrc",
        "machine x.example login al password $P\nmachine HOST\n  login bob\n  password §pw",
        "npm-netrc-password",
        "password",
    ),
    (
        "environ",
        "npm_config_registry=https://HOST/\0NPM_CONFIG__AUTH=§auth\0",
        "npm-basic-auth",
        "NPM_CONFIG__AUTH",
    ),
    ("environ", "npm_config_//HOST/:_auth=§auth\0", "npm-basic-auth", "npm_config_//HOST/:_auth"),
    (
        "environ",
        "npm_config_registry=https://HOST/\0npm_config_username=bob\0npm_config__password=§b64\0",
        "npm-password",
        "npm_config__password",
    ),
    (
        "environ",
        "YARN_NPM_REGISTRY_SERVER=https://HOST\0YARN_NPM_AUTH_IDENT=bob:§pw\0",
        "npm-basic-auth",
        "YARN_NPM_AUTH_IDENT",
    ),
    (
        "a.env",
        "NPM_CONFIG_REGISTRY=https://HOST/\nNPM_USER=bob\nNPM_PASS=§pw",
        "npm-password",
        "NPM_PASS",
    ),
    (
        "package-lock.json",
        "\"resolved\": \"https://bob:§pw@HOST/a/-/a-1.0.0.tgz\",",
        "npm-url-credentials",
        "resolved",
    ),
    (
        "yarn.lock",
        "a@^1:\n  version \"1.0.0\"\n  resolved \"https://bob:§pw@HOST/a/-/a-1.0.0.tgz#{hex:40}\"",
        "npm-url-credentials",
        "resolved",
    ),
    (
        "npm-shrinkwrap.json",
        "{{\"a\":{{\"version\":\"1.0.0\",\"resolved\":\"https://bob:§pw@HOST/a/-/a.tgz\"}}}}",
        "npm-url-credentials",
        "resolved",
    ),
    (
        "package.json",
        "\"publishConfig\": {{ \"registry\": \"https://bob:§pw@HOST/\" }}",
        "npm-url-credentials",
        "registry",
    ),
    (
        "package.json",
        "\"_resolved\": \"https://bob:§pw@HOST/a/-/a-1.0.0.tgz\"",
        "npm-url-credentials",
        "_resolved",
    ),
    (
        "lerna.json",
        "{{\"command\":{{\"publish\":{{\"registry\":\"https://bob:§pw@HOST/\"}}}}}}",
        "npm-url-credentials",
        "registry",
    ),
    ("a.sh", "npm config set registry https://bob:§pw@HOST/", "npm-url-credentials", "registry"),
    ("a.sh", "npm ci --registry=https://bob:§pw@HOST/", "npm-url-credentials", "registry"),
    ("a.sh", "curl -u bob:§pw https://HOST/-/npm/v1/user", "npm-basic-auth", ""),
    ("a.sh", "curl -s --user 'bob:§pw' https://HOST/-/whoami", "npm-basic-auth", ""),
    (
        "a.sh",
        "curl -H 'Authorization: Basic §auth' https://HOST/-/whoami",
        "npm-basic-auth",
        "Authorization",
    ),
    (
        "a.sh",
        "curl -H 'Authorization: Basic §auth' \\\n  https://HOST/-/whoami",
        "npm-basic-auth",
        "Authorization",
    ),
    (
        "capture.txt",
        "GET /-/whoami HTTP/1.1\r\nHost: HOST\r\nAuthorization: Basic §auth\r\n",
        "npm-basic-auth",
        "Authorization",
    ),
];

#[test]
fn logins_are_found_with_user_and_registry() {
    let mut cases = Vec::new();
    for &(path, template, kind, variable) in LOGINS {
        for host in [NPM_REGISTRY, "npm.acme.example"] {
            let template = template
                .replace("§auth", AUTH)
                .replace("§b64", ENCODED)
                .replace("§pw", PASSWORD)
                .replace("HOST", host);
            let example = filled(&template, cases.len() as u64);
            let mut expected = BTreeMap::from([
                ("kind", kind.into()),
                ("registry", host.into()),
                ("username", "bob".into()),
                ("state", "unknown".into()),
            ]);
            if !variable.is_empty() {
                expected.insert("variable", variable.replace("HOST", host).into());
            }
            let secret = String::from_utf8(example.secrets[0].clone()).unwrap();
            cases.push(Case { path: path.to_owned(), text: example.text, secret, expected });
        }
    }
    check(cases);
}

#[test]
fn the_body_of_a_login_gives_the_password_and_its_answer_the_token() {
    let sandbox = Sandbox::new();
    let example = filled(
        "PUT /-/user/org.couchdb.user:bob HTTP/1.1\n\n{{\"_id\":\"org.couchdb.user:bob\",\"name\":\"bob\",\"password\":\"«{alnum:14}»\",\"type\":\"user\"}}\n\nHTTP/1.1 201 Created\n\n{{\"ok\":true,\"id\":\"org.couchdb.user:bob\",\"token\":\"«{uuid}»\"}}\n",
        1,
    );
    sandbox.write("capture.txt", &example.text);
    let report = sandbox.report(["."]);
    let mut expected: Vec<&[u8]> = example.secrets.iter().map(Vec::as_slice).collect();
    expected.sort_unstable();
    let found: Vec<&[u8]> = common::secrets(&report).into_iter().map(str::as_bytes).collect();
    assert_eq!(found, expected);
}

// ---- What is no leak -------------------------------------------------------------

/// What is no leak; `36x` stands for as many of them.
const NO_LEAKS: &[&str] = &[
    "${NPM_TOKEN}",
    "${NPM_TOKEN?}",
    "${NPM_TOKEN:-}",
    "${NPM_TOKEN-}",
    "$NPM_TOKEN",
    "$(NPM_TOKEN)",
    "%NPM_TOKEN%",
    "${{ secrets.NPM_TOKEN }}",
    "<token>",
    "<YOUR_TOKEN>",
    "XXXXX-XXXXX-XXXXX-XXXXX",
    "npm_36x",
    "npm_36X",
    "npm_aBcD...7890",
    "npm_${SUFFIX}",
    "(protected)",
    "npm_***",
    "***",
    "********",
    "[REDACTED]",
    "00000000-0000-0000-0000-000000000000",
    "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    "npm_config_user_agent",
    "npm_package_json_dependencies_left_pad",
    "npm_lifecycle_script",
    "npm_execpath",
    "",
];

#[test]
fn interpolations_placeholders_and_redacted_values_are_reported_in_no_form() {
    let sandbox = Sandbox::new();
    let tokens = [NPMRC, OTHER_MANAGERS, BUILDS, SHELL, REQUESTS].concat();
    let logins = LOGINS.iter().map(|&(path, template, ..)| (path, template, true));
    let tokens = tokens.iter().map(|&(path, template, _)| (path, template, false));
    for (at, (path, template, login)) in tokens.chain(logins).enumerate() {
        for (n, value) in NO_LEAKS.iter().enumerate() {
            let value = &value.replace("36x", &"x".repeat(36)).replace("36X", &"X".repeat(36));
            // The name of a variable is no token, but may be a password.
            if login && value.starts_with("npm_") && !value.contains(['$', '.', '*']) {
                continue;
            }
            let template = template.replace("HOST", NPM_REGISTRY).replace("{hex:40}", "");
            let mut text = template.replace("{{", "{").replace("}}", "}");
            for place in ["§auth", "§b64", "§pw", "§"] {
                text = text.replace(place, value);
            }
            sandbox.write(format!("{at}/{n}/{path}"), text);
        }
    }
    let report = sandbox.report(["."]);
    let wrong: Vec<String> = findings(&report)
        .iter()
        .map(|finding| {
            let path = finding["locations"][0]["path"].as_str().unwrap();
            let text = std::fs::read_to_string(sandbox.path(path)).unwrap();
            format!("{} {} in {text:?}", finding["rule"], finding["secret"])
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn names_of_npms_own_variables_and_hashes_of_passwords_are_no_leaks() {
    let sandbox = Sandbox::new();
    let text = "npm_config_cache=/home/bob/.npm\nnpm_config_globalconfig=/usr/etc/npmrc\n\
        npm_package_version=1.0.0\nnpm_lifecycle_event=postinstall\nnpm_config_noproxy=\n\
        npm_execpath=/usr/lib/node_modules/npm/bin/npm-cli.js\nNPM_CONFIG_OTP=123456\n\
        npm_config_user_agent=npm/11.4.2 node/v24.1.0 linux x64 workspaces/false\n";
    sandbox.write("environ", text);
    let hash = filled("bob:$2y$10${b64:53}:autocreated 2026-01-01T00:00:00.000Z\n", 1);
    sandbox.write("htpasswd", hash.text);
    assert_eq!(findings(&sandbox.report(["."])), &[] as &[Value]);
}
