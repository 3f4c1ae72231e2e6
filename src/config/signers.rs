//! `[approvals]`: who may approve, a file in the form of OpenSSH's allowed_signers.
//!
//! A line is understood whole or the file is refused. Principals are held against operators, so they are names: a pattern, or an authority
//! that certifies keys nobody listed, says of nobody who they are.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey};

use super::{ConfigError, Source, trust};

/// With it, what was held is applied only once somebody else has signed for it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// Who may approve, in the form of OpenSSH's allowed_signers. A relative path starts at this file's folder.
    pub signers: PathBuf,
}

impl Approvals {
    /// Read anew whenever a signature is looked at: whoever was taken out of it is out.
    pub fn read(&self, folder: &Path) -> Result<Signers, ConfigError> {
        let path = folder.join(&self.signers);
        trust::trusted(&path)?;
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Signers::parse(&name, text),
            Err(e) => Err(ConfigError::whole(name, format!("it can't be read: {e}"))),
        }
    }
}

/// One key, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// All of them are names of the key's owner.
    pub principals: Vec<String>,
    pub fingerprint: String,
    namespaces: Option<Vec<String>>,
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers(Vec<Signer>);

/// Why a key may not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    Key,
    Namespace,
    NotYet(DateTime<Utc>),
    Ended(DateTime<Utc>),
}

impl fmt::Display for Unlisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |t: &DateTime<Utc>| t.format("%Y-%m-%d %H:%M:%SZ").to_string();
        match self {
            Unlisted::Key => f.write_str("is not listed in [approvals] signers"),
            Unlisted::Namespace => f.write_str("is listed in [approvals] signers for other namespaces alone"),
            Unlisted::NotYet(t) => write!(f, "is listed in [approvals] signers from {} on", at(t)),
            Unlisted::Ended(t) => write!(f, "was listed in [approvals] signers until {}", at(t)),
        }
    }
}

impl Signers {
    /// The owner of the key, if it may sign in this namespace at this time.
    pub fn find(&self, fingerprint: &str, namespace: &str, at: DateTime<Utc>) -> Result<&Signer, Unlisted> {
        let signer = self
            .0
            .iter()
            .find(|s| s.fingerprint == fingerprint)
            .ok_or(Unlisted::Key)?;
        if signer
            .namespaces
            .as_ref()
            .is_some_and(|n| !n.iter().any(|n| n == namespace))
        {
            return Err(Unlisted::Namespace);
        }
        match (signer.after, signer.before) {
            (Some(after), _) if at < after => Err(Unlisted::NotYet(after)),
            (_, Some(before)) if at >= before => Err(Unlisted::Ended(before)),
            _ => Ok(signer),
        }
    }

    pub fn parse(path: &str, text: String) -> Result<Signers, ConfigError> {
        let source = Arc::new(Source {
            path: path.to_owned(),
            text,
        });
        let (mut all, mut keys) = (vec![], BTreeSet::new());
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let whole = start..start + line.trim_end().len();
            start += line.len();
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let signer = signer(line.trim()).and_then(|s| match keys.insert(s.fingerprint.clone()) {
                true => Ok(s),
                false => Err("this key stands in the file twice: whose it is must be one answer".into()),
            });
            all.push(signer.map_err(|why| ConfigError::at(&source, Some(whole), why))?);
        }
        Ok(Signers(all))
    }
}

/// `PRINCIPALS [OPTIONS] KEYTYPE KEY [COMMENT]`
fn signer(line: &str) -> Result<Signer, String> {
    let (names, rest) = word(line);
    let principals: Vec<String> = names.split(',').map(str::to_owned).collect();
    let odd = |c: char| matches!(c, '*' | '?' | '!' | '"') || c.is_control();
    if principals.iter().any(|p| p.is_empty() || p.contains(odd)) {
        return Err("a principal is a name here, such as dana or dana@acme.example, and no pattern".into());
    }
    let mut signer = Signer {
        principals,
        fingerprint: String::new(),
        namespaces: None,
        after: None,
        before: None,
    };
    let key = match PublicKey::from_openssh(rest) {
        Ok(key) => key,
        Err(_) => {
            let (options, rest) = word(rest);
            let unread = || "it is not PRINCIPALS [OPTIONS] KEYTYPE KEY, with a key that can be read".to_owned();
            if options
                .parse::<Algorithm>()
                .is_ok_and(|a| !matches!(a, Algorithm::Other(_)))
            {
                return Err(unread());
            }
            for option in split(options) {
                signer.option(option)?;
            }
            PublicKey::from_openssh(rest).map_err(|_| unread())?
        }
    };
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256
        | Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256 | EcdsaCurve::NistP384,
        } => {}
        other => return Err(format!("keys of type {other} can't be verified here; use ssh-ed25519")),
    }
    signer.fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    Ok(signer)
}

