//! One call, from the ask to the answer: encode, wait for a turn, authorise, send, learn, and perhaps again.

use std::{sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderValue, Method, header};
use tokio::time::Instant;
use url::Url;

use super::{
    Answer, Ask, Authorize, Outgoing, Request, Wire, WireError,
    client::{Clock, Clocks, Dice, Observer},
    edge,
    governor::{Bucket, Governor},
    redact,
    retry::{self, Attempt, Next},
};
use crate::model::{Call, Failure, Kind, Repeat, System};

/// A provider's reading of a refusal: its vendor's codes and sentences.
pub type Explain = fn(&Answer, &str) -> Failure;

/// One attempt ends here, whatever it does.
const ATTEMPT: Duration = Duration::from_secs(35);
/// A call without a deadline of its own ends here, waits for limits included.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Clone)]
pub(super) struct Base(Arc<Parts>);

pub(super) struct Parts {
    pub(super) system: System,
    pub(super) url: Url,
    pub(super) wire: Arc<dyn Wire>,
    pub(super) governor: Arc<Governor>,
    pub(super) clock: Clock,
    pub(super) egress: Arc<[String]>,
    pub(super) observer: Observer,
    pub(super) clocks: Arc<Clocks>,
    pub(super) dice: Arc<Dice>,
    pub(super) authorize: Option<Arc<dyn Authorize>>,
    pub(super) explain: Explain,
}

/// What may be asked without consent: GET, and the POSTs that a vendor uses for reading.
#[derive(Clone)]
pub struct Reader(Base);

impl Reader {
    pub(super) fn new(base: Base) -> Self {
        Reader(base)
    }
    pub async fn get(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.call(Method::GET, ask, false).await
    }
    /// A POST that changes nothing: a search, a query, a token request. The caller vouches for it, by name, at the call.
    pub async fn read_post(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.call(Method::POST, ask, false).await
    }
    pub fn url(&self) -> &Url {
        &self.0.0.url
    }
    pub fn system(&self) -> &System {
        &self.0.0.system
    }
    pub fn clock(&self) -> Clock {
        self.0.0.clock.clone()
    }
}

/// What may change something. No public way makes one.
#[derive(Clone)]
pub struct Writer(Reader);

impl Writer {
    pub(super) fn new(base: Base) -> Self {
        Writer(Reader(base))
    }
    pub async fn post(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.0.call(Method::POST, ask, true).await
    }
    pub async fn put(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.0.call(Method::PUT, ask, true).await
    }
    pub async fn patch(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.0.call(Method::PATCH, ask, true).await
    }
    pub async fn delete(&self, ask: Ask) -> Result<Answer, Failure> {
        self.0.0.call(Method::DELETE, ask, true).await
    }
    /// The same credential, reading: a look before a retry.
    pub fn reader(&self) -> &Reader {
        &self.0
    }
}

impl Base {
    pub(super) fn new(parts: Parts) -> Self {
        Base(Arc::new(parts))
    }

    async fn call(&self, method: Method, ask: Ask, changes: bool) -> Result<Answer, Failure> {
        let what = match &ask.what {
            Some(what) => what.clone(),
            None => format!("{method} {}", ask.shape),
        };
        let url = ask.url(&self.0.url, &what)?;
        let repeat = ask
            .repeat
            .unwrap_or(if !changes || method == Method::PUT || method == Method::DELETE {
                Repeat::Safe
            } else {
                Repeat::LookFirst
            });
        let bucket = Bucket::of(&method, &ask.shape);
        let patience = match ask.deadline {
            Some(at) => at.signed_duration_since((self.0.clock)()).to_std().unwrap_or_default(),
            None => ask.patience.map_or(PATIENCE, |attempt| PATIENCE.max(attempt * 2)),
        };
        let end = Instant::now() + patience;
        let most = if ask.deadline.is_some() {
            retry::TRIES_UNTIL_DEADLINE
        } else {
            retry::TRIES
        };
        let (mut tries, mut waits, mut renewed, mut doubt) = (0, 0, false, false);
        loop {
            // Before the turn: fetching a token is a call of the same system, and needs a turn of its own.
            let given = self.authorize(&method, &url).await?;
            let outcome = match tokio::time::timeout_at(end, self.0.governor.enter(&bucket, ask.urgent)).await {
                Err(_) => return Err(self.out_of_time(&what, doubt, changes)),
                Ok(_permit) => self.attempt(&method, &url, &ask, given).await,
            };
            tries += 1;
            let attempt = match &outcome {
                Ok(answer) => {
                    self.0.governor.heard(&bucket, answer, (self.0.clock)());
                    // Some say with 403 what others say with 429: the vendor's own words tell.
                    if answer.status == 403 && (self.0.explain)(answer, &what).kind == Kind::Throttled {
                        Attempt::Limited(answer)
                    } else {
                        Attempt::Answered(answer)
                    }
                }
                Err(error) => Attempt::Failed(error),
            };
            if matches!(&outcome, Err(WireError::TimedOut | WireError::Cut(_))) {
                doubt = true;
            }
            if let (Ok(answer), false, Some(authorize)) = (&outcome, renewed, &self.0.authorize)
                && matches!(answer.status, 400 | 401 | 403)
                && authorize.refused(answer).await
            {
                // A refused credential did nothing: again at once, with a new one.
                renewed = true;
                continue;
            }
            let accepted = matches!(&outcome, Ok(a) if a.success() || ask.accepted.contains(&a.status));
            let next = if accepted {
                Next::Stop
            } else {
                retry::judge(&attempt, repeat, (self.0.clock)())
            };
            let dice = self.0.dice.roll();
            let pause = match next {
                Next::Stop => None,
                Next::Again => (tries < most).then(|| retry::backoff(tries, dice)),
                Next::After(d) => {
                    waits += 1;
                    tries -= 1;
                    (waits < retry::WAITS).then(|| d + Duration::from_millis((dice * 1000.0) as u64))
                }
                Next::Narrow => {
                    waits += 1;
                    tries -= 1;
                    (waits < retry::WAITS).then(|| Duration::from_millis(500 + (dice * 1500.0) as u64))
                }
            };
            match pause {
                Some(pause) if Instant::now() + pause < end => tokio::time::sleep(pause).await,
                Some(_) | None => return self.conclude(outcome, &what, accepted, repeat, changes, doubt),
            }
        }
    }

