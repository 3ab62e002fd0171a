//! Where the contacts go on, and whether they go round in a circle.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::catalogue::Contacts;

/// What a cursor says. It is sealed before it is given away.
#[derive(Serialize, Deserialize)]
pub(super) struct ContactsCursor {
    pub(super) position: Position,
    /// Whether no other connection follows.
    pub(super) is_alone: bool,
}

/// Where the contacts of a connection go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) connection: String,
    pub(super) app_id: String,
    /// The page of the containers that is next, while they are not all known.
    pub(super) containers_page: Option<u32>,
    /// The containers that are left, beginning with the one that it goes on in.
    pub(super) containers: Vec<String>,
    /// The provider's cursor, or the number of a page; none for the first page.
    pub(super) next: Option<Value>,
    cycle: Cycle,
}

/// Finds out that a sequence goes round in a circle, of whatever length, with one value remembered (Brent's algorithm).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cycle {
    anchor: u64,
    steps: u32,
    /// How many steps the anchor stays.
    power: u32,
}

/// The provider gives the same cursors again and again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Circular;

impl Position {
    /// Before the first contact.
    pub(super) fn start(connection: &str, app_id: &str, contacts: &Contacts) -> Self {
        Self {
            connection: connection.to_owned(),
            app_id: app_id.to_owned(),
            containers_page: contacts.containers.as_ref().map(|_| 1),
            containers: Vec::new(),
            next: None,
            cycle: Cycle::default(),
        }
    }

    /// After a page: at this value, or else in the next container; `None` at the end.
    pub(super) fn after(&self, next: Option<Value>) -> Result<Option<Self>, Circular> {
        let mut position = self.clone();
        if let Some(next) = next {
            let container = self.containers.first().map_or("", String::as_str);
            let digest = Sha256::digest(format!("{container}\n{next}"));
            let hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
            position.cycle.step(hash)?;
            position.next = Some(next);
            return Ok(Some(position));
        }
        position.next = None;
        position.containers_page = None;
        if !position.containers.is_empty() {
            position.containers.remove(0);
        }
        Ok((!position.containers.is_empty()).then_some(position))
    }
}

impl Cycle {
    fn step(&mut self, hash: u64) -> Result<(), Circular> {
        if self.power > 0 && hash == self.anchor {
            return Err(Circular);
        }
        self.steps += 1;
        if self.steps >= self.power {
            *self = Self { anchor: hash, steps: 0, power: self.power.saturating_mul(2).max(1) };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of these values are taken until the circle is found.
    fn steps(values: impl Iterator<Item = u64>) -> Option<usize> {
        let mut cycle = Cycle::default();
        values.into_iter().position(|value| cycle.step(value).is_err())
    }

    #[test]
    fn a_circle_is_found_whatever_its_length() {
        assert_eq!(steps(0..10_000), None);
        assert_eq!(steps(std::iter::repeat(7)), Some(1));
        for (before, length) in [(0, 2), (3, 2), (10, 5), (100, 37), (5, 1000)] {
            let values = (0..before).chain((before..before + length).cycle());
            let found = steps(values).unwrap();
            let bound = 4 * usize::try_from(before + length).unwrap();
            assert!(found < bound, "{before} {length}: {found}");
        }
    }
}
