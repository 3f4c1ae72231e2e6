//! The wire that ends in the twins: it keeps what passed, ends a process at the point that it was told, and spoils what a source says.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{sync::Notify, time::Instant};

use crate::{
    http::{Answer, BoxFuture, Request, Wire, WireError},
    sandbox::{
        engine::{self, Engine},
        member,
    },
};

/// Where in one exchange a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The request has left, and nothing was done.
    Before,
    /// It was done, and nobody has heard of it.
    Effect,
    /// The answer has come in.
    Answer,
}

pub const WHENS: [When; 3] = [When::Before, When::Effect, When::Answer];

/// The n-th time that this change is asked for, in one process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub change: String,
    pub nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.change, self.nth)
    }
}

/// One call, as it left.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Instant,
    /// How many milliseconds the host's clock was ahead of the world's.
    pub ahead: i64,
    pub system: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: String,
}

impl Sent {
    /// Every read of ours is a GET, or what its twin calls one.
    pub fn changes(&self) -> bool {
        let twin = member::row(&self.system);
        self.method != "GET" && !twin.is_some_and(|t| (t.asks)(&self.method, &self.path, &self.body))
    }
    /// `okta POST /api/v1/users/00u1/lifecycle/suspend`, and for an RPC what it is about.
    pub fn name(&self) -> String {
        let about = match self.system.as_str() {
            // A message's mark is of its run, whose name is another each time.
            "slack" => self.body.split("&metadata=").next().unwrap_or_default(),
            _ => "",
        };
        format!("{} {} {} {about}", self.system, self.method, self.path)
            .trim_end()
            .to_owned()
    }
}

#[derive(Default)]
struct Seen {
    sent: Vec<Sent>,
    /// Of this process.
    changes: BTreeMap<String, usize>,
    points: Vec<Point>,
    kill: Option<(Point, When)>,
    spoil: Option<(String, Spoil)>,
    spoilt: usize,
}

/// What becomes of a source's good answers on their way.
pub type Spoil = Arc<dyn Fn(&mut Vec<u8>, &mut HeaderMap) -> bool + Send + Sync>;

pub struct Mem {
    engine: Arc<Engine>,
    seen: Mutex<Seen>,
    pub ahead: AtomicI64,
    pub hit: Notify,
}

impl Mem {
    pub fn new(engine: Arc<Engine>) -> Arc<Mem> {
        Arc::new(Mem {
            engine,
            seen: Mutex::default(),
            ahead: AtomicI64::new(0),
            hit: Notify::new(),
        })
    }
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// A new process counts anew.
    pub fn process(&self) {
        let mut seen = self.seen();
        seen.changes.clear();
        seen.points.clear();
    }
    pub fn kill_at(&self, point: &Point, when: When) {
        self.seen().kill = Some((point.clone(), when));
    }
    /// From now on, or no longer: what that system answers well to a question is spoilt.
    pub fn spoil(&self, how: Option<(String, Spoil)>) {
        self.seen().spoil = how;
    }
    /// How many answers were.
    pub fn spoilt(&self) -> usize {
        self.seen().spoilt
    }
    fn passes(&self, system: &str, asks: bool, reply: (u16, &mut HeaderMap, &mut Vec<u8>)) {
        let mut seen = self.seen();
        let Some((of, spoil)) = seen.spoil.clone() else { return };
        if of == system && asks && (200..300).contains(&reply.0) && spoil(reply.2, reply.1) {
            seen.spoilt += 1;
        }
    }
    /// Every change that this process asked for, in order.
    pub fn points(&self) -> Vec<Point> {
        self.seen().points.clone()
    }
    pub fn sent(&self) -> Vec<Sent> {
        self.seen().sent.clone()
    }
    /// Is this where the process ends? Asked once a call.
    fn arrives(&self, call: Sent) -> Option<When> {
        let (name, changes) = (call.name(), call.changes());
        let mut seen = self.seen();
        seen.sent.push(call);
        if !changes {
            return None;
        }
        let n = seen.changes.entry(name.clone()).or_default();
        *n += 1;
        let point = Point { change: name, nth: *n };
        seen.points.push(point.clone());
        match &seen.kill {
            Some((at, when)) if *at == point => {
                let when = *when;
                seen.kill = None;
                Some(when)
            }
            _ => None,
        }
    }
}

impl Wire for Mem {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        Box::pin(async move {
            let origin = request.url.origin().ascii_serialization();
            let system = self.engine.system_at(&origin).expect("a twin's address");
            let query = request.url.query().map(|q| format!("?{q}")).unwrap_or_default();
            let asked = engine::Request {
                method: request.method.to_string(),
                target: format!("{}{query}", request.url.path()),
                headers: request
                    .headers
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned()))
                    .chain([("user-agent".into(), "jml".into())])
                    .collect(),
                body: request.body.to_vec(),
            };
            let call = Sent {
                at: Instant::now(),
                ahead: self.ahead.load(Ordering::Relaxed),
                system: system.to_owned(),
                method: asked.method.clone(),
                path: request.url.path().to_owned(),
                query: request.url.query().unwrap_or_default().to_owned(),
                body: String::from_utf8_lossy(&request.body).into_owned(),
            };
            let asks = !call.changes();
            let kill = self.arrives(call);
            if kill == Some(When::Before) {
                self.hit.notify_one();
                std::future::pending::<()>().await;
            }
            let reply = self.engine.handle(&system, asked).await;
            if kill == Some(When::Effect) {
                self.hit.notify_one();
                std::future::pending::<()>().await;
            }
            let Some(mut reply) = reply else {
                return Err(WireError::Cut("closed without an answer".into()));
            };
            let mut headers = HeaderMap::new();
            for (k, v) in reply.headers {
                headers.append(HeaderName::try_from(k).unwrap(), HeaderValue::try_from(v).unwrap());
            }
            self.passes(&system, asks, (reply.status, &mut headers, &mut reply.body));
            if kill == Some(When::Answer) {
                self.hit.notify_one();
            }
            Ok(Answer::new(reply.status, headers, reply.body))
        })
    }
}
