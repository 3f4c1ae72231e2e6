//! Where a host writes while the ledger of several hosts can't be reached: a ledger of its own for each run, which is brought into the
//! other one as soon as that is back. What may be done meanwhile is not decided here.
//!
//! All of a spool is brought in by one append, or nothing of it. Each entry names its number and its hash there, so that nothing comes
//! twice, and keeps its time. What can't follow what others wrote meanwhile is kept beside the chain of what happened (`moot`): a run that
//! somebody else took up can be read whatever a lost host did.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{
    Body, Clock, Draft, Entry, Guard, Keeper, Lease, Ledger, LedgerError, Meta, Origin, Seq, State, Subject,
    lease::file_name,
    seal::{First, Pending},
    store::{Memory, Query},
};

/// Held by whoever writes to a spool, or brings it in.
const SUBJECT: &str = "spool";
/// One that another process looks at just now is free again in a moment.
const TRIES: u32 = 50;
const MOMENT: Duration = Duration::from_millis(100);
/// Of a folder whose entries are in the ledger: left over where a process was killed while it took it away.
const DONE: &str = ".merged";

#[derive(Clone)]
pub struct Spool {
    place: Place,
    meta: Meta,
    clock: Clock,
}

#[derive(Clone)]
enum Place {
    /// A folder, with a folder a run.
    Folder(PathBuf),
    Memory(Arc<Mutex<BTreeMap<String, Memory>>>),
}

/// The spool of one run, ours as long as this lives.
#[derive(Debug)]
pub struct Spooling {
    pub ledger: Ledger,
    pub name: String,
    _ours: Lease,
}

/// What came into the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub run: String,
    pub operator: String,
    pub host: String,
    /// Why the ledger could not be reached.
    pub why: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub entries: usize,
    pub moot: usize,
    /// Of its first entry there.
    pub hash: String,
}

impl Spool {
    pub fn folder(folder: PathBuf, meta: Meta, clock: Clock) -> Spool {
        let place = Place::Folder(folder);
        Spool { place, meta, clock }
    }

    /// For tests on virtual time.
    pub fn memory(meta: Meta, clock: Clock) -> Spool {
        let place = Place::Memory(Arc::default());
        Spool { place, meta, clock }
    }

    /// To write to, for the run of that name.
    pub async fn open(&self, run: &str) -> Result<Spooling, LedgerError> {
        let name = file_name(run);
        for _ in 0..TRIES {
            match self.take(&name).await {
                Ok(Some(ours)) => return Ok(ours),
                Ok(None) | Err(LedgerError::LeaseHeld { .. }) => tokio::time::sleep(MOMENT).await,
                Err(e) => return Err(e),
            }
        }
        Err(LedgerError::Store(format!(
            "the spool of run {run} is being worked on by another process"
        )))
    }

    /// `None`: it was taken away while we came in.
    async fn take(&self, name: &str) -> Result<Option<Spooling>, LedgerError> {
        let ledger = match &self.place {
            Place::Folder(folder) => Ledger::open(&file(folder, name), None, self.meta.clone(), self.clock.clone())?,
            Place::Memory(all) => {
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                let store = all.entry(name.to_owned()).or_default().clone();
                Ledger::local(store, self.meta.clone(), self.clock.clone())?
            }
        };
        let ours = ledger.lease(&[SUBJECT.to_owned()], SUBJECT).await?;
        let there = match &self.place {
            Place::Folder(folder) => file(folder, name).exists(),
            Place::Memory(all) => all.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name),
        };
        Ok(there.then(|| Spooling {
            ledger,
            name: name.to_owned(),
            _ours: ours,
        }))
    }

    /// Runs that have one, whoever writes to it.
    pub fn runs(&self) -> Result<Vec<String>, LedgerError> {
        match &self.place {
            Place::Memory(all) => Ok(all
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .keys()
                .cloned()
                .collect()),
            Place::Folder(folder) => names(folder).map_err(|e| unusable(folder, &e)),
        }
    }

    /// Brings in what no living process writes to, each for itself. `and` is written along with it.
    pub async fn merge_all(
        &self,
        ledger: &Ledger,
        and: impl Fn(&Merged) -> Vec<Body>,
    ) -> Vec<(String, Result<Option<Merged>, LedgerError>)> {
        let runs = match self.runs() {
            Ok(runs) => runs,
            Err(e) => return vec![(String::new(), Err(e))],
        };
        let mut all = vec![];
        for run in runs {
            match self.take(&run).await {
                Ok(Some(spool)) => {
                    let merged = self.merge(spool, ledger, &and).await;
                    all.push((run, merged));
                }
                // Its own process does it.
                Ok(None) | Err(LedgerError::LeaseHeld { .. }) => {}
                Err(e) => all.push((run, Err(e))),
            }
        }
        all
    }

    /// `None`: it held nothing that the ledger has not.
    pub async fn merge(
        &self,
        spool: Spooling,
        ledger: &Ledger,
        and: impl Fn(&Merged) -> Vec<Body>,
    ) -> Result<Option<Merged>, LedgerError> {
        let entries = spool.ledger.ask(Keeper::checked).await?;
        if entries.is_empty() {
            // Somebody may be about to write to it.
            return Ok(None);
        }
        let merged = ledger.bring_in(entries, and).await?;
        self.remove(spool)?;
        Ok(merged)
    }

    /// What is in the ledger has no second place.
    fn remove(&self, spool: Spooling) -> Result<(), LedgerError> {
        let name = spool.name.clone();
        match &self.place {
            Place::Memory(all) => {
                all.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            }
            Place::Folder(folder) => {
                let done = folder.join(name.clone() + DONE);
                let gone = || {
                    if done.exists() {
                        fs::remove_dir_all(&done)?;
                    }
                    // By one step, so that nobody finds half of it.
                    fs::rename(folder.join(&name), &done)
                };
                gone().map_err(|e| unusable(folder, &e))?;
                drop(spool);
                fs::remove_dir_all(&done).map_err(|e| unusable(&done, &e))?;
            }
        }
        Ok(())
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("spool.db")
}

