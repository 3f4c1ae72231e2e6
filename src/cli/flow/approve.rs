//! `jml run approve`: somebody who may signs for what a run holds. Written into the ledger, and nowhere else; `run apply` uses it.
//!
//! A signature is looked at when it is written down and again when it is used: whoever was taken out of the list in between is out, and
//! an entry that somebody wrote past this command allows nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use secrecy::ExposeSecret;
use ssh_key::PrivateKey;

use super::runs::{self, Meant};
use crate::{
    cli::{
        args::Output, command::run::ApproveArgs, context::Context, error::CliError, exit::Exit, memory::Memory,
        operator::same_person, text, view::list,
    },
    config::{Config, Signers},
    ledger::{
        Approval, Approved, Guard, Hold, Seq, State, Subject,
        approval::{self, LONGEST, NAMESPACE, Of},
        entry::{Body, Draft},
    },
    model::Flow,
    providers::secrets::file::private,
};

/// A text of thousands of people is shorter.
const MOST: u64 = 4 << 20;
/// Two hosts' clocks may differ by so much.
const SKEW: TimeDelta = TimeDelta::seconds(60);

pub async fn approve(cx: &Context, args: ApproveArgs) -> Result<Exit, CliError> {
    let memory = Memory::open(cx).await?;
    let ledger = memory.ledger()?;
    let meant = runs::meant(ledger, &args.plan).await?;
    let holds = ledger.holds(&meant.state.run).await?;
    let people = people(&meant, &holds);
    if people.is_empty() {
        let run = &meant.state.run;
        return Err(
            CliError::stale(format!("nothing is held in run {run} any more; nothing was done"))
                .run("See what became of it", cx.command(&format!("run show {run}"))),
        );
    }
    let now = (memory.clock)();
    let mut approval = Approval {
        tenant: memory.tenant.org.clone(),
        run: meant.state.run.clone(),
        people,
        expires: (now + within(&args)?).trunc_subsecs(0),
    };
    if args.print {
        if cx.global.output != Output::Human {
            return Err(CliError::usage(
                "--print writes the text that is signed, and no document",
            ));
        }
        cx.out.data(&approval.text());
        return Ok(Exit::Done);
    }
    let signers = signers(&memory.config)?;
    let signature = match &args.signature {
        Some(path) => {
            let written = beside(path)?;
            approval.expires = Approval::ends(&written).ok_or_else(|| {
                CliError::refused("the text beside the signature is none that --print writes; nothing was done")
            })?;
            if approval.text() != written {
                return Err(CliError::stale(format!(
                    "the text beside the signature is not of what run {} holds now; nothing was done",
                    approval.run
                ))
                .run(
                    "Write it anew, and look at it",
                    cx.command(&format!("run approve {} --print", text::shell(&args.plan))),
                ));
            }
            file(path)?
        }
        None => sign(cx, args.key.as_deref(), &approval)?,
    };
    let approved = judged(&approval, signature, &signers, &meant.state, &holds, now)?;
    given(&meant.state, &approved)?;
    let operator = memory.operator.name().await?;
    let draft = Draft {
        run: approval.run.clone(),
        operator,
        body: Body::Approved(approved.clone()),
    };
    let written = ledger.append(&Guard::default(), vec![draft]).await?;
    let entry = written
        .last()
        .copied()
        .ok_or_else(|| CliError::internal("an entry was written and has no number"))?;
    say(cx, &memory, &args.plan, &approved, entry)
}

fn say(cx: &Context, memory: &Memory, plan: &str, approved: &Approved, entry: Seq) -> Result<Exit, CliError> {
    let a = &approved.approval;
    let said = format!(
        "{} of run {} may be applied until {}, signed by {} ({})",
        text::count(a.people.len(), "plan"),
        text::safe(&a.run, cx.env.utf8),
        text::instant(a.expires),
        text::safe(&approved.signer, cx.env.utf8),
        approved.key
    );
    let exit = list::noted(&cx.out, &memory.tenant, "run-approve", &said, entry)?;
    if cx.global.output == Output::Human {
        let apply = cx.command(&format!("run apply {} --yes", text::shell(plan)));
        cx.out
            .talk(&format!("Somebody other than who signed applies them:  {apply}"));
    }
    Ok(exit)
}

/// Who is meant and still held. What is held of the tenant's groups is applied by another command.
fn people(meant: &Meant, holds: &BTreeMap<Subject, Hold>) -> BTreeMap<Subject, Of> {
    let meant = |s: &Subject| meant.subject.as_ref().is_none_or(|only| only == s);
    holds
        .iter()
        .filter(|(s, h)| meant(s) && h.flow != Flow::Groups)
        .map(|(s, h)| (s.clone(), of(h)))
        .collect()
}

