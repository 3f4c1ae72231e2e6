//! `jml leaver`: the plan, the apply, the same again, and everything that is refused before anything happens.

use crate::env::{Call, Env, Out, mutating, person};
use serde_json::json;
use snapbox::{assert_data_eq, str};

const ALICE: &str = "alice@acme.example";
const ID: &str = "00uC0000000000000001";

#[test]
fn a_dry_run_shows_the_plan_and_can_change_nothing() {
    let env = Env::new();
    let s = env.serve(&[]);
    // Nothing that could write is even looked at: the write credentials are gone.
    for system in ["okta", "slack", "zoom", "salesforce", "servicenow", "datadog"] {
        std::fs::remove_file(s.config.with_file_name(format!("{system}.write")))
            .or_else(|_| std::fs::remove_file(env.path(&format!("state/jml/sandbox/{system}.write"))))
            .unwrap();
    }
    let calls = s.during(|| {
        let out = s.jml(&env, &["leaver", ALICE, "--dry-run", "--exit-code"]).exits(3);
        assert_eq!(out.stderr, "");
        assert_data_eq!(
            out.shown(),
            str![[r#"
sandbox 00o0000000000000ACME
Alice Andersson   alice@acme.example   ACTIVE   Engineering   manager p00001
HR: left [INSTANT], by terminationDate [DAY] (record changed
[INSTANT])
Due [TIME], [SPAN] from now.                              plan [PLAN]

1 contain   - okta        suspend
            - okta        clear sessions and OAuth tokens
            - okta        revoke grants
            - okta        revoke tokens of Personal app 1
            - okta        revoke API token nightly-export
            - github      revoke fine-grained token release job 1, personal access token laptop 1, SSH key laptop 2
            - github      membership of acme
            - google      sign out everywhere
            - google      revoke tokens of Figma
            - google      revoke app password "Mail on my phone", backup codes
            - google      suspend
            - ldap        suspend
            - ldap        reset the password, twice
            - salesforce  freeze
            - salesforce  sign out everywhere
            - salesforce  revoke tokens of Dataloader Partner
            - slack       sign out everywhere
            - wiki        deactivate
            - zoom        sign out everywhere
2 preserve  + google      files to p00001@acme.example
            ? google      the transfer of files ends     owed until [INSTANT]: runs in the vendor's own time
3 remove    - ldap        group AD-ENGINEERS
            - ldap        group AD-DOMAIN-USERS
            - salesforce  group All Sales
            - salesforce  group Renewals Queue
            - salesforce  role Sales Console             every role goes
            - salesforce  role Contract Approver         every role goes
            - salesforce  licence Sales Cloud Einstein   a licence that would go on
            - salesforce  deactivate                     the account alice@acme.example and the licence SFDC
            - slack       deactivate                     the account alice@acme.example
            - zoom        deactivate                     the account alice@acme.example and the licence Zoom
            - okta        group APP-ONCALL               loses PagerDuty
            - okta        group ENG-ONCALL               ! note 9
            - okta        group PROJ-ATLAS
            - okta        group VPN-USERS
            - okta        group TEAM-0001
            - okta        group BR-ALL-EMPLOYEES         loses Workday
            - okta        group TEAM-0002
            - okta        group ROLE-ENG                 loses Jira, AWS SSO
            - okta        app Figma, assigned directly
            - okta        app Legacy Wiki, assigned directly
            - okta        app Old VPN, assigned directly
4 close     ? badge       by hand: return badge          owed until [INSTANT]: waits for office@acme.example, who does it by hand
            - okta        deactivate
5 verify    read badge, github, google, ldap, okta, salesforce, slack, wiki, zoom again until gone
6 record    ServiceNow change request, Datadog event and SLA metric

! 1 Will stop: the API token "nightly-export".
! 2 github: sessions end only by themselves.
! 3 Will stop or be orphaned in github: the SAML identity alice@acme.example,
    which a person has to unlink.
= 4 The licence Google Workspace in google stays: a suspended account is still
    billed, and deleting it would delete what it holds.
! 5 ldap: sessions end only by themselves.
= 6 Domain Users in ldap stays: nobody can leave their primary group.
! 7 Will stop or be orphaned in ldap: the nested membership of AD-BUILD-HOSTS,
    the service HTTP/alice-build.corp.acme.example that runs as this account.
! 8 Will stop or be orphaned in salesforce: 2 open opportunities.
! 9 Rule "on-call by title" may fill ENG-ONCALL. Removing them by hand adds them
    to the rule's exclusion list; a rehire must be taken off it.
= 10 Group AD-ENGINEERS is mastered by its application and must be left there.
! 11 Okta unassigns Legacy Wiki, Old VPN, Workday, but does not take the account
     away there: a person has to.

48 steps on 8 systems, 2 of them owed. Nothing was changed.
Apply exactly this:  jml leaver alice@acme.example --expect [PLAN] --config [FOLDER]/c.toml

"#]]
        );
        let run = s
            .jml(&env, &["leaver", ALICE, "--dry-run", "-o", "json"])
            .exits(0)
            .json();
        assert_eq!(
            (&run["run"], &run["dry_run"], &run["sandbox"]),
            (&json!(null), &json!(true), &json!(true))
        );
        let p = person(&run, ALICE);
        assert_eq!(p["result"], "planned");
        let shown = |phase: &str| {
            let steps = p["steps"].as_array().unwrap().iter();
            steps
                .filter(|s| s["phase"] == phase)
                .map(|s| format!("{} {}", s["action"], s["target"]))
                .collect::<Vec<_>>()
        };
        assert!(p["steps"].as_array().unwrap().iter().all(|s| s["outcome"] == "planned"));
        // those of the screen: what is verified is no step of its own
        let of_the_plan = ["contain", "preserve", "remove", "close"].iter().map(|phase| shown(phase).len());
        let all: usize = of_the_plan.sum();
        assert!(out.stdout.contains(&format!("\n{all} steps on ")), "{all}");
        assert!(shown("close").contains(&r#""deactivate" "alice@acme.example""#.to_owned()));
    });
    assert_eq!(mutating(&calls), Vec::<String>::new());
    let writers: Vec<_> = calls
        .iter()
        .filter(|c| c.request_headers.to_string().contains(".write>"))
        .map(Call::name)
        .collect();
    assert_eq!(writers, Vec::<String>::new());
    // without --exit-code, a plan is no news
    s.jml(&env, &["leaver", ALICE, "--dry-run"]).exits(0);
}

#[test]
fn a_leaver_is_complete_verified_after_the_effect_and_recorded_once() {
    let env = Env::new();
    let s = env.serve(&[]);
    let had = records(&s);
    let mut run = json!(null);
    let mut said = String::new();
    let calls = s.during(|| {
        let out = s
            .jml(&env, &["leaver", ALICE, "--confirm", ALICE, "-o", "json"])
            .exits(0);
        run = out.json();
        said = out.stderr;
    });
    let p = person(&run, ALICE);
    assert_eq!((&p["result"], &p["open"]), (&json!("complete"), &json!([])), "{said}");
    let outcome = |action: &str, target: &str| {
        let steps = p["steps"].as_array().unwrap();
        let step = steps.iter().find(|s| s["action"] == action && s["target"] == target);
        step.unwrap_or_else(|| panic!("{action} {target}: {steps:#?}"))["outcome"].clone()
    };
    assert_eq!(outcome("suspend", ALICE), "verified");
    assert_eq!(outcome("deactivate", ALICE), "verified");
    assert_eq!(outcome("remove-member", "ROLE-ENG"), "verified");
    assert_eq!(outcome("revoke-token", "nightly-export"), "verified");
    let apps = p["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["target"] == "Legacy Wiki");
    let apps: Vec<_> = apps.map(|s| (s["phase"].clone(), s["outcome"].clone())).collect();
    assert_eq!(
        apps,
        [
            (json!("remove"), json!("verified")),
            (json!("verify"), json!("unassigned"))
        ]
    );
    // nothing can read sessions back
    assert_eq!(outcome("clear-sessions", ALICE), "done");
    // what its application masters is named, and left alone
    assert!(p["notes"].to_string().contains("AD-ENGINEERS"), "{p:#}");
    let theirs = |s: &&serde_json::Value| s["system"] == "okta" && s["target"] == "AD-ENGINEERS";
    assert_eq!(p["steps"].as_array().unwrap().iter().filter(theirs).count(), 0);

    let state = s.state();
    let user = &state["okta"]["users"][ID];
    assert_eq!(
        (&user["status"], &user["groups"]),
        (&json!("DEPROVISIONED"), &json!(["AD-ENGINEERS", "Everyone"]))
    );

    read_after(
        &calls,
        r"okta POST .*/lifecycle/deactivate",
        &format!("okta GET /api/v1/users/{ID}"),
    );
    read_after(
        &calls,
        r"okta DELETE /api/v1/groups/.*",
        &format!("okta GET /api/v1/users/{ID}/groups"),
    );
    read_after(
        &calls,
        r"okta DELETE .*/grants",
        &format!("okta GET /api/v1/users/{ID}/grants"),
    );
    read_after(
        &calls,
        r"okta DELETE /api/v1/api-tokens/.*",
        "okta GET /api/v1/api-tokens",
    );
    read_after(&calls, r"okta DELETE /api/v1/apps/.*", "okta GET /api/v1/apps");
    read_after(
        &calls,
        r"slack PATCH /scim/v2/Users/.*",
        "slack GET /api/users.(info|lookupByEmail)",
    );
    let suspended = calls
        .iter()
        .position(|c| c.is("okta POST .*/lifecycle/suspend"))
        .unwrap();
    let first_removal = calls
        .iter()
        .position(|c| c.is("okta DELETE /api/v1/groups/.*"))
        .unwrap();
    assert!(suspended < first_removal, "contain comes first");

    let changes: Vec<_> = calls
        .iter()
        .filter(|c| c.is("servicenow POST /api/now/table/change_request"))
        .collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        calls
            .iter()
            .filter(|c| c.is("servicenow POST /api/now/attachment/file"))
            .count(),
        1
    );
    assert_eq!(records(&s), had + 1);

    // what waits for a vendor and for a person is over
    s.patch(json!({"google": {"transfers": {"*": {"status": "completed"}}}}));
    let list = s.jml(&env, &["run", "list", "-o", "json"]).exits(0).json();
    let ran = list["rows"][0]["run"].as_str().unwrap().to_owned();
    s.jml(
        &env,
        &["run", "tick", &ran, "--evidence", "badge 4711 is in the drawer"],
    )
    .exits(0);
    s.jml(&env, &["run", "tick", &ran, "--evidence", "again"]).exits(11);
    // which closes the run, and is told
    s.jml(&env, &["leaver", ALICE, "--confirm", ALICE]).exits(0);
    // the same again: nothing is asked of anyone that would change something
    let again = s.during(|| {
        let out = s.jml(&env, &["leaver", ALICE, "--confirm", ALICE]).exits(0);
        assert!(out.stdout.contains("NOTHING TO DO"), "{}", out.stdout);
    });
    assert_eq!(mutating(&again), Vec::<String>::new());
    let run = s
        .jml(&env, &["leaver", ALICE, "--confirm", ALICE, "-o", "json"])
        .exits(0)
        .json();
    assert_eq!(person(&run, ALICE)["result"], "nothing");
}

fn records(s: &crate::env::Serve) -> usize {
    s.state()["servicenow"]["change_request"].as_object().unwrap().len()
}

/// After the last request that fits `effect` somebody looked.
#[track_caller]
fn read_after(calls: &[Call], effect: &str, read: &str) {
    let last = calls
        .iter()
        .rposition(|c| c.is(effect))
        .unwrap_or_else(|| panic!("no {effect}"));
    assert!(
        calls[last..].iter().any(|c| c.is(read) && c.status == 200),
        "nothing read back after {}",
        calls[last].name()
    );
}

#[test]
fn the_closing_report_is_what_run_show_prints() {
    let env = Env::new();
    let s = env.serve(&[]);
    let out = s.jml(&env, &["leaver", ALICE, "--confirm", ALICE]).exits(0);
    let (_, report) = out.stdout.split_once(" of them owed.\n\n").unwrap();
    // The grants and the tokens of the same client are revoked side by side: who comes second finds nothing left to do.
    assert!(report.contains("tokens revoked: Personal app 1"), "{report}");
    let settled = report
        .replace(" tokens revoked: Personal app 1,", "")
        .replace("             already    tokens revoked: Personal app 1\n", "");
    // Systems that were signed out in the same second share a row.
    let done = "deactivated\n             done       sessions cleared [TIME] (can't be read back)\n";
    let (slack, zoom) = (
        format!("slack        verified   {done}"),
        format!("zoom         verified   {done}"),
    );
    let wiki = "wiki         verified   deactivated\n";
    let one = format!("slack zoom   verified   {done}{wiki}");
    let settled = crate::env::filtered(&settled).replace(&format!("{slack}{wiki}{zoom}"), &one);
    assert_data_eq!(
        settled,
        str![[r#"
sandbox 00o0000000000000ACME
No roles are configured: whoever runs jml may do everything.
alice@acme.example   leaver   COMPLETE                              run [RUN]
okta         verified   DEPROVISIONED, grants revoked, API token revoked: nightly-export, out of 8: APP-ONCALL, ENG-ONCALL, PROJ-ATLAS, ..., unassigned from Figma, Legacy Wiki, Old VPN
             done       sessions cleared [TIME] (can't be read back)
badge        owed       by hand: return badge
                        waits for office@acme.example, who does it by hand
                        owed until [INSTANT]
github       verified   out of acme, revoked: fine-grained token release job 1, personal access token laptop 1, SSH key laptop 2
google       verified   suspended, revoked: app password "Mail on my phone", backup codes, tokens revoked: Figma, transfer to p00001@acme.example started
             done       sessions cleared [TIME] (can't be read back)
             owed       the transfer of files ends
                        runs in the vendor's own time
                        owed until [INSTANT]
ldap         verified   suspended, password reset [TIME], out of AD-ENGINEERS, AD-DOMAIN-USERS
             done       password reset [TIME] (can't be read back)
salesforce   verified   deactivated, sessions cleared [TIME], tokens revoked: Dataloader Partner, out of All Sales, Renewals Queue, without Sales Console, Contract Approver, licence freed: Sales Cloud Einstein
slack zoom   verified   deactivated
             done       sessions cleared [TIME] (can't be read back)
wiki         verified   deactivated
Workday      unassigned in Okta; a person has to take its account away
Jira         unassigned in Okta; its account was not read
AWS SSO      unassigned in Okta; its account was not read
PagerDuty    unassigned in Okta; its account was not read
Figma        unassigned in Okta; its account was not read
Legacy Wiki  unassigned in Okta; a person has to take its account away
Old VPN      unassigned in Okta; a person has to take its account away

Clock   HR to record [SPAN]   found [SPAN]   contained [SPAN]   complete [SPAN]
        due [TIME], met with [SPAN] to spare
Record  [CHANGE]   ledger checkpoint [N]
1. When done: return badge.   jml run tick [RUN]/alice@acme.example/5 --evidence TEXT --config [FOLDER]/c.toml

"#]]
    );
    let run = report
        .split_once("run r-")
        .map(|(_, r)| format!("r-{}", &r[..6]))
        .unwrap();
    assert_eq!(s.jml(&env, &["run", "show", &run]).exits(0).stdout, report);
}

fn refused(s: &crate::env::Serve, env: &Env, args: &[&str], exit: i32, says: &[&str]) -> Out {
    let mut out = None;
    let calls = s.during(|| out = Some(s.jml(env, args).exits(exit)));
    let out = out.unwrap();
    let all = format!("{}{}", out.stdout, out.stderr);
    for text in says {
        assert!(all.contains(text), "{args:?} does not say {text:?}:\n{all}");
    }
    assert_eq!(mutating(&calls), Vec::<String>::new(), "{args:?}");
    out
}

#[test]
fn what_is_refused_is_refused_before_any_change() {
    let env = Env::new();
    let s = env.serve(&[]);
    let refused = |args: &[&str], exit, says: &[&str]| refused(&s, &env, args, exit, says);
    // off a terminal: the flag and its value, ready to copy
    refused(&["leaver", ALICE], 2, &["--confirm alice@acme.example"]);
    refused(&["leaver", ALICE, "--yes"], 2, &["--confirm alice@acme.example"]);
    refused(
        &["leaver", ALICE, "--confirm", "bob@acme.example"],
        2,
        &["bob@acme.example is not whom this is about: alice@acme.example"],
    );
    refused(&["mover", "bob@acme.example"], 2, &["--yes"]);
    refused(&["joiner", "nora@acme.example"], 2, &["--yes"]);
    refused(&["sweep"], 2, &["--yes"]);
    // who is meant
    let out = refused(
        &["leaver", "Sam Reed", "--dry-run"],
        11,
        &["sam.reed@acme.example", "sam.reed2@acme.example"],
    );
    // ordered by login, not by likelihood
    assert!(
        out.stderr.find("  1  sam.reed2@") < out.stderr.find("  2  sam.reed@"),
        "{}",
        out.stderr
    );
    let doc = refused(&["leaver", "Sam Reed", "--dry-run", "-o", "json"], 11, &[]).json();
    assert_eq!(
        (&doc["kind"], doc["candidates"].as_array().unwrap().len()),
        (&json!("error"), 2)
    );
    refused(
        &["leaver", "nobody@acme.example", "--dry-run"],
        11,
        &["nobody@acme.example"],
    );
    // HR says otherwise; protected
    refused(
        &["leaver", "p00002@acme.example", "--confirm", "p00002@acme.example"],
        6,
        &["p00002@acme.example"],
    );
    refused(
        &[
            "leaver",
            "paula.root@acme.example",
            "--confirm",
            "paula.root@acme.example",
        ],
        6,
        &["protected"],
    );
    refused(
        &[
            "leaver",
            "breakglass@acme.example",
            "--confirm",
            "breakglass@acme.example",
        ],
        6,
        &[],
    );
    // a department that policy doesn't know
    refused(&["mover", "dale.moon@acme.example", "--yes"], 6, &["Quantum Research"]);
    s.patch(json!({"okta": {"users": {"00uC0000000000000009": {"profile": {"department": "Alchemy"}}}}}));
    refused(&["joiner", "nora@acme.example", "--yes"], 6, &["Alchemy"]);
}

#[test]
fn an_expected_plan_is_applied_and_another_is_stale() {
    let env = Env::new();
    let s = env.world(&crate::env::small(), &[]);
    let lee = "lee@acme.example";
    let plan = person(
        &s.jml(&env, &["leaver", lee, "--dry-run", "-o", "json"]).exits(0).json(),
        lee,
    )["plan"]
        .as_str()
        .unwrap()
        .to_owned();
    let short = format!("{}-{}-{}", &plan[..4], &plan[4..8], &plan[8..12]);
    s.patch(json!({"okta": {"users": {"00u00000000000000lee": {"groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG", "PROJ-ONE", "ROLE-FIN", "Everyone"]}}}}));
    refused(&s, &env, &["leaver", lee, "--expect", &short, "--confirm", lee], 7, &[]);
    s.patch(json!({"okta": {"users": {"00u00000000000000lee": {"groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG", "PROJ-ONE", "Everyone"]}}}}));
    let out = s
        .jml(
            &env,
            &["leaver", lee, "--expect", &short, "--confirm", lee, "-o", "json"],
        )
        .exits(0);
    assert_eq!(person(&out.json(), lee)["plan"], plan);
}

#[test]
fn an_override_of_hr_contains_and_is_held_for_an_approver() {
    let env = Env::new();
    let s = env.serve(&[]);
    let who = "p00040@acme.example";
    let args = [
        "leaver",
        who,
        "--confirm",
        who,
        "--reason",
        "left on the spot",
        "--ticket",
        "INC0010002",
        "-o",
        "json",
    ];
    let doc = s.jml(&env, &args).exits(4).json();
    let p = &doc["people"][0];
    assert_eq!((&p["result"], &p["flow"]), (&json!("held"), &json!("leaver")));
    assert!(!p["contained"].is_null());
    let phases = p["steps"].as_array().unwrap().iter().all(|s| s["phase"] == "contain");
    assert!(phases, "{p:#}");
    // The sweep leaves it at that until HR agrees, and says nothing new of it.
    let calls = s.during(|| {
        let doc = s
            .jml(&env, &["sweep", "--yes", "--lane", "leavers", "-o", "json"])
            .json();
        // A list may lag and call them active still; read by id, there is nothing to do.
        let mut told = doc["people"].as_array().unwrap().iter().filter(|p| p["login"] == who);
        assert!(told.all(|p| p["result"] == "nothing"), "{doc:#}");
    });
    assert!(!calls.iter().any(|c| c.mutates() && c.about("00uP0000000000000040")));
}
