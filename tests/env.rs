//! Dumps of an environment, in every form in which one is printed or kept: the
//! name of the variable is found and is context for what its value is.

mod common;

use common::{Sandbox, filled, findings};
use serde_json::Value;
use tokensweep::model::NPM_REGISTRY;

/// Scans a text and returns its one finding; `§` in the template stands for a
/// UUID, which only the name of its variable makes a token.
#[track_caller]
fn only(name: &str, template: &str) -> (Value, String) {
    let sandbox = Sandbox::new();
    let example = filled(&template.replace('§', "«{uuid}»"), 7);
    sandbox.write(name, &example.text);
    let report = sandbox.report(["."]);
    let [finding] = findings(&report) else {
        let text = String::from_utf8_lossy(&example.text);
        panic!("not one finding but {} in {text:?}", findings(&report).len())
    };
    (finding.clone(), String::from_utf8(example.secrets[0].clone()).unwrap())
}

/// Asserts that the value is found as npm's, under its variable.
#[track_caller]
fn holds(name: &str, template: &str, variable: &str) {
    let (finding, secret) = only(name, template);
    assert_eq!(finding["secret"], *secret);
    assert_eq!(finding["locations"][0]["variable"], variable, "{template:?}");
    assert_eq!(finding["kind"], "npm-legacy-token", "{template:?}");
    assert_eq!(finding["registry"], NPM_REGISTRY);
    assert_eq!(finding["state"], "legacy-dead");
}

#[test]
fn env_and_printenv() {
    holds("env.txt", "HOME=/root\nNPM_TOKEN=§\nPATH=/bin\n", "NPM_TOKEN");
    holds("env.txt", "A=1\nNODE_AUTH_TOKEN=§", "NODE_AUTH_TOKEN");
    holds("env.txt", "npm_config__authToken=§\n", "npm_config__authToken");
    holds("env.txt", "NPM_CONFIG__AUTHTOKEN=§\n", "NPM_CONFIG__AUTHTOKEN");
    holds(
        "env.txt",
        "npm_config_//{npm}/:_authToken=§\n",
        "npm_config_//{npm}/:_authToken".replace("{npm}", NPM_REGISTRY).as_str(),
    );
}

#[test]
fn every_conventional_variable_makes_a_uuid_a_token() {
    for name in [
        "NPM_TOKEN",
        "NODE_AUTH_TOKEN",
        "NPM_AUTH_TOKEN",
        "NPM_ACCESS_TOKEN",
        "NPM_PUBLISH_TOKEN",
        "NPM_API_TOKEN",
        "NPM_CONFIG_TOKEN",
        "BUN_CONFIG_TOKEN",
        "BUN_AUTH_TOKEN",
        "YARN_NPM_AUTH_TOKEN",
        "CI_NPM_TOKEN",
    ] {
        holds("env.txt", &format!("A=b\n{name}=§\n"), name);
    }
}

#[test]
fn set_and_export_of_shells() {
    holds("set.txt", "IFS=$' \\t\\n'\nNPM_TOKEN=§\nPS4='+ '\n", "NPM_TOKEN");
    holds("set.txt", "NPM_TOKEN='§'\n", "NPM_TOKEN");
    holds("export.txt", "export HOME='/root'\nexport NPM_TOKEN='§'\n", "NPM_TOKEN");
    holds("export.txt", "declare -x HOME=\"/root\"\ndeclare -x NPM_TOKEN=\"§\"\n", "NPM_TOKEN");
    holds("export.txt", "typeset -x NPM_TOKEN=§\n", "NPM_TOKEN");
    holds("fish.txt", "HOME /root\nNPM_TOKEN '§'\n", "NPM_TOKEN");
}

#[test]
fn powershell_listings() {
    let table = "Name                           Value\n----                           -----\n\
        HOME                           /root\nNPM_TOKEN                      §\n";
    holds("listing.txt", table, "NPM_TOKEN");
    holds("listing.txt", "\r\nName  : NPM_TOKEN\r\nValue : §\r\n\r\n", "NPM_TOKEN");
    holds("listing.txt", "Key   : NPM_TOKEN\r\nValue : §\r\nName  : NPM_TOKEN\r\n", "NPM_TOKEN");
}

#[test]
fn dotenv_files() {
    for line in
        ["NPM_TOKEN=§", "NPM_TOKEN=\"§\"", "export NPM_TOKEN='§'", "NPM_TOKEN = §", "#NPM_TOKEN=§"]
    {
        holds(".env", &format!("# ours\nA=b\n{line}\nC=d\n"), "NPM_TOKEN");
    }
    holds(".env.local", "NPM_TOKEN=§ # of the build\r\n", "NPM_TOKEN");
}

#[test]
fn the_environ_of_a_process() {
    holds("environ", "HOME=/root{nul}NPM_TOKEN=§{nul}PATH=/bin{nul}", "NPM_TOKEN");
    holds("environ", "NPM_TOKEN=§", "NPM_TOKEN");
    holds("environ", "A=1{nul}NPM_TOKEN=§", "NPM_TOKEN");
    let (finding, _) = only("environ", "HOME=/root{nul}NPM_TOKEN=§{nul}PATH=/bin{nul}");
    assert_eq!(finding["locations"][0]["offset"], "HOME=/root\0NPM_TOKEN=".len());
}

