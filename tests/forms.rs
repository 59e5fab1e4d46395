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
