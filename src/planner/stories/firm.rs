//! The story builder. It plans, applies the plan to the model, plans again, and demands that nothing is left to start: no story can skip it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::world::{apply, state_of};
use crate::{
    model::{
        policy::{Day, Deadlines, GardenLeave, GroupsOwner, LeaverDate, OnBrake, OnLeave, OverrideBy},
        system::OKTA,
        *,
    },
    planner::{Ask, Refusal, Welcome, check, joiner, leaver, leaver::startable, mover},
};

pub fn at(text: &str) -> DateTime<Utc> {
    let full = if text.len() == 17 {
        text.replace('Z', ":00Z")
    } else {
        text.to_owned()
    };
    full.parse().expect("an instant")
}

pub fn when(text: &str) -> When {
    match text.parse::<NaiveDate>() {
        Ok(day) => When::Day(day),
        Err(_) => When::Instant(at(text)),
    }
}

fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

pub fn policy() -> Policy {
    let names = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    Policy {
        zone: chrono_tz::America::Chicago,
        zones: BTreeMap::new(),
        leaver_date: LeaverDate::TerminationDate,
        termination_day: Day::End,
        settle: Duration::ZERO,
        joiner_lead: Duration::ZERO,
        birthright: BTreeMap::from([
            ("employee".to_owned(), names(&["BR-ALL-EMPLOYEES"])),
            ("contractor".to_owned(), names(&["BR-CONTRACTORS"])),
        ]),
        departments: [("Engineering", "ENG"), ("Sales", "SALES"), ("Operations", "OPS")]
            .map(|(d, c)| (d.to_owned(), c.to_owned()))
            .into(),
        department_fallback: None,
        rules: Vec::new(),
        on_leave: OnLeave::Ignore,
        garden_leave: GardenLeave::Suspend,
        override_by: OverrideBy::Approver,
        grace: hours(72),
        promise: Duration::from_secs(900),
        preserve_wait: Duration::from_secs(7 * 24 * 3600),
        deadlines: Deadlines {
            account: hours(24),
            invitation: hours(168),
            transfer: hours(72),
            record: hours(1),
        },
        groups_owner: GroupsOwner::Jml,
    }
}

pub fn limits() -> Limits {
    let both = |count, percent| Limit {
        count: Some(count),
        percent: Some(percent),
    };
    Limits {
        leavers: both(25, 2.0),
        leavers_24h: both(50, 4.0),
        movers: both(50, 5.0),
        joiners: both(50, 5.0),
        removals_per_group: both(50, 20.0),
        adds_per_group: both(100, 10.0),
        exclusions_per_rule: Limit {
            count: Some(90),
            percent: None,
        },
        rejected: both(10, 1.0),
        short_read: both(50, 5.0),
        on_brake: OnBrake::Hold,
    }
}

pub struct Firm {
    pub now: DateTime<Utc>,
    pub policy: Policy,
    pub tenant: Catalogue,
    pub targets: BTreeMap<System, Verbs>,
}

pub fn firm() -> Firm {
    let firm = Firm {
        now: at("2026-03-02T09:05Z"),
        policy: policy(),
        tenant: Catalogue {
            tenant: "00o1acme".to_owned(),
            groups: Observed::Present(BTreeMap::new()),
            rules: Observed::Present(Vec::new()),
            apps: Observed::Present(BTreeMap::new()),
            apps_of_group: BTreeMap::new(),
            offers: BTreeMap::new(),
            protected: BTreeMap::new(),
            protection_unknown: None,
            managers: BTreeMap::new(),
            leaving: BTreeSet::new(),
        },
        targets: BTreeMap::new(),
    };
    firm.group("Everyone", GroupKind::BuiltIn).groups([
        "BR-ALL-EMPLOYEES",
        "BR-CONTRACTORS",
        "ROLE-ENG",
        "ROLE-SALES",
        "ROLE-OPS",
    ])
}

fn put<K: Ord, V>(map: &mut Observed<BTreeMap<K, V>>, key: K, value: V) {
    match map {
        Observed::Present(m) => {
            m.insert(key, value);
        }
        Observed::Absent | Observed::Unknown(_) => panic!("the story broke this part before"),
    }
}

