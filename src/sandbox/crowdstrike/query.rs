//! The GraphQL endpoint: `entities`, `timeline` and the watch list, with the filters that people are found by.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{CrowdStrike, Entity, NAME, NO_POINTS, entities, error};
use crate::sandbox::{
    graphql::{self, Field},
    twin::{Call, Reply},
    world::World,
};

/// Names of the schema's part that is answered here.
const KNOWN: &[&str] = &[
    "pageInfo",
    "hasNextPage",
    "endCursor",
    "nodes",
    "entityId",
    "type",
    "primaryDisplayName",
    "secondaryDisplayName",
    "archived",
    "riskScore",
    "riskScoreSeverity",
    "watched",
    "riskFactors",
    "severity",
    "score",
    "accounts",
    "dataSource",
    "enabled",
    "domain",
    "samAccountName",
    "upn",
    "objectSid",
    "mostRecentActivity",
    "lockoutTime",
    "expirationTime",
    "creationTime",
    "description",
    "dataSourceParticipantIdentifier",
    "dataSourceLoginIdentifier",
    "emailAddresses",
    "inactive",
    "stale",
    "shared",
    "learned",
    "eventId",
    "eventType",
    "eventLabel",
    "eventSeverity",
    "timestamp",
    "startTime",
    "endTime",
    "authenticationType",
    "ipAddress",
    "hostName",
    "endpointDisplayName",
    "targetServiceDisplayName",
    "geoLocation",
    "country",
    "countryCode",
    "city",
    "protocolType",
    "updatedEntities",
    "failures",
    "entityIds",
    "errorDetails",
    "message",
    "department",
    "title",
    "hasADDomainAdminRole",
    "earliestSeenTraffic",
    "markTime",
];
const LARGEST: u64 = 1000;

pub(super) fn answer(falcon: &mut CrowdStrike, world: &World, call: &Call) -> Reply {
    if falcon.tokens.bearer(call).is_none() {
        return error(401, "access denied, invalid bearer token", "crowdstrike-api-gateway");
    }
    let body = call.json().unwrap_or_default();
    let Some(text) = body["query"].as_str() else {
        return error(400, "a query is wanted", "crowdstrike-api-gateway");
    };
    let tired = world.manners.get(NAME).is_some_and(|m| m.contains(NO_POINTS));
    let answered = match tired {
        true => Err("not enough points left for this query".to_owned()),
        false => run(falcon, world, text, &body["variables"]),
    };
    let left = if tired { 0 } else { 499_998 };
    let mut out = json!({"extensions": {"runTime": 21, "remainingPoints": left, "reset": 9995, "consumedPoints": 2}});
    match answered {
        Ok(data) => out["data"] = data,
        Err(message) => out["errors"] = json!([{"message": message, "locations": [], "path": []}]),
    }
    Reply::json(200, &out)
}

fn run(falcon: &mut CrowdStrike, world: &World, text: &str, variables: &Value) -> Result<Value, String> {
    let document = graphql::parse(text, variables)?;
    let mut out = Map::new();
    for field in &document.fields {
        let whole = match (document.mutation, field.name.as_str()) {
            (false, "entities") => people(falcon, world, &field.arguments)?,
            (false, "timeline") => timeline(falcon, world, &field.arguments)?,
            (false, "domains") => json!(["ACME.EXAMPLE"]),
            (true, "addEntitiesToWatchList") => watch(falcon, world, field, true)?,
            (true, "removeEntitiesFromWatchList") => watch(falcon, world, field, false)?,
            (_, other) => return Err(format!("Cannot query field \"{other}\".")),
        };
        graphql::check(&field.selection, KNOWN)?;
        out.insert(field.key().to_owned(), graphql::project(&field.selection, &whole)?);
    }
    Ok(out.into())
}

/// `first` is required; what lies after the cursor, so many of it.
fn page(arguments: &Map<String, Value>, all: Vec<(String, Value)>) -> Result<Value, String> {
    let first = arguments
        .get("first")
        .or_else(|| arguments.get("last"))
        .and_then(Value::as_u64);
    let first = first
        .filter(|n| (1..=LARGEST).contains(n))
        .ok_or("One of first and last is required, at most 1000.")?;
    let after = arguments.get("after").and_then(Value::as_str);
    let from = match after {
        None => 0,
        Some(cursor) => {
            let id = STANDARD.decode(cursor).ok().and_then(|b| String::from_utf8(b).ok());
            let id = id.ok_or("Invalid cursor.")?;
            all.iter().position(|(i, _)| *i == id).map_or(all.len(), |i| i + 1)
        }
    };
    let to = all.len().min(from + usize::try_from(first).unwrap_or(usize::MAX));
    let cursor = to
        .checked_sub(1)
        .filter(|_| to > from)
        .and_then(|i| all.get(i))
        .map(|(id, _)| STANDARD.encode(id));
    let more = to < all.len();
    let nodes: Vec<Value> = all.into_iter().skip(from).take(to - from).map(|(_, v)| v).collect();
    Ok(
        json!({"__typename": "Connection", "pageInfo": {"__typename": "PageInfo", "hasNextPage": more, "endCursor": cursor}, "nodes": nodes}),
    )
}

