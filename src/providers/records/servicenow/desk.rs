//! A ticket read back before it may override HR: does it exist, is it open, what does it say? It reads and changes nothing.

use serde::Deserialize;

use super::{
    Settings, explain,
    wire::{hex_id, none_there, result},
};
use crate::{
    config::{ConfigError, Section},
    http::{Reader, path},
    model::{Failure, Observed},
    providers::{BoxFuture, Look, Ticket, Tickets},
};

pub struct Desk(Reader);

impl Tickets for Desk {
    fn ticket<'a>(&'a self, number: &'a str) -> BoxFuture<'a, Result<Observed<Ticket>, Failure>> {
        Box::pin(self.read(number))
    }
}

/// Number prefixes and their tables.
const TABLES: [(&str, &str); 4] = [
    ("INC", "incident"),
    ("CHG", "change_request"),
    ("RITM", "sc_req_item"),
    ("TASK", "sc_task"),
];

impl Desk {
    #[cfg(test)]
    pub fn new(http: Reader) -> Self {
        Desk(http)
    }

    pub fn of(section: &Section, look: &Look) -> Result<Desk, ConfigError> {
        let s: Settings = section.parse()?;
        crate::providers::Settings::check(&s).map_err(|why| section.fault(why))?;
        let authorize = s.authorize(look.either(s.read.as_ref(), &s.write));
        Ok(Desk(look.reader(&section.system, &s.url, authorize, explain)))
    }

    async fn read(&self, number: &str) -> Result<Observed<Ticket>, Failure> {
        #[derive(Deserialize)]
        struct Shown {
            number: String,
            active: String,
            #[serde(default)]
            short_description: String,
            #[serde(default)]
            description: String,
        }
        let what = format!("read the ticket {number}");
        let Some((_, table)) = TABLES.iter().find(|(prefix, _)| number.starts_with(prefix)) else {
            return Ok(Observed::Absent);
        };
        // Nothing that a query would read as its own goes in.
        let Ok(number) = hex_id(number) else {
            return Ok(Observed::Absent);
        };
        let ask = path!["api/now/table", table]
            .query("sysparm_query", format!("number={number}"))
            .query("sysparm_fields", "number,active,short_description,description")
            .query("sysparm_limit", 2)
            .query("sysparm_display_value", "false");
        let answer = self.0.get(ask.what(&what)).await?;
        let rows: Vec<Shown> = result(&answer)?;
        if rows.is_empty()
            && let Err(hidden) = none_there(&answer, &what)
        {
            return Ok(Observed::Unknown(hidden));
        }
        let theirs = rows.into_iter().find(|r| r.number == number);
        Ok(theirs.map_or(Observed::Absent, |r| {
            let text = [r.short_description, r.description].join("\n");
            Observed::Present(Ticket {
                number: r.number,
                open: r.active == "true",
                text,
            })
        }))
    }
}
