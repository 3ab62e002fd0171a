//! Connections whose request never ends: a few bytes of its headers, then one more now and then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::gauge::Gauge;
use super::installation::address;
use crate::{Error, random};

/// Between two bytes.
const BYTE_INTERVAL: Duration = Duration::from_secs(2);
/// Before a connection that was closed is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// The connections, the same number to each process.
pub(super) struct SlowSockets {
    addresses: Vec<String>,
    count: u32,
    /// How many are open.
    pub(super) open: Gauge,
    /// How many the service closed.
    pub(super) closed: AtomicU64,
}

impl SlowSockets {
    pub(super) fn new(urls: &[String], count: u32) -> Result<SlowSockets, Error> {
        Ok(SlowSockets {
            addresses: urls.iter().map(|url| address(url)).collect::<Result<_, _>>()?,
            count,
            open: Gauge::default(),
            closed: AtomicU64::new(0),
        })
    }

    pub(super) fn spawn(self: &Arc<Self>, load: &mut JoinSet<()>, end: Instant) {
        for _ in 0..self.count {
            let sockets = Arc::clone(self);
            load.spawn(async move {
                let _ = timeout_at(end, sockets.keep_one_open()).await;
            });
        }
    }

    async fn keep_one_open(&self) {
        let address = random::choose(&self.addresses);
        loop {
            sleep(PAUSE.mul_f64(random::fraction())).await;
            // Also refused where the process was just killed.
            let _ = self.open_one(address).await;
        }
    }

    async fn open_one(&self, address: &str) -> io::Result<()> {
        let mut socket = TcpStream::connect(address).await?;
        let _open = self.open.enter();
        socket.write_all(b"GET /platform/v1/apps HTTP/1.1\r\nHost: ").await?;
        // The service says nothing before the headers are complete, other than that it will not wait for them.
        let mut response = [0; 1024];
        while timeout(BYTE_INTERVAL, socket.read(&mut response)).await.is_err() {
            socket.write_all(b"x").await?;
        }
        self.closed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
