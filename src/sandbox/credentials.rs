//! The tokens of a start: made anew each time, in the vendors' own forms.

use super::{Error, TWINS, files, world::Credential};

/// Three a system, and the second half of those whose record has two.
pub fn made() -> Result<Vec<Credential>, Error> {
    let mut out = Vec::new();
    for twin in TWINS {
        for right in ["read", "write", "all"] {
            let secret = match twin.name {
                "okta" => format!("00{}", files::secret(40).map_err(Error::Io)?),
                "slack" => format!(
                    "{}-{}",
                    if right == "all" { "xoxp" } else { "xoxb" },
                    files::secret(48).map_err(Error::Io)?
                ),
                "datadog" => hex(32)?,
                _ => files::secret(86).map_err(Error::Io)?,
            };
            out.push(Credential {
                system: twin.name,
                name: format!("{}.{right}", twin.name),
                secret,
                write: right != "read",
            });
        }
    }
    let admin = format!("xoxp-{}", files::secret(48).map_err(Error::Io)?);
    out.push(Credential {
        system: "slack",
        name: "slack.admin".into(),
        secret: admin,
        write: true,
    });
    out.push(Credential {
        system: "datadog",
        name: "datadog.app".into(),
        secret: hex(40)?,
        write: true,
    });
    Ok(out)
}

fn hex(length: usize) -> Result<String, Error> {
    let bytes = files::secret(length).map_err(Error::Io)?;
    Ok(bytes
        .bytes()
        .map(|b| char::from_digit(u32::from(b % 16), 16).unwrap_or('0'))
        .collect())
}
