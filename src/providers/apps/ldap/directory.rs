//! One directory server, as `Reader` and `Writer`: the first has no way to change anything.
//!
//! One connection each, bound once. Servers are tried in the order of the configuration until one answers; from then on this instance
//! stays there, so that what is written is read back at the same place. Referrals are not followed: the credential would travel.

use std::{sync::Arc, time::Duration};

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapResult, Mod, Scope, SearchEntry, SearchOptions, controls::PagedResults,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell};

use super::{
    Server, Tls,
    fault::{Did, lost, refused, unreachable},
    value::Entry,
};
use crate::{
    http::Credential,
    model::{Failure, Kind, Repeat, System},
};

const CONNECT: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;
/// Of a search that should find one or a few.
const FEW: i32 = 1000;
pub const PAGE: i32 = 500;
/// Of one list: a million entries.
const PAGES: usize = 2000;
const PAGED: &str = "1.2.840.113556.1.4.319";
/// Continuations that Active Directory gives at the root of every domain: nobody stands there.
const NOBODYS: [&str; 3] = ["cn=configuration,", "dc=domaindnszones,", "dc=forestdnszones,"];

/// What is needed to be let in.
pub struct Door {
    pub system: System,
    pub servers: Vec<Server>,
    pub ca: Option<std::path::PathBuf>,
    pub user: Credential,
    pub password: Credential,
    pub patience: Duration,
}

struct Link {
    door: Door,
    tls: OnceCell<Arc<ClientConfig>>,
    open: Mutex<Option<Session>>,
}

#[derive(Clone)]
struct Session {
    ldap: Ldap,
    /// Which of the servers it is.
    at: usize,
}

/// Looks.
#[derive(Clone)]
pub struct Reader(Arc<Link>);

/// Looks and changes: hands alone have one.
pub struct Writer(Reader);

struct Query<'a> {
    base: &'a str,
    scope: Scope,
    filter: &'a str,
    names: &'a [&'a str],
    limit: i32,
    /// Of a list by pages: where this one starts.
    cookie: Option<Vec<u8>>,
}

impl<'a> Query<'a> {
    fn below(base: &'a str, filter: &'a str, names: &'a [&'a str], limit: i32) -> Self {
        Query {
            base,
            scope: Scope::Subtree,
            filter,
            names,
            limit,
            cookie: None,
        }
    }
}

pub struct Found {
    pub entries: Vec<Entry>,
    pub rc: u32,
    /// Where the next page starts.
    pub next: Option<Vec<u8>>,
}

impl Writer {
    pub fn open(door: Door) -> Self {
        Writer(Reader::new(door))
    }
    pub fn reader(&self) -> &Reader {
        &self.0
    }

    /// One change. `Err` is for what has no result, or one that says that nothing was looked at; busy is waited out. What may have been
    /// done is sent again only where twice is as good as once.
    pub async fn modify(
        &self,
        what: &str,
        dn: &str,
        changes: &[Change],
        repeat: Repeat,
    ) -> Result<LdapResult, Failure> {
        let mut doubt = None;
        let mut tries = 1;
        loop {
            let session = match self.0.session(what).await {
                Ok(session) => session,
                Err(failure) => return Err(doubt.unwrap_or(failure)),
            };
            let mut ldap = session.ldap.clone();
            let mods = changes.iter().map(Change::to_mod).collect();
            let said = ldap.with_timeout(self.0.0.door.patience).modify(dn, mods).await;
            match said {
                Ok(result) if !matches!(result.rc, 51 | 52) || tries == TRIES => return Ok(result),
                Ok(_) => {}
                Err(e) => {
                    self.0.forget(session.at).await;
                    let failure = lost(Did::Modify, &e, what);
                    if tries == TRIES || failure.kind == Kind::Doubt && repeat != Repeat::Safe {
                        return Err(doubt.unwrap_or(failure));
                    }
                    doubt = doubt.or(Some(failure).filter(|f| f.kind == Kind::Doubt));
                }
            }
            pause(tries).await;
            tries += 1;
        }
    }
}

