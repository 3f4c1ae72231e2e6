//! Quiet people: employed, in order, and no command has anything to do with them. Computed from their number, never stored.
//!
//! Every twin asks here who they are, so that Okta, HR and the apps agree. `given` is `World::given`, defaults filled in or not.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// How many there are where the world doesn't say.
const PEOPLE: u64 = 500;

pub fn count(given: &Value) -> usize {
    given
        .pointer("/population/people")
        .and_then(Value::as_u64)
        .unwrap_or(PEOPLE) as usize
}

pub fn login(n: usize) -> String {
    format!("p{n:05}@acme.example")
}

pub fn id(n: usize) -> String {
    format!("00uP{n:016}")
}

/// The number behind a quiet person's Okta id.
pub fn number_of(id: &str) -> Option<usize> {
    id.strip_prefix("00uP")
        .filter(|d| d.len() == 16)
        .and_then(|d| d.parse().ok())
}

pub fn employee_number(n: usize) -> String {
    format!("P{n:05}")
}

/// The Okta profile, the population's own facts laid over it.
pub fn profile(given: &Value, n: usize) -> Map<String, Value> {
    let mut p = base(&login(n), &employee_number(n), n != 1);
    match given["population"]["seed"].as_u64() {
        Some(seed) => colour(&mut p, seed, n),
        // so that the column isn't empty everywhere; the default firm has its cast for that
        None if (11..=20).contains(&n) => drop(p.insert("terminationDate".into(), "2027-01-31".into())),
        None => {}
    }
    let population = &given["population"];
    if let Some(d) = population["department"].as_str() {
        p.insert("department".into(), d.into());
    }
    overlay(&mut p, &population["profile"]);
    for some in ranges(given, n) {
        overlay(&mut p, &some["profile"]);
    }
    p
}

/// What HR's row says otherwise than the profile (by column), `=column` not yet resolved.
pub fn hr(given: &Value, n: usize) -> Map<String, Value> {
    let mut h = Map::new();
    overlay(&mut h, &given["population"]["hr"]);
    for some in ranges(given, n) {
        overlay(&mut h, &some["hr"]);
    }
    h
}

pub fn status(given: &Value, n: usize) -> &str {
    ranges(given, n)
        .filter_map(|s| s["status"].as_str())
        .last()
        .unwrap_or("ACTIVE")
}

/// The groups by name (`*` is a wildcard) where the world lists them; `None`: what policy gives.
pub fn groups(given: &Value, n: usize) -> Option<Vec<String>> {
    ranges(given, n)
        .filter(|s| s["groups"].is_array())
        .last()
        .map(|s| texts(&s["groups"]))
}

/// A listed person's profile: a quiet one's, with what is listed laid over it; `null` takes an attribute away.
pub fn listed(id: &str, given: &Value) -> Map<String, Value> {
    let login = given["login"].as_str().unwrap_or_default();
    let number = format!("E{}", &id[id.len().saturating_sub(8)..]);
    let mut p = base(login, &number, true);
    overlay(&mut p, given);
    p
}

/// The groups that the world's policy gives such a person: birthright of the worker type, the department's role, the rules' own.
pub fn policy_groups(given: &Value, profile: &Map<String, Value>) -> Vec<String> {
    let text = |k: &str| profile.get(k).and_then(Value::as_str).unwrap_or_default();
    let policy = &given["policy"];
    let kind = text("userType");
    let mut out = match policy["birthright"].as_object() {
        Some(b) => b
            .iter()
            .filter(|(k, _)| k.eq_ignore_ascii_case(kind))
            .flat_map(|(_, v)| texts(v))
            .collect(),
        None if kind.eq_ignore_ascii_case("contractor") => vec!["BR-CONTRACTORS".into()],
        None => vec!["BR-ALL-EMPLOYEES".to_owned()],
    };
    if let Some(code) = code(given, text("department")) {
        out.push(format!("ROLE-{code}"));
    }
    for rule in policy["rule"].as_array().into_iter().flatten() {
        let fits = |(k, pattern): (&String, &Value)| wild(pattern.as_str().unwrap_or_default(), text(attribute(k)));
        if rule["when"].as_object().is_some_and(|when| when.iter().all(fits)) {
            out.extend(texts(&rule["groups"]));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// The profile's word for what a rule's `when` names.
fn attribute(key: &str) -> &str {
    match key {
        "type" | "worker_type" => "userType",
        "location" => "city",
        other => other,
    }
}

/// `*` is any run of characters, all else is itself.
pub fn wild(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

const CODES: &[(&str, &str)] = &[
    ("Engineering", "ENG"),
    ("Sales", "SALES"),
    ("Finance", "FIN"),
    ("Operations", "OPS"),
    ("People", "HR"),
];

/// A department's code, as the world's policy says or by default.
fn code<'a>(given: &'a Value, department: &str) -> Option<&'a str> {
    match given["policy"]["departments"].as_object() {
        Some(map) => map.get(department)?.as_str(),
        None => CODES.iter().find(|(d, _)| *d == department).map(|(_, code)| *code),
    }
}

/// Department to code.
pub fn departments(given: &Value) -> BTreeMap<String, String> {
    match given["policy"]["departments"].as_object() {
        Some(map) => map
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned())))
            .collect(),
        None => CODES
            .iter()
            .map(|(d, code)| ((*d).to_owned(), (*code).to_owned()))
            .collect(),
    }
}

