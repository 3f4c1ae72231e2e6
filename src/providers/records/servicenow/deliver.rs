//! Delivering a record: look, then do only what is missing.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Form,
    wire::{Attachment, FIELDS, Filed, correlation, cut, hex_id, made, none_there, noun, result, time},
};
use crate::{
    http::{Writer, path, sentence},
    model::{Failure, Kind, Manifest, Receipt, Record, Repeat, What},
    providers::Deliver,
};

pub struct Clerk {
    http: Writer,
    form: Form,
}

impl Clerk {
    pub fn new(http: Writer, form: Form) -> Self {
        Clerk { http, form }
    }

    async fn change(&self, record: &Record) -> Result<Receipt, Failure> {
        let What::Change { manifest, .. } = &record.what else {
            return Err(Failure::new(Kind::Cannot, record.what.name(), "is no change record"));
        };
        let id = correlation(&record.key);
        let (row, already) = match self.find("change_request", &id).await? {
            Some(row) => {
                self.amend(&row, record).await?;
                (row, true)
            }
            None => (self.file(&id, record).await?, false),
        };
        if !row.closed() {
            self.attach(&row, record, manifest).await?;
        }
        Ok(row.receipt(200, already))
    }

    /// Of the standard template where one is named, by the API that fills it; else as a row of the table.
    async fn file(&self, id: &str, record: &Record) -> Result<Filed, Failure> {
        let What::Change {
            title,
            report,
            checkpoint,
            started,
            finished,
            ..
        } = &record.what
        else {
            return Err(Failure::new(Kind::Cannot, record.what.name(), "is no change record"));
        };
        let form = &self.form;
        let mut body = json!({"short_description": sentence(title), "start_date": time(*started), "end_date": time(*finished),
            "correlation_id": id, "correlation_display": "jml"});
        for (key, value) in [
            ("assignment_group", &form.assignment_group),
            ("requested_by", &form.requested_by),
            ("category", &form.category),
        ] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        let text = description(report, checkpoint);
        let Some(template) = &form.template else {
            body["type"] = json!("standard");
            body["chg_model"] = json!("standard");
            body["description"] = json!(text);
            return self.create("change_request", id, &body).await;
        };
        // The template's own description stands, whatever is sent.
        body["work_notes"] = json!(text);
        let what = format!("create the change request {id} of the template {template}");
        let ask = path!["api/sn_chg_rest/change/standard", template]
            .json(&body)
            .what(&what)
            .repeat(Repeat::LookFirst);
        let row = made(&self.http.post(ask).await?)?;
        if row.correlation_id == id {
            return Ok(row);
        }
        // Among the fields that the template ignores; on the record itself it can still be set.
        let change = json!({"correlation_id": id, "correlation_display": "jml"});
        let row = self
            .patch(&row, &change, format!("mark {} as ours", row.number))
            .await?;
        marked(row, id, &what)
    }

    async fn patch(&self, row: &Filed, change: &Value, what: String) -> Result<Filed, Failure> {
        let ask = path!["api/now/table/change_request", row.sys_id]
            .query("sysparm_fields", FIELDS)
            .json(change)
            .what(what)
            .repeat(Repeat::LookFirst);
        result(&self.http.patch(ask).await?)
    }

    /// A run that was filed as partial and went on to its end: the record says so, and its notes keep what it said before. One that
    /// says the same already is left alone, for a note is added each time it is sent; so is a closed one, which takes no change.
    async fn amend(&self, row: &Filed, record: &Record) -> Result<(), Failure> {
        let What::Change {
            title,
            report,
            checkpoint,
            finished,
            ..
        } = &record.what
        else {
            return Ok(());
        };
        let title = sentence(title);
        let Some(before) = row.short_description.as_ref().filter(|s| **s != title && !row.closed()) else {
            return Ok(());
        };
        let note = format!("jml run {} has gone on. Before: {}", record.run, sentence(before));
        let text = description(report, checkpoint);
        let mut change = json!({"short_description": title, "end_date": time(*finished)});
        change["work_notes"] = match self.form.template {
            Some(_) => json!(cut(&format!("{note}\n\n{text}"))),
            None => {
                change["description"] = json!(text);
                json!(cut(&note))
            }
        };
        let now = self
            .patch(row, &change, format!("bring {} up to date", row.number))
            .await?;
        // Rules may put it back with 200.
        match now.short_description {
            Some(said) if said != title => Err(Failure::permanent(
                format!("bring {} up to date", row.number),
                "the instance kept what it said before",
            )),
            Some(_) | None => Ok(()),
        }
    }

