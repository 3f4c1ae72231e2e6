//! Apps that hold accounts of their own beside the directory.

pub mod slack;