fn of(hold: &Hold) -> Of {
    Of {
        plan: hold.plan.clone(),
        entry: hold.hash.clone(),
        login: hold.login.clone(),
        rest: hold.rest,
    }
}

fn within(args: &ApproveArgs) -> Result<TimeDelta, CliError> {
    let Some(within) = args.within else {
        return Ok(LONGEST);
    };
    match TimeDelta::from_std(within) {
        Ok(t) if t <= LONGEST && t >= TimeDelta::seconds(1) => Ok(t),
        _ => Err(CliError::usage("--for is from 1s to 24h; nothing was done")),
    }
}

fn signers(config: &Config) -> Result<Signers, CliError> {
    let Some(approvals) = &config.approvals else {
        return Err(
            CliError::config("the configuration has no [approvals]: nobody is listed who may approve")
                .hint("[approvals] signers = \"/etc/jml/approvers\", in the form of OpenSSH's allowed_signers."),
        );
    };
    Ok(approvals.read(&config.folder())?)
}

fn sign(cx: &Context, key: Option<&Path>, approval: &Approval) -> Result<String, CliError> {
    let path = match key {
        Some(path) => path.to_owned(),
        None => usual(cx).ok_or_else(|| {
            CliError::usage(
                "no key to sign with: neither ~/.ssh/id_ed25519 nor ~/.ssh/id_ecdsa is there; nothing was done",
            )
            .hint("Give --key FILE, or sign what --print writes: jml help run approve.")
        })?,
    };
    let name = text::shell(&path.display().to_string()).into_owned();
    let unread = |why: String| CliError::usage(format!("the key {name} can't be used: {why}; nothing was done"));
    let secret = private(&path).map_err(unread)?;
    let key = PrivateKey::from_openssh(secret.expose_secret())
        .map_err(|_| unread("it is no private key in OpenSSH's form".into()))?;
    let algorithm = key.algorithm();
    let plain = matches!(
        algorithm,
        ssh_key::Algorithm::Ed25519 | ssh_key::Algorithm::Ecdsa { .. }
    );
    if key.is_encrypted() || !plain {
        let why = match plain {
            true => "it is behind a passphrase".to_owned(),
            false => format!("keys of type {algorithm} don't sign here"),
        };
        return Err(unread(why).hint(format!(
            "Sign with ssh-keygen what --print writes: ssh-keygen -Y sign -n {NAMESPACE} -f {name} TEXT; then --signature TEXT.sig."
        )));
    }
    approval::sign(&key, &approval.text()).map_err(unread)
}

fn usual(cx: &Context) -> Option<PathBuf> {
    let folder = cx.env.home.as_ref()?.join(".ssh");
    ["id_ed25519", "id_ecdsa"]
        .iter()
        .map(|n| folder.join(n))
        .find(|p| p.exists())
}

/// The text that was signed lies where ssh-keygen found it.
fn beside(signature: &Path) -> Result<String, CliError> {
    if signature.extension().is_none_or(|e| e != "sig") {
        return Err(CliError::usage(
            "--signature is named TEXT.sig, as ssh-keygen writes it, and TEXT lies beside it; nothing was done",
        ));
    }
    file(&signature.with_extension(""))
}

fn file(path: &Path) -> Result<String, CliError> {
    use std::io::Read;
    let name = path.display().to_string();
    let unread =
        |why: &dyn std::fmt::Display| CliError::usage(format!("{name} can't be read: {why}; nothing was done"));
    let mut read = String::new();
    std::fs::File::open(path)
        .and_then(|f| f.take(MOST).read_to_string(&mut read))
        .map_err(|e| unread(&e))?;
    Ok(read)
}

/// May this signature allow this, at this time?
fn judged(
    approval: &Approval,
    signature: String,
    signers: &Signers,
    state: &State,
    holds: &BTreeMap<Subject, Hold>,
    now: DateTime<Utc>,
) -> Result<Approved, CliError> {
    let refused = |why: String| CliError::refused(format!("{why}; nothing was done"));
    if approval.expires <= now {
        return Err(CliError::stale(format!(
            "the approval ended {}; nothing was done",
            text::instant(approval.expires)
        )));
    }
    if approval.expires > now + LONGEST + SKEW {
        return Err(refused("the approval is for longer than 24 hours".into()));
    }
    let key = approval::signed(&approval.text(), &signature)
        .map_err(|why| refused(format!("the signature is not accepted: {why}")))?;
    let signer = signers
        .find(&key.fingerprint, NAMESPACE, now)
        .map_err(|why| refused(format!("the key {} {why}", key.fingerprint)))?;
    for author in authors(state, holds) {
        if signer.principals.iter().any(|p| same_person(p, author)) {
            return Err(refused(format!(
                "{author} ran what is held and can't approve it: somebody else has to"
            )));
        }
    }
    Ok(Approved {
        approval: approval.clone(),
        signer: signer.principals.first().cloned().unwrap_or_default(),
        key: key.fingerprint,
        signature,
    })
}

