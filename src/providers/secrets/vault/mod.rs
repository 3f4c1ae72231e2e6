//! Vault (and OpenBao): two AppRoles, one for eyes, one for hands; a secret is read once a run and kept in memory alone.
//!
//! The writing role logs in only where a write credential is asked for, which takes an `Agreed`. Refuses a redirect to an address that
//! isn't listed, and a wrapping token that was made for something else than a secret_id. Tokens are revoked at the end of the command.

mod ask;
mod explain;
mod inspect;
mod operator;
mod settings;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use self::{
    ask::{Answer, Call, Nodes, Plain, Trouble},
    settings::{Kv, Settings},
};
use super::Local;
use crate::{
    config::{ConfigError, Reference, Section},
    http::{Clock, Trust},
    model::{Failure, Kind},
    providers::{
        build::Settings as _,
        registry::{Need, Row},
    },
};

pub use inspect::{Report, Rights};

pub(in crate::providers) const ROW: Row = Row::new("vault")
    .page("https://developer.hashicorp.com/vault/api-docs")
    .needs(&[
        Need::read("read on MOUNT/data/PREFIX/*", "the credentials of eyes"),
        Need::read("read on MOUNT/metadata/PREFIX/*", "how old they are (doctor)"),
        Need::read(
            "read on auth/token/lookup-self",
            "how long its own token lives (doctor)",
        ),
        Need::read("update on sys/capabilities-self", "what it may (doctor)"),
        Need::read(
            "update on auth/token/renew-self and revoke-self",
            "keep its token through a long sweep, and end it",
        ),
        Need::write("read on MOUNT/data/PREFIX-write/*", "the credentials of hands"),
        Need::write(
            "update on auth/token/renew-self and revoke-self",
            "keep its token through a long run, and end it",
        ),
    ])
    .secrets::<Settings>();

/// Fields by name.
type Record = BTreeMap<String, SecretString>;

pub struct Vault {
    nodes: Nodes,
    mount: Option<String>,
    kv: Kv,
    auth: String,
    url: String,
    local: Arc<Local>,
    clock: Clock,
    read: Half,
    write: Option<Half>,
    operator: Option<Reference>,
}

/// One of the two roles, and what it has opened.
struct Half {
    /// `reading`, `writing`.
    name: &'static str,
    role_id: Reference,
    proof: Proof,
    role: Option<String>,
    session: Mutex<Option<Session>>,
    /// A wrapped secret_id can be had once: kept for the next login of this process.
    unwrapped: OnceCell<SecretString>,
    records: Mutex<BTreeMap<String, Arc<OnceCell<Record>>>>,
}

#[derive(Clone)]
enum Proof {
    SecretId(Reference),
    Wrapped(Reference),
}

struct Session {
    token: SecretString,
    renewable: bool,
    /// Batch tokens can't be revoked: they end by themselves.
    batch: bool,
    /// Two thirds of its life: then it is renewed.
    renew: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl Session {
    fn of(auth: vaultrs::api::AuthInfo, now: DateTime<Utc>) -> Session {
        let life = i64::try_from(auth.lease_duration).ok().and_then(TimeDelta::try_seconds);
        let life = life.unwrap_or(TimeDelta::days(1));
        Session {
            batch: auth.token_type == "batch",
            renewable: auth.renewable,
            token: auth.client_token.into(),
            renew: now + life * 2 / 3,
            ends: now + life,
        }
    }
}

impl Half {
    fn new(name: &'static str, role_id: Reference, proof: Proof, role: Option<String>) -> Half {
        Half {
            name,
            role_id,
            proof,
            role,
            session: Mutex::default(),
            unwrapped: OnceCell::new(),
            records: Mutex::default(),
        }
    }
}

impl Vault {
    /// Opens nothing yet; `folder` is where relative paths start.
    pub(super) fn of(
        section: &Section,
        mut trust: Trust,
        local: Arc<Local>,
        clock: Clock,
    ) -> Result<Vault, ConfigError> {
        let settings: Settings = section.parse()?;
        settings.check().map_err(|why| section.fault(why))?;
        if let Some(ca) = &settings.ca {
            trust.ca = Some(joined(trust.ca, &local.folder.join(ca)).map_err(|why| section.fault(why))?);
        }
        let proof = |secret: Option<&Reference>, wrapped: Option<&Reference>| match (secret, wrapped) {
            (Some(s), _) => Ok(Proof::SecretId(s.clone())),
            (None, Some(w)) => Ok(Proof::Wrapped(w.clone())),
            (None, None) => Err(section.fault("each role needs secret_id or wrapped")),
        };
        let r = &settings.read;
        let read = Half::new(
            "reading",
            r.role_id.reference().clone(),
            proof(
                r.secret_id.as_ref().map(|s| s.reference()),
                r.wrapped.as_ref().map(|s| s.reference()),
            )?,
            r.role.clone(),
        );
        let write = match &settings.write {
            Some(w) => Some(Half::new(
                "writing",
                w.role_id.reference().clone(),
                proof(
                    w.secret_id.as_ref().map(|s| s.reference()),
                    w.wrapped.as_ref().map(|s| s.reference()),
                )?,
                w.role.clone(),
            )),
            None => None,
        };
        let urls = [&settings.url].into_iter().chain(&settings.addresses);
        let namespace = settings.namespace.map(|n| format!("{}/", n.trim_end_matches('/')));
        Ok(Vault {
            nodes: Nodes::new(urls.map(|u| u.as_url().clone()).collect(), namespace, trust),
            mount: settings.mount.map(|m| m.trim_end_matches('/').to_owned()),
            kv: settings.kv,
            auth: settings.auth.trim_end_matches('/').to_owned(),
            url: settings.url.to_string(),
            local,
            clock,
            read,
            write,
            operator: settings.operator.map(|o| o.reference().clone()),
        })
    }

