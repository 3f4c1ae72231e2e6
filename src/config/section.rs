//! A table of the file that keeps its place, so that whoever owns its meaning (a provider) can point at a line.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use crate::model::System;

/// The file, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

pub(super) type Node<'a> = Spanned<DeValue<'a>>;

/// `[systems.NAME]`.
#[derive(Clone)]
pub struct Section {
    pub system: System,
    pub kind: String,
    source: Arc<Source>,
    key: Range<usize>,
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[systems.{}] of kind {}", self.system, self.kind)
    }
}

impl Section {
    pub(super) fn new(
        source: &Arc<Source>,
        name: &str,
        key: Range<usize>,
        node: &Node<'_>,
    ) -> Result<Self, ConfigError> {
        let Some(table) = node.get_ref().as_table() else {
            return Err(ConfigError::at(
                source,
                Some(node.span()),
                format!("a system is a table: [systems.{name}]"),
            ));
        };
        let kind = match table.get("kind") {
            None => name,
            Some(kind) => kind
                .get_ref()
                .as_str()
                .ok_or_else(|| ConfigError::at(source, Some(kind.span()), "a kind is a text"))?,
        };
        Ok(Section {
            system: System::named(name),
            kind: kind.to_owned(),
            source: source.clone(),
            key,
        })
    }
    /// Its settings, but for `kind`, which the registry has read already.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // Read anew: the tree borrows from the text, and this is done a few times a run.
        let mut root = DeTable::parse(&self.source.text).map_err(|e| ConfigError::from_toml(&self.source, &e))?;
        let systems = root.get_mut().get_mut("systems").map(Spanned::get_mut);
        let Some(DeValue::Table(systems)) = systems else {
            return Err(self.fault("it is not in the file any more"));
        };
        let Some(mut node) = systems.remove(self.system.as_str()) else {
            return Err(self.fault("it is not in the file any more"));
        };
        if let DeValue::Table(table) = node.get_mut() {
            table.remove("kind");
        }
        parse(&self.source, node)
    }
    /// One setting that is a text, whatever the others are.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        let mut all: BTreeMap<String, toml::Value> = self.parse()?;
        Ok(match all.remove(key) {
            Some(toml::Value::String(text)) => Some(text),
            Some(_) | None => None,
        })
    }
    /// A fault of its settings as a whole.
    pub fn fault(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::at(&self.source, Some(self.key.clone()), message)
    }
}

pub(super) fn parse<T: DeserializeOwned>(source: &Arc<Source>, node: Node<'_>) -> Result<T, ConfigError> {
    T::deserialize(toml::de::ValueDeserializer::from(node)).map_err(|e| ConfigError::from_toml(source, &e))
}

/// Every text below a node, with its place.
pub(super) fn texts(node: &Node<'_>, seen: &mut impl FnMut(&str, Range<usize>)) {
    match node.get_ref() {
        DeValue::String(text) => seen(text, node.span()),
        DeValue::Array(all) => all.iter().for_each(|n| texts(n, seen)),
        DeValue::Table(all) => all.iter().for_each(|(_, n)| texts(n, seen)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}
