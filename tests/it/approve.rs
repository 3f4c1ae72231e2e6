//! Two people: what a brake held is applied only once somebody else has signed for it. Through the real binary.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use serde_json::{Value, json};
use ssh_key::{HashAlg, LineEnding, PrivateKey, private::Ed25519Keypair};

use crate::{
    desk::run_of,
    env::{Env, Out, Serve, mutating, small, stands_for_two},
};

/// Who runs a command, as sudo says it.
pub const DANA: &str = "dana";
pub const FINN: &str = "finn";

/// A firm of 2,200, so that 2 % are 44 and the limit is 25, with so many people who have left; a desk at which several people sit,
/// and two of them are listed as approvers: erin, and dana, who runs the sweeps.
pub struct Office {
    pub env: Env,
    pub serve: Serve,
}

fn leaver(n: usize) -> Value {
    json!({
        "id": format!("00u0000000000000l{n:03}"),
        "profile": {"login": format!("l{n}@acme.example"), "firstName": "L", "lastName": format!("Eaver{n}"),
            "department": "Engineering", "managerId": "kim@acme.example", "terminationDate": "2026-07-14"},
        "recorded": "2026-07-15T14:58:00Z",
        "groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG"],
    })
}

impl Office {
    fn new(people: usize, leavers: usize, approvals: bool) -> Office {
        let mut world = small();
        world["population"] = json!({"people": people});
        world["policy"] = json!({});
        // The leavers are all of their group; in a small firm the counts alone are what trips.
        world["limits"] = match people {
            2200 => json!({"leavers": "25 or 2%", "removals_per_group": "500"}),
            _ => json!({"leavers": "25", "leavers_24h": "50", "removals_per_group": "500"}),
        };
        world["apps"] = json!({"slack": {}});
        world["okta"]["apps"] = json!([]);
        let users = world["okta"]["users"].as_array_mut().unwrap();
        users.retain(|u| u["profile"]["login"] == "kim@acme.example");
        users.extend((0..leavers).map(leaver));
        Office::on(world, approvals)
    }

    pub fn on(mut world: Value, approvals: bool) -> Office {
        let env = Env::new();
        if approvals {
            world["config"] = json!({"approvals": {"signers": env.path("approvers").to_str().unwrap()}});
        }
        for (who, seed) in [("erin", 1), ("dana", 2), ("mallory", 3)] {
            let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
            private(&env.path(who), &key.to_openssh(LineEnding::LF).unwrap());
        }
        let office = Office {
            serve: env.world(&world, &[]),
            env,
        };
        office.list(&["erin", "dana"]);
        office
    }

    fn key(&self, who: &str) -> PrivateKey {
        PrivateKey::from_openssh(fs::read(self.env.path(who)).unwrap()).unwrap()
    }

    fn list(&self, names: &[&str]) {
        let line = |who: &&str| {
            let key = self.key(who).public_key().to_openssh().unwrap();
            format!("{who}@acme.example namespaces=\"jml-approve@v1\" {key}\n")
        };
        private(&self.env.path("approvers"), &names.iter().map(line).collect::<String>());
    }

    pub fn by(&self, who: &str, args: &[&str]) -> Out {
        let mut command = self.serve.command(&self.env, args);
        Out::of(command.env("SUDO_USER", who).env("SUDO_UID", "4711").output().unwrap())
    }

    /// The sweep of dana's, which is held.
    fn held(&self) -> String {
        run_of(&self.by(DANA, &["sweep", "--yes"]).exits(5).stderr)
    }

    pub fn approve(&self, run: &str, who: &str) -> Out {
        let key = self.env.path(who);
        self.by(DANA, &["run", "approve", run, "--key", key.to_str().unwrap()])
    }

    /// What `--print` writes, and who signed it beside it.
    fn signed(&self, run: &str, who: &str, namespace: &str) -> PathBuf {
        let text = self.by(DANA, &["run", "approve", run, "--print"]).exits(0).stdout;
        let (path, sig) = (self.env.path("text"), self.env.path("text.sig"));
        fs::write(&path, &text).unwrap();
        let made = self.key(who).sign(namespace, HashAlg::Sha512, text.as_bytes()).unwrap();
        fs::write(&sig, made.to_pem(LineEnding::LF).unwrap()).unwrap();
        sig
    }

