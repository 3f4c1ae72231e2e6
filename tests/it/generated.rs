//! What is made from the program and kept in the repository: man pages, completions, tables in the documents. `BLESS=1` rewrites them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jml::{
    cli::{document, exit::Exit, generate},
    model::{
        Verb,
        record::{Manifest, What},
    },
    providers::registry::REGISTRY,
};
use serde_json::Value;

pub fn repository() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

#[expect(clippy::disallowed_methods, reason = "a test's own switch")]
fn bless() -> bool {
    std::env::var_os("BLESS").is_some()
}

fn folder(path: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for f in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = f.file_name().to_string_lossy().into_owned();
        all.insert(name, fs::read_to_string(f.path()).unwrap());
    }
    all
}

/// Every file of a folder is made by the program, and no file too many lies there.
fn same_folder(name: &str, made: impl Fn(&Path)) {
    let kept = repository().join(name);
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let fresh = folder(dir.path());
    assert!(!fresh.is_empty(), "{name}: nothing was made");
    if bless() {
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).unwrap();
        for (file, text) in &fresh {
            fs::write(kept.join(file), text).unwrap();
        }
    }
    let old = folder(&kept);
    let names = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&old), names(&fresh), "{name}: BLESS=1 cargo test generated");
    for (file, text) in fresh {
        assert!(old[&file] == text, "{name}/{file} is old: BLESS=1 cargo test generated");
    }
}

#[test]
fn man_pages_are_the_programs() {
    same_folder("man", |to| generate::man(to).unwrap());
}

#[test]
fn completions_are_the_programs() {
    same_folder("completions", |to| generate::completions(to).unwrap());
}

/// A part of a document between `<!-- made: NAME -->` and `<!-- end -->`.
fn same_part(file: &str, name: &str, fresh: &str) {
    let path = repository().join(file);
    let text = fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- made: {name} -->\n");
    let at = text.find(&begin).unwrap_or_else(|| panic!("{file} has no part {name}")) + begin.len();
    let end = at + text[at..].find("<!-- end -->").unwrap();
    if bless() {
        fs::write(&path, format!("{}{fresh}{}", &text[..at], &text[end..])).unwrap();
    } else {
        assert!(
            text[at..end] == *fresh,
            "{file}, {name}: BLESS=1 cargo test generated; it should read\n{fresh}"
        );
    }
}

#[test]
fn the_tables_of_the_documents_are_the_programs() {
    // One test, for BLESS writes one file several times.
    same_part("README.md", "systems", &systems());
    same_part("docs/DEPLOYMENT.md", "scopes", &scopes());
    same_part(
        "docs/DEPLOYMENT.md",
        "ledger",
        &format!("```sql\n{}```\n", jml::ledger::postgres::SCHEMA),
    );
    same_part("docs/OUTPUT.md", "exit codes", &exit_codes());
    same_part("docs/OUTPUT.md", "actions", &actions());
    same_part("docs/OUTPUT.md", "documents", &documents());
}

fn systems() -> String {
    let mut out = String::from("| system | what jml does there | vendor's page |\n|---|---|---|\n");
    for row in REGISTRY {
        let mut roles = vec![];
        if row.is_roster() {
            roles.push("reads who is employed".to_owned());
        }
        if row.is_target() {
            let verbs: Vec<String> = row.verbs.iter().map(|v| format!("`{}`", v.name())).collect();
            roles.push(verbs.join(" "));
        }
        if row.is_recorder() {
            roles.push("is told what was done".to_owned());
        }
        if row.keeps_secrets() {
            roles.push("keeps the credentials of the others".to_owned());
        }
        if row.is_witness() {
            roles.push(format!("is asked: {}", row.sees));
        }
        out += &format!("| {} | {} | {} |\n", row.kind, roles.join("; "), row.page);
    }
    out
}

fn scopes() -> String {
    let mut out = String::from("| system | right | credential | what for |\n|---|---|---|---|\n");
    for row in REGISTRY {
        for need in row.needs {
            let whose = if need.writes { "write" } else { "read" };
            out += &format!("| {} | `{}` | {whose} | {} |\n", row.kind, need.scope, need.for_what);
        }
    }
    out
}

fn exit_codes() -> String {
    let mut out = String::from("| code | meaning |\n|---:|---|\n");
    for (code, meaning) in Exit::table() {
        out += &format!("| {code} | {meaning} |\n");
    }
    out
}

/// What each action does, for a reader who has the vendor's console open.
fn deed(verb: Verb) -> &'static str {
    match verb {
        Verb::Suspend => "The account can't sign in any more; it keeps what it holds",
        Verb::Freeze => "No new sign-in; sessions that are open go on until they are ended",
        Verb::Deactivate => "The account is closed",
        Verb::ClearSessions => {
            "Sessions, and OAuth tokens where the vendor ends them too, are ended; a read shows it only where the vendor lists sessions"
        }
        Verb::RevokeGrants => "All OAuth grants of the person are revoked",
        Verb::RevokeToken => "One credential of the person's own (API token, app password, authorized key) is revoked",
        Verb::RevokeClientTokens => "The tokens that one OAuth client holds for the person are revoked",
        Verb::ResetPassword => "The password is set to one that nobody knows",
        Verb::RemoveMember => "The person is taken out of a group",
        Verb::AddMember => "The person is put into a group",
        Verb::UnassignApp => "An app that is assigned directly is taken away",
        Verb::RevokeRole => "A role or permission set is taken away",
        Verb::ReleaseSeat => "A licence that would stay with the closed account is freed",
        Verb::Activate => "A staged account may sign in",
        Verb::Unsuspend => "Somebody whom a suspension shut out may sign in again",
        Verb::CreatePerson => "The account is created",
        Verb::JoinChannel => "The person is brought into a channel",
        Verb::LeaveChannel => "The person is taken out of a channel",
        Verb::JoinTeam => "The person is brought into a team",
        Verb::LeaveTeam => "The person is taken out of a team",
        Verb::Invite => "The person is invited; until they accept, what follows is owed",
        Verb::CancelInvitation => "An open invitation is cancelled",
        Verb::LeaveOrg => "The membership of an organisation ends",
        Verb::StartTransfer => {
            "A transfer of the person's files to somebody else is started, or one that runs is taken for it"
        }
        Verb::FinishTransfer => "No call: what was started is read until it is over",
        Verb::SendMessage => "A direct message is sent, to a manager; no read shows it",
        Verb::CreateGroup => "A group is created",
        Verb::DeleteGroup => "A group that holds nobody is deleted",
        Verb::ByHand => "No call: a person does it and ticks it, with evidence",
    }
}

