//! Who answers for what is done, and what they may do. Never free text; whom a machine let in outranks any token that lies in the account
//! they share.
//!
//! Vault is asked who logged in only where something is about to be written down, or where `[roles]` must know: a preview needs nobody.

use nix::unistd::{Group, User};
use tokio::sync::OnceCell;

use super::{context::door::Door, error::CliError, role::Need, text};
use crate::{
    config::{Member, Role, Roles},
    providers::secrets::{LoggedIn, Secrets},
};

/// Somebody who can be held to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Of this machine: whom sudo let in, or the account itself.
    Login(String),
    Vault(LoggedIn),
}

impl Principal {
    /// As the record names them.
    fn name(&self) -> String {
        match self {
            Principal::Login(login) => login.clone(),
            Principal::Vault(who) => who.to_string(),
        }
    }
}

pub struct Operator {
    who: OnceCell<Principal>,
    door: Door,
    secrets: Option<Secrets>,
    role: Option<Role>,
}

impl Operator {
    /// Whom the tests' machine let in.
    #[cfg(test)]
    pub fn known(name: String) -> Operator {
        Operator {
            who: OnceCell::new(),
            door: Door::Sudo(name),
            secrets: None,
            role: None,
        }
    }
    pub fn of(door: Door, secrets: Secrets) -> Operator {
        Operator {
            who: OnceCell::new(),
            door,
            secrets: Some(secrets),
            role: None,
        }
    }
    /// By which role they were let in; None: the configuration has no roles.
    pub fn role(&self) -> Option<Role> {
        self.role
    }
    pub async fn name(&self) -> Result<String, CliError> {
        Ok(self.who().await?.name())
    }
    async fn who(&self) -> Result<&Principal, CliError> {
        self.who
            .get_or_try_init(|| async {
                let account = match &self.door {
                    Door::Sudo(login) => return Ok(Principal::Login(login.clone())),
                    Door::Contradiction(why) => return Err(nobody(why)),
                    Door::Account(account) => account,
                };
                let logged_in = match &self.secrets {
                    Some(secrets) => secrets.operator().await.map_err(|f| CliError::unread(&f))?,
                    None => None,
                };
                Ok(logged_in.map_or_else(|| Principal::Login(account.clone()), Principal::Vault))
            })
            .await
    }

    /// Refused where none of their roles will do. `[roles]` that isn't there allows everything.
    pub async fn admitted(mut self, need: Need, roles: Option<&Roles>) -> Result<Operator, CliError> {
        let (Some(roles), Need::One(enough)) = (roles, need) else {
            return Ok(self);
        };
        let who = self.who().await?.clone();
        let mut unsure = vec![];
        for role in enough {
            for member in roles.of(*role) {
                match is(member, &who) {
                    Ok(true) => {
                        self.role = Some(*role);
                        return Ok(self);
                    }
                    Ok(false) => {}
                    Err(why) => unsure.push(why),
                }
            }
        }
        let names: Vec<&str> = enough.iter().map(|r| r.name()).collect();
        let mut e = CliError::refused(format!(
            "this needs the role {}, which {} does not have; nothing was read or done",
            text::or(&names),
            who.name()
        ));
        e.why = unsure;
        Err(e.hint("[roles] in the configuration says who has which."))
    }
}

fn nobody(why: &str) -> CliError {
    CliError::refused("nobody can be held to answer for this; nothing was done")
        .why(why)
        .hint("jml believes sudo, a personal login to Vault, or the account that runs it.")
}

/// A member of Vault's is never one of the machine's, whatever they call themselves there.
fn is(member: &Member, who: &Principal) -> Result<bool, String> {
    match (member, who) {
        (Member::Login(login), Principal::Login(theirs)) => Ok(login == theirs),
        (Member::Group(group), Principal::Login(login)) => belongs(login, group),
        (Member::Vault(entity), Principal::Vault(who)) => Ok(*entity == who.entity),
        (Member::Vault(_), Principal::Login(_)) | (Member::Login(_) | Member::Group(_), Principal::Vault(_)) => {
            Ok(false)
        }
    }
}

/// Has somebody of this machine that role?
pub fn has(roles: &Roles, role: Role, login: &str) -> bool {
    let who = Principal::Login(login.to_owned());
    roles.of(role).iter().any(|m| is(m, &who) == Ok(true))
}

/// Has this machine such a login?
pub fn known_here(login: &str) -> bool {
    User::from_name(login).is_ok_and(|u| u.is_some())
}

/// Asked of the machine, wherever it keeps its groups. What it can't tell is no membership.
pub fn belongs(login: &str, group: &str) -> Result<bool, String> {
    let unread = |e: nix::Error| format!("this machine can't tell who is in %{group}: {}", e.desc());
    let Some(group) = Group::from_name(group).map_err(unread)? else {
        return Err(format!("this machine has no group {group}"));
    };
    let user = User::from_name(login).map_err(|e| format!("this machine can't tell who {login} is: {}", e.desc()))?;
    let Some(user) = user else { return Ok(false) };
    if user.gid == group.gid || group.mem.contains(&user.name) {
        return Ok(true);
    }
    all_groups(&user, group.gid)
}

