//! A tenant that asks for ten times its budget of token calls. The service has to limit this one and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pabbly_connect::{Customer, Error as ConnectError};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::plan::{PROCESSES, TOKEN_BUDGET};
use crate::provider::Provider;
use crate::workload::{Workload, customer};
use crate::{Error, random};

/// Calls a minute: ten times what all processes together allow.
const CALLS: u32 = 10 * PROCESSES * TOKEN_BUDGET;
const WORKERS: u32 = 20;

/// The tenant, with one connection of one customer.
pub(super) struct Greedy {
    customers: Vec<Customer>,
    connection: String,
    pub(super) allowed: AtomicU64,
    pub(super) limited: AtomicU64,
}

impl Greedy {
    pub(super) async fn new(urls: &[String], key: &str, provider: &Arc<Provider>) -> Result<Greedy, Error> {
        let customers: Vec<_> = urls.iter().map(|url| customer(url, key, 0)).collect::<Result<_, _>>()?;
        let workload = Workload::new(Arc::clone(provider));
        workload.connect(&customers[0]).await?;
        Ok(Greedy {
            customers,
            connection: workload.take_idle().ok_or("no connection")?,
            allowed: AtomicU64::new(0),
            limited: AtomicU64::new(0),
        })
    }

    pub(super) fn spawn(self: &Arc<Self>, load: &mut JoinSet<()>, end: Instant) {
        for _ in 0..WORKERS {
            let greedy = Arc::clone(self);
            load.spawn(async move {
                let mut ticks = interval(Duration::from_secs(60) * WORKERS / CALLS);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                while Instant::now() < end {
                    ticks.tick().await;
                    greedy.call().await;
                }
            });
        }
    }

    async fn call(&self) {
        let customer = random::choose(&self.customers);
        let count = match customer.get_token(&self.connection).await {
            Ok(_) => &self.allowed,
            Err(ConnectError::RateLimited(_)) => &self.limited,
            // The process, or the database, is away.
            Err(_) => return,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
