//! The real binary in a world of its own: an empty home, no environment, a zone that would show any use of local time.
//!
//! Nothing here knows what jml ought to say. Every process that a test starts is ended by its own handle.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{LazyLock, mpsc},
};

use regex::Regex;
use serde_json::{Value, json};

/// A home of one's own. Its folder lies in the system's temp folder, which counts as safe above a configuration.
pub struct Env {
    dir: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Out {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Env {
    pub fn new() -> Env {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["home", "state", "config"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Env { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `jml`, not started: to set a variable, a stream or a folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_jml"));
        c.args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("TMPDIR", self.dir.path())
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("TZ", "Pacific/Kiritimati")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        c
    }

    pub fn jml(&self, args: &[&str]) -> Out {
        Out::of(self.command(args).output().unwrap())
    }

    /// What `--sandbox` of this home was asked.
    pub fn journal(&self) -> Vec<Call> {
        calls(&self.path("state/jml/sandbox/journal.ndjson"))
    }

    /// `jml sandbox serve` on the firm of this home; `args` may be `--people 60`, `--fault …`.
    pub fn serve(&self, args: &[&str]) -> Serve {
        Serve::start(self, args)
    }

    /// The same, on a world of its own in memory.
    pub fn world(&self, given: &Value, args: &[&str]) -> Serve {
        fs::write(self.path("world.json"), given.to_string()).unwrap();
        let world = self.path("world.json");
        let all: Vec<&str> = ["--world", world.to_str().unwrap()]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        Serve::start(self, &all)
    }
}

impl Out {
    pub fn of(o: std::process::Output) -> Out {
        Out {
            exit: code(o.status),
            stdout: String::from_utf8(o.stdout).unwrap(),
            stderr: String::from_utf8(o.stderr).unwrap(),
        }
    }
    /// The same, or all that was said.
    #[track_caller]
    pub fn exits(self, wanted: i32) -> Out {
        assert_eq!(
            self.exit, wanted,
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }
    /// Each line a document.
    #[track_caller]
    pub fn ndjson(&self) -> Vec<Value> {
        let line = |l: &str| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"));
        self.stdout.lines().map(line).collect()
    }
    /// With times, ids and ports replaced, for a snapshot.
    pub fn shown(&self) -> String {
        filtered(&self.stdout)
    }
}

/// May this process stand for two operators? jml believes SUDO_USER of a process of its own account from root alone, who could write
/// whatever would convince it.
#[allow(clippy::disallowed_macros, reason = "a skip is said aloud")]
pub fn stands_for_two() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: two operators are one account here; root can stand for both");
    }
    root
}

/// The exit code; a signal counts as the shell counts it.
pub fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// What differs from run to run, by a word for each kind.
pub fn filtered(text: &str) -> String {
    static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z", "[INSTANT]"),
            (r"\b\d{4}-\d\d-\d\d\b", "[DAY]"),
            (r"\b\d\d:\d\d:\d\dZ", "[TIME]"),
            (r"\br-[0-9a-hjkmnp-tv-z]{6}\b", "[RUN]"),
            (r"\b[0-9a-f]{64}\b", "[SHA256]"),
            (r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", "[PLAN]"),
            (r"\bCHG\d+", "[CHANGE]"),
            (r"\bcheckpoint \d+", "checkpoint [N]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
            (r"\b(\d+d)?\d+h\d\dm\b|\b\d+m\d\ds\b|\b\d+(\.\d+)? (ms|s)\b", "[SPAN]"),
            (r"/tmp/\.tmp\w+", "[FOLDER]"),
        ]
        .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
        .into()
    });
    RULES.iter().fold(text.to_owned(), |text, (pattern, word)| {
        pattern.replace_all(&text, *word).into_owned()
    })
}

/// One request of the journal.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Call {
    pub system: String,
    pub method: String,
    pub path: String,
    pub query: String,
    pub request_headers: Value,
    pub request_body: Value,
    pub status: u16,
    #[serde(default)]
    pub response_body: Value,
}

impl Call {
    /// `okta DELETE /api/v1/groups/00g1/users/00u1`
    pub fn name(&self) -> String {
        format!("{} {} {}", self.system, self.method, self.path)
    }
    pub fn is(&self, pattern: &str) -> bool {
        Regex::new(&format!("^{pattern}$")).unwrap().is_match(&self.name())
    }
    /// It would change something. Slack's reads may come as POST; a token, made or given back, is no change.
    pub fn mutates(&self) -> bool {
        static READ: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^(okta POST /oauth2/.*/token|servicenow POST /oauth_token.do|zoom POST /oauth/token|salesforce POST /services/oauth2/token|vault (POST|PUT) /v1/(auth/approle/login|auth/token/(renew|revoke)-self|sys/(wrapping/.*|capabilities-self))|slack POST /api/(auth\.test|team\.info|users\.(lookupByEmail|info|list|conversations)|conversations\.(list|info|members)))$").unwrap()
        });
        // A twin says itself which of its POSTs only ask: for a token, for data.
        let asks = jml::sandbox::member::row(&self.system)
            .is_some_and(|twin| (twin.asks)(&self.method, &self.path, &self.request_body.to_string()));
        self.method != "GET" && !asks && !READ.is_match(&self.name())
    }
    /// A recorder was told, nobody's access changed.
    pub fn records(&self) -> bool {
        ["servicenow", "datadog"].contains(&self.system.as_str())
    }
    pub fn about(&self, id: &str) -> bool {
        self.path.contains(id) || self.query.contains(id) || self.request_body.to_string().contains(id)
    }
}

