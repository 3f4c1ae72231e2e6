//! By which door somebody came in: sudo's word on who they are, held against what the system itself says.
//!
//! A variable is only as good as whoever set it. sudo overwrites its own; a process of jml's account that another one of that account
//! started may carry whatever somebody wrote into them. What contradicts itself is nobody, never "then it is the account".

use nix::unistd::{Uid, User};

/// Who is at the keyboard, as far as this machine can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// Whom sudo let in, as somebody else than who it runs.
    Sudo(String),
    /// Nobody was let in: the account itself, as from a timer.
    Account(String),
    /// The variables say what can't be so.
    Contradiction(String),
}

/// What the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub login: String,
    /// None: SUDO_UID is missing, or no number.
    pub uid: Option<u32>,
}

/// What the system says, which no variable can change. What it doesn't tell is None.
#[derive(Clone, Debug, Default)]
struct Seen {
    me: u32,
    /// Of the number in SUDO_UID.
    login: Option<String>,
    /// Who began the session, as the kernel keeps it from the login on.
    session: Option<u32>,
    /// Whose process started this one.
    parent: Option<u32>,
}

impl Door {
    pub fn of(said: Option<&Said>) -> Door {
        let Some(said) = said else {
            return Door::Account(account());
        };
        let seen = Seen {
            me: rustix::process::getuid().as_raw(),
            login: said.uid.and_then(|uid| login(uid).ok().flatten()),
            session: session(),
            parent: parent(),
        };
        match let_in(said, &seen) {
            Ok(true) => Door::Sudo(said.login.clone()),
            Ok(false) => Door::Account(account()),
            Err(why) => Door::Contradiction(why),
        }
    }
}

/// Is this somebody whom sudo let in? False: the account, by sudo from itself.
fn let_in(said: &Said, seen: &Seen) -> Result<bool, String> {
    let Some(uid) = said.uid else {
        return Err("SUDO_USER is set without SUDO_UID, which sudo never does".into());
    };
    // Root may be anybody: it could write whatever would convince us.
    if seen.me == 0 {
        return Ok(uid != 0);
    }
    match &seen.login {
        Some(login) if *login == said.login => {}
        Some(_) | None => {
            return Err(format!(
                "SUDO_USER is not the login of number {uid}, which SUDO_UID says"
            ));
        }
    }
    if uid == seen.me {
        return Ok(false);
    }
    // A session of root's may have become anybody's.
    if let Some(began) = seen.session
        && began != uid
        && began != 0
    {
        return Err(format!(
            "SUDO_UID says {uid}, and the session was begun by number {began}"
        ));
    }
    // sudo runs as root, or has become this very process; what our own account started, sudo did not.
    if seen.parent == Some(seen.me) {
        return Err("a process of this same account started it, not sudo: call jml by sudo itself".into());
    }
    Ok(true)
}

/// The account that this runs as.
pub fn account() -> String {
    let uid = rustix::process::getuid().as_raw();
    login(uid).ok().flatten().unwrap_or_else(|| format!("uid {uid}"))
}

/// As the machine knows it, from wherever it has its accounts.
fn login(uid: u32) -> Result<Option<String>, nix::Error> {
    Ok(User::from_uid(Uid::from_raw(uid))?.map(|u| u.name))
}

/// Linux alone keeps it, and only where a login sets it.
fn session() -> Option<u32> {
    let id = std::fs::read_to_string("/proc/self/loginuid")
        .ok()?
        .trim()
        .parse()
        .ok()?;
    (id != u32::MAX).then_some(id)
}

fn parent() -> Option<u32> {
    let parent = rustix::process::getppid()?.as_raw_nonzero();
    let status = std::fs::read_to_string(format!("/proc/{parent}/status")).ok()?;
    real_uid(&status)
}

fn real_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Uid:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(login: &str, uid: Option<u32>) -> Said {
        Said {
            login: login.into(),
            uid,
        }
    }

    #[test]
    fn sudos_word_is_believed_where_the_system_does_not_contradict_it() {
        let seen = Seen {
            me: 990,
            login: Some("dana".into()),
            session: Some(1001),
            parent: Some(0),
        };
        let dana = said("dana", Some(1001));
        assert_eq!(let_in(&dana, &seen), Ok(true));
        // sudo became the process: the parent is dana's shell. No login set a session: cron, a container.
        for fine in [
            Seen {
                parent: Some(1001),
                ..seen.clone()
            },
            Seen {
                parent: None,
                session: None,
                ..seen.clone()
            },
            Seen {
                session: Some(0),
                ..seen.clone()
            },
        ] {
            assert_eq!(let_in(&dana, &fine), Ok(true), "{fine:?}");
        }
        let itself = Seen { me: 1001, ..seen };
        assert_eq!(let_in(&dana, &itself), Ok(false));
    }

    #[test]
    fn a_name_that_somebody_wrote_into_the_environment_is_nobodys() {
        let seen = Seen {
            me: 990,
            login: Some("dana".into()),
            session: None,
            parent: Some(0),
        };
        let dana = said("dana", Some(1001));
        let why = |s: &Said, seen: &Seen| let_in(s, seen).unwrap_err();
        assert!(why(&said("dana", None), &seen).contains("without SUDO_UID"));
        assert!(why(&said("erin", Some(1001)), &seen).contains("not the login of number 1001"));
        let nobody = Seen {
            login: None,
            ..seen.clone()
        };
        assert!(why(&dana, &nobody).contains("not the login"));
        let another = Seen {
            session: Some(1002),
            ..seen.clone()
        };
        assert!(why(&dana, &another).contains("begun by number 1002"));
        // A shell of jml's account, however it was come by, sets the variables of its choice.
        let within = Seen {
            parent: Some(990),
            ..seen
        };
        assert!(why(&dana, &within).contains("this same account"));
    }

    #[test]
    fn the_real_number_of_a_process_is_the_first() {
        assert_eq!(real_uid("Name:\tsudo\nUid:\t0\t990\t0\t0\nGid:\t1\n"), Some(0));
        assert_eq!(real_uid("Name:\tx\n"), None);
    }
}
