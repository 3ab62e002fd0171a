use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use pabbly_connect::{Error, EventData, ExposeSecret, SecretString, webhooks};

pub fn app(secret: SecretString) -> Router {
    Router::new().route("/hooks/connect", post(receive)).with_state(secret)
}

async fn receive(
    State(secret): State<SecretString>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let event = webhooks::verify(&headers, &body, [secret.expose_secret()]).map_err(|error| match error {
        Error::WebhookVerification(_) => {
            (StatusCode::BAD_REQUEST, error.code().unwrap_or_default().to_owned())
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    })?;
    match event.data {
        EventData::ConnectionActive(data) => println!("{} can be used", data.connection.id),
        EventData::ConnectionNeedsReconnection(data) => {
            println!("ask for {} again: {}", data.connection.id, data.reason);
        }
        _ => {}
    }
    Ok(StatusCode::NO_CONTENT)
}