    fn give(&self, run: &str, signature: &std::path::Path) -> Out {
        self.by(
            DANA,
            &["run", "approve", run, "--signature", signature.to_str().unwrap()],
        )
    }

    fn apply(&self, run: &str) -> Out {
        self.by(FINN, &["run", "apply", run, "--yes", "-o", "json"])
    }

    /// What changed somebody's access meanwhile.
    pub fn changed(&self, work: impl FnOnce()) -> usize {
        let calls = self.serve.during(work);
        let calls: Vec<_> = calls.into_iter().filter(|c| !c.records()).collect();
        mutating(&calls).len()
    }

    fn status(&self, n: usize) -> String {
        let user = &self.serve.state()["okta"]["users"][format!("00u0000000000000l{n:03}")];
        user["status"].as_str().unwrap().to_owned()
    }
}

fn private(path: &std::path::Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn results(doc: &Value, result: &str) -> usize {
    let people = doc["people"].as_array().unwrap();
    people.iter().filter(|p| p["result"] == result).count()
}

/// The mass of a bad file, and what lets it pass: a second key, for those who are still leavers.
#[test]
fn many_leavers_wait_for_a_second_key_and_those_still_true_are_applied() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(2200, 214, true);
    let mut run = String::new();
    let changed = office.changed(|| {
        let out = office.by(DANA, &["sweep", "--yes"]).exits(5);
        assert!(
            out.stderr.starts_with("BRAKE: 214 leavers found; the limit is 25"),
            "{}",
            out.stderr
        );
        run = run_of(&out.stderr);
        let next = format!("a second person:  jml run approve {run}");
        assert!(out.stderr.contains(&next), "{}", out.stderr);
    });
    assert_eq!(changed, 0);

    // Nobody has signed.
    let changed = office.changed(|| {
        let out = office.apply(&run).exits(6);
        assert!(
            out.stdout.contains("needs an approval by somebody else"),
            "{}",
            out.stdout
        );
    });
    assert_eq!(changed, 0);

    let said = office.approve(&run, "erin").exits(0);
    assert!(
        said.stdout
            .starts_with(&format!("214 plans of run {run} may be applied until")),
        "{}",
        said.stdout
    );
    // One of them stays after all.
    let stays = "00u0000000000000l007";
    office
        .serve
        .patch(json!({"okta": {"users": {stays: {"profile": {"terminationDate": null}}}}}));
    let done = office.apply(&run).exits(6).json();
    assert_eq!(
        (results(&done, "complete"), results(&done, "refused")),
        (213, 1),
        "{}",
        done["totals"]
    );
    assert_eq!(
        (office.status(7).as_str(), office.status(8).as_str()),
        ("ACTIVE", "DEPROVISIONED")
    );

    // Used up: whoever was left out needs another one.
    office
        .serve
        .patch(json!({"okta": {"users": {stays: {"profile": {"terminationDate": "2026-07-14"}}}}}));
    let out = office.apply(&run).exits(7);
    assert!(out.stdout.contains("was used"), "{}", out.stdout);
    assert_eq!(office.status(7), "ACTIVE");
    let kinds: Vec<Value> = crate::env::ledger(&office.env, &office.serve)
        .iter()
        .filter(|e| e["kind"] == "approved" || e["kind"] == "spent")
        .map(|e| json!([e["kind"], e["operator"], e["outcome"]]))
        .collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert_eq!(kinds[1], json!(["spent", FINN, "used"]));
}

