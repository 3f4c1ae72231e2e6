//! What a world's file may say of the organisation.

use crate::sandbox::{
    given::{GENERATED, TEXTS},
    shape::Shape::{self, *},
};

pub(super) const ORGANISATION: Shape = Table(&[
    ("org", &Text),
    ("accounts", &List(&Table(&[("id!", &Whole(1)), ("login!", &Text)]))),
    ("members", &List(&Where("generated", &GENERATED, &MEMBER))),
    (
        "invitations",
        &List(&Table(&[
            ("id!", &Whole(1)),
            ("login", &Null(&Text)),
            ("email", &Null(&Text)),
        ])),
    ),
    ("teams", &Map(|_| true, &TEXTS)),
    ("outside", &TEXTS),
    (
        "saml",
        &Null(&List(&Table(&[("name_id!", &Text), ("login", &Null(&Text))]))),
    ),
    ("seats", &Null(&Whole(0))),
]);

const MEMBER: Shape = Table(&[
    ("id!", &Whole(1)),
    ("login!", &Text),
    ("role", &OneOf(&["member", "admin"])),
    ("credentials", &Whole(0)),
    ("pats", &Whole(0)),
]);
