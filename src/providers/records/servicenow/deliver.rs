//! Delivering a record: look, then do only what is missing.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Form,
    wire::{Attachment, FIELDS, Filed, correlation, cut, hex_id, noun, result, time},
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
        let What::Change {
            result,
            title,
            report,
            manifest,
            checkpoint,
            started,
            finished,
            ..
        } = &record.what
        else {
            return Err(Failure::new(Kind::Cannot, record.what.name(), "is no change record"));
        };
        let id = correlation(&record.key);
        let (row, already) = match self.find("change_request", &id).await? {
            Some(row) => (row, true),
            None => {
                let mut body = Map::new();
                let mut put = |k: &str, v: &str| drop(body.insert(k.into(), v.into()));
                put("type", "standard");
                put("chg_model", "standard");
                put("short_description", &sentence(title));
                put("description", &description(report, checkpoint));
                put("start_date", &time(*started));
                put("end_date", &time(*finished));
                put("correlation_id", &id);
                put("correlation_display", "jml");
                let f = &self.form;
                for (k, v) in [
                    ("assignment_group", &f.assignment_group),
                    ("requested_by", &f.requested_by),
                    ("std_change_producer_version", &f.template),
                    ("category", &f.category),
                ] {
                    if let Some(v) = v {
                        put(k, v);
                    }
                }
                (self.create("change_request", &id, &Value::Object(body)).await?, false)
            }
        };
        if already {
            self.amend(&row, record).await?;
        }
        if !row.closed() {
            self.attach(&row, record, manifest).await?;
            if ["complete", "nothing"].contains(&result.as_str()) && self.form.assignment_group.is_some() {
                self.close(&row, checkpoint).await;
            }
        }
        Ok(Receipt {
            status: 200,
            already,
            made: Some(row.number),
            ..Receipt::default()
        })
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
        let ask = path!["api/now/table/change_request", row.sys_id]
            .query("sysparm_fields", FIELDS)
            .json(
                &json!({"short_description": title, "description": description(report, checkpoint),
                "end_date": time(*finished), "work_notes": cut(&note)}),
            )
            .what(format!("bring {} up to date", row.number))
            .repeat(Repeat::LookFirst);
        let now: Filed = result(&self.http.patch(ask).await?)?;
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
            return Ok(Receipt {
                status: 200,
                already: true,
                made: Some(row.number),
                ..Receipt::default()
            });
        }
        let mut body = json!({"short_description": sentence(title), "description": cut(text), "urgency": "2", "impact": "2",
            "correlation_id": id, "correlation_display": "jml"});
        if let Some(group) = &self.form.assignment_group {
            body["assignment_group"] = json!(group);
        }
        let row = self.create("incident", &id, &body).await?;
        Ok(Receipt {
            status: 201,
            already: false,
            made: Some(row.number),
            ..Receipt::default()
        })
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
        let counted: u64 = answer.header("x-total-count").and_then(|n| n.parse().ok()).unwrap_or(0);
        if rows.is_empty() && counted > 0 {
            return Err(
                Failure::new(Kind::Auth, what, format!("{counted} are there and none may be seen"))
                    .hint("give jml's user the right to read them (itil, or sn_change_read)"),
            );
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
        if row.correlation_id != id {
            return Err(
                Failure::contradiction(what, "the record was made, but without its correlation id")
                    .hint("a rule of the instance rewrites or drops correlation_id on that table"),
            );
        }
        Ok(row)
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
        let there: Vec<Attachment> = result(&self.http.reader().get(ask).await?)?;
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

    /// From New to Closed, a state a call, as the standard model has it. A refusal leaves the record open in the farthest state: it
    /// exists, which is what was owed.
    async fn close(&self, row: &Filed, checkpoint: &str) {
        const WALK: [&str; 5] = ["-5", "-2", "-1", "0", "3"];
        let from = WALK.iter().position(|s| *s == row.state).unwrap_or(WALK.len());
        for state in WALK.iter().skip(from + 1) {
            let body = if *state == "3" {
                json!({"state": "3", "close_code": "successful", "close_notes": "Carried out and verified by jml.",
                    "work_notes": cut(&format!("ledger checkpoint:\n{checkpoint}"))})
            } else {
                json!({"state": state})
            };
            let ask = path!["api/now/table/change_request", row.sys_id]
                .query("sysparm_fields", FIELDS)
                .json(&body)
                .what(format!("move {} to state {state}", row.number))
                .repeat(Repeat::LookFirst);
            let moved = self.http.patch(ask).await.and_then(|a| result::<Filed>(&a));
            // Rules may put it back with 200.
            if moved.map_or(true, |r| r.state != *state) {
                return;
            }
        }
    }
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
            What::Event { .. } | What::Metric { .. } => false,
        }
    }

    async fn deliver(&self, record: &Record) -> Result<Receipt, Failure> {
        match &record.what {
            What::Change { .. } => self.change(record).await,
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
