//! Who has a login: generated people, the furniture every org has, what a directory's provisioning does, and what hangs on a user.

use sha2::{Digest, Sha256};

use super::{Assignment, NAME, Org, Record, Session, Token, User, ids};
use crate::sandbox::{
    quiet,
    world::{Provision, ProvisionKind, World},
};

/// As whom jml signs in.
pub(super) const INTEGRATION: &str = "jml.integration@acme.example";

pub(super) struct Profile {
    pub id: String,
    pub name: &'static str,
    pub licence: &'static str,
    /// Its shadow among the permission sets.
    pub set: String,
}

pub(super) fn profile(u: &User) -> Profile {
    let (n, name, licence) = match u.kind.as_str() {
        "Standard" if u.admin => (1, "System Administrator", "SFDC"),
        "Standard" => (2, "Standard User", "SFDC"),
        "PowerPartner" => (3, "Partner Community User", "PID_Partner_Community"),
        "Guest" => (4, "Guest", "PID_Guest_User"),
        _ => (5, "Automated Process", "AUTOMATED_PROCESS"),
    };
    Profile {
        id: ids::numbered("00e", n),
        name,
        licence,
        set: ids::numbered("0PS", 9000 + n),
    }
}

/// The id of another object that goes with a user.
fn beside(prefix: &str, user: &str) -> String {
    ids::whole(&format!("{prefix}{}", user.get(3..15).unwrap_or("000000000000")))
}
pub(super) fn login_id(user: &str) -> String {
    beside("0Yw", user)
}
pub(super) fn shadow_id(user: &str) -> String {
    ids::whole(&format!("0PaS{}", user.get(4..15).unwrap_or("00000000000")))
}

/// `ana.ruiz@acme.example` is Ana Ruiz.
pub(super) fn name(username: &str) -> (String, String) {
    let capital = |w: &str| {
        let mut letters = w.chars();
        let first = letters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(letters).collect::<String>()
    };
    let local = username.split('@').next().unwrap_or_default();
    match local.split_once('.') {
        Some((first, last)) => (capital(first), capital(last)),
        None => (String::new(), capital(local)),
    }
}

fn fresh(id: String, username: &str) -> User {
    User {
        id,
        username: username.to_owned(),
        email: username.to_owned(),
        federation: None,
        active: true,
        frozen: false,
        kind: "Standard".into(),
        sessions: 0,
        oauth_tokens: 0,
        admin: false,
        never: false,
        mentor: None,
    }
}

/// The account of quiet person n. Every seventh works with it at this moment.
pub(super) fn quiet(n: usize) -> User {
    let mut user = fresh(quiet::salesforce_id(n), &quiet::login(n));
    if n % 7 == 3 {
        (user.sessions, user.oauth_tokens) = (1, 1);
    }
    user
}

/// What no org is without: the integration user, a user who was never signed in, one who is somebody's mentor (a field by which a user
/// stands above another), and users who are no people.
pub(super) fn furnish(org: &mut Org, quiet: &[String]) {
    let made = |n: u64, username: &str, kind: &str| User {
        kind: kind.into(),
        ..fresh(ids::numbered("005", n), username)
    };
    let us = User {
        admin: true,
        oauth_tokens: 1,
        ..made(1, INTEGRATION, "Standard")
    };
    let partner = User {
        email: quiet
            .get(1)
            .and_then(|id| org.users.get(id))
            .map_or_else(|| "partner@reseller.example".into(), |u| u.email.clone()),
        ..made(2, "partner@reseller.example.acme", "PowerPartner")
    };
    let others = [
        us,
        partner,
        made(3, "autoproc@00dac0000000001aaa", "AutomatedProcess"),
        made(4, "cloud@00dac0000000001aaa", "CloudIntegrationUser"),
        made(5, "site.guest@acme.example", "Guest"),
        User {
            active: false,
            ..made(6, "old.timer@acme.example", "Standard")
        },
    ];
    for user in others {
        org.users.entry(user.id.clone()).or_insert(user);
    }
    let mut edit = |n: usize, change: &dyn Fn(&mut User)| {
        if let Some(user) = quiet.get(n).and_then(|id| org.users.get_mut(id)) {
            change(user);
        }
    };
    edit(0, &|u| u.admin = true);
    edit(3, &|u| u.mentor = quiet.get(4).cloned());
    edit(5, &|u| u.never = true);
    let working: Vec<String> = quiet
        .iter()
        .filter(|id| org.users.get(*id).is_some_and(|u| u.sessions > 0))
        .cloned()
        .collect();
    for id in &working {
        org.assign(id, "PermissionSetAssignment", 1, "Sales_Console");
        org.assign(id, "GroupMember", 1, "All_Sales");
    }
}

/// Whoever is named above another in a hierarchy field: by username.
pub(super) fn undeactivatable(org: &Org) -> Option<&str> {
    let mentors = org.users.values().filter_map(|u| u.mentor.as_deref());
    mentors
        .filter_map(|id| org.users.get(id))
        .map(|u| u.username.as_str())
        .next()
}

