//! The format of a world (`--world FILE`) as a table of shapes, and the texts in it: instants, durations, request patterns.
//!
//! Strict: an unknown key is an error that names its path. What the format knows and this build has no twin of is refused by name.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::member;
use super::shape::{
    Shape::{self, *},
    check,
};

/// Checks a world from a file. `Err` says where and what.
pub fn world(given: &Value) -> Result<(), String> {
    check(&WORLD, given, "")?;
    for (app, value) in given["apps"].as_object().into_iter().flatten() {
        let twin = member::row(app).and_then(|t| t.given);
        check(twin.unwrap_or(&Never), value, &format!("apps.{app}"))?;
    }
    Ok(())
}

/// Checks what is given to `POST /faults`.
pub fn faults(list: &Value) -> Result<(), String> {
    check(&List(&FAULT), list, "faults")
}

pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    text.ends_with('Z')
        .then(|| DateTime::parse_from_rfc3339(text).ok())
        .flatten()
        .map(|t| t.to_utc())
}

/// A number and `ms`, `s`, `m`, `h` or `d`.
pub fn duration(text: &str) -> Option<TimeDelta> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let n: i64 = text[..unit].parse().ok()?;
    match &text[unit..] {
        "ms" => TimeDelta::try_milliseconds(n),
        "s" => TimeDelta::try_seconds(n),
        "m" => TimeDelta::try_minutes(n),
        "h" => TimeDelta::try_hours(n),
        "d" => TimeDelta::try_days(n),
        _ => None,
    }
}

/// A duration of the world's that can't be absent or wrong any more: zero where it isn't given.
pub fn span(value: &Value) -> TimeDelta {
    value.as_str().and_then(duration).unwrap_or_default()
}

fn is_instant(text: &str) -> bool {
    let fraction = text.get(19..).and_then(|t| t.strip_suffix('Z'));
    let short = fraction.is_some_and(|f| f.is_empty() || (f.starts_with('.') && (2..=4).contains(&f.len())));
    short && text.as_bytes().get(10) == Some(&b'T') && instant(text).is_some()
}

