//! What may be said of a call and of what it answered.

use url::Url;

/// The path alone: a query may hold a token, a search text, a person.
pub(super) fn route(url: &Url) -> String {
    url.path().to_owned()
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
    }
}
