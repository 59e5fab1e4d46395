//! `yarn.lock` of yarn 2 and later: YAML whose keys are the wishes, such as
//! `"a@npm:^1.0.0, a@npm:~1.2.0"`, and whose `resolution` names the package.

use std::collections::HashMap;

use super::graph::{Builder, Lock};
use super::split_at_sign;
use super::yaml::{self, Map, Value};

pub(super) fn is_berry(text: &str) -> bool {
    text.starts_with("__metadata:") || text.contains("\n__metadata:")
}

pub(super) fn read(text: &str) -> Result<Lock, String> {
    let documents = yaml::documents(text)?;
    let mut builder = Builder::default();
    let mut links = Links::default();
    let mut blocks = Vec::new();
    for (key, value) in documents.iter().flat_map(|map| &map.0) {
        let Value::Map(block) = value else {
            builder.leave_out(|| "a package that says nothing".into());
            continue;
        };
        if key == "__metadata" {
            continue;
        }
        let Some(number) = add(block, &mut builder) else {
            builder.leave_out(|| "a package without name or version".into());
            continue;
        };
        links.add(key, number, block);
        blocks.push((block, number));
    }
    for (block, number) in blocks {
        for (name, range) in block.pairs("dependencies") {
            let Value::Text(range) = range else { continue };
            match (number, links.find(name, range)) {
                (Some(from), Some(to)) => builder.need(from, to),
                (None, Some(to)) => builder.direct(to),
                (_, None) => {}
            }
        }
    }
    Ok(builder.finish("yarn berry".into()))
}

/// None if the block is not understood, Some(None) if it is a part of the
/// project itself.
fn add(block: &Map<'_>, builder: &mut Builder) -> Option<Option<u32>> {
    let (name, reference) = split_at_sign(block.text("resolution")?)?;
    let version = block.text("version")?;
    let own = block.text("linkType") == Some("soft") || reference.starts_with("workspace:");
    Some((!own).then(|| builder.add(name, version)))
}

/// Which package answers a wish; None for a part of the project.
#[derive(Default)]
struct Links<'a> {
    answers: HashMap<&'a str, Option<u32>>,
    /// By name, if there is only one: `resolutions` of a project replace wishes
    /// and leave no trace at those who have them.
    only: HashMap<&'a str, Option<u32>>,
}

impl<'a> Links<'a> {
    fn add(&mut self, key: &'a str, number: Option<u32>, block: &'a Map<'_>) {
        for wish in key.split(", ") {
            self.answers.insert(wish, number);
        }
        let name = block.text("resolution").and_then(split_at_sign).map(|(name, _)| name);
        if let Some(name) = name {
            self.only.entry(name).and_modify(|only| *only = None).or_insert(number);
        }
    }

    fn find(&self, name: &str, range: &str) -> Option<u32> {
        // Before yarn 4 the scheme of a registry was left out.
        let plain = self.answers.get(&*format!("{name}@{range}"));
        let answer = plain.or_else(|| self.answers.get(&*format!("{name}@npm:{range}")));
        let only = || self.only.get(name).copied().flatten();
        answer.map_or_else(only, |number| *number)
    }
}
