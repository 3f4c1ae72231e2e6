//! As much of GraphQL as the twins need: one operation with variables, arguments, aliases and inline fragments, over JSON.
//!
//! No named fragments, no directives, no introspection: nobody who asks here sends them.

use serde_json::{Map, Value};

pub struct Field {
    alias: Option<String>,
    pub name: String,
    /// Variables filled in; one that isn't given is left out.
    pub arguments: Map<String, Value>,
    pub selection: Vec<Selection>,
}

pub enum Selection {
    Field(Field),
    On(String, Vec<Selection>),
}

impl Field {
    /// Under which name the answer has it.
    pub fn key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

pub struct Document {
    pub mutation: bool,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(String),
    Sign(char),
    Spread,
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    variables: &'a Value,
}

/// The operation, or what is wrong with the text.
pub fn parse(query: &str, variables: &Value) -> Result<Document, String> {
    let mut p = Parser {
        tokens: tokens(query)?,
        at: 0,
        variables,
    };
    let mut mutation = false;
    if let Some(Token::Name(word)) = p.peek().cloned() {
        mutation = match word.as_str() {
            "query" => false,
            "mutation" => true,
            other => return Err(format!("Syntax Error: Unexpected Name \"{other}\".")),
        };
        p.at += 1;
        if matches!(p.peek(), Some(Token::Name(_))) {
            p.at += 1;
        }
        // Declarations of variables: their types are the vendor's business.
        if p.take('(') {
            while !p.take(')') {
                p.next()?;
            }
        }
    }
    let mut fields = Vec::new();
    for selection in p.selection()? {
        match selection {
            Selection::Field(f) => fields.push(f),
            Selection::On(..) => return Err("Syntax Error: a field is wanted.".into()),
        }
    }
    Ok(Document { mutation, fields })
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            c if c.is_whitespace() || c == ',' || c == '\u{feff}' => {}
            '#' => while letters.next_if(|c| *c != '\n').is_some() {},
            '.' => {
                let rest: String = letters.by_ref().take(2).collect();
                if rest != ".." {
                    return Err("Syntax Error: Unexpected \".\".".into());
                }
                out.push(Token::Spread);
            }
            '"' => {
                let mut word = String::new();
                loop {
                    match letters.next() {
                        Some('"') => break,
                        Some('\\') => word.extend(letters.next()),
                        Some(c) => word.push(c),
                        None => return Err("Syntax Error: Unterminated string.".into()),
                    }
                }
                out.push(Token::Text(word));
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = letters.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                out.push(Token::Name(word));
            }
            c if c.is_ascii_digit() || c == '-' => {
                let mut word = String::from(c);
                while let Some(c) = letters.next_if(|c| c.is_ascii_digit() || ".eE+-".contains(*c)) {
                    word.push(c);
                }
                out.push(Token::Number(word));
            }
            c if "{}()[]:!$=@|&".contains(c) => out.push(Token::Sign(c)),
            c => return Err(format!("Syntax Error: Unexpected character {c:?}.")),
        }
    }
    Ok(out)
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }
    fn next(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("Syntax Error: Unexpected <EOF>.")?;
        self.at += 1;
        Ok(token)
    }
    fn take(&mut self, sign: char) -> bool {
        let there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(there);
        there
    }
    fn want(&mut self, sign: char) -> Result<(), String> {
        match self.take(sign) {
            true => Ok(()),
            false => Err(format!("Syntax Error: Expected \"{sign}\".")),
        }
    }
    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            _ => Err("Syntax Error: Expected Name.".into()),
        }
    }

    fn selection(&mut self) -> Result<Vec<Selection>, String> {
        self.want('{')?;
        let mut out = Vec::new();
        while !self.take('}') {
            if self.peek() == Some(&Token::Spread) {
                self.at += 1;
                if self.name()? != "on" {
                    return Err("Syntax Error: only inline fragments are known here.".into());
                }
                let of = self.name()?;
                out.push(Selection::On(of, self.selection()?));
                continue;
            }
            let first = self.name()?;
            let (alias, name) = match self.take(':') {
                true => (Some(first), self.name()?),
                false => (None, first),
            };
            let mut arguments = Map::new();
            if self.take('(') {
                while !self.take(')') {
                    let key = self.name()?;
                    self.want(':')?;
                    if let Some(value) = self.value()? {
                        arguments.insert(key, value);
                    }
                }
            }
            let selection = match self.peek() {
                Some(Token::Sign('{')) => self.selection()?,
                _ => Vec::new(),
            };
            out.push(Selection::Field(Field {
                alias,
                name,
                arguments,
                selection,
            }));
        }
        Ok(out)
    }

    /// `None`: a variable that isn't given.
    fn value(&mut self) -> Result<Option<Value>, String> {
        Ok(Some(match self.next()? {
            Token::Sign('$') => {
                let name = self.name()?;
                return Ok(self.variables.get(&name).cloned());
            }
            Token::Sign('[') => {
                let mut list = Vec::new();
                while !self.take(']') {
                    list.extend(self.value()?);
                }
                Value::Array(list)
            }
            Token::Sign('{') => {
                let mut map = Map::new();
                while !self.take('}') {
                    let key = self.name()?;
                    self.want(':')?;
                    if let Some(value) = self.value()? {
                        map.insert(key, value);
                    }
                }
                Value::Object(map)
            }
            Token::Text(text) => text.into(),
            Token::Number(text) => serde_json::from_str(&text).map_err(|e| format!("Syntax Error: {e}."))?,
            Token::Name(word) => match word.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                _ => word.into(),
            },
            token => return Err(format!("Syntax Error: Unexpected {token:?}.")),
        }))
    }
}

