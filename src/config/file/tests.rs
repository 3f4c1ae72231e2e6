use chrono_tz::Tz;

use super::*;
use crate::model::policy::{Day, GroupsOwner, OnBrake};

const GOOD: &str = r##"
[systems.okta]
url = "https://acme.okta.com"
key = "file:okta.pem"
[systems.slack]
write = "file:slack"
[policy]
zone = "America/Chicago"
zones = { "Sydney" = "Australia/Sydney" }
birthright = { Employee = ["BR-ALL"] }
departments = { Engineering = "ENG" }
[[policy.rule]]
when = { department = "Engineering", title = "*SRE*" }
groups = ["APP-ONCALL"]
slack = ["#sre"]
[limits]
leavers = "30 or 3%"
[protect]
people = ["breakglass@acme.example", { login = "svc@acme.example", owner = "it" }]
"##;

fn read(text: &str) -> Result<Config, ConfigError> {
    Config::parse("jml.toml", text.to_owned())
}
fn refused(from: &str, to: &str) -> ConfigError {
    assert!(GOOD.contains(from));
    read(&GOOD.replace(from, to)).unwrap_err()
}

#[test]
fn a_whole_file_is_read() {
    let c = read(GOOD).unwrap();
    assert_eq!(
        c.systems.keys().map(System::as_str).collect::<Vec<_>>(),
        ["okta", "slack"]
    );
    assert_eq!(c.policy.zones["Sydney"], Tz::Australia__Sydney);
    assert_eq!(c.policy.birthright["employee"], ["BR-ALL"]);
    assert_eq!(c.policy.rules[0].gives[&System::of("slack")], ["#sre"]);
    assert_eq!(
        (c.limits.leavers.count, c.limits.leavers.percent),
        (Some(30), Some(3.0))
    );
    assert_eq!((c.protected.len(), c.protected[1].owner.as_deref()), (2, Some("it")));
    assert_eq!(
        (c.policy.termination_day, c.policy.groups_owner),
        (Day::End, GroupsOwner::Jml)
    );
    assert_eq!((c.limits.on_brake, c.roster.source.as_str()), (OnBrake::Hold, "okta"));
    assert!(!c.loopback_only());
}

