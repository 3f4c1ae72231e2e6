//! What can be seen of a user: by id, by names, in the list; and what hangs on them, each part by a query of its own.

use std::collections::BTreeSet;

use futures::future::{join_all, try_join_all};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::{
    Data,
    soql::{Escaped, Soql, is_id, same},
    wire::{Assigned, Found, Licensed, Login, Member, Organization, Row, Session, User},
};
use crate::{
    http::{Ask, sentence},
    model::{Account, Failure, Held, Holding, Kind, Observed, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

const COLUMNS: &str = "SELECT Id, Username, Email, FederationIdentifier, IsActive, Profile.UserLicense.Name FROM User ";
const WORD_FROZEN: &str = "active though frozen";

pub struct Eyes {
    data: Data,
    /// The organisation that the configuration pins.
    org: Option<String>,
    /// A known user was found by name: then "none" can be believed.
    canary: OnceCell<()>,
    /// Tokens of more than one user are shown: then "none" can be believed of tokens.
    tokens: OnceCell<()>,
}

impl Eyes {
    pub(crate) fn new(data: Data, org: Option<String>) -> Self {
        Eyes {
            data,
            org,
            canary: OnceCell::new(),
            tokens: OnceCell::new(),
        }
    }

    async fn by_id(&self, id: &str) -> Result<Option<User>, Failure> {
        let what = format!("read the Salesforce user {id}");
        let query = Soql::new(COLUMNS).then("WHERE Id = ").value(&Escaped::id(id, &what)?);
        Ok(self.data.all::<User>(&query, &what).await?.pop())
    }

    /// Everybody who goes by one of the names, of people alone: the same address may be a partner's too.
    async fn by_names(&self, names: &BTreeSet<String>) -> Result<Vec<User>, Failure> {
        let list = Escaped::list(names.iter().map(String::as_str));
        let query = Soql::new(COLUMNS)
            .then("WHERE UserType = 'Standard' AND (FederationIdentifier IN ")
            .value(&list)
            .then(" OR Username IN ")
            .value(&list)
            .then(" OR Email IN ")
            .value(&list)
            .then(")");
        self.data.all(&query, "find the Salesforce user").await
    }

    /// The surest name first; one that finds nobody passes on to the next.
    async fn find(&self, who: Known<'_>) -> Result<Option<User>, Failure> {
        let known = who.handles;
        for id in [&known.account, &known.external_id]
            .into_iter()
            .flatten()
            .filter(|id| is_id(id))
        {
            if let Some(user) = self.by_id(id).await? {
                return Ok(Some(user));
            }
        }
        let names = known.user_name.iter().chain(&known.addresses);
        let names: BTreeSet<String> = names.map(|n| n.to_lowercase()).filter(|n| !n.is_empty()).collect();
        let found = if names.is_empty() {
            vec![]
        } else {
            self.by_names(&names).await?
        };
        let is = |name: Option<&str>| name.is_some_and(|n| names.contains(&n.to_lowercase()));
        // An address is many people's; the other two are one's.
        let ways: [fn(&User) -> Option<&str>; 3] = [
            |u| u.federation_identifier.as_deref(),
            |u| Some(&u.username),
            |u| u.email.as_deref(),
        ];
        for way in ways {
            let mut hits: Vec<&User> = found.iter().filter(|u| is(way(u))).collect();
            if hits.len() > 1 {
                let ids: Vec<&str> = hits.iter().map(|u| u.id.as_str()).collect();
                let why = format!("the person's names lead to {}", ids.join(" and "));
                return Err(Failure::contradiction("find the Salesforce user", why)
                    .hint("say which one is theirs: jml link LOGIN salesforce ACCOUNT"));
            }
            if let Some(user) = hits.pop() {
                return Ok(Some(user.clone()));
            }
        }
        self.canary.get_or_try_init(|| self.believe()).await?;
        if known.assigned {
            let tried = names.into_iter().collect::<Vec<_>>().join(", ");
            let why = format!("Okta says that one is assigned, and Salesforce knows none under {tried}");
            return Err(Failure::contradiction("find the Salesforce user", why).hint(
                "say which user is theirs, or that they have none: jml link LOGIN salesforce ACCOUNT, or --not",
            ));
        }
        Ok(None)
    }

    /// Finds a user who is surely there by the query that just found none.
    async fn believe(&self) -> Result<(), Failure> {
        let what = "find the Salesforce user";
        let query = Soql::new(COLUMNS).then("WHERE UserType = 'Standard' AND IsActive = true ORDER BY Id LIMIT 1");
        let someone: Option<User> = self.data.all(&query, what).await?.pop();
        let Some(someone) = someone else {
            let failure = Failure::new(Kind::Auth, what, "no user at all is shown");
            return Err(failure.hint("give the integration user View All Users"));
        };
        let again = self.by_names(&[someone.username.to_lowercase()].into()).await?;
        if again.iter().any(|u| same(&u.id, &someone.id)) {
            return Ok(());
        }
        Err(Failure::contradiction(
            what,
            "a known user isn't found by name either: that none was found proves nothing",
        ))
    }

    /// Without Customize Application only one's own tokens are shown, and nothing says so.
    async fn tokens_shown(&self) -> Result<(), Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Of {
            user_id: String,
        }
        let what = "see whether OAuth tokens of others are shown";
        let first = Soql::new("SELECT UserId FROM OauthToken LIMIT 1");
        if let Some(Of { user_id }) = self.data.all(&first, what).await?.pop() {
            let other = Soql::new("SELECT UserId FROM OauthToken WHERE UserId != ")
                .value(&Escaped::id(&user_id, what)?)
                .then(" LIMIT 1");
            if !self.data.all::<Of>(&other, what).await?.is_empty() {
                return Ok(());
            }
        }
        let why = "tokens of one user at most are shown: they may be its own";
        Err(Failure::new(Kind::Auth, "read OAuth tokens", why)
            .hint("give the integration user Customize Application; without it an empty list proves nothing"))
    }

    async fn part(&self, part: Holding, user: &User) -> Result<BTreeSet<Held>, Failure> {
        let id = Escaped::id(&user.id, "read a part of a Salesforce user")?;
        let of = |begins: &'static str| Soql::new(begins).value(&id);
        let (data, who) = (&self.data, &user.id);
        match part {
            Holding::Session => {
                let query = of("SELECT Id, ParentId, SessionType, SourceIp FROM AuthSession WHERE UsersId = ");
                let rows: Vec<Session> = data.all(&query, &format!("read the sessions of {who}")).await?;
                Ok(rows.into_iter().map(session).collect())
            }
            Holding::Client => {
                let tokens = tokens(data, &id, who).await?;
                if tokens.is_empty() {
                    self.tokens.get_or_try_init(|| self.tokens_shown()).await?;
                }
                Ok(tokens.into_iter().map(|t| t.held()).collect())
            }
            Holding::Role => {
                let query = of(
                    "SELECT Id, PermissionSet.Name, PermissionSet.Label, PermissionSet.IsOwnedByProfile FROM PermissionSetAssignment WHERE AssigneeId = ",
                );
                let rows: Vec<Assigned> = data.all(&query, &format!("read the permission sets of {who}")).await?;
                // The profile's shadow goes with nothing, and can't be taken.
                let own = rows.into_iter().filter(|r| !r.permission_set.is_owned_by_profile);
                let role = |r: Assigned| {
                    let name = r.permission_set.label.unwrap_or(r.permission_set.name);
                    Held::new(Holding::Role, r.id, sentence(&name))
                };
                Ok(own.map(role).collect())
            }
            Holding::Seat => {
                let query = of(
                    "SELECT Id, PermissionSetLicense.MasterLabel FROM PermissionSetLicenseAssign WHERE AssigneeId = ",
                );
                let rows: Vec<Licensed> = data.all(&query, &format!("read the licences of {who}")).await?;
                let seat =
                    |r: Licensed| Held::new(Holding::Seat, r.id, sentence(&r.permission_set_license.master_label));
                Ok(rows.into_iter().map(seat).chain(licence(user)).collect())
            }
            Holding::Group => {
                let query = of(
                    "SELECT Id, Group.Name, Group.DeveloperName, Group.Type FROM GroupMember WHERE UserOrGroupId = ",
                );
                let rows: Vec<Member> = data.all(&query, &format!("read the groups of {who}")).await?;
                let group = |m: Member| {
                    let name = m.group.name.unwrap_or(m.group.developer_name);
                    Held::new(Holding::Group, m.id, sentence(&name)).with("type", sentence(&m.group.kind))
                };
                Ok(rows.into_iter().map(group).collect())
            }
            Holding::Owned => self.owned(&id, who).await,
            other => Err(Failure::permanent(
                format!("read {other:?} of {who}"),
                "Salesforce has no such thing",
            )),
        }
    }

    /// How many open records there are, by kind; not which.
    async fn owned(&self, id: &Escaped, who: &str) -> Result<BTreeSet<Held>, Failure> {
        let kinds = [
            (
                "Opportunity",
                "open opportunities",
                "SELECT COUNT() FROM Opportunity WHERE IsClosed = false AND OwnerId = ",
            ),
            (
                "Case",
                "open cases",
                "SELECT COUNT() FROM Case WHERE IsClosed = false AND OwnerId = ",
            ),
            (
                "Lead",
                "unconverted leads",
                "SELECT COUNT() FROM Lead WHERE IsConverted = false AND OwnerId = ",
            ),
            ("Account", "accounts", "SELECT COUNT() FROM Account WHERE OwnerId = "),
        ];
        let what = format!("count what {who} owns");
        let counts = kinds.map(|(kind, words, begins)| {
            let (query, what) = (Soql::new(begins).value(id), &what);
            async move { Ok((kind, words, self.data.count(&query, what).await?)) }
        });
        let counts: Vec<(&str, &str, u64)> = try_join_all(counts).await?;
        let some = counts.into_iter().filter(|(.., n)| *n > 0);
        Ok(some
            .map(|(kind, words, n)| Held::new(Holding::Owned, kind, format!("{n} {words}")))
            .collect())
    }

    /// Ids of users whose login is frozen: of one, or of all.
    async fn frozen(&self, of: Option<&User>) -> Result<Vec<String>, Failure> {
        let what = "see which Salesforce logins are frozen";
        let all = Soql::new("SELECT Id, UserId, IsFrozen FROM UserLogin WHERE IsFrozen = true");
        let query = match of {
            Some(user) => all.then(" AND UserId = ").value(&Escaped::id(&user.id, what)?),
            None => all,
        };
        let rows: Vec<Login> = self.data.all(&query, what).await?;
        let frozen = rows.into_iter().filter(|l| l.is_frozen);
        Ok(frozen.map(|l| l.user_id).collect())
    }
}

/// `frozen` is `None` where it could not be read.
fn account(user: &User, frozen: Option<bool>) -> Account {
    let (state, word) = match (user.is_active, frozen) {
        (false, _) => (State::Closed, "inactive"),
        (true, Some(true)) => (State::Suspended, WORD_FROZEN),
        (true, Some(false)) => (State::Active, "active"),
        (true, None) => (State::Active, "active; whether frozen was not read"),
    };
    let mut account = Account::new(&user.id, &user.username, state, word);
    let names = user.email.iter().chain(&user.federation_identifier);
    account.known_as = names.filter(|n| !n.is_empty()).cloned().collect();
    account
}

/// The user licence goes with the account.
fn licence(user: &User) -> Option<Held> {
    let licence = user.profile.as_ref()?.user_license.as_ref()?;
    let mut seat = Held::new(Holding::Seat, format!("licence-{}", user.id), sentence(&licence.name));
    seat.via = Some("account".into());
    user.is_active.then_some(seat)
}

fn session(s: Session) -> Held {
    let kind = sentence(s.session_type.as_deref().unwrap_or("session"));
    let held = Held::new(Holding::Session, s.id, kind);
    match (s.source_ip, s.parent_id) {
        (Some(ip), _) => held.with("from", sentence(&ip)),
        (None, Some(parent)) => held.with("parent", sentence(&parent)),
        (None, None) => held,
    }
}

/// A row of OauthToken has no id: a fingerprint of the secret by which it is revoked stands for one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Token {
    app_name: Option<String>,
    pub(super) delete_token: secrecy::SecretString,
}

