//! The control port: what happens outside jml. Journal, state, clock, faults, release.
//!
//! On loopback, for whoever started the sandbox; nothing here is a system of the firm, and nothing of it is journalled.

use serde_json::{Map, Value, json};

use super::{config, engine::Engine, faults::Faults, given, member, staff, twin::Reply};

impl Engine {
    pub fn control(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let parsed = || serde_json::from_slice::<Value>(body).map_err(|e| format!("the body is not JSON: {e}"));
        let done = match (method, path) {
            ("GET", "/clock") => Ok(self.clock()),
            ("PUT", "/clock") => parsed().and_then(|b| self.set_clock(&b)),
            ("GET", "/state") => Ok(self.state()),
            ("PATCH", "/state") => parsed().and_then(|b| self.patch(&b)).map(|()| json!({})),
            ("GET", "/faults") => Ok(self.faults()),
            ("POST", "/faults") => parsed().and_then(|b| Faults::arm(&b)).map(|f| {
                self.lock().arm(f);
                json!({})
            }),
            ("POST", "/release") => {
                self.release.send_modify(|n| *n += 1);
                Ok(json!({}))
            }
            ("GET", "/journal") => {
                return match self.lock().journal.text() {
                    Ok(text) => Reply {
                        status: 200,
                        body: text.into_bytes(),
                        ..Reply::default()
                    }
                    .with("content-type", "application/x-ndjson"),
                    Err(e) => refused(500, &e.to_string()),
                };
            }
            _ => return refused(501, "no such route"),
        };
        match done {
            Ok(value) => Reply::json(200, &value),
            Err(why) => refused(400, &why),
        }
    }

    fn clock(&self) -> Value {
        let inner = self.lock();
        let now = inner.clock.now((self.host)());
        json!({"now": stamp(now), "host_now": stamp(now + inner.clock.skew), "nonce": self.nonce})
    }

    fn set_clock(&self, body: &Value) -> Result<Value, String> {
        let now = body["now"]
            .as_str()
            .and_then(given::instant)
            .ok_or("now: an instant such as 2026-07-15T05:00:00Z is wanted")?;
        {
            let host = (self.host)();
            let mut inner = self.lock();
            inner.clock.set(now, host);
            inner.world.set_at = now;
            inner.tick(host);
            let ahead = (now - host).num_milliseconds();
            inner.save_own("clock", ahead.into()).map_err(|e| e.to_string())?;
            inner.save().map_err(|e| e.to_string())?;
            inner.age_roster().map_err(|e| e.to_string())?;
        }
        Ok(self.clock())
    }

    fn state(&self) -> Value {
        let mut inner = self.lock();
        inner.tick((self.host)());
        let mut out = Map::new();
        out.insert("now".into(), stamp(inner.world.now).into());
        out.insert(
            "clock_skew".into(),
            format!("{}ms", inner.clock.skew.num_milliseconds()).into(),
        );
        out.insert("config".into(), inner.config());
        let roster = match inner.roster() {
            Some(csv) => json!({"kind": "csv", "csv": csv}),
            None => staff::state(&inner.world.given).unwrap_or_else(|| json!({"kind": "okta"})),
        };
        out.insert("roster".into(), roster);
        for member in member::all(&mut inner.world) {
            out.insert(member.name.clone(), member.state(&mut inner.world));
        }
        let _ = inner.save(); // what fell due is written with the next request at the latest
        out.into()
    }

    /// Each part by its system; the first that is refused ends it.
    fn patch(&self, patch: &Value) -> Result<(), String> {
        let parts = patch.as_object().ok_or("a table is wanted")?;
        let mut inner = self.lock();
        inner.tick((self.host)());
        for (key, part) in parts {
            match key.as_str() {
                "config" => {
                    inner.patch_config(part)?;
                    config::merge(&mut inner.world.given, &policy_of(part));
                    let own = policy_of(&inner.world.given);
                    inner.save_own("given", own).map_err(|e| e.to_string())?;
                }
                "roster" if part.get("workers").is_some() => {
                    staff::patch(&mut inner.world.given, &part["workers"])?;
                }
                "roster" => {
                    let csv = part["csv"].as_str().ok_or("roster: only csv can be changed")?;
                    inner.set_roster(csv)?;
                }
                system => {
                    let member = member::find(&mut inner.world, system);
                    let member = member.ok_or_else(|| format!("{system}: unknown key"))?;
                    member
                        .patch(&mut inner.world, part)
                        .map_err(|e| format!("{system}: {e}"))?;
                }
            }
        }
        inner.save().map_err(|e| e.to_string())
    }
}

/// What of a configuration the world itself is made of.
fn policy_of(config: &Value) -> Value {
    let kept = config
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(k, _)| ["policy", "limits", "protect"].contains(&k.as_str()));
    Value::Object(kept.map(|(k, v)| (k.clone(), v.clone())).collect())
}

fn stamp(t: chrono::DateTime<chrono::Utc>) -> String {
    t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn refused(status: u16, why: &str) -> Reply {
    Reply::json(status, &json!({ "error": why }))
}
