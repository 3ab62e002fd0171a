//! One page of the contacts of one connection: a credential that works, one call, once more with a new credential where
//! the provider rejects the first, and what the response says.
//!
//! Everything in a response is hostile: its size, depth and time are bounded, a cursor goes nowhere but into the next
//! request's query or body, and nothing of what went wrong is repeated.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::position::{Circular, Position};
use crate::catalogue::{Contacts, Errors, Next, PageRequest, PageValues, Pointer, ProviderData, Record};
use crate::error::ApiError;
use crate::oauth::{self, ApiBody, ApiRequest, ApiResponse, Bounds};
use crate::provider_api::ApiAccess;
use crate::proxy::{self, AuditedCall};
use crate::state::AppState;
use crate::store::{Caller, Owner, Vended};
use crate::vending;

/// A hundred contacts with much more in them than is asked for.
const BOUNDS: Bounds = Bounds { max_response: 2 * 1024 * 1024, timeout: Duration::from_secs(10) };
/// Records on a page, whatever was asked for.
const MAX_RECORDS: usize = 1000;
/// Containers of one connection.
const MAX_CONTAINERS: usize = 50;
/// Longest cursor of a provider, as JSON.
const MAX_NEXT: usize = 2048;

/// The contacts of a connection, to be read page by page.
pub(super) struct Source<'a> {
    pub(super) app: &'a AppState,
    pub(super) caller: &'a Caller,
    pub(super) owner: &'a Owner,
    pub(super) key_digest: &'a str,
    pub(super) contacts: &'a Contacts,
    pub(super) search: Option<&'a str>,
    pub(super) limit: u32,
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no credential that works, or no call could be made.
    Api(ApiError),
    /// The provider had too many requests, and perhaps told for how many seconds.
    RateLimited { status: u16, retry_after: Option<u64> },
    /// The provider is not available: this status, or no response at all.
    Unavailable { status: Option<u16>, retry_after: u64 },
    /// The provider refused the request.
    Refused(u16),
    /// The response cannot be read; tells why.
    Invalid(&'static str),
}

/// What a call is about.
struct Asked<'a> {
    method: http::Method,
    path: &'a str,
    headers: &'a BTreeMap<String, String>,
    query: &'a BTreeMap<String, String>,
    json: Option<&'a Value>,
}

