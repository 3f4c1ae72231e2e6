//! Killed at every named point, then taken up: the same end, each effect once, no change without its intent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    roster::hr_in_a_file,
    wire::{Point, WHENS, When},
    world::{Command, End, World, estate, few, only},
};
use crate::cli::exit::Exit;

const SEED: u64 = 7;
const LEAVER: Command = Command::Leaver("alice@acme.example");
const MOVER: Command = Command::Mover("bob@acme.example");
const JOINER: Command = Command::Joiner("nora@acme.example");

/// One command that is killed, and what takes it up. Who is asked again for what is done already says so, and
/// leaves the records that are owed to `run resume` and sweeps.
pub struct Story {
    pub name: &'static str,
    given: fn() -> Value,
    command: Command,
    then: &'static [Command],
}

/// Which of the points, and in which of the three ways.
#[derive(Clone, Copy, Debug)]
pub enum Share {
    /// Every point in every way.
    Whole,
    /// Every point in one of the three ways, by turns.
    Turns,
    /// Every so-manieth point, in one of the ways.
    Each(usize),
}

impl Share {
    fn has(self, point: usize, way: usize) -> bool {
        match self {
            Share::Whole => true,
            Share::Turns => point % WHENS.len() == way,
            Share::Each(n) => point.is_multiple_of(n) && point / n % WHENS.len() == way,
        }
    }
}

pub const STORIES: [Story; 14] = [
    Story {
        name: "leaver, then resume",
        given: || few(&[]),
        command: LEAVER,
        then: &[Command::Resume],
    },
    Story {
        name: "leaver, then sweep",
        given: || few(&[]),
        command: LEAVER,
        then: &[Command::Sweep],
    },
    Story {
        name: "mover, then resume",
        given: || few(&["bob@acme.example"]),
        command: MOVER,
        then: &[Command::Resume],
    },
    Story {
        name: "mover, then sweep",
        given: || few(&["bob@acme.example"]),
        command: MOVER,
        then: &[Command::Sweep],
    },
    Story {
        name: "joiner, then resume",
        given: || few(&["nora@acme.example"]),
        command: JOINER,
        then: &[Command::Resume],
    },
    Story {
        name: "joiner, then sweep",
        given: || few(&["nora@acme.example"]),
        command: JOINER,
        then: &[Command::Sweep],
    },
    Story {
        name: "rehire, then the same again and resume",
        given: back,
        command: Command::Rehire("rita.hall@acme.example"),
        then: &[Command::Rehire("rita.hall@acme.example"), Command::Resume],
    },
    Story {
        name: "joiner --from, then the same again and resume",
        given: || hr_in_a_file(&["nora@acme.example"]),
        command: Command::From("00043"),
        then: &[Command::From("00043"), Command::Resume],
    },
    Story {
        name: "groups apply, then the same again and resume",
        given: another_department,
        command: Command::Groups,
        then: &[Command::Groups, Command::Resume],
    },
    Story {
        name: "sweep, then sweep",
        given: || few(&["ben.cole@acme.example", "bob@acme.example", "nora@acme.example"]),
        command: Command::Sweep,
        then: &[Command::Sweep],
    },
    Story {
        name: "leaver of every system, then resume",
        given: || only(estate(60), &[]),
        command: LEAVER,
        then: &[Command::Resume],
    },
    Story {
        name: "mover of every system, then resume",
        given: || only(estate(60), &["bob@acme.example"]),
        command: MOVER,
        then: &[Command::Resume],
    },
    Story {
        name: "joiner of every system, then resume",
        given: || only(estate(60), &["nora@acme.example"]),
        command: JOINER,
        then: &[Command::Resume],
    },
    Story {
        name: "sweep of every system, then sweep",
        given: || {
            only(
                estate(60),
                &["ben.cole@acme.example", "bob@acme.example", "nora@acme.example"],
            )
        },
        command: Command::Sweep,
        then: &[Command::Sweep],
    },
];

/// Rita left once, and her account was shut.
fn back() -> Value {
    let mut given = few(&[]);
    let users = given["okta"]["users"].as_array_mut().unwrap();
    let login = |u: &&mut Value| u["profile"]["login"] == "rita.hall@acme.example";
    let rita = users.iter_mut().find(login).unwrap();
    rita["status"] = json!("DEPROVISIONED");
    rita["groups"] = json!([]);
    given
}

/// Policy names a department whose group nobody has made.
fn another_department() -> Value {
    let mut given = few(&[]);
    given["config"]["policy"]["departments"] = json!({"Legal": "LEGAL", "Research": "RES"});
    given
}

/// How it ends when nobody kills it.
struct Baseline {
    state: Value,
    effects: BTreeSet<(String, String)>,
    points: Vec<Point>,
    exit: Option<Exit>,
}