#[test]
fn the_author_an_unlisted_key_and_another_text_are_refused() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(60, 30, true);
    let run = office.held();
    let refused = |out: Out, exit: i32, why: &str| {
        let out = out.exits(exit);
        assert!(out.stderr.contains(why), "{why}: {}", out.stderr);
        office.apply(&run).exits(6);
    };
    let changed = office.changed(|| {
        refused(
            office.approve(&run, "dana"),
            6,
            "dana ran what is held and can't approve it",
        );
        refused(office.approve(&run, "mallory"), 6, "is not listed");
        let git = office.signed(&run, "erin", "git");
        refused(office.give(&run, &git), 6, "made for \"git\"");
        // A listed key over a text that says more than what is held.
        let mine = office.signed(&run, "erin", "jml-approve@v1");
        let text = fs::read_to_string(office.env.path("text")).unwrap();
        let longer = text.replace("expires\t2026-07-16", "expires\t2026-07-19");
        assert_ne!(text, longer);
        fs::write(office.env.path("text"), &longer).unwrap();
        refused(office.give(&run, &mine), 6, "longer than 24 hours");
        let fewer: String = text.lines().take(20).map(|l| format!("{l}\n")).collect();
        fs::write(office.env.path("text"), fewer).unwrap();
        refused(office.give(&run, &mine), 7, "is not of what run");
        // An hour more or less is another text than the one that was signed.
        let later = text.replacen("T15:", "T14:", 1);
        assert_ne!(text, later);
        fs::write(office.env.path("text"), later).unwrap();
        refused(office.give(&run, &mine), 6, "not made over this text");
        // Somebody may be listed for other things.
        private(
            &office.env.path("approvers"),
            &format!(
                "erin namespaces=\"git\" {}\n",
                office.key("erin").public_key().to_openssh().unwrap()
            ),
        );
        refused(office.approve(&run, "erin"), 6, "for other namespaces alone");
    });
    assert_eq!(changed, 0);
    // The same signature over the same text is accepted where all is as it should be.
    office.list(&["erin"]);
    let good = office.signed(&run, "erin", "jml-approve@v1");
    office.give(&run, &good).exits(0);
    // Twice is once.
    let again = office.give(&run, &good).exits(7);
    assert!(again.stderr.contains("already"), "{}", again.stderr);
    // Whoever signed does not apply it too.
    let both = office.by("erin", &["run", "apply", &run, "--yes"]).exits(6);
    assert!(
        both.stderr.contains("erin signed for it and can't apply it too"),
        "{}",
        both.stderr
    );
    // Taken out of the list in between: out.
    office.list(&["dana"]);
    let out = office.apply(&run).exits(6);
    assert!(out.stdout.contains("is not listed"), "{}", out.stdout);
    office.list(&["erin"]);
    assert_eq!(results(&office.apply(&run).exits(0).json(), "complete"), 30);
    // Replayed once it is used: by the same file, and over what is held no more.
    let replayed = office.give(&run, &good).exits(7);
    assert!(
        replayed.stderr.contains("nothing is held in run"),
        "{}",
        replayed.stderr
    );
}

#[test]
fn an_approval_ends_and_a_signature_of_one_run_is_none_of_another() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(60, 30, true);
    let run = office.held();
    office.by(DANA, &["run", "approve", &run, "--for", "25h"]).exits(2);
    let key = office.env.path("erin");
    let key = key.to_str().unwrap();
    office
        .by(DANA, &["run", "approve", &run, "--key", key, "--for", "1h"])
        .exits(0);
    let shown = office.by(DANA, &["run", "show", &run]).exits(0).stdout;
    assert!(
        shown.contains("APPROVED 2026-07-15 15:") && shown.contains("30 plans by erin@acme.example"),
        "{shown}"
    );
    let old = office.signed(&run, "erin", "jml-approve@v1");
    let kept = fs::read_to_string(office.env.path("text")).unwrap();
    office.serve.set_clock("2026-07-16T15:30:00Z");
    let out = office.apply(&run).exits(7);
    assert!(
        out.stdout.contains("the approval ended 2026-07-15 16:"),
        "{}",
        out.stdout
    );
    let late = office.give(&run, &old).exits(7);
    assert!(late.stderr.contains("the approval ended"), "{}", late.stderr);
    // The next sweep holds the same plans anew; yesterday's word is none for them.
    let next = office.held();
    assert_ne!(run, next);
    fs::write(office.env.path("text"), kept).unwrap();
    let other = office.give(&next, &old).exits(7);
    assert!(other.stderr.contains("is not of what run"), "{}", other.stderr);
    office.apply(&next).exits(6);
    assert_eq!(office.status(3), "ACTIVE");
}

