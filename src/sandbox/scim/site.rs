//! One request at one server: what it may say, and what it changes.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    ERROR, Resource, Scim,
    schema::{self, Kind},
    scim_json,
    write::{self, Refused, invalid},
};
use crate::sandbox::twin::{Call, Reply};

/// One request at one server.
pub(super) struct Site<'a> {
    pub scim: &'a Scim,
    pub told: Option<&'a BTreeSet<String>>,
    pub call: &'a Call,
    pub base: String,
}

/// What a request changes.
pub(super) enum Change {
    Put(Kind, String, Resource),
    Gone(Kind, String),
}

impl Site<'_> {
    pub(super) fn is(&self, manner: &str) -> bool {
        self.scim.bugs.contains(manner) || self.told.is_some_and(|t| t.contains(manner))
    }

    pub(super) fn ok(&self, status: u16, body: &Value) -> Reply {
        scim_json(status, body)
    }

    pub(super) fn refuse(&self, Refused(status, kind, detail): Refused) -> Reply {
        let mut body = json!({"schemas": [ERROR], "status": status.to_string(), "detail": detail});
        if let Some(kind) = kind {
            body["scimType"] = kind.into();
        }
        let reply = self.ok(status, &body);
        match status {
            401 => reply.with("www-authenticate", "Bearer realm=\"SCIM\""),
            _ => reply,
        }
    }

    pub(super) fn location(&self, kind: Kind, id: &str) -> String {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        format!("{}/{}/{id}", self.base, kind.place())
    }

    pub(super) fn shown(&self, kind: Kind, r: &Resource) -> Value {
        let mut out = Map::new();
        out.insert("schemas".into(), schema::used(kind, &r.attributes).into());
        out.extend(r.attributes.clone());
        if self.is("aws") && kind == Kind::Group {
            out.insert("members".into(), json!([]));
        }
        if let Some(active) = out
            .get("active")
            .and_then(Value::as_bool)
            .filter(|_| self.is("string-active"))
        {
            out.insert("active".into(), if active { "True" } else { "False" }.into());
        }
        let stamp = |t: DateTime<Utc>| t.to_rfc3339_opts(SecondsFormat::Millis, true);
        let meta = json!({"resourceType": kind.name(), "created": stamp(r.created), "lastModified": stamp(r.modified),
            "location": self.location(kind, r.text("id")), "version": r.etag()});
        out.insert("meta".into(), meta);
        self.chosen(out).into()
    }

    pub(super) fn one(&self, status: u16, kind: Kind, r: &Resource) -> Reply {
        self.ok(status, &self.shown(kind, r))
            .with("etag", r.etag())
            .with("location", self.location(kind, r.text("id")))
    }

    pub(super) fn discovery(&self, rest: &[&str]) -> Option<Reply> {
        let pick = |all: Vec<Value>, id: &str| match all.into_iter().find(|x| x["id"] == id) {
            Some(x) => self.ok(200, &x),
            None => self.refuse(Refused(404, None, format!("'{id}' not found"))),
        };
        Some(match rest {
            ["ServiceProviderConfig" | "ServiceProviderConfigs"] => {
                let says = schema::Says {
                    patch: !self.puts_only(),
                    filter: !self.is("no-filter"),
                    most: self.most(),
                    cursor: self.is("cursor") || self.is("aws"),
                    index: !self.is("aws"),
                };
                self.ok(200, &schema::config(&self.base, &says))
            }
            ["Schemas"] => self.few(&schema::schemas(&self.base)),
            ["Schemas", id] => pick(schema::schemas(&self.base), id),
            ["ResourceTypes"] => self.few(&schema::types(&self.base)),
            ["ResourceTypes", id] => pick(schema::types(&self.base), id),
            _ => return None,
        })
    }

    pub(super) fn puts_only(&self) -> bool {
        self.is("put-only") || self.is("no-patch")
    }

    pub(super) fn body(&self) -> Result<Value, Refused> {
        self.call
            .json()
            .ok_or_else(|| invalid("invalidSyntax", "the body is no JSON"))
    }

    pub(super) fn there(&self, kind: Kind, id: &str) -> Result<&Resource, Refused> {
        let found = self.scim.resources(kind).get(id);
        found
            .filter(|r| !(self.is("gone-after-inactive") && r.inactive()))
            .ok_or_else(|| Refused(404, None, format!("{} '{id}' not found", kind.name())))
    }

    /// The one that is meant, in the version that is meant.
    pub(super) fn meant(&self, kind: Kind, id: &str) -> Result<&Resource, Refused> {
        let there = self.there(kind, id)?;
        match self.call.header("if-match") {
            Some(tag) if tag != "*" && !tag.split(',').any(|t| t.trim() == there.etag()) => Err(Refused(
                412,
                None,
                "Failed to update. Resource has changed on the server".into(),
            )),
            _ => Ok(there),
        }
    }

    pub(super) fn answer(&self, rest: &[&str]) -> Result<(Reply, Vec<Change>), Refused> {
        let (kind, id) = match rest {
            [place] => (Kind::of(place), None),
            [place, id] if *id != ".search" => (Kind::of(place), Some(*id)),
            _ => (None, None),
        };
        let unknown = || match rest.last() {
            Some(&(".search" | "Bulk" | "Me")) => Refused(501, None, "the server has no way to do that".into()),
            _ => Refused(404, None, "no such place".into()),
        };
        let kind = kind.ok_or_else(unknown)?;
        let write = ["PUT", "PATCH", "DELETE"].contains(&self.call.method.as_str());
        if write && self.is("lost-204") && id.is_some() {
            return Ok((Reply::empty(204), Vec::new()));
        }
        match (self.call.method.as_str(), id) {
            ("GET", None) => Ok((self.list(kind)?, Vec::new())),
            ("POST", None) => self.create(kind),
            ("GET", Some(id)) => Ok((self.one(200, kind, self.there(kind, id)?), Vec::new())),
            ("PUT", Some(id)) => {
                let there = self.meant(kind, id)?;
                let new = write::whole(kind, &self.body()?)?;
                write::complete(kind, &new)?;
                self.changed(kind, there, new, true)
            }
            ("PATCH", Some(_)) if self.puts_only() => Err(Refused(501, None, "PATCH is not supported".into())),
            ("PATCH", Some(id)) => {
                let there = self.meant(kind, id)?;
                let body = self.body()?;
                let mut new = write::patched(kind, &there.attributes, &body)?;
                let path = |o: &Value| o["path"].as_str().is_some_and(|p| p.starts_with("members["));
                let removes = body["Operations"].as_array().into_iter().flatten().any(path);
                if removes && self.is("remove-clears-members") {
                    new.remove("members");
                }
                self.changed(kind, there, new, false)
            }
            ("DELETE", Some(id)) => {
                let id = self.meant(kind, id)?.text("id").to_owned();
                Ok((Reply::empty(204), self.gone(kind, &id)))
            }
            _ => Err(unknown()),
        }
    }

    pub(super) fn create(&self, kind: Kind) -> Result<(Reply, Vec<Change>), Refused> {
        let mut new = write::whole(kind, &self.body()?)?;
        write::complete(kind, &new)?;
        let id = self.scim.fresh(kind);
        self.free(kind, &new, &id)?;
        if kind == Kind::User {
            new.entry("active").or_insert(true.into());
        }
        let mut scim = Scim {
            next: self.scim.next,
            text_active: self.scim.text_active,
            ..Scim::default()
        };
        scim.add(kind, &id, new, self.call.now);
        let made = scim.resources(kind)[&id].clone();
        Ok((self.one(201, kind, &made), vec![Change::Put(kind, id, made)]))
    }

    pub(super) fn free(&self, kind: Kind, new: &Map<String, Value>, id: &str) -> Result<(), Refused> {
        let name = new.get("userName").and_then(Value::as_str).unwrap_or_default();
        if kind == Kind::User && self.scim.taken(name, id) {
            let detail = "One or more of the attribute values are already in use or are reserved";
            return Err(Refused(409, Some("uniqueness"), detail.into()));
        }
        Ok(())
    }

    pub(super) fn changed(
        &self,
        kind: Kind,
        there: &Resource,
        mut new: Map<String, Value>,
        whole: bool,
    ) -> Result<(Reply, Vec<Change>), Refused> {
        let id = there.text("id").to_owned();
        self.free(kind, &new, &id)?;
        new.insert("id".into(), id.clone().into());
        self.scim.worded(&mut new);
        let mut after = there.clone();
        if after.attributes != new {
            after.attributes = new;
            after.version += 1;
            after.modified = self.call.now;
        }
        let reply = if whole {
            self.one(200, kind, &after)
        } else {
            Reply::empty(204)
                .with("etag", after.etag())
                .with("location", self.location(kind, &id))
        };
        let changes = if self.is("pagerduty") && after.inactive() {
            self.gone(kind, &id)
        } else {
            vec![Change::Put(kind, id, after)]
        };
        Ok((reply, changes))
    }

    /// Whoever is gone is in no group.
    pub(super) fn gone(&self, kind: Kind, id: &str) -> Vec<Change> {
        let mut changes = vec![Change::Gone(kind, id.to_owned())];
        for (group, r) in self.scim.groups.iter().filter(|(_, r)| r.member(id)) {
            let mut r = r.clone();
            if let Some(list) = r.attributes.get_mut("members").and_then(Value::as_array_mut) {
                list.retain(|m| m["value"] != id);
            }
            r.version += 1;
            changes.push(Change::Put(Kind::Group, group.clone(), r));
        }
        changes
    }
}
