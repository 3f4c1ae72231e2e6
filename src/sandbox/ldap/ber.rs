//! LDAP's messages as bytes (RFC 4511) and as JSON: what a connection reads becomes a request like any other system's, for faults and for
//! the journal, and the reply becomes messages again.

use bytes::BytesMut;
use lber::{
    common::TagClass::{self, Application, Context, Universal},
    structure::{PL, StructureTag},
};
use serde_json::{Map, Value, json};

pub const PAGED: &str = "1.2.840.113556.1.4.319";

fn plain(class: TagClass, id: u64, bytes: impl Into<Vec<u8>>) -> StructureTag {
    StructureTag {
        class,
        id,
        payload: PL::P(bytes.into()),
    }
}

fn made(class: TagClass, id: u64, parts: Vec<StructureTag>) -> StructureTag {
    StructureTag {
        class,
        id,
        payload: PL::C(parts),
    }
}

fn integer(n: u64) -> Vec<u8> {
    let bytes = n.to_be_bytes();
    let skip = bytes.iter().take_while(|b| **b == 0).count().min(7);
    let digits = bytes.get(skip..).unwrap_or(&[0]);
    match digits.first() {
        Some(b) if b & 0x80 != 0 => [&[0], digits].concat(), // a leading 1 would be a sign
        _ => digits.to_vec(),
    }
}

fn parts(tag: &StructureTag) -> &[StructureTag] {
    match &tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => &[],
    }
}

fn bytes(tag: Option<&StructureTag>) -> &[u8] {
    match tag.map(|t| &t.payload) {
        Some(PL::P(bytes)) => bytes,
        _ => &[],
    }
}

fn text(tag: Option<&StructureTag>) -> String {
    String::from_utf8_lossy(bytes(tag)).into_owned()
}

fn number(tag: Option<&StructureTag>) -> u64 {
    bytes(tag).iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// Text where it is text, else `{"hex": ...}`.
pub fn value(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "hex": hex::encode(bytes) }),
    }
}

