//! One const table: every kind of system that this release speaks to. README's table, `doctor`'s checks, the configuration's schema,
//! names of faults and the conformance suite follow from the rows.

use schemars::{Schema, SchemaGenerator};

use super::{
    Eyes, Hands, Recorder, Roster as Employment, apps,
    build::{Act, Look, Records, Settings, Source, Target},
    hr, okta, records,
};
use crate::{
    config::{ConfigError, Roster, Section},
    model::Verb,
};

/// A right that a credential must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// As the vendor writes it: `okta.users.read`.
    pub scope: &'static str,
    /// `see people`, `suspend`.
    pub for_what: &'static str,
    /// Only hands need it.
    pub writes: bool,
}

impl Need {
    pub const fn read(scope: &'static str, for_what: &'static str) -> Need {
        Need {
            scope,
            for_what,
            writes: false,
        }
    }
    pub const fn write(scope: &'static str, for_what: &'static str) -> Need {
        Need {
            scope,
            for_what,
            writes: true,
        }
    }
}

type Make<From, T> = fn(&Section, &From) -> Result<Box<T>, ConfigError>;
type Employs = fn(&Section, &Roster, &Look) -> Result<Box<dyn Employment>, ConfigError>;

/// A kind of system. Instances come from the configuration.
#[derive(Clone, Copy)]
pub struct Row {
    pub kind: &'static str,
    /// What it can do at most; `can()` of an instance may be less.
    pub verbs: &'static [Verb],
    pub needs: &'static [Need],
    /// The vendor's page on it.
    pub page: &'static str,
    pub settings: fn(&mut SchemaGenerator) -> Schema,
    check: fn(&Section) -> Result<(), ConfigError>,
    eyes: Option<Make<Look, dyn Eyes>>,
    hands: Option<Make<Act, dyn Hands>>,
    recorder: Option<Make<Act, dyn Recorder>>,
    roster: Option<Employs>,
}

fn settings<S: Settings>(section: &Section) -> Result<S, ConfigError> {
    let settings: S = section.parse()?;
    settings.check().map_err(|why| section.fault(why))?;
    Ok(settings)
}

impl Row {
    pub const fn new(kind: &'static str) -> Row {
        Row {
            kind,
            verbs: &[],
            needs: &[],
            page: "",
            settings: |_| Schema::default(),
            check: |_| Ok(()),
            eyes: None,
            hands: None,
            recorder: None,
            roster: None,
        }
    }
    pub const fn page(mut self, page: &'static str) -> Row {
        self.page = page;
        self
    }
    pub const fn needs(mut self, needs: &'static [Need]) -> Row {
        self.needs = needs;
        self
    }
    const fn of<S: Settings>(mut self) -> Row {
        self.settings = |generator| generator.subschema_for::<S>();
        self.check = |section| settings::<S>(section).map(drop);
        self
    }
    pub const fn target<T: Target>(mut self, verbs: &'static [Verb]) -> Row {
        self.verbs = verbs;
        self.eyes = Some(|section, look| Ok(Box::new(T::eyes(section.system.clone(), settings(section)?, look))));
        self.hands = Some(|section, act| Ok(Box::new(T::hands(section.system.clone(), settings(section)?, act))));
        self.of::<T::Settings>()
    }
    pub const fn records<T: Records>(mut self) -> Row {
        self.recorder = Some(|section, act| Ok(Box::new(T::recorder(section.system.clone(), settings(section)?, act))));
        self.of::<T::Settings>()
    }
    pub const fn roster<T: Source>(mut self) -> Row {
        self.roster = Some(|section, words, look| {
            T::accepts(words).map_err(|why| section.fault(why))?;
            Ok(Box::new(T::roster(
                section.system.clone(),
                settings(section)?,
                words,
                look,
            )))
        });
        self.of::<T::Settings>()
    }
    pub const fn is_target(&self) -> bool {
        self.eyes.is_some()
    }
    pub const fn is_recorder(&self) -> bool {
        self.recorder.is_some()
    }
    pub const fn is_roster(&self) -> bool {
        self.roster.is_some()
    }
}

pub const REGISTRY: &[Row] = &[
    okta::ROW,
    hr::csv::ROW,
    apps::slack::ROW,
    records::servicenow::ROW,
    records::datadog::ROW,
];

/// The row of a section's kind, and its settings proved readable: nothing is built of a file with a fault in it.
pub fn row(section: &Section) -> Result<&'static Row, ConfigError> {
    match REGISTRY.iter().find(|r| r.kind == section.kind) {
        Some(row) => {
            (row.check)(section)?;
            Ok(row)
        }
        None => {
            let known: Vec<&str> = REGISTRY.iter().map(|r| r.kind).collect();
            Err(section
                .fault(format!("this release speaks to no system of kind {:?}", section.kind))
                .help(format!(
                    "kinds: {}; a system of another name needs kind = \"...\"",
                    known.join(", ")
                )))
        }
    }
}

/// `None`: no target.
pub fn eyes(section: &Section, look: &Look) -> Result<Option<Box<dyn Eyes>>, ConfigError> {
    row(section)?.eyes.map(|make| make(section, look)).transpose()
}

pub fn hands(section: &Section, act: &Act) -> Result<Option<Box<dyn Hands>>, ConfigError> {
    row(section)?.hands.map(|make| make(section, act)).transpose()
}

/// `None`: no recorder.
pub fn recorder(section: &Section, act: &Act) -> Result<Option<Box<dyn Recorder>>, ConfigError> {
    row(section)?.recorder.map(|make| make(section, act)).transpose()
}

pub fn roster(section: &Section, words: &Roster, look: &Look) -> Result<Box<dyn Employment>, ConfigError> {
    match row(section)?.roster {
        Some(make) => make(section, words, look),
        None => Err(section.fault(format!(
            "a system of kind {:?} says nothing of employment",
            section.kind
        ))),
    }
}

/// The JSON Schema of jml.toml, with what every kind of system may be set to.
pub fn schema() -> serde_json::Value {
    crate::config::schema(REGISTRY.iter().map(|row| (row.kind, row.settings)))
}