impl Source<'_> {
    /// The records of the page at a position, and the position after it; `None` after the last.
    pub(super) async fn page(&self, position: &Position) -> Result<(Vec<Record>, Option<Position>), Failure> {
        let id = position.connection.as_str();
        let audit = || {
            AuditedCall::new(self.app, self.caller, id, &self.owner.customer, self.asked(position).0.as_str())
        };
        let customer = Some(self.owner.customer.as_str());
        let found =
            self.app.store.token_lookup(self.key_digest, Some(id), customer).await.map_err(ApiError::from)?;
        let connection = found.ok_or(ApiError::InvalidApiKey)?.connection;
        let call = audit();
        let vended = match vending::vend(self.app, self.owner, id, connection, None).await {
            Ok(vended) => vended,
            Err(error) => {
                call.note(Err(error.code())).await?;
                return Err(error.into());
            }
        };
        let Some(_in_flight) = self.app.proxied_calls.enter(&self.owner.tenant, id) else {
            let error = ApiError::RateLimited { retry_after: 1 };
            call.note(Err(error.code())).await?;
            return Err(error.into());
        };
        let response = self.call(position, &vended, call).await?;
        if response.status != StatusCode::UNAUTHORIZED.as_u16() {
            return self.read(position, &vended, &response);
        }
        match proxy::replaced(self.app, self.owner, id, &vended, self.key_digest).await? {
            None => self.read(position, &vended, &response),
            Some(vended) => {
                let response = self.call(position, &vended, audit()).await?;
                self.read(position, &vended, &response)
            }
        }
    }

    /// The method and path of the request at a position.
    fn asked(&self, position: &Position) -> (http::Method, &str) {
        match (&position.containers_page, &self.contacts.containers) {
            (Some(_), Some(containers)) => (containers.method.method(), &containers.path),
            _ => {
                let request = self.request(position);
                (request.method.method(), &request.path)
            }
        }
    }

    fn request(&self, position: &Position) -> &PageRequest {
        let request = if self.search.is_some() { &self.contacts.search } else { &self.contacts.list };
        request.at(position.next.is_none())
    }

    fn values<'a>(&'a self, position: &'a Position, provider_data: &'a ProviderData) -> PageValues<'a> {
        PageValues {
            limit: self.limit,
            search: self.search,
            cursor: position.next.as_ref(),
            container: position.containers.first().map(String::as_str),
            page: position.containers_page.unwrap_or(1),
            provider_data,
        }
    }

    async fn call(
        &self,
        position: &Position,
        vended: &Vended,
        mut audit: AuditedCall<'_>,
    ) -> Result<ApiResponse, Failure> {
        let data = vended.details.all_provider_data();
        let values = self.values(position, &data);
        let (method, path) = self.asked(position);
        let (none, request) = (Default::default(), self.request(position));
        let (headers, query, json) = match (&position.containers_page, &self.contacts.containers) {
            (Some(_), Some(containers)) => (&none, Default::default(), containers.json.as_ref()),
            _ => (&request.headers, values.fill_query(&request.query), request.json.as_ref()),
        };
        let json = json.and_then(|json| values.fill(json));
        let asked = Asked { method, path, headers, query: &query, json: json.as_ref() };
        match self.send(asked, vended, &data, &mut audit).await {
            Ok(response) => {
                audit.note(Ok(response.status)).await?;
                Ok(response)
            }
            Err(failure) => {
                audit.note(Err(failure.code())).await?;
                Err(failure)
            }
        }
    }

    async fn send(
        &self,
        asked: Asked<'_>,
        vended: &Vended,
        data: &ProviderData,
        audit: &mut AuditedCall<'_>,
    ) -> Result<ApiResponse, Failure> {
        let unknown = || Failure::Invalid("The catalogue does not tell where this app's API is");
        let tenant = &self.owner.tenant;
        let client = self.app.client_of_grant(tenant, &vended.app_id, vended.oauth_client.as_deref());
        let client = client.await.map_err(ApiError::from)?;
        let access = ApiAccess::of_vended(self.app, tenant, vended, client.as_deref()).ok_or_else(unknown)?;
        let call = access.call(data);
        let base = call.base_url.as_deref().ok_or_else(unknown)?;
        let url = Url::parse(&format!("{base}{}", asked.path)).map_err(|_| unknown())?;
        if let Some(request) = audit.request() {
            request.host = url.host_str().unwrap_or_default().to_owned();
            request.path = proxy::pattern(url.path());
        }
        let mut query = asked.query.clone();
        query.extend(call.query);
        let headers = call.headers.iter().chain(asked.headers);
        let request = ApiRequest {
            method: asked.method,
            url,
            headers: headers.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            query: &query,
            json: asked.json,
        };
        self.app.providers.read_api(request, BOUNDS).await.map_err(|error| match error {
            oauth::ApiError::NotSent | oauth::ApiError::NoResponse => {
                Failure::Unavailable { status: None, retry_after: 1 }
            }
            oauth::ApiError::TooLarge => Failure::Invalid("The response is too large"),
        })
    }

    fn read(
        &self,
        position: &Position,
        vended: &Vended,
        response: &ApiResponse,
    ) -> Result<(Vec<Record>, Option<Position>), Failure> {
        let Some(document) = document(response, &self.contacts.errors)? else {
            return Ok((Vec::new(), position.after(None).map_err(circular)?));
        };
        if let (Some(page), Some(containers)) = (position.containers_page, &self.contacts.containers) {
            let items = items(document, &containers.items)?;
            let mut next = position.clone();
            next.containers.extend(items.iter().filter_map(|item| containers.id_of(item)));
            if next.containers.len() > MAX_CONTAINERS || page > 100 {
                return Err(Failure::Invalid("The account has more lists of contacts than are read"));
            }
            next.containers_page = (items.len() >= containers.page_size).then(|| page + 1);
            let is_over = next.containers_page.is_none() && next.containers.is_empty();
            return Ok((Vec::new(), (!is_over).then_some(next)));
        }
        let request = self.request(position);
        let items = items(document, &request.items)?;
        let no_record = || Failure::Invalid("A record has no id, or is none");
        let records = items.iter().map(|item| request.record.get(item).ok_or_else(no_record));
        let records = records.collect::<Result<Vec<_>, _>>()?;
        let app = self.app.catalogue.get(&vended.app_id);
        let option = app.and_then(|app| app.auth_option(&vended.auth_option_key)).ok_or_else(no_record)?;
        let data = &vended.details.provider_data;
        let read = records.iter().filter(|record| !self.contacts.skips(record));
        let read = read.map(|record| self.contacts.read(record, option, data).ok_or_else(no_record));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        let next = self.next(&request.next, position, document, &records)?;
        Ok((read, position.after(next).map_err(circular)?))
    }

    /// What the next page of a container is asked for with; `None` after the last.
    fn next(
        &self,
        style: &Next,
        position: &Position,
        document: &Value,
        records: &[&Value],
    ) -> Result<Option<Value>, Failure> {
        let no_cursor = Failure::Invalid("The response tells that more follows, and not where");
        let next = match style {
            Next::Cursor(cursor) => {
                let more = cursor.more.as_ref().map(|more| truth(more.get(document))).transpose()?;
                match (more, cursor.pointer.get(document)) {
                    (Some(false), _) => None,
                    (Some(true), None | Some(Value::Null)) => return Err(no_cursor),
                    (None, None | Some(Value::Null)) => None,
                    (None, Some(Value::String(text))) if text.is_empty() => None,
                    (_, Some(value @ (Value::String(_) | Value::Number(_)))) => Some(value.clone()),
                    _ => return Err(no_cursor),
                }
            }
            Next::Page(more) => {
                let page = position.next.as_ref().and_then(Value::as_u64).unwrap_or(1);
                let goes_on = truth(more.get(document))? && !records.is_empty();
                goes_on.then(|| page.saturating_add(1).into())
            }
            Next::LastRecord(pointer) => match records.last() {
                Some(last) if records.len() >= self.limit as usize => match pointer.get(last) {
                    Some(value @ (Value::String(_) | Value::Number(_) | Value::Array(_))) => {
                        Some(value.clone())
                    }
                    _ => return Err(no_cursor),
                },
                _ => None,
            },
        };
        let is_fine = next.as_ref().is_none_or(|next| next.to_string().len() <= MAX_NEXT);
        if is_fine { Ok(next) } else { Err(Failure::Invalid("The cursor is too long")) }
    }
}

