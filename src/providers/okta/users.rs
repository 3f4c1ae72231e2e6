//! People of the directory: one by id or login, candidates by what someone typed, all page by page.
//!
//! Refuses to take a near miss for a person: Okta finds `alice@acme.example` for `alice`, and a search may be minutes old. A person is read
//! by id before anything is decided.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::{
    Directory,
    explain::{absent, explain},
    filter,
    pages::{self, LIMIT},
    wire,
    worker::{Attributes, worker},
};
use crate::{
    http::path,
    model::{Failure, Hr, Observed, Person, PersonId},
    providers::{Cursor, Page},
};

/// Okta's own words, as a person; where Okta is the roster, with what the profile says of the employment.
pub fn person(user: wire::User, roster: Option<&Attributes>) -> Result<Person, Failure> {
    let text = |name: &str| user.text(name).unwrap_or_default();
    let login = text("login");
    if user.id.is_empty() || login.is_empty() {
        return Err(Failure::contradiction(
            "read a person of Okta",
            "a person without an id or a login",
        ));
    }
    let mut person = Person {
        id: PersonId(user.id.clone()),
        email: text("email"),
        first_name: text("firstName"),
        last_name: text("lastName"),
        login,
        status: user.status,
        offers: user
            .links
            .keys()
            .filter(|rel| !matches!(rel.as_str(), "self" | "type" | "schema"))
            .cloned()
            .collect(),
        transitioning: user.transitioning_to_status.is_some(),
        credentials: user
            .credentials
            .as_ref()
            .and_then(|c| c.provider.as_ref()?.kind.clone())
            .unwrap_or_default(),
        created: user.created,
        status_changed: user.status_changed,
        last_updated: user.last_updated,
        profile: user.texts(),
        hr: Hr::Missing,
    };
    if let Some(attributes) = roster {
        person.hr = Hr::Known(Box::new(worker(&person, attributes)));
    }
    Ok(person)
}

