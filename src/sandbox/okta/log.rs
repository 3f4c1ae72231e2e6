//! The System Log: appended to by everything that happens, read by polling (an eternal next) or between two instants.
//!
//! Order is that of persistence; `published` may stand a little before it, as it does at Okta.

use std::borrow::Cow;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{Refusal, about, invalid};
use super::model::{Time, stamp};
use super::page::Page;
use super::search::{self, Expr, Field, Op};
use super::{Answer, Ctx};
use crate::sandbox::quiet::mix;
use crate::sandbox::twin::Reply;
use crate::sandbox::world::World;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Party {
    pub id: Cow<'static, str>,
    /// User, UserGroup, AppInstance, SystemPrincipal, PublicClientApp, …
    pub kind: Cow<'static, str>,
    pub alternate: Cow<'static, str>,
    pub name: Cow<'static, str>,
}

impl Party {
    pub fn new(id: &str, kind: &'static str, alternate: &str, name: impl Into<Cow<'static, str>>) -> Party {
        Party {
            id: id.to_owned().into(),
            kind: kind.into(),
            alternate: alternate.to_owned().into(),
            name: name.into(),
        }
    }
    /// Whoever does what nobody asked for: imports, rules, background tasks.
    pub fn system() -> Party {
        Party {
            id: "okta-system".into(),
            kind: "SystemPrincipal".into(),
            alternate: "system@okta.com".into(),
            name: "Okta System".into(),
        }
    }
    fn json(&self) -> Value {
        json!({"id": self.id, "type": self.kind, "alternateId": self.alternate, "displayName": self.name, "detailEntry": null})
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub uuid: String,
    pub published: Time,
    pub kind: Cow<'static, str>,
    pub actor: Party,
    pub targets: Vec<Party>,
    /// The API token that asked for it.
    pub token: Option<String>,
}

impl Event {
    /// As a world lists it, and `GET /state` gives it.
    pub fn given(&self) -> Value {
        let target = self.targets.first().map_or("", |t| &t.id);
        json!({"uuid": self.uuid, "eventType": self.kind, "target": target, "actor": self.actor.id, "published": stamp(self.published)})
    }

    fn json(&self) -> Value {
        let by_request = self.actor.kind != "SystemPrincipal";
        json!({"uuid": self.uuid, "published": stamp(self.published), "eventType": self.kind, "version": "0", "severity": "INFO",
            "displayMessage": self.kind.replace(['.', '_'], " "), "actor": self.actor.json(),
            "outcome": {"result": "SUCCESS", "reason": null},
            "target": self.targets.iter().map(Party::json).collect::<Vec<_>>(),
            "client": {"userAgent": null, "zone": null, "device": null, "id": null, "ipAddress": null, "geographicalContext": null},
            "transaction": {"type": if by_request { "WEB" } else { "JOB" }, "id": self.uuid,
                "detail": self.token.as_ref().map_or(json!({}), |t| json!({"requestApiTokenId": t}))},
            "debugContext": {"debugData": {}}, "legacyEventType": null})
    }

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "uuid" => Field::text(&self.uuid),
            "eventType" => Field::text(&self.kind),
            "actor.id" => Field::text(&self.actor.id),
            "actor.type" => Field::text(&self.actor.kind),
            "actor.alternateId" => Field::text(&self.actor.alternate),
            "actor.displayName" => Field::text(&self.actor.name),
            "outcome.result" => Field::text("SUCCESS"),
            "severity" => Field::text("INFO"),
            "published" => Field::owned(stamp(self.published)),
            "target.id" => Field::Many(self.targets.iter().map(|t| t.id.as_ref().into()).collect()),
            "target.type" => Field::Many(self.targets.iter().map(|t| t.kind.as_ref().into()).collect()),
            "target.alternateId" => Field::Many(self.targets.iter().map(|t| t.alternate.as_ref().into()).collect()),
            "target.displayName" => Field::Many(self.targets.iter().map(|t| t.name.as_ref().into()).collect()),
            _ => Field::None,
        }
    }
}

const FIELDS: &[&str] = &[
    "uuid",
    "eventType",
    "actor.id",
    "actor.type",
    "actor.alternateId",
    "actor.displayName",
    "outcome.result",
    "severity",
    "published",
    "target.id",
    "target.type",
    "target.alternateId",
    "target.displayName",
];

/// Appends; returns nothing, for an event changes nothing.
pub fn note(w: &mut World, actor: &Party, token: Option<&str>, kind: &'static str, targets: Vec<Party>) {
    let n = w.okta.next_serial();
    let shuffle = TimeDelta::milliseconds((n % 3) as i64 * 15);
    let event = Event {
        uuid: uuid(mix(n), w.now),
        published: w.now - shuffle,
        kind: kind.into(),
        actor: actor.clone(),
        targets,
        token: token.map(str::to_owned),
    };
    append(w, event);
}