/// The JSON of a successful response; `None` where it says that there is nothing.
fn document<'r>(response: &'r ApiResponse, errors: &Errors) -> Result<Option<&'r Value>, Failure> {
    let status = response.status;
    let json = match &response.body {
        ApiBody::Json(value) => Some(value),
        ApiBody::Empty | ApiBody::Other => None,
    };
    let failed = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    let error =
        json.filter(|json| errors.pointer.as_ref().and_then(|pointer| pointer.get(json)).is_some_and(failed));
    let code = json.zip(errors.code.as_ref()).and_then(|(json, code)| code.value(json));
    let is_limit = code.is_some_and(|code| errors.rate_limited.contains(&code));
    if status == StatusCode::TOO_MANY_REQUESTS.as_u16() || (error.is_some() && is_limit) {
        return Err(Failure::RateLimited { status, retry_after: retry_after(response, errors) });
    }
    match status {
        500.. => Err(Failure::Unavailable {
            status: Some(status),
            retry_after: retry_after(response, errors).unwrap_or(1),
        }),
        204 => Ok(None),
        200..300 if error.is_none() => json.map(Some).ok_or(Failure::Invalid("The response is no JSON")),
        _ => Err(Failure::Refused(status)),
    }
}

/// After how many seconds the provider may be asked again, where it tells.
fn retry_after(response: &ApiResponse, errors: &Errors) -> Option<u64> {
    const MAX: u64 = 24 * 60 * 60;
    let by_header = oauth::retry_after(&response.headers).map(|wait| wait.as_secs());
    let further = || {
        let name = errors.retry_after_header.as_deref()?;
        response.headers.get(name)?.to_str().ok()?.trim().parse().ok()
    };
    let by_body = || match &response.body {
        ApiBody::Json(json) => errors.retry_after.as_ref()?.get(json)?.as_u64(),
        ApiBody::Empty | ApiBody::Other => None,
    };
    by_header.or_else(further).or_else(by_body).map(|seconds| seconds.clamp(1, MAX))
}

fn items<'v>(document: &'v Value, pointer: &Pointer) -> Result<&'v [Value], Failure> {
    match pointer.get(document) {
        Some(Value::Array(items)) if items.len() <= MAX_RECORDS => Ok(items),
        Some(Value::Null) => Ok(&[]),
        _ => Err(Failure::Invalid("The response has no list of records, or one that is too long")),
    }
}

fn truth(value: Option<&Value>) -> Result<bool, Failure> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(_) => Err(Failure::Invalid("The response does not tell whether more follows")),
    }
}

fn circular(_: Circular) -> Failure {
    Failure::Invalid("The provider gives the same pages again and again")
}

impl Failure {
    /// The word for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Api(error) => error.code(),
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "upstream_unavailable",
            Self::Refused(_) => "provider_refused",
            Self::Invalid(_) => "provider_response_invalid",
        }
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Api(
                ApiError::RateLimited { retry_after } | ApiError::UpstreamUnavailable { retry_after },
            ) => Some((*retry_after).max(1)),
            Self::RateLimited { retry_after, .. } => *retry_after,
            Self::Unavailable { retry_after, .. } => Some(*retry_after),
            Self::Api(_) | Self::Refused(_) | Self::Invalid(_) => None,
        }
    }

    pub(super) fn provider_status(&self) -> Option<u16> {
        match self {
            Self::RateLimited { status, .. } | Self::Refused(status) => Some(*status),
            Self::Unavailable { status, .. } => *status,
            Self::Api(_) | Self::Invalid(_) => None,
        }
    }

    /// Whether the same page can be asked for again.
    pub(super) fn can_be_resumed(&self) -> bool {
        !matches!(self, Self::Api(ApiError::ConnectionDeleted))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api(error) => error.fmt(f),
            Self::RateLimited { .. } => f.write_str("The provider had too many requests"),
            Self::Unavailable { .. } => f.write_str("The provider is not available"),
            Self::Refused(401) => f.write_str("The provider does not accept the credential"),
            Self::Refused(403) => f.write_str("The provider does not let this account read contacts"),
            Self::Refused(_) => f.write_str("The provider refused the request"),
            Self::Invalid(problem) => f.write_str(problem),
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}
