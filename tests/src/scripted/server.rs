//! The scripted server: one plain listener (which is also a proxy) and one with TLS, both for all sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::control;
use super::http::{Request, read_request, write_json};
use super::load::Index;
use super::reply::{After, Connection, play};
use super::session::{Common, Session, Way};
use super::{load, tls};

/// Everything that connections share.
pub struct Server {
    pub index: Index,
    pub common: Common,
    acceptor: TlsAcceptor,
    sessions: Mutex<BTreeMap<u64, Arc<Session>>>,
    /// Numbers sessions and connections.
    next: AtomicU64,
    /// Ids that were judged, by language.
    pub judged: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

/// Starts the server on loopback, on a port that the system chooses, and serves in the background.
///
/// # Errors
/// A text: a scenario file is wrong, or no port is to be had.
pub async fn start(folder: &Path) -> Result<Arc<Server>, String> {
    let index = load::load(folder)?;
    let tls = tls::make()?;
    let ca_directory = tempfile::tempdir().map_err(|e| e.to_string())?;
    std::fs::write(ca_directory.path().join("authority.pem"), &tls.ca_pem).map_err(|e| e.to_string())?;
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any_port).await.map_err(|e| e.to_string())?;
    let tls_listener = TcpListener::bind(any_port).await.map_err(|e| e.to_string())?;
    // Bound and not listened on: connections to it are refused, and nobody else gets the port.
    let refused = TcpSocket::new_v4().map_err(|e| e.to_string())?;
    refused.bind(any_port).map_err(|e| e.to_string())?;
    let local = |address: std::io::Result<SocketAddr>| address.map_err(|e| e.to_string());
    let server = Arc::new(Server {
        index,
        common: Common {
            address: local(listener.local_addr())?,
            tls_address: local(tls_listener.local_addr())?,
            ca_pem: tls.ca_pem,
            ca_directory,
            refused: local(refused.local_addr())?,
        },
        acceptor: tls.acceptor,
        sessions: Mutex::default(),
        next: AtomicU64::new(1),
        judged: Mutex::default(),
    });
    tokio::spawn(accept_plain(Arc::clone(&server), listener, refused));
    tokio::spawn(accept_tls(Arc::clone(&server), tls_listener));
    Ok(server)
}

async fn accept_plain(server: Arc<Server>, listener: TcpListener, _refused: TcpSocket) {
    while let Ok((stream, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.serve_plain(stream).await });
    }
}

async fn accept_tls(server: Arc<Server>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            // A client that does not trust the certificate ends here; that is its scenario's point.
            if let Ok(stream) = server.acceptor.accept(stream).await {
                server.serve(stream, server.way(true, false)).await;
            }
        });
    }
}

impl Server {
    pub fn session(&self, id: u64) -> Option<Arc<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All sessions so far, in order.
    pub fn sessions(&self) -> Vec<Arc<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Begins a session; where its scenario needs it, with a listener of its own that says nothing.
    pub async fn begin(&self, id: &str, language: &str) -> Result<Arc<Session>, String> {
        let scenario = self.index.find(id).ok_or_else(|| format!("there is no scenario {id}"))?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut silent = None;
        if scenario.source.to_string().contains("{{silent}}") {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|e| e.to_string())?;
            silent = Some((listener.local_addr().map_err(|e| e.to_string())?, listener));
        }
        let address = silent.as_ref().map(|(address, _)| *address);
        let session = Session::new(number, &scenario.source, language, &self.common, address)?;
        let session = Arc::new(session);
        if let Some((_, listener)) = silent {
            let session = Arc::clone(&session);
            tokio::spawn(async move { session.keep_silent(listener).await });
        }
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(number, Arc::clone(&session));
        Ok(session)
    }

    fn way(&self, tls: bool, proxied: bool) -> Way {
        Way { connection: self.next.fetch_add(1, Ordering::Relaxed), tls, proxied }
    }

    /// As [`Self::serve`], and CONNECT: a tunnel to this server's own TLS, whatever host was asked for.
    async fn serve_plain(&self, mut stream: TcpStream) {
        let mut start = [0; 8];
        if stream.peek(&mut start).await.is_ok() && start.starts_with(b"CONNECT ") {
            let mut buffer = Vec::new();
            if !matches!(read_request(&mut stream, &mut buffer).await, Ok(Some(_))) {
                return;
            }
            if stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.is_ok()
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                self.serve(stream, self.way(true, true)).await;
            }
            return;
        }
        self.serve(stream, self.way(false, false)).await;
    }

    /// Serves one connection until either side ends it.
    async fn serve(&self, mut stream: impl Connection, way: Way) {
        let mut buffer = Vec::new();
        loop {
            let request = match read_request(&mut stream, &mut buffer).await {
                Ok(Some(request)) => request,
                Ok(None) => return,
                Err(problem) => {
                    let _ = write_json(&mut stream, 400, &json!({ "error": problem })).await;
                    return;
                }
            };
            match self.respond(&mut stream, &mut buffer, request, way).await {
                After::KeepAlive => {}
                After::Close => return,
            }
        }
    }

    async fn respond(
        &self,
        stream: &mut impl Connection,
        buffer: &mut Vec<u8>,
        request: Request,
        mut way: Way,
    ) -> After {
        let (absolute, path) = origin_form(&request.target);
        let scripted = path.strip_prefix("/s/").and_then(|rest| {
            let end = rest.find('/').unwrap_or(rest.len());
            Some((rest.get(..end)?.parse().ok()?, rest.get(end..)?.to_owned()))
        });
        let Some((number, target)) = scripted else {
            let (status, answer) = control::respond(self, &request).await;
            let written = write_json(stream, status, &answer).await;
            let close = written.is_err() || request.header("connection") == Some("close");
            return if close { After::Close } else { After::KeepAlive };
        };
        let Some(session) = self.session(number) else {
            let _ = write_json(stream, 404, &json!({ "error": "no such session" })).await;
            return After::Close;
        };
        way.proxied |= absolute;
        match session.arrive(request, target, &way) {
            (seen, Some(reply)) => play(stream, buffer, &reply, &session, seen).await,
            (seen, None) => {
                // Not 503, which would be tried again.
                let _ = write_json(stream, 500, &json!({ "error": "not in the scenario" })).await;
                session.note(seen, |seen| seen.phase = super::session::Phase::Answered);
                After::Close
            }
        }
    }
}

/// A proxy gets `http://host/path`; everybody else the path.
fn origin_form(target: &str) -> (bool, &str) {
    match target.strip_prefix("http://") {
        Some(rest) => (true, rest.find('/').map_or("/", |at| &rest[at..])),
        None => (false, target),
    }
}
