//! Datadog: an event when a leaver ends, is held or is late; the figures of the promise; the heartbeat of the sweep.
//!
//! Delivers and can't verify: 202 is "accepted", and a late point is dropped without a word, so late ones are sent as of now with the true
//! value. No person in tags: they are indexed, kept for months, and open to the whole organisation. Facts: docs.datadoghq.com/api.

mod monitor;

use chrono::{Duration, SecondsFormat};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::{BaseUrl, ConfigError, Read, SecretRef, Section, Write},
    http::{Answer, Fixed, Reader, Scheme, Writer, path, plain, sentence},
    model::{Alarm, Failure, Kind, Receipt, Record, Repeat, System, What},
    providers::{Act, Alarms, Deliver, Look, Need, Records, Row, field, registry::Trial},
};

pub const ROW: Row = Row::new("datadog")
    .page("https://docs.datadoghq.com/api/")
    .needs(NEEDS)
    .records::<Datadog>("Datadog event and SLA metric")
    .tried(tried)
    .alarms(wanted, watchman);

pub const NEEDS: &[Need] = &[
    Need::write("API key", "send events and metrics; it can read nothing"),
    Need::write(
        "monitors_read, monitors_write",
        "of an application key: jml doctor --write-monitor, and nothing else",
    ),
];

/// `[systems.datadog]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// https://api.SITE, as https://api.datadoghq.eu. A key belongs to one site.
    url: BaseUrl,
    /// A record of `api_key` and `app_key`, for what `doctor` asks; delivering needs none.
    read: Option<SecretRef<Read>>,
    /// An API key.
    write: SecretRef<Write>,
    /// A record of `api_key` and `app_key` for `jml doctor --write-monitor` alone; the application key needs monitors_read and
    /// monitors_write.
    write_monitor: Option<SecretRef<Write>>,
    /// Whom the monitor tells, as `@pagerduty-iam`.
    #[serde(default)]
    notify: Vec<String>,
}

impl crate::providers::Settings for Settings {
    fn check(&self) -> Result<(), String> {
        // Anything else would be text, or a template, of the message.
        let handle = |n: &String| n.starts_with('@') && !n.contains(|c: char| c.is_whitespace() || "{}".contains(c));
        match self.notify.iter().find(|n| !handle(n)) {
            Some(other) => Err(format!("notify: {other:?} is no handle (@pagerduty-iam)")),
            None => Ok(()),
        }
    }
}

fn settings(section: &Section) -> Result<Settings, ConfigError> {
    let s: Settings = section.parse()?;
    crate::providers::Settings::check(&s).map_err(|why| section.fault(why))?;
    Ok(s)
}

fn wanted(section: &Section, alarm: &Alarm) -> Result<Value, ConfigError> {
    Ok(monitor::wanted(alarm, &settings(section)?.notify))
}

fn watchman(section: &Section, act: &Act) -> Result<Box<dyn Alarms>, ConfigError> {
    let s = settings(section)?;
    let Some(keys) = &s.write_monitor else {
        let lacks = section.fault("write_monitor is missing: the keys that may write a monitor");
        return Err(lacks.help("a record of api_key and app_key, the latter with monitors_read and monitors_write"));
    };
    let of = |name| field(act.secret(keys), name);
    let authorize = Fixed::several([
        (Scheme::Header("dd-api-key"), of("api_key")),
        (Scheme::Header("dd-application-key"), of("app_key")),
    ]);
    let http = act.writer(&section.system, &s.url, authorize, monitor::explain_keys);
    Ok(Box::new(monitor::Watchman::new(http, s.notify)))
}

pub struct Datadog;

impl Records for Datadog {
    type Settings = Settings;
    type Recorder = Sender;

    fn recorder(system: System, s: Settings, act: &Act) -> Sender {
        let key = field(act.secret(&s.write), "api_key");
        Sender::new(act.writer(&system, &s.url, Fixed::one(Scheme::Header("dd-api-key"), key), explain))
    }
}

/// Asks whether the key is one: 202 to a submission doesn't prove it.
fn tried(section: &Section, look: &Look) -> Result<Option<Trial>, ConfigError> {
    let s = settings(section)?;
    let Some(read) = &s.read else { return Ok(None) };
    let authorize = Fixed::one(Scheme::Header("dd-api-key"), field(look.secret(read), "api_key"));
    let http = look.reader(&section.system, &s.url, authorize, explain);
    Ok(Some(Box::pin(async move { valid(&http).await })))
}

async fn valid(http: &Reader) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Said {
        valid: bool,
    }
    let what = "ask Datadog whether the API key is valid";
    let said: Said = http.get(path!["api/v1/validate"].what(what)).await?.json()?;
    match said.valid {
        true => Ok(()),
        false => Err(Failure::new(Kind::Auth, what, "it is not")),
    }
}

pub struct Sender {
    http: Writer,
}

/// Points older than an hour are dropped; a margin for the way there.
const METRIC_AGE: Duration = Duration::minutes(55);
/// Events older than 18 hours are refused.
const EVENT_AGE: Duration = Duration::hours(17);
const LONGEST: usize = 4000;

impl Sender {
    pub fn new(http: Writer) -> Self {
        Sender { http }
    }

