//! Filters of RFC 7644 section 3.4.2.2, against the table: read whole or refused as `invalidFilter`.

use std::{iter::Peekable, str::Chars};

use serde_json::{Map, Value};

use super::schema::{self, At, Attribute, Kind, Type};

#[derive(Debug)]
pub enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Has(Path),
    Is(Path, Op, Value),
    /// `emails[type eq "work"]`
    Some(Path, Box<Filter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

/// An attribute, and a part of it.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub at: At,
    pub part: Option<&'static Attribute>,
}

impl Path {
    pub fn read(kind: Kind, text: &str) -> Option<Path> {
        // the dot that divides stands behind the last colon: a URN has dots of its own
        let from = text.rfind(':').map_or(0, |i| i + 1);
        let (name, part) = match text[from..].split_once('.') {
            Some((name, part)) => (&text[..from + name.len()], Some(part)),
            None => (text, None),
        };
        let at = schema::find(kind, name)?;
        let part = match part {
            Some(p) => Some(schema::part(at.attribute, p)?),
            None => None,
        };
        Some(Path { at, part })
    }

    /// As the client may have written it: for what a server understands.
    pub fn name(&self) -> String {
        match self.part {
            Some(p) => format!("{}.{}", self.at.attribute.name, p.name),
            None => self.at.attribute.name.to_owned(),
        }
    }

    fn values<'a>(&self, whole: &'a Map<String, Value>) -> Vec<&'a Value> {
        let holder = match self.at.under {
            Some(urn) => whole.get(urn).and_then(Value::as_object),
            None => Some(whole),
        };
        let Some(value) = holder.and_then(|h| h.get(self.at.attribute.name)) else {
            return Vec::new();
        };
        let each: Vec<&Value> = match value {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        match (self.part, self.at.attribute.kind) {
            (Some(p), _) => each.iter().filter_map(|v| v.get(p.name)).collect(),
            (None, Type::Complex) => each.iter().map(|v| v.get("value").unwrap_or(v)).collect(),
            (None, _) => each,
        }
    }

    fn leaf(&self) -> &'static Attribute {
        self.part
            .or_else(|| schema::part(self.at.attribute, "value"))
            .unwrap_or(self.at.attribute)
    }
}

impl Filter {
    /// Of a whole resource.
    pub fn read(kind: Kind, text: &str) -> Result<Filter, String> {
        Parser::over(text, Scope::Kind(kind)).whole()
    }

    /// Of one element of a list: what stands in brackets.
    pub fn within(of: &'static Attribute, text: &str) -> Result<Filter, String> {
        Parser::over(text, Scope::Parts(of)).whole()
    }

    pub fn holds(&self, whole: &Map<String, Value>) -> bool {
        match self {
            Filter::And(a, b) => a.holds(whole) && b.holds(whole),
            Filter::Or(a, b) => a.holds(whole) || b.holds(whole),
            Filter::Not(a) => !a.holds(whole),
            Filter::Has(path) => path.values(whole).iter().any(|v| !v.is_null()),
            Filter::Is(path, op, value) => {
                let found = path.values(whole);
                match op {
                    Op::Ne => found.iter().all(|v| !compare(Op::Eq, v, value, path.leaf())),
                    op => found.iter().any(|v| compare(*op, v, value, path.leaf())),
                }
            }
            Filter::Some(path, inner) => {
                let elements = Path { part: None, ..*path };
                let holder = match elements.at.under {
                    Some(urn) => whole.get(urn).and_then(|v| v.get(elements.at.attribute.name)),
                    None => whole.get(elements.at.attribute.name),
                };
                let list = holder.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                list.iter().filter_map(Value::as_object).any(|e| inner.holds(e))
            }
        }
    }

    /// Every comparison in it, for servers that know but a few; `None` where there is more than comparisons joined by `and`.
    pub fn plain(&self) -> Option<Vec<(String, Op)>> {
        match self {
            Filter::And(a, b) => {
                let mut both = a.plain()?;
                both.extend(b.plain()?);
                Some(both)
            }
            Filter::Is(path, op, _) => Some(vec![(path.name(), *op)]),
            Filter::Or(..) | Filter::Not(_) | Filter::Has(_) | Filter::Some(..) => None,
        }
    }
}

fn compare(op: Op, found: &Value, wanted: &Value, attribute: &Attribute) -> bool {
    if attribute.kind == Type::Bool {
        let flag = |v: &Value| {
            v.as_bool()
                .or_else(|| v.as_str().map(|t| t.eq_ignore_ascii_case("true")))
        };
        return op == Op::Eq && flag(found) == flag(wanted);
    }
    let (Some(a), Some(b)) = (found.as_str(), wanted.as_str()) else {
        return op == Op::Eq && found == wanted;
    };
    let fold = |t: &str| {
        if attribute.exact {
            t.to_owned()
        } else {
            t.to_lowercase()
        }
    };
    let (a, b) = (fold(a), fold(b));
    match op {
        Op::Eq => a == b,
        Op::Ne => a != b,
        Op::Co => a.contains(&b),
        Op::Sw => a.starts_with(&b),
        Op::Ew => a.ends_with(&b),
        Op::Gt => a > b,
        Op::Ge => a >= b,
        Op::Lt => a < b,
        Op::Le => a <= b,
    }
}