fn people(falcon: &CrowdStrike, world: &World, arguments: &Map<String, Value>) -> Result<Value, String> {
    let mut filter = arguments.clone();
    for own in ["first", "last", "after", "before", "sortKey", "sortOrder"] {
        filter.remove(own);
    }
    let mut found = Vec::new();
    for e in falcon.entities.values() {
        if fits(e, &filter)? {
            found.push((e.id.clone(), entities::entity(e, world)));
        }
    }
    page(arguments, found)
}

/// All that is said must fit; of `any` one.
fn fits(e: &Entity, filter: &Map<String, Value>) -> Result<bool, String> {
    let has = |list: &Value, text: &str| match list {
        Value::Array(all) => all
            .iter()
            .any(|v| v.as_str().is_some_and(|s| s.eq_ignore_ascii_case(text))),
        one => one.as_str().is_some_and(|s| s.eq_ignore_ascii_case(text)),
    };
    let each = |list: &Value| -> Result<Vec<bool>, String> {
        let all = list.as_array().into_iter().flatten().filter_map(Value::as_object);
        all.map(|f| fits(e, f)).collect()
    };
    for (key, value) in filter {
        let fit = match key.as_str() {
            "types" | "type" => has(value, "USER"),
            "any" => each(value)?.contains(&true),
            "all" => !each(value)?.contains(&false),
            "not" => !fits(e, value.as_object().ok_or("An object is wanted.")?)?,
            "emailAddresses" => e.email && has(value, &e.login),
            "samAccountNames" => !e.cloud && has(value, &entities::sam(&e.login)),
            "secondaryDisplayNames" => !e.cloud && has(value, &format!("ACME.EXAMPLE\\{}", entities::sam(&e.login))),
            "primaryDisplayNames" => has(value, &entities::sam(&e.login)),
            "entityIds" | "ids" | "id" => has(value, &e.id),
            "watched" => value.as_bool() == Some(e.watched),
            "archived" => value.as_bool() == Some(false),
            "domains" => !e.cloud && has(value, "ACME.EXAMPLE"),
            "accountQuery" => account(e, value.as_object().ok_or("An object is wanted.")?)?,
            other => {
                return Err(format!(
                    "Field \"{other}\" is not defined by type \"EntityQueryInput\"."
                ));
            }
        };
        if !fit {
            return Ok(false);
        }
    }
    Ok(true)
}

fn account(e: &Entity, filter: &Map<String, Value>) -> Result<bool, String> {
    let sso = e.cloud || e.email;
    for (key, value) in filter {
        let all: Vec<&str> = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let fit = match key.as_str() {
            "dataSources" => (sso && all.contains(&"OKTA")) || (!e.cloud && all.contains(&"ACTIVE_DIRECTORY")),
            "dataSourceParticipantIdentifiers" => sso && all.contains(&e.okta.as_str()),
            "dataSourceLoginIdentifiers" => sso && all.contains(&e.login.as_str()),
            "samAccountNames" => !e.cloud && all.contains(&entities::sam(&e.login).as_str()),
            other => {
                return Err(format!(
                    "Field \"{other}\" is not defined by type \"EntityAccountQuery\"."
                ));
            }
        };
        if !fit {
            return Ok(false);
        }
    }
    Ok(true)
}

fn timeline(falcon: &CrowdStrike, world: &World, arguments: &Map<String, Value>) -> Result<Value, String> {
    let whose = arguments.get("sourceEntityQuery").and_then(Value::as_object);
    let types: Option<Vec<&str>> = arguments
        .get("types")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).collect());
    let instant = |name: &str| -> Result<Option<DateTime<Utc>>, String> {
        let text = arguments.get(name).and_then(Value::as_str);
        text.map(|t| t.parse().map_err(|_| format!("{name}: a time is wanted.")))
            .transpose()
    };
    let (from, to) = (instant("startTime")?, instant("endTime")?);
    let mut found = Vec::new();
    for (id, event) in &falcon.events {
        let theirs = match (whose, falcon.entities.get(&event.entity)) {
            (Some(filter), Some(e)) => fits(e, filter)?,
            (None, _) => true,
            (Some(_), None) => false,
        };
        let kind = types.as_ref().is_none_or(|t| t.contains(&event.kind.as_str()));
        let when = from.is_none_or(|f| event.at >= f) && to.is_none_or(|t| event.at < t) && event.at <= world.now;
        if theirs && kind && when {
            found.push((event.at, id.clone(), entities::event(id, event)));
        }
    }
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    if arguments.get("sortOrder").and_then(Value::as_str) == Some("DESCENDING") {
        found.reverse();
    }
    page(arguments, found.into_iter().map(|(_, id, v)| (id, v)).collect())
}

/// Whoever fits the question: without an id that would be everybody.
fn watch(falcon: &mut CrowdStrike, world: &World, field: &Field, watched: bool) -> Result<Value, String> {
    let filter = field
        .arguments
        .get("input")
        .and_then(|i| i["entityQuery"].as_object())
        .ok_or("entityQuery is required.")?;
    let mut ids = Vec::new();
    for e in falcon.entities.values() {
        if fits(e, filter)? {
            ids.push(e.id.clone());
        }
    }
    for id in &ids {
        if let Some(e) = falcon.entities.get_mut(id) {
            e.watched = watched;
        }
        falcon.changed.insert(id.clone());
    }
    let updated: Vec<Value> = ids
        .iter()
        .filter_map(|id| falcon.entities.get(id))
        .map(|e| entities::entity(e, world))
        .collect();
    Ok(json!({"__typename": "BulkEntityActionResult", "updatedEntities": updated, "failures": []}))
}
