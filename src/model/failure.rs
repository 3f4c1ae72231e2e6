//! The one error of http and providers, and what an unknown read, a failed step and the ledger carry.

use std::fmt;

use serde::{Deserialize, Serialize};

/// All that the executor looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// May go through later: 5xx, a connection that could not be made, a timeout of a read.
    Transient,
    /// The vendor refuses, and will again.
    Permanent,
    /// The credential is refused, or lacks a right.
    Auth,
    Throttled,
    /// The call left and no answer came: it may have happened.
    Doubt,
    /// The provider or its plan has no way to do this.
    Cannot,
    /// Two facts that can't both be true; or an answer that can't be believed.
    Contradiction,
}

/// What a person can do about it. The command, if any, stands alone on its line, to be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: Kind,
    /// What failed, with its subject: `remove alice from ROLE-ENG`.
    pub what: String,
    /// The vendor's code, else the HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The vendor's sentence, or ours where it gave none.
    pub summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
}

const WRONG_TENANT: &str = "wrong-tenant";

impl Failure {
    pub fn new(kind: Kind, what: impl Into<String>, summary: impl Into<String>) -> Self {
        Failure {
            kind,
            what: what.into(),
            code: None,
            summary: summary.into(),
            request: None,
            hint: None,
        }
    }
    pub fn transient(what: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Kind::Transient, what, summary)
    }
    pub fn permanent(what: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, what, summary)
    }
    pub fn contradiction(what: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(Kind::Contradiction, what, summary)
    }
    /// The answer is another tenant's than the one that the configuration pins: nothing of it may be believed, nor anything done there.
    pub fn wrong_tenant(what: impl Into<String>, pinned: &str, found: &str) -> Self {
        let summary = format!("the configuration pins {pinned}, the answer is of {found}");
        Self::new(Kind::Contradiction, what, summary).code(WRONG_TENANT)
    }
    pub fn is_wrong_tenant(&self) -> bool {
        self.code.as_deref() == Some(WRONG_TENANT)
    }
    /// A provider met an action that its row doesn't list: a defect, proved absent by the conformance suite.
    pub fn cannot(action: &super::Action) -> Self {
        Self::new(Kind::Cannot, action.name(), "this system has no way to do that")
    }
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
    pub fn request(mut self, id: Option<String>) -> Self {
        self.request = id;
        self
    }
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(Hint {
            text: text.into(),
            command: None,
        });
        self
    }
    pub fn run(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.hint = Some(Hint {
            text: text.into(),
            command: Some(command.into()),
        });
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        if let Some(code) = &self.code {
            write!(f, "{code} ")?;
        }
        f.write_str(&self.summary)
    }
}

impl std::error::Error for Failure {}
