//! The sandbox on loopback: a port for each system and one for control, on a thread and a runtime of their own, so that a busy product
//! doesn't slow the pretend firm down.
//!
//! Binds 127.0.0.1 only. Knows no route: every request goes to the engine as it came.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    thread::JoinHandle,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, connect_info::Connected},
    http::{self, HeaderName, HeaderValue, StatusCode},
    response::Response,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::{
    engine::{Engine, Request},
    ldap, member,
    twin::Reply,
};

/// The largest request body that is read.
const LARGEST: usize = 8 << 20;

/// Running servers; they end when it is dropped.
pub struct Served {
    /// `http://127.0.0.1:PORT` of the control port.
    pub control: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// Opens the ports, tells the engine its addresses and starts to answer.
pub fn start(engine: &Arc<Engine>) -> io::Result<Served> {
    let mut listeners = Vec::new();
    for system in engine.systems() {
        let scheme = member::row(&system).map_or("http", |twin| twin.scheme);
        let (listener, origin) = bind(scheme)?;
        engine.set_origin(&system, origin);
        listeners.push((system, scheme, listener));
    }
    let (listener, control) = bind("http")?;
    let stop = CancellationToken::new();
    let (engine, stopped) = (engine.clone(), stop.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("sandbox".into()).spawn(move || {
        runtime.block_on(async {
            for (system, scheme, listener) in listeners {
                match scheme {
                    "ldap" => ldap::serve::serve(listener, engine.clone(), system),
                    _ => serve(listener, twin(engine.clone(), system)),
                }
            }
            serve(listener, controls(engine));
            stopped.cancelled().await;
        });
        runtime.shutdown_background(); // what was answered is on disk; what waits is dropped
    })?;
    Ok(Served {
        control,
        stop,
        thread: Some(thread),
    })
}

impl Served {
    pub fn stop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic there was printed there
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

fn bind(scheme: &str) -> io::Result<(std::net::TcpListener, String)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let origin = format!("{scheme}://{}", listener.local_addr()?);
    Ok((listener, origin))
}

fn serve(listener: std::net::TcpListener, router: Router) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    }; // only without a runtime, and there is one
    let service = router.into_make_service_with_connect_info::<Cut>();
    tokio::spawn(async move { axum::serve(Cuttable(listener), service).await });
}

fn twin(engine: Arc<Engine>, system: String) -> Router {
    let system: Arc<str> = system.into();
    Router::new().fallback(
        move |ConnectInfo(cut): ConnectInfo<Cut>, request: http::Request<Body>| async move {
            let Some(request) = read(request).await else {
                return plain(StatusCode::PAYLOAD_TOO_LARGE);
            };
            match engine.handle(&system, request).await {
                Some(reply) => response(reply),
                None => {
                    cut.0.store(true, Ordering::Release);
                    plain(StatusCode::OK) // never leaves: the connection is cut where it would be written
                }
            }
        },
    )
}

fn controls(engine: Arc<Engine>) -> Router {
    Router::new().fallback(move |request: http::Request<Body>| async move {
        let Some(request) = read(request).await else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let path = request.target.split('?').next().unwrap_or_default();
        response(engine.control(&request.method, path, &request.body))
    })
}

async fn read(request: http::Request<Body>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, LARGEST).await.ok()?;
    let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    Some(Request {
        method: parts.method.as_str().into(),
        target: parts.uri.path_and_query().map_or("/", |t| t.as_str()).into(),
        headers: parts
            .headers
            .iter()
            .map(|(k, v)| (k.as_str().to_owned(), text(v)))
            .collect(),
        body: body.to_vec(),
    })
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Ends its connection as soon as something would be written to it.
#[derive(Clone)]
struct Cut(Arc<AtomicBool>);

struct Cuttable(TcpListener);

struct Connection {
    stream: TcpStream,
    cut: Cut,
}

impl Listener for Cuttable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true); // slower without, not wrong
        (
            Connection {
                stream,
                cut: Cut(Arc::default()),
            },
            addr,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Cut {
        stream.io().cut.clone()
    }
}

impl Connection {
    fn whole(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Acquire) {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