impl Firm {
    pub fn at(mut self, now: &str) -> Self {
        self.now = at(now);
        self
    }
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }
    pub fn group(mut self, name: &str, kind: GroupKind) -> Self {
        let id = format!("00g-{name}");
        let group = Group {
            id: id.clone(),
            name: name.to_owned(),
            description: None,
            kind,
            admin: false,
        };
        put(&mut self.tenant.groups, id, group);
        self
    }
    pub fn groups<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().fold(self, |f, n| f.group(n, GroupKind::OktaGroup))
    }
    pub fn without_group(mut self, name: &str) -> Self {
        if let Observed::Present(groups) = &mut self.tenant.groups {
            groups.retain(|_, g| g.name != name);
        }
        self
    }
    /// An app that deactivates downstream, granted by these groups.
    pub fn app(self, label: &str, groups: &[&str]) -> Self {
        self.app_with(label, groups, &["PUSH_USER_DEACTIVATION"])
    }
    pub fn app_with(mut self, label: &str, groups: &[&str], features: &[&str]) -> Self {
        let id = format!("0oa-{label}");
        let app = App {
            id: id.clone(),
            label: label.to_owned(),
            name: label.to_lowercase(),
            active: true,
            features: features.iter().map(|f| (*f).to_owned()).collect(),
        };
        put(&mut self.tenant.apps, id.clone(), app);
        for g in groups {
            let of = self
                .tenant
                .apps_of_group
                .entry(format!("00g-{g}"))
                .or_insert_with(|| Observed::Present(BTreeSet::new()));
            if let Observed::Present(set) = of {
                set.insert(id.clone());
            }
        }
        self
    }
    pub fn rule(mut self, name: &str, group: &str, expression: &str, excluded: &[&str]) -> Self {
        if let Observed::Present(rules) = &mut self.tenant.rules {
            rules.push(Rule {
                id: format!("0pr-{name}"),
                name: name.to_owned(),
                status: RuleStatus::Active,
                groups: BTreeSet::from([format!("00g-{group}")]),
                excluded: excluded.iter().map(|p| PersonId(format!("00u-{p}"))).collect(),
                expression: expression.to_owned(),
            });
        }
        self
    }
    pub fn target(mut self, name: &'static str, can: &[Verb]) -> Self {
        self.targets.insert(System::of(name), can.iter().copied().collect());
        self
    }
    /// Slack on a plan that can end sessions and shut accounts.
    pub fn slack(self) -> Self {
        self.target(
            "slack",
            &[
                Verb::ClearSessions,
                Verb::Deactivate,
                Verb::JoinChannel,
                Verb::LeaveChannel,
                Verb::SendMessage,
            ],
        )
    }
    pub fn channels(mut self, names: &[&str]) -> Self {
        let all = names
            .iter()
            .map(|n| ((*n).to_owned(), Held::new(Holding::Channel, format!("C-{n}"), *n)))
            .collect();
        self.tenant.offers.insert(System::of("slack"), Observed::Present(all));
        self
    }
    pub fn manager(mut self, login: &str, live: bool) -> Self {
        let brief = Brief {
            id: PersonId(format!("00u-{login}")),
            login: format!("{login}@acme.example"),
            name: login.to_owned(),
            live,
            manager: None,
        };
        self.tenant
            .managers
            .insert(format!("{login}@acme.example"), Observed::Present(brief));
        self
    }
    pub fn protect(mut self, who: &str, why: &str) -> Self {
        self.tenant
            .protected
            .insert(PersonId(format!("00u-{who}")), why.to_owned());
        self
    }

    /// Employed since 2020, Engineering, ACTIVE, in Everyone alone; absent from every target.
    pub fn person(&self, name: &str) -> Someone {
        let login = format!("{name}@acme.example");
        let mut okta = Account {
            id: format!("00u-{name}"),
            login: login.clone(),
            state: State::Active,
            word: "ACTIVE".to_owned(),
            holds: BTreeMap::new(),
            blocked: None,
            known_as: BTreeSet::new(),
            password_set: None,
        };
        for kind in [
            Holding::Group,
            Holding::App,
            Holding::Client,
            Holding::Token,
            Holding::Role,
        ] {
            okta.holds.insert(kind, Observed::Present(BTreeSet::new()));
        }
        let elsewhere = [Verb::JoinChannel, Verb::LeaveChannel, Verb::SendMessage];
        let can = Verb::ALL.into_iter().filter(|v| !elsewhere.contains(v)).collect();
        let mut systems = BTreeMap::from([(
            OKTA,
            Seen {
                can,
                account: Observed::Present(okta),
                app: None,
            },
        )]);
        for (system, can) in &self.targets {
            let seen = Seen {
                can: can.clone(),
                account: Observed::Absent,
                app: None,
            };
            systems.insert(system.clone(), seen);
        }
        let worker = Worker {
            key: format!("W-{name}"),
            universal: None,
            login: Some(login.clone()),
            email: Some(login.clone()),
            first_name: Some(name.to_owned()),
            last_name: Some("Berg".to_owned()),
            department: Some("Engineering".to_owned()),
            title: Some("Engineer".to_owned()),
            location: None,
            worker_type: Some("employee".to_owned()),
            manager: None,
            employment: Employment::Active,
            hired: Some(when("2020-01-06")),
            terminated: None,
            last_day: None,
            recorded: Some(at("2026-03-02T09:03Z")),
            changed: Some(at("2026-03-01T09:00Z")),
            zone: None,
            rehired: false,
            day_is_end: None,
            place: None,
            fault: None,
        };
        let person = Person {
            id: PersonId(format!("00u-{name}")),
            login: login.clone(),
            email: login,
            first_name: name.to_owned(),
            last_name: "Berg".to_owned(),
            status: Status::Active,
            offers: ["suspend", "deactivate"].map(str::to_owned).into(),
            transitioning: false,
            credentials: "OKTA".to_owned(),
            created: Some(at("2020-01-06T09:00Z")),
            status_changed: Some(at("2020-01-06T09:00Z")),
            last_updated: Some(at("2026-03-01T09:00Z")),
            profile: BTreeMap::new(),
            hr: Hr::Known(Box::new(worker)),
        };
        let seen = Observation {
            person,
            tenant: Arc::new(self.tenant.clone()),
            systems,
            done: BTreeMap::new(),
            given: BTreeSet::new(),
            grants: Vec::new(),
            owed: Vec::new(),
        };
        Someone { seen }.member_of(&["Everyone"])
    }

    pub fn leaver(&self, who: &Someone) -> Plan {
        self.leaver_asking(who, &Ask::default())
    }
    pub fn leaver_asking(&self, who: &Someone, ask: &Ask) -> Plan {
        self.converges(who, |seen, now| leaver(seen, &self.policy, now, ask))
    }
    pub fn no_leaver(&self, who: &Someone) -> Refusal {
        leaver(&who.seen, &self.policy, self.now, &Ask::default()).expect_err("a refusal")
    }

    pub fn mover(&self, who: &Someone) -> Plan {
        self.converges(who, |seen, now| mover(seen, &self.policy, now))
    }
    pub fn no_mover(&self, who: &Someone) -> Refusal {
        mover(&who.seen, &self.policy, self.now).expect_err("a refusal")
    }
    pub fn joiner(&self, who: &Someone, welcome: Welcome) -> Plan {
        self.converges(who, |seen, now| joiner(seen, &self.policy, now, welcome))
    }
    pub fn no_joiner(&self, who: &Someone) -> Refusal {
        joiner(&who.seen, &self.policy, self.now, Welcome::default()).expect_err("a refusal")
    }

    /// Plan, lint, apply, plan again: nothing may be left to start.
    pub fn converges(
        &self,
        who: &Someone,
        plan: impl Fn(&Observation, DateTime<Utc>) -> Result<Plan, Refusal>,
    ) -> Plan {
        let first = plan(&who.seen, self.now).unwrap_or_else(|r| panic!("refused: {r}"));
        let lint: Vec<_> = check(&first, &self.policy, &who.seen);
        let fatal: Vec<_> = lint.iter().filter(|n| n.severity == Severity::Fatal).collect();
        assert!(fatal.is_empty(), "our own plan: {fatal:#?}\n{}", first.brief());
        let mut after = who.seen.clone();
        apply(&first, &mut after, self.now);
        let later = self.now + TimeDelta::minutes(2);
        let second = plan(&after, later).unwrap_or_else(|r| panic!("refused on the second look: {r}"));
        let left: Vec<_> = startable(&second).collect();
        assert!(left.is_empty(), "not converged: {left:#?}\nfirst:\n{}", first.brief());
        first
    }
}

