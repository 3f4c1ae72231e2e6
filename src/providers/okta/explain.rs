//! Okta's refusals in our words: what kind of failure it is, and what a person can do about it.
//!
//! Branches on status and `errorCode` only, since summaries change. A body without Okta's code is not Okta's word: a stray proxy's 404 is
//! never "not found".

use crate::{
    http::{Answer, plain, sentence},
    model::{Failure, Kind},
};

use super::wire::Refusal;

/// The code of a body that is Okta's.
pub fn code(answer: &Answer) -> Option<String> {
    Refusal::of(&answer.body)
        .map(|r| r.error_code)
        .filter(|c| !c.is_empty())
}

/// Okta itself says that there is no such thing.
pub fn absent(answer: &Answer) -> bool {
    answer.status == 404 && code(answer).as_deref() == Some("E0000007")
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let challenge = Challenge::of(answer);
    let Some(refusal) = Refusal::of(&answer.body) else {
        return match challenge {
            Some(c) => c.failure(answer, what),
            None => bare(answer, what),
        };
    };
    if refusal.error_code.is_empty() {
        return oauth(answer, &refusal, what);
    }
    let (kind, hint) = known(&refusal.error_code).unwrap_or_else(|| (plain(answer, what).kind, None));
    let mut summary = sentence(&refusal.error_summary);
    for cause in refusal.error_causes.iter().take(3) {
        summary += &format!("; {}", sentence(&cause.error_summary));
    }
    if summary.is_empty() {
        summary = plain(answer, what).summary;
    }
    let failure = Failure::new(kind, what, summary)
        .code(sentence(&refusal.error_code))
        .request(answer.request_id());
    match hint {
        Some(text) => failure.hint(text),
        None => failure,
    }
}

/// The table of `errorCode`s: may it go through later, and what would help.
fn known(code: &str) -> Option<(Kind, Option<&'static str>)> {
    use Kind::{Auth, Cannot, Permanent, Throttled, Transient};
    Some(match code {
        "E0000001" | "E0000003" => (Permanent, None),
        "E0000004" => (
            Auth,
            Some("Okta does not accept the credential; make a new one and store it where [systems.okta] points"),
        ),
        "E0000005" => (
            Auth,
            Some("Okta saw no credential it knows; check that the reference in [systems.okta] gives the token alone"),
        ),
        "E0000006" => (
            Auth,
            Some(
                "the admin role of this token or service app does not cover it; only a super admin may change a super admin \
                 or a group that carries an admin role",
            ),
        ),
        "E0000007" | "E0000016" | "E0000022" | "E0000032" | "E0000038" => (Permanent, None),
        "E0000008" => (
            Permanent,
            Some("is the url in [systems.okta] that of an Okta organisation, without a path?"),
        ),
        "E0000009" | "E0000010" => (Transient, None),
        "E0000011" => (
            Auth,
            Some(
                "the token is revoked, expired, or its admin was deactivated; make a new one and store it where [systems.okta] points",
            ),
        ),
        "E0000015" => (Cannot, Some("this organisation has not bought that feature")),
        "E0000023" => (
            Permanent,
            Some("the profile is mastered by another system; change it there"),
        ),
        "E0000075" => (
            Permanent,
            Some("the attribute is mapped from another system; change it there"),
        ),
        "E0000076" => (
            Permanent,
            Some("the assignment is mastered by the app; change it there"),
        ),
        "E0000077" | "E0000078" => (Permanent, Some("the attribute is read-only for this token")),
        "E0000029" => (
            Permanent,
            Some("the saved cursor is no longer known; the read starts anew next time"),
        ),
        "E0000031" => (
            Permanent,
            Some("an attribute in the search is not in the user schema; see jml doctor okta"),
        ),
        "E0000047" => (Throttled, None),
        "E0000053" => (
            Permanent,
            Some("the System Log keeps 90 days; an older cursor can't be followed"),
        ),
        "E0000060" => (
            Permanent,
            Some("Okta manages that group by itself; its members can't be changed"),
        ),
        "E0000093" => (Permanent, Some("too many groups in one call")),
        // In the middle of something of its own: later it goes through.
        "E0000112" | "E0000231" | "E0000239" | "E0000249" => (Transient, None),
        _ => return None,
    })
}

