//! Akamai Network Lists: are this host's egress addresses on the list that the edge enforces?
//!
//! Says nothing of people, and appends and activates nothing: `jml doctor` names what an Akamai admin has to do. Membership is arithmetic
//! on addresses, never on texts. Facts: techdocs.akamai.com/network-lists.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::edgegrid::EdgeGrid;
use crate::{
    config::{BaseUrl, Read, SecretRef},
    http::{Answer, Ask, Reader, path, plain, sentence},
    model::{Failure, Kind, System},
    providers::{Known, Look, Need, Row, Sight, Testify, Watches},
};

pub const ROW: Row = Row::new("akamai")
    .page("https://techdocs.akamai.com/network-lists/reference/api")
    .needs(NEEDS)
    .watches::<Edge>("whether this host's egress address is on the edge's allow list");

pub const NEEDS: &[Need] = &[Need::read(
    "Network Lists: READ-ONLY",
    "see whether an address is on a list and the list in force",
)];

/// `[systems.akamai]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Of the API client: https://akab-....luna.akamaiapis.net.
    url: BaseUrl,
    /// The allow list's unique id, as in 25614_GENERALLIST.
    list: String,
    /// Where one API client serves several accounts: which one.
    account_switch_key: Option<String>,
    /// A record of `client_token`, `client_secret` and `access_token`.
    read: SecretRef<Read>,
}

impl crate::providers::Settings for Settings {}

pub struct Edge;

impl Watches for Edge {
    type Settings = Settings;
    type Witness = Lists;

    fn witness(system: System, s: Settings, look: &Look) -> Lists {
        let signer = EdgeGrid::new(look.secret(&s.read), look.clock());
        Lists {
            api: look.reader(&system, &s.url, signer, explain),
            list: s.list,
            account: s.account_switch_key,
            egress: look.egress(),
        }
    }
}

pub struct Lists {
    api: Reader,
    list: String,
    account: Option<String>,
    /// As the configuration says it; an address or a block.
    egress: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    name: String,
    list: Vec<String>,
}
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    activation_status: String,
    sync_point: Option<u64>,
}
#[derive(Deserialize)]
struct History {
    list: Vec<String>,
}

/// An address and how many of its bits count. Host bits may be set: they don't count.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    bits: u128,
    length: u32,
    four: bool,
}

impl Block {
    fn of(text: &str) -> Option<Block> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let (bits, most, four) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(a) => (u128::from(u32::from(a)), 32, true),
            IpAddr::V6(a) => (u128::from(a), 128, false),
        };
        let length = length.unwrap_or(most);
        (length <= most).then_some(Block { bits, length, four })
    }
    /// Every address of the other is one of ours.
    fn covers(self, other: Block) -> bool {
        let most: u32 = if self.four { 32 } else { 128 };
        let front = |bits: u128| bits.checked_shr(most - self.length).unwrap_or(0);
        self.four == other.four && self.length <= other.length && front(self.bits) == front(other.bits)
    }
}

fn on(list: &[String], address: Block) -> bool {
    list.iter().filter_map(|e| Block::of(e)).any(|b| b.covers(address))
}

impl Lists {
    fn ask(&self, ask: Ask) -> Ask {
        match &self.account {
            Some(key) => ask.query("accountSwitchKey", key),
            None => ask,
        }
    }

    async fn list(&self) -> Result<List, Failure> {
        let what = format!("read the network list {}", self.list);
        let ask = path!["network-list/v2/network-lists", self.list]
            .query("includeElements", true)
            .query("extended", true);
        self.api.get(self.ask(ask).what(what)).await?.json()
    }

    async fn status(&self) -> Result<Status, Failure> {
        let what = format!("read whether the network list {} is in force", self.list);
        let ask = path![
            "network-list/v2/network-lists",
            self.list,
            "environments/PRODUCTION/status"
        ];
        self.api.get(self.ask(ask).what(what)).await?.json()
    }