fn base(login: &str, number: &str, managed: bool) -> Map<String, Value> {
    let local = login.split('@').next().unwrap_or_default();
    let mut words = local.split(['.', '_']).filter(|w| !w.is_empty()).map(capital);
    let first = words.next().unwrap_or_else(|| "Nobody".into());
    let rest = words.collect::<Vec<_>>().join(" ");
    let last = if rest.is_empty() { first.clone() } else { rest };
    let mut p = Map::new();
    for (k, v) in [
        ("login", login),
        ("email", login),
        ("firstName", &first),
        ("lastName", &last),
        ("employeeNumber", number),
        ("department", "Operations"),
        ("title", "Worker"),
        ("userType", "Employee"),
        ("hireDate", "2020-01-06"),
        ("city", "Chicago"),
    ] {
        p.insert(k.into(), v.into());
    }
    if managed {
        p.insert("managerId".into(), self::login(1).into());
    }
    p
}

fn overlay(under: &mut Map<String, Value>, over: &Value) {
    for (k, v) in over.as_object().into_iter().flatten() {
        if v.is_null() {
            under.remove(k);
        } else {
            under.insert(k.clone(), v.clone());
        }
    }
}

fn ranges(given: &Value, n: usize) -> impl Iterator<Item = &Value> {
    let n = n as u64;
    let some = given["population"]["some"].as_array();
    some.into_iter()
        .flatten()
        .filter(move |s| (s["from"].as_u64()..=s["to"].as_u64()).contains(&Some(n)))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|c| c.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

const FIRST: &[&str] = &[
    "Ada", "Ben", "Cleo", "Dan", "Ewa", "Finn", "Gia", "Hal", "Ines", "Jon", "Kay", "Leo", "Mae", "Ned", "Olga", "Per",
];
const LAST: &[&str] = &[
    "Abel", "Boyd", "Cruz", "Dunn", "Egan", "Frost", "Gall", "Hart", "Ivers", "Jung", "Kerr", "Lowe", "Mann", "Nash",
    "Oates", "Price",
];
const JOBS: &[(&str, &str)] = &[
    ("Engineering", "Software Engineer"),
    ("Engineering", "Data Engineer"),
    ("Sales", "Account Executive"),
    ("Finance", "Accountant"),
    ("Operations", "Coordinator"),
    ("Operations", "Worker"),
    ("People", "Recruiter"),
];

/// The default firm's people differ from each other: name and job by the seed.
fn colour(p: &mut Map<String, Value>, seed: u64, n: usize) {
    let r = mix(mix(seed) ^ n as u64);
    p.insert("firstName".into(), FIRST[(r >> 8) as usize % FIRST.len()].into());
    p.insert("lastName".into(), LAST[(r >> 16) as usize % LAST.len()].into());
    let (department, title) = job(seed, n);
    p.insert("department".into(), department.into());
    p.insert("title".into(), title.into());
}

/// Department and title of the default firm's quiet person.
pub fn job(seed: u64, n: usize) -> (&'static str, &'static str) {
    JOBS[(mix(mix(seed) ^ n as u64) >> 24) as usize % JOBS.len()]
}

/// Their account in Slack.
pub fn slack_id(n: usize) -> String {
    format!("U0P{n:07}")
}

/// Their user in Salesforce.
pub fn salesforce_id(n: usize) -> String {
    format!("005AP{n:010}YAA")
}

/// SplitMix64's finaliser: even numbers in, no pattern out.
pub fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_population_is_laid_over_and_later_ranges_win() {
        let given = json!({"population": {"people": 9, "department": "Sales", "profile": {"city": null}, "hr": {"status": "active"},
            "some": [{"from": 2, "to": 4, "status": "SUSPENDED", "profile": {"title": "Boss"}, "groups": ["A"]},
                     {"from": 4, "to": 9, "profile": {"title": "Chief"}, "hr": {"status": "leave"}}]}});
        assert_eq!(count(&given), 9);
        let p = profile(&given, 4);
        assert_eq!(
            (p["title"].as_str(), p["department"].as_str(), p.get("city")),
            (Some("Chief"), Some("Sales"), None)
        );
        assert_eq!((status(&given, 4), status(&given, 5)), ("SUSPENDED", "ACTIVE"));
        assert_eq!((groups(&given, 4), groups(&given, 1)), (Some(vec!["A".into()]), None));
        assert_eq!(
            (hr(&given, 3)["status"].as_str(), hr(&given, 4)["status"].as_str()),
            (Some("active"), Some("leave"))
        );
    }

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, text, want) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*SRE*", "Senior SRE II", true),
            ("*SRE*", "SR", false),
            ("a*a", "a", false),
            ("a*b*c", "a-b-c-c", true),
            ("*", "", true),
        ] {
            assert_eq!(wild(pattern, text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn a_quiet_person_is_told_by_their_number() {
        let p = profile(&Value::Null, 11);
        assert_eq!(
            (p["login"].as_str(), p["terminationDate"].as_str()),
            (Some("p00011@acme.example"), Some("2027-01-31"))
        );
        assert_eq!(
            (p["managerId"].as_str(), profile(&Value::Null, 1).get("managerId")),
            (Some("p00001@acme.example"), None)
        );
        assert_eq!(
            (id(7).len(), number_of(&id(7)), number_of("00u00000000000000007")),
            (20, Some(7), None)
        );
        assert_eq!(policy_groups(&Value::Null, &p), ["BR-ALL-EMPLOYEES", "ROLE-OPS"]);
    }

    #[test]
    fn a_listed_person_is_a_quiet_one_with_facts_of_their_own() {
        let p = listed(
            "00u00000000000000007",
            &json!({"login": "ana.ruiz@acme.example", "city": null, "terminationDate": "2026-07-14"}),
        );
        assert_eq!(
            (p["firstName"].as_str(), p["lastName"].as_str(), p.get("city")),
            (Some("Ana"), Some("Ruiz"), None)
        );
        assert_eq!(p["email"], "ana.ruiz@acme.example");
    }
}
