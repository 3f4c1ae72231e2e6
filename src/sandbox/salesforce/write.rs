//! What may be changed, and what refuses to be.

use serde_json::Value;

use super::{Org, Refused, Right, ids, people, refused, rows};

fn not_found(id: &str) -> Refused {
    refused(
        404,
        "NOT_FOUND",
        &format!("The requested resource does not exist: {id}"),
    )
}

fn readonly(why: &str) -> Refused {
    refused(403, "INSUFFICIENT_ACCESS_OR_READONLY", why)
}

fn field(status: u16, code: &str, message: &str, name: &str) -> Refused {
    Refused {
        fields: vec![name.to_owned()],
        ..refused(status, code, message)
    }
}

/// A user by either form of the id.
fn user_id(org: &Org, id: &str) -> Option<String> {
    org.users.keys().find(|u| ids::same(u, id)).cloned()
}

fn flag(value: &Value, name: &str) -> Result<bool, Refused> {
    let why =
        format!("Cannot deserialize instance of boolean from value {value} or request may be missing a required field");
    value
        .as_bool()
        .ok_or_else(|| field(400, "JSON_PARSER_ERROR", &why, name))
}

/// Sets columns of one record. Nothing is set where any of them can't be.
pub(super) fn update(org: &mut Org, right: &Right, object: &str, id: &str, body: &Value) -> Result<(), Refused> {
    let known = rows::object(object).ok_or_else(|| not_found(object))?;
    let hidden = rows::rows(org, right, known).is_none();
    if hidden {
        return Err(not_found(object));
    }
    let body = body
        .as_object()
        .ok_or_else(|| refused(400, "JSON_PARSER_ERROR", "an object is wanted"))?;
    for name in body.keys() {
        if known.column(name).is_none_or(|(n, _)| n.contains('.')) {
            let why = format!("No such column '{name}' on sobject of type {}", known.name);
            return Err(refused(400, "INVALID_FIELD", &why));
        }
    }
    let target = match known.name {
        "User" => user_id(org, id),
        "UserLogin" => org
            .users
            .values()
            .find(|u| !u.never && ids::same(&people::login_id(&u.id), id))
            .map(|u| u.id.clone()),
        "Opportunity" | "Case" | "Account" | "Lead" => org.records.keys().find(|r| ids::same(r, id)).cloned(),
        _ => {
            return Err(refused(
                405,
                "METHOD_NOT_ALLOWED",
                "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET",
            ));
        }
    };
    let target = target.ok_or_else(|| not_found(id))?;
    if !right.write {
        return Err(readonly("insufficient access rights on cross-reference id"));
    }
    match known.name {
        "User" => user(org, &target, body),
        "UserLogin" => login(org, &target, body),
        _ => record(org, &target, body),
    }
}

fn unwritable(name: &str) -> Refused {
    let why = format!(
        "Unable to create/update fields: {name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set."
    );
    field(400, "INVALID_FIELD_FOR_INSERT_UPDATE", &why, name)
}

fn user(org: &mut Org, id: &str, body: &serde_json::Map<String, Value>) -> Result<(), Refused> {
    for (name, value) in body {
        match name.to_ascii_lowercase().as_str() {
            "isactive" => {
                if !flag(value, "IsActive")? {
                    may_go(org, id)?;
                }
            }
            "email" | "federationidentifier" | "managerid" | "firstname" | "lastname" => {}
            _ => return Err(unwritable(name)),
        }
    }
    let Some(u) = org.users.get_mut(id) else {
        return Err(not_found(id));
    };
    for (name, value) in body {
        match name.to_ascii_lowercase().as_str() {
            "isactive" => u.active = value.as_bool().unwrap_or(u.active),
            "email" => u.email = value.as_str().unwrap_or(&u.email).to_owned(),
            "federationidentifier" => u.federation = value.as_str().map(str::to_owned),
            _ => {}
        }
    }
    org.changed.push(("users", id.to_owned()));
    Ok(())
}

/// Who can't be deactivated. Rows of permission sets, groups, sessions and tokens are no hindrance, and stay.
fn may_go(org: &Org, id: &str) -> Result<(), Refused> {
    let Some(u) = org.users.get(id).filter(|u| u.active) else {
        return Ok(());
    };
    if org.users.values().any(|other| other.mentor.as_deref() == Some(id)) {
        let why = "Cannot inactivate user that is the value of a hierarchy field:Mentor";
        return Err(field(400, "FIELD_INTEGRITY_EXCEPTION", why, "IsActive"));
    }
    let others = org
        .users
        .values()
        .any(|other| other.admin && other.active && other.id != id);
    if u.admin && !others {
        let why = "You cannot deactivate the last active user with the System Administrator profile.";
        return Err(field(400, "CANNOT_DISABLE_LAST_ADMIN", why, "IsActive"));
    }
    Ok(())
}

