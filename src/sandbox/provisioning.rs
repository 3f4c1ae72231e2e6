//! Okta's pushes to the apps: an assignment that begins makes an account, one that ends deactivates it.
//!
//! An app that isn't in this world, or that refuses, is told nothing more: at Okta, too, the assignment and the account part there.

use super::{
    member,
    world::{Provision, World},
};

/// Hands over what has fallen due.
pub fn deliver(world: &mut World) {
    for push in std::mem::take(&mut world.provisioning) {
        hand(world, &push);
    }
}

fn hand(world: &mut World, push: &Provision) {
    if let Some(member) = member::find(world, &push.system) {
        member.provision(world, push);
    }
}
