//! The whole fault machine, counted: `benches/reliability.py` runs it and makes the table of docs/RELIABILITY.md of what it prints.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    bodies,
    crash::{STORIES, Share},
    roster,
    schedules::Rig,
};

/// How many schedules; a quarter as many lies of HR's, and an eighth of bodies.
const SEEDS: u64 = 2000;

#[allow(clippy::disallowed_methods, reason = "a test that somebody gives more time or less")]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// In a virtual time of its own.
fn virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}

#[test]
#[ignore = "minutes of it: benches/reliability.py"]
#[allow(clippy::disallowed_macros, reason = "the figures that a command reads")]
fn reliability() {
    let seeds = told("JML_SEEDS").unwrap_or(SEEDS);
    // Every point in every way, or where time is short every so-manieth in one.
    let share = told("JML_EVERY").map_or(Share::Whole, |n| Share::Each(usize::try_from(n).unwrap()));
    let hands = thread::available_parallelism().map_or(1, usize::from);
    let (points, schedules, removals, lies, changed) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let next = AtomicUsize::new(0);
    let add = |to: &AtomicUsize, n: usize| {
        to.fetch_add(n, Ordering::Relaxed);
    };
    let one = |hand: u64| -> Vec<String> {
        let mut wrong = vec![];
        while let Some(story) = STORIES.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (kills, found) = virtual_time(story.at_every_point(share));
            add(&points, kills);
            wrong.extend(found);
        }
        let own = |of: u64| (0..of).filter(move |s| s % hands as u64 == hand);
        virtual_time(async {
            let (small, wide) = (Rig::small().await, Rig::wide().await);
            for seed in own(seeds) {
                let rig = if seed / hands as u64 % 2 == 0 { &small } else { &wide };
                wrong.extend(rig.play(seed).await);
                add(&schedules, 1);
            }
            for seed in own(seeds / 4) {
                let source = roster::SOURCES[usize::try_from(seed).unwrap() / hands % roster::SOURCES.len()];
                let (taken, found) = roster::play(source, seed).await;
                add(&removals, taken.len());
                add(&lies, 1);
                wrong.extend(taken.into_iter().chain(found));
            }
            let rig = bodies::Rig::new().await;
            for seed in own(seeds / 8) {
                let (n, found) = rig.play(seed).await;
                add(&changed, n);
                wrong.extend(found);
            }
        });
        wrong
    };
    let wrong: Vec<String> = thread::scope(|s| {
        let one = &one;
        let all: Vec<_> = (0..hands as u64).map(|hand| s.spawn(move || one(hand))).collect();
        all.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    for (what, n) in [
        ("points", &points),
        ("schedules", &schedules),
        ("lies", &lies),
        ("removals", &removals),
        ("bodies", &changed),
    ] {
        println!("figure {what} {}", n.load(Ordering::Relaxed));
    }
    println!("figure wrong {}", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
