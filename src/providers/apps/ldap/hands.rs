//! What can be done to an account: one effect, one modify, told by the entry's id and read at the same server.

use aws_lc_rs::rand;
use ldap3::LdapResult;

use super::{
    Settings,
    directory::{Change, Reader, Writer},
    fault::{Did, refused},
    profile::{Lock, Profile},
    value::{Entry, Guid},
};
use crate::{
    model::{Action, Failure, Held, Receipt},
    providers::{Perform, Task},
};

pub struct Hands {
    writer: Writer,
    profile: &'static Profile,
    base: String,
    groups: String,
}

impl Hands {
    pub(super) fn new(writer: Writer, s: &Settings) -> Self {
        Hands {
            writer,
            profile: s.profile.profile(),
            base: s.base.clone(),
            groups: s.groups.clone().unwrap_or_else(|| s.base.clone()),
        }
    }

    fn reader(&self) -> &Reader {
        self.writer.reader()
    }

    async fn entry(&self, id: &str, base: &str, what: &str, more: &[&str]) -> Result<Entry, Failure> {
        let nobody = || Failure::permanent(what, "there is no such entry").code("32");
        let filter = self.profile.by_id(id).ok_or_else(nobody)?;
        let mut names = self.profile.names();
        names.extend(more);
        let found = self.reader().find(what, base, &filter, &names).await?;
        found.into_iter().next().ok_or_else(nobody)
    }

    async fn change(&self, task: Task<'_>, what: &str, on: &Entry, all: &[Change]) -> Result<LdapResult, Failure> {
        let repeat = task.effect.action.repeat();
        self.writer.modify(what, &self.target(on), all, repeat).await
    }

    /// What is changed: by its id, where the server takes one in place of a name.
    fn target(&self, entry: &Entry) -> String {
        let guid = self.profile.guid.then(|| entry.bytes(self.profile.id)).flatten();
        guid.and_then(|b| Guid::of(&b))
            .map_or_else(|| entry.dn().to_owned(), |g| g.dn())
    }

    async fn receipt(&self) -> Receipt {
        Receipt {
            request: self.reader().server().await.map(|host| format!("at {host}")),
            ..Receipt::default()
        }
    }

    /// Shuts or opens. Every other bit stays as it is at this moment.
    async fn lock(&self, task: Task<'_>, shut: bool) -> Result<Receipt, Failure> {
        let what = format!(
            "{} {} in {}",
            task.effect.action.name(),
            account(task)?,
            self.reader().system()
        );
        let entry = self.entry(account(task)?, &self.base, &what, &[]).await?;
        let receipt = self.receipt().await;
        if self.profile.disabled(&entry) == Some(shut) {
            return Ok(Receipt {
                already: true,
                ..receipt
            });
        }
        let change = match self.profile.lock {
            Lock::Bit => {
                let flags = entry
                    .number("userAccountControl")
                    .ok_or_else(|| Failure::contradiction(&what, "the entry shows no userAccountControl"))?;
                let flags = if shut { flags | 2 } else { flags & !2 };
                Change::Replace("userAccountControl", flags.to_string().into_bytes())
            }
            Lock::Value { attribute, value, .. } if shut => Change::Replace(attribute, value.as_bytes().to_vec()),
            Lock::Value { attribute, .. } => Change::Clear(attribute),
        };
        let result = self.change(task, &what, &entry, &[change]).await?;
        done(&result, receipt, &what)
    }

    /// Apart from the lock: a password that policy refuses must not undo it.
    async fn reset(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        let what = format!(
            "set a new password for {} in {}",
            account(task)?,
            self.reader().system()
        );
        let entry = self.entry(account(task)?, &self.base, &what, &[]).await?;
        let receipt = self.receipt().await;
        let mut result = self.set_password(task, &entry, &what).await?;
        if result.rc == 19 {
            result = self.set_password(task, &entry, &what).await?; // by chance it held a name, or was the last one
        }
        done(&result, receipt, &what)
    }

    async fn set_password(&self, task: Task<'_>, entry: &Entry, what: &str) -> Result<LdapResult, Failure> {
        let value = nobodys(self.profile.quoted).ok_or_else(|| Failure::transient(what, "no random bytes"))?;
        let changes = password(self.profile, self.profile.disabled(entry) == Some(true), value);
        self.change(task, what, entry, &changes).await
    }

