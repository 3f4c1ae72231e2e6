//! Okta's refusals: one table of codes, one body for all of them.

use serde_json::{Value, json};

use crate::sandbox::{faults::Seen, twin::Reply};

/// Why a call isn't done. The answer gets its `errorId` where the headers are put on.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub summary: String,
    pub causes: Vec<String>,
    /// What goes beside the body: `WWW-Authenticate`.
    pub headers: Vec<(String, String)>,
    /// A missing scope is told by the header alone.
    pub bare: bool,
}

/// (code, status, text), as the vendor's catalogue has them.
const CODES: &[(&str, u16, &str)] = &[
    ("E0000001", 400, "Api validation failed: {0}"),
    ("E0000003", 400, "The request body was not well-formed."),
    ("E0000005", 403, "Invalid session"),
    (
        "E0000006",
        403,
        "You do not have permission to perform the requested action",
    ),
    ("E0000007", 404, "Not found: {0}"),
    ("E0000011", 401, "Invalid token provided"),
    (
        "E0000015",
        401,
        "You do not have permission to access the feature you are requesting",
    ),
    ("E0000016", 403, "Activation failed because the user is already active"),
    (
        "E0000022",
        405,
        "The endpoint does not support the provided HTTP method",
    ),
    (
        "E0000023",
        403,
        "Operation failed because user profile is mastered under another system",
    ),
    ("E0000029", 400, "Invalid paging request."),
    ("E0000031", 400, "Invalid search criteria."),
    ("E0000032", 403, "Unlock is not allowed for this user."),
    (
        "E0000038",
        403,
        "This operation is not allowed in the user's current status.",
    ),
    (
        "E0000047",
        429,
        "API call exceeded rate limit due to too many requests.",
    ),
    ("E0000053", 400, "Invalid filter: {0}"),
    ("E0000060", 501, "Unsupported operation."),
    ("E0000093", 400, "Target count limit exceeded"),
    (
        "E0000231",
        412,
        "The ETag value doesn't match the current state of the resource.",
    ),
    (
        "E0000239",
        423,
        "Policy priorities are being reconciled. Please try again later.",
    ),
];

pub fn refuse(code: &'static str) -> Refusal {
    about(code, "")
}

/// With `{0}` of the text filled in.
pub fn about(code: &'static str, what: &str) -> Refusal {
    let (status, text) = CODES
        .iter()
        .find(|(c, _, _)| *c == code)
        .map_or((500, "Internal Server Error"), |(_, s, t)| (*s, *t));
    Refusal {
        status,
        code,
        summary: text.replace("{0}", what),
        causes: Vec::new(),
        headers: Vec::new(),
        bare: false,
    }
}

pub fn invalid(what: &str, cause: impl Into<String>) -> Refusal {
    about("E0000001", what).because(cause)
}

/// `Not found: Resource not found: 00u… (User)`.
pub fn missing(id: &str, kind: &str) -> Refusal {
    about("E0000007", &format!("Resource not found: {id} ({kind})"))
}

impl Refusal {
    pub fn because(mut self, cause: impl Into<String>) -> Refusal {
        self.causes.push(cause.into());
        self
    }
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Refusal {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn reply(self, error_id: &str) -> Reply {
        let causes: Vec<Value> = self.causes.iter().map(|c| json!({"errorSummary": c})).collect();
        let body = json!({"errorCode": self.code, "errorSummary": self.summary, "errorLink": self.code, "errorId": error_id,
            "errorCauses": causes});
        let mut reply = if self.bare {
            Reply::empty(self.status)
        } else {
            Reply::json(self.status, &body)
        };
        reply.headers.extend(self.headers);
        reply
    }
}

/// For a fault by name: what Okta says with that status.
pub fn of_status(seen: &Seen<'_>, status: u16) -> Reply {
    let code = match status {
        401 => "E0000011",
        403 => "E0000006",
        404 => "E0000007",
        429 => "E0000047",
        _ => "E0000009",
    };
    let refusal = Refusal {
        status,
        ..about(code, "Resource not found: (sandbox fault)")
    };
    let reset = (seen.now.timestamp() + 2).to_string();
    refusal
        .reply("oaeSandboxFault000000")
        .again("x-rate-limit-limit", "600")
        .again("x-rate-limit-remaining", "0")
        .again("x-rate-limit-reset", reset)
}
