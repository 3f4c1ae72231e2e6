//! The objects as tables: which columns each has and of what kind, and its rows at this moment.

use serde_json::{Value, json};

use super::{Org, Right, TIME, User, people};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Text,
    Bool,
    Number,
    Time,
}

pub(super) struct Object {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

impl Object {
    /// By any spelling of capitals, with its own.
    pub fn column(&self, name: &str) -> Option<(&'static str, Kind)> {
        self.columns.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).copied()
    }
}

pub(super) fn object(name: &str) -> Option<&'static Object> {
    OBJECTS.iter().find(|o| o.name.eq_ignore_ascii_case(name))
}

use Kind::{Bool, Id, Number, Text, Time};

const OWNED: &[(&str, Kind)] = &[
    ("Id", Id),
    ("Name", Text),
    ("OwnerId", Id),
    ("IsClosed", Bool),
    ("CreatedDate", Time),
];

static OBJECTS: &[Object] = &[
    Object {
        name: "User",
        columns: &[
            ("Id", Id),
            ("Username", Text),
            ("Email", Text),
            ("FirstName", Text),
            ("LastName", Text),
            ("Name", Text),
            ("FederationIdentifier", Text),
            ("IsActive", Bool),
            ("UserType", Text),
            ("LastLoginDate", Time),
            ("CreatedDate", Time),
            ("ManagerId", Id),
            ("Mentor__c", Id),
            ("ProfileId", Id),
            ("Profile.Id", Id),
            ("Profile.Name", Text),
            ("Profile.UserLicense.LicenseDefinitionKey", Text),
            ("Profile.UserLicense.Name", Text),
        ],
    },
    Object {
        name: "UserLogin",
        columns: &[
            ("Id", Id),
            ("UserId", Id),
            ("IsFrozen", Bool),
            ("IsPasswordLocked", Bool),
            ("LastModifiedDate", Time),
        ],
    },
    Object {
        name: "AuthSession",
        columns: &[
            ("Id", Id),
            ("UsersId", Id),
            ("SessionType", Text),
            ("LoginType", Text),
            ("SourceIp", Text),
            ("ParentId", Id),
            ("CreatedDate", Time),
            ("LastModifiedDate", Time),
            ("NumSecondsValid", Number),
            ("IsCurrent", Bool),
        ],
    },
    Object {
        name: "OauthToken",
        columns: &[
            ("Id", Id),
            ("UserId", Id),
            ("AppName", Text),
            ("AppMenuItemId", Id),
            ("DeleteToken", Text),
            ("CreatedDate", Time),
            ("LastUsedDate", Time),
            ("UseCount", Number),
        ],
    },
    Object {
        name: "PermissionSetAssignment",
        columns: &[
            ("Id", Id),
            ("AssigneeId", Id),
            ("PermissionSetId", Id),
            ("PermissionSetGroupId", Id),
            ("PermissionSet.Id", Id),
            ("PermissionSet.Name", Text),
            ("PermissionSet.Label", Text),
            ("PermissionSet.IsOwnedByProfile", Bool),
            ("IsActive", Bool),
            ("ExpirationDate", Time),
        ],
    },
    Object {
        name: "PermissionSetLicenseAssign",
        columns: &[
            ("Id", Id),
            ("AssigneeId", Id),
            ("PermissionSetLicenseId", Id),
            ("PermissionSetLicense.DeveloperName", Text),
            ("PermissionSetLicense.MasterLabel", Text),
        ],
    },
    Object {
        name: "GroupMember",
        columns: &[
            ("Id", Id),
            ("GroupId", Id),
            ("UserOrGroupId", Id),
            ("Group.Id", Id),
            ("Group.Name", Text),
            ("Group.DeveloperName", Text),
            ("Group.Type", Text),
        ],
    },
    Object {
        name: "Organization",
        columns: &[("Id", Id), ("Name", Text), ("IsSandbox", Bool), ("InstanceName", Text)],
    },
    Object {
        name: "Opportunity",
        columns: OWNED,
    },
    Object {
        name: "Case",
        columns: &[
            ("Id", Id),
            ("Subject", Text),
            ("CaseNumber", Text),
            ("OwnerId", Id),
            ("IsClosed", Bool),
            ("CreatedDate", Time),
        ],
    },
    Object {
        name: "Account",
        columns: &[("Id", Id), ("Name", Text), ("OwnerId", Id), ("CreatedDate", Time)],
    },
    Object {
        name: "Lead",
        columns: &[
            ("Id", Id),
            ("Name", Text),
            ("OwnerId", Id),
            ("IsConverted", Bool),
            ("CreatedDate", Time),
        ],
    },
];

