//! What is to be measured, and how it is.

use std::cell::Cell;
use std::error::Error;
use std::future::Future;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::{JoinSet, LocalSet};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// The shortest interval that the core allows, so that a wait is work and not sleep.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A client under measurement, and the work that it can do. An answer that is not as expected is an error.
pub(crate) trait Peer: Sized + 'static {
    fn new(settings: &Settings) -> Outcome<Self>;
    /// The same client for one more caller.
    fn share(&self) -> impl Future<Output = Outcome<Self>>;
    fn token(&mut self) -> impl Future<Output = Outcome<()>>;
    fn list(&mut self) -> impl Future<Output = Outcome<()>>;
    /// Polls the connection of this number until it is active.
    fn wait(&mut self, number: u64) -> impl Future<Output = Outcome<()>>;
}

/// What a client is made of.
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) ca_pem: Vec<u8>,
    pub(crate) key: String,
    pub(crate) connection: String,
}

impl Settings {
    /// As the core has it, so that the peers differ in what they do and not in what they do it with: ring, Mozilla's
    /// roots and the user's own.
    pub(crate) fn tls(&self) -> Outcome<ClientConfig> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in CertificateDer::pem_slice_iter(&self.ca_pem) {
            roots.add(certificate?)?;
        }
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth())
    }
}

#[derive(Clone, Copy)]
enum Work {
    Token,
    List,
    Wait,
    /// Making a client and its first token call, in a process that has done nothing yet.
    First,
    /// Making a client.
    Construct,
}

pub(crate) struct Job {
    settings: Settings,
    work: Work,
    in_flight: u64,
    rss_start_kib: u64,
}

impl Job {
    pub(crate) fn from_env() -> Outcome<Self> {
        let rss_start_kib = memory("VmRSS")?;
        let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
        let work = match variable("BENCH_WORK")?.as_str() {
            "token" => Work::Token,
            "list" => Work::List,
            "wait" => Work::Wait,
            "first" => Work::First,
            "construct" => Work::Construct,
            other => return Err(format!("there is no work {other}").into()),
        };
        Ok(Self {
            settings: Settings {
                base_url: variable("BENCH_BASE_URL")?,
                ca_pem: std::fs::read(variable("BENCH_CA")?)?,
                key: variable("PC_TENANT_KEY")?,
                connection: variable("BENCH_CONNECTION").unwrap_or_else(|_| "conn_bench".to_owned()),
            },
            work,
            in_flight: variable("BENCH_IN_FLIGHT")?.parse::<u64>()?.max(1),
            rss_start_kib,
        })
    }

    /// Each line of standard input asks for so many calls, and is answered by what they cost. All on one thread: that is
    /// what costs least, and what a client of this kind needs.
    pub(crate) fn measure<P: Peer>(&self, name: &str) -> Outcome<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, async {
            let mut callers = Vec::new();
            for line in std::io::stdin().lines() {
                let calls: u64 = line?.parse()?;
                let (calls, begun) = match self.work {
                    Work::Construct => {
                        let made = |count| (0..count).try_for_each(|_| P::new(&self.settings).map(drop));
                        made(calls / 10)?;
                        let begun = Clocks::now();
                        made(calls)?;
                        (calls, begun)
                    }
                    Work::First => {
                        let begun = Clocks::now();
                        P::new(&self.settings)?.share().await?.token().await?;
                        (1, begun)
                    }
                    Work::Token | Work::List | Work::Wait => {
                        if callers.is_empty() {
                            callers = self.callers::<P>().await?;
                        }
                        // Each has its connection before the clock runs; but what waits cost, that is a part of.
                        let warm_up = match self.work {
                            Work::Wait => calls / 10,
                            _ => self.in_flight.max(calls / 10),
                        };
                        callers = self.call(callers, warm_up).await?;
                        let begun = Clocks::now();
                        callers = self.call(callers, calls).await?;
                        (calls, begun)
                    }
                };
                self.tell(name, calls, &begun)?;
            }
            Ok(())
        })
    }

    async fn callers<P: Peer>(&self) -> Outcome<Vec<P>> {
        let first = P::new(&self.settings)?;
        let mut callers = Vec::new();
        for _ in 0..self.in_flight {
            callers.push(first.share().await?);
        }
        Ok(callers)
    }

    /// Makes so many calls, each caller its next one as soon as its last is done.
    async fn call<P: Peer>(&self, callers: Vec<P>, calls: u64) -> Outcome<Vec<P>> {
        let work = self.work;
        let left = Rc::new(Cell::new(calls));
        let mut tasks = JoinSet::new();
        for mut caller in callers {
            let left = Rc::clone(&left);
            tasks.spawn_local(async move {
                while let Some(number) = left.get().checked_sub(1) {
                    left.set(number);
                    match work {
                        Work::List => caller.list().await,
                        Work::Wait => caller.wait(number).await,
                        _ => caller.token().await,
                    }
                    .map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(caller)
            });
        }
        let mut callers = Vec::new();
        while let Some(caller) = tasks.join_next().await {
            callers.push(caller??);
        }
        Ok(callers)
    }

    fn tell(&self, peer: &str, calls: u64, begun: &Clocks) -> Outcome<()> {
        let now = Clocks::now();
        let package = if peer == "core" { "pabbly-connect" } else { peer };
        let line = serde_json::json!({
            "peer": peer,
            "version": locked_version(package).ok_or("the peer is not in Cargo.lock")?,
            "calls": calls,
            "cpu_us": (now.cpu - begun.cpu).as_secs_f64() * 1e6,
            "wall_us": (now.wall - begun.wall).as_secs_f64() * 1e6,
            "rss_kib": memory("VmRSS")?,
            "peak_kib": memory("VmHWM")?,
            "rss_start_kib": self.rss_start_kib,
        });
        Ok(writeln!(std::io::stdout(), "{line}")?)
    }
}

struct Clocks {
    cpu: Duration,
    wall: Instant,
}

impl Clocks {
    fn now() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Self { cpu: Duration::try_from(cpu).unwrap_or_default(), wall: Instant::now() }
    }
}

/// A line of `/proc/self/status`, in KiB.
fn memory(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    Ok(number.ok_or("/proc does not tell the memory in use")?.parse()?)
}

/// The version that this program was built with.
fn locked_version(package: &str) -> Option<&'static str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = include_str!("../../Cargo.lock").split_once(name.as_str())?;
    rest.split('"').next()
}
