//! The cast of the default firm: people made for a story, one row each. Dates are relative to the clock, so that no story ages.
//!
//! Who is due: those whose leaving date is past, the movers and joiners that are called due. The others are there to be left alone.

mod ids;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use ids::day;
pub(super) use ids::{google_id, okta_id, salesforce_id, slack_id};

/// A row of `jml sandbox people`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Cast {
    pub login: String,
    pub name: String,
    pub stories: Vec<&'static str>,
}

/// One of the firm's people who isn't quiet.
pub(super) struct Person {
    pub login: &'static str,
    pub first: &'static str,
    pub last: &'static str,
    /// None: they are there for somebody else's story.
    pub stories: &'static [&'static str],
    pub department: &'static str,
    pub title: &'static str,
    pub status: &'static str,
    /// `None`: what policy gives.
    pub groups: Option<&'static [&'static str]>,
    /// Days from today to the leaving date.
    pub leaves: Option<i64>,
    /// Days from today to the first day.
    pub starts: Option<i64>,
    /// Minutes since HR recorded it; `None`: a day, as with everyone.
    pub recorded: Option<i64>,
    pub slack: &'static [&'static str],
    pub has_slack: bool,
    pub crm: Crm,
    pub extra: fn(&mut Map<String, Value>),
}

/// How much of Salesforce somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crm {
    Nothing,
    /// A login that is used, with a permission set.
    Login,
    /// The same, and somebody forgot all but the freeze.
    Frozen,
    /// Everything that a seller gathers.
    Full,
}

const EMPLOYED: Person = Person {
    login: "",
    first: "",
    last: "",
    stories: &[],
    department: "Operations",
    title: "Coordinator",
    status: "ACTIVE",
    groups: None,
    leaves: None,
    starts: None,
    recorded: None,
    slack: &[],
    has_slack: true,
    crm: Crm::Nothing,
    extra: |_| {},
};

/// Left long ago, HR and the directory agree, and one login lives on.
const SURVIVOR: Person = Person {
    stories: &["salesforce-survivor"],
    department: "Sales",
    title: "Account Executive",
    status: "DEPROVISIONED",
    groups: Some(&[]),
    leaves: Some(-60),
    recorded: Some(60 * 24 * 60),
    has_slack: false,
    crm: Crm::Login,
    extra: |u| u["profile"]["employmentStatus"] = json!("Terminated"),
    ..EMPLOYED
};

/// Left yesterday; HR said so two minutes ago, so that the promise can still be kept.
const LEAVER: Person = Person {
    leaves: Some(-1),
    recorded: Some(2),
    ..EMPLOYED
};

/// Starts today, and has nothing yet.
const JOINER: Person = Person {
    starts: Some(0),
    recorded: Some(2),
    groups: Some(&[]),
    ..EMPLOYED
};

/// Nothing but the profile: the text of an attacker. The login is legal, and full of what ends a path segment.
const HOSTILE: &str = "\u{1b}[31m\u{202e}x\u{7}\u{0}\r\n=cmd|'/c'!A1\"';<b>\u{9b}2J\u{2066}";