impl Org {
    pub(super) fn assign(&mut self, user: &str, object: &str, number: u64, name: &str) {
        let (prefix, of) = match object {
            "PermissionSetAssignment" => ("0Pa", "0PS"),
            "PermissionSetLicenseAssign" => ("2LA", "0PL"),
            _ => ("011", "00G"),
        };
        let id = self.next(prefix);
        let what = ids::numbered(of, number);
        let (user, object, name) = (user.to_owned(), object.to_owned(), name.to_owned());
        self.assignments.insert(
            id,
            Assignment {
                user,
                object,
                what,
                name,
            },
        );
    }

    pub(super) fn own(&mut self, user: &str, object: &str, prefix: &str, name: &str) {
        let id = self.next(prefix);
        let (owner, object, name) = (user.to_owned(), object.to_owned(), name.to_owned());
        self.records.insert(
            id,
            Record {
                owner,
                object,
                name,
                over: false,
            },
        );
    }

    /// A number that was never given out.
    fn next(&mut self, prefix: &str) -> String {
        self.serial += 1;
        ids::numbered(prefix, self.serial)
    }

    /// Rows of sessions and tokens as many as the user's counts say. Returns (list, id) of what changed.
    pub(super) fn settle(&mut self, id: &str) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        let (sessions, tokens) = match self.users.get(id) {
            Some(u) => (u.sessions, u.oauth_tokens),
            None => (0, 0),
        };
        let there: Vec<String> = self.of_sessions(id);
        for gone in there.iter().skip(sessions as usize) {
            self.sessions.remove(gone);
            changed.push(("sessions", gone.clone()));
        }
        let mut parent = there.first().cloned();
        for n in there.len()..sessions as usize {
            let new = self.next("0Ak");
            // every other one was opened from the first: it dies with it
            let child = n % 2 == 1;
            let session = Session {
                user: id.to_owned(),
                kind: if child { "SubstituteUser" } else { "UI" }.into(),
                parent: parent.clone().filter(|_| child),
            };
            parent.get_or_insert_with(|| new.clone());
            self.sessions.insert(new.clone(), session);
            changed.push(("sessions", new));
        }
        let there: Vec<String> = self
            .tokens
            .iter()
            .filter(|(_, t)| t.user == id)
            .map(|(k, _)| k.clone())
            .collect();
        for gone in there.iter().skip(tokens as usize) {
            self.tokens.remove(gone);
            changed.push(("oauth_tokens", gone.clone()));
        }
        for n in there.len()..tokens as usize {
            let new = self.next("0CM");
            let secret = hex::encode(Sha256::digest(format!("{id} {new}")));
            let app = if n % 2 == 0 {
                "Dataloader Partner"
            } else {
                "Salesforce for iOS"
            };
            let token = Token {
                user: id.to_owned(),
                app: app.into(),
                delete_token: format!("5Aep861{secret}"),
            };
            self.tokens.insert(new.clone(), token);
            changed.push(("oauth_tokens", new));
        }
        changed
    }

    fn of_sessions(&self, user: &str) -> Vec<String> {
        let of = self.sessions.iter().filter(|(_, s)| s.user == user);
        of.map(|(id, _)| id.clone()).collect()
    }

    /// The counts that `GET /state` shows.
    pub(super) fn count(&mut self, user: &str) {
        let sessions = self.sessions.values().filter(|s| s.user == user).count();
        let tokens = self.tokens.values().filter(|t| t.user == user).count();
        if let Some(u) = self.users.get_mut(user) {
            (u.sessions, u.oauth_tokens) = (sessions as u32, tokens as u32);
            self.changed.push(("users", user.to_owned()));
        }
    }
}

/// What a directory's provisioning does here: it makes a user, wakes one, or deactivates one. Sessions, tokens and permission sets stay.
pub(super) fn provision(world: &mut World, push: &Provision) {
    let Some(org) = &mut world.salesforce else { return };
    let create = push.kind == ProvisionKind::Create;
    let theirs = |u: &&User| {
        let by_id = push.external_id.as_deref().is_some_and(|id| ids::same(id, &u.id));
        by_id || u.username.eq_ignore_ascii_case(&push.user_name)
    };
    let found = org.users.values().find(theirs).map(|u| u.id.clone());
    let id = match found {
        // who is in a hierarchy field stays: the push fails
        Some(id) if !create && org.users.values().any(|u| u.mentor.as_deref() == Some(&id)) => return,
        Some(id) => id,
        None if create => {
            let id = org.next("005");
            let user = User {
                email: push.email.clone(),
                never: true,
                ..fresh(id.clone(), &push.user_name)
            };
            org.users.insert(id.clone(), user);
            id
        }
        None => return,
    };
    if let Some(u) = org.users.get_mut(&id) {
        u.active = create;
    }
    let serial = org.org_id.clone();
    world.touch(NAME, "users", &id);
    world.touch(NAME, "org", &serial);
}