    /// A secret, or the whole record as a JSON object where no field is named.
    pub(super) async fn fetch(&self, writes: bool, path: &str, field: Option<&str>) -> Result<SecretString, Failure> {
        let half = match (writes, &self.write) {
            (false, _) => &self.read,
            (true, Some(half)) => half,
            (true, None) => {
                return Err(Failure::new(
                    Kind::Auth,
                    format!("read {path} in Vault"),
                    "[systems.vault] has no write: nothing may be changed with what Vault keeps",
                ));
            }
        };
        let cell = half.records.lock().await.entry(path.to_owned()).or_default().clone();
        let record = cell.get_or_try_init(|| self.record(half, path)).await?;
        let Some(field) = field else {
            let whole: serde_json::Map<String, Value> = record
                .iter()
                .map(|(k, v)| (k.clone(), v.expose_secret().into()))
                .collect();
            return Ok(Value::from(whole).to_string().into());
        };
        record.get(field).cloned().ok_or_else(|| {
            let keys: Vec<&str> = record.keys().map(String::as_str).collect();
            Failure::new(
                Kind::Auth,
                format!("read {path} in Vault"),
                format!("it has no key {field} (keys: {})", keys.join(", ")),
            )
        })
    }

    /// Mount, and path below it.
    fn place<'a>(&'a self, path: &'a str) -> (&'a str, &'a str) {
        match &self.mount {
            Some(mount) => {
                let below = path.strip_prefix(mount.as_str()).and_then(|p| p.strip_prefix('/'));
                (mount, below.unwrap_or(path))
            }
            None => path.split_once('/').unwrap_or((path, "")),
        }
    }

    async fn record(&self, half: &Half, path: &str) -> Result<Record, Failure> {
        let (mount, below) = self.place(path);
        let what = format!("read {path} in Vault as the {} role", half.name);
        if below.is_empty() {
            return Err(Failure::new(
                Kind::Auth,
                what,
                "the path names a mount and nothing in it",
            ));
        }
        let call = match self.kv {
            Kv::Two => Call::ReadTwo { mount, path: below },
            Kv::One => Call::ReadOne { mount, path: below },
        };
        let answer = self.with_token(half, &call).await?;
        match answer.map_err(|t| explain::secret(what.clone(), mount, below, self.kv == Kv::Two, t))? {
            Answer::Data(Value::Object(fields)) => Ok(fields
                .into_iter()
                .map(|(k, v)| match v {
                    Value::String(s) => (k, s.into()),
                    other => (k, other.to_string().into()),
                })
                .collect()),
            Answer::Data(_) | Answer::Auth(_) | Answer::Nothing => {
                Err(Failure::transient(what, "the answer is not one of Vault's"))
            }
        }
    }

    /// A token that died in the middle of a run (revoked by an operator, a restored backup) is replaced once.
    async fn with_token(&self, half: &Half, call: &Call<'_>) -> Result<Result<Answer, Trouble>, Failure> {
        let token = self.token(half).await?;
        match self.nodes.ask(Some(&token), call).await {
            Err(t) if t.dead_token() => {
                let mut session = half.session.lock().await;
                // Another caller may have logged in meanwhile.
                if session
                    .as_ref()
                    .is_some_and(|s| s.token.expose_secret() == token.expose_secret())
                {
                    *session = None;
                }
                drop(session);
                let token = self.token(half).await?;
                Ok(self.nodes.ask(Some(&token), call).await)
            }
            answered => Ok(answered),
        }
    }

