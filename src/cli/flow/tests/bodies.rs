//! Answers changed byte by byte: a leaver and a sweep over a system whose bodies are nearly right. Whatever they say, no process falls over,
//! no intent is missing, the ledger holds, and nobody who is employed loses anything.
//!
//! The end may be another one: a body that was changed into a whole answer which says that something is gone is believed.

use std::sync::{Arc, Mutex};

use super::{
    dice::{Dice, mutate},
    schedules::lost,
    world::{Command, World, estate, only},
};
use serde_json::Value;

const SEEDS: u64 = 5;

/// How it ends when every answer is right.
pub struct Rig {
    given: Value,
    before: Value,
    want: Value,
    systems: Vec<String>,
}

impl Rig {
    pub async fn new() -> Rig {
        let given = only(estate(60), &[]);
        let w = World::new(given.clone(), 7);
        let (before, systems) = (w.state(), w.engine.systems());
        for _ in 0..3 {
            w.run(Command::Sweep).await;
            w.rest().await;
        }
        Rig {
            given,
            before,
            want: w.state(),
            systems,
        }
    }

    /// How many bodies were changed, and what was wrong.
    pub async fn play(&self, seed: u64) -> (usize, Vec<String>) {
        let mut dice = Dice(seed);
        let w = World::new(self.given.clone(), seed);
        let system = &self.systems[dice.index(self.systems.len())];
        let command = dice.one(&[Command::Leaver("alice@acme.example"), Command::Sweep]);
        let often = 1 + dice.below(4);
        let dice = Mutex::new(dice);
        let spoil = move |body: &mut Vec<u8>, _: &mut ::http::HeaderMap| {
            let mut dice = dice.lock().unwrap();
            if body.is_empty() || dice.below(often) > 0 {
                return false;
            }
            *body = mutate(&mut dice, body);
            true
        };
        w.wire.spoil(Some((system.clone(), Arc::new(spoil))));
        let first = w.run(command).await.exit();
        w.wire.spoil(None);
        for _ in 0..3 {
            w.rest().await;
            w.run(Command::Sweep).await;
        }
        w.rest().await;
        let state = w.state();
        let mut wrong = w.broken().await;
        wrong.extend(lost("", &self.before, &self.want, &state));
        let told = |e| format!("seed {seed} {system} {command:?} {first:?}: {e}");
        (w.wire.spoilt(), wrong.into_iter().map(told).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_nearly_right_end_nobody_and_nothing() {
    let rig = Rig::new().await;
    let (mut bodies, mut wrong) = (0, vec![]);
    for seed in 0..SEEDS {
        let (n, found) = rig.play(seed).await;
        bodies += n;
        wrong.extend(found);
    }
    assert!(bodies > 0);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
