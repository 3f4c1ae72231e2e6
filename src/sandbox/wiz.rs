//! The twin of Wiz: OAuth with an audience, and one GraphQL endpoint over cloud identities and issues.
//!
//! Written from Wiz's own open client and second-hand ones; what no public client shows isn't here. A search finds any text that holds the
//! word, namesakes too, as there.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    graphql, merge, quiet,
    shape::Shape,
    tokens::{self, Tokens},
    twin::{Call, Reply, Twin, blank},
    world::World,
};

const NAME: &str = "wiz";
/// A way of its own to refuse with HTTP 200: the manner, Wiz's code, its sentence.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("schema", "BAD_USER_INPUT", "Cannot query field on type Query"),
    ("unauthenticated", "UNAUTHENTICATED", "invalid token"),
    (
        "unauthorized",
        "UNAUTHORIZED",
        "access denied, at least one of the following is required: read:issues",
    ),
    ("forbidden-ip", "FORBIDDEN_IP", "your IP address is not allowed"),
    ("rate-limit", "RATE_LIMIT_EXCEEDED", "rate limit exceeded"),
    ("internal", "INTERNAL", "internal error"),
];

pub const TWIN: Twin = Twin {
    name: NAME,
    manners: &[
        "schema",
        "unauthenticated",
        "unauthorized",
        "forbidden-ip",
        "rate-limit",
        "internal",
    ],
    answer,
    load,
    state: |w| {
        w.wiz
            .as_ref()
            .map_or(Value::Null, |z| json!({"identities": z.identities, "issues": z.issues}))
    },
    entry: |w, list, id| {
        let z = w.wiz.as_ref()?;
        match list {
            "identities" => z.identities.get(id).map(|x| json!(x)),
            "issues" => z.issues.get(id).map(|x| json!(x)),
            _ => None,
        }
    },
    restore: |w, list, id, entry| {
        let z = w.wiz.as_mut().ok_or("wiz: not in this world")?;
        match list {
            "identities" => merge::restore(&mut z.identities, id, entry),
            "issues" => merge::restore(&mut z.issues, id, entry),
            _ => Err(format!("wiz: no list {list}")),
        }
    },
    patch,
    endpoints: |w, _| json!({"client_id": tokens::client_id(NAME, "all"), "client_secret": w.secret("wiz.all")}),
    operation: |_, call| (call.method == "POST" && call.path == "/graphql").then(|| "find-account".into()),
    asks: |method, path, _| method == "POST" && ["/oauth/token", "/graphql"].contains(&path),
    here: |w| w.wiz.is_some(),
    given: Some(&Shape::Table(&[])),
    secret: |_, random| random.chars().take(64).collect(),
    record: |w, right| {
        let secret = w.secret(&format!("{NAME}.{right}"))?;
        (right == "read")
            .then(|| json!({"client_id": tokens::client_id(NAME, right), "client_secret": secret}).to_string())
    },
    section: |_| json!({ "write": null }),
    refusal: |_, status| refusal(status),
    ..blank(NAME)
};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub id: String,
    pub email: String,
    pub provider: String,
    #[serde(default)]
    pub admin: bool,
    #[serde(default)]
    pub deleted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    pub id: String,
    /// Whose it is.
    pub identity: String,
    pub severity: String,
    pub rule: String,
    #[serde(default = "open")]
    pub status: String,
}

fn open() -> String {
    "OPEN".into()
}

#[derive(Default)]
pub struct Wiz {
    pub identities: BTreeMap<String, Identity>,
    pub issues: BTreeMap<String, Issue>,
    tokens: Tokens,
}

/// A world says nothing of it; the firm says whose identities it knows.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    admins: Vec<String>,
    issues: Vec<String>,
}

