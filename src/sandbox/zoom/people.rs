//! Who has an account: generated people, an owner, what Okta provisions; and how a person looks in an answer.

use serde_json::{Value, json};

use super::{ACCOUNT, BASIC, NAME, Status, User, Zoom};
use crate::sandbox::{quiet, world::World};

/// The account of quiet person n.
pub(super) fn quiet(n: usize) -> User {
    User::new(quiet_id(n), quiet::login(n))
}

fn quiet_id(n: usize) -> String {
    format!("zP{n:020}")
}

/// No account is without an owner: the first generated person, where nobody is named.
pub(super) fn furnish(zoom: &mut Zoom) {
    if zoom.users.values().all(|u| u.role_id != "0")
        && let Some(first) = zoom.users.get_mut(&quiet_id(1))
    {
        first.role_id = "0".into();
    }
}

/// What Okta's provisioning does here. Owner and admins it can't end either.
pub(super) fn provision(world: &mut World, email: &str, active: bool) {
    let Some(zoom) = &mut world.zoom else { return };
    let id = match zoom.find(email) {
        Some(u) => u.id.clone(),
        None if active => {
            let mut n = zoom.users.len();
            while zoom.users.contains_key(&format!("zN{n:020}")) {
                n += 1;
            }
            let mut user = User::new(format!("zN{n:020}"), email.to_owned());
            user.sso_session = false;
            if !zoom.free() {
                user.kind = BASIC;
            }
            let id = user.id.clone();
            zoom.users.insert(id.clone(), user);
            id
        }
        None => return,
    };
    if let Some(user) = zoom.users.get_mut(&id) {
        set_active(user, active);
    }
    world.touch(NAME, "users", &id);
}

/// Deactivation takes every licence; activation gives none back.
pub(super) fn set_active(user: &mut User, active: bool) {
    match (active, user.status) {
        (true, Status::Inactive) => user.status = Status::Active,
        (false, Status::Active) if !user.rules() => {
            (user.status, user.kind, user.sso_session) = (Status::Inactive, BASIC, false);
        }
        _ => {}
    }
}

const CREATED: &str = "2018-10-31T04:32:37Z";

/// As the list shows a person; of a pending one Zoom tells little.
pub(super) fn row(user: &User) -> Value {
    if user.status == Status::Pending {
        return json!({"id": user.id, "email": user.email, "type": user.kind, "status": "pending", "created_at": CREATED, "verified": 0});
    }
    let (first, last) = name(&user.email);
    let mut out = json!({"id": user.id, "first_name": first, "last_name": last, "display_name": format!("{first} {last}"),
        "email": user.email, "type": user.kind, "status": user.status.word(), "role_id": user.role_id, "dept": "", "verified": 1,
        "created_at": CREATED, "user_created_at": CREATED, "timezone": "America/Chicago", "language": "en-US", "group_ids": [],
        "pmi": 3_542_471_135_u64, "plan_united_type": "1"});
    if user.sso_session {
        out["last_login_time"] = json!("2026-01-05T20:40:30Z");
    }
    out
}

/// As `GET /users/{id}` does.
pub(super) fn whole(user: &User) -> Value {
    if user.status == Status::Pending {
        return json!({"id": user.id, "status": "pending", "created_at": CREATED});
    }
    let mut out = row(user);
    out["role_name"] = json!(match user.role_id.as_str() {
        "0" => "Owner",
        "1" => "Admin",
        "2" => "Member",
        _ => "Helpdesk",
    });
    out["account_id"] = json!(ACCOUNT);
    out["login_types"] = json!(user.login_types);
    out["license_info_list"] = match user.kind {
        BASIC => json!([]),
        _ => {
            json!([{"license_type": "ZOOM_WORKPLACE_BUNDLE", "license_option": 16, "subscription_id": "SUBREF-000001-000001"}])
        }
    };
    out
}

/// `ana.ruiz@acme.example` is Ana Ruiz.
fn name(email: &str) -> (String, String) {
    let capital = |w: &str| {
        let mut letters = w.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        first + letters.as_str()
    };
    let local = email.split('@').next().unwrap_or_default();
    let (first, last) = local.split_once('.').unwrap_or((local, ""));
    (capital(first), capital(last))
}
