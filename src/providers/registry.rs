//! One const table: every kind of system that this release speaks to. README's table, `doctor`'s checks, the configuration's schema,
//! names of faults and the conformance suite follow from the rows.

use schemars::{Schema, SchemaGenerator};

use super::{
    Alarms, BoxFuture, Eyes, Hands, Recorder, Roster as Employment, Tickets, Witness, apps,
    build::{Act, Look, Records, Settings, Source, Target, Watches},
    hr, okta, records, secrets, watch,
};
use crate::{
    config::{ConfigError, Roster, Section},
    model::{Alarm, Failure, Verb},
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
/// What would be sent, for a look beforehand.
type Wanted = fn(&Section, &Alarm) -> Result<serde_json::Value, ConfigError>;
/// Asks whether a credential is taken. `None`: the configuration names none that may be used to look.
type Tried = fn(&Section, &Look) -> Result<Option<Trial>, ConfigError>;
pub type Trial = BoxFuture<'static, Result<(), Failure>>;
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
    /// What Okta's catalogue calls apps of this kind, beside the kind itself.
    pub okta: &'static [&'static str],
    /// The key that pins the tenant; empty where the API tells nobody whose it is.
    pub pin: &'static str,
    /// Of a recorder: what it is told, as a preview names it.
    pub told: &'static str,
    /// Of a witness: what it is asked for.
    pub sees: &'static str,
    pub settings: fn(&mut SchemaGenerator) -> Schema,
    check: fn(&Section) -> Result<(), ConfigError>,
    eyes: Option<Make<Look, dyn Eyes>>,
    hands: Option<Make<Act, dyn Hands>>,
    recorder: Option<Make<Act, dyn Recorder>>,
    witness: Option<Make<Look, dyn Witness>>,
    roster: Option<Employs>,
    tried: Option<Tried>,
    alarm: Option<(Wanted, Make<Act, dyn Alarms>)>,
    tickets: Option<Make<Look, dyn Tickets>>,
    accepts: fn(&Roster) -> Result<(), String>,
    keeps_secrets: bool,
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
            pin: "",
            told: "",
            sees: "",
            okta: &[],
            settings: |_| Schema::default(),
            check: |_| Ok(()),
            eyes: None,
            hands: None,
            recorder: None,
            witness: None,
            roster: None,
            tried: None,
            alarm: None,
            tickets: None,
            accepts: |_| Ok(()),
            keeps_secrets: false,
        }
    }
    pub const fn page(mut self, page: &'static str) -> Row {
        self.page = page;
        self
    }
    /// Another tenant than the one that this key names is refused.
    pub const fn pin(mut self, key: &'static str) -> Row {
        self.pin = key;
        self
    }
    pub const fn okta(mut self, names: &'static [&'static str]) -> Row {
        self.okta = names;
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
    /// `told` in words: `ServiceNow change request`.
    pub const fn records<T: Records>(mut self, told: &'static str) -> Row {
        self.told = told;
        self.recorder = Some(|section, act| Ok(Box::new(T::recorder(section.system.clone(), settings(section)?, act))));
        self.of::<T::Settings>()
    }
    /// `sees` in words: `a person's risk`.
    pub const fn watches<T: Watches>(mut self, sees: &'static str) -> Row {
        self.sees = sees;
        self.witness = Some(|section, look| Ok(Box::new(T::witness(section.system.clone(), settings(section)?, look))));
        self.of::<T::Settings>()
    }
    pub const fn roster<T: Source>(mut self) -> Row {
        self.accepts = T::accepts;
        self.roster = Some(|section, words, look| {
            Ok(Box::new(T::roster(
                section.system.clone(),
                settings(section)?,
                words,
                look,
            )))
        });
        self.of::<T::Settings>()
    }
    /// Of a recorder, whose answers prove nothing of the credential: how `doctor` asks.
    pub const fn tried(mut self, tried: Tried) -> Row {
        self.tried = Some(tried);
        self
    }
    /// Can keep an alarm on the figures that it is sent.
    pub const fn alarms(mut self, wanted: Wanted, keeper: Make<Act, dyn Alarms>) -> Row {
        self.alarm = Some((wanted, keeper));
        self
    }
    /// Its tickets can be read back.
    pub const fn tickets(mut self, desk: Make<Look, dyn Tickets>) -> Row {
        self.tickets = Some(desk);
        self
    }
    /// Keeps the secrets of the others: `Secrets` opens it, nothing else does.
    pub const fn secrets<S: Settings>(mut self) -> Row {
        self.keeps_secrets = true;
        self.of::<S>()
    }
    pub const fn keeps_secrets(&self) -> bool {
        self.keeps_secrets
    }
    pub const fn is_target(&self) -> bool {
        self.eyes.is_some()
    }
    pub const fn is_recorder(&self) -> bool {
        self.recorder.is_some()
    }
    pub const fn is_witness(&self) -> bool {
        self.witness.is_some()
    }
    pub const fn is_roster(&self) -> bool {
        self.roster.is_some()
    }
}