#[derive(Clone, Debug)]
pub struct Someone {
    pub seen: Observation,
}

impl Someone {
    pub fn worker(mut self, change: impl FnOnce(&mut Worker)) -> Self {
        match &mut self.seen.person.hr {
            Hr::Known(w) | Hr::Converted { worker: w, .. } => change(w),
            Hr::Missing | Hr::Contradiction(_) => panic!("no worker in this story"),
        }
        self
    }
    pub fn hr(mut self, hr: Hr) -> Self {
        self.seen.person.hr = hr;
        self
    }
    pub fn terminated(self, date: &str) -> Self {
        let date = when(date);
        self.worker(|w| {
            w.employment = Employment::Terminated;
            w.terminated = Some(date);
        })
    }
    pub fn department(self, name: &str) -> Self {
        let name = name.to_owned();
        self.worker(|w| w.department = Some(name))
    }
    pub fn status(mut self, status: Status, offers: &[&str]) -> Self {
        self.seen.person.status = status;
        self.seen.person.offers = offers.iter().map(|o| (*o).to_owned()).collect();
        let state = state_of(status);
        self.okta(|a| {
            a.state = state;
            a.word = status.to_string();
        })
    }
    pub fn okta(self, change: impl FnOnce(&mut Account)) -> Self {
        self.account("okta", change)
    }
    pub fn account(mut self, system: &'static str, change: impl FnOnce(&mut Account)) -> Self {
        let seen = self.seen.systems.get_mut(&System::of(system)).expect("the system");
        match &mut seen.account {
            Observed::Present(a) => change(a),
            Observed::Absent | Observed::Unknown(_) => panic!("no account there"),
        }
        self
    }
    pub fn holds(self, kind: Holding, held: Held) -> Self {
        self.okta(|a| {
            let part = a
                .holds
                .entry(kind)
                .or_insert_with(|| Observed::Present(BTreeSet::new()));
            if let Observed::Present(set) = part {
                set.insert(held);
            }
        })
    }
    pub fn member_of(self, groups: &[&str]) -> Self {
        groups.iter().fold(self, |s, g| {
            s.holds(Holding::Group, Held::new(Holding::Group, format!("00g-{g}"), *g))
        })
    }
    pub fn assigned(mut self, app: &str, via: &str) -> Self {
        for (system, seen) in &mut self.seen.systems {
            if system.as_str().eq_ignore_ascii_case(app) {
                seen.app = Some(format!("0oa-{app}"));
            }
        }
        let mut held = Held::new(Holding::App, format!("0oa-{app}"), app);
        held.via = Some(via.to_owned());
        self.holds(Holding::App, held)
    }
    /// As the directory says it of an assignment: through which group it came.
    pub fn assigned_through(self, app: &str, group: &str) -> Self {
        let mut held = Held::new(Holding::App, format!("0oa-{app}"), app);
        held.via = Some("GROUP".to_owned());
        held.facts.insert("group_id".to_owned(), format!("00g-{group}"));
        self.holds(Holding::App, held)
    }
    pub fn part_unknown(self, kind: Holding, failure: Failure) -> Self {
        self.okta(|a| {
            a.holds.insert(kind, Observed::Unknown(failure));
        })
    }
    pub fn has(mut self, system: &'static str) -> Self {
        let name = self.seen.person.first_name.clone();
        let account = Account {
            id: format!("{system}-{name}"),
            login: self.seen.person.login.clone(),
            state: State::Active,
            word: "active".to_owned(),
            holds: BTreeMap::from([(Holding::Channel, Observed::Present(BTreeSet::new()))]),
            blocked: None,
            known_as: BTreeSet::new(),
            password_set: None,
        };
        let seen = self.seen.systems.get_mut(&System::of(system)).expect("the target");
        seen.account = Observed::Present(account);
        self
    }
    pub fn in_channels(self, names: &[&str]) -> Self {
        let set = names
            .iter()
            .map(|n| Held::new(Holding::Channel, format!("C-{n}"), *n))
            .collect();
        self.account("slack", |a| {
            a.holds.insert(Holding::Channel, Observed::Present(set));
        })
    }
    pub fn unreadable(mut self, system: &'static str) -> Self {
        let seen = self.seen.systems.get_mut(&System::of(system)).expect("the target");
        seen.account = Observed::Unknown(Failure::transient(system, "503 after 3 tries"));
        self
    }
}
