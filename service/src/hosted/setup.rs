//! An OAuth client that the first person of an organization enters. The form is that of the app's own option with two fields
//! more. What is entered waits for its first success, bound to the link; then it is everybody's of the organization, and
//! nobody is asked again.

use std::borrow::Cow;

use serde::Serialize;

use super::flow::{Accepted, Choice, Refusal};
use crate::catalogue::{App, AuthOption, AuthType, Field, FieldError, Format, Inputs};
use crate::hosted::instructions;
use crate::language::{Language, Message};
use crate::oauth_clients::{Clients, MAX_CLIENT_ID, MAX_SECRET, is_printable};
use crate::store::{ClientPlace, ClientSecrets, Link, NewClient, Organization, StoreError, StoredClient};

const CLIENT_ID: &str = "oauth_client_id";
const CLIENT_SECRET: &str = "oauth_client_secret";

/// The role of those who may always enter a client.
const ADMIN: &str = "admin";

const TITLE_OF_ID: &str = "client-id";
const TITLE_OF_SECRET: &str = "client-secret";
const SECRET_IS_KNOWN: &str = "client-secret-known";
const NOT_PRINTABLE: &str = "client-not-printable";
const SECRET_MISSING: &str = "client-secret-missing";

/// What those are told who are to enter a client.
#[derive(Debug, Serialize)]
pub struct ClientSetup {
    /// Whose it will be.
    #[serde(serialize_with = "name")]
    pub organization: Organization,
    /// Whether this customer may.
    pub allowed: bool,
    /// The address to register with it.
    pub redirect_uri: String,
    /// How to get one, as HTML that is safe to show.
    pub instructions_html: String,
    /// What was entered before.
    pub client_id: Option<String>,
    /// Whether the secret that was entered before can still be used, so that the field may be left empty.
    pub secret_is_known: bool,
}

fn name<S: serde::Serializer>(organization: &Organization, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&organization.name)
}

/// What there is to say about entering a client for this choice; `None` where there is one, or none is needed.
pub(super) async fn of(
    clients: &Clients<'_>,
    link: &Link,
    Choice { app, option }: Choice<'_>,
) -> Result<Option<ClientSetup>, StoreError> {
    let organization = link.options.organization.clone();
    let Some(organization) =
        organization.filter(|_| option.auth_type == AuthType::OAuth && clients.needs_setup(app))
    else {
        return Ok(None);
    };
    let held = clients.service.store.held_client(link, &app.id).await?;
    let instructions = clients.settings(app).map(|settings| instructions::render(&settings.instructions));
    Ok(Some(ClientSetup {
        allowed: is_allowed(clients, link, app),
        redirect_uri: clients.service.redirect_uri(&app.id),
        instructions_html: instructions.unwrap_or_default(),
        secret_is_known: reusable(link, held.as_ref()).is_some(),
        client_id: held.map(|held| held.client_id),
        organization,
    }))
}

/// The option with the client's fields before its own.
pub(super) fn form(option: &AuthOption, setup: &ClientSetup) -> AuthOption {
    let mut form = option.clone();
    if setup.allowed {
        form.input.fields.splice(0..0, fields(!setup.secret_is_known));
    }
    form
}

/// Whether a form has fields of a client.
pub(super) fn is_in(values: &Inputs) -> bool {
    values.contains_key(CLIENT_ID) || values.contains_key(CLIENT_SECRET)
}

/// What was entered before, to be shown again; a secret is not.
pub(super) fn entered_before(entered: &Inputs, setup: &ClientSetup) -> Inputs {
    let mut entered = entered.clone();
    if let Some(client_id) = &setup.client_id {
        entered.entry(CLIENT_ID.to_owned()).or_insert_with(|| client_id.clone());
    }
    entered
}