pub const REGISTRY: &[Row] = &[
    okta::ROW,
    hr::csv::ROW,
    hr::workday::ROW,
    hr::successfactors::ROW,
    hr::hibob::ROW,
    apps::slack::ROW,
    apps::github::ROW,
    apps::ldap::ROW,
    apps::exec::ROW,
    apps::manual::ROW,
    apps::zoom::ROW,
    apps::scim::ROW,
    apps::google::ROW,
    apps::salesforce::ROW,
    records::servicenow::ROW,
    records::datadog::ROW,
    secrets::vault::ROW,
    watch::crowdstrike::ROW,
    watch::wiz::ROW,
    watch::akamai::ROW,
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

/// The alarm as this system takes it; `None`: it keeps none.
pub fn alarm(section: &Section, alarm: &Alarm) -> Result<Option<serde_json::Value>, ConfigError> {
    row(section)?
        .alarm
        .map(|(wanted, _)| wanted(section, alarm))
        .transpose()
}

pub fn alarms(section: &Section, act: &Act) -> Result<Box<dyn Alarms>, ConfigError> {
    match row(section)?.alarm {
        Some((_, keeper)) => keeper(section, act),
        None => Err(section.fault("keeps no alarm")),
    }
}

/// `None`: keeps no tickets.
pub fn tickets(section: &Section, look: &Look) -> Result<Option<Box<dyn Tickets>>, ConfigError> {
    row(section)?.tickets.map(|make| make(section, look)).transpose()
}

/// `None`: nothing to ask with, or no way to.
pub fn tried(section: &Section, look: &Look) -> Result<Option<Trial>, ConfigError> {
    let tried = row(section)?.tried.map(|tried| tried(section, look));
    Ok(tried.transpose()?.flatten())
}

/// `None`: no witness.
pub fn witness(section: &Section, look: &Look) -> Result<Option<Box<dyn Witness>>, ConfigError> {
    row(section)?.witness.map(|make| make(section, look)).transpose()
}

/// For `config check` too: does `[roster]` say what this source needs, without which nothing can be decided?
pub fn accepts(section: &Section, words: &Roster) -> Result<(), ConfigError> {
    (row(section)?.accepts)(words).map_err(|why| section.fault(why))
}

pub fn roster(section: &Section, words: &Roster, look: &Look) -> Result<Box<dyn Employment>, ConfigError> {
    accepts(section, words)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, model::System};

    const EXAMPLE: &str = include_str!("../../examples/jml.toml");

    fn fault(text: &str) -> Option<String> {
        let config = match Config::parse("jml.toml", text.to_owned()) {
            Ok(config) => config,
            Err(e) => return Some(e.to_string()),
        };
        config
            .systems
            .values()
            .find_map(|s| row(s).err())
            .map(|e| e.to_string())
    }
    fn schema_fault(text: &str) -> Option<String> {
        let document: serde_json::Value = toml::from_str(text).unwrap();
        let validator = jsonschema::validator_for(&schema()).unwrap();
        validator.iter_errors(&document).next().map(|e| e.to_string())
    }

    #[test]
    fn the_example_is_what_reader_and_schema_take() {
        assert_eq!(fault(EXAMPLE), None);
        assert_eq!(schema_fault(EXAMPLE), None);
        let csv = EXAMPLE.replace("source = \"okta\"", "source = \"hr\"")
            + "\n[roster.columns]\nid = \"ID\"\n[systems.hr]\nkind = \"csv\"\npath = \"a.csv\"\n";
        assert_eq!((fault(&csv), schema_fault(&csv)), (None, None));
    }

    #[test]
    fn a_key_or_a_kind_that_nobody_knows_is_refused_by_both() {
        for (from, to, said) in [
            ("team = ", "taem = ", "`taem`"),
            ("[systems.datadog]", "[systems.fax]", "\"fax\""),
        ] {
            let text = EXAMPLE.replace(from, to);
            let why = fault(&text).unwrap_or_default();
            assert!(why.contains(said), "{to}: {why:?}");
            assert!(schema_fault(&text).is_some(), "{to}");
        }
    }

    #[test]
    fn a_mapping_that_lacks_what_decides_is_a_fault_of_the_file() {
        let text = "[systems.csv]\npath = \"a.csv\"\n[policy]\nzone = \"UTC\"\n[roster]\nsource = \"csv\"\ncolumns = { id = \"ID\" }\n";
        let config = Config::parse("jml.toml", text.to_owned()).unwrap();
        let section = &config.systems[&System::of("csv")];
        let why = (row(section).unwrap().accepts)(&config.roster).unwrap_err();
        assert!(why.contains("login"), "{why}");
    }

    #[test]
    fn each_kind_has_one_row_a_role_and_a_page() {
        let mut kinds: Vec<&str> = REGISTRY.iter().map(|r| r.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), REGISTRY.len());
        for row in REGISTRY {
            let some =
                row.is_target() || row.is_recorder() || row.is_roster() || row.keeps_secrets() || row.is_witness();
            assert!(some, "{}", row.kind);
            assert!(
                row.page.starts_with("https://") || row.page.starts_with("docs/"),
                "{}",
                row.kind
            );
            assert_eq!(row.is_target(), !row.verbs.is_empty(), "{}", row.kind);
            assert_eq!(row.is_recorder(), !row.told.is_empty(), "{}", row.kind);
            assert_eq!(row.is_witness(), !row.sees.is_empty(), "{}", row.kind);
        }
    }
}
