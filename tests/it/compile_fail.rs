//! What must not compile, each beside a twin that differs by one line and does: permission is a type, and no test at run time shows that.
//!
//! rustc is asked about the library that this very test was linked with; the code of its error is compared, so that a misspelt name
//! doesn't pass for a refusal.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The whole text, the line that must not compile, rustc's code for it, and the line that may stand in its place.
struct Probe {
    what: &'static str,
    text: &'static str,
    bad: &'static str,
    code: &'static str,
    good: &'static str,
}

const PROBES: &[Probe] = &[
    Probe {
        what: "a preview that writes",
        text: "use std::sync::Arc;
use jml::{config::BaseUrl, http::{Authorize, plain}, model::System, providers::Look};
pub fn preview(look: &Look, system: &System, url: &BaseUrl, authorize: Arc<dyn Authorize>) {
    LINE
}",
        bad: "let _ = look.writer(system, url, authorize, plain);",
        code: "E0599",
        good: "let _ = look.reader(system, url, authorize, plain);",
    },
    Probe {
        what: "a Writer past consent",
        text: "use std::sync::Arc;
use jml::{config::BaseUrl, http::{Authorize, Client, plain}, model::System};
pub fn shortcut(client: &Client, system: &System, url: &BaseUrl, authorize: Arc<dyn Authorize>) {
    LINE
}",
        bad: "let _ = client.writer(system, url.as_url(), authorize, plain);",
        code: "E0624",
        good: "let _ = client.reader(system, url.as_url(), authorize, plain);",
    },
    Probe {
        what: "a forged Agreed",
        text: "use jml::planner::{brake::{Cleared, PlanSet}, consent::{self, Agreed, Consent}};
pub fn permission(cleared: Cleared, set: PlanSet) -> Option<Agreed> {
    let _unused = (&cleared, &set, consent::agree, Consent::Standing);
    LINE
}",
        bad: "Some(Agreed { set, standing: true })",
        code: "E0451",
        good: "consent::agree(cleared, Consent::Standing).ok()",
    },
    Probe {
        what: "a Reader that posts",
        text: "use jml::http::{Ask, Reader};
pub async fn ask(http: &Reader, ask: Ask) {
    LINE
}",
        bad: "let _ = http.post(ask).await;",
        code: "E0599",
        good: "let _ = http.get(ask).await;",
    },
];

/// `target/PROFILE/deps`, where this test lies beside what it was linked with.
static DEPS: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
});

/// The newest library is the one that this test was linked with: Cargo has just built both.
fn library() -> PathBuf {
    let named = |p: &Path| {
        let name = p.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libjml-") && name.ends_with(".rlib")
    };
    let found = fs::read_dir(&*DEPS).unwrap().flatten().map(|e| e.path());
    found
        .filter(|p| named(p))
        .max_by_key(|p| fs::metadata(p).and_then(|m| m.modified()).ok())
        .expect("no libjml beside the test")
}

/// The codes of the errors that rustc finds: none where it compiles.
fn codes(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("probe.rs");
    fs::write(&file, text).unwrap();
    let mut library_is = OsString::from("jml=");
    library_is.push(library());
    let mut deps = OsString::from("dependency=");
    deps.push(&*DEPS);
    let out = Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--error-format",
            "json",
            "-L",
        ])
        .arg(deps)
        .arg("--extern")
        .arg(library_is)
        .arg("--out-dir")
        .arg(folder.path())
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    let errors: Vec<serde_json::Value> = said
        .lines()
        .filter_map(|l| serde_json::from_str(l).ok())
        .filter(|v: &serde_json::Value| v["level"] == "error" && !v["spans"].as_array().is_none_or(Vec::is_empty))
        .collect();
    assert_eq!(errors.is_empty(), out.status.success(), "{said}");
    errors
        .iter()
        .map(|v| v["code"]["code"].as_str().unwrap_or("none").to_owned())
        .collect()
}

#[test]
fn permission_cant_be_forged() {
    for probe in PROBES {
        let with = |line: &str| codes(&probe.text.replace("LINE", line));
        assert_eq!(with(probe.good), Vec::<String>::new(), "the twin of {}", probe.what);
        let mut refused = with(probe.bad);
        refused.dedup();
        assert_eq!(refused, [probe.code], "{}", probe.what);
    }
}
