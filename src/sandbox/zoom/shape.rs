//! What a world's file may say of the account.

use crate::sandbox::{
    given::{COUNT, GENERATED},
    shape::Shape::{self, *},
};

pub(super) const ACCOUNT: Shape = Table(&[("users", &List(&Where("generated", &GENERATED, &USER)))]);

const USER: Shape = Table(&[
    ("id!", &Like("a Zoom id (22 characters)", is_zoom_id)),
    ("email!", &Text),
    ("type", &COUNT),
    ("status", &OneOf(&["active", "inactive", "pending"])),
    ("role_id", &Text),
]);

fn is_zoom_id(text: &str) -> bool {
    text.len() == 22 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}