pub(super) const CAST: &[Person] = &[
    Person {
        login: "alice@acme.example",
        first: "Alice",
        last: "Andersson",
        stories: &["leaver-due", "rule-filled", "app-mastered", "on-prem"],
        department: "Engineering",
        title: "SRE",
        groups: Some(&[
            "BR-ALL-EMPLOYEES",
            "ROLE-ENG",
            "APP-ONCALL",
            "ENG-ONCALL",
            "PROJ-ATLAS",
            "VPN-USERS",
            "TEAM-0001",
            "TEAM-0002",
            "AD-ENGINEERS",
        ]),
        slack: &["eng", "sre"],
        crm: Crm::Full,
        extra: |u| {
            u.insert("sessions".into(), json!(2));
            u.insert("grants".into(), json!(2));
        },
        ..LEAVER
    },
    Person {
        login: "ben.cole@acme.example",
        first: "Ben",
        last: "Cole",
        stories: &["leaver-due", "drive-full"],
        department: "Sales",
        title: "Account Executive",
        slack: &["sales"],
        crm: Crm::Full,
        ..LEAVER
    },
    Person {
        login: "carl.diaz@acme.example",
        first: "Carl",
        last: "Diaz",
        stories: &["leaver-missed"],
        leaves: Some(-9),
        recorded: Some(9 * 24 * 60),
        extra: |u| u["profile"]["employmentStatus"] = json!("Terminated"),
        ..LEAVER
    },
    Person {
        login: "dora.egan@acme.example",
        first: "Dora",
        last: "Egan",
        stories: &["leaver-future"],
        leaves: Some(20),
        ..LEAVER
    },
    Person {
        login: "emil.foss@acme.example",
        first: "Emil",
        last: "Foss",
        stories: &["leaver-deprovisioned"],
        status: "DEPROVISIONED",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-OPS"]),
        ..LEAVER
    },
    Person {
        login: "bob@acme.example",
        first: "Bob",
        last: "Berg",
        stories: &["mover-due"],
        department: "Sales",
        title: "Account Executive",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-ENG", "PROJ-ATLAS"]),
        recorded: Some(2),
        slack: &["eng"],
        extra: |u| {
            u["profile"]["managerId"] = json!("erin.moss@acme.example");
        },
        ..EMPLOYED
    },
    Person {
        login: "mia.toller@acme.example",
        first: "Mia",
        last: "Toller",
        stories: &["mover-title-only"],
        department: "Engineering",
        title: "Senior Software Engineer",
        recorded: Some(2),
        slack: &["eng"],
        ..EMPLOYED
    },
    Person {
        login: "max.lund@acme.example",
        first: "Max",
        last: "Lund",
        stories: &["mover-accumulated"],
        department: "Finance",
        title: "Accountant",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-FIN", "ROLE-ENG", "ROLE-OPS"]),
        ..EMPLOYED
    },
    Person {
        login: "nora@acme.example",
        first: "Nora",
        last: "Nyman",
        stories: &["joiner-due", "licence-exhausted"],
        department: "Engineering",
        title: "Software Engineer",
        ..JOINER
    },
    Person {
        login: "cy.dent@acme.example",
        first: "Cy",
        last: "Dent",
        stories: &["joiner-contractor"],
        has_slack: false,
        extra: contractor,
        ..JOINER
    },
    Person {
        login: "nina@acme.example",
        first: "Nina",
        last: "Ross",
        stories: &["joiner-no-slack-yet"],
        department: "Engineering",
        title: "Data Engineer",
        has_slack: false,
        ..JOINER
    },
    Person {
        login: "sam.reed@acme.example",
        first: "Sam",
        last: "Reed",
        stories: &["homonym"],
        department: "Finance",
        title: "Accountant",
        ..EMPLOYED
    },
    Person {
        login: "sam.reed2@acme.example",
        first: "Sam",
        last: "Reed",
        stories: &["homonym"],
        department: "People",
        title: "Recruiter",
        ..EMPLOYED
    },
    Person {
        login: "paula.root@acme.example",
        first: "Paula",
        last: "Root",
        stories: &["protected"],
        title: "Platform Owner",
        ..LEAVER
    },
    Person {
        login: "rhea.stone@acme.example",
        first: "Rhea",
        last: "Stone",
        stories: &["rule-filled"],
        department: "Engineering",
        title: "SRE",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-ENG", "APP-ONCALL", "ENG-ONCALL"]),
        slack: &["eng", "sre"],
        ..LEAVER
    },
    Person {
        login: "amir.khan@acme.example",
        first: "Amir",
        last: "Khan",
        stories: &["app-mastered", "on-prem"],
        department: "Engineering",
        title: "Software Engineer",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-ENG", "AD-ENGINEERS"]),
        slack: &["eng"],
        ..LEAVER
    },
    Person {
        login: "noel.gray@acme.example",
        first: "Noel",
        last: "Gray",
        stories: &["no-manager"],
        extra: |u| {
            u["profile"]["managerId"] = Value::Null;
        },
        ..LEAVER
    },
    Person {
        login: "rita.hall@acme.example",
        first: "Rita",
        last: "Hall",
        stories: &["rehire"],
        department: "Engineering",
        title: "SRE",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-ENG", "APP-ONCALL"]),
        starts: Some(-3),
        slack: &["eng", "sre"],
        ..EMPLOYED
    },
    Person {
        login: "olga.leaf@acme.example",
        first: "Olga",
        last: "Leaf",
        stories: &["on-leave"],
        extra: |u| {
            u["profile"]["employmentStatus"] = json!("On Leave");
        },
        ..EMPLOYED
    },
    Person {
        login: "lou.lock@acme.example",
        first: "Lou",
        last: "Lock",
        stories: &["leaver-locked-out"],
        status: "LOCKED_OUT",
        ..LEAVER
    },
    Person {
        login: "pat.pass@acme.example",
        first: "Pat",
        last: "Pass",
        stories: &["leaver-password-expired"],
        status: "PASSWORD_EXPIRED",
        ..LEAVER
    },
    Person {
        login: "ray.cover@acme.example",
        first: "Ray",
        last: "Cover",
        stories: &["leaver-recovery"],
        status: "RECOVERY",
        ..LEAVER
    },
    Person {
        login: "pia.vance@acme.example",
        first: "Pia",
        last: "Vance",
        stories: &["leaver-provisioned"],
        status: "PROVISIONED",
        groups: Some(&["BR-ALL-EMPLOYEES"]),
        ..LEAVER
    },
    Person {
        login: "stan.gate@acme.example",
        first: "Stan",
        last: "Gate",
        stories: &["leaver-staged"],
        status: "STAGED",
        groups: Some(&["BR-ALL-EMPLOYEES"]),
        has_slack: false,
        ..LEAVER
    },
    Person {
        login: "sue.pend@acme.example",
        first: "Sue",
        last: "Pend",
        stories: &["leaver-suspended"],
        status: "SUSPENDED",
        ..LEAVER
    },
    Person {
        login: "jo.next@acme.example",
        first: "Jo",
        last: "Next",
        stories: &["joiner-future"],
        status: "STAGED",
        starts: Some(10),
        has_slack: false,
        ..JOINER
    },
    Person {
        login: "dale.moon@acme.example",
        first: "Dale",
        last: "Moon",
        stories: &["department-unknown"],
        department: "Quantum Research",
        title: "Researcher",
        groups: Some(&["BR-ALL-EMPLOYEES", "ROLE-OPS"]),
        recorded: Some(2),
        ..EMPLOYED
    },
    Person {
        login: "cora.vale@acme.example",
        first: "Cora",
        last: "Vale",
        stories: &["conversion"],
        starts: Some(-1),
        ..EMPLOYED
    },
    Person {
        login: "eve/..%2f?x=#y@acme.example",
        first: HOSTILE,
        last: HOSTILE,
        stories: &["hostile-text"],
        title: HOSTILE,
        has_slack: false,
        extra: |u| {
            for field in [
                "displayName",
                "nickName",
                "employeeNumber",
                "city",
                "costCenter",
                "division",
                "organization",
                "mobilePhone",
            ] {
                u["profile"][field] = json!(format!("{field}{HOSTILE}"));
            }
        },
        ..EMPLOYED
    },
    Person {
        login: "cleo.ward@acme.example",
        first: "Cleo",
        last: "Ward",
        stories: &["contractor-no-slack"],
        has_slack: false,
        extra: contractor,
        ..EMPLOYED
    },
    Person {
        login: "gus.hale@acme.example",
        first: "Gus",
        last: "Hale",
        ..SURVIVOR
    },
    Person {
        login: "hana.ito@acme.example",
        first: "Hana",
        last: "Ito",
        crm: Crm::Frozen,
        ..SURVIVOR
    },
    Person {
        login: "ivo.juna@acme.example",
        first: "Ivo",
        last: "Juna",
        ..SURVIVOR
    },
    Person {
        login: "kim.lasker@acme.example",
        first: "Kim",
        last: "Lasker",
        ..SURVIVOR
    },
    Person {
        login: "erin.moss@acme.example",
        first: "Erin",
        last: "Moss",
        department: "Sales",
        title: "Head of Sales",
        slack: &["sales"],
        crm: Crm::Login,
        ..EMPLOYED
    },
    Person {
        login: "breakglass@acme.example",
        first: "Break",
        last: "Glass",
        title: "Emergency Access",
        has_slack: false,
        extra: |u| {
            u.insert("roles".into(), json!(["SUPER_ADMIN"]));
        },
        ..EMPLOYED
    },
    Person {
        login: "greta.owen@acme.example",
        first: "Greta",
        last: "Owen",
        stories: &["last-owner"],
        department: "Engineering",
        title: "Engineer",
        slack: &["eng"],
        ..EMPLOYED
    },
    Person {
        login: "ivo.lang@acme.example",
        first: "Ivo",
        last: "Lang",
        stories: &["github-invited"],
        department: "Engineering",
        title: "Engineer",
        starts: Some(-2),
        slack: &["eng"],
        ..EMPLOYED
    },
];

