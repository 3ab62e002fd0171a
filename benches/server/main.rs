//! The server that every bench talks to: as little work per answer as an HTTP server can have, on one thread, so that
//! the clients are what is measured.
//!
//! It prints its addresses as one line of JSON and ends when its standard input does.

mod answers;
mod tls;

use std::convert::Infallible;
use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpListener;

use answers::Answers;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tls = tls::make()?;
    let mut ca = tempfile::Builder::new().suffix(".pem").tempfile()?;
    ca.write_all(tls.ca_pem.as_bytes())?;
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let secure = TcpListener::bind("127.0.0.1:0").await?;
    let addresses = serde_json::json!({
        "http": format!("http://{}", plain.local_addr()?),
        "https": format!("https://{}", secure.local_addr()?),
        "ca": ca.path(),
    });
    writeln!(std::io::stdout(), "{addresses}")?;

    let answers = Arc::new(Answers::new());
    let serving = async {
        loop {
            tokio::select! {
                accepted = plain.accept() => {
                    let (stream, answers) = (accepted?.0, Arc::clone(&answers));
                    stream.set_nodelay(true)?;
                    tokio::spawn(serve(stream, false, answers));
                }
                accepted = secure.accept() => {
                    let (stream, answers, acceptor) = (accepted?.0, Arc::clone(&answers), tls.acceptor.clone());
                    stream.set_nodelay(true)?;
                    tokio::spawn(async move {
                        // A client that ends during the handshake is not this server's trouble.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                            serve(stream, h2, answers).await;
                        }
                    });
                }
            }
        }
    };
    let ended = async {
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        Ok(())
    };
    tokio::select! { result = serving => result, result = ended => result }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    h2: bool,
    answers: Arc<Answers>,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answers.to(request).await) }
    });
    let io = TokioIo::new(stream);
    // An error here is a client that went away.
    if h2 {
        drop(http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await);
    } else {
        drop(http1::Builder::new().serve_connection(io, service).await);
    }
}
