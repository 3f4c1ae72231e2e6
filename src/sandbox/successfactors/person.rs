//! A person as OData shows them, from the root to the job.
//!
//! Some have an ended global assignment beside their employment, some an earlier employment whose user is gone: by their number.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::UTC;
use serde_json::{Value, json};

use crate::sandbox::{staff::Staff, twin::Call};

pub(super) const PROPERTIES: &[&str] = &[
    "personIdExternal",
    "personId",
    "lastModifiedDateTime",
    "personalInfoNav",
    "emailNav",
    "personEmpTerminationInfoNav",
    "employmentNav",
];
pub(super) const USER_PROPERTIES: &[&str] = &[
    "userId",
    "username",
    "status",
    "email",
    "timeZone",
    "firstName",
    "lastName",
    "department",
    "lastModifiedDateTime",
    "hireDate",
];

const FOREVER: &str = "/Date(253402214400000)/";
const MODIFIED: &str = "/Date(1772352000000+0000)/";

fn date(day: Option<NaiveDate>) -> Value {
    match day {
        Some(d) => format!("/Date({})/", d.and_time(NaiveTime::MIN).and_utc().timestamp_millis()).into(),
        None => Value::Null,
    }
}

pub(super) fn user_id(s: &Staff) -> String {
    let login = s.login.as_deref().unwrap_or(&s.id);
    login.split('@').next().unwrap_or(login).to_owned()
}

fn over(s: &Staff, call: &Call) -> bool {
    s.over(call.now, s.zone.unwrap_or(UTC))
}

/// Not begun: no user and no job yet.
fn before(s: &Staff, call: &Call) -> bool {
    s.starts_later(call.now, s.zone.unwrap_or(UTC))
}

pub(super) fn user(s: &Staff, call: &Call) -> Option<Value> {
    let login = s.login.as_deref().filter(|_| !before(s, call))?;
    let status = if over(s, call) { "f" } else { "t" };
    Some(
        json!({"__metadata": {"uri": format!("{}/odata/v2/User('{}')", call.origin, user_id(s)), "type": "SFOData.User"},
        "userId": user_id(s), "username": login, "status": status, "email": s.email, "timeZone": s.zone.map(|z| z.name()),
        "firstName": s.first, "lastName": s.last, "department": s.department, "lastModifiedDateTime": MODIFIED, "hireDate": date(s.hired)}),
    )
}

pub(super) fn shown(s: &Staff, number: u64, expand: &BTreeSet<String>, call: &Call) -> Value {
    let base = format!("{}/odata/v2", call.origin);
    let uri = format!("{base}/PerPerson('{}')", s.id);
    let deferred = |nav: &str| json!({"__deferred": {"uri": format!("{uri}/{nav}")}});
    let nav = |name: &str, value: Value| if expand.contains(name) { value } else { deferred(name) };
    let (gone, ahead) = (over(s, call), before(s, call));
    let employments: Vec<Value> = employments(s, number, expand, call, gone, ahead);
    let mut email = Vec::new();
    if let Some(address) = s.email.as_deref().filter(|_| !ahead) {
        // The private one may be the primary.
        for (id, code, address, primary) in [
            ("8450", "P", format!("{number:x}@home.example"), true),
            ("8448", "B", address.to_owned(), false),
        ] {
            let kind = json!({"__metadata": {"type": "SFOData.PicklistOption"}, "id": id, "externalCode": code});
            let mut e = json!({"__metadata": {"type": "SFOData.PerEmail"}, "emailType": id, "emailAddress": address, "isPrimary": primary});
            e["emailTypeNav"] = nav("emailNav/emailTypeNav", kind);
            email.push(e);
        }
    }
    let info = if ahead {
        Value::Null
    } else {
        json!({"__metadata": {"type": "SFOData.PersonEmpTerminationInfo"}, "personIdExternal": s.id,
            "activeEmploymentsCount": if gone { 0 } else { 1 }, "latestTerminationDate": date(s.terminated.filter(|_| gone))})
    };
    let personal = json!({"results": [{"__metadata": {"type": "SFOData.PerPersonal"}, "personIdExternal": s.id,
        "startDate": date(s.hired), "endDate": FOREVER, "firstName": s.first, "lastName": s.last, "preferredName": null}]});
    json!({"__metadata": {"uri": uri, "type": "SFOData.PerPerson"}, "personIdExternal": s.id, "personId": (number % 1_000_000).to_string(),
        "lastModifiedDateTime": MODIFIED,
        "personalInfoNav": nav("personalInfoNav", personal),
        "emailNav": nav("emailNav", json!({ "results": email })),
        "personEmpTerminationInfoNav": nav("personEmpTerminationInfoNav", info),
        "employmentNav": nav("employmentNav", json!({ "results": employments }))})
}

