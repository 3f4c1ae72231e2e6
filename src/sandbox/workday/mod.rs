//! The twin of Workday: one custom report as JSON (RaaS), the token endpoint, the Staffing REST service. SOAP answers 501.
//!
//! Written from the vendor's published set-up pages, recorded report bodies and Microsoft's integration reference. A report prints text;
//! an empty value is absent, null or "". Its day is Pacific, whoever asks and wherever the worker is.

#[cfg(test)]
mod tests;

use chrono_tz::{America::Los_Angeles, Tz};
use serde_json::{Map, Value, json};

use super::{
    staff::{self, Staff},
    twin::{Call, Reply, Twin, blank, reason},
    world::World,
};

const NAME: &str = "workday";
const TENANT: &str = "acme";
const OWNER: &str = "ISU_JML";
const REPORT: &str = "JML_Workers";
const USER: &str = "ISU_JML@acme";
const CLIENT: &str = "jml";
const DAY: Tz = Los_Angeles;

pub const TWIN: Twin = Twin {
    name: NAME,
    answer,
    here: |w| staff::here(w, NAME),
    endpoints: |w, _| {
        let secret = |name: &str| w.secret(name).map(str::to_owned);
        json!({"tenant": TENANT, "report": format!("{OWNER}/{REPORT}"), "user": USER, "password": secret("workday.read"),
            "client_id": CLIENT, "client_secret": secret("workday.client"), "refresh_token": secret("workday.refresh")})
    },
    section: |_| json!({"tenant": TENANT, "report": format!("{OWNER}/{REPORT}"), "user": USER, "write": null}),
    more: &["client", "refresh"],
    manners: &[
        "domain-lost",
        "active-only",
        "constrained",
        "truncated",
        "empty",
        "html-503",
        "not-authorized-500",
    ],
    operation: |_, call| {
        Some(match call.parts()[..] {
            ["ccx", "service", "customreport2", ..] => "run-report".into(),
            ["ccx", "oauth2", ..] => "get-token".into(),
            ["ccx", "api", "staffing", ..] => "list-workers".into(),
            _ => return None,
        })
    },
    refusal: |_, status| refusal(status, reason(status)).again("retry-after", "2"),
    ..blank(NAME)
};

fn answer(world: &mut World, call: &Call) -> Reply {
    match (call.method.as_str(), &call.parts()[..]) {
        ("GET", ["ccx", "service", "customreport2", TENANT, owner, report]) => raas(world, call, owner, report),
        ("POST", ["ccx", "oauth2", TENANT, "token"]) => token(world, call),
        ("GET", ["ccx", "api", "staffing", _, TENANT, "workers", rest @ ..]) => rest_workers(world, call, rest),
        _ => Reply::empty(501),
    }
}

fn known(world: &World, call: &Call) -> bool {
    let header = call.header("authorization");
    let right = |secret: &str, names: &[&str]| {
        let held = world.credential(NAME, secret);
        held.is_some_and(|c| names.contains(&c.name.as_str()))
    };
    match (staff::basic(header), staff::bearer(header)) {
        (Some((user, password)), _) => user == USER && right(&password, &["workday.read"]),
        (None, Some(token)) => right(token, &["workday.all"]),
        (None, None) => false,
    }
}

fn refusal(status: u16, word: &str) -> Reply {
    Reply::json(status, &json!({ "error": word }))
}

