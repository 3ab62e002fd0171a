//! Lets the runtime catch up with its sockets before a request is sent.
//!
//! A connection that is kept for the next request may hold bytes that nobody asked for: a second response to the last
//! request, a 408, an end. hyper looks for them in the same turn in which it would write the next request, and before
//! it writes: where it finds any it closes the connection, and the HTTP client sends the request, of which not one
//! byte was written, on another one. But hyper asks tokio, and tokio asks the system for a socket's bytes only once
//! its I/O driver has reported the socket as readable. The driver runs when the runtime has nothing else to do. On a
//! thread that was busy, or that runs only during calls, it did not run since the last call: the bytes are there,
//! nobody knows, and they would be read as the response to the next request, which may be another customer's.

use std::io;

#[cfg(not(unix))]
use tokio::net::UdpSocket;
#[cfg(unix)]
use tokio::net::UnixDatagram;

/// Returns when the I/O driver has reported everything that the system had received for any of the runtime's sockets
/// when this was called.
///
/// It makes a socket that can be written to from the start, and waits until the driver reports that. The system puts
/// a new socket that is ready at the end of its list of what is ready, and the driver reports in the order of that
/// list. So every socket with bytes or an end from before is reported first, whichever thread runs the driver, and
/// however the caller's future is polled. (Yielding does not promise that: where another thread has the driver it is
/// not waited for, and a future may be polled again for other reasons.)
///
/// So no byte that arrived before an attempt began is part of its response; over TLS, no record that arrived whole.
/// What remains is a race on the wire, which no client can tell from a fast server: bytes that the server sent before
/// it had the request, and that arrive once the attempt has begun. It is as short for the connection's task: if another
/// thread runs that just then, and the system stops it between its look and its write, its look was the earlier one.
pub(crate) async fn catch_up() -> io::Result<()> {
    // A pair, not a single socket: what forbids all sockets but those of the internet, as systemd does where it is told
    // so, still allows pairs.
    #[cfg(unix)]
    let (socket, _peer) = {
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair()?;
        ours.set_nonblocking(true)?;
        (UnixDatagram::from_std(ours)?, theirs)
    };
    #[cfg(not(unix))]
    let socket = UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    socket.writable().await
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};

    use tokio::net::{TcpListener, TcpStream};
    use tokio::runtime::Builder;

    use super::*;

    /// Whether bytes that arrived while the thread was busy are known: before catching up, and afterwards.
    async fn known() -> (bool, bool) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().await.unwrap();
        let is_known = |ours: &TcpStream| match ours.try_read(&mut [0; 2]) {
            Ok(length) => length == 2,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        };
        assert!(!is_known(&ours));
        // On this machine they have arrived when this returns.
        theirs.write_all(b"late").unwrap();
        let before = is_known(&ours);
        catch_up().await.unwrap();
        (before, is_known(&ours))
    }

    #[test]
    fn one_thread_knows_what_arrived_while_it_was_busy() {
        let runtime = || Builder::new_current_thread().enable_io().build().unwrap();
        assert_eq!(runtime().block_on(known()), (false, true), "the outermost future");
        let task = runtime().block_on(async { tokio::spawn(known()).await.unwrap() });
        assert_eq!(task, (false, true), "a task");
    }

    #[test]
    fn several_threads_know_it_whichever_has_the_driver() {
        for threads in 1..4 {
            let runtime = Builder::new_multi_thread().worker_threads(threads).enable_io().build().unwrap();
            for _ in 0..100 {
                assert!(runtime.block_on(known()).1, "the outermost future");
                let task = runtime.block_on(async { tokio::spawn(known()).await.unwrap() });
                assert!(task.1, "a task");
            }
        }
    }
}
