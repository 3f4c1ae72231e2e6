//! Connections that speak LDAP on loopback, without TLS. Each is bound by itself; what it asks goes to the engine like any other request.

use std::sync::Arc;

use bytes::BytesMut;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::ber::{self, Asked};
use crate::sandbox::engine::{Engine, Request};

/// The largest message that is read.
const LARGEST: usize = 1 << 20;

pub fn serve(listener: std::net::TcpListener, engine: Arc<Engine>, system: String) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    }; // only without a runtime, and there is one
    let system: Arc<str> = system.into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true); // slower without, not wrong
            tokio::spawn(talk(stream, engine.clone(), system.clone()));
        }
    });
}

async fn talk(mut stream: TcpStream, engine: Arc<Engine>, system: Arc<str>) {
    let mut buffer = BytesMut::new();
    let mut bound = Vec::new();
    loop {
        let (asked, used) = match ber::read(&buffer) {
            Ok(Some(whole)) => whole,
            Ok(None) if buffer.len() < LARGEST => match stream.read_buf(&mut buffer).await {
                Ok(n) if n > 0 => continue,
                _ => return,
            },
            _ => return,
        };
        let _ = buffer.split_to(used);
        if asked.method == "unbind" {
            return;
        }
        let Some(bytes) = answer(&engine, &system, &asked, &mut bound).await else {
            return;
        };
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// `None`: the connection ends.
async fn answer(engine: &Engine, system: &str, asked: &Asked, bound: &mut Vec<(String, String)>) -> Option<Vec<u8>> {
    if asked.method == "bind" {
        *bound = vec![
            ("authorization".into(), format!("Simple {}", asked.password)),
            ("user".into(), asked.dn.clone()),
        ];
    }
    let request = Request {
        method: asked.method.into(),
        target: format!("/{}", utf8_percent_encode(&asked.dn, NON_ALPHANUMERIC)),
        headers: bound.clone(),
        body: asked.body.to_string().into_bytes(),
    };
    let reply = engine.handle(system, request).await?;
    let ours = reply.headers.iter().find(|(k, _)| k == super::OURS);
    let rc: Option<u16> = ours.and_then(|(_, rc)| rc.parse().ok());
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let (Some(rc), Some(body)) = (rc, body) else {
        return Some(reply.body); // whatever a fault put in its place
    };
    if asked.method == "bind" && rc != 0 {
        bound.clear();
    }
    ber::write(asked, rc, &body)
}