fn raas(world: &World, call: &Call, owner: &str, report: &str) -> Reply {
    if !known(world, call) {
        return Reply::empty(401);
    }
    if (owner, report) != (OWNER, REPORT) {
        return refusal(404, "invalid report name");
    }
    let differs = |manner| staff::differs(world, NAME, manner);
    if differs("html-503") {
        return Reply {
            status: 503,
            headers: vec![("content-type".into(), "text/html".into())],
            body: b"<html><title>Workday is currently unavailable</title></html>".to_vec(),
        };
    }
    if differs("not-authorized-500") {
        return refusal(500, "Processing error occurred. The task submitted is not authorized.");
    }
    let mut only = None;
    for (key, value) in &call.query {
        match key.as_str() {
            "format" if value == "json" => {}
            "Employee_ID" => only = Some(value.as_str()),
            _ => return refusal(400, &format!("Validation error: {key}")),
        }
    }
    if call.param("format").is_none() {
        return Reply::empty(501);
    }
    let mut people = staff::all(world);
    if differs("active-only") {
        people.retain(|s| !s.over(call.now, DAY));
    }
    if differs("constrained") {
        people.truncate(people.len() / 2);
    }
    let emails: std::collections::BTreeMap<String, String> = people
        .iter()
        .filter_map(|s| Some((s.id.clone(), s.email.clone()?)))
        .collect();
    let mut rows: Vec<Value> = people
        .iter()
        .filter(|s| only.is_none_or(|id| s.id == id))
        .enumerate()
        .map(|(i, s)| row(s, i, call, &emails))
        .collect();
    if differs("domain-lost") {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            for column in [
                "Worker_Status",
                "Active_Status",
                "Termination_Date",
                "Last_Day_of_Work",
                "Contract_End_Date",
            ] {
                row.remove(column);
            }
        }
    }
    if differs("empty") {
        rows.clear();
    }
    let mut reply = Reply::json(200, &json!({ "Report_Entry": rows }));
    if differs("truncated") {
        reply.body.truncate(reply.body.len() / 2);
    }
    reply
}

/// One worker as the report prints them.
fn row(s: &Staff, place: usize, call: &Call, emails: &std::collections::BTreeMap<String, String>) -> Value {
    let mut row = Map::new();
    let mut put = |key: &str, value: Option<String>| match value.filter(|v| !v.is_empty()) {
        Some(v) => drop(row.insert(key.into(), v.into())),
        None => match place % 3 {
            0 => {}
            1 => drop(row.insert(key.into(), Value::Null)),
            _ => drop(row.insert(key.into(), "".into())),
        },
    };
    let flag = |on: bool| Some(if on { "1".to_owned() } else { "0".to_owned() });
    // Dates carry the offset of whoever asks, in some tenants.
    let date = |d: Option<chrono::NaiveDate>| {
        d.map(|d| {
            if place % 5 == 4 {
                format!("{d}-08:00")
            } else {
                d.to_string()
            }
        })
    };
    let over = s.over(call.now, DAY);
    let later = s.starts_later(call.now, DAY);
    let never = s.rescinded == Some(true);
    put(
        if s.contractor {
            "Contingent_Worker_ID"
        } else {
            "Employee_ID"
        },
        Some(s.id.clone()),
    );
    put("Worker_WID", Some(wid(s)));
    put("User_Name", s.login.clone());
    put("Work_Email", s.email.clone());
    put("First_Name", Some(s.first.clone()));
    put("Last_Name", Some(s.last.clone()));
    put("Preferred_Name", Some(s.name()));
    put("Department", Some(s.department.clone()));
    put("Business_Title", Some(s.title.clone()));
    put("Manager_Employee_ID", s.manager.clone());
    put(
        "Manager_Work_Email",
        s.manager.as_ref().and_then(|m| emails.get(m)).cloned(),
    );
    put(
        "Worker_Type",
        Some(if s.contractor { "Contingent Worker" } else { "Employee" }.into()),
    );
    if !s.contractor {
        put("Employee_Type", Some("Regular".into()));
    }
    let status = match (over, s.on_leave) {
        (true, _) => "Terminated",
        (false, true) => "On Leave",
        (false, false) => "Active",
    };
    put("Worker_Status", Some(status.into()));
    put("Active_Status", flag(!(over || later || never)));
    put("Hire_Date", date(s.hired));
    put("Original_Hire_Date", date(s.hired));
    let end = if s.contractor {
        "Contract_End_Date"
    } else {
        "Termination_Date"
    };
    put(end, date(s.terminated));
    put("Last_Day_of_Work", date(s.last_day));
    put(
        "Termination_Entered",
        s.entered.filter(|_| s.terminated.is_some()).map(|t| {
            t.with_timezone(&DAY)
                .to_rfc3339_opts(chrono::SecondsFormat::Millis, false)
        }),
    );
    let rehired = !s.contractor && s.terminated.zip(s.hired).is_some_and(|(t, h)| t < h);
    put("Rehire", flag(rehired));
    put("Location_Time_Zone", s.zone.map(|z| z.name().to_owned()));
    // Columns that only some firms' reports have.
    if let Some(universal) = &s.universal {
        row.insert("Universal_ID".into(), universal.clone().into());
    }
    if let Some(rescinded) = s.rescinded {
        row.insert("Hire_Rescinded".into(), if rescinded { "1" } else { "0" }.into());
    }
    row.into()
}

