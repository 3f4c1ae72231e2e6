//! One user, by id or address, as eyes and hands look for them.

use super::wire::{User, explain, is};
use crate::{
    http::{Reader, path},
    model::Failure,
};

pub(super) enum Found {
    User(Box<User>),
    Nobody,
    /// Google's own word for somebody who can still be restored.
    Deleted,
}

/// A profile id; anything else in its place is an address.
pub(super) fn is_id(text: &str) -> bool {
    (15..=25).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// An alias finds its owner: who asks by address compares.
pub(super) async fn user(directory: &Reader, key: &str) -> Result<Found, Failure> {
    let what = format!("read the Google account {key}");
    let ask = path!["admin/directory/v1/users", key]
        .query("projection", "basic")
        .accept(404)
        .accept(412);
    let answer = directory.get(ask.what(&what)).await?;
    match answer.status {
        404 if is(&answer, 404, "notFound") => Ok(Found::Nobody),
        412 if is(&answer, 412, "conditionNotMet") => Ok(Found::Deleted),
        404 | 412 => Err(explain(&answer, &what)),
        _ => Ok(Found::User(Box::new(answer.json()?))),
    }
}
