//! One request: who asks, may they, what is answered, and the headers that GitHub puts on everything.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Github, NAME, ORG_ID, PERSONAL, app, credentials, directory, graphql, members, not_found, refuse, teams};
use crate::sandbox::{
    merge,
    twin::{Call, Reply},
    world::World,
};

const VERSIONS: &[&str] = &["2022-11-28", "2026-03-10"];
/// Since when the organisation, its App and its teams are there.
pub(super) const SINCE: &str = "2019-04-01T09:00:00Z";
const HOUR: u32 = 15_000;

/// Who asks.
pub(super) struct Caller {
    /// Under which name the limit is counted.
    pub name: String,
    pub permissions: BTreeMap<String, String>,
    /// An owner's token: a refusal names it so.
    pub personal: bool,
}

impl Caller {
    /// `Err`: GitHub's refusal, which says what would be needed.
    pub fn needs(&self, permission: &str, word: &str) -> Result<(), Reply> {
        if app::may(&self.permissions, permission, word) {
            return Ok(());
        }
        let who = if self.personal {
            "personal access token"
        } else {
            "integration"
        };
        Err(refuse(403, &format!("Resource not accessible by {who}"))
            .with("x-accepted-github-permissions", format!("{permission}={word}")))
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Reply {
    let Some(mut g) = world.github.take() else {
        return Reply::empty(501);
    };
    let reply = whole(&mut g, world, call);
    let changed = std::mem::take(&mut g.changed);
    world.github = Some(g);
    for (list, id) in changed {
        world.touch(NAME, list, &id);
    }
    reply
}

fn whole(g: &mut Github, world: &World, call: &Call) -> Reply {
    // The App's own routes know no token.
    match call.parts()[..] {
        ["orgs", org, "installation"] if call.method == "GET" => return app::installation(g, call, org),
        ["app", "installations", id, "access_tokens"] if call.method == "POST" => return app::mint(g, call, id),
        _ => {}
    }
    let caller = match caller(g, world, call) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    if let Some(refused) = over(g, world, call) {
        return refused;
    }
    let reply = routed(g, world, &caller, call);
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&reply.body)));
    let same = call.method == "GET" && reply.status == 200 && call.header("if-none-match") == Some(tag.as_str());
    let (limit, used, reset) = spend(g, &caller.name, call, !same);
    let reply = if same { Reply::empty(304) } else { reply };
    let reply = reply
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-used", used.to_string())
        .with("x-ratelimit-reset", reset.to_string())
        .with("x-ratelimit-resource", "core")
        .with("x-github-api-version-selected", "2022-11-28")
        .with("x-github-request-id", request_id(call));
    let left = limit.saturating_sub(used).to_string();
    let reply = reply.with("x-ratelimit-remaining", left);
    if call.method == "GET" && matches!(reply.status, 200 | 304) {
        reply.with("etag", tag)
    } else {
        reply
    }
}

fn request_id(call: &Call) -> String {
    let seed = format!("{}{}{}", call.now.timestamp_micros(), call.method, call.path);
    let digest = hex::encode_upper(Sha256::digest(seed));
    format!("{}:{}:{}", &digest[..4], &digest[4..9], &digest[9..16])
}