fn load(world: &mut World, given: &Value) -> Result<(), String> {
    world.wiz = None;
    if given.is_null() {
        return Ok(());
    }
    let mut given: Given = serde_json::from_value(given.clone()).map_err(|e| e.to_string())?;
    if given.admins.is_empty() && given.issues.is_empty() {
        (given.admins, given.issues) = (vec![quiet::login(2)], vec![quiet::login(3)]);
    }
    let mut wiz = Wiz::default();
    let mut add = |email: &str, provider: &str, admin: bool| {
        let id = format!("{provider}-{}", tokens::client_id(NAME, email));
        let one = Identity {
            id: id.clone(),
            email: email.into(),
            provider: provider.into(),
            admin,
            deleted: false,
        };
        wiz.identities.insert(id.clone(), one);
        id
    };
    let mut with_issue = Vec::new();
    for login in &given.admins {
        add(login, "AWS", true);
        // A namesake whom a search brings along.
        add(&login.replacen('@', "2@", 1), "AWS", true);
    }
    for login in &given.issues {
        with_issue.push(add(login, "Azure", false));
    }
    for (n, identity) in with_issue.into_iter().enumerate() {
        let issue = Issue {
            id: format!("5b0f6f1e-7a11-4c5e-9a6f-{n:012}"),
            identity,
            severity: "HIGH".into(),
            rule: "Inactive user with high privileges".into(),
            status: open(),
        };
        wiz.issues.insert(issue.id.clone(), issue);
    }
    world.wiz = Some(wiz);
    Ok(())
}

fn patch(world: &mut World, patch: &Value) -> Result<(), String> {
    let z = world.wiz.as_mut().ok_or("wiz: not in this world")?;
    let mut changed = Vec::new();
    for (key, part) in patch.as_object().ok_or("wiz: an object is wanted")? {
        let made = |id: &str| json!({"id": id});
        let (list, ids) = match key.as_str() {
            "identities" => ("identities", merge::entries(&mut z.identities, part, made)?),
            "issues" => ("issues", merge::entries(&mut z.issues, part, made)?),
            _ => return Err(format!("wiz: unknown key {key}")),
        };
        changed.extend(ids.into_iter().map(|id| (list, id)));
    }
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    Ok(())
}

/// A refusal in Wiz's own form, for faults by name.
fn refusal(status: u16) -> Reply {
    match status {
        401 | 403 => Reply::json(
            status,
            &json!({"error": "access_denied", "error_description": "Unauthorized"}),
        ),
        429 => Reply::json(
            429,
            &json!({"error": "rate_limited", "error_description": "Too Many Requests"}),
        )
        .with("retry-after", "2"),
        _ => Reply::json(status, &json!({"error": "error", "error_description": "sandbox fault"})),
    }
}

fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut wiz) = world.wiz.take() else {
        return Reply::empty(501);
    };
    let reply = match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/oauth/token") => token(&mut wiz, world, call),
        ("POST", "/graphql") => query(&wiz, world, call),
        _ => Reply::empty(501),
    };
    world.wiz = Some(wiz);
    reply
}

fn token(wiz: &mut Wiz, world: &World, call: &Call) -> Reply {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(&call.body).into_owned().collect();
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    let refuse = |why: &str| Reply::json(401, &json!({"error": "access_denied", "error_description": why}));
    if get("grant_type") != "client_credentials" {
        return refuse("unsupported grant type");
    }
    if get("audience") != "wiz-api" {
        return refuse("Service not enabled within domain");
    }
    let Some(credential) = tokens::known(world, NAME, get("client_id"), get("client_secret")) else {
        return refuse("Unauthorized");
    };
    let secret = world.secret(&credential).unwrap_or_default().to_owned();
    let token = wiz
        .tokens
        .mint(&credential, &secret, call.now, Duration::seconds(86_400));
    Reply::json(
        200,
        &json!({"access_token": token, "expires_in": 86_400, "token_type": "Bearer"}),
    )
}

fn refused(code: &str, message: &str) -> Reply {
    Reply::json(
        200,
        &json!({"errors": [{"message": message, "extensions": {"code": code}}], "data": null}),
    )
}

fn query(wiz: &Wiz, world: &World, call: &Call) -> Reply {
    if wiz.tokens.bearer(call).is_none() {
        return Reply::json(
            401,
            &json!({"error": "invalid_token", "error_description": "The token is invalid"}),
        );
    }
    let on = world.manners.get(NAME);
    if let Some((_, code, message)) = REFUSALS.iter().find(|(m, ..)| on.is_some_and(|on| on.contains(*m))) {
        return refused(code, message);
    }
    let body = call.json().unwrap_or_default();
    match run(wiz, body["query"].as_str().unwrap_or_default(), &body["variables"]) {
        Ok(data) => Reply::json(200, &json!({ "data": data })),
        Err(message) => refused("BAD_USER_INPUT", &message),
    }
}