    /// docs.datadoghq.com/api/latest/events/post-an-event : no key makes it idempotent; the run in `aggregation_key` and text makes a
    /// second one recognisable.
    async fn event(&self, record: &Record) -> Result<Receipt, Failure> {
        #[derive(Deserialize)]
        struct Made {
            event: Id,
        }
        #[derive(Deserialize)]
        struct Id {
            /// `id` beside it has lost its last digits.
            id_str: String,
        }
        let what = "send an event to Datadog";
        let ask = path!["api/v1/events"]
            .json(&self.said(record))
            .what(what)
            .repeat(Repeat::LookFirst);
        let answer = self.http.post(ask).await?;
        let made: Made = answer.json()?;
        Ok(Receipt {
            status: answer.status,
            request: answer.request_id(),
            already: false,
            made: Some(sentence(&made.event.id_str)),
        })
    }

    fn said(&self, record: &Record) -> Value {
        let What::Event {
            title,
            text,
            tags,
            alert,
        } = &record.what
        else {
            return Value::Null;
        };
        let now = (self.http.reader().clock())();
        let late = now - record.at > EVENT_AGE;
        let mut body = text.clone();
        if late {
            let at = record.at.to_rfc3339_opts(SecondsFormat::Secs, true);
            body = format!("Happened {at}, delivered late.\n{body}");
        }
        let at = if late { now } else { record.at };
        json!({"title": sentence(title), "text": shortened(&body), "date_happened": at.timestamp(),
            "alert_type": if *alert { "error" } else { "info" }, "priority": "normal", "aggregation_key": head(&record.run, 100),
            "source_type_name": "jml", "tags": tagged(tags, late)})
    }

    /// docs.datadoghq.com/api/latest/metrics/submit-metrics : a gauge, so that a repeated point overwrites itself.
    async fn metric(&self, record: &Record) -> Result<Receipt, Failure> {
        let What::Metric { name, value, tags } = &record.what else {
            return Err(Failure::new(Kind::Cannot, record.what.name(), "is no metric"));
        };
        let what = format!("send {name} to Datadog");
        if !value.is_finite() {
            return Err(Failure::permanent(what, "is no number"));
        }
        let now = (self.http.reader().clock())();
        let late = now - record.at > METRIC_AGE;
        let at = if late { now } else { record.at };
        let mut series = json!({"metric": name, "type": 3, "points": [{"timestamp": at.timestamp(), "value": value}],
            "tags": tagged(tags, late)});
        if name.ends_with("seconds") {
            series["unit"] = json!("second");
        }
        let ask = path!["api/v2/series"]
            .json(&json!({"series": [series]}))
            .what(&what)
            .repeat(Repeat::Safe);
        let answer = self.http.post(ask).await?;
        Ok(Receipt {
            status: answer.status,
            request: answer.request_id(),
            ..Receipt::default()
        })
    }
}

impl Deliver for Sender {
    fn takes(&self, what: &What) -> bool {
        match what {
            What::Event { .. } | What::Metric { .. } => true,
            What::Change { .. } | What::Close { .. } | What::Incident { .. } => false,
        }
    }

    async fn deliver(&self, record: &Record) -> Result<Receipt, Failure> {
        match &record.what {
            What::Event { .. } => self.event(record).await,
            What::Metric { .. } => self.metric(record).await,
            What::Change { .. } | What::Close { .. } | What::Incident { .. } => {
                Err(Failure::new(Kind::Cannot, record.what.name(), "Datadog takes none"))
            }
        }
    }
}

fn head(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The end of a long text carries less than its beginning.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        text.to_owned()
    } else {
        format!("{}...", head(text, LONGEST - 3))
    }
}

/// Datadog's own form of a tag, applied here so that what is sent is what is kept. A tag that holds an address isn't sent.
fn tagged(tags: &[String], late: bool) -> Vec<String> {
    let fits = |c: char| {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || "_-:./".contains(c) {
            c
        } else {
            '_'
        }
    };
    let mut out: Vec<String> = vec!["service:jml".into()];
    for tag in tags
        .iter()
        .filter(|t| !t.contains('@') && t.starts_with(|c: char| c.is_ascii_alphabetic()))
    {
        let tag: String = tag.to_lowercase().chars().map(fits).take(200).collect();
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    if late {
        out.push("late:true".into());
    }
    out
}

/// `errors` are texts in version 1 and objects in version 2; a refusal may be a page of the front proxy.
pub fn explain(answer: &Answer, what: &str) -> Failure {
    #[derive(Deserialize)]
    struct Envelope {
        errors: Vec<Value>,
    }
    let said = answer.maybe::<Envelope>().map(|e| {
        let text = |v: &Value| v.as_str().or_else(|| v["detail"].as_str()).map(str::to_owned);
        sentence(&e.errors.iter().filter_map(text).collect::<Vec<_>>().join("; "))
    });
    let mut failure = plain(answer, what);
    if let Some(said) = said.filter(|s| !s.is_empty()) {
        failure.summary = said;
    }
    match answer.status {
        401 | 403 => failure.hint("the API key is wrong, or valid on another site than the configured address"),
        413 => failure.hint("the payload is larger than Datadog takes"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