impl Signer {
    fn option(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        let twice = match name.to_ascii_lowercase().as_str() {
            "namespaces" => {
                let all: Vec<String> = value.split(',').map(str::to_owned).collect();
                if all.iter().any(|n| n.is_empty() || n.contains(['*', '?', '!'])) {
                    return Err("namespaces are written out here, such as jml-approve@v1".into());
                }
                self.namespaces.replace(all).is_some()
            }
            "valid-after" => self.after.replace(time(value)?).is_some(),
            "valid-before" => self.before.replace(time(value)?).is_some(),
            "cert-authority" => {
                return Err("cert-authority is not read: each key that may approve is listed itself".into());
            }
            _ => return Err(format!("the option \"{}\" is not known", name.escape_default())),
        };
        match twice {
            true => Err(format!("{name} stands there twice")),
            false => Ok(()),
        }
    }
}

/// The first word, in which quotes may hold spaces, and what comes after it.
fn word(text: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (word, rest.trim_start())
}

/// At commas outside of quotes.
fn split(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    options.split(move |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// `YYYYMMDD[HHMM[SS]]Z`. Without the Z it would be this host's zone, and two hosts may differ.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let form = || "a time is YYYYMMDD[HHMM[SS]]Z, in UTC, with the Z".to_owned();
    let digits = text.strip_suffix('Z').ok_or_else(form)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(form());
    }
    let time = match digits.len() {
        8 => NaiveDate::parse_from_str(digits, "%Y%m%d").map(|d| d.and_time(NaiveTime::MIN)),
        12 => NaiveDateTime::parse_from_str(&format!("{digits}00"), "%Y%m%d%H%M%S"),
        14 => NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S"),
        _ => return Err(form()),
    };
    time.map(|t| t.and_utc()).map_err(|_| form())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    const NAMESPACE: &str = "jml-approve@v1";

    fn of(text: &str) -> Result<Signers, ConfigError> {
        Signers::parse("signers", text.to_owned())
    }
    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_says_whose_key_it_is_and_for_what_and_when() {
        let options = "namespaces=\"git,jml-approve@v1\",valid-after=20260101Z,valid-before=\"202607010900Z\"";
        let signers = of(&format!(
            "# approvers\n\nerin@acme.example,erin {options} {KEY} erin's key\n"
        ))
        .unwrap();
        let key = signers.0[0].fingerprint.clone();
        assert!(key.starts_with("SHA256:"), "{key}");
        let find = |namespace, when| signers.find(&key, namespace, at(when));
        let erin = find(NAMESPACE, "2026-07-01T08:59:59Z").unwrap();
        assert_eq!(erin.principals, ["erin@acme.example", "erin"]);
        let (from, until) = (at("2026-01-01T00:00:00Z"), at("2026-07-01T09:00:00Z"));
        assert_eq!(find("file", "2026-03-01T00:00:00Z"), Err(Unlisted::Namespace));
        assert_eq!(find(NAMESPACE, "2025-12-31T23:59:59Z"), Err(Unlisted::NotYet(from)));
        assert_eq!(find(NAMESPACE, "2026-07-01T09:00:00Z"), Err(Unlisted::Ended(until)));
        let other = signers.find("SHA256:x", NAMESPACE, from);
        assert_eq!(other, Err(Unlisted::Key));
        // Without options: always, and for everything.
        let plain = of(&format!("erin {KEY}")).unwrap();
        assert!(plain.find(&key, NAMESPACE, from).is_ok());
    }

    #[test]
    fn what_is_not_understood_refuses_the_file() {
        let good = format!("dana {KEY}\n");
        for (line, why) in [
            (format!("*@acme.example {KEY}"), "no pattern"),
            (format!("!dana {KEY}"), "no pattern"),
            (format!("erin cert-authority {KEY}"), "cert-authority"),
            (format!("erin namespaces=\"jml-*\" {KEY}"), "written out"),
            (format!("erin valid-before=20260701 {KEY}"), "with the Z"),
            (format!("erin valid-after=20261301Z {KEY}"), "with the Z"),
            (format!("erin no-touch-required {KEY}"), "not known"),
            (
                format!("erin valid-after=20260101Z,valid-after=20260101Z {KEY}"),
                "twice",
            ),
            ("erin ssh-ed25519 AAAA".into(), "can be read"),
            (format!("erin {KEY}"), "twice"),
        ] {
            let e = of(&format!("{good}{line}\n")).unwrap_err();
            assert!(e.message().contains(why), "{line}: {}", e.message());
            assert_eq!(e.place().map(|p| p.0), Some(2), "{line}");
        }
    }
}
