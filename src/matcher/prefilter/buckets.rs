//! Chooses, for each keyword, the four bytes to search for and the bucket to
//! put them in, so that ordinary text passes the first sieve as seldom as
//! possible.

use super::{Needle, WINDOW};

/// Buckets of the first sieve: two bytes of eight bits each.
pub(super) const BUCKETS: usize = 16;

/// What each bucket accepts in each of the first bytes of a keyword's window.
pub(super) type Buckets = [[Accepted; SIEVED]; BUCKETS];

/// Bytes of a keyword that the sieve can look at, from its window on. A set of
/// instructions that makes looking dear looks at fewer.
pub(super) const SIEVED: usize = 5;

/// A set of bytes, exactly and by nibbles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Low nibbles of the bytes.
    pub(super) low: u16,
    /// High nibbles of the bytes.
    pub(super) high: u16,
    /// The bytes, a bit for each.
    bytes: [u64; 4],
}

impl Accepted {
    fn add(&mut self, byte: Option<u8>, fold: bool) {
        match byte {
            None => *self = Self { low: !0, high: !0, bytes: [!0; 4] },
            Some(byte) => {
                self.add_byte(byte);
                if fold && byte.is_ascii_alphabetic() {
                    self.add_byte(byte ^ 0x20);
                }
            }
        }
    }

    fn add_byte(&mut self, byte: u8) {
        self.low |= 1 << (byte & 15);
        self.high |= 1 << (byte >> 4);
        self.bytes[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    /// True if the byte is in the set.
    pub(super) fn holds(self, byte: u8) -> bool {
        self.bytes[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    fn union(self, other: Self) -> Self {
        Self {
            low: self.low | other.low,
            high: self.high | other.high,
            bytes: std::array::from_fn(|i| self.bytes[i] | other.bytes[i]),
        }
    }

    /// Share of ordinary text that passes.
    fn mass(self, text: &Frequencies) -> f32 {
        (0..16)
            .filter(|&high| self.high >> high & 1 == 1)
            .map(|high| text.mass(high, self.low))
            .sum()
    }
}

/// Sets the window of every needle and fills the buckets. Greedy: the needles
/// with the commonest windows choose first, each takes the window and the
/// bucket that add least.
pub(super) fn assign(needles: &mut [(u16, Needle)]) -> Buckets {
    let text = Frequencies::new();
    let mut buckets = Buckets::default();
    let mut costs = [0_f32; BUCKETS];
    let mut order: Vec<(f32, usize)> = Vec::with_capacity(needles.len());
    let choices: Vec<Vec<usize>> =
        needles.iter().map(|(_, needle)| rarest_windows(needle, &text)).collect();
    for (id, (_, needle)) in needles.iter().enumerate() {
        let window = nibbles(&Needle { at: choices[id][0], ..needle.clone() });
        order.push((cost(&window, &text), id));
    }
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, id) in order {
        let needle = &mut needles[id].1;
        let mut best = (f32::INFINITY, 0, 0);
        for &at in &choices[id] {
            needle.at = at;
            let window = nibbles(needle);
            for (bucket, known) in buckets.iter().enumerate() {
                let added = cost(&union(known, &window), &text) - costs[bucket];
                if added < best.0 {
                    best = (added, bucket, at);
                }
            }
        }
        let (_, bucket, at) = best;
        needle.at = at;
        buckets[bucket] = union(&buckets[bucket], &nibbles(needle));
        costs[bucket] = cost(&buckets[bucket], &text);
    }
    buckets
}

/// Start of the `length` bytes of a needle that ordinary text shows least.
pub(super) fn rarest(needle: &Needle, length: usize) -> usize {
    let share = |at: usize| -> u32 {
        needle.text[at..at + length].iter().map(|&b| share_of(b).ilog2()).sum()
    };
    (0..=needle.text.len() - length).min_by_key(|&at| share(at)).unwrap_or(0)
}

/// Starts of the two windows that ordinary text shows least.
fn rarest_windows(needle: &Needle, text: &Frequencies) -> Vec<usize> {
    let last = needle.text.len().saturating_sub(WINDOW);
    let mut windows: Vec<(f32, usize)> =
        (0..=last).map(|at| (cost(&nibbles(&Needle { at, ..needle.clone() }), text), at)).collect();
    windows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    windows.into_iter().take(2).map(|(_, at)| at).collect()
}

fn nibbles(needle: &Needle) -> [Accepted; SIEVED] {
    let mut sets = [Accepted::default(); SIEVED];
    for (place, set) in sets.iter_mut().enumerate() {
        set.add(needle.text.get(needle.at + place).copied(), needle.fold);
    }
    sets
}

fn union(a: &[Accepted; SIEVED], b: &[Accepted; SIEVED]) -> [Accepted; SIEVED] {
    std::array::from_fn(|i| a[i].union(b[i]))
}

/// Share of the positions of ordinary text that a bucket lets through, if
/// bytes were independent.
fn cost(sets: &[Accepted; SIEVED], text: &Frequencies) -> f32 {
    sets.iter().map(|set| set.mass(text)).product()
}

/// How often bytes stand in source text, by high nibble, as running sums over
/// the sets of low nibbles in halves: 2 × 256 entries a row.
struct Frequencies {
    low: [[f32; 256]; 16],
    high: [[f32; 256]; 16],
}

impl Frequencies {
    fn new() -> Self {
        let mut bytes = [0.000_2_f32; 256];
        for (byte, share) in bytes.iter_mut().enumerate() {
            *share = f32::from(share_of(byte as u8)) / 10_000.0;
        }
        let mut out = Self { low: [[0.0; 256]; 16], high: [[0.0; 256]; 16] };
        for row in 0..16 {
            for set in 0..256_usize {
                for bit in (0..8).filter(|bit| set >> bit & 1 == 1) {
                    out.low[row][set] += bytes[row << 4 | bit];
                    out.high[row][set] += bytes[row << 4 | bit | 8];
                }
            }
        }
        out
    }

    fn mass(&self, row: usize, low: u16) -> f32 {
        self.low[row][usize::from(low & 255)] + self.high[row][usize::from(low >> 8)]
    }
}

/// Rough share of a byte in C and JavaScript, in ten-thousandths.
fn share_of(byte: u8) -> u16 {
    match byte {
        b' ' => 1200,
        b'e' => 620,
        b't' => 540,
        b'r' | b'n' | b's' | b'i' | b'o' | b'a' => 420,
        b'c' | b'd' | b'l' | b'u' | b'p' | b'm' | b'f' => 240,
        b'_' => 200,
        b'h' | b'g' | b'b' | b'v' | b'y' | b'x' | b'k' | b'w' => 100,
        b'0' | b'1' | b'2' => 130,
        b'3'..=b'9' => 70,
        b'(' | b')' | b',' | b';' | b'.' | b'=' | b'-' | b'"' | b'/' | b':' | b'*' => 110,
        b'\t' | b'\n' => 300,
        b'A'..=b'Z' => 45,
        b'j' | b'q' | b'z' => 25,
        0x21..=0x7e => 45,
        _ => 2,
    }
}