/// 32 hexadecimal digits; of a contractor and the employee whom they became, two.
fn wid(s: &Staff) -> String {
    let kind = if s.contractor { "c" } else { "e" };
    let h = |salt: &str| {
        staff::hash(&format!(
            "{salt}{kind}{}{}",
            s.id,
            s.login.as_deref().unwrap_or_default()
        ))
    };
    format!("{:016x}{:016x}", h("a"), h("b"))
}

fn token(world: &World, call: &Call) -> Reply {
    let form: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |key: &str| form.get(key).cloned().unwrap_or_default();
    let (client, secret) =
        staff::basic(call.header("authorization")).unwrap_or_else(|| (field("client_id"), field("client_secret")));
    let holds = |secret: &str, name: &str| world.secret(name) == Some(secret);
    if client != CLIENT || !holds(&secret, "workday.client") {
        return refusal(401, "invalid_client");
    }
    if field("grant_type") != "refresh_token" || !holds(&field("refresh_token"), "workday.refresh") {
        return refusal(400, "invalid_grant");
    }
    let all = world.secret("workday.all").unwrap_or_default();
    Reply::json(
        200,
        &json!({"access_token": all, "token_type": "Bearer", "refresh_token": field("refresh_token"), "expires_in": 14399}),
    )
}

/// Staffing REST: nothing of a termination.
fn rest_workers(world: &World, call: &Call, rest: &[&str]) -> Reply {
    let bearer = staff::bearer(call.header("authorization"));
    if bearer.is_none() || !known(world, call) {
        return refusal(401, "invalid_grant");
    }
    let people = staff::all(world);
    match rest {
        [] => {}
        [one] => {
            return match people.iter().find(|s| wid(s) == *one) {
                Some(s) => Reply::json(200, &rest_worker(s, call)),
                None => refusal(404, "resource not found"),
            };
        }
        _ => return Reply::empty(501),
    }
    let number = |key: &str, usual: usize| call.param(key).map_or(Some(usual), |t| t.parse().ok());
    let wrong = |field: &str, error: &str| {
        Reply::json(
            400,
            &json!({"error": "invalid request: validation errors", "errors": [{"error": error, "field": field}]}),
        )
    };
    let Some(limit) = number("limit", 20).filter(|n| (1..=100).contains(n)) else {
        return wrong("limit", "Enter a value no greater than 100");
    };
    let Some(offset) = number("offset", 0) else {
        return wrong("offset", "Enter a number");
    };
    let page: Vec<Value> = people
        .iter()
        .skip(offset)
        .take(limit)
        .map(|s| rest_worker(s, call))
        .collect();
    Reply::json(200, &json!({"total": people.len(), "data": page}))
}

fn rest_worker(s: &Staff, call: &Call) -> Value {
    let mark = if s.over(call.now, DAY) {
        " (Terminated)"
    } else if s.on_leave {
        " (On Leave)"
    } else if s.contractor {
        " [C]"
    } else {
        ""
    };
    let id = wid(s);
    let kind = if s.contractor { "Contingent Worker" } else { "Employee" };
    json!({"id": id, "descriptor": format!("{}{mark}", s.name()), "workerId": s.id,
        "workerType": {"id": "0e44c92412d34b01ace61e80a47aaf6d", "descriptor": kind},
        "person": {"id": format!("p{}", &id[1..]), "email": s.email},
        "primaryJob": {"id": format!("j{}", &id[1..]), "descriptor": s.title, "businessTitle": s.title,
            "supervisoryOrganization": {"id": "o1", "descriptor": s.department},
            "location": {"id": "l1", "descriptor": s.site}}})
}