/// Equal but for case and for how accents are composed; nothing more.
fn same(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}
fn folded(text: &str) -> String {
    let lower: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Directory {
    pub(super) fn people_of(&self, users: Vec<wire::User>) -> Result<Vec<Person>, Failure> {
        users.into_iter().map(|u| person(u, self.roster.as_ref())).collect()
    }

    /// By id or login, strongly consistent. `Absent` is Okta's own word for exactly that id or login.
    pub async fn person(&self, id_or_login: &str) -> Result<Observed<Person>, Failure> {
        let typed = id_or_login.trim();
        // `me` is whoever asks; a slash can't be a part of the path, encoded or not.
        if typed.is_empty() || typed == "me" {
            return Ok(Observed::Absent);
        }
        if typed.contains('/') {
            return self
                .by_search(&filter::eq("profile.login", typed), |p| same(&p.login, typed))
                .await
                .map(|mut found| {
                    if found.len() == 1 {
                        Observed::Present(found.remove(0))
                    } else {
                        Observed::Absent
                    }
                });
        }
        let what = format!("read {typed} in Okta");
        let answer = self
            .api
            .get(path!["api/v1/users", typed].accept(404).what(&what))
            .await?;
        if answer.status == 404 {
            return Ok(if absent(&answer) {
                Observed::Absent
            } else {
                Observed::Unknown(explain(&answer, &what))
            });
        }
        let found = person(answer.json()?, self.roster.as_ref())?;
        // A shortname finds whoever is alone with it today: not what was typed.
        Ok(if found.id.0 == typed || same(&found.login, typed) {
            Observed::Present(found)
        } else {
            Observed::Absent
        })
    }

    /// Everyone whom the text may mean: a login or id exactly, else an address, else a whole name. More than one is nobody yet.
    pub async fn find(&self, text: &str) -> Result<Vec<Person>, Failure> {
        let typed: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let named = typed.contains(' ');
        if !named {
            match self.person(&typed).await? {
                Observed::Present(found) => return Ok(vec![found]),
                Observed::Unknown(failure) => return Err(failure),
                Observed::Absent => {}
            }
        }
        if typed.contains('@') {
            let search = filter::or(
                &filter::eq("profile.email", &typed),
                &filter::eq("profile.login", &typed),
            );
            return self
                .by_search(&search, |p| same(&p.email, &typed) || same(&p.login, &typed))
                .await;
        }
        if !named {
            return Ok(Vec::new());
        }
        self.by_search(&name_search(&typed), |p| same(&p.name(), &typed)).await
    }

    /// Decided on the client, then each read by id: the index may be behind.
    async fn by_search(&self, search: &str, is: impl Fn(&Person) -> bool) -> Result<Vec<Person>, Failure> {
        let what = "search people in Okta";
        let ask = path!["api/v1/users"].query("search", search).query("limit", LIMIT);
        let found = self.people_of(pages::all(&self.api, ask, what).await?)?;
        let ids: BTreeSet<PersonId> = found.into_iter().filter(|p| is(p)).map(|p| p.id).collect();
        let reads = ids.iter().map(|id| self.person(&id.0));
        let mut out = Vec::new();
        for read in futures::future::join_all(reads).await {
            match read? {
                Observed::Present(p) => out.push(p),
                // Deleted since the index was written.
                Observed::Absent => {}
                Observed::Unknown(failure) => return Err(failure),
            }
        }
        // What the index showed may no longer be so.
        out.retain(is);
        Ok(out)
    }

    /// Everyone, in every status. An empty first page may mean that our admin role is too small: the caller compares with the last good read.
    pub async fn people(&self, from: Option<Cursor>) -> Result<Page<Person>, Failure> {
        let first = || path!["api/v1/users"].query("search", "status pr").query("limit", LIMIT);
        let read = pages::page(&self.api, first, from.as_ref(), "read the people of Okta").await?;
        Ok(Page {
            items: self.people_of(read.items)?,
            next: read.next,
            total: read.total,
        })
    }
}

/// Every way to cut the words into first and last name, in both ways to write accents: the server compares characters, not letters.
fn name_search(typed: &str) -> String {
    let words: Vec<&str> = typed.split(' ').collect();
    let cuts = (1..words.len()).map(|cut| {
        let (first, last) = words.split_at(cut);
        filter::and(
            &either("profile.firstName", &first.join(" ")),
            &either("profile.lastName", &last.join(" ")),
        )
    });
    cuts.reduce(|a, b| filter::or(&filter::group(&a), &filter::group(&b)))
        .unwrap_or_default()
}

fn either(attribute: &str, name: &str) -> String {
    let composed: String = name.nfc().collect();
    let apart: String = name.nfd().collect();
    if composed == apart {
        filter::eq(attribute, &composed)
    } else {
        filter::group(&filter::or(
            &filter::eq(attribute, &composed),
            &filter::eq(attribute, &apart),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    const AMY: &str = include_str!("../../../tests/data/okta/user.json");

    #[test]
    fn a_person_as_okta_writes_one() {
        let it = person(serde_json::from_str(AMY).unwrap(), None).unwrap();
        assert_eq!(
            (it.id.0.as_str(), it.login.as_str()),
            ("00u00000000000000101", "amy.lee@acme.example")
        );
        assert_eq!((it.status, it.transitioning), (Status::Active, false));
        assert!(it.offers.contains("suspend") && it.offers.contains("deactivate"));
        assert_eq!(it.credentials, "OKTA");
        assert_eq!(
            it.profile.get("terminationDate").map(String::as_str),
            Some("2026-03-02")
        );
        assert!(!it.profile.contains_key("manager"));
        assert_eq!(it.hr, Hr::Missing);
        let rostered = person(serde_json::from_str(AMY).unwrap(), Some(&Attributes::default())).unwrap();
        assert_eq!(rostered.worker().unwrap().department.as_deref(), Some("Engineering"));
    }

    #[test]
    fn a_person_without_a_login_is_no_person() {
        let user = serde_json::from_str(r#"{"id":"00u1","status":"ACTIVE","profile":{"login":null}}"#).unwrap();
        assert!(person(user, None).is_err());
    }

    #[test]
    fn names_are_equal_but_for_case_and_composition() {
        assert!(same("Zo\u{e9} M\u{fc}ller", "zoe\u{301}  MU\u{308}LLER"));
        assert!(!same("Zoe Muller", "Zo\u{e9} M\u{fc}ller"));
        assert!(!same("alice", "alice@acme.example"));
    }

    #[test]
    fn a_name_is_searched_in_both_compositions_and_at_every_cut() {
        assert_eq!(
            name_search("Alex Kim"),
            r#"profile.firstName eq "Alex" and profile.lastName eq "Kim""#
        );
        assert_eq!(
            name_search("Ana de Ruiz"),
            "(profile.firstName eq \"Ana\" and profile.lastName eq \"de Ruiz\") or \
             (profile.firstName eq \"Ana de\" and profile.lastName eq \"Ruiz\")"
        );
        let accents = name_search("Zo\u{e9} O\"Hara");
        assert!(accents.starts_with("(profile.firstName eq \"Zo\u{e9}\" or profile.firstName eq \"Zoe\u{301}\") and "));
        assert!(accents.ends_with(r#"profile.lastName eq "O\"Hara""#));
    }
}
