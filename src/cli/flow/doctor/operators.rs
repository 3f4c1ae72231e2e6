//! Who runs this, by whose word, and what `[roles]` makes of it on this machine.

use super::{Block, Finding};
use crate::{
    cli::{
        context::{
            Context,
            door::{self, Door},
        },
        exit::Exit,
        firm::Firm,
        operator,
    },
    config::{Member, Role, Roles},
};

pub(super) fn block(cx: &Context, firm: &Firm) -> Block {
    let door = Door::of(cx.env.sudo.as_ref());
    let mut findings = vec![match &door {
        Door::Sudo(login) => Finding::ok("operator", format!("{login}, whom sudo let in")),
        Door::Account(login) => Finding::ok("operator", format!("{login}: the account itself, whom nobody let in")),
        Door::Contradiction(why) => Finding::look("operator", format!("nobody: {why}"))
            .costs("what would be written down is refused")
            .repair("Run jml by sudo, or without SUDO_USER in the environment"),
    }];
    match &firm.config.roles {
        None if firm.config.loopback_only() => {
            findings.push(Finding::ok("roles", "none: everything is allowed, on loopback"));
        }
        None => findings.push(
            Finding::look("roles", "none are configured")
                .costs("whoever may run jml may do everything")
                .repair("Write [roles] (docs/DEPLOYMENT.md)"),
        ),
        Some(roles) => {
            findings.extend(Role::ALL.map(|role| told(roles, role)));
            findings.extend(strangers(roles));
            findings.extend(timer(roles, &door::account()));
        }
    }
    Block {
        system: "operators".into(),
        findings,
        ..Block::default()
    }
}

fn told(roles: &Roles, role: Role) -> Finding {
    let members: Vec<String> = roles.of(role).iter().map(Member::to_string).collect();
    match members.as_slice() {
        [] => Finding::look("roles", format!("{role}: nobody")),
        some => Finding::ok("roles", format!("{role}: {}", some.join(", "))),
    }
}

/// Who is listed and not known here. Vault's entities are Vault's.
fn strangers(roles: &Roles) -> Vec<Finding> {
    let listed = Role::ALL.into_iter().flat_map(|role| roles.of(role));
    let mut out: Vec<Finding> = vec![];
    for member in listed {
        let fault = match member {
            Member::Group(group) => operator::belongs("root", group).err(),
            Member::Login(login) => {
                (!operator::known_here(login)).then(|| format!("this machine has no login {login}"))
            }
            Member::Vault(_) => None,
        };
        let Some(fault) = fault else { continue };
        if !out.iter().any(|f| f.check.subject == fault) {
            out.push(
                Finding::failed("members", fault, Exit::Usage)
                    .costs(format!("{member} in [roles] is nobody"))
                    .repair("Correct [roles], or make it known to this machine"),
            );
        }
    }
    out
}

/// The timer runs as the account itself: it sweeps by its own role.
fn timer(roles: &Roles, account: &str) -> Option<Finding> {
    let sweeps = operator::has(roles, Role::Engineer, account);
    (!sweeps).then(|| {
        Finding::look(
            "timer",
            format!("{account}, the account that runs this, is no engineer"),
        )
        .costs("its timer can't sweep")
        .repair(format!("engineer = [\"{account}\", ...] under [roles]"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_listed_and_not_known_here_is_told() {
        let roles: Roles =
            toml::from_str("helpdesk = [\"%no such group\", \"root\"]\nengineer = [\"no-such-login\", \"vault:7d\"]")
                .unwrap();
        let found = strangers(&roles);
        let subjects: Vec<&str> = found.iter().map(|f| f.check.subject.as_str()).collect();
        assert_eq!(
            subjects,
            [
                "this machine has no group no such group",
                "this machine has no login no-such-login"
            ]
        );
        assert!(timer(&roles, "jml").is_some());
        let roles: Roles = toml::from_str("engineer = [\"jml\"]").unwrap();
        assert!(timer(&roles, "jml").is_none());
        assert_eq!(told(&roles, Role::Approver).check.result, "look");
    }
}