fn is_pattern(text: &str) -> bool {
    let mut parts = text.splitn(3, ' ');
    let (Some(system), Some(methods), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let capital = |m: &str| !m.is_empty() && m.chars().all(|c| c.is_ascii_uppercase());
    let mut list = methods.split('|');
    let first = list.next().is_some_and(|m| capital(m.strip_suffix('*').unwrap_or(m)));
    let plain = |t: &str| !t.is_empty() && !t.contains(char::is_whitespace);
    plain(system) && (methods == "*" || (first && list.all(capital))) && path.starts_with(|c: char| !c.is_whitespace())
}

fn id(prefix: &str, text: &str) -> bool {
    text.len() == 20 && text.starts_with(prefix) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

pub(super) const INSTANT: Shape = Like("an instant such as 2026-07-15T05:00:00Z", is_instant);
pub(super) const DURATION: Shape = Like("a duration such as 90s", |t| duration(t).is_some());
const PATTERN: Shape = Like("a pattern such as \"okta GET /api/v1/users*\"", is_pattern);
const ORG: Shape = Like("an organisation id (00o...)", |t| id("00o", t));
const USER: Shape = Like("a user id (00u...)", |t| id("00u", t));
const GROUP: Shape = Like("a group id (00g...)", |t| id("00g", t));
const RULE: Shape = Like("a rule id (0pr...)", |t| id("0pr", t));
const APP: Shape = Like("an app id (0oa...)", |t| id("0oa", t));
const NAME: Shape = Like("a name", |t| !t.is_empty());
pub(super) const TEXTS: Shape = List(&Text);
pub(super) const COUNT: Shape = Whole(i64::MIN);
const PROFILE: Shape = Map(|_| true, &Attribute);
pub(super) const GENERATED: Shape = Table(&[("generated!", &Whole(0))]);
const STATUS: Shape = OneOf(&[
    "STAGED",
    "PROVISIONED",
    "ACTIVE",
    "RECOVERY",
    "PASSWORD_EXPIRED",
    "LOCKED_OUT",
    "SUSPENDED",
    "DEPROVISIONED",
]);

const WORLD: Shape = Table(&[
    ("now!", &INSTANT),
    ("clock_skew", &DURATION),
    ("latency", &DURATION),
    ("policy", &POLICY),
    ("limits", &LIMITS),
    ("protect", &Table(&[("people", &List(&Either(&[&PROTECTED, &Text])))])),
    ("config", &Object),
    ("files", &Map(is_file_name, &Text)),
    ("roster", &ROSTER),
    ("population", &POPULATION),
    ("okta", &OKTA),
    ("apps", &Map(|_| true, &Object)),
    ("faults", &List(&FAULT)),
]);

fn is_file_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

const PROTECTED: Shape = Table(&[("login!", &Text), ("owner", &Text), ("reason", &Text)]);

const POLICY: Shape = Table(&[
    ("zone", &Text),
    ("zones", &Map(|_| true, &Text)),
    ("termination_day", &OneOf(&["end", "start"])),
    (
        "leaver_date",
        &OneOf(&["termination_date", "last_day_of_work", "earlier"]),
    ),
    ("settle", &DURATION),
    ("birthright", &Map(|_| true, &TEXTS)),
    ("departments", &Map(|_| true, &Text)),
    ("department_fallback", &OneOf(&["upper"])),
    ("on_leave", &OneOf(&["ignore", "suspend"])),
    ("override", &OneOf(&["approver", "operator"])),
    ("joiner_lead", &DURATION),
    (
        "rule",
        &List(&Table(&[
            ("when!", &Map(|_| true, &Text)),
            ("groups", &TEXTS),
            ("slack", &TEXTS),
            ("github", &TEXTS),
        ])),
    ),
]);

const LIMITS: Shape = Table(&[
    ("leavers", &Text),
    ("leavers_24h", &Text),
    ("movers", &Text),
    ("joiners", &Text),
    ("removals_per_group", &Text),
    ("adds_per_group", &Text),
    ("exclusions_per_rule", &Text),
    ("on_brake", &OneOf(&["hold", "contain"])),
]);

const ROSTER: Shape = Kind(&[
    ("okta", &Table(&[("kind!", &Text)])),
    ("csv", &Table(&[("kind!", &Text), ("csv!", &Text)])),
    ("workday", &WORKERS),
    ("successfactors", &WORKERS),
    ("hibob", &WORKERS),
]);

const WORKERS: Shape = Table(&[("kind!", &Text), ("workers!", &List(&WORKER))]);

const WORKER: Shape = Table(&[
    ("employee_id!", &Text),
    ("universal_id", &Text),
    ("login", &Text),
    ("email", &Text),
    ("first_name", &Text),
    ("last_name", &Text),
    ("department", &Text),
    ("title", &Text),
    ("manager_id", &Text),
    ("worker_type", &Text),
    ("active", &Bool),
    ("on_leave", &Bool),
    ("hire_date", &Null(&Text)),
    ("termination_date", &Null(&Text)),
    ("last_day_of_work", &Null(&Text)),
    ("is_rescinded", &Bool),
    ("future_date", &Text),
    ("future_action", &Text),
    ("entered_at", &INSTANT),
]);

const POPULATION: Shape = Table(&[
    ("people", &Whole(0)),
    ("department", &Text),
    ("profile", &PROFILE),
    ("hr", &PROFILE),
    (
        "some",
        &List(&Table(&[
            ("from!", &Whole(1)),
            ("to!", &Whole(1)),
            ("status", &STATUS),
            ("profile", &PROFILE),
            ("hr", &PROFILE),
            ("groups", &TEXTS),
        ])),
    ),
]);

const OKTA: Shape = Table(&[
    ("org_id", &ORG),
    ("users", &List(&OKTA_USER)),
    (
        "groups",
        &List(&Where(
            "generated",
            &Table(&[("generated!", &COUNT), ("name!", &NAME)]),
            &OKTA_GROUP,
        )),
    ),
    ("rules", &List(&OKTA_RULE)),
    ("apps", &List(&OKTA_APP)),
    (
        "search_index",
        &Map(|k| id("00u", k), &Either(&[&PROFILE, &OneOf(&["missing"])])),
    ),
    ("search_lag", &DURATION),
    ("rule_delay", &DURATION),
    ("deactivate_delay", &DURATION),
    ("system_log", &List(&EVENT)),
]);

const OKTA_USER: Shape = Table(&[
    ("id!", &USER),
    ("status", &STATUS),
    (
        "profile!",
        &Also(&PROFILE, |p| {
            p.get("login").is_none().then(|| "login is missing".into())
        }),
    ),
    ("groups", &TEXTS),
    ("roles", &TEXTS),
    ("sessions", &COUNT),
    ("grants", &COUNT),
    ("recorded", &INSTANT),
    ("credentials_provider", &Text),
]);

const OKTA_GROUP: Shape = Table(&[
    ("id!", &GROUP),
    ("name!", &NAME),
    ("type", &OneOf(&["OKTA_GROUP", "APP_GROUP", "BUILT_IN"])),
    ("roles", &TEXTS),
]);

const OKTA_RULE: Shape = Table(&[
    ("id!", &RULE),
    ("name!", &Text),
    ("status", &OneOf(&["ACTIVE", "INACTIVE", "INVALID"])),
    ("expression!", &Text),
    ("groups!", &TEXTS),
    ("exclude_users", &List(&USER)),
]);

const OKTA_APP: Shape = Table(&[
    ("id!", &APP),
    ("label!", &Text),
    ("name", &Text),
    ("status", &OneOf(&["ACTIVE", "INACTIVE"])),
    ("features", &TEXTS),
    ("provisions", &Text),
    ("groups", &TEXTS),
    (
        "assigned",
        &List(&Table(&[
            ("user!", &USER),
            ("scope!", &OneOf(&["USER", "GROUP"])),
            ("group", &Text),
            ("credentials_user_name", &Text),
            ("external_id", &Text),
        ])),
    ),
]);

const EVENT: Shape = Table(&[
    ("uuid!", &Text),
    ("eventType!", &Text),
    ("target!", &Text),
    ("actor", &Text),
    ("published", &INSTANT),
]);

const FAULT: Shape = Also(
    &Table(&[
        ("on!", &PATTERN),
        ("nth", &Whole(1)),
        ("times", &Either(&[&OneOf(&["all"]), &Whole(1)])),
        (
            "answer",
            &Table(&[
                (
                    "status!",
                    &Also(&Whole(100), |s| (s.as_i64() > Some(599)).then(|| "at most 599".into())),
                ),
                ("headers", &Map(|_| true, &Text)),
                ("body", &Any),
                ("body_text", &Text),
            ]),
        ),
        ("effect", &Bool),
        ("lose_answer", &Bool),
        ("delay", &DURATION),
        ("may_not_fire", &Bool),
    ]),
    |f| match (f.get("answer"), f.get("lose_answer"), f.get("delay")) {
        (None, None, None) => Some("one of answer, lose_answer, delay is wanted".into()),
        (Some(_), Some(_), _) => Some("answer and lose_answer exclude each other".into()),
        _ => None,
    },
);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_world_is_held_against_its_table() {
        let now = "2026-07-15T05:05:00Z";
        let user = json!({"id": "00u00000000000000004", "profile": {"login": "a@acme.example", "city": null}});
        for (given, want) in [
            (
                json!({"now": now, "okta": {"users": [user]}, "apps": {"slack": {"users": [{"generated": 3}]}}}),
                "",
            ),
            (json!({}), "now: missing"),
            (
                json!({"now": "2026-07-15"}),
                "now: \"2026-07-15\" is not an instant such as 2026-07-15T05:00:00Z",
            ),
            (json!({"now": now, "nwo": 1}), "nwo: unknown key"),
            (
                json!({"now": now, "okta": {"users": [{"id": "00u1", "profile": {"login": "x"}}]}}),
                "okta.users[0].id: \"00u1\" is not a user id (00u...)",
            ),
            (
                json!({"now": now, "okta": {"users": [{"id": "00u00000000000000004", "profile": {}}]}}),
                "okta.users[0].profile: login is missing",
            ),
            (
                json!({"now": now, "roster": {"kind": "okta", "csv": ""}}),
                "roster.csv: unknown key",
            ),
            (
                json!({"now": now, "roster": {"kind": "workday", "workers": [{"login": "x"}]}}),
                "roster.workers[0].employee_id: missing",
            ),
            (
                json!({"now": now, "apps": {"fax": {}}}),
                "apps.fax: this version has no twin of it",
            ),
            (
                json!({"now": now, "faults": [{"on": "okta GET /x"}]}),
                "faults[0]: one of answer, lose_answer, delay is wanted",
            ),
            (
                json!({"now": now, "faults": [{"on": "okta get /x", "delay": "1s"}]}),
                "faults[0].on: \"okta get /x\" is not a pattern such as \"okta GET /api/v1/users*\"",
            ),
            (
                json!({"now": now, "population": {"seed": 1}}),
                "population.seed: unknown key",
            ),
        ] {
            assert_eq!(world(&given).err().unwrap_or_default(), want, "{given}");
        }
    }

    #[test]
    fn durations_and_instants_are_read_exactly() {
        assert_eq!(duration("90s"), Some(TimeDelta::seconds(90)));
        assert_eq!(duration("-5m"), Some(TimeDelta::minutes(-5)));
        assert_eq!(duration("+250ms"), Some(TimeDelta::milliseconds(250)));
        assert_eq!(
            (duration("5"), duration("s"), duration("1w"), duration("1.5s")),
            (None, None, None, None)
        );
        for (text, want) in [
            ("2026-07-15T05:05:00Z", true),
            ("2026-07-15T05:05:00.123Z", true),
            ("2026-07-15T05:05:00.1234Z", false),
            ("2026-07-15T05:05:00+00:00", false),
            ("2026-02-30T05:05:00Z", false),
            ("2026-07-15 05:05:00Z", false),
        ] {
            assert_eq!(is_instant(text), want, "{text}");
        }
    }
}
