//! The brakes: on the whole set of plans, before anything that could mutate exists.

use crate::model::Plan;

/// All plans of one run.
pub struct PlanSet {
    pub plans: Vec<Plan>,
    /// How many people were read (percentages are of these).
    pub population: usize,
}

/// Proof that no brake tripped. Only this module makes one.
pub struct Cleared(PlanSet);

impl Cleared {
    pub fn plans(&self) -> &[Plan] {
        &self.0.plans
    }
}
