//! What the first program sees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::{
    Settings,
    program::Program,
    wire::{Answer, Shown, Thing, lacks},
};
use crate::{
    http::Credential,
    model::{Account, Failure, Held, Holding, Observed, Verb, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

pub struct Eyes {
    program: Program,
    credential: Option<Credential>,
    can: Verbs,
    canary: String,
    tenant: Option<String>,
    /// The known account was found: then "none" can be believed.
    believed: OnceCell<()>,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Eyes {
    pub(super) fn new(program: Program, credential: Option<Credential>, settings: Settings) -> Self {
        Eyes {
            program,
            credential,
            can: settings.can,
            canary: settings.canary,
            tenant: settings.tenant,
            believed: OnceCell::new(),
        }
    }

    async fn ask(&self, what: &str, question: Value) -> Result<Answer, Failure> {
        self.program.ask(what, object(question), self.credential.as_ref()).await
    }

    async fn account(&self, what: &str, question: Value) -> Result<Option<Shown>, Failure> {
        let answer = self.ask(what, question).await?;
        match (answer.account, answer.absent) {
            (Some(account), false) => Ok(Some(account)),
            (None, true) => Ok(None),
            (None, false) => Err(lacks(what, "account")),
            (Some(_), true) => Err(Failure::contradiction(
                what,
                "the program shows an account and calls it absent",
            )),
        }
    }

    /// Finds an account that is surely there by the question that just found none.
    async fn believe(&self) -> Result<(), Failure> {
        let what = format!("find the known account {}", self.canary);
        let question = json!({"ask": "account", "handles": {"account": self.canary}, "parts": []});
        match self.account(&what, question).await? {
            Some(account) if account.is(&self.canary) => Ok(()),
            Some(_) | None => Err(Failure::contradiction(
                &what,
                "a known account isn't found either: that none was found proves nothing",
            )),
        }
    }
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        self.can.clone()
    }

    async fn pinned(&self) -> Result<(), Failure> {
        let what = format!("ask {} which system it is", self.program.path.display());
        let answer = self.ask(&what, json!({"ask": "tenant"})).await?;
        let found = answer.tenant.ok_or_else(|| lacks(&what, "tenant"))?;
        match &self.tenant {
            Some(pinned) if *pinned != found => Err(Failure::contradiction(
                "check the system behind the program",
                format!("the configuration pins {pinned}, and the program says another one"),
            )
            .hint("point the program at the right system, or pin this one anew")),
            Some(_) | None => Ok(()),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let what = format!("read the account of {} in {}", who.person.login, self.program.system);
        let (person, known) = (who.person, who.handles);
        let question = json!({
            "ask": "account",
            "person": {"id": person.id.0, "login": person.login, "email": person.email,
                "first_name": person.first_name, "last_name": person.last_name},
            "handles": {"account": known.account, "external_id": known.external_id, "user_name": known.user_name,
                "addresses": known.addresses},
            "parts": who.parts,
        });
        match self.account(&what, question).await? {
            Some(account) => Ok(Observed::Present(account.account(who.parts, &self.can, &what))),
            None => {
                self.believed.get_or_try_init(|| self.believe()).await?;
                Ok(Observed::Absent)
            }
        }
    }

    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let what = format!("list the accounts in {}", self.program.system);
        let question = json!({"ask": "accounts", "from": from.as_ref().map(|c| &c.0)});
        let answer = self.ask(&what, question).await?;
        let all = answer.accounts.ok_or_else(|| lacks(&what, "accounts"))?;
        if from.is_some_and(|f| answer.next.as_ref() == Some(&f.0)) {
            return Err(Failure::contradiction(
                &what,
                "the program's next page is the same page",
            ));
        }
        let none = BTreeSet::new();
        Ok(Page {
            items: all.into_iter().map(|a| a.account(&none, &self.can, &what)).collect(),
            next: answer.next.map(Cursor),
            total: None,
        })
    }

    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        if !self.can.contains(&Verb::AddMember) {
            return Ok(BTreeMap::new());
        }
        let what = format!("list the groups in {}", self.program.system);
        let answer = self.ask(&what, json!({"ask": "offers"})).await?;
        let all = answer.offers.ok_or_else(|| lacks(&what, "offers"))?;
        let named = |t: Thing| {
            let held = t.held(Holding::Group);
            (held.name.clone(), held)
        };
        Ok(all.into_iter().map(named).collect())
    }
}
