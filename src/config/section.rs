//! A table of the file that keeps its place, so that whoever owns its meaning (a provider) can point at a line.

use std::{fmt, ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use serde_spanned::Spanned;
use toml::de::DeValue;

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

pub(super) type Node = Spanned<DeValue<'static>>;

/// `[systems.NAME]`.
#[derive(Clone)]
pub struct Section {
    pub system: System,
    pub kind: String,
    pub(super) source: Arc<Source>,
    pub(super) key: Range<usize>,
    pub(super) value: Node,
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[systems.{}] of kind {}", self.system, self.kind)
    }
}

impl Section {
    /// Its settings, but for `kind`, which the registry has read already.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let mut value = self.value.clone();
        if let DeValue::Table(table) = value.get_mut() {
            table.remove("kind");
        }
        parse(&self.source, value).map_err(|e| {
            if e.place().is_some() {
                return e;
            }
            ConfigError::at(&self.source, Some(self.key.clone()), e.message())
        })
    }
    /// A fault of its settings as a whole.
    pub fn fault(&self, message: impl Into<String>) -> ConfigError {
        ConfigError::at(&self.source, Some(self.key.clone()), message)
    }
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.value.get_ref().as_table()?.get(key)
    }
}

pub(super) fn parse<T: DeserializeOwned>(source: &Arc<Source>, value: Node) -> Result<T, ConfigError> {
    T::deserialize(toml::de::ValueDeserializer::from(value)).map_err(|e| ConfigError::from_toml(source, &e))
}
