//! Lists, page by page. A short page with a next is not the end, a page without a next is; a list that leads back to where it was has been
//! read by nobody.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::{
    http::{Answer, Ask, Reader},
    model::Failure,
    providers::{Cursor, Page},
};

/// Okta's own limit of most lists, and what it recommends.
pub const LIMIT: usize = 200;
/// More pages than any organisation has.
const MOST: usize = 100_000;

/// The page that starts at `from`, else the first.
pub async fn page<T: DeserializeOwned>(
    reader: &Reader,
    first: impl FnOnce() -> Ask,
    from: Option<&Cursor>,
    what: &str,
) -> Result<Page<T>, Failure> {
    let ask = match from {
        Some(cursor) => Ask::follow(&cursor.0),
        None => first(),
    };
    let answer = reader.get(ask.what(what)).await?;
    Ok(Page {
        items: answer.json()?,
        next: next(&answer),
        total: None,
    })
}

/// Every page. One that fails fails the whole: a tail that was not read is not empty.
pub async fn all<T: DeserializeOwned>(reader: &Reader, first: Ask, what: &str) -> Result<Vec<T>, Failure> {
    let mut first = Some(first);
    let mut seen = Seen::default();
    let (mut out, mut from) = (Vec::new(), None);
    loop {
        let start = || first.take().unwrap_or_default();
        let read = page(reader, start, from.as_ref(), what).await?;
        out.extend(read.items);
        match read.next {
            Some(next) => from = Some(seen.new_place(next, what)?),
            None => return Ok(out),
        }
    }
}

/// Path and query of the next page; the host that Okta writes may be its other name.
fn next(answer: &Answer) -> Option<Cursor> {
    answer.next_link().map(|link| Cursor(link.to_owned()))
}

/// The places where pages started.
#[derive(Default)]
pub struct Seen(BTreeSet<String>);

impl Seen {
    pub fn new_place(&mut self, next: Cursor, what: &str) -> Result<Cursor, Failure> {
        if self.0.len() >= MOST || !self.0.insert(next.0.clone()) {
            return Err(Failure::contradiction(
                what,
                "the list leads back to a page that was read before",
            ));
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_goes_in_a_circle_is_a_failed_read() {
        let mut seen = Seen::default();
        let at = |n: &str| Cursor(format!("https://o/api/v1/users?after={n}"));
        assert!(seen.new_place(at("1"), "read people").is_ok());
        assert!(seen.new_place(at("2"), "read people").is_ok());
        assert!(seen.new_place(at("1"), "read people").is_err());
    }
}
