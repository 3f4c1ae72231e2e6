//! What only people can do: a badge, a key, a laptop. Tasks from the configuration, owed until somebody ticks them with evidence.
//!
//! It calls nobody and knows no account: everyone has these tasks from the moment they leave. Its hands do nothing at all, for only
//! `jml run tick` can say that a task is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    model::{Account, Failure, Held, Holding, Kind, Observed, Receipt, State, System, Verb, Verbs},
    providers::{Act, Cursor, Known, Look, Observe, Page, Perform, Row, Settings as Check, Target, Task},
};

pub const ROW: Row = Row::new("manual").page("docs/DEPLOYMENT.md").target::<Manual>(VERBS);

pub const VERBS: &[Verb] = &[Verb::ByHand];

/// `[systems.badge]` with `kind = "manual"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who does it: a team, an address.
    owner: String,
    /// How long it may take before it is overdue: `24h`, `3days`.
    #[serde(default = "day")]
    due: String,
    /// What there is to do, in words: each is ticked by itself.
    tasks: Vec<String>,
}

fn day() -> String {
    "24h".into()
}

impl Settings {
    fn within(&self) -> Option<Duration> {
        humantime::parse_duration(&self.due).ok().filter(|d| !d.is_zero())
    }
}

impl Check for Settings {
    fn check(&self) -> Result<(), String> {
        if self.owner.trim().is_empty() {
            return Err("owner: a task of nobody's is done by nobody".into());
        }
        if self.within().is_none() {
            return Err(format!("due: {:?} is no duration such as 24h or 3days", self.due));
        }
        if self.tasks.is_empty() {
            return Err("tasks: none is named".into());
        }
        let ids: BTreeSet<String> = self.tasks.iter().map(|t| slug(t)).collect();
        if ids.len() < self.tasks.len() || ids.contains("") {
            return Err("tasks: two of them can't be told apart, or one says nothing".into());
        }
        Ok(())
    }
}

pub struct Manual;

impl Target for Manual {
    type Settings = Settings;
    type Eyes = Eyes;
    type Hands = Hands;

    fn eyes(_: System, settings: Settings, _: &Look) -> Eyes {
        Eyes {
            tasks: tasks(&settings),
        }
    }

    fn hands(_: System, _: Settings, _: &Act) -> Hands {
        Hands
    }
}

/// The name's letters and digits: stays the same when only its spelling is tidied up.
fn slug(task: &str) -> String {
    let words = task.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

fn tasks(settings: &Settings) -> BTreeSet<Held> {
    let within = settings.within().unwrap_or(Duration::from_secs(24 * 3600)).as_secs();
    let held = |task: &String| {
        Held::new(Holding::Task, slug(task), task)
            .with("owner", settings.owner.trim())
            .with("due", &settings.due)
            .with("within", within.to_string())
    };
    settings.tasks.iter().map(held).collect()
}

pub struct Eyes {
    tasks: BTreeSet<Held>,
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        VERBS.iter().copied().collect()
    }

    /// There is no tenant to mistake for another.
    async fn pinned(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let holds = who
            .parts
            .contains(&Holding::Task)
            .then(|| (Holding::Task, Observed::Present(self.tasks.clone())));
        Ok(Observed::Present(Account {
            holds: BTreeMap::from_iter(holds),
            ..Account::new(&who.person.id.0, &who.person.login, State::Active, "tasks by hand")
        }))
    }

    /// Nobody has an account here.
    async fn accounts(&self, _: Option<Cursor>) -> Result<Page<Account>, Failure> {
        Ok(Page {
            items: Vec::new(),
            next: None,
            total: Some(0),
        })
    }
}

pub struct Hands;

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        Err(Failure::new(
            Kind::Cannot,
            task.effect.action.name(),
            "a person does this and says so",
        )
        .run("when it is done, say so with what shows it", "jml run tick"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{Handles, script::person};

    fn settings(text: &str) -> Result<Settings, String> {
        let settings: Settings = toml::from_str(text).map_err(|e| e.to_string())?;
        settings.check().map(|()| settings)
    }

    #[tokio::test]
    async fn everybody_has_the_tasks_that_are_configured() {
        let s = settings("owner = \"office\"\ndue = \"2h\"\ntasks = [\"return badge\", \"Return key!\"]").unwrap();
        let eyes = Eyes { tasks: tasks(&s) };
        let (person, handles) = (person(), Handles::default());
        let seen = |parts: BTreeSet<Holding>| {
            let (eyes, person, handles) = (&eyes, &person, &handles);
            async move {
                let who = Known {
                    person,
                    handles,
                    parts: &parts,
                };
                match eyes.observe(who).await {
                    Ok(Observed::Present(account)) => account,
                    other => panic!("{other:?}"),
                }
            }
        };
        let account = seen([Holding::Task].into()).await;
        let tasks: Vec<(&str, &str, &str, &str)> = account
            .held(Holding::Task)
            .map(|t| (t.id.as_str(), t.name.as_str(), t.fact("owner"), t.fact("within")))
            .collect();
        assert_eq!(
            tasks,
            [
                ("return-badge", "return badge", "office", "7200"),
                ("return-key", "Return key!", "office", "7200")
            ]
        );
        assert!(seen(BTreeSet::new()).await.holds.is_empty(), "what was not asked");
    }

    #[test]
    fn what_nobody_could_do_is_refused() {
        for (text, why) in [
            ("owner = \" \"\ntasks = [\"a\"]", "owner"),
            ("owner = \"o\"\ndue = \"soon\"\ntasks = [\"a\"]", "due"),
            ("owner = \"o\"\ntasks = []", "tasks"),
            ("owner = \"o\"\ntasks = [\"badge\", \"Badge!\"]", "tasks"),
        ] {
            let said = settings(text).unwrap_err();
            assert!(said.starts_with(why), "{text}: {said}");
        }
        assert!(settings("owner = \"o\"\ntasks = [\"return badge\"]").is_ok());
    }
}
