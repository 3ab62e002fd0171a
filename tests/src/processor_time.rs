//! How much time processes spent on a processor, as Linux counts it.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::Error;

/// Of those that `/proc` counts in (`USER_HZ`), the same on every machine that Debian runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The process with this id, and all that it started, also those of them that have ended.
///
/// # Errors
/// When there is no such process.
pub fn of_tree(id: u32) -> Result<Duration, Error> {
    let mut processes = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let id = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // It may have ended meanwhile.
        if let Some((id, process)) = id.and_then(|id| Some((id, Process::read(id).ok()?))) {
            processes.insert(id, process);
        }
    }
    let mut ticks = 0;
    let mut tree = vec![id];
    while let Some(id) = tree.pop() {
        let process = processes.get(&id).ok_or_else(|| format!("there is no process {id}"))?;
        ticks += process.own + process.ended_children;
        tree.extend(processes.iter().filter(|(_, child)| child.parent == id).map(|(id, _)| *id));
    }
    Ok(duration(ticks))
}

/// This process alone.
///
/// # Errors
/// When the system does not tell.
pub fn own() -> Result<Duration, Error> {
    Ok(duration(Process::read(std::process::id())?.own))
}

/// One line of `/proc/ID/stat`, in ticks.
struct Process {
    parent: u32,
    own: u64,
    ended_children: u64,
}

impl Process {
    fn read(id: u32) -> Result<Process, Error> {
        Process::parse(&fs::read_to_string(format!("/proc/{id}/stat"))?)
    }

    fn parse(line: &str) -> Result<Process, Error> {
        // The name is in brackets and may hold anything.
        let (_, rest) = line.rsplit_once(')').ok_or("a line of /proc without a name")?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        let field = |index: usize| fields.get(index).ok_or("a short line of /proc");
        let ticks = |index: usize| Ok::<u64, Error>(field(index)?.parse()?);
        Ok(Process {
            parent: field(1)?.parse()?,
            own: ticks(11)? + ticks(12)?,
            ended_children: ticks(13)? + ticks(14)?,
        })
    }
}

fn duration(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let line = "42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 100 20 3 4 20 0";
        let process = Process::parse(line).unwrap();
        assert_eq!((process.parent, process.own, process.ended_children), (7, 120, 7));
    }

    #[test]
    fn a_tree_has_what_its_ended_children_used() {
        let before = of_tree(std::process::id()).unwrap();
        let loops = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", loops]).status().unwrap().success());
        assert!(of_tree(std::process::id()).unwrap() > before);
    }
}
