//! Providers against the twins in memory: the same door as production, below it no socket.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::{
    http::{
        Answer, Authorize, BoxFuture, Client, Credential, Explain, Fixed, Reader, Request, Scheme, Wire, WireError,
        Writer,
    },
    model::System,
    sandbox::engine::{self, Engine},
};

/// The wire that ends in the twin whose address it is.
struct Mem(Arc<Engine>);

impl Wire for Mem {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, WireError>> {
        Box::pin(async move {
            let query = request.url.query().map(|q| format!("?{q}")).unwrap_or_default();
            let text = |v: &HeaderValue| v.to_str().unwrap().to_owned();
            let asked = engine::Request {
                method: request.method.to_string(),
                target: format!("{}{query}", request.url.path()),
                headers: request.headers.iter().map(|(k, v)| (k.to_string(), text(v))).collect(),
                body: request.body.to_vec(),
            };
            let system = self.0.system_at(&request.url.origin().ascii_serialization()).unwrap();
            let Some(reply) = self.0.handle(system, asked).await else {
                return Err(WireError::Cut("closed without an answer".into()));
            };
            let mut headers = HeaderMap::new();
            for (k, v) in reply.headers {
                headers.append(HeaderName::try_from(k).unwrap(), HeaderValue::try_from(v).unwrap());
            }
            Ok(Answer::new(reply.status, headers, reply.body))
        })
    }
}

pub struct Rig {
    pub engine: Arc<Engine>,
    client: Client,
}

impl Rig {
    pub fn of(given: Value) -> Rig {
        let start: DateTime<Utc> = given["now"].as_str().unwrap().parse().unwrap();
        let engine = Engine::in_memory(given, Arc::new(move || start)).unwrap();
        let ours = engine.clone();
        let client = Client::over(
            Arc::new(Mem(engine.clone())),
            Arc::new(move || ours.now()),
            Arc::new(|_| {}),
            7,
        );
        Rig { engine, client }
    }
    fn token(&self, scheme: Scheme, name: &str) -> Arc<dyn Authorize> {
        let secret = self.engine.credential(name).unwrap();
        let credential: Credential = Arc::new(move || {
            let secret = secret.clone();
            Box::pin(async move { Ok(secret.into()) })
        });
        Fixed::one(scheme, credential)
    }
    fn url(&self, system: &str) -> Url {
        self.engine.origin(system).unwrap().parse().unwrap()
    }
    /// By a credential's name: `slack.read`.
    pub fn reader(&self, scheme: Scheme, name: &str, explain: Explain) -> Reader {
        let system = name.split('.').next().unwrap();
        self.client.reader(
            &System::named(system.to_owned()),
            &self.url(system),
            self.token(scheme, name),
            explain,
        )
    }
    pub fn writer(&self, scheme: Scheme, name: &str, explain: Explain) -> Writer {
        let system = name.split('.').next().unwrap();
        self.client.writer(
            &System::named(system.to_owned()),
            &self.url(system),
            self.token(scheme, name),
            explain,
        )
    }
    pub fn faults(&self, faults: Value) {
        assert_eq!(
            self.engine
                .control("POST", "/faults", faults.to_string().as_bytes())
                .status,
            200
        );
    }
    pub fn state(&self) -> Value {
        serde_json::from_slice(&self.engine.control("GET", "/state", b"").body).unwrap()
    }
    pub fn patch(&self, patch: Value) {
        assert!(
            self.engine
                .control("PATCH", "/state", patch.to_string().as_bytes())
                .status
                < 300
        );
    }
}
