//! The examples of a rule file, filled in and ready to be scanned.

use super::example::{Example, fill};
use super::spec::FileSpec;
use crate::error::{Error, Result};

/// One example or counter-example of a rule.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The rule's id.
    pub rule: String,
    /// True if the rule must find its secret here, false if it must not.
    pub must_find: bool,
    /// The template, as written.
    pub template: String,
    /// A path that the rule accepts.
    pub path: String,
    /// The template filled in.
    pub example: Example,
}

/// All examples of a rule file.
///
/// # Errors
/// A file that is no valid rule file, or a template that is none.
pub fn trials(name: &str, text: &str) -> Result<Vec<Trial>> {
    let file: FileSpec = toml::from_str(text)
        .map_err(|why| Error::new(format!("{name} is not a valid rule file: {why}")))?;
    let mut trials = Vec::new();
    for rule in &file.rules {
        let path =
            rule.context.paths.first().map_or("sample.txt".to_owned(), |glob| path_for(glob));
        let good = rule.examples.iter().map(|template| (template, true));
        let bad = rule.counter_examples.iter().map(|template| (template, false));
        for (at, (template, must_find)) in good.chain(bad).enumerate() {
            let seed = u64::from(crc32fast::hash(rule.id.as_bytes())) << 8 | at as u64;
            let example = fill(template, seed).map_err(|why| {
                Error::new(format!("{name}: rule {:?}: example {template:?}: {why}", rule.id))
            })?;
            trials.push(Trial {
                rule: rule.id.clone(),
                must_find,
                template: template.clone(),
                path: path.clone(),
                example,
            });
        }
    }
    Ok(trials)
}

/// A path that a glob matches, for the usual globs.
fn path_for(glob: &str) -> String {
    let first = glob.split(['{', ',']).next().unwrap_or(glob);
    first.replace("**/", "dir/").replace('*', "sample").replace('?', "x")
}
