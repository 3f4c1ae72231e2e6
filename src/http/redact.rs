//! What may be said of a call and of what it answered.

use ::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use url::Url;

use super::Answer;

/// The path alone: a query may hold a token, a search text, a person.
pub(super) fn route(url: &Url) -> String {
    url.path().to_owned()
}

/// What an attempt was authorised with, in each form in which an answer may say it back: a proxy's debug page, an error that quotes.
pub(super) fn secrets(given: &HeaderMap) -> Vec<String> {
    // Shorter than any token, and likely to stand in an answer by chance.
    const LEAST: usize = 8;
    let mut out = Vec::new();
    for value in given.values().filter_map(|v| v.to_str().ok()) {
        let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
        if scheme == "Basic"
            && let Ok(pair) = BASE64_STANDARD.decode(secret)
            && let Ok(pair) = String::from_utf8(pair)
        {
            out.extend(pair.split_once(':').map(|(_, password)| password.to_owned()));
        }
        out.push(secret.to_owned());
    }
    out.retain(|s| s.len() >= LEAST);
    out
}

/// An answer that says a credential back, without it: nobody above can tell it further.
pub(super) fn without(secrets: &[String], mut answer: Answer) -> Answer {
    const HIDDEN: &str = "[credential]";
    let hide = |text: &str| {
        let found: Vec<&String> = secrets.iter().filter(|s| text.contains(s.as_str())).collect();
        (!found.is_empty()).then(|| found.iter().fold(text.to_owned(), |t, s| t.replace(s.as_str(), HIDDEN)))
    };
    if let Some(clean) = std::str::from_utf8(&answer.body).ok().and_then(hide) {
        answer.body = clean.into();
    }
    for value in answer.headers.values_mut() {
        if let Some(clean) = value.to_str().ok().and_then(hide) {
            *value = HeaderValue::from_str(&clean).unwrap_or_else(|_| HeaderValue::from_static(HIDDEN));
        }
    }
    answer
}

/// Shows nothing, or turns what stands beside it around.
fn invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A vendor's words as one line that can be shown: no control characters, no more than a few lines' worth.
pub fn sentence(text: &str) -> String {
    const MOST: usize = 400;
    let mut out = String::new();
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = !out.is_empty();
            continue;
        }
        if invisible(c) {
            continue;
        }
        if out.len() + c.len_utf8() > MOST {
            out.push_str("...");
            break;
        }
        if gap {
            out.push(' ');
            gap = false;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_short_line() {
        assert_eq!(sentence(" a\n\tb\u{1b}[31m  c "), "a b [31m c");
        assert!(sentence(&"x".repeat(9000)).len() < 410);
        assert_eq!(sentence("a\u{202e}b \u{2066}c"), "ab c");
    }

    #[test]
    fn a_credential_that_is_said_back_is_not_passed_on() {
        let given =
            |v: &str| HeaderMap::from_iter([(::http::header::AUTHORIZATION, HeaderValue::from_str(v).unwrap())]);
        for (authorization, told) in [
            ("SSWS 00abcdefgh", "bad token 00abcdefgh"),
            ("Bearer xoxb-12345", "got: Bearer xoxb-12345!"),
            ("Basic amltbDpodW50ZXIyMg==", "jiml has the password hunter22"),
            (
                "Basic amltbDpodW50ZXIyMg==",
                "Authorization: Basic amltbDpodW50ZXIyMg==",
            ),
        ] {
            let secrets = secrets(&given(authorization));
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", told.parse().unwrap());
            let answer = without(&secrets, Answer::new(401, headers, told));
            let whole = format!("{}{}", answer.text(), answer.header("x-request-id").unwrap());
            assert!(whole.contains("[credential]"), "{whole}");
            assert!(secrets.iter().all(|s| !whole.contains(s)), "{whole}");
        }
        let answer = without(&["00abcdefgh".into()], Answer::new(200, HeaderMap::new(), "[]"));
        assert_eq!(answer.text(), "[]");
    }
}
