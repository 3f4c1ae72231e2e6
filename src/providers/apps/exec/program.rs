//! One run of a program: is it the one that was pinned, then JSON in, JSON out, within its time.

use std::{io::ErrorKind, path::PathBuf, process::Stdio, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

use super::wire::{Answer, refusal};
use crate::{
    config::trusted,
    http::{Credential, sentence},
    model::{Failure, Kind, System},
};

/// Of what a program may say.
const MOST: u64 = 4 << 20;
/// Of what a program may be.
const LARGEST: u64 = 64 << 20;

pub struct Program {
    pub system: System,
    pub path: PathBuf,
    pub sha256: String,
    pub args: Vec<String>,
    pub patience: Duration,
}

/// Why there is no answer.
enum Lost {
    /// It was never started: nothing was done.
    Unborn(Failure),
    /// It ran, and nobody can tell what became of it.
    Midway(String),
    /// It ended well, and what it said is none of the protocol.
    Gibberish(String),
}

impl Program {
    /// A question changes nothing: whatever goes wrong, it may be asked again.
    pub async fn ask(
        &self,
        what: &str,
        question: Map<String, Value>,
        credential: Option<&Credential>,
    ) -> Result<Answer, Failure> {
        let said = self.run(what, question, credential).await?;
        said.map_err(|lost| match lost {
            Lost::Unborn(failure) => failure,
            Lost::Midway(why) => Failure::transient(what, why),
            Lost::Gibberish(why) => Failure::contradiction(what, why),
        })
        .and_then(|answer| refusal(answer, what))
    }

    /// Once it was started, it may have happened: without a word of the protocol that is a doubt.
    pub async fn act(
        &self,
        what: &str,
        order: Map<String, Value>,
        credential: Option<&Credential>,
    ) -> Result<Answer, Failure> {
        let said = self.run(what, order, credential).await?;
        said.map_err(|lost| match lost {
            Lost::Unborn(failure) => failure,
            Lost::Midway(why) | Lost::Gibberish(why) => Failure::new(Kind::Doubt, what, why),
        })
        .and_then(|answer| refusal(answer, what))
    }

    /// Is it still what was pinned, in a place that nobody else can write to?
    pub async fn verify(&self) -> Result<(), Failure> {
        let what = format!("check {}", self.path.display());
        let wrong = |why: String| {
            Failure::permanent(&what, why).run(
                "put back the program that was reviewed, or review this one and pin its digest anew",
                format!("sha256sum {}", self.path.display()),
            )
        };
        let path = self.path.clone();
        let trust = tokio::task::spawn_blocking(move || trusted(&path).map_err(|e| e.message().to_owned()));
        trust
            .await
            .unwrap_or_else(|_| Err("the check was cut short".into()))
            .map_err(wrong)?;
        let meta = tokio::fs::metadata(&self.path)
            .await
            .map_err(|e| wrong(e.to_string()))?;
        if meta.len() > LARGEST {
            return Err(wrong(format!("it is over {LARGEST} bytes")));
        }
        let bytes = tokio::fs::read(&self.path).await.map_err(|e| wrong(e.to_string()))?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != self.sha256 {
            return Err(wrong(format!("its sha256 is {found}, not the one that is pinned")));
        }
        Ok(())
    }

    async fn run(
        &self,
        what: &str,
        mut input: Map<String, Value>,
        credential: Option<&Credential>,
    ) -> Result<Result<Answer, Lost>, Failure> {
        self.verify().await?;
        let secret = match credential {
            Some(credential) => Some(credential().await?),
            None => None,
        };
        input.insert("v".into(), 1.into());
        input.insert("system".into(), self.system.as_str().into());
        let text = with_secret(&Value::Object(input), secret.as_ref());
        let child = match self.spawn(what).await {
            Ok(child) => child,
            Err(failure) => return Ok(Err(Lost::Unborn(failure))),
        };
        let group = child.id();
        let said = tokio::time::timeout(self.patience, converse(child, text)).await;
        if !matches!(said, Ok(Ok(_))) {
            end(group); // what it started itself goes with it
        }
        let bytes = match said {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(why)) => return Ok(Err(Lost::Midway(why))),
            Err(_) => {
                let why = format!("no answer within {}", humantime::format_duration(self.patience));
                return Ok(Err(Lost::Midway(why)));
            }
        };
        Ok(serde_json::from_slice::<Answer>(&bytes).map_err(|e| {
            // Where, not what: the words may be anybody's.
            Lost::Gibberish(format!(
                "its answer is not of the protocol (line {}, column {})",
                e.line(),
                e.column()
            ))
        }))
    }

    async fn spawn(&self, what: &str) -> Result<Child, Failure> {
        let mut tries = 0;
        loop {
            let born = Command::new(&self.path)
                .args(&self.args)
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .process_group(0)
                .kill_on_drop(true)
                .spawn();
            match born {
                Ok(child) => return Ok(child),
                // Somebody writes to it at this moment, or forked while they did.
                Err(e) if e.kind() == ErrorKind::ExecutableFileBusy && tries < 20 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                Err(e) => {
                    return Err(Failure::permanent(
                        what,
                        format!("{} can't be started: {}", self.path.display(), sentence(&e.to_string())),
                    )
                    .hint(
                        "make it executable for the account that runs jml (mode 0755), with an interpreter that exists",
                    ));
                }
            }
        }
    }
}

/// The whole question with the credential in it, in memory that is wiped.
fn with_secret(input: &Value, secret: Option<&SecretString>) -> SecretString {
    let mut text = input.to_string();
    if let Some(secret) = secret {
        text.pop();
        text += ",\"credential\":";
        text += &Value::from(secret.expose_secret()).to_string();
        text.push('}');
    }
    text.push('\n');
    text.into()
}

async fn converse(mut child: Child, text: SecretString) -> Result<Vec<u8>, String> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("it has no input or output".into());
    };
    let tell = async {
        // A program that doesn't read its question to the end may still answer.
        let _ = stdin.write_all(text.expose_secret().as_bytes()).await;
        drop(stdin);
    };
    let hear = async {
        let mut bytes = Vec::new();
        let read = stdout.take(MOST + 1).read_to_end(&mut bytes).await;
        read.map_err(|e| e.to_string()).map(|_| bytes)
    };
    let ((), bytes) = tokio::join!(tell, hear);
    let bytes = bytes?;
    if bytes.len() as u64 > MOST {
        return Err(format!("it said over {MOST} bytes"));
    }
    let status = child.wait().await.map_err(|e| e.to_string())?;
    if status.success() {
        Ok(bytes)
    } else {
        Err(format!("it failed ({status})"))
    }
}

fn end(group: Option<u32>) {
    let group = group.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL); // it may be gone already
    }
}
