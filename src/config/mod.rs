//! jml.toml
