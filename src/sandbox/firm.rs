//! The default firm as a `given` document: from (people, seed, now), nothing else. The same document is made again at each start.
//!
//! It says a little more than a world's file may: `population.seed`, `okta.provision_delay`, `okta.api_tokens` and `roster.also`.

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};

use super::{
    cast::{self, Crm},
    github, quiet, staff,
};

pub const PEOPLE: usize = 2200;
pub const SEED: u64 = 1;

/// `people` counts everyone, the cast too; there is never less than the cast and a manager.
pub fn document(people: usize, seed: u64, now: DateTime<Utc>) -> Value {
    let quiet = people.saturating_sub(cast::CAST.len()).max(20);
    json!({
        "now": now.trunc_subsecs(3).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        "policy": policy(),
        "limits": {"leavers": "25 or 2%"},
        "protect": {"people": [
            {"login": "breakglass@acme.example", "owner": "security", "reason": "break-glass account"},
            {"login": "paula.root@acme.example", "owner": "platform", "reason": "owns the platform's root accounts"},
            {"login": "jml.integration@acme.example", "owner": "it", "reason": "jml's own user in Salesforce"},
        ]},
        "roster": {"kind": "okta", "also": staff::KINDS},
        "config": {
            "http": {"egress": ["203.0.113.7", "192.0.2.44"]},
            "systems": {"badge": {"kind": "manual", "owner": "office@acme.example", "due": "24h", "tasks": ["return badge"]}},
        },
        "population": {"people": quiet, "seed": seed},
        "okta": okta(now),
        "apps": {
            "slack": slack(quiet, seed),
            "github": github::seed::seed(quiet, seed),
            "salesforce": salesforce(quiet, seed),
            "servicenow": {"change_request": [
                {"number": "CHG0030001", "short_description": "Replace the badge printer in Chicago"},
                {"number": "CHG0030002", "short_description": "Renew the wildcard certificate"},
                {"number": "CHG0030003", "short_description": "Move the build farm to the new network"},
            ], "incident": [
                {"number": "INC0010001", "short_description": "Projector in room 4 flickers"},
                {"number": "INC0010002", "short_description": "Shut out at once: p00040@acme.example", "description": "Left on the spot; HR follows."},
            ]},
            "datadog": {},
            "google": google(quiet),
            "zoom": zoom(quiet),
            "scim:wiki": wiki(quiet),
            "vault": {},
            "crowdstrike": {
                "signed_in": ["ben.cole@acme.example"],
                "stays_enabled": ["alice@acme.example"],
                "no_address": ["carl.diaz@acme.example"],
                "unknown": ["emil.foss@acme.example"],
                "unlinked": ["dora.egan@acme.example"],
            },
            "wiz": {"admins": ["alice@acme.example"], "issues": ["ben.cole@acme.example"]},
            "akamai": {"edited": ["192.0.2.44"]},
            "ldap": ldap(),
        },
    })
}

fn policy() -> Value {
    json!({
        "zone": "America/Chicago",
        "birthright": {"employee": ["BR-ALL-EMPLOYEES"], "contractor": ["BR-CONTRACTORS"]},
        "departments": {"Engineering": "ENG", "Sales": "SALES", "Finance": "FIN", "Operations": "OPS", "People": "HR"},
        "rule": [
            {"when": {"department": "Engineering"}, "slack": ["#eng"]},
            {"when": {"department": "Engineering", "title": "*SRE*"}, "groups": ["APP-ONCALL"], "slack": ["#sre"]},
            {"when": {"department": "Sales"}, "slack": ["#sales"]},
        ],
    })
}

/// Okta makes accounts there, keeps them current and ends them.
const FULL: &[&str] = &["PUSH_NEW_USERS", "PUSH_PROFILE_UPDATES", "PUSH_USER_DEACTIVATION"];

