//! Okta's expression language, as far as group rules use it: comparisons, `and`/`or`/`!`, string functions, membership.

use serde_json::Value;

use super::Okta;
use super::model::Person;

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
    Attribute(String),
    Call(String, Vec<Node>),
    Not(Box<Node>),
    Equal(Box<Node>, Box<Node>, bool),
    And(Vec<Node>),
    Or(Vec<Node>),
}

/// Functions that are known, each with how many arguments it takes at least.
const FUNCTIONS: &[(&str, usize)] = &[
    ("String.startsWith", 2),
    ("String.endsWith", 2),
    ("String.stringContains", 2),
    ("String.toLowerCase", 1),
    ("String.toUpperCase", 1),
    ("String.len", 1),
    ("user.getInternalProperty", 1),
    ("isMemberOfGroup", 1),
    ("isMemberOfAnyGroup", 1),
    ("isMemberOfGroupName", 1),
    ("isMemberOfGroupNameStartsWith", 1),
    ("isMemberOfGroupNameContains", 1),
];

pub fn parse(text: &str) -> Option<Node> {
    let mut p = Parser { rest: text, depth: 0 };
    let node = p.either()?;
    p.rest.trim().is_empty().then_some(node)
}

impl Node {
    /// Does the outcome hang on memberships?
    pub fn by_group(&self) -> bool {
        match self {
            Node::Call(name, args) => name.starts_with("isMemberOf") || args.iter().any(Node::by_group),
            Node::Not(n) => n.by_group(),
            Node::Equal(a, b, _) => a.by_group() || b.by_group(),
            Node::And(all) | Node::Or(all) => all.iter().any(Node::by_group),
            Node::Text(_) | Node::Number(_) | Node::Bool(_) | Node::Null | Node::Attribute(_) => false,
        }
    }

    pub fn holds(&self, okta: &Okta, p: &Person) -> bool {
        self.value(okta, p) == Value::Bool(true)
    }

