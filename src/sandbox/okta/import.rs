//! HR's imports, as the System Log tells of them: everyone's last change, and that an import ended a little while ago.

use chrono::TimeDelta;

use super::log::{Event, Party, uuid};
use super::model::{Person, Time};
use super::{deeds, mix, org};
use crate::sandbox::world::World;

/// HR's last change of everyone, in its order.
pub fn history(w: &mut World) {
    let mut people: Vec<(&Person, Time)> = w.okta.users.values().map(|p| (p, p.last_updated)).collect();
    people.sort_by_key(|(_, at)| *at);
    let system = Party::system();
    let log: Vec<Event> = people
        .into_iter()
        .enumerate()
        .map(|(n, (p, at))| Event {
            uuid: uuid(n as u64, at),
            published: at,
            kind: "user.account.update_profile".into(),
            actor: system.clone(),
            targets: vec![deeds::user_party(p)],
            token: None,
        })
        .collect();
    w.okta.log = log;
}

/// HR imports every hour. When the clock is set, the last import ended ten minutes before it.
pub fn run(w: &mut World, now: Time) {
    let hour = TimeDelta::minutes(60);
    let ended = if w.okta.set_at != Some(w.set_at) {
        w.set_at - TimeDelta::minutes(10)
    } else {
        match w.okta.imported {
            Some(last) if now > last + hour => last + hour,
            _ => return,
        }
    };
    w.okta.set_at = Some(w.set_at);
    w.okta.imported = Some(ended);
    let app = Party::new(org::HR_APP, "AppInstance", "HRIS", "HRIS");
    for (kind, at) in [
        ("system.import.start", ended - TimeDelta::minutes(1)),
        ("system.import.complete", ended),
    ] {
        let n = w.okta.next_serial();
        w.okta.log.push(Event {
            uuid: uuid(mix(n), at),
            published: at,
            kind: kind.into(),
            actor: Party::system(),
            targets: vec![app.clone()],
            token: None,
        });
    }
}
