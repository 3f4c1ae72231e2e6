//! Who may import whom: the design's table, held against every `use crate::…` and every path of the tree.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};
use syn::visit::{self, Visit};

pub const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("planner", &["model"]),
    ("config", &["model"]),
    ("http", &["model"]),
    ("providers", &["model", "http", "config", "planner::consent"]),
    ("ledger", &["model"]),
    ("run", &["model", "planner", "providers", "ledger"]),
    (
        "cli",
        &["model", "planner", "config", "http", "providers", "ledger", "run"],
    ),
    ("sandbox", &[]),
];
/// Outside names, and the only places for them: the table's last column.
const ONLY: &[(&str, &[&str])] = &[
    ("reqwest", &["http/"]),
    ("rustify", &["http/lent", "providers/secrets/vault/"]),
    ("vaultrs", &["providers/secrets/vault/"]),
    ("axum", &["sandbox/"]),
    ("anyhow", &["cli/"]),
    ("clap", &["cli/"]),
    ("rusqlite", &["ledger/"]),
    ("ssh_key", &["ledger/approval", "config/signers", "cli/flow/approve"]),
    ("tokio_postgres", &["ledger/store/postgres/"]),
    ("tokio_postgres_rustls", &["ledger/store/postgres/"]),
    ("ldap3", &["providers/apps/ldap/"]),
    (
        "rustls",
        &["providers/apps/ldap/", "http/tls", "ledger/store/postgres/"],
    ),
    ("lber", &["sandbox/ldap/"]),
    ("toml", &["config/", "sandbox/"]),
    ("tokio", &["http/", "providers/", "ledger/", "run/", "cli/", "sandbox/"]),
    (
        "std::fs",
        &[
            "config/",
            "providers/secrets/",
            "providers/hr/csv",
            "ledger/",
            "cli/",
            "sandbox/",
        ],
    ),
    // What can change something is made in one place, asked for by `Act` alone, and given to hands where a system's parts are put together.
    ("Writer::new", &["http/client"]),
    ("Writer::open", &["providers/apps/ldap/mod"]),
    // Of the client in `build` alone, which nobody else under providers gets hold of; everywhere else of an `Act`.
    (".writer(", &["providers/"]),
    ("super::super", &[]), // say `crate::`, so that this test sees it
];
/// Who of cli may start the sandbox.
const SANDBOX: &[&str] = &["cli/command/sandbox", "cli/context"];

/// Collects the first two segments after `crate` (or after `jml`, as the binary writes it) wherever a path stands,
/// so that `crate::ledger::open()` inside a function counts as much as a `use` line.
#[derive(Default)]
struct Seen {
    ours: BTreeSet<String>,
    outside: BTreeSet<String>,
}

impl Seen {
    fn tree(&mut self, t: &syn::UseTree, after_crate: bool) {
        match t {
            syn::UseTree::Path(p) if after_crate => self.inner(&p.ident, &p.tree),
            syn::UseTree::Path(p) if p.ident == "crate" || p.ident == "jml" => self.tree(&p.tree, true),
            syn::UseTree::Path(p) => {
                self.outside.insert(p.ident.to_string());
            }
            syn::UseTree::Name(n) => {
                if after_crate {
                    self.ours.insert(n.ident.to_string());
                } else {
                    self.outside.insert(n.ident.to_string());
                }
            }
            syn::UseTree::Rename(n) => {
                if after_crate {
                    self.ours.insert(n.ident.to_string());
                }
            }
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| self.tree(t, after_crate)),
            syn::UseTree::Glob(_) => {}
        }
    }
    /// A path as it stands in an expression, a type or a macro.
    fn names(&mut self, mut s: impl Iterator<Item = String>) {
        match (s.next().as_deref(), s.next()) {
            (Some("crate" | "jml"), Some(module)) => {
                self.ours
                    .insert(s.next().map_or(module.clone(), |b| format!("{module}::{b}")));
            }
            (Some("super"), Some(up)) if up == "super" => {
                self.outside.insert("super::super".into());
            }
            (Some(first), Some(second)) => {
                self.outside.insert(first.to_string());
                self.outside.insert(format!("{first}::{second}"));
            }
            _ => {}
        }
    }
    /// What stands below a module of ours: `planner::{consent, brake}` counts as two.
    fn inner(&mut self, module: &syn::Ident, t: &syn::UseTree) {
        let below = match t {
            syn::UseTree::Path(p) => p.ident.to_string(),
            syn::UseTree::Name(n) => n.ident.to_string(),
            syn::UseTree::Rename(n) => n.ident.to_string(),
            syn::UseTree::Glob(_) => "*".into(),
            syn::UseTree::Group(g) => return g.items.iter().for_each(|t| self.inner(module, t)),
        };
        self.ours.insert(format!("{module}::{below}"));
    }
}

