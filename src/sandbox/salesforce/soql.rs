//! SOQL, as much of it as an administrator's client needs: a lexer, a parser, a tree. What it can't read is MALFORMED_QUERY, as there.
//!
//! It knows no object and no column: whoever evaluates the tree does. No GROUP BY, no subquery, no date literal by name.

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Query {
    /// Empty: `COUNT()`.
    pub columns: Vec<String>,
    pub from: String,
    pub filter: Option<Expr>,
    pub order: Vec<Order>,
    pub limit: Option<usize>,
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Order {
    pub column: String,
    pub descending: bool,
    /// `None`: first, as when nothing is said.
    pub nulls_last: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Is(String, Op, Literal),
    In(String, Vec<Literal>, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    Unequal,
    Less,
    More,
    AtMost,
    AtLeast,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    /// Of LIKE: `%` and `_` are wildcards, `Some(c)` is that letter.
    Pattern(Vec<Part>),
    Bool(bool),
    Number(f64),
    /// As written: `2026-11-25T00:00:00Z`.
    Instant(String),
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Letter(char),
    Any,
    One,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    /// What stands between the quotes, escapes and all.
    Quoted(String),
    Number(String),
    Sign(&'static str),
}

/// What doesn't fit, in the vendor's words.
type Parsed<T> = Result<T, String>;

const SIGNS: [&str; 10] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ","];

fn lex(text: &str) -> Parsed<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (inside, after) = quoted(&rest[1..])?;
            out.push(Token::Quoted(inside.to_owned()));
            rest = after;
        } else if first.is_ascii_alphabetic() {
            rest = take(rest, &mut out, Token::Word, |c| {
                c.is_ascii_alphanumeric() || c == '_' || c == '.'
            });
        } else if first.is_ascii_digit() || first == '-' || first == '+' {
            rest = take(rest, &mut out, Token::Number, |c| {
                c.is_ascii_alphanumeric() || "+-.:".contains(c)
            });
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            out.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(format!("unexpected token: '{first}'"));
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

fn take<'a>(rest: &'a str, out: &mut Vec<Token>, made: fn(String) -> Token, fits: fn(char) -> bool) -> &'a str {
    let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
    out.push(made(rest[..end].to_owned()));
    &rest[end..]
}