/// The object's rows as the caller may see them, in the order of their ids. `None`: the caller sees no such object.
pub(super) fn rows(org: &Org, right: &Right, object: &Object) -> Option<Vec<Value>> {
    let hidden = ["UserLogin", "AuthSession"].contains(&object.name) && !right.manage_users;
    if hidden {
        return None;
    }
    let assignments = |kind: &'static str| org.assignments.iter().filter(move |(_, a)| a.object == kind);
    Some(match object.name {
        "User" => org.users.values().map(user).collect(),
        "UserLogin" => org.users.values().filter_map(login).collect(),
        "AuthSession" => {
            let row = |(id, s): (&String, &super::Session)| {
                json!({"Id": id, "UsersId": s.user, "SessionType": s.kind, "LoginType": "Application",
                    "SourceIp": "198.51.100.7", "ParentId": s.parent, "CreatedDate": TIME, "LastModifiedDate": TIME,
                    "NumSecondsValid": 7200, "IsCurrent": false})
            };
            org.sessions.iter().map(row).collect()
        }
        "OauthToken" => {
            let row = |t: &super::Token| {
                json!({"Id": null, "UserId": t.user, "AppName": t.app, "AppMenuItemId": null, "DeleteToken": t.delete_token,
                    "CreatedDate": TIME, "LastUsedDate": TIME, "UseCount": 3})
            };
            let seen = |t: &&super::Token| right.customize || t.user == right.user;
            org.tokens.values().filter(seen).map(row).collect()
        }
        "PermissionSetAssignment" => {
            let shadows = org.users.values().map(shadow);
            let own = assignments("PermissionSetAssignment").map(|(id, a)| {
                json!({"Id": id, "AssigneeId": a.user, "PermissionSetId": a.what, "PermissionSetGroupId": null,
                    "PermissionSet": {"Id": a.what, "Name": a.name, "Label": a.name.replace('_', " "), "IsOwnedByProfile": false},
                    "IsActive": true, "ExpirationDate": null})
            });
            shadows.chain(own).collect()
        }
        "PermissionSetLicenseAssign" => assignments("PermissionSetLicenseAssign")
            .map(|(id, a)| {
                json!({"Id": id, "AssigneeId": a.user, "PermissionSetLicenseId": a.what,
                    "PermissionSetLicense": {"DeveloperName": a.name, "MasterLabel": a.name.replace('_', " ")}})
            })
            .collect(),
        "GroupMember" => assignments("GroupMember")
            .map(|(id, a)| {
                let queue = a.name.ends_with("Queue");
                json!({"Id": id, "GroupId": a.what, "UserOrGroupId": a.user, "Group": {"Id": a.what, "Name": a.name.replace('_', " "),
                    "DeveloperName": a.name, "Type": if queue { "Queue" } else { "Regular" }}})
            })
            .collect(),
        "Organization" => {
            vec![json!({"Id": org.org_id, "Name": "Acme", "IsSandbox": false, "InstanceName": "TWIN1"})]
        }
        kind => {
            let row = |(id, r): (&String, &super::Record)| {
                json!({"Id": id, "Name": r.name, "Subject": r.name, "CaseNumber": &id[7..15], "OwnerId": r.owner,
                    "IsClosed": r.over, "IsConverted": r.over, "CreatedDate": TIME})
            };
            org.records.iter().filter(|(_, r)| r.object == kind).map(row).collect()
        }
    })
}

fn user(u: &User) -> Value {
    let (first, last) = people::name(&u.username);
    let profile = people::profile(u);
    json!({"Id": u.id, "Username": u.username, "Email": u.email, "FirstName": first, "LastName": last,
        "Name": format!("{first} {last}").trim(), "FederationIdentifier": u.federation, "IsActive": u.active, "UserType": u.kind,
        "LastLoginDate": (!u.never).then_some(TIME), "CreatedDate": TIME, "ManagerId": null, "Mentor__c": u.mentor,
        "ProfileId": profile.id, "Profile": {"Id": profile.id, "Name": profile.name,
            "UserLicense": {"LicenseDefinitionKey": profile.licence, "Name": profile.licence}}})
}

/// Its id is its own. Whoever never signed in has none.
fn login(u: &User) -> Option<Value> {
    (!u.never).then(|| {
        json!({"Id": people::login_id(&u.id), "UserId": u.id, "IsFrozen": u.frozen, "IsPasswordLocked": false, "LastModifiedDate": TIME})
    })
}

/// A profile stands in the table of permission sets too: one row a user, which nobody can take away.
fn shadow(u: &User) -> Value {
    let profile = people::profile(u);
    json!({"Id": people::shadow_id(&u.id), "AssigneeId": u.id, "PermissionSetId": profile.set, "PermissionSetGroupId": null,
        "PermissionSet": {"Id": profile.set, "Name": format!("X{}", profile.set), "Label": profile.name, "IsOwnedByProfile": true},
        "IsActive": true, "ExpirationDate": null})
}
