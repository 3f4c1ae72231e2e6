//! The files that stand for a running world: jml.toml, its credentials, roster.csv, the endpoints file.
//!
//! All 0600, each replaced in one step. They are written again when the world says otherwise.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    config,
    engine::{Engine, Inner},
    files, member,
};

/// Where the configuration stands, and what it says there.
pub struct Place {
    pub config: PathBuf,
    pub document: Value,
}

#[derive(Default)]
pub struct Written {
    pub places: Vec<Place>,
}

impl Engine {
    /// Writes a configuration that points at this sandbox, with what it refers to beside it.
    pub fn write_config(&self, config: &Path, ledger: &Path, control: &str) -> io::Result<()> {
        let config = std::path::absolute(config)?;
        let folder = config.parent().unwrap_or(Path::new("/")).to_owned();
        let mut inner = self.lock();
        let origins = inner.origins.clone();
        let places = config::Places {
            folder: &folder,
            ledger,
            origins: &origins,
            control,
            nonce: &self.nonce,
        };
        let document = config::document(&mut inner.world, &places);
        for (name, secret) in config::credentials(&mut inner.world) {
            files::replace(&folder.join(name), &secret)?;
        }
        files::replace(&config, &config::toml(&document).map_err(io::Error::other)?)?;
        inner.written.places.push(Place { config, document });
        inner.write_roster()
    }

    /// For other clients: `{"okta": {"base_url", "token", …}, …, "control": {"base_url"}}`.
    pub fn endpoints(&self, control: &str) -> Value {
        let mut inner = self.lock();
        let mut out = Map::new();
        for member in member::all(&mut inner.world) {
            let Some(origin) = inner.origins.get(&member.name).cloned() else {
                continue;
            };
            let token = inner
                .world
                .credentials
                .iter()
                .find(|c| c.name == format!("{}.all", member.name));
            let mut entry = json!({"base_url": origin, "token": token.map(|c| &c.secret)});
            config::merge(&mut entry, &member.endpoints(&mut inner.world, &origin));
            out.insert(member.name, entry);
        }
        out.insert("control".into(), json!({"base_url": control}));
        out.into()
    }
}

impl Inner {
    /// HR's file beside each configuration, as old as an hour before the clock.
    pub fn write_roster(&self) -> io::Result<()> {
        let Some(text) = self.roster() else { return Ok(()) };
        for place in &self.written.places {
            let path = place.config.with_file_name("roster.csv");
            files::replace(&path, &text)?;
            age(&path, self.world.now)?;
        }
        Ok(())
    }

    /// The whole text: no row is added to it any more.
    pub fn set_roster(&mut self, csv: &str) -> Result<(), String> {
        if self.world.given.pointer("/roster/csv").is_none() {
            return Err("roster: HR is no file in this world".into());
        }
        self.world.given["roster"] = json!({"kind": "csv", "csv": csv, "whole": true});
        self.write_roster().map_err(|e| e.to_string())
    }

    /// As old as an hour before the clock, which was set.
    pub fn age_roster(&self) -> io::Result<()> {
        if self.world.given.pointer("/roster/csv").is_none() {
            return Ok(());
        }
        self.written
            .places
            .iter()
            .try_for_each(|p| age(&p.config.with_file_name("roster.csv"), self.world.now))
    }

    /// The configuration as written (`policy`, `limits`, `protect` and the rest).
    pub fn config(&self) -> Value {
        self.written
            .places
            .first()
            .map(|p| p.document.clone())
            .unwrap_or_default()
    }

    pub fn patch_config(&mut self, patch: &Value) -> Result<(), String> {
        for place in &mut self.written.places {
            config::merge(&mut place.document, patch);
            let text = config::toml(&place.document)?;
            files::replace(&place.config, &text).map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}

fn age(path: &Path, now: DateTime<Utc>) -> io::Result<()> {
    let then = now.timestamp().saturating_sub(3600).max(0);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(then.unsigned_abs());
    File::options().write(true).open(path)?.set_modified(time)
}
