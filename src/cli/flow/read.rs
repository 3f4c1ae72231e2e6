//! Bulk reads: everyone page by page, each group's members page by page. Never a call a person.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, stream};

use super::errors;
use crate::{
    cli::{error::CliError, firm::Firm},
    model::{Catalogue, Group, Observed, Person},
    planner::refusal::Refusal,
    run::observe::{self, Need},
};

/// Groups that are read side by side; the governor paces the calls below.
const WIDTH: usize = 8;

/// Everyone in the directory, with HR's word on each.
pub async fn everyone(firm: &Firm) -> Result<Vec<Person>, CliError> {
    firm.employ(directory(firm).await?).await
}

/// Everyone in the directory. An empty answer is not believed.
pub async fn directory(firm: &Firm) -> Result<Vec<Person>, CliError> {
    let (mut people, mut from) = (BTreeMap::new(), None);
    loop {
        let page = firm
            .look
            .directory
            .people(from)
            .await
            .map_err(|f| CliError::unread(&f))?;
        // A page that was given twice counts once; the later one is the fresher.
        people.extend(page.items.into_iter().map(|p| (p.id.clone(), p)));
        match page.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    if people.is_empty() {
        return Err(CliError::brake("Okta answered with 0 people, which is not believed")
            .run("Has jml's app an admin role that sees people", "jml doctor okta"));
    }
    Ok(people.into_values().collect())
}

/// The tenant's groups, and beside them what was asked for. A tenant without a single group is not believed.
pub async fn catalogue(firm: &Firm, need: Need) -> Result<Catalogue, CliError> {
    let need = Need { groups: true, ..need };
    let catalogue = observe::tenant(&firm.look, firm.organisation.clone(), need)
        .await
        .catalogue;
    match &catalogue.groups {
        Observed::Present(all) if !all.is_empty() => Ok(catalogue),
        Observed::Present(_) | Observed::Absent => Err(errors::refusal(&Refusal::NoGroups)),
        Observed::Unknown(f) => Err(CliError::unread(f)),
    }
}

/// By name, then id.
pub fn sorted(catalogue: &Catalogue) -> Vec<&Group> {
    let mut all: Vec<&Group> = catalogue
        .groups
        .present()
        .into_iter()
        .flat_map(|g| g.values())
        .collect();
    all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    all
}

/// Who is in each of these groups, by id of the group.
pub async fn members(firm: &Firm, groups: BTreeSet<String>) -> BTreeMap<String, Observed<Vec<Person>>> {
    stream::iter(groups)
        .map(|id| async move {
            let read = firm.look.directory.all_members(&id).await;
            (id, read.map_or_else(Observed::Unknown, Observed::Present))
        })
        .buffered(WIDTH)
        .collect()
        .await
}

/// Labels of the apps that a group grants, sorted.
pub fn labels(catalogue: &Catalogue, group: &str) -> Vec<String> {
    let apps = catalogue.apps.present();
    let mut all: Vec<String> = catalogue
        .apps_of_group
        .get(group)
        .and_then(Observed::present)
        .into_iter()
        .flatten()
        .map(|id| {
            apps.and_then(|a| a.get(id))
                .map_or_else(|| id.clone(), |a| a.label.clone())
        })
        .collect();
    all.sort();
    all
}