    /// The group is what changes. What it answers to a member who is there, or isn't, differs by server and release: a fresh read decides.
    async fn member(&self, task: Task<'_>, group: &Held, wanted: bool) -> Result<Receipt, Failure> {
        let id = account(task)?;
        let (verb, to) = if wanted { ("put", "into") } else { ("take", "out of") };
        let what = format!("{verb} {id} {to} {} in {}", group.name, self.reader().system());
        let person = self.entry(id, &self.base, &what, &[]).await?;
        let found = self.entry(&group.id, &self.groups, &what, &["cn"]).await?;
        let receipt = self.receipt().await;
        let (attribute, value) = match group.via.as_deref() {
            Some("memberUid") => ("memberUid", person.text("uid").unwrap_or_default().to_owned()),
            Some(_) | None => ("member", person.dn().to_owned()),
        };
        let bytes = value.clone().into_bytes();
        let change = if wanted {
            Change::Add(attribute, bytes)
        } else {
            Change::Delete(attribute, bytes)
        };
        let result = self.change(task, &what, &found, &[change]).await?;
        if !matches!(result.rc, 16 | 20 | 53 | 68) {
            return done(&result, receipt, &what);
        }
        let filter = self.profile.by_id(&group.id).unwrap_or_default();
        let filter = format!("(&{filter}({attribute}={}))", super::value::escaped(value.as_bytes()));
        let now = self
            .reader()
            .find(&what, &self.groups, &filter, &[self.profile.id])
            .await?;
        if now.is_empty() == wanted {
            return Err(refused(Did::Modify, &result, &what));
        }
        Ok(Receipt {
            already: true,
            ..receipt
        })
    }
}

/// OpenLDAP takes the lock off with every new password, but for one that this modify deletes and adds: a replacement won't do.
fn password(profile: &Profile, shut: bool, new: Vec<u8>) -> Vec<Change> {
    let mut changes = vec![];
    if let Lock::Value {
        attribute,
        value,
        lost_by_password: true,
    } = profile.lock
        && shut
    {
        changes.push(Change::Delete(attribute, value.as_bytes().to_vec()));
        changes.push(Change::Add(attribute, value.as_bytes().to_vec()));
    }
    changes.push(Change::Replace(profile.password, new));
    changes
}

fn done(result: &LdapResult, receipt: Receipt, what: &str) -> Result<Receipt, Failure> {
    match result.rc {
        0 => Ok(receipt),
        _ => Err(refused(Did::Modify, result, what)),
    }
}

fn account<'a>(task: Task<'a>) -> Result<&'a str, Failure> {
    match task.effect.account.as_str() {
        "" => Err(Failure::permanent(
            task.effect.action.name(),
            "the account isn't known yet",
        )),
        id => Ok(id),
    }
}

/// Digits and punctuation but for quotes and backslashes, behind two letters: three classes, and no name in it by chance.
const LETTERS: &[u8; 32] = b"0123456789!#$%&*+-./:;<=>?@^_~|,";

fn nobodys(quoted: bool) -> Option<Vec<u8>> {
    let mut random = [0u8; 40];
    rand::fill(&mut random).ok()?;
    let letters = random.map(|b| LETTERS[usize::from(b % 32)]);
    let password = [b"Qz".as_slice(), &letters].concat();
    if !quoted {
        return Some(password);
    }
    let wide = [b"\"".as_slice(), &password, b"\""].concat();
    Some(wide.into_iter().flat_map(|b| [b, 0]).collect())
}

impl Perform for Hands {
    async fn perform(&self, task: Task<'_>) -> Result<Receipt, Failure> {
        match &task.effect.action {
            Action::Suspend => self.lock(task, true).await,
            Action::Activate => self.lock(task, false).await,
            Action::ResetPassword { .. } => self.reset(task).await,
            Action::RemoveMember { group } => self.member(task, group, false).await,
            Action::AddMember { group } => self.member(task, group, true).await,
            other => Err(Failure::cannot(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::profile::{AD, OPENLDAP},
        *,
    };

    fn told(changes: &[Change]) -> Vec<String> {
        let one = |c: &Change| match c {
            Change::Add(name, _) => format!("add {name}"),
            Change::Delete(name, _) => format!("delete {name}"),
            Change::Replace(name, _) => format!("replace {name}"),
            Change::Clear(name) => format!("clear {name}"),
        };
        changes.iter().map(one).collect()
    }

    #[test]
    fn a_lock_outlives_a_new_password() {
        let lock = ["delete pwdAccountLockedTime", "add pwdAccountLockedTime"];
        assert_eq!(
            told(&password(&OPENLDAP, true, vec![])),
            [lock[0], lock[1], "replace userPassword"]
        );
        assert_eq!(told(&password(&OPENLDAP, false, vec![])), ["replace userPassword"]);
        assert_eq!(told(&password(&AD, true, vec![])), ["replace unicodePwd"]);
    }
}