fn actions() -> String {
    let mut out = String::from("| action | systems | what it does |\n|---|---|---|\n");
    for verb in Verb::ALL {
        let systems: Vec<&str> = REGISTRY
            .iter()
            .filter(|r| r.verbs.contains(&verb))
            .map(|r| r.kind)
            .collect();
        let systems = if systems.is_empty() {
            "none in this release".to_owned()
        } else {
            systems.join(", ")
        };
        out += &format!("| `{}` | {systems} | {} |\n", verb.name(), deed(verb));
    }
    let (title, text, tags) = (String::new, String::new, Vec::new);
    let told = [
        (
            What::Change {
                flow: title(),
                result: title(),
                title: title(),
                report: text(),
                manifest: Manifest::default(),
                checkpoint: text(),
                started: Default::default(),
                finished: Default::default(),
            },
            "servicenow",
            "One change request a person and run, with the closing report and what was held before",
        ),
        (
            What::Close {
                change: String::new(),
                checkpoint: String::new(),
            },
            "servicenow",
            "Closing the change request of a run that is at its end",
        ),
        (
            What::Incident {
                title: title(),
                text: text(),
            },
            "servicenow",
            "An incident a person, run and system, for what failed there or is overdue",
        ),
        (
            What::Event {
                title: title(),
                text: text(),
                tags: tags(),
                alert: false,
            },
            "datadog",
            "An event",
        ),
        (
            What::Metric {
                name: title(),
                value: 0.0,
                tags: tags(),
            },
            "datadog",
            "A point of a metric",
        ),
    ];
    for (what, system, does) in told {
        out += &format!("| `{}` | {system} | {does} |\n", what.name());
    }
    out
}

/// Every kind of document with its fields, from the schemas that `jml config schema --output-schemas` prints.
fn documents() -> String {
    let schemas = document::schemas();
    let mut kinds: Vec<(Vec<&str>, &Value)> = vec![];
    for (kind, schema) in schemas.as_object().unwrap() {
        match kinds.iter_mut().find(|(_, s)| *s == schema) {
            Some((same, _)) => same.push(kind),
            None => kinds.push((vec![kind], schema)),
        }
    }
    let mut out = String::new();
    let mut parts: BTreeMap<&str, &Value> = BTreeMap::new();
    for (names, schema) in &kinds {
        let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        out += &format!("### {}\n\n{}\n", names.join(", "), fields(schema, true));
        for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
            assert!(
                parts.insert(name, part).is_none_or(|p| p == part),
                "two shapes are called {name}"
            );
        }
    }
    for (name, part) in parts {
        out += &format!("### {name}\n\n{}\n", fields(part, false));
    }
    out
}

fn fields(schema: &Value, document: bool) -> String {
    let mut out = String::from("| field | value | meaning |\n|---|---|---|\n");
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    // What stands in every document is told once, above.
    let common = ["jml", "kind", "tenant", "sandbox", "exit"];
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if document && common.contains(&name.as_str()) {
            continue;
        }
        let mut value = shape(field);
        if !required.contains(&name.as_str()) && !value.ends_with("or null") {
            value += ", may be left out";
        }
        let meaning = field["description"].as_str().unwrap_or_default().replace('\n', " ");
        assert!(!meaning.contains('|'), "{name}: {meaning}");
        out += &format!("| `{name}` | {value} | {meaning} |\n");
    }
    out
}

fn shape(field: &Value) -> String {
    if let Some(to) = field["$ref"].as_str() {
        return to.trim_start_matches("#/$defs/").to_owned();
    }
    if let Some(any) = field["anyOf"].as_array() {
        return any.iter().map(shape).collect::<Vec<_>>().join(" or ");
    }
    let one = |kind: &str| match kind {
        "array" => format!("list of {}", shape(&field["items"])),
        "object" => match field.get("additionalProperties") {
            Some(of) => format!("{} by name", shape(of)),
            None => "object".to_owned(),
        },
        "string" if field["format"] == "date-time" => "instant".to_owned(),
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    };
    match &field["type"] {
        Value::String(kind) => one(kind),
        Value::Array(kinds) => {
            let kinds: Vec<String> = kinds.iter().filter_map(Value::as_str).map(one).collect();
            kinds.join(" or ")
        }
        _ => match &field["const"] {
            Value::String(s) => format!("`{s}`"),
            _ => "anything".to_owned(),
        },
    }
}

/// A table without a word is no description.
#[test]
fn every_field_of_a_document_says_what_it_is() {
    let bare: Vec<String> = documents()
        .lines()
        .filter(|l| l.starts_with("| `") && l.ends_with("|  |"))
        .map(str::to_owned)
        .collect();
    assert_eq!(bare, Vec::<String>::new());
}
