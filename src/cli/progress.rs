//! A line on the terminal's standard error while a long scan runs.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::source::Tally;

/// Scans shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(400);
const STEP: Duration = Duration::from_millis(100);

/// Shows how far a scan has come, until it is dropped.
pub(super) struct Progress {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Watches `tally` if standard error is a terminal and `wanted`.
    pub(super) fn watch(tally: &Arc<Tally>, wanted: bool) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let thread = (wanted && std::io::stderr().is_terminal()).then(|| {
            let (over, tally) = (Arc::clone(&over), Arc::clone(tally));
            std::thread::spawn(move || show(&over, &tally))
        });
        Self { over, thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn show(over: &AtomicBool, tally: &Tally) {
    std::thread::park_timeout(PATIENCE);
    if over.load(Ordering::Relaxed) {
        return;
    }
    let style = ProgressStyle::with_template("{spinner} {msg} in {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    while !over.load(Ordering::Relaxed) {
        bar.set_message(format!(
            "{} files, {}",
            HumanCount(tally.files()),
            HumanBytes(tally.bytes())
        ));
        bar.tick();
        std::thread::park_timeout(STEP);
    }
    bar.finish_and_clear();
}