pub fn append(w: &mut World, event: Event) {
    w.okta.log.push(event);
    let at = format!("{:08}", w.okta.log.len() - 1);
    w.touch("okta", "system_log", &at);
}

pub fn uuid(seed: u64, now: Time) -> String {
    let a = mix(seed ^ now.timestamp_micros() as u64);
    let b = mix(a);
    format!(
        "{:08x}-{:04x}-11f0-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xFFFF,
        0x8000 | (a & 0x3FFF),
        b >> 16
    )
}

/// `GET /api/v1/logs`
pub fn list(w: &mut World, ctx: &Ctx) -> Answer {
    let expr = match ctx.call.param("filter") {
        None => None,
        Some(text) => {
            let allowed = |field: &str, _: Op| FIELDS.contains(&field);
            Some(search::parse(text, false, &allowed).ok_or_else(|| about("E0000053", text))?)
        }
    };
    let page = Page::of(ctx, 100, 1000)?;
    let newest_first = ctx
        .call
        .param("sortOrder")
        .is_some_and(|o| o.eq_ignore_ascii_case("DESCENDING"));
    let since = instant(ctx, "since")?;
    let until = instant(ctx, "until")?;
    if since.is_some() && page.after.is_some() {
        return Err(invalid(
            "after",
            "The after and since parameters can't be used together.",
        ));
    }
    if since.is_some_and(|s| s < ctx.now() - TimeDelta::days(180)) {
        return Err(about("E0000053", "since is more than 180 days ago"));
    }
    let kept = ctx.now() - TimeDelta::days(90);
    // The next page's address names no `since`, so the cursor carries it.
    let (start, from) = match &page.after {
        None => (0, since.unwrap_or_else(|| ctx.now() - TimeDelta::days(7)).max(kept)),
        Some(key) => cursor(key).ok_or_else(|| about("E0000053", "after"))?,
    };
    let words: Vec<String> = ctx
        .call
        .param("q")
        .map(|q| q.split_whitespace().map(str::to_lowercase).collect())
        .unwrap_or_default();
    let wanted = |e: &Event| matches(e, expr.as_ref(), &words);
    let log = &w.okta.log;
    if until.is_some() || newest_first {
        let mut found: Vec<&Event> = log
            .iter()
            .filter(|e| e.published >= from && until.is_none_or(|u| e.published < u) && wanted(e))
            .collect();
        found.sort_by_key(|e| e.published);
        if newest_first {
            found.reverse();
        }
        let part: Vec<Value> = found.iter().skip(start).take(page.limit).map(|e| e.json()).collect();
        let end = start + part.len();
        let reply = page.answer(ctx, part, None)?;
        return Ok(if end < found.len() {
            next(reply, &page, ctx, end, from)
        } else {
            reply
        });
    }
    let mut seen = start;
    let mut part = Vec::new();
    for e in log.iter().skip(start) {
        if part.len() == page.limit {
            break;
        }
        seen += 1;
        if e.published >= from && wanted(e) {
            part.push(e.json());
        }
    }
    let reply = page.answer(ctx, part, None)?;
    Ok(next(reply, &page, ctx, seen, from))
}

fn next(reply: Reply, page: &Page, ctx: &Ctx, seen: usize, from: Time) -> Reply {
    let key = format!("{seen}_{}", from.timestamp_millis());
    reply.with("link", format!("<{}>; rel=\"next\"", page.next(ctx, &key, &["since"])))
}

fn cursor(key: &str) -> Option<(usize, Time)> {
    let (seen, from) = key.split_once('_')?;
    Some((seen.parse().ok()?, Time::from_timestamp_millis(from.parse().ok()?)?))
}

fn matches(e: &Event, expr: Option<&Expr>, words: &[String]) -> bool {
    let named = |p: &Party| format!("{} {} {} ", p.id, p.alternate, p.name).to_lowercase();
    if !words.is_empty() {
        let text: String = std::iter::once(e.kind.to_lowercase() + " ")
            .chain(std::iter::once(named(&e.actor)))
            .chain(e.targets.iter().map(named))
            .collect();
        if !words.iter().all(|word| text.contains(word)) {
            return false;
        }
    }
    expr.is_none_or(|x| x.holds(false, &|name| e.field(name)))
}

fn instant(ctx: &Ctx, name: &str) -> Result<Option<Time>, Refusal> {
    match ctx.call.param(name) {
        None => Ok(None),
        Some(text) => chrono::DateTime::parse_from_rfc3339(text)
            .map(|t| Some(t.to_utc()))
            .map_err(|_| about("E0000053", &format!("{name} is not a date"))),
    }
}
