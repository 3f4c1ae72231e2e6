//! What a user and a group are made of here: one table, from which `/Schemas` is published and every write is held against.
//!
//! RFC 7643, but only what is stored: an attribute that isn't here is nobody's, so a client that may write all it reads of is right.

use serde_json::{Map, Value, json};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    pub fn of(place: &str) -> Option<Kind> {
        match place {
            "Users" => Some(Kind::User),
            "Groups" => Some(Kind::Group),
            _ => None,
        }
    }
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "User",
            Kind::Group => "Group",
        }
    }
    pub fn place(self) -> &'static str {
        match self {
            Kind::User => "Users",
            Kind::Group => "Groups",
        }
    }
    pub fn list(self) -> &'static str {
        match self {
            Kind::User => "users",
            Kind::Group => "groups",
        }
    }
    pub fn urn(self) -> &'static str {
        match self {
            Kind::User => USER,
            Kind::Group => GROUP,
        }
    }
    pub fn attributes(self) -> &'static [Attribute] {
        match self {
            Kind::User => USERS,
            Kind::Group => GROUPS,
        }
    }
    /// The extension's, with its URN.
    pub fn extension(self) -> Option<(&'static str, &'static [Attribute])> {
        (self == Kind::User).then_some((ENTERPRISE, EXTENSION))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Bool,
    Complex,
}

#[derive(Debug)]
pub struct Attribute {
    pub name: &'static str,
    pub kind: Type,
    pub many: bool,
    pub required: bool,
    pub read_only: bool,
    /// Compared with case.
    pub exact: bool,
    pub parts: &'static [Attribute],
}

const fn text(name: &'static str) -> Attribute {
    Attribute {
        name,
        kind: Type::Text,
        many: false,
        required: false,
        read_only: false,
        exact: false,
        parts: &[],
    }
}
const fn flag(name: &'static str) -> Attribute {
    Attribute {
        kind: Type::Bool,
        ..text(name)
    }
}
const fn complex(name: &'static str, many: bool, parts: &'static [Attribute]) -> Attribute {
    Attribute {
        kind: Type::Complex,
        many,
        parts,
        ..text(name)
    }
}
const fn needed(name: &'static str) -> Attribute {
    Attribute {
        required: true,
        ..text(name)
    }
}
const fn exact(name: &'static str) -> Attribute {
    Attribute {
        exact: true,
        ..text(name)
    }
}

static USERS: &[Attribute] = &[
    needed("userName"),
    complex(
        "name",
        false,
        &[text("formatted"), text("familyName"), text("givenName")],
    ),
    text("displayName"),
    text("title"),
    text("userType"),
    flag("active"),
    complex("emails", true, &[text("value"), text("type"), flag("primary")]),
];
static EXTENSION: &[Attribute] = &[
    text("employeeNumber"),
    text("costCenter"),
    text("organization"),
    text("division"),
    text("department"),
    complex("manager", false, &[exact("value")]),
];
static GROUPS: &[Attribute] = &[needed("displayName"), complex("members", true, &[exact("value")])];

/// Of every resource; no schema publishes them.
static COMMON: &[Attribute] = &[
    Attribute {
        read_only: true,
        ..exact("id")
    },
    exact("externalId"),
    Attribute {
        read_only: true,
        ..complex(
            "meta",
            false,
            &[
                text("resourceType"),
                text("created"),
                text("lastModified"),
                text("location"),
                text("version"),
            ],
        )
    },
    Attribute {
        read_only: true,
        many: true,
        ..text("schemas")
    },
];

/// Where an attribute lives in a resource.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// In the extension's object of that name.
    pub under: Option<&'static str>,
    pub attribute: &'static Attribute,
}

fn named(list: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    list.iter().find(|a| a.name.eq_ignore_ascii_case(name))
}

