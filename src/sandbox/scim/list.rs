//! Lists: filtered, cut into pages by index (RFC 7644 section 3.4.2.4) or by cursor (RFC 9865), and shown in part.

use serde_json::{Map, Value, json};

use super::{
    Resource,
    filter::{Filter, Op},
    schema::Kind,
    site::Site,
    write::{Refused, invalid},
};
use crate::sandbox::{quiet, twin::Reply};

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

impl Site<'_> {
    /// The most that one page holds.
    pub(super) fn most(&self) -> usize {
        let cap = self.scim.page_cap;
        if self.is("small-pages") {
            cap.min(7)
        } else if self.is("cursor") {
            cap.min(20)
        } else if self.is("aws") {
            cap.min(100)
        } else {
            cap
        }
    }

    pub(super) fn list(&self, kind: Kind) -> Result<Reply, Refused> {
        if self.is("html-200") {
            let page = b"<html><title>Sign in</title><body>Sign in</body></html>".to_vec();
            return Ok(Reply {
                status: 200,
                body: page,
                ..Reply::default()
            }
            .with("content-type", "text/html"));
        }
        let asked = self
            .call
            .param("filter")
            .filter(|f| !f.is_empty() && !self.is("ignore-filter"));
        let filter = asked.map(|text| self.filter(kind, text)).transpose()?;
        if self.is("snowflake") && kind == Kind::User {
            match &filter {
                None => return Ok(self.made_up()),
                Some(f) if !matches!(f.plain().as_deref(), Some([(name, Op::Eq)]) if name == "userName") => {
                    return Ok(self.page(kind, &[], 0, json!({"startIndex": 1})));
                }
                Some(_) => {}
            }
        }
        let gone = |r: &&Resource| self.is("gone-after-inactive") && r.inactive();
        let mut all: Vec<&Resource> = self.scim.resources(kind).values().filter(|r| !gone(r)).collect();
        all.sort_by_key(|r| r.order);
        all.retain(|r| filter.as_ref().is_none_or(|f| f.holds(&r.attributes)));
        if self.is("empty-without-paging")
            && self.call.param("startIndex").is_none()
            && self.call.param("count").is_none()
        {
            all.clear();
        }
        match self.call.param("cursor") {
            Some(cursor) => self.by_cursor(kind, &all, cursor, asked.unwrap_or_default()),
            None => self.by_index(kind, &all, filter.is_none()),
        }
    }

    fn filter(&self, kind: Kind, text: &str) -> Result<Filter, Refused> {
        if self.is("no-filter") {
            return Err(Refused(501, None, "Filtering is not supported".into()));
        }
        let filter = Filter::read(kind, text).map_err(|e| invalid("invalidFilter", e))?;
        let known = |(name, op): &(String, Op)| {
            *op == Op::Eq && ["userName", "externalId", "displayName", "id", "members"].contains(&name.as_str())
        };
        if self.is("aws") && !filter.plain().is_some_and(|all| all.iter().all(known)) {
            return Err(invalid(
                "invalidFilter",
                "only eq and and, of userName, externalId, displayName, id and members",
            ));
        }
        Ok(filter)
    }

    fn count(&self) -> Result<Option<usize>, Refused> {
        let Some(text) = self.call.param("count") else {
            return Ok(None);
        };
        let n: i64 = text
            .parse()
            .map_err(|_| invalid("invalidValue", "count is no number"))?;
        Ok(Some(usize::try_from(n).unwrap_or(0)))
    }

    fn by_index(&self, kind: Kind, all: &[&Resource], whole: bool) -> Result<Reply, Refused> {
        let start = match self.call.param("startIndex").filter(|_| !self.is("aws")) {
            Some(text) => text
                .parse::<i64>()
                .map_err(|_| invalid("invalidValue", "startIndex is no number"))?
                .max(1),
            None => 1,
        };
        let from = usize::try_from(start - 1).unwrap_or(usize::MAX).min(all.len());
        let wanted = self.count()?.unwrap_or(usize::MAX).min(self.most());
        let mut size = wanted;
        let (total, facts) = (all.len(), json!({ "startIndex": start }));
        if whole && kind == Kind::User {
            if !self.scim.pages.is_empty() {
                let numbers = self
                    .scim
                    .pages
                    .get(&start.to_string())
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                let some: Vec<&Resource> = numbers
                    .iter()
                    .filter_map(|n| all.get(n.checked_sub(1)?).copied())
                    .collect();
                return Ok(self.page(kind, &some, total, facts));
            }
            let mut sum = 0;
            for n in &self.scim.page_sizes {
                if (sum..sum + n).contains(&from) && wanted > 0 {
                    size = sum + n - from;
                }
                sum += n;
            }
        }
        let some = &all[from..from.saturating_add(size).min(all.len())];
        Ok(self.page(kind, some, total, facts))
    }

    /// The cursor says where it goes on, of how many a page, and of what: any other question is refused.
    fn by_cursor(&self, kind: Kind, all: &[&Resource], cursor: &str, filter: &str) -> Result<Reply, Refused> {
        if !self.is("cursor") && !self.is("aws") {
            return Err(Refused(501, None, "Pagination by cursor is not supported".into()));
        }
        let size = self.count()?.unwrap_or(self.most()).clamp(1, self.most());
        let question = format!("{}.{filter}", kind.name());
        let from = if cursor.is_empty() {
            0
        } else {
            let mut parts = cursor.splitn(3, '.');
            let mut number = || parts.next().and_then(|t| t.parse::<usize>().ok());
            let (Some(from), Some(before)) = (number(), number()) else {
                return Err(invalid("invalidCursor", "the cursor is none of ours"));
            };
            if before != size {
                return Err(invalid("invalidCount", "the count is another than before"));
            }
            if parts.next() != Some(&hex(&question)) || from > all.len() {
                return Err(invalid("invalidCursor", "the cursor is of another question"));
            }
            from
        };
        let to = (from + size).min(all.len());
        let mut facts = json!({});
        if to < all.len() {
            facts["nextCursor"] = format!("{to}.{size}.{}", hex(&question)).into();
        }
        let mut reply = self.listed(kind, &all[from..to], facts);
        if !self.is("aws") {
            reply["totalResults"] = all.len().into();
        }
        Ok(self.ok(200, &reply))
    }

    fn page(&self, kind: Kind, some: &[&Resource], total: usize, facts: Value) -> Reply {
        let mut reply = self.listed(kind, some, facts);
        reply["totalResults"] = total.into();
        self.ok(200, &reply)
    }

    fn listed(&self, kind: Kind, some: &[&Resource], facts: Value) -> Value {
        let mut reply = json!({"schemas": [LIST], "itemsPerPage": some.len()});
        for (key, value) in facts.as_object().into_iter().flatten() {
            reply[key] = value.clone();
        }
        reply["Resources"] = some.iter().map(|r| self.shown(kind, r)).collect();
        reply
    }

    /// What discovery lists: never more than a page.
    pub(super) fn few(&self, items: &[Value]) -> Reply {
        self.ok(
            200,
            &json!({"schemas": [LIST], "totalResults": items.len(), "startIndex": 1, "itemsPerPage": items.len(), "Resources": items}),
        )
    }

    fn made_up(&self) -> Reply {
        let nobody = json!({"schemas": [Kind::User.urn()], "id": "1", "externalId": "synthesis_user_external_id",
            "userName": "synthesis_user", "active": false});
        self.few(&[nobody])
    }

    /// `attributes` and `excludedAttributes`: `schemas` and `id` are always shown.
    pub(super) fn chosen(&self, mut shown: Map<String, Value>) -> Map<String, Value> {
        let names = |key: &str| -> Option<Vec<String>> {
            let text = self.call.param(key).filter(|t| !t.is_empty())?;
            Some(text.split(',').map(|n| n.trim().to_lowercase()).collect())
        };
        let means = |list: &[String], key: &str| {
            let key = key.to_lowercase();
            let below = |n: &String| n.starts_with(&format!("{key}.")) || n.starts_with(&format!("{key}:"));
            list.iter()
                .any(|n| *n == key || below(n) || n.ends_with(&format!(":user:{key}")))
        };
        let always = |key: &str| key == "schemas" || key == "id";
        if let Some(only) = names("attributes") {
            shown.retain(|key, _| always(key) || means(&only, key));
        }
        if let Some(not) = names("excludedAttributes") {
            shown.retain(|key, _| always(key) || !means(&not, key));
        }
        shown
    }
}

fn hex(text: &str) -> String {
    format!("{:016x}", text.bytes().fold(7, |h, b| quiet::mix(h ^ u64::from(b))))
}