    async fn incident(&self, record: &Record, title: &str, text: &str) -> Result<Receipt, Failure> {
        let id = correlation(&record.key);
        if let Some(row) = self.find("incident", &id).await? {
            return Ok(row.receipt(200, true));
        }
        let mut body = json!({"short_description": sentence(title), "description": cut(text), "urgency": "2", "impact": "2",
            "correlation_id": id, "correlation_display": "jml"});
        if let Some(group) = &self.form.assignment_group {
            body["assignment_group"] = json!(group);
        }
        Ok(self.create("incident", &id, &body).await?.receipt(201, false))
    }

    /// The record of this correlation id, the oldest where two hosts raced. Counted and not shown is a matter of rights: not "none".
    async fn find(&self, table: &str, id: &str) -> Result<Option<Filed>, Failure> {
        let what = format!("look for the {} {id}", noun(table));
        let query = format!("correlation_id={id}^ORDERBYsys_created_on");
        let ask = path!["api/now/table", table]
            .query("sysparm_query", query)
            .query("sysparm_fields", FIELDS)
            .query("sysparm_limit", 2)
            .query("sysparm_display_value", "false")
            .query("sysparm_exclude_reference_link", "true");
        let answer = self.http.reader().get(ask.what(&what)).await?;
        let rows: Vec<Filed> = result(&answer)?;
        if rows.is_empty() {
            none_there(&answer, &what)?;
        }
        // An instance that doesn't know the column ignores that part of the query and answers with everything.
        if rows.iter().any(|r| r.correlation_id != id) {
            return Err(Failure::contradiction(
                what,
                "answered with records of another correlation id",
            ));
        }
        Ok(rows.into_iter().next())
    }

    /// Sent once: a lost answer is in doubt, and whoever comes again looks first.
    async fn create(&self, table: &str, id: &str, body: &Value) -> Result<Filed, Failure> {
        let what = format!("create the {} {id}", noun(table));
        let ask = path!["api/now/table", table]
            .query("sysparm_fields", FIELDS)
            .query("sysparm_exclude_reference_link", "true")
            .json(body)
            .what(&what)
            .repeat(Repeat::LookFirst);
        let row: Filed = result(&self.http.post(ask).await?)?;
        marked(row, id, &what)
    }

    async fn attach(&self, row: &Filed, record: &Record, manifest: &Manifest) -> Result<(), Failure> {
        let file = format!("manifest-{}.json", correlation(&record.key));
        let body = serde_json::to_vec_pretty(&Paper {
            jml: 1,
            key: &record.key,
            run: &record.run,
            at: record.at,
            what: &record.what,
        })
        .map_err(|e| Failure::permanent("write the manifest", e.to_string()))?;
        let what = format!(
            "attach the manifest to {} ({} systems)",
            row.number,
            manifest.accounts.len()
        );
        let query = format!(
            "table_name=change_request^table_sys_id={}^file_name={file}",
            hex_id(&row.sys_id)?
        );
        let ask = path!["api/now/attachment"].query("sysparm_query", query).what(&what);
        let answer = self.http.reader().get(ask).await?;
        let there: Vec<Attachment> = result(&answer)?;
        if there.is_empty() && answer.header("x-total-count").is_some() {
            none_there(&answer, &what)?;
        }
        if there
            .iter()
            .any(|a| a.table_sys_id == row.sys_id && a.file_name == file)
        {
            return Ok(());
        }
        let ask = path!["api/now/attachment/file"]
            .query("table_name", "change_request")
            .query("table_sys_id", &row.sys_id)
            .query("file_name", &file)
            .bytes("application/json", body)
            .what(&what)
            .repeat(Repeat::LookFirst);
        let made: Attachment = result(&self.http.post(ask).await?)?;
        if made.file_name == file {
            Ok(())
        } else {
            Err(Failure::contradiction(what, "was kept under another name"))
        }
    }