fn okta(now: DateTime<Utc>) -> Value {
    let users: Vec<Value> = cast::CAST
        .iter()
        .enumerate()
        .map(|(i, p)| cast::okta_user(i, p, now))
        .collect();
    let id_of = |login: &str| {
        cast::CAST
            .iter()
            .position(|p| p.login == login)
            .map(cast::okta_id)
            .unwrap_or_default()
    };
    let alice = id_of("alice@acme.example");
    json!({
        "users": users,
        "groups": groups(),
        "rules": [{
            "id": "0prFIRM0000000000001",
            "name": "on-call by title",
            "expression": "user.title == \"SRE\"",
            "groups": ["ENG-ONCALL"],
            "exclude_users": [id_of("rita.hall@acme.example")],
        }],
        "apps": apps(&alice),
        "api_tokens": [{"id": "00TFIRM0000000000001", "name": "nightly-export", "user": alice}],
        "search_lag": "2s",
        "rule_delay": "2s",
        "deactivate_delay": "500ms",
        "provision_delay": "5s",
    })
}

fn groups() -> Value {
    let named = [
        ("APP-ONCALL", "OKTA_GROUP"),
        ("ENG-ONCALL", "OKTA_GROUP"),
        ("PROJ-ATLAS", "OKTA_GROUP"),
        ("VPN-USERS", "OKTA_GROUP"),
        ("AD-ENGINEERS", "APP_GROUP"),
        ("AD-DOMAIN-USERS", "APP_GROUP"),
    ];
    let mut out: Vec<Value> = named
        .iter()
        .enumerate()
        .map(|(i, (name, kind))| json!({"id": format!("00gFIRM{:013}", i + 1), "name": name, "type": kind}))
        .collect();
    out.push(json!({"generated": 40, "name": "TEAM-"}));
    out.into()
}

/// Label, name, features, the groups that grant it, whom it provisions; `alice` holds three directly.
fn apps(alice: &str) -> Value {
    let direct = json!([{"user": alice, "scope": "USER"}]);
    type Row = (
        &'static str,
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
        bool,
    );
    let rows: &[Row] = &[
        ("Slack", "slack", FULL, &["BR-ALL-EMPLOYEES"], false),
        ("Google Workspace", "google", FULL, &["BR-ALL-EMPLOYEES"], false),
        ("Zoom", "zoomus", FULL, &["BR-ALL-EMPLOYEES"], false),
        (
            "Workday",
            "workday",
            &[],
            &["BR-ALL-EMPLOYEES", "BR-CONTRACTORS"],
            false,
        ),
        ("GitHub", "githubcloud", FULL, &["ROLE-ENG"], false),
        ("Jira", "atlassian", FULL, &["ROLE-ENG", "ROLE-SALES"], false),
        ("AWS SSO", "amazon_aws_sso", FULL, &["ROLE-ENG"], false),
        ("PagerDuty", "pagerduty", FULL, &["APP-ONCALL"], false),
        ("Salesforce", "salesforce", FULL, &["ROLE-SALES"], false),
        ("Gong", "gong", FULL, &["ROLE-SALES"], false),
        ("NetSuite", "netsuite", &[], &["ROLE-FIN"], false),
        ("Greenhouse", "greenhouse", FULL, &["ROLE-HR"], false),
        ("Figma", "figma", FULL, &[], true),
        ("Legacy Wiki", "legacy_wiki", &[], &[], true),
        ("Reporting", "oidc_client", &[], &[], false),
    ];
    let mut out: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(i, (label, name, features, groups, held))| {
            let mut app = json!({"id": format!("0oaFIRM{:013}", i + 1), "label": label, "name": name, "features": features, "groups": groups});
            if *held {
                app["assigned"] = direct.clone();
            }
            app
        })
        .collect();
    out[0]["provisions"] = "slack".into();
    out[1]["provisions"] = "google".into();
    out[2]["provisions"] = "zoom".into();
    out[8]["provisions"] = "salesforce".into();
    out.push(json!({"id": "0oaFIRM0000000000099", "label": "Old VPN", "name": "old_vpn", "status": "INACTIVE", "assigned": direct}));
    out.into()
}

