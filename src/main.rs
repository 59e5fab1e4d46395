//! Calls the command line and turns its outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's message may quote what was scanned; its place is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        eprintln!("tokensweep: internal error{place}; please report it");
    }));
    tokensweep::cli::run(std::env::args_os())
}
