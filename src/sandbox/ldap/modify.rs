//! Modify: what jml's account was given, and no more. All of one modify, or nothing.

use serde_json::{Value, json};

use super::{
    ber::raw,
    model::{Ldap, Node, User},
    said,
};
use crate::sandbox::twin::Reply;

fn no(rc: u16, text: &str) -> Reply {
    said(rc, json!({"text": format!("{text}\n\0")}))
}

const DENIED: &str = "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0";
const MISSING: &str = "00000561: SvcErr: DSID-031A11E5, problem 5003 (WILL_NOT_PERFORM), data 0";

/// The reply, and what changed: (list, key).
pub fn answer(
    ldap: &mut Ldap,
    dn: &str,
    body: &Value,
    writes: bool,
    now: i64,
) -> (Reply, Option<(&'static str, String)>) {
    let Some(node) = ldap.node(dn) else {
        let text = format!(
            "0000208D: NameErr: DSID-03100288, problem 2001 (NO_OBJECT), data 0, best match of:\n\t'{}'",
            ldap.base
        );
        return (no(32, &text), None);
    };
    if !writes {
        return (no(50, DENIED), None);
    }
    let none = Vec::new();
    let changes = body["changes"].as_array().unwrap_or(&none);
    match node {
        Node::User(login) => {
            let Some(before) = ldap.users.get(&login) else {
                return (no(32, ""), None);
            };
            match changes.iter().try_fold(before.clone(), |u, c| user(u, c, now)) {
                Ok(after) => {
                    ldap.users.insert(login.clone(), after);
                    (said(0, json!({"text": ""})), Some(("users", login)))
                }
                Err(reply) => (reply, None),
            }
        }
        Node::Group(name) => match changes.iter().try_for_each(|c| group(ldap, &name, c)) {
            Ok(()) => (said(0, json!({"text": ""})), Some(("groups", name))),
            Err(reply) => (reply, None),
        },
        Node::Domain | Node::Unit(_) => (no(50, DENIED), None),
    }
}

fn user(mut u: User, change: &Value, now: i64) -> Result<User, Reply> {
    if u.admin_count > 0 {
        return Err(no(50, DENIED)); // the domain protects it
    }
    let replaces = change["do"] == "replace";
    match change["attribute"].as_str().map(str::to_lowercase).as_deref() {
        Some("useraccountcontrol") if replaces => {
            let flags = raw(&change["values"][0]);
            let flags = String::from_utf8_lossy(&flags).parse();
            u.user_account_control = flags.map_err(|_| {
                no(
                    21,
                    "00000057: LdapErr: DSID-0C090FD5, comment: Error in attribute conversion operation, data 0, v4563",
                )
            })?;
            Ok(u)
        }
        Some("unicodepwd") if replaces => {
            let wide = raw(&change["password"][0]);
            let units: Vec<u16> = wide.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
            let text = String::from_utf16(&units).unwrap_or_default();
            let Some(password) = text
                .strip_prefix('"')
                .and_then(|t| t.strip_suffix('"'))
                .filter(|_| wide.len().is_multiple_of(2))
            else {
                return Err(no(
                    53,
                    "0000001F: SvcErr: DSID-031A1262, problem 5003 (WILL_NOT_PERFORM), data 0",
                ));
            };
            if password.chars().count() < 12 {
                return Err(no(
                    19,
                    "0000052D: AtrErr: DSID-03191083, #1:\n\t0: 0000052D: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)",
                ));
            }
            u.pwd_last_set = now.max(u.pwd_last_set + 1);
            Ok(u)
        }
        _ => Err(no(50, DENIED)),
    }
}

fn group(ldap: &mut Ldap, name: &str, change: &Value) -> Result<(), Reply> {
    let dn = raw(&change["values"][0]);
    let who = ldap.node(&String::from_utf8_lossy(&dn));
    let Some(group) = ldap.groups.get_mut(name).filter(|g| !g.locked) else {
        return Err(no(50, DENIED));
    };
    if change["attribute"]
        .as_str()
        .is_none_or(|a| !a.eq_ignore_ascii_case("member"))
    {
        return Err(no(50, DENIED));
    }
    let called = match who {
        Some(Node::User(called) | Node::Group(called)) => called,
        _ => {
            return Err(no(
                32,
                "00000525: NameErr: DSID-03050F55, problem 2001 (NO_OBJECT), data 0",
            ));
        }
    };
    let there = group.members.contains(&called);
    match (change["do"].as_str(), there) {
        (Some("add"), false) => drop(group.members.insert(called)),
        (Some("add"), true) => {
            return Err(no(
                68,
                "00000562: UpdErr: DSID-031A11DA, problem 6005 (ENTRY_EXISTS), data 0",
            ));
        }
        (Some("delete"), true) => drop(group.members.remove(&called)),
        (Some("delete"), false) => return Err(no(53, MISSING)),
        _ => return Err(no(50, DENIED)),
    }
    Ok(())
}