fn contractor(u: &mut Map<String, Value>) {
    u["profile"]["userType"] = json!("Contractor");
}

/// The people made for a story, in the order in which they are told.
pub fn cast() -> Vec<Cast> {
    let row = |p: &Person| Cast {
        login: p.login.into(),
        name: format!("{} {}", p.first, p.last),
        stories: p.stories.to_vec(),
    };
    CAST.iter().filter(|p| !p.stories.is_empty()).map(row).collect()
}

/// The person as the world's format lists them.
pub(super) fn okta_user(place: usize, p: &Person, now: DateTime<Utc>) -> Value {
    let mut profile = json!({"login": p.login, "firstName": p.first, "lastName": p.last, "department": p.department, "title": p.title});
    if let Some(days) = p.leaves {
        profile["terminationDate"] = day(now, days).to_string().into();
    }
    if let Some(days) = p.starts {
        profile["hireDate"] = day(now, days).to_string().into();
    }
    let mut user = Map::new();
    user.insert("id".into(), okta_id(place).into());
    user.insert("status".into(), p.status.into());
    user.insert("profile".into(), profile);
    if let Some(groups) = p.groups {
        user.insert("groups".into(), json!(groups));
    }
    if let Some(minutes) = p.recorded {
        let at = now - TimeDelta::minutes(minutes);
        user.insert("recorded".into(), at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into());
    }
    (p.extra)(&mut user);
    user.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_story_of_these_systems_is_cast() {
        let told: BTreeSet<&str> = cast().iter().flat_map(|c| c.stories.clone()).collect();
        for story in [
            "leaver-due",
            "leaver-missed",
            "leaver-future",
            "leaver-deprovisioned",
            "mover-due",
            "mover-title-only",
            "mover-accumulated",
            "joiner-due",
            "licence-exhausted",
            "drive-full",
            "joiner-contractor",
            "joiner-no-slack-yet",
            "homonym",
            "protected",
            "rule-filled",
            "app-mastered",
            "no-manager",
            "rehire",
            "on-leave",
            "leaver-locked-out",
            "leaver-password-expired",
            "leaver-recovery",
            "leaver-provisioned",
            "leaver-staged",
            "leaver-suspended",
            "joiner-future",
            "department-unknown",
            "conversion",
            "hostile-text",
            "contractor-no-slack",
            "last-owner",
            "github-invited",
            "salesforce-survivor",
            "on-prem",
        ] {
            assert!(told.contains(story), "{story}");
        }
        assert_eq!(
            cast()[0].stories,
            ["leaver-due", "rule-filled", "app-mastered", "on-prem"]
        );
        let logins: BTreeSet<&str> = CAST.iter().map(|p| p.login).collect();
        assert_eq!(logins.len(), CAST.len());
    }

    #[test]
    fn the_leavers_that_are_due_stay_below_the_brake() {
        let due = CAST.iter().filter(|p| p.leaves.is_some_and(|d| d < 0)).count();
        assert!((10..25).contains(&due), "{due}");
    }

    #[test]
    fn yesterday_is_over_in_chicago_at_any_hour() {
        for (now, want) in [
            ("2026-07-15T04:59:00Z", "2026-07-13"),
            ("2026-07-15T06:00:00Z", "2026-07-14"),
            ("2026-01-15T05:59:59Z", "2026-01-13"),
            ("2026-01-15T06:00:00Z", "2026-01-14"),
        ] {
            assert_eq!(day(now.parse().unwrap(), -1).to_string(), want, "{now}");
        }
    }
}
