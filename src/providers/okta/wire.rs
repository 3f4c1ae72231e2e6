//! What Okta's answers look like to us: lenient in reading (null and missing are the same, unknown keys are ignored), strict about the few
//! fields that a decision rests on: an id, a login, a status.
//!
//! The published description is wrong in places (null where it says string); so nothing here is required that a decision can do without.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::Status;

/// A date that can't be read is none: no decision rests on the vendor's own timestamps alone.
fn instant<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Option::<Value>::deserialize(d)?;
    Ok(value
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|t| DateTime::parse_from_rfc3339(t).ok())
        .map(|t| t.with_timezone(&Utc)))
}

/// `null` is the type's empty value.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    pub id: String,
    pub status: Status,
    #[serde(default, deserialize_with = "instant")]
    pub created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub status_changed: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "instant")]
    pub last_updated: Option<DateTime<Utc>>,
    /// Where an asynchronous change of status is heading.
    #[serde(default)]
    pub transitioning_to_status: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub profile: BTreeMap<String, Value>,
    #[serde(default)]
    pub credentials: Option<Credentials>,
    #[serde(default, rename = "_links", deserialize_with = "or_default")]
    pub links: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Credentials {
    #[serde(default)]
    pub provider: Option<CredentialProvider>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct CredentialProvider {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

impl User {
    /// A text attribute; numbers and booleans as text, lists and objects left out.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.profile.get(name)? {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.profile
            .keys()
            .filter_map(|k| self.text(k).map(|v| (k.clone(), v)))
            .collect()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Group {
    pub id: String,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    pub profile: GroupProfile,
    #[serde(default, rename = "_embedded")]
    pub embedded: Option<GroupEmbedded>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct GroupProfile {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct GroupEmbedded {
    #[serde(default)]
    pub stats: Option<GroupStats>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct GroupStats {
    /// The vendor's spelling.
    #[serde(default, rename = "hasAdminPrivlege", alias = "hasAdminPrivilege")]
    pub admin: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub conditions: Conditions,
    #[serde(default, deserialize_with = "or_default")]
    pub actions: Actions,
}
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Conditions {
    #[serde(default, deserialize_with = "or_default")]
    pub people: People,
    #[serde(default, deserialize_with = "or_default")]
    pub expression: Expression,
}
#[derive(Clone, Debug, Default, Deserialize)]
pub struct People {
    #[serde(default, deserialize_with = "or_default")]
    pub users: Excluded,
}
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Excluded {
    #[serde(default, deserialize_with = "or_default")]
    pub exclude: Vec<String>,
}
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Expression {
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actions {
    #[serde(default, deserialize_with = "or_default")]
    pub assign_user_to_groups: Assign,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assign {
    #[serde(default, deserialize_with = "or_default")]
    pub group_ids: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct App {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub label: String,
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub features: Vec<String>,
    #[serde(default, rename = "_embedded", deserialize_with = "or_default")]
    pub embedded: AppEmbedded,
}
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AppEmbedded {
    #[serde(default)]
    pub user: Option<AppUser>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppUser {
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
    #[serde(default)]
    pub credentials: Option<AppCredentials>,
    #[serde(default, rename = "_links", deserialize_with = "or_default")]
    pub links: BTreeMap<String, Value>,
}
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppCredentials {
    #[serde(default)]
    pub user_name: Option<String>,
}

/// A link's target and name, where it is one link.
#[derive(Clone, Debug, Deserialize)]
pub struct Link {
    pub href: String,
    #[serde(default)]
    pub name: Option<String>,
}
impl Link {
    pub fn of(links: &BTreeMap<String, Value>, rel: &str) -> Option<Link> {
        Link::deserialize(links.get(rel)?).ok()
    }
    /// The id that the link's path ends in.
    pub fn id(&self) -> Option<&str> {
        let path = self.href.split(['?', '#']).next()?;
        path.trim_end_matches('/').rsplit('/').next().filter(|s| !s.is_empty())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    pub id: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub client_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub scope_id: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Client {
    pub client_id: String,
    #[serde(default)]
    pub client_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub user_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub id: String,
    #[serde(default)]
    pub label: Option<String>,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub assignment_type: Option<String>,
}

/// Pages of assignees name the next one in the body, not in a Link header.
#[derive(Clone, Debug, Deserialize)]
pub struct Assignees {
    #[serde(default, deserialize_with = "or_default")]
    pub value: Vec<Assignee>,
    #[serde(default, rename = "_links", deserialize_with = "or_default")]
    pub links: BTreeMap<String, Value>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct Assignee {
    pub id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logged {
    pub uuid: String,
    #[serde(default, deserialize_with = "instant")]
    pub published: Option<DateTime<Utc>>,
    pub event_type: String,
    #[serde(default)]
    pub outcome: Option<LoggedOutcome>,
    #[serde(default)]
    pub actor: Option<LoggedParty>,
    #[serde(default, deserialize_with = "or_default")]
    pub target: Vec<LoggedParty>,
}
#[derive(Clone, Debug, Deserialize)]
pub struct LoggedOutcome {
    #[serde(default)]
    pub result: Option<String>,
}
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedParty {
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    #[serde(default)]
    pub alternate_id: Option<String>,
    #[serde(default)]
    pub display_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Organisation {
    pub id: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Schema {
    pub definitions: SchemaDefinitions,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SchemaDefinitions {
    #[serde(deserialize_with = "or_default")]
    pub base: SchemaPart,
    #[serde(deserialize_with = "or_default")]
    pub custom: SchemaPart,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SchemaPart {
    #[serde(deserialize_with = "or_default")]
    pub properties: BTreeMap<String, Property>,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Property {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub format: Option<String>,
    pub master: Option<Master>,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Master {
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// Okta's one shape of error; the token endpoint speaks OAuth's instead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refusal {
    #[serde(deserialize_with = "or_default")]
    pub error_code: String,
    #[serde(deserialize_with = "or_default")]
    pub error_summary: String,
    pub error_id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub error_causes: Vec<Cause>,
    #[serde(deserialize_with = "or_default")]
    pub error: String,
    #[serde(rename = "error_description", deserialize_with = "or_default")]
    pub error_description: String,
}
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cause {
    #[serde(deserialize_with = "or_default")]
    pub error_summary: String,
}

impl Refusal {
    /// `None`: not a body of Okta's (a proxy's page, nothing at all).
    pub fn of(body: &[u8]) -> Option<Refusal> {
        let read: Refusal = serde_json::from_slice(body).ok()?;
        (!read.error_code.is_empty() || !read.error.is_empty()).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_missing_are_the_same_and_numbers_are_text() {
        let user: User = serde_json::from_str(
            r#"{"id":"00u1","status":"PASSWORD_EXPIRED","lastUpdated":"soon","statusChanged":null,"_links":null,
                "profile":{"login":"a@acme.example","level":7,"isRescinded":true,"manager":null,"tags":["x"]}}"#,
        )
        .unwrap();
        assert_eq!(user.status, Status::PasswordExpired);
        assert_eq!(user.last_updated, None);
        assert!(user.credentials.is_none() && user.links.is_empty());
        assert_eq!(user.text("level").as_deref(), Some("7"));
        assert_eq!(
            user.texts().into_keys().collect::<Vec<_>>(),
            ["isRescinded", "level", "login"]
        );
    }

    #[test]
    fn a_status_unknown_to_us_is_no_user() {
        assert!(serde_json::from_str::<User>(r#"{"id":"00u1","status":"HIBERNATING","profile":{}}"#).is_err());
    }

    #[test]
    fn a_link_gives_the_id_at_its_end() {
        let links =
            serde_json::from_str(r#"{"group":{"href":"https://x/api/v1/groups/00g9?limit=1","name":"ENG"}}"#).unwrap();
        let link = Link::of(&links, "group").unwrap();
        assert_eq!((link.id(), link.name.as_deref()), (Some("00g9"), Some("ENG")));
        assert!(Link::of(&links, "user").is_none());
    }

    #[test]
    fn only_a_body_with_a_code_is_an_okta_refusal() {
        assert!(Refusal::of(br#"{"status":404,"message":"Resource not found"}"#).is_none());
        assert!(Refusal::of(b"").is_none());
        let oauth = Refusal::of(br#"{"error":"invalid_scope","error_description":"No scopes were requested."}"#);
        let oauth = oauth.unwrap();
        assert_eq!(
            (oauth.error.as_str(), oauth.error_description.as_str()),
            ("invalid_scope", "No scopes were requested.")
        );
    }
}
