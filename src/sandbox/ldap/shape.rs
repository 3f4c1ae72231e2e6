//! What a world's file may say of the domain.

use crate::sandbox::{
    given::TEXTS,
    shape::Shape::{self, *},
};

pub(super) const DOMAIN: Shape = Table(&[
    ("base_dn", &Text),
    ("hidden", &TEXTS),
    (
        "users",
        &List(&Table(&[
            ("login!", &Text),
            ("name!", &Text),
            ("upn", &Text),
            ("mail", &Text),
            ("employee_id", &Text),
            ("user_account_control", &Whole(0)),
            ("primary_group", &Whole(1)),
            ("admin_count", &Whole(0)),
            ("pwd_last_set", &Whole(0)),
            ("services", &TEXTS),
        ])),
    ),
    (
        "groups",
        &List(&Table(&[
            ("name!", &Text),
            ("members", &TEXTS),
            ("locked", &Bool),
            ("managed_by", &Text),
            ("rid", &Whole(1)),
        ])),
    ),
]);
