//! A secret from a program: an absolute path, no shell, an empty environment, a time limit, a size limit. What it says on stderr is
//! shown to nobody: it may be the secret.

use std::{process::Stdio, time::Duration};

use secrecy::SecretString;
use tokio::{io::AsyncReadExt, process::Command};

const PATIENCE: Duration = Duration::from_secs(20);
const MOST: u64 = 64 << 10;

pub(super) async fn run(argv: &[String]) -> Result<SecretString, String> {
    let (program, arguments) = argv.split_first().ok_or("it names no program")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| e.to_string())?;
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let whole = async {
        let mut bytes = Vec::new();
        stdout
            .take(MOST + 1)
            .read_to_end(&mut bytes)
            .await
            .map_err(|e| e.to_string())?;
        if bytes.len() as u64 > MOST {
            return Err(format!("it wrote over {MOST} bytes"));
        }
        let status = child.wait().await.map_err(|e| e.to_string())?;
        if !status.success() {
            return Err(format!("it failed ({status})"));
        }
        super::trimmed(bytes)
    };
    tokio::time::timeout(PATIENCE, whole)
        .await
        .map_err(|_| format!("it gave nothing for {} s", PATIENCE.as_secs()))?
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(String::from).to_vec()
    }

    #[tokio::test]
    async fn output_is_the_secret_and_the_environment_is_empty() {
        assert_eq!(run(&sh("echo hunter2")).await.unwrap().expose_secret(), "hunter2");
        assert_eq!(run(&sh("echo \"[$HOME]\"")).await.unwrap().expose_secret(), "[]");
    }

    #[tokio::test]
    async fn a_failure_tells_nothing_of_what_was_written() {
        let why = run(&sh("echo hunter2; echo hunter2 >&2; exit 3")).await.unwrap_err();
        assert!(!why.contains("hunter2"), "{why}");
        assert!(run(&sh("head -c 100000 /dev/zero")).await.unwrap_err().contains("over"));
        assert!(run(&["/nowhere/at/all".to_owned()]).await.is_err());
    }
}
