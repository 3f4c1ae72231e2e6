//! The monitor on what each sweep sends: made once, mended where it differs, read back.
//!
//! Found by name and tags, for nothing there is unique. What people added to it (tags, options that are not ours) stays.

use serde::Deserialize;
use serde_json::{Value, json};

use super::explain;
use crate::{
    http::{Answer, Writer, path, sentence},
    model::{Alarm, Failure, Repeat},
    providers::{Alarmed, Alarms, BoxFuture, Kept},
};

/// docs.datadoghq.com/api/latest/monitors : a figure that every sweep sends is watched, not the duration of what ended. A leaver who
/// is never finished has no duration, and a sweep that doesn't run sends nothing.
pub(super) fn wanted(alarm: &Alarm, notify: &[String]) -> Value {
    let (bound, silent) = (alarm.above_seconds, alarm.silent_minutes);
    let message = format!(
        "{{{{#is_alert}}}}Somebody who left has had access for more than {} minutes. On jml's host: jml run list{{{{/is_alert}}}}\
         {{{{#is_no_data}}}}No sweep has read everybody for {silent} minutes. On jml's host: jml doctor{{{{/is_no_data}}}} {}",
        bound / 60,
        notify.join(" ")
    );
    json!({
        "name": alarm.name,
        "type": "query alert",
        "query": format!("max(last_10m):max:{}{{{}}} > {bound}", alarm.metric, alarm.scope),
        "message": message.trim_end(),
        "tags": ["service:jml", alarm.scope],
        "priority": 1,
        "options": {
            "thresholds": {"critical": bound, "warning": bound * 2 / 3},
            "require_full_window": false,
            "notify_no_data": true,
            "no_data_timeframe": silent,
            "renotify_interval": 15,
            "renotify_statuses": ["alert", "no data"],
            "include_tags": true,
            "notify_audit": true,
        },
    })
}

pub struct Watchman {
    http: Writer,
    notify: Vec<String>,
}

impl Watchman {
    pub(super) fn new(http: Writer, notify: Vec<String>) -> Self {
        Watchman { http, notify }
    }

    async fn keep(&self, alarm: &Alarm) -> Result<Alarmed, Failure> {
        let want = wanted(alarm, &self.notify);
        let what = format!("write the monitor {:?}", alarm.name);
        let (id, how) = match self.find(alarm).await? {
            None => {
                let ask = path!["api/v1/monitor"]
                    .json(&want)
                    .what(&what)
                    .repeat(Repeat::LookFirst);
                let made: Id = self.http.post(ask).await?.json()?;
                (made.id, Kept::Made)
            }
            Some(there) => {
                let Id { id } = Id::of(&there, &what)?;
                let differs = differs(&want, &there);
                if differs.is_empty() {
                    return Ok(Alarmed {
                        id: id.to_string(),
                        how: Kept::Same,
                    });
                }
                let ask = path!["api/v1/monitor", id]
                    .json(&mended(want.clone(), &there))
                    .what(&what);
                self.http.put(ask).await?;
                (id, Kept::Mended(differs))
            }
        };
        let ask = path!["api/v1/monitor", id].what(format!("read the monitor {id} back"));
        let now: Value = self.http.reader().get(ask).await?.json()?;
        let differs = differs(&want, &now);
        if !differs.is_empty() {
            return Err(Failure::contradiction(
                what,
                format!("Datadog took it and keeps something else: {}", differs.join(", ")),
            ));
        }
        Ok(Alarmed {
            id: id.to_string(),
            how,
        })
    }