/// No body of Okta's, no challenge: a proxy's answer, or an edge's.
fn bare(answer: &Answer, what: &str) -> Failure {
    let failure = plain(answer, what);
    match answer.status {
        403 => failure.hint("the answer is not Okta's own: a proxy or a network zone may refuse this address"),
        404 => Failure {
            // Not Okta's "not found": whether it exists is unknown.
            kind: Kind::Contradiction,
            summary: "answered 404 without Okta's error code: that is not Okta's word".to_owned(),
            ..failure
        }
        .hint("is a proxy between here and Okta, or the url in [systems.okta] wrong?"),
        _ => failure,
    }
}

/// The token endpoint's shape of error.
fn oauth(answer: &Answer, refusal: &Refusal, what: &str) -> Failure {
    let said = sentence(&refusal.error_description);
    let hint = match refusal.error.as_str() {
        "invalid_scope" => "grant the scopes to the service app: Okta admin > Applications > the app > Okta API Scopes",
        "invalid_dpop_proof" | "use_dpop_nonce" => {
            "the service app demands DPoP and refuses our proof; is this host's clock right?"
        }
        "invalid_client" if said.contains("audience") => {
            "the url in [systems.okta] must be the organisation's own, as Okta names it"
        }
        "invalid_client" if said.contains("issued before") || said.contains("expired") => "is this host's clock right?",
        "invalid_client" if said.contains("signature") || said.contains("kid") || said.contains("JWKSet") => {
            "the public half of the key in [systems.okta] is not among the app's keys; upload it, or name its id as key_id"
        }
        "invalid_client" => "check client_id and key in [systems.okta], and that the app is active",
        _ => "check client_id, key and scopes in [systems.okta]",
    };
    let kind = match answer.status {
        429 => Kind::Throttled,
        500.. => Kind::Transient,
        _ => Kind::Auth,
    };
    let summary = if said.is_empty() {
        plain(answer, what).summary
    } else {
        said
    };
    Failure::new(kind, what, summary)
        .code(sentence(&refusal.error))
        .request(answer.request_id())
        .hint(hint)
}

/// `WWW-Authenticate: Bearer error="insufficient_scope", scope="okta.groups.read", …`, with which Okta refuses where the body is empty.
struct Challenge {
    error: String,
    description: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    fn of(answer: &Answer) -> Option<Challenge> {
        answer.all("www-authenticate").find_map(|field| {
            let parameter = |name: &str| -> Option<String> {
                let at = field.find(&format!("{name}=\""))?;
                // `scope` must not be found inside `error_scope`.
                let before = field.get(..at)?.chars().next_back();
                if !matches!(before, None | Some(' ' | ',')) {
                    return None;
                }
                let rest = field.get(at + name.len() + 2..)?;
                Some(sentence(rest.split('"').next()?))
            };
            Some(Challenge {
                error: parameter("error")?,
                description: parameter("error_description"),
                scope: parameter("scope"),
            })
        })
    }

