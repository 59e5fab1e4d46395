//! Checks and compiles the shipped rules once, so that the binary does not do
//! it at every start: parsing and deriving them takes longer than a scan of a
//! small commit.

use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/model"]
mod model {
    mod grade;
    pub use grade::{Confidence, Mask, Severity};
}
#[path = "src/rules"]
mod rules {
    #[allow(dead_code, reason = "the binary reads with it, the build only checks")]
    pub mod check;
    pub mod compile;
    pub mod derive;
    pub mod fragments;
    pub mod spec;
}

fn main() {
    println!("cargo::rerun-if-changed=patterns");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/model/grade.rs");
    for file in ["check", "compile", "derive", "fragments", "spec"] {
        println!("cargo::rerun-if-changed=src/rules/{file}.rs");
    }
    if let Err(why) = run() {
        println!("cargo::error={}", why.replace('\n', " "));
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let mut compiled = Vec::new();
    let mut checks = Vec::new();
    let mut sources = String::from("&[\n");
    for path in rule_files()? {
        let text = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let file: rules::spec::FileSpec =
            toml::from_str(&text).map_err(|why| format!("{}: {why}", path.display()))?;
        rules::check::verify_all(&file.checks, &file.kinds())
            .map_err(|why| format!("{}: {why}", path.display()))?;
        for mut check in file.checks {
            check.references.clear();
            checks.push(check);
        }
        for spec in file.rules {
            let mut rule = rules::compile::compile(&file.issuer, spec)
                .map_err(|why| format!("{}: {why}", path.display()))?;
            // What only people and tests read is read from the text when it is wanted.
            rule.spec.examples.clear();
            rule.spec.counter_examples.clear();
            rule.spec.references.clear();
            rule.spec.pattern.clear();
            compiled.push(rule);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let full = fs::canonicalize(&path).map_err(|why| why.to_string())?;
        sources.push_str(&format!("({name:?}, include_str!({full:?})),\n"));
    }
    sources.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    let bytes = postcard::to_allocvec(&compiled).map_err(|why| why.to_string())?;
    fs::write(out.join("rules.bin"), bytes).map_err(|why| why.to_string())?;
    let bytes = postcard::to_allocvec(&checks).map_err(|why| why.to_string())?;
    fs::write(out.join("checks.bin"), bytes).map_err(|why| why.to_string())?;
    fs::write(out.join("rule_files.rs"), sources).map_err(|why| why.to_string())
}

fn rule_files() -> Result<Vec<PathBuf>, String> {
    let folder = Path::new("patterns");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|why| format!("patterns: {why}"))? {
        let path = entry.map_err(|why| why.to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