/// Everybody has an account but for a few of the cast; whoever policy puts into a channel is there.
fn slack(people: usize, seed: u64) -> Value {
    let mut users = vec![json!({"generated": people})];
    let mut channels: Vec<(&str, Vec<String>)> = vec![
        ("eng", vec![]),
        ("sales", vec![]),
        ("sre", vec![]),
        ("announcements", vec![]),
    ];
    for n in 1..=people {
        let channel = match quiet::job(seed, n).0 {
            "Engineering" => 0,
            "Sales" => 1,
            _ => continue,
        };
        channels[channel].1.push(quiet::slack_id(n));
    }
    for (i, p) in cast::CAST.iter().enumerate().filter(|(_, p)| p.has_slack) {
        users.push(json!({"id": cast::slack_id(i), "email": p.login}));
        for (name, members) in &mut channels {
            if p.slack.contains(name) {
                members.push(cast::slack_id(i));
            }
        }
    }
    let channel = |(i, (name, members)): (usize, (&str, Vec<String>))| json!({"id": format!("C0FIRM{:03}", i + 1), "name": name, "members": members});
    let channels: Vec<Value> = channels.into_iter().enumerate().map(channel).collect();
    json!({"team": "T0ACME001", "plan": "enterprise", "users": users, "channels": channels})
}

/// Everybody has an account but for the few who have no Slack either; two of those who leave hold more than a password, one a Drive that
/// is full of files.
fn google(people: usize) -> Value {
    let mut users = vec![json!({"generated": people})];
    for (i, p) in cast::CAST.iter().enumerate().filter(|(_, p)| p.has_slack) {
        let mut user = json!({"id": cast::google_id(i), "primaryEmail": p.login, "licences": ["1010020020"]});
        if p.stories.contains(&"leaver-due") {
            user["tokens"] = json!([{"clientId": "118242.apps.googleusercontent.com", "displayText": "Figma"}]);
            user["asps"] = json!([{"codeId": 1, "name": "Mail on my phone"}]);
            user["backupCodes"] = 10.into();
        }
        if p.stories.contains(&"drive-full") {
            user["files"] = json!({"private": 912, "shared": 1730});
        }
        users.push(user);
    }
    json!({"customer": "C01acme", "transfer_time": "3s", "users": users})
}

/// Everybody has an account but for the few who have no Slack either, and all licences are taken: by two who left long ago, among others.
fn zoom(people: usize) -> Value {
    let mut users = vec![json!({"generated": people})];
    for (i, p) in cast::CAST.iter().enumerate().filter(|(_, p)| p.has_slack) {
        let role = if p.stories.contains(&"protected") { "1" } else { "2" };
        users.push(json!({"id": format!("zC{:020}", i + 1), "email": p.login, "role_id": role}));
    }
    let gone = |n: u8, login: &str, status: &str| json!({"id": format!("zG{n:020}"), "email": login, "status": status});
    users.push(gone(1, "greta.past@acme.example", "inactive"));
    users.push(gone(2, "hugo.gone@acme.example", "active"));
    users.push(gone(3, "ines.asked@acme.example", "pending"));
    json!({"licences": people + users.len() - 1, "users": users})
}

/// Engineering's wiki, which speaks SCIM, with a few readers from elsewhere. Nobody who left long ago has an account there.
fn wiki(people: usize) -> Value {
    let mut users = vec![json!({"generated": people.min(120)})];
    let there = |p: &&cast::Person| {
        p.department == "Engineering" && p.status == "ACTIVE" && p.has_slack && p.starts.is_none_or(|days| days < 0)
    };
    for (i, p) in cast::CAST.iter().enumerate().filter(|(_, p)| there(p)) {
        users.push(
            json!({"id": format!("WC{:03}", i + 1), "userName": p.login, "externalId": cast::okta_id(i),
            "emails": [{"value": p.login, "type": "work", "primary": true}]}),
        );
    }
    json!({ "users": users })
}

