//! The locked dependencies: nothing banned, one HTTP stack, one TLS stack.

use std::collections::BTreeMap;

/// What is compiled for this machine, by name and version. Cargo.lock itself also lists what optional features could bring.
fn locked() -> BTreeMap<String, Vec<String>> {
    let out = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--prefix",
            "none",
            "-e",
            "normal,build,dev",
            "--no-dedupe",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&out.stdout).lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let versions = all.entry(name.to_owned()).or_default();
            let version = version.trim_start_matches('v').to_owned();
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
    }
    assert!(all.len() > 100, "cargo tree said little: {}", all.len());
    all
}

#[test]
fn nothing_banned_is_locked() {
    let all = locked();
    for banned in [
        "openssl-sys",
        "native-tls",
        "ring",
        "webpki-roots",
        "atty",
        "openssl",
        "hyper-tls",
    ] {
        assert!(
            !all.contains_key(banned),
            "{banned} is banned (one TLS stack: rustls over aws-lc-rs)"
        );
    }
}

#[test]
fn one_http_and_one_tls_stack() {
    let all = locked();
    for one in [
        "reqwest",
        "hyper",
        "http",
        "rustls",
        "tokio",
        "aws-lc-rs",
        "rusqlite",
        "chrono",
        "serde",
        "axum",
    ] {
        assert_eq!(all.get(one).map(Vec::len), Some(1), "{one}: {:?}", all.get(one));
    }
    assert!(all["rustls"][0].starts_with("0.23."), "no pre-release of rustls");
}

/// Features unify over the tree: somebody's `preserve_order` would change what is hashed.
#[test]
fn json_keeps_its_order() {
    assert_eq!(serde_json::json!({"b": 1, "a": 2}).to_string(), r#"{"a":2,"b":1}"#);
}