    async fn authorize(&self, method: &Method, url: &Url) -> Result<HeaderMap, Failure> {
        match &self.0.authorize {
            None => Ok(HeaderMap::new()),
            Some(authorize) => authorize.headers(Outgoing { method, url }, &Reader(self.bare())).await,
        }
    }

    async fn attempt(&self, method: &Method, url: &Url, ask: &Ask, given: HeaderMap) -> Result<Answer, WireError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &ask.headers {
            headers.insert(name.clone(), value.clone());
        }
        if ask.body.is_empty() && (method == Method::POST || method == Method::PUT) {
            // Without it: 411.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut secrets = redact::secrets(&given);
        let own = ask.headers.iter().filter(|(_, value)| value.is_sensitive()).cloned();
        secrets.extend(redact::secrets(&own.collect()));
        let longest = ask.patience.unwrap_or(ATTEMPT);
        headers.extend(given);
        let request = Request {
            method: method.clone(),
            url: url.clone(),
            headers,
            body: ask.body.clone(),
            timeout: longest,
        };
        let started = Instant::now();
        let outcome = match tokio::time::timeout(longest, self.0.wire.send(request)).await {
            Ok(outcome) => outcome.map(|answer| redact::without(&secrets, answer)),
            Err(_) => Err(WireError::TimedOut),
        };
        if let Ok(answer) = &outcome {
            self.0.clocks.heard(&self.0.system, answer, (self.0.clock)());
        }
        (self.0.observer)(Call {
            system: self.0.system.clone(),
            method: method.to_string(),
            route: redact::route(url),
            status: outcome.as_ref().ok().map(|a| a.status),
            took: started.elapsed(),
            request: outcome.as_ref().ok().and_then(Answer::request_id),
        });
        outcome
    }

    /// The same way without the credential.
    fn bare(&self) -> Base {
        let p = &self.0;
        Base::new(Parts {
            system: p.system.clone(),
            url: p.url.clone(),
            wire: p.wire.clone(),
            governor: p.governor.clone(),
            clock: p.clock.clone(),
            egress: p.egress.clone(),
            observer: p.observer.clone(),
            clocks: p.clocks.clone(),
            dice: p.dice.clone(),
            authorize: None,
            explain: p.explain,
        })
    }

    fn conclude(
        &self,
        outcome: Result<Answer, WireError>,
        what: &str,
        accepted: bool,
        repeat: Repeat,
        changes: bool,
        doubt: bool,
    ) -> Result<Answer, Failure> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => return Err(self.unanswered(&error, what, changes, doubt)),
        };
        let answer = Answer {
            what: what.to_owned(),
            changes,
            ..answer
        };
        if accepted && changes && answer.success() && answer.looks_like_html() {
            // A login page stands in the way: what was to be changed most likely was not, and nobody says so.
            return Err(answer.unread(None));
        }
        if accepted {
            return Ok(answer);
        }
        let mut failure =
            edge::denied(&answer, what, &self.0.egress).unwrap_or_else(|| (self.0.explain)(&answer, what));
        // A server that broke while it changed something may have changed it.
        let broke = answer.status >= 500 && answer.status != 501 && repeat == Repeat::LookFirst;
        if changes && (doubt || broke) && failure.kind == Kind::Transient {
            failure.kind = Kind::Doubt;
        }
        Err(failure)
    }

    fn unanswered(&self, error: &WireError, what: &str, changes: bool, doubt: bool) -> Failure {
        let (sent, summary) = match error {
            WireError::NeverSent(why) => (
                false,
                format!("{} could not be reached: {}", self.0.system, redact::sentence(why)),
            ),
            WireError::TimedOut => (true, format!("{} did not answer in time", self.0.system)),
            WireError::Cut(why) => (
                true,
                format!("the connection to {} broke: {}", self.0.system, redact::sentence(why)),
            ),
            WireError::TooLarge(most) => (true, format!("{} answered with more than {most} bytes", self.0.system)),
        };
        let kind = match error {
            _ if changes && (sent || doubt) => Kind::Doubt,
            WireError::TooLarge(_) => Kind::Permanent,
            WireError::NeverSent(_) | WireError::TimedOut | WireError::Cut(_) => Kind::Transient,
        };
        Failure::new(kind, what, summary)
    }

    fn out_of_time(&self, what: &str, doubt: bool, changes: bool) -> Failure {
        let kind = if doubt && changes { Kind::Doubt } else { Kind::Throttled };
        Failure::new(
            kind,
            what,
            format!("{} left no room for the call before its deadline", self.0.system),
        )
    }
}

#[cfg(test)]
mod tests;
