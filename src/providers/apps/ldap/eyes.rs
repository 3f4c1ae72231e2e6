//! What can be seen of an account: whose it is, what shuts it, what it holds.
//!
//! An attribute that the reader may not see matches nothing, without an error. So "nobody" is believed only once somebody was found by
//! the same attribute, and whoever is found must show the attribute that found them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::try_join_all;

use super::{
    Find, Settings, VERBS,
    directory::Reader,
    few::{only, shared},
    profile::{Kind, Lock, Profile},
    value::{Entry, Guid, escaped, escaped_raw, filetime, leaf, sibling, sid, under},
};
use crate::{
    http::sentence,
    model::{Account, Failure, Held, Holding, Observed, Person, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

/// A rule of Active Directory that follows memberships to any depth.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";
/// What a domain controller says of itself when it takes no writes.
const READ_ONLY: &str = "1.2.840.113556.1.4.1920";

pub struct Eyes {
    main: Reader,
    /// Must show the same.
    others: Vec<Reader>,
    profile: &'static Profile,
    base: String,
    groups: String,
    domain: Option<String>,
    find: Vec<Find>,
    canary: Option<String>,
    /// By which attributes a known account was found.
    believed: Mutex<BTreeSet<String>>,
}

impl Profile {
    /// The id of an entry, as the ledger keeps it.
    pub fn id_of(&self, entry: &Entry) -> Option<String> {
        if self.guid {
            return Guid::of(&entry.bytes(self.id)?).map(|g| g.to_string());
        }
        entry.text(self.id).map(str::to_owned)
    }
    /// Finds the one entry of that id; `None`: it is no id of this directory's.
    pub fn by_id(&self, id: &str) -> Option<String> {
        let value = match self.guid {
            true => Guid::parse(id)?.filter(),
            false if id.is_empty() => return None,
            false => escaped(id.as_bytes()),
        };
        Some(format!("({}={value})", self.id))
    }
    pub fn disabled(&self, entry: &Entry) -> Option<bool> {
        match self.lock {
            Lock::Bit => Some(entry.number("userAccountControl")? & 2 != 0),
            Lock::Value { attribute, value, .. } => {
                Some(entry.text(attribute).is_some_and(|v| v.eq_ignore_ascii_case(value)))
            }
        }
    }
    /// Everything that is asked of a person.
    pub fn names(&self) -> Vec<&'static str> {
        let lock = match self.lock {
            Lock::Bit => None,
            Lock::Value { attribute, .. } => Some(attribute),
        };
        let own = [self.id, self.login, self.password_set, "cn", "displayName"];
        own.into_iter().chain(lock).chain(self.more.iter().copied()).collect()
    }
}

impl Eyes {
    pub(super) fn new(main: Reader, others: Vec<Reader>, s: Settings) -> Self {
        Eyes {
            main,
            others,
            profile: s.profile.profile(),
            groups: s.groups.clone().unwrap_or_else(|| s.base.clone()),
            find: s.find(),
            base: s.base,
            domain: s.domain,
            canary: s.canary,
            believed: Mutex::default(),
        }
    }

    fn names(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.profile.names();
        all.extend(self.find.iter().map(|f| f.attribute.as_str()));
        all
    }

    fn person(&self, of: &str) -> String {
        format!("(&{}{of})", self.profile.person)
    }

    async fn by_id(&self, id: &str) -> Result<Option<Entry>, Failure> {
        let Some(filter) = self.profile.by_id(id) else {
            return Ok(None);
        };
        let what = format!("read the account {id} in {}", self.main.system());
        let found = self
            .main
            .find(&what, &self.base, &self.person(&filter), &self.names())
            .await?;
        only(found, &what)
    }

    async fn by(&self, attribute: &str, value: &str) -> Result<Option<Entry>, Failure> {
        let what = format!("find {} by {attribute} in {}", sentence(value), self.main.system());
        let filter = self.person(&format!("({attribute}={})", escaped(value.as_bytes())));
        let found = self.main.find(&what, &self.base, &filter, &self.names()).await?;
        let one = only(found, &what)?;
        match &one {
            Some(entry) if !entry.has(attribute) => Err(Failure::contradiction(
                &what,
                format!("an entry was found by {attribute} and doesn't show it"),
            )
            .hint(format!("let jml's account read {attribute} of everybody"))),
            Some(_) | None => Ok(one),
        }
    }

    /// The surest name first; one that finds nobody passes on to the next.
    async fn locate(&self, who: Known<'_>) -> Result<Option<Entry>, Failure> {
        let known = who.handles;
        let imported = known
            .external_id
            .as_deref()
            .and_then(Guid::imported)
            .map(|g| g.to_string());
        for id in known
            .account
            .iter()
            .chain(imported.iter().filter(|_| self.profile.guid))
        {
            if let Some(entry) = self.by_id(id).await? {
                return Ok(Some(entry));
            }
        }
        let mut tried = Vec::new();
        for find in &self.find {
            let Some(value) = value(who.person, &find.from) else {
                continue;
            };
            if let Some(entry) = self.by(&find.attribute, &value).await? {
                return Ok(Some(entry));
            }
            tried.push(find);
        }
        let what = format!("find the account of {} in {}", who.person.login, self.main.system());
        if tried.is_empty() {
            return Err(
                Failure::contradiction(&what, "the directory knows none of the values that it is found by")
                    .hint("fill one of the attributes that find names, or link the account: jml link"),
            );
        }
        for find in &tried {
            self.believe(&find.attribute).await?;
        }
        if known.assigned {
            return Err(
                Failure::contradiction(&what, "Okta says that one is assigned, and none is found here")
                    .hint("say which account is theirs, or that they have none: jml link"),
            );
        }
        Ok(None)
    }

    /// Finds an account that is surely there by the attribute that just found none.
    async fn believe(&self, attribute: &str) -> Result<(), Failure> {
        if let Ok(believed) = self.believed.lock()
            && believed.contains(attribute)
        {
            return Ok(());
        }
        let what = format!("find a known account by {attribute} in {}", self.main.system());
        let blind = |why: &str| {
            Failure::contradiction(&what, why)
                .hint(format!("let jml's account read {attribute}, or leave it out of find"))
        };
        let known = match &self.canary {
            Some(id) => self.by_id(id).await?,
            None => {
                let anybody = self.person(&format!("({attribute}=*)"));
                self.main.any(&what, &self.base, &anybody, &self.names()).await?
            }
        };
        let Some(known) = known else {
            return Err(blind("nobody shows this attribute: that it finds none proves nothing"));
        };
        let value = known
            .text(attribute)
            .ok_or_else(|| blind("the known account doesn't show this attribute"))?;
        // It may be somebody's namesake: that one is found at all is enough.
        let filter = self.person(&format!("({attribute}={})", escaped(value.as_bytes())));
        let again = self.main.find(&what, &self.base, &filter, &[self.profile.id]).await?;
        let same = |e: &Entry| self.profile.id_of(e).is_some() && self.profile.id_of(e) == self.profile.id_of(&known);
        if !again.iter().any(same) {
            return Err(blind(
                "a known account isn't found by it either: that none was found proves nothing",
            ));
        }
        if let Ok(mut believed) = self.believed.lock() {
            believed.insert(attribute.to_owned());
        }
        Ok(())
    }

    fn account(&self, entry: &Entry, what: &str) -> Result<Account, Failure> {
        let unread = |name: &str| {
            Failure::contradiction(what, format!("the entry shows no {name}"))
                .hint(format!("let jml's account read {name} of everybody"))
        };
        let profile = self.profile;
        let id = profile.id_of(entry).ok_or_else(|| unread(profile.id))?;
        let login = entry.text(profile.login).ok_or_else(|| unread(profile.login))?;
        let disabled = profile.disabled(entry).ok_or_else(|| unread("userAccountControl"))?;
        let state = if disabled { State::Suspended } else { State::Active };
        let names = self
            .find
            .iter()
            .map(|f| f.attribute.as_str())
            .chain(["mail", "userPrincipalName"]);
        let protected = entry.number("adminCount") == Some(1) && !disabled;
        Ok(Account {
            blocked: protected
                .then(|| "protected by the domain (adminCount 1): a domain administrator has to disable it".into()),
            known_as: names.flat_map(|n| entry.all(n)).map(sentence).collect(),
            password_set: entry.text(profile.password_set).map(sentence),
            ..Account::new(id, sentence(login), state, word(entry, disabled))
        })
    }

    /// Direct groups as groups tell them: `memberOf` is cut at some number, and leaves out what isn't in this domain.
    async fn groups(&self, entry: &Entry) -> Result<BTreeSet<Held>, Failure> {
        let what = format!(
            "read the groups of {} in {}",
            sentence(&leaf(entry.dn())),
            self.main.system()
        );
        let dn = escaped(entry.dn().as_bytes());
        let mut of = format!("(member={dn})");
        if self.profile.kind == Kind::OpenLdap
            && let Some(login) = entry.text("uid")
        {
            of = format!("(|{of}(memberUid={}))", escaped(login.as_bytes()));
        }
        let filter = format!("(&{}{of})", self.profile.group);
        let names = [self.profile.id, "cn", "objectClass"];
        let found = self.main.every(&what, &self.root(), &filter, &names).await?;
        let mut all = BTreeSet::new();
        for group in &found {
            let held = self.group(group, &what)?;
            all.insert(match under(group.dn(), &self.groups) {
                true => held,
                false => held.with("stays", format!("it is outside of {}", self.groups)),
            });
        }
        let seen: BTreeSet<String> = found.iter().map(|g| g.dn().to_lowercase()).collect();
        // What the account names and no group shows: in another domain, or hidden from the reader.
        for dn in entry
            .all("memberOf")
            .into_iter()
            .filter(|dn| !seen.contains(&dn.to_lowercase()))
        {
            if !entry.in_part("memberOf") && self.profile.kind != Kind::FreeIpa {
                all.insert(Held::new(Holding::Group, dn, leaf(dn)).with("stays", "its own entry can't be read here"));
            }
        }
        all.extend(self.primary(entry).await?);
        Ok(all)
    }

    fn group(&self, group: &Entry, what: &str) -> Result<Held, Failure> {
        let id = self
            .profile
            .id_of(group)
            .ok_or_else(|| Failure::contradiction(what, format!("a group shows no {}", self.profile.id)))?;
        let name = group.text("cn").map_or_else(|| leaf(group.dn()), str::to_owned);
        let held = Held::new(Holding::Group, id, sentence(&name));
        let by_login = group
            .all("objectClass")
            .iter()
            .any(|c| c.eq_ignore_ascii_case("posixGroup"));
        Ok(match by_login {
            true => Held {
                via: Some("memberUid".into()),
                ..held
            },
            false => held,
        })
    }

    /// Not among the members, and nobody can be taken out of it.
    async fn primary(&self, entry: &Entry) -> Result<Option<Held>, Failure> {
        let (Some(rid), Some(sid)) = (entry.number("primaryGroupID"), entry.bytes("objectSid")) else {
            return Ok(None);
        };
        let what = format!("read the primary group of {}", sentence(&leaf(entry.dn())));
        let Some(sid) = u32::try_from(rid).ok().and_then(|rid| sibling(&sid, rid)) else {
            return Ok(None);
        };
        let filter = format!("(objectSid={})", escaped_raw(&sid));
        let found = self
            .main
            .find(&what, &self.root(), &filter, &[self.profile.id, "cn"])
            .await?;
        let held = match found.first() {
            Some(group) => self.group(group, &what)?,
            None => Held::new(
                Holding::Group,
                format!("primary group {rid}"),
                format!("primary group {rid}"),
            ),
        };
        Ok(Some(held.with("stays", "nobody can leave their primary group")))
    }

    /// What would stop, be left without an owner, or go unseen.
    async fn owned(&self, entry: &Entry) -> Result<BTreeSet<Held>, Failure> {
        let mut all = BTreeSet::new();
        for service in entry.all("servicePrincipalName") {
            let name = format!("the service {} that runs as this account", sentence(service));
            all.insert(Held::new(Holding::Owned, sentence(service), name));
        }
        for dn in entry.all("managedObjects") {
            all.insert(Held::new(
                Holding::Owned,
                sentence(dn),
                format!("{}, managed by them", sentence(&leaf(dn))),
            ));
        }
        if self.profile.chain {
            let what = format!("read the nested groups of {}", sentence(&leaf(entry.dn())));
            let dn = escaped(entry.dn().as_bytes());
            let filter = format!("(&{}(member:{IN_CHAIN}:={dn})(!(member={dn})))", self.profile.group);
            // It can be slow, and nothing hangs on it.
            let found = self
                .main
                .find(&what, &self.groups, &filter, &[self.profile.id, "cn"])
                .await;
            for group in found.iter().flatten() {
                let held = self.group(group, &what)?;
                let name = format!("the nested membership of {}", held.name);
                all.insert(Held::new(Holding::Owned, held.id, name));
            }
        }
        Ok(all)
    }

    /// Of the whole tree: a group may stand beside the people.
    fn root(&self) -> String {
        let at = self
            .base
            .to_lowercase()
            .find("dc=")
            .filter(|_| self.profile.kind == Kind::Ad);
        at.and_then(|at| self.base.get(at..))
            .map_or_else(|| shared(&self.base, &self.groups), str::to_owned)
    }

    /// As other servers show it, the least shut of all counts.
    async fn compare(&self, account: &mut Account) -> Result<(), Failure> {
        let Some(filter) = self.profile.by_id(&account.id) else {
            return Ok(());
        };
        let filter = self.person(&filter);
        let what = format!("read {} on the other servers", account.login);
        let names = self.profile.names();
        let reads = self
            .others
            .iter()
            .map(|other| other.find(&what, &self.base, &filter, &names));
        for found in try_join_all(reads).await? {
            let Some(entry) = found.first() else {
                account.state = State::Active;
                account.word = format!("{}; not on every server yet", account.word);
                continue;
            };
            if account.state == State::Suspended && self.profile.disabled(entry) != Some(true) {
                account.state = State::Active;
                account.word = "disabled, but not on every server yet".into();
            }
        }
        Ok(())
    }
}

fn word(entry: &Entry, disabled: bool) -> String {
    let computed = entry.number("msDS-User-Account-Control-Computed").unwrap_or(0);
    let ends = entry.number("accountExpires").and_then(filetime);
    match (disabled, computed & 16 != 0, ends) {
        (true, _, _) => "disabled".into(),
        (false, true, _) => "enabled, locked out for now".into(),
        (false, false, Some(at)) => match chrono::DateTime::from_timestamp(at, 0) {
            Some(at) => format!("enabled, with an end: {}", at.format("%Y-%m-%d")),
            None => "enabled".into(),
        },
        (false, false, None) => "enabled".into(),
    }
}

fn value(person: &Person, from: &str) -> Option<String> {
    let text = match from {
        "login" => person.login.clone(),
        "email" => person.email.clone(),
        "local part of login" => person.login.split('@').next()?.to_owned(),
        other => person.profile.get(other)?.to_string(),
    };
    Some(text).filter(|t| !t.trim().is_empty())
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        VERBS.iter().copied().collect()
    }

    /// Readable by everybody who has bound; the domain's SID is its identity.
    async fn pinned(&self) -> Result<(), Failure> {
        let what = format!("ask {} which directory it is", self.main.system());
        let names = [
            "defaultNamingContext",
            "namingContexts",
            "supportedCapabilities",
            "dnsHostName",
        ];
        let root = self.main.base(&what, "", &names).await?;
        let root = root.ok_or_else(|| Failure::contradiction(&what, "the server says nothing of itself"))?;
        let contexts = root.all("namingContexts");
        if contexts.is_empty() {
            return Err(Failure::contradiction(
                &what,
                "the server names no part of the tree that it holds",
            ));
        }
        if !contexts.iter().any(|c| under(&self.base, c)) {
            let held = sentence(&contexts.join(" and "));
            return Err(Failure::wrong_tenant(&what, &self.base, &held)
                .hint("name a server of the right domain, or another base"));
        }
        if root.all("supportedCapabilities").contains(&READ_ONLY) {
            return Err(Failure::permanent(&what, "this domain controller takes no writes")
                .hint("name one that does: url in the configuration"));
        }
        let Some(pinned) = &self.domain else { return Ok(()) };
        let domain = root
            .text("defaultNamingContext")
            .ok_or_else(|| Failure::contradiction(&what, "the server names no domain"))?;
        let entry = self.main.base(&what, domain, &["objectSid"]).await?;
        let found = entry.and_then(|e| sid(&e.bytes("objectSid")?));
        match found {
            Some(found) if found == *pinned => Ok(()),
            Some(found) => Err(Failure::wrong_tenant(&what, pinned, &found)
                .hint("name a server of the right domain, or pin this one anew")),
            None => Err(Failure::contradiction(&what, "the domain shows no SID")),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let Some(entry) = self.locate(who).await? else {
            return Ok(Observed::Absent);
        };
        let what = format!("read the account of {} in {}", who.person.login, self.main.system());
        let mut account = self.account(&entry, &what)?;
        if !self.others.is_empty() {
            self.compare(&mut account).await?;
        }
        let mut holds = BTreeMap::new();
        if who.parts.contains(&Holding::Group) {
            let groups = self.groups(&entry).await;
            holds.insert(Holding::Group, groups.map_or_else(Observed::Unknown, Observed::Present));
        }
        if who.parts.contains(&Holding::Owned) {
            let owned = self.owned(&entry).await;
            holds.insert(Holding::Owned, owned.map_or_else(Observed::Unknown, Observed::Present));
        }
        account.holds = holds;
        Ok(Observed::Present(account))
    }

    /// Page by page, as the server cuts them. A cookie is good on its own connection alone, and may stay the same to the end.
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let what = format!("list the accounts in {}", self.main.system());
        let cookie = match &from {
            None => Vec::new(),
            Some(cursor) => BASE64_STANDARD
                .decode(&cursor.0)
                .map_err(|_| Failure::permanent(&what, "the page's start can't be read"))?,
        };
        let found = self
            .main
            .page(&what, &self.base, &self.person(""), &self.names(), cookie)
            .await?;
        let items = found.entries.iter().map(|e| self.account(e, &what));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: found.next.map(|c| Cursor(BASE64_STANDARD.encode(c))),
            total: None,
        })
    }

    /// Groups that policy may give, by name. Two of one name are nobody's to give.
    async fn offers(&self) -> Result<BTreeMap<String, Held>, Failure> {
        let what = format!("list the groups in {}", self.main.system());
        let names = [self.profile.id, "cn", "objectClass"];
        let found = self.main.every(&what, &self.groups, self.profile.group, &names).await?;
        let mut all: BTreeMap<String, Held> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for group in &found {
            let held = self.group(group, &what)?;
            if all.insert(held.name.clone(), held.clone()).is_some() {
                twice.insert(held.name);
            }
        }
        all.retain(|name, _| !twice.contains(name));
        Ok(all)
    }
}