/// Whoever ran the command that was held, or anything that was held in its run.
fn authors<'a>(state: &'a State, holds: &'a BTreeMap<Subject, Hold>) -> BTreeSet<&'a str> {
    let opened = state.opened.iter().map(|(_, o)| o.operator.as_str());
    opened.chain(holds.values().map(|h| h.by.as_str())).collect()
}

/// The same text a second time would be the same approval twice.
fn given(state: &State, approved: &Approved) -> Result<(), CliError> {
    let text = approved.approval.text();
    let same = |(_, r): &(&Seq, &crate::ledger::fold::ApprovalRecord)| r.approved.approval.text() == text;
    match state.approvals.iter().find(same) {
        None => Ok(()),
        Some((seq, r)) => Err(CliError::stale(match r.spent {
            Some(at) => format!(
                "this approval is ledger entry {seq} and was used {}; nothing was done",
                text::instant(at)
            ),
            None => format!("this approval is ledger entry {seq} already; nothing was done"),
        })),
    }
}

/// What somebody else allowed: whom, by which entries.
#[derive(Debug, Default)]
pub struct Granted {
    pub people: BTreeSet<Subject>,
    pub spends: Vec<Seq>,
    /// `erin@acme.example, ledger entry 41`
    pub by: Vec<String>,
}

/// Looks at every approval of the run again. The newest that doesn't count says why there is none.
pub fn granted(
    config: &Config,
    tenant: &str,
    operator: &str,
    state: &State,
    holds: &BTreeMap<Subject, Hold>,
    now: DateTime<Utc>,
) -> Result<Granted, CliError> {
    let signers = signers(config)?;
    let (mut out, mut refusal) = (Granted::default(), None);
    for (seq, record) in state.approvals.iter().rev() {
        match counts(&record.approved, &signers, tenant, operator, state, holds, now) {
            Ok(covers) => {
                let before = out.people.len();
                out.people.extend(covers);
                if out.people.len() > before {
                    out.spends.push(*seq);
                    out.by.push(format!("{}, ledger entry {seq}", record.approved.signer));
                }
            }
            Err(e) => {
                refusal.get_or_insert(e);
            }
        }
    }
    match (out.people.is_empty(), refusal) {
        (false, _) => Ok(out),
        (true, Some(e)) => Err(e),
        (true, None) => Err(CliError::refused(format!(
            "run {} needs an approval by somebody else; nothing was done",
            state.run
        ))),
    }
}

fn counts(
    approved: &Approved,
    signers: &Signers,
    tenant: &str,
    operator: &str,
    state: &State,
    holds: &BTreeMap<Subject, Hold>,
    now: DateTime<Utc>,
) -> Result<Vec<Subject>, CliError> {
    let a = &approved.approval;
    let text = a.text();
    let used = |r: &crate::ledger::fold::ApprovalRecord| r.spent.filter(|_| r.approved.approval.text() == text);
    if let Some(at) = state.approvals.values().find_map(used) {
        return Err(CliError::stale(format!(
            "the approval by {} was used {}; nothing was done",
            approved.signer,
            text::instant(at)
        )));
    }
    if a.tenant != tenant || a.run != state.run {
        return Err(CliError::refused(
            "the approval is of another tenant or run; nothing was done",
        ));
    }
    judged(a, approved.signature.clone(), signers, state, holds, now)?;
    let principals = signers
        .find(&approved.key, NAMESPACE, now)
        .map_or(&[][..], |s| &s.principals[..]);
    if principals.iter().any(|p| same_person(p, operator)) {
        return Err(CliError::refused(format!(
            "{operator} signed for it and can't apply it too: somebody else has to; nothing was done"
        )));
    }
    let same = |(s, of_it): &(&Subject, &Of)| holds.get(*s).is_some_and(|h| of(h) == **of_it);
    let covers: Vec<Subject> = a.people.iter().filter(same).map(|(s, _)| s.clone()).collect();
    match covers.is_empty() {
        true => Err(CliError::stale(format!(
            "what {} approved is not held any more; nothing was done",
            approved.signer
        ))),
        false => Ok(covers),
    }
}
