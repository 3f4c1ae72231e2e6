//! What `doctor` asks of Vault: never a secret's value, and never as the writing role.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Call, Kv, Plain, Trouble, Vault, explain};
use crate::model::Failure;

/// What the reading role may do with one path, and how old the secret is.
#[derive(Debug)]
pub struct Rights {
    pub path: String,
    /// As Vault names them: `read`, `deny`.
    pub capabilities: Vec<String>,
    /// Version and when it was written, where the policy lets us see it.
    pub version: Option<(u64, Option<DateTime<Utc>>)>,
}

#[derive(Debug)]
pub struct Report {
    pub health: Result<String, Failure>,
    /// How long a token of the reading role lives, in seconds, and its policies.
    pub token: Result<(u64, Vec<String>), Failure>,
    pub paths: Result<Vec<Rights>, Failure>,
}

impl Vault {
    pub async fn inspect(&self, paths: &[String]) -> Report {
        let health = self.health().await;
        let token = self.own_token().await;
        let paths = match &token {
            Ok(_) => self.capabilities(paths).await,
            Err(f) => Err(f.clone()),
        };
        Report { health, token, paths }
    }

    /// A standby says 429 or 473 here, and works.
    async fn health(&self) -> Result<String, Failure> {
        let what = format!("ask Vault at {} for its health", self.url);
        let call = Call::Other(Plain::get("sys/health").bare());
        match self.nodes.ask(None, &call).await {
            Ok(Answer::Data(body)) => Ok(told(&body)),
            Ok(Answer::Auth(_) | Answer::Nothing) => Err(Failure::transient(what, "the answer is not one of Vault's")),
            Err(Trouble::Refused {
                code: 429 | 473,
                body: Some(body),
                ..
            }) => Ok(told(&body)),
            Err(t) => Err(explain::session(what, t)),
        }
    }

    async fn own_token(&self) -> Result<(u64, Vec<String>), Failure> {
        let what = "look at the reading role's own token".to_owned();
        let call = Call::Other(Plain::get("auth/token/lookup-self"));
        let answer = self.with_token(&self.read, &call).await?;
        // The body holds the token itself: two fields are taken out, the rest is dropped unseen.
        match answer.map_err(|t| explain::session(what.clone(), t))? {
            Answer::Data(data) => {
                let policies = data["policies"].as_array().into_iter().flatten();
                let policies = policies.filter_map(Value::as_str).map(str::to_owned).collect();
                Ok((data["creation_ttl"].as_u64().unwrap_or(0), policies))
            }
            Answer::Auth(_) | Answer::Nothing => Err(Failure::transient(what, "the answer is not one of Vault's")),
        }
    }

    async fn capabilities(&self, paths: &[String]) -> Result<Vec<Rights>, Failure> {
        let what = "ask Vault what the reading role may".to_owned();
        let full = |path: &String, below: &str| {
            let (mount, rest) = self.place(path);
            match self.kv {
                Kv::Two => format!("{mount}/{below}/{rest}"),
                Kv::One => format!("{mount}/{rest}"),
            }
        };
        let asked: Vec<String> = paths.iter().map(|p| full(p, "data")).collect();
        let call = Call::Other(Plain::post("sys/capabilities-self", json!({ "paths": asked })));
        let answer = self.with_token(&self.read, &call).await?;
        let Answer::Data(data) = answer.map_err(|t| explain::session(what.clone(), t))? else {
            return Err(Failure::transient(what, "the answer is not one of Vault's"));
        };
        let mut out = vec![];
        for (path, asked) in paths.iter().zip(&asked) {
            let found = data[asked].as_array().into_iter().flatten();
            let capabilities = found.filter_map(Value::as_str).map(str::to_owned).collect();
            let version = match self.kv {
                Kv::Two => self.version(&full(path, "metadata")).await,
                Kv::One => None,
            };
            out.push(Rights {
                path: path.clone(),
                capabilities,
                version,
            });
        }
        Ok(out)
    }

    /// `None`: the policy doesn't let us see it, which is no fault.
    async fn version(&self, metadata: &str) -> Option<(u64, Option<DateTime<Utc>>)> {
        let call = Call::Other(Plain::get(metadata));
        let Ok(Ok(Answer::Data(data))) = self.with_token(&self.read, &call).await else {
            return None;
        };
        let current = data["current_version"].as_u64()?;
        let written = data["versions"][current.to_string()]["created_time"].as_str();
        Some((current, written.and_then(|t| t.parse().ok())))
    }
}

fn told(body: &Value) -> String {
    let version = crate::http::sentence(body["version"].as_str().unwrap_or("of an unknown version"));
    let standby = body["standby"] == true || body["performance_standby"] == true;
    format!("Vault {version}, unsealed{}", if standby { ", a standby" } else { "" })
}
