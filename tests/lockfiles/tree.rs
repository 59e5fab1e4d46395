//! One tree of packages, written in every format that says what is direct.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use proptest::prelude::*;
use tokensweep::lockfile::Use;

/// Packages that ask for each other; nobody asks for one that stands before.
#[derive(Clone, Debug)]
pub struct Tree {
    pub packages: Vec<(String, String)>,
    pub needs: Vec<Vec<usize>>,
    pub direct: Vec<usize>,
}

impl Tree {
    /// Each package with its first shortest chain in the order of names.
    pub fn uses(&self) -> BTreeMap<String, Vec<Use>> {
        let sorted = |list: &[usize]| {
            let mut list = list.to_vec();
            list.sort_by_key(|at| &self.packages[*at]);
            list
        };
        let mut chains: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut queue: VecDeque<(usize, Vec<String>)> =
            sorted(&self.direct).into_iter().map(|at| (at, vec![])).collect();
        while let Some((at, mut chain)) = queue.pop_front() {
            if chains.contains_key(&at) {
                continue;
            }
            chain.push(self.packages[at].0.clone());
            queue.extend(sorted(&self.needs[at]).into_iter().map(|next| (next, chain.clone())));
            chains.insert(at, chain);
        }
        let mut uses: BTreeMap<String, Vec<Use>> = BTreeMap::new();
        for (at, through) in chains {
            let (name, version) = self.packages[at].clone();
            uses.entry(name).or_default().push(Use { version, through });
        }
        uses.values_mut().for_each(|uses| uses.sort());
        uses
    }

    fn reached(&self) -> BTreeSet<usize> {
        let mut reached: BTreeSet<usize> = self.direct.iter().copied().collect();
        for at in 0..self.packages.len() {
            if reached.contains(&at) {
                reached.extend(&self.needs[at]);
            }
        }
        reached
    }

    /// The tree in the formats that say what is direct.
    pub fn written(&self) -> Vec<(&'static str, String)> {
        vec![
            ("package-lock.json", self.package_lock()),
            ("bun.lock", self.bun()),
            ("yarn.lock", self.yarn_classic()),
            ("yarn.lock", self.yarn_berry()),
            ("pnpm-lock.yaml", self.pnpm(5, "/", "/")),
            ("pnpm-lock.yaml", self.pnpm(6, "/", "@")),
            ("pnpm-lock.yaml", self.pnpm(9, "", "@")),
        ]
    }

    /// Where each package lies, by lists of names: what fits lies at the top.
    fn places(&self) -> BTreeMap<Vec<String>, usize> {
        let mut places = BTreeMap::new();
        for at in self.direct.iter().copied().chain(self.reached()) {
            places.entry(vec![self.packages[at].0.clone()]).or_insert(at);
        }
        let mut todo: Vec<(Vec<String>, usize)> = places.clone().into_iter().collect();
        while let Some((place, at)) = todo.pop() {
            for &need in &self.needs[at] {
                let name = &self.packages[need].0;
                let near = (0..=place.len()).rev().find_map(|length| {
                    places.get(&[&place[..length], std::slice::from_ref(name)].concat()).copied()
                });
                if near != Some(need) {
                    let inner = [&place[..], std::slice::from_ref(name)].concat();
                    places.insert(inner.clone(), need);
                    todo.push((inner, need));
                }
            }
        }
        places
    }

    fn object(&self, list: &[usize]) -> String {
        let wishes: Vec<String> =
            list.iter().map(|at| format!("{:?}: \"^0\"", self.packages[*at].0)).collect();
        format!("{{{}}}", wishes.join(", "))
    }

    fn package_lock(&self) -> String {
        let mut text = format!(
            "{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{\"dependencies\": {}}}",
            self.object(&self.direct)
        );
        for (place, at) in self.places() {
            let path = place.join("/node_modules/");
            let (version, needs) = (&self.packages[at].1, self.object(&self.needs[at]));
            write!(
                text,
                ",\n\"node_modules/{path}\": {{\"version\": {version:?}, \
            \"dependencies\": {needs}}}"
            )
            .unwrap();
        }
        text + "}}"
    }

    fn bun(&self) -> String {
        let mut text = format!(
            "{{ // a comment, \"with\" [signs]\n\"lockfileVersion\": 1, \"workspaces\": {{\"\": \
            {{\"dependencies\": {}, }}, }},\n\"packages\": {{",
            self.object(&self.direct)
        );
        for (place, at) in self.places() {
            let (name, version) = &self.packages[at];
            let needs = self.object(&self.needs[at]);
            let path = place.join("/");
            write!(
                text,
                "\n\"{path}\": [\"{name}@{version}\", \"\", {{\"dependencies\": \
            {needs}}}, \"x,]\",],"
            )
            .unwrap();
        }
        text + "\n}, /* the end */ }"
    }