fn run(wiz: &Wiz, text: &str, variables: &Value) -> Result<Value, String> {
    let document = graphql::parse(text, variables)?;
    let mut out = Map::new();
    for field in &document.fields {
        let filter = field.arguments.get("filterBy").cloned().unwrap_or_default();
        let found = match (document.mutation, field.name.as_str()) {
            (false, "cloudResourcesV2") => identities(wiz, &filter),
            (false, "issuesV2") => issues(wiz, &filter),
            (false, "graphSearch") => graph(wiz, field.arguments.get("query").unwrap_or(&Value::Null)),
            (_, other) => return Err(format!("Cannot query field \"{other}\" on type \"Query\".")),
        };
        let whole = page(&field.arguments, found);
        out.insert(field.key().to_owned(), graphql::project(&field.selection, &whole)?);
    }
    Ok(out.into())
}

/// The cursor is how many lie before it.
fn page(arguments: &Map<String, Value>, all: Vec<Value>) -> Value {
    let first = arguments
        .get("first")
        .and_then(Value::as_u64)
        .unwrap_or(50)
        .clamp(1, 500) as usize;
    let after = arguments.get("after").and_then(Value::as_str);
    let from = after
        .and_then(|c| c.strip_prefix("c-"))
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(0);
    let to = all.len().min(from + first);
    let nodes: Vec<&Value> = all.iter().skip(from).take(first).collect();
    json!({"__typename": "Connection", "totalCount": all.len(), "maxCountReached": false, "nodes": nodes,
        "pageInfo": {"__typename": "PageInfo", "hasNextPage": to < all.len(), "endCursor": format!("c-{to}")}})
}

fn node(i: &Identity) -> Value {
    json!({"__typename": "GraphEntity", "id": format!("node-{}", i.id), "name": i.email, "type": "USER_ACCOUNT",
        "properties": {"email": i.email, "cloudPlatform": i.provider, "enabled": true}})
}

fn identities(wiz: &Wiz, filter: &Value) -> Vec<Value> {
    let search = filter["search"].as_str().unwrap_or_default();
    // Any part of the local name: `ana` finds `ana2`.
    let part = search.split('@').next().unwrap_or_default().to_lowercase();
    let fits = |i: &&Identity| i.email.to_lowercase().contains(&part);
    let shown = |i: &Identity| {
        let native = if i.provider == "AWS" { "iam#user" } else { "aad#user" };
        let own = wiz.issues.values().filter(|x| x.identity == i.id).count();
        json!({"__typename": "CloudResource", "id": i.id, "name": i.email, "type": "USER_ACCOUNT", "nativeType": native,
            "deletedAt": i.deleted.then_some("2026-01-01T00:00:00Z"), "hasAdminPrivileges": i.admin, "hasHighPrivileges": i.admin,
            "hasAccessToSensitiveData": false, "graphEntity": node(i), "projects": [{"__typename": "Project", "id": "p1", "name": "Platform"}],
            "cloudAccount": {"__typename": "CloudAccount", "id": "a1", "name": "acme-prod", "cloudProvider": i.provider, "externalId": "111122223333"},
            "issueAnalytics": {"__typename": "IssueAnalytics", "issueCount": own, "criticalSeverityCount": 0, "highSeverityCount": own}})
    };
    wiz.identities.values().filter(fits).map(shown).collect()
}

fn issues(wiz: &Wiz, filter: &Value) -> Vec<Value> {
    let status = |x: &Issue| {
        filter["status"]
            .as_array()
            .is_none_or(|all| all.iter().any(|s| s == x.status.as_str()))
    };
    let of = filter.pointer("/relatedEntity/id").and_then(Value::as_str);
    let fits = |x: &&Issue| status(x) && of.is_none_or(|id| id == format!("node-{}", x.identity));
    let shown = |x: &Issue| {
        json!({"__typename": "Issue", "id": x.id, "url": format!("https://app.wiz.io/issues#~(issue~'{}", x.id), "type": "TOXIC_COMBINATION",
            "status": x.status, "severity": x.severity, "createdAt": "2026-01-20T08:00:00Z", "updatedAt": "2026-01-24T08:00:00Z", "dueAt": null,
            "sourceRule": {"__typename": "Control", "id": "wc-id-1", "name": x.rule},
            "entitySnapshot": wiz.identities.get(&x.identity).map(node)})
    };
    wiz.issues.values().filter(fits).map(shown).collect()
}