    async fn find(&self, alarm: &Alarm) -> Result<Option<Value>, Failure> {
        let what = format!("look for the monitor {:?}", alarm.name);
        let mut found: Vec<Value> = vec![];
        for page in 0..PAGES {
            let ask = path!["api/v1/monitor"]
                .query("monitor_tags", "service:jml")
                .query("page", page)
                .query("page_size", 100)
                .what(&what);
            let all: Vec<Value> = self.http.reader().get(ask).await?.json()?;
            if all.is_empty() {
                return match found.len() {
                    0 | 1 => Ok(found.pop()),
                    n => Err(
                        Failure::contradiction(&what, format!("there are {n} of that name and tags"))
                            .hint("delete all but one in Datadog, or all of them"),
                    ),
                };
            }
            let scoped = |m: &Value| {
                m["tags"]
                    .as_array()
                    .is_some_and(|t| t.iter().any(|t| *t == alarm.scope))
            };
            found.extend(all.into_iter().filter(|m| m["name"] == alarm.name && scoped(m)));
        }
        Err(Failure::contradiction(what, "the list has no end"))
    }
}

/// More monitors of ours than anybody has.
const PAGES: usize = 50;

#[derive(Deserialize)]
struct Id {
    id: u64,
}

impl Id {
    fn of(monitor: &Value, what: &str) -> Result<Id, Failure> {
        Id::deserialize(monitor).map_err(|_| Failure::contradiction(what, "a monitor without a number"))
    }
}

/// Which of our fields are not as they should be. What Datadog adds and how it writes numbers doesn't matter; nor does `type`, which it
/// rewrites.
fn differs(want: &Value, have: &Value) -> Vec<String> {
    let mut out = vec![];
    for key in ["name", "query", "message", "priority"] {
        if !same(&want[key], &have[key]) {
            out.push(key.to_owned());
        }
    }
    let theirs = have["tags"].as_array();
    let lacks = |t: &&Value| !theirs.is_some_and(|all| all.contains(t));
    if want["tags"].as_array().into_iter().flatten().any(|t| lacks(&t)) {
        out.push("tags".to_owned());
    }
    for (key, value) in want["options"].as_object().into_iter().flatten() {
        if !same(value, &have["options"][key]) {
            out.push(format!("options.{key}"));
        }
    }
    out
}

/// 900 and 900.0 are one number; of an object our keys count.
fn same(want: &Value, have: &Value) -> bool {
    match (want, have) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(k, v)| b.get(k).is_some_and(|h| same(v, h))),
        (a, b) => a == b,
    }
}

