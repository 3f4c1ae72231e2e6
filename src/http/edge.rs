//! Answers that come from an edge network (Akamai) in front of a vendor, and say nothing about the thing asked for.

use super::{Answer, redact::sentence};
use crate::model::{Failure, Kind};

/// The refusal of an edge, with its reference number; `None` where the vendor itself answers.
pub(super) fn denied(answer: &Answer, what: &str, egress: &[String]) -> Option<Failure> {
    if answer.success() || answer.status < 400 {
        return None;
    }
    // The vendor's own answers are JSON, whoever passes them on.
    if !answer.looks_like_html() && !answer.body.is_empty() {
        return None;
    }
    let text = undo_entities(&answer.text());
    let akamai = answer.header("server").is_some_and(|s| s.starts_with("AkamaiGHost"));
    let reference = reference(&text).or_else(|| answer.header("x-reference-error").map(sentence));
    if !akamai && reference.is_none() {
        return None;
    }
    let (kind, summary) = match answer.status {
        429 => (
            Kind::Throttled,
            "the edge network in front of the vendor asks for fewer calls",
        ),
        500.. => (
            Kind::Transient,
            "the edge network in front of the vendor could not reach it",
        ),
        _ => (
            Kind::Auth,
            "the edge network in front of the vendor refuses this address; the vendor was never asked",
        ),
    };
    let mut failure = Failure::new(kind, what, summary).code(answer.status.to_string());
    failure.request = reference.clone().map(|r| format!("edge reference {r}"));
    if kind == Kind::Auth {
        let named = reference.map(|r| format!(" (reference {r})")).unwrap_or_default();
        let ours = match egress {
            [] => String::new(),
            known => format!(" {}", known.join(", ")),
        };
        failure = failure.hint(format!(
            "ask whoever runs the edge to allowlist this host's egress address{ours}{named}"
        ));
    }
    Some(failure)
}

/// `Reference #18.3faf3554.1795567731.da3d018`
fn reference(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Reference #")?;
    let id: String = rest
        .chars()
        .take_while(|c| c.is_ascii_hexdigit() || *c == '.')
        .take(80)
        .collect();
    let id = id.trim_end_matches('.');
    (id.matches('.').count() >= 2).then(|| id.to_owned())
}

/// The page writes its punctuation as decimal entities.
fn undo_entities(text: &str) -> String {
    let mut out = text.to_owned();
    for (entity, plain) in [
        ("&#32;", " "),
        ("&#35;", "#"),
        ("&#46;", "."),
        ("&#47;", "/"),
        ("&#58;", ":"),
    ] {
        out = out.replace(entity, plain);
    }
    out
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &'static str) -> Answer {
        let mut h = HeaderMap::new();
        for (k, v) in headers {
            h.insert(*k, v.parse().unwrap());
        }
        Answer::new(status, h, body)
    }

    #[test]
    fn the_reference_is_named() {
        let page = "<HTML>Access Denied <P>\nReference&#32;&#35;18&#46;3faf3554&#46;1795567731&#46;da3d018\n</HTML>";
        let f = denied(&answer(403, &[("content-type", "text/html")], page), "read alice", &[]).unwrap();
        assert_eq!(
            f.request.as_deref(),
            Some("edge reference 18.3faf3554.1795567731.da3d018")
        );
        assert!(f.hint.unwrap().text.contains("allowlist"));
        let seen = denied(
            &answer(403, &[("content-type", "text/html")], page),
            "x",
            &["203.0.113.7".to_owned()],
        );
        let hint = seen.unwrap().hint.unwrap().text;
        assert!(hint.contains("address 203.0.113.7 (reference 18.3faf3554"), "{hint}");
    }

    #[test]
    fn an_edge_is_known_by_its_name_alone() {
        let a = answer(
            403,
            &[("server", "AkamaiGHost"), ("content-type", "text/html")],
            "<html>Blocked</html>",
        );
        assert_eq!(denied(&a, "x", &[]).unwrap().kind, Kind::Auth);
        let a = answer(429, &[("server", "AkamaiGHost")], "");
        assert_eq!(denied(&a, "x", &[]).unwrap().kind, Kind::Throttled);
        let a = answer(
            503,
            &[("server", "AkamaiGHost")],
            "<HTML>Reference #11.45ca3017.1795567731.31b4981",
        );
        assert_eq!(denied(&a, "x", &[]).unwrap().kind, Kind::Transient);
    }

    #[test]
    fn the_vendors_own_refusal_is_not_an_edges() {
        let json = answer(403, &[("server", "AkamaiGHost")], "{\"errorCode\":\"E0000006\"}");
        assert!(denied(&json, "x", &[]).is_none());
        let proxy = answer(403, &[("content-type", "text/html")], "<html>403 Forbidden</html>");
        assert!(denied(&proxy, "x", &[]).is_none());
    }
}