/// Whoever sells has a login, and a few besides: from before, or because they asked.
fn salesforce(people: usize, seed: u64) -> Value {
    const OTHERS: usize = 20;
    let mut users = vec![json!({"generated": OTHERS})];
    let sells = |n: &usize| quiet::job(seed, *n).0 == "Sales";
    for n in (OTHERS + 1..=people).filter(sells) {
        users.push(json!({"Id": quiet::salesforce_id(n), "Username": quiet::login(n), "sessions": n % 2}));
    }
    for (i, p) in cast::CAST.iter().enumerate().filter(|(_, p)| p.crm != Crm::Nothing) {
        let full = p.crm == Crm::Full;
        let holds = if full {
            json!({"permission_sets": ["Sales_Console", "Contract_Approver"], "licences": ["Sales_Cloud_Einstein"],
                "groups": ["All_Sales", "Renewals_Queue"], "opportunities": ["Initech renewal", "Globex pilot"]})
        } else {
            json!({"permission_sets": ["Sales_Console"]})
        };
        users.push(
            json!({"Id": cast::salesforce_id(i), "Username": p.login, "FederationIdentifier": p.login,
            "IsFrozen": p.crm == Crm::Frozen, "sessions": 1 + usize::from(full), "oauth_tokens": 1, "holds": holds}),
        );
    }
    json!({"org_id": "00DAC00000000012AA", "users": users})
}

/// The domain on the firm's own premises: few have an account there, and its groups stand in Okta too, where nobody can change them.
fn ldap() -> Value {
    let on_prem = |(i, p): (usize, &cast::Person)| {
        let login = p.login.split('@').next().unwrap_or_default();
        let engineer = p.groups.is_some_and(|all| all.contains(&"AD-ENGINEERS"));
        let user = json!({"login": login, "name": format!("{} {}", p.first, p.last), "upn": p.login, "mail": p.login,
            "employee_id": format!("D{:05}", i + 1), "services": if engineer { vec![format!("HTTP/{login}-build.corp.acme.example")] } else { vec![] }});
        (login.to_owned(), engineer, user)
    };
    let here = |p: &cast::Person| p.stories.contains(&"on-prem");
    let cast = cast::CAST.iter().enumerate().filter(|(_, p)| here(p)).map(on_prem);
    let all: Vec<(String, bool, Value)> = cast.collect();
    let engineers: Vec<&str> = all.iter().filter(|a| a.1).map(|a| a.0.as_str()).collect();
    let everyone: Vec<&str> = all.iter().map(|a| a.0.as_str()).collect();
    json!({
        "users": all.iter().map(|a| &a.2).collect::<Vec<_>>(),
        "groups": [
            {"name": "AD-ENGINEERS", "members": engineers},
            {"name": "AD-DOMAIN-USERS", "members": everyone},
            {"name": "AD-BUILD-HOSTS", "members": ["AD-ENGINEERS"]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firm() -> Value {
        document(PEOPLE, SEED, "2026-11-25T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn but_for_its_extra_keys_it_is_a_world() {
        let mut doc = firm();
        doc["population"].as_object_mut().unwrap().remove("seed");
        for witness in ["crowdstrike", "wiz", "akamai"] {
            doc["apps"][witness] = json!({});
        }
        doc["apps"]["zoom"].as_object_mut().unwrap().remove("licences");
        doc["roster"].as_object_mut().unwrap().remove("also");
        for extra in ["provision_delay", "api_tokens"] {
            doc["okta"].as_object_mut().unwrap().remove(extra);
        }
        for (app, extra) in [("salesforce", "holds"), ("scim:wiki", "emails")] {
            for user in doc["apps"][app]["users"].as_array_mut().unwrap() {
                user.as_object_mut().unwrap().remove(extra);
            }
        }
        assert_eq!(super::super::given::world(&doc), Ok(()));
    }

    #[test]
    fn the_same_numbers_make_the_same_firm_and_time_moves_its_dates() {
        assert_eq!(firm(), firm());
        assert_ne!(
            firm()["okta"],
            document(PEOPLE, SEED, "2026-11-27T12:00:00Z".parse().unwrap())["okta"]
        );
        assert_eq!(firm()["population"]["people"], PEOPLE - cast::CAST.len());
    }

    #[test]
    fn every_group_of_the_cast_is_there() {
        let doc = firm();
        let names: Vec<&str> = doc["okta"]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|g| g["name"].as_str())
            .collect();
        for group in cast::CAST.iter().flat_map(|p| p.groups.unwrap_or_default()) {
            let made = group.starts_with("BR-") || group.starts_with("ROLE-") || group.starts_with("TEAM-");
            assert!(made || names.contains(group), "{group}");
        }
    }
}
