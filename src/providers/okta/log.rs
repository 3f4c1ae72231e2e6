//! The System Log: what happened since a cursor, in the order in which it was kept.
//!
//! Polled, never stitched from bounded windows: those lose what came late. `next` is there even on an empty page, so an empty page is the end
//! for now, and its cursor is what to keep.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{Attributes, Directory, filter, pages, wire};
use crate::{
    http::path,
    model::{Age, Failure, PersonId, age::Unsettled},
    providers::{Cursor, Page},
};

const LIMIT: usize = 1000;

/// What happened to whom. Ids of targets, by their type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// The same event may come twice.
    pub uuid: String,
    pub kind: String,
    /// May jump back from one event to the next.
    pub published: Option<DateTime<Utc>>,
    pub succeeded: bool,
    pub actor: Option<Actor>,
    pub people: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    /// With their names.
    pub apps: BTreeMap<String, String>,
}

/// Who or what did it: `SystemPrincipal` is Okta itself, an import for instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: String,
    pub kind: String,
    /// Login where it is a person.
    pub name: String,
}

/// Where reading starts.
#[derive(Clone, Debug)]
pub enum From {
    Cursor(Cursor),
    Since(DateTime<Utc>),
}

/// What a sweep asks for: changes of people and memberships, and signs that a leaver is back.
pub const SWEPT: &[&str] = &[
    "user.lifecycle.create",
    "user.lifecycle.activate",
    "user.lifecycle.reactivate",
    "user.lifecycle.suspend",
    "user.lifecycle.unsuspend",
    "user.lifecycle.deactivate",
    "user.account.update_profile",
    "group.user_membership.add",
    "group.user_membership.remove",
    "user.session.start",
];

/// `eventType eq "a" or eventType eq "b"`.
pub fn any_of(kinds: &[&str]) -> String {
    kinds
        .iter()
        .map(|kind| filter::eq("eventType", kind))
        .reduce(|a, b| filter::or(&a, &b))
        .unwrap_or_default()
}

/// Those of one person.
pub fn about(id: &PersonId, kinds: &[&str]) -> String {
    filter::and(&filter::group(&any_of(kinds)), &filter::eq("target.id", &id.0))
}

fn event(read: wire::Logged) -> LogEvent {
    let of = |kind: &str| -> BTreeSet<String> {
        read.target
            .iter()
            .filter(|t| t.kind == kind && !t.id.is_empty())
            .map(|t| t.id.clone())
            .collect()
    };
    LogEvent {
        people: of("User"),
        groups: of("UserGroup"),
        apps: read
            .target
            .iter()
            .filter(|t| t.kind == "AppInstance" && !t.id.is_empty())
            .map(|t| (t.id.clone(), t.display_name.clone().unwrap_or_else(|| t.id.clone())))
            .collect(),
        succeeded: read
            .outcome
            .as_ref()
            .and_then(|o| o.result.as_deref())
            .is_none_or(|r| r == "SUCCESS"),
        actor: read.actor.map(|a| Actor {
            name: a.alternate_id.or(a.display_name).unwrap_or_default(),
            id: a.id,
            kind: a.kind,
        }),
        uuid: read.uuid,
        kind: read.event_type,
        published: read.published,
    }
}

const IMPORT_BEGUN: &str = "system.import.start";
const IMPORT_ENDED: &str = "system.import.complete";
/// The safeguard stopped it: too many people would have lost the app.
const IMPORT_BLOCKED: &str = "system.import.roadblock";
const IMPORTS: &[&str] = &[IMPORT_BEGUN, IMPORT_ENDED, IMPORT_BLOCKED];
/// The log goes back no further.
const KEPT: TimeDelta = TimeDelta::days(90);
/// Several apps may import, each with a few events an hour.
const LOOK_BACK: usize = 100;