    async fn token(&self, half: &Half) -> Result<SecretString, Failure> {
        let mut session = half.session.lock().await;
        let now = (self.clock)();
        if let Some(s) = session.as_ref() {
            if now < s.renew {
                return Ok(s.token.clone());
            }
            if s.renewable
                && now < s.ends
                && let Ok(Answer::Auth(auth)) = self.nodes.ask(Some(&s.token), &Call::Renew).await
            {
                let renewed = Session::of(auth, now);
                // Capped at its longest: what is left is not worth keeping.
                if renewed.renew > now + TimeDelta::seconds(10) {
                    return Ok(session.insert(renewed).token.clone());
                }
            }
            if let Some(old) = session.take() {
                // It may be gone already; if not, it ends by itself soon.
                let _ = self.nodes.ask(Some(&old.token), &Call::Revoke).await;
            }
        }
        let fresh = self.login(half).await?;
        Ok(session.insert(fresh).token.clone())
    }

    async fn login(&self, half: &Half) -> Result<Session, Failure> {
        let role_id = self.local.fetch(&half.role_id).await?;
        let secret_id = match &half.proof {
            Proof::SecretId(reference) => self.local.fetch(reference).await?,
            Proof::Wrapped(reference) => half
                .unwrapped
                .get_or_try_init(|| self.unwrap(half, reference))
                .await?
                .clone(),
        };
        let what = format!("log in to Vault at {} as the {} role", self.url, half.name);
        let call = Call::Login {
            auth: &self.auth,
            role_id: &role_id,
            secret_id: &secret_id,
        };
        match self.nodes.ask(None, &call).await {
            Ok(Answer::Auth(auth)) => Ok(Session::of(auth, (self.clock)())),
            Ok(Answer::Data(_) | Answer::Nothing) => Err(Failure::transient(what, "the answer is not one of Vault's")),
            Err(t) => Err(explain::session(what, t)),
        }
    }

    /// Looked at first, which doesn't use it up: a token that wraps something else was put there by somebody.
    async fn unwrap(&self, half: &Half, reference: &Reference) -> Result<SecretString, Failure> {
        let token = self.local.fetch(reference).await?;
        let what = format!("unwrap the secret_id of the {} role", half.name);
        let look = serde_json::json!({ "token": token.expose_secret() });
        let look = Plain::post("sys/wrapping/lookup", look);
        let found = self.nodes.ask(None, &Call::Other(look)).await;
        let found = found.map_err(|t| explain::session(what.clone(), t))?;
        let path = match &found {
            Answer::Data(data) => data["creation_path"].as_str().unwrap_or_default(),
            Answer::Auth(_) | Answer::Nothing => "",
        };
        if !made_for(path, &self.auth, half.role.as_deref()) {
            let summary = format!("the wrapping token was made by {path:?}, not by issuing a secret_id of this role");
            return Err(Failure::new(Kind::Auth, what, summary)
                .hint("Somebody put another token there: it was not opened. Find out who."));
        }
        let open = Plain::post("sys/wrapping/unwrap", Value::Null).once();
        match self.nodes.ask(Some(&token), &Call::Other(open)).await {
            Ok(Answer::Data(data)) => match data["secret_id"].as_str() {
                Some(secret) => Ok(secret.to_owned().into()),
                None => Err(Failure::new(Kind::Auth, what, "what was wrapped has no secret_id")),
            },
            Ok(Answer::Auth(_) | Answer::Nothing) => Err(Failure::new(Kind::Auth, what, "nothing was wrapped")),
            Err(t) => Err(explain::session(what, t)),
        }
    }

    /// Ends what was opened. What could not be ended is told; it ends by itself.
    pub(super) async fn close(&self) -> Vec<Failure> {
        let halves = [Some(&self.read), self.write.as_ref()].into_iter().flatten();
        let all = futures::future::join_all(halves.map(|half| self.revoke(half))).await;
        all.into_iter().flatten().collect()
    }

    async fn revoke(&self, half: &Half) -> Option<Failure> {
        let session = half.session.lock().await.take()?;
        if session.batch {
            return None;
        }
        match self.nodes.ask(Some(&session.token), &Call::Revoke).await {
            Ok(_) => None,
            // Gone already.
            Err(Trouble::Refused { code: 403, .. }) => None,
            Err(t) => {
                let what = format!("revoke the token of Vault's {} role", half.name);
                let ends = session.ends.format("%H:%M:%SZ");
                Some(explain::session(what, t).hint(format!("It ends by itself at {ends}.")))
            }
        }
    }
}

fn made_for(path: &str, auth: &str, role: Option<&str>) -> bool {
    let named = path
        .strip_prefix("auth/")
        .and_then(|p| p.strip_prefix(auth))
        .and_then(|p| p.strip_prefix("/role/"))
        .and_then(|p| p.strip_suffix("/secret-id"));
    named.is_some_and(|n| !n.contains('/') && role.is_none_or(|r| r == n))
}

/// One bundle of both.
fn joined(had: Option<Vec<u8>>, file: &Path) -> Result<Vec<u8>, String> {
    let more =
        std::fs::read(file).map_err(|e| format!("the authority in ca, {}, can't be read: {e}", file.display()))?;
    let mut all = had.unwrap_or_default();
    if !all.is_empty() {
        all.push(b'\n');
    }
    all.extend(more);
    Ok(all)
}