/// Those that would change something, as a list to compare or to show.
pub fn mutating(calls: &[Call]) -> Vec<String> {
    calls.iter().filter(|c| c.mutates()).map(Call::name).collect()
}

/// The lines of a journal; one that is still being written is none yet.
pub fn calls(path: &Path) -> Vec<Call> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// `jml sandbox serve`, until it is dropped.
pub struct Serve {
    child: Child,
    /// Closed, it ends too: no test leaves one behind, even killed.
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    pub config: PathBuf,
    pub journal: PathBuf,
    pub endpoints: Value,
    control: String,
}

impl Serve {
    fn start(env: &Env, args: &[&str]) -> Serve {
        let (config, journal, endpoints) = (env.path("c.toml"), env.path("j.ndjson"), env.path("e.json"));
        let mut command = env.command(&["sandbox", "serve"]);
        command.args(args);
        for (flag, path) in [
            ("--config", &config),
            ("--journal", &journal),
            ("--endpoints", &endpoints),
        ] {
            command.arg(flag).arg(path);
        }
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tx, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tx.send(line).is_err() {
                    break;
                }
            }
        });
        if lines.recv().ok().as_deref() != Some("ready") {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("serve {args:?}: {why}");
        }
        let endpoints: Value = serde_json::from_str(&fs::read_to_string(endpoints).unwrap()).unwrap();
        let control = endpoints["control"]["base_url"].as_str().unwrap().to_owned();
        Serve {
            child,
            stdin,
            lines,
            config,
            journal,
            endpoints,
            control,
        }
    }

    /// `jml --config FILE …` on what is served.
    pub fn jml(&self, env: &Env, args: &[&str]) -> Out {
        Out::of(self.command(env, args).output().unwrap())
    }
    pub fn command(&self, env: &Env, args: &[&str]) -> Command {
        let mut c = env.command(&[]);
        c.arg("--config").arg(&self.config).args(args);
        c
    }
    pub fn journal(&self) -> Vec<Call> {
        calls(&self.journal)
    }
    /// What `work` made it ask.
    pub fn during(&self, work: impl FnOnce()) -> Vec<Call> {
        let before = self.journal().len();
        work();
        self.journal().split_off(before)
    }
    /// Waits for `hit NAME` of a held fault while `child` is at work, and says so when it ended without.
    pub fn hit(&self, child: &mut Child) -> String {
        loop {
            match self.lines.recv_timeout(std::time::Duration::from_millis(50)) {
                Ok(line) => return line.strip_prefix("hit ").unwrap_or(&line).to_owned(),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if let Some(status) = child.try_wait().unwrap() {
                        return format!("nothing: {status}");
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return "serve ended".to_owned(),
            }
        }
    }
    pub fn state(&self) -> Value {
        self.control("GET", "/state", None)
    }
    pub fn patch(&self, patch: Value) {
        self.control("PATCH", "/state", Some(patch));
    }
    /// Replaces every fault: route patterns, `{"on": "slack * *", "times": "all", "answer": {"status": 503}}`.
    pub fn faults(&self, faults: Value) {
        self.control("POST", "/faults", Some(faults));
    }
    pub fn release(&self) {
        self.control("POST", "/release", Some(json!({})));
    }
    pub fn set_clock(&self, now: &str) {
        self.control("PUT", "/clock", Some(json!({ "now": now })));
    }
    pub fn control(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, text) = http(&self.control, method, path, body.as_ref());
        assert_eq!(status, 200, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request over a connection of its own.
pub fn http(base: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
    let host = base.strip_prefix("http://").unwrap();
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut s = TcpStream::connect(host).unwrap();
    write!(
        s,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    s.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        !head.to_lowercase().contains("transfer-encoding"),
        "in pieces, which this reader does not know: {head}"
    );
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text.to_owned())
}

/// A ledger that names an entry twice, or an answer without its question, would not be one: `audit log`, as objects.
pub fn ledger(env: &Env, serve: &Serve) -> Vec<Value> {
    let out = serve.jml(env, &["audit", "log", "-o", "ndjson"]).exits(0);
    out.ndjson().into_iter().filter(|v| v.get("seq").is_some()).collect()
}

/// Finds the person of a run's document.
#[track_caller]
pub fn person<'a>(run: &'a Value, login: &str) -> &'a Value {
    let people = run["people"].as_array().unwrap();
    let found = people.iter().find(|p| p["login"] == login);
    found.unwrap_or_else(|| panic!("{login} is not among {run:#}"))
}

