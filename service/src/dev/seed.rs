//! `--seed`: some customers with connections in several states, made as a product and its customers would make them.

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::command::Command;
use super::control::Control;
use crate::state::SetupError;

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    /// Active, with an access token that has expired.
    Expired,
    /// The provider has revoked the grant, and the service knows.
    NeedsReconnection,
    /// The customer has not opened the link.
    Pending,
    Rejected,
}

const CONNECTIONS: [(&str, &str, &str, State); 8] = [
    ("alice@example.com", "gmail", "Work Gmail", State::Active),
    ("alice@example.com", "slack", "Team Slack", State::Expired),
    ("alice@example.com", "brevo", "Newsletter", State::Active),
    ("bob@example.com", "hubspot", "Sales", State::NeedsReconnection),
    ("bob@example.com", "gmail", "Private Gmail", State::Pending),
    ("carol@example.com", "github", "Source code", State::Rejected),
    ("carol@example.com", "google-sheets", "Reports", State::Active),
    ("carol@example.com", "demo", "Demo", State::Active),
];

/// Makes the connections, unless there are any.
pub(super) async fn seed(control: &Control, tenant_key: &str) -> Result<(), SetupError> {
    if !control.service.store.newest_connections(1).await?.is_empty() {
        return Ok(());
    }
    for (customer, app, name, state) in CONNECTIONS {
        let body = json!({"app_id": app, "name": name});
        let call = Call { control, tenant_key, customer };
        let link = call.post("/connections/request-link", &body).await?;
        if state == State::Pending {
            continue;
        }
        let text = |name: &str| link["data"][name].as_str().unwrap_or_default().to_owned();
        let connection_id = text("connection_id");
        let connect = Command::Connect { request_link: text("request_link"), deny: state == State::Rejected };
        control.execute(connect).await?;
        match state {
            State::Active | State::Pending | State::Rejected => {}
            State::Expired => {
                control.execute(Command::Expire { connection_id }).await?;
            }
            State::NeedsReconnection => {
                let token = format!("/connections/{connection_id}/token");
                control.execute(Command::Revoke { connection_id }).await?;
                call.post(&token, &json!({})).await?;
            }
        }
    }
    Ok(())
}

/// Calls of a product about one customer.
struct Call<'a> {
    control: &'a Control,
    tenant_key: &'a str,
    customer: &'a str,
}

impl Call<'_> {
    async fn post(&self, path: &str, body: &Value) -> Result<Value, SetupError> {
        let url = format!("{}{path}", self.control.service.base_url());
        let request = self.control.http.post(url);
        let request = request
            .bearer_auth(self.tenant_key)
            .header("x-user-email", self.customer)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        Ok(serde_json::from_slice(&request.send().await?.bytes().await?)?)
    }
}
