use std::{
    collections::VecDeque,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use chrono::{DateTime, Utc};

use super::*;
use crate::http::{BoxFuture, Client, Fixed, Scheme, path, plain};

/// Gives what it was told to, in order, and keeps what was asked.
struct Told {
    outcomes: Mutex<VecDeque<Result<Answer, WireError>>>,
    asked: Mutex<Vec<Request>>,
}

impl Wire for Told {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        self.asked.lock().unwrap().push(request);
        let outcome = self.outcomes.lock().unwrap().pop_front();
        Box::pin(async move { outcome.expect("one call too many") })
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-24T10:00:00Z".parse().unwrap()
}
fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Result<Answer, WireError> {
    let mut map = HeaderMap::new();
    for (k, v) in headers {
        map.insert(*k, HeaderValue::from_static(v));
    }
    Ok(Answer::new(status, map, body))
}
fn status(status: u16) -> Result<Answer, WireError> {
    answer(status, &[], "{}")
}
fn cut() -> Result<Answer, WireError> {
    Err(WireError::Cut("reset by peer".into()))
}

struct Rig {
    wire: Arc<Told>,
    calls: Arc<Mutex<Vec<Call>>>,
    writer: Writer,
}

fn rig_with(authorize: Arc<dyn Authorize>, outcomes: impl IntoIterator<Item = Result<Answer, WireError>>) -> Rig {
    let wire = Arc::new(Told {
        outcomes: Mutex::new(outcomes.into_iter().collect()),
        asked: Mutex::default(),
    });
    let calls = Arc::new(Mutex::new(Vec::new()));
    let heard = calls.clone();
    let observer = Arc::new(move |call| heard.lock().unwrap().push(call));
    let client = Client::over(wire.clone(), Arc::new(now), observer, 7);
    let url = Url::parse("https://acme.example/api").unwrap();
    let writer = client.writer(&System::of("acme"), &url, authorize, plain);
    Rig { wire, calls, writer }
}

fn rig(outcomes: impl IntoIterator<Item = Result<Answer, WireError>>) -> Rig {
    let secret: crate::http::Credential = Arc::new(|| Box::pin(async { Ok("hunter2".to_owned().into()) }));
    rig_with(Fixed::one(Scheme::Bearer, secret), outcomes)
}

impl Rig {
    fn sent(&self) -> usize {
        self.wire.asked.lock().unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_again_and_a_lifecycle_call_is_not() {
    let r = rig([cut(), status(503), status(200)]);
    assert_eq!(r.writer.reader().get(path!["x"]).await.unwrap().status, 200);
    assert_eq!(r.sent(), 3);

    let r = rig([cut()]);
    let f = r.writer.post(path!["users", "00u1", "suspend"]).await.unwrap_err();
    assert_eq!((f.kind, r.sent()), (Kind::Doubt, 1));

    let r = rig([status(502)]);
    assert_eq!(r.writer.post(path!["x"]).await.unwrap_err().kind, Kind::Doubt);
}

#[tokio::test(start_paused = true)]
async fn what_never_left_or_was_turned_away_is_sent_again() {
    let never = || Err(WireError::NeverSent("refused".into()));
    let r = rig([never(), answer(429, &[("retry-after", "9")], ""), status(200)]);
    let start = Instant::now();
    r.writer.post(path!["x"]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(9) && r.sent() == 3);

    let r = rig([never(), never(), never()]);
    let f = r.writer.post(path!["x"]).await.unwrap_err();
    assert_eq!((f.kind, r.sent()), (Kind::Transient, 3));
    assert!(f.summary.contains("could not be reached: refused"), "{f}");
}

#[tokio::test(start_paused = true)]
async fn doubt_outlasts_later_refusals_of_a_change() {
    let r = rig([cut(), status(503), status(503)]);
    let f = r.writer.delete(path!["x"]).await.unwrap_err();
    assert_eq!((f.kind, r.sent()), (Kind::Doubt, 3));
    let r = rig([status(503), status(503), status(503)]);
    assert_eq!(r.writer.delete(path!["x"]).await.unwrap_err().kind, Kind::Transient);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_could_not_be_done_by_the_deadline() {
    let r = rig([answer(429, &[("retry-after", "600")], "")]);
    let start = Instant::now();
    let ask = path!["x"].until(now() + chrono::TimeDelta::seconds(60));
    let f = r.writer.reader().get(ask).await.unwrap_err();
    assert_eq!(
        (f.kind, r.sent(), start.elapsed()),
        (Kind::Throttled, 1, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_hung_server_is_given_up() {
    struct Hung;
    impl Wire for Hung {
        fn send(&self, _: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
            Box::pin(std::future::pending())
        }
    }
    let client = Client::over(Arc::new(Hung), Arc::new(now), Arc::new(|_| {}), 1);
    let url = Url::parse("https://acme.example").unwrap();
    let reader = client.anonymous(&System::of("acme"), &url, plain);
    let f = reader.get(path!["x"]).await.unwrap_err();
    assert_eq!(f.kind, Kind::Transient);
    assert!(f.summary.contains("did not answer in time"), "{f}");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_carries_what_it_needs_and_shows_no_secret() {
    let r = rig([status(200), status(200)]);
    let login = "a/b";
    r.writer
        .post(path!["users", login].query("token", "hunter2"))
        .await
        .unwrap();
    r.writer
        .put(path!["x"].json(&serde_json::json!({"a": 1})))
        .await
        .unwrap();
    let asked = r.wire.asked.lock().unwrap();
    assert_eq!(asked[0].headers["authorization"], "Bearer hunter2");
    assert_eq!(asked[0].headers["content-length"], "0");
    assert_eq!(asked[1].headers["content-type"], "application/json");
    assert!(!asked[1].headers.contains_key("content-length"));
    let calls = r.calls.lock().unwrap();
    assert_eq!(
        (calls[0].route.as_str(), calls[0].status),
        ("/api/users/a%2Fb", Some(200))
    );
    assert!(!format!("{asked:?} {calls:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_status_is_an_answer_and_others_are_explained() {
    let r = rig([status(404), status(404), status(302)]);
    assert_eq!(r.writer.reader().get(path!["x"].accept(404)).await.unwrap().status, 404);
    let f = r.writer.reader().get(path!["x"].what("read alice")).await.unwrap_err();
    assert_eq!(
        (f.kind, f.what.as_str(), f.code.as_deref()),
        (Kind::Permanent, "read alice", Some("404"))
    );
    assert!(
        r.writer
            .reader()
            .get(path!["x"])
            .await
            .unwrap_err()
            .summary
            .contains("redirects")
    );
}

/// Fetches a token over the same wire; a refusal makes it fetch another.
#[derive(Default)]
struct Minted {
    number: AtomicUsize,
    token: Mutex<Option<String>>,
}

impl Authorize for Minted {
    fn headers<'a>(&'a self, _: Outgoing<'a>, http: &'a Reader) -> BoxFuture<'a, Result<HeaderMap, Failure>> {
        Box::pin(async move {
            let kept = self.token.lock().unwrap().clone();
            let token = match kept {
                Some(token) => token,
                None => {
                    http.read_post(path!["token"].form(&[("grant_type", "x")])).await?;
                    let token = format!("t{}", self.number.fetch_add(1, Ordering::Relaxed));
                    self.token.lock().unwrap().replace(token.clone());
                    token
                }
            };
            let mut out = HeaderMap::new();
            out.insert(header::AUTHORIZATION, crate::http::auth::sensitive(&token)?);
            Ok(out)
        })
    }
    fn refused<'a>(&'a self, _: &'a Answer) -> BoxFuture<'a, bool> {
        Box::pin(async { self.token.lock().unwrap().take().is_some() })
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_fetched_again_once() {
    let r = rig_with(
        Arc::new(Minted::default()),
        [status(200), status(401), status(200), status(200)],
    );
    r.writer.post(path!["x"]).await.unwrap();
    let said: Vec<Option<String>> = {
        let asked = r.wire.asked.lock().unwrap();
        let sent = |a: &Request| a.headers.get("authorization").map(|v| v.to_str().unwrap().to_owned());
        asked.iter().map(sent).collect()
    };
    assert_eq!(said, [None, Some("t0".to_owned()), None, Some("t1".to_owned())]);

    let r = rig_with(
        Arc::new(Minted::default()),
        [status(200), status(401), status(200), status(401)],
    );
    assert_eq!(r.writer.post(path!["x"]).await.unwrap_err().kind, Kind::Auth);
    assert_eq!(r.sent(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_edge_in_front_is_told_from_the_vendor() {
    let page = "<HTML>Access Denied Reference&#32;&#35;18&#46;3faf3554&#46;1795567731&#46;da3d018</HTML>";
    let r = rig([answer(
        403,
        &[("content-type", "text/html"), ("server", "AkamaiGHost")],
        page,
    )]);
    let f = r.writer.reader().get(path!["x"]).await.unwrap_err();
    assert_eq!(f.kind, Kind::Auth);
    assert!(f.request.unwrap().contains("18.3faf3554"));
}
