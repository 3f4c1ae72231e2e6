//! The tokens of a start: made anew each time, in the vendors' own forms.

use serde_json::Value;

use super::{Error, files, member, world::Credential};

/// Three a system, and what else its row names.
pub fn made(given: &Value) -> Result<Vec<Credential>, Error> {
    let mut out = Vec::new();
    for member in member::named(given) {
        let twin = member.twin;
        for right in ["read", "write", "all"].iter().chain(twin.more) {
            let random = files::secret(128).map_err(Error::Io)?;
            out.push(Credential {
                system: twin.name,
                name: format!("{}.{right}", member.name),
                secret: (twin.secret)(right, &random),
                write: *right != "read",
            });
        }
    }
    Ok(out)
}

/// Random letters as hexadecimal digits.
pub fn hex(random: &str, length: usize) -> String {
    random
        .bytes()
        .take(length)
        .map(|b| char::from_digit(u32::from(b % 16), 16).unwrap_or('0'))
        .collect()
}