/// A firm of 40 without delays, for tests that change it: one due leaver with two groups, an app, Slack and a manager;
/// a mover, a joiner, and the manager of all three.
pub fn small() -> Value {
    json!({
        "now": "2026-07-15T15:00:00Z",
        "population": {"people": 40},
        "policy": {"rule": [{"when": {"department": "Engineering"}, "slack": ["#eng"]},
                            {"when": {"department": "Sales"}, "slack": ["#sales"]}]},
        "okta": {
            "users": [
                {"id": "00u00000000000000lee", "profile": {"login": "lee@acme.example", "firstName": "Lee", "lastName": "Ash",
                    "department": "Engineering", "managerId": "kim@acme.example", "terminationDate": "2026-07-14"},
                 "recorded": "2026-07-15T14:58:00Z", "grants": 1,
                 "groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG", "PROJ-ONE"]},
                {"id": "00u00000000000000mov", "profile": {"login": "mo@acme.example", "firstName": "Mo", "lastName": "Vale",
                    "department": "Sales", "managerId": "kim@acme.example"},
                 "recorded": "2026-07-15T14:58:00Z", "groups": ["BR-ALL-EMPLOYEES", "ROLE-ENG"]},
                {"id": "00u00000000000000joi", "profile": {"login": "jo@acme.example", "firstName": "Jo", "lastName": "Ines",
                    "department": "Engineering", "managerId": "kim@acme.example", "hireDate": "2026-07-15"},
                 "recorded": "2026-07-15T14:58:00Z", "groups": []},
                {"id": "00u00000000000000kim", "profile": {"login": "kim@acme.example", "firstName": "Kim", "lastName": "Boss",
                    "department": "Sales"}}
            ],
            "groups": [{"id": "00g00000000000000one", "name": "PROJ-ONE"}],
            "apps": [{"id": "0oa0000000000000wiki", "label": "Wiki", "assigned": [{"user": "00u00000000000000lee", "scope": "USER"}]}]
        },
        "apps": {"slack": {
            "users": [{"id": "U000000LEE", "email": "lee@acme.example"}, {"id": "U0000000MO", "email": "mo@acme.example"},
                      {"id": "U0000000JO", "email": "jo@acme.example"}, {"id": "U000000KIM", "email": "kim@acme.example"}],
            "channels": [{"id": "C00000ENG", "name": "eng", "members": ["U000000LEE", "U0000000MO"]}, {"id": "C00000SALES", "name": "sales", "members": ["U000000KIM"]}]
        }}
    })
}

#[test]
fn the_harness_starts_serves_and_asks() {
    let env = Env::new();
    let s = env.world(&small(), &[]);
    assert_eq!(s.state()["okta"]["users"]["00u00000000000000lee"]["status"], "ACTIVE");
    let calls = s.during(|| {
        let out = s.jml(&env, &["leaver", "lee@acme.example", "--dry-run", "-o", "json"]);
        assert_eq!(out.exits(0).json()["people"][0]["result"], "planned");
    });
    assert!(!calls.is_empty());
    assert_eq!(mutating(&calls), Vec::<String>::new());
    assert_eq!(
        filtered("2026-01-02 03:04:05Z r-5k2m9q 7f3a-91c2-d04e 6.4 s"),
        "[INSTANT] [RUN] [PLAN] [SPAN]"
    );
}