fn login(org: &mut Org, id: &str, body: &serde_json::Map<String, Value>) -> Result<(), Refused> {
    let mut frozen = None;
    for (name, value) in body {
        match name.to_ascii_lowercase().as_str() {
            "isfrozen" => frozen = Some(flag(value, "IsFrozen")?),
            // it can be taken off, never put on
            "ispasswordlocked" if !flag(value, "IsPasswordLocked")? => {}
            _ => return Err(unwritable(name)),
        }
    }
    if let (Some(frozen), Some(u)) = (frozen, org.users.get_mut(id)) {
        u.frozen = frozen;
        org.changed.push(("users", id.to_owned()));
    }
    Ok(())
}

fn record(org: &mut Org, id: &str, body: &serde_json::Map<String, Value>) -> Result<(), Refused> {
    let owner = body.get("OwnerId").and_then(Value::as_str);
    let Some(owner) = owner.filter(|_| body.len() == 1) else {
        return Err(unwritable(body.keys().next().map_or("Id", String::as_str)));
    };
    let to = user_id(org, owner).ok_or_else(|| {
        field(
            400,
            "INVALID_CROSS_REFERENCE_KEY",
            "Owner ID: owner cannot be blank",
            "OwnerId",
        )
    })?;
    if org.users.get(&to).is_none_or(|u| !u.active) {
        let why = "operation performed with inactive user [".to_owned() + &to + "] as owner of record";
        return Err(refused(400, "INACTIVE_OWNER_OR_USER", &why));
    }
    if let Some(r) = org.records.get_mut(id) {
        r.owner = to;
        org.changed.push(("records", id.to_owned()));
    }
    Ok(())
}

pub(super) fn delete(org: &mut Org, right: &Right, object: &str, id: &str) -> Result<(), Refused> {
    let known = rows::object(object).ok_or_else(|| not_found(object))?;
    let gone = || refused(404, "ENTITY_IS_DELETED", "entity is deleted");
    match known.name {
        "AuthSession" | "PermissionSetAssignment" | "PermissionSetLicenseAssign" | "GroupMember" => {}
        "User" => {
            let why = "Cannot delete this user";
            return Err(refused(403, "INSUFFICIENT_ACCESS_OR_READONLY", why));
        }
        _ => {
            let why = "HTTP Method 'DELETE' not allowed. Allowed are HEAD,GET";
            return Err(refused(405, "METHOD_NOT_ALLOWED", why));
        }
    }
    if known.name == "AuthSession" && !right.manage_users {
        return Err(not_found(object));
    }
    if !right.write {
        return Err(readonly("insufficient access rights on object id"));
    }
    if known.name == "AuthSession" {
        let found = org.sessions.iter().find(|(s, _)| ids::same(s, id));
        let (id, user) = found.map(|(s, x)| (s.clone(), x.user.clone())).ok_or_else(gone)?;
        let children = org.sessions.iter().filter(|(_, s)| s.parent.as_ref() == Some(&id));
        let mut dead: Vec<String> = children.map(|(c, _)| c.clone()).collect();
        dead.push(id);
        for id in dead {
            org.sessions.remove(&id);
            org.changed.push(("sessions", id));
        }
        org.count(&user);
        return Ok(());
    }
    if org.users.keys().any(|u| ids::same(&people::shadow_id(u), id)) && known.name == "PermissionSetAssignment" {
        let why = "You can't remove the permission set that is owned by a profile.";
        return Err(refused(400, "INVALID_CROSS_REFERENCE_KEY", why));
    }
    let found = org
        .assignments
        .iter()
        .find(|(a, x)| ids::same(a, id) && x.object == known.name)
        .map(|(a, x)| (a.clone(), x.user.clone(), x.name.clone()))
        .ok_or_else(gone)?;
    // a licence goes after the permission set that needs it
    let needed = known.name == "PermissionSetLicenseAssign"
        && org
            .assignments
            .values()
            .any(|a| a.user == found.1 && a.object == "PermissionSetAssignment" && a.name == found.2);
    if needed {
        let why =
            "The license is needed by a permission set that is assigned to the user: remove the assignment first.";
        return Err(refused(400, "FIELD_INTEGRITY_EXCEPTION", why));
    }
    org.assignments.remove(&found.0);
    org.changed.push(("assignments", found.0));
    Ok(())
}
