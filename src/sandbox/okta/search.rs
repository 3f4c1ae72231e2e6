//! The filter language of `search`, `filter` and the System Log: a parser, and a test of one entry.
//!
//! Knows nothing of people or groups: the caller says which attributes exist, which operators go with them, and what an entry holds.

use std::borrow::Cow;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Test { field: String, op: Op, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Sw,
    Ew,
    Co,
    Pr,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    fn parse(word: &str) -> Option<Op> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "sw" => Op::Sw,
            "ew" => Op::Ew,
            "co" => Op::Co,
            "pr" => Op::Pr,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            _ => return None,
        })
    }
}

/// What an entry holds under a name; several for `target.id`.
pub enum Field<'a> {
    None,
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl<'a> Field<'a> {
    pub fn text(text: &'a str) -> Field<'a> {
        Field::One(Cow::Borrowed(text))
    }
    pub fn owned(text: String) -> Field<'a> {
        Field::One(Cow::Owned(text))
    }
}

/// `allowed(field, op)` refuses what the dialect doesn't have. `fold`: values compare without regard to case.
pub fn parse(text: &str, fold: bool, allowed: &dyn Fn(&str, Op) -> bool) -> Option<Expr> {
    let mut p = Parser {
        rest: text,
        depth: 0,
        fold,
        allowed,
    };
    let expr = p.either()?;
    p.rest.trim().is_empty().then_some(expr)
}

impl Expr {
    pub fn holds<'a>(&self, fold: bool, get: &dyn Fn(&str) -> Field<'a>) -> bool {
        match self {
            Expr::And(all) => all.iter().all(|e| e.holds(fold, get)),
            Expr::Or(any) => any.iter().any(|e| e.holds(fold, get)),
            Expr::Test { field, op, value } => match get(field) {
                Field::None => *op == Op::Ne,
                Field::One(text) => test(&text, *op, value, fold),
                Field::Many(texts) if *op == Op::Ne => texts.iter().all(|t| test(t, Op::Ne, value, fold)),
                Field::Many(texts) => texts.iter().any(|t| test(t, *op, value, fold)),
            },
        }
    }

    /// The value that must be equal, where the whole expression hangs on it: a look-up instead of a scan.
    pub fn required(&self, name: &str) -> Option<&str> {
        match self {
            Expr::Test {
                field,
                op: Op::Eq,
                value,
            } if field == name => Some(value),
            Expr::And(all) => all.iter().find_map(|e| e.required(name)),
            Expr::Or(_) | Expr::Test { .. } => None,
        }
    }
}

fn test(text: &str, op: Op, value: &str, fold: bool) -> bool {
    let folded: Cow<str> = if fold && text.chars().any(char::is_uppercase) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    };
    let order = || folded.as_ref().cmp(value);
    match op {
        Op::Pr => true,
        Op::Eq => folded == value,
        Op::Ne => folded != value,
        Op::Sw => folded.starts_with(value),
        Op::Ew => folded.ends_with(value),
        Op::Co => folded.contains(value),
        Op::Gt => order() == Ordering::Greater,
        Op::Ge => order() != Ordering::Less,
        Op::Lt => order() == Ordering::Less,
        Op::Le => order() != Ordering::Greater,
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    fold: bool,
    allowed: &'a dyn Fn(&str, Op) -> bool,
}

/// Nesting that no honest query has.
const DEEPEST: usize = 32;

