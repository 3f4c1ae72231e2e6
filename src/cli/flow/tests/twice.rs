//! Every command run again at once: nothing to do, and nothing is asked for that changes anything.

use super::world::{Command, World, few};
use crate::cli::exit::Exit;

async fn again(cast: &[&str], command: Command) {
    let w = World::new(few(cast), 7);
    assert_eq!(w.run(command).await.exit(), Some(Exit::Done), "{command:?}");
    assert!(!w.wire.points().is_empty());
    for pause in [false, true] {
        if pause {
            w.rest().await;
        }
        assert_eq!(w.run(command).await.exit(), Some(Exit::Done), "{command:?}");
        assert_eq!(w.wire.points(), vec![], "{command:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_leaver_again_changes_nothing() {
    again(&[], Command::Leaver("alice@acme.example")).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_again_changes_nothing() {
    again(&["bob@acme.example"], Command::Mover("bob@acme.example")).await;
}

#[tokio::test(start_paused = true)]
async fn a_joiner_again_changes_nothing() {
    again(&["nora@acme.example"], Command::Joiner("nora@acme.example")).await;
}

/// A sweep tells its watchers that it ran; beside that, nothing.
#[tokio::test(start_paused = true)]
async fn a_sweep_again_changes_nothing() {
    let w = World::new(super::world::given(60), 7);
    w.run(Command::Sweep).await;
    w.rest().await;
    w.run(Command::Sweep).await;
    w.rest().await;
    w.run(Command::Sweep).await;
    let changed: Vec<String> = w.wire.points().iter().map(ToString::to_string).collect();
    assert!(changed.iter().all(|c| c.starts_with("datadog ")), "{changed:?}");
}
