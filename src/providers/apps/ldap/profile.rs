//! What differs between directories, as data.

use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Active Directory, or Samba as one.
    #[default]
    Ad,
    /// OpenLDAP with the overlays ppolicy and memberof.
    OpenLdap,
    #[serde(rename = "389ds")]
    Ds389,
    FreeIpa,
}

/// How an account is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Bit 2 of `userAccountControl`; every other bit stays as it is.
    Bit,
    /// An attribute with this value. Another value of it is something else: a lockout that ends by itself.
    Value {
        attribute: &'static str,
        value: &'static str,
        /// A new password takes the lock away, even one written by the same change, unless it is taken off and put on again there.
        lost_by_password: bool,
    },
}

#[derive(Debug)]
pub struct Profile {
    pub kind: Kind,
    /// Never changes, whatever is renamed or moved.
    pub id: &'static str,
    /// Are its values 16 bytes with the first three fields turned around?
    pub guid: bool,
    pub person: &'static str,
    pub group: &'static str,
    pub login: &'static str,
    pub lock: Lock,
    pub password: &'static str,
    /// In UTF-16LE and quotes.
    pub quoted: bool,
    /// When the password was last set.
    pub password_set: &'static str,
    /// By which attributes of theirs people are found, and what of the directory's person stands there; the surest first.
    pub find: &'static [(&'static str, &'static str)],
    /// What else is asked of an account.
    pub more: &'static [&'static str],
    /// Does one rule of the server find every group, at any depth?
    pub chain: bool,
}

pub const AD: Profile = Profile {
    kind: Kind::Ad,
    id: "objectGUID",
    guid: true,
    person: "(objectCategory=person)(objectClass=user)",
    group: "(objectClass=group)",
    login: "sAMAccountName",
    lock: Lock::Bit,
    password: "unicodePwd",
    quoted: true,
    password_set: "pwdLastSet",
    find: &[
        ("employeeID", "employeeNumber"),
        ("userPrincipalName", "login"),
        ("mail", "email"),
    ],
    more: &[
        "userAccountControl",
        "msDS-User-Account-Control-Computed",
        "accountExpires",
        "userPrincipalName",
        "mail",
        "employeeID",
        "memberOf",
        "primaryGroupID",
        "objectSid",
        "adminCount",
        "servicePrincipalName",
        "managedObjects",
    ],
    chain: true,
};

pub const OPENLDAP: Profile = Profile {
    kind: Kind::OpenLdap,
    id: "entryUUID",
    guid: false,
    person: "(objectClass=inetOrgPerson)",
    group: "(|(objectClass=groupOfNames)(objectClass=posixGroup))",
    login: "uid",
    lock: Lock::Value {
        attribute: "pwdAccountLockedTime",
        value: "000001010000Z",
        lost_by_password: true,
    },
    password: "userPassword",
    quoted: false,
    password_set: "pwdChangedTime",
    find: &[
        ("employeeNumber", "employeeNumber"),
        ("mail", "email"),
        ("uid", "local part of login"),
    ],
    more: &["mail", "employeeNumber", "memberOf"],
    chain: false,
};

pub const DS389: Profile = Profile {
    kind: Kind::Ds389,
    id: "nsUniqueId",
    lock: Lock::Value {
        attribute: "nsAccountLock",
        value: "TRUE",
        lost_by_password: false,
    },
    password_set: "passwordExpirationTime",
    ..OPENLDAP
};

pub const FREEIPA: Profile = Profile {
    kind: Kind::FreeIpa,
    id: "ipaUniqueID",
    person: "(objectClass=posixAccount)",
    group: "(objectClass=groupOfNames)",
    password_set: "krbLastPwdChange",
    ..DS389
};

impl Kind {
    pub const fn profile(self) -> &'static Profile {
        match self {
            Kind::Ad => &AD,
            Kind::OpenLdap => &OPENLDAP,
            Kind::Ds389 => &DS389,
            Kind::FreeIpa => &FREEIPA,
        }
    }
}