    fn failure(self, answer: &Answer, what: &str) -> Failure {
        let summary = self.description.unwrap_or_else(|| plain(answer, what).summary);
        let failure = Failure::new(Kind::Auth, what, summary)
            .code(self.error.clone())
            .request(answer.request_id());
        match (self.error.as_str(), self.scope) {
            ("insufficient_scope", Some(scope)) => failure.hint(format!(
                "grant {scope} to the service app: Okta admin > Applications > the app > Okta API Scopes"
            )),
            ("insufficient_scope", None) => {
                failure.hint("a scope is not granted to the service app; see jml doctor okta")
            }
            ("invalid_dpop_proof" | "use_dpop_nonce", _) => {
                failure.hint("Okta refuses the DPoP proof; is this host's clock right?")
            }
            _ => failure.hint("the access token was refused; see jml doctor okta"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderMap;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Answer::new(status, map, body.to_owned())
    }
    fn okta(status: u16, code: &str) -> Failure {
        let body = format!(
            r#"{{"errorCode":"{code}","errorSummary":"Api validation failed: x","errorLink":"{code}","errorId":"oae1","errorCauses":[{{"errorSummary":"because"}}]}}"#
        );
        explain(&answer(status, &[("x-okta-request-id", "req-1")], &body), "suspend amy")
    }

    #[test]
    fn every_code_of_the_page_has_its_kind() {
        for (code, status, kind) in [
            ("E0000001", 400, Kind::Permanent),
            ("E0000003", 400, Kind::Permanent),
            ("E0000004", 401, Kind::Auth),
            ("E0000005", 403, Kind::Auth),
            ("E0000006", 403, Kind::Auth),
            ("E0000007", 404, Kind::Permanent),
            ("E0000008", 404, Kind::Permanent),
            ("E0000009", 500, Kind::Transient),
            ("E0000010", 503, Kind::Transient),
            ("E0000011", 401, Kind::Auth),
            ("E0000015", 401, Kind::Cannot),
            ("E0000016", 403, Kind::Permanent),
            ("E0000022", 405, Kind::Permanent),
            ("E0000023", 403, Kind::Permanent),
            ("E0000029", 400, Kind::Permanent),
            ("E0000031", 400, Kind::Permanent),
            ("E0000032", 403, Kind::Permanent),
            ("E0000038", 403, Kind::Permanent),
            ("E0000047", 429, Kind::Throttled),
            ("E0000053", 400, Kind::Permanent),
            ("E0000060", 501, Kind::Permanent),
            ("E0000075", 403, Kind::Permanent),
            ("E0000076", 405, Kind::Permanent),
            ("E0000077", 403, Kind::Permanent),
            ("E0000112", 409, Kind::Transient),
            ("E0000231", 412, Kind::Transient),
            ("E0000239", 423, Kind::Transient),
            ("E0000249", 409, Kind::Transient),
        ] {
            let failure = okta(status, code);
            assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)));
            assert_eq!(failure.summary, "Api validation failed: x; because");
            assert_eq!(failure.request.as_deref(), Some("req-1"));
        }
        // One that nobody told us of: by status.
        assert_eq!(okta(403, "E0000999").kind, Kind::Auth);
        assert_eq!(okta(502, "E0000999").kind, Kind::Transient);
    }

    #[test]
    fn a_missing_scope_is_named_from_the_challenge() {
        let header = r#"Bearer authorization_uri="http://org/oauth2/v1/authorize", realm="http://org", scope="okta.groups.read", error="insufficient_scope", error_description="The access token provided does not contain the required scopes.", resource="/api/v1/groups/1234""#;
        let failure = explain(&answer(403, &[("www-authenticate", header)], ""), "read groups");
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (Kind::Auth, Some("insufficient_scope"))
        );
        assert!(failure.hint.unwrap().text.starts_with("grant okta.groups.read "));
    }

    #[test]
    fn a_404_that_is_not_oktas_says_nothing_about_the_person() {
        let stray = answer(404, &[], r#"{"status":404,"message":"Resource not found"}"#);
        assert!(!absent(&stray));
        assert_eq!(explain(&stray, "read amy").kind, Kind::Contradiction);
        assert!(absent(&answer(
            404,
            &[],
            r#"{"errorCode":"E0000007","errorSummary":"Not found: 00u1 (User)"}"#
        )));
        assert!(!absent(&answer(
            404,
            &[],
            r#"{"errorCode":"E0000008","errorSummary":"path"}"#
        )));
    }

    #[test]
    fn the_token_endpoint_speaks_oauth() {
        let body = r#"{"error":"invalid_scope","error_description":"One or more scopes are not configured for the authorization server resource."}"#;
        let failure = explain(&answer(400, &[], body), "sign in to Okta");
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (Kind::Auth, Some("invalid_scope"))
        );
        assert!(failure.hint.unwrap().text.contains("Okta API Scopes"));
        let late = r#"{"error":"invalid_client","error_description":"The client_assertion token is expired."}"#;
        assert!(
            explain(&answer(401, &[], late), "x")
                .hint
                .unwrap()
                .text
                .contains("clock")
        );
    }
}