fn graph(wiz: &Wiz, query: &Value) -> Vec<Value> {
    let wanted = query.pointer("/where/email/EQUALS").and_then(Value::as_array);
    let fits = |i: &&Identity| wanted.is_none_or(|all| all.iter().any(|e| e == i.email.as_str()));
    wiz.identities
        .values()
        .filter(fits)
        .map(|i| json!({"__typename": "GraphSearchResult", "entities": [node(i)]}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::Credential;

    fn world() -> World {
        let mut w = World {
            now: "2026-07-15T05:05:00Z".parse().unwrap(),
            ..World::default()
        };
        w.credentials.push(Credential {
            system: NAME,
            name: "wiz.read".into(),
            secret: "a-secret-of-wiz".into(),
            write: false,
        });
        load(
            &mut w,
            &json!({"admins": ["ana@acme.example"], "issues": ["bo@acme.example"]}),
        )
        .unwrap();
        w
    }

    fn post(w: &mut World, path: &str, bearer: &str, body: &str) -> (u16, Value) {
        let call = Call {
            method: "POST".into(),
            path: path.into(),
            segments: Vec::new(),
            query: Vec::new(),
            headers: vec![("authorization".into(), bearer.into())],
            body: body.as_bytes().to_vec(),
            now: w.now,
            origin: String::new(),
        };
        let reply = answer(w, &call);
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    fn bearer(w: &mut World, audience: &str) -> (u16, String) {
        let id = tokens::client_id(NAME, "read");
        let form =
            format!("grant_type=client_credentials&client_id={id}&client_secret=a-secret-of-wiz&audience={audience}");
        let (status, granted) = post(w, "/oauth/token", "", &form);
        (
            status,
            format!("Bearer {}", granted["access_token"].as_str().unwrap_or_default()),
        )
    }

    #[test]
    fn a_search_brings_namesakes_and_pages_move() {
        let mut w = world();
        let (_, bearer) = bearer(&mut w, "wiz-api");
        let query = "query ($after: String) { cloudResourcesV2(first: 1, after: $after, filterBy: {search: \"ana@acme.example\"}) { pageInfo { hasNextPage endCursor } nodes { name } } }";
        let mut ask = |after: Value| {
            post(
                &mut w,
                "/graphql",
                &bearer,
                &json!({"query": query, "variables": {"after": after}}).to_string(),
            )
            .1
        };
        let first = ask(Value::Null);
        let page = &first["data"]["cloudResourcesV2"]["pageInfo"];
        assert_eq!(page["hasNextPage"], true);
        let second = ask(page["endCursor"].clone());
        assert_ne!(
            first["data"]["cloudResourcesV2"]["nodes"],
            second["data"]["cloudResourcesV2"]["nodes"]
        );
        assert_eq!(second["data"]["cloudResourcesV2"]["pageInfo"]["hasNextPage"], false);
    }

    #[test]
    fn refusals_are_200_but_for_the_token() {
        let mut w = world();
        assert_eq!(bearer(&mut w, "beyond-api").0, 401);
        let (_, bearer) = bearer(&mut w, "wiz-api");
        assert_eq!(post(&mut w, "/graphql", "Bearer no", "{}").0, 401);
        for (manner, code, _) in REFUSALS {
            w.manners.insert(NAME.into(), [(*manner).to_owned()].into());
            let (status, body) = post(&mut w, "/graphql", &bearer, "{}");
            assert_eq!(
                (status, body["errors"][0]["extensions"]["code"].as_str()),
                (200, Some(*code))
            );
        }
        let state = (TWIN.state)(&w);
        patch(&mut w, &state).unwrap();
        assert_eq!((TWIN.state)(&w), state);
        assert!(patch(&mut w, &json!({"nope": {}})).is_err());
    }
}
