//! What a host wrote while the ledger was out of reach: brought in before anything else is done, and told.

use std::{sync::PoisonError, time::Duration};

use super::resume;
use crate::{
    cli::{context::Context, error::CliError, firm::Firm, text},
    ledger::{Body, Ledger, LedgerError, Merged, Spooling, fold::State},
    model::{Record, What},
    run::{AllRecorders, outbox},
};

/// At the start of whatever writes. A spool that can't be brought in yet keeps nothing else from being done; who is not in a hurry waits
/// until the lease of the process that lost its ledger has ended, once: what comes after somebody else's look counts no more.
pub async fn catch_up(cx: &Context, firm: &Firm, hurry: bool) -> Result<(), CliError> {
    let Some(spool) = &firm.spool else { return Ok(()) };
    if cx.reads || firm.away.is_some() || spool.runs()?.is_empty() {
        return Ok(());
    }
    let (_, recorders) = firm.hands(&resume::empty(firm)?)?;
    let mut again = !hurry;
    loop {
        let mut held = None;
        for (run, merged) in spool.merge_all(&firm.ledger, |m| event(firm, &recorders, m)).await {
            match merged {
                Ok(Some(m)) => told(cx, &m),
                Ok(None) => {}
                Err(LedgerError::LeaseHeld { ends: Some(ends), .. }) if again => held = held.max(Some(ends)),
                Err(e) => unmerged(cx, &run, &e),
            }
        }
        let Some(ends) = held else { return Ok(()) };
        again = false;
        let wait = ends + Duration::from_secs(1);
        cx.out.talk(&format!(
            "What this host did without the ledger waits {} s for a lease to end ...",
            wait.as_secs()
        ));
        let mut stop = cx.signals.stop();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.wait_for(Option::is_some) => {}
        }
    }
}

/// Of a run that went on without its ledger: tries it once more. What can't be brought in stays where it is.
pub async fn end(cx: &Context, firm: &Firm, ours: Option<Spooling>, state: State) -> Result<State, CliError> {
    let own = match &firm.away {
        None => ours,
        Some(away) => away.ours.lock().unwrap_or_else(PoisonError::into_inner).take(),
    };
    let (Some(spool), Some(own)) = (&firm.spool, own) else {
        return Ok(state);
    };
    let back = match &firm.away {
        None => Ok(firm.ledger.clone()),
        Some(away) => (away.back)(),
    };
    let (_, recorders) = firm.hands(&resume::empty(firm)?)?;
    let merged: Result<(Ledger, Option<Merged>), LedgerError> = async {
        let ledger = back?;
        let merged = spool.merge(own, &ledger, |m| event(firm, &recorders, m)).await?;
        Ok((ledger, merged))
    }
    .await;
    match merged {
        Ok((ledger, merged)) => {
            if let Some(m) = &merged {
                told(cx, m);
            }
            Ok(ledger.run(&state.run).await.ok().flatten().unwrap_or(state))
        }
        Err(e) => {
            unmerged(cx, &state.run, &e);
            Ok(state)
        }
    }
}

fn told(cx: &Context, m: &Merged) {
    cx.out.warn(&cx.out.screen.safe(&format!("! {}.", words(m))));
}

fn words(m: &Merged) -> String {
    let moot = match m.moot {
        0 => String::new(),
        n => format!(" ({n} of them count for nothing: the ledger had them, or somebody else had gone on)"),
    };
    format!(
        "{} of run {}, written on {} from {} to {} while the ledger was out of reach, {} brought into it{moot}",
        text::count(m.entries, "entry"),
        m.run,
        m.host,
        text::instant(m.from),
        text::clock(m.to, m.from),
        if m.entries == 1 { "was" } else { "were" },
    )
}

fn unmerged(cx: &Context, run: &str, e: &LedgerError) {
    cx.out.warn(&cx.out.screen.safe(&format!(
        "! What was done in run {run} lies in this host's spool, and not in the ledger yet: {e}. The next command that changes something brings it in."
    )));
}

/// Somebody should hear that the ledger was stopped.
fn event(firm: &Firm, recorders: &AllRecorders, m: &Merged) -> Vec<Body> {
    let record = Record {
        key: format!("jml-{}-spool-{}", m.run, m.hash.get(..12).unwrap_or(&m.hash)),
        run: m.run.clone(),
        login: None,
        at: firm.now(),
        what: What::Event {
            title: format!("jml went on without its ledger: run {}", m.run),
            text: format!("{}: {}", words(m), m.why),
            tags: firm.tags("spool"),
            alert: true,
        },
    };
    outbox::addressed(recorders, &record)
}
