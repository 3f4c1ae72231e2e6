//! SIGINT, SIGTERM, SIGHUP: what they mean depends on how far the command is.
//!
//! Decides nothing about steps: it only says that a stop is wanted, and later that it is wanted at once.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{Duration, Instant},
};

use super::{exit::Exit, view::Out};

/// How far the command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was done yet: a signal ends it at once.
    Reading,
    /// A question stands: a signal is "no".
    Asking,
    /// Effects are under way: the first signal lets open steps end, the second leaves.
    Applying,
}

struct Inner {
    stage: AtomicU8,
    stop: watch::Sender<Option<Exit>>,
    leave: watch::Sender<Option<Exit>>,
}

#[derive(Clone)]
pub struct Signals(Arc<Inner>);

impl Default for Signals {
    fn default() -> Self {
        Signals(Arc::new(Inner {
            stage: AtomicU8::new(0),
            stop: watch::Sender::new(None),
            leave: watch::Sender::new(None),
        }))
    }
}

/// Signals that come so soon after one another are one: a terminal sends it to the whole group, and so may a wrapper.
const SAME: Duration = Duration::from_secs(1);

impl Signals {
    pub fn enter(&self, stage: Stage) {
        let n = match stage {
            Stage::Reading => 0,
            Stage::Asking => 1,
            Stage::Applying => 2,
        };
        self.0.stage.store(n, Ordering::SeqCst);
    }
    fn stage(&self) -> Stage {
        match self.0.stage.load(Ordering::SeqCst) {
            1 => Stage::Asking,
            2 => Stage::Applying,
            _ => Stage::Reading,
        }
    }
    /// Becomes `Some` when no new step may start; the value is the exit that the run ends with.
    pub fn stop(&self) -> watch::Receiver<Option<Exit>> {
        self.0.stop.subscribe()
    }
    /// Ends when the process has to leave at once.
    pub async fn leave(&self) -> Exit {
        let mut rx = self.0.leave.subscribe();
        match rx.wait_for(Option::is_some).await {
            Ok(v) => v.unwrap_or(Exit::Interrupted),
            Err(_) => std::future::pending().await,
        }
    }

    /// Installing a handler removes the default: from here on every signal is answered here.
    pub fn watch(&self, out: Arc<Out>) -> std::io::Result<()> {
        let mut int = signal(SignalKind::interrupt())?;
        let mut term = signal(SignalKind::terminate())?;
        let mut hup = signal(SignalKind::hangup())?;
        let me = self.clone();
        tokio::spawn(async move {
            let mut first: Option<Instant> = None;
            loop {
                let exit = tokio::select! {
                    _ = int.recv() => Exit::Interrupted,
                    _ = term.recv() => Exit::Terminated,
                    _ = hup.recv() => {
                        if me.stage() == Stage::Applying {
                            // The terminal is gone; the work goes on without a view.
                            out.hang_up();
                            continue;
                        }
                        Exit::Interrupted
                    }
                };
                me.came(exit, &mut first, Instant::now());
            }
        });
        Ok(())
    }

    fn came(&self, exit: Exit, first: &mut Option<Instant>, now: Instant) {
        match (self.stage(), *first) {
            (Stage::Reading, _) => {
                self.0.leave.send_replace(Some(exit));
            }
            (Stage::Asking, _) => {
                self.0.leave.send_replace(Some(Exit::Declined));
            }
            (Stage::Applying, None) => {
                *first = Some(now);
                self.0.stop.send_replace(Some(exit));
            }
            (Stage::Applying, Some(t)) if now.duration_since(t) > SAME => {
                self.0.leave.send_replace(Some(exit));
            }
            (Stage::Applying, Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_signal_counts_only_after_a_second() {
        let s = Signals::default();
        s.enter(Stage::Applying);
        let t = Instant::now();
        let mut first = None;
        s.came(Exit::Interrupted, &mut first, t);
        s.came(Exit::Interrupted, &mut first, t + Duration::from_millis(900));
        assert_eq!(*s.0.stop.borrow(), Some(Exit::Interrupted));
        assert_eq!(*s.0.leave.borrow(), None);
        s.came(Exit::Interrupted, &mut first, t + Duration::from_millis(1100));
        assert_eq!(*s.0.leave.borrow(), Some(Exit::Interrupted));
    }

    #[test]
    fn a_signal_at_a_question_is_no() {
        let s = Signals::default();
        s.enter(Stage::Asking);
        s.came(Exit::Interrupted, &mut None, Instant::now());
        assert_eq!(*s.0.leave.borrow(), Some(Exit::Declined));
    }

    #[test]
    fn before_anything_was_done_a_signal_ends_it() {
        let s = Signals::default();
        s.came(Exit::Terminated, &mut None, Instant::now());
        assert_eq!(*s.0.leave.borrow(), Some(Exit::Terminated));
    }
}
