//! `[ledger] mirror`: where what leaves this host of each entry goes.

use std::{borrow::Cow, path::PathBuf, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// A relative path starts at the configuration's folder.
    File(PathBuf),
    Syslog,
    Journald,
}

const FORM: &str = "write it \"file:PATH\", \"syslog\" or \"journald\"";

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("file:")) {
            ("syslog", _) => Ok(Mirror::Syslog),
            ("journald", _) => Ok(Mirror::Journald),
            (_, Some(path)) if !path.is_empty() => Ok(Mirror::File(path.into())),
            _ => Err(FORM.into()),
        }
    }
}

impl<'de> Deserialize<'de> for Mirror {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Mirror {
    fn schema_name() -> Cow<'static, str> {
        "Mirror".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^(file:.+|syslog|journald)$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_one_of_three() {
        assert_eq!("syslog".parse(), Ok(Mirror::Syslog));
        assert_eq!("journald".parse(), Ok(Mirror::Journald));
        assert_eq!("file:/var/log/x".parse(), Ok(Mirror::File("/var/log/x".into())));
        for wrong in ["", "file:", "http://x", "Syslog", "/var/log/x"] {
            assert_eq!(wrong.parse::<Mirror>(), Err(FORM.to_owned()), "{wrong}");
        }
    }
}
