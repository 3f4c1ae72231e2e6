//! What the process keeps to itself while secrets pass through it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use regex::Regex;

use crate::env::{Env, code, small};

#[test]
fn a_process_at_work_leaves_no_core_and_writes_for_its_owner_alone() {
    let env = Env::new();
    let point = crate::pause::POINT;
    let s = env.world(&small(), &["--fault", &format!("{point}=hold")]);
    let argv = ["leaver", crate::pause::LEE, "--confirm", crate::pause::LEE];
    let mut child = s
        .command(&env, &argv)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(s.hit(&mut child), point);
    let told = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    let (limits, status) = (told("limits"), told("status"));
    s.release();
    assert_eq!(code(child.wait().unwrap()), 0);
    let none = Regex::new(r"(?m)^Max core file size +0 +0 ").unwrap();
    assert!(none.is_match(&limits), "{limits}");
    assert!(status.contains("Umask:\t0077"), "{status}");
    let ledger = fs::metadata(env.path("ledger.db")).unwrap().permissions();
    assert_eq!(ledger.mode() & 0o777, 0o600);
}

/// The kernel's own word: nobody of the same account may read its memory.
#[test]
fn a_process_is_not_to_be_read_by_a_debugger() {
    if !Path::new("/usr/bin/strace").exists() {
        #[expect(clippy::disallowed_macros, reason = "a skip is said aloud")]
        let () = eprintln!("SKIPPED: strace(1) is not here, so nobody can see what jml asks of the system");
        return;
    }
    let env = Env::new();
    let trace = env.path("trace");
    let jml = env.command(&["help", "exit-codes"]);
    let mut strace = Command::new("/usr/bin/strace");
    strace.args(["-f", "-e", "trace=prctl", "-o"]).arg(&trace);
    strace.arg(jml.get_program()).args(jml.get_args()).env_clear();
    strace.envs(jml.get_envs().filter_map(|(k, v)| Some((k, v?))));
    let out = strace.output().unwrap();
    assert_eq!(code(out.status), 0, "{}", String::from_utf8_lossy(&out.stderr));
    let asked = fs::read_to_string(trace).unwrap();
    assert!(
        asked.contains("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0"),
        "{asked}"
    );
}

/// A link that somebody laid at the place of an output leads nowhere.
#[test]
fn a_plan_is_saved_for_its_owner_and_follows_no_link() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    let save = |name: &str| {
        let path = env.path(name);
        let argv = [
            "leaver",
            crate::pause::LEE,
            "--dry-run",
            "--save-plan",
            path.to_str().unwrap(),
        ];
        s.jml(&env, &argv)
    };
    save("plan.json").exits(0);
    let mode = fs::metadata(env.path("plan.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let victim = env.path("victim");
    std::os::unix::fs::symlink(&victim, env.path("link.json")).unwrap();
    save("link.json").exits(2);
    assert!(!victim.exists());
}
