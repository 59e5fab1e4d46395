//! `tokensweep hook`.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use clap::Parser as _;

use super::args::{HookArgs, HookCommand, HookPlace, ScanArgs};
use super::{CLEAN, FOUND, INCOMPLETE, safe, scan};
use crate::config;
use crate::error::{Error, Result};
use crate::git::Layout;
use crate::hook::{self, Call, Change, Folder, Guard, Installed, Kind, Owner, Scope, Tool};

/// Environment variable that lets everything pass.
const SKIP_VARIABLE: &str = "TOKENSWEEP_SKIP";

pub(super) fn run(args: &HookArgs) -> Result<u8> {
    match &args.command {
        HookCommand::Install { place, force } => install(place, *force),
        HookCommand::Uninstall { place } => uninstall(place),
        HookCommand::Status => status(),
        HookCommand::Run { kind, arguments } => guard((*kind).into(), arguments),
        HookCommand::Short(words) => {
            let (name, arguments) =
                words.split_first().map_or((None, &[][..]), |(name, rest)| (name.to_str(), rest));
            let kind = name.unwrap_or_default().parse().map_err(|why| {
                let name = name.unwrap_or_default();
                Error::new(format!("there is no `tokensweep hook {name}`; {why}"))
                    .hint("tokensweep hook install, uninstall, status or run; --help shows more")
            })?;
            guard(kind, arguments)
        }
    }
}

/// Runs a hook. Whatever goes wrong, git is not told that all is well.
fn guard(kind: Kind, arguments: &[OsString]) -> Result<u8> {
    let skip = env::var_os(SKIP_VARIABLE).unwrap_or_default();
    if skip == "1" || skip.eq_ignore_ascii_case("true") {
        say(&format!("tokensweep: skipped by {SKIP_VARIABLE}: nothing was looked at\n"));
        return Ok(CLEAN);
    }
    let args = ScanArgs::parse_from(["scan"]);
    // Who pushes to a server has no say in what it looks for.
    let settings = config::load(args.config.as_deref(), &[], kind != Kind::PreReceive)?;
    let options = scan::options(&args, &settings, Vec::new());
    let stdin = stdin(kind)?;
    let (stdin, settings) = (stdin.as_deref(), settings.files.as_slice());
    let call = Call { kind, arguments, stdin, options: &options, settings };
    let outcome = hook::run(&call)?;
    say(&outcome.words);
    Ok(match (outcome.found, outcome.incomplete) {
        (true, _) => FOUND,
        (false, true) => INCOMPLETE,
        (false, false) => CLEAN,
    })
}

/// All of standard input, if git or somebody else connected anything to it.
fn stdin(kind: Kind) -> Result<Option<Vec<u8>>> {
    let mut stdin = io::stdin().lock();
    if !kind.reads_stdin() || stdin.is_terminal() || is_null(&stdin) {
        return Ok(None);
    }
    let mut input = Vec::new();
    stdin
        .read_to_end(&mut input)
        .map_err(|why| Error::new(format!("cannot read what git says of this push: {why}")))?;
    Ok(Some(input))
}

/// True for a device such as `/dev/null`, which tells nothing.
fn is_null(stdin: &io::StdinLock<'_>) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        use std::os::unix::fs::FileTypeExt as _;
        let file = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from);
        let metadata = file.and_then(|file| file.metadata());
        // What is closed tells nothing either.
        metadata.map_or(true, |metadata| metadata.file_type().is_char_device())
    }
    #[cfg(not(unix))]
    {
        let _ = stdin;
        false
    }
}

fn install(place: &HookPlace, force: bool) -> Result<u8> {
    let tool = env::current_exe()
        .map_err(|why| Error::new(format!("cannot tell where this program lies: {why}")))?;
    let layout = layout(place.global)?;
    let scope = scope(layout.as_ref(), force);
    let mut folder = None;
    for kind in kinds(place) {
        let installed = hook::install(kind, &tool, scope)?;
        tell(kind, &installed);
        folder = installed.file.parent().map(Path::to_path_buf);
    }
    let Some(folder) = folder.filter(|_| place.global) else { return Ok(CLEAN) };
    if hook::global_folder()?.is_some() {
        return Ok(CLEAN);
    }
    let folder = shell(&folder);
    let words = format!(
        "One step is missing, for git does not look there yet. It then looks there instead of in\n\
         each repository's .git/hooks; these hooks call the one of the same name there, other kinds\n\
         of hooks are overlooked:\n    git config --global core.hooksPath {folder}"
    );
    say(&(safe(&words) + "\n"));
    Ok(FOUND)
}

