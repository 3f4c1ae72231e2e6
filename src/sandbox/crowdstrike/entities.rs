//! How people and what they did look in an answer.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Entity, Event, LAG};
use crate::sandbox::{okta, world::World};

/// A UUID that follows from a text.
pub(super) fn id(of: &str) -> String {
    let h = hex::encode(&Sha256::digest(of)[..16]);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
}

/// `ana.ruiz` of `ana.ruiz@acme.example`.
pub(super) fn sam(login: &str) -> String {
    login.split('@').next().unwrap_or_default().to_owned()
}

fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

const CREATED: &str = "2020-01-06T08:00:00.000Z";

pub(super) fn entity(e: &Entity, world: &World) -> Value {
    // What Okta ended is seen later.
    let enabled = okta::ended(world, &e.okta).is_none_or(|at| at + LAG > world.now);
    let active = text(world.now - chrono::Duration::hours(2));
    let sso = json!({"__typename": "SsoUserAccountDescriptorImpl",
        "__is": ["SsoUserAccountDescriptor", "ActivityParticipatingAccountDescriptor", "UserAccountDescriptor", "AccountDescriptor"],
        "dataSource": "OKTA", "enabled": enabled, "archived": false, "creationTime": CREATED, "description": null,
        "dataSourceParticipantIdentifier": e.okta, "dataSourceLoginIdentifier": e.login, "mostRecentActivity": active});
    let ad = json!({"__typename": "ActiveDirectoryAccountDescriptor",
        "__is": ["ActivityParticipatingAccountDescriptor", "ActiveDirectorySecurityPrincipalAccountDescriptor", "UserAccountDescriptor",
            "AccountDescriptor", "ActiveDirectoryEntryDescriptor"],
        "dataSource": "ACTIVE_DIRECTORY", "enabled": e.stays || enabled, "archived": false, "creationTime": CREATED, "description": null,
        "domain": "ACME.EXAMPLE", "samAccountName": sam(&e.login), "upn": e.login, "mostRecentActivity": active, "lockoutTime": null,
        "expirationTime": null, "objectSid": format!("S-1-5-21-1000000000-1000000000-1000000000-{}", 1000 + e.login.len()),
        "department": null, "title": null});
    let accounts = match e.cloud {
        true => vec![sso],
        false if e.email => vec![ad, sso],
        false => vec![ad],
    };
    let name = match e.cloud {
        true => e.login.clone(),
        false => format!("ACME.EXAMPLE\\{}", sam(&e.login)),
    };
    let severity = match e.risk {
        r if r >= 0.8 => "HIGH",
        r if r >= 0.5 => "MEDIUM",
        _ => "NORMAL",
    };
    let factors = match severity {
        "NORMAL" => json!([]),
        _ => {
            json!([{"__typename": "EntityRiskFactorImpl", "__is": ["EntityRiskFactor"], "type": "STALE_ACCOUNT", "severity": severity,
            "score": e.risk}])
        }
    };
    let addresses = if e.email { vec![e.login.clone()] } else { Vec::new() };
    json!({"__typename": "UserEntity", "__is": ["Entity", "ActivityParticipatingEntity", "UserOrEndpointEntity"], "entityId": e.id,
        "type": "USER", "primaryDisplayName": sam(&e.login), "secondaryDisplayName": name, "archived": false, "riskScore": e.risk,
        "riskScoreSeverity": severity, "watched": e.watched, "riskFactors": factors, "accounts": accounts, "emailAddresses": addresses,
        "mostRecentActivity": active, "inactive": false, "stale": false, "shared": false, "learned": true, "creationTime": CREATED,
        "hasADDomainAdminRole": false, "earliestSeenTraffic": null, "markTime": null})
}

pub(super) fn event(id: &str, e: &Event) -> Value {
    let at = text(e.at);
    let mut out = json!({"__is": ["TimelineEvent", "TimelineUserOnEndpointActivityEvent"], "eventId": id, "eventType": e.kind,
        "eventLabel": e.kind, "eventSeverity": "NEUTRAL", "timestamp": at, "startTime": at, "endTime": at, "dataSource": "SNIFFER",
        "ipAddress": e.address, "hostName": "LAPTOP-7", "endpointDisplayName": "LAPTOP-7", "targetServiceDisplayName": "fileserver",
        "geoLocation": {"country": "United States", "countryCode": "US", "city": "Chicago"}});
    if e.kind == "SERVICE_ACCESS" {
        out["__typename"] = json!("TimelineServiceAccessEvent");
        out["protocolType"] = json!("KERBEROS");
    } else {
        out["__typename"] = json!("TimelineSuccessfulAuthenticationEvent");
        out["authenticationType"] = json!("DOMAIN_LOGIN");
    }
    out
}
