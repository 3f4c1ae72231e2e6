//! jml runs the identity lifecycle: joiners, movers, leavers.
//!
//! model names it, planner decides it, providers speak to the world, run does it, ledger remembers it, cli shows it, sandbox rehearses it.
//! docs/ARCHITECTURE.md says why; this is where to look:
//!
//! | to know | open |
//! |---|---|
//! | what a command does, from its words to its exit | `src/cli/command/mod.rs`, then `src/cli/flow.rs` |
//! | what is done to a leaver, and in which order | `src/planner/leaver.rs` |
//! | what stops a mass removal | `src/planner/brake.rs` |
//! | how a step is proved | `src/model/effect.rs` (`holds`), `src/run/settle.rs` |
//! | how steps are carried out, and what a crash leaves | `src/run/execute.rs`, `src/ledger/fold.rs` |
//! | what is said to a vendor | `src/providers/registry.rs`, then the system's own folder |
//! | what is tried again, and when | `src/http/retry.rs` |
//! | what every screen looks like | `src/cli/view/plan.rs`, `src/cli/view/report.rs` |
//! | what every JSON document has | `src/cli/document.rs` |
//! | what an exit code means | `src/cli/exit.rs` |
//! | what the configuration may say | `src/config/file.rs`, `examples/jml.toml` |
//! | what a vendor's twin does | `src/sandbox/mod.rs` |
//!
//! Files that the program touches: the configuration (`/etc/jml/jml.toml`, else `$XDG_CONFIG_HOME/jml/jml.toml`), the secrets that it names,
//! the ledger (`[ledger] path`, else `$XDG_STATE_HOME/jml/`), and with `--sandbox` `$XDG_STATE_HOME/jml/sandbox/` alone.

pub mod cli;
pub mod config;
pub mod http;
pub mod ledger;
pub mod model;
pub mod planner;
pub mod providers;
pub mod run;
pub mod sandbox;
