//! Text to search, made from a seed: source code, bundles and logs whose words
//! are as common as they are in real ones, with what looks like a credential
//! and is none as often as it is there.
//!
//! `TOKENSWEEP_BENCH=PATH cargo bench` measures over the files below PATH too.

#![allow(dead_code, reason = "each bench uses a part of it")]

use std::fmt;
use std::path::Path;

/// Bytes of one text: more than the second cache holds, as in a long scan.
pub const SIZE: usize = 8 << 20;

/// What sort of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    C,
    JavaScript,
    Minified,
    Log,
    /// The files below the folder that the environment names.
    Given,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// The kinds to measure.
pub fn kinds() -> Vec<Kind> {
    let mut kinds = vec![Kind::C, Kind::JavaScript, Kind::Minified, Kind::Log];
    kinds.extend(std::env::var_os("TOKENSWEEP_BENCH").map(|_| Kind::Given));
    kinds
}

impl Kind {
    /// About [`SIZE`] bytes of it, the same at every call.
    pub fn text(self) -> Vec<u8> {
        self.text_of(SIZE)
    }

    /// About `size` bytes of it.
    pub fn text_of(self, size: usize) -> Vec<u8> {
        let lines = match self {
            Self::C => C,
            Self::JavaScript => JAVASCRIPT,
            Self::Minified => MINIFIED,
            Self::Log => LOG,
            Self::Given => return given(),
        };
        let mut writer = Writer::new(size);
        while writer.out.len() < size {
            let line = writer.random.below(lines.len());
            writer.fill(lines[line]);
        }
        writer.out
    }
}

fn given() -> Vec<u8> {
    fn read(path: &Path, out: &mut Vec<u8>) {
        let Ok(entries) = std::fs::read_dir(path) else {
            return out.extend(std::fs::read(path).unwrap_or_default());
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| !path.is_symlink()) {
            if out.len() < 64 << 20 {
                read(&path, out);
            }
        }
    }
    let mut out = Vec::new();
    read(Path::new(&std::env::var_os("TOKENSWEEP_BENCH").unwrap_or_default()), &mut out);
    out
}

/// Commonest first: a word is drawn as often as Zipf's law says.
const WORDS: &str = "
    value data name type node index key size length state id list result error options path file
    string object parent config start end count next prev event module dev info offset buffer
    context target source callback props child flags mode code token line text element range message
    handler item default map set init create update remove parse render match test base ret len
    width height level version status input output request response page lock queue device driver
    addr reg mask bit clk skb net port host url query user scope symbol import export package build
    cache hash color style class attr method param expression identifier declaration statement
    property pattern async promise stream auth session secret password registry npm api client
    server proxy timeout retry signal thread memory alloc free table entry stack frame worker plugin
    loader schema field record batch schedule service account database docker github google azure
    aws slack credential certificate private public signature bearer login access";

const PROSE: &str = "
    the to of a is and in for this that be if it with not on are as we by or from an can when has
    will use which only should have but at all no so because must any";

// Lines of each kind. `@` and a letter stand for a name (`s` snake_case, `c`
// camelCase, `S` SHOUTED, `l` one letter), for prose (`p`), a number (`n`), a
// UUID (`u`), base64 (`b` short, `B` long) or a time (`t`).

const C: &[&str] = &[
    "\tif (!@s->@s)\n\t\treturn -E@S;\n",
    "\tret = @s(@s, @n);\n\tif (ret < 0)\n\t\tgoto err_@s;\n",
    "\t@s->@s = @S | @S;\n",
    "\tfor (i = 0; i < @s; i++) {\n\t\t@s[i] = @n;\n\t}\n",
    "\tdev_err(@s->dev, \"@p %d\\n\", ret);\n",
    "\t/* @p */\n",
    "\tstruct @s *@s = @s_priv(@s);\n",
    "#define @S\t\t\t@n\n",
    "#define @S\t\t(1 << @n)\n",
    "\treturn 0;\n}\n\nstatic int @s(struct @s *@s, u32 @s)\n{\n\tint ret;\n\n",
    "/**\n * @s - @p\n *\n * @p. @p.\n */\n",
    "\t{ .@s = \"@s,@s\", .data = &@s },\n",
    "\tcase @S:\n\t\t@s(@s);\n\t\tbreak;\n",
];

const JAVASCRIPT: &[&str] = &[
    "  const { @c, @c } = require('./@c');\n",
    "  // @p\n",
    "  if (typeof @c === 'string') throw new Error(`@p ${@c}`);\n",
    "  const @c = await this.@c.@c(@c);\n",
    "  @c: { @c: \"@c\", @c: @n },\n",
    "  return @c.@c(@c => @c.@c);\n",
    "    this.@c = @c || {};\n",
    "}\n\nexport function @c(@c, @c) {\n",
    "/**\n * @p.\n * @p\n */\n",
    "export const @c: @c<string> = (@c) => @c(@c, @n);\n",
    "    \"@s\": \"^@n.@n.@n\",\n",
    "    it('@p', () => { expect(@c.@c).toBe(@n); });\n",
    "    \"node_modules/@s\": { \"version\": \"1.@n.0\", \"integrity\": \"sha512-@b==\" },\n",
];

