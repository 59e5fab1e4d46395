//! `yarn.lock` of yarn 1: blocks that begin with the wishes they answer, such
//! as `"a@^1.0.0", a@~1.2.0:`, and say below which version that is.

use std::collections::HashMap;

use super::graph::{Builder, Lock};
use super::split_at_sign;

struct Block<'a> {
    line: usize,
    wishes: Vec<&'a str>,
    version: Option<&'a str>,
    /// Names and ranges.
    needs: Vec<(&'a str, &'a str)>,
}

pub(super) fn read(text: &str) -> Result<Lock, String> {
    let blocks = blocks(text)?;
    let mut builder = Builder::default();
    let mut answers = HashMap::new();
    let mut numbers = Vec::with_capacity(blocks.len());
    for block in &blocks {
        let number = match (block.wishes.first().and_then(|wish| real_name(wish)), block.version) {
            (Some(name), Some(version)) => Some(builder.add(name, version)),
            _ => {
                builder.leave_out(|| format!("the package of line {} has no version", block.line));
                None
            }
        };
        for wish in number.iter().flat_map(|_| &block.wishes) {
            answers.insert(split(wish), number);
        }
        numbers.push(number);
    }
    let mut asked: HashMap<(&str, &str), ()> = HashMap::new();
    for (block, number) in blocks.iter().zip(&numbers) {
        for need in &block.needs {
            asked.insert(*need, ());
            if let (Some(from), Some(Some(to))) = (number, answers.get(need)) {
                builder.need(*from, *to);
            }
        }
    }
    // A wish that no package has must be the project's own.
    for (wish, number) in &answers {
        if let (Some(number), false) = (number, asked.contains_key(wish)) {
            builder.direct(*number);
        }
    }
    Ok(builder.finish("yarn classic".into()))
}

fn split(wish: &str) -> (&str, &str) {
    split_at_sign(wish).unwrap_or((wish, ""))
}

/// The package behind a wish: `b` of `a@npm:b@^1`.
fn real_name(wish: &str) -> Option<&str> {
    let (name, range) = split(wish);
    let real = range.strip_prefix("npm:").map(|alias| split(alias).0);
    // `a@npm:^1` is no alias.
    let is_name = |real: &&str| real.starts_with('@') || range.contains('@');
    Some(real.filter(is_name).unwrap_or(name)).filter(|name| !name.is_empty())
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, String> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut in_needs = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let inner = line.trim_start_matches(' ');
        if inner.is_empty() || inner.starts_with('#') {
            continue;
        }
        let broken = || format!("line {} is not understood", at + 1);
        match (line.len() - inner.len(), blocks.last_mut()) {
            (0, _) => {
                let wishes = wishes(inner).ok_or_else(broken)?;
                blocks.push(Block { line: at + 1, wishes, version: None, needs: Vec::new() });
                in_needs = false;
            }
            (2, Some(block)) => {
                in_needs = matches!(inner, "dependencies:" | "optionalDependencies:");
                if !inner.ends_with(':') {
                    let (key, value) = pair(inner).ok_or_else(broken)?;
                    if key == "version" {
                        block.version = Some(value);
                    }
                }
            }
            (4, Some(block)) => {
                let need = pair(inner).ok_or_else(broken)?;
                if in_needs {
                    block.needs.push(need);
                }
            }
            _ => return Err(broken()),
        }
    }
    Ok(blocks)
}

/// `"a@1 || 2", b@3:` → `a@1 || 2` and `b@3`
fn wishes(line: &str) -> Option<Vec<&str>> {
    let mut rest = line.strip_suffix(':')?;
    let mut wishes = Vec::new();
    loop {
        let (wish, behind) = match rest.strip_prefix('"') {
            Some(open) => open.split_once('"')?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        wishes.push(wish);
        if behind.is_empty() {
            return Some(wishes);
        }
        rest = behind.strip_prefix(',')?.trim_start();
    }
}

/// `key value`, either in quotes or not.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, rest) = match text.strip_prefix('"') {
        Some(open) => open.split_once('"')?,
        None => text.split_at(text.find(' ')?),
    };
    let value = rest.strip_prefix(' ')?.trim();
    match value.strip_prefix('"') {
        Some(open) => Some((key, open.strip_suffix('"')?)),
        None => Some((key, value)),
    }
}
