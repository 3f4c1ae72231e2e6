//! What a world's file may say of the workspace.

use crate::sandbox::{
    given::{COUNT, DURATION, GENERATED, TEXTS},
    shape::Shape::{self, *},
};

pub(super) const WORKSPACE: Shape = Table(&[
    ("customer", &Text),
    ("transfer_time", &DURATION),
    ("users", &List(&Where("generated", &GENERATED, &USER))),
    (
        "groups",
        &List(&Table(&[
            ("id!", &Text),
            ("email!", &Text),
            ("name", &Text),
            ("members", &TEXTS),
        ])),
    ),
]);

const USER: Shape = Table(&[
    ("id!", &Like("a Google id (21 digits)", is_id)),
    ("primaryEmail!", &Text),
    ("aliases", &TEXTS),
    ("suspended", &Bool),
    ("suspensionReason", &Text),
    ("archived", &Bool),
    ("isAdmin", &Bool),
    ("isDelegatedAdmin", &Bool),
    ("licences", &TEXTS),
    ("tokens", &List(&Table(&[("clientId!", &Text), ("displayText", &Text)]))),
    ("asps", &List(&Table(&[("codeId!", &COUNT), ("name", &Text)]))),
    ("backupCodes", &Whole(0)),
    ("files", &Table(&[("private", &Whole(0)), ("shared", &Whole(0))])),
    ("storageFull", &Bool),
]);

fn is_id(text: &str) -> bool {
    text.len() == 21 && text.bytes().all(|b| b.is_ascii_digit())
}
