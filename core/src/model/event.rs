//! An event, as the feed gives it and webhooks bring it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Timestamp;
use super::models::EventData;

/// Something that happened to one of the tenant's connections, OAuth clients or keys.
///
/// ```
/// use pabbly_connect::{Event, EventData};
///
/// fn handle(event: &Event) {
///     match &event.data {
///         EventData::ConnectionActive(data) => println!("{} can be used", data.connection.id),
///         EventData::ConnectionNeedsReconnection(data) => println!("{}: {}", data.connection.id, data.reason),
///         other => println!("nothing to do for {}", other.event_type()),
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
#[non_exhaustive]
pub struct Event {
    /// Opaque, and the same however often the event is given or brought: by it you know what you have handled.
    pub id: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Its place in the feed, from which [`Client::events`](crate::Client::events) goes on. Empty for an event that is in
    /// no feed.
    pub cursor: String,
    /// What happened.
    pub data: EventData,
    /// Members that this version does not know.
    pub extra: Map<String, Value>,
}

impl Event {
    /// The type on the wire, such as `connection.active`.
    pub fn event_type(&self) -> &str {
        self.data.event_type()
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    timestamp: Timestamp,
    #[serde(default)]
    cursor: String,
    data: Value,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl TryFrom<Wire> for Event {
    type Error = serde_json::Error;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let Wire { id, event_type, timestamp, cursor, data, extra } = wire;
        let data = EventData::from_wire(event_type, data)?;
        Ok(Self { id, timestamp, cursor, data, extra })
    }
}

impl From<Event> for Wire {
    fn from(event: Event) -> Self {
        let event_type = event.event_type().to_owned();
        // Whatever came as JSON is JSON again.
        let data = event.data.to_wire().unwrap_or_default();
        let Event { id, timestamp, cursor, extra, .. } = event;
        Self { id, event_type, timestamp, cursor, data, extra }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ConnectionStatus;
    use serde_json::json;

    fn wire(event_type: &str, data: Value) -> Value {
        json!({
            "id": "evt_1", "type": event_type, "timestamp": "2026-11-29T12:00:00Z", "cursor": "c1", "data": data,
        })
    }

    #[test]
    fn a_known_type_is_a_case_of_its_own() {
        let connection = json!({"id": "conn_1", "status": "active", "origin": "link", "colour": "red"});
        let wire = wire("connection.active", json!({"connection": connection, "operation": "creation"}));
        let event: Event = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!((event.id.as_str(), event.event_type()), ("evt_1", "connection.active"));
        let EventData::ConnectionActive(data) = &event.data else { panic!("{event:?}") };
        assert_eq!(data.connection.status, ConnectionStatus::Active);
        assert_eq!(serde_json::to_value(&event).unwrap(), wire);
    }

    #[test]
    fn an_unknown_type_and_unknown_members_survive() {
        let mut wire = wire("connection.frozen", json!({"connection": 7}));
        wire["colour"] = json!("red");
        let event: Event = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(event.event_type(), "connection.frozen");
        assert!(matches!(&event.data, EventData::Unknown { data, .. } if data["connection"] == 7));
        assert_eq!(serde_json::to_value(event).unwrap(), wire);
    }

    #[test]
    fn data_that_does_not_fit_its_type_is_refused() {
        for data in [json!(null), json!({}), json!({"connection": {"id": 1, "status": "active"}})] {
            assert!(serde_json::from_value::<Event>(wire("connection.active", data)).is_err());
        }
    }
}
