//! Documents of `-o json`: each begins with `"jml": 1` and its kind. Fields are never renamed silently; docs/OUTPUT.md describes them.

use schemars::JsonSchema;
use serde::Serialize;

use super::error::CliError;

/// The version of every document.
pub const JML: u32 = 1;

/// What a command says before there is a run.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Error {
    pub jml: u32,
    pub kind: &'static str,
    pub tenant: Option<String>,
    pub sandbox: bool,
    pub exit: u8,
    pub message: String,
    pub hint: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

#[derive(Serialize, JsonSchema, Debug)]
pub struct Candidate {
    pub login: String,
    pub name: String,
    pub department: String,
    pub status: String,
}

#[derive(Serialize, JsonSchema, Debug)]
pub struct Place {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
}

impl Error {
    pub fn of(e: &CliError, tenant: Option<String>, sandbox: bool) -> Self {
        let hint: Vec<String> = e
            .hints
            .iter()
            .map(|h| match &h.command {
                Some(c) => format!("{}: {c}", h.text.trim_end_matches([':', '.'])),
                None => h.text.clone(),
            })
            .collect();
        let mut message = e.message.clone();
        for why in &e.why {
            message += "; ";
            message += why;
        }
        Error {
            jml: JML,
            kind: "error",
            tenant,
            sandbox,
            exit: e.exit.code(),
            message,
            hint: (!hint.is_empty()).then(|| hint.join(" ")),
            candidates: e
                .candidates
                .iter()
                .map(|c| Candidate {
                    login: c.login.clone(),
                    name: c.name.clone(),
                    department: c.department.clone(),
                    status: c.status.clone(),
                })
                .collect(),
            place: e.place.as_ref().map(|p| Place {
                file: p.file.clone(),
                line: p.line,
                column: p.column,
            }),
        }
    }
}

/// Of every document, by kind.
pub fn schemas() -> serde_json::Value {
    serde_json::json!({ "error": schemars::schema_for!(Error) })
}
