//! A query whose values can't leave their place: text comes in as an `Escaped`, the rest is written in this program.

use std::fmt;

use crate::model::Failure;

/// A finished query, or one on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soql(String);

/// A literal with its quotes, safe wherever a value may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escaped(String);

impl Soql {
    pub fn new(text: &'static str) -> Self {
        Soql(text.to_owned())
    }
    pub fn then(mut self, text: &'static str) -> Self {
        self.0.push_str(text);
        self
    }
    pub fn value(mut self, value: &Escaped) -> Self {
        self.0.push_str(&value.0);
        self
    }
}

impl fmt::Display for Soql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Escaped {
    /// The vendor's table of escape sequences. Doubling a quote does not escape it.
    pub fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        out.push('\'');
        for c in text.chars() {
            match c {
                '\\' | '\'' | '"' => {
                    out.push('\\');
                    out.push(c);
                }
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                c => out.push(c),
            }
        }
        out.push('\'');
        Escaped(out)
    }

    /// An id that is none never gets as far as a query.
    pub fn id(id: &str, what: &str) -> Result<Self, Failure> {
        if is_id(id) {
            return Ok(Escaped(format!("'{id}'")));
        }
        Err(Failure::permanent(what, "the account's id is none of Salesforce's"))
    }

    /// `('a', 'b')`, of one or more.
    pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let all: Vec<String> = values.into_iter().map(|v| Escaped::text(v).0).collect();
        Escaped(format!("({})", all.join(", ")))
    }
}

/// 15 letters and digits, or the same with 3 of a checksum.
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The two forms of one id are one.
pub fn same(a: &str, b: &str) -> bool {
    is_id(a) && is_id(b) && a.get(..15) == b.get(..15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_quotes_can_t_end_them() {
        for (text, inside) in [
            ("O'Brien", "O\\'Brien"),
            ("back\\slash", "back\\\\slash"),
            ("\\'", "\\\\\\'"),
            ("say \"hi\"", "say \\\"hi\\\""),
            ("line\nbreak", "line\\nbreak"),
            ("cr\rlf\n", "cr\\rlf\\n"),
            ("tab\there", "tab\\there"),
            ("bell\u{8}form\u{c}", "bell\\bform\\f"),
            ("x' OR IsActive=true OR Email='", "x\\' OR IsActive=true OR Email=\\'"),
            ("100%_sure", "100%_sure"),
            (
                "Zo\u{eb} M\u{fc}ller \u{65e5}\u{672c}",
                "Zo\u{eb} M\u{fc}ller \u{65e5}\u{672c}",
            ),
            ("", ""),
        ] {
            assert_eq!(Escaped::text(text).0, format!("'{inside}'"), "{text:?}");
        }
        let query = Soql::new("SELECT Id FROM User WHERE Email IN ").value(&Escaped::list(["a'b", "c"]));
        assert_eq!(query.to_string(), "SELECT Id FROM User WHERE Email IN ('a\\'b', 'c')");
    }

    #[test]
    fn an_id_is_letters_and_digits() {
        assert!(Escaped::id("005x00000000048AAA", "").is_ok() && Escaped::id("005x00000000048", "").is_ok());
        for wrong in ["", "005", "005x00000000048AA", "005x0000000' OR Id"] {
            assert!(Escaped::id(wrong, "find").is_err(), "{wrong}");
        }
        assert!(same("005x00000000048", "005x00000000048AAA") && !same("005X00000000048", "005x00000000048AAA"));
    }
}
