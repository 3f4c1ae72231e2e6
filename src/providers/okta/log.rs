//! The System Log: what happened since a cursor, in the order in which it was kept.
//!
//! Polled, never stitched from bounded windows: those lose what came late. `next` is there even on an empty page, so an empty page is the end
//! for now, and its cursor is what to keep.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Directory, filter, pages, wire};
use crate::{
    http::path,
    model::{Failure, PersonId},
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
    pub apps: BTreeSet<String>,
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
        apps: of("AppInstance"),
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

/// HR's imports, as the log tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    pub completed: Option<DateTime<Utc>>,
    /// One was begun since and has not ended: profiles may be half written.
    pub running: bool,
}

const IMPORT_BEGUN: &str = "system.import.start";
const IMPORT_ENDED: &str = "system.import.complete";

fn imports(newest_first: &[LogEvent]) -> Imports {
    let last = |kind: &str| {
        newest_first
            .iter()
            .filter(|e| e.kind == kind)
            .filter_map(|e| e.published)
            .max()
    };
    let (begun, completed) = (last(IMPORT_BEGUN), last(IMPORT_ENDED));
    Imports {
        completed,
        running: begun > completed,
    }
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

    /// How fresh what HR feeds is.
    pub async fn imports(&self, since: DateTime<Utc>) -> Result<Imports, Failure> {
        let read = self.back(since, &any_of(&[IMPORT_BEGUN, IMPORT_ENDED]), 20).await?;
        Ok(imports(&read))
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
    fn an_import_without_its_end_still_runs() {
        let at = |kind: &str, published: &str| LogEvent {
            uuid: published.into(),
            kind: kind.into(),
            published: Some(published.parse().unwrap()),
            succeeded: true,
            actor: None,
            people: BTreeSet::new(),
            groups: BTreeSet::new(),
            apps: BTreeSet::new(),
        };
        let ended = at(IMPORT_ENDED, "2026-07-15T04:55:00Z");
        let whole = [ended.clone(), at(IMPORT_BEGUN, "2026-07-15T04:54:00Z")];
        assert_eq!(
            imports(&whole),
            Imports {
                completed: ended.published,
                running: false
            }
        );
        let open = [at(IMPORT_BEGUN, "2026-07-15T05:00:00Z"), ended.clone()];
        assert!(imports(&open).running);
        assert_eq!(imports(&[]), Imports::default());
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