fn caller(g: &Github, world: &World, call: &Call) -> Result<Caller, Reply> {
    if call.header("user-agent").is_none_or(str::is_empty) {
        return Err(refuse(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
        ));
    }
    let token = call.header("authorization").and_then(|h| {
        let (scheme, token) = h.split_once(' ')?;
        let known = ["bearer", "token"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
        known.then_some(token)
    });
    let token = token.unwrap_or_default();
    let minted = g.minted.get(token).filter(|m| m.until > call.now);
    let caller = match (minted, world.credential(NAME, token)) {
        (Some(m), _) => Caller {
            name: token.to_owned(),
            permissions: m.permissions.clone(),
            personal: false,
        },
        (None, Some(c)) => Caller {
            name: c.name.clone(),
            permissions: match c.name.ends_with(PERSONAL) {
                true => app::personal(),
                false => app::everything(c.write),
            },
            personal: c.name.ends_with(PERSONAL),
        },
        (None, None) => return Err(refuse(401, "Bad credentials")),
    };
    match call.header("x-github-api-version") {
        Some(v) if !VERSIONS.contains(&v) => Err(refuse(400, "X-GitHub-Api-Version is not a supported version")),
        Some(_) | None => Ok(caller),
    }
}

/// Where `serve --rate` grants so many a minute.
fn over(g: &mut Github, world: &World, call: &Call) -> Option<Reply> {
    let granted = *world.rates.get(NAME)?;
    let minute = call.now.timestamp() / 60;
    if g.minute.0 != minute {
        g.minute = (minute, 0);
    }
    g.minute.1 += 1;
    (g.minute.1 > granted).then(|| {
        refuse(403, "API rate limit exceeded for installation ID 2566401.")
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-limit", granted.to_string())
            .with("x-ratelimit-reset", ((minute + 1) * 60).to_string())
    })
}

fn spend(g: &mut Github, name: &str, call: &Call, costs: bool) -> (u32, u32, i64) {
    let hour = call.now.timestamp() / 3600;
    let spent = g.spent.entry(name.to_owned()).or_insert((hour, 0));
    if spent.0 != hour {
        *spent = (hour, 0);
    }
    spent.1 += u32::from(costs);
    (HOUR, spent.1, (hour + 1) * 3600)
}

fn routed(g: &mut Github, world: &World, caller: &Caller, call: &Call) -> Reply {
    if call.path.ends_with('/') {
        return not_found();
    }
    let body = match body(call) {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let result = match call.parts()[..] {
        ["rate_limit"] => Ok(rate_limit(g, caller, call)),
        ["graphql"] if call.method == "POST" => match caller.needs("members", "read") {
            Ok(()) => Ok(graphql::answer(g, &directory(world), &body)),
            Err(_) => Ok(forbidden()),
        },
        ["users", login] if call.method == "GET" => Ok(user(g, call, login)),
        ["user", id] if call.method == "GET" => Ok(by_id(g, call, id)),
        ["orgs", org, ref rest @ ..] if org.eq_ignore_ascii_case(&g.org) => in_org(g, world, caller, call, rest, &body),
        ["organizations", id, ref rest @ ..] if id == ORG_ID.to_string() => in_org(g, world, caller, call, rest, &body),
        ["orgs", ..] => Ok(not_found()),
        _ => Ok(Reply::empty(501)),
    };
    result.unwrap_or_else(|refused| refused)
}

fn body(call: &Call) -> Result<Value, Reply> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    match call.json() {
        Some(v) if v.is_object() => Ok(v),
        Some(_) => Err(refuse(400, "Body should be a JSON object")),
        None => Err(refuse(400, "Problems parsing JSON")),
    }
}

fn in_org(
    g: &mut Github,
    world: &World,
    caller: &Caller,
    call: &Call,
    rest: &[&str],
    body: &Value,
) -> Result<Reply, Reply> {
    match rest {
        [] if call.method == "GET" => Ok(Reply::json(200, &in_full(g, call))),
        ["teams", ..] | ["team", ..] => teams::answer(g, caller, call, rest, body),
        ["credential-authorizations", ..] | ["personal-access-tokens", ..] | ["personal-access-token-requests", ..] => {
            credentials::answer(g, caller, call, rest, body)
        }
        _ => members::answer(g, &directory(world), caller, call, rest, body),
    }
}

/// GraphQL's refusal, which is HTTP 200.
fn forbidden() -> Reply {
    let refused =
        json!({"type": "FORBIDDEN", "path": ["organization"], "message": "Resource not accessible by integration"});
    Reply::json(200, &json!({"data": {"organization": null}, "errors": [refused]}))
}

/// The organisation, in short.
pub(super) fn organisation(g: &Github, call: &Call) -> Value {
    let url = format!("{}/orgs/{}", call.origin, g.org);
    json!({"login": g.org, "id": ORG_ID, "node_id": "O_kgDOAAFfkQ", "url": url, "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events"), "hooks_url": format!("{url}/hooks"), "issues_url": format!("{url}/issues"),
        "members_url": format!("{url}/members{{/member}}"), "public_members_url": format!("{url}/public_members{{/member}}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{ORG_ID}?v=4"), "description": ""})
}

/// And as it answers for itself.
fn in_full(g: &Github, call: &Call) -> Value {
    let mut shown = organisation(g, call);
    let more = json!({"type": "Organization", "name": g.org, "html_url": format!("https://github.com/{}", g.org),
        "has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": SINCE, "updated_at": SINCE, "archived_at": null, "two_factor_requirement_enabled": true});
    merge::merge(&mut shown, &more);
    shown["archived_at"] = Value::Null;
    shown
}