/// Every name that is asked for must be one of the schema's, also where nobody is there to be asked about.
pub fn check(selection: &[Selection], known: &[&str]) -> Result<(), String> {
    selection.iter().try_for_each(|s| match s {
        Selection::On(_, inner) => check(inner, known),
        Selection::Field(f) if f.name != "__typename" && !known.contains(&f.name.as_str()) => {
            Err(format!("Cannot query field \"{}\".", f.name))
        }
        Selection::Field(f) => check(&f.selection, known),
    })
}

/// What was asked for of the value. An object's `__typename` is its type; `__is` lists the interfaces behind it.
pub fn project(selection: &[Selection], value: &Value) -> Result<Value, String> {
    match value {
        Value::Array(all) => all.iter().map(|v| project(selection, v)).collect(),
        Value::Object(object) if !selection.is_empty() => {
            let mut out = Map::new();
            of(selection, object, &mut out)?;
            Ok(out.into())
        }
        other => Ok(other.clone()),
    }
}

fn of(selection: &[Selection], object: &Map<String, Value>, out: &mut Map<String, Value>) -> Result<(), String> {
    let kind = object.get("__typename").and_then(Value::as_str).unwrap_or_default();
    for s in selection {
        match s {
            Selection::On(wanted, inner) => {
                let is = object.get("__is").and_then(Value::as_array);
                if kind == wanted || is.is_some_and(|all| all.iter().any(|i| i == wanted.as_str())) {
                    of(inner, object, out)?;
                }
            }
            Selection::Field(f) => {
                let Some(value) = object.get(&f.name) else {
                    return Err(format!("Cannot query field \"{}\" on type \"{kind}\".", f.name));
                };
                out.insert(f.key().to_owned(), project(&f.selection, value)?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const QUERY: &str = "query Who($any: [X!]!, $after: Cursor) { # people
      all: entities(types: [USER], any: $any, first: 2, after: $after, where: {not: {name: \"a\\\"b\"}}) {
        nodes { id kind: __typename ... on User { mail } ... on Robot { serial } } } }";

    #[test]
    fn an_operation_is_read_with_its_variables_in_place() {
        let d = parse(QUERY, &json!({"any": [{"mail": "x"}]})).unwrap();
        let f = &d.fields[0];
        assert_eq!((d.mutation, f.key(), f.name.as_str()), (false, "all", "entities"));
        let want = json!({"types": ["USER"], "any": [{"mail": "x"}], "first": 2, "where": {"not": {"name": "a\"b"}}});
        assert_eq!(Value::from(f.arguments.clone()), want);
        assert!(parse("{ a { b }", &Value::Null).is_err());
        assert!(parse("mutation { a }", &Value::Null).unwrap().mutation);
    }

    #[test]
    fn what_is_asked_for_is_answered_and_nothing_else() {
        let d = parse(QUERY, &Value::Null).unwrap();
        let there = json!({"nodes": [{"__typename": "Admin", "__is": ["User"], "id": 1, "mail": "m", "secret": "s"}]});
        let got = project(&d.fields[0].selection, &there).unwrap();
        assert_eq!(got, json!({"nodes": [{"id": 1, "kind": "Admin", "mail": "m"}]}));
        let wrong = parse("{ entities { nodes { nope } } }", &Value::Null).unwrap();
        assert!(
            project(&wrong.fields[0].selection, &there)
                .unwrap_err()
                .contains("nope")
        );
        assert!(check(&wrong.fields[0].selection, &["nodes"]).is_err());
    }
}
