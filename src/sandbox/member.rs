//! A system of one world: a row of the table under the name that it has there. A row may stand for many (`scim:wiki`, `scim:warehouse`).
//!
//! Whoever calls a row's functions goes through here: they learn from `World::asked` which of them is meant.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    TWINS,
    twin::{Call, Reply, Twin},
    world::{Provision, World},
};

#[derive(Clone)]
pub struct Member {
    /// `okta`, `scim:wiki`: the journal's `system`, and the key of state, origins, faults and files.
    pub name: String,
    pub twin: &'static Twin,
}

/// The row behind a name.
pub fn row(name: &str) -> Option<&'static Twin> {
    let (kind, instance) = match name.split_once(':') {
        Some((kind, instance)) => (kind, Some(instance)),
        None => (name, None),
    };
    let fits = |t: &&Twin| t.name == kind && instance.is_none_or(|i| t.many && is_instance(i));
    TWINS.iter().find(fits)
}

fn is_instance(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain)
}

/// Every name that a world may have, in the order in which it loads: each row's own, then those that the world gives to it.
pub fn named(given: &Value) -> Vec<Member> {
    let apps = given["apps"].as_object();
    let of = |twin: &'static Twin| {
        let instances = apps.into_iter().flatten().map(|(name, _)| name.clone());
        let instances = instances.filter(move |n| n != twin.name && row(n).is_some_and(|t| t.name == twin.name));
        std::iter::once(twin.name.to_owned())
            .chain(instances)
            .map(move |name| Member { name, twin })
    };
    TWINS.iter().flat_map(of).collect()
}

/// Those that are there.
pub fn all(world: &mut World) -> Vec<Member> {
    let mut all = named(&world.given);
    all.retain(|m| m.here(world));
    all
}

pub fn find(world: &mut World, name: &str) -> Option<Member> {
    named_so(name).filter(|m| m.here(world))
}

/// Whether or not it is there.
pub fn named_so(name: &str) -> Option<Member> {
    let twin = row(name)?;
    let name = name.to_owned();
    Some(Member { name, twin })
}

impl Member {
    /// Its name in a configuration: an instance's own.
    pub fn configured(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, instance)| instance)
    }
    fn asks<'w>(&self, world: &'w mut World) -> &'w mut World {
        world.asked.clone_from(&self.name);
        world
    }
    pub fn here(&self, world: &mut World) -> bool {
        (self.twin.here)(self.asks(world))
    }
    pub fn load(&self, world: &mut World, given: &Value) -> Result<(), String> {
        (self.twin.load)(self.asks(world), given)
    }
    pub fn answer(&self, world: &mut World, call: &Call) -> Reply {
        (self.twin.answer)(self.asks(world), call)
    }
    pub fn operation(&self, world: &mut World, call: &Call) -> Option<String> {
        (self.twin.operation)(self.asks(world), call)
    }
    pub fn state(&self, world: &mut World) -> Value {
        (self.twin.state)(self.asks(world))
    }
    pub fn entry(&self, world: &mut World, list: &str, id: &str) -> Option<Value> {
        (self.twin.entry)(self.asks(world), list, id)
    }
    pub fn restore(&self, world: &mut World, list: &str, id: &str, entry: Option<&Value>) -> Result<(), String> {
        (self.twin.restore)(self.asks(world), list, id, entry)
    }
    pub fn patch(&self, world: &mut World, patch: &Value) -> Result<(), String> {
        (self.twin.patch)(self.asks(world), patch)
    }
    pub fn tick(&self, world: &mut World, now: DateTime<Utc>) {
        (self.twin.tick)(self.asks(world), now);
    }
    pub fn endpoints(&self, world: &mut World, origin: &str) -> Value {
        (self.twin.endpoints)(self.asks(world), origin)
    }
    pub fn record(&self, world: &mut World, right: &str) -> Option<String> {
        (self.twin.record)(self.asks(world), right)
    }
    pub fn section(&self, world: &mut World) -> Value {
        (self.twin.section)(self.asks(world))
    }
    pub fn provision(&self, world: &mut World, push: &Provision) {
        (self.twin.provision)(self.asks(world), push);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_instance_is_its_rows_and_has_a_name_of_its_own() {
        let given = json!({"apps": {"scim:wiki": {}, "scim:b2": {}, "slack:x": {}, "scim:Wiki": {}, "fax": {}}});
        let names: Vec<String> = named(&given)
            .into_iter()
            .map(|m| m.name)
            .filter(|n| n.contains(':'))
            .collect();
        assert_eq!(names, ["scim:b2", "scim:wiki"]);
        let wiki = named(&given).pop().unwrap();
        assert!(row("scim:wiki").is_some() && row("scim:").is_none() && row("slack:x").is_none());
        assert_eq!(
            (wiki.twin.name, wiki.configured()),
            (wiki.name.split(':').next().unwrap(), wiki.configured())
        );
    }

    #[test]
    fn a_row_learns_which_of_its_own_is_meant() {
        let mut world = World {
            given: json!({"apps": {"scim:wiki": {"users": []}}}),
            ..World::default()
        };
        let wiki = named(&world.given).into_iter().find(|m| m.name == "scim:wiki").unwrap();
        assert!(!wiki.here(&mut world));
        wiki.load(
            &mut world,
            &json!({"users": [{"id": "K1", "userName": "a"}], "page_sizes": [9]}),
        )
        .unwrap();
        assert!(find(&mut world, "scim:wiki").is_some() && find(&mut world, "scim").is_none());
        assert_eq!(wiki.configured(), "wiki");
        assert_eq!(wiki.state(&mut world)["users"]["K1"]["userName"], "a");
    }
}
