//! What an applying command is surrounded by: signals that stop it, a view that follows it, the words of its report.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::say;
use crate::{
    cli::{context::Context, exit::Exit, firm::Firm, view},
    model::Event,
    run::{Stop, Wording},
};

/// Follows the signals until the command ends.
pub fn stop(cx: &Context) -> watch::Receiver<Stop> {
    let mut signals = cx.signals.stop();
    let (send, receive) = watch::channel(Stop::Go);
    tokio::spawn(async move {
        while signals.changed().await.is_ok() {
            let stop = match *signals.borrow() {
                None => Stop::Go,
                // Containment is finished first; a person at the terminal means now.
                Some(Exit::Terminated) => Stop::Contain,
                Some(_) => Stop::Now,
            };
            if send.send(stop).is_err() {
                return;
            }
        }
    });
    receive
}

/// The live view: it is told what happens, and decides nothing.
pub struct Watching(JoinHandle<()>);

impl Watching {
    /// After the last sender is gone.
    pub async fn close(self) {
        // A view that panicked has shown less; the run is what counts.
        let _ = self.0.await;
    }
}

pub fn view(cx: &Context) -> (mpsc::UnboundedSender<Event>, Watching) {
    let (send, receive) = mpsc::unbounded_channel();
    let task = tokio::spawn(view::live::follow(cx.out.clone(), receive));
    (send, Watching(task))
}

/// The report of one person, for the record: the same words as on the screen, without its width and colour.
pub fn wording(cx: &Context, firm: &Firm) -> Wording {
    let flags = cx.flags();
    let screen = view::Screen {
        width: None,
        paint_out: false,
        paint_err: false,
        ..cx.out.screen
    };
    let tenant = say::tenant(firm);
    Arc::new(move |state, person| {
        format!(
            "{}\n{}",
            tenant.line(&screen),
            view::report::person(state, person, &flags, &screen)
        )
    })
}
