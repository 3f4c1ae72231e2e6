//! Literals of Okta's search and filter language. A value is a JSON string; without that a name with a quote in it ends the literal and
//! rewrites the filter. Refuses nothing: whatever text comes, the literal stays one literal.

use std::fmt::Write;

/// `profile.email eq "o\"brien@acme.example"`. The attribute is ours, the value is anyone's.
pub fn eq(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", literal(value))
}

pub fn and(left: &str, right: &str) -> String {
    format!("{left} and {right}")
}

pub fn or(left: &str, right: &str) -> String {
    format!("{left} or {right}")
}

pub fn group(inside: &str) -> String {
    format!("({inside})")
}

pub fn literal(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crafted_name_stays_inside_its_literal() {
        let crafted = r#"x" or status pr or profile.lastName eq "O'Brien\"#;
        assert_eq!(
            eq("profile.lastName", crafted),
            r#"profile.lastName eq "x\" or status pr or profile.lastName eq \"O'Brien\\""#
        );
        let inside = literal(crafted);
        assert_eq!(serde_json::from_str::<String>(&inside).unwrap(), crafted);
    }

    #[test]
    fn control_characters_are_escaped_and_other_scripts_kept() {
        assert_eq!(literal("Zo\u{e9}\n"), "\"Zo\u{e9}\\u000a\"");
    }
}
