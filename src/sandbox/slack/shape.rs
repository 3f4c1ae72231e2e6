//! What a world's file may say of the workspace.

use crate::sandbox::{
    given::{COUNT, GENERATED, TEXTS},
    shape::Shape::{self, *},
};

pub(super) const WORKSPACE: Shape = Table(&[
    ("team", &Text),
    ("plan", &OneOf(&["pro", "business", "enterprise"])),
    ("users", &List(&Where("generated", &GENERATED, &USER))),
    (
        "channels",
        &List(&Table(&[
            ("id!", &Text),
            ("name!", &Text),
            ("is_private", &Bool),
            ("members", &TEXTS),
        ])),
    ),
]);

const USER: Shape = Table(&[
    ("id!", &Like("a Slack id (U...)", is_slack_id)),
    ("email!", &Text),
    ("active", &Bool),
    ("is_primary_owner", &Bool),
    ("is_owner", &Bool),
    ("is_admin", &Bool),
    ("is_bot", &Bool),
    ("sessions", &COUNT),
]);

fn is_slack_id(text: &str) -> bool {
    text.starts_with(['U', 'W'])
        && (9..=11).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
