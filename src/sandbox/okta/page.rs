//! Pages: an opaque cursor that belongs to one listing, and the two Link fields, self before next.

use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::error::{Refusal, refuse};
use super::{Answer, Ctx};
use crate::sandbox::quiet::mix;
use crate::sandbox::twin::Reply;

pub struct Page {
    pub limit: usize,
    /// The key of the last entry that the caller has seen.
    pub after: Option<String>,
    /// How many a listing gives that nobody asked otherwise of.
    default: usize,
}

impl Page {
    /// What is asked beyond `most` is cut, not refused.
    pub fn of(ctx: &Ctx, default: usize, most: usize) -> Result<Page, Refusal> {
        let limit = match ctx.call.param("limit").map(str::parse::<i64>) {
            Some(Ok(n)) if n >= 0 => (n as usize).clamp(1, most),
            Some(_) => return Err(super::error::invalid("limit", "The limit is not valid.")),
            None => default,
        };
        let after = match ctx.call.param("after") {
            None => None,
            Some(cursor) => Some(opened(ctx, cursor).ok_or_else(|| refuse("E0000029").because("Invalid cursor."))?),
        };
        Ok(Page { limit, after, default })
    }

    /// Of entries in the order of their keys.
    pub fn take<'a, T>(&self, entries: impl Iterator<Item = (&'a str, T)>) -> (Vec<T>, Option<String>) {
        let mut out = Vec::new();
        let mut last = None;
        for (key, entry) in entries {
            if self.after.as_deref().is_some_and(|a| key <= a) {
                continue;
            }
            if out.len() == self.limit {
                return (out, last);
            }
            last = Some(key.to_owned());
            out.push(entry);
        }
        (out, None)
    }

    pub fn answer(&self, ctx: &Ctx, body: Vec<Value>, next: Option<String>) -> Answer {
        let reply = Reply::json(200, &Value::Array(body)).with("link", format!("<{}>; rel=\"self\"", self.here(ctx)));
        Ok(match next {
            None => reply,
            Some(key) => reply.with("link", format!("<{}>; rel=\"next\"", self.next(ctx, &key, &[]))),
        })
    }

    pub fn here(&self, ctx: &Ctx) -> String {
        let limit = if ctx.call.param("limit").is_some() {
            self.limit
        } else {
            self.default
        };
        let mut q = Serializer::new(String::new());
        if let Some(after) = ctx.call.param("after") {
            q.append_pair("after", after);
        }
        q.append_pair("limit", &limit.to_string());
        address(ctx, q, &[])
    }

    pub fn next(&self, ctx: &Ctx, key: &str, without: &[&str]) -> String {
        let mut q = Serializer::new(String::new());
        q.append_pair("after", &sealed(ctx, key));
        q.append_pair("limit", &self.limit.to_string());
        address(ctx, q, without)
    }
}

fn address(ctx: &Ctx, mut q: Serializer<String>, without: &[&str]) -> String {
    for (k, v) in &ctx.call.query {
        if k != "limit" && k != "after" && !without.contains(&k.as_str()) {
            q.append_pair(k, v);
        }
    }
    format!("{}{}?{}", ctx.call.origin, ctx.call.path, q.finish())
}

/// Which listing a cursor is of: path and whatever narrows or orders it. `since` is left out, for the log's next page drops it.
fn listing(ctx: &Ctx) -> u64 {
    let mut h = text_hash(&ctx.call.path);
    for (k, v) in &ctx.call.query {
        if !matches!(k.as_str(), "limit" | "after" | "since" | "expand" | "fields") {
            h = mix(h ^ text_hash(k) ^ text_hash(v).rotate_left(17));
        }
    }
    h & 0xFFFF_FFFF
}

pub fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| mix(h ^ u64::from(b)))
}

fn sealed(ctx: &Ctx, key: &str) -> String {
    use base64::Engine;
    let plain = format!("{:08x}{key}", listing(ctx));
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(plain)
}

fn opened(ctx: &Ctx, cursor: &str) -> Option<String> {
    use base64::Engine;
    let plain = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let key = plain.strip_prefix(&format!("{:08x}", listing(ctx)))?;
    Some(key.to_owned())
}