impl Parser<'_> {
    fn either(&mut self) -> Option<Expr> {
        let mut any = vec![self.both()?];
        while self.keyword("or") {
            any.push(self.both()?);
        }
        Some(if any.len() == 1 { any.remove(0) } else { Expr::Or(any) })
    }

    fn both(&mut self) -> Option<Expr> {
        let mut all = vec![self.one()?];
        while self.keyword("and") {
            all.push(self.one()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Expr::And(all) })
    }

    fn one(&mut self) -> Option<Expr> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            self.rest = rest;
            let inner = self.either()?;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            self.depth -= 1;
            return Some(inner);
        }
        let field = self.word()?.to_owned();
        let op = Op::parse(self.word()?)?;
        if !(self.allowed)(&field, op) {
            return None;
        }
        let value = if op == Op::Pr { String::new() } else { self.value()? };
        Some(Expr::Test { field, op, value })
    }

    fn word(&mut self) -> Option<&str> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || c == '(' || c == ')')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(head) = rest.get(..word.len()) else {
            return false;
        };
        let after = &rest[word.len()..];
        let ends = after.starts_with(|c: char| c.is_whitespace() || c == '(');
        if head.eq_ignore_ascii_case(word) && ends {
            self.rest = after;
            return true;
        }
        false
    }

    /// A JSON string, or a bare number, true or false.
    fn value(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let text = if self.rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
            let text = stream.next()?.ok()?;
            let used = stream.byte_offset();
            self.rest = &self.rest[used..];
            text
        } else {
            let word = self.word()?;
            let bare = matches!(word, "true" | "false") || word.parse::<f64>().is_ok();
            if !bare {
                return None;
            }
            word.to_owned()
        };
        Some(if self.fold { text.to_lowercase() } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(query: &str, fold: bool) -> Option<bool> {
        let expr = parse(query, fold, &|_, _| true)?;
        Some(expr.holds(fold, &|name| match name {
            "profile.login" => Field::text("Ana@acme.example"),
            "profile.terminationDate" => Field::text("2026-07-14"),
            "target.id" => Field::Many(vec!["a".into(), "b".into()]),
            _ => Field::None,
        }))
    }

    #[test]
    fn precedence_parentheses_and_case() {
        let yes = r#"profile.login eq "ANA@acme.example" and (status pr or profile.terminationDate lt "2026-07-15")"#;
        assert_eq!(holds(yes, true), Some(true));
        assert_eq!(holds(yes, false), Some(false), "filter compares case");
        assert_eq!(
            holds(r#"a eq "1" or b eq "2" and profile.login pr"#, true),
            Some(false),
            "and binds tighter"
        );
    }

    #[test]
    fn dates_compare_as_text_and_absent_never_matches() {
        assert_eq!(
            holds(r#"profile.terminationDate lt "2026-07-14T00:00:00.000Z""#, true),
            Some(true),
            "the shorter sorts before"
        );
        assert_eq!(holds(r#"profile.hireDate lt "2099-01-01""#, true), Some(false));
        assert_eq!(holds("profile.hireDate pr", true), Some(false));
    }

    #[test]
    fn values_are_json_strings_and_a_quote_ends_them() {
        assert_eq!(holds(r#"profile.login eq "x\"y""#, true), Some(false));
        for broken in [
            r#"profile.login eq "x"y""#,
            "profile.login eq x",
            "(status pr",
            "status",
            "status zz \"a\"",
            "",
        ] {
            assert_eq!(holds(broken, true), None, "{broken}");
        }
        assert_eq!(
            holds(&format!("{}a pr{}", "(".repeat(99), ")".repeat(99)), true),
            None,
            "too deep"
        );
    }

    #[test]
    fn one_of_several_targets_is_enough_for_eq_and_none_may_be_for_ne() {
        assert_eq!(holds(r#"target.id eq "b""#, false), Some(true));
        assert_eq!(holds(r#"target.id ne "b""#, false), Some(false));
        assert_eq!(holds(r#"target.id ew "z" or target.id co "a""#, false), Some(true));
    }

    #[test]
    fn an_equality_that_everything_hangs_on_can_be_looked_up() {
        let e = parse(r#"status pr and id eq "00u1""#, true, &|_, _| true).expect("well formed");
        assert_eq!(e.required("id"), Some("00u1"));
        let e = parse(r#"status pr or id eq "00u1""#, true, &|_, _| true).expect("well formed");
        assert_eq!(e.required("id"), None);
    }
}