/// Ours, over what is there and not ours.
fn mended(mut want: Value, there: &Value) -> Value {
    if let Some(all) = want.as_object_mut() {
        all.remove("type");
    }
    let mut options = there["options"].as_object().cloned().unwrap_or_default();
    options.extend(want["options"].as_object().cloned().unwrap_or_default());
    want["options"] = options.into();
    let mut tags = there["tags"].as_array().cloned().unwrap_or_default();
    for tag in want["tags"].as_array().into_iter().flatten() {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    want["tags"] = tags.into();
    want
}

impl Alarms for Watchman {
    fn keep<'a>(&'a self, alarm: &'a Alarm) -> BoxFuture<'a, Result<Alarmed, Failure>> {
        Box::pin(Watchman::keep(self, alarm))
    }
}

/// A monitor is behind two keys.
pub(super) fn explain_keys(answer: &Answer, what: &str) -> Failure {
    let failure = explain(answer, what);
    match answer.status {
        401 | 403 => Failure {
            hint: None,
            ..failure
        }
        .hint("write_monitor is a record of api_key and app_key; the application key needs monitors_read and monitors_write, and is of one site"),
        404 => Failure {
            summary: sentence("somebody deleted it meanwhile"),
            ..failure
        },
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Kind,
        providers::script::{Line, Script, lost, ok, says},
    };

    const LIST: &str = "GET /api/v1/monitor?monitor_tags=service%3Ajml&page=0&";
    const NEXT: &str = "GET /api/v1/monitor?monitor_tags=service%3Ajml&page=1&";
    const BACK: &str = "GET /api/v1/monitor/7";

    fn alarm() -> Alarm {
        Alarm {
            name: "jml: late".into(),
            metric: "jml.x".into(),
            scope: "env:prod".into(),
            above_seconds: 900,
            silent_minutes: 20,
        }
    }

    /// As Datadog keeps it: rewritten, and with what it adds.
    fn kept(change: impl FnOnce(&mut Value)) -> Value {
        let mut m = wanted(&alarm(), &[]);
        m["id"] = json!(7);
        m["type"] = json!("metric alert");
        m["options"]["thresholds"] = json!({"critical": 900.0, "warning": 600.0});
        m["options"]["new_host_delay"] = json!(300);
        change(&mut m);
        m
    }

    fn of(begins: &'static str, body: &Value) -> Line {
        ok(begins, body.to_string().leak())
    }

    async fn keep(lines: Vec<Line>) -> (Result<Alarmed, Failure>, Vec<String>) {
        let script = Script::of(lines);
        let done = Watchman::new(script.writer(explain_keys), vec![]).keep(&alarm()).await;
        (done, script.asked())
    }

    fn listed(all: Value) -> [Line; 2] {
        [of(LIST, &all), ok(NEXT, "[]")]
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_made_once_and_read_back() {
        let other = json!([
            kept(|m| m["tags"] = json!(["service:jml", "env:test"])),
            kept(|m| m["name"] = json!("another"))
        ]);
        let mut lines = Vec::from(listed(other));
        lines.extend([of("POST /api/v1/monitor {", &kept(|_| ())), of(BACK, &kept(|_| ()))]);
        let (done, asked) = keep(lines).await;
        let done = done.unwrap();
        assert_eq!((done.id.as_str(), done.how, asked.len()), ("7", Kept::Made, 4));
        let (again, asked) = keep(listed(json!([kept(|_| ())])).into()).await;
        assert_eq!(
            (again.unwrap().how, asked.len()),
            (Kept::Same, 2),
            "nothing is written again"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_differs_is_mended_and_what_others_added_stays() {
        let moved = kept(|m| {
            m["query"] = json!("max(last_10m):max:jml.x{env:prod} > 3600");
            m["options"]["notify_no_data"] = json!(false);
            m["tags"] = json!(["service:jml", "env:prod", "team:iam"]);
        });
        let mut lines = Vec::from(listed(json!([moved])));
        lines.extend([of("PUT /api/v1/monitor/7 {", &json!({})), of(BACK, &kept(|_| ()))]);
        let (done, asked) = keep(lines).await;
        assert_eq!(
            done.unwrap().how,
            Kept::Mended(vec!["query".into(), "options.notify_no_data".into()])
        );
        let put: Value = serde_json::from_str(asked[2].split_once("7 ").unwrap().1).unwrap();
        assert_eq!(put["tags"], json!(["service:jml", "env:prod", "team:iam"]));
        assert_eq!(
            (&put["options"]["new_host_delay"], put.get("type")),
            (&json!(300), None)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_otherwise_twice_or_unanswered_is_no_success() {
        let two = json!([kept(|_| ()), kept(|m| m["id"] = json!(8))]);
        assert_eq!(keep(listed(two).into()).await.0.unwrap_err().kind, Kind::Contradiction);
        let mut lines = vec![ok(LIST, "[]")];
        let muted = kept(|m| m["options"]["notify_no_data"] = json!(false));
        lines.extend([of("POST /api/v1/monitor {", &kept(|_| ())), of(BACK, &muted)]);
        let f = keep(lines).await.0.unwrap_err();
        assert!(
            f.kind == Kind::Contradiction && f.summary.contains("options.notify_no_data"),
            "{f}"
        );
        let lines = vec![ok(LIST, "[]"), lost("POST /api/v1/monitor {")];
        let (f, asked) = keep(lines).await;
        assert_eq!(
            (f.unwrap_err().kind, asked.len()),
            (Kind::Doubt, 2),
            "never made twice blindly"
        );
        let (f, _) = keep(vec![says(LIST, 403, r#"{"errors": ["Forbidden"]}"#)]).await;
        let f = f.unwrap_err();
        assert!(f.kind == Kind::Auth && f.hint.is_some_and(|h| h.text.contains("monitors_write")));
    }
}
