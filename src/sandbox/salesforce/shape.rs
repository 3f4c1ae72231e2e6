//! What a world's file may say of the org.

use super::ids;
use crate::sandbox::{
    given::{COUNT, GENERATED},
    shape::Shape::{self, *},
};

pub(super) const ORG: Shape = Table(&[
    ("org_id", &ID),
    ("users", &List(&Where("generated", &GENERATED, &USER))),
]);

const ID: Shape = Like("a Salesforce id of 18 letters and digits", |t| {
    t.len() == 18 && ids::is_id(t)
});

const USER: Shape = Table(&[
    ("Id!", &ID),
    ("Username!", &Text),
    ("Email", &Text),
    ("FederationIdentifier", &Null(&Text)),
    ("IsActive", &Bool),
    ("IsFrozen", &Bool),
    ("UserType", &Text),
    ("sessions", &COUNT),
    ("oauth_tokens", &COUNT),
]);
