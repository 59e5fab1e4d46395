//! tokensweep finds npm credentials, and the other secrets that worms take, in
//! trees, files, streams and environment dumps. The command line is a thin
//! layer over this library, which does the same and prints nothing.
//!
//! ```
//! use tokensweep::pipeline::{Options, Scanner};
//!
//! let scanner = Scanner::new(&Options::default())?;
//! scanner.scan_bytes("app.env", b"NPM_TOKEN=0c9e9b7e-9a3f-4d55-8f0a-6f1c2b7d8e90");
//! let report = scanner.finish();
//! assert_eq!(&*report.findings[0].kind, "npm-legacy-token");
//! assert_eq!(report.findings[0].locations[0].variable.as_deref(), Some("NPM_TOKEN"));
//! # Ok::<(), tokensweep::error::Error>(())
//! ```
//!
//! # The house
//!
//! Data runs downhill; a room imports only rooms below it; siblings do not
//! import each other. `tests/architecture.rs` holds the house to this drawing.
//!
//! ```text
//! main → cli → config → pipeline → source → git
//!         │                 ├────→ git
//!         │                 ├────→ matcher → rules
//!         │                 ├────→ verify → context · matcher · rules
//!         │                 └────→ suppress → context
//!         ├→ hook → pipeline · git · report
//!         ├→ validate · revoke → registry → rules · hostage
//!         ├→ blast_radius → registry · hostage · lockfile · indicators
//!         └→ report                                        all → model
//! ```
//!
//! | room | its one sentence |
//! |---|---|
//! | [`cli`] | flags, and one file for each command |
//! | [`config`] | defaults < user file < project file < environment < flags, resolved once |
//! | [`hook`] | stands before commits and pushes: what they bring is searched, or they are refused |
//! | [`hostage`] | looks for dead-man's switches that worms leave behind on a machine |
//! | [`error`] | fatal errors: what, why, what to try |
//! | [`pipeline`] | runs the line, folds equal secrets into one finding, returns the report |
//! | [`blast_radius`] | what a credential reaches, what became of it, and the way out |
//! | [`lockfile`] | reads which packages a project pins, and through whom |
//! | [`indicators`] | reads lists of known bad versions, and knows them again |
//! | [`registry`] | asks services about credentials and reads what they answer; only its client sees a network |
//! | [`source`] | yields blobs on its own threads: trees, files, streams |
//! | [`validate`] | asks each credential's own service once whether it is alive |
//! | [`revoke`] | takes one token away, if its registry lets it |
//! | [`git`] | yields the objects of repositories, each once; follows what was found through history; tells what a range brings |
//! | [`matcher`] | literals over the bytes, then the rule's pattern at the hit → candidates |
//! | [`verify`] | offline: placeholders, randomness, checksums, place, worth → kept or rejected |
//! | [`context`] | what the text around a value says: its key, registry, user, date |
//! | [`suppress`] | markers, ignore files, baselines |
//! | [`rules`] | TOML → checked, compiled rules; those of `patterns/` are in the binary |
//! | [`report`] | report → bytes, one file for each format; masks; sanitises at the last door |
//! | [`model`] | the words that the rooms hand to each other; no I/O |
//!
//! To come: `unpack` (members of archives), `decode` (text hidden in
//! encodings).
//!
//! A source pushes blobs into one closure. Inside it, on the same thread, the
//! matcher yields candidates that borrow the blob and the verifier keeps or
//! rejects each; what is kept goes to one collector. Output never depends on
//! threads. Lines are counted for kept candidates only.
//!
//! Git's objects take two passes. The first sees each object once, as a delta of
//! the one that it was made of: the matcher searches only what the delta adds,
//! and takes the rest over ([`matcher::Trace`]). What was found is then followed
//! to the commits and paths that show it first, and there goes through the same
//! matcher and verifier as a file of that path.

pub mod blast_radius;
pub mod cli;
pub mod config;
pub mod context;
pub mod error;
pub mod git;
pub mod hook;
pub mod hostage;
pub mod indicators;
pub mod lockfile;
pub mod matcher;
pub mod model;
pub mod pipeline;
pub mod registry;
pub mod report;
pub mod revoke;
pub mod rules;
pub mod source;
pub mod suppress;
pub mod validate;
pub mod verify;