/// Values may be secrets: it has no Debug.
pub enum Change {
    Add(&'static str, Vec<u8>),
    Delete(&'static str, Vec<u8>),
    Replace(&'static str, Vec<u8>),
    /// Whatever it holds.
    Clear(&'static str),
}

impl Change {
    #[expect(
        clippy::disallowed_types,
        reason = "the crate's own type of one value, whose order says nothing"
    )]
    fn to_mod(&self) -> Mod<Vec<u8>> {
        let set = |v: &Vec<u8>| std::collections::HashSet::from([v.clone()]);
        match self {
            Change::Add(name, value) => Mod::Add((*name).into(), set(value)),
            Change::Delete(name, value) => Mod::Delete((*name).into(), set(value)),
            Change::Replace(name, value) => Mod::Replace((*name).into(), set(value)),
            Change::Clear(name) => Mod::Replace((*name).into(), std::collections::HashSet::new()),
        }
    }
}

impl Reader {
    pub fn new(door: Door) -> Self {
        Reader(Arc::new(Link {
            door,
            tls: OnceCell::new(),
            open: Mutex::new(None),
        }))
    }

    pub fn system(&self) -> &System {
        &self.0.door.system
    }

    /// The name of the server that it speaks with.
    pub async fn server(&self) -> Option<String> {
        let open = self.0.open.lock().await;
        let at = open.as_ref()?.at;
        self.0.door.servers.get(at).map(|s| s.host.clone())
    }

    /// Every entry that fits, which must not be many.
    pub async fn find(&self, what: &str, base: &str, filter: &str, names: &[&str]) -> Result<Vec<Entry>, Failure> {
        let found = self.ask(what, Query::below(base, filter, names, FEW)).await?;
        success(found, what).map(|f| f.entries)
    }

    /// The first that fits; whether there are more is not asked.
    pub async fn any(&self, what: &str, base: &str, filter: &str, names: &[&str]) -> Result<Option<Entry>, Failure> {
        let found = self.ask(what, Query::below(base, filter, names, 1)).await?;
        if found.rc == 4 && !found.entries.is_empty() {
            return Ok(found.entries.into_iter().next());
        }
        success(found, what).map(|f| f.entries.into_iter().next())
    }

    /// One entry by its name.
    pub async fn base(&self, what: &str, dn: &str, names: &[&str]) -> Result<Option<Entry>, Failure> {
        let query = Query {
            scope: Scope::Base,
            ..Query::below(dn, "(objectClass=*)", names, 1)
        };
        let found = self.ask(what, query).await?;
        success(found, what).map(|f| f.entries.into_iter().next())
    }

    pub async fn page(
        &self,
        what: &str,
        base: &str,
        filter: &str,
        names: &[&str],
        cookie: Vec<u8>,
    ) -> Result<Found, Failure> {
        let query = Query {
            cookie: Some(cookie),
            ..Query::below(base, filter, names, 0)
        };
        let found = self.ask(what, query).await?;
        success(found, what)
    }

    /// Every page: whole, or a failure. A cookie may stay the same from page to page (Samba's does), so only their number tells an end.
    pub async fn every(&self, what: &str, base: &str, filter: &str, names: &[&str]) -> Result<Vec<Entry>, Failure> {
        let (mut all, mut cookie) = (Vec::new(), Vec::new());
        for _ in 0..PAGES {
            let found = self.page(what, base, filter, names, cookie).await?;
            all.extend(found.entries);
            match found.next {
                None => return Ok(all),
                Some(next) => cookie = next,
            }
        }
        Err(Failure::contradiction(what, "the list has no end"))
    }

    async fn ask(&self, what: &str, query: Query<'_>) -> Result<Found, Failure> {
        let mut tries = 1;
        loop {
            let session = self.session(what).await?;
            let said = self.once(&session, &query).await;
            // A cookie is the connection's own: there is no second try with it.
            let again = tries < TRIES && query.cookie.as_ref().is_none_or(Vec::is_empty);
            let failure = match said {
                Ok((entries, result)) if matches!(result.rc, 51 | 52) => {
                    drop(entries);
                    refused(Did::Search, &result, what)
                }
                Ok((entries, result)) => return found(entries, &result, what),
                Err(e) => {
                    self.forget(session.at).await;
                    lost(Did::Search, &e, what)
                }
            };
            if !again || failure.kind != Kind::Transient {
                return Err(failure);
            }
            pause(tries).await;
            tries += 1;
        }
    }

    async fn once(&self, session: &Session, query: &Query<'_>) -> Result<(Vec<Entry>, LdapResult), ldap3::LdapError> {
        let patience = self.0.door.patience;
        let seconds = i32::try_from(patience.as_secs())
            .unwrap_or(i32::MAX)
            .saturating_sub(2)
            .max(1);
        let options = SearchOptions::new().sizelimit(query.limit).timelimit(seconds);
        let mut ldap = session.ldap.clone();
        ldap.with_timeout(patience).with_search_options(options);
        if let Some(cookie) = query.cookie.clone() {
            ldap.with_controls(PagedResults { size: PAGE, cookie });
        }
        // Its own limit starts anew at each entry; this one is for the whole.
        let whole = tokio::time::timeout(
            patience * 3,
            ldap.search(query.base, query.scope, query.filter, query.names),
        );
        let found = whole.await.map_err(|elapsed| ldap3::LdapError::Timeout { elapsed })??;
        let entries = found.0.into_iter().filter(|r| !r.is_ref() && !r.is_intermediate());
        let entries = entries.map(|r| Entry::new(SearchEntry::construct(r))).collect();
        Ok((entries, found.1))
    }

    /// Connected, the right kind of server, and bound.
    async fn session(&self, what: &str) -> Result<Session, Failure> {
        let mut open = self.0.open.lock().await;
        if let Some(session) = open.as_mut()
            && !session.ldap.is_closed()
        {
            return Ok(session.clone());
        }
        let door = &self.0.door;
        // Once it spoke with one server it stays there.
        let places: Vec<usize> = match open.as_ref() {
            Some(session) => vec![session.at],
            None => (0..door.servers.len()).collect(),
        };
        let mut failure = None;
        for at in places {
            let Some(server) = door.servers.get(at) else { continue };
            match self.dial(server, what).await {
                Ok(ldap) => {
                    let session = Session { ldap, at };
                    *open = Some(session.clone());
                    return Ok(session);
                }
                Err(f) if f.kind == Kind::Transient => failure = Some(f),
                Err(f) => return Err(f),
            }
        }
        Err(failure.unwrap_or_else(|| Failure::permanent(what, "no server is configured")))
    }

    /// The connection broke: the next one goes to the same server.
    async fn forget(&self, at: usize) {
        let mut open = self.0.open.lock().await;
        if let Some(session) = open.as_mut().filter(|s| s.at == at) {
            let _ = session.ldap.unbind().await; // it is gone, or will be
        }
    }

    async fn dial(&self, server: &Server, what: &str) -> Result<Ldap, Failure> {
        let door = &self.0.door;
        let (user, password) = (text(&door.user).await?, text(&door.password).await?);
        // That is an anonymous bind, which old servers call a success.
        if user.expose_secret().is_empty() || password.expose_secret().is_empty() {
            return Err(
                Failure::new(Kind::Auth, what, "the credential has an empty user or password")
                    .hint("write it as a JSON object with the fields user and password"),
            );
        }
        let mut settings = LdapConnSettings::new().set_conn_timeout(CONNECT.min(door.patience));
        if server.tls != Tls::None {
            settings = settings
                .set_config(self.trust(what).await?)
                .set_starttls(server.tls == Tls::Begun);
        }
        let dialled = LdapConnAsync::with_settings(settings, &server.url).await;
        let (connection, mut ldap) = dialled.map_err(|e| unreachable(&e, &server.host, what))?;
        // Ends with the last handle. A panic in it, over an answer that is none of the protocol, is a lost answer for the caller.
        tokio::spawn(async move { connection.drive().await.ok() });
        let bound = ldap
            .with_timeout(door.patience)
            .simple_bind(user.expose_secret(), password.expose_secret())
            .await;
        let result = bound.map_err(|e| lost(Did::Bind, &e, what))?;
        if result.rc != 0 {
            return Err(refused(Did::Bind, &result, what));
        }
        Ok(ldap)
    }

    /// The configured authority alone, or the platform's.
    async fn trust(&self, what: &str) -> Result<Arc<ClientConfig>, Failure> {
        let made = self.0.tls.get_or_try_init(|| async {
            let wrong = |why: String| Failure::permanent(what, why).hint("check ca in the configuration");
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let builder = ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .map_err(|e| wrong(e.to_string()))?;
            let config = match &self.0.door.ca {
                Some(path) => {
                    let pem = tokio::fs::read(path)
                        .await
                        .map_err(|e| wrong(format!("{}: {e}", path.display())))?;
                    let mut roots = RootCertStore::empty();
                    for one in CertificateDer::pem_slice_iter(&pem) {
                        let one = one.map_err(|e| wrong(format!("{}: {e}", path.display())))?;
                        roots.add(one).map_err(|e| wrong(e.to_string()))?;
                    }
                    if roots.is_empty() {
                        return Err(wrong(format!("{}: no certificate is in it", path.display())));
                    }
                    builder.with_root_certificates(roots).with_no_client_auth()
                }
                None => {
                    let platform =
                        rustls_platform_verifier::Verifier::new(provider).map_err(|e| wrong(e.to_string()))?;
                    builder
                        .dangerous() // that is, a verifier of another crate: the platform's
                        .with_custom_certificate_verifier(Arc::new(platform))
                        .with_no_client_auth()
                }
            };
            Ok(Arc::new(config))
        });
        made.await.cloned()
    }
}

async fn text(credential: &Credential) -> Result<SecretString, Failure> {
    credential().await
}

/// 200 ms, 400 ms.
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
}

fn found(entries: Vec<Entry>, result: &LdapResult, what: &str) -> Result<Found, Failure> {
    if !matches!(result.rc, 0 | 4) {
        return Err(refused(Did::Search, result, what));
    }
    let elsewhere = result.refs.iter().find(|url| {
        let dn = url
            .split("://")
            .nth(1)
            .and_then(|rest| rest.split_once('/'))
            .map_or("", |(_, dn)| dn);
        !NOBODYS.iter().any(|n| dn.to_lowercase().starts_with(n))
    });
    if let Some(url) = elsewhere {
        let summary = format!("people stand on another server too: {}", crate::http::sentence(url));
        return Err(Failure::permanent(what, summary).hint("base the search at the part that this server holds"));
    }
    let cookie = result
        .ctrls
        .iter()
        .find(|c| c.1.ctype == PAGED)
        .and_then(|c| c.1.val.as_deref());
    let next = match cookie.map(cookie_of) {
        None => None,
        Some(Some(cookie)) => Some(cookie).filter(|c| !c.is_empty()),
        Some(None) => {
            return Err(Failure::contradiction(
                what,
                "the server's word on the next page can't be read",
            ));
        }
    };
    Ok(Found {
        entries,
        rc: result.rc,
        next,
    })
}

fn success(found: Found, what: &str) -> Result<Found, Failure> {
    match found.rc {
        0 => Ok(found),
        rc => Err(
            Failure::permanent(what, "the server gave a part and stopped at its size limit")
                .code(rc.to_string())
                .hint("narrow the base: a part is no answer"),
        ),
    }
}

/// SEQUENCE { size INTEGER, cookie OCTET STRING }, read without the crate's own parser, which panics on anything else.
fn cookie_of(value: &[u8]) -> Option<Vec<u8>> {
    let sequence = part(value, 0x30)?.0;
    let (_, rest) = part(sequence, 0x02)?;
    part(rest, 0x04).map(|(cookie, _)| cookie.to_vec())
}

/// One element with this tag, and what follows it.
fn part(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        let number = digits
            .iter()
            .try_fold(0usize, |n, b| n.checked_mul(256)?.checked_add(usize::from(*b)))?;
        (number, rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_and_gibberish_is_not() {
        assert_eq!(cookie_of(&[0x30, 7, 2, 1, 0, 4, 2, b'a', b'b']), Some(b"ab".to_vec()));
        assert_eq!(cookie_of(&[0x30, 0x81, 5, 2, 1, 0, 4, 0]), Some(vec![]));
        for broken in [&[][..], &[0x30], &[0x30, 5, 2, 1, 0], &[0x30, 0x88, 255, 255], &[4, 0]] {
            assert_eq!(cookie_of(broken), None, "{broken:?}");
        }
    }
}