impl Story {
    pub fn named(name: &str) -> &'static Story {
        STORIES.iter().find(|s| s.name == name).unwrap()
    }

    async fn end(&self, w: &World) -> End {
        let mut end = End::Killed;
        for command in self.then {
            end = w.run(*command).await;
        }
        w.rest().await;
        end
    }

    async fn undisturbed(&self) -> Baseline {
        let w = World::new((self.given)(), SEED);
        w.run(self.command).await;
        let points = w.wire.points();
        let exit = self.end(&w).await.exit();
        assert_eq!(w.broken().await, Vec::<String>::new(), "{}", self.name);
        Baseline {
            state: w.state(),
            effects: w.effects().await.into_keys().collect(),
            points,
            exit,
        }
    }

    /// What is wrong after the kill, if anything is.
    async fn killed(&self, point: &Point, when: When, whole: &Baseline) -> Vec<String> {
        let w = World::new((self.given)(), SEED);
        w.kill_at(point, when);
        let mut wrong = vec![];
        if !matches!(w.run(self.command).await, End::Killed) {
            return vec!["the point was not hit".into()];
        }
        let end = self.end(&w).await;
        // Of several that take it up, which one finds something left depends on the point.
        if self.then.len() == 1 && end.exit() != whole.exit {
            wrong.push(format!("{end:?} instead of {:?}", whole.exit));
        }
        let state = w.state();
        if state != whole.state {
            wrong.push(differs("", &whole.state, &state));
        }
        let done: BTreeSet<_> = w.effects().await.into_keys().collect();
        wrong.extend(
            whole
                .effects
                .difference(&done)
                .map(|e| format!("{e:?} is not recorded")),
        );
        wrong.extend(
            done.difference(&whole.effects)
                .map(|e| format!("{e:?} was not asked for")),
        );
        wrong.extend(w.broken().await);
        wrong
    }

    /// How many kills that were, and what was wrong.
    pub async fn at_every_point(&self, share: Share) -> (usize, Vec<String>) {
        let baseline = self.undisturbed().await;
        assert!(!baseline.points.is_empty(), "{}", self.name);
        let (mut kills, mut wrong) = (0, vec![]);
        for (i, point) in baseline.points.iter().enumerate() {
            for (turn, when) in WHENS.into_iter().enumerate() {
                if share.has(i, turn) {
                    kills += 1;
                    let found = self.killed(point, when, &baseline).await;
                    wrong.extend(
                        found
                            .into_iter()
                            .map(|w| format!("{}: {point} {when:?}: {w}", self.name)),
                    );
                }
            }
        }
        (kills, wrong)
    }
}

/// Where two worlds part.
pub fn differs(at: &str, a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => x
            .keys()
            .chain(y.keys())
            .find(|k| x.get(*k) != y.get(*k))
            .map(|k| differs(&format!("{at}/{k}"), &a[k], &b[k]))
            .unwrap_or_default(),
        _ => format!("{at}: {b} instead of {a}"),
    }
}

async fn holds(name: &str, share: Share) {
    let (kills, wrong) = Story::named(name).at_every_point(share).await;
    assert!(
        wrong.is_empty(),
        "{kills} kills, {} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_leaver_killed_at_every_point_is_resumed() {
    holds("leaver, then resume", Share::Whole).await;
}

#[tokio::test(start_paused = true)]
async fn a_leaver_killed_at_every_point_is_finished_by_the_next_sweep() {
    holds("leaver, then sweep", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_killed_at_every_point_is_resumed() {
    holds("mover, then resume", Share::Whole).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_killed_at_every_point_is_finished_by_the_next_sweep() {
    holds("mover, then sweep", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn a_joiner_killed_at_every_point_is_resumed() {
    holds("joiner, then resume", Share::Whole).await;
}

#[tokio::test(start_paused = true)]
async fn a_joiner_killed_at_every_point_is_finished_by_the_next_sweep() {
    holds("joiner, then sweep", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn a_rehire_killed_at_every_point_is_finished_by_the_same_again() {
    holds("rehire, then the same again and resume", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_made_from_a_file_is_made_once_wherever_it_was_killed() {
    holds("joiner --from, then the same again and resume", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn groups_are_made_once_wherever_it_was_killed() {
    holds("groups apply, then the same again and resume", Share::Whole).await;
}

#[tokio::test(start_paused = true)]
async fn a_sweep_killed_at_every_point_is_finished_by_the_next() {
    holds("sweep, then sweep", Share::Turns).await;
}

#[tokio::test(start_paused = true)]
async fn a_leaver_of_every_system_killed_at_some_points_is_resumed() {
    holds("leaver of every system, then resume", Share::Each(5)).await;
}

#[tokio::test(start_paused = true)]
async fn a_mover_of_every_system_killed_at_some_points_is_resumed() {
    holds("mover of every system, then resume", Share::Each(4)).await;
}

#[tokio::test(start_paused = true)]
async fn a_joiner_of_every_system_killed_at_some_points_is_resumed() {
    holds("joiner of every system, then resume", Share::Each(4)).await;
}

#[tokio::test(start_paused = true)]
async fn a_sweep_of_every_system_killed_at_some_points_is_finished_by_the_next() {
    holds("sweep of every system, then sweep", Share::Each(20)).await;
}