fn unusable(path: &Path, e: &io::Error) -> LedgerError {
    LedgerError::Store(format!("{}: {e}", path.display()))
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let all = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        all => all?,
    };
    let mut names = vec![];
    for entry in all {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(DONE) && file(folder, &name).exists() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

impl Ledger {
    /// What a host wrote in its spool, as if it had been written here at once. Nobody works on its people meanwhile.
    async fn bring_in(
        &self,
        entries: Vec<Entry>,
        and: impl Fn(&Merged) -> Vec<Body>,
    ) -> Result<Option<Merged>, LedgerError> {
        let Some(first) = entries.first().map(|e| e.envelope.clone()) else {
            return Ok(None);
        };
        let about = |e: &Entry| e.body.as_ref().and_then(Body::subject).map(str::to_owned);
        let subjects: BTreeSet<Subject> = entries.iter().filter_map(about).collect();
        let subjects: Vec<Subject> = subjects.into_iter().collect();
        let lease = self.lease(&subjects, &first.run).await?;
        let mut pending = self.ask(move |k| k.judged(entries)).await?;
        let merged = Merged::of(&pending);
        if let Some(merged) = &merged {
            pending.extend(and(merged).into_iter().map(|body| {
                Pending::from(Draft {
                    run: merged.run.clone(),
                    operator: merged.operator.clone(),
                    body,
                })
            }));
            self.write(&lease.guard(), pending).await?;
        }
        lease.release().await?;
        Ok(merged)
    }
}

impl Merged {
    fn of(pending: &[Pending]) -> Option<Merged> {
        let all: Vec<(&Draft, &First)> = pending
            .iter()
            .filter_map(|p| Some((&p.draft, p.first.as_ref()?)))
            .collect();
        let ((draft, first), (_, last)) = (all.first()?, all.last()?);
        let why = all.iter().find_map(|(d, _)| match &d.body {
            Body::Spooled { why, .. } => Some(why.clone()),
            _ => None,
        });
        Some(Merged {
            run: draft.run.clone(),
            operator: draft.operator.clone(),
            host: first.host.clone(),
            why: why.unwrap_or_default(),
            from: first.time,
            to: last.time,
            entries: all.len(),
            moot: all.iter().filter(|(_, f)| f.origin.moot).count(),
            hash: first.origin.hash.clone(),
        })
    }
}

/// What the ledger has of a run that was spooled.
struct Known {
    /// Hashes of what was brought in before.
    merged: BTreeSet<String>,
    own: Vec<Entry>,
    state: State,
}

impl Keeper {
    /// What is not here yet, each with what it means now.
    fn judged(&mut self, spooled: Vec<Entry>) -> Result<Vec<Pending>, LedgerError> {
        let mut runs: BTreeMap<String, Known> = BTreeMap::new();
        let mut fences: BTreeMap<Subject, i64> = BTreeMap::new();
        for e in &spooled {
            if !runs.contains_key(&e.envelope.run) {
                let known = self.known(&e.envelope.run)?;
                runs.insert(e.envelope.run.clone(), known);
            }
            if let Some(Body::Spooled { fences: of, .. }) = &e.body {
                fences.extend(of.clone());
            }
        }
        let merged = (self.clock)();
        let mut pending = vec![];
        for e in spooled {
            let (Some(body), Some(known)) = (e.body.clone(), runs.get_mut(&e.envelope.run)) else {
                continue;
            };
            if known.merged.contains(&e.hash) {
                continue;
            }
            let moot = known.has(&e, &fences) || known.overtaken(&body, &fences) || known.follow(&e).is_err();
            pending.push(Pending {
                first: Some(First {
                    time: e.envelope.time,
                    host: e.envelope.host,
                    origin: Origin {
                        seq: e.envelope.seq,
                        hash: e.hash,
                        merged,
                        moot,
                    },
                }),
                draft: Draft {
                    run: e.envelope.run,
                    operator: e.envelope.operator,
                    body,
                },
            });
        }
        Ok(pending)
    }

    fn known(&mut self, run: &str) -> Result<Known, LedgerError> {
        let query = Query {
            run: Some(run.to_owned()),
            ..Query::default()
        };
        let mut known = Known {
            merged: BTreeSet::new(),
            own: vec![],
            state: State::default(),
        };
        self.every(&query, |e| {
            if !e.envelope.moot() {
                known.state.take(&e).map_err(LedgerError::from)?;
            }
            match &e.envelope.spooled {
                Some(origin) => {
                    known.merged.insert(origin.hash.clone());
                }
                None => known.own.push(e),
            }
            Ok(true)
        })?;
        Ok(known)
    }
}

impl Known {
    /// It was written here too: by an append whose answer was lost. The same lease, and the same words.
    fn has(&self, e: &Entry, fences: &BTreeMap<Subject, i64>) -> bool {
        let fence = match &e.body {
            Some(Body::Opened(_)) => None,
            Some(body) => match body.subject().and_then(|s| fences.get(s)) {
                Some(fence) => Some(*fence),
                None => return false,
            },
            None => return false,
        };
        let same =
            |own: &&Entry| own.body == e.body && own.envelope.fence == fence && own.envelope.host == e.envelope.host;
        self.own.iter().any(|own| same(&own))
    }

    /// Somebody else has worked on that person in this run since the lease was lost: what they looked at counts.
    fn overtaken(&self, body: &Body, fences: &BTreeMap<Subject, i64>) -> bool {
        let Some((subject, fence)) = body.subject().and_then(|s| fences.get_key_value(s)) else {
            return false;
        };
        self.own.iter().any(|own| {
            own.envelope.fence > Some(*fence) && own.body.as_ref().and_then(Body::subject) == Some(subject.as_str())
        })
    }

    /// After everything that is here.
    fn follow(&mut self, e: &Entry) -> Result<(), super::Illegal> {
        let mut next = e.clone();
        next.envelope.seq = self.state.last.map_or(1, |(seq, _): (Seq, _)| seq + 1);
        self.state.take(&next)
    }
}

impl Guard {
    /// The leases of a run, to be named where it is written on.
    pub fn tokens(&self) -> BTreeMap<Subject, i64> {
        self.fences.iter().map(|f| (f.subject.clone(), f.token)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ledger::{Filter, tests::*},
        model::{Failure, Outcome, PersonResult},
    };

    fn ledger() -> Ledger {
        Ledger::local(Memory::new(), meta(), clock()).unwrap()
    }
    fn spool(folder: &Path) -> Spool {
        let meta = Meta {
            host: "ops-2".into(),
            ..meta()
        };
        Spool::folder(folder.join("spool/00o1"), meta, clock())
    }
    fn resumed() -> Body {
        Body::Resumed {
            operator: "erin".into(),
        }
    }
    fn lost(fences: &[(&str, i64)]) -> Body {
        Body::Spooled {
            host: "ops-2".into(),
            why: "gone".into(),
            fences: fences.iter().map(|(s, t)| ((*s).to_owned(), *t)).collect(),
        }
    }
    async fn write(ledger: &Ledger, guard: &Guard, bodies: impl IntoIterator<Item = Body>) {
        ledger.append(guard, drafts("r-1", bodies)).await.unwrap();
    }
    /// A leaver that lost its ledger after the first intent, and goes on alone.
    async fn apart(ledger: &Ledger, spool: &Spool) -> i64 {
        let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
        write(
            ledger,
            &lease.guard(),
            [opened("leaver"), planned(leaver()), started(0)],
        )
        .await;
        let token = lease.guard().fences[0].token;
        lease.release().await.unwrap();
        let ours = spool.open("r-1").await.unwrap();
        let done = |n| finished(n, Outcome::Done);
        write(
            &ours.ledger,
            &Guard::default(),
            [lost(&[("00u1", token)]), done(0), started(1), done(1)],
        )
        .await;
        token
    }
    fn nothing(_: &Merged) -> Vec<Body> {
        vec![]
    }
    async fn merged(spool: &Spool, ledger: &Ledger) -> Option<Merged> {
        let mut all = spool.merge_all(ledger, nothing).await;
        all.pop().and_then(|(_, merged)| merged.unwrap())
    }
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for e in fs::read_dir(from).unwrap().map(Result::unwrap) {
            match e.path().is_dir() {
                true => copy(&e.path(), &to.join(e.file_name())),
                false => drop(fs::copy(e.path(), to.join(e.file_name())).unwrap()),
            }
        }
    }

    #[tokio::test]
    async fn what_was_spooled_stands_in_the_ledger_as_if_it_had_been_written_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, spool) = (ledger(), spool(folder.path()));
        apart(&ledger, &spool).await;
        let came = merged(&spool, &ledger).await.unwrap();
        assert_eq!(
            (came.entries, came.moot, came.host.as_str(), came.why.as_str()),
            (4, 0, "ops-2", "gone")
        );
        let state = ledger.run("r-1").await.unwrap().unwrap();
        let person = &state.people["00u1"];
        assert!(person.contained.is_some());
        assert_eq!((person.ready(), person.open_steps()), (vec![2], vec![]));
        assert_eq!(state.away.unwrap().merged.unwrap().1, 4);
        assert_eq!(ledger.verify(None).await.unwrap().bad, None);
        let all = ledger.entries(Filter::default()).await.unwrap();
        let of = |n: usize| all[n].envelope.spooled.clone();
        assert_eq!((of(2), of(3).unwrap().seq), (None, 1));
        assert_eq!(all[3].envelope.host, "ops-2");
        assert!(all[3].envelope.time < of(3).unwrap().merged);
        // Nothing of it is left on the host.
        assert_eq!(spool.runs().unwrap(), Vec::<String>::new());
        assert_eq!(fs::read_dir(folder.path().join("spool/00o1")).unwrap().count(), 0);
    }

    /// Killed after the append, and before the spool was gone.
    #[tokio::test]
    async fn what_was_brought_in_comes_in_no_second_time() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, spool) = (ledger(), spool(folder.path()));
        apart(&ledger, &spool).await;
        let (there, kept) = (folder.path().join("spool/00o1/r-1"), folder.path().join("kept"));
        copy(&there, &kept);
        let event = |_: &Merged| {
            vec![Body::Owed {
                record: record("k"),
                system: crate::model::System::named("datadog"),
            }]
        };
        spool.merge_all(&ledger, event).await.pop().unwrap().1.unwrap().unwrap();
        let once = ledger.entries(Filter::default()).await.unwrap();
        for _ in 0..2 {
            copy(&kept, &there);
            assert_eq!(spool.merge_all(&ledger, event).await, [("r-1".to_owned(), Ok(None))]);
            assert!(!there.exists());
        }
        assert_eq!(ledger.entries(Filter::default()).await.unwrap(), once);
        // Killed while it was taken away.
        copy(&kept, &folder.path().join("spool/00o1/r-1.merged"));
        assert_eq!(spool.runs().unwrap(), Vec::<String>::new());
    }

    /// The server wrote it, and its answer was lost.
    #[tokio::test]
    async fn what_the_ledger_has_already_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, spool) = (ledger(), spool(folder.path()));
        let host = ledger
            .ask(|k| Ok(std::mem::replace(&mut k.meta.host, "ops-2".into())))
            .await
            .unwrap();
        assert_eq!(host, "ops-1");
        let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
        let begin = || [opened("leaver"), planned(leaver()), started(0)];
        write(&ledger, &lease.guard(), begin()).await;
        let ours = spool.open("r-1").await.unwrap();
        let mut bodies = begin().to_vec();
        bodies.insert(1, lost(&[("00u1", 1)]));
        bodies.push(finished(0, Outcome::Done));
        write(&ours.ledger, &Guard::default(), bodies).await;
        lease.release().await.unwrap();
        drop(ours);
        let came = merged(&spool, &ledger).await.unwrap();
        assert_eq!((came.entries, came.moot), (5, 3));
        let person = ledger.run("r-1").await.unwrap().unwrap().people.remove("00u1").unwrap();
        assert_eq!((person.steps.len(), person.ready()), (4, vec![1]));
    }

    #[tokio::test]
    async fn whoever_took_the_run_up_meanwhile_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, spool) = (ledger(), spool(folder.path()));
        apart(&ledger, &spool).await;
        let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
        let seen = [resumed(), verified(0), planned(leaver()), started(4)];
        write(&ledger, &lease.guard(), seen).await;
        // Still at work: nobody writes in between.
        let held = spool.merge_all(&ledger, nothing).await.pop().unwrap().1;
        assert!(held.is_ok(), "one process may take its own run's people: {held:?}");
        lease.release().await.unwrap();
        let state = ledger.run("r-1").await.unwrap().unwrap();
        assert_eq!(state.people["00u1"].open_steps(), [4]);
        let all = ledger.entries(Filter::default()).await.unwrap();
        let moot: Vec<_> = all
            .iter()
            .filter_map(|e| Some(e.envelope.spooled.as_ref()?.moot))
            .collect();
        assert_eq!(moot, [false, true, true, true]);
        assert_eq!(ledger.history("00u1").await.unwrap().open_runs, ["r-1"]);
        assert_eq!(ledger.verify(None).await.unwrap().bad, None);
    }

    #[tokio::test]
    async fn what_is_still_written_or_was_edited_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, spool) = (ledger(), spool(folder.path()));
        apart(&ledger, &spool).await;
        let ours = spool.open("r-1").await.unwrap();
        assert_eq!(spool.merge_all(&ledger, nothing).await, []);
        drop(ours);
        let file = folder.path().join("spool/00o1/r-1/spool.db");
        let db = rusqlite::Connection::open(&file).unwrap();
        db.execute_batch(
            "DROP TRIGGER body_no_update; UPDATE body SET body = replace(body, 'done', 'already') WHERE seq = 2",
        )
        .unwrap();
        drop(db);
        let refused = spool.merge_all(&ledger, nothing).await.pop().unwrap().1.unwrap_err();
        assert_eq!(refused.to_string(), "ledger entry 2: its body is not what was hashed");
        assert!(file.exists());
        assert_eq!(ledger.entries(Filter::default()).await.unwrap().len(), 3);
    }

    fn body() -> impl Strategy<Value = Body> {
        let failure = || Failure::transient("slack", "503");
        prop_oneof![
            Just(planned(leaver())),
            Just(resumed()),
            (0..8usize).prop_map(started),
            (0..8usize).prop_map(|n| finished(n, Outcome::Done)),
            (0..8usize).prop_map(verified),
            (0..8usize).prop_map(move |step| Body::Refuted {
                subject: "00u1".into(),
                step,
                failure: failure()
            }),
            Just(closed(PersonResult::Partial)),
            Just(closed(PersonResult::Complete)),
            Just(opened("leaver")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever this host and another one did, each for itself, the run can be read afterwards.
        #[test]
        fn no_spool_makes_a_run_unreadable(
            theirs in prop::collection::vec(body(), 0..12),
            ours in prop::collection::vec(body(), 1..12),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (ledger, spool) = (ledger(), Spool::memory(meta(), clock()));
                let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
                let begin = [opened("leaver"), planned(leaver()), started(0)];
                write(&ledger, &lease.guard(), begin).await;
                lease.release().await.unwrap();
                let apart = spool.open("r-1").await.unwrap();
                let mut bodies = vec![lost(&[("00u1", 1)])];
                bodies.extend(ours);
                let count = bodies.len();
                write(&apart.ledger, &Guard::default(), bodies).await;
                drop(apart);
                let lease = ledger.lease(&["00u1".into()], "r-1").await.unwrap();
                let mut state = ledger.run("r-1").await.unwrap().unwrap();
                for body in theirs {
                    if super::super::fold::apply(&mut state, &body, DateTime::UNIX_EPOCH).is_ok() {
                        write(&ledger, &lease.guard(), [body]).await;
                        state = ledger.run("r-1").await.unwrap().unwrap();
                    }
                }
                lease.release().await.unwrap();
                let before = ledger.entries(Filter::default()).await.unwrap().len();
                merged(&spool, &ledger).await.unwrap();
                ledger.run("r-1").await.unwrap().unwrap();
                ledger.everyone().await.unwrap();
                ledger.history("00u1").await.unwrap();
                assert_eq!(ledger.entries(Filter::default()).await.unwrap().len(), before + count);
                assert_eq!(ledger.verify(None).await.unwrap().bad, None);
            });
        }
    }
}
