//! `[roles]`: which operators are what. Which command wants which role says `cli/role.rs`.
//!
//! A role that nobody is listed for is nobody's, and so is every role where the table is there and empty.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Helpdesk,
    Engineer,
    Approver,
    Auditor,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Helpdesk, Role::Engineer, Role::Approver, Role::Auditor];

    pub const fn name(self) -> &'static str {
        match self {
            Role::Helpdesk => "helpdesk",
            Role::Engineer => "engineer",
            Role::Approver => "approver",
            Role::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who has a role, as the machine or Vault names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `%iam`: whoever this machine counts among that group.
    Group(String),
    /// `dana`: a login of this machine; jml's own account, for the timer, is one too.
    Login(String),
    /// `vault:ENTITY`: by the entity's id, which nobody can choose. A display name can be chosen.
    Vault(String),
}

const FORM: &str = "write a login, %GROUP, or vault:ENTITY";

impl FromStr for Member {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = |c: char| c.is_control() || matches!(c, ':' | ',' | '%' | '#' | '/' | '*');
        // A directory's groups may have spaces within.
        let name = |s: &str| (!s.is_empty() && s.trim() == s && !s.contains(odd)).then(|| s.to_owned());
        let id = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if let Some(entity) = text.strip_prefix("vault:") {
            return match !entity.is_empty() && entity.chars().all(id) {
                true => Ok(Member::Vault(entity.to_owned())),
                false => Err(FORM),
            };
        }
        match text.strip_prefix('%') {
            Some(group) => name(group).map(Member::Group).ok_or(FORM),
            None if text.contains(char::is_whitespace) => Err(FORM),
            None => name(text).map(Member::Login).ok_or(FORM),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Member::Group(name) => write!(f, "%{name}"),
            Member::Login(name) => f.write_str(name),
            Member::Vault(entity) => write!(f, "vault:{entity}"),
        }
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(d)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Member {
    fn schema_name() -> Cow<'static, str> {
        "Member".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^%?[^%:,#/*]+$|^vault:[A-Za-z0-9-]+$" })
    }
}

/// Each a list of logins, groups of this machine (`%GROUP`) and Vault's entities (`vault:ENTITY`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    helpdesk: Vec<Member>,
    engineer: Vec<Member>,
    approver: Vec<Member>,
    auditor: Vec<Member>,
}

impl Roles {
    pub fn of(&self, role: Role) -> &[Member] {
        match role {
            Role::Helpdesk => &self.helpdesk,
            Role::Engineer => &self.engineer,
            Role::Approver => &self.approver,
            Role::Auditor => &self.auditor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_login_a_group_or_an_entity() {
        let member = |s: &str| s.parse::<Member>();
        assert_eq!(member("dana"), Ok(Member::Login("dana".into())));
        assert_eq!(member("%iam"), Ok(Member::Group("iam".into())));
        assert_eq!(member("%domain admins"), Ok(Member::Group("domain admins".into())));
        assert_eq!(member("vault:7d2e-1"), Ok(Member::Vault("7d2e-1".into())));
        for odd in [
            "",
            "%",
            "%%iam",
            "vault:",
            "vault:dana o",
            "oidc:dana",
            "#1000",
            "a b",
            " dana",
            "% iam",
            "*",
            "a/b",
        ] {
            assert_eq!(member(odd), Err(FORM), "{odd}");
        }
        for same in ["dana", "%iam", "vault:7d2e"] {
            assert_eq!(member(same).unwrap().to_string(), same);
        }
    }
}