#[test]
fn maps_in_json_and_yaml() {
    holds("env.json", "{{\"HOME\":\"/root\",\"NPM_TOKEN\":\"§\",\"PATH\":\"/bin\"}}", "NPM_TOKEN");
    holds("env.json", "{{\n  \"HOME\": \"/root\",\n  \"NPM_TOKEN\": \"§\"\n}}", "NPM_TOKEN");
    holds("env.json", "\"{{\\\"NPM_TOKEN\\\":\\\"§\\\"}}\"", "NPM_TOKEN");
    holds("env.json", "{{\"NPM_TOKEN\":{{\"value\":\"§\",\"isSecret\":true}}}}", "NPM_TOKEN");
    holds("env.json", "[{{\"name\":\"NPM_TOKEN\",\"value\":\"§\"}}]", "NPM_TOKEN");
    holds("env.yaml", "env:\n  HOME: /root\n  NPM_TOKEN: §\n", "NPM_TOKEN");
}

#[test]
fn arrays_of_docker() {
    let pretty = "\"Env\": [\n    \"PATH=/bin\",\n    \"NPM_TOKEN=§\"\n]";
    holds("inspect.json", pretty, "NPM_TOKEN");
    holds("inspect.json", "\"Env\":[\"NPM_TOKEN=§\",\"PATH=/bin\"]", "NPM_TOKEN");
    holds("inspect.txt", "[PATH=/bin NPM_TOKEN=§ NODE_VERSION=24]", "NPM_TOKEN");
}

#[test]
fn lines_of_ps() {
    let line = "  42 ?  Ss  0:01 node server.js HOME=/root NPM_TOKEN=§ PATH=/bin LANG=C\n";
    holds("ps.txt", line, "NPM_TOKEN");
}

#[test]
fn logs_with_timestamps_and_colours() {
    holds("ci.log", "2026-11-20T10:00:00.1234567Z   NPM_TOKEN: §\n", "NPM_TOKEN");
    holds("ci.log", "build\tRun npm ci\t2026-11-20T10:00:00.1Z NPM_TOKEN=§\n", "NPM_TOKEN");
    holds("ci.log", "{esc}[36;1mNPM_TOKEN{esc}[0m={esc}[32m§{esc}[0m\n", "NPM_TOKEN");
    holds("ci.log", "[10:00:00] {esc}[0KNPM_TOKEN=§{esc}[0K\r\n", "NPM_TOKEN");
    holds("ci.log", "2026-11-20T10:00:00Z {esc}[32;1m$ export NPM_TOKEN=§{esc}[0;m\n", "NPM_TOKEN");
}

#[test]
fn the_date_of_a_log_says_that_a_token_that_could_write_is_over() {
    let sandbox = Sandbox::new();
    let log = |date: &str, seed| {
        format!("job\tstep\t{date}T10:00:00.1234567Z   NPM_TOKEN: {}\n", common::npm_token(seed))
    };
    sandbox.write("old.log", log("2025-06-01", 1));
    sandbox.write("older.log", log("2022-06-01", 2));
    sandbox.write("2025-06-01T10_00_00_000Z-debug-0.log", common::npm_token(3));
    sandbox.write("undated.log", common::npm_token(4));
    let report = sandbox.report(["."]);
    for finding in findings(&report) {
        let dated = finding["locations"][0]["path"] != "undated.log";
        let (state, words) = (&finding["state"], finding["worth"].as_str().unwrap());
        assert_eq!(*state, if dated { "write-expired" } else { "unknown" }, "{words}");
        assert_eq!(words.contains("read-only granular token may live on"), dated, "{words}");
    }
    assert_eq!(findings(&report).len(), 4);
}

#[test]
fn the_registry_of_a_dump_is_the_one_that_it_names() {
    for line in [
        "npm_config_registry=https://npm.acme.example/",
        "YARN_NPM_REGISTRY_SERVER=https://npm.acme.example",
    ] {
        for dump in [format!("NPM_TOKEN=§\n{line}\n"), format!("{line}\nA=b\nNPM_TOKEN=§\n")] {
            for dump in [dump.clone(), dump.replace('\n', "{nul}")] {
                let (finding, _) = only("dump", &dump);
                assert_eq!(finding["registry"], "npm.acme.example", "{dump:?}");
                assert_eq!(finding["state"], "unknown");
            }
        }
    }
}

#[test]
fn a_uuid_under_another_name_is_no_token() {
    let sandbox = Sandbox::new();
    let text = "SESSION_ID={uuid}\nTOKEN={uuid}\nnpm_config_cache_id={uuid}\nNPM_VERSION_ID={uuid}\n{{\"id\":\"{uuid}\"}}\n";
    sandbox.write("env.txt", filled(text, 1).text);
    assert_eq!(findings(&sandbox.report(["."])), &[] as &[Value]);
}

#[test]
fn standard_input_takes_a_dump_as_a_file_does() {
    let sandbox = Sandbox::new();
    let example = filled("HOME=/root\nNPM_TOKEN=«{uuid}»\n", 1);
    let call = sandbox.call(["scan", "-f", "json", "-"]).stdin(example.text);
    let report = call.run().exits(1).json();
    assert_eq!(findings(&report)[0]["locations"][0]["variable"], "NPM_TOKEN");
}
