//! One request on its way through: what becomes of it, then the effect, its line in the change log, its line in the journal.
//!
//! A line is written whatever happens: where the caller goes away before anything is done, with status 0.

use std::{io, time::Duration};

use super::{
    engine::{Engine, Inner, Request},
    faults::{End, Fate, Seen},
    journal::{self, Exchange},
    member::Member,
    twin::{Call, Reply},
};

/// One exchange that is going on.
pub struct Open<'a> {
    engine: &'a Engine,
    member: Member,
    request: Request,
    journalled: bool,
}

impl<'a> Open<'a> {
    pub fn new(engine: &'a Engine, member: Member, request: Request) -> Open<'a> {
        *engine.lock().open.entry(member.name.clone()).or_default() += 1;
        Open {
            engine,
            member,
            request,
            journalled: false,
        }
    }

    fn target(&self) -> (&str, &str) {
        self.request
            .target
            .split_once('?')
            .unwrap_or((&self.request.target, ""))
    }

    fn call(&self, inner: &Inner) -> Call {
        let (path, query) = self.target();
        let decoded = |s: &str| percent_encoding::percent_decode_str(s).decode_utf8_lossy().into_owned();
        Call {
            method: self.request.method.clone(),
            path: path.into(),
            segments: path.trim_start_matches('/').split('/').map(decoded).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: self.request.headers.clone(),
            body: self.request.body.clone(),
            now: inner.world.now,
            origin: inner.origins.get(&self.member.name).cloned().unwrap_or_default(),
        }
    }

    /// What becomes of it, decided before anything is done.
    pub fn fate(&self) -> Fate {
        let mut inner = self.engine.lock();
        inner.tick((self.engine.host)());
        let call = self.call(&inner);
        let operation = self.member.operation(&mut inner.world, &call);
        let (path, query) = self.target();
        let now = inner.world.now;
        inner.faults.meet(&Seen {
            system: &self.member.name,
            method: &self.request.method,
            path,
            query,
            authorization: call.header("authorization").unwrap_or_default(),
            operation: operation.as_deref(),
            now,
        })
    }

    /// The effect, its line in the change log, its line in the journal. Then: the answer, whether silence follows, and the wait.
    pub fn answer(&mut self, fate: &Fate) -> (Option<Reply>, bool, Duration) {
        let mut inner = self.engine.lock();
        inner.tick((self.engine.host)());
        inner.world.okta.in_flight = inner.open.get("okta").copied().unwrap_or_default();
        let done = (!fate.undone).then(|| {
            let call = self.call(&inner);
            self.member.answer(&mut inner.world, &call)
        });
        let saved = inner.save();
        let mut reply = match &fate.end {
            End::Lost | End::Silence => None,
            End::Instead(reply) => Some(reply.clone()),
            End::Answer => done,
            End::Malformed => done.map(cut),
            End::Empty => done.map(|r| Reply { body: Vec::new(), ..r }),
        };
        if let (Err(e), Some(_)) = (&saved, &reply) {
            reply = Some(broken(e)); // never an answer that a kill would take back
        }
        if let Some(reply) = reply.as_mut().filter(|r| r.status == 204) {
            reply.headers.retain(|(k, _)| k != "content-type"); // no content has no type: a vendor's SDK would parse it
        }
        if let Some(reply) = reply.as_mut().filter(|r| r.headers.iter().all(|(k, _)| k != "date")) {
            let date = inner.world.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            reply.headers.push(("date".into(), date));
        }
        self.journalled = true;
        if let (Err(e), Some(_)) = (self.journal(&mut inner, reply.as_ref()), &reply) {
            reply = Some(broken(&e));
        }
        (reply, matches!(fate.end, End::Silence), inner.latency)
    }

    fn journal(&self, inner: &mut Inner, reply: Option<&Reply>) -> io::Result<()> {
        let (path, query) = self.target();
        let exchange = Exchange {
            system: &self.member.name,
            method: &self.request.method,
            path,
            query,
            headers: &self.request.headers,
            body: &self.request.body,
            reply,
        };
        let Inner {
            journal, more, world, ..
        } = inner;
        let line = journal::line(&exchange, &world.credentials);
        more.iter_mut().try_for_each(|j| j.write(line.clone()))?;
        journal.write(line)
    }
}

impl Drop for Open<'_> {
    /// Where no line was written, the caller went away while the request waited: nothing was done, nothing was answered.
    fn drop(&mut self) {
        let mut inner = self.engine.lock();
        if let Some(n) = inner.open.get_mut(&self.member.name) {
            *n -= 1;
        }
        if !self.journalled {
            let _ = self.journal(&mut inner, None); // nobody is left to be told
        }
    }
}

fn cut(reply: Reply) -> Reply {
    let half = reply.body.len() / 2;
    Reply {
        body: if half == 0 {
            b"{\"".to_vec()
        } else {
            reply.body[..half].to_vec()
        },
        ..reply
    }
}

fn broken(e: &io::Error) -> Reply {
    Reply::json(
        500,
        &serde_json::json!({"sandbox": format!("its files can't be written: {e}")}),
    )
}