impl<'a> Visit<'a> for Seen {
    fn visit_item_use(&mut self, u: &'a syn::ItemUse) {
        self.tree(&u.tree, false);
    }
    fn visit_path(&mut self, p: &'a syn::Path) {
        self.names(p.segments.iter().map(|s| s.ident.to_string()));
        visit::visit_path(self, p);
    }
    fn visit_expr_method_call(&mut self, c: &'a syn::ExprMethodCall) {
        self.outside.insert(format!(".{}(", c.method));
        visit::visit_expr_method_call(self, c);
    }
    // what stands in a macro's brackets is tokens to syn: read them as text
    fn visit_macro(&mut self, m: &'a syn::Macro) {
        static PATH: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(r"\w+(?:\s*::\s*\w+)+").unwrap());
        for p in PATH.find_iter(&m.tokens.to_string()) {
            self.names(p.as_str().split("::").map(|s| s.trim().to_string()));
        }
        visit::visit_macro(self, m);
    }
    // unit tests inside a module may import what they like
    fn visit_item_mod(&mut self, m: &'a syn::ItemMod) {
        if m.ident != "tests" {
            visit::visit_item_mod(self, m);
        }
    }
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    let Ok(rd) = fs::read_dir(dir) else { return };
    for e in rd.flatten() {
        let p = e.path();
        if p.file_stem()
            .is_some_and(|s| s == "tests" || s == "samples" || s == "conformance")
        {
            continue; // `mod tests;` in a file or folder of its own may import what it likes, as the inline one
        } else if p.is_dir() {
            files(&p, out)
        } else if p.extension().is_some_and(|x| x == "rs") {
            out.push(p)
        }
    }
}

fn violations(src: &Path) -> Vec<String> {
    let mut bad = vec![];
    for (module, may) in ALLOWED {
        let mut all = vec![];
        files(&src.join(module), &mut all);
        for f in all {
            let mut seen = Seen::default();
            seen.visit_file(
                &syn::parse_file(&fs::read_to_string(&f).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", f.display())),
            );
            let name = f.strip_prefix(src).unwrap().display().to_string();
            let mut told = BTreeSet::new();
            for path in &seen.ours {
                let m = path.split("::").next().unwrap();
                let allowed = m == *module || may.iter().any(|a| *a == m || a == path);
                let starts = m == "sandbox" && SANDBOX.iter().any(|s| name.starts_with(s));
                if !allowed && !starts && ALLOWED.iter().any(|(n, _)| *n == m) && told.insert(m) {
                    bad.push(format!("{name}: {module} may not import {m}"));
                }
            }
            for (what, may) in ONLY {
                if seen.outside.contains(*what) && !may.iter().any(|m| name.starts_with(m)) {
                    bad.push(format!("{name}: {what} belongs to {may:?}"));
                }
            }
        }
    }
    bad
}

#[test]
fn imports_follow_the_table() {
    assert_eq!(
        violations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")),
        Vec::<String>::new()
    );
}

#[test]
fn the_import_test_can_fail() {
    let d = tempfile::tempdir().unwrap();
    for m in ["planner", "providers/apps", "cli/command", "http", "run"] {
        fs::create_dir_all(d.path().join(m)).unwrap();
    }
    let put = |f: &str, text: &str| fs::write(d.path().join(f), text).unwrap();
    put(
        "planner/mover.rs",
        "use crate::{model::Person, ledger::Entry};\nfn f() { crate::providers::x(); }",
    );
    put("providers/apps/zoom.rs", "use crate::planner::consent::Agreed;");
    put(
        "providers/apps/slack.rs",
        "use crate::planner::{consent::Agreed, brake};",
    );
    put("cli/command/sandbox.rs", "use crate::sandbox::serve;");
    put("cli/command/leaver.rs", "use crate::sandbox::serve;");
    put("http/base.rs", "fn f() { Writer::new(x); }");
    put("run/execute.rs", "fn f(c: Client) { c.writer(x); }");
    let found = violations(d.path());
    let begins = [
        "planner/mover.rs: planner may not import ledger",
        "planner/mover.rs: planner may not import providers",
        "http/base.rs: Writer::new belongs to",
        "providers/apps/slack.rs: providers may not import planner",
        "run/execute.rs: .writer( belongs to",
        "cli/command/leaver.rs: cli may not import sandbox",
    ];
    assert_eq!(found.len(), begins.len(), "{found:?}");
    for (found, begins) in found.iter().zip(begins) {
        assert!(found.starts_with(begins), "{found}");
    }
}

/// One idea a file: code lines, tests at the foot not counted.
#[test]
fn no_file_is_a_junk_drawer() {
    let mut all = vec![];
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let long: Vec<String> = all
        .iter()
        .filter_map(|f| {
            let text = fs::read_to_string(f).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let n = code
                .lines()
                .filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with("//"))
                .count();
            (n > 500).then(|| format!("{}: {n}", f.display()))
        })
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

/// A flow is a label: only cli and the planner's entries may branch on it, else one flow's rules leak into the executor.
#[test]
fn nobody_below_cli_branches_on_the_flow() {
    let mut all = vec![];
    for dir in ["run", "providers", "http"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(dir), &mut all);
    }
    let pattern = regex::Regex::new(r"match [\w.]*flow\b").unwrap();
    let bad: Vec<_> = all
        .iter()
        .filter(|f| pattern.is_match(&fs::read_to_string(f).unwrap()))
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
}

/// A test file without its `mod` line would never run.
#[test]
fn no_test_file_is_forgotten() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(here.join("main.rs")).unwrap();
    for f in fs::read_dir(&here).unwrap().flatten() {
        let name = f.path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            name == "main" || main.contains(&format!("mod {name};")),
            "{name} has no mod line"
        );
    }
}