/// Keeps the client that was entered, for the authorization that is about to begin.
pub(super) async fn submit(
    clients: &Clients<'_>,
    link: &Link,
    Choice { app, option }: Choice<'_>,
    values: &Inputs,
) -> Result<Accepted, Refusal> {
    let Some(organization) = link.organization_id().filter(|_| is_allowed(clients, link, app)) else {
        return Err(Refusal::AdminRequired);
    };
    let store = &clients.service.store;
    let held = store.held_client(link, &app.id).await?;
    let held = reusable(link, held.as_ref());
    let mut form = option.input.clone();
    form.fields.splice(0..0, fields(held.is_none()));
    let mut inputs = form.validate(values).map_err(Refusal::Invalid)?;
    let client_id = inputs.remove(CLIENT_ID).unwrap_or_default();
    let secret = inputs.remove(CLIENT_SECRET);
    if !is_printable(&client_id, MAX_CLIENT_ID) {
        return Err(not_printable(CLIENT_ID));
    }
    let secret = match (secret, held) {
        (Some(secret), _) if is_printable(&secret, MAX_SECRET) => secret,
        (Some(_), _) => return Err(not_printable(CLIENT_SECRET)),
        (None, Some(held)) if held.client_id == client_id => {
            return Ok(Accepted::Consent { inputs, entered: Some(held.id.clone()) });
        }
        (None, _) => return Err(wrong(CLIENT_SECRET, SECRET_MISSING)),
    };
    let new = NewClient {
        place: ClientPlace { tenant: &link.owner.tenant, app_id: &app.id, organization: Some(organization) },
        client_id: &client_id,
        secrets: ClientSecrets { client_secret: secret.into(), ..ClientSecrets::default() },
        scopes: None,
        sandbox: false,
    };
    let entered = Some(store.hold_client(link, &new).await?);
    Ok(Accepted::Consent { inputs, entered })
}

/// The client id of a form, as it was entered.
pub(super) fn entered_client_id(values: &Inputs) -> Option<&str> {
    values.get(CLIENT_ID).map(|value| value.trim())
}

/// A client and its secret, of a form that asks for nothing else.
pub(super) fn read_client(values: &Inputs) -> Result<(String, String), FieldError> {
    let value = |name: &str| values.get(name).map(|value| value.trim()).unwrap_or_default();
    let (client_id, secret) = (value(CLIENT_ID), value(CLIENT_SECRET));
    if !is_printable(client_id, MAX_CLIENT_ID) {
        return Err(field_error(CLIENT_ID, Message::new(NOT_PRINTABLE)));
    }
    if secret.is_empty() {
        return Err(field_error(CLIENT_SECRET, Message::new(SECRET_MISSING)));
    }
    if !is_printable(secret, MAX_SECRET) {
        return Err(field_error(CLIENT_SECRET, Message::new(NOT_PRINTABLE)));
    }
    Ok((client_id.to_owned(), secret.to_owned()))
}

/// What is wrong with the secret.
pub(super) fn secret_error(message: Message) -> FieldError {
    field_error(CLIENT_SECRET, message)
}

/// The form's address is not enough: what the customer may do, the tenant's backend said when it made the link.
fn is_allowed(clients: &Clients<'_>, link: &Link, app: &App) -> bool {
    let needs_admin = clients.settings(app).is_some_and(|settings| settings.admin_role_required);
    let role = link.options.organization.as_ref().and_then(|organization| organization.role.as_deref());
    !needs_admin || role == Some(ADMIN)
}

/// What was entered before need not be entered again, as long as nothing failed with it.
fn reusable<'a>(link: &Link, held: Option<&'a StoredClient>) -> Option<&'a StoredClient> {
    held.filter(|_| link.last_error.is_none())
}

fn fields(is_secret_required: bool) -> [Field; 2] {
    [
        Field { max_length: MAX_CLIENT_ID, ..Field::new(CLIENT_ID, &english(TITLE_OF_ID), Format::Text) },
        Field {
            max_length: MAX_SECRET,
            required: is_secret_required,
            description: (!is_secret_required).then(|| english(SECRET_IS_KNOWN)),
            ..Field::new(CLIENT_SECRET, &english(TITLE_OF_SECRET), Format::Password)
        },
    ]
}

fn english(key: &'static str) -> String {
    Message::new(key).to_string()
}

/// Title and help of the client's fields in a language; `None` for the fields of an app, which its catalogue file describes.
pub(super) fn words(
    language: Language,
    field: &Field,
) -> Option<(Cow<'static, str>, Option<Cow<'static, str>>)> {
    let text = |key| Cow::from(language.text(key).to_string());
    match field.name.as_str() {
        CLIENT_ID => Some((text(TITLE_OF_ID), None)),
        CLIENT_SECRET => Some((text(TITLE_OF_SECRET), (!field.required).then(|| text(SECRET_IS_KNOWN)))),
        _ => None,
    }
}

fn not_printable(field: &str) -> Refusal {
    wrong(field, NOT_PRINTABLE)
}

fn wrong(field: &str, key: &'static str) -> Refusal {
    Refusal::Invalid(vec![field_error(field, Message::new(key))])
}

fn field_error(field: &str, message: Message) -> FieldError {
    FieldError { field: field.to_owned(), message }
}
