//! What a world's file may say of a SCIM server.

use crate::sandbox::{
    given::{GENERATED, TEXTS},
    shape::Shape::{self, *},
};

pub(super) const SERVER: Shape = Table(&[
    ("users", &List(&Where("generated", &GENERATED, &USER))),
    (
        "groups",
        &List(&Table(&[("id!", &Text), ("name!", &Text), ("members!", &TEXTS)])),
    ),
    ("page_cap", &Whole(1)),
    ("page_sizes", &List(&Whole(0))),
    ("pages", &Map(is_number, &List(&Whole(1)))),
    ("active_as", &OneOf(&["bool", "string"])),
    (
        "bugs",
        &List(&OneOf(&[
            "remove-clears-members",
            "empty-without-paging",
            "ignore-filter",
            "no-patch",
            "gone-after-inactive",
        ])),
    ),
]);

const USER: Shape = Table(&[
    ("id!", &Text),
    ("userName!", &Text),
    ("externalId", &Text),
    ("active", &Either(&[&OneOf(&["True", "False"]), &Bool])),
]);

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
