//! What `connect-service dev ctl`, the control page and tests ask of a running instance.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// How many events are sent once more, unless the command says so.
const DEFAULT_COUNT: u32 = 10;

fn default_count() -> u32 {
    DEFAULT_COUNT
}

/// What can be done to a running instance. Its JSON names the command in `command`: `{"command": "revoke",
/// "connection_id": "conn_…"}`.
#[derive(Debug, Clone, Serialize, Deserialize, Subcommand)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// List connections with their latest links, the failures that are set, and the time.
    Status,
    /// List the presets for `fail`.
    Presets,
    /// Play the customer of a link: fill in the hosted page, and consent. Tells the connection's status, that of the
    /// link, and the address that the customer is sent back to.
    Connect {
        /// The `request_link`.
        request_link: String,
        /// Deny instead.
        #[arg(long)]
        #[serde(default)]
        deny: bool,
    },
    /// Let the access token of a connection expire, so that the next token call refreshes it.
    Expire {
        /// The connection.
        connection_id: String,
    },
    /// Revoke the grant of a connection at the provider; its access token expires, too.
    Revoke {
        /// The connection.
        connection_id: String,
    },
    /// Make requests to the provider fail, until `recover`.
    Fail {
        /// How; `presets` lists the names.
        preset: String,
        /// Only requests of this app.
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        app: Option<String>,
        /// Only refreshes of this connection.
        #[arg(long, conflicts_with = "app")]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection_id: Option<String>,
        /// Only so many requests.
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<u32>,
        /// Respond after so many milliseconds.
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<u64>,
    },
    /// End all failures.
    Recover,
    /// Send the latest events to the webhook endpoints once more, at once and one after the other.
    Redeliver {
        /// So many of each tenant.
        #[arg(long, default_value_t = DEFAULT_COUNT)]
        #[serde(default = "default_count")]
        count: u32,
        /// Out of order.
        #[arg(long)]
        #[serde(default)]
        shuffle: bool,
        /// Only to this endpoint.
        #[arg(long)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        webhook_id: Option<String>,
    },
    /// Move the clock of the service and of the provider forward, a year at most, and do what the service does unasked in
    /// that time: keep grants alive, revoke, clean up.
    Advance {
        /// By how many seconds.
        seconds: u64,
    },
    /// Make a link that signs in to the dashboard, once within ten minutes: as the owner, owner@example.com, or as a customer,
    /// to see what is connected for them.
    SignIn {
        /// Who signs in.
        email: String,
    },
    /// Make another key, which can do less than the one that was printed.
    Key {
        /// Any of apps, connections, token, delete, admin, import, events, proxy, with commas between them.
        #[arg(long, value_delimiter = ',', required = true)]
        capabilities: Vec<String>,
    },
}