const MINIFIED: &[&str] = &[
    "function(@l,t,n){\"use strict\";",
    "if(@l.@c&&!@l)return @l;",
    "var @l=n(@n),@l=n.n(@l);",
    "{@c:\"@c\",@c:!0,@c:void 0}",
    "@l.prototype.@c=function(){return this.@c};",
    "return @l.@c((@l=>@l[@n])),",
    "@l=@l?@l:@l.@c(@l,@n),@l+=@l.@l;",
    "case\"@c\":@l=@l.@c;break;",
    "throw new Error(\"@p\");",
    "for(let @l=0;@l<@l.length;@l++)@l(@l[@l],@l);",
    "},@n:(@l,@l,@l)=>{@l.d(@l,{@c:()=>@l});",
    "Object.defineProperty(@l,\"@c\",{get(){return @l.@l}}),",
    "\n//# sourceMappingURL=data:application/json;base64,@B\n",
];

const LOG: &[&str] = &[
    "@t npm http fetch GET 200 https://mirror.example/@s @nms (cache revalidated)\n",
    "@t [INFO] @c request_id=@u duration=@n @p\n",
    "@t [INFO] @c @s=@n @s=@n @p\n",
    "@t [DEBUG] @p: @p\n",
    "@t \x1b[36;1mexport @S=@s\x1b[0m\n",
    "@t {\"level\":\"warn\",\"@c\":\"@p\",\"token\":\"***\",\"id\":\"@u\"}\n",
    "@t     at @c.@c (/app/node_modules/@s/lib/@s.js:@n:@n)\n",
    "@t ##[debug] @p\n",
];

struct Writer {
    out: Vec<u8>,
    random: Random,
    words: Vec<&'static str>,
    prose: Vec<&'static str>,
}

impl Writer {
    fn new(size: usize) -> Self {
        Self {
            out: Vec::with_capacity(size + 8192),
            random: Random(1),
            words: WORDS.split_whitespace().collect(),
            prose: PROSE.split_whitespace().collect(),
        }
    }

    fn fill(&mut self, line: &str) {
        let mut parts = line.split('@');
        self.put(parts.next().unwrap_or(""));
        for part in parts {
            let (mark, rest) = part.split_at(1);
            match mark {
                "s" => self.name(|_, _| true),
                "c" => self.name(|word, first| {
                    word[0] = if first { word[0] } else { word[0].to_ascii_uppercase() };
                    false
                }),
                "S" => self.name(|word, _| {
                    word.make_ascii_uppercase();
                    true
                }),
                "l" => self.letter(),
                "p" => self.sentence(),
                "n" => self.number(),
                "u" => self.uuid(),
                "b" => self.base64(86),
                "B" => self.base64(2000),
                "t" => self.time(),
                mark => unreachable!("no mark is called {mark}"),
            }
            self.put(rest);
        }
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// One to three words; `style` changes one and says if `_` joins them.
    fn name(&mut self, style: impl Fn(&mut [u8], bool) -> bool) {
        for at in 0..=self.random.zipf(3) {
            let word = self.words[self.random.zipf(self.words.len())];
            let start = self.out.len();
            self.put(word);
            if style(&mut self.out[start..], at == 0) && at > 0 {
                self.out.insert(start, b'_');
            }
        }
    }

    fn letter(&mut self) {
        let letter = b"etnroaisuclfdhpmgyvbwkxEATS$_"[self.random.zipf(29)];
        self.out.push(letter);
    }

    fn sentence(&mut self) {
        for at in 0..4 + self.random.below(9) {
            self.put(if at == 0 { "" } else { " " });
            let words = if self.random.below(3) < 2 { &self.prose } else { &self.words };
            let word = words[self.random.zipf(words.len())];
            self.put(word);
        }
    }

    fn number(&mut self) {
        let number = self.random.next();
        let text = match number % 8 {
            0 => format!("0x{:x}", number >> 40),
            1 => (number >> 50).to_string(),
            _ => (number % 32).to_string(),
        };
        self.put(&text);
    }

    fn uuid(&mut self) {
        let (a, b) = (self.random.next(), self.random.next());
        let (first, second, third) = (a >> 32, a >> 16 & 0xffff, a & 0xfff);
        let (fourth, fifth) = (b >> 52, b & 0xffff_ffff_ffff);
        self.put(&format!("{first:08x}-{second:04x}-4{third:03x}-a{fourth:03x}-{fifth:012x}"));
    }

    fn time(&mut self) {
        let (day, hour) = (self.random.below(28) + 1, self.random.below(24));
        let (minute, second) = (self.random.below(60), self.random.below(60_000));
        self.put(&format!("2026-03-{day:02}T{hour:02}:{minute:02}:{:06.3}Z", second as f64 / 1e3));
    }

    fn base64(&mut self, length: usize) {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let random = &mut self.random;
        self.out.extend((0..length).map(|_| ALPHABET[random.below(64)]));
    }
}

/// SplitMix64: the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// A rank below `bound`, the first the likeliest: the logarithm of a rank
    /// that follows Zipf's law is spread evenly.
    fn zipf(&mut self, bound: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (((bound + 1) as f64).powf(share) as usize - 1).min(bound - 1)
    }
}
