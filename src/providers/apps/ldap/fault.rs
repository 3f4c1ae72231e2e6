//! What a result code means. A code decides; a text only helps whoever reads it.

use ldap3::{LdapError, LdapResult};

use crate::{
    http::sentence,
    model::{Failure, Kind},
};

/// What the operation was: the same code means another thing for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Bind,
    Search,
    Modify,
}

pub fn words(result: &LdapResult) -> String {
    let text = sentence(result.text.trim_end_matches(['\0', '\n', ' ']));
    if text.is_empty() {
        name(result.rc).to_owned()
    } else {
        text
    }
}

fn name(rc: u32) -> &'static str {
    match rc {
        3 => "time limit exceeded",
        4 => "size limit exceeded",
        10 => "another server is responsible",
        16 => "no such value",
        17 => "no such attribute type",
        19 => "refused by a policy",
        20 => "the value is there already",
        32 => "no such object",
        49 => "invalid credentials",
        50 => "insufficient access rights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwilling to perform",
        65 => "the entry would break its object class",
        68 => "it exists already",
        _ => "refused",
    }
}

/// The hex after `data ` in Active Directory's refusals of a bind.
fn reason(text: &str) -> Option<&'static str> {
    let data = text.split("data ").nth(1)?.split(',').next()?.trim();
    Some(match data {
        "525" | "52e" => "wrong name or password",
        "530" | "531" => "not allowed to sign in at this time or from here",
        "532" | "773" => "the service account's password has expired",
        "533" => "the service account is disabled",
        "701" => "the service account has expired",
        "775" => "the service account is locked out",
        _ => return None,
    })
}

/// Of a result that is no success.
pub fn refused(did: Did, result: &LdapResult, what: &str) -> Failure {
    let rc = result.rc;
    let failure = |kind| Failure::new(kind, what, words(result)).code(rc.to_string());
    match (did, rc) {
        (_, 51 | 52) => failure(Kind::Transient),
        (_, 8 | 13) => failure(Kind::Auth).hint("the server wants TLS: write the url as ldaps://, or set starttls"),
        (Did::Bind, _) => {
            let hint = reason(&result.text).unwrap_or("check the user and the password in the credential");
            failure(Kind::Auth).hint(format!("{hint}; the record has user and password"))
        }
        (Did::Search, 1) => failure(Kind::Auth).hint("the server wants a bind first: check the credential"),
        (_, 50) => failure(Kind::Auth)
            .hint("delegate this right to jml's account on that part of the tree (docs/DEPLOYMENT.md); a protected person needs a domain administrator"),
        // Without the right to see the base a server says so too: never absence.
        (Did::Search, 32) => {
            failure(Kind::Permanent).hint("check base and groups in the configuration, and that jml's account may read there")
        }
        (Did::Search, 3 | 4 | 11) => failure(Kind::Permanent).hint("narrow the base: the answer was not whole"),
        (_, 10) => failure(Kind::Permanent).hint("name the server that holds this part; referrals are not followed"),
        (Did::Modify, 19) => failure(Kind::Permanent).hint("the domain's password policy refused it"),
        (Did::Modify, 65) => failure(Kind::Permanent).hint("the last member can't leave such a group: put in another one first"),
        (_, 17 | 21) => failure(Kind::Permanent).hint("is this the right profile, with its overlays loaded?"),
        (_, 1) => failure(Kind::Transient),
        _ => failure(Kind::Permanent),
    }
}

/// Of an operation that has no result. The error itself may hold the request, and with it a password: nothing of it is kept.
pub fn lost(did: Did, error: &LdapError, what: &str) -> Failure {
    let sent = match did {
        Did::Modify => Kind::Doubt,
        Did::Bind | Did::Search => Kind::Transient,
    };
    match error {
        LdapError::Timeout { .. } => Failure::new(sent, what, "no answer in time"),
        LdapError::ResultRecv { .. } | LdapError::EndOfStream => {
            Failure::new(sent, what, "the connection ended without an answer")
        }
        LdapError::OpSend { .. } | LdapError::IdScrubSend { .. } | LdapError::MiscSend { .. } => {
            Failure::transient(what, "the connection is gone; nothing was sent")
        }
        LdapError::FilterParsing => Failure::permanent(what, "the filter can't be read"),
        LdapError::LdapResult { result } => refused(did, result, what),
        LdapError::Io { source } => Failure::new(sent, what, sentence(&source.to_string())),
        _ => Failure::new(sent, what, "the exchange failed"),
    }
}

/// Of a connection that could not be made: nothing was sent.
pub fn unreachable(error: &LdapError, host: &str, what: &str) -> Failure {
    let why = match error {
        LdapError::Io { source } => sentence(&source.to_string()),
        LdapError::Timeout { .. } => "no connection in time".to_owned(),
        LdapError::LdapResult { result } => format!("it begins no TLS: {}", words(result)),
        LdapError::DNSName { .. } => "a name is wanted where the certificate is checked, not this address".to_owned(),
        _ => "no connection".to_owned(),
    };
    let failure = Failure::transient(what, format!("{host}: {why}"));
    if why.contains("certificate") {
        return Failure {
            kind: Kind::Auth,
            ..failure
        }
        .hint("name the server as its certificate does, and the authority that signed it in ca");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult {
            rc,
            matched: String::new(),
            text: text.into(),
            refs: vec![],
            ctrls: vec![],
        }
    }

    #[test]
    fn a_code_decides_by_what_was_asked() {
        for (did, rc, kind) in [
            (Did::Bind, 49, Kind::Auth),
            (Did::Bind, 8, Kind::Auth),
            (Did::Bind, 53, Kind::Auth),
            (Did::Search, 1, Kind::Auth),
            (Did::Search, 4, Kind::Permanent),
            (Did::Search, 10, Kind::Permanent),
            (Did::Search, 32, Kind::Permanent),
            (Did::Search, 50, Kind::Auth),
            (Did::Search, 51, Kind::Transient),
            (Did::Modify, 19, Kind::Permanent),
            (Did::Modify, 50, Kind::Auth),
            (Did::Modify, 52, Kind::Transient),
            (Did::Modify, 65, Kind::Permanent),
            (Did::Modify, 80, Kind::Permanent),
        ] {
            let failure = refused(did, &result(rc, ""), "x");
            assert_eq!(
                (failure.kind, failure.code),
                (kind, Some(rc.to_string())),
                "{did:?} {rc}"
            );
            assert!(!failure.summary.is_empty());
        }
    }

    #[test]
    fn the_reason_of_a_refused_bind_is_told() {
        let text = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1\0";
        let failure = refused(Did::Bind, &result(49, text), "bind");
        assert!(failure.hint.unwrap().text.contains("disabled") && !failure.summary.contains('\0'));
    }
}