#[derive(Clone, Copy)]
enum Scope {
    Kind(Kind),
    Parts(&'static Attribute),
}

impl Scope {
    fn path(self, text: &str) -> Option<Path> {
        match self {
            Scope::Kind(kind) => Path::read(kind, text),
            Scope::Parts(of) => schema::part(of, text).map(|attribute| Path {
                at: At { under: None, attribute },
                part: None,
            }),
        }
    }
}

struct Parser<'a> {
    text: Peekable<Chars<'a>>,
    scope: Scope,
    /// Brackets and "not" that are open: nobody writes a hundred.
    depth: usize,
}

impl<'a> Parser<'a> {
    fn over(text: &'a str, scope: Scope) -> Parser<'a> {
        Parser {
            text: text.chars().peekable(),
            scope,
            depth: 0,
        }
    }

    fn whole(mut self) -> Result<Filter, String> {
        let filter = self.or()?;
        self.spaces();
        match self.text.next() {
            None => Ok(filter),
            Some(c) => Err(format!("unexpected {c:?}")),
        }
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.takes("or") {
            left = Filter::Or(left.into(), self.and()?.into());
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.one()?;
        while self.takes("and") {
            left = Filter::And(left.into(), self.one()?.into());
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > 50 {
            return Err("too deep".into());
        }
        self.spaces();
        if self.takes("not") {
            self.expect('(')?;
            let inner = self.or()?;
            self.expect(')')?;
            return Ok(Filter::Not(inner.into()));
        }
        if self.text.peek() == Some(&'(') {
            self.expect('(')?;
            let inner = self.or()?;
            self.expect(')')?;
            return Ok(inner);
        }
        let name = self.word();
        let path = self
            .scope
            .path(&name)
            .ok_or_else(|| format!("Field not found: {name}"))?;
        if self.text.peek() == Some(&'[') {
            self.expect('[')?;
            let outer = std::mem::replace(&mut self.scope, Scope::Parts(path.at.attribute));
            let inner = self.or()?;
            self.scope = outer;
            self.expect(']')?;
            return Ok(Filter::Some(path, inner.into()));
        }
        self.spaces();
        let op = match self.word().to_ascii_lowercase().as_str() {
            "pr" => return Ok(Filter::Has(path)),
            "eq" => Op::Eq,
            "ne" => Op::Ne,
            "co" => Op::Co,
            "sw" => Op::Sw,
            "ew" => Op::Ew,
            "gt" => Op::Gt,
            "ge" => Op::Ge,
            "lt" => Op::Lt,
            "le" => Op::Le,
            other => return Err(format!("no operator {other:?}")),
        };
        self.spaces();
        Ok(Filter::Is(path, op, self.value()?))
    }

    /// JSON: a text in quotes with its escapes, a number, true, false, null.
    fn value(&mut self) -> Result<Value, String> {
        let mut raw = String::new();
        if self.text.peek() == Some(&'"') {
            let mut escaped = true; // the opening quote doesn't close
            for c in self.text.by_ref() {
                raw.push(c);
                if c == '"' && !escaped {
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
        } else {
            raw = self.word();
        }
        serde_json::from_str(&raw).map_err(|_| format!("{raw} is no value"))
    }

    fn spaces(&mut self) {
        while self.text.next_if(|c| *c == ' ').is_some() {}
    }

    fn word(&mut self) -> String {
        let mut out = String::new();
        while let Some(c) = self.text.next_if(|c| c.is_alphanumeric() || ":._-$+".contains(*c)) {
            out.push(c);
        }
        out
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        self.spaces();
        match self.text.next() {
            Some(c) if c == wanted => Ok(()),
            other => Err(format!("{wanted:?} is wanted, not {other:?}")),
        }
    }

    /// That word, standing alone.
    fn takes(&mut self, word: &str) -> bool {
        let mut ahead = self.text.clone();
        while ahead.next_if(|c| *c == ' ').is_some() {}
        let same = word
            .chars()
            .all(|w| ahead.next().is_some_and(|c| c.eq_ignore_ascii_case(&w)));
        if !same || !ahead.peek().is_none_or(|c| *c == ' ' || *c == '(') {
            return false;
        }
        self.text = ahead;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(filter: &str) -> Result<bool, String> {
        let user = json!({"id": "u1", "userName": "Bob@acme.example", "externalId": "hr-1", "active": true,
            "emails": [{"value": "bob@acme.example", "type": "work"}, {"value": "b@home.example", "type": "home"}],
            schema::ENTERPRISE: {"department": "Engineering", "manager": {"value": "m1"}}});
        Filter::read(Kind::User, filter).map(|f| f.holds(user.as_object().unwrap()))
    }

    #[test]
    fn a_filter_is_read_as_the_rfc_writes_it() {
        for (filter, want) in [
            ("userName eq \"BOB@acme.example\"", true),
            ("USERNAME Eq \"bob@acme.example\"", true),
            ("externalId eq \"HR-1\"", false),
            ("emails.value eq \"b@home.example\"", true),
            ("emails[type eq \"work\" and value sw \"bob\"]", true),
            ("emails[type eq \"work\" and value sw \"b@\"]", false),
            ("active eq true and not (userName pr)", false),
            ("title pr or (active eq true)", true),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"engineering\"",
                true,
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m1\"",
                true,
            ),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"bob\"", true),
            ("userName eq \"x\\\" or userName pr or userName eq \\\"x\"", false),
            ("userName ne \"bob@acme.example\"", false),
        ] {
            assert_eq!(holds(filter), Ok(want), "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "userName eq bob",
            "nosuch eq \"x\"",
            "userName eq \"x",
            "userName is \"x\"",
            "",
            "(userName pr",
            "userName pr x",
            "emails[nosuch eq \"x\"]",
            &"(".repeat(9999),
        ] {
            assert!(holds(filter).is_err(), "{filter}");
        }
    }
}
