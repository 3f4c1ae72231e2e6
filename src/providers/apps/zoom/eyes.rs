//! What can be seen of an account: by its id, by its addresses, in the three lists.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use futures::future::try_join_all;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::wire::{Listed, Refusal, User, Users, accepted, nobody};
use crate::{
    http::{Reader, path, sentence},
    model::{Account, Failure, Held, Holding, Observed, State, Verbs},
    providers::{Cursor, Known, Observe, Page},
};

/// The list of active people hides the others.
const LISTS: [&str; 3] = ["active", "inactive", "pending"];
/// A licence, as `type` says it.
const LICENSED: i64 = 2;
/// Signs in with a password of Zoom's own.
const OWN_PASSWORD: i64 = 100;

pub struct Eyes {
    zoom: Reader,
    /// The account that the configuration pins.
    account: Option<String>,
}

/// What of a person both the list and the single read tell.
struct Seen {
    id: String,
    login: String,
    kind: Option<i64>,
    status: String,
    role: String,
    own_password: bool,
}

impl Eyes {
    pub fn new(zoom: Reader, account: Option<String>) -> Self {
        Eyes { zoom, account }
    }

    async fn find(&self, who: Known<'_>) -> Result<Option<Seen>, Failure> {
        let known = who.handles;
        for id in [&known.account, &known.external_id].into_iter().flatten() {
            if (is_id(id) || id.contains('@'))
                && let Some(user) = by_name(&self.zoom, id).await?
            {
                return seen(user, id).map(Some);
            }
        }
        let name = known.user_name.iter().filter(|n| n.contains('@'));
        let addresses: BTreeSet<String> = name.chain(&known.addresses).map(|a| a.to_lowercase()).collect();
        let found = try_join_all(addresses.iter().map(|a| async move {
            let user = by_name(&self.zoom, a).await?;
            user.map(|u| seen(u, a)).transpose()
        }))
        .await?;
        let mut found: BTreeMap<String, Seen> = found.into_iter().flatten().map(|s| (s.id.clone(), s)).collect();
        if found.len() > 1 {
            let ids = found.into_keys().collect::<Vec<_>>().join(" and ");
            return Err(Failure::contradiction(
                "find the Zoom account",
                format!("the person's addresses lead to {ids}"),
            )
            .hint("say which one is theirs: jml link LOGIN zoom ACCOUNT"));
        }
        match found.pop_first() {
            Some((_, seen)) => Ok(Some(seen)),
            // Every address was answered by Zoom's own "does not exist", inactive and invited people included.
            None if !known.assigned => Ok(None),
            None => {
                let tried = addresses.into_iter().collect::<Vec<_>>().join(", ");
                Err(Failure::contradiction(
                    "find the Zoom account",
                    format!("Okta says that one is assigned, and Zoom knows none under {tried}"),
                )
                .hint("say which account is theirs, or that they have none: jml link LOGIN zoom ACCOUNT, or --not"))
            }
        }
    }

    async fn list(&self, status: &str, token: &str, size: u32) -> Result<Users, Failure> {
        let what = format!("list the {status} Zoom accounts");
        let mut ask = path!["v2/users"]
            .query("status", status)
            .query("page_size", size)
            .what(&what);
        if !token.is_empty() {
            ask = ask.query("next_page_token", token);
        }
        let answer = self.zoom.get(ask).await?;
        accepted(&answer, &what)?;
        answer.json()
    }
}

/// `GET /v2/users/{id or address}`; `None` is Zoom's own word that there is none here.
pub(super) async fn by_name(zoom: &Reader, name: &str) -> Result<Option<User>, Failure> {
    let what = format!("read the Zoom account {name}");
    let answer = zoom
        .get(path!["v2/users", segment(name)].what(&what).accept(404))
        .await?;
    if nobody(&answer) {
        return Ok(None);
    }
    if !answer.success() {
        // What isn't Zoom's own answer at all says nothing of the person.
        return match answer.maybe::<Refusal>() {
            Some(_) => Err(super::explain(&answer, &what)),
            None => Err(
                Failure::contradiction(what, "was answered with something other than Zoom's data")
                    .code(answer.status.to_string()),
            ),
        };
    }
    accepted(&answer, &what)?;
    answer.json().map(Some)
}

/// An id with a slash at its front, or two in a row, is encoded twice.
pub(super) fn segment(id: &str) -> Cow<'_, str> {
    if id.starts_with('/') || id.contains("//") {
        return Cow::Owned(utf8_percent_encode(id, NON_ALPHANUMERIC).to_string());
    }
    Cow::Borrowed(id)
}

