//! `jml doctor --write-monitor`: what became of the monitor.

use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema, Clone, Debug)]
pub struct Monitor {
    /// Which system keeps it.
    pub system: String,
    /// planned (--dry-run: nothing was sent), made, changed or unchanged
    pub result: String,
    /// Its id there, once it was read back.
    pub id: Option<String>,
    /// Which of its parts were not as they should be.
    pub changed: Vec<String>,
    /// What is sent, in that system's own form.
    pub monitor: serde_json::Value,
}
