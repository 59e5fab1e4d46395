//! The file of public answers: any file is opened or refused; what is read from
//! it answers public questions alone, and it can be opened again.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tokensweep::registry::journal::Journal;
use tokensweep::registry::{Answer, Ask, Carried, NoAnswer, Request};

/// Begins every file of this kind.
const MAGIC: &[u8] = b"tokensweep public answers 1\n";
const NOW: i64 = 1_000;

struct Door;

impl Ask for Door {
    fn ask(&self, _: &Request) -> Result<Answer, NoAnswer> {
        Ok(Answer { status: 200, body: b"fresh".to_vec(), ..Answer::default() })
    }
}

static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tokensweep-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
});

fuzz_target!(|input: &[u8]| {
    let [flags, input @ ..] = input else { return };
    let path = FOLDER.join("journal");
    let magic = if flags & 1 == 0 { MAGIC } else { b"" };
    std::fs::write(&path, [magic, input].concat()).expect("a temporary file");
    let Ok(journal) = Journal::open(&Door, &path, NOW, Default::default()) else { return };
    for name in ["/a", "/b"] {
        let _ = journal.ask(&Request::get("h", name));
    }
    let carried = Carried::new("Bearer hush".into(), "…");
    let own = Request::get("h", "/a").with_secret("authorization", carried);
    let answer = journal.ask(&own).expect("the door answers");
    assert_eq!(answer.body, b"fresh", "an answer of the file to a question with a secret");
    drop(journal);
    assert!(Journal::open(&Door, &path, NOW, Default::default()).is_ok(), "it cannot be opened again");
});
