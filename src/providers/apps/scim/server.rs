//! The questions that both the target and the roster ask: one by id, some by a filter, everybody page by page.
//!
//! A list is whole or an error. What a filter finds is compared again here, and a server that ignores its filters is told as that.

use std::collections::BTreeSet;

use super::{
    ContentType, Key, Paging, Settings, Switch,
    wire::{self, Part, Resource, equals},
};
use crate::{
    http::{Ask, Reader, path},
    model::{Failure, Kind},
};

/// More pages than that are a server that never ends.
const MOST: usize = 10_000;
/// Of one key nobody has more than one account; a few more show that the filter was ignored.
const SOME: u32 = 10;

pub struct Server {
    http: Reader,
    filter: Switch,
    paging: Paging,
    page_size: u32,
    content: ContentType,
}

impl Server {
    pub fn new(http: Reader, s: &Settings) -> Self {
        Server {
            http,
            filter: s.filter,
            paging: s.paging,
            page_size: s.page_size,
            content: s.content_type,
        }
    }

    pub fn name(&self) -> &str {
        self.http.system().as_str()
    }

    pub fn filters(&self) -> bool {
        self.filter == Switch::On
    }

    fn ask(&self, ask: Ask, what: &str) -> Ask {
        accept(ask, self.content).what(what)
    }

    /// RFC 7644 section 3.4.1. `None`: the server itself says that it knows no such id.
    pub async fn user(&self, id: &str) -> Result<Option<Resource>, Failure> {
        self.one("Users", id).await
    }

    pub async fn group(&self, id: &str) -> Result<Option<Resource>, Failure> {
        self.one("Groups", id).await
    }

    async fn one(&self, place: &str, id: &str) -> Result<Option<Resource>, Failure> {
        let what = format!("read {id} of {} in {}", place.to_lowercase(), self.name());
        let answer = self.http.get(self.ask(path![place, id], &what).accept(404)).await?;
        if answer.status == 404 {
            return wire::unknown(&answer, &what).map(|()| None);
        }
        wire::one(&answer, id, &what).map(Some)
    }

    /// Is a list there at all?
    pub async fn some(&self, place: &str, count: u32) -> Result<Part, Failure> {
        let what = format!("list the {} of {}", place.to_lowercase(), self.name());
        let ask = match self.paging {
            Paging::Index => path![place].query("startIndex", 1),
            Paging::Cursor => path![place].query("cursor", ""),
        };
        let answer = self.http.get(self.ask(ask.query("count", count), &what)).await?;
        wire::list(&answer, &what)
    }

    /// RFC 7644 section 3.4.2.2: the account with exactly this value, compared here again.
    pub async fn by(&self, key: Key, value: &str) -> Result<Option<Resource>, Failure> {
        let what = format!("find {value} in {}", self.name());
        let mut hits = self
            .filtered("Users", &equals(attribute(key), value), SOME, &what)
            .await?;
        if hits.iter().any(|r| !is(r, key, value)) {
            return Err(ignored(&what));
        }
        if hits.len() > 1 {
            let ids: Vec<&str> = hits.iter().filter_map(Resource::id).collect();
            let why = format!(
                "{} accounts have this {}: {}",
                hits.len(),
                attribute(key),
                ids.join(" and ")
            );
            return Err(which(Failure::contradiction(what, why), self.name()));
        }
        Ok(hits.pop())
    }

    async fn filtered(&self, place: &str, filter: &str, count: u32, what: &str) -> Result<Vec<Resource>, Failure> {
        let ask = path![place].query("filter", filter);
        let ask = match self.paging {
            // both, always: some servers answer nobody without them
            Paging::Index => ask.query("startIndex", 1).query("count", count),
            Paging::Cursor => ask,
        };
        let answer = self.http.get(self.ask(ask, what)).await?;
        let part = wire::list(&answer, what)?;
        match part.total {
            Some(total) if total > part.items.len() => Err(Failure::contradiction(
                what,
                format!("says that there are {total}, and shows {}", part.items.len()),
            )
            .hint("if the server ignores its filters: filter = \"off\" in its section")),
            Some(_) | None => Ok(part.items),
        }
    }

    /// The groups that the person is in, of those servers that show members.
    pub async fn groups_of(&self, id: &str) -> Result<Vec<Resource>, Failure> {
        let what = format!("read the groups of {id} in {}", self.name());
        let filter = equals("members.value", id);
        let mine = |r: &Resource| r.members().is_some_and(|m| m.contains(&id));
        if !self.filters() {
            let all = self.all("Groups", None, "").await?;
            if all.iter().any(|g| g.members().is_none()) && !all.iter().any(|g| g.members().is_some()) {
                return Err(unseen(&what));
            }
            return Ok(all.into_iter().filter(mine).collect());
        }
        let hits = self.all("Groups", Some(&filter), "").await?;
        if hits
            .iter()
            .any(|g| g.members().is_some_and(|m| !m.is_empty()) && !mine(g))
        {
            return Err(ignored(&what));
        }
        if hits.iter().any(|g| !mine(g)) {
            return Err(unseen(&what));
        }
        Ok(hits)
    }