    /// From New to Closed, a state a call, as the standard model has it. A refusal leaves the record in the farthest state and the
    /// rest of the way owed: whoever comes again goes on from there.
    async fn close(&self, change: &str, checkpoint: &str) -> Result<Receipt, Failure> {
        const WALK: [&str; 5] = ["-5", "-2", "-1", "0", "3"];
        let id = correlation(change);
        let Some(mut row) = self.find("change_request", &id).await? else {
            return Err(Failure::new(
                Kind::Transient,
                format!("close the change request {id}"),
                "it isn't there yet",
            ));
        };
        // By us before an answer was lost, or by a person: either way it is at its end.
        if row.closed() {
            return Ok(row.receipt(200, true));
        }
        let Some(from) = WALK.iter().position(|s| *s == row.state) else {
            return Err(Failure::permanent(
                format!("close {}", row.number),
                format!(
                    "it stands in state {}, where a person has to decide",
                    sentence(&row.state)
                ),
            ));
        };
        for state in &WALK[from + 1..] {
            let body = if *state == "3" {
                json!({"state": "3", "close_code": "successful", "close_notes": "Carried out and verified by jml.",
                    "work_notes": cut(&format!("ledger checkpoint:\n{checkpoint}"))})
            } else {
                json!({"state": state})
            };
            let what = format!("move {} to state {state}", row.number);
            row = self.patch(&row, &body, what.clone()).await?;
            // Rules may put it back with 200.
            if row.state != *state {
                return Err(Failure::permanent(
                    what,
                    format!("the instance keeps it in state {}", sentence(&row.state)),
                ));
            }
        }
        Ok(row.receipt(200, false))
    }
}

/// What was made must be findable again, or the next delivery makes another.
fn marked(row: Filed, id: &str, what: &str) -> Result<Filed, Failure> {
    if row.correlation_id == id {
        return Ok(row);
    }
    Err(
        Failure::contradiction(what, "the record was made, but without its correlation id")
            .hint("a rule of the instance rewrites or drops correlation_id on that table"),
    )
}

fn description(report: &str, checkpoint: &str) -> String {
    cut(&format!(
        "{}\n\nledger checkpoint:\n{}",
        report.trim_end(),
        checkpoint.trim_end()
    ))
}

impl Deliver for Clerk {
    fn takes(&self, what: &What) -> bool {
        match what {
            What::Change { .. } | What::Incident { .. } => true,
            What::Close { .. } => self.form.closes(),
            What::Event { .. } | What::Metric { .. } => false,
        }
    }

    async fn deliver(&self, record: &Record) -> Result<Receipt, Failure> {
        match &record.what {
            What::Change { .. } => self.change(record).await,
            What::Close { change, checkpoint } => self.close(change, checkpoint).await,
            What::Incident { title, text } => self.incident(record, title, text).await,
            What::Event { .. } | What::Metric { .. } => {
                Err(Failure::new(Kind::Cannot, record.what.name(), "ServiceNow takes none"))
            }
        }
    }
}

/// The attached paper: everything that the record says, for whoever has to know later what was taken away.
#[derive(Serialize)]
struct Paper<'a> {
    jml: u8,
    key: &'a str,
    run: &'a str,
    at: DateTime<Utc>,
    what: &'a What,
}