pub fn raw(value: &Value) -> Vec<u8> {
    match (value.as_str(), value["hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(digits)) => hex::decode(digits).unwrap_or_default(),
        (None, None) => vec![],
    }
}

/// One request of a connection.
#[derive(Debug)]
pub struct Asked {
    pub id: u64,
    pub method: &'static str,
    pub dn: String,
    pub body: Value,
    /// Of a bind.
    pub password: String,
}

/// The first whole message, and how many bytes it took. `Ok(None)`: more is to come. `Err`: it is none of the protocol.
pub fn read(buffer: &[u8]) -> Result<Option<(Asked, usize)>, ()> {
    let (rest, message) = match lber::parse::parse_tag(buffer) {
        Ok(both) => both,
        Err(e) if e.is_incomplete() => return Ok(None),
        Err(_) => return Err(()),
    };
    let used = buffer.len() - rest.len();
    let parts = parts(&message);
    let operation = parts.get(1).ok_or(())?;
    let mut asked = operation_of(operation);
    asked.id = number(parts.first());
    if let Some((size, cookie)) = parts.get(2).and_then(paging) {
        asked.body["page"] = json!({"size": size, "cookie": cookie});
    }
    Ok(Some((asked, used)))
}

fn operation_of(operation: &StructureTag) -> Asked {
    let k = parts(operation);
    let (method, dn, body) = match operation.id {
        0 => ("bind", text(k.get(1)), json!({})),
        2 => ("unbind", String::new(), Value::Null),
        3 => {
            let names: Vec<String> = k.get(7).map_or(&[][..], parts).iter().map(|t| text(Some(t))).collect();
            let scope = ["base", "one", "sub"].get(number(k.get(1)) as usize).copied();
            let body =
                json!({"scope": scope, "limit": number(k.get(3)), "filter": k.get(6).map(filter), "attributes": names});
            ("search", text(k.first()), body)
        }
        6 => (
            "modify",
            text(k.first()),
            json!({ "changes": k.get(1).map_or(vec![], changes) }),
        ),
        _ => ("other", String::new(), Value::Null),
    };
    Asked {
        id: 0,
        method,
        dn,
        body,
        password: if method == "bind" {
            text(k.get(2))
        } else {
            String::new()
        },
    }
}

fn changes(list: &StructureTag) -> Vec<Value> {
    let change = |c: &StructureTag| {
        let k = parts(c);
        let inner = k.get(1).map_or(&[][..], parts);
        let name = text(inner.first());
        let values: Vec<Value> = inner
            .get(1)
            .map_or(&[][..], parts)
            .iter()
            .map(|v| value(bytes(Some(v))))
            .collect();
        // The journal never writes what stands under this key.
        let key = match name.to_lowercase().as_str() {
            "unicodepwd" | "userpassword" => "password",
            _ => "values",
        };
        let kind = ["add", "delete", "replace"].get(number(k.first()) as usize).copied();
        json!({"do": kind, "attribute": name, key: values})
    };
    parts(list).iter().map(change).collect()
}

/// RFC 4511 4.5.1.7, as lists.
fn filter(f: &StructureTag) -> Value {
    let k = parts(f);
    let pair = |word: &str| json!([word, text(k.first()), value(bytes(k.get(1)))]);
    match f.id {
        0 => [json!("and")].into_iter().chain(k.iter().map(filter)).collect(),
        1 => [json!("or")].into_iter().chain(k.iter().map(filter)).collect(),
        2 => [json!("not")].into_iter().chain(k.iter().map(filter)).collect(),
        3 => pair("is"),
        4 => {
            let pieces = k.get(1).map_or(&[][..], parts).iter();
            let pieces: Vec<Value> = pieces.map(|p| json!([p.id, value(bytes(Some(p)))])).collect();
            json!(["like", text(k.first()), pieces])
        }
        7 => json!(["has", String::from_utf8_lossy(bytes(Some(f)))]),
        9 => {
            let of = |id| k.iter().find(|t| t.id == id);
            json!(["rule", text(of(1)), text(of(2)), value(bytes(of(3)))])
        }
        _ => json!(["never"]),
    }
}

fn paging(controls: &StructureTag) -> Option<(u64, String)> {
    parts(controls).iter().find_map(|control| {
        let k = parts(control);
        if text(k.first()) != PAGED {
            return None;
        }
        let (_, inner) = lber::parse::parse_tag(bytes(k.last())).ok()?;
        let k = parts(&inner);
        Some((number(k.first()), text(k.get(1))))
    })
}

/// The messages of one answer.
pub fn write(asked: &Asked, rc: u16, body: &Value) -> Option<Vec<u8>> {
    let mut out = BytesMut::new();
    for entry in body["entries"].as_array().into_iter().flatten() {
        message(&mut out, asked.id, entry_of(entry), None)?;
    }
    let operation = match asked.method {
        "bind" => 1,
        "search" => 5,
        "modify" => 7,
        _ => 24,
    };
    let said = vec![
        plain(Universal, 10, integer(u64::from(rc))),
        plain(Universal, 4, ""),
        plain(Universal, 4, body["text"].as_str().unwrap_or_default()),
    ];
    let control = body["cookie"].as_str().map(cookie);
    message(&mut out, asked.id, made(Application, operation, said), control)?;
    Some(out.to_vec())
}

fn message(out: &mut BytesMut, id: u64, operation: StructureTag, control: Option<StructureTag>) -> Option<()> {
    let parts = [plain(Universal, 2, integer(id)), operation].into_iter().chain(control);
    lber::write::encode_into(out, made(Universal, 16, parts.collect())).ok()
}

fn entry_of(entry: &Value) -> StructureTag {
    let none = Map::new();
    let attributes = entry["attributes"]
        .as_object()
        .unwrap_or(&none)
        .iter()
        .map(|(name, values)| {
            let values = values.as_array().into_iter().flatten();
            let values = values.map(|v| plain(Universal, 4, raw(v))).collect();
            made(
                Universal,
                16,
                vec![plain(Universal, 4, name.as_str()), made(Universal, 17, values)],
            )
        });
    let dn = entry["dn"].as_str().unwrap_or_default();
    made(
        Application,
        4,
        vec![plain(Universal, 4, dn), made(Universal, 16, attributes.collect())],
    )
}

fn cookie(cookie: &str) -> StructureTag {
    let mut inner = BytesMut::new();
    let value = made(
        Universal,
        16,
        vec![plain(Universal, 2, integer(0)), plain(Universal, 4, cookie)],
    );
    let _ = lber::write::encode_into(&mut inner, value); // into memory
    let control = made(
        Universal,
        16,
        vec![plain(Universal, 4, PAGED), plain(Universal, 4, inner.to_vec())],
    );
    made(Context, 0, vec![control])
}
