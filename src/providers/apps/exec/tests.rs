//! What the conformance suite doesn't ask: who is started, with what, and for how long.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::*;
use crate::{
    http::Credential,
    model::{Failure, Kind},
    providers::Settings as _,
};

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("program");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn program(path: &Path, text: &str) -> Program {
    Program {
        system: System::of("doors"),
        path: path.to_owned(),
        sha256: hex::encode(Sha256::digest(text)),
        args: vec!["--quiet".into()],
        patience: Duration::from_secs(5),
    }
}

fn question() -> Map<String, Value> {
    Map::from_iter([("ask".to_owned(), "tenant".into())])
}

fn secret(text: &'static str) -> Credential {
    Arc::new(move || Box::pin(async move { Ok(SecretString::from(text)) }))
}

async fn asked(text: &str) -> Result<Option<String>, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), text);
    let answer = program(&path, text).ask("ask", question(), None).await?;
    Ok(answer.tenant)
}

#[tokio::test]
async fn the_environment_is_empty_and_arguments_are_as_they_stand() {
    let said =
        asked("#!/bin/sh\nread -r in\necho \"{\\\"v\\\":1,\\\"tenant\\\":\\\"[$HOME$USER$LANG] $1 $#\\\"}\"\n").await;
    assert_eq!(said.unwrap().as_deref(), Some("[] --quiet 1"));
}

#[tokio::test]
async fn the_credential_goes_by_standard_input_alone() {
    let text = "#!/bin/sh\nread -r in\ncase $in in *'\"credential\":\"hun\\\"ter2\"'*) echo '{\"v\":1,\"tenant\":\"told\"}' ;; esac\n";
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &text.replace("hun\\\"ter2", "hunter2"));
    let program = program(&path, &text.replace("hun\\\"ter2", "hunter2"));
    let answer = program.ask("ask", question(), Some(&secret("hunter2"))).await.unwrap();
    assert_eq!(answer.tenant.as_deref(), Some("told"));
}

#[tokio::test]
async fn another_program_than_the_pinned_one_is_never_started() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("started");
    let text = format!("#!/bin/sh\n: > {}\necho '{{\"v\":1}}'\n", trace.display());
    let path = write(folder.path(), &text);
    let other = Program {
        sha256: "0".repeat(64),
        ..program(&path, &text)
    };
    let failure = other.act("act", question(), None).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Permanent);
    assert!(failure.summary.contains("sha256"), "{failure}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let failure = program(&path, &text).act("act", question(), None).await.unwrap_err();
    assert!(failure.summary.contains("others may write"), "{failure}");
    assert!(!trace.exists());
}

#[tokio::test]
async fn one_that_does_not_end_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let text = "#!/bin/sh\n/bin/sleep 600 &\nwait\n";
    let path = write(folder.path(), text);
    let slow = Program {
        patience: Duration::from_millis(300),
        ..program(&path, text)
    };
    let failure = slow.act("act", question(), None).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.summary.as_str()),
        (Kind::Doubt, "no answer within 300ms")
    );
    assert_eq!(
        slow.ask("ask", question(), None).await.unwrap_err().kind,
        Kind::Transient
    );
}

#[tokio::test]
async fn one_that_says_too_much_is_not_heard() {
    let failure = asked("#!/bin/sh\nexec /bin/cat /dev/zero\n").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Transient);
    assert!(failure.summary.contains("over"), "{failure}");
}

#[test]
fn settings_that_leave_a_way_open_are_refused() {
    let digest = "a".repeat(64);
    let text = |program: &str, digest: &str, rest: &str| {
        format!(
            "observe = {{ program = \"{program}\", sha256 = \"{digest}\" }}\nperform = {{ program = \"/b\", sha256 = \"{digest}\" }}\n{rest}"
        )
    };
    let check = |text: String| toml::from_str::<Settings>(&text).map_err(|e| e.to_string())?.check();
    let rest = "can = [\"suspend\"]\ncanary = \"E-1\"";
    assert_eq!(check(text("/a", &digest, rest)), Ok(()));
    for (settings, why) in [
        (text("a", &digest, rest), "absolute path"),
        (text("/a", "abc", rest), "64 hexadecimal"),
        (text("/a", &digest, "can = [\"suspend\"]"), "canary"),
        (
            text("/a", &digest, "can = [\"create-person\"]\ncanary = \"E-1\""),
            "create-person",
        ),
        (text("/a", &digest, &format!("{rest}\ntimeout = \"2h\"")), "timeout"),
    ] {
        let said = check(settings).unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
    }
}