#[test]
fn an_error_names_line_and_column_and_the_key_that_was_meant() {
    let e = refused("zone = \"America", "zon = \"America");
    assert_eq!(e.place(), Some((8, 1)));
    assert_eq!(e.hint(), Some("did you mean `zone`?"));
    assert!(
        e.to_string().starts_with("jml.toml:8:1: there is no key `zon` here"),
        "{e}"
    );
    let shown = e.render(false);
    assert!(
        shown.contains("jml.toml:8:1") && shown.contains("zon = \"America/Chicago\""),
        "{shown}"
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_never_shown() {
    for text in [
        "[ledger]\nkey = \"xoxb-hunter2\"",
        "[ledger]\nkey = 'hunter2:more'",
        "[http]\nproxy = \"https://jml:hunter2@proxy.acme.example\"",
        "[http]\nproxy = \"http://jml:hünter2@hunter2@proxy.acme.example/x\"",
        "[ledger]\nkey = \"file:k\"\nurl = \"postgres://jml:hunter2@db/jml?sslmode=prefer\"",
        "[ledger]\nkey = \"file:k\"\nurl = \"postgres://jml@db/jml?password=hunter2&sslmode=prefer\"",
    ] {
        let shown = read(&format!("{GOOD}{text}\n")).unwrap_err().render(false);
        assert!(
            !shown.contains("hunter2") && !shown.contains("hünter2") && shown.contains("***"),
            "{shown}"
        );
        assert!(shown.contains("jml.toml:"), "{shown}");
    }
}

#[test]
fn values_are_checked_where_they_stand() {
    let place = |from, to| refused(from, to).place();
    assert_eq!(place("America/Chicago", "America/Chicgo"), Some((8, 8)));
    assert_eq!(place("Australia/Sydney", "Sydney"), Some((9, 22)));
    assert_eq!(place("30 or 3%", "many"), Some((17, 11)));
    assert_eq!(place("slack = [", "slakc = ["), Some((15, 1)));
    assert_eq!(place("title =", "titel ="), Some((13, 38)));
    assert_eq!(place("owner = \"it\"", "ownr = \"it\""), Some((19, 68)));
    assert!(read("[policy]\nzone = ").unwrap_err().place().is_some());
}

#[test]
fn what_this_release_lacks_is_refused_and_not_ignored() {
    let e = read(&format!("{GOOD}[[freeze]]\nx = 1\n")).unwrap_err();
    assert!(e.message().contains("not in this release"), "{e}");
    let e = read(&format!("{GOOD}[polcy]\n")).unwrap_err();
    assert_eq!(e.hint(), Some("did you mean [policy]?"));
}

#[test]
fn roles_are_four_and_an_empty_table_is_one() {
    use crate::config::{Member, Role};
    assert!(read(GOOD).unwrap().roles.is_none(), "not there: everything is allowed");
    assert!(read(&format!("{GOOD}[roles]\n")).unwrap().roles.is_some());
    let c = read(&format!("{GOOD}[roles]\nengineer = [\"%iam\", \"jml\"]\n")).unwrap();
    let engineers = c.roles.unwrap().of(Role::Engineer).to_vec();
    assert_eq!(engineers, [Member::Group("iam".into()), Member::Login("jml".into())]);
    for (text, why) in [
        ("enginer = []", "no key `enginer`"),
        ("engineer = [\"oidc:dana\"]", "vault:ENTITY"),
        ("engineer = \"dana\"", "expected a sequence"),
    ] {
        let e = read(&format!("{GOOD}[roles]\n{text}\n")).unwrap_err();
        assert!(e.message().contains(why) && e.place().is_some(), "{e}");
    }
}

#[test]
fn a_ledger_is_in_a_file_or_on_a_server_whose_hosts_share_a_key() {
    let ledger = |text: &str| read(&format!("{GOOD}[ledger]\n{text}\n"));
    let url = "url = \"postgres://jml@db.acme.example/jml\"";
    let shared = ledger(&format!("{url}\npassword = \"file:pg\"\nkey = \"file:k\"")).unwrap();
    assert!(shared.ledger.url.unwrap().tls);
    for (text, why) in [
        (format!("{url}\nkey = \"file:k\"\npath = \"x.db\""), "not both"),
        (url.to_owned(), "needs key"),
        ("password = \"file:pg\"".to_owned(), "on a server"),
        (
            "url = \"postgres://jml@db/jml?sslmode=prefer\"".to_owned(),
            "falls back to plain text",
        ),
    ] {
        let e = ledger(&text).unwrap_err();
        assert!(e.message().contains(why) && e.place().is_some(), "{e}");
    }
    // A ledger elsewhere is no pretence: what is for loopback alone is refused beside it.
    let local = "[systems.okta]\nurl = \"http://127.0.0.1:1\"\nread = \"file:r\"\n[policy]\nzone = \"UTC\"\n[ledger]\nkey = \"file:k\"\n";
    assert!(!read(&format!("{local}{url}\n")).unwrap().loopback_only());
    assert!(
        read(&format!("{local}url = \"postgres://jml@localhost/jml\"\n"))
            .unwrap()
            .loopback_only()
    );
}

#[test]
fn a_roster_is_a_system_that_is_there() {
    let e = read(&format!("{GOOD}[roster]\nsource = \"csv\"\n")).unwrap_err();
    assert!(e.message().contains("[systems.csv]"), "{e}");
    let zoned = format!("{GOOD}[roster]\ntime_zone = \"Europe/Berlin\"\n");
    assert_eq!(read(&zoned).unwrap().policy.zone, Tz::Europe__Berlin);
}

#[test]
fn the_environment_is_for_loopback() {
    let e = refused("file:slack", "env:SLACK");
    assert!(e.message().contains("loopback") && e.place() == Some((6, 9)), "{e}");
    let local = "[systems.okta]\nurl = \"http://127.0.0.1:1\"\nread = \"env:R\"\n[policy]\nzone = \"UTC\"\n";
    assert!(read(local).unwrap().loopback_only());
    // Slack names no URL: it is the vendor's.
    assert!(read(&format!("{local}[systems.slack]\nwrite = \"env:W\"\n")).is_err());
    assert!(
        read(&format!("{local}[systems.csv]\npath = \"a.csv\"\n"))
            .unwrap()
            .loopback_only()
    );
    assert!(read(&local.replace("http://127.0.0.1:1", "HTTPS://acme.example")).is_err());
    for (more, fine) in [
        ("[systems.badge]\nkind = \"manual\"\ntasks = [\"return badge\"]\n", true),
        ("[systems.ad]\nkind = \"ldap\"\nurl = \"ldap://127.0.0.1:1\"\n", true),
        (
            "[systems.ad]\nkind = \"ldap\"\nurl = \"ldaps://dc1.acme.example\"\n",
            false,
        ),
        // Nobody knows with whom a program speaks.
        (
            "[systems.door]\nkind = \"exec\"\nobserve = { program = \"/a\" }\n",
            false,
        ),
    ] {
        assert_eq!(read(&format!("{local}{more}")).is_ok(), fine, "{more}");
    }
}

#[test]
fn a_sandboxs_file_speaks_to_loopback_and_runs_nothing() {
    let sandbox = "[sandbox]\ncontrol = \"http://127.0.0.1:2\"\nnonce = \"hunter2\"\n";
    let local = "[systems.okta]\nurl = \"http://127.0.0.1:1\"\nread = \"file:r\"\n[policy]\nzone = \"UTC\"\n";
    let c = read(&format!("{local}{sandbox}")).unwrap();
    assert!(!format!("{c:?}").contains("hunter2"));
    assert!(read(&format!("{GOOD}{sandbox}")).is_err());
    let command = local.replace("file:r", "command:[\\\"/bin/echo\\\"]");
    assert!(read(&command).is_ok());
    assert!(
        read(&format!("{command}{sandbox}"))
            .unwrap_err()
            .message()
            .contains("no program")
    );
}

#[test]
fn the_policys_digest_follows_its_meaning() {
    let base = read(GOOD).unwrap();
    let reworded = read(&format!("# a comment\n{GOOD}")).unwrap();
    assert_eq!(base.policy_digest(), reworded.policy_digest());
    assert_ne!(base.digest(), reworded.digest());
    let other = read(&GOOD.replace("\"ENG\"", "\"E\"")).unwrap();
    assert_ne!(base.policy_digest(), other.policy_digest());
}

#[test]
fn a_section_keeps_its_place() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code)]
        url: crate::config::BaseUrl,
        #[expect(dead_code)]
        key: crate::config::SecretRef<crate::config::Read>,
    }
    let section = |text: &str| read(text).unwrap().systems[&System::of("okta")].clone();
    section(GOOD).parse::<Settings>().unwrap();
    let e = section(&GOOD.replace("https://acme", "ftp://acme"))
        .parse::<Settings>()
        .unwrap_err();
    assert_eq!(e.place(), Some((3, 7)));
    let e = section(&GOOD.replace("file:okta.pem", "hunter2"))
        .parse::<Settings>()
        .unwrap_err();
    assert!(e.place() == Some((4, 7)) && !e.to_string().contains("hunter2"), "{e}");
    let e = section(&GOOD.replace("key =", "keys ="))
        .parse::<Settings>()
        .unwrap_err();
    assert_eq!((e.place(), e.hint()), (Some((4, 1)), Some("did you mean `key`?")));
}

