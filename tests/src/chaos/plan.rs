//! How much of everything there is, and for how long.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Error;

/// How long the provider's access tokens live: short, so that most token calls have to refresh.
pub(super) const TOKEN_LIFETIME: Duration = Duration::from_secs(3);
/// Token calls a minute that a tenant has in each process: the default of the service.
pub(super) const TOKEN_BUDGET: u32 = 600;
/// Processes on PostgreSQL.
pub(super) const PROCESSES: u32 = 2;
/// How often a process is killed.
pub(super) const KILL_INTERVAL: Duration = Duration::from_secs(20);

/// The length of a run that has all sockets and long polls; a shorter one has as many as its part of that.
const FULL: Duration = Duration::from_secs(600);
const SLOW_SOCKETS: u32 = 2_000;
const LONG_POLLS: u32 = 10_000;
/// Files beside the sockets above, generously.
const OTHER_FILES: u64 = 1_000;

/// How much there is of what depends on the length of the run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Length of the whole run, without setting up and comparing.
    pub length: Duration,
    /// Length of each of the two rounds.
    pub round: Duration,
    /// Time without load after each round, before the memory is measured.
    pub rest: Duration,
    /// Connections that never finish sending their headers.
    pub slow_sockets: u32,
    /// Long polls at once.
    pub long_polls: u32,
    /// Longest pause before a long poll, so that not all of them come at once after a process was killed: the shorter
    /// the run, the fewer they are, and the less time is left between two faults.
    pub max_pause: Duration,
}

impl Plan {
    /// The plan for a run of this length: two rounds of two fifths of it, each with a rest of a tenth.
    pub fn new(length: Duration) -> Plan {
        let part = |full: u32| {
            let share = length.as_secs_f64() / FULL.as_secs_f64();
            full.min((f64::from(full) * share).round() as u32)
        };
        Plan {
            length,
            round: length * 2 / 5,
            rest: length / 10,
            slow_sockets: part(SLOW_SOCKETS),
            long_polls: part(LONG_POLLS),
            max_pause: length / 40,
        }
    }

    /// Whether everything is there, and for long enough to compare memory.
    pub(super) fn is_full(&self) -> bool {
        self.length >= FULL
    }

    /// Token calls that a tenant may get in the whole run: the budget begins anew each minute in each process, and with
    /// each process that is started.
    pub(super) fn max_allowed(&self) -> u64 {
        // One has begun, and one more for rounds that take longer than planned.
        let minutes = self.length.as_secs() / 60 + 2;
        let kills = self.length.as_secs() / KILL_INTERVAL.as_secs();
        u64::from(TOKEN_BUDGET) * (u64::from(PROCESSES) * minutes + kills)
    }

    /// Lets this process, and those that it starts, open as many files as the plan needs.
    pub(super) fn raise_open_files(&self) -> Result<(), Error> {
        let needed = u64::from(self.slow_sockets + self.long_polls) + OTHER_FILES;
        let limit = getrlimit(Resource::Nofile);
        if limit.maximum.is_some_and(|maximum| maximum < needed) {
            return Err(format!(
                "{needed} open files are needed and at most {:?} allowed: raise the hard limit (ulimit -Hn), or \
                 make the run shorter",
                limit.maximum
            )
            .into());
        }
        let current = limit.current.map(|current| current.max(needed));
        Ok(setrlimit(Resource::Nofile, Rlimit { current, ..limit })?)
    }
}