/// How old what imports wrote is: an app's newest event says how that app stands. `None`: there was no import.
fn imported(newest_first: &[LogEvent]) -> Option<Age> {
    let mut apps: BTreeMap<&BTreeMap<String, String>, (&LogEvent, DateTime<Utc>)> = BTreeMap::new();
    for event in newest_first {
        let Some(at) = event.published else { continue };
        let newest = apps.entry(&event.apps).or_insert((event, at));
        if at > newest.1 {
            *newest = (event, at);
        }
    }
    let why = |e: &LogEvent| match e.kind.as_str() {
        IMPORT_ENDED if e.succeeded => None,
        IMPORT_ENDED => Some(Unsettled::Failed),
        IMPORT_BLOCKED => Some(Unsettled::Blocked),
        _ => Some(Unsettled::Running),
    };
    let mut newest: Option<DateTime<Utc>> = None;
    for (names, (event, at)) in apps {
        let Some(why) = why(event) else {
            newest = newest.max(Some(at));
            continue;
        };
        let names: Vec<&str> = names.values().map(String::as_str).collect();
        return Some(Age::Unsettled {
            what: match names.is_empty() {
                true => "an import".to_owned(),
                false => format!("the import of {}", names.join(", ")),
            },
            since: at,
            why,
        });
    }
    newest.map(Age::Made)
}

impl Directory {
    /// The newest first, one page: for a look back, never for following.
    async fn back(&self, since: DateTime<Utc>, filter: &str, limit: usize) -> Result<Vec<LogEvent>, Failure> {
        let ask = path!["api/v1/logs"]
            .query("since", since.to_rfc3339_opts(SecondsFormat::Millis, true))
            .query("filter", filter)
            .query("sortOrder", "DESCENDING")
            .query("limit", limit);
        let read: Vec<wire::Logged> = self.api.get(ask.what("read the System Log of Okta")).await?.json()?;
        Ok(read.into_iter().map(event).collect())
    }

    /// The newest event of those kinds about the person: when HR's record came, or who brought a leaver back.
    pub async fn latest(
        &self,
        id: &PersonId,
        kinds: &[&str],
        since: DateTime<Utc>,
    ) -> Result<Option<LogEvent>, Failure> {
        Ok(self.back(since, &about(id, kinds), 1).await?.into_iter().next())
    }

    /// How old what HR feeds is: a directory is of now, its profiles are as old as the last import. Where there was none, HR writes in
    /// another way, and its word is of now.
    pub async fn imported(&self) -> Result<Age, Failure> {
        let since = (self.api.clock())() - KEPT;
        let all = any_of(IMPORTS);
        let app = self.roster.as_ref().and_then(Attributes::importer);
        let filter = match app {
            Some(app) => filter::and(&filter::group(&all), &filter::eq("target.id", app)),
            None => all,
        };
        let read = self.back(since, &filter, LOOK_BACK).await?;
        // Whoever names the app says that it imports.
        let none = if app.is_some() { Age::Made(since) } else { Age::Live };
        Ok(imported(&read).unwrap_or(none))
    }

    /// One page. `next` is the cursor to keep, on an empty page too; a page without items is the end for now.
    pub async fn events(&self, from: &From, filter: &str) -> Result<Page<LogEvent>, Failure> {
        let first = || {
            let ask = path!["api/v1/logs"]
                .query("limit", LIMIT)
                .query("sortOrder", "ASCENDING");
            let ask = match from {
                From::Since(at) => ask.query("since", at.to_rfc3339_opts(SecondsFormat::Millis, true)),
                From::Cursor(_) => ask,
            };
            if filter.is_empty() {
                ask
            } else {
                ask.query("filter", filter)
            }
        };
        let cursor = match from {
            From::Cursor(cursor) => Some(cursor),
            From::Since(_) => None,
        };
        let read: Page<wire::Logged> = pages::page(&self.api, first, cursor, "read the System Log of Okta").await?;
        Ok(Page {
            items: read.items.into_iter().map(event).collect(),
            next: read.next,
            total: None,
        })
    }

