//! Data Transfer: what another account is given, and how far that is. A second request makes a second transfer.
//!
//! New, then in progress, then completed, by the clock. Where the new owner's storage is full it never ends; where one of the two goes
//! meanwhile, or the new owner can't sign in, it fails.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Google, forbidden,
    groups::{listed, page},
    not_found, refuse,
    users::{Files, instant},
};
use crate::sandbox::twin::{Call, Reply};

const DRIVE: &str = "55656082996";
const CALENDAR: &str = "435070579839";
const STUDIO: &str = "810260081642";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transfer {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub old_owner_user_id: String,
    pub new_owner_user_id: String,
    pub status: String,
    pub requested: DateTime<Utc>,
    /// By application: its parameters as they came.
    #[serde(default)]
    pub applications: Vec<Part>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub application_id: String,
    #[serde(default)]
    pub application_transfer_params: Vec<Param>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Param {
    pub key: String,
    #[serde(default)]
    pub value: Vec<String>,
}

impl Transfer {
    fn over(&self) -> bool {
        ["completed", "failed"].contains(&self.status.as_str())
    }
    /// Without a word on it only shared files move.
    fn moves(&self, level: &str) -> bool {
        let Some(drive) = self.applications.iter().find(|p| p.application_id == DRIVE) else {
            return false;
        };
        let said = drive
            .application_transfer_params
            .iter()
            .find(|p| p.key == "PRIVACY_LEVEL");
        match said {
            Some(p) => p.value.iter().any(|v| v == level),
            None => level == "SHARED",
        }
    }

    fn shown(&self) -> Value {
        let status = match self.status.as_str() {
            "new" => "pending",
            other => other,
        };
        let part = |p: &Part| {
            json!({"applicationId": p.application_id, "applicationTransferParams": p.application_transfer_params,
                "applicationTransferStatus": status})
        };
        json!({"kind": "admin#datatransfer#DataTransfer", "etag": "\"x\"", "id": self.id, "oldOwnerUserId": self.old_owner_user_id,
            "newOwnerUserId": self.new_owner_user_id, "applicationDataTransfers": self.applications.iter().map(part).collect::<Vec<_>>(),
            "overallTransferStatusCode": self.status, "requestTime": instant(self.requested)})
    }
}

/// What became of each as time passed.
pub(super) fn run(google: &mut Google, now: DateTime<Utc>) {
    let span = google.transfer_time;
    let mut moved: Vec<Transfer> = Vec::new();
    for t in google.transfers.values().filter(|t| !t.over()) {
        let user = |id: &str| google.users.get(id).filter(|u| u.deleted.is_none());
        let elapsed = now - t.requested;
        let status = match (user(&t.old_owner_user_id), user(&t.new_owner_user_id)) {
            (None, _) | (_, None) => "failed",
            (_, Some(to)) if to.suspended => "failed",
            (_, Some(to)) if to.storage_full && elapsed >= span / 10 => "inProgress",
            _ if elapsed >= span => "completed",
            _ if elapsed >= span / 10 => "inProgress",
            _ => "new",
        };
        if status != t.status {
            moved.push(Transfer {
                status: status.into(),
                ..t.clone()
            });
        }
    }
    for t in moved {
        if t.status == "completed" {
            hand_over(google, &t);
        }
        google.touch("transfers", &t.id);
        google.transfers.insert(t.id.clone(), t);
    }
}

fn hand_over(google: &mut Google, t: &Transfer) {
    let mut given = Files::default();
    if let Some(old) = google.users.get_mut(&t.old_owner_user_id) {
        if t.moves("PRIVATE") {
            given.private = std::mem::take(&mut old.files.private);
        }
        if t.moves("SHARED") {
            given.shared = std::mem::take(&mut old.files.shared);
        }
    }
    if let Some(new) = google.users.get_mut(&t.new_owner_user_id) {
        new.files.private += given.private;
        new.files.shared += given.shared;
    }
    google.touch("users", &t.old_owner_user_id);
    google.touch("users", &t.new_owner_user_id);
}

fn applications() -> [Value; 3] {
    let application = |id: &str, name: &str, params: Value| {
        let mut out =
            json!({"kind": "admin#datatransfer#ApplicationResource", "etag": "\"a\"", "id": id, "name": name});
        if !params.is_null() {
            out["transferParams"] = params;
        }
        out
    };
    [
        application(
            DRIVE,
            "Drive and Docs",
            json!([{"key": "PRIVACY_LEVEL", "value": ["PRIVATE", "SHARED"]}]),
        ),
        application(
            CALENDAR,
            "Calendar",
            json!([{"key": "RELEASE_RESOURCES", "value": ["TRUE"]}]),
        ),
        application(STUDIO, "Looker Studio", Value::Null),
    ]
}

pub(super) fn answer(google: &mut Google, call: &Call, rest: &[&str]) -> Result<Reply, Reply> {
    match (call.method.as_str(), rest) {
        ("GET", ["applications"]) => {
            let all = applications();
            let ids: Vec<String> = (0..all.len()).map(|n| n.to_string()).collect();
            let (page, next) = page(call, "applications", (100, 500), ids.iter().zip(all))?;
            Ok(listed(
                "admin#datatransfer#applicationsList",
                "applications",
                page,
                next,
            ))
        }
        ("GET", ["applications", id]) => {
            let found = applications().into_iter().find(|a| a["id"] == *id);
            found
                .map(|a| Reply::json(200, &a))
                .ok_or_else(|| not_found("applicationId"))
        }
        ("GET", ["transfers"]) => list(google, call),
        ("GET", ["transfers", id]) => {
            let found = google.transfers.get(*id);
            found
                .map(|t| Reply::json(200, &t.shown()))
                .ok_or_else(|| not_found("dataTransferId"))
        }
        ("POST", ["transfers"]) => insert(google, call),
        _ => Ok(Reply::empty(501)),
    }
}

fn list(google: &Google, call: &Call) -> Result<Reply, Reply> {
    if call
        .param("customerId")
        .is_some_and(|c| c != "my_customer" && c != google.customer)
    {
        return Err(forbidden());
    }
    let is = |name: &str, value: &str| call.param(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
    let all = google.transfers.iter().filter(|(_, t)| {
        is("oldOwnerUserId", &t.old_owner_user_id)
            && is("newOwnerUserId", &t.new_owner_user_id)
            && is("status", &t.status)
    });
    let (page, next) = page(call, "transfers", (100, 500), all)?;
    let shown = page.into_iter().map(Transfer::shown).collect();
    Ok(listed(
        "admin#datatransfer#dataTransfersList",
        "dataTransfers",
        shown,
        next,
    ))
}

fn insert(google: &mut Google, call: &Call) -> Result<Reply, Reply> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        old_owner_user_id: String,
        new_owner_user_id: String,
        application_data_transfers: Vec<Part>,
    }
    let bad = || refuse(400, "badRequest", "Bad Request");
    let wanted: Wanted = serde_json::from_slice(&call.body).map_err(|_| bad())?;
    let (old, new) = (&wanted.old_owner_user_id, &wanted.new_owner_user_id);
    let number = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if !number(old) || !number(new) || old == new || wanted.application_data_transfers.is_empty() {
        return Err(bad());
    }
    let all = applications();
    let known = |p: &Part| all.iter().any(|a| a["id"] == p.application_id.as_str());
    if !wanted.application_data_transfers.iter().all(known) {
        return Err(not_found("applicationId"));
    }
    // By number alone: whoever was deleted has none any more.
    let live = |id: &str| google.users.get(id).filter(|u| u.deleted.is_none());
    if live(old).is_none() {
        return Err(refuse(404, "notFound", "Resource Not Found: oldOwnerUserId"));
    }
    let target = live(new).ok_or_else(|| refuse(404, "notFound", "Resource Not Found: newOwnerUserId"))?;
    if target.suspended || target.archived {
        return Err(forbidden());
    }
    let digest = Sha256::digest(format!("{} {old} {new} {}", google.transfers.len(), call.now));
    let id = format!("AKrEtI{}", URL_SAFE_NO_PAD.encode(&digest[..24]));
    let transfer = Transfer {
        id: id.clone(),
        old_owner_user_id: wanted.old_owner_user_id,
        new_owner_user_id: wanted.new_owner_user_id,
        status: "new".into(),
        requested: call.now,
        applications: wanted.application_data_transfers,
    };
    // What was just asked for is answered as being in progress.
    let mut shown = transfer.shown();
    shown["overallTransferStatusCode"] = "inProgress".into();
    google.touch("transfers", &id);
    google.transfers.insert(id, transfer);
    Ok(Reply::json(200, &shown))
}
