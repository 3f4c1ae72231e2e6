//! Consent: what turns a cleared set of plans into permission to act.

use super::brake::Cleared;

/// Proof that somebody agreed to exactly these plans. Only this module makes one.
pub struct Agreed(Cleared);