    /// What is in force while the list is edited.
    async fn enforced(&self, point: u64) -> Result<Vec<String>, Failure> {
        let what = format!("read the network list {} as it is in force", self.list);
        let ask = path![
            "network-list/v2/network-lists",
            self.list,
            "sync-points",
            point,
            "history"
        ];
        let history: History = self.api.get(self.ask(ask).what(what)).await?.json()?;
        Ok(history.list)
    }
}

impl Testify for Lists {
    async fn about(&self, _: Known<'_>, _: Option<DateTime<Utc>>) -> Result<Vec<Sight>, Failure> {
        Ok(Vec::new())
    }

    async fn place(&self) -> Result<Vec<Sight>, Failure> {
        let (list, status) = (self.list().await?, self.status().await?);
        let active = status.activation_status == "ACTIVE";
        let state = sentence(&status.activation_status);
        let enforced = match status.sync_point {
            _ if active => list.list.clone(),
            Some(point) if status.activation_status != "INACTIVE" => self.enforced(point).await?,
            Some(_) | None => Vec::new(),
        };
        let name = sentence(&format!("{} ({})", list.name, self.list));
        if self.egress.is_empty() {
            return Ok(vec![Sight::fact(format!(
                "the list {name} is {state}; say this host's addresses with [http] egress to have them looked for"
            ))]);
        }
        Ok(self
            .egress
            .iter()
            .map(|address| {
                let block = Block::of(address);
                let has = |list: &[String]| block.is_some_and(|b| on(list, b));
                match (has(&enforced), has(&list.list)) {
                    (true, true) => Sight::fact(format!("{address} is on {name}, active")),
                    (true, false) => Sight::finding(format!(
                        "{address} was taken off {name}: the next activation shuts this host out"
                    )),
                    (false, true) => Sight::finding(format!(
                        "{address} is on {name}, edited but not active ({state}): an Akamai admin activates it on PRODUCTION"
                    )),
                    (false, false) => Sight::finding(format!(
                        "{address} is absent from {name}: an Akamai admin appends it and activates it on PRODUCTION"
                    )),
                }
            })
            .collect())
    }
}

/// application/problem+json
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    client_ip: Option<String>,
    request_id: Option<String>,
    request_time: Option<String>,
}

pub fn explain(answer: &Answer, what: &str) -> Failure {
    let mut failure = plain(answer, what);
    if let Some(problem) = answer.maybe::<Problem>() {
        let from = problem
            .client_ip
            .map(|ip| format!(" (asked from {ip})"))
            .unwrap_or_default();
        failure.summary = sentence(&format!("refuses: {}: {}{from}", problem.title, problem.detail));
        failure.request = problem.request_id.map(|r| sentence(&r)).or(failure.request);
        if problem.detail.contains("timestamp") {
            failure.kind = Kind::Auth;
            let theirs = problem
                .request_time
                .map(|t| format!("; Akamai's says {}", sentence(&t)));
            return failure.hint(format!(
                "this host's clock is more than 30 s off{}",
                theirs.unwrap_or_default()
            ));
        }
    }
    match failure.kind {
        Kind::Auth => failure.hint("the API client needs Network Lists, READ-ONLY, and the record its client_token, client_secret and access_token"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership_is_arithmetic() {
        let list = ["192.0.2.205/24", "2001:db8::1/32", "198.51.100.7"].map(str::to_owned);
        for (address, want) in [
            ("192.0.2.9", true),
            ("192.0.3.9", false),
            ("192.0.2.8/31", true),
            ("192.0.0.0/16", false),
            ("198.51.100.7", true),
            ("2001:db8:1::5", true),
            ("2001:db9::", false),
        ] {
            assert_eq!(on(&list, Block::of(address).unwrap()), want, "{address}");
        }
        assert!(on(&["0.0.0.0/0".to_owned()], Block::of("203.0.113.7").unwrap()));
        assert_eq!((Block::of("203.0.113.7/33"), Block::of("x")), (None, None));
    }
}