fn employments(s: &Staff, number: u64, expand: &BTreeSet<String>, call: &Call, gone: bool, ahead: bool) -> Vec<Value> {
    let own = One {
        id: user_id(s),
        from: s.hired,
        to: s.terminated,
        last_day: s.last_day,
        class: "ST",
        code: match (s.rescinded == Some(true), gone, s.on_leave) {
            (true, ..) => "RNS",
            (_, true, _) => "T",
            (_, _, true) => "P",
            _ => "A",
        },
        job: !ahead,
        user: user(s, call),
    };
    let past = |from: i32, to: i32| (NaiveDate::from_ymd_opt(from, 4, 14), NaiveDate::from_ymd_opt(to, 6, 28));
    let mut all = Vec::new();
    let later = |year: i32| {
        s.hired
            .is_some_and(|h| h > NaiveDate::from_ymd_opt(year, 12, 31).unwrap_or_default())
    };
    if number.is_multiple_of(50) && !gone {
        let (from, to) = past(2022, 2025);
        let user = user(s, call).map(|mut u| {
            u["status"] = "f".into();
            u
        });
        let id = format!("{}_ga", user_id(s));
        all.push(One {
            id,
            from,
            to,
            last_day: None,
            class: "GA",
            code: "T",
            job: true,
            user,
        });
    }
    if number % 50 == 1 && later(2019) && !gone {
        let (from, to) = past(2017, 2019);
        let id = format!("{}_old", user_id(s));
        all.push(One {
            id,
            from,
            to,
            last_day: to,
            class: "ST",
            code: "T",
            job: true,
            user: None,
        });
    }
    // In no order that anyone guarantees.
    if number.is_multiple_of(2) {
        all.push(own);
    } else {
        all.insert(0, own);
    }
    all.into_iter().map(|e| e.shown(s, expand, call)).collect()
}

struct One {
    id: String,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    class: &'static str,
    code: &'static str,
    job: bool,
    user: Option<Value>,
}

impl One {
    fn shown(self, s: &Staff, expand: &BTreeSet<String>, call: &Call) -> Value {
        let uri = format!(
            "{}/odata/v2/EmpEmployment(personIdExternal='{}',userId='{}')",
            call.origin, s.id, self.id
        );
        let nav = |name: &str, value: Value| match expand.contains(&format!("employmentNav/{name}")) {
            true => value,
            false => json!({"__deferred": {"uri": format!("{uri}/{name}")}}),
        };
        let status = json!({"__metadata": {"type": "SFOData.PicklistOption"}, "id": "6001", "externalCode": self.code});
        let department = json!({"__metadata": {"type": "SFOData.FODepartment"}, "externalCode": "D-1", "name_localized": s.department});
        let manager = s.manager.as_deref().unwrap_or("NO_MANAGER");
        let job = json!({"__metadata": {"type": "SFOData.EmpJob"}, "userId": self.id, "startDate": date(self.from), "endDate": FOREVER,
            "seqNumber": "1", "jobTitle": s.title, "department": "D-1", "managerId": manager, "emplStatus": "6001", "event": "3671",
            "timezone": null, "departmentNav": nav("jobInfoNav/departmentNav", department),
            "emplStatusNav": nav("jobInfoNav/emplStatusNav", status)});
        let jobs = if self.job { vec![job] } else { vec![] };
        json!({"__metadata": {"uri": uri.clone(), "type": "SFOData.EmpEmployment"}, "personIdExternal": s.id, "userId": self.id,
            "startDate": date(self.from), "originalStartDate": date(self.from), "endDate": date(self.to),
            "lastDateWorked": date(self.last_day), "assignmentClass": self.class, "isContingentWorker": s.contractor, "okToRehire": null,
            "lastModifiedDateTime": MODIFIED, "userNav": nav("userNav", self.user.unwrap_or_default()),
            "jobInfoNav": nav("jobInfoNav", json!({ "results": jobs }))})
    }
}
