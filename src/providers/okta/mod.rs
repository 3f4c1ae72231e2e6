//! Okta: the directory behind which everything else stands; a roster too, where HR feeds its profiles.
//!
//! `Directory` reads (it holds Readers only), `Hands` change, one call an action. Absent is only what Okta itself says of exactly that id or
//! login; a search finds candidates, a read by id decides.
//!
//! | file | what |
//! |---|---|
//! | users, groups, rules, apps, admins, sessions, log, org | one resource each |
//! | account | a person's account and its parts |
//! | worker, dates | the profile as HR's record |
//! | hands | the effects |
//! | auth, assertion | the service app's token, DPoP |
//! | explain | Okta's refusals in our words |
//! | wire, pages, filter | forms of answers, lists and searches |

mod account;
mod admins;
mod apps;
mod assertion;
mod auth;
mod dates;
mod explain;
mod filter;
mod groups;
mod hands;
mod log;
mod org;
mod pages;
mod rules;
mod sessions;
mod settings;
#[cfg(test)]
mod tests;
mod users;
mod wire;
mod worker;

pub use account::{PARTS, bare, state};
pub use admins::{Admins, SUPER_ADMIN};
pub use apps::fact;
pub use explain::explain;
pub use hands::Hands;
pub use log::{Actor, From, LogEvent, SWEPT, about, any_of};
pub use org::{Attribute, Headroom};
pub use sessions::{ApiToken, tokens_of};
pub use settings::Settings;
pub use worker::{Attributes, PROFILE_CHANGED, fill_recorded, worker};

use crate::{
    config::{ConfigError, Roster, Section},
    http::Reader,
    model::{Account, Age, Failure, Observed, System, Verb, Verbs, Worker},
    providers::{Act, Cursor, Employ, Known, Look, Need, Observe, Page, Row, Source, Target},
};

/// All that eyes of Okta hold.
pub struct Directory {
    pub(super) api: Reader,
    /// For what is public: no credential is fetched for it.
    pub(super) open: Reader,
    /// The organisation that the configuration pins.
    pub(super) org: Option<String>,
    /// Where Okta is the roster: which attribute says what.
    pub(super) roster: Option<Attributes>,
}

pub const VERBS: &[Verb] = &[
    Verb::Suspend,
    Verb::Deactivate,
    Verb::ClearSessions,
    Verb::RevokeGrants,
    Verb::RevokeToken,
    Verb::RevokeClientTokens,
    Verb::RemoveMember,
    Verb::AddMember,
    Verb::UnassignApp,
    Verb::Activate,
    Verb::Unsuspend,
    Verb::CreatePerson,
    Verb::CreateGroup,
    Verb::DeleteGroup,
];

pub const NEEDS: &[Need] = &[
    Need::read("okta.users.read", "see people, their groups, grants and clients"),
    Need::read("okta.groups.read", "see groups, members and rules"),
    Need::read("okta.apps.read", "see apps and assignments"),
    Need::read("okta.logs.read", "see what changed since the last sweep"),
    Need::read("okta.roles.read", "see who is an admin, hence protected"),
    Need::read("okta.apiTokens.read", "see a leaver's own API tokens"),
    Need::read("okta.schemas.read", "check that HR's attributes are mapped"),
    Need::write(
        "okta.users.manage",
        "suspend, clear sessions, revoke grants, deactivate, create",
    ),
    Need::write("okta.groups.manage", "change members, create groups"),
    Need::write("okta.apps.manage", "end direct assignments"),
    Need::write("okta.apiTokens.manage", "revoke a leaver's own API tokens"),
];

pub const ROW: Row = Row::new("okta")
    .page("https://developer.okta.com/docs/api/")
    .pin("org")
    .needs(NEEDS)
    .target::<Okta>(VERBS)
    .roster::<Okta>();

pub struct Okta;

impl Directory {
    pub fn new(system: &System, settings: &Settings, roster: Option<Attributes>, look: &Look) -> Self {
        Directory {
            api: look.reader(system, &settings.url, settings.eyes(look), explain),
            open: look.anonymous(system, &settings.url, explain),
            org: settings.org.clone(),
            roster,
        }
    }

    /// From `[systems.okta]`; `words` where Okta is the roster.
    pub fn of(section: &Section, words: Option<&Roster>, look: &Look) -> Result<Self, ConfigError> {
        let settings: Settings = section.parse()?;
        crate::providers::Settings::check(&settings).map_err(|why| section.fault(why))?;
        Ok(Self::new(&section.system, &settings, words.map(Attributes::of), look))
    }
}

impl Observe for Directory {
    fn can(&self) -> Verbs {
        VERBS.iter().copied().collect()
    }
    async fn pinned(&self) -> Result<(), Failure> {
        self.is_pinned().await.map(drop)
    }
    /// The person is read again with the parts: what `who` says of them may be old.
    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let (person, holds) = futures::join!(self.person(&who.person.id.0), self.holds(who.person, who.parts, None));
        Ok(match person? {
            Observed::Present(person) => Observed::Present(Account {
                holds,
                ..account::bare(&person)
            }),
            Observed::Absent => Observed::Absent,
            Observed::Unknown(failure) => Observed::Unknown(failure),
        })
    }
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let page = self.people(from).await?;
        Ok(Page {
            items: page.items.iter().map(account::bare).collect(),
            next: page.next,
            total: page.total,
        })
    }
}

/// Okta as the roster.
pub struct Feed(Directory);

impl Employ for Feed {
    async fn page(&self, from: Option<Cursor>) -> Result<Page<Worker>, Failure> {
        let first = from.is_none();
        let page = self.0.people(from).await?;
        if first && page.items.is_empty() {
            return Err(Failure::contradiction(
                "read the roster",
                "Okta shows nobody: never an empty firm",
            ));
        }
        Ok(Page {
            items: page.items.iter().filter_map(|p| p.worker().cloned()).collect(),
            next: page.next,
            total: page.total,
        })
    }
    async fn age(&self) -> Result<Age, Failure> {
        self.0.imported().await
    }
}

impl Target for Okta {
    type Settings = Settings;
    type Eyes = Directory;
    type Hands = Hands;
    fn eyes(system: System, settings: Settings, look: &Look) -> Directory {
        Directory::new(&system, &settings, None, look)
    }
    fn hands(system: System, settings: Settings, act: &Act) -> Hands {
        let api = act.writer(&system, &settings.url, settings.hands(act), explain);
        Hands::new(api, settings.welcome_mail, !settings.is_service_app())
    }
}

impl Source for Okta {
    type Settings = Settings;
    type Roster = Feed;
    fn roster(system: System, settings: Settings, words: &Roster, look: &Look) -> Feed {
        Feed(Directory::new(&system, &settings, Some(Attributes::of(words)), look))
    }
}
