//! What went wrong at Vault, in words that say what to do. Vault itself often doesn't say which of several things it was.

use serde_json::Value;

use super::ask::Trouble;
use crate::{
    http::Lost,
    model::{Failure, Kind},
};

/// Of a login, a renewal, an unwrapping: `what` says which.
pub(super) fn session(what: String, trouble: Trouble) -> Failure {
    let Trouble::Refused { code, words, body } = trouble else {
        return nowhere(what, trouble);
    };
    let said = words.join("; ");
    let refused = |summary: &str| Failure::new(Kind::Auth, what.clone(), summary).code(code.to_string());
    if said.contains("source address") && said.contains("CIDR") {
        // What Go prints where there is nothing to print is no word of Vault's.
        let said = said.replace(": %!w(<nil>)", "");
        return refused(&said).hint("The address in it is the one that Vault sees of this host: allow it on the role, or run where it is allowed.");
    }
    match (code, said.as_str()) {
        (400, "invalid role or secret ID") => refused(&said).hint(
            "Vault never says which: the secret_id may be wrong, expired, used up or destroyed, or the role_id unknown. Issue a new secret_id.",
        ),
        (400, said) if said.contains("wrapping token") => refused(said).hint(
            "Used or expired. If nobody here used it, somebody else has unwrapped it: destroy that secret_id, issue a new one, and look into it.",
        ),
        (400, _) => refused(&said),
        (500, "missing role_id") => refused(&said).hint("The file of role_id gave nothing."),
        (403, _) => refused(&said).hint("Is [systems.vault] auth the mount of AppRole, and the namespace right?"),
        (404, said) if said.contains("namespace") => refused(said).hint("[systems.vault] namespace names none there."),
        _ => standing(what, code, said, body.as_ref()),
    }
}

/// Of reading a secret at `path` of the mount.
pub(super) fn secret(what: String, mount: &str, path: &str, two: bool, trouble: Trouble) -> Failure {
    let Trouble::Refused { code, words, body } = trouble else {
        return nowhere(what, trouble);
    };
    let said = words.join("; ");
    let refused = |summary: String| Failure::new(Kind::Auth, what.clone(), summary).code(code.to_string());
    let data = if two { "data/" } else { "" };
    match code {
        403 if said == "permission denied" => {
            refused(said).hint("The token is not accepted: revoked, expired, or bound to other addresses than this host's.")
        }
        403 => refused(said).hint(format!(
            "The role's policy gives no read on {mount}/{data}{path}, or nothing is mounted there: Vault doesn't say which."
        )),
        404 => match body.as_ref().map(|b| &b["data"]["metadata"]) {
            Some(m) if m["destroyed"] == true => refused(format!("version {} was destroyed", m["version"])),
            Some(m) if m["deletion_time"].as_str().is_some_and(|t| !t.is_empty()) => {
                refused(format!("version {}, the latest, is deleted", m["version"]))
                    .hint("Undelete it, or write a new version.")
            }
            Some(_) => refused("the engine there keeps versions, and [systems.vault] kv = 1 says that it doesn't".into()),
            None if said.is_empty() => refused("there is no such secret".into()).hint(if two {
                "Is the path right? On an engine of version 1 it is the same answer: then [systems.vault] kv = 1."
            } else {
                "Is the path right?"
            }),
            None => refused(said).hint("Is the mount right, and the namespace?"),
        },
        _ => standing(what, code, said, body.as_ref()),
    }
}

/// The server's state, whatever was asked.
fn standing(what: String, code: u16, said: String, body: Option<&Value>) -> Failure {
    let passing = |summary: String| Failure::transient(what.clone(), summary).code(code.to_string());
    match code {
        503 if said.contains("sealed") || body.is_some_and(|b| b["sealed"] == true) => {
            passing("Vault is sealed".into()).hint("Its operators have to unseal it; nothing was begun.")
        }
        501 => passing("Vault is not initialised".into()).hint("Is this the right address?"),
        472 => passing("this node is a disaster-recovery secondary".into())
            .hint("Name an active cluster in [systems.vault] url."),
        429 => Failure::new(
            Kind::Throttled,
            what,
            if said.is_empty() { "rate limit".into() } else { said },
        )
        .code("429")
        .hint("A quota of Vault's: try again later, or have it raised."),
        412 => passing("the node lags behind the one that was asked before".into()),
        500..=599 => passing(if said.is_empty() { "Vault fails".into() } else { said }),
        _ => {
            Failure::permanent(what, if said.is_empty() { "Vault refuses".into() } else { said }).code(code.to_string())
        }
    }
}

