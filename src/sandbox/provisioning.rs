//! Okta's pushes to the apps: an assignment that begins makes an account, one that ends deactivates it.
//!
//! An app that isn't in this world, or that refuses, is told nothing more: at Okta, too, the assignment and the account part there.

use super::{
    TWINS,
    world::{Provision, World},
};

/// Hands over what has fallen due.
pub fn deliver(world: &mut World) {
    for push in std::mem::take(&mut world.provisioning) {
        hand(world, &push);
    }
}

fn hand(world: &mut World, push: &Provision) {
    let twin = TWINS.iter().find(|t| t.name == push.system && (t.here)(world));
    if let Some(twin) = twin {
        (twin.provision)(world, push);
    }
}
