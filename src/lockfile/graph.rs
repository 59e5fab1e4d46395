//! What every lockfile comes down to: packages, and who asks for whom.

use std::collections::{HashSet, VecDeque};

/// A chain longer than this loses its middle; real ones have under 30 links.
const CHAIN_CAP: usize = 64;

/// A lockfile that was read.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    /// `package-lock v3`, `yarn classic`, `yarn berry`, `pnpm 9.0`, `bun`: for
    /// pnpm the number of the format, which is not that of the program.
    pub format: String,
    /// How many pairs of name and version it pins.
    pub packages: u64,
    /// What was not understood, and so left out; empty if nothing.
    pub problem: String,
    nodes: Vec<Node>,
    /// The nodes, sorted by name and version.
    sorted: Vec<u32>,
}

/// A version of a package that a lockfile pins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The version that is installed; of one that is an address only the
    /// scheme, such as `file:`.
    pub version: String,
    /// A shortest chain of names from a direct dependency of the project down
    /// to the package; just the package if it is one itself. Empty if the
    /// lockfile does not tell.
    ///
    /// Some formats (package-lock 1, yarn classic, npm's list of what is
    /// installed) do not say what the project itself asks for. There a chain
    /// begins at a package that nobody else asks for, and so the project must;
    /// a shorter one may exist.
    pub through: Vec<String>,
}

#[derive(Clone, Debug)]
struct Node {
    name: Box<str>,
    version: Box<str>,
    /// When the walk from the direct dependencies came by; [`FAR`] if never.
    turn: u32,
    /// Steps from a direct dependency, and the node one step nearer to it.
    depth: u32,
    parent: u32,
}

const FAR: u32 = u32::MAX;

impl Lock {
    /// The names and versions that it pins, sorted, each once.
    pub fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut last = None;
        self.sorted.iter().map(|&at| self.pair(at)).filter(move |pair| {
            let new = last != Some(*pair);
            last = Some(*pair);
            new
        })
    }

    /// The versions of a package that it pins, sorted, each once.
    pub fn uses(&self, package: &str) -> Vec<Use> {
        let from = self.sorted.partition_point(|&at| self.pair(at).0 < package);
        let same = self.sorted[from..].iter().take_while(|&&at| self.pair(at).0 == package);
        let mut uses: Vec<Use> = Vec::new();
        for &at in same {
            // Of equal versions the one that the walk met first comes first.
            if uses.last().is_none_or(|last| *last.version != *self.pair(at).1) {
                let version = self.pair(at).1.to_owned();
                uses.push(Use { version, through: self.chain(at) });
            }
        }
        uses
    }

    fn pair(&self, at: u32) -> (&str, &str) {
        let node = &self.nodes[at as usize];
        (&node.name, &node.version)
    }

    fn chain(&self, mut at: u32) -> Vec<String> {
        let mut chain = Vec::new();
        let depth = self.nodes[at as usize].depth;
        if self.nodes[at as usize].turn == FAR {
            return chain;
        }
        let middle = CHAIN_CAP as u32 / 2;
        for step in (0..=depth).rev() {
            if step < middle || depth - step < middle {
                chain.push(self.pair(at).0.to_owned());
            } else if step == middle {
                chain.push("…".to_owned());
            }
            at = self.nodes[at as usize].parent;
        }
        chain.reverse();
        chain
    }
}

/// Collects what a format tells.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
    needs: Vec<Vec<u32>>,
    direct: Vec<u32>,
    left_out: u64,
    first_left_out: String,
}

impl Builder {
    /// Adds a package, and gives its number.
    pub fn add(&mut self, name: &str, version: &str) -> u32 {
        let number = self.nodes.len() as u32;
        let (name, version) = (name.into(), version.into());
        self.nodes.push(Node { name, version, turn: FAR, depth: 0, parent: number });
        self.needs.push(Vec::new());
        number
    }

    /// One package asks for another.
    pub fn need(&mut self, from: u32, to: u32) {
        self.needs[from as usize].push(to);
    }

    /// The project itself asks for a package.
    pub fn direct(&mut self, package: u32) {
        self.direct.push(package);
    }

    /// Whom nobody asks for the project must ask for.
    pub fn infer_direct(&mut self) {
        let asked: HashSet<u32> = self.needs.iter().flatten().copied().collect();
        self.direct = (0..self.nodes.len() as u32).filter(|at| !asked.contains(at)).collect();
    }

    /// An entry was not understood. `why` holds nothing of its text.
    pub fn leave_out(&mut self, why: impl FnOnce() -> String) {
        if self.left_out == 0 {
            self.first_left_out = why();
        }
        self.left_out += 1;
    }

    pub fn finish(mut self, format: String) -> Lock {
        let ranks = self.ranks();
        self.measure(&ranks);
        let mut sorted: Vec<u32> = (0..self.nodes.len() as u32).collect();
        sorted.sort_by_key(|&at| (ranks[at as usize], self.nodes[at as usize].turn));
        let problem = match self.left_out {
            0 => String::new(),
            1 => format!("1 entry was not understood: {}", self.first_left_out),
            n => format!("{n} entries were not understood; the first: {}", self.first_left_out),
        };
        let mut lock = Lock { format, packages: 0, problem, nodes: self.nodes, sorted };
        lock.packages = lock.packages().count() as u64;
        lock
    }

    /// The place of each node by name and version; equal pairs share one.
    fn ranks(&self) -> Vec<u32> {
        let pair = |at: u32| {
            let node = &self.nodes[at as usize];
            (&node.name, &node.version)
        };
        let mut order: Vec<u32> = (0..self.nodes.len() as u32).collect();
        order.sort_by(|&a, &b| pair(a).cmp(&pair(b)));
        let mut ranks = vec![0; order.len()];
        for window in order.windows(2) {
            let step = u32::from(pair(window[0]) != pair(window[1]));
            ranks[window[1] as usize] = ranks[window[0] as usize] + step;
        }
        ranks
    }

    /// Walks from the direct dependencies, breadth first, in the order of names:
    /// so the same tree gives the same chains in every format.
    fn measure(&mut self, ranks: &[u32]) {
        let by_rank = |list: &mut Vec<u32>| list.sort_by_key(|&at| ranks[at as usize]);
        by_rank(&mut self.direct);
        let mut queue: VecDeque<(u32, u32, u32)> =
            self.direct.iter().map(|&at| (at, 0, at)).collect();
        let mut turn = 0;
        while let Some((at, depth, parent)) = queue.pop_front() {
            let node = &mut self.nodes[at as usize];
            if node.turn != FAR {
                continue;
            }
            (node.turn, node.depth, node.parent) = (turn, depth, parent);
            turn += 1;
            let mut needs = std::mem::take(&mut self.needs[at as usize]);
            by_rank(&mut needs);
            queue.extend(needs.into_iter().map(|next| (next, depth + 1, at)));
        }
    }
}
