//! How many processes and tenants there are, and how long each part takes.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// How long the load lasts by default, in seconds.
const DEFAULT_SECONDS: u64 = 600;
const DEFAULT_PROCESSES: u32 = 3;
const DEFAULT_TENANTS: u32 = 100;
/// Calls under way at once.
const IN_FLIGHT: usize = 64;
/// How often a process is killed, in a run that is long enough.
const KILL_INTERVAL: Duration = Duration::from_secs(30);
/// How many are killed in a shorter one.
const MIN_KILLS: u32 = 2;
/// nginx must have seen that a process is there again before the next one is killed.
const MIN_KILL_INTERVAL: Duration = Duration::from_secs(8);
/// For how long a process that ends still accepts connections: half of the service's default.
const DRAIN: Duration = Duration::from_secs(2);
/// Connections whose token has expired whenever it is asked for, in a run that is long enough.
const MAX_EXPIRING: u32 = 400;

/// What is done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The numbers of processes to measure, one after the other. The last one is disturbed.
    pub processes: Vec<u32>,
    /// The numbers of tenants to measure, one after the other. The first one is disturbed.
    pub tenants: Vec<u32>,
    /// Calls under way at once.
    pub in_flight: usize,
    /// Connections whose token has expired whenever it is asked for.
    pub expiring: u32,
    /// Load before each measurement.
    pub warm_up: Duration,
    /// Load for each number of processes and of tenants.
    pub steady: Duration,
    /// Load while processes are killed.
    pub kills: Duration,
    /// Time between two kills.
    pub kill_interval: Duration,
    /// Load beside what takes as long as it takes, before and after it.
    pub around: Duration,
    /// For how long a process that ends still accepts connections.
    pub drain: Duration,
    /// The binary of the version before. Where there is one, the processes are upgraded from it, and otherwise from
    /// themselves.
    pub previous: Option<PathBuf>,
    /// Whether the root key is rotated.
    pub rotates_root_key: bool,
}

impl Plan {
    /// The plan for load of this length: three fifths of it steady, a quarter while processes are killed, and about the
    /// rest for what takes as long as it takes.
    pub fn new(length: Duration, processes: Vec<u32>, tenants: Vec<u32>) -> Plan {
        let measurements = u32::try_from(processes.len() * tenants.len()).unwrap_or(u32::MAX);
        let seconds = u32::try_from(length.as_secs()).unwrap_or(u32::MAX);
        let kills = (length / 4).max(MIN_KILL_INTERVAL * MIN_KILLS);
        Plan {
            processes,
            tenants,
            in_flight: IN_FLIGHT,
            expiring: MAX_EXPIRING.min(seconds),
            warm_up: (length / 60).min(Duration::from_secs(3)),
            steady: length * 3 / 5 / measurements.max(1),
            kills,
            kill_interval: KILL_INTERVAL.min(kills / MIN_KILLS),
            around: (length / 60).min(Duration::from_secs(5)),
            drain: DRAIN.min(length / 30),
            previous: None,
            rotates_root_key: true,
        }
    }

    /// The plan that the environment asks for: `FLEET_SECONDS`, `FLEET_PROCESSES` and `FLEET_TENANTS`, which may be
    /// lists, `FLEET_PREVIOUS`, the binary of the version before, and `FLEET_SKIP=root-key`.
    ///
    /// # Errors
    /// When a variable says something else.
    pub fn from_environment() -> Result<Plan, Error> {
        let seconds = numbers("FLEET_SECONDS", DEFAULT_SECONDS)?;
        let processes = numbers("FLEET_PROCESSES", DEFAULT_PROCESSES)?;
        let tenants = numbers("FLEET_TENANTS", DEFAULT_TENANTS)?;
        let [seconds] = seconds[..] else {
            return Err("FLEET_SECONDS must be one number".into());
        };
        let mut plan = Plan::new(Duration::from_secs(seconds), processes, tenants);
        plan.previous = std::env::var_os("FLEET_PREVIOUS").map(std::fs::canonicalize).transpose()?;
        plan.rotates_root_key = match std::env::var("FLEET_SKIP").as_deref() {
            Err(_) | Ok("") => true,
            Ok("root-key") => false,
            Ok(other) => return Err(format!("FLEET_SKIP may be root-key, not {other}").into()),
        };
        Ok(plan)
    }
}

/// A list of positive numbers with commas between them.
fn numbers<N: std::str::FromStr + PartialOrd + Default>(name: &str, default: N) -> Result<Vec<N>, Error> {
    let Ok(text) = std::env::var(name) else {
        return Ok(vec![default]);
    };
    let numbers: Result<Vec<N>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers {
        Ok(numbers) if numbers.iter().all(|number| *number > N::default()) => Ok(numbers),
        _ => {
            Err(format!("{name} must be a positive whole number, or several with commas between them").into())
        }
    }
}
