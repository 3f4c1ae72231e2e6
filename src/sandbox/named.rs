//! Faults by name: what they hit is an operation (system, action, subject), never a call's number.
//!
//! `SYSTEM:ACTION[:SUBJECT][@ATTEMPT]:WHEN=KIND`. No subject means any; `*` is a wildcard; ATTEMPT is a number, `N+` (from the N-th on)
//! or `all`, by default 1; WHEN is `before` the effect, `after` it, or in the `answer`.

use super::{
    faults::{End, Fate, Seen},
    member,
    quiet::wild,
};

/// For the help of `serve --fault`.
pub const HELP: &str = "\
SYSTEM:ACTION[:SUBJECT][@ATTEMPT]:WHEN=KIND, e.g. okta:remove-member:ROLE-ENG@1:after=reset
  ACTION    as in JSON and in the audit log; no SUBJECT means any; * is a wildcard
  ATTEMPT   1 (the first, by default), 2+ (from the second on), or all
  WHEN      before (nothing is done), after (it is done), or answer (it is done, the answer is spoilt)
  KIND      401 403 404 429 500 503 timeout reset malformed empty lost-answer hold
  SYSTEM:MANNER alone (scim:wiki:put-only) has a system differ in one of its own ways, which its twin names
  hold      prints `hit NAME` and keeps the request (before) or its answer (after) back until POST /release";