/// One person of many, and what ssh-keygen signs.
#[test]
#[expect(
    clippy::disallowed_macros,
    reason = "says what it leaves out where there is no ssh-keygen"
)]
fn ssh_keygens_signature_is_one_and_covers_only_what_it_names() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(60, 30, true);
    let run = office.held();
    let key = office.env.path("frida");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ecdsa", "-b", "256", "-N", "", "-f"])
        .arg(&key)
        .output();
    let Ok(made) = made else {
        eprintln!("skipped: there is no ssh-keygen here");
        return;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    private(
        &office.env.path("approvers"),
        &format!("frida {}", fs::read_to_string(office.env.path("frida.pub")).unwrap()),
    );
    let doc = office.by(DANA, &["run", "show", &run, "-o", "json"]).exits(0).json();
    let one = doc["people"][4]["plan"].as_str().unwrap().to_owned();
    let text = office.by(DANA, &["run", "approve", &one, "--print"]).exits(0).stdout;
    assert_eq!(text.matches("plan ").count(), 1, "{text}");
    fs::write(office.env.path("text"), &text).unwrap();
    let signed = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-q", "-n", "jml-approve@v1", "-f"])
        .args([&key, &office.env.path("text")])
        .output()
        .unwrap();
    assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    office.give(&one, &office.env.path("text.sig")).exits(0);
    // Everybody else needs an approval of their own.
    let done = office.apply(&run).exits(6).json();
    assert_eq!((results(&done, "complete"), results(&done, "refused")), (1, 29));
}

#[test]
fn without_approvals_one_persons_word_is_enough_and_that_is_said() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(60, 30, false);
    let run = office.held();
    let none = office.approve(&run, "erin").exits(2);
    assert!(none.stderr.contains("[approvals]"), "{}", none.stderr);
    let out = office.by(DANA, &["run", "apply", &run, "--yes"]).exits(0);
    assert!(out.stderr.contains("applied on one person's word"), "{}", out.stderr);
    assert_eq!(office.status(3), "DEPROVISIONED");
}

/// 24 at a time stay below the limit of 25; the third time the day's limit of 50 does not let pass.
#[test]
fn leavers_in_small_portions_are_held_by_the_days_count() {
    if !stands_for_two() {
        return;
    }
    let office = Office::new(60, 72, true);
    let due = |from: usize, to: usize| {
        let date = |n: usize| match n < to {
            true => "2026-07-14",
            false => "2027-07-14",
        };
        let users: serde_json::Map<String, Value> = (from..72)
            .map(|n| {
                (
                    format!("00u0000000000000l{n:03}"),
                    json!({"profile": {"terminationDate": date(n)}}),
                )
            })
            .collect();
        office.serve.patch(json!({"okta": {"users": users}}));
    };
    due(0, 24);
    office.by(DANA, &["sweep", "--yes"]).exits(0);
    office.serve.set_clock("2026-07-15T15:05:00Z");
    due(24, 48);
    // Another host has a name of its own and the same ledger.
    office.by(FINN, &["sweep", "--yes"]).exits(0);
    assert_eq!(
        (office.status(47).as_str(), office.status(48).as_str()),
        ("DEPROVISIONED", "ACTIVE")
    );
    office.serve.set_clock("2026-07-15T15:10:00Z");
    due(48, 72);
    let changed = office.changed(|| {
        let held = office.by(DANA, &["sweep", "--yes"]).exits(5).stderr;
        assert!(held.contains("72 leavers within 24 hours; the limit is 50"), "{held}");
    });
    assert_eq!(changed, 0);
    // A day after the first 48 the window has moved on: late, and done.
    office.serve.set_clock("2026-07-16T15:11:00Z");
    office.by(DANA, &["sweep", "--yes"]).exits(12);
    assert_eq!(office.status(71), "DEPROVISIONED");
}