    fn yarn_classic(&self) -> String {
        let mut text = String::from("# yarn lockfile v1\n\n\n");
        for at in self.reached() {
            let (name, version) = &self.packages[at];
            let direct =
                if self.direct.contains(&at) { format!(", \"{name}@*\"") } else { String::new() };
            writeln!(text, "\"{name}@^{version}\"{direct}:\n  version \"{version}\"").unwrap();
            for (line, need) in self.needs[at].iter().enumerate() {
                let (name, version) = &self.packages[*need];
                let head = if line == 0 { "  dependencies:\n" } else { "" };
                writeln!(text, "{head}    \"{name}\" \"^{version}\"").unwrap();
            }
            text.push('\n');
        }
        text
    }

    fn yarn_berry(&self) -> String {
        let needs = |list: &[usize]| {
            list.iter().enumerate().fold(String::new(), |text, (line, at)| {
                let (name, version) = &self.packages[*at];
                let head = if line == 0 { "  dependencies:\n" } else { "" };
                format!("{text}{head}    \"{name}\": \"npm:^{version}\"\n")
            })
        };
        let mut text = format!(
            "__metadata:\n  version: 8\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  \
            resolution: \"app@workspace:.\"\n{}  linkType: soft\n",
            needs(&self.direct)
        );
        for at in self.reached() {
            let (name, version) = &self.packages[at];
            write!(
                text,
                "\n\"{name}@npm:^{version}\":\n  version: {version}\n  resolution: \
            \"{name}@npm:{version}\"\n{}  linkType: hard\n",
                needs(&self.needs[at])
            )
            .unwrap();
        }
        text
    }

    fn pnpm(&self, major: u32, begin: &str, sign: &str) -> String {
        let mut text =
            format!("lockfileVersion: '{major}.0'\n\nimporters:\n\n  .:\n    dependencies:\n");
        for at in &self.direct {
            let (name, version) = &self.packages[*at];
            match major {
                5 => writeln!(text, "      '{name}': {version}").unwrap(),
                _ => writeln!(
                    text,
                    "      '{name}':\n        specifier: ^0\n        version: {version}"
                )
                .unwrap(),
            }
        }
        let section = if major == 9 { "snapshots" } else { "packages" };
        write!(text, "\n{section}:\n").unwrap();
        for at in self.reached() {
            let (name, version) = &self.packages[at];
            writeln!(
                text,
                "\n  '{begin}{name}{sign}{version}':\n    resolution: {{integrity: sha512-x}}"
            )
            .unwrap();
            for (line, need) in self.needs[at].iter().enumerate() {
                let (name, version) = &self.packages[*need];
                let head = if line == 0 { "    dependencies:\n" } else { "" };
                writeln!(text, "{head}      '{name}': {version}").unwrap();
            }
        }
        text
    }
}

/// Any tree of few names, some in many versions.
pub fn tree() -> impl Strategy<Value = Tree> {
    let name =
        prop::sample::select(vec!["a", "b", "@s/a", "@s/b-c", "2-then", "x.y", "JSONStream", "_u"]);
    let version = prop::sample::select(vec!["1.0.0", "2.0.0-beta.1", "3.X", "10.2.3"]);
    let packages = prop::collection::btree_set((name, version), 1..14);
    (
        packages,
        prop::collection::vec(any::<(u16, u16)>(), 0..40),
        any::<u64>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(packages, links, direct, shuffle)| {
            let mut packages: Vec<(String, String)> =
                packages.into_iter().map(|(name, version)| (name.into(), version.into())).collect();
            let by = shuffle.index(packages.len());
            packages.rotate_left(by);
            let count = packages.len();
            // Nobody asks for two versions of one name.
            let distinct = |list: Vec<usize>| {
                let mut seen = BTreeSet::new();
                list.into_iter().filter(|at| seen.insert(packages[*at].0.clone())).collect()
            };
            let mut needs = vec![vec![]; count];
            for (from, to) in links {
                let (from, to) = (usize::from(from) % count, usize::from(to) % count);
                if from != to {
                    needs[from.min(to)].push(from.max(to));
                }
            }
            let needs = needs.into_iter().map(&distinct).collect();
            let direct =
                distinct((0..count).filter(|at| *at == 0 || direct >> at & 1 == 1).collect());
            Tree { packages, needs, direct }
        })
}