/// A directory may leave members out of the group and tell them by the person alone.
#[cfg(not(target_vendor = "apple"))]
fn all_groups(user: &User, gid: nix::unistd::Gid) -> Result<bool, String> {
    let name = std::ffi::CString::new(user.name.as_str()).map_err(|e| e.to_string())?;
    let all = nix::unistd::getgrouplist(&name, user.gid)
        .map_err(|e| format!("this machine can't tell the groups of {}: {}", user.name, e.desc()))?;
    Ok(all.contains(&gid))
}

#[cfg(target_vendor = "apple")]
fn all_groups(_: &User, _: nix::unistd::Gid) -> Result<bool, String> {
    Ok(false)
}

/// Is a principal of the approvers' list the operator of the record? Decided by the login: what stands before an `@`, letters of either
/// case alike. Vault puts its mount before the name and the entity behind it. Where two people share a login, they count as one: too
/// strict is safe here.
pub fn same_person(principal: &str, operator: &str) -> bool {
    let login = |s: &str| {
        let s = s.split(" (Vault entity ").next().unwrap_or(s).trim();
        s.split('@').next().unwrap_or(s).to_lowercase()
    };
    let (principal, operator) = (login(principal), login(operator));
    principal == operator || operator.ends_with(&format!("-{principal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(text: &str) -> Roles {
        toml::from_str(text).unwrap()
    }
    const ENGINEERS: Need = Need::One(&[Role::Engineer]);

    #[tokio::test]
    async fn who_has_no_role_is_refused_and_the_refusal_names_it() {
        let dana = || Operator::known("dana".into());
        let refused = |r: Result<Operator, CliError>| r.err().unwrap();
        let e = refused(dana().admitted(ENGINEERS, Some(&roles("helpdesk = [\"dana\"]"))).await);
        assert_eq!(e.exit, crate::cli::exit::Exit::Refused);
        assert!(e.message.contains("engineer") && e.message.contains("dana"), "{e}");
        // Nobody is listed: it is nobody's.
        refused(dana().admitted(ENGINEERS, Some(&roles(""))).await);
        let ok = dana()
            .admitted(ENGINEERS, Some(&roles("engineer = [\"erin\", \"dana\"]")))
            .await;
        assert_eq!(ok.unwrap().role(), Some(Role::Engineer));
        assert_eq!(dana().admitted(ENGINEERS, None).await.unwrap().role(), None);
    }

    #[tokio::test]
    async fn a_contradiction_has_no_role_and_no_name() {
        let forged = || Operator {
            door: Door::Contradiction("x".into()),
            ..Operator::known(String::new())
        };
        let all = roles("engineer = [\"dana\", \"root\"]");
        assert!(forged().admitted(ENGINEERS, Some(&all)).await.is_err());
        assert!(forged().name().await.is_err());
    }

    #[test]
    fn a_name_in_vault_is_no_login() {
        let vault = |entity: &str| {
            Principal::Vault(LoggedIn {
                name: "dana".into(),
                entity: entity.into(),
            })
        };
        let member = |s: &str| s.parse::<Member>().unwrap();
        assert_eq!(is(&member("dana"), &vault("7d")), Ok(false));
        assert_eq!(is(&member("%root"), &vault("7d")), Ok(false));
        assert_eq!(is(&member("vault:7d"), &vault("7d")), Ok(true));
        assert_eq!(is(&member("vault:7d"), &vault("8e")), Ok(false));
        assert_eq!(is(&member("vault:7d"), &Principal::Login("7d".into())), Ok(false));
    }

    #[test]
    fn the_machine_says_who_is_in_a_group() {
        // Of every machine that we run on: root's own group.
        let group = Group::from_gid(nix::unistd::Gid::from_raw(0)).unwrap().unwrap().name;
        assert_eq!(belongs("root", &group), Ok(true));
        assert_eq!(belongs("nobody", &group), Ok(false));
        assert_eq!(belongs("no such login", &group), Ok(false));
        assert!(belongs("root", "no such group").is_err());
    }

    #[test]
    fn an_operator_is_known_by_the_login() {
        for operator in [
            "dana",
            "Dana",
            "dana@acme.example",
            "dana@corp.acme.example",
            "oidc-dana@acme.example (Vault entity 7d2e)",
            "userpass-dana (Vault entity 7d2e)",
        ] {
            assert!(same_person("dana@acme.example", operator), "{operator}");
            assert!(same_person("dana", operator), "{operator}");
        }
        for operator in ["erin", "danae", "jordana", "root", "oidc-erin (Vault entity dana)"] {
            assert!(!same_person("dana@acme.example", operator), "{operator}");
        }
    }
}
