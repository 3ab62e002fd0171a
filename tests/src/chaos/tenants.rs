//! Ordinary tenants: within their budget, they create links, connect customers and ask for tokens. They have to be
//! served whatever the others do, and nothing that was acknowledged to them may get lost.

use std::sync::Arc;
use std::time::Duration;

use pabbly_connect::Customer;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::figures::Figures;
use crate::provider::Provider;
use crate::workload::{Workload, customer};
use crate::{Error, random};

/// Workers of each tenant. Some of them wait for the lease of a killed process, so there are several.
const WORKERS: usize = 4;
/// Longest pause between two calls of a worker. With half of it on average, the workers of a tenant make at most 480
/// calls a minute, which is less than its budget in one process.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// One tenant with one customer.
pub(super) struct Tenant {
    pub(super) workload: Workload,
    /// The customer, once for each process. A load balancer would choose one; here chance does.
    customers: Vec<Customer>,
    /// The customer of a product that asks again after a 503.
    pub(super) patient: Customer,
    figures: Arc<Figures>,
}

impl Tenant {
    pub(super) fn new(
        urls: &[String],
        key: &str,
        provider: Arc<Provider>,
        figures: Arc<Figures>,
    ) -> Result<Tenant, Error> {
        let customers = urls.iter().map(|url| customer(url, key, 0));
        Ok(Tenant {
            workload: Workload::new(provider),
            customers: customers.collect::<Result<_, _>>()?,
            patient: customer(&urls[0], key, 6)?,
            figures,
        })
    }

    pub(super) fn spawn(self: &Arc<Self>, load: &mut JoinSet<()>, end: Instant) {
        for _ in 0..WORKERS {
            let tenant = Arc::clone(self);
            load.spawn(async move {
                while Instant::now() < end {
                    tenant.act().await;
                    sleep(MAX_PAUSE.mul_f64(random::fraction())).await;
                }
            });
        }
    }

    async fn act(&self) {
        let customer = random::choose(&self.customers);
        let idle = self.workload.take_idle();
        let result = match (random::below(20), idle) {
            (2.., Some(id)) => {
                let started = Instant::now();
                let result = self.workload.get_token(customer, &id).await;
                self.workload.idle().push(id);
                if result.is_ok() {
                    self.figures.token_call(started);
                }
                result
            }
            (choice, idle) => {
                self.workload.idle().extend(idle);
                match choice {
                    0 => self.workload.create_link(customer).await,
                    _ => self.workload.connect(customer).await,
                }
            }
        };
        if let Err(error) = result {
            self.figures.failure(&error);
        }
    }
}
