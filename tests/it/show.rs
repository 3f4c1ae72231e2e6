//! `jml show`: one person, HR and every system side by side.

use crate::env::{Env, mutating};
use serde_json::json;
use snapbox::{assert_data_eq, str};

#[test]
fn a_leaver_is_drift_until_the_leaver_ran() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    let alice = "alice@acme.example";
    let before = s.jml(&env, &["show", alice]).exits(0);
    assert_data_eq!(
        before.shown(),
        str![[r#"
sandbox 00o0000000000000ACME
Alice Andersson   alice@acme.example                   read [INSTANT]
            HR (okta)                         Okta
status      terminated [INSTANT]   ACTIVE
department  Engineering                       Engineering
title       SRE                               SRE
groups      policy gives 0                    has 10
system      account             state          policy
okta        alice@acme.example  ACTIVE         none    ! drift
            to do: suspend, clear-sessions, revoke-grants, revoke-client-tokens Personal app 1, and 13 more
badge       alice@acme.example  tasks by hand  none    ! drift
            to do: by-hand return badge
github      alice-andersson     active         none    ! drift
            to do: revoke-token fine-grained token release job 1, revoke-token personal access token laptop 1, revoke-token SSH key laptop 2, leave-org acme
google      alice@acme.example  active         none    ! drift
            holds the licence Google Workspace
            to do: clear-sessions, revoke-client-tokens Figma, revoke-token app password "Mail on my phone", revoke-token backup codes, and 3 more
ldap        alice               enabled        none    ! drift
            to do: suspend, reset-password, reset-password, remove-member AD-ENGINEERS, and 1 more
salesforce  alice@acme.example  active         none    ! drift
            holds the licences Sales Cloud Einstein, SFDC
            to do: freeze, clear-sessions, revoke-client-tokens Dataloader Partner, remove-member All Sales, and 5 more
slack       alice@acme.example  active         none    ! drift
            to do: clear-sessions, deactivate
wiki        alice@acme.example  active         none    ! drift
            to do: deactivate
zoom        alice@acme.example  active         none    ! drift
            holds the licence Zoom
            to do: clear-sessions, deactivate
! crowdstrike: risk 0.81 HIGH: STALE_ACCOUNT, last active [INSTANT]
! crowdstrike: the account ACME.EXAMPLE/alice of ACTIVE_DIRECTORY is enabled
! crowdstrike: the account alice@acme.example of OKTA is enabled
  crowdstrike: saw no sign-in after the leaving instant, which is not to say that there was none
! wiz: AWS acme-prod: alice@acme.example (iam#user), with admin privileges
9 drift.   Plan the repair:  jml leaver alice@acme.example --dry-run --config [FOLDER]/c.toml

"#]]
    );
    assert_eq!(mutating(&s.journal()), Vec::<String>::new());
    s.jml(&env, &["leaver", alice, "--confirm", alice]).exits(0);
    let after = s.jml(&env, &["show", alice, "-o", "json"]).exits(0).json();
    assert_eq!(after["person"]["status"], "DEPROVISIONED");
    let marks: Vec<&str> = after["systems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["mark"].as_str().unwrap())
        .collect();
    // A task stays until it is ticked, a transfer until it is over.
    let left = after["systems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["mark"] != "ok");
    assert!(
        left.clone().all(|r| r["system"] == "badge" || r["system"] == "google"),
        "{after:#}"
    );
    assert!(marks.len() > left.count(), "{after:#}");
    let detail = after["systems"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("deactivated by run r-"), "{detail}");
}

#[test]
fn what_could_not_be_read_is_unknown_never_fine() {
    let env = Env::new();
    let s = env.serve(&["--people", "60"]);
    s.faults(json!([{"on": "slack * *", "times": "all", "answer": {"status": 401, "body": {"ok": false, "error": "token_expired"}}}]));
    let out = s
        .jml(&env, &["show", "mia.toller@acme.example", "-o", "json"])
        .exits(0)
        .json();
    let slack = out["systems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["system"] == "slack")
        .unwrap();
    assert_eq!(slack["mark"], "unknown", "{slack:#}");
    assert!(slack["state"].as_str().unwrap().starts_with("not read"), "{slack:#}");
}