#[derive(Clone)]
pub struct Named {
    /// As given.
    pub text: String,
    /// `okta:remove-member:ROLE-ENG`; of a manner, the system alone.
    place: String,
    /// From which matching request on, and how many of them (`None`: all).
    pub attempts: (u64, Option<u64>),
    when: When,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum When {
    Before,
    After,
    Answer,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Status(u16),
    Timeout,
    Reset,
    Malformed,
    Empty,
    LostAnswer,
    Hold,
    /// A way of the system's own to differ, as long as the fault is armed.
    Manner(&'static str),
}

impl Named {
    pub fn parse(text: &str) -> Result<Named, String> {
        let wrong = |why: &str| format!("fault {text:?}: {why}\n{HELP}");
        if let Some(manner) = manner(text) {
            return Ok(manner);
        }
        let (place, kind) = text.rsplit_once('=').ok_or_else(|| wrong("=KIND is missing"))?;
        let (place, when) = place.rsplit_once(':').ok_or_else(|| wrong(":WHEN is missing"))?;
        let (name, attempts) = match place.rsplit_once('@').and_then(|(n, a)| Some((n, attempts(a)?))) {
            Some(both) => both,
            None => (place, (1, Some(1))),
        };
        let (system, operation) = name.split_once(':').ok_or_else(|| wrong("SYSTEM:ACTION is wanted"))?;
        if member::row(system).is_none() {
            return Err(wrong("no such system"));
        }
        let when = match when {
            "before" => When::Before,
            "after" => When::After,
            "answer" => When::Answer,
            _ => return Err(wrong("WHEN is before, after or answer")),
        };
        let kind = match kind {
            "401" | "403" | "404" | "429" | "500" | "503" => Kind::Status(kind.parse().unwrap_or(500)),
            "timeout" => Kind::Timeout,
            "reset" => Kind::Reset,
            "malformed" => Kind::Malformed,
            "empty" => Kind::Empty,
            "lost-answer" => Kind::LostAnswer,
            "hold" => Kind::Hold,
            _ => return Err(wrong("no such KIND")),
        };
        if when == When::Before && kind == Kind::LostAnswer {
            return Err(wrong("an answer is lost after the effect"));
        }
        if operation.is_empty() {
            return Err(wrong("ACTION is missing"));
        }
        Ok(Named {
            text: text.into(),
            place: name.into(),
            attempts,
            when,
            kind,
        })
    }

    /// The system and the manner, where it is one.
    pub fn manner(&self) -> Option<(&str, &'static str)> {
        match self.kind {
            Kind::Manner(word) => Some((&self.place, word)),
            _ => None,
        }
    }

    pub fn fits(&self, system: &str, operation: Option<&str>) -> bool {
        let Some(operation) = operation else { return false };
        let action = operation.split(':').next().unwrap_or_default();
        let rest = self.place.strip_prefix(system).and_then(|r| r.strip_prefix(':'));
        rest.is_some_and(|wanted| wild(wanted, operation) || wild(wanted, action))
    }

    pub fn fate(&self, seen: &Seen<'_>) -> Fate {
        let before = self.when == When::Before;
        let end = match self.kind {
            Kind::Status(status) => End::Instead(seen.refusal(status)),
            Kind::Timeout => End::Silence,
            Kind::Reset | Kind::LostAnswer => End::Lost,
            Kind::Malformed => End::Malformed,
            Kind::Empty => End::Empty,
            Kind::Hold | Kind::Manner(_) => End::Answer,
        };
        let hold = (self.kind == Kind::Hold).then(|| (self.text.trim_end_matches("=hold").to_owned(), before));
        Fate {
            undone: before && hold.is_none(),
            end,
            hold,
            ..Fate::default()
        }
    }
}

/// `SYSTEM:MANNER`
fn manner(text: &str) -> Option<Named> {
    let (system, word) = text.rsplit_once(':')?;
    let known = member::row(system)?.manners;
    let word = known.iter().find(|m| **m == word)?;
    Some(Named {
        text: text.into(),
        place: system.into(),
        attempts: (1, None),
        when: When::Before,
        kind: Kind::Manner(word),
    })
}

fn attempts(text: &str) -> Option<(u64, Option<u64>)> {
    match (text, text.strip_suffix('+')) {
        ("all", _) => Some((1, None)),
        (_, Some(from)) => Some((from.parse().ok().filter(|n| *n > 0)?, None)),
        _ => Some((text.parse().ok().filter(|n| *n > 0)?, Some(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_hits_its_operation_and_attempt() {
        for (text, operation, want) in [
            (
                "okta:remove-member:ROLE-ENG@1:after=reset",
                "remove-member:ROLE-ENG",
                true,
            ),
            (
                "okta:remove-member:ROLE-ENG@1:after=reset",
                "remove-member:ROLE-OPS",
                false,
            ),
            ("okta:remove-member:before=503", "remove-member:ROLE-OPS", true),
            ("okta:remove-*:before=503", "remove-member:ROLE-OPS", true),
            (
                "okta:suspend:a@acme.example@2+:before=503",
                "suspend:a@acme.example",
                true,
            ),
            ("slack:suspend:before=503", "suspend:a", false),
        ] {
            assert_eq!(
                Named::parse(text).unwrap().fits("okta", Some(operation)),
                want,
                "{text}"
            );
        }
        let read = |t: &str| Named::parse(t).unwrap().attempts;
        assert_eq!(read("okta:suspend@3:before=503"), (3, Some(1)));
        assert_eq!(read("okta:suspend@3+:before=503"), (3, None));
        assert_eq!(read("okta:suspend@all:before=503"), (1, None));
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        for (text, why) in [
            ("okta:suspend", "=KIND is missing"),
            ("okta:suspend=503", "SYSTEM:ACTION is wanted"),
            ("suspend:before=503", "SYSTEM:ACTION is wanted"),
            ("fax:suspend:before=503", "no such system"),
            ("okta:suspend:later=503", "WHEN is before, after or answer"),
            ("okta:suspend:before=418", "no such KIND"),
            ("okta:suspend:before=lost-answer", "an answer is lost after the effect"),
        ] {
            let said = Named::parse(text).err().unwrap_or_default();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn before_leaves_it_undone_and_after_does_not() {
        let now = chrono::DateTime::UNIX_EPOCH;
        let seen = Seen {
            system: "okta",
            method: "GET",
            path: "/",
            query: "",
            authorization: "",
            operation: None,
            now,
        };
        let fate = |t: &str| Named::parse(t).unwrap().fate(&seen);
        assert!(fate("okta:suspend:before=reset").undone && !fate("okta:suspend:after=reset").undone);
        let held = fate("okta:suspend@2:before=hold");
        assert_eq!(
            (held.undone, held.hold),
            (false, Some(("okta:suspend@2:before".into(), true)))
        );
        assert_eq!(
            fate("okta:suspend:after=hold").hold,
            Some(("okta:suspend:after".into(), false))
        );
    }
}
