//! Where a run writes what it does: the ledger, and where that is lost this host's spool. Then no step starts that does not contain:
//! whoever stops the database stops the rest, and nothing keeps a door open.

use super::{Crew, execute::move_on};
use crate::{
    ledger::{
        Guard, Ledger, LedgerError, Spooling,
        entry::{Body, Draft, Subject},
        fold::State,
    },
    model::{Event, Phase, StepNo},
};

/// A step that is about to start, and whether it was begun before.
pub struct Start {
    pub subject: Subject,
    pub step: StepNo,
    pub again: bool,
}

pub struct Book<'a> {
    crew: &'a Crew,
    away: Option<Away>,
}

struct Away {
    ledger: Ledger,
    why: String,
    /// `None`: whoever opened the firm holds it.
    ours: Option<Spooling>,
    /// Does the spool say by now what it is?
    said: bool,
}

impl<'a> Book<'a> {
    pub fn new(crew: &'a Crew) -> Self {
        Book { crew, away: None }
    }

    /// Out of reach from the beginning: the crew's ledger is the spool.
    pub fn away(crew: &'a Crew, why: String) -> Self {
        let away = Away {
            ledger: crew.ledger.clone(),
            why,
            ours: None,
            said: false,
        };
        Book { crew, away: Some(away) }
    }

    pub fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// The spool, where this run had to open one.
    pub fn into_spool(self) -> Option<Spooling> {
        self.away?.ours
    }

    /// What happened, which the state holds already, and what shall start: on disk before a call leaves. Gives what may start, in the
    /// state too. A refused append (lost lease, full disk) ends the run.
    pub async fn write(
        &mut self,
        guard: &Guard,
        state: &mut State,
        facts: &[Body],
        mut starts: Vec<Start>,
    ) -> Result<Vec<Start>, LedgerError> {
        if self.away.is_none() && !(facts.is_empty() && starts.is_empty()) {
            let begins = begins(&starts);
            let all = facts.iter().chain(&begins);
            match self.crew.ledger.append(guard, drafts(self.crew, all)).await {
                Ok(_) => {
                    move_on(state, self.crew, &begins)?;
                    return Ok(starts);
                }
                Err(e) => self.leave(e).await?,
            }
        }
        let Some(away) = &mut self.away else {
            return Ok(starts);
        };
        starts.retain(|s| state.people[&s.subject].steps[s.step].step.phase == Phase::Contain);
        let begins = begins(&starts);
        let mut all = facts.to_vec();
        if !away.said {
            let marker = Body::Spooled {
                host: self.crew.host.clone(),
                why: away.why.clone(),
                fences: match away.ours {
                    Some(_) => self.crew.guard.tokens(),
                    None => Default::default(),
                },
            };
            move_on(state, self.crew, std::slice::from_ref(&marker))?;
            // A run begins with its first entry.
            let at = usize::from(matches!(facts.first(), Some(Body::Opened(_))));
            all.insert(at, marker);
        }
        all.extend(begins.iter().cloned());
        if !all.is_empty() {
            away.ledger.append(&Guard::default(), drafts(self.crew, &all)).await?;
            away.said = true;
        }
        move_on(state, self.crew, &begins)?;
        Ok(starts)
    }

    /// To the spool, where there may be one.
    pub async fn leave(&mut self, e: LedgerError) -> Result<(), LedgerError> {
        let Some(spool) = self.crew.spool.as_ref().filter(|_| e.lost()) else {
            return Err(e);
        };
        let ours = spool.open(&self.crew.run).await?;
        let why = e.to_string();
        self.crew.tell(Event::Lost { why: why.clone() });
        self.away = Some(Away {
            ledger: ours.ledger.clone(),
            why,
            ours: Some(ours),
            said: false,
        });
        Ok(())
    }
}

fn begins(starts: &[Start]) -> Vec<Body> {
    let started = |s: &Start| Body::Started {
        subject: s.subject.clone(),
        step: s.step,
    };
    starts.iter().map(started).collect()
}

pub(super) fn drafts<'b>(crew: &Crew, bodies: impl IntoIterator<Item = &'b Body>) -> Vec<Draft> {
    let draft = |b: &Body| Draft {
        run: crew.run.clone(),
        operator: crew.operator.clone(),
        body: b.clone(),
    };
    bodies.into_iter().map(draft).collect()
}