/// 22 letters or so. `me` would be the token's owner.
fn is_id(text: &str) -> bool {
    (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/=+".contains(&b))
}

fn seen(user: User, asked: &str) -> Result<Seen, Failure> {
    let asked = asked.contains('@').then(|| asked.to_owned());
    let login = user.email.or(asked).unwrap_or_else(|| user.id.clone());
    let status = user.status.ok_or_else(|| untold(&login))?;
    Ok(Seen {
        id: user.id,
        login,
        kind: user.kind,
        status,
        role: user.role_id.unwrap_or_default(),
        own_password: user.login_types.contains(&OWN_PASSWORD),
    })
}

fn untold(login: &str) -> Failure {
    Failure::contradiction(
        format!("read the Zoom account {}", sentence(login)),
        "the answer doesn't say whether it is active",
    )
}

/// The lists say the status by being asked for it.
fn listed(row: Listed, status: &str) -> Result<Account, Failure> {
    let Some(id) = row.id.clone().or_else(|| row.email.clone()) else {
        return Err(Failure::contradiction(
            "list the Zoom accounts",
            "a row has neither id nor address",
        ));
    };
    let mut account = account(&Seen {
        login: row.email.unwrap_or_else(|| id.clone()),
        id,
        kind: row.kind,
        status: row.status.unwrap_or_else(|| status.to_owned()),
        role: row.role_id.unwrap_or_default(),
        own_password: false,
    })?;
    account.holds.remove(&Holding::Owned); // the list isn't asked for it
    Ok(account)
}

fn account(seen: &Seen) -> Result<Account, Failure> {
    let state = match seen.status.as_str() {
        "active" => State::Active,
        "inactive" => State::Closed,
        "pending" => State::Pending,
        other => {
            return Err(Failure::contradiction(
                format!("read the Zoom account {}", sentence(&seen.login)),
                format!("nobody knows the status {}", sentence(other)),
            ));
        }
    };
    let word = match seen.own_password && state == State::Active {
        true => "active, with a password of Zoom's own".to_owned(),
        false => seen.status.clone(),
    };
    let mut account = Account::new(&seen.id, &seen.login, state, word);
    account.blocked = match (seen.role.as_str(), state) {
        (_, State::Closed) => None,
        ("0", _) => Some("owner of the Zoom account: hand the ownership over first".into()),
        ("1", _) => Some("admin of the Zoom account: an admin there makes them a plain member first".into()),
        _ => None,
    };
    let mut put = |kind, held: Option<Held>| {
        account
            .holds
            .insert(kind, Observed::Present(held.into_iter().collect::<BTreeSet<_>>()));
    };
    let licence = (seen.kind == Some(LICENSED)).then(|| {
        let mut seat = Held::new(Holding::Seat, "licence", "Zoom");
        // Deactivation takes it along; of who is inactive already it has to be taken by itself.
        seat.via = (state != State::Closed).then(|| "account".into());
        seat
    });
    put(Holding::Seat, licence);
    let invitation = Held::new(Holding::Invitation, &seen.id, "the invitation to Zoom");
    put(Holding::Invitation, (state == State::Pending).then_some(invitation));
    let owner = Held::new(Holding::Owned, "account", "owner of the Zoom account");
    put(Holding::Owned, (seen.role == "0").then_some(owner));
    if seen.kind.is_none() && state != State::Pending {
        let what = format!("read the licence of {}", sentence(&seen.login));
        let unsaid = Failure::contradiction(what, "the answer has no type");
        account.holds.insert(Holding::Seat, Observed::Unknown(unsaid));
    }
    Ok(account)
}

impl Observe for Eyes {
    fn can(&self) -> Verbs {
        super::VERBS.iter().copied().collect()
    }

    async fn pinned(&self) -> Result<(), Failure> {
        let what = "ask Zoom which account this is";
        let first = self.list("active", "", 1).await?.users.into_iter().next();
        // An account always has its owner.
        let Some(name) = first.and_then(|u| u.id.or(u.email)) else {
            return Err(Failure::contradiction(what, "nobody is active in it"));
        };
        let Some(pinned) = &self.account else { return Ok(()) };
        let user = by_name(&self.zoom, &name).await?;
        match user.and_then(|u| u.account_id) {
            Some(theirs) if theirs == *pinned => Ok(()),
            Some(theirs) => Err(
                Failure::wrong_tenant("check the Zoom account", pinned, &sentence(&theirs))
                    .hint("put the credential of the right account in place, or write this one into [systems.zoom]"),
            ),
            None => Err(Failure::contradiction(
                "check the Zoom account",
                "the users don't say of which account they are",
            )),
        }
    }

    async fn observe(&self, who: Known<'_>) -> Result<Observed<Account>, Failure> {
        let Some(seen) = self.find(who).await? else {
            return Ok(Observed::Absent);
        };
        let mut account = account(&seen)?;
        account.holds.retain(|kind, _| who.parts.contains(kind));
        Ok(Observed::Present(account))
    }

    /// `LIST COUNT TOTAL TOKEN`: which list, how many of it were read, how many the lists before it had, and Zoom's own token, good for
    /// 15 minutes. A row that came twice hides one that didn't come: the total of all lists is held against the accounts themselves.
    async fn accounts(&self, from: Option<Cursor>) -> Result<Page<Account>, Failure> {
        let cursor = from.map_or_else(|| format!("{} 0 0 ", LISTS[0]), |Cursor(c)| c);
        let mut parts = cursor.splitn(4, ' ');
        let (status, before, lists, token) = (
            parts.next().unwrap_or_default(),
            parts.next(),
            parts.next(),
            parts.next(),
        );
        let number = |n: Option<&str>| n.and_then(|n| n.parse().ok()).unwrap_or(0_u64);
        let (before, lists) = (number(before), number(lists));
        let page = self.list(status, token.unwrap_or_default(), 300).await?;
        let read = before + page.users.len() as u64;
        let short = |why: String| Err(Failure::contradiction(format!("list the {status} Zoom accounts"), why));
        let place = LISTS.iter().position(|s| *s == status);
        let next = match (page.next_page_token.as_str(), place.and_then(|p| LISTS.get(p + 1))) {
            ("", _) if read < page.total_records => {
                return short(format!("it ended after {read} of {}", page.total_records));
            }
            ("", _) if read == 0 && place == Some(0) => {
                return short("nobody is active, and an account always has its owner".into());
            }
            ("", Some(following)) => Some(Cursor(format!("{following} 0 {} ", lists + page.total_records))),
            ("", None) => None,
            (token, _) => Some(Cursor(format!("{status} {read} {lists} {token}"))),
        };
        let total = next.is_none().then_some(lists + page.total_records);
        let items = page
            .users
            .into_iter()
            .map(|u| listed(u, status))
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next, total })
    }
}
