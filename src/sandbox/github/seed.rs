//! The default firm's organisation: Engineering is in it, one owner, two teams, an invitation nobody answered.

use serde_json::{Value, json};

use super::quiet_member;
use crate::sandbox::{
    cast::{self, CAST},
    quiet,
};

/// The cast's logins there: `alice-andersson`.
fn login(first: &str, last: &str) -> String {
    format!("{first}-{last}").to_lowercase().replace(' ', "-")
}

pub fn seed(people: usize, seed: u64) -> Value {
    let mut members = vec![json!({"generated": 0})];
    let mut saml = Vec::new();
    let (mut platform, mut oncall) = (Vec::new(), Vec::new());
    for n in (1..=people).filter(|n| quiet::job(seed, *n).0 == "Engineering") {
        let m = quiet_member(n);
        members.push(json!({"id": m.id, "login": m.login, "pats": u8::from(n % 50 == 0)}));
        platform.push(m.login);
    }
    // Who starts has nothing yet.
    let there = |p: &&cast::Person| p.department == "Engineering" && p.starts.is_none_or(|days| days < 0);
    for (i, p) in CAST.iter().enumerate() {
        let login = login(p.first, p.last);
        if p.stories.contains(&"github-invited") || !there(&p) {
            continue;
        }
        let first = i == 0;
        let owner = p.stories.contains(&"last-owner");
        members.push(
            json!({"id": 700_000 + i, "login": login, "role": if owner { "admin" } else { "member" },
            "credentials": if first { 2 } else { 0 }, "pats": u8::from(first)}),
        );
        saml.push(json!({"name_id": p.login, "login": login}));
        platform.push(login.clone());
        if first {
            oncall.push(login);
        }
    }
    let invited = CAST.iter().filter(|p| p.stories.contains(&"github-invited"));
    let invitations: Vec<Value> = invited
        .map(|p| json!({"id": 501, "login": null, "email": p.login}))
        .collect();
    json!({
        "members": members,
        "saml": saml,
        "teams": {"platform": platform, "on-call": oncall},
        "invitations": invitations,
        "outside": ["mills-contracting", "studio-nord"],
    })
}
