//! Search: base and scope, filters, limits, pages.

use serde_json::{Map, Value, json};

use super::{
    ber::{raw, value},
    model::{Entry, Ldap, Node, SID},
    said,
};
use crate::sandbox::twin::Reply;

const LIMIT: usize = 1000;

fn lower(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).map_or_else(|_| bytes.to_vec(), |t| t.to_lowercase().into_bytes())
}

/// An attribute that isn't there, or can't be read, matches nothing.
fn fits(ldap: &Ldap, node: &Node, entry: &Entry, f: &Value) -> bool {
    let of = |name: &Value| {
        let name = name.as_str().unwrap_or_default().to_lowercase();
        entry.get(&name).map_or(&[][..], |(_, values)| values)
    };
    let below = || f.as_array().into_iter().flatten().skip(1);
    match f[0].as_str() {
        Some("and") => below().all(|k| fits(ldap, node, entry, k)),
        Some("or") => below().any(|k| fits(ldap, node, entry, k)),
        Some("not") => below().all(|k| !fits(ldap, node, entry, k)),
        Some("has") => !of(&f[1]).is_empty(),
        Some("is") => {
            let wanted = lower(&raw(&f[2]));
            of(&f[1]).iter().any(|v| lower(v) == wanted)
        }
        Some("like") => of(&f[1]).iter().any(|v| like(&lower(v), &f[2])),
        Some("rule") => match f[1].as_str() {
            Some("1.2.840.113556.1.4.1941") => {
                let dn = String::from_utf8_lossy(&raw(&f[3])).into_owned();
                let Node::Group(group) = node else { return false };
                ldap.node(&dn).is_some_and(|who| ldap.reaches(group, &who))
            }
            Some("1.2.840.113556.1.4.803") => {
                let number = |b: &[u8]| String::from_utf8_lossy(b).parse::<u64>().ok();
                let bits = number(&raw(&f[3])).unwrap_or(u64::MAX);
                of(&f[2])
                    .first()
                    .and_then(|v| number(v))
                    .is_some_and(|has| has & bits == bits)
            }
            _ => false,
        },
        _ => false,
    }
}

fn like(value: &[u8], pieces: &Value) -> bool {
    let mut rest = value;
    for piece in pieces.as_array().into_iter().flatten() {
        let want = lower(&raw(&piece[1]));
        let at = match piece[0].as_u64() {
            Some(0) => rest.starts_with(&want).then_some(0),
            Some(1) => rest.windows(want.len().max(1)).position(|w| w == want),
            _ => rest.ends_with(&want).then(|| rest.len() - want.len()),
        };
        let Some(at) = at else { return false };
        rest = rest.get(at + want.len()..).unwrap_or_default();
    }
    true
}

fn shown(dn: &str, entry: &Entry, wanted: &[String]) -> Value {
    let all = wanted.is_empty() || wanted.iter().any(|w| w == "*");
    let attributes = entry.iter().filter(|(k, _)| all || wanted.contains(k));
    let attributes: Map<String, Value> = attributes
        .map(|(_, (name, values))| ((*name).to_owned(), values.iter().map(|v| value(v)).collect()))
        .collect();
    json!({"dn": dn, "attributes": attributes})
}

fn root(ldap: &Ldap, now: &str) -> Value {
    let base = &ldap.base;
    json!({"entries": [{"dn": "", "attributes": {
        "defaultNamingContext": [base],
        "namingContexts": [base, format!("CN=Configuration,{base}")],
        "dnsHostName": ["dc1.corp.acme.example"],
        "currentTime": [now],
        "supportedCapabilities": ["1.2.840.113556.1.4.800"],
        "supportedControl": [super::ber::PAGED],
    }}], "text": ""})
}

pub fn answer(ldap: &mut Ldap, dn: &str, body: &Value, bound: bool, now: &str) -> Reply {
    let scope = body["scope"].as_str().unwrap_or("sub");
    if dn.is_empty() && scope == "base" {
        return said(0, root(ldap, now));
    }
    if !bound {
        let text = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563\0";
        return said(1, json!({ "text": text }));
    }
    let Some(at) = ldap.node(dn) else {
        let text = format!(
            "0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'{}'\n\0",
            ldap.base
        );
        return said(32, json!({ "text": text }));
    };
    let base = ldap.dn(&at).to_lowercase();
    let wanted: Vec<String> = body["attributes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| Some(n.as_str()?.to_lowercase()))
        .collect();
    let mut found = Vec::new();
    for node in ldap.nodes() {
        let dn = ldap.dn(&node);
        let low = dn.to_lowercase();
        let inside = match scope {
            "base" => low == base,
            "one" => low.split_once(',').is_some_and(|(_, up)| up == base),
            _ => low == base || low.ends_with(&format!(",{base}")),
        };
        if !inside {
            continue;
        }
        let entry = ldap.entry(&node);
        if fits(ldap, &node, &entry, &body["filter"]) {
            found.push(shown(&dn, &entry, &wanted));
        }
    }
    let asked = body["limit"]
        .as_u64()
        .filter(|n| *n > 0)
        .map_or(usize::MAX, |n| n as usize);
    let total = found.len();
    let page = &body["page"];
    if !page.is_object() {
        let entries: Vec<Value> = found.into_iter().take(LIMIT.min(asked)).collect();
        let whole = entries.len() == total;
        return said(if whole { 0 } else { 4 }, json!({"entries": entries, "text": ""}));
    }
    let cookie = page["cookie"].as_str().unwrap_or_default();
    let list = match cookie {
        "" => {
            ldap.lists.push(0);
            ldap.lists.len() - 1
        }
        _ => cookie.parse().unwrap_or(usize::MAX),
    };
    let Some(from) = ldap.lists.get_mut(list) else {
        let text = "00000057: LdapErr: DSID-0C090A6D, comment: Error processing control, data 0, v4563\n\0";
        return said(53, json!({ "text": text }));
    };
    let size = page["size"]
        .as_u64()
        .map_or(LIMIT, |s| s as usize)
        .min(LIMIT)
        .min(asked);
    let entries: Vec<Value> = found.into_iter().skip(*from).take(size).collect();
    *from += entries.len();
    let next = if *from < total { list.to_string() } else { String::new() };
    said(0, json!({"entries": entries, "text": "", "cookie": next}))
}

/// What a configuration pins.
pub const DOMAIN: &str = SID;