/// The inside of a literal, and what follows its closing quote.
fn quoted(text: &str) -> Parsed<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Ok((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    Err("line 1: a string literal is not closed".into())
}

/// Letter by letter, with what an escape stands for. A backslash before anything else is an error.
fn unescape(inside: &str, like: bool) -> Parsed<Vec<Part>> {
    let mut out = Vec::new();
    let mut letters = inside.chars();
    while let Some(c) = letters.next() {
        let part = match c {
            '%' if like => Part::Any,
            '_' if like => Part::One,
            '\\' => Part::Letter(match letters.next() {
                Some('n' | 'N') => '\n',
                Some('r' | 'R') => '\r',
                Some('t' | 'T') => '\t',
                Some('b' | 'B') => '\u{8}',
                Some('f' | 'F') => '\u{c}',
                Some(c @ ('\\' | '\'' | '"')) => c,
                Some(c @ ('%' | '_')) if like => c,
                Some(c) => return Err(format!("Illegal string literal: invalid escape sequence \\{c}")),
                None => return Err("Illegal string literal".into()),
            }),
            c => Part::Letter(c),
        };
        out.push(part);
    }
    Ok(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

pub(super) fn parse(text: &str) -> Parsed<Query> {
    let tokens = lex(text)?;
    let mut p = Parser { tokens, at: 0 };
    p.want("SELECT")?;
    let columns = p.columns()?;
    p.want("FROM")?;
    let from = p.name()?;
    let filter = if p.word("WHERE") { Some(p.filter()?) } else { None };
    let mut order = Vec::new();
    if p.word("ORDER") {
        p.want("BY")?;
        order.push(p.order()?);
        while p.sign(",") {
            order.push(p.order()?);
        }
    }
    let limit = if p.word("LIMIT") { Some(p.count()?) } else { None };
    let offset = if p.word("OFFSET") { p.count()? } else { 0 };
    match p.tokens.get(p.at) {
        None => Ok(Query {
            columns,
            from,
            filter,
            order,
            limit,
            offset,
        }),
        Some(_) => Err(p.unexpected()),
    }
}

impl Parser {
    fn unexpected(&self) -> String {
        match self.tokens.get(self.at) {
            None => "unexpected token: '<EOF>'".into(),
            Some(Token::Word(w) | Token::Number(w)) => format!("unexpected token: '{w}'"),
            Some(Token::Quoted(q)) => format!("unexpected token: '{q}'"),
            Some(Token::Sign(s)) => format!("unexpected token: '{s}'"),
        }
    }
    fn word(&mut self, wanted: &str) -> bool {
        let there = matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(wanted));
        self.at += usize::from(there);
        there
    }
    fn want(&mut self, wanted: &str) -> Parsed<()> {
        if self.word(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }
    fn sign(&mut self, wanted: &str) -> bool {
        let there = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == wanted);
        self.at += usize::from(there);
        there
    }
    fn close(&mut self, wanted: &str) -> Parsed<()> {
        if self.sign(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }
    fn name(&mut self) -> Parsed<String> {
        const RESERVED: [&str; 9] = ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "ORDER"];
        match self.tokens.get(self.at) {
            Some(Token::Word(w)) if !RESERVED.iter().any(|r| w.eq_ignore_ascii_case(r)) => {
                let name = w.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }
    fn count(&mut self) -> Parsed<usize> {
        match self.tokens.get(self.at) {
            Some(Token::Number(n)) => {
                let n = n.parse().map_err(|_| self.unexpected())?;
                self.at += 1;
                Ok(n)
            }
            _ => Err(self.unexpected()),
        }
    }
    fn columns(&mut self) -> Parsed<Vec<String>> {
        let first = self.name()?;
        if first.eq_ignore_ascii_case("COUNT") && self.sign("(") {
            self.close(")")?;
            return Ok(vec![]);
        }
        let mut all = vec![first];
        while self.sign(",") {
            all.push(self.name()?);
        }
        Ok(all)
    }
    fn order(&mut self) -> Parsed<Order> {
        let column = self.name()?;
        let descending = !self.word("ASC") && self.word("DESC");
        let mut nulls_last = false;
        if self.word("NULLS") {
            nulls_last = self.word("LAST");
            if !nulls_last {
                self.want("FIRST")?;
            }
        }
        Ok(Order {
            column,
            descending,
            nulls_last,
        })
    }

    /// Terms joined by one of AND and OR: both at one level want parentheses.
    fn filter(&mut self) -> Parsed<Expr> {
        let first = self.term()?;
        let mut all = vec![first];
        let and = self.word("AND");
        if !and && !self.word("OR") {
            return Ok(all.remove(0));
        }
        all.push(self.term()?);
        while self.word(if and { "AND" } else { "OR" }) {
            all.push(self.term()?);
        }
        Ok(if and { Expr::And(all) } else { Expr::Or(all) })
    }

    fn term(&mut self) -> Parsed<Expr> {
        if self.sign("(") {
            let inner = self.filter()?;
            self.close(")")?;
            return Ok(inner);
        }
        if self.word("NOT") {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        let column = self.name()?;
        let not = self.word("NOT");
        if self.word("IN") {
            self.close("(")?;
            let mut all = vec![self.literal(false)?];
            while self.sign(",") {
                all.push(self.literal(false)?);
            }
            self.close(")")?;
            return Ok(Expr::In(column, all, !not));
        }
        if not {
            return Err(self.unexpected());
        }
        if self.word("LIKE") {
            return Ok(Expr::Is(column, Op::Like, self.literal(true)?));
        }
        let ops = [
            ("=", Op::Equal),
            ("!=", Op::Unequal),
            ("<>", Op::Unequal),
            ("<=", Op::AtMost),
            (">=", Op::AtLeast),
            ("<", Op::Less),
            (">", Op::More),
        ];
        let found = ops.into_iter().find(|(sign, _)| self.sign(sign));
        let (_, op) = found.ok_or_else(|| self.unexpected())?;
        Ok(Expr::Is(column, op, self.literal(false)?))
    }

    fn literal(&mut self, like: bool) -> Parsed<Literal> {
        let literal = match self.tokens.get(self.at) {
            Some(Token::Quoted(inside)) => {
                let parts = unescape(inside, like)?;
                if like {
                    Literal::Pattern(parts)
                } else {
                    let letter = |p: &Part| match p {
                        Part::Letter(c) => *c,
                        Part::Any => '%',
                        Part::One => '_',
                    };
                    Literal::Text(parts.iter().map(letter).collect())
                }
            }
            Some(Token::Number(n)) if !like => match n.parse() {
                Ok(number) => Literal::Number(number),
                Err(_) if chrono::DateTime::parse_from_rfc3339(n).is_ok() => Literal::Instant(n.clone()),
                Err(_) => return Err(self.unexpected()),
            },
            Some(Token::Word(w)) if !like => match w.to_ascii_lowercase().as_str() {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "null" => Literal::Null,
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(literal)
    }
}

/// `%` is any run of letters, `_` one; case doesn't matter.
pub(super) fn like(pattern: &[Part], text: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    fn fits(pattern: &[Part], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((Part::Any, rest)) => (0..=text.len()).any(|n| fits(rest, &text[n..])),
            Some((Part::One, rest)) => !text.is_empty() && fits(rest, &text[1..]),
            Some((Part::Letter(c), rest)) => text.first() == c.to_lowercase().next().as_ref() && fits(rest, &text[1..]),
        }
    }
    fits(pattern, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_whole() {
        let q = parse(
            "select Id, Profile.Name from User where (IsActive = true and not UserType in ('Guest', 'CsnOnly')) order by Id desc, Email nulls last limit 5 offset 2",
        )
        .unwrap();
        assert_eq!(
            (q.columns, q.from),
            (vec!["Id".into(), "Profile.Name".to_owned()], "User".into())
        );
        assert_eq!(
            (q.limit, q.offset, q.order[0].descending, q.order[1].nulls_last),
            (Some(5), 2, true, true)
        );
        let types = vec![Literal::Text("Guest".into()), Literal::Text("CsnOnly".into())];
        assert_eq!(
            q.filter,
            Some(Expr::And(vec![
                Expr::Is("IsActive".into(), Op::Equal, Literal::Bool(true)),
                Expr::Not(Box::new(Expr::In("UserType".into(), types, true))),
            ]))
        );
        assert_eq!(parse("SELECT COUNT() FROM Lead").unwrap().columns, Vec::<String>::new());
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for text in [
            "",
            "SELECT Id FROM User WHERE",
            "SELECT FROM User",
            "SELECT Id FROM User WHERE Id",
            "SELECT Id FROM User WHERE Name = 'O''Brien'",
            "SELECT Id FROM User WHERE Name = 'open",
            "SELECT Id FROM User WHERE Name = 'a\\qb'",
            "SELECT Id FROM User WHERE Name = \"x\"",
            "SELECT Id FROM User WHERE A = 1 AND B = 2 OR C = 3",
            "SELECT Id FROM User GROUP BY Id",
            "SELECT Id FROM User LIMIT x",
            "SELECT (SELECT Id FROM Contacts) FROM User",
            "SELECT Id FROM User; DELETE",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn escapes_stand_for_letters_and_an_unescaped_quote_ends_the_literal() {
        let value = |text: &str| match parse(&format!("SELECT Id FROM User WHERE Name = '{text}'")).map(|q| q.filter) {
            Ok(Some(Expr::Is(_, _, Literal::Text(t)))) => Some(t),
            _ => None,
        };
        for (written, meant) in [
            ("O\\'Brien", "O'Brien"),
            ("back\\\\slash", "back\\slash"),
            ("say \\\"hi\\\"", "say \"hi\""),
            ("a\\nb\\rc\\td\\be\\ff", "a\nb\rc\td\u{8}e\u{c}f"),
            ("100%_sure", "100%_sure"),
        ] {
            assert_eq!(value(written).as_deref(), Some(meant));
        }
        let injected = parse("SELECT Id FROM User WHERE Email = 'x' OR IsActive=true OR Email=''").unwrap();
        assert!(matches!(injected.filter, Some(Expr::Or(all)) if all.len() == 3));
    }

    #[test]
    fn like_has_wildcards_and_escapes_for_them() {
        let fits = |pattern: &str, text: &str| like(&unescape(pattern, true).unwrap(), text);
        for (pattern, text, want) in [
            ("A%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("100\\%\\_sure", "100%_sure", true),
            ("100\\%", "1000", false),
            ("%", "", true),
        ] {
            assert_eq!(fits(pattern, text), want, "{pattern} {text}");
        }
    }
}
