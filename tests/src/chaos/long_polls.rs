//! Front ends that wait for links which nobody finishes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::gauge::Gauge;
use super::installation::address;
use super::plan::Plan;
use crate::workload::{customer, new_link};
use crate::{Error, random};

/// Long polls of one link in each process: as many as the service allows by default.
const POLLS_PER_LINK: u32 = 5;
/// Calls at once while the links are created.
const CONCURRENT_CALLS: usize = 16;

/// The long polls, the same number at each process.
pub(super) struct LongPolls {
    requests: Vec<Request>,
    max_pause: Duration,
    /// How many wait for their response.
    pub(super) open: Gauge,
    /// How many got a 200.
    pub(super) answered: AtomicU64,
    /// How many got another status.
    pub(super) refused: AtomicU64,
}

struct Request {
    address: String,
    text: String,
}

impl LongPolls {
    /// Creates the links to wait for.
    pub(super) async fn new(plan: &Plan, urls: &[String], key: &str) -> Result<LongPolls, Error> {
        let customer = customer(&urls[0], key, 2)?;
        let links = plan.long_polls.div_ceil(POLLS_PER_LINK * u32::try_from(urls.len())?);
        let links: Vec<_> = stream::iter(0..links)
            .map(|_| new_link(&customer))
            .buffer_unordered(CONCURRENT_CALLS)
            .try_collect()
            .await?;
        let mut requests = Vec::new();
        for link in links {
            for url in urls {
                let address = address(url)?;
                let text = format!(
                    "GET /platform/v1/connections/{}/status HTTP/1.1\r\nHost: {address}\r\nx-request-token: {}\r\n\
                     Prefer: wait=60\r\nConnection: close\r\n\r\n",
                    link.connection_id,
                    link.request_token.expose_secret(),
                );
                let request = || Request { address: address.clone(), text: text.clone() };
                requests.extend((0..POLLS_PER_LINK).map(|_| request()));
            }
        }
        Ok(LongPolls {
            requests,
            max_pause: plan.max_pause,
            open: Gauge::default(),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    pub(super) fn spawn(self: &Arc<Self>, load: &mut JoinSet<()>, end: Instant) {
        for number in 0..self.requests.len() {
            let polls = Arc::clone(self);
            load.spawn(async move {
                let _ = timeout_at(end, polls.repeat(&polls.requests[number])).await;
            });
        }
    }

    async fn repeat(&self, request: &Request) {
        loop {
            sleep(self.max_pause.mul_f64(random::fraction())).await;
            match self.poll(request).await {
                Ok(200) => self.answered.fetch_add(1, Ordering::Relaxed),
                Ok(_) => self.refused.fetch_add(1, Ordering::Relaxed),
                // The process was killed.
                Err(_) => continue,
            };
        }
    }

    /// Sends the request; returns the status.
    async fn poll(&self, request: &Request) -> io::Result<u16> {
        let mut socket = TcpStream::connect(&request.address).await?;
        socket.write_all(request.text.as_bytes()).await?;
        let _open = self.open.enter();
        let mut response = Vec::new();
        socket.read_to_end(&mut response).await?;
        let status = response.get(9..12).and_then(|status| str::from_utf8(status).ok());
        let status = status.and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}