/// As GitHub shows an account anywhere.
pub(super) fn account(call: &Call, id: u64, login: &str) -> Value {
    let url = format!("{}/users/{login}", call.origin);
    json!({"login": login, "id": id, "node_id": format!("U_{id}"), "url": url, "html_url": format!("https://github.com/{login}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"), "gravatar_id": "",
        "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"), "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"), "type": "User", "site_admin": false})
}

fn user(g: &Github, call: &Call, login: &str) -> Reply {
    match g.account(login) {
        Some((id, login)) => Reply::json(200, &account(call, id, login)),
        None => not_found(),
    }
}

fn by_id(g: &Github, call: &Call, id: &str) -> Reply {
    let found = id.parse::<u64>().ok().and_then(|id| Some((id, g.accounts.get(&id)?)));
    match found {
        Some((id, login)) => Reply::json(200, &account(call, id, login)),
        None => not_found(),
    }
}

fn rate_limit(g: &mut Github, caller: &Caller, call: &Call) -> Reply {
    let (limit, used, reset) = spend(g, &caller.name, call, false);
    let core = json!({"limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": reset});
    Reply::json(
        200,
        &json!({"resources": {"core": core, "graphql": core, "search": core}, "rate": core}),
    )
}

/// A list, page by page, with Link as GitHub writes it: by the organisation's number.
pub(super) fn page(call: &Call, all: &[Value]) -> Reply {
    let number = |name: &str, default: usize| call.param(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let per = number("per_page", 30).clamp(1, 100);
    let at = number("page", 1).max(1);
    let last = all.len().div_ceil(per).max(1);
    let shown: Vec<&Value> = all.iter().skip((at - 1) * per).take(per).collect();
    let reply = Reply::json(200, &json!(shown));
    if last == 1 {
        return reply;
    }
    let rest: Vec<&str> = call.path.splitn(4, '/').skip(3).collect();
    let link = |n: usize, rel: &str| {
        let mut url = format!("{}/organizations/{ORG_ID}/{}?", call.origin, rest.join("/"));
        for (k, v) in call.query.iter().filter(|(k, _)| k != "page" && k != "per_page") {
            let pair = url::form_urlencoded::Serializer::new(String::new())
                .append_pair(k, v)
                .finish();
            url += &format!("{pair}&");
        }
        format!("<{url}per_page={per}&page={n}>; rel=\"{rel}\"")
    };
    let mut links = Vec::new();
    if at > 1 {
        links.push(link(at - 1, "prev"));
    }
    if at < last {
        links.push(link(at + 1, "next"));
        links.push(link(last, "last"));
    }
    if at > 1 {
        links.push(link(1, "first"));
    }
    reply.with("link", links.join(", "))
}

/// The names by which faults hit a call.
pub(super) fn operation(world: &World, call: &Call) -> Option<String> {
    let org = match call.parts()[..] {
        ["orgs" | "organizations", _, ref rest @ ..] => rest.to_vec(),
        ["graphql"] => return Some("find-user".into()),
        ["user" | "users", _] => return Some("get-user".into()),
        _ => return None,
    };
    let g = world.github.as_ref()?;
    let slug = |s: &str| s.to_owned();
    Some(match (call.method.as_str(), &org[..]) {
        ("GET", []) => "get-organization".into(),
        ("DELETE", ["memberships", login])
            if g.invited(login).is_some() && !g.members.contains_key(&super::key(login)) =>
        {
            format!("cancel-invitation:{login}")
        }
        ("DELETE", ["memberships", login]) => format!("leave-org:{login}"),
        ("DELETE", ["outside_collaborators", login]) => format!("leave-org:{login}"),
        ("PUT", ["memberships", login]) => format!("invite:{login}"),
        ("POST", ["invitations"]) => "invite".into(),
        ("DELETE", ["invitations", id]) => format!("cancel-invitation:{id}"),
        ("PUT", ["teams", team, "memberships", _]) => format!("join-team:{}", slug(team)),
        ("DELETE", ["teams", team, "memberships", _]) => format!("leave-team:{}", slug(team)),
        ("DELETE", ["credential-authorizations", id]) => format!("revoke-token:{id}"),
        ("POST", ["credential-authorizations", _, "revoke"]) => "revoke-grants".into(),
        ("POST", ["personal-access-tokens", id]) => format!("revoke-token:{id}"),
        ("POST", ["personal-access-tokens"]) => "revoke-token".into(),
        ("GET", ["memberships", _]) => "get-user".into(),
        ("GET", ["members"]) => "list-users".into(),
        ("GET", ["teams"]) => "list-teams".into(),
        ("GET", [list]) => format!("list-{list}"),
        _ => return None,
    })
}