fn nowhere(what: String, trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Lost(Lost::Elsewhere { at, wanted }) => {
            Failure::transient(what, format!("the node at {at} is a standby, the active one is {wanted}"))
                .code("307")
                .hint(format!("It was not followed: if it is yours, list it in [systems.vault] addresses = [\"{wanted}\"]."))
        }
        Trouble::Lost(Lost::NeverSent(why)) if why.contains("UnknownIssuer") => Failure::transient(what, why)
            .hint("Vault's certificate is signed by an authority that this host doesn't know: [systems.vault] ca = \"FILE.pem\"."),
        Trouble::Lost(Lost::NeverSent(why)) => {
            Failure::transient(what, why).hint("Is [systems.vault] url right, and may this host reach it?")
        }
        Trouble::Lost(Lost::TimedOut) => Failure::transient(what, "no answer in time"),
        Trouble::Lost(Lost::Cut(why)) => Failure::transient(what, why),
        Trouble::Unmade(why) => Failure::new(Kind::Auth, what, why),
        Trouble::Nonsense => Failure::transient(what, "the answer is not one of Vault's")
            .hint("Does a proxy or a login page answer at that address?"),
        Trouble::Refused { code, .. } => Failure::transient(what, "Vault refuses").code(code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(code: u16, words: &[&str], body: Option<Value>) -> Trouble {
        Trouble::Refused {
            code,
            words: words.iter().map(|w| (*w).to_owned()).collect(),
            body,
        }
    }

    #[test]
    fn each_answer_says_what_to_do() {
        let of = |t| {
            let f = session("log in".into(), t);
            (f.kind, format!("{f} {}", f.hint.as_ref().map_or("", |h| &h.text)))
        };
        for (trouble, kind, said) in [
            (
                refused(400, &["invalid role or secret ID"], None),
                Kind::Auth,
                "never says which",
            ),
            (
                refused(400, &["wrapping token is not valid or does not exist"], None),
                Kind::Auth,
                "somebody else",
            ),
            (
                refused(
                    400,
                    &["source address \"10.1.2.3\" unauthorized by CIDR restrictions on the role: %!w(<nil>)"],
                    None,
                ),
                Kind::Auth,
                "\"10.1.2.3\" unauthorized by CIDR restrictions on the role The",
            ),
            (refused(503, &["Vault is sealed"], None), Kind::Transient, "unseal"),
            (refused(429, &[], None), Kind::Throttled, "quota"),
            (
                Trouble::Lost(Lost::Elsewhere {
                    at: "http://127.0.0.1:1".into(),
                    wanted: "http://127.0.0.1:2".into(),
                }),
                Kind::Transient,
                "addresses = [\"http://127.0.0.1:2\"]",
            ),
        ] {
            let (k, text) = of(trouble);
            assert!(k == kind && text.contains(said), "{said}: {k:?} {text}");
        }
    }

    #[test]
    fn three_kinds_of_404_are_told_apart() {
        let of = |body| {
            let f = secret("read it".into(), "jml", "prod/x", true, refused(404, &[], body));
            format!("{f} {}", f.hint.as_ref().map_or("", |h| &h.text))
        };
        let metadata = |deleted: &str, destroyed: bool| {
            Some(
                json!({"data": {"data": null, "metadata": {"deletion_time": deleted, "destroyed": destroyed, "version": 2}}}),
            )
        };
        assert!(of(None).contains("no such secret"));
        assert!(of(metadata("2026-11-25T00:00:00Z", false)).contains("version 2, the latest, is deleted"));
        assert!(of(metadata("", true)).contains("version 2 was destroyed"));
    }
}