impl Token {
    pub(super) fn fingerprint(&self) -> String {
        use secrecy::ExposeSecret;
        hex::encode(&Sha256::digest(self.delete_token.expose_secret())[..10])
    }
    fn held(&self) -> Held {
        let name = self.app_name.as_deref().unwrap_or("an app without a name");
        Held::new(Holding::Client, self.fingerprint(), sentence(name))
    }
}

pub(super) async fn tokens(data: &Data, id: &Escaped, who: &str) -> Result<Vec<Token>, Failure> {
    let query = Soql::new("SELECT AppName, DeleteToken FROM OauthToken WHERE UserId = ").value(id);
    data.all(&query, &format!("read the OAuth tokens of {who}")).await
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        super::VERBS.iter().copied().collect()
    }

    async fn pinned(&self) -> Result<(), Failure> {
        let what = "ask Salesforce which organisation this is";
        let mut rows: Vec<Organization> = self
            .data
            .all(&Soql::new("SELECT Id, Name FROM Organization"), what)
            .await?;
        let Some(me) = rows.pop() else {
            return Err(Failure::contradiction(what, "no organisation is shown"));
        };
        match &self.org {
            Some(org) if !same(org, &me.id) => {
                let found = format!("{} ({})", sentence(&me.id), sentence(&me.name));
                Err(Failure::wrong_tenant("check the Salesforce organisation", org, &found)
                    .hint("put the credential of the right organisation in place, or write this one into [systems.salesforce]"))
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let Some(user) = self.find(who).await? else {
            return Ok(Observed::Absent);
        };
        let known = [
            Holding::Session,
            Holding::Client,
            Holding::Role,
            Holding::Seat,
            Holding::Group,
            Holding::Owned,
        ];
        let user = &user;
        let asked = known.into_iter().filter(|p| who.parts.contains(p));
        let parts = asked.map(|p| async move { (p, self.part(p, user).await) });
        let frozen = async {
            if user.is_active {
                self.frozen(Some(user)).await.map(|f| !f.is_empty())
            } else {
                Ok(false)
            }
        };
        let (frozen, parts) = futures::join!(frozen, join_all(parts));
        let frozen = match frozen {
            Ok(frozen) => Some(frozen),
            // A right that is missing is told by the parts; what else fails leaves the state itself unread.
            Err(f) if f.code.as_deref() == Some("INVALID_TYPE") => None,
            Err(f) => return Err(f),
        };
        let mut account = account(user, frozen);
        for (part, seen) in parts {
            let seen = seen.map_or_else(Observed::Unknown, Observed::Present);
            account.holds.insert(part, seen);
        }
        Ok(Observed::Present(account))
    }

    /// Active people: no partner, no guest, no process of Salesforce's own.
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let what = "list the Salesforce users";
        let query = Soql::new(COLUMNS).then("WHERE IsActive = true AND UserType = 'Standard' ORDER BY Id");
        let ask = match &from {
            Some(Cursor(link)) => Ask::follow(link).what(what),
            None => self.data.ask(&query, what),
        };
        let (page, frozen) = futures::join!(self.data.page::<User>(ask), self.frozen(None));
        let Found {
            total_size,
            done,
            next_records_url,
            records,
        } = page?;
        if !done && (next_records_url.is_none() || records.is_empty()) {
            return Err(Failure::contradiction(what, "the list goes on and says not where"));
        }
        let frozen: Option<BTreeSet<String>> = match frozen {
            Ok(all) => Some(all.into_iter().collect()),
            Err(f) if f.code.as_deref() == Some("INVALID_TYPE") => None,
            Err(f) => return Err(f),
        };
        let seen = |user: &User| {
            let frozen = frozen.as_ref().map(|all| all.iter().any(|id| same(id, &user.id)));
            let mut account = account(user, frozen);
            let seats = licence(user).into_iter().collect();
            account.holds.insert(Holding::Seat, Observed::Present(seats));
            account
        };
        Ok(Page {
            items: records.iter().map(seen).collect(),
            next: next_records_url.filter(|_| !done).map(Cursor),
            total: Some(total_size),
        })
    }
}

/// Does any such row exist?
pub(super) async fn there(data: &Data, query: &Soql, what: &str) -> Result<bool, Failure> {
    let rows: Vec<Row> = data.all(query, what).await?;
    Ok(rows.iter().any(|r| is_id(&r.id)))
}
