//! What a Web API call says, wherever it says it: query, form or JSON body; and what the call is called when a fault names it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::Slack;
use crate::sandbox::{twin::Call, world::World};

pub(super) struct Args(BTreeMap<String, String>);

impl Args {
    /// Methods that take no JSON ignore such a body, as Slack does: the arguments are then missing.
    pub(super) fn of(call: &Call, json: bool) -> Args {
        let mut all: BTreeMap<String, String> = call.query.iter().cloned().collect();
        let kind = call.header("content-type").unwrap_or("");
        if kind.starts_with("application/x-www-form-urlencoded") {
            all.extend(url::form_urlencoded::parse(&call.body).into_owned());
        } else if kind.starts_with("application/json")
            && json
            && let Some(Value::Object(body)) = call.json()
        {
            all.extend(body.into_iter().map(|(k, v)| (k, plain(&v))));
        }
        Args(all)
    }
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "True" | "1")
    }
    pub(super) fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }
    /// Ids in one argument: a comma list, or a JSON list as text.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        let text = self.get(name);
        if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
            return list;
        }
        text.split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The page that `cursor` and `limit` name, over ids in their order, and the cursor after it ("" at the end).
    pub(super) fn page<'a>(
        &self,
        of: &str,
        ids: &'a [String],
        default: usize,
    ) -> Result<(&'a [String], String), &'static str> {
        let limit = match self.get("limit").parse::<usize>() {
            Ok(0) | Err(_) => default,
            Ok(n) => n.min(1000),
        };
        let from = match self.get("cursor") {
            "" => 0,
            cursor => {
                let text = STANDARD.decode(cursor).ok().and_then(|b| String::from_utf8(b).ok());
                let id = text
                    .as_deref()
                    .and_then(|t| t.strip_prefix(of))
                    .and_then(|t| t.strip_prefix(':'));
                let id = id.ok_or("invalid_cursor")?;
                ids.partition_point(|x| x.as_str() < id)
            }
        };
        let to = (from + limit).min(ids.len());
        let next = ids
            .get(to)
            .map(|id| STANDARD.encode(format!("{of}:{id}")))
            .unwrap_or_default();
        Ok((&ids[from..to], next))
    }
}

fn plain(v: &Value) -> String {
    match v {
        Value::String(s) => s.clone(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The name by which faults hit a call; the verb first, then the channel as people write it (`#sre`).
pub(super) fn operation(world: &World, call: &Call) -> Option<String> {
    let slack = world.slack.as_ref()?;
    let name = |verb: &str, slack: &Slack, id: &str| {
        slack
            .channels
            .get(id)
            .map_or_else(|| verb.to_owned(), |c| format!("{verb}:#{}", c.name))
    };
    match call.parts()[..] {
        ["api", method] => {
            let args = Args::of(call, true);
            let channel = args.get("channel");
            Some(match method {
                "conversations.invite" => name("join-channel", slack, channel),
                "conversations.kick" => name("leave-channel", slack, channel),
                "conversations.members" => name("list-members", slack, channel),
                "conversations.open" => "open-conversation".into(),
                "chat.postMessage" => "send-message".into(),
                "admin.users.session.reset" | "admin.users.session.resetBulk" | "admin.users.session.invalidate" => {
                    "clear-sessions".into()
                }
                "admin.users.deactivate" => "deactivate".into(),
                "admin.users.remove" => "leave-team".into(),
                "users.lookupByEmail" => "find-account".into(),
                "users.info" => "read-account".into(),
                "users.list" | "admin.users.list" => "list-accounts".into(),
                "conversations.list" | "users.conversations" => "list-channels".into(),
                "admin.users.session.list" => "list-sessions".into(),
                "auth.test" => "read-tenant".into(),
                _ => return None,
            })
        }
        ["scim", _, "Users"] if call.method == "GET" => Some("list-accounts".into()),
        ["scim", _, "Users", _] => Some(match call.method.as_str() {
            "GET" => "read-account".into(),
            "DELETE" => "deactivate".into(),
            "PATCH" | "PUT" => match super::scim::wanted(&call.json()?) {
                Some(true) => "activate".into(),
                _ => "deactivate".into(),
            },
            _ => return None,
        }),
        _ => None,
    }
}
