use std::sync::Arc;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut o = jml::sandbox::serve::Options {
        folder: "/tmp/okserve-folder".into(),
        ..Default::default()
    };
    let mut i = 1;
    while i + 1 < a.len() {
        match a[i].as_str() {
            "--world" => o.world = Some(a[i + 1].clone().into()),
            "--endpoints" => o.endpoints = Some(a[i + 1].clone().into()),
            "--journal" => o.journal = Some(a[i + 1].clone().into()),
            "--rate" => o.rates.push(a[i + 1].clone()),
            _ => panic!(),
        }
        i += 2;
    }
    let rt = tokio::runtime::Runtime::new().unwrap();
    #[allow(clippy::disallowed_methods)]
    let host: jml::sandbox::engine::Host = Arc::new(chrono::Utc::now);
    rt.block_on(jml::sandbox::serve::serve(o, host, Arc::new(|l: &str| println!("{l}"))))
        .unwrap();
}