/// A sub-attribute. Names compare without case.
pub fn part(of: &'static Attribute, name: &str) -> Option<&'static Attribute> {
    named(of.parts, name)
}

/// `userName`, `urn:...:User:department`. The rest of a dotted name isn't looked at.
pub fn find(kind: Kind, name: &str) -> Option<At> {
    let strip = |urn: &str| {
        let head = name.get(..urn.len())?;
        head.eq_ignore_ascii_case(urn)
            .then(|| name[urn.len()..].strip_prefix(':'))
            .flatten()
    };
    let at =
        |under, list| named(list, name.rsplit(':').next().unwrap_or(name)).map(|attribute| At { under, attribute });
    if let Some((urn, list)) = kind.extension()
        && strip(urn).is_some()
    {
        return at(Some(urn), list);
    }
    if name.contains(':') && strip(kind.urn()).is_none() {
        return None;
    }
    at(None, kind.attributes()).or_else(|| at(None, COMMON))
}

fn published(a: &Attribute) -> Value {
    let kind = match a.kind {
        Type::Text => "string",
        Type::Bool => "boolean",
        Type::Complex => "complex",
    };
    let mut out = json!({
        "name": a.name, "type": kind, "multiValued": a.many, "description": a.name, "required": a.required, "caseExact": a.exact,
        "mutability": if a.read_only { "readOnly" } else { "readWrite" }, "returned": "default",
        "uniqueness": if a.name == "userName" { "server" } else { "none" },
    });
    if a.kind == Type::Complex {
        out["subAttributes"] = a.parts.iter().map(published).collect();
    }
    out
}

fn meta(kind: &str, base: &str, place: &str) -> Value {
    json!({"resourceType": kind, "location": format!("{base}/{place}")})
}

pub fn schemas(base: &str) -> Vec<Value> {
    let one = |urn: &str, name: &str, list: &[Attribute]| {
        json!({"schemas": [SCHEMA], "id": urn, "name": name, "description": name,
            "attributes": list.iter().map(published).collect::<Vec<_>>(), "meta": meta("Schema", base, &format!("Schemas/{urn}"))})
    };
    vec![
        one(USER, "User", USERS),
        one(ENTERPRISE, "Enterprise User", EXTENSION),
        one(GROUP, "Group", GROUPS),
    ]
}

pub fn types(base: &str) -> Vec<Value> {
    let one = |kind: Kind| {
        let mut out = json!({"schemas": [TYPE], "id": kind.name(), "name": kind.name(), "endpoint": format!("/{}", kind.place()),
            "description": kind.name(), "schema": kind.urn(), "meta": meta("ResourceType", base, &format!("ResourceTypes/{}", kind.name()))});
        if let Some((urn, _)) = kind.extension() {
            out["schemaExtensions"] = json!([{"schema": urn, "required": false}]);
        }
        out
    };
    vec![one(Kind::User), one(Kind::Group)]
}

/// What a server says of itself.
pub struct Says {
    pub patch: bool,
    pub filter: bool,
    pub most: usize,
    pub cursor: bool,
    pub index: bool,
}

pub fn config(base: &str, says: &Says) -> Value {
    let mut out = json!({
        "schemas": [CONFIG],
        "patch": {"supported": says.patch},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": says.filter, "maxResults": says.most},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "A token of the tenant",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750", "primary": true}],
        "meta": meta("ServiceProviderConfig", base, "ServiceProviderConfig"),
    });
    if says.cursor {
        out["pagination"] = json!({"cursor": true, "index": says.index, "defaultPaginationMethod": if says.index { "index" } else { "cursor" },
            "defaultPageSize": says.most, "maxPageSize": says.most, "cursorTimeout": 3600});
    }
    out
}

/// The names of schemas that a resource really uses.
pub fn used(kind: Kind, attributes: &Map<String, Value>) -> Vec<&'static str> {
    let mut out = vec![kind.urn()];
    out.extend(
        kind.extension()
            .map(|(urn, _)| urn)
            .filter(|urn| attributes.contains_key(*urn)),
    );
    out
}