const VAULT: &str = "[systems.vault]\nurl = \"http://127.0.0.1:2\"\n[systems.vault.read]\nrole_id = \"file:r\"\nsecret_id = \"file:s\"\n";

#[test]
fn vault_is_where_the_configuration_says_and_opens_itself_from_outside() {
    let slack = "[systems.slack]\nurl = \"http://127.0.0.1:1\"\nread = \"vault:jml/prod/slack#token\"\nwrite = \"vault:jml/prod-write/slack\"\n";
    let rest = "[policy]\nzone = \"UTC\"\n[roster]\nsource = \"slack\"\n";
    let e = read(&format!("{slack}{rest}")).unwrap_err();
    assert!(e.message().contains("needs [systems.vault]"), "{e}");
    let config = read(&format!("{slack}{VAULT}{rest}")).unwrap();
    let kept: Vec<(String, bool)> = config.kept_in_vault().into_iter().map(|k| (k.path, k.writes)).collect();
    assert_eq!(
        kept,
        [
            ("jml/prod/slack".to_owned(), false),
            ("jml/prod-write/slack".to_owned(), true)
        ]
    );
    let within = VAULT.replace("file:s", "vault:jml/x#y");
    let e = read(&format!("{slack}{within}{rest}")).unwrap_err();
    assert!(e.message().contains("can't be in Vault"), "{e}");
    // A sandbox's file speaks to loopback alone, and Vault is no exception.
    let sandbox = "[sandbox]\ncontrol = \"http://127.0.0.1:9\"\nnonce = \"n\"\n";
    assert!(read(&format!("{slack}{VAULT}{rest}{sandbox}")).is_ok());
    let away = VAULT.replace("http://127.0.0.1:2", "https://vault.acme.example");
    assert!(read(&format!("{slack}{away}{rest}{sandbox}")).is_err());
    let two = VAULT
        .replace("[systems.vault]", "[systems.other]\nkind = \"vault\"")
        .replace("systems.vault.read", "systems.other.read");
    assert!(read(&format!("{slack}{VAULT}{two}{rest}")).is_err());
}