fn uninstall(place: &HookPlace) -> Result<u8> {
    let layout = layout(place.global)?;
    let scope = scope(layout.as_ref(), false);
    let kinds = if place.kinds.is_empty() { Kind::ALL.to_vec() } else { kinds(place) };
    for kind in kinds {
        let removed = hook::uninstall(kind, scope)?;
        if removed.change == Change::Removed || !place.kinds.is_empty() {
            tell(kind, &removed);
        }
    }
    if place.global && hook::global_folder()?.is_some_and(|folder| is_empty(&folder)) {
        let words = "Git still looks for hooks in that folder, which is empty now, instead of in each\n\
                     repository's .git/hooks. To let it look there again:\n    \
                     git config --global --unset core.hooksPath\n";
        say(words);
    }
    Ok(CLEAN)
}

/// True if there is nothing in a folder, or no such folder.
fn is_empty(folder: &Path) -> bool {
    folder.read_dir().map_or(true, |mut entries| entries.next().is_none())
}

fn kinds(place: &HookPlace) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = place.kinds.iter().map(|kind| (*kind).into()).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() { vec![Kind::PrePush] } else { kinds }
}

/// The repository around the working directory; `None` if none is asked for.
fn layout(global: bool) -> Result<Option<Layout>> {
    if global {
        return Ok(None);
    }
    let found = Layout::around(Path::new("."));
    found.map(Some).ok_or_else(|| {
        Error::new("there is no git repository here")
            .hint("go into one, or use --global for all your repositories")
    })
}

fn scope(layout: Option<&Layout>, force: bool) -> Scope<'_> {
    layout.map_or(Scope::Global, |layout| Scope::Repository { layout, force })
}

/// Says what became of a hook.
fn tell(kind: Kind, installed: &Installed) {
    let file = installed.file.display();
    let what = match installed.change {
        Change::Written => "installed",
        Change::Updated => "updated",
        Change::Kept => "was installed already",
        Change::Removed => "removed",
        Change::Absent => "is not installed",
    };
    let chained = installed.chained.as_ref().map(|before| match installed.change {
        Change::Removed => "; the hook that was there before is back".to_owned(),
        _ => format!("; calls {} first", before.display()),
    });
    let words = format!("{} {what}: {file}{}", kind.name(), chained.unwrap_or_default());
    say(&(safe(&words) + "\n"));
}

fn status() -> Result<u8> {
    let this = env::current_exe().unwrap_or_default();
    let folder = match Layout::around(Path::new(".")) {
        Some(layout) => Folder::of(&layout)?,
        None => Folder {
            path: hook::global_folder()?.ok_or_else(|| {
                Error::new("there is no git repository here, and no hooks for all of them")
                    .hint("go into one, or tokensweep hook install --global")
            })?,
            owner: Owner::Shared,
            named_by: None,
        },
    };
    let guards = Kind::ALL.map(|kind| (kind, hook::guard(kind, &folder, &this)));
    let named = folder.named_by.as_ref();
    let named = named.map(|file| format!(" (core.hooksPath in {})", file.display()));
    let named = named.unwrap_or_default();
    let mut out = match folder.owner {
        Owner::Nobody => format!("git runs no hooks: core.hooksPath is empty{named}\n"),
        _ => format!("git looks in {}{named}\n", folder.path.display()),
    };
    for (kind, guard) in &guards {
        out.push_str(&format!("{:11}  {}\n", kind.name(), words(guard)));
    }
    let _ = writeln!(io::stdout(), "{}", safe(&out));
    let effective = guards.iter().any(|(_, guard)| guard.is_effective());
    Ok(if effective { CLEAN } else { FOUND })
}

fn words(guard: &Guard) -> String {
    match guard {
        Guard::None => "not installed".to_owned(),
        Guard::Other(file) => format!("not installed: {} does not call us", file.display()),
        Guard::ByOther(file) => format!("installed: {} calls us", file.display()),
        Guard::Unclear(file) => {
            format!("cannot tell: {} runs what its own settings name", file.display())
        }
        Guard::Own { file, tool, chained } => {
            let tool = match tool {
                Tool::This(path) => {
                    format!("{} {}", path.display(), env!("CARGO_PKG_VERSION"))
                }
                Tool::Another(path) => {
                    format!("{0}, another than this ({0} --version)", path.display())
                }
                Tool::Gone(path) => {
                    let path = path.display();
                    return format!("broken: {} calls {path}, which is gone", file.display());
                }
            };
            let first = chained.as_ref().map(|path| format!("{}, then ", path.display()));
            format!("installed: {} calls {}{tool}", file.display(), first.unwrap_or_default())
        }
    }
}

/// A path as it can be typed.
fn shell(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Says it on standard error, which git hands on.
fn say(words: &str) {
    let _ = io::stderr().write_all(words.as_bytes());
}
