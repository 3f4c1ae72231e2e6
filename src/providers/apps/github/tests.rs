use http::{HeaderMap, HeaderName};

use super::explain;
use crate::{http::Answer, model::Kind};

fn said(status: u16, headers: &[(&str, &str)], message: &str) -> crate::model::Failure {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let body = serde_json::json!({"message": message}).to_string();
    explain(&Answer::new(status, map, body), "take ann out of acme")
}

#[test]
fn a_403_is_one_of_four() {
    let secondary = said(
        403,
        &[("retry-after", "60")],
        "You have exceeded a secondary rate limit.",
    );
    assert_eq!((secondary.kind, secondary.hint), (Kind::Throttled, None));
    let primary = said(
        403,
        &[("x-ratelimit-remaining", "0")],
        "API rate limit exceeded for installation",
    );
    assert_eq!(primary.kind, Kind::Throttled);
    let needed = [
        ("x-accepted-github-permissions", "members=write"),
        ("x-ratelimit-remaining", "4999"),
    ];
    let lacking = said(403, &needed, "Resource not accessible by integration");
    assert_eq!(lacking.kind, Kind::Auth);
    assert!(lacking.hint.unwrap().text.contains("members=write"));
    let policy = said(403, &[], "Cannot remove the last owner of an organization.");
    assert_eq!(policy.kind, Kind::Permanent);
    let sso = said(
        403,
        &[("x-github-sso", "required; url=https://x")],
        "Resource protected by organization SAML enforcement",
    );
    assert!(sso.hint.unwrap().text.contains("single sign-on"));
}
