//! What the second program does: one effect, one start.

use serde_json::{Map, json};

use super::{VERBS, program::Program, wire::lacks};
use crate::{
    http::{Credential, sentence},
    model::{Failure, Kind, Receipt},
    providers::{Perform, Task},
};

pub struct Hands {
    program: Program,
    credential: Option<Credential>,
}

impl Hands {
    pub(super) fn new(program: Program, credential: Option<Credential>) -> Self {
        Hands { program, credential }
    }
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let effect = task.effect;
        if !VERBS.contains(&effect.action.verb()) {
            return Err(Failure::cannot(&effect.action));
        }
        let object = effect.action.object().map(|o| format!(" {o}")).unwrap_or_default();
        let what = format!(
            "{}{object} of {} in {}",
            effect.action.name(),
            effect.account,
            effect.system
        );
        if effect.account.is_empty() {
            return Err(Failure::permanent(what, "the account isn't known yet"));
        }
        let mut order = Map::new();
        order.insert("do".into(), effect.action.name().into());
        order.insert("account".into(), effect.account.as_str().into());
        order.insert("key".into(), task.key.into());
        order.insert("deadline".into(), json!(task.deadline));
        if let Some(held) = effect.action.held() {
            order.insert(
                "on".into(),
                json!({"kind": held.kind, "id": held.id, "name": held.name}),
            );
        }
        let answer = self.program.act(&what, order, self.credential.as_ref()).await?;
        // It ended well and says neither done nor refused: it may have done anything.
        let done = answer.done.ok_or_else(|| Failure {
            kind: Kind::Doubt,
            ..lacks(&what, "done")
        })?;
        Ok(Receipt {
            already: done.already,
            request: done.request.map(|r: String| sentence(&r)),
            ..Receipt::default()
        })
    }
}