    /// All that is there now, each event once, and the cursor with which the next read goes on.
    pub async fn events_since(&self, from: From, filter: &str) -> Result<(Vec<LogEvent>, Option<Cursor>), Failure> {
        let (mut out, mut seen, mut from) = (Vec::new(), BTreeSet::new(), from);
        let mut places = pages::Seen::default();
        loop {
            let page = self.events(&from, filter).await?;
            let empty = page.items.is_empty();
            out.extend(page.items.into_iter().filter(|e| seen.insert(e.uuid.clone())));
            match page.next {
                Some(next) if empty => return Ok((out, Some(next))),
                Some(next) => from = From::Cursor(places.new_place(next, "read the System Log of Okta")?),
                None => return Ok((out, None)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_what_happened_to_whom_and_by_whom() {
        let read: Vec<wire::Logged> = serde_json::from_str(include_str!("../../../tests/data/okta/log.json")).unwrap();
        let all: Vec<LogEvent> = read.into_iter().map(event).collect();
        assert_eq!(all[0].kind, "group.user_membership.remove");
        assert!(all[0].people.contains("00u00000000000000101") && all[0].groups.contains("00g00000000000000001"));
        assert_eq!(all[0].actor.as_ref().map(|a| a.name.as_str()), Some("ops@acme.example"));
        assert!(all[0].succeeded && !all[1].succeeded);
        assert_eq!(all[1].actor.as_ref().map(|a| a.kind.as_str()), Some("SystemPrincipal"));
        assert_eq!(all[1].published, None);
    }

    #[test]
    fn an_apps_newest_event_says_how_its_import_stands() {
        let at = |app: &str, kind: &str, minute: u32| LogEvent {
            uuid: format!("{app}{kind}{minute}"),
            kind: kind.into(),
            published: Some(format!("2026-07-15T04:{minute}:00Z").parse().unwrap()),
            succeeded: true,
            actor: None,
            people: BTreeSet::new(),
            groups: BTreeSet::new(),
            apps: BTreeMap::from([(app.to_owned(), app.to_uppercase())]),
        };
        let minute = |m: u32| format!("2026-07-15T04:{m}:00Z").parse().unwrap();
        let held = |since, why| {
            Some(Age::Unsettled {
                what: "the import of HR".into(),
                since: minute(since),
                why,
            })
        };
        let ended = at("hr", IMPORT_ENDED, 55);
        let whole = [ended.clone(), at("hr", IMPORT_BEGUN, 54)];
        assert_eq!(imported(&whole), Some(Age::Made(minute(55))));
        let open = [at("hr", IMPORT_BEGUN, 58), ended.clone()];
        assert_eq!(imported(&open), held(58, Unsettled::Running));
        let blocked = [at("hr", IMPORT_BLOCKED, 59), at("hr", IMPORT_BEGUN, 58), ended.clone()];
        assert_eq!(imported(&blocked), held(59, Unsettled::Blocked));
        let failed = [LogEvent {
            succeeded: false,
            ..ended.clone()
        }];
        assert_eq!(imported(&failed), held(55, Unsettled::Failed));
        // One that ends does not end another's.
        let two = [
            at("ad", IMPORT_ENDED, 59),
            at("hr", IMPORT_BEGUN, 58),
            at("ad", IMPORT_BEGUN, 57),
        ];
        assert_eq!(imported(&two), held(58, Unsettled::Running));
        assert_eq!(imported(&[]), None);
    }

    #[test]
    fn filters_are_literals() {
        assert_eq!(any_of(&["a", "b"]), r#"eventType eq "a" or eventType eq "b""#);
        assert_eq!(any_of(&[]), "");
        assert_eq!(
            about(&PersonId("00u\"1".into()), &["a"]),
            r#"(eventType eq "a") and target.id eq "00u\"1""#
        );
    }
}
