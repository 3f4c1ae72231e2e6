//! Data Transfer: which applications are moved, and what was asked for already. Neither knows who is leaving.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::wire::{Application, Applications, Param, Transfer, TransferList};
use crate::{
    http::{Reader, path},
    model::{Failure, Held, Holding},
};

/// Published; what it is called has changed before, its number has not.
const KNOWN: &[(&str, &str)] = &[
    ("Drive and Docs", DRIVE),
    ("Calendar", CALENDAR),
    ("Looker Studio", "810260081642"),
];
const DRIVE: &str = "55656082996";
const CALENDAR: &str = "435070579839";

pub(super) struct Transfers {
    reader: Reader,
    /// The applications' names, as configured.
    names: Vec<String>,
    found: OnceCell<Vec<Application>>,
}

impl Transfers {
    pub(super) fn new(reader: Reader, names: Vec<String>) -> Self {
        Transfers {
            reader,
            names,
            found: OnceCell::new(),
        }
    }

    /// developers.google.com/workspace/admin/data-transfer/reference/rest/v1/applications/list
    pub(super) async fn applications(&self) -> Result<&[Application], Failure> {
        let found = self.found.get_or_try_init(|| self.look_up()).await?;
        Ok(found)
    }

    async fn look_up(&self) -> Result<Vec<Application>, Failure> {
        let what = "list the applications whose data Google moves";
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let mut ask = path!["admin/datatransfer/v1/applications"].query("customerId", "my_customer");
            if let Some(token) = next {
                ask = ask.query("pageToken", token);
            }
            let page: Applications = self.reader.get(ask.what(what)).await?.json()?;
            all.extend(page.applications);
            next = page.next_page_token;
            if next.is_none() {
                break;
            }
        }
        let named = |name: &String| {
            let published = KNOWN
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .map(|(_, id)| *id);
            all.iter()
                .find(|a| a.name.eq_ignore_ascii_case(name))
                .or_else(|| all.iter().find(|a| Some(a.id.as_str()) == published))
                .cloned()
                .ok_or_else(|| {
                    let known: Vec<&str> = all.iter().map(|a| a.name.as_str()).collect();
                    Failure::permanent(what, format!("none of them is called {name}")).hint(format!(
                        "name some of these in `transfer`: {}",
                        crate::http::sentence(&known.join(", "))
                    ))
                })
        };
        self.names.iter().map(named).collect()
    }

    /// Whole, page by page. `new`: to whom; `None`: to anybody.
    pub(super) async fn of(&self, old: &str, new: Option<&str>) -> Result<Vec<Transfer>, Failure> {
        let what = format!("read the transfers of files from {old}");
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let mut ask = path!["admin/datatransfer/v1/transfers"]
                .query("customerId", "my_customer")
                .query("oldOwnerUserId", old)
                .query("maxResults", 500);
            if let Some(new) = new {
                ask = ask.query("newOwnerUserId", new);
            }
            if let Some(token) = next {
                ask = ask.query("pageToken", token);
            }
            let page: TransferList = self.reader.get(ask.what(&what)).await?.json()?;
            all.extend(page.data_transfers);
            next = page.next_page_token;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    /// The body of a request. Without a word on privacy Google moves only what is shared.
    pub(super) async fn request(&self, old: &str, new: &str) -> Result<Value, Failure> {
        let part = |a: &Application| {
            let param = |key: &str, value: &[&str]| Param {
                key: key.into(),
                value: value.iter().map(|v| (*v).to_owned()).collect(),
            };
            let params = match a.id.as_str() {
                DRIVE => vec![param("PRIVACY_LEVEL", &["PRIVATE", "SHARED"])],
                CALENDAR => vec![param("RELEASE_RESOURCES", &["TRUE"])],
                // Everything that it offers to move.
                _ => a.transfer_params.clone(),
            };
            json!({"applicationId": a.id, "applicationTransferParams": params})
        };
        let parts: Vec<Value> = self.applications().await?.iter().map(part).collect();
        Ok(json!({"oldOwnerUserId": old, "newOwnerUserId": new, "applicationDataTransfers": parts}))
    }

    /// Of everything that is moved here.
    pub(super) async fn whole(&self, all: Vec<Transfer>) -> Result<Vec<Transfer>, Failure> {
        if all.is_empty() {
            return Ok(all);
        }
        let wanted = self.applications().await?;
        let has = |t: &Transfer, id: &str| t.application_data_transfers.iter().any(|p| p.application_id == id);
        Ok(all
            .into_iter()
            .filter(|t| wanted.iter().all(|a| has(t, &a.id)))
            .collect())
    }
}

impl Transfer {
    pub(super) fn asked(&self) -> Option<DateTime<Utc>> {
        self.request_time.as_deref()?.parse().ok()
    }
    pub(super) fn running(&self) -> bool {
        // A word that nobody knows is not the end of it.
        let over = |word: &str| self.overall_transfer_status_code.eq_ignore_ascii_case(word);
        !over("completed") && !over("failed")
    }
    pub(super) fn completed(&self) -> bool {
        self.overall_transfer_status_code.eq_ignore_ascii_case("completed")
    }
    /// What ended long ago was another leaving's: a rehire's files are moved anew.
    pub(super) fn recent(&self, now: DateTime<Utc>) -> bool {
        self.running() || self.asked().is_none_or(|at| now - at < TimeDelta::days(30))
    }
    /// `to`: their primary address, and the aliases beside it.
    pub(super) fn held(&self, to: &str, aliases: &[String], until: Option<DateTime<Utc>>) -> Held {
        let held = Held::new(Holding::Transfer, &self.id, format!("files to {to}"))
            .with("to", to)
            .with("status", crate::http::sentence(&self.overall_transfer_status_code));
        let held = match aliases {
            [] => held,
            all => held.with("aliases", all.join(" ")),
        };
        match until {
            Some(at) => held.with("until", at.to_rfc3339()),
            None => held,
        }
    }
}