    /// Where groups never show their members: is the person in this one?
    pub async fn holds(&self, group: &str, id: &str) -> Result<bool, Failure> {
        let what = format!("ask whether {id} is in the group {group} in {}", self.name());
        let filter = format!("{} and {}", equals("id", group), equals("members", id));
        let hits = self.filtered("Groups", &filter, SOME, &what).await?;
        if hits.iter().any(|g| g.id() != Some(group)) {
            return Err(ignored(&what));
        }
        Ok(!hits.is_empty())
    }

    /// Everything, each once, as many as the server says; read a second time where the first doesn't add up.
    pub async fn all(&self, place: &str, filter: Option<&str>, attributes: &str) -> Result<Vec<Resource>, Failure> {
        let first = self.walk(place, filter, attributes).await;
        match first {
            Err(f) if f.kind == Kind::Contradiction || f.code.as_deref() == Some("expiredCursor") => {
                self.walk(place, filter, attributes).await
            }
            other => other,
        }
    }

    async fn walk(&self, place: &str, filter: Option<&str>, attributes: &str) -> Result<Vec<Resource>, Failure> {
        let what = format!("list the {} of {}", place.to_lowercase(), self.name());
        let (mut all, mut ids, mut said) = (Vec::new(), BTreeSet::new(), None);
        let (mut start, mut cursor) = (1_usize, String::new());
        for _ in 0..MOST {
            let mut ask = path![place];
            if let Some(filter) = filter {
                ask = ask.query("filter", filter);
            }
            ask = match self.paging {
                Paging::Index => ask.query("startIndex", start),
                Paging::Cursor => ask.query("cursor", &cursor),
            };
            ask = ask.query("count", self.page_size);
            if !attributes.is_empty() {
                ask = ask.query("attributes", attributes);
            }
            let answer = self.http.get(self.ask(ask, &what)).await?;
            let Part { items, total, next } = wire::list(&answer, &what)?;
            if let (Some(before), Some(now)) = (said, total)
                && before != now
            {
                return Err(torn(&what, &format!("first says {before} in all, then {now}")));
            }
            said = said.or(total);
            let (came, ended) = (items.len(), items.is_empty());
            for item in items {
                let id = item.id().unwrap_or_default().to_owned();
                if !ids.insert(id.clone()) {
                    return Err(torn(&what, &format!("shows {id} twice")));
                }
                all.push(item);
            }
            start += came;
            let over = match (self.paging, next) {
                (Paging::Cursor, Some(next)) if next == cursor => {
                    return Err(torn(&what, "gives the same cursor again"));
                }
                (Paging::Cursor, Some(next)) => {
                    cursor = next;
                    false
                }
                (Paging::Cursor, None) => true,
                // fewer than asked for is no end: servers cap their pages
                (Paging::Index, _) => ended || said.is_some_and(|n| start > n),
            };
            if over {
                return match said {
                    Some(n) if n != all.len() => Err(torn(&what, &format!("says {n} in all, and gave {}", all.len()))),
                    Some(_) | None => Ok(all),
                };
            }
        }
        Err(torn(&what, "never comes to an end"))
    }
}

pub fn accept(ask: Ask, content: ContentType) -> Ask {
    match content {
        ContentType::Scim => ask.header("accept", "application/scim+json, application/json"),
        ContentType::Json => ask,
    }
}

pub fn attribute(key: Key) -> &'static str {
    match key {
        Key::UserName => "userName",
        Key::ExternalId => "externalId",
        Key::Emails => "emails.value",
    }
}

/// A user name and an address compare without case, an external id with.
pub fn is(r: &Resource, key: Key, value: &str) -> bool {
    let same = |t: &str| t.to_lowercase() == value.to_lowercase();
    match key {
        Key::UserName => r.text("userName").is_some_and(same),
        Key::ExternalId => r.text("externalId") == Some(value),
        Key::Emails => r.emails().any(same),
    }
}

/// Several accounts answer to one person.
pub fn which(failure: Failure, system: &str) -> Failure {
    failure.hint(format!("say which one is theirs: jml link LOGIN {system} ACCOUNT"))
}

fn ignored(what: &str) -> Failure {
    Failure::contradiction(
        what,
        "answered with others than those that were asked for: it ignores the filter",
    )
    .hint("set filter = \"off\" in the system's section: everybody is read then, and looked through here")
}

fn unseen(what: &str) -> Failure {
    Failure::contradiction(what, "the groups don't show who is in them").hint(
        "set members_readable = \"off\" in the system's section, or groups = \"off\" where jml shall leave them alone",
    )
}

fn torn(what: &str, why: &str) -> Failure {
    Failure::contradiction(what, why).hint(
        "a list that changes while it is read is read again at the next run; if it is always so: paging and page_size in the system's section",
    )
}