    fn value(&self, okta: &Okta, p: &Person) -> Value {
        match self {
            Node::Text(t) => t.as_str().into(),
            Node::Number(n) => (*n).into(),
            Node::Bool(b) => (*b).into(),
            Node::Null => Value::Null,
            Node::Attribute(name) => p.profile.get(name).cloned().unwrap_or(Value::Null),
            Node::Not(n) => Value::Bool(!n.holds(okta, p)),
            Node::Equal(a, b, equal) => Value::Bool(same(&a.value(okta, p), &b.value(okta, p)) == *equal),
            Node::And(all) => Value::Bool(all.iter().all(|n| n.holds(okta, p))),
            Node::Or(any) => Value::Bool(any.iter().any(|n| n.holds(okta, p))),
            Node::Call(name, args) => call(
                name,
                &args.iter().map(|a| a.value(okta, p)).collect::<Vec<_>>(),
                okta,
                p,
            ),
        }
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn call(name: &str, args: &[Value], okta: &Okta, p: &Person) -> Value {
    let text = |n: usize| args.get(n).and_then(Value::as_str).unwrap_or_default();
    let of_person = || {
        p.groups
            .keys()
            .filter_map(|id| okta.groups.get(id))
            .map(|g| g.name.as_str())
    };
    let member = |id: &str| p.groups.contains_key(id) || id == okta.everyone;
    match name {
        "String.startsWith" => text(0).starts_with(text(1)).into(),
        "String.endsWith" => text(0).ends_with(text(1)).into(),
        "String.stringContains" => text(0).contains(text(1)).into(),
        "String.toLowerCase" => text(0).to_lowercase().into(),
        "String.toUpperCase" => text(0).to_uppercase().into(),
        "String.len" => (text(0).chars().count() as f64).into(),
        "user.getInternalProperty" => match text(0) {
            "id" => p.id.as_str().into(),
            "status" => p.status.name().into(),
            _ => Value::Null,
        },
        "isMemberOfGroup" => member(text(0)).into(),
        "isMemberOfAnyGroup" => args.iter().filter_map(Value::as_str).any(member).into(),
        "isMemberOfGroupName" => (text(0) == "Everyone" || of_person().any(|n| n == text(0))).into(),
        "isMemberOfGroupNameStartsWith" => of_person().any(|n| n.starts_with(text(0))).into(),
        "isMemberOfGroupNameContains" => of_person().any(|n| n.contains(text(0))).into(),
        _ => Value::Null,
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

const DEEPEST: usize = 32;

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let word = token.chars().all(char::is_alphabetic);
        let Some(head) = rest.get(..token.len()) else {
            return false;
        };
        let after = &rest[token.len()..];
        let fits = if word {
            head.eq_ignore_ascii_case(token) && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        } else {
            head == token
        };
        if fits {
            self.rest = after;
        }
        fits
    }

    fn either(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut any = vec![self.both()?];
        while self.eat("||") || self.eat("or") {
            any.push(self.both()?);
        }
        self.depth -= 1;
        Some(if any.len() == 1 { any.remove(0) } else { Node::Or(any) })
    }

    fn both(&mut self) -> Option<Node> {
        let mut all = vec![self.compared()?];
        while self.eat("&&") || self.eat("and") {
            all.push(self.compared()?);
        }
        Some(if all.len() == 1 { all.remove(0) } else { Node::And(all) })
    }

    fn compared(&mut self) -> Option<Node> {
        let left = self.one()?;
        let equal = if self.eat("==") || self.eat("eq") {
            true
        } else if self.eat("!=") || self.eat("ne") {
            false
        } else {
            return Some(left);
        };
        Some(Node::Equal(Box::new(left), Box::new(self.one()?), equal))
    }

    fn one(&mut self) -> Option<Node> {
        if self.eat("!") || self.eat("not") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            let inner = self.one()?;
            self.depth -= 1;
            return Some(Node::Not(Box::new(inner)));
        }
        if self.eat("(") {
            let inner = self.either()?;
            return self.eat(")").then_some(inner);
        }
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        if first == '"' || first == '\'' {
            let body = &self.rest[1..];
            let end = body.find(first)?;
            let text = body[..end].to_owned();
            self.rest = &body[end + 1..];
            return Some(Node::Text(text));
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let word = word.to_owned();
        self.rest = rest;
        if self.eat("(") {
            return self.arguments(word);
        }
        match word.as_str() {
            "true" => Some(Node::Bool(true)),
            "false" => Some(Node::Bool(false)),
            "null" => Some(Node::Null),
            _ => match word.strip_prefix("user.") {
                Some(name) if super::org::attribute_known(name) => Some(Node::Attribute(name.to_owned())),
                Some(_) => None,
                None => word.parse().ok().map(Node::Number),
            },
        }
    }

    fn arguments(&mut self, name: String) -> Option<Node> {
        let mut args = Vec::new();
        if !self.eat(")") {
            loop {
                args.push(self.either()?);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return None;
                }
            }
        }
        let known = FUNCTIONS.iter().any(|(f, least)| *f == name && args.len() >= *least);
        known.then_some(Node::Call(name, args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(text: &str) -> Option<bool> {
        let profile = json!({"login": "ana@acme.example", "department": "Sales", "title": "Head of \u{d8}l", "isRescinded": true});
        let p: Person = crate::sandbox::okta::people::person(crate::sandbox::okta::people::Told {
            id: "00u1".into(),
            status: crate::sandbox::okta::model::Status::Suspended,
            profile: profile.as_object().cloned().unwrap_or_default(),
            groups: vec!["00g1".into()],
            recorded: Default::default(),
        });
        Some(parse(text)?.holds(&Okta::default(), &p))
    }

    #[test]
    fn what_group_rules_are_made_of() {
        for (text, want) in [
            ("user.department==\"Sales\"", true),
            ("user.department == 'sales'", false),
            ("user.department!=\"Finance\" and user.title!=null", true),
            ("user.city==null", true),
            (
                "String.startsWith(user.login,\"ana\") && !isMemberOfGroup(\"00g2\")",
                true,
            ),
            ("String.stringContains(user.title, \"of\") or user.nope == 1", false),
            ("isMemberOfAnyGroup(\"00g9\",\"00g1\")", true),
            ("user.getInternalProperty(\"status\")==\"ACTIVE\"", false),
            (
                "String.toLowerCase(user.department)==\"sales\" AND user.isRescinded==true",
                true,
            ),
            (
                "not (user.department==\"Sales\" or user.department==\"Finance\")",
                false,
            ),
        ] {
            let known = !text.contains("nope");
            assert_eq!(holds(text), known.then_some(want), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_expression() {
        let deep = format!("{}user.title{}", "(".repeat(99), ")".repeat(99));
        for text in [
            "",
            "user.",
            "user.department==",
            "String.startsWith(user.login)",
            "exec(\"x\")",
            "\"open",
            "a b",
            &deep,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
